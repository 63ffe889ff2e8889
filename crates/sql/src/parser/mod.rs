//! The parser: a cursor over tokens that remembers what it expected, so that a wrong word gets a useful answer.
//!
//! It is our own, over sqlparser's tree: Trino's grammar is small and exact, and a general SQL parser accepts much that
//! Athena does not, tries things twice (which nested input makes exponential), and says little about what it wanted.
//! Recursion is counted and grows the stack on demand; no returned tree is deeper than `MAX_DEPTH`.

mod alter;
mod call;
mod create;
mod data_type;
mod dml;
mod error;
mod expr;
mod hive_parts;
mod json;
mod literal;
mod operators;
mod primary;
mod query;
mod relation;
mod select;
mod show;
mod statement;
mod table;
mod window;
pub(crate) mod words;

pub use data_type::type_of;

use crate::ast::{Located, Statement};
use crate::text::lexer::{Kind, Lexer, Mode, Token};
use crate::text::{Source, at};
use model::{Error, Result, SourcePlace};
use sqlparser::tokenizer::Span;

/// How deep a statement may nest.
const MAX_DEPTH: u32 = 500;
/// How many statements one text may hold.
const MAX_STATEMENTS: usize = 10_000;
/// Texts above this are refused before anything is read.
const MAX_BYTES: usize = 16 << 20;

/// The statements of a text, which are separated by `;`.
pub fn parse(text: &str, source_name: &str) -> Result<Vec<Statement>> {
    Ok(parse_located(text, source_name)?.into_iter().map(|located| located.statement).collect())
}

/// The one statement of a text; a `;` may end it.
pub fn parse_one(text: &str, source_name: &str) -> Result<Statement> {
    let mut all = parse_located(text, source_name)?;
    if all.len() > 1 {
        let second = all.swap_remove(1);
        let place = at(&Source::new(source_name, text), second.span);
        return Err(Error::invalid("only one statement can run at a time")
            .at(place)
            .hint("send them one by one"));
    }
    match all.pop() {
        Some(located) => Ok(located.statement),
        None => {
            let place = SourcePlace::of_bytes(source_name, text, 0, 0);
            Err(Error::invalid("there is no statement")
                .at(place)
                .why("the text is empty or holds only comments"))
        }
    }
}

/// The statements of a text, each with its own text and place.
pub fn parse_located(text: &str, source_name: &str) -> Result<Vec<Located>> {
    if text.len() > MAX_BYTES {
        let message = format!("a statement of {} bytes is longer than the {MAX_BYTES} allowed", text.len());
        return Err(Error::new(model::ErrorKind::LimitExceeded, message));
    }
    let mut lexer = Lexer::new(text);
    let mut statements = Vec::new();
    loop {
        let (tokens, ended) = next_statement(&mut lexer, text, source_name)?;
        if let [first, .., last, _] | [first @ last, _] = tokens.as_slice() {
            if statements.len() >= MAX_STATEMENTS {
                let message = format!("more than {MAX_STATEMENTS} statements in one text");
                return Err(Error::new(model::ErrorKind::LimitExceeded, message));
            }
            let (from, to) = (first.start, last.end);
            let span = first.span().union(&last.span());
            let statement = Parser::new(text, source_name, tokens).whole_statement()?;
            statements.push(Located { statement, text: text[from..to].to_owned(), span });
        }
        if ended {
            return Ok(statements);
        }
    }
}

/// The tokens up to the next `;` with an `End` behind them, and whether the text ends there.
fn next_statement(lexer: &mut Lexer<'_>, text: &str, name: &str) -> Result<(Vec<Token>, bool)> {
    let mode = mode_of(lexer);
    let mut tokens = Vec::new();
    loop {
        let mut token = lexer.token(mode);
        match token.kind {
            Kind::Bad(bad) => return Err(error::bad_token(bad, &token, text, name)),
            Kind::End => {
                tokens.push(token);
                return Ok((tokens, true));
            }
            Kind::Symbol if text[token.start..token.end] == *";" => {
                token.kind = Kind::End;
                tokens.push(token);
                return Ok((tokens, false));
            }
            _ => tokens.push(token),
        }
    }
}

/// Whose rules the statement at the lexer's place follows: Hive's for its definitions, or else Trino's.
pub(crate) fn mode_of(lexer: &Lexer<'_>) -> Mode {
    let mut ahead = lexer.clone();
    let mut word = || {
        let token = ahead.token(Mode::Hive);
        ahead.piece(&token).to_ascii_uppercase()
    };
    match word().as_str() {
        "ALTER" | "DROP" | "MSCK" | "SHOW" | "DESC" | "DESCRIBE" => return Mode::Hive,
        "CREATE" => {}
        _ => return Mode::Query,
    }
    match word().as_str() {
        "EXTERNAL" | "DATABASE" | "SCHEMA" => return Mode::Hive,
        "TABLE" => {}
        _ => return Mode::Query,
    }
    // CREATE TABLE [IF NOT EXISTS] name [. name]*: what stands behind the name decides.
    if word() == "IF" {
        word();
        word();
        word();
    }
    let mut behind = word();
    for _ in 0..2 {
        if behind == "." {
            word();
            behind = word();
        }
    }
    match behind.as_str() {
        "WITH" | "AS" => Mode::Query,
        // Hive's columns have types; the names that a query's columns get have none.
        "(" => {
            word();
            if matches!(word().as_str(), "," | ")") { Mode::Query } else { Mode::Hive }
        }
        _ => Mode::Hive,
    }
}

/// A cursor over the tokens of one statement.
pub(crate) struct Parser<'a> {
    text: &'a str,
    name: &'a str,
    tokens: Vec<Token>,
    at: usize,
    /// For each opening parenthesis, the token that closes it.
    closes: Vec<Option<u32>>,
    /// How deep the recursion is, and how deep the tree that was read last.
    depth: u32,
    height: u32,
    /// What would have been accepted at `wanted_at`, for error messages.
    wanted: Vec<&'static str>,
    wanted_at: usize,
    /// How many `?` were met.
    parameters: u32,
    /// What the `?` stand for, where that is known already.
    values: Vec<sqlparser::ast::Expr>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, name: &'a str, tokens: Vec<Token>) -> Self {
        Self {
            text,
            name,
            closes: matching(text, &tokens),
            tokens,
            at: 0,
            depth: 0,
            height: 0,
            wanted: Vec::new(),
            wanted_at: 0,
            parameters: 0,
            values: Vec::new(),
        }
    }

    /// The token so far ahead; behind the last one it is always the `End`.
    fn token(&self, ahead: usize) -> Token {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens.get((self.at + ahead).min(last)).copied().unwrap_or(Token {
            kind: Kind::End,
            start: self.text.len(),
            end: self.text.len(),
            from: (1, 1),
            to: (1, 1),
        })
    }

    /// The token that closes the parenthesis at this index.
    fn closing(&self, open: usize) -> Option<usize> {
        self.closes.get(open).copied().flatten().map(|close| close as usize)
    }

    fn kind(&self) -> Kind {
        self.token(0).kind
    }

    fn piece(&self, token: &Token) -> &'a str {
        self.text.get(token.start..token.end).unwrap_or("")
    }

    fn advance(&mut self) -> Token {
        let token = self.token(0);
        if token.kind != Kind::End {
            self.at += 1;
        }
        token
    }

    /// The token before the cursor.
    fn previous(&self) -> Token {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).copied().unwrap_or_else(|| self.token(0))
    }

    /// From a token to the one before the cursor.
    fn span_from(&self, first: &Token) -> Span {
        Span::new(first.span().start, self.previous().span().end.max(first.span().start))
    }

    /// The text from a token to the one before the cursor.
    fn text_from(&self, first: &Token) -> &'a str {
        self.text.get(first.start..self.previous().end).unwrap_or("")
    }

    fn is_word_at(&self, ahead: usize, word: &str) -> bool {
        self.is_at(ahead, Kind::Word, word)
    }

    fn is_symbol_at(&self, ahead: usize, symbol: &str) -> bool {
        self.is_at(ahead, Kind::Symbol, symbol)
    }

    /// These two are asked dozens of times for each token, so the cheap comparisons come first.
    fn is_at(&self, ahead: usize, kind: Kind, wanted: &str) -> bool {
        let Some(token) = self.tokens.get(self.at + ahead) else { return false };
        token.end - token.start == wanted.len()
            && token.kind == kind
            && self.piece(token).eq_ignore_ascii_case(wanted)
    }

    /// Whether nothing can continue an expression here.
    fn ends_expression(&self) -> bool {
        let Some(token) = self.tokens.get(self.at) else { return true };
        token.kind == Kind::End
            || (token.kind == Kind::Symbol
                && matches!(self.text.as_bytes().get(token.start), Some(b',' | b')' | b']')))
    }

    fn note(&mut self, wanted: &'static str) {
        if self.wanted_at < self.at {
            self.wanted_at = self.at;
            self.wanted.clear();
        }
        if self.wanted_at == self.at {
            self.wanted.push(wanted);
        }
    }

    /// Whether this keyword comes next.
    fn peek(&mut self, word: &'static str) -> bool {
        self.note(word);
        self.is_word_at(0, word)
    }

    /// Takes this keyword if it comes next.
    fn accept(&mut self, word: &'static str) -> bool {
        let found = self.peek(word);
        if found {
            self.at += 1;
        }
        found
    }

    /// Takes these keywords if all of them come next.
    fn accept_all(&mut self, words: &[&'static str]) -> bool {
        let fitting =
            words.iter().enumerate().take_while(|(ahead, word)| self.is_word_at(*ahead, word)).count();
        let Some(missing) = words.get(fitting) else {
            self.at += words.len();
            return true;
        };
        // `GROUP a`: what is wrong is the `a`, so that is what an error points at.
        let wanted_at = self.at + fitting;
        if self.wanted_at < wanted_at {
            self.wanted_at = wanted_at;
            self.wanted.clear();
        }
        if self.wanted_at == wanted_at {
            self.wanted.push(missing);
        }
        false
    }

    fn expect(&mut self, word: &'static str) -> Result<()> {
        if self.accept(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn expect_all(&mut self, words: &[&'static str]) -> Result<()> {
        words.iter().try_for_each(|word| self.expect(word))
    }

    /// Takes one of these keywords and says which.
    fn one_of(&mut self, words: &[&'static str]) -> Result<&'static str> {
        for word in words {
            if self.accept(word) {
                return Ok(word);
            }
        }
        Err(self.unexpected())
    }

    fn peek_symbol(&mut self, symbol: &'static str) -> bool {
        self.note(symbol);
        self.is_symbol_at(0, symbol)
    }

    fn take(&mut self, symbol: &'static str) -> bool {
        let found = self.peek_symbol(symbol);
        if found {
            self.at += 1;
        }
        found
    }

    fn need(&mut self, symbol: &'static str) -> Result<()> {
        if self.take(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// One or more, separated by commas.
    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut all = vec![one(self)?];
        while self.take(",") {
            all.push(one(self)?);
        }
        Ok(all)
    }

    /// The same in parentheses.
    fn in_parentheses<T>(&mut self, one: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.need("(")?;
        let all = self.list(one)?;
        self.need(")")?;
        Ok(all)
    }

    /// Runs a part of the grammar that may contain itself: counts the depth, both of the recursion and of the tree
    /// that comes out of it, and takes a new piece of stack when little is left.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += 1;
        let beside = std::mem::take(&mut self.height);
        let result = stacker::maybe_grow(256 * 1024, 2 * 1024 * 1024, || read(self));
        self.depth -= 1;
        self.grow()?;
        self.height = self.height.max(beside);
        result
    }

    /// The tree read last becomes a child of a new node.
    fn grow(&mut self) -> Result<()> {
        self.height += 1;
        if self.height > MAX_DEPTH { Err(self.too_deep()) } else { Ok(()) }
    }

    fn too_deep(&self) -> Error {
        let message = format!("the statement nests deeper than {MAX_DEPTH} levels");
        Error::new(model::ErrorKind::LimitExceeded, message)
            .at(self.place(&self.token(0)))
            .hint("break the expression into parts with a WITH clause")
    }

    fn place(&self, token: &Token) -> SourcePlace {
        SourcePlace::of_bytes(self.name, self.text, token.start, token.end)
    }

    fn place_of(&self, span: Span) -> SourcePlace {
        at(&Source::new(self.name, self.text), span)
    }
}

/// For each opening parenthesis, which token closes it.
fn matching(text: &str, tokens: &[Token]) -> Vec<Option<u32>> {
    let mut closes = vec![None; tokens.len()];
    let mut open = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match text.get(token.start..token.end) {
            Some("(") => open.push(index),
            Some(")") => {
                if let Some(slot) = open.pop().and_then(|opened| closes.get_mut(opened)) {
                    *slot = u32::try_from(index).ok();
                }
            }
            _ => {}
        }
    }
    closes
}
