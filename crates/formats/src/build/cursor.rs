//! A place in a line of JSON: steps over values and takes strings, keys and words out, without building anything.

use super::value::Field;
use super::{Block, Keys};

/// Why a line is no JSON, as in `a string does not end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// How deep objects and arrays may nest.
pub(super) const MAX_DEPTH: usize = 128;
pub(super) const TOO_DEEP: Malformed = Malformed("it nests deeper than 128 levels");

pub(super) type Parsed<T> = Result<T, Malformed>;

/// A place in a line of a block.
pub(crate) struct Cursor<'a> {
    pub(super) block: &'a Block,
    /// The block up to the line's end.
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

/// A string without its quotes.
#[derive(Clone, Copy)]
pub(crate) struct Quoted {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) escaped: bool,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(block: &'a Block, start: usize, end: usize) -> Self {
        Self { block, bytes: block.bytes().get(..end).unwrap_or_default(), at: start }
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub(crate) fn spaces(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    #[inline]
    pub(super) fn expect(&mut self, byte: u8, why: &'static str) -> Parsed<()> {
        self.spaces();
        if self.peek() != Some(byte) {
            return Err(Malformed(why));
        }
        self.at += 1;
        Ok(())
    }

    /// A string; the cursor stands at its quote.
    #[inline]
    pub(super) fn string(&mut self) -> Parsed<Quoted> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            at = quote_or_backslash(self.bytes, at).ok_or(Malformed("a string does not end"))?;
            if self.bytes.get(at) == Some(&b'"') {
                self.at = at + 1;
                return Ok(Quoted { start, end: at, escaped });
            }
            escaped = true;
            at += 2;
        }
    }

    pub(crate) fn raw(&self, string: Quoted) -> &'a [u8] {
        self.bytes.get(string.start..string.end).unwrap_or_default()
    }

    /// What is not quoted: a number, `true`, `false` or `null`.
    #[inline]
    pub(super) fn word(&mut self) -> Parsed<(usize, usize)> {
        let start = self.at;
        while let Some(byte) = self.peek() {
            if matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' | b':' | b'"' | b'{' | b'[') {
                break;
            }
            self.at += 1;
        }
        if self.at == start { Err(Malformed("a value is missing")) } else { Ok((start, self.at)) }
    }

    /// Steps over a value of any kind.
    pub(super) fn skip(&mut self) -> Parsed<()> {
        self.spaces();
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'{' | b'[') => self.skip_nested(),
            Some(_) => self.word().map(|_| ()),
            None => Err(Malformed("it ends in the middle")),
        }
    }

    /// Steps over an object or array by counting its brackets.
    pub(super) fn skip_nested(&mut self) -> Parsed<()> {
        let mut open = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => {
                    open = open.saturating_sub(1);
                    if open == 0 {
                        self.at += 1;
                        return Ok(());
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
        Err(Malformed("an object or array does not end"))
    }

    /// Goes through an object; `visit` is called at each value and must step over it.
    #[inline]
    pub(crate) fn object(&mut self, visit: impl FnMut(&mut Self, usize, Quoted) -> Parsed<()>) -> Parsed<()> {
        self.each_member(|cursor, _| cursor.key(), visit)
    }

    /// The same of an object whose keys stand for fields; `visit` has the value's field, if there is one.
    #[inline]
    pub(crate) fn members(
        &mut self,
        keys: &mut Keys,
        mut visit: impl FnMut(&mut Self, Option<usize>, Quoted) -> Parsed<()>,
    ) -> Parsed<()> {
        let key = |cursor: &mut Self, position: usize| {
            let text = cursor.bytes.get(cursor.at..).unwrap_or_default();
            let Some((length, field)) = keys.expected(position, text) else {
                return cursor.member(keys, position);
            };
            let start = cursor.at + 1;
            cursor.at += length;
            Ok((field, Quoted { start, end: start + length - 3, escaped: false }))
        };
        self.each_member(key, |cursor, _, (field, key)| visit(cursor, field, key))
    }

    /// Goes through an object: `key` steps over a key and its colon, `visit` over the value.
    #[inline]
    fn each_member<K>(
        &mut self,
        mut key: impl FnMut(&mut Self, usize) -> Parsed<K>,
        mut visit: impl FnMut(&mut Self, usize, K) -> Parsed<()>,
    ) -> Parsed<()> {
        self.expect(b'{', "it does not begin with `{`")?;
        self.spaces();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        let mut position = 0;
        loop {
            self.spaces();
            let found = key(self, position)?;
            self.spaces();
            visit(self, position, found)?;
            position += 1;
            self.spaces();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(Malformed("a `,` or `}` is missing behind a value")),
            }
        }
    }

    /// A key, and its colon.
    #[inline]
    fn key(&mut self) -> Parsed<Quoted> {
        if self.peek() != Some(b'"') {
            return Err(Malformed("a key in quotes is missing"));
        }
        let key = self.string()?;
        self.expect(b':', "a `:` is missing behind a key")?;
        Ok(key)
    }

    /// The field that a key stands for which was not expected there, and the key.
    #[inline(never)]
    fn member(&mut self, keys: &mut Keys, position: usize) -> Parsed<(Option<usize>, Quoted)> {
        let key = self.key()?;
        let raw = self.raw(key);
        Ok((keys.find(position, raw, || key.escaped.then(|| unescaped(raw))), key))
    }

    /// Goes through an object and everything in it. What is wrong is found wherever it stands: stepping over a value only
    /// counts its brackets.
    pub(crate) fn check(&mut self) -> Parsed<()> {
        self.object(|cursor, _, _| cursor.check_value(0))
    }

    fn check_value(&mut self, depth: usize) -> Parsed<()> {
        self.spaces();
        match self.peek() {
            Some(b'{' | b'[') if depth >= MAX_DEPTH => Err(TOO_DEEP),
            Some(b'{') => self.object(|cursor, _, _| cursor.check_value(depth + 1)),
            Some(b'[') => self.check_items(depth),
            _ => self.skip(),
        }
    }

    fn check_items(&mut self, depth: usize) -> Parsed<()> {
        self.at += 1;
        self.spaces();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.check_value(depth + 1)?;
            self.spaces();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(Malformed("a `,` or `]` is missing behind a value")),
            }
        }
    }

    /// Steps over a value that no column wants.
    pub(crate) fn ignore(&mut self) -> Parsed<()> {
        self.skip()
    }

    pub(super) fn field(&self, start: usize, end: usize) -> Field<'a> {
        Field::within(self.block, start, end)
    }
}

/// Where the next quote or backslash stands: eight bytes are looked at together.
#[inline]
fn quote_or_backslash(bytes: &[u8], from: usize) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let mut at = from;
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*eight);
        let found = has_zero(word ^ (ONES * b'"' as u64)) | has_zero(word ^ (ONES * b'\\' as u64));
        if found != 0 {
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    rest.iter().position(|b| matches!(b, b'"' | b'\\')).map(|more| at + more)
}

/// A string's text without its escapes; what is no escape stays as it is.
pub(super) fn unescaped(raw: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        plain.extend_from_slice(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        let Some((letter, after)) = rest.split_first() else { break };
        rest = after;
        match letter {
            b'n' => plain.push(b'\n'),
            b't' => plain.push(b'\t'),
            b'r' => plain.push(b'\r'),
            b'b' => plain.push(8),
            b'f' => plain.push(12),
            b'u' => {
                let (found, used) = code_point(after);
                plain.extend_from_slice(found.encode_utf8(&mut [0; 4]).as_bytes());
                rest = after.get(used..).unwrap_or_default();
            }
            other => plain.push(*other),
        }
    }
    plain.extend_from_slice(rest);
    plain
}

/// The character behind `\u`, of one or two escapes, and how many bytes they took.
fn code_point(after: &[u8]) -> (char, usize) {
    let hex = |at: usize| {
        let digits = after.get(at..at + 4)?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let Some(first) = hex(0) else { return (char::REPLACEMENT_CHARACTER, 0) };
    if (0xd800..0xdc00).contains(&first)
        && after.get(4..6) == Some(b"\\u")
        && let Some(second @ 0xdc00..=0xdfff) = hex(6)
    {
        let point = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER), 10);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 4)
}
