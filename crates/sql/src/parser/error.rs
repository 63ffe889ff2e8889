//! What is said about a text that is not a statement: the place, what was found, what was expected, the nearest word.

use super::{Parser, words};
use crate::text::lexer::{Bad, Kind, Token};
use model::{Error, Result, SourcePlace, nearest};

/// How many expected words a message names.
const SHOWN: usize = 8;

impl Parser<'_> {
    /// The token at the cursor is not what may stand here.
    pub(super) fn unexpected(&self) -> Error {
        self.unexpected_as(None)
    }

    /// The same, where what is missing has a name: `a table's name`.
    pub(super) fn expected(&self, what: &str) -> Error {
        self.unexpected_as(Some(what))
    }

    fn unexpected_as(&self, what: Option<&str>) -> Error {
        let ahead = if what.is_none() { self.wanted_at.saturating_sub(self.at) } else { 0 };
        let token = self.token(ahead);
        let found = match token.kind {
            Kind::End => "the statement ends too early".to_owned(),
            Kind::Text | Kind::UnicodeText => "unexpected string".to_owned(),
            _ => format!("unexpected `{}`", clip(self.piece(&token))),
        };
        if token.kind == Kind::BackQuoted {
            return self.back_quoted(&token);
        }
        let place = if token.kind == Kind::End { self.end_place() } else { self.place(&token) };
        let mut error = Error::invalid(found).at(place);
        let mut wanted: Vec<&'static str> = Vec::new();
        if self.wanted_at == self.at + ahead {
            for word in &self.wanted {
                if !wanted.contains(word) {
                    wanted.push(word);
                }
            }
        }
        let wanted = wanted.as_slice();
        let expected = expectation(what, wanted);
        if !expected.is_empty() {
            error = error.why(format!("expected {expected}"));
        }
        match self.misspelt(&token, wanted) {
            Some(hint) => error.hint(hint),
            None if what.is_some() && self.piece(&self.previous()) == "," && self.at > 0 => {
                error.hint("is there a comma too many?")
            }
            None if token.kind == Kind::Word && what.is_some() && words::is_reserved(self.piece(&token)) => {
                error.hint(format!(
                    "`{0}` is a reserved word; as a name it is written \"{0}\"",
                    self.piece(&token).to_lowercase()
                ))
            }
            None => error,
        }
    }

    /// A word near to one that was expected, here or directly before (where it was taken for a name).
    fn misspelt(&self, token: &Token, wanted: &[&'static str]) -> Option<String> {
        let keywords = || wanted.iter().copied().filter(|w| w.starts_with(|c: char| c.is_ascii_alphabetic()));
        if token.kind == Kind::Word
            && let Some(word) = nearest(self.piece(token), keywords())
            && !word.eq_ignore_ascii_case(self.piece(token))
        {
            return Some(format!("did you mean `{word}`?"));
        }
        let before = self.previous();
        let word = self.piece(&before);
        if self.at == 0 || before.kind != Kind::Word || words::is_keyword(word) || word.len() < 3 {
            return None;
        }
        let near = nearest(word, keywords().chain(CLAUSES.iter().copied()))?;
        Some(format!("did you mean `{near}` instead of `{}`?", clip(word)))
    }

    /// Behind the last token, where something is missing.
    fn end_place(&self) -> SourcePlace {
        let behind =
            self.tokens.iter().rev().find(|token| token.kind != Kind::End).map_or(0, |last| last.end);
        SourcePlace::of_bytes(self.name, self.text, behind, behind)
    }

    /// Back-ticks belong to Hive's definitions.
    pub(super) fn back_quoted(&self, token: &Token) -> Error {
        let inner = self.piece(token).trim_matches('`').replace('"', "\"\"");
        Error::invalid("backquoted identifiers are not supported; use double quotes to quote identifiers")
            .at(self.place(token))
            .hint(format!("write \"{}\"", clip(&inner)))
    }

    /// A known thing that is not done here, with what to do instead.
    pub(super) fn refuse<T>(&self, token: &Token, what: impl Into<String>, instead: &str) -> Result<T> {
        Err(Error::unsupported(what).at(self.place(token)).hint(instead))
    }

    /// A wrong value at a token.
    pub(super) fn invalid(&self, token: &Token, what: impl Into<String>) -> Error {
        Error::invalid(what).at(self.place(token))
    }
}

/// Words that are often mistyped behind a name, which is then taken for an alias.
const CLAUSES: &[&str] = &["FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "JOIN", "UNION"];

fn expectation(what: Option<&str>, wanted: &[&'static str]) -> String {
    let mut parts: Vec<String> = what.map(str::to_owned).into_iter().collect();
    // Words first: `FROM` says more than a comma. Operators would make every list long.
    let (keywords, symbols): (Vec<&str>, Vec<&str>) =
        wanted.iter().copied().partition(|w| w.starts_with(|c: char| c.is_ascii_alphabetic()));
    let telling = symbols.into_iter().filter(|s| ["(", ")", ",", "]", "=", "."].contains(s));
    parts.extend(telling.map(|s| format!("`{s}`")));
    let keywords: Vec<&str> = keywords.into_iter().filter(|w| !OPERATORS.contains(w)).collect();
    parts.extend(keywords.iter().map(|w| format!("`{w}`")));
    let more = parts.len() > SHOWN;
    parts.truncate(SHOWN);
    if more {
        return format!("{}, …", parts.join(", "));
    }
    match parts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => parts.join(""),
    }
}

/// Words that may follow any expression; naming them each time would hide what matters.
const OPERATORS: &[&str] =
    &["AT", "BETWEEN", "IN", "IS", "LIKE", "NOT", "AND", "OR", "OVER", "FILTER", "IGNORE", "RESPECT"];

/// Cuts a piece of text to what a message can show.
pub(super) fn clip(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// What is said about bytes that are not a token.
pub(super) fn bad_token(bad: Bad, token: &Token, text: &str, name: &str) -> Error {
    let piece = text.get(token.start..token.end).unwrap_or("");
    let place = |end| SourcePlace::of_bytes(name, text, token.start, end);
    match bad {
        Bad::Text => Error::invalid("a string is never closed")
            .at(place(token.start + 1))
            .hint("close it with `'`; a quote inside of a string is written twice: 'it''s'"),
        Bad::Quoted => Error::invalid("a quoted name is never closed")
            .at(place(token.start + 1))
            .hint("close it with `\"`"),
        Bad::BackQuoted => Error::invalid("a name in back-ticks is never closed")
            .at(place(token.start + 1))
            .hint("close it with a back-tick"),
        Bad::Comment => {
            Error::invalid("a comment is never closed").at(place(token.start + 2)).hint("close it with `*/`")
        }
        Bad::DigitWord => Error::invalid(format!("names must not begin with a digit: `{}`", clip(piece)))
            .at(place(token.end))
            .hint(format!("write it in double quotes: \"{}\"", clip(piece))),
        Bad::Character => {
            let shown = piece.chars().next().unwrap_or('\u{fffd}');
            let error = Error::invalid(format!("unexpected character {}", named(shown))).at(place(token.end));
            if shown.is_alphabetic() {
                return error.hint(
                    "names with other than latin letters, digits and underscores stand in double quotes",
                );
            }
            match shown {
                '\u{2018}' | '\u{2019}' => error.hint("strings stand in straight quotes: '"),
                '\u{201c}' | '\u{201d}' | '\u{201e}' => {
                    error.hint("names stand in straight double quotes: \"")
                }
                '\u{2013}' | '\u{2014}' | '\u{2212}' => error.hint("minus is written `-`"),
                c if c.is_whitespace() => error.hint("replace it by an ordinary blank"),
                _ => error,
            }
        }
    }
}

fn named(c: char) -> String {
    if c.is_control() || c.is_whitespace() {
        format!("U+{:04X}", c as u32)
    } else {
        format!("`{c}` (U+{:04X})", c as u32)
    }
}
