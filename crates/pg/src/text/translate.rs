//! PostgreSQL's spellings, written as the engine's language writes them. It works on tokens with the parentheses known,
//! one group after the other, and keeps for every piece the place it came from, so that a mistake is shown where the
//! user made it. What it does not know it leaves to the engine's parser, which knows its language.

use super::interval::span;
use super::lexer::{Kind, Token};
use super::types::type_name;
use model::{Error, Result, SourcePlace};
use sql::quote_string;

/// Who asks, for functions that say so.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// The name of the database, as the client said it.
    pub(crate) database: String,
    /// The schema in which names are looked up.
    pub(crate) schema: String,
    /// The user.
    pub(crate) user: String,
    /// What `version()` says.
    pub(crate) version: String,
    /// The number of this connection.
    pub(crate) process: i32,
}

/// A statement in the engine's language.
#[derive(Debug, Clone, Default)]
pub(crate) struct Translated {
    /// The text, all in one line.
    pub(crate) text: String,
    /// For each `?` of it, which parameter it stands for, from 1.
    pub(crate) parameters: Vec<usize>,
    /// Where pieces of the text begin, in characters, and where in the original, in bytes.
    places: Vec<(usize, usize)>,
}

impl Translated {
    /// The byte in the original text that belongs to a column, in characters from 1, of this one.
    pub(crate) fn original(&self, column: usize) -> Option<usize> {
        let at = self.places.partition_point(|(from, _)| *from < column);
        self.places.get(at.checked_sub(1)?).map(|(_, original)| *original)
    }
}

/// Whether the statement is one of Hive's definitions, in whose words nothing is PostgreSQL's.
fn is_definition(tokens: &[Token]) -> bool {
    let word = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(word));
    if ["ALTER", "DROP", "MSCK", "SHOW", "DESC", "DESCRIBE"].iter().any(|first| word(0, first)) {
        return true;
    }
    if !word(0, "CREATE") {
        return false;
    }
    if ["EXTERNAL", "DATABASE", "SCHEMA"].iter().any(|second| word(1, second)) {
        return true;
    }
    word(1, "TABLE") && !tokens.iter().any(|token| token.is("SELECT") || token.is("VALUES"))
}

/// Writes a statement as the engine's language writes it.
pub(crate) fn translate(text: &str, tokens: &[Token], facts: &Facts) -> Result<Translated> {
    if is_definition(tokens) {
        return Ok(as_it_is(text, tokens));
    }
    let mut rewriter = Rewriter { text, tokens, facts, out: Vec::new(), depth: 0 };
    rewriter.group(0, tokens.len())?;
    Ok(rewriter.finish())
}

/// The text unchanged, but for its line breaks between tokens.
fn as_it_is(text: &str, tokens: &[Token]) -> Translated {
    let mut translated = Translated::default();
    let mut end = None;
    for token in tokens {
        if end.is_some_and(|end| end < token.start) {
            translated.text.push(' ');
        }
        translated.places.push((translated.text.chars().count(), token.start));
        translated.text.push_str(text.get(token.start..token.end).unwrap_or_default());
        end = Some(token.end);
    }
    translated
}

/// How deep parentheses may nest.
const MAX_DEPTH: usize = 200;

/// A piece of the new text.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    text: String,
    at: usize,
    parameter: Option<usize>,
}

pub(super) struct Rewriter<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token],
    pub(super) facts: &'a Facts,
    pub(super) out: Vec<Piece>,
    depth: usize,
}

/// Where the parts of an expression began that later signs may refer to.
#[derive(Default)]
struct Part {
    /// The first piece of the primary expression that ended last.
    primary: Option<usize>,
    /// The first piece of the operand of a comparison.
    operand: usize,
    /// What has to be written before the next word that ends an operand.
    closing: Vec<&'static str>,
    /// For each open CASE: its first piece, the operand around it, how much was to be closed around it.
    cases: Vec<(usize, usize, usize)>,
    /// Whether tables are being named.
    in_from: bool,
}

/// Words at which an operand of a comparison ends.
const BOUNDARIES: &[&str] = &[
    "AND", "OR", "NOT", "WHERE", "ON", "WHEN", "THEN", "ELSE", "SELECT", "FROM", "HAVING", "GROUP", "ORDER",
    "BY", "LIMIT", "OFFSET", "FETCH", "UNION", "INTERSECT", "EXCEPT", "AS", "ASC", "DESC", "NULLS", "DISTINCT",
    "ALL", "JOIN", "LEFT", "RIGHT", "INNER", "FULL", "CROSS", "USING", "SET", "VALUES", "IS", "IN", "LIKE",
    "BETWEEN", "ESCAPE", "RETURNING", "OVER", "WINDOW", "FILTER", "WITH", "INTO", "UPDATE", "DELETE", "INSERT",
    "CASE", "SIMILAR",
];

/// Words before a parenthesis that are no functions.
const NO_FUNCTIONS: &[&str] = &[
    "IN", "AND", "OR", "NOT", "EXISTS", "ANY", "ALL", "SOME", "VALUES", "FROM", "JOIN", "ON", "USING", "SELECT",
    "WHERE", "HAVING", "BY", "AS", "WHEN", "THEN", "ELSE", "CASE", "OVER", "FILTER", "UNION", "EXCEPT", "LIMIT",
    "INTERSECT", "LATERAL", "WITH", "IS", "LIKE", "ILIKE", "BETWEEN", "OFFSET", "SET", "DISTINCT", "GROUP",
];

impl Rewriter<'_> {
    pub(super) fn fail(&self, at: usize, error: Error) -> Error {
        let (start, end) = self.tokens.get(at).map_or((0, 0), |token| (token.start, token.end));
        error.at_if_unknown(|| SourcePlace::of_bytes("<query>", self.text, start, end).into())
    }

    pub(super) fn push(&mut self, text: impl Into<String>, at: usize) {
        let at = self.tokens.get(at).map_or(self.text.len(), |token| token.start);
        self.out.push(Piece { text: text.into(), at, parameter: None });
    }

    fn insert(&mut self, before: usize, text: impl Into<String>) {
        let at = self.out.get(before).map_or(0, |piece| piece.at);
        self.out.insert(before.min(self.out.len()), Piece { text: text.into(), at, parameter: None });
    }

    fn is(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is(word))
    }

    pub(super) fn is_symbol(&self, at: usize, symbol: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_symbol(symbol))
    }

    /// The token that closes the parenthesis or bracket at `open`.
    pub(super) fn closing(&self, open: usize, end: usize) -> Result<usize> {
        let mut depth = 0_usize;
        for at in open..end {
            match self.tokens.get(at) {
                Some(token) if token.is_symbol("(") || token.is_symbol("[") => depth += 1,
                Some(token) if token.is_symbol(")") || token.is_symbol("]") => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Ok(at);
                    }
                }
                _ => {}
            }
        }
        Err(self.fail(open, Error::invalid("a parenthesis is not closed")))
    }

    /// Rewrites the tokens of one group of parentheses.
    pub(super) fn group(&mut self, from: usize, to: usize) -> Result<()> {
        if self.depth >= MAX_DEPTH {
            return Err(self.fail(from, Error::new(model::ErrorKind::LimitExceeded, "the statement nests too deep")));
        }
        self.depth += 1;
        let mut part = Part { operand: self.out.len(), ..Part::default() };
        let mut at = from;
        while at < to {
            at = self.one(at, from, to, &mut part)?;
        }
        self.close(&mut part, 0, to);
        self.depth -= 1;
        Ok(())
    }

    fn close(&mut self, part: &mut Part, floor: usize, at: usize) {
        while part.closing.len() > floor {
            if let Some(text) = part.closing.pop() {
                self.push(text, at);
            }
        }
    }

    /// Ends the operand of a comparison.
    fn boundary(&mut self, part: &mut Part, at: usize) {
        let floor = part.cases.last().map_or(0, |case| case.2);
        self.close(part, floor, at);
        part.primary = None;
    }

    /// Rewrites what begins at this token; answers where it goes on.
    fn one(&mut self, at: usize, from: usize, to: usize, part: &mut Part) -> Result<usize> {
        let Some(token) = self.tokens.get(at) else { return Ok(to) };
        match token.kind {
            Kind::Symbol => self.symbol(at, from, to, part),
            Kind::Word => self.word(at, from, to, part),
            Kind::Text => {
                // `DATE '2024-01-01'`: the word belongs to the text.
                let typed = at > from && self.tokens.get(at - 1).is_some_and(|before| before.kind == Kind::Word);
                if !typed || part.primary.is_none() {
                    part.primary = Some(self.out.len());
                }
                self.push(quote_string(&token.value), at);
                Ok(at + 1)
            }
            Kind::Parameter => {
                part.primary = Some(self.out.len());
                let number = token.value.parse().ok().filter(|n| (1..=65_535).contains(n));
                let number = number.ok_or_else(|| self.fail(at, Error::invalid("there is no such parameter")))?;
                self.out.push(Piece { text: "?".into(), at: token.start, parameter: Some(number) });
                Ok(at + 1)
            }
            Kind::Quoted | Kind::Number | Kind::Hex => {
                if at == from || !self.is_symbol(at - 1, ".") {
                    part.primary = Some(self.out.len());
                }
                let next = self.catalog_prefix(at, part);
                if next > at {
                    return Ok(next);
                }
                self.push(self.text.get(token.start..token.end).unwrap_or_default(), at);
                Ok(at + 1)
            }
        }
    }

    /// How far the name of the database stands before a schema's: it is left away.
    fn catalog_prefix(&self, at: usize, part: &Part) -> usize {
        let name = |at: usize| self.tokens.get(at).filter(|token| token.is_name()).map(Token::name);
        let is_prefix = part.in_from
            && (at == 0 || !self.is_symbol(at - 1, "."))
            && self.is_symbol(at + 1, ".")
            && name(at + 2).is_some()
            && self.is_symbol(at + 3, ".")
            && name(at + 4).is_some()
            && name(at).is_some_and(|name| name == self.facts.database || name == "awsdatacatalog");
        if is_prefix { at + 2 } else { at }
    }

    fn symbol(&mut self, at: usize, from: usize, to: usize, part: &mut Part) -> Result<usize> {
        let Some(token) = self.tokens.get(at) else { return Ok(to) };
        match token.value.as_str() {
            open @ ("(" | "[") => {
                let close = self.closing(at, to)?;
                let before = at.checked_sub(1).filter(|before| *before >= from);
                let continues = before.and_then(|before| self.tokens.get(before)).is_some_and(|before| {
                    let is_word = before.kind == Kind::Word
                        && !NO_FUNCTIONS.iter().any(|word| before.is(word));
                    is_word || before.kind == Kind::Quoted || before.is_symbol(")") || before.is_symbol("]")
                });
                if !continues || part.primary.is_none() {
                    part.primary = Some(self.out.len());
                }
                self.push(open, at);
                self.group(at + 1, close)?;
                self.push(if open == "(" { ")" } else { "]" }, close);
                Ok(close + 1)
            }
            "::" => self.cast(at, part),
            operator @ ("~" | "~*" | "!~" | "!~*") if part.primary.is_some() => {
                let negated = operator.starts_with('!');
                self.insert(part.operand, if negated { "(NOT regexp_like(" } else { "regexp_like(" });
                self.push(",", at);
                if operator.ends_with('*') {
                    self.push("'(?i)' ||", at);
                }
                part.closing.push(if negated { "))" } else { ")" });
                part.primary = None;
                Ok(at + 1)
            }
            "=" | "<>" | "!=" if self.is_list(at + 1, to) => self.any(at, to, part),
            "," | "=" | "<" | ">" | "<=" | ">=" | "<>" | "!=" => {
                self.boundary(part, at);
                self.push(token.value.clone(), at);
                part.operand = self.out.len();
                Ok(at + 1)
            }
            ":=" => Err(self.fail(at, Error::unsupported("named arguments are not supported"))),
            other => {
                if other != "." {
                    part.primary = None;
                }
                self.push(other, at);
                Ok(at + 1)
            }
        }
    }

    /// Whether `ANY (array)` or `ALL (array)` begins here, and not a query.
    fn is_list(&self, at: usize, to: usize) -> bool {
        let is_word = self.is(at, "ANY") || self.is(at, "SOME") || self.is(at, "ALL");
        let is_query = ["SELECT", "VALUES", "WITH", "TABLE"].iter().any(|word| self.is(at + 2, word));
        is_word && at + 2 < to && self.is_symbol(at + 1, "(") && !is_query
    }

    /// `x = ANY (array)` and `x <> ALL (array)` ask whether the array contains the value.
    fn any(&mut self, at: usize, to: usize, part: &mut Part) -> Result<usize> {
        let equal = self.is_symbol(at, "=");
        let all = self.is(at + 1, "ALL");
        if equal == all {
            let error = Error::unsupported("of comparisons with an array, `= ANY` and `<> ALL` are supported");
            return Err(self.fail(at, error));
        }
        let value = self.out.split_off(part.operand.min(self.out.len()));
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
    fn cast(&mut self, at: usize, part: &mut Part) -> Result<usize> {
        let Some(start) = part.primary else {
            return Err(self.fail(at, Error::invalid("there is nothing before `::` to cast")));
        };
        let name = type_name(self.tokens.get(at + 1..).unwrap_or_default())
            .ok_or_else(|| self.fail(at + 1, Error::invalid("`::` wants the name of a type")))?;
        let next = at + 1 + name.length;
        let before = self.tokens.get(at - 1);
        let literal = before.filter(|token| token.kind == Kind::Text && start + 1 == self.out.len());
        match (name.name.as_str(), literal) {
            ("interval", Some(literal)) => {
                let text = span(&literal.value).and_then(super::interval::Span::engine);
                let text = text.map_err(|e| self.fail(at - 1, e))?;
                self.out.truncate(start);
                self.push(text, at - 1);
            }
            ("json" | "jsonb", _) if !name.is_array => {
                self.insert(start, "json_parse(");
                self.push(")", at);
            }
            _ => {
                let engine = name.engine().map_err(|e| self.fail(at + 1, e))?;
                self.insert(start, "CAST(");
                self.push(format!("AS {engine})"), at + 1);
            }
        }
        Ok(next)
    }

    fn word(&mut self, at: usize, from: usize, to: usize, part: &mut Part) -> Result<usize> {
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
                part.closing.push(")");
                part.primary = None;
                return Ok(at + 1);
            }
            "NOT" if ["LIKE", "ILIKE", "IN", "BETWEEN", "SIMILAR"].iter().any(|next| self.is(at + 1, next)) => {
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
            "CURRENT_SCHEMA" | "CURRENT_CATALOG" | "CURRENT_USER" | "SESSION_USER" | "CURRENT_ROLE" if !is_call => {
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
                "SELECT" | "WHERE" | "GROUP" | "ORDER" | "HAVING" | "SET" | "ON" | "LIMIT" => part.in_from = false,
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

    /// Where OFFSET begins that stands behind this LIMIT: the engine's language has them the other way round.
    fn offset_behind(&self, at: usize, to: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for next in at + 1..to {
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
        let Some(text) = self.tokens.get(at + 1).filter(|token| token.kind == Kind::Text) else { return Ok(None) };
        if UNITS.iter().any(|unit| self.is(at + 2, unit)) {
            return Ok(None);
        }
        let written = span(&text.value).and_then(super::interval::Span::engine);
        let written = written.map_err(|e| self.fail(at + 1, e))?;
        part.primary = Some(self.out.len());
        self.push(written, at);
        Ok(Some(at + 2))
    }

    fn finish(self) -> Translated {
        let mut translated = Translated::default();
        let mut length = 0;
        for piece in self.out {
            let text = &translated.text;
            let tight = text.is_empty()
                || text.ends_with(['(', '.', '['])
                || matches!(piece.text.as_str(), ")" | "." | "," | "]" | "[");
            if !tight {
                translated.text.push(' ');
                length += 1;
            }
            translated.places.push((length, piece.at));
            length += piece.text.chars().count();
            translated.text.push_str(&piece.text);
            translated.parameters.extend(piece.parameter);
        }
        translated
    }
}

#[cfg(test)]
mod tests {
    use super::super::lexer::tokens;
    use super::*;

    fn facts() -> Facts {
        Facts {
            database: "glulam".into(),
            schema: "lake".into(),
            user: "test".into(),
            version: "PostgreSQL 16".into(),
            process: 7,
        }
    }

    fn written(text: &str) -> String {
        translate(text, &tokens(text).unwrap(), &facts()).unwrap_or_else(|e| panic!("{text}: {e:?}")).text
    }

    #[test]
    fn spellings() {
        for (postgres, engine) in [
            ("select a::int8 + b.c::text", "select CAST(a AS bigint) + CAST(b.c AS varchar)"),
            ("select f(x)::int::text", "select CAST(CAST(f (x) AS integer) AS varchar)"),
            ("select (a+b)::numeric(10,2)", "select CAST((a + b) AS decimal(10,2))"),
            ("select x[1]::date", "select CAST(x[1] AS date)"),
            ("select '{}'::jsonb", "select json_parse('{}')"),
            ("select case when a then 1 end::float8", "select CAST(CASE when a then 1 END AS double)"),
            ("select date '2024-01-01'::timestamp", "select CAST(date '2024-01-01' AS timestamp(6))"),
            ("select $2, $1, $2::int", "select ?, ?, CAST(? AS integer)"),
            ("where a || b ilike 'x%' and c", "where lower(a || b) LIKE lower('x%') and c"),
            ("where a not ilike b escape '!'", "where lower(a) NOT LIKE lower(b) escape '!'"),
            ("where a ~* '^x' or b !~ 'y'", "where regexp_like(a, '(?i)' || '^x') or (NOT regexp_like(b, 'y'))"),
            ("select a = any($1), b <> all(array[1])", "select contains(?, a), (NOT contains(array[1], b))"),
            ("select 1 limit 5 offset 2", "select 1 offset 2 limit 5"),
            ("select E'it\\'s\\n'", "select 'it''s\n'"),
            ("select now() - interval '1 day'", "select now () - INTERVAL '1' DAY"),
            ("select now() - interval '1' day", "select now () - interval '1' day"),
            ("select interval '90 minutes'", "select INTERVAL '5400' SECOND"),
            ("select current_schema(), current_user", "select 'lake', 'test'"),
            ("from glulam.lake.t, awsdatacatalog.\"x\".t", "from lake.t, \"x\".t"),
            ("select pg_catalog.lower(a)", "select lower (a)"),
            ("select to_char(ts, 'YYYY-MM-DD HH24:MI:SS')", "select date_format(ts, '%Y-%m-%d %H:%i:%s')"),
            ("from generate_series(1, 3) as g", "from UNNEST(sequence(1, 3)) as g(g)"),
            ("from generate_series(1, 3)", "from UNNEST(sequence(1, 3)) as generate_series(generate_series)"),
            ("from generate_series(1, 3) g(i) where", "from UNNEST(sequence(1, 3)) g (i) where"),
            (
                "select string_agg(distinct a, ',' order by a)",
                "select array_join(array_agg(distinct a order by a) FILTER (WHERE a IS NOT NULL), ',')",
            ),
            ("select extract(epoch from t), extract(dow from t)", "select to_unixtime(t), (day_of_week(t) % 7)"),
            ("select extract(year from t)", "select extract (year from t)"),
            ("select date_part('month', t)", "select extract(month FROM t)"),
            ("select cast(a as text), cast(b as row(x integer))", "select CAST(a AS varchar), cast (b as row (x integer))"),
        ] {
            assert_eq!(written(postgres), engine, "{postgres}");
        }
    }

    #[test]
    fn definitions_stay_as_they_are() {
        let text = "CREATE EXTERNAL TABLE `a` (b string)\n LOCATION 's3://x/'";
        assert_eq!(written(text), "CREATE EXTERNAL TABLE `a` (b string) LOCATION 's3://x/'");
    }

    #[test]
    fn refusals_and_places() {
        for text in ["select a::regclass", "select ::int", "select (a", "select a::numeric", "select to_char(a, 'Q')"] {
            let error = translate(text, &tokens(text).unwrap(), &facts()).unwrap_err();
            assert!(error.place().is_some(), "{text}: {error:?}");
        }
        let text = "select a::int8,  nothing";
        let translated = translate(text, &tokens(text).unwrap(), &facts()).unwrap();
        let column = translated.text.find("nothing").unwrap() + 1;
        assert_eq!(translated.original(column), text.find("nothing"));
        assert_eq!(translate("select $2, $1, $2", &tokens("select $2, $1, $2").unwrap(), &facts()).unwrap().parameters, [2, 1, 2]);
    }
}
