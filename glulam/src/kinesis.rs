//! Sends events to a stream at any endpoint of Kinesis, as Amazon's own clients do: signed requests, and again what was
//! refused for the moment.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::Duration as Span;
use generate::{StreamEvent, StreamTarget};
use http::StatusCode;
use http_body_util::BodyExt as _;
use model::{Error, ErrorKind, Result};
use object_store::ClientOptions;
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::{HttpClient, HttpConnector as _, HttpRequest, ReqwestConnector};
use serde::Deserialize;
use serde_json::json;
use state::Clock;
use std::time::Duration;

/// How often a request, or a record of it, is sent at most.
const ATTEMPTS: u32 = 10;
/// How long the first pause is; each is twice as long as the one before.
const FIRST_PAUSE: Span = Span::milliseconds(50);
/// No pause is longer.
const LONGEST_PAUSE: Span = Span::seconds(5);
/// How long a request may take where the task does not say.
const USUAL_TIMEOUT: Duration = Duration::from_secs(60);

/// A stream over there.
pub(crate) struct RemoteStream {
    client: HttpClient,
    credential: AwsCredential,
    endpoint: String,
    target: StreamTarget,
    clock: Clock,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutAnswer {
    records: Vec<PutResult>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutResult {
    error_code: Option<String>,
    error_message: Option<String>,
}

/// What a request has come to.
enum Sent {
    /// Which of its records were refused for the moment, and why.
    Answered(Vec<usize>, Option<String>),
    /// It was refused for the moment.
    Busy(String),
}

impl RemoteStream {
    /// The stream of a task that names an endpoint. Who signs is said by the task, or by the variables that Amazon's
    /// clients read; on this machine the well-known key does.
    pub(crate) fn open(target: StreamTarget, endpoint: &str, clock: Clock) -> Result<Self> {
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        let Some(("http" | "https", host)) = endpoint.split_once("://").filter(|(_, host)| !host.is_empty())
        else {
            return Err(Error::invalid(format!("`stream.endpoint` is `{endpoint}`, which is no endpoint"))
                .hint("write http://host:port or https://kinesis.REGION.amazonaws.com"));
        };
        let is_here = ["127.0.0.1", "localhost", "[::1]"]
            .iter()
            .any(|name| host.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')));
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let credential = match (&target.key, variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"))
        {
            (Some(key), _, _) => {
                AwsCredential { key_id: key.id.clone(), secret_key: key.secret.clone(), token: None }
            }
            (None, Some(key_id), Some(secret_key)) => {
                AwsCredential { key_id, secret_key, token: variable("AWS_SESSION_TOKEN") }
            }
            _ if is_here => {
                AwsCredential { key_id: "glulam".into(), secret_key: "glulam".into(), token: None }
            }
            _ => {
                return Err(Error::invalid(format!("nobody signs requests to {endpoint}"))
                    .hint("give `auth` with accessKeyId and secretKey in the task")
                    .hint("or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"));
            }
        };
        let options = ClientOptions::new()
            .with_allow_http(true)
            .with_connect_timeout(Duration::from_secs(10))
            .with_timeout(target.timeout_millis.map_or(USUAL_TIMEOUT, Duration::from_millis));
        let client = ReqwestConnector::default()
            .connect(&options)
            .map_err(|e| Error::unavailable("cannot set up the HTTP client").source_is(e))?;
        Ok(Self { client, credential, endpoint, target, clock })
    }

    /// Puts events; returns once all of them are stored.
    pub(crate) async fn put(&self, mut events: Vec<StreamEvent>) -> Result<()> {
        let mut pause = FIRST_PAUSE;
        for attempt in 1..=ATTEMPTS {
            let why = match self.send(&events).await? {
                Sent::Answered(refused, _) if refused.is_empty() => return Ok(()),
                Sent::Answered(refused, why) => {
                    let mut at = 0..;
                    events.retain(|_| at.next().is_some_and(|at| refused.contains(&at)));
                    why
                }
                Sent::Busy(why) => Some(why),
            };
            if attempt == ATTEMPTS {
                let name = &self.target.name;
                return Err(Error::unavailable(format!(
                    "{} events could not be stored in the stream `{name}` in {ATTEMPTS} attempts",
                    events.len()
                ))
                .why(why.unwrap_or_default())
                .hint("give the stream more shards, or send slower"));
            }
            self.clock.sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(())
    }

    fn request(&self, events: &[StreamEvent]) -> Result<HttpRequest> {
        let record =
            |event: &StreamEvent| json!({ "Data": STANDARD.encode(&event.data), "PartitionKey": event.key });
        let records: Vec<_> = events.iter().map(record).collect();
        let body = json!({ "StreamName": self.target.name, "Records": records }).to_string();
        let mut request = http::Request::post(format!("{}/", self.endpoint))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", "Kinesis_20131202.PutRecords")
            .body(Bytes::from(body).into())
            .map_err(|e| Error::invalid("`stream.endpoint` is no address").source_is(e))?;
        AwsAuthorizer::new(&self.credential, "kinesis", &self.target.region).authorize(&mut request, None);
        Ok(request)
    }

    async fn send(&self, events: &[StreamEvent]) -> Result<Sent> {
        let unreadable =
            || Error::unavailable(format!("{} gave an answer that cannot be read", self.endpoint));
        let response = match self.client.execute(self.request(events)?).await {
            Ok(response) => response,
            Err(error) => return Ok(Sent::Busy(format!("{} does not answer: {error}", self.endpoint))),
        };
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|e| unreadable().source_is(e))?.to_bytes();
        if !status.is_success() {
            return self.refused(status, &body);
        }
        let answer: PutAnswer = serde_json::from_slice(&body).map_err(|e| unreadable().source_is(e))?;
        let mut why = None;
        let mut refused = Vec::new();
        for (at, result) in answer.records.into_iter().enumerate() {
            if let Some(code) = result.error_code {
                refused.push(at);
                why = Some(format!("{code}: {}", result.error_message.unwrap_or_default()));
            }
        }
        Ok(Sent::Answered(refused, why))
    }

    /// A request that failed as a whole: for the moment, or for good.
    fn refused(&self, status: StatusCode, body: &[u8]) -> Result<Sent> {
        let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let member = |names: [&str; 2]| {
            names.iter().find_map(|name| value.get(name)).and_then(|text| text.as_str()).unwrap_or_default()
        };
        let code = member(["__type", "code"]).rsplit('#').next().unwrap_or_default().to_owned();
        let text = format!("{code}: {}", member(["message", "Message"]));
        let is_limit = ["Throughput", "Throttl", "LimitExceeded"].iter().any(|part| code.contains(part));
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || is_limit {
            return Ok(Sent::Busy(format!("{status} {text}")));
        }
        let kind = match code.as_str() {
            "ResourceNotFoundException" => ErrorKind::NotFound,
            "AccessDeniedException" | "UnrecognizedClientException" | "InvalidSignatureException" => {
                ErrorKind::Denied
            }
            _ => ErrorKind::InvalidInput,
        };
        let name = &self.target.name;
        Err(Error::new(kind, format!("{} does not take events for the stream `{name}`", self.endpoint))
            .why(text))
    }
}
