//! LIKE patterns: `%` for any text, `_` for one character, an escape character if one is named.

/// A pattern in pieces.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    pub(super) pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    Char(char),
    One,
    Any,
}

impl Pattern {
    /// Reads a pattern. None when the escape character stands before something that needs no escape, or at the end.
    pub(super) fn parse(text: &str, escape: Option<char>) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            let piece = match c {
                c if Some(c) == escape => {
                    let next = chars.next()?;
                    if next != '%' && next != '_' && Some(next) != escape {
                        return None;
                    }
                    Piece::Char(next)
                }
                '%' => Piece::Any,
                '_' => Piece::One,
                c => Piece::Char(c),
            };
            if piece != Piece::Any || pieces.last() != Some(&Piece::Any) {
                pieces.push(piece);
            }
        }
        Some(Self { pieces })
    }

    /// The plain text before the first wildcard.
    pub(super) fn prefix(&self) -> String {
        self.pieces
            .iter()
            .map_while(|piece| match piece {
                Piece::Char(c) => Some(*c),
                _ => None,
            })
            .collect()
    }

    /// Whether it is plain text all through.
    pub(super) fn is_plain(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Piece::Char(_)))
    }

    /// Whether it is plain text and then anything.
    pub(super) fn is_prefix(&self) -> bool {
        match self.pieces.split_last() {
            Some((Piece::Any, front)) => front.iter().all(|piece| matches!(piece, Piece::Char(_))),
            _ => false,
        }
    }

    /// Whether a text matches, in time that grows with text times pattern, not worse.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut t, mut p) = (0, 0);
        // Where to go on when the latest `%` must swallow one more character.
        let mut retry: Option<(usize, usize)> = None;
        while t < text.len() {
            match self.pieces.get(p) {
                Some(Piece::Any) => {
                    retry = Some((p + 1, t));
                    p += 1;
                }
                Some(Piece::One) => (t, p) = (t + 1, p + 1),
                Some(Piece::Char(c)) if *c == text[t] => (t, p) = (t + 1, p + 1),
                _ => match retry {
                    Some((after, from)) => {
                        retry = Some((after, from + 1));
                        (t, p) = (from + 1, after);
                    }
                    None => return false,
                },
            }
        }
        self.pieces[p..].iter().all(|piece| *piece == Piece::Any)
    }

    /// As SQLite's GLOB writes it, which knows upper and lower case.
    pub(super) fn as_glob(&self) -> String {
        let mut glob = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Any => glob.push('*'),
                Piece::One => glob.push('?'),
                Piece::Char(c @ ('*' | '?' | '[')) => glob.extend(['[', *c, ']']),
                Piece::Char(c) => glob.push(*c),
            }
        }
        glob
    }

    /// As PostgreSQL's LIKE writes it, with a backslash as escape.
    pub(super) fn as_like(&self) -> String {
        let mut like = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Any => like.push('%'),
                Piece::One => like.push('_'),
                Piece::Char(c @ ('%' | '_' | '\\')) => like.extend(['\\', *c]),
                Piece::Char(c) => like.push(*c),
            }
        }
        like
    }
}

/// The first text behind all that begin with this one. None when there is none.
pub(super) fn behind(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_and_escapes() {
        let matches = |pattern: &str, text: &str| Pattern::parse(pattern, Some('\\')).unwrap().matches(text);
        assert!(matches("a%", "a"));
        assert!(matches("a%c_", "abccd"));
        assert!(!matches("a%c_", "abc"));
        assert!(matches("100\\%", "100%"));
        assert!(!matches("100\\%", "100x"));
        assert!(matches("_", "é"));
        assert!(!matches("A", "a"));
        assert!(matches("%", ""));
        assert_eq!(Pattern::parse("a\\b", Some('\\')), None);
        assert_eq!(Pattern::parse("a\\", Some('\\')), None);
        assert!(!matches(&"%a".repeat(500), &"b".repeat(1000)));
    }

    #[test]
    fn the_end_of_a_prefix() {
        assert_eq!(behind("ab").as_deref(), Some("ac"));
        assert_eq!(behind("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(behind("\u{D7FF}").as_deref(), Some("\u{E000}"));
        assert_eq!(behind("\u{10FFFF}"), None);
    }
}
