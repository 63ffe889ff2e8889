//! Functions that PostgreSQL and the engine's language name or call differently.

use super::lexer::{Kind, Token};
use super::translate::Rewriter;
use super::types::type_name;
use model::{Error, Result};
use sql::{quote_ident, quote_string};

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
            ("cardinality" | "unnest", [_]) if !in_from => return Ok(None),
            ("regexp_replace", [a, b, c, flags]) if self.text_of(*flags) == "'g'" => {
                let with = self.replacement(*c)?;
                self.wrap(at, "regexp_replace(", &[*a, *b], &format!(", {})", quote_string(&with)))?;
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
                let field = self.tokens.get(field.0).filter(|token| token.kind == Kind::Text);
                let field = field.map(|token| token.value.clone()).unwrap_or_default();
                self.date_part(at, &field, *value)?;
            }
            ("extract", [whole]) if self.tokens.get(whole.0 + 1).is_some_and(|token| token.is("FROM")) => {
                let field = self.tokens.get(whole.0).map(|token| token.value.clone()).unwrap_or_default();
                if !matches!(field.to_lowercase().as_str(), "epoch" | "dow" | "isodow") {
                    return Ok(None);
                }
                self.date_part(at, &field, (whole.0 + 2, whole.1))?;
            }
            ("string_agg", [_, _]) => return self.string_agg(at, close, &arguments).map(Some),
            ("cast", [whole]) => return self.cast_call(at, close, *whole),
            ("generate_series" | "unnest", _) if in_from && !arguments.is_empty() => {
                return self.series(at, close, to, &name, &arguments).map(Some);
            }
            ("pg_typeof", _) => {
                let error = Error::unsupported("pg_typeof is answered for constants of the catalog alone")
                    .hint("typeof(x) says a type in the engine's words");
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

    fn text_of(&self, (from, to): (usize, usize)) -> &str {
        let start = self.tokens.get(from).map_or(0, |token| token.start);
        let end = to.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(start, |token| token.end);
        self.text.get(start..end).unwrap_or_default()
    }

    fn wrap(&mut self, at: usize, before: &str, arguments: &[(usize, usize)], after: &str) -> Result<()> {
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

    fn date_part(&mut self, at: usize, field: &str, value: (usize, usize)) -> Result<()> {
        let field = field.to_lowercase();
        match field.as_str() {
            "epoch" => self.wrap(at, "to_unixtime(", &[value], ")"),
            // PostgreSQL's weeks begin with Sunday as 0, the engine's with Monday as 1.
            "dow" => self.wrap(at, "(day_of_week(", &[value], ") % 7)"),
            "isodow" => self.wrap(at, "day_of_week(", &[value], ")"),
            "doy" => self.wrap(at, "day_of_year(", &[value], ")"),
            "year" | "quarter" | "month" | "week" | "day" | "hour" | "minute" => {
                self.wrap(at, &format!("extract({field} FROM"), &[value], ")")
            }
            other => {
                let error = Error::unsupported(format!("date_part has no `{other}` here"))
                    .hint("year, quarter, month, week, day, dow, isodow, doy, hour, minute, epoch");
                Err(self.fail(at, error))
            }
        }
    }

    /// `string_agg(x, ',' ORDER BY y)` joins what `array_agg` gathers; NULLs are left out, and of nothing comes NULL.
    fn string_agg(&mut self, at: usize, close: usize, arguments: &[(usize, usize)]) -> Result<usize> {
        let [value, rest] = arguments else {
            return Err(self.fail(at, Error::invalid("string_agg takes a value and a text that separates")));
        };
        if self.tokens.get(close + 1).is_some_and(|token| token.is("FILTER") || token.is("OVER")) {
            let error = Error::unsupported("string_agg with FILTER or OVER is not supported")
                .hint("write array_join(array_agg(x) FILTER (WHERE …), ',')");
            return Err(self.fail(close + 1, error));
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
        self.push("IS NOT NULL),", at);
        self.group(separator.0, separator.1)?;
        self.push(")", close);
        self.in_string_agg = false;
        Ok(close + 1)
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

    /// `FROM generate_series(1, 3) AS g`: the alias names the table and its column.
    fn series(
        &mut self,
        at: usize,
        close: usize,
        to: usize,
        name: &str,
        arguments: &[(usize, usize)],
    ) -> Result<usize> {
        match (name, arguments) {
            ("generate_series", [from, to, rest @ ..]) => self.sequence(at, *from, *to, rest, arguments)?,
            _ => self.wrap(at, "UNNEST(", arguments, ")")?,
        }
        let mut next = close + 1;
        if self.tokens.get(next).is_some_and(|token| token.is("WITH")) {
            return Ok(next);
        }
        let has_as = next < to && self.tokens.get(next).is_some_and(|token| token.is("AS"));
        if has_as {
            next += 1;
        }
        const WORDS: [&str; 14] = [
            "WHERE", "GROUP", "ORDER", "LIMIT", "OFFSET", "CROSS", "JOIN", "LEFT", "RIGHT", "INNER", "FULL",
            "ON", "HAVING", "UNION",
        ];
        let alias = self
            .tokens
            .get(next)
            .filter(|token| next < to && token.is_name() && !WORDS.iter().any(|word| token.is(word)));
        match alias {
            Some(_) => {
                if has_as {
                    self.push("as", next - 1);
                }
                let name = self.text_of((next, next + 1)).to_owned();
                if self.is_symbol(next + 1, "(") {
                    self.push(name, next);
                } else {
                    self.push(format!("{name}({name})"), next);
                }
                Ok(next + 1)
            }
            None => {
                let name = quote_ident(name);
                self.push(format!("as {name}({name})"), at);
                Ok(next)
            }
        }
    }

    /// The numbers of a series. The engine's sequence counts down where PostgreSQL's series has nothing in it.
    fn sequence(
        &mut self,
        at: usize,
        from: (usize, usize),
        to: (usize, usize),
        step: &[(usize, usize)],
        arguments: &[(usize, usize)],
    ) -> Result<()> {
        let number = |piece: (usize, usize)| self.text_of(piece).parse::<i64>().ok();
        let rises = match step {
            [] => Some(true),
            [step] => number(*step).filter(|step| *step != 0).map(|step| step > 0),
            _ => None,
        };
        let is_plain = match (number(from), number(to), rises) {
            (Some(from), Some(to), Some(true)) => from <= to,
            (Some(from), Some(to), Some(false)) => from >= to,
            _ => false,
        };
        let Some(rises) = rises.filter(|_| !is_plain) else {
            return self.wrap(at, "UNNEST(sequence(", arguments, "))");
        };
        self.push("UNNEST(CASE WHEN", at);
        self.group(from.0, from.1)?;
        self.push(if rises { "<=" } else { ">=" }, at);
        self.group(to.0, to.1)?;
        self.wrap(at, "THEN sequence(", arguments, ") END)")
    }

    /// A pattern of `to_char` as one of `date_format`.
    fn date_format(&self, pattern: (usize, usize)) -> Result<String> {
        let token = self.tokens.get(pattern.0).filter(|t| t.kind == Kind::Text && pattern.1 == pattern.0 + 1);
        let Some(token) = token else {
            let error =
                Error::unsupported("the pattern of to_char and to_date must be a text in quotes here");
            return Err(self.fail(pattern.0, error));
        };
        const PARTS: [(&str, &str); 17] = [
            ("YYYY", "%Y"),
            ("HH24", "%H"),
            ("HH12", "%I"),
            ("FMMonth", "%M"),
            ("FMDay", "%W"),
            ("DDD", "%j"),
            ("Mon", "%b"),
            ("YY", "%y"),
            ("MM", "%m"),
            ("DD", "%d"),
            ("HH", "%I"),
            ("MI", "%i"),
            ("SS", "%s"),
            ("US", "%f"),
            ("AM", "%p"),
            ("PM", "%p"),
            ("Dy", "%a"),
        ];
        let (mut format, mut rest) = (String::new(), token.value.as_str());
        'parts: while let Some(first) = rest.chars().next() {
            for (part, written) in PARTS {
                if let Some(behind) = rest.strip_prefix(part) {
                    format.push_str(written);
                    rest = behind;
                    continue 'parts;
                }
            }
            if let Some((inside, behind)) = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
                format.push_str(&inside.replace('%', "%%"));
                rest = behind;
                continue;
            }
            if first.is_ascii_alphanumeric() {
                let error = Error::unsupported(format!("the pattern `{}` is not supported at `{rest}`", token.value))
                    .hint("YYYY, YY, MM, Mon, FMMonth, DD, DDD, Dy, FMDay, HH24, HH12, MI, SS, US, AM and signs are")
                    .hint("date_format(x, '%Y-%m-%d') takes the engine's own patterns");
                return Err(self.fail(pattern.0, error));
            }
            format.push_str(if first == '%' {
                "%%"
            } else {
                rest.get(..first.len_utf8()).unwrap_or_default()
            });
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
        Ok(format)
    }
}
