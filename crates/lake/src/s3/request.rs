//! One signed request: building its URL, sending it, trying again where that is safe, and putting failures in words.

use super::S3Store;
use super::xml::Node;
use crate::object::{PutMode, PutOptions, bare_etag};
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use http::{HeaderMap, Method, StatusCode};
use model::{Error, ErrorKind, Place, Result};
use object_store::aws::AwsAuthorizer;
use object_store::client::{HttpErrorKind, HttpRequest, HttpResponse};
use std::fmt::Write as _;
use std::time::Duration;

const ATTEMPTS: u32 = 4;
/// Larger answers to anything but reading an object are no answers.
const MAX_DOCUMENT: usize = 64 << 20;

/// A request before it is signed.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// The remote bucket's name; none for the server itself.
    pub(super) bucket: Option<&'a str>,
    pub(super) key: &'a str,
    pub(super) query: Vec<(&'a str, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
    /// What errors name.
    pub(super) place: String,
    /// Whether repeating it does no harm.
    pub(super) repeatable: bool,
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, bucket: &'a str, key: &'a str, place: impl std::fmt::Display) -> Self {
        Self {
            method,
            bucket: Some(bucket),
            key,
            query: Vec::new(),
            headers: Vec::new(),
            body: Bytes::new(),
            place: place.to_string(),
            repeatable: true,
        }
    }

    #[must_use]
    pub(super) fn query(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    #[must_use]
    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub(super) fn body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }

    /// The condition under which a write goes through. A repeated one could meet its own success, so it is sent once.
    #[must_use]
    pub(super) fn mode(self, mode: &PutMode) -> Self {
        let mut call = match mode {
            PutMode::Overwrite => return self,
            PutMode::Create => self.header("if-none-match", "*"),
            PutMode::Match(etag) => self.header("if-match", format!("\"{}\"", bare_etag(etag))),
        };
        call.repeatable = false;
        call
    }

    /// What is kept with an object.
    #[must_use]
    pub(super) fn attributes(mut self, options: &PutOptions) -> Self {
        if let Some(content_type) = &options.content_type {
            self = self.header("content-type", content_type);
        }
        for (name, value) in &options.headers {
            self = self.header(name, value);
        }
        for (name, value) in &options.metadata {
            self = self.header(&format!("x-amz-meta-{name}"), value);
        }
        self
    }
}

/// Everything but the unreserved characters, and slashes where they separate.
pub(super) fn encode(text: &str, keep_slash: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'.' | b'~')
            || (keep_slash && byte == b'/')
        {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

impl S3Store {
    fn url(&self, call: &Call<'_>) -> String {
        let server = &self.inner;
        let mut url = match call.bucket {
            None => format!("{}://{}/", server.scheme, server.host),
            Some(bucket) if server.config.path_style || bucket.contains('.') => {
                format!("{}://{}/{bucket}/{}", server.scheme, server.host, encode(call.key, true))
            }
            Some(bucket) => {
                format!("{}://{bucket}.{}/{}", server.scheme, server.host, encode(call.key, true))
            }
        };
        for (at, (name, value)) in call.query.iter().enumerate() {
            let _ = write!(url, "{}{name}={}", if at == 0 { '?' } else { '&' }, encode(value, false));
        }
        url
    }

    fn signed(&self, call: &Call<'_>) -> Result<HttpRequest> {
        let mut builder = http::Request::builder().method(call.method.clone()).uri(self.url(call));
        for (name, value) in &call.headers {
            builder = builder.header(name.as_str(), value.as_bytes());
        }
        let mut request = builder.body(call.body.clone().into()).map_err(|e| {
            Error::invalid("this cannot be said in an HTTP request")
                .at(Place::object(&call.place))
                .why("a header or key holds characters that HTTP does not carry")
                .source_is(e)
        })?;
        let server = &self.inner;
        AwsAuthorizer::new(&server.credential, "s3", &server.config.region).authorize(&mut request, None);
        Ok(request)
    }

    /// Sends a request; any status but success is an error, except 304, which the caller asked for.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<HttpResponse> {
        let mut attempt = 1;
        loop {
            let last = attempt == ATTEMPTS;
            match self.inner.client.execute(self.signed(call)?).await {
                Ok(response)
                    if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED =>
                {
                    return Ok(response);
                }
                Ok(response) => {
                    let busy = response.status().is_server_error() || response.status() == 429;
                    if last || !busy || !call.repeatable {
                        return Err(self.refused(call, response).await);
                    }
                }
                Err(error) => {
                    let unsent = error.kind() == HttpErrorKind::Connect;
                    if last || !(call.repeatable || unsent) {
                        return Err(self.unreachable(call).source_is(error));
                    }
                }
            }
            pause(attempt).await;
            attempt += 1;
        }
    }

    /// Sends a request and reads the answer's XML, if it has any. An error may hide behind a success.
    pub(super) async fn document(&self, call: &Call<'_>) -> Result<(HeaderMap, Node)> {
        let (parts, body) = self.send(call).await?.into_parts();
        let bytes = collect(body.bytes_stream().map_err(|e| self.unreachable(call).source_is(e))).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok((parts.headers, Node::default()));
        }
        let node = Node::parse(&bytes).map_err(|why| {
            Error::unavailable(format!("`{}` gave an answer that is no XML", self.endpoint()))
                .at(Place::object(&call.place))
                .why(why)
        })?;
        if node.name == "Error" {
            return Err(self.in_words(call, StatusCode::INTERNAL_SERVER_ERROR, &node));
        }
        Ok((parts.headers, node))
    }

    fn endpoint(&self) -> String {
        format!("{}://{}", self.inner.scheme, self.inner.host)
    }

    pub(super) fn unreachable(&self, call: &Call<'_>) -> Error {
        Error::unavailable(format!("the S3 server `{}` does not answer", self.endpoint()))
            .at(Place::object(&call.place))
            .hint("check that the server runs and that the endpoint and network are right")
    }

    async fn refused(&self, call: &Call<'_>, response: HttpResponse) -> Error {
        let (parts, body) = response.into_parts();
        let bytes = collect(body.bytes_stream().map_err(|e| self.unreachable(call).source_is(e))).await;
        let node = bytes.ok().and_then(|bytes| Node::parse(&bytes).ok()).unwrap_or_default();
        self.in_words(call, parts.status, &node)
    }

    fn in_words(&self, call: &Call<'_>, status: StatusCode, answer: &Node) -> Error {
        let code = answer.text("Code");
        let said = match (code, answer.text("Message")) {
            ("", _) => format!("the server `{}` answered {status}", self.endpoint()),
            (code, message) => format!("the server `{}` answered {code}: {message}", self.endpoint()),
        };
        let bucket = call.bucket.unwrap_or_default();
        let create = call.headers.iter().any(|(name, value)| name == "if-none-match" && value == "*");
        let (kind, text) = match (status.as_u16(), code) {
            (_, "NoSuchBucket") => (ErrorKind::NotFound, format!("bucket `{bucket}` does not exist")),
            (_, "NoSuchUpload") => (ErrorKind::NotFound, "there is no such multipart upload".to_owned()),
            (_, "BucketAlreadyOwnedByYou" | "BucketAlreadyExists") => {
                (ErrorKind::AlreadyExists, format!("bucket `{bucket}` exists already"))
            }
            (_, "BucketNotEmpty") => (ErrorKind::Conflict, format!("bucket `{bucket}` is not empty")),
            (_, "SlowDown") => (ErrorKind::Unavailable, "the server is overloaded".to_owned()),
            (404, _) if call.key.is_empty() => {
                (ErrorKind::NotFound, format!("bucket `{bucket}` does not exist"))
            }
            (404, _) => (ErrorKind::NotFound, "there is no such object".to_owned()),
            (412, _) if create && call.method != Method::GET => {
                (ErrorKind::AlreadyExists, "the object exists already".to_owned())
            }
            (412, _) => (ErrorKind::PreconditionFailed, "the condition does not hold".to_owned()),
            (409, _) if create => (ErrorKind::AlreadyExists, "another writer was faster".to_owned()),
            (409, _) => (ErrorKind::Conflict, "another change is under way".to_owned()),
            (401 | 403, _) => (ErrorKind::Denied, "access is denied".to_owned()),
            (416, _) => (ErrorKind::InvalidInput, "the range lies outside of the object".to_owned()),
            (501, _) | (_, "NotImplemented") => {
                (ErrorKind::Unsupported, "the server cannot do this".to_owned())
            }
            (400..=499, _) => (ErrorKind::InvalidInput, "the server refused the request".to_owned()),
            _ => (ErrorKind::Unavailable, "the server failed".to_owned()),
        };
        let error = Error::new(kind, text).at(Place::object(&call.place)).why(said);
        match kind {
            ErrorKind::Denied => error.hint("check the access key, its secret and what it may do"),
            _ => error,
        }
    }
}

async fn collect(mut stream: impl futures::Stream<Item = Result<Bytes>> + Unpin) -> Result<Bytes> {
    let mut all = BytesMut::new();
    while let Some(piece) = stream.try_next().await? {
        if all.len() + piece.len() > MAX_DOCUMENT {
            return Err(Error::unavailable("the server's answer has no end"));
        }
        all.extend_from_slice(&piece);
    }
    Ok(all.freeze())
}

/// Waits a little longer each time. This is the wire's pace, not the product's time, so no clock is injected.
#[allow(clippy::disallowed_methods)]
async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(50 << (2 * attempt.min(4)))).await;
}
