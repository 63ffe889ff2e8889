//! A script's text to tokens with their places. Flink's own rules: back-ticks around names, doubled quotes in strings and
//! no other escapes, `--` and `/* */` comments.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A word or a bare name.
    Word,
    /// A name in back-ticks.
    Quoted,
    /// A string.
    Text,
    /// A number.
    Number,
    /// Anything else.
    Symbol,
    /// A string, name or comment that is never closed.
    Open,
}

/// A token: its kind, and the bytes it stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// All tokens of a text.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(&first) = bytes.get(at) {
        if first.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let rest = text.get(at..).unwrap_or("");
        // Notebooks begin a paragraph with the interpreter's name, as in `%flink.ssql`.
        let begins_line = text.get(..at).is_some_and(|before| before.is_empty() || before.ends_with('\n'));
        if rest.starts_with("--") || (first == b'%' && begins_line) {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let start = at;
        let kind = if rest.starts_with("/*") {
            match rest.find("*/") {
                Some(end) => {
                    at += end + 2;
                    continue;
                }
                None => {
                    at = text.len();
                    Kind::Open
                }
            }
        } else if first == b'\'' || first == b'`' || first == b'"' {
            let closed = quoted(bytes, &mut at, first);
            match (closed, first) {
                (false, _) => Kind::Open,
                (true, b'\'') => Kind::Text,
                (true, _) => Kind::Quoted,
            }
        } else if first.is_ascii_digit() {
            at += number(rest);
            Kind::Number
        } else if first.is_ascii_alphabetic() || first == b'_' || first == b'$' || !first.is_ascii() {
            let inside = |c: char| !(c.is_alphanumeric() || c == '_' || c == '$');
            at += rest.find(inside).unwrap_or(rest.len()).max(rest.chars().next().map_or(1, char::len_utf8));
            Kind::Word
        } else {
            let two = ["<>", "<=", ">=", "!=", "||", "=>"].iter().any(|two| rest.starts_with(two));
            at += if two { 2 } else { 1 };
            Kind::Symbol
        };
        all.push(Token { kind, start, end: at });
    }
    all
}

/// Moves behind the closing quote; a doubled one stands for itself. Says whether there was one.
fn quoted(bytes: &[u8], at: &mut usize, quote: u8) -> bool {
    *at += 1;
    while let Some(&byte) = bytes.get(*at) {
        *at += 1;
        if byte == quote {
            if bytes.get(*at) == Some(&quote) {
                *at += 1;
            } else {
                return true;
            }
        }
    }
    false
}

fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') {
        length += 1 + digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length
}

/// What a string or quoted name says.
pub(crate) fn unquoted(piece: &str) -> String {
    let Some(quote) = piece.chars().next().filter(|c| matches!(c, '\'' | '`' | '"')) else {
        return piece.to_owned();
    };
    let inner = piece.get(1..piece.len().saturating_sub(1)).unwrap_or("");
    inner.replace(&format!("{quote}{quote}"), &quote.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_tokens() {
        let text = "SELECT `a``b`, 'it''s' -- gone\n/* gone */ FROM t1 WHERE x >= 1.5e3;";
        let pieces: Vec<&str> = tokens(text).iter().map(|t| &text[t.start..t.end]).collect();
        assert_eq!(
            pieces,
            ["SELECT", "`a``b`", ",", "'it''s'", "FROM", "t1", "WHERE", "x", ">=", "1.5e3", ";"]
        );
        assert_eq!(unquoted("'it''s'"), "it's");
        assert_eq!(unquoted("`a``b`"), "a`b");
    }

    #[test]
    fn what_is_never_closed_is_one_token_to_the_end() {
        for text in ["'a", "`a", "/* a", "a /* 'b"] {
            let all = tokens(text);
            assert_eq!(all.last().map(|t| (t.kind, t.end)), Some((Kind::Open, text.len())), "{text}");
        }
        for text in ["é", "ünï cödé", "\u{1F600}", "a\u{0}b", "1.", "1e", "$x"] {
            let _ = tokens(text);
        }
    }
}
