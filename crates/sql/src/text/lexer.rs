//! Text to tokens, with their places. Queries and Hive's definitions are written differently (back-ticks, escapes in
//! strings, double-quoted strings), so the lexer is told which of the two it reads. It never fails: what cannot be a
//! token becomes a `Bad` one, so that a prompt can colour an unfinished text.

use sqlparser::tokenizer::{Location, Span};

/// Whose rules strings and names follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Trino's.
    Query,
    /// Hive's: backslashes escape, words may begin with a digit.
    Hive,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or keyword.
    Word,
    /// A name in double quotes; in Hive's definitions it may be meant as a string.
    Quoted,
    /// A name in back-ticks.
    BackQuoted,
    /// `'text'`
    Text,
    /// `U&'text'`
    UnicodeText,
    /// `U&"name"`
    UnicodeQuoted,
    /// `X'00ff'`
    Hex,
    /// `1`, `1.5`, `1e3`
    Number,
    /// One or two characters of punctuation.
    Symbol,
    /// `--` or `/* */`; only kept for colouring.
    Comment,
    /// Not a token.
    Bad(Bad),
    /// Behind the last token.
    End,
}

/// Why something is not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bad {
    Text,
    Quoted,
    BackQuoted,
    Comment,
    Character,
    DigitWord,
}

/// A token: its bytes, and the line and column of both ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) from: (u32, u32),
    pub(crate) to: (u32, u32),
}

impl Token {
    pub(crate) fn span(&self) -> Span {
        Span::new(location(self.from), location(self.to))
    }
}

fn location((line, column): (u32, u32)) -> Location {
    Location::new(u64::from(line), u64::from(column))
}

const TWO: &[&[u8]] = &[b"<>", b"!=", b"<=", b">=", b"||", b"->", b"=>"];

/// Reads one token after the other.
#[derive(Clone)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    column: u32,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1, column: 1 }
    }

    /// The text of a token.
    pub(crate) fn piece(&self, token: &Token) -> &'a str {
        self.text.get(token.start..token.end).unwrap_or("")
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn ended(&self) -> bool {
        self.at >= self.text.len()
    }

    /// Goes on to a byte offset, counting lines and columns on the way.
    fn go_to(&mut self, end: usize) {
        while self.at < end {
            let byte = self.byte(0);
            self.at += 1;
            if byte == b'\n' {
                self.line += 1;
                self.column = 1;
            } else if byte & 0xC0 != 0x80 {
                self.column += 1;
            }
        }
    }

    /// The next token that is not a comment.
    pub(crate) fn token(&mut self, mode: Mode) -> Token {
        loop {
            let token = self.token_or_comment(mode);
            if token.kind != Kind::Comment {
                return token;
            }
        }
    }

    /// The next token, comments included.
    pub(crate) fn token_or_comment(&mut self, mode: Mode) -> Token {
        let blank =
            self.bytes()[self.at..].iter().take_while(|b| b.is_ascii_whitespace() || **b == 0x0B).count();
        self.go_to(self.at + blank);
        // A byte order mark is what some editors put before a file's first word.
        if self.at == 0 && self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
            return self.token_or_comment(mode);
        }
        let start = self.at;
        let from = (self.line, self.column);
        let (kind, end) = self.measure(mode);
        self.go_to(end.min(self.text.len()));
        Token { kind, start, end: self.at, from, to: (self.line, self.column) }
    }

    /// What begins here and where it ends.
    fn measure(&self, mode: Mode) -> (Kind, usize) {
        if self.ended() {
            return (Kind::End, self.at);
        }
        match (self.byte(0), self.byte(1)) {
            (b'-', b'-') => (Kind::Comment, self.find(b"\n", self.at).unwrap_or(self.text.len())),
            (b'/', b'*') => match self.find(b"*/", self.at + 2) {
                Some(end) => (Kind::Comment, end + 2),
                None => (Kind::Bad(Bad::Comment), self.text.len()),
            },
            (b'\'', _) => self.delimited(self.at, mode == Mode::Hive, Kind::Text, Bad::Text),
            (b'"', _) => self.delimited(self.at, mode == Mode::Hive, Kind::Quoted, Bad::Quoted),
            (b'`', _) => self.delimited(self.at, false, Kind::BackQuoted, Bad::BackQuoted),
            (b'x' | b'X', b'\'') => self.delimited(self.at + 1, false, Kind::Hex, Bad::Text),
            (b'u' | b'U', b'&') if self.byte(2) == b'\'' => {
                self.delimited(self.at + 2, false, Kind::UnicodeText, Bad::Text)
            }
            (b'u' | b'U', b'&') if self.byte(2) == b'"' => {
                self.delimited(self.at + 2, false, Kind::UnicodeQuoted, Bad::Quoted)
            }
            (b'0'..=b'9', _) => self.number(mode),
            (b'.', b'0'..=b'9') if !self.follows_name() => self.number(mode),
            (first, _) if first.is_ascii_alphabetic() || first == b'_' => {
                (Kind::Word, self.word_end(self.at))
            }
            (first, second) if first.is_ascii_punctuation() => {
                let two = TWO.contains(&[first, second].as_slice());
                (Kind::Symbol, self.at + if two { 2 } else { 1 })
            }
            _ => {
                let length = self.text[self.at..].chars().next().map_or(1, char::len_utf8);
                (Kind::Bad(Bad::Character), self.at + length)
            }
        }
    }

    /// Whether a name or a closing bracket stands directly before: then a point is not a number's.
    fn follows_name(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|i| self.bytes().get(i)).copied().unwrap_or(b' ');
        before.is_ascii_alphanumeric() || matches!(before, b'_' | b'"' | b'`' | b')' | b']')
    }

    fn find(&self, wanted: &[u8], from: usize) -> Option<usize> {
        let rest = self.bytes().get(from..)?;
        rest.windows(wanted.len()).position(|w| w == wanted).map(|found| from + found)
    }

    /// A string or quoted name whose first delimiter stands at `open`; the delimiter doubled stands for itself.
    fn delimited(&self, open: usize, escapes: bool, kind: Kind, bad: Bad) -> (Kind, usize) {
        let bytes = self.bytes();
        let delimiter = bytes[open];
        let mut at = open + 1;
        while let Some(&byte) = bytes.get(at) {
            if escapes && byte == b'\\' {
                at += 2;
            } else if byte != delimiter {
                at += 1;
            } else if bytes.get(at + 1) == Some(&delimiter) {
                at += 2;
            } else {
                return (kind, at + 1);
            }
        }
        (Kind::Bad(bad), self.text.len())
    }

    fn word_end(&self, from: usize) -> usize {
        let rest = &self.bytes()[from..];
        from + rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count()
    }

    fn digits_end(&self, from: usize) -> usize {
        let rest = self.bytes().get(from..).unwrap_or_default();
        let count = rest.iter().take_while(|b| b.is_ascii_digit() || **b == b'_').count();
        // `1_` and `1__0` are not numbers; what is behind the digits is then read as a word and refused.
        let trailing = rest[..count].iter().rev().take_while(|b| **b == b'_').count();
        from + count - trailing
    }

    fn number(&self, mode: Mode) -> (Kind, usize) {
        let mut end = self.digits_end(self.at);
        if self.bytes().get(end) == Some(&b'.') {
            end = self.digits_end(end + 1);
        }
        if matches!(self.bytes().get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.bytes().get(end + 1), Some(b'+' | b'-')));
            if matches!(self.bytes().get(end + 1 + sign), Some(b'0'..=b'9')) {
                end = self.digits_end(end + 1 + sign);
            }
        }
        let word_end = self.word_end(end);
        if word_end == end {
            return (Kind::Number, end);
        }
        let word = if mode == Mode::Hive { Kind::Word } else { Kind::Bad(Bad::DigitWord) };
        (word, word_end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str, mode: Mode) -> Vec<(Kind, &str)> {
        let mut lexer = Lexer::new(text);
        let mut found = Vec::new();
        loop {
            let token = lexer.token(mode);
            if token.kind == Kind::End {
                return found;
            }
            found.push((token.kind, &text[token.start..token.end]));
        }
    }

    #[test]
    fn tokens_are_cut_where_trino_cuts_them() {
        let words: Vec<&str> = kinds("a.b.1 1.5e-3 .5 x[1]->'it''s' /* ; */ -- c\n<>", Mode::Query)
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert_eq!(
            words,
            ["a", ".", "b", ".", "1", "1.5e-3", ".5", "x", "[", "1", "]", "->", "'it''s'", "<>"]
        );
    }

    #[test]
    fn a_backslash_escapes_only_in_hive() {
        assert_eq!(kinds(r"'\'", Mode::Query), [(Kind::Text, r"'\'")]);
        assert_eq!(kinds(r"'\''", Mode::Hive), [(Kind::Text, r"'\''")]);
        assert_eq!(kinds(r"'\", Mode::Hive), [(Kind::Bad(Bad::Text), r"'\")]);
    }

    #[test]
    fn places_count_characters() {
        let mut lexer = Lexer::new("'é'\n  x");
        assert_eq!(lexer.token(Mode::Query).to, (1, 4));
        assert_eq!(lexer.token(Mode::Query).from, (2, 3));
    }
}
