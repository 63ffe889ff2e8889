//! Requests over HTTP as spans, by OpenTelemetry's conventions: those that bring a `traceparent`. Others begin no traces:
//! what they start does, if it is worth one.

use crate::span::{Failure, SpanKind, short};
use crate::tracer::{OpenSpan, Tracer};
use http::{HeaderMap, Method, StatusCode, Uri, Version, header};
use state::TraceContext;

/// The header.
const TRACEPARENT: &str = "traceparent";

impl Tracer {
    /// The span of a request that belongs to a trace; none for one that does not, or where no spans are sent. What is
    /// not as W3C's document wants it is taken for nothing, and so is a header that comes twice.
    pub fn request(
        &self,
        door: &'static str,
        method: &Method,
        uri: &Uri,
        version: Version,
        headers: &HeaderMap,
    ) -> Option<OpenSpan> {
        if !self.is_on() {
            return None;
        }
        let under = follows(headers)?;
        let mut span = self.begin(method.to_string(), SpanKind::Server, Some(under))?;
        span.set("glulam.door", door);
        span.set("http.request.method", method.as_str());
        span.set("url.path", short(uri.path()));
        span.set("url.scheme", "http");
        let version = match version {
            Version::HTTP_09 => "0.9",
            Version::HTTP_10 => "1.0",
            Version::HTTP_2 => "2",
            Version::HTTP_3 => "3",
            _ => "1.1",
        };
        span.set("network.protocol.version", version);
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(header::HOST).or_else(|| uri.authority().map(|authority| authority.as_str()));
        if let Some(host) = host.and_then(|host| host.parse::<http::uri::Authority>().ok()) {
            span.set("server.address", host.host());
            if let Some(port) = host.port_u16() {
                span.set("server.port", u64::from(port));
            }
        }
        if let Some(agent) = text(header::USER_AGENT) {
            span.set("user_agent.original", short(agent));
        }
        Some(span)
    }
}

impl OpenSpan {
    /// Under what route the request was answered.
    pub fn routed(&mut self, method: &Method, route: &str) {
        self.rename(format!("{method} {route}"));
        self.set("http.route", route);
    }

    /// Which operation of which service of AWS's the request is.
    pub fn called(&mut self, service: &str, operation: Option<&str>) {
        self.set("rpc.system", "aws-api");
        self.set("rpc.service", service);
        if let Some(operation) = operation {
            self.set("rpc.method", operation);
            self.rename(format!("{service}.{operation}"));
        }
    }

    /// The answer begins. That a request was wrong is no failure of the server's.
    pub fn answered(&mut self, status: StatusCode) {
        self.set("http.response.status_code", u64::from(status.as_u16()));
        if status.is_server_error() {
            let what = status.to_string();
            self.fail(Failure { kind: status.as_str().to_owned(), whole: what.clone(), what });
        }
    }
}

/// To what a request says that it belongs.
fn follows(headers: &HeaderMap) -> Option<TraceContext> {
    let mut all = headers.get_all(TRACEPARENT).iter();
    match (all.next(), all.next()) {
        (Some(one), None) => TraceContext::read(one.to_str().ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_header_counts_and_two_are_none() {
        let value = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let mut headers = HeaderMap::new();
        assert_eq!(follows(&headers), None);
        headers.append(TRACEPARENT, value.parse().unwrap());
        assert_eq!(follows(&headers), TraceContext::read(value));
        headers.append(TRACEPARENT, value.parse().unwrap());
        assert_eq!(follows(&headers), None);
    }
}
