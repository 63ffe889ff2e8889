//! Functions that PostgreSQL and the engine's language name or call differently.

use super::interval::{Span, span};
use super::lexer::{Kind, Token};
use super::translate::Rewriter;
use super::types::type_name;
use model::{Error, Result};
use sql::quote_string;

impl Rewriter<'_> {
    /// Rewrites a call whose name stands at `at`; answers where it goes on, or nothing if the call is left as it is.
    pub(super) fn function(&mut self, at: usize, to: usize, in_from: bool) -> Result<Option<usize>> {
        let Some(token) = self.tokens.get(at) else { return Ok(None) };
        let close = self.closing(at + 1, to)?;
        let arguments = self.arguments(at + 2, close);
        let name = token.value.to_lowercase();
        match (name.as_str(), arguments.as_slice()) {
            ("current_schema", []) => self.push(quote_string(&self.facts.schema.clone()), at),
            ("current_database" | "current_catalog", []) => {
                self.push(quote_string(&self.facts.database.clone()), at);
            }
            ("version", []) => self.push(quote_string(&self.facts.version.clone()), at),
            ("pg_backend_pid", []) => self.push(self.facts.process.to_string(), at),
            ("clock_timestamp" | "statement_timestamp" | "transaction_timestamp", []) => {
                self.push("now()", at);
            }
            ("gen_random_uuid", []) => self.push("uuid()", at),
            ("btrim", [_]) => self.wrap(at, "trim(", &arguments, ")")?,
            ("log", [_]) => self.wrap(at, "log10(", &arguments, ")")?,
            ("trunc", [_]) => self.wrap(at, "truncate(", &arguments, ")")?,
            ("md5", [_]) => self.wrap(at, "lower(to_hex(md5(to_utf8(", &arguments, "))))")?,
            ("array_to_string", [_, _]) => self.wrap(at, "array_join(", &arguments, ")")?,
            ("string_to_array", [_, _]) => self.wrap(at, "split(", &arguments, ")")?,
            ("to_timestamp", [_]) => self.wrap(at, "from_unixtime(", &arguments, ")")?,
            ("array_length", [array, one]) if self.text_of(*one) == "1" => {
                self.wrap(at, "cardinality(", &[*array], ")")?;
            }
            // PostgreSQL's leave NULLs out.
            ("greatest" | "least", [_, _, ..]) => {
                let before = if name == "greatest" { "array_max(" } else { "array_min(" };
                let before = format!("{before}filter(ARRAY[");
                self.wrap(at, &before, &arguments, "], element -> element IS NOT NULL))")?;
            }
            // The engine's makes an array.
            ("repeat", [_, _]) => self.wrap(at, "array_join(repeat(", &arguments, "), '')")?,
            ("char_length" | "character_length", [_]) => self.wrap(at, "length(", &arguments, ")")?,
            ("octet_length", [_]) => self.wrap(at, "length(to_utf8(", &arguments, "))")?,
            ("btrim", [_, _]) => self.wrap(at, "trim(", &arguments, ")")?,
            ("trunc", [_, _]) => self.wrap(at, "truncate(", &arguments, ")")?,
            ("lpad" | "rpad", [_, _]) => self.wrap(at, &format!("{name}("), &arguments, ", ' ')")?,
            ("regexp_split_to_array", [_, _]) => self.wrap(at, "regexp_split(", &arguments, ")")?,
            ("encode" | "decode", [value, form]) => {
                let (before, after) = match (name.as_str(), self.text_of(*form)) {
                    ("encode", "'hex'") => ("lower(to_hex(", "))"),
                    ("encode", "'base64'") => ("to_base64(", ")"),
                    ("decode", "'hex'") => ("from_hex(", ")"),
                    ("decode", "'base64'") => ("from_base64(", ")"),
                    _ => {
                        return Err(
                            self.fail(form.0, Error::unsupported("of forms, hex and base64 are supported"))
                        );
                    }
                };
                self.wrap(at, before, &[*value], after)?;
            }
            ("regexp_replace", [a, b, c, flags]) if self.keeps && self.text_of(*flags) == "'g'" => {
                let with = self.replacement(*c)?;
                self.wrap(at, "regexp_replace(", &[*a, *b], &format!(", {})", quote_string(&with)))?;
            }
            ("regexp_replace", [_, _, _] | [_, _, _, _]) => self.own(at, "regexp_replace", &arguments)?,
            ("substring" | "substr", [whole]) => return self.substring(at, close, *whole),
            ("substring" | "substr", [_, _] | [_, _, _]) if !self.keeps => {
                self.own(at, "substring", &arguments)?;
            }
            ("split_part", [_, _, _]) if !self.keeps => self.own(at, "split_part", &arguments)?,
            ("left" | "right", [_, _]) => self.own(at, &name, &arguments)?,
            ("pg_typeof", [_]) => {
                self.check_not_kept(at, "pg_typeof")?;
                self.wrap(at, "\"$pg_type\"(typeof(", &arguments, "))")?;
            }
            ("timezone", [zone, value]) => self.own(at, "timezone", &[*value, *zone])?,
            ("date_trunc", [unit, value, zone]) => self.date_trunc_in(at, &[*unit, *value, *zone])?,
            ("to_char", [_, _]) if !self.keeps => self.own(at, "to_char", &arguments)?,
            ("to_timestamp", [value, pattern]) => {
                let format = self.date_format(*pattern)?;
                let end = format!(", {}) AS timestamp(6) with time zone)", quote_string(&format));
                self.wrap(at, "CAST(date_parse(", &[*value], &end)?;
            }
            ("to_char", [value, pattern]) => {
                let format = self.date_format(*pattern)?;
                self.wrap(at, "date_format(", &[*value], &format!(", {})", quote_string(&format)))?;
            }
            ("to_date", [value, pattern]) => {
                let format = self.date_format(*pattern)?;
                let end = format!(", {}) AS date)", quote_string(&format));
                self.wrap(at, "CAST(date_parse(", &[*value], &end)?;
            }
            ("date_part", [field, value]) => {
                let field = self.field(field.0);
                self.date_part(at, &field, *value)?;
            }
            ("extract", [whole]) if self.tokens.get(whole.0 + 1).is_some_and(|token| token.is("FROM")) => {
                let field = self.field(whole.0);
                if !self.is_other_field(whole.0, &field) {
                    return Ok(None);
                }
                self.date_part(at, &field, (whole.0 + 2, whole.1))?;
            }
            ("string_agg", [_, _]) => return self.string_agg(at, close, &arguments).map(Some),
            ("cast", [whole]) => return self.cast_call(at, close, *whole),
            ("generate_series" | "unnest", _) if in_from && !arguments.is_empty() => {
                return self.series(at, close, to, &name, &arguments).map(Some);
            }
            ("generate_series" | "unnest", _) => {
                let error = Error::unsupported(format!("{name} stands in FROM alone here"))
                    .hint(format!("write SELECT x FROM {name}(…) AS t(x)"));
                return Err(self.fail(at, error));
            }
            _ => return Ok(None),
        }
        Ok(Some(close + 1))
    }

    /// The arguments between two parentheses, as ranges of tokens.
    fn arguments(&self, from: usize, to: usize) -> Vec<(usize, usize)> {
        self.worked(to.saturating_sub(from));
        let (mut all, mut start, mut depth) = (Vec::new(), from, 0_usize);
        for at in from..to {
            if self.is_symbol(at, "(") || self.is_symbol(at, "[") {
                depth += 1;
            } else if self.is_symbol(at, ")") || self.is_symbol(at, "]") {
                depth = depth.saturating_sub(1);
            } else if depth == 0 && self.is_symbol(at, ",") {
                all.push((start, at));
                start = at + 1;
            }
        }
        if start < to {
            all.push((start, to));
        }
        all
    }

    pub(super) fn text_of(&self, (from, to): (usize, usize)) -> &str {
        let start = self.tokens.get(from).map_or(0, |token| token.start);
        let end = to.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(start, |token| token.end);
        self.text.get(start..end).unwrap_or_default()
    }

    /// Refuses what a view cannot keep: it is read in Athena's language, whoever asks.
    pub(super) fn check_not_kept(&self, at: usize, what: &str) -> Result<()> {
        if !self.keeps {
            return Ok(());
        }
        let error = Error::unsupported(format!("a view or a kept statement cannot have PostgreSQL's {what}"))
            .why("it is kept in Athena's language")
            .hint("use a function of Athena's: `glulam sql --reference`");
        Err(self.fail(at, error))
    }

    /// A call of a function in PostgreSQL's meaning.
    fn own(&mut self, at: usize, name: &str, arguments: &[(usize, usize)]) -> Result<()> {
        self.check_not_kept(at, name)?;
        self.wrap(at, &format!("\"$pg_{name}\"("), arguments, ")")
    }

    /// `substring(x FROM 2 FOR 3)`, `substring(x FROM pattern)`, `substring(x FOR 3)`
    fn substring(&mut self, at: usize, close: usize, whole: (usize, usize)) -> Result<Option<usize>> {
        let place = |word: &str| {
            let mut depth = 0_usize;
            (whole.0..whole.1).find(|at| {
                let sign = |symbol: &str| self.is_symbol(*at, symbol);
                depth += usize::from(sign("(") || sign("["));
                depth = depth.saturating_sub(usize::from(sign(")") || sign("]")));
                depth == 0 && self.is(*at, word)
            })
        };
        self.worked(2 * whole.1.saturating_sub(whole.0));
        match (place("FROM"), place("FOR")) {
            _ if self.keeps => return Ok(None),
            (Some(from), None) => {
                self.own(at, "substring", &[(whole.0, from), (from + 1, whole.1)])?;
            }
            (Some(from), Some(length)) if from < length => {
                self.own(at, "substring", &[(whole.0, from), (from + 1, length), (length + 1, whole.1)])?;
            }
            (None, Some(length)) => {
                self.wrap(at, "\"$pg_substring\"(", &[(whole.0, length)], ", 1,")?;
                self.group(length + 1, whole.1)?;
                self.push(")", close);
            }
            _ => return Ok(None),
        }
        Ok(Some(close + 1))
    }

    pub(super) fn wrap(
        &mut self,
        at: usize,
        before: &str,
        arguments: &[(usize, usize)],
        after: &str,
    ) -> Result<()> {
        self.push(before, at);
        for (index, (from, to)) in arguments.iter().enumerate() {
            if index > 0 {
                self.push(",", *from);
            }
            self.group(*from, *to)?;
        }
        self.push(after, at);
        Ok(())
    }

    /// `string_agg(x, ',' ORDER BY y)` joins what `array_agg` gathers; NULLs are left out, and of nothing comes NULL.
    fn string_agg(&mut self, at: usize, close: usize, arguments: &[(usize, usize)]) -> Result<usize> {
        let [value, rest] = arguments else {
            return Err(self.fail(at, Error::invalid("string_agg takes a value and a text that separates")));
        };
        // The condition of a FILTER goes where the NULLs are left out.
        let filter = if self.is(close + 1, "FILTER")
            && self.is_symbol(close + 2, "(")
            && self.is(close + 3, "WHERE")
        {
            Some((close + 4, self.closing(close + 2, self.tokens.len())?))
        } else {
            None
        };
        let end = filter.map_or(close, |(_, end)| end);
        if self.is(end + 1, "OVER") || (filter.is_none() && self.is(close + 1, "FILTER")) {
            let error = Error::unsupported("string_agg with OVER is not supported")
                .hint("write array_join(array_agg(x) OVER (…), ',')");
            return Err(self.fail(end + 1, error));
        }
        if self.in_string_agg {
            let error = Error::unsupported("string_agg inside of string_agg is not supported")
                .hint("write the inner one in a query of its own: WITH x AS (SELECT string_agg(…) …)");
            return Err(self.fail(at, error));
        }
        let order = (rest.0..rest.1).find(|at| self.tokens.get(*at).is_some_and(|token| token.is("ORDER")));
        self.worked(rest.1.saturating_sub(rest.0));
        self.in_string_agg = true;
        let separator = (rest.0, order.unwrap_or(rest.1));
        let is_distinct = self.tokens.get(value.0).is_some_and(|token| token.is("DISTINCT"));
        self.push("array_join(array_agg(", at);
        self.group(value.0, value.1)?;
        if let Some(order) = order {
            self.group(order, rest.1)?;
        }
        self.push(") FILTER (WHERE", at);
        self.group(value.0 + usize::from(is_distinct), value.1)?;
        self.push("IS NOT NULL", at);
        if let Some((from, to)) = filter {
            self.push("AND (", from);
            self.group(from, to)?;
            self.push(")", to);
        }
        self.push("),", at);
        self.group(separator.0, separator.1)?;
        self.push(")", close);
        self.in_string_agg = false;
        Ok(end + 1)
    }

    /// What `regexp_replace` puts in, with groups as the engine's language writes them: `$1` and not `\1`.
    fn replacement(&self, with: (usize, usize)) -> Result<String> {
        let token = self.tokens.get(with.0).filter(|t| t.kind == Kind::Text && with.1 == with.0 + 1);
        let Some(token) = token else {
            let error = Error::unsupported("what regexp_replace puts in must be a text in quotes here");
            return Err(self.fail(with.0, error));
        };
        let mut written = String::new();
        let mut chars = token.value.chars();
        // A digit behind the number of a group would be read as a part of it.
        let mut is_group = false;
        while let Some(c) = chars.next() {
            let was_group = std::mem::take(&mut is_group);
            match c {
                '\\' => match chars.next() {
                    Some(digit @ '0'..='9') => {
                        written.extend(['$', digit]);
                        is_group = true;
                    }
                    Some('&') => {
                        written.push_str("$0");
                        is_group = true;
                    }
                    Some('\\') | None => written.push_str("\\\\"),
                    Some(other) => written.extend(['\\', '\\', '\\', other]),
                },
                '$' => written.push_str("\\$"),
                c if was_group && c.is_ascii_digit() => written.extend(['\\', c]),
                c => written.push(c),
            }
        }
        Ok(written)
    }

    /// `CAST(x AS type)` with one of PostgreSQL's names for the type.
    fn cast_call(&mut self, at: usize, close: usize, whole: (usize, usize)) -> Result<Option<usize>> {
        let mut depth = 0_usize;
        let mut found = None;
        self.worked(whole.1.saturating_sub(whole.0));
        for at in whole.0..whole.1 {
            if self.is_symbol(at, "(") {
                depth += 1;
            } else if self.is_symbol(at, ")") {
                depth = depth.saturating_sub(1);
            } else if depth == 0 && self.tokens.get(at).is_some_and(|token| token.is("AS")) {
                found = Some(at);
            }
        }
        let Some(middle) = found else { return Ok(None) };
        let Some(name) = type_name(self.tokens.get(middle + 1..close).unwrap_or_default()) else {
            return Ok(None);
        };
        let value = self.tokens.get(whole.0).filter(|t| t.kind == Kind::Text && whole.0 + 1 == middle);
        if name.name == "interval"
            && !name.is_array
            && let Some(value) = value
        {
            let text = span(&value.value).and_then(Span::engine).map_err(|e| self.fail(whole.0, e))?;
            self.push(text, at);
            return Ok(Some(close + 1));
        }
        let written = self.tokens.get(middle + 1).map(Token::name).unwrap_or_default();
        let is_own =
            matches!(written.as_str(), "decimal" | "json" | "time" | "timestamp" | "char" | "interval");
        if middle + 1 + name.length != close || is_own {
            return Ok(None);
        }
        if matches!(name.name.as_str(), "jsonb") {
            self.wrap(at, "json_parse(", &[(whole.0, middle)], ")")?;
            return Ok(Some(close + 1));
        }
        let Ok(engine) = name.engine() else { return Ok(None) };
        self.wrap(at, "CAST(", &[(whole.0, middle)], &format!(" AS {engine})"))?;
        Ok(Some(close + 1))
    }
}
