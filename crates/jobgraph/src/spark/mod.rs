//! Spark's SQL in Trino's words: what users of Glue write into SparkSQL nodes, derived columns and predicates.
//!
//! Texts are rewritten token by token, so that every mistake can be shown where the user wrote it. What Spark means is
//! kept: back-ticks quote names and double quotes strings, `/` never divides integers as integers, casts that fail give
//! NULL. What has no exact counterpart is refused with the Trino words that come nearest.

mod functions;
mod tokens;

use functions::Rule;
use model::Error;
use std::ops::Range;
use tokens::{Kind, Token};

/// A text in Trino's words, with the way back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Translated {
    pub(crate) text: String,
    /// For each piece of the new text: where it begins, and which bytes of the old text it comes from.
    marks: Vec<(usize, Range<usize>)>,
}

impl Translated {
    /// Which bytes of the user's text a byte of the new text comes from.
    pub(crate) fn origin(&self, at: usize) -> Option<Range<usize>> {
        let behind = self.marks.partition_point(|(begins, _)| *begins <= at);
        self.marks.get(behind.checked_sub(1)?).map(|(_, origin)| origin.clone())
    }
}

/// A mistake with the bytes of the user's text.
pub(crate) use functions::is_joda;

pub(crate) type Mistake = (Range<usize>, Error);

/// How deep parentheses may nest.
const MAX_DEPTH: usize = 100;

/// Translates a query or an expression.
pub(crate) fn translate(text: &str) -> Result<Translated, Vec<Mistake>> {
    let tokens = tokens::read(text).map_err(|mistake| vec![mistake])?;
    let closes = tokens::matching(text, &tokens);
    let mut writer = Writer {
        text,
        tokens: &tokens,
        closes: &closes,
        out: Translated::default(),
        wrong: vec![],
        depth: 0,
    };
    writer.all(0..tokens.len());
    if writer.wrong.is_empty() { Ok(writer.out) } else { Err(writer.wrong) }
}

struct Writer<'a> {
    text: &'a str,
    tokens: &'a [Token],
    closes: &'a [Option<usize>],
    out: Translated,
    wrong: Vec<Mistake>,
    depth: usize,
}

impl<'a> Writer<'a> {
    fn token(&self, at: usize) -> Option<&'a Token> {
        self.tokens.get(at)
    }

    fn piece(&self, at: usize) -> &'a str {
        self.token(at).and_then(|token| self.text.get(token.start..token.end)).unwrap_or("")
    }

    fn is_word(&self, at: usize, word: &str) -> bool {
        self.token(at).is_some_and(|token| token.kind == Kind::Word)
            && self.piece(at).eq_ignore_ascii_case(word)
    }

    /// The bytes of some tokens.
    fn bytes(&self, tokens: &Range<usize>) -> Range<usize> {
        let start = self.token(tokens.start).map_or(self.text.len(), |token| token.start);
        let end =
            tokens.end.checked_sub(1).and_then(|last| self.token(last)).map_or(start, |token| token.end);
        start..end.max(start)
    }

    /// Writes a piece that stands for a token, with what stood before it (spaces and comments).
    fn put(&mut self, at: usize, piece: &str) {
        let Some(token) = self.token(at) else { return };
        let before = self.text.get(token.before..token.start).unwrap_or("");
        // Pieces that are new may stand where nothing was between two tokens.
        self.out.text.push_str(before);
        self.insert(at, piece);
    }

    /// Writes a piece that comes from a token, but has no space of its own before it.
    fn insert(&mut self, at: usize, piece: &str) {
        let origin = self.token(at).map_or(0..0, |token| token.start..token.end);
        self.out.marks.push((self.out.text.len(), origin));
        self.out.text.push_str(piece);
    }

    fn refuse(&mut self, tokens: Range<usize>, what: String, instead: &str) {
        let bytes = self.bytes(&tokens);
        self.wrong.push((bytes, Error::unsupported(what).hint(instead)));
    }

    fn all(&mut self, range: Range<usize>) {
        if self.depth > MAX_DEPTH {
            let bytes = self.bytes(&range);
            let message = format!("the expression nests deeper than {MAX_DEPTH} levels");
            return self.wrong.push((bytes, Error::new(model::ErrorKind::LimitExceeded, message)));
        }
        self.depth += 1;
        let mut at = range.start;
        while at < range.end {
            at = self.one(at, range.end).max(at + 1);
        }
        self.depth -= 1;
    }

    /// Writes what begins at a token; returns the token behind it.
    fn one(&mut self, at: usize, end: usize) -> usize {
        let Some(token) = self.token(at) else { return end };
        match token.kind {
            Kind::Word => self.word(at, end),
            Kind::Text => {
                let literal = sql::quote_string(&tokens::text_value(self.piece(at)));
                self.put(at, &literal);
                at + 1
            }
            Kind::Name => {
                let name = self.piece(at).trim_matches('`').replace("``", "`").replace('"', "\"\"");
                self.put(at, &format!("\"{name}\""));
                at + 1
            }
            Kind::Number => {
                // 5L, 2.5D
                let number = self.piece(at).trim_end_matches(['L', 'l', 'D', 'd']).to_owned();
                self.put(at, &number);
                at + 1
            }
            Kind::Symbol => self.symbol(at, end),
        }
    }

    fn symbol(&mut self, at: usize, end: usize) -> usize {
        match self.piece(at) {
            "==" => self.put(at, "="),
            "[" if self.is_position(at) => {
                let array = "Spark's arrays begin at 0 and Trino's at 1".to_owned();
                self.refuse(at..at + 3, array, "write `element_at(array, n + 1)`");
                self.put(at, "[");
            }
            "<=>" => self.put(at, "IS NOT DISTINCT FROM"),
            "!" => self.put(at, "NOT "),
            "/" => return self.division(at, end),
            "(" => {
                let close = self.closes.get(at).copied().flatten().unwrap_or(end).min(end);
                self.put(at, "(");
                self.all(at + 1..close);
                self.put(close, ")");
                return close + 1;
            }
            other => self.put(at, other),
        }
        at + 1
    }

    /// `x[0]`, but not `ARRAY[0]`.
    fn is_position(&self, open: usize) -> bool {
        let Some(before) = open.checked_sub(1).and_then(|at| self.token(at)) else { return false };
        let indexed =
            matches!(before.kind, Kind::Word | Kind::Name) || matches!(self.piece(open - 1), ")" | "]");
        indexed
            && !self.is_word(open - 1, "array")
            && self.token(open + 1).is_some_and(|token| token.kind == Kind::Number)
            && self.piece(open + 2) == "]"
    }

    /// `a / b` is a fraction in Spark, whatever a and b are, and NULL where b is 0.
    fn division(&mut self, at: usize, end: usize) -> usize {
        let operand = at + 1..self.primary_end(at + 1, end);
        self.put(at, "/");
        let literal = self.token(operand.start).is_some_and(|token| token.kind == Kind::Number);
        if literal
            && operand.len() == 1
            && self.piece(operand.start).bytes().any(|b| (b'1'..=b'9').contains(&b))
        {
            let number = self.piece(operand.start).trim_end_matches(['L', 'l', 'D', 'd']).to_owned();
            let exponent = if number.contains(['e', 'E']) { "" } else { "e0" };
            self.put(operand.start, &format!("{number}{exponent}"));
            return operand.end;
        }
        self.out.text.push_str(" CAST(nullif(");
        self.all(operand.clone());
        self.out.text.push_str(", 0) AS double)");
        operand.end
    }

    /// Behind a name, literal, call, subscript or parenthesis.
    fn primary_end(&self, start: usize, end: usize) -> usize {
        let mut at = start;
        while matches!(self.piece(at), "-" | "+") && at < end {
            at += 1;
        }
        let closing = |open: usize| self.closes.get(open).copied().flatten().map_or(end, |close| close + 1);
        at = if self.piece(at) == "(" { closing(at) } else { at + 1 };
        while at < end {
            at = match self.piece(at) {
                "(" | "[" => closing(at),
                "." => at + 2,
                _ => break,
            };
        }
        at.min(end)
    }

    fn word(&mut self, at: usize, end: usize) -> usize {
        let word = self.piece(at);
        let lower = word.to_lowercase();
        let called = at + 1 < end && self.piece(at + 1) == "(";
        // `t.date_add` is a column.
        let field = at > 0 && self.piece(at - 1) == ".";
        if called && !field {
            let close = self.closes.get(at + 1).copied().flatten().unwrap_or(end).min(end);
            return self.call(at, &lower, close);
        }
        if let Some((what, instead)) = operator_refused(&lower).filter(|_| !field) {
            self.refuse(at..at + 1, what.to_owned(), instead);
        }
        if lower == "lateral" && self.is_word(at + 1, "view") {
            self.refuse(
                at..at + 2,
                "LATERAL VIEW is Hive's and Spark's".to_owned(),
                "write `CROSS JOIN UNNEST(column) AS t(name)`",
            );
        }
        self.put(at, word);
        at + 1
    }

    /// The arguments of a call: tokens between commas.
    fn arguments(&self, open: usize, close: usize) -> Vec<Range<usize>> {
        let mut all = Vec::new();
        let (mut start, mut at) = (open + 1, open + 1);
        while at < close {
            match self.piece(at) {
                "(" | "[" => at = self.closes.get(at).copied().flatten().unwrap_or(close),
                "," => {
                    all.push(start..at);
                    start = at + 1;
                }
                _ => {}
            }
            at += 1;
        }
        if start < close {
            all.push(start..close);
        }
        all
    }

    fn call(&mut self, at: usize, name: &str, close: usize) -> usize {
        let arguments = self.arguments(at + 1, close);
        match functions::rule(name) {
            Some(Rule::Name(new)) => self.plain_call(at, new, close),
            Some(Rule::Instead(instead)) => {
                self.refuse(at..at + 1, format!("`{}` is Spark's function", self.piece(at)), instead);
                self.plain_call(at, name, close);
            }
            Some(Rule::Write(write)) => {
                if !write(self, at, &arguments) {
                    self.plain_call(at, self.piece(at), close);
                }
            }
            None => self.plain_call(at, self.piece(at), close),
        }
        close + 1
    }

    fn plain_call(&mut self, at: usize, name: &str, close: usize) {
        self.put(at, name);
        self.put(at + 1, "(");
        self.all(at + 2..close);
        self.put(close, ")");
    }

    /// Writes a template in which `{0}` is the first argument, for a call's name at `at`.
    fn template(&mut self, at: usize, template: &str, arguments: &[Range<usize>]) {
        self.put(at, "");
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            self.insert(at, before);
            let Some((number, behind)) = after.split_once('}') else { break };
            if let Some(argument) = number.parse::<usize>().ok().and_then(|index| arguments.get(index)) {
                self.all(argument.clone());
            }
            rest = behind;
        }
        self.insert(at, rest);
    }

    /// An argument that is one string, as its value.
    fn literal(&self, argument: Option<&Range<usize>>) -> Option<String> {
        let argument = argument.filter(|argument| argument.len() == 1)?;
        let token = self.token(argument.start).filter(|token| token.kind == Kind::Text)?;
        Some(tokens::text_value(self.text.get(token.start..token.end)?))
    }
}

/// Operators of Spark that are functions in Trino.
fn operator_refused(word: &str) -> Option<(&'static str, &'static str)> {
    Some(match word {
        "rlike" | "regexp" => {
            ("RLIKE and REGEXP are Spark's operators", "write `regexp_like(text, 'pattern')`")
        }
        "ilike" => ("ILIKE is Spark's operator", "write `lower(text) LIKE 'pattern'`"),
        "div" => ("DIV is Spark's operator", "write `CAST(truncate(a / b) AS bigint)`"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trino(text: &str) -> String {
        translate(text).unwrap().text
    }

    #[test]
    fn what_is_the_same_stays_as_it_is() {
        for text in [
            "SELECT a, count(*) AS n FROM t WHERE x LIKE 'a%' AND y IS NOT NULL GROUP BY /* why */ a",
            "coalesce(a, b) * 2 + length(c)",
            "date_diff('day', a, b)",
            "date_format(t, '%Y-%m-%d')",
        ] {
            assert_eq!(trino(text), text);
        }
    }

    #[test]
    fn sparks_words_become_trinos() {
        for (spark, expected) in [
            ("`a b` == \"x'y\"", "\"a b\" = 'x''y'"),
            ("a <=> b", "a IS NOT DISTINCT FROM b"),
            (r"'it\'s' || 'a\\d'", r"'it''s' || 'a\d'"),
            ("nvl(a, 0)", "coalesce(a, 0)"),
            ("CAST(x AS STRING)", "TRY_CAST(x AS varchar)"),
            ("cast(a as decimal(10,2))", "TRY_CAST(a as decimal(10,2))"),
            ("a / b", "a / CAST(nullif( b, 0) AS double)"),
            ("a / 100", "a / 100e0"),
            ("date_format(ts, 'yyyy-MM-dd')", "format_datetime(ts, 'yyyy-MM-dd')"),
            ("to_date(x)", "CAST(x AS date)"),
            ("instr(s, 'a')", "strpos(s, 'a')"),
            ("locate('a', s)", "strpos( s,'a')"),
            ("current_date()", "current_date"),
            ("input_file_name()", "\"$path\""),
            ("array(1, 2)", "ARRAY[1, 2]"),
            ("m['k'] + ARRAY[1]", "m['k'] + ARRAY[1]"),
            ("nvl2(a, b, c)", "if(a IS NOT NULL,  b,  c)"),
            ("5L", "5"),
        ] {
            assert_eq!(trino(spark), expected, "{spark}");
        }
    }

    #[test]
    fn what_has_no_counterpart_names_trinos_words() {
        for (spark, hint) in [
            ("a RLIKE 'x'", "regexp_like"),
            ("explode(items)", "UNNEST"),
            ("split(x, ',')[0]", "element_at"),
            ("date_add(d, 3)", "date_add('day', 3, d)"),
            ("collect_list(x)", "array_agg"),
            ("from_unixtime(x)", "format_datetime"),
            ("SELECT * FROM t LATERAL VIEW explode(a) b", "UNNEST"),
            ("date_format(t, 'QQQ')", "format_datetime"),
        ] {
            let mistakes = translate(spark).unwrap_err();
            let diagnosis = mistakes[0].1.diagnosis();
            assert!(diagnosis.hints.iter().any(|h| h.contains(hint)), "{spark}: {diagnosis:?}");
        }
    }

    #[test]
    fn places_lead_back() {
        let text = "nvl(`a`, unknwon) == 3";
        let translated = translate(text).unwrap();
        let at = translated.text.find("unknwon").unwrap();
        assert_eq!(text[translated.origin(at).unwrap()], *"unknwon");
    }

    #[test]
    fn hostile_texts_end() {
        for text in [
            "(", ")", "'", "`", "a(", "a / ", "cast(", "((((", "/", "\\", "é(\u{0}", "/*", "--", "f(a,,b)",
            "[", "x[",
        ] {
            let _ = translate(text);
        }
        let _ = translate(&"(".repeat(10_000));
        let _ = translate(&"f(".repeat(500));
        let _ = translate(&"a/".repeat(5_000));
    }
}
