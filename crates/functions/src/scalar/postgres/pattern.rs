//! PostgreSQL's regular expressions in the notation of `regexp`, and what asks whether or where they match.

use crate::scalar::regexp::{Pattern, compiled};
use crate::{Call, Values};
use arrow::array::{ArrayRef, StringViewArray};
use model::{Error, Result};
use std::sync::Arc;

/// What the letters of flags say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// `g`: not only the first match.
    pub(super) all: bool,
    case_insensitive: bool,
    /// `n`: a point is no line feed, and lines have ends of their own.
    by_line: bool,
    comments: bool,
    literal: bool,
}

impl Flags {
    pub(super) fn read(text: &str) -> Result<Self> {
        let mut flags = Self::default();
        for letter in text.chars() {
            match letter {
                'g' => flags.all = true,
                'i' => flags.case_insensitive = true,
                'c' => flags.case_insensitive = false,
                'n' | 'm' => flags.by_line = true,
                's' => flags.by_line = false,
                'x' => flags.comments = true,
                't' => flags.comments = false,
                'q' => flags.literal = true,
                other => {
                    return Err(Error::unsupported(format!(
                        "the flag `{other}` of a regular expression is not supported"
                    ))
                    .hint("g, i, c, n, m, s, x, t and q are"));
                }
            }
        }
        Ok(flags)
    }
}

/// A pattern in the notation of `regexp`.
fn translated(pattern: &str, flags: Flags) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    out.push_str("(?");
    out.push_str(if flags.by_line { "m" } else { "s" });
    for (is_set, letter) in [(flags.case_insensitive, 'i'), (flags.comments, 'x')] {
        if is_set {
            out.push(letter);
        }
    }
    out.push(')');
    if flags.literal {
        for symbol in pattern.chars() {
            if symbol.is_ascii_punctuation() || symbol.is_ascii_whitespace() {
                out.push('\\');
            }
            out.push(symbol);
        }
        return out;
    }
    let mut symbols = pattern.chars().peekable();
    while let Some(symbol) = symbols.next() {
        match symbol {
            '\\' => match symbols.next() {
                Some('y') => out.push_str(r"\b"),
                Some('Y') => out.push_str(r"\B"),
                Some('m') => out.push_str(r"\b(?=\w)"),
                Some('M') => out.push_str(r"\b(?<=\w)"),
                Some('Z') => out.push_str(r"\z"),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            // The very end, not one before a last line feed.
            '$' if !flags.by_line => out.push_str(r"\z"),
            '[' => bracket(&mut symbols, &mut out),
            other => out.push(other),
        }
    }
    out
}

/// A class in brackets, behind its first one. Inside, an opening bracket and `&` are themselves, and `[:alpha:]` is a class.
fn bracket(symbols: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    out.push('[');
    if symbols.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    // First of all it is no end.
    if symbols.next_if_eq(&']').is_some() {
        out.push_str(r"\]");
    }
    while let Some(symbol) = symbols.next() {
        match symbol {
            ']' => {
                out.push(']');
                return;
            }
            '\\' => out.extend(std::iter::once('\\').chain(symbols.next())),
            '[' if symbols.peek() == Some(&':') => {
                symbols.next();
                let name: String = symbols.by_ref().take_while(|c| *c != ':').collect();
                symbols.next_if_eq(&']');
                match class(&name) {
                    Some(class) => out.push_str(class),
                    // A property that is none: compiling refuses it by its name.
                    None => out.push_str(&format!(r"\p{{{name}}}")),
                }
            }
            '[' => out.push_str(r"\["),
            '&' => out.push_str(r"\&"),
            other => out.push(other),
        }
    }
}

fn class(name: &str) -> Option<&'static str> {
    Some(match name {
        "alpha" => r"\p{L}",
        "digit" => "0-9",
        "alnum" => r"\p{L}0-9",
        "upper" => r"\p{Lu}",
        "lower" => r"\p{Ll}",
        "space" => r"\s",
        "blank" => r"\x20\t",
        "punct" => r"\p{Punct}",
        "xdigit" => "0-9A-Fa-f",
        "cntrl" => r"\x00-\x1F\x7F",
        "word" => r"\w",
        _ => return None,
    })
}

/// The patterns of a call with their flags, of which the last is at hand.
pub(super) struct Patterns {
    sources: Values<StringViewArray>,
    flags: Option<Values<StringViewArray>>,
    last: Option<(String, String, Flags, Arc<Pattern>)>,
}

impl Patterns {
    pub(super) fn of(call: &Call<'_>, pattern: usize, flags: usize) -> Result<Self> {
        let flags = if call.has(flags) { Some(call.strings(flags)?) } else { None };
        Ok(Self { sources: call.strings(pattern)?, flags, last: None })
    }

    /// The row's pattern and flags; nothing if one of them is NULL.
    pub(super) fn get(&mut self, row: usize) -> Result<Option<(Flags, Arc<Pattern>)>> {
        let Some(source) = self.sources.get(row) else { return Ok(None) };
        let letters = match &self.flags {
            None => "",
            Some(flags) => match flags.get(row) {
                Some(letters) => letters,
                None => return Ok(None),
            },
        };
        if let Some((before, with, flags, pattern)) = &self.last
            && before == source
            && with == letters
        {
            return Ok(Some((*flags, Arc::clone(pattern))));
        }
        let flags = Flags::read(letters)?;
        let pattern = compiled(&translated(source, flags))?;
        self.last = Some((source.to_owned(), letters.to_owned(), flags, Arc::clone(&pattern)));
        Ok(Some((flags, pattern)))
    }
}

pub(super) fn matches(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, mut patterns) = (call.strings(0)?, Patterns::of(call, 1, 2)?);
    call.build_booleans(|row| match (text.get(row), patterns.get(row)?) {
        (Some(text), Some((_, pattern))) => pattern.is_match(text).map(Some),
        _ => Ok(None),
    })
}

pub(super) fn substring(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, mut patterns) = (call.strings(0)?, Patterns::of(call, 1, 2)?);
    call.build_strings(|row, out| {
        let (Some(text), Some((_, pattern))) = (text.get(row), patterns.get(row)?) else { return Ok(false) };
        let span = match pattern.groups() {
            0 => pattern.find(text, 0)?,
            _ => pattern.captures(text, 0)?.and_then(|spans| spans.get(1).copied().flatten()),
        };
        let found = span.and_then(|(begin, end)| text.get(begin..end));
        out.push_str(found.unwrap_or_default());
        Ok(found.is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_rewritten() {
        for (pattern, flags, expected) in [
            ("a.b", "", "(?s)a.b"),
            ("a$", "i", r"(?si)a\z"),
            ("^a$", "n", "(?m)^a$"),
            (r"\ma\M", "", r"(?s)\b(?=\w)a\b(?<=\w)"),
            ("[[:alpha:]_]", "", r"(?s)[\p{L}_]"),
            ("[^]a[]", "", r"(?s)[^\]a\[]"),
            (r"[\w&&x]", "", r"(?s)[\w\&\&x]"),
            ("a.b", "q", r"(?s)a\.b"),
        ] {
            assert_eq!(translated(pattern, Flags::read(flags).unwrap()), expected, "{pattern}");
        }
        assert!(Flags::read("gw").is_err());
        assert!(compiled(&translated("[[:nothing:]]", Flags::default())).is_err());
    }
}
