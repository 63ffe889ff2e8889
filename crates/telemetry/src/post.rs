//! Sends a request to a collector and says what became of it. A connection lives for one request: seconds lie between two,
//! and one that is kept open may be dead.

use crate::options::{Protocol, Target};
use crate::otlp::{Partly, read_answer};
use crate::wire::{Found, Message, fields};
use bytes::Bytes;
use chrono::{DateTime, Duration};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use model::{Error, ErrorKind};
use serde_json::Value as Json;
use state::Clock;
use std::io::Write;
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;

/// More than that of an answer is not read.
const LONGEST_ANSWER: usize = 64 << 10;
/// So many characters of what a collector says are told.
const LONGEST_WORDS: usize = 300;
/// Longer than that nobody is made to wait by a `Retry-After`.
const LONGEST_WAIT: Duration = Duration::hours(1);

/// What became of a request.
pub(crate) enum Sent {
    /// It was taken, perhaps in part.
    Taken(Option<Partly>),
    /// The collector is not reached.
    Unreached(Error),
    /// It is to come again, perhaps not before some time.
    Later(Error, Option<Duration>),
    /// It will never be taken.
    Refused(Error),
}

/// A collector, for one signal.
pub(crate) struct Post {
    target: Target,
    clock: Clock,
    agent: String,
}

impl Post {
    pub(crate) fn new(target: Target, clock: Clock, version: &str) -> Self {
        Self { target, clock, agent: format!("glulam/{version}") }
    }

    /// A request's body, to be sent as often as it takes.
    pub(crate) fn body(&self, message: &Message) -> Bytes {
        let plain = match self.target.protocol {
            Protocol::Protobuf => message.to_protobuf(),
            Protocol::Json => message.to_json().to_string().into_bytes(),
        };
        if !self.target.gzip {
            return plain.into();
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        // Writing to memory does not fail.
        let _ = encoder.write_all(&plain);
        encoder.finish().unwrap_or_default().into()
    }

    /// Sends a body.
    pub(crate) async fn send(&self, body: Bytes) -> Sent {
        tokio::select! {
            sent = self.exchange(body) => sent,
            () = self.clock.sleep(self.target.timeout) => {
                let millis = self.target.timeout.num_milliseconds();
                Sent::Later(
                    Error::new(ErrorKind::Timeout, format!("there was no answer within {millis} ms"))
                        .hint("OTEL_EXPORTER_OTLP_TIMEOUT gives it more time"),
                    None,
                )
            }
        }
    }

    async fn exchange(&self, body: Bytes) -> Sent {
        let mut sender = match self.connect().await {
            Ok(sender) => sender,
            Err(error) => return Sent::Unreached(error),
        };
        let request = match self.request(body) {
            Ok(request) => request,
            Err(error) => return Sent::Refused(error),
        };
        let response = match sender.send_request(request).await {
            Ok(response) => response,
            Err(e) if e.is_parse() => {
                return Sent::Unreached(
                    Error::unavailable("what listens there does not speak HTTP/1.1")
                        .hint("collectors take HTTP on port 4318; 4317 is gRPC's")
                        .source_is(e),
                );
            }
            Err(e) => {
                return Sent::Unreached(Error::unavailable(format!("it ended before it answered ({e})")));
            }
        };
        let (head, body) = response.into_parts();
        let body = match Limited::new(body, LONGEST_ANSWER).collect().await {
            Ok(body) => body.to_bytes(),
            // What it said does not matter where the status says enough.
            Err(_) => Bytes::new(),
        };
        self.judged(head.status, &head.headers, &body)
    }

    fn judged(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Sent {
        if status.is_success() {
            return Sent::Taken(read_answer(self.target.protocol, body));
        }
        let said = words(body).map_or_else(String::new, |words| format!(": {words}"));
        let error = |kind| Error::new(kind, format!("the collector answers {status}{said}"));
        match status.as_u16() {
            429 | 502 | 503 | 504 => {
                Sent::Later(error(ErrorKind::Unavailable), retry_after(headers, &self.clock))
            }
            401 | 403 => Sent::Refused(
                error(ErrorKind::Denied).hint("OTEL_EXPORTER_OTLP_HEADERS holds what collectors want to be shown"),
            ),
            404 | 405 => Sent::Refused(error(ErrorKind::InvalidInput).hint(
                "to OTEL_EXPORTER_OTLP_ENDPOINT the signal's path is appended, to OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and \
                 OTEL_EXPORTER_OTLP_METRICS_ENDPOINT nothing",
            )),
            413 => Sent::Refused(
                error(ErrorKind::InvalidInput).hint("OTEL_BSP_MAX_EXPORT_BATCH_SIZE makes requests smaller"),
            ),
            415 => Sent::Refused(
                error(ErrorKind::InvalidInput)
                    .hint("OTEL_EXPORTER_OTLP_PROTOCOL is `http/protobuf` or `http/json`, OTEL_EXPORTER_OTLP_COMPRESSION `gzip` or `none`"),
            ),
            300..=399 => Sent::Refused(
                error(ErrorKind::InvalidInput).hint("it is not followed elsewhere: name the place where it leads to"),
            ),
            _ => Sent::Refused(error(ErrorKind::InvalidInput)),
        }
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Error> {
        let address = &self.target.address;
        let cannot = |e: std::io::Error| {
            Error::unavailable(e.to_string())
                .hint("start it, or name another one in OTEL_EXPORTER_OTLP_ENDPOINT")
                .source_is(e)
        };
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await.map_err(cannot)?;
        stream.set_nodelay(true).map_err(cannot)?;
        let Some(connector) = self.target.tls.connector() else {
            let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(no_http)?;
            tokio::spawn(connection);
            return Ok(sender);
        };
        let name = ServerName::try_from(address.host.clone())
            .map_err(|e| Error::invalid(format!("`{}` is no host", address.host)).source_is(e))?;
        let stream = connector.connect(name, stream).await.map_err(|e| {
            Error::unavailable(format!("no encryption was agreed upon: {e}"))
                .hint("OTEL_EXPORTER_OTLP_CERTIFICATE names a file with the certificates to be trusted")
                .source_is(e)
        })?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(no_http)?;
        tokio::spawn(connection);
        Ok(sender)
    }

    fn request(&self, body: Bytes) -> Result<Request<Full<Bytes>>, Error> {
        let target = &self.target;
        let mut request = Request::post(target.address.path.as_str())
            .body(Full::new(body))
            .map_err(|e| Error::internal("a request cannot be built").source_is(e))?;
        let headers = request.headers_mut();
        headers.extend(target.headers.clone());
        let kind = match target.protocol {
            Protocol::Protobuf => "application/x-protobuf",
            Protocol::Json => "application/json",
        };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if target.gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        for (name, text) in
            [(header::HOST, target.address.authority()), (header::USER_AGENT, self.agent.clone())]
        {
            let value = text.parse().map_err(|_| Error::internal("a header cannot be written"))?;
            headers.insert(name, value);
        }
        Ok(request)
    }
}

fn no_http(error: hyper::Error) -> Error {
    Error::unavailable("what listens there does not answer").source_is(error)
}

/// How long it is to wait: seconds, or a date.
fn retry_after(headers: &HeaderMap, clock: &Clock) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u32>() {
        Ok(seconds) => Duration::seconds(i64::from(seconds)),
        Err(_) => DateTime::parse_from_rfc2822(text).ok()?.to_utc() - clock.now(),
    };
    Some(wait.clamp(Duration::zero(), LONGEST_WAIT))
}

/// What a collector says of a failure: the message of a `Status` in either encoding, or a line of text.
fn words(body: &[u8]) -> Option<String> {
    let from_json = || {
        let status: Json = serde_json::from_slice(body).ok()?;
        Some(status.get("message")?.as_str()?.to_owned())
    };
    let from_status = || {
        let found = fields(body)?.into_iter().find_map(|field| match field {
            (2, Found::Bytes(message)) => Some(message.to_vec()),
            _ => None,
        })?;
        String::from_utf8(found).ok()
    };
    let plain = || std::str::from_utf8(body).ok().map(str::to_owned);
    let said = from_json().or_else(from_status).or_else(plain)?;
    let line: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).take(LONGEST_WORDS).collect();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_says_when_to_come_again() {
        let (clock, _hand) = Clock::manual("2026-03-02T08:00:00Z".parse().unwrap());
        let wait = |text: &str| {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, text.parse().unwrap())]);
            retry_after(&headers, &clock).map(|wait| wait.num_seconds())
        };
        assert_eq!(wait("7"), Some(7));
        assert_eq!(wait("Mon, 02 Mar 2026 08:01:00 GMT"), Some(60));
        // A date that has gone by, one that is far off, and nonsense.
        assert_eq!(wait("Mon, 02 Mar 2026 07:00:00 GMT"), Some(0));
        assert_eq!(wait("4000000"), Some(3600));
        assert_eq!(wait("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), &clock), None);
    }

    #[test]
    fn what_a_collector_says_is_one_line() {
        let status = Message::default().whole(1, "code", 3).text(2, "message", "bad\nspan").to_protobuf();
        assert_eq!(words(&status), Some("bad span".to_owned()));
        assert_eq!(words(br#"{"code":3,"message":"bad span"}"#), Some("bad span".to_owned()));
        assert_eq!(words(b"  no such\n place "), Some("no such place".to_owned()));
        assert_eq!(words(b""), None);
        assert_eq!(words(&[0xff, 0xfe]), None);
        assert_eq!(words("x".repeat(1000).as_bytes()).map(|line| line.len()), Some(LONGEST_WORDS));
    }
}
