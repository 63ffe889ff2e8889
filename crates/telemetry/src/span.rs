//! What a run looks like as spans: one for the run, from when it was accepted to its end, and one for each part of it whose
//! times are known.

use crate::ids::part_id;
use crate::statement;
use chrono::{DateTime, Duration, Utc};
use model::{Diagnosis, ErrorKind, Outcome, RunState};
use serde_json::Value as Json;
use state::TraceContext;
use state::runs::Run;

/// So many characters of a query are told, and of what went wrong.
const LONGEST_TEXT: usize = 4096;
/// So many figures of a run are told; there are seldom more than twenty.
const MOST_FIGURES: usize = 64;
/// The kind of runs that queries are.
const QUERY: &str = "query";

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// Any number.
    Real(f64),
    /// Yes or no.
    Switch(bool),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        whole(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<bool> for Value {
    fn from(switch: bool) -> Self {
        Self::Switch(switch)
    }
}

/// Names and values.
pub(crate) type Attributes = Vec<(String, Value)>;

/// A span that has ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    pub(crate) trace: [u8; 16],
    pub(crate) id: [u8; 8],
    pub(crate) parent: Option<[u8; 8]>,
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) start: DateTime<Utc>,
    pub(crate) end: DateTime<Utc>,
    pub(crate) attributes: Attributes,
    /// What went wrong, if anything did.
    pub(crate) failure: Option<Failure>,
}

/// Where a span's parent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SpanKind {
    /// Here, or nowhere.
    Internal,
    /// Elsewhere: it is the answer to a client.
    Server,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    /// What class of failure it is.
    pub(crate) kind: String,
    /// What has happened, in a sentence.
    pub(crate) what: String,
    /// All that is known of it.
    pub(crate) whole: String,
}

impl Failure {
    pub(crate) fn of(diagnosis: &Diagnosis) -> Self {
        let diagnosis = Diagnosis { what: short(&diagnosis.what), ..diagnosis.clone() };
        Self { kind: word(diagnosis.kind), whole: diagnosis.to_string(), what: diagnosis.what }
    }
}

/// The spans of a run that has ended, its own first; none for one that has not.
pub(crate) fn spans_of(run: &Run) -> Vec<Span> {
    let Some(ended) = run.ended else { return Vec::new() };
    let end = ended.max(run.created);
    let mut attributes = own_attributes(run);
    if run.kind.as_str() == QUERY {
        attributes.extend(query_attributes(run));
    }
    attributes.extend(figures(run));
    let failure = match (&run.outcome, run.state) {
        // What was stopped on request is no failure.
        (_, RunState::Stopped) => None,
        (Some(Outcome::Diagnosis(diagnosis)), _) => Some(Failure::of(diagnosis)),
        _ => None,
    };
    if let Some(failure) = &failure {
        attributes.push(("error.type".to_owned(), failure.kind.as_str().into()));
    }
    let TraceContext { trace, span: id, .. } = TraceContext::of_run(run);
    let own = Span {
        trace,
        id,
        parent: run.trace.map(|under| under.span),
        name: name(run),
        kind: SpanKind::Internal,
        start: run.created,
        end,
        attributes,
        failure,
    };
    let parts = parts(run, end).into_iter().map(|(part, start, end)| Span {
        trace: own.trace,
        id: part_id(&own.id, part),
        parent: Some(own.id),
        name: part.to_owned(),
        kind: SpanKind::Internal,
        start,
        end,
        attributes: Vec::new(),
        failure: None,
    });
    let parts: Vec<Span> = parts.collect();
    std::iter::once(own).chain(parts).collect()
}

/// Kind and subject.
fn name(run: &Run) -> String {
    match (run.kind.as_str(), run.name.as_str()) {
        (QUERY, _) => statement::name(argument(run, "sql")),
        (kind, "") => kind.to_owned(),
        (kind, name) => format!("{kind} {name}"),
    }
}

fn argument<'a>(run: &'a Run, name: &str) -> Option<&'a str> {
    run.arguments.get(name)?.as_str()
}

fn own_attributes(run: &Run) -> Attributes {
    let text = |name: &str, text: &str| (name.to_owned(), Value::Text(text.to_owned()));
    let mut attributes = vec![
        text("glulam.run.id", run.id.as_str()),
        text("glulam.run.kind", run.kind.as_str()),
        text("glulam.run.name", &run.name),
        text("glulam.run.state", run.state.as_str()),
        ("glulam.run.attempt".to_owned(), Value::Whole(i64::from(run.attempt))),
        text("glulam.run.node", &run.node),
    ];
    if !run.owner.is_empty() {
        attributes.push(text("glulam.run.owner", &run.owner));
    }
    attributes
}

/// By the conventions for databases.
fn query_attributes(run: &Run) -> Attributes {
    let told = statement::attributes(argument(run, "sql"), argument(run, "database"));
    let mut attributes: Attributes = told.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let group = run.arguments.get("athena").and_then(|terms| terms.get("workgroup")).and_then(Json::as_str);
    if let Some(group) = group {
        attributes.push(("glulam.query.workgroup".to_owned(), group.into()));
    }
    if let Some(rows) = run.counters.get("rows") {
        attributes.push(("db.response.returned_rows".to_owned(), whole(*rows)));
    }
    attributes
}

/// A text that is not endless.
pub(crate) fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

/// What the run counted, and the numbers of its account: rows, bytes, files.
fn figures(run: &Run) -> Attributes {
    let mut figures: Attributes =
        run.counters.iter().map(|(name, value)| (figure(name), whole(*value))).collect();
    if let Some(Outcome::Result(Json::Object(account))) = &run.outcome {
        for (name, value) in account {
            let value = match value.as_u64() {
                Some(value) => Some(whole(value)),
                None => value.as_f64().map(Value::Real),
            };
            let name = figure(name);
            if let Some(value) = value
                && figures.iter().all(|(known, _)| *known != name)
            {
                figures.push((name, value));
            }
        }
    }
    figures.truncate(MOST_FIGURES);
    figures
}

fn figure(name: &str) -> String {
    format!("glulam.figures.{name}")
}

fn whole(value: u64) -> Value {
    Value::Whole(i64::try_from(value).unwrap_or(i64::MAX))
}

/// The word of a kind of failure, as it is written elsewhere.
fn word(kind: ErrorKind) -> String {
    let word = serde_json::to_value(kind).ok();
    word.as_ref().and_then(Json::as_str).unwrap_or("internal").to_owned()
}

/// The parts of a run whose times are known: how long it waited for its turn and, for a query that ended well, what its
/// planning and its execution took.
fn parts(run: &Run, end: DateTime<Utc>) -> Vec<(&'static str, DateTime<Utc>, DateTime<Utc>)> {
    let begun = run.started.unwrap_or(end).clamp(run.created, end);
    let mut parts = Vec::new();
    if begun > run.created {
        parts.push(("wait", run.created, begun));
    }
    if run.kind.as_str() == QUERY
        && let Some(Outcome::Result(account)) = &run.outcome
        && let Some(millis) = account.get("planning_millis").and_then(Json::as_f64)
    {
        let planned = begun + Duration::microseconds((millis.max(0.0) * 1000.0) as i64);
        // The run's times are whole milliseconds, this one is finer.
        let planned = planned.min(end);
        parts.push(("plan", begun, planned));
        parts.push(("execute", planned, end));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(more: Json) -> Run {
        let mut run = json!({
            "id": "01jq5z3v4w5x6y7z8a9b0c1d2e", "kind": "query", "name": "SELECT count(*) FROM t", "owner": "",
            "state": "succeeded", "attempt": 1, "retries_left": 0,
            "arguments": { "sql": "-- all\n/* b */ (select count(*) FROM t)", "database": "shop" }, "node": "n",
            "created": "2026-03-02T08:00:00Z", "started": "2026-03-02T08:00:01Z", "ended": "2026-03-02T08:00:03Z",
            "progress": null, "counters": { "bytes_scanned": 10, "rows": 1 },
            "outcome": { "result": { "rows": 1, "planning_millis": 0.5, "is_text": false } }, "revision": 3
        });
        for (name, value) in more.as_object().unwrap() {
            run[name] = value.clone();
        }
        serde_json::from_value(run).unwrap()
    }

    fn attribute<'a>(span: &'a Span, name: &str) -> Option<&'a Value> {
        span.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    #[test]
    fn a_query_is_a_span_with_its_parts() {
        let spans = spans_of(&run(json!({})));
        let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
        assert_eq!(names, ["query SELECT", "wait", "plan", "execute"]);
        let own = &spans[0];
        assert_eq!(hex::encode(own.trace), "0195cbf1ec9c2f4de3fd0a4ac0c0b44e");
        assert!(own.parent.is_none() && spans[1..].iter().all(|part| part.parent == Some(own.id)));
        assert!(spans.iter().all(|span| span.trace == own.trace));
        assert_eq!((own.end - own.start).num_seconds(), 3);
        assert_eq!((spans[2].end - spans[2].start).num_microseconds(), Some(500));
        assert_eq!(spans[3].end, own.end);
        assert_eq!(attribute(own, "db.namespace"), Some(&Value::Text("shop".to_owned())));
        assert_eq!(attribute(own, "db.response.returned_rows"), Some(&Value::Whole(1)));
        assert_eq!(attribute(own, "glulam.figures.bytes_scanned"), Some(&Value::Whole(10)));
        assert_eq!(attribute(own, "glulam.figures.planning_millis"), Some(&Value::Real(0.5)));
        assert_eq!(own.attributes.iter().filter(|(name, _)| name == "glulam.figures.rows").count(), 1);
        assert_eq!(own.failure, None);
    }

    #[test]
    fn a_run_belongs_to_what_it_was_started_under() {
        let under = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let (alone, spans) = (spans_of(&run(json!({}))), spans_of(&run(json!({ "trace": under }))));
        let trace = hex::decode("4bf92f3577b34da6a3ce929d0e0e4736").unwrap();
        assert!(spans.iter().all(|span| span.trace[..] == trace), "{spans:?}");
        assert_eq!(spans[0].parent.map(hex::encode).as_deref(), Some("00f067aa0ba902b7"));
        assert_eq!(spans[0].id, alone[0].id);
        assert!(spans[1..].iter().all(|part| part.parent == Some(spans[0].id)));
    }

    #[test]
    fn a_failure_is_told_and_a_wish_to_stop_is_none() {
        let outcome = json!({ "diagnosis": { "kind": "not_found", "what": "there is no table `t`" } });
        let failed = spans_of(&run(
            json!({ "kind": "job", "name": "nightly", "state": "failed", "outcome": outcome }),
        ));
        assert_eq!(failed[0].name, "job nightly");
        assert_eq!(failed[0].failure.as_ref().unwrap().what, "there is no table `t`");
        assert_eq!(attribute(&failed[0], "error.type"), Some(&Value::Text("not_found".to_owned())));
        let outcome = json!({ "diagnosis": { "kind": "cancelled", "what": "stopped on request" } });
        let stopped = spans_of(&run(json!({ "state": "stopped", "outcome": outcome })));
        assert_eq!((&stopped[0].failure, attribute(&stopped[0], "error.type")), (&None, None));
    }

    #[test]
    fn odd_times_and_long_texts_are_borne() {
        assert!(spans_of(&run(json!({ "ended": null }))).is_empty());
        // It ended before it began to work, or a clock was set back.
        let never = spans_of(&run(json!({ "started": null, "state": "stopped", "outcome": null })));
        assert_eq!(never.iter().map(|span| span.name.as_str()).collect::<Vec<_>>(), ["query SELECT", "wait"]);
        let back = spans_of(&run(json!({ "ended": "2026-03-02T07:59:00Z" })));
        assert!(back.iter().all(|span| span.end >= span.start), "{back:?}");
        let sql = "é".repeat(LONGEST_TEXT + 5);
        let long = spans_of(&run(json!({ "arguments": { "sql": sql } })));
        let Some(Value::Text(told)) = attribute(&long[0], "db.query.text") else {
            panic!("the text is told")
        };
        assert_eq!(told.chars().count(), LONGEST_TEXT + 1);
        assert_eq!(long[0].name, "query");
    }
}
