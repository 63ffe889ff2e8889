//! Requests as parts of traces: one that brings a `traceparent` is a span under it, and what it starts is under that span.
//! What a job's script asks for is under the job's run, which the script's clients name by themselves
//! ([`jobs::script_run`]).

use crate::front::Front;
use crate::service::Service;
use crate::signature::Claim;
use http::request::Parts;
use http::{Request, Response, header};
use hyper::body::Incoming;
use state::TraceContext;
use state::trace;
use telemetry::OpenSpan;

impl Front {
    /// Answers a request, as a part of the trace that it belongs to. Its span ends when the answer begins.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<s3s::Body> {
        if !self.tracer.is_on() {
            return self.handle(request).await;
        }
        let (parts, body) = request.into_parts();
        let span = self.span(&parts);
        let under = match &span {
            Some(span) => Some(span.context()),
            None => self.of_script(&parts),
        };
        let response = trace::within(under, self.handle(Request::from_parts(parts, body))).await;
        if let Some(mut span) = span {
            span.answered(response.status());
        }
        response
    }

    fn span(&self, parts: &Parts) -> Option<OpenSpan> {
        let Parts { method, uri, version, headers, .. } = parts;
        let mut span = self.tracer.request("aws", method, uri, *version, headers)?;
        let claim = Claim::read(parts).ok().flatten();
        match Service::of(parts, claim.as_ref()) {
            Service::S3 => span.called("s3", None),
            Service::Query => span.called("sts", None),
            Service::Json { target, operation } => {
                // Only what is known: whatever a client writes would be a name of its own.
                if let Some(table) = self.tables.iter().find(|table| table.target == target) {
                    span.called(table.service, Some(operation.as_str()).filter(|name| table.serves(name)));
                }
            }
            Service::Other(_) => {}
        }
        Some(span)
    }

    fn of_script(&self, parts: &Parts) -> Option<TraceContext> {
        let agent = parts.headers.get(header::USER_AGENT)?.to_str().ok()?;
        self.runs.trace_of(&jobs::script_run(agent)?)
    }
}
