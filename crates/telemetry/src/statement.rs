//! Queries as spans, by OpenTelemetry's conventions for databases: those that are runs, and those that a door answers
//! without one.

use crate::span::{Failure, SpanKind, Value, short};
use crate::tracer::{OpenSpan, Tracer};
use model::{Error, ErrorKind};
use state::TraceContext;

/// What the system is called.
const SYSTEM: &str = "glulam";
/// How a query that is no run ended.
const STATE: &str = "glulam.query.state";

/// The attributes that all queries have; what is empty is left out.
pub(crate) fn attributes(sql: Option<&str>, database: Option<&str>) -> Vec<(&'static str, Value)> {
    let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(short);
    let told = [
        ("db.namespace", given(database)),
        ("db.operation.name", sql.and_then(operation)),
        ("db.query.text", given(sql)),
    ];
    let system = ("db.system.name", Value::from(SYSTEM));
    std::iter::once(system)
        .chain(told.into_iter().filter_map(|(name, text)| Some((name, text?.into()))))
        .collect()
}

/// What the span of a query is called: its first word says enough, and many different names serve nobody who groups by
/// them.
pub(crate) fn name(sql: Option<&str>) -> String {
    match sql.and_then(operation) {
        Some(operation) => format!("query {operation}"),
        None => "query".to_owned(),
    }
}

/// The first word of a query, behind comments and parentheses.
pub(crate) fn operation(mut text: &str) -> Option<String> {
    loop {
        text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        text = match text.get(..2) {
            Some("--") => text.split_once('\n')?.1,
            Some("/*") => text.split_once("*/")?.1,
            _ => break,
        };
    }
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    Some(text[..end].to_ascii_uppercase()).filter(|word| (1..=16).contains(&word.len()))
}

impl Tracer {
    /// The span of a statement that `door` begins to answer without a run. Its text is told as the texts of runs are,
    /// values that were bound to it are not.
    pub fn statement(
        &self,
        door: &'static str,
        sql: &str,
        database: &str,
        under: Option<TraceContext>,
    ) -> Option<OpenSpan> {
        if !self.is_on() {
            return None;
        }
        // A client's own span is another process's.
        let kind = if door == "pg" { SpanKind::Server } else { SpanKind::Internal };
        let mut span = self.begin(name(Some(sql)), kind, under)?;
        span.state = Some((STATE, "stopped"));
        span.set("glulam.door", door);
        for (name, value) in attributes(Some(sql), Some(database)) {
            span.set(name, value);
        }
        Some(span)
    }
}

impl OpenSpan {
    /// The statement was answered to its end.
    pub fn succeeded(&mut self) {
        self.ends("succeeded");
    }

    /// So many rows went to the client.
    pub fn rows(&mut self, rows: u64) {
        self.set("db.response.returned_rows", rows);
        self.figure("rows", rows);
    }

    /// The statement has failed. `code` is the code that the client is told. What was stopped on request is no failure.
    pub fn failed(&mut self, error: &Error, code: Option<&str>) {
        if error.kind() == ErrorKind::Cancelled {
            return;
        }
        if let Some(code) = code {
            self.set("db.response.status_code", code);
        }
        let failure = Failure::of(&error.diagnosis());
        let kind = code.map_or(failure.kind, str::to_owned);
        self.fail(Failure { kind, ..failure });
    }

    /// The statement was refused in these words, with that code.
    pub fn refused(&mut self, code: &str, message: &str) {
        self.set("db.response.status_code", code);
        self.fail(Failure { kind: code.to_owned(), what: short(message), whole: message.to_owned() });
    }

    /// A count, under the name that runs have for it: `bytes_scanned`.
    pub fn figure(&mut self, name: &str, value: impl Into<Value>) {
        self.set(&format!("glulam.figures.{name}"), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_querys_first_word_is_found() {
        for (text, expected) in [
            ("-- all\n/* b */ (select count(*) FROM t)", Some("SELECT")),
            ("INSERT INTO t VALUES (1)", Some("INSERT")),
            ("/* no end", None),
            ("", None),
            ("1", None),
        ] {
            assert_eq!(operation(text).as_deref(), expected, "{text}");
        }
    }
}
