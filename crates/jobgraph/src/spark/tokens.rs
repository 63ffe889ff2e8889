//! The tokens of Spark's SQL.

use super::Mistake;
use model::Error;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    /// In back-ticks.
    Name,
    Number,
    /// In single or double quotes.
    Text,
    Symbol,
}

/// A token: its bytes, and where the space before it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) before: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Symbols of more than one character, longest first.
const SYMBOLS: &[&str] = &["<=>", "==", "<=", ">=", "<>", "!=", "||", "->", "=>", "::"];

pub(super) fn read(text: &str) -> Result<Vec<Token>, Mistake> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        let before = at;
        at = skip_space(text, at)?;
        let Some(first) = text.get(at..).and_then(|rest| rest.chars().next()) else { return Ok(tokens) };
        let rest = text.get(at..).unwrap_or("");
        let (kind, length) = match first {
            '\'' | '"' => (Kind::Text, quoted(rest, first).ok_or_else(|| open(at, "a string", first))?),
            '`' => (Kind::Name, quoted(rest, first).ok_or_else(|| open(at, "a name in back-ticks", first))?),
            c if c.is_alphabetic() || c == '_' => {
                (Kind::Word, length_while(rest, |c| c.is_alphanumeric() || c == '_' || c == '$'))
            }
            c if c.is_ascii_digit() => (Kind::Number, number(rest)),
            _ => {
                let long =
                    SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)).map(|symbol| symbol.len());
                (Kind::Symbol, long.unwrap_or(first.len_utf8()))
            }
        };
        tokens.push(Token { kind, before, start: at, end: at + length });
        at += length;
    }
}

fn open(at: usize, what: &str, mark: char) -> Mistake {
    (at..at + 1, Error::invalid(format!("{what} is never closed")).hint(format!("close it with {mark}")))
}

fn length_while(text: &str, fits: impl Fn(char) -> bool) -> usize {
    text.find(|c| !fits(c)).unwrap_or(text.len())
}

fn number(text: &str) -> usize {
    let mut length = length_while(text, |c| c.is_ascii_digit() || c == '.');
    let exponent = text.get(length..).unwrap_or("");
    if exponent.starts_with(['e', 'E']) {
        let sign = 1 + usize::from(exponent.get(1..2).is_some_and(|s| s == "-" || s == "+"));
        let digits = length_while(exponent.get(sign..).unwrap_or(""), |c| c.is_ascii_digit());
        if digits > 0 {
            length += sign + digits;
        }
    } else if exponent.starts_with(['L', 'l', 'D', 'd'])
        && !exponent.get(1..).is_some_and(|r| r.starts_with(char::is_alphanumeric))
    {
        length += 1;
    }
    length
}

/// Spaces and comments.
fn skip_space(text: &str, from: usize) -> Result<usize, Mistake> {
    let mut at = from;
    loop {
        let rest = text.get(at..).unwrap_or("");
        let trimmed = rest.trim_start();
        at += rest.len() - trimmed.len();
        if trimmed.starts_with("--") {
            at += trimmed.find('\n').unwrap_or(trimmed.len());
        } else if trimmed.starts_with("/*") {
            at += trimmed.find("*/").map(|end| end + 2).ok_or_else(|| open(at, "a comment", '*'))?;
        } else {
            return Ok(at);
        }
    }
}

/// The length of a quoted piece; a backslash protects what follows in strings, a doubled mark is one in names.
fn quoted(text: &str, mark: char) -> Option<usize> {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && mark != '`' {
            chars.next();
        } else if c == mark {
            if chars.peek().is_some_and(|(_, next)| *next == mark) {
                chars.next();
                continue;
            }
            return Some(at + c.len_utf8());
        }
    }
    None
}

/// What a string stands for.
pub(super) fn text_value(written: &str) -> String {
    let Some(mark) = written.chars().next() else { return String::new() };
    let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or("");
    let mut value = String::with_capacity(inner.len());
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some('r') => value.push('\r'),
                Some('0') => value.push('\0'),
                // LIKE's own escapes stay with their backslash.
                Some(c @ ('%' | '_')) => value.extend(['\\', c]),
                Some(c) => value.push(c),
                None => value.push('\\'),
            },
            c if c == mark && chars.peek() == Some(&mark) => {
                chars.next();
                value.push(mark);
            }
            c => value.push(c),
        }
    }
    value
}

/// For each opening parenthesis or bracket, the token that closes it.
pub(super) fn matching(text: &str, tokens: &[Token]) -> Vec<Option<usize>> {
    let mut closes = vec![None; tokens.len()];
    let mut open: Vec<usize> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match text.get(token.start..token.end) {
            Some("(" | "[") => open.push(at),
            Some(")" | "]") => {
                if let Some(slot) = open.pop().and_then(|opened| closes.get_mut(opened)) {
                    *slot = Some(at);
                }
            }
            _ => {}
        }
    }
    closes
}
