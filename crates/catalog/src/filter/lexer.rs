//! Words, texts, numbers and signs of a filter expression, each with its place.

use super::Operator;
use model::{Error, Result, SourcePlace};
use std::ops::Range;

/// A piece of the expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// In bytes.
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A keyword or a key's name.
    Word(String),
    /// A key's name in double quotes or back-ticks.
    Quoted(String),
    /// A text in single quotes.
    Text(String),
    /// A number with its sign, as it is written.
    Number(String),
    Operator(Operator),
    Open,
    Close,
    Comma,
    End,
}

/// A mistake at a place of the expression.
pub(super) fn mistake(text: &str, span: &Range<usize>, message: impl Into<String>) -> Error {
    Error::invalid(message).at(SourcePlace::of_bytes("<filter>", text, span.start, span.end))
}

/// Cuts an expression into tokens; the last one is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (kind, length) = token(text, at, c)?;
        tokens.push(Token { kind, span: at..at + length });
        at += length;
    }
    tokens.push(Token { kind: TokenKind::End, span: text.len()..text.len() });
    Ok(tokens)
}

fn token(text: &str, at: usize, c: char) -> Result<(TokenKind, usize)> {
    let rest = &text[at..];
    if let Some((operator, length)) = operator(rest) {
        return Ok((TokenKind::Operator(operator), length));
    }
    match c {
        '(' => Ok((TokenKind::Open, 1)),
        ')' => Ok((TokenKind::Close, 1)),
        ',' => Ok((TokenKind::Comma, 1)),
        '\'' => quoted(text, at, c).map(|(content, length)| (TokenKind::Text(content), length)),
        '"' | '`' => quoted(text, at, c).map(|(content, length)| (TokenKind::Quoted(content), length)),
        '0'..='9' | '-' | '+' | '.' => number(text, at),
        c if c.is_alphabetic() || c == '_' => {
            let length =
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
            Ok((TokenKind::Word(rest[..length].to_owned()), length))
        }
        c => Err(mistake(text, &(at..at + c.len_utf8()), format!("`{c}` has no meaning in a filter"))
            .hint("operators are =, <>, !=, <, <=, >, >=, IN, BETWEEN, LIKE, IS NULL, AND, OR, NOT")),
    }
}

fn operator(rest: &str) -> Option<(Operator, usize)> {
    const OPERATORS: [(&str, Operator); 8] = [
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<>", Operator::NotEqual),
        ("!=", Operator::NotEqual),
        ("==", Operator::Equal),
        ("=", Operator::Equal),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ];
    OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign)).map(|(sign, operator)| (*operator, sign.len()))
}

/// The content between two quotes, a doubled quote standing for itself, and the whole length.
fn quoted(text: &str, at: usize, quote: char) -> Result<(String, usize)> {
    let mut content = String::new();
    let mut chars = text[at + 1..].char_indices().peekable();
    while let Some((offset, c)) = chars.next() {
        if c != quote {
            content.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            content.push(quote);
        } else {
            return Ok((content, offset + 2));
        }
    }
    Err(mistake(text, &(at..text.len()), format!("the quote {quote} is not closed")))
}

fn number(text: &str, at: usize) -> Result<(TokenKind, usize)> {
    let rest = &text[at..];
    let sign = usize::from(rest.starts_with(['-', '+']));
    let length =
        sign + rest[sign..].find(|c: char| !(c.is_alphanumeric() || c == '.')).unwrap_or(rest.len() - sign);
    let written = &rest[..length];
    let digits = written[sign..].bytes().any(|b| b.is_ascii_digit());
    let plain = written[sign..].bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if digits && plain && written.matches('.').count() <= 1 {
        return Ok((TokenKind::Number(written.to_owned()), length));
    }
    Err(mistake(text, &(at..at + length.max(1)), format!("`{written}` is no number"))
        .hint("numbers are written like 6 or -12.5; put texts into single quotes"))
}
