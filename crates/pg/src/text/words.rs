//! Words of a statement: where operands end, what CASE, LIMIT, ILIKE and INTERVAL become.

use super::lexer::{Kind, Token};
use super::translate::{Part, Rewriter};
use super::types::type_name;
use crate::introspect::type_oid;
use crate::values::{literal, shape_of_oid};
use model::{Error, Result};
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
                return Ok(self.ilike(at, to, negated, part));
            }
            "LIKE" => {
                if let Some(next) = self.like(at, to, &token.value, part) {
                    return Ok(next);
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
            "CURRENT_DATE" => {
                if let Some(next) = self.current_date(at, to, part) {
                    return Ok(next);
                }
            }
            "AT" if self.is(at + 1, "TIME") && self.is(at + 2, "ZONE") => {
                if let Some(start) = part.primary {
                    return self.at_time_zone(at, start, to, part);
                }
            }
            "IS" => {
                if let Some(next) = self.is_truth(at, part) {
                    return Ok(next);
                }
            }
            "ISNULL" | "NOTNULL" if part.primary.is_some() => {
                self.boundary(part, at);
                self.push(if upper == "ISNULL" { "IS NULL" } else { "IS NOT NULL" }, at);
                part.operand = self.out.len();
                return Ok(at + 1);
            }
            "COLLATE" if part.primary.is_some() => return self.collation(at),
            "MATERIALIZED" if self.is_symbol(at + 1, "(") && at > from && self.is(at - 1, "AS") => {
                return Ok(at + 1);
            }
            "NOT" if self.is(at + 1, "MATERIALIZED") && self.is_symbol(at + 2, "(") => return Ok(at + 2),
            "SIMILAR" => {
                let error = Error::unsupported("SIMILAR TO is not supported").hint("write x ~ '^(a|b)$'");
                return Err(self.fail(at, error));
            }
            "FOR" if ["UPDATE", "SHARE", "NO", "KEY"].iter().any(|next| self.is(at + 1, next)) => {
                return Err(
                    self.fail(at, Error::unsupported("rows cannot be locked: FOR UPDATE and the like"))
                );
            }
            _ => {}
        }
        if let Some(next) = self.typed_text(at, to, part)? {
            return Ok(next);
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

    /// `x IS [NOT] TRUE`, `FALSE`, `UNKNOWN`
    fn is_truth(&mut self, at: usize, part: &mut Part) -> Option<usize> {
        let negated = self.is(at + 1, "NOT");
        let word = at + 1 + usize::from(negated);
        let written = match (self.tokens.get(word)?.value.to_uppercase().as_str(), negated) {
            ("TRUE", false) => "IS NOT DISTINCT FROM true",
            ("TRUE", true) => "IS DISTINCT FROM true",
            ("FALSE", false) => "IS NOT DISTINCT FROM false",
            ("FALSE", true) => "IS DISTINCT FROM false",
            ("UNKNOWN", false) => "IS NULL",
            ("UNKNOWN", true) => "IS NOT NULL",
            _ => return None,
        };
        self.boundary(part, at);
        self.push(written, at);
        part.operand = self.out.len();
        Some(word + 1)
    }

    /// Texts are ordered by their code points, which is what these collations say.
    fn collation(&self, at: usize) -> Result<usize> {
        let name = |at: usize| self.tokens.get(at).filter(|token| token.is_name()).map(Token::name);
        let last = if self.is_symbol(at + 2, ".") { at + 3 } else { at + 1 };
        match name(last).unwrap_or_default().as_str() {
            "C" | "POSIX" | "default" | "ucs_basic" | "C.UTF-8" | "C.utf8" => Ok(last + 1),
            other => {
                let error = Error::unsupported(format!("the collation {other} is not supported"))
                    .hint("texts are ordered by their code points, as \"C\" does");
                Err(self.fail(at, error))
            }
        }
    }

    /// `timestamptz '2024-01-01 10:00+02'`: a text of one of PostgreSQL's types that the engine calls otherwise.
    fn typed_text(&mut self, at: usize, to: usize, part: &mut Part) -> Result<Option<usize>> {
        const TYPES: [&str; 13] = [
            "timestamptz",
            "timestamp",
            "int2",
            "int4",
            "int8",
            "float4",
            "float8",
            "bool",
            "text",
            "bytea",
            "inet",
            "oid",
            "jsonb",
        ];
        let Some(token) = self.tokens.get(at).filter(|token| token.kind == Kind::Word) else {
            return Ok(None);
        };
        let word = token.value.to_lowercase();
        // `timestamp '…'` is the engine's own, but not with words behind it.
        let is_own = word == "timestamp" && !self.is(at + 1, "WITH") && !self.is(at + 1, "WITHOUT");
        if is_own || !TYPES.contains(&word.as_str()) {
            return Ok(None);
        }
        let Some(name) = type_name(self.tokens.get(at..to).unwrap_or_default()) else { return Ok(None) };
        let text =
            self.tokens.get(at + name.length).filter(|t| at + name.length < to && t.kind == Kind::Text);
        let Some(text) = text else { return Ok(None) };
        let shape = shape_of_oid(type_oid(&name));
        let (Some(shape), false) = (shape, name.is_array) else { return Ok(None) };
        let written = literal(Some(text.value.as_bytes()), false, &shape);
        let written = written.map_err(|e| self.fail(at + name.length, e))?;
        part.primary = Some(self.out.len());
        self.push(written, at);
        Ok(Some(at + name.length + 1))
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
}
