//! Words of a statement: where operands end, what CASE, LIMIT, ILIKE and INTERVAL become.

use super::interval::span;
use super::lexer::Kind;
use super::translate::{Part, Rewriter};
use model::Result;
use sql::quote_string;

/// Words at which an operand of a comparison ends.
const BOUNDARIES: &[&str] = &[
    "AND",
    "OR",
    "NOT",
    "WHERE",
    "ON",
    "WHEN",
    "THEN",
    "ELSE",
    "SELECT",
    "FROM",
    "HAVING",
    "GROUP",
    "ORDER",
    "BY",
    "LIMIT",
    "OFFSET",
    "FETCH",
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "AS",
    "ASC",
    "DESC",
    "NULLS",
    "DISTINCT",
    "ALL",
    "JOIN",
    "LEFT",
    "RIGHT",
    "INNER",
    "FULL",
    "CROSS",
    "USING",
    "SET",
    "VALUES",
    "IS",
    "IN",
    "LIKE",
    "BETWEEN",
    "ESCAPE",
    "RETURNING",
    "OVER",
    "WINDOW",
    "FILTER",
    "WITH",
    "INTO",
    "UPDATE",
    "DELETE",
    "INSERT",
    "CASE",
    "SIMILAR",
];

/// Words before a parenthesis that are no functions.
pub(super) const NO_FUNCTIONS: &[&str] = &[
    "IN",
    "AND",
    "OR",
    "NOT",
    "EXISTS",
    "ANY",
    "ALL",
    "SOME",
    "VALUES",
    "FROM",
    "JOIN",
    "ON",
    "USING",
    "SELECT",
    "WHERE",
    "HAVING",
    "BY",
    "AS",
    "WHEN",
    "THEN",
    "ELSE",
    "CASE",
    "OVER",
    "FILTER",
    "UNION",
    "EXCEPT",
    "LIMIT",
    "INTERSECT",
    "LATERAL",
    "WITH",
    "IS",
    "LIKE",
    "ILIKE",
    "BETWEEN",
    "OFFSET",
    "SET",
    "DISTINCT",
    "GROUP",
];

impl Rewriter<'_> {
    pub(super) fn word(&mut self, at: usize, from: usize, to: usize, part: &mut Part) -> Result<usize> {
        let Some(token) = self.tokens.get(at) else { return Ok(to) };
        let behind_dot = at > from && self.is_symbol(at - 1, ".");
        if behind_dot {
            self.push(token.value.clone(), at);
            return Ok(at + 1);
        }
        let upper = token.value.to_uppercase();
        let is_call = self.is_symbol(at + 1, "(");
        match upper.as_str() {
            "ILIKE" => {
                let negated = self.out.last().is_some_and(|piece| piece.text.eq_ignore_ascii_case("NOT"));
                if negated {
                    self.out.pop();
                }
                self.insert(part.operand, "lower(");
                self.push(if negated { ") NOT LIKE lower(" } else { ") LIKE lower(" }, at);
                part.primary = None;
                if let Some(pattern) = self.escaped_pattern(at + 1, to) {
                    self.push(pattern, at + 1);
                    self.push(")", at + 1);
                    self.push("ESCAPE '\\'", at + 1);
                    return Ok(at + 2);
                }
                part.closing.push(")");
                return Ok(at + 1);
            }
            "LIKE" => {
                if let Some(pattern) = self.escaped_pattern(at + 1, to) {
                    self.boundary(part, at);
                    self.push(token.value.clone(), at);
                    self.push(pattern, at + 1);
                    self.push("ESCAPE '\\'", at + 1);
                    part.operand = self.out.len();
                    return Ok(at + 2);
                }
            }
            "NOT"
                if ["LIKE", "ILIKE", "IN", "BETWEEN", "SIMILAR"].iter().any(|next| self.is(at + 1, next)) =>
            {
                self.push("NOT", at);
                return Ok(at + 1);
            }
            "CASE" => {
                let floor = part.closing.len();
                part.cases.push((self.out.len(), part.operand, floor));
                self.push("CASE", at);
                part.operand = self.out.len();
                part.primary = None;
                return Ok(at + 1);
            }
            "END" if !part.cases.is_empty() => {
                self.boundary(part, at);
                self.push("END", at);
                if let Some((start, operand, _)) = part.cases.pop() {
                    part.primary = Some(start);
                    part.operand = operand;
                }
                return Ok(at + 1);
            }
            "LIMIT" => {
                if let Some(offset) = self.offset_behind(at, to) {
                    self.boundary(part, at);
                    self.group(offset, to)?;
                    self.group(at, offset)?;
                    return Ok(to);
                }
            }
            "INTERVAL" => {
                if let Some(next) = self.interval(at, part)? {
                    return Ok(next);
                }
            }
            "CURRENT_SCHEMA" | "CURRENT_CATALOG" | "CURRENT_USER" | "SESSION_USER" | "CURRENT_ROLE"
                if !is_call =>
            {
                let text = match upper.as_str() {
                    "CURRENT_SCHEMA" => &self.facts.schema,
                    "CURRENT_CATALOG" => &self.facts.database,
                    _ => &self.facts.user,
                };
                part.primary = Some(self.out.len());
                self.push(quote_string(text), at);
                return Ok(at + 1);
            }
            _ => {}
        }
        // `pg_catalog.now()` is `now()`.
        if token.is("PG_CATALOG") && self.is_symbol(at + 1, ".") && self.is_symbol(at + 3, "(") {
            return Ok(at + 2);
        }
        if is_call && !NO_FUNCTIONS.contains(&upper.as_str()) {
            part.primary = Some(self.out.len());
            if let Some(next) = self.function(at, to, part.in_from)? {
                return Ok(next);
            }
            self.push(token.value.clone(), at);
            return Ok(at + 1);
        }
        if BOUNDARIES.contains(&upper.as_str()) {
            self.boundary(part, at);
            match upper.as_str() {
                "FROM" | "JOIN" | "INTO" | "UPDATE" => part.in_from = true,
                "SELECT" | "WHERE" | "GROUP" | "ORDER" | "HAVING" | "SET" | "ON" | "LIMIT" => {
                    part.in_from = false;
                }
                _ => {}
            }
            self.push(token.value.clone(), at);
            part.operand = self.out.len();
            return Ok(at + 1);
        }
        part.primary = Some(self.out.len());
        let next = self.catalog_prefix(at, part);
        if next > at {
            return Ok(next);
        }
        self.push(token.value.clone(), at);
        Ok(at + 1)
    }

    /// The pattern of LIKE at this token if it is a text with backslashes, which escape there unless ESCAPE says
    /// otherwise. In the engine's language only `%`, `_` and the backslash may be escaped.
    fn escaped_pattern(&self, at: usize, to: usize) -> Option<String> {
        let token = self.tokens.get(at).filter(|token| {
            at < to && token.kind == Kind::Text && token.value.contains('\\') && !self.is(at + 1, "ESCAPE")
        })?;
        let ends = |token: &super::lexer::Token| {
            token.kind == Kind::Word || [")", ",", "]", ";"].iter().any(|symbol| token.is_symbol(symbol))
        };
        if at + 1 < to && !self.tokens.get(at + 1).is_some_and(ends) {
            return None;
        }
        let mut pattern = String::new();
        let mut chars = token.value.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some(escaped @ ('%' | '_' | '\\')) => pattern.extend(['\\', escaped]),
                    Some(other) => pattern.push(other),
                    None => pattern.push('\\'),
                },
                c => pattern.push(c),
            }
        }
        Some(quote_string(&pattern))
    }

    /// Where OFFSET begins that stands behind this LIMIT: the engine's language has them the other way round.
    fn offset_behind(&self, at: usize, to: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for next in at + 1..to {
            self.worked(1);
            let token = self.tokens.get(next)?;
            if token.is_symbol("(") {
                depth += 1;
            } else if token.is_symbol(")") {
                depth = depth.checked_sub(1)?;
            } else if depth == 0 && token.is("OFFSET") {
                return Some(next);
            }
        }
        None
    }

    /// `INTERVAL '1 day 2 hours'`; with a unit behind the text it is the engine's own form.
    fn interval(&mut self, at: usize, part: &mut Part) -> Result<Option<usize>> {
        const UNITS: [&str; 7] = ["YEAR", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"];
        let Some(text) = self.tokens.get(at + 1).filter(|token| token.kind == Kind::Text) else {
            return Ok(None);
        };
        if UNITS.iter().any(|unit| self.is(at + 2, unit)) {
            return Ok(None);
        }
        let written = span(&text.value).and_then(super::interval::Span::engine);
        let written = written.map_err(|e| self.fail(at + 1, e))?;
        part.primary = Some(self.out.len());
        self.push(written, at);
        Ok(Some(at + 2))
    }
}
