//! Operators: casts, comparisons with arrays, patterns.

use super::interval::{Span, span};
use super::lexer::{Kind, Token};
use super::translate::{Part, Rewriter};
use super::types::type_name;
use crate::introspect::type_oid;
use crate::values::{literal, shape_of_oid};
use model::{Error, Result};
use sql::quote_string;

impl Rewriter<'_> {
    /// Whether `ANY (array)` or `ALL (array)` begins here, and not a query.
    pub(super) fn is_list(&self, at: usize, to: usize) -> bool {
        let is_word = self.is(at, "ANY") || self.is(at, "SOME") || self.is(at, "ALL");
        let is_query = ["SELECT", "VALUES", "WITH", "TABLE"].iter().any(|word| self.is(at + 2, word));
        is_word && at + 2 < to && self.is_symbol(at + 1, "(") && !is_query
    }

    /// `x = ANY (array)` and `x <> ALL (array)` ask whether the array contains the value.
    pub(super) fn any(&mut self, at: usize, to: usize, part: &mut Part) -> Result<usize> {
        let equal = self.is_symbol(at, "=");
        let all = self.is(at + 1, "ALL");
        if equal == all {
            let error =
                Error::unsupported("of comparisons with an array, `= ANY` and `<> ALL` are supported");
            return Err(self.fail(at, error));
        }
        let value = self.out.split_off(part.operand.min(self.out.len()));
        self.worked(value.len());
        let close = self.closing(at + 2, to)?;
        self.push(if equal { "contains(" } else { "(NOT contains(" }, at);
        self.group(at + 3, close)?;
        self.push(",", at);
        self.out.extend(value);
        self.push(if equal { ")" } else { "))" }, close);
        part.primary = Some(part.operand);
        Ok(close + 1)
    }

    /// `expression::type`
    pub(super) fn cast(&mut self, at: usize, part: &mut Part) -> Result<usize> {
        let Some(start) = part.primary else {
            return Err(self.fail(at, Error::invalid("there is nothing before `::` to cast")));
        };
        let name = type_name(self.tokens.get(at + 1..).unwrap_or_default())
            .ok_or_else(|| self.fail(at + 1, Error::invalid("`::` wants the name of a type")))?;
        let next = at + 1 + name.length;
        let before = self.tokens.get(at - 1);
        let before = before.filter(|token| token.kind == Kind::Text && start + 1 == self.out.len());
        match (name.name.as_str(), before) {
            ("interval", Some(literal)) => {
                let text = span(&literal.value).and_then(Span::engine);
                let text = text.map_err(|e| self.fail(at - 1, e))?;
                self.out.truncate(start);
                self.push(text, at - 1);
            }
            (_, Some(text)) if name.is_array => {
                let shape = shape_of_oid(type_oid(&name)).ok_or_else(|| {
                    let error = Error::unsupported(format!("arrays of {} are not supported", name.name));
                    self.fail(at + 1, error)
                })?;
                let array = literal(Some(text.value.as_bytes()), false, &shape);
                let array = array.map_err(|e| self.fail(at - 1, e))?;
                self.out.truncate(start);
                self.push(array, at - 1);
            }
            // Other clients write a T between the day and the time.
            ("timestamp" | "timestamptz", Some(text)) if text.value.as_bytes().get(10) == Some(&b'T') => {
                let engine = name.engine().map_err(|e| self.fail(at + 1, e))?;
                let moment = quote_string(&text.value.replacen('T', " ", 1));
                self.out.truncate(start);
                self.push(format!("CAST({moment} AS {engine})"), at - 1);
            }
            ("json" | "jsonb", _) if !name.is_array => {
                self.insert(start, "json_parse(");
                self.push(")", at);
            }
            // Here a whole number stands anyhow, and nothing else may.
            ("int2" | "int4" | "int8", _) if !name.is_array && self.counts_rows(at) => {}
            _ => {
                let engine = name.engine().map_err(|e| self.fail(at + 1, e))?;
                self.insert(start, "CAST(");
                self.push(format!("AS {engine})"), at + 1);
            }
        }
        Ok(next)
    }

    /// Whether the number or parameter before this token says how many rows there shall be.
    fn counts_rows(&self, at: usize) -> bool {
        let Some(number) = at.checked_sub(1) else { return false };
        let is_plain =
            self.tokens.get(number).is_some_and(|it| matches!(it.kind, Kind::Number | Kind::Parameter));
        let Some(word) = number.checked_sub(1).filter(|_| is_plain) else { return false };
        ["LIMIT", "OFFSET", "FIRST", "NEXT"].iter().any(|name| self.is(word, name))
    }

    /// `x ~ pattern` and its kin.
    pub(super) fn pattern(&mut self, at: usize, operator: &str, part: &mut Part) -> usize {
        let (negated, blind) = (operator.starts_with('!'), operator.ends_with('*'));
        if self.keeps {
            self.insert(part.operand, if negated { "(NOT regexp_like(" } else { "regexp_like(" });
            self.push(",", at);
            if blind {
                self.push("'(?i)' ||", at);
            }
            part.closing.push(if negated { "))" } else { ")" });
        } else {
            let call = if negated { "(NOT \"$pg_matches\"(" } else { "\"$pg_matches\"(" };
            self.insert(part.operand, call);
            self.push(",", at);
            part.closing.push(match (negated, blind) {
                (false, false) => ")",
                (false, true) => ", 'i')",
                (true, false) => "))",
                (true, true) => ", 'i'))",
            });
        }
        part.primary = None;
        at + 1
    }

    /// `x LIKE pattern`; nothing if the engine reads it as it stands.
    pub(super) fn like(&mut self, at: usize, to: usize, word: &str, part: &mut Part) -> Option<usize> {
        let pattern = self.escaped_pattern(at + 1, to)?;
        self.boundary(part, at);
        self.push(word, at);
        self.push(pattern, at + 1);
        self.push("ESCAPE '\\'", at + 1);
        part.operand = self.out.len();
        Some(at + 2)
    }

    /// `x ILIKE pattern`
    pub(super) fn ilike(&mut self, at: usize, to: usize, negated: bool, part: &mut Part) -> usize {
        self.insert(part.operand, "lower(");
        self.push(if negated { ") NOT LIKE lower(" } else { ") LIKE lower(" }, at);
        part.primary = None;
        if let Some(pattern) = self.escaped_pattern(at + 1, to) {
            self.push(pattern, at + 1);
            self.push(")", at + 1);
            self.push("ESCAPE '\\'", at + 1);
            return at + 2;
        }
        part.closing.push(")");
        at + 1
    }

    /// `~~` and its kin are LIKE and ILIKE.
    pub(super) fn like_operator(&mut self, at: usize, to: usize, operator: &str, part: &mut Part) -> usize {
        let negated = operator.starts_with('!');
        if operator.ends_with('*') {
            return self.ilike(at, to, negated, part);
        }
        let word = if negated { "NOT LIKE" } else { "LIKE" };
        if let Some(next) = self.like(at, to, word, part) {
            return next;
        }
        self.boundary(part, at);
        self.push(word, at);
        part.operand = self.out.len();
        at + 1
    }

    /// The pattern of LIKE at this token if it is a text with backslashes, which escape there unless ESCAPE says
    /// otherwise. In the engine's language only `%`, `_` and the backslash may be escaped.
    fn escaped_pattern(&self, at: usize, to: usize) -> Option<String> {
        let token = self.tokens.get(at).filter(|token| {
            at < to && token.kind == Kind::Text && token.value.contains('\\') && !self.is(at + 1, "ESCAPE")
        })?;
        let ends = |token: &Token| {
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
}
