//! PostgreSQL's spellings, written as the engine's language writes them. It works on tokens with the parentheses known,
//! one group after the other, and keeps for every piece the place it came from, so that a mistake is shown where the
//! user made it. What it does not know it leaves to the engine's parser, which knows its language.

use super::lexer::{Kind, Token};
use super::words::NO_FUNCTIONS;
use model::{Error, ErrorKind, Result, SourcePlace};
use sql::quote_string;
use std::cell::Cell;

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

/// Whether what the statement says is kept, to be read by others, who write Athena's language.
fn is_kept(tokens: &[Token]) -> bool {
    let word = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(word));
    let replaces = if word(1, "OR") { 2 } else { 0 };
    (word(0, "CREATE") && word(1 + replaces, "VIEW")) || (word(0, "PREPARE") && word(2, "FROM"))
}

/// Writes a statement as the engine's language writes it.
pub(crate) fn translate(text: &str, tokens: &[Token], facts: &Facts) -> Result<Translated> {
    if is_definition(tokens) {
        return Ok(as_it_is(text, tokens));
    }
    let mut rewriter = Rewriter {
        text,
        tokens,
        facts,
        keeps: is_kept(tokens),
        out: Vec::new(),
        depth: 0,
        work: Cell::new(0),
        in_string_agg: false,
    };
    rewriter.group(0, tokens.len())?;
    Ok(rewriter.finish())
}

/// The text unchanged, but for its line breaks between tokens.
fn as_it_is(text: &str, tokens: &[Token]) -> Translated {
    let mut translated = Translated::default();
    let (mut end, mut length) = (None, 0);
    for token in tokens {
        if end.is_some_and(|end| end < token.start) {
            translated.text.push(' ');
            length += 1;
        }
        translated.places.push((length, token.start));
        let piece = text.get(token.start..token.end).unwrap_or_default();
        translated.text.push_str(piece);
        length += piece.chars().count();
        end = Some(token.end);
    }
    translated
}

/// How deep parentheses may nest.
const MAX_DEPTH: usize = 200;
/// How many pieces may be written, moved and looked at.
const MAX_WORK: usize = 50_000_000;

/// A piece of the new text.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) text: String,
    at: usize,
    parameter: Option<usize>,
}

pub(super) struct Rewriter<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token],
    pub(super) facts: &'a Facts,
    /// Whether only Athena's language may come of it.
    pub(super) keeps: bool,
    pub(super) out: Vec<Piece>,
    depth: usize,
    /// What has been done so far: some spellings move what was written before them.
    work: Cell<usize>,
    /// Whether the value of a `string_agg` is being written, which happens twice.
    pub(super) in_string_agg: bool,
}

/// Where the parts of an expression began that later signs may refer to.
#[derive(Default)]
pub(super) struct Part {
    /// The first piece of the primary expression that ended last.
    pub(super) primary: Option<usize>,
    /// The first piece of the operand of a comparison.
    pub(super) operand: usize,
    /// What has to be written before the next word that ends an operand.
    pub(super) closing: Vec<&'static str>,
    /// For each open CASE: its first piece, the operand around it, how much was to be closed around it.
    pub(super) cases: Vec<(usize, usize, usize)>,
    /// Whether tables are being named.
    pub(super) in_from: bool,
}

impl Rewriter<'_> {
    pub(super) fn fail(&self, at: usize, error: Error) -> Error {
        let (start, end) = self.tokens.get(at).map_or((0, 0), |token| (token.start, token.end));
        error.at_if_unknown(|| SourcePlace::of_bytes("<query>", self.text, start, end).into())
    }

    /// Counts what was done.
    pub(super) fn worked(&self, much: usize) {
        self.work.set(self.work.get().saturating_add(much));
    }

    pub(super) fn push(&mut self, text: impl Into<String>, at: usize) {
        self.worked(1);
        let at = self.tokens.get(at).map_or(self.text.len(), |token| token.start);
        self.out.push(Piece { text: text.into(), at, parameter: None });
    }

    pub(super) fn insert(&mut self, before: usize, text: impl Into<String>) {
        let at = self.out.get(before).map_or(0, |piece| piece.at);
        self.worked(self.out.len().saturating_sub(before));
        self.out.insert(before.min(self.out.len()), Piece { text: text.into(), at, parameter: None });
    }

    pub(super) fn is(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is(word))
    }

    pub(super) fn is_symbol(&self, at: usize, symbol: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_symbol(symbol))
    }

    /// The token that closes the parenthesis or bracket at `open`.
    pub(super) fn closing(&self, open: usize, end: usize) -> Result<usize> {
        let mut depth = 0_usize;
        for at in open..end {
            self.worked(1);
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
            return Err(self.fail(from, Error::new(ErrorKind::LimitExceeded, "the statement nests too deep")));
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
    pub(super) fn boundary(&mut self, part: &mut Part, at: usize) {
        let floor = part.cases.last().map_or(0, |case| case.2);
        self.close(part, floor, at);
        part.primary = None;
    }

    /// Rewrites what begins at this token; answers where it goes on.
    pub(super) fn one(&mut self, at: usize, from: usize, to: usize, part: &mut Part) -> Result<usize> {
        let Some(token) = self.tokens.get(at) else { return Ok(to) };
        if self.work.get() > MAX_WORK || self.out.len() > 4 * self.tokens.len() + 1024 {
            let error = Error::new(ErrorKind::LimitExceeded, "the statement is too long to be translated");
            return Err(self.fail(at, error));
        }
        match token.kind {
            Kind::Symbol => self.symbol(at, from, to, part),
            Kind::Word => self.word(at, from, to, part),
            Kind::Text => {
                // `DATE '2024-01-01'`: the word belongs to the text.
                let typed =
                    at > from && self.tokens.get(at - 1).is_some_and(|before| before.kind == Kind::Word);
                if !typed || part.primary.is_none() {
                    part.primary = Some(self.out.len());
                }
                self.push(quote_string(&token.value), at);
                Ok(at + 1)
            }
            Kind::Parameter => {
                part.primary = Some(self.out.len());
                let number = token.value.parse().ok().filter(|n| (1..=65_535).contains(n));
                let number =
                    number.ok_or_else(|| self.fail(at, Error::invalid("there is no such parameter")))?;
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
    pub(super) fn catalog_prefix(&self, at: usize, part: &Part) -> usize {
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
                    let is_word =
                        before.kind == Kind::Word && !NO_FUNCTIONS.iter().any(|word| before.is(word));
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
                Ok(self.pattern(at, operator, part))
            }
            operator @ ("~~" | "~~*" | "!~~" | "!~~*") => Ok(self.like_operator(at, to, operator, part)),
            operator @ ("->>" | "#>" | "#>>" | "@>" | "<@" | "&&" | "?|" | "?&") => {
                let error = Error::unsupported(format!("the operator {operator} is not supported"))
                    .hint("json_extract_scalar(x, '$.a') reads JSON, contains(array, x) asks arrays");
                Err(self.fail(at, error))
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
