//! OTLP's requests: spans and figures as its messages, with the numbers and names of `opentelemetry.proto`, version 1.

use crate::figures::{BOUNDS, Family, Figure, Kind, Point, Since, Spread};
use crate::options::Protocol;
use crate::span::{Attributes, Failure, Span, SpanKind, Value};
use crate::wire::{Found, Message, fields};
use chrono::{DateTime, Utc};
use serde_json::Value as Json;

/// `SPAN_KIND_INTERNAL`
const INTERNAL: u32 = 1;
/// `SPAN_KIND_SERVER`
const SERVER: u32 = 2;
/// `STATUS_CODE_ERROR`
const ERROR: u32 = 2;
/// `AGGREGATION_TEMPORALITY_CUMULATIVE`
const CUMULATIVE: u32 = 2;

/// Who tells: the attributes of the resource, made a message once.
#[derive(Debug, Clone)]
pub(crate) struct Teller {
    resource: Message,
    scope: Message,
}

impl Teller {
    pub(crate) fn new(resource: &[(String, String)], version: &str) -> Self {
        let attributes =
            resource.iter().map(|(name, text)| attribute(name, &Value::Text(text.clone()))).collect();
        Self {
            resource: Message::default().many(1, "attributes", attributes),
            scope: Message::default().text(1, "name", "glulam").text(2, "version", version),
        }
    }

    /// `ExportTraceServiceRequest`
    pub(crate) fn traces(&self, spans: &[Span]) -> Message {
        let scoped = Message::default().one(1, "scope", self.scope.clone()).many(
            2,
            "spans",
            spans.iter().map(span).collect(),
        );
        let resource =
            Message::default().one(1, "resource", self.resource.clone()).many(2, "scopeSpans", vec![scoped]);
        Message::default().many(1, "resourceSpans", vec![resource])
    }

    /// `ExportMetricsServiceRequest`, of counters that began at `start`. Families without points are not told.
    pub(crate) fn metrics(&self, families: &[Family], start: DateTime<Utc>, now: DateTime<Utc>) -> Message {
        let told = families.iter().filter(|family| !family.points.is_empty());
        let metrics = told.map(|family| metric(family, start, now)).collect();
        let scoped = Message::default().one(1, "scope", self.scope.clone()).many(2, "metrics", metrics);
        let resource = Message::default().one(1, "resource", self.resource.clone()).many(
            2,
            "scopeMetrics",
            vec![scoped],
        );
        Message::default().many(1, "resourceMetrics", vec![resource])
    }
}

fn nanos(time: DateTime<Utc>) -> u64 {
    time.timestamp_nanos_opt().and_then(|nanos| u64::try_from(nanos).ok()).unwrap_or_default()
}

fn attribute(name: &str, value: &Value) -> Message {
    let value = match value {
        Value::Text(text) => Message::default().chosen_text(1, "stringValue", text.as_str()),
        Value::Switch(switch) => Message::default().switch(2, "boolValue", *switch),
        Value::Whole(number) => Message::default().whole(3, "intValue", *number),
        Value::Real(number) => Message::default().real(4, "doubleValue", *number),
    };
    Message::default().text(1, "key", name).one(2, "value", value)
}

fn attributes(attributes: &Attributes) -> Vec<Message> {
    attributes.iter().map(|(name, value)| attribute(name, value)).collect()
}

fn span(span: &Span) -> Message {
    let kind = match span.kind {
        SpanKind::Internal => INTERNAL,
        SpanKind::Server => SERVER,
    };
    let mut message = Message::default().id(1, "traceId", &span.trace).id(2, "spanId", &span.id);
    if let Some(parent) = &span.parent {
        message = message.id(4, "parentSpanId", parent);
    }
    message = message
        .text(5, "name", span.name.as_str())
        .choice(6, "kind", kind)
        .fixed(7, "startTimeUnixNano", nanos(span.start))
        .fixed(8, "endTimeUnixNano", nanos(span.end))
        .many(9, "attributes", attributes(&span.attributes));
    match &span.failure {
        None => message,
        Some(failure) => {
            let status =
                Message::default().text(2, "message", failure.what.as_str()).choice(3, "code", ERROR);
            message.many(11, "events", vec![exception(failure, span.end)]).one(15, "status", status)
        }
    }
}

/// The failure as the event that conventions name for failures; the whole of it, with excerpt and hints, stands where
/// others put a stack.
fn exception(failure: &Failure, at: DateTime<Utc>) -> Message {
    let text = |name: &str, text: String| attribute(name, &Value::Text(text));
    let told = vec![
        text("exception.type", failure.kind.clone()),
        text("exception.message", failure.what.clone()),
        text("exception.stacktrace", failure.whole.clone()),
    ];
    Message::default().fixed(1, "timeUnixNano", nanos(at)).text(2, "name", "exception").many(
        3,
        "attributes",
        told,
    )
}

fn metric(family: &Family, start: DateTime<Utc>, now: DateTime<Utc>) -> Message {
    let is_gauge = family.kind == Kind::Gauge;
    let points = family.points.iter().map(|point| match &point.figure {
        Figure::Spread(spread) => spread_point(point, spread, start, now),
        figure => number_point(point, figure, is_gauge, start, now),
    });
    let data = Message::default().many(1, "dataPoints", points.collect());
    let message = Message::default().text(1, "name", family.name).text(2, "description", family.help).text(
        3,
        "unit",
        family.unit,
    );
    match family.kind {
        Kind::Gauge => message.one(5, "gauge", data),
        Kind::Counter => {
            let data = data.choice(2, "aggregationTemporality", CUMULATIVE).switch(3, "isMonotonic", true);
            message.one(7, "sum", data)
        }
        Kind::Histogram => message.one(9, "histogram", data.choice(2, "aggregationTemporality", CUMULATIVE)),
    }
}

fn labels(point: &Point) -> Vec<Message> {
    point.labels.iter().map(|(name, text)| attribute(name, &Value::Text(text.clone()))).collect()
}

/// The start of a point's count, unless it is not known.
fn begun(message: Message, point: &Point, start: DateTime<Utc>) -> Message {
    let start = match point.since {
        Since::Server => start,
        Since::Time(time) => time,
        Since::Before => return message,
    };
    message.fixed(2, "startTimeUnixNano", nanos(start))
}

fn number_point(
    point: &Point,
    figure: &Figure,
    is_gauge: bool,
    start: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Message {
    let mut message = Message::default().many(7, "attributes", labels(point));
    if !is_gauge {
        message = begun(message, point, start);
    }
    message = message.fixed(3, "timeUnixNano", nanos(now));
    match figure {
        Figure::Whole(value) => message.signed_fixed(6, "asInt", i64::try_from(*value).unwrap_or(i64::MAX)),
        Figure::Real(value) => message.real(4, "asDouble", *value),
        Figure::Spread(_) => message,
    }
}

fn spread_point(point: &Point, spread: &Spread, start: DateTime<Utc>, now: DateTime<Utc>) -> Message {
    begun(Message::default().many(9, "attributes", labels(point)), point, start)
        .fixed(3, "timeUnixNano", nanos(now))
        .fixed(4, "count", spread.count())
        .real(5, "sum", spread.sum)
        .fixed_list(6, "bucketCounts", spread.buckets.to_vec())
        .real_list(7, "explicitBounds", BOUNDS.to_vec())
}

/// What a collector said of a request that it took in part.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Partly {
    /// How many spans or points it did not take.
    pub(crate) rejected: u64,
    /// Why, or what else it has to say.
    pub(crate) message: String,
}

/// Reads an answer, `Export…ServiceResponse`. Nothing is what most collectors say.
pub(crate) fn read_answer(protocol: Protocol, body: &[u8]) -> Option<Partly> {
    let partly = match protocol {
        Protocol::Protobuf => from_protobuf(body)?,
        Protocol::Json => from_json(body)?,
    };
    (partly != Partly::default()).then_some(partly)
}

fn from_protobuf(body: &[u8]) -> Option<Partly> {
    let mut partly = Partly::default();
    for (number, found) in fields(body)? {
        let (1, Found::Bytes(inner)) = (number, found) else { continue };
        for field in fields(inner)? {
            match field {
                (1, Found::Whole(rejected)) => partly.rejected = rejected,
                (2, Found::Bytes(message)) => partly.message = String::from_utf8_lossy(message).into_owned(),
                _ => {}
            }
        }
    }
    Some(partly)
}

fn from_json(body: &[u8]) -> Option<Partly> {
    let answer: Json = serde_json::from_slice(body).ok()?;
    let said = answer.get("partialSuccess")?;
    let count = |name: &str| {
        let value = said.get(name)?;
        // Numbers of 64 bits are texts, but not all write them so.
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    };
    let rejected = count("rejectedSpans").or_else(|| count("rejectedDataPoints")).unwrap_or_default();
    let message = said.get("errorMessage").and_then(Json::as_str).unwrap_or_default().to_owned();
    Some(Partly { rejected, message })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Error;
    use serde_json::json;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn teller() -> Teller {
        Teller::new(&[("service.name".to_owned(), "glulam".to_owned())], "1")
    }

    #[test]
    fn a_failed_span_is_a_message() {
        let diagnosis = Error::not_found("there is no table `t`").hint("did you mean `u`?").diagnosis();
        let failed = Span {
            trace: [0xab; 16],
            id: [1; 8],
            parent: Some([2; 8]),
            name: "query SELECT".to_owned(),
            kind: SpanKind::Server,
            start: at(1),
            end: at(2),
            attributes: vec![
                ("n".to_owned(), Value::Whole(-1)),
                ("x".to_owned(), Value::Real(0.5)),
                ("b".to_owned(), true.into()),
            ],
            failure: Some(Failure::of(&diagnosis)),
        };
        let text = |key: &str, text: &str| json!({ "key": key, "value": { "stringValue": text } });
        let expected = json!({ "resourceSpans": [{
            "resource": { "attributes": [text("service.name", "glulam")] },
            "scopeSpans": [{ "scope": { "name": "glulam", "version": "1" }, "spans": [{
                "traceId": "abababababababababababababababab", "spanId": "0101010101010101",
                "parentSpanId": "0202020202020202", "name": "query SELECT", "kind": 2,
                "startTimeUnixNano": "1000000000", "endTimeUnixNano": "2000000000",
                "attributes": [{ "key": "n", "value": { "intValue": "-1" } },
                               { "key": "x", "value": { "doubleValue": 0.5 } },
                               { "key": "b", "value": { "boolValue": true } }],
                "events": [{ "timeUnixNano": "2000000000", "name": "exception", "attributes": [
                    text("exception.type", "not_found"), text("exception.message", "there is no table `t`"),
                    text("exception.stacktrace", "there is no table `t`\nhelp: did you mean `u`?")] }],
                "status": { "message": "there is no table `t`", "code": 2 }
            }] }]
        }] });
        assert_eq!(teller().traces(&[failed]).to_json(), expected);
    }

    #[test]
    fn figures_are_sums_gauges_and_histograms() {
        let mut spread = Spread { sum: 2.5, ..Spread::default() };
        spread.buckets[3] = 1;
        let families = [
            Family::new(
                "glulam.a",
                "{row}",
                Kind::Counter,
                "a",
                vec![
                    Point::whole(&[("k", "v")], 1),
                    Point::whole(&[], 2).kept(),
                    Point::whole(&[], 3).since(at(5)),
                ],
            ),
            Family::new("glulam.b", "s", Kind::Gauge, "b", vec![Point::real(&[], 0.5)]),
            Family::new("glulam.none", "s", Kind::Gauge, "none", Vec::new()),
            Family::new(
                "glulam.c",
                "s",
                Kind::Histogram,
                "c",
                vec![Point { labels: Vec::new(), figure: Figure::Spread(spread), since: Since::Server }],
            ),
        ];
        let told = teller().metrics(&families, at(1), at(9)).to_json();
        let metrics = &told["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
        let (began, now) = ("1000000000", "9000000000");
        assert_eq!(
            metrics[0],
            json!({ "name": "glulam.a", "description": "a", "unit": "{row}", "sum": {
                "dataPoints": [
                    { "attributes": [{ "key": "k", "value": { "stringValue": "v" } }],
                      "startTimeUnixNano": began, "timeUnixNano": now, "asInt": "1" },
                    { "timeUnixNano": now, "asInt": "2" },
                    { "startTimeUnixNano": "5000000000", "timeUnixNano": now, "asInt": "3" }],
                "aggregationTemporality": 2, "isMonotonic": true } })
        );
        assert_eq!(metrics[1]["gauge"], json!({ "dataPoints": [{ "timeUnixNano": now, "asDouble": 0.5 }] }));
        let point = &metrics[2]["histogram"]["dataPoints"][0];
        assert_eq!((&point["count"], &point["sum"]), (&json!("1"), &json!(2.5)));
        let (buckets, bounds) = (point["bucketCounts"].as_array(), point["explicitBounds"].as_array());
        assert_eq!((buckets.unwrap().len(), bounds.unwrap().len()), (13, 12));
        assert_eq!(metrics.as_array().unwrap().len(), 3);
    }

    #[test]
    fn answers_are_read_in_both_encodings() {
        let partial = Message::default().whole(1, "rejectedSpans", 3).text(2, "errorMessage", "too old");
        let answer = Message::default().one(1, "partialSuccess", partial);
        let expected = Some(Partly { rejected: 3, message: "too old".to_owned() });
        assert_eq!(read_answer(Protocol::Protobuf, &answer.to_protobuf()), expected);
        assert_eq!(read_answer(Protocol::Json, answer.to_json().to_string().as_bytes()), expected);
        let number = br#"{"partialSuccess":{"rejectedDataPoints":3,"errorMessage":"too old"}}"#;
        assert_eq!(read_answer(Protocol::Json, number), expected);
        for nothing in [&b""[..], b"{}", b"<html>", b"{\"partialSuccess\":{}}"] {
            assert_eq!(read_answer(Protocol::Json, nothing), None);
        }
        assert_eq!(read_answer(Protocol::Protobuf, b""), None);
        assert_eq!(read_answer(Protocol::Protobuf, b"\x0a\x00"), None);
        assert_eq!(read_answer(Protocol::Protobuf, b"<html>"), None);
    }
}
