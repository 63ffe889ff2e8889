//! Statements as parts of traces: to what they belong, as a comment beside them says it (`/*traceparent='…'*/`, the way of
//! sqlcommenter), and what is told of those that are answered here.

use super::Session;
use super::command::{Query, Source};
use crate::text::Token;
use engine::QueryStats;
use model::Error;
use state::TraceContext;
use std::sync::Arc;
use telemetry::OpenSpan;

/// The name in comments.
const TRACEPARENT: &str = "traceparent";

/// A statement that is under way, and what it has read so far.
pub(super) struct Traced {
    span: OpenSpan,
    stats: Option<Arc<QueryStats>>,
    /// How many rows were sent.
    pub(super) rows: u64,
}

impl Traced {
    pub(super) fn new(span: OpenSpan, stats: Option<Arc<QueryStats>>) -> Self {
        Self { span, stats, rows: 0 }
    }

    /// All rows were sent.
    pub(super) fn ended(mut self) {
        self.span.succeeded();
    }

    pub(super) fn failed(mut self, error: &Error, code: &str) {
        self.span.failed(error, Some(code));
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        self.span.rows(self.rows);
        if let Some(stats) = &self.stats {
            let (scanned, phases) = (stats.scanned(), stats.phases());
            self.span.figure("bytes_scanned", scanned.bytes_scanned);
            self.span.figure("rows_read", scanned.rows_read);
            let planning = phases.parse + phases.analyze + phases.optimize + phases.plan;
            self.span.figure("planning_millis", planning);
        }
    }
}

impl Session {
    /// The span of a query that begins; none where no spans are sent, and for settings.
    pub(super) fn span_of(&self, query: &Query) -> Option<OpenSpan> {
        if matches!(query.source, Source::Setting(_)) {
            return None;
        }
        let text = query.text.get(query.offset..query.end).unwrap_or_default();
        let mut span = self.house.config.tracer.statement("pg", text, &self.facts.schema, query.under)?;
        span.set("user.name", self.facts.user.as_str());
        if let Some(peer) = self.process.peer {
            span.set("network.peer.address", peer.ip().to_string());
            span.set("network.peer.port", u64::from(peer.port()));
        }
        if let Some(name) = self.settings.get("application_name").filter(|name| !name.is_empty()) {
            span.set("glulam.client.name", name);
        }
        Some(span)
    }
}

/// To what a statement of a text belongs by a comment right before it or behind it. What is no `traceparent` as W3C's
/// document wants it is taken for nothing.
pub(super) fn follows(text: &str, tokens: &[Token]) -> Option<TraceContext> {
    let (first, last) = (tokens.first()?, tokens.last()?);
    let behind = text.get(last.end..)?;
    // A comment behind the last semicolon is the last statement's; between two statements it is the next one's.
    let is_last = comments_behind(behind, true).is_some_and(|(_, rest)| rest.is_empty());
    comments_behind(behind, is_last)
        .and_then(|(found, _)| found)
        .or_else(|| comments_before(text.get(..first.start)?))
}

/// What the comments say that a text begins with, and what stands behind them; none where one has no end.
fn comments_behind(text: &str, past_semicolons: bool) -> Option<(Option<TraceContext>, &str)> {
    let (mut rest, mut found) = (text, None);
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || (past_semicolons && c == ';'));
        if let Some(comment) = rest.strip_prefix("/*") {
            let (inside, behind) = comment.split_once("*/")?;
            found = found.or_else(|| read(inside));
            rest = behind;
        } else if rest.starts_with("--") {
            rest = rest.split_once('\n').map_or("", |(_, behind)| behind);
        } else {
            return Some((found, rest));
        }
    }
}

/// The same for the comments that a text ends with.
fn comments_before(mut text: &str) -> Option<TraceContext> {
    loop {
        let (before, inside) = text.trim_end().strip_suffix("*/")?.rsplit_once("/*")?;
        if let Some(found) = read(inside) {
            return Some(found);
        }
        text = before;
    }
}

/// The `traceparent` among pairs such as `key='value',key='value'`.
fn read(comment: &str) -> Option<TraceContext> {
    let value = comment
        .split(',')
        .find_map(|pair| pair.trim().strip_prefix(TRACEPARENT)?.trim().strip_prefix('='))?;
    TraceContext::read(value.trim().trim_matches('\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_beside_a_statement_are_read() {
        let of = |n: u32| format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{n:016x}-01");
        let written = |text: &str| {
            let text = (1..4).fold(text.to_owned(), |text, n| text.replace(&format!("#{n}"), &of(n)));
            let statements = crate::text::statements(&text).unwrap();
            let found = statements.iter().map(|tokens| follows(&text, tokens).map_or(0, |it| it.span[7]));
            found.collect::<Vec<_>>()
        };
        for (text, expected) in [
            ("SELECT 1 /*traceparent='#1'*/", vec![1]),
            ("SELECT 1 /*action='%2Fx*d',traceparent='#1',tracestate='a%3Db'*/;", vec![1]),
            ("SELECT 1; /*traceparent='#1'*/", vec![1]),
            ("/*traceparent='#1'*/ SELECT 1", vec![1]),
            ("/* why */ /*traceparent=#1*/\n/* that */ SELECT 1 -- end", vec![1]),
            ("SELECT 1 -- one\n/*traceparent='#1'*/", vec![1]),
            ("/*traceparent='#1'*/ SELECT 1 /*traceparent='#2'*/", vec![2]),
            ("SELECT 1 /*traceparent='#1'*/; /*traceparent='#2'*/ SELECT 2; SELECT 3", vec![1, 2, 0]),
            ("SELECT 1; SELECT 2 /*traceparent='#3'*/;", vec![0, 3]),
            ("SELECT /*traceparent='#1'*/ 1", vec![0]),
            ("SELECT '/*traceparent=''#1''*/'", vec![0]),
            ("SELECT 1 /*traceparent='00-0-0-01'*/", vec![0]),
            ("SELECT 1 /*xtraceparent='#1'*/", vec![0]),
            ("SELECT 1 /**/", vec![0]),
        ] {
            assert_eq!(written(text), expected, "{text}");
        }
    }
}
