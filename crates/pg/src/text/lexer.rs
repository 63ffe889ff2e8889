//! PostgreSQL's tokens. It reads what PostgreSQL reads: `E''` and `$tag$` strings, nested comments, `$1`, operators of
//! several signs.

use model::{Error, ErrorKind, Result, SourcePlace};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or keyword.
    Word,
    /// A name in double quotes; `value` is the name.
    Quoted,
    /// A string of whatever form; `value` is the text.
    Text,
    /// A number.
    Number,
    /// `X'00ff'`, as it is written.
    Hex,
    /// `$1`; `value` is the number.
    Parameter,
    /// An operator or punctuation.
    Symbol,
}

/// A token and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) value: String,
}

impl Token {
    /// Whether it is this keyword, written in capital letters here.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.value.eq_ignore_ascii_case(word)
    }

    /// Whether it is this sign.
    pub(crate) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.value == symbol
    }

    /// Whether it can be a name.
    pub(crate) fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Quoted)
    }

    /// The name it means: words are folded to lower case.
    pub(crate) fn name(&self) -> String {
        if self.kind == Kind::Word { self.value.to_lowercase() } else { self.value.clone() }
    }
}

/// Signs that operators are made of.
const OPERATORS: &[u8] = b"+-*/<>=~!@#%^&|`?";

/// The statements of a text, which are separated by `;`, as tokens. Empty ones are left out.
pub(crate) fn statements(text: &str) -> Result<Vec<Vec<Token>>> {
    let mut all = Vec::new();
    let mut current = Vec::new();
    for token in tokens(text)? {
        if token.is_symbol(";") {
            if !current.is_empty() {
                all.push(std::mem::take(&mut current));
            }
        } else {
            current.push(token);
        }
    }
    if !current.is_empty() {
        all.push(current);
    }
    Ok(all)
}

/// The longest text of statements, in bytes.
const MAX_TEXT: usize = 16 << 20;

/// All tokens of a text.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>> {
    if text.len() > MAX_TEXT {
        return Err(Error::new(ErrorKind::LimitExceeded, "a statement may have 16 MiB")
            .hint("bind long values as parameters, or bring data in by files"));
    }
    let mut lexer = Lexer { text, bytes: text.as_bytes(), at: 0 };
    let mut all = Vec::new();
    while let Some(token) = lexer.token()? {
        all.push(token);
    }
    Ok(all)
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn piece(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn fail(&self, what: &str, from: usize) -> Error {
        Error::invalid(what).at(SourcePlace::of_bytes("<query>", self.text, from, self.text.len()))
    }

    fn token(&mut self) -> Result<Option<Token>> {
        self.skip_space()?;
        let start = self.at;
        if start >= self.bytes.len() {
            return Ok(None);
        }
        let (kind, value) = match (self.byte(0), self.byte(1)) {
            (b'\'', _) => (Kind::Text, self.string(false)?),
            (b'E' | b'e', b'\'') => {
                self.at += 1;
                (Kind::Text, self.string(true)?)
            }
            (b'N' | b'n', b'\'') => {
                self.at += 1;
                (Kind::Text, self.string(false)?)
            }
            (b'X' | b'x' | b'B' | b'b', b'\'') => {
                self.at += 1;
                self.string(false)?;
                (Kind::Hex, self.piece(start, self.at).to_owned())
            }
            (b'"', _) => (Kind::Quoted, self.quoted()?),
            (b'$', b'0'..=b'9') => {
                self.at += 1;
                self.while_byte(|byte| byte.is_ascii_digit());
                (Kind::Parameter, self.piece(start + 1, self.at).to_owned())
            }
            (b'$', _) => match self.dollar()? {
                Some(text) => (Kind::Text, text),
                None => {
                    self.at += 1;
                    (Kind::Symbol, "$".to_owned())
                }
            },
            (b'0'..=b'9', _) | (b'.', b'0'..=b'9') => {
                self.number();
                (Kind::Number, self.piece(start, self.at).to_owned())
            }
            (byte, _) if byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80 => {
                self.while_byte(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
                });
                (Kind::Word, self.piece(start, self.at).to_owned())
            }
            (byte, _) if OPERATORS.contains(&byte) => {
                self.operator();
                (Kind::Symbol, self.piece(start, self.at).to_owned())
            }
            (b':', b':') | (b':', b'=') => {
                self.at += 2;
                (Kind::Symbol, self.piece(start, self.at).to_owned())
            }
            (byte, _) if b"()[],;.:{}\\".contains(&byte) => {
                self.at += 1;
                (Kind::Symbol, self.piece(start, self.at).to_owned())
            }
            _ => return Err(self.fail("a character that cannot stand here", start)),
        };
        Ok(Some(Token { kind, start, end: self.at, value }))
    }

    fn while_byte(&mut self, fits: impl Fn(u8) -> bool) {
        while self.at < self.bytes.len() && fits(self.byte(0)) {
            self.at += 1;
        }
    }

    fn skip_space(&mut self) -> Result<()> {
        loop {
            self.while_byte(|byte| byte.is_ascii_whitespace() || byte == 0x0b);
            match (self.byte(0), self.byte(1)) {
                (b'-', b'-') => self.while_byte(|byte| byte != b'\n'),
                (b'/', b'*') => {
                    let (start, mut depth) = (self.at, 0_u32);
                    loop {
                        match (self.byte(0), self.byte(1)) {
                            (b'/', b'*') => {
                                depth += 1;
                                self.at += 2;
                            }
                            (b'*', b'/') => {
                                depth -= 1;
                                self.at += 2;
                            }
                            _ if self.at >= self.bytes.len() => {
                                return Err(self.fail("a comment has no end", start));
                            }
                            _ => self.at += 1,
                        }
                        if depth == 0 {
                            break;
                        }
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    /// An operator ends before a comment, and a sign that follows it belongs to a number unless the operator has one of
    /// the signs that only operators have.
    fn operator(&mut self) {
        let start = self.at;
        while self.at < self.bytes.len() && OPERATORS.contains(&self.byte(0)) {
            let comment = matches!((self.byte(0), self.byte(1)), (b'-', b'-') | (b'/', b'*'));
            if comment && self.at > start {
                break;
            }
            self.at += 1;
        }
        let free = |byte: &u8| b"~!@#%^&|`?".contains(byte);
        while self.at - start > 1
            && matches!(self.bytes.get(self.at - 1), Some(b'+' | b'-'))
            && !self.bytes.get(start..self.at).is_some_and(|op| op.iter().any(free))
        {
            self.at -= 1;
        }
    }

    fn number(&mut self) {
        self.while_byte(|byte| byte.is_ascii_digit() || byte == b'_');
        // `1..2` is a slice's bounds and not a number.
        if self.byte(0) == b'.' && self.byte(1) != b'.' {
            self.at += 1;
            self.while_byte(|byte| byte.is_ascii_digit());
        }
        let sign = usize::from(matches!(self.byte(1), b'+' | b'-'));
        if matches!(self.byte(0), b'e' | b'E') && self.byte(1 + sign).is_ascii_digit() {
            self.at += 1 + sign;
            self.while_byte(|byte| byte.is_ascii_digit());
        }
    }

    fn quoted(&mut self) -> Result<String> {
        let start = self.at;
        self.at += 1;
        let mut name = String::new();
        loop {
            let from = self.at;
            self.while_byte(|byte| byte != b'"');
            name.push_str(self.piece(from, self.at));
            if self.at >= self.bytes.len() {
                return Err(self.fail("a quoted name has no end", start));
            }
            self.at += 1;
            if self.byte(0) != b'"' {
                return Ok(name);
            }
            name.push('"');
            self.at += 1;
        }
    }

    /// A text in single quotes; in one with `E` before it, backslashes escape.
    fn string(&mut self, escapes: bool) -> Result<String> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let from = self.at;
            self.while_byte(|byte| byte != b'\'' && !(escapes && byte == b'\\'));
            text.push_str(self.piece(from, self.at));
            match self.byte(0) {
                _ if self.at >= self.bytes.len() => return Err(self.fail("a text has no end", start)),
                b'\'' if self.byte(1) == b'\'' => {
                    text.push('\'');
                    self.at += 2;
                }
                b'\'' => {
                    self.at += 1;
                    return Ok(text);
                }
                _ => self.escape(&mut text)?,
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Result<()> {
        let start = self.at;
        self.at += 1;
        let code = |lexer: &mut Self, digits: usize, radix: u32| {
            let from = lexer.at;
            while lexer.at - from < digits && char::from(lexer.byte(0)).is_digit(radix) {
                lexer.at += 1;
            }
            u32::from_str_radix(lexer.piece(from, lexer.at), radix).ok().and_then(char::from_u32)
        };
        let byte = self.byte(0);
        let character = match byte {
            b'b' => Some('\u{8}'),
            b'f' => Some('\u{c}'),
            b'n' => Some('\n'),
            b'r' => Some('\r'),
            b't' => Some('\t'),
            b'0'..=b'7' => {
                let found = code(self, 3, 8).filter(char::is_ascii);
                return found
                    .map(|c| text.push(c))
                    .ok_or_else(|| self.fail("an escape is no character", start));
            }
            b'x' | b'u' | b'U' => {
                self.at += 1;
                let digits = match byte {
                    b'x' => 2,
                    b'u' => 4,
                    _ => 8,
                };
                let from = self.at;
                let found = code(self, digits, 16).filter(|c| byte != b'x' || c.is_ascii());
                // Only those of bytes may have fewer digits.
                let found = found.filter(|_| byte == b'x' || self.at - from == digits);
                return found
                    .map(|c| text.push(c))
                    .ok_or_else(|| self.fail("an escape is no character", start));
            }
            _ => self.piece(self.at, self.text.len()).chars().next(),
        };
        let character = character.ok_or_else(|| self.fail("a text has no end", start))?;
        let literal = matches!(byte, b'b' | b'f' | b'n' | b'r' | b't');
        self.at += if literal { 1 } else { character.len_utf8() };
        text.push(character);
        Ok(())
    }

    /// `$tag$ … $tag$`
    fn dollar(&mut self) -> Result<Option<String>> {
        let start = self.at;
        let mut end = start + 1;
        while self.bytes.get(end).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b >= 0x80) {
            end += 1;
        }
        if self.bytes.get(end) != Some(&b'$') {
            return Ok(None);
        }
        let tag = self.piece(start, end + 1);
        let body = self.piece(end + 1, self.text.len());
        let length = body.find(tag).ok_or_else(|| self.fail("a text has no end", start))?;
        self.at = end + 1 + length + tag.len();
        Ok(body.get(..length).map(str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_postgresql_s() {
        let shown = |text: &str| {
            tokens(text).unwrap().into_iter().map(|t| format!("{:?}:{}", t.kind, t.value)).collect::<Vec<_>>()
        };
        assert_eq!(shown("a::int8"), ["Word:a", "Symbol:::", "Word:int8"]);
        assert_eq!(shown(r"E'a\n\'b\x41\u00e4\\'"), ["Text:a\n'bA\u{e4}\\"]);
        assert_eq!(shown(r"'a\'"), [r"Text:a\"]);
        assert_eq!(shown("$$it's$$ $x$a$$b$x$ $1"), ["Text:it's", "Text:a$$b", "Parameter:1"]);
        assert_eq!(shown("\"a\"\"B\".c"), ["Quoted:a\"B", "Symbol:.", "Word:c"]);
        assert_eq!(shown("/* a /* b */ */ 1 -- x\n+2"), ["Number:1", "Symbol:+", "Number:2"]);
        assert_eq!(
            shown("a!~*'x' and 1<-2"),
            ["Word:a", "Symbol:!~*", "Text:x", "Word:and", "Number:1", "Symbol:<", "Symbol:-", "Number:2"]
        );
        assert_eq!(shown("1.5e-3 .5 1e x[1:2]")[..4], ["Number:1.5e-3", "Number:.5", "Number:1", "Word:e"]);
        for bad in ["'a", "\"a", "/* a", "$x$ a", "E'\\u00'", "a \u{1} b"] {
            assert!(tokens(bad).is_err(), "{bad}");
        }
        assert_eq!(statements(";select 1;; select ';' ;").unwrap().len(), 2);
        assert!(tokens(&" ".repeat(MAX_TEXT)).unwrap().is_empty());
        assert_eq!(tokens(&" ".repeat(MAX_TEXT + 1)).unwrap_err().kind(), ErrorKind::LimitExceeded);
    }
}
