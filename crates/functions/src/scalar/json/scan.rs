//! Reads JSON text token by token, without building anything: what is looked for is found by skipping the rest.
//!
//! The grammar is RFC 8259's, strictly; what is skipped is checked too. Nesting is limited.

/// Values may nest so deep.
pub(crate) const MAX_DEPTH: usize = 1000;

/// The text is no JSON, at this byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) usize);

type Scan<T> = Result<T, Malformed>;

/// What the next value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    Number,
    String,
    Array,
    Object,
}

/// A string's text between its quotes, as it stands there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw<'a> {
    pub(crate) text: &'a str,
    /// Whether there are escapes in it.
    pub(crate) escaped: bool,
}

/// A place in a JSON text.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn bad<T>(&self) -> Scan<T> {
        Err(Malformed(self.at))
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(crate) fn blanks(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Whether nothing follows but blanks.
    pub(crate) fn at_end(&mut self) -> bool {
        self.blanks();
        self.at == self.text.len()
    }

    /// What comes next, behind blanks.
    pub(crate) fn kind(&mut self) -> Scan<Kind> {
        self.blanks();
        match self.byte() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::String),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't') => Ok(Kind::True),
            Some(b'f') => Ok(Kind::False),
            Some(b'n') => Ok(Kind::Null),
            _ => self.bad(),
        }
    }

    fn expect(&mut self, byte: u8) -> Scan<()> {
        if self.byte() != Some(byte) {
            return self.bad();
        }
        self.at += 1;
        Ok(())
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.byte() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// Enters an array or object. Says whether there is a first element or member.
    pub(crate) fn open(&mut self, object: bool) -> Scan<bool> {
        let (open, close) = if object { (b'{', b'}') } else { (b'[', b']') };
        self.blanks();
        self.expect(open)?;
        self.blanks();
        Ok(!self.take(close))
    }

    /// Behind an element or member: whether there is another one.
    pub(crate) fn more(&mut self, object: bool) -> Scan<bool> {
        self.blanks();
        if self.take(b',') {
            return Ok(true);
        }
        self.expect(if object { b'}' } else { b']' })?;
        Ok(false)
    }

    /// A member's name and its colon.
    pub(crate) fn key(&mut self) -> Scan<Raw<'a>> {
        self.blanks();
        let key = self.string()?;
        self.blanks();
        self.expect(b':')?;
        Ok(key)
    }

    pub(crate) fn string(&mut self) -> Scan<Raw<'a>> {
        self.expect(b'"')?;
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        loop {
            let rest = bytes.get(self.at..).unwrap_or_default();
            let Some(next) = memchr::memchr2(b'"', b'\\', rest) else {
                self.at = bytes.len();
                return self.bad();
            };
            if let Some(control) = rest.iter().take(next).position(|b| *b < 0x20) {
                self.at += control;
                return self.bad();
            }
            self.at += next;
            if self.take(b'"') {
                let text = self.text.get(start..self.at - 1).unwrap_or_default();
                return Ok(Raw { text, escaped });
            }
            escaped = true;
            self.at += 1;
            match self.byte() {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
                Some(b'u') => {
                    let digits = bytes.get(self.at + 1..self.at + 5).unwrap_or_default();
                    if digits.len() != 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
                        return self.bad();
                    }
                    self.at += 5;
                }
                _ => return self.bad(),
            }
        }
    }

    /// A number as it stands there, and whether it has a point or an exponent.
    pub(crate) fn number(&mut self) -> Scan<(&'a str, bool)> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        let mut float = false;
        if self.take(b'.') {
            float = true;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            float = true;
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        if matches!(self.byte(), Some(b) if b.is_ascii_alphanumeric() || b == b'.') {
            return self.bad();
        }
        Ok((self.text.get(start..self.at).unwrap_or_default(), float))
    }

    fn digits(&mut self) -> Scan<()> {
        let start = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { self.bad() } else { Ok(()) }
    }

    /// `true`, `false` or `null`.
    pub(crate) fn word(&mut self, word: &str) -> Scan<()> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return self.bad();
        }
        self.at += word.len();
        match self.byte() {
            Some(b) if b.is_ascii_alphanumeric() || b == b'_' => self.bad(),
            _ => Ok(()),
        }
    }

    /// Passes the next value over, checking it.
    pub(crate) fn skip(&mut self) -> Scan<()> {
        // The open arrays and objects: true for objects.
        let mut open: Vec<bool> = Vec::new();
        loop {
            let entered = match self.kind()? {
                Kind::Null => self.word("null").map(|()| None)?,
                Kind::True => self.word("true").map(|()| None)?,
                Kind::False => self.word("false").map(|()| None)?,
                Kind::Number => self.number().map(|_| None)?,
                Kind::String => self.string().map(|_| None)?,
                Kind::Array => self.open(false)?.then_some(false),
                Kind::Object => self.open(true)?.then_some(true),
            };
            match entered {
                Some(object) => {
                    if open.len() >= MAX_DEPTH {
                        return self.bad();
                    }
                    open.push(object);
                    if object {
                        self.key()?;
                    }
                }
                None => loop {
                    let Some(object) = open.last().copied() else { return Ok(()) };
                    if self.more(object)? {
                        if object {
                            self.key()?;
                        }
                        break;
                    }
                    open.pop();
                },
            }
        }
    }
}

impl<'a> Raw<'a> {
    /// The text it stands for, appended.
    pub(crate) fn decode(&self, out: &mut String) {
        if !self.escaped {
            out.push_str(self.text);
            return;
        }
        let mut symbols = self.text.chars();
        let mut high: Option<u32> = None;
        while let Some(symbol) = symbols.next() {
            let mut plain = symbol;
            if symbol == '\\' {
                match symbols.next() {
                    Some('b') => plain = '\u{8}',
                    Some('f') => plain = '\u{c}',
                    Some('n') => plain = '\n',
                    Some('r') => plain = '\r',
                    Some('t') => plain = '\t',
                    Some('u') => {
                        let digits: String = symbols.by_ref().take(4).collect();
                        let unit = u32::from_str_radix(&digits, 16).unwrap_or(0xfffd);
                        match (high.take(), unit) {
                            (Some(first), 0xdc00..=0xdfff) => {
                                let code = 0x10000 + ((first - 0xd800) << 10) + (unit - 0xdc00);
                                out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                                continue;
                            }
                            (first, _) if first.is_some() => out.push(char::REPLACEMENT_CHARACTER),
                            _ => {}
                        }
                        if (0xd800..=0xdbff).contains(&unit) {
                            high = Some(unit);
                            continue;
                        }
                        plain = char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
                    }
                    Some(other) => plain = other,
                    None => {}
                }
            }
            if high.take().is_some() {
                out.push(char::REPLACEMENT_CHARACTER);
            }
            out.push(plain);
        }
        if high.is_some() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }

    /// Whether it stands for this text.
    pub(crate) fn is(&self, text: &str) -> bool {
        if !self.escaped {
            return self.text == text;
        }
        let mut decoded = String::new();
        self.decode(&mut decoded);
        decoded == text
    }

    /// The text it stands for.
    pub(crate) fn to_text(self) -> String {
        let mut text = String::new();
        self.decode(&mut text);
        text
    }
}
