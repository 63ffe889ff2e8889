//! The one way in: finds the service, verifies the signature, hands the request on, and gives every answer its id.

use crate::body::{self, ByteStream};
use crate::door::{DoorConfig, Rooms};
use crate::fault::{Family, Fault};
use crate::json::{Call, Encoding};
use crate::keys::{Caller, KeyRing};
use crate::logs::{self, Logs};
use crate::refusal::Refusal;
use crate::s3::ObjectDoor;
use crate::service::Service;
use crate::signature::{Claim, Origin, Trailers, decode_chunks, hex_sha256, query_pairs};
use crate::store::Documents;
use crate::{analytics, athena, firehose, glue, json, kinesis, query, s3, session};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use model::AccountId;
use state::{Clock, Runs};
use telemetry::Tracer;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What every service but S3 may be sent: their largest requests are batches of partitions.
const MAX_REQUEST: usize = 16 << 20;
/// What S3 may be sent as a document: a thousand keys, ten thousand parts.
const MAX_DOCUMENT: usize = 4 << 20;

/// All services behind the door.
pub(crate) struct Front {
    keys: KeyRing,
    account: AccountId,
    clock: Clock,
    s3: ObjectDoor,
    pub(crate) tables: Vec<json::Table>,
    begun: TaskTracker,
    pub(crate) runs: Runs,
    pub(crate) tracer: Tracer,
}

/// A request whose signature was verified, with its body in one piece.
struct Verified {
    caller: Caller,
    body: Bytes,
}

/// Whether a client waits to be told to go on with a body of no bytes. There is nothing to go on with, so it gets its
/// answer at once; clients in Python (botocore) then misread the next answer on the connection, so this is the last one.
fn waits_to_send_nothing(parts: &Parts) -> bool {
    let is = |name: HeaderName, text: &str| {
        let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.trim().eq_ignore_ascii_case(text))
    };
    is(http::header::EXPECT, "100-continue") && is(http::header::CONTENT_LENGTH, "0")
}

/// In HTTP/2 the host is part of the address; signatures mean the header.
fn name_host(parts: &mut Parts) {
    if parts.headers.contains_key(http::header::HOST) {
        return;
    }
    let host = parts.uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    if let Some(host) = host {
        parts.headers.insert(http::header::HOST, host);
    }
}

impl Front {
    /// `ending` is cancelled when answers that go on and on shall end.
    pub(crate) fn new(
        rooms: Rooms,
        documents: &Documents,
        logs: &Logs,
        config: DoorConfig,
        ending: &CancellationToken,
    ) -> Self {
        Self {
            keys: config.keys,
            account: config.account,
            clock: rooms.clock.clone(),
            tables: vec![
                glue::table(&rooms, documents),
                athena::table(&rooms, documents),
                logs::table(logs),
                firehose::table(&rooms, documents),
                kinesis::table(&rooms, documents, ending),
                analytics::table(&rooms, documents),
            ],
            runs: rooms.runs.clone(),
            tracer: config.tracer,
            s3: ObjectDoor::new(rooms.lake, rooms.events, documents.clone(), config.fast_etags),
            begun: TaskTracker::new(),
        }
    }

    /// Waits for the operations that are under way; nobody may ask for more.
    pub(crate) async fn ended(&self) {
        self.begun.close();
        self.begun.wait().await;
    }

    /// Answers a request, whatever trace it belongs to.
    pub(crate) async fn handle(&self, request: Request<Incoming>) -> Response<s3s::Body> {
        let (mut parts, incoming) = request.into_parts();
        name_host(&mut parts);
        let id = request_id();
        tracing::debug!(id, method = %parts.method, path = parts.uri.path(), "request");
        let waits = waits_to_send_nothing(&parts);
        let claim = Claim::read(&parts);
        let service = Service::of(&parts, claim.as_ref().ok().and_then(Option::as_ref));
        let (family, encoding) = (service.family(), Encoding::of(&parts.headers));
        let body = body::incoming(incoming);
        let mut response = match claim.and_then(|claim| claim.ok_or(Refusal::Unsigned)) {
            Err(refusal) => write(&Fault::refused(&refusal, family), family, encoding, &id),
            Ok(claim) => match service {
                Service::S3 => self.objects(parts, &claim, body).await,
                Service::Query => self.form(parts, &claim, body, &id).await,
                Service::Json { target, operation } => {
                    self.operation(&target, &operation, &parts, &claim, body, &id).await
                }
                Service::Other(name) => json::write_fault(&self.not_served(&name), encoding),
            },
        };
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::try_from(&id) {
            headers.insert(HeaderName::from_static("x-amzn-requestid"), value.clone());
            headers.insert(HeaderName::from_static("x-amz-request-id"), value);
        }
        headers.insert(http::header::SERVER, HeaderValue::from_static("glulam"));
        if waits {
            headers.insert(http::header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    fn caller(&self, claim: &Claim) -> Result<Caller, Refusal> {
        let now = self.clock.now();
        claim.check_time(now)?;
        session::caller(&self.keys, claim, &self.account, now)
    }

    /// S3: the body streams, checked on its way.
    async fn objects(&self, parts: Parts, claim: &Claim, body: ByteStream) -> Response<s3s::Body> {
        let trailers = Trailers::default();
        let verified = async {
            let caller = self.caller(claim)?;
            let body = verified_stream(&parts, claim, &caller, body, &trailers)?;
            // Documents are small, and what is wrong with them should be said in the right words.
            let body = match parts.method {
                Method::POST => {
                    let bytes = body::collect(body, MAX_DOCUMENT).await?;
                    let query = parts.uri.query().unwrap_or_default();
                    if query_pairs(query).any(|(name, _)| name == b"delete") {
                        s3::check_document(&parts.headers, &trailers, &bytes)?;
                    }
                    whole(bytes)
                }
                _ => body,
            };
            Ok::<_, Refusal>((caller, body))
        };
        match verified.await {
            Ok((caller, body)) => self.s3.answer(parts, caller, body, trailers).await,
            Err(refusal) => s3::respond(&Fault::refused(&refusal, Family::S3)),
        }
    }

    /// The other services: the body is one piece, and its hash is signed.
    async fn verify(&self, parts: &Parts, claim: &Claim, body: ByteStream) -> Result<Verified, Refusal> {
        let caller = self.caller(claim)?;
        let body = body::collect(body, MAX_REQUEST).await?;
        let hash = hex_sha256(&body);
        let payload = match parts.headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok()) {
            Some("UNSIGNED-PAYLOAD") => "UNSIGNED-PAYLOAD",
            Some(named) if named != hash => return Err(body::BodyError::Hash.into()),
            _ => hash.as_str(),
        };
        claim.verify(parts, &caller.key, payload)?;
        Ok(Verified { caller, body })
    }

    async fn form(&self, parts: Parts, claim: &Claim, body: ByteStream, id: &str) -> Response<s3s::Body> {
        match self.verify(&parts, claim, body).await {
            Ok(Verified { caller, body }) => {
                query::answer(&parts, &body, &caller, &self.keys, self.clock.now(), id)
            }
            Err(refusal) => query::write_fault(&Fault::refused(&refusal, Family::Query), id),
        }
    }

    async fn operation(
        &self,
        target: &str,
        operation: &str,
        parts: &Parts,
        claim: &Claim,
        body: ByteStream,
        id: &str,
    ) -> Response<s3s::Body> {
        let encoding = Encoding::of(&parts.headers);
        let Verified { caller, body } = match self.verify(parts, claim, body).await {
            Ok(verified) => verified,
            Err(refusal) => return json::write_fault(&Fault::refused(&refusal, Family::Json), encoding),
        };
        let Some(table) = self.tables.iter().find(|table| table.target == target) else {
            return json::write_fault(&self.not_served(&claim.scope.service), encoding);
        };
        if table.service != claim.scope.service {
            let text = format!("the signature is for `{}`, not for `{}`", claim.scope.service, table.service);
            return json::write_fault(&Fault::bad("InvalidSignatureException", text), encoding);
        }
        let call = Call { caller, request_id: id.to_owned(), encoding };
        table.answer(operation, call, &body, &self.begun).await
    }

    fn not_served(&self, name: &str) -> Fault {
        let mut known = vec!["s3", "sts"];
        known.extend(self.tables.iter().map(|table| table.service));
        Fault::bad(
            "UnknownOperationException",
            format!("the service `{name}` is not served here; what is: {}", known.join(", ")),
        )
    }
}

fn whole(bytes: Bytes) -> ByteStream {
    use futures::StreamExt as _;
    futures::stream::once(async move { Ok(bytes) }).boxed()
}

fn write(fault: &Fault, family: Family, encoding: Encoding, id: &str) -> Response<s3s::Body> {
    match family {
        Family::S3 => s3::respond(fault),
        Family::Query => query::write_fault(fault, id),
        Family::Json => json::write_fault(fault, encoding),
    }
}

/// Verifies the signature of a request to S3 and gives its body as it was meant: unwrapped, its hash checked at the end.
fn verified_stream(
    parts: &Parts,
    claim: &Claim,
    caller: &Caller,
    body: ByteStream,
    trailers: &Trailers,
) -> Result<ByteStream, Refusal> {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let payload = match (header("x-amz-content-sha256"), claim.origin) {
        (Some(payload), Origin::Headers) => payload,
        (named, Origin::Query { .. }) => {
            // A presigned URL says nothing about the body; its sender may.
            claim.verify(parts, &caller.key, "UNSIGNED-PAYLOAD")?;
            return match named {
                None | Some("UNSIGNED-PAYLOAD") => Ok(body),
                Some(named) => match body::parse_sha256(named) {
                    Some(hash) => Ok(body::hashed(body, hash)),
                    None => Err(Refusal::Malformed(format!(
                        "`{named}` is no x-amz-content-sha256 for a presigned URL"
                    ))),
                },
            };
        }
        (None, Origin::Headers) => {
            return Err(Refusal::Malformed("the header x-amz-content-sha256 is missing".to_owned()));
        }
    };
    let proof = claim.verify(parts, &caller.key, payload)?;
    let (is_signed, has_trailer) = match payload {
        "UNSIGNED-PAYLOAD" => return Ok(body),
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => (true, false),
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => (true, true),
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => (false, true),
        other => {
            return match body::parse_sha256(other) {
                Some(hash) => Ok(body::hashed(body, hash)),
                None => Err(Refusal::Malformed(format!("`{other}` is no x-amz-content-sha256"))),
            };
        }
    };
    let length = header("x-amz-decoded-content-length").and_then(|length| length.parse::<u64>().ok());
    let length = length.ok_or_else(|| {
        Refusal::Malformed("a body in chunks needs the header x-amz-decoded-content-length".to_owned())
    })?;
    let signer = is_signed.then(|| proof.chunks(claim));
    Ok(decode_chunks(body, signer, has_trailer, length, trailers.clone()))
}

/// A new id in the form of a UUID.
fn request_id() -> String {
    let mut bytes = [0u8; 16];
    // Ids need not be secret, only different; without random bytes they are equal, which harms nobody.
    let _ = getrandom::fill(&mut bytes);
    let text = hex::encode(bytes);
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}
