//! JSON values straight into columns, without a tree between: what no column wants is skipped.
//!
//! As forgiving as the serdes: what stands behind the object is ignored, numbers may be quoted, and numbers and objects
//! in text columns keep their text.

use super::value::Field;
use super::{Block, Builder, Keys, Lists, Maps, Rejected, Rows, Rules};
use crate::parse;
use std::collections::{HashMap, HashSet};

/// How deep objects and arrays may nest.
const MAX_DEPTH: usize = 128;

/// Why a line is no JSON, as in `a string does not end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

type Parsed<T> = Result<T, Malformed>;

/// A place in a line of a block.
pub(crate) struct Cursor<'a> {
    block: &'a Block,
    /// The block up to the line's end.
    bytes: &'a [u8],
    at: usize,
}

/// A string without its quotes.
#[derive(Clone, Copy)]
pub(crate) struct Quoted {
    start: usize,
    end: usize,
    escaped: bool,
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
    fn expect(&mut self, byte: u8, why: &'static str) -> Parsed<()> {
        self.spaces();
        if self.peek() != Some(byte) {
            return Err(Malformed(why));
        }
        self.at += 1;
        Ok(())
    }

    /// A string; the cursor stands at its quote.
    #[inline]
    fn string(&mut self) -> Parsed<Quoted> {
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

    fn raw(&self, string: Quoted) -> &'a [u8] {
        self.bytes.get(string.start..string.end).unwrap_or_default()
    }

    /// What is not quoted: a number, `true`, `false` or `null`.
    #[inline]
    fn word(&mut self) -> Parsed<(usize, usize)> {
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
    fn skip(&mut self) -> Parsed<()> {
        self.spaces();
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'{' | b'[') => self.skip_nested(),
            Some(_) => self.word().map(|_| ()),
            None => Err(Malformed("it ends in the middle")),
        }
    }

    /// Steps over an object or array by counting its brackets.
    fn skip_nested(&mut self) -> Parsed<()> {
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
    pub(crate) fn object(
        &mut self,
        mut visit: impl FnMut(&mut Self, usize, Quoted) -> Parsed<()>,
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
            if self.peek() != Some(b'"') {
                return Err(Malformed("a key in quotes is missing"));
            }
            let key = self.string()?;
            self.expect(b':', "a `:` is missing behind a key")?;
            self.spaces();
            visit(self, position, key)?;
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

    /// The field that a key stands for.
    #[inline]
    pub(crate) fn field_of(&self, keys: &mut Keys, position: usize, key: Quoted) -> Option<usize> {
        let raw = self.raw(key);
        keys.find(position, raw, || key.escaped.then(|| unescaped(raw)))
    }

    /// Steps over a value that no column wants.
    pub(crate) fn ignore(&mut self) -> Parsed<()> {
        self.skip()
    }

    fn field(&self, start: usize, end: usize) -> Field<'a> {
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
fn unescaped(raw: &[u8]) -> Vec<u8> {
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

impl Builder {
    /// Adds the value at the cursor and steps over it. What does not convert becomes NULL; the reason and the value's
    /// text are left in `reject`.
    #[inline]
    pub(crate) fn push_json<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        rules: &Rules,
        depth: usize,
        reject: &mut Option<(Rejected, &'a [u8])>,
    ) -> Parsed<()> {
        match cursor.peek() {
            Some(b'"') => {
                let string = cursor.string()?;
                let pushed = self.push_json_string(cursor, string, rules);
                note(reject, pushed, || cursor.raw(string));
                Ok(())
            }
            Some(b'{' | b'[') => self.push_json_nested(cursor, rules, depth, reject),
            Some(_) => {
                let (start, end) = cursor.word()?;
                let field = cursor.field(start, end);
                let pushed = self.push_json_word(field, rules);
                note(reject, pushed, || field.bytes);
                Ok(())
            }
            None => Err(Malformed("it ends in the middle")),
        }
    }

    #[inline]
    fn push_json_string(
        &mut self,
        cursor: &Cursor<'_>,
        string: Quoted,
        rules: &Rules,
    ) -> Result<(), Rejected> {
        if matches!(self, Builder::Map(_) | Builder::Row(_) | Builder::List(_)) {
            return self.push_json_wrapped(cursor, string, rules);
        }
        if !string.escaped {
            return self.push_text(cursor.field(string.start, string.end), rules, 0);
        }
        self.push_text(Field::own(&unescaped(cursor.raw(string))), rules, 0)
    }

    /// A string where an array, map or row belongs: nothing at all, or an array's only element.
    fn push_json_wrapped(
        &mut self,
        cursor: &Cursor<'_>,
        string: Quoted,
        rules: &Rules,
    ) -> Result<(), Rejected> {
        if parse::trimmed(cursor.raw(string)).is_empty() {
            self.push_null();
            return Ok(());
        }
        if let Builder::List(lists) = self {
            let pushed = lists.items.push_json_string(cursor, string, rules);
            lists.close(true);
            return pushed;
        }
        self.push_null();
        Err("is no object")
    }

    #[inline]
    fn push_json_word(&mut self, field: Field<'_>, rules: &Rules) -> Result<(), Rejected> {
        if field.bytes == b"null" {
            self.push_null();
            return Ok(());
        }
        match self {
            Builder::Map(_) | Builder::Row(_) => {
                self.push_null();
                Err("is no object")
            }
            Builder::List(lists) => {
                let pushed = lists.items.push_json_word(field, rules);
                lists.close(true);
                pushed
            }
            Builder::Int8(_) | Builder::Int16(_) | Builder::Int32(_) | Builder::Int64(_)
                if memchr::memchr2(b'e', b'E', field.bytes).is_some() =>
            {
                // An integer may be written with an exponent.
                match parse::decimal(field.bytes, 38, 0) {
                    Some(whole) => self.push_text(Field::own(whole.to_string().as_bytes()), rules, 0),
                    None => {
                        self.push_null();
                        Err("is no integer")
                    }
                }
            }
            _ => self.push_text(field, rules, 0),
        }
    }

    fn push_json_nested<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        rules: &Rules,
        depth: usize,
        reject: &mut Option<(Rejected, &'a [u8])>,
    ) -> Parsed<()> {
        if depth >= MAX_DEPTH {
            return Err(Malformed("it nests deeper than 128 levels"));
        }
        let is_object = cursor.peek() == Some(b'{');
        match self {
            Builder::Row(rows) if is_object => rows.push_json(cursor, rules, depth, reject),
            Builder::Map(maps) if is_object => maps.push_json(cursor, rules, depth, reject),
            Builder::List(lists) => lists.push_json(cursor, rules, depth, reject),
            _ => {
                let start = cursor.at;
                cursor.skip()?;
                let field = cursor.field(start, cursor.at);
                if matches!(self, Builder::Text(_)) {
                    let pushed = self.push_text(field, rules, 0);
                    note(reject, pushed, || field.bytes);
                } else {
                    self.push_null();
                    note(reject, Err(if is_object { "is an object" } else { "is an array" }), || field.bytes);
                }
                Ok(())
            }
        }
    }
}

/// Keeps the first reason.
#[inline]
fn note<'a>(
    reject: &mut Option<(Rejected, &'a [u8])>,
    pushed: Result<(), Rejected>,
    value: impl FnOnce() -> &'a [u8],
) {
    if let Err(why) = pushed {
        reject.get_or_insert_with(|| (why, value()));
    }
}

impl Rows {
    fn push_json<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        rules: &Rules,
        depth: usize,
        reject: &mut Option<(Rejected, &'a [u8])>,
    ) -> Parsed<()> {
        let Rows { nulls, names, fields, keys, .. } = self;
        let keys = keys.get_or_insert_with(|| {
            Keys::new(names.iter().enumerate().map(|(i, name)| (name.as_str(), i)), rules.keys)
        });
        let row = nulls.len();
        // The row counts from now on, so that taking it back is possible when the line breaks off.
        nulls.push(true);
        let parsed = cursor.object(|cursor, position, key| {
            let Some(builder) = cursor.field_of(keys, position, key).and_then(|i| fields.get_mut(i)) else {
                return cursor.skip();
            };
            if builder.len() > row {
                builder.pop();
            }
            builder.push_json(cursor, rules, depth + 1, reject)
        });
        for builder in fields {
            if builder.len() == row {
                builder.push_null();
            }
        }
        parsed
    }
}

impl Maps {
    fn push_json<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        rules: &Rules,
        depth: usize,
        reject: &mut Option<(Rejected, &'a [u8])>,
    ) -> Parsed<()> {
        let start = cursor.at;
        let first = self.keys.len();
        let mut seen: HashSet<&'a [u8]> = HashSet::new();
        let mut parsed =
            self.push_json_entries(cursor, rules, depth, reject, |_, raw| seen.insert(raw).then_some(true));
        if parsed == Err(DUPLICATE) {
            // Rare: of entries with the same key the last one counts, so see which these are and begin again.
            while self.keys.len() > first {
                self.keys.pop();
                self.values.pop();
            }
            cursor.at = start;
            let mut last: HashMap<&'a [u8], usize> = HashMap::new();
            parsed = cursor.object(|cursor, position, key| {
                last.insert(cursor.raw(key), position);
                cursor.skip()
            });
            if parsed.is_ok() {
                cursor.at = start;
                parsed = self.push_json_entries(cursor, rules, depth, reject, |position, raw| {
                    Some(last.get(raw) == Some(&position))
                });
            }
        }
        self.close(true);
        parsed
    }

    /// Adds the entries that `wanted` says; it answers none for one that must not be there.
    fn push_json_entries<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        rules: &Rules,
        depth: usize,
        reject: &mut Option<(Rejected, &'a [u8])>,
        mut wanted: impl FnMut(usize, &'a [u8]) -> Option<bool>,
    ) -> Parsed<()> {
        let Maps { keys, values, .. } = self;
        cursor.object(|cursor, position, key| {
            let raw = cursor.raw(key);
            if !wanted(position, raw).ok_or(DUPLICATE)? {
                return cursor.skip();
            }
            note(reject, keys.push_json_string(cursor, key, rules), || raw);
            if keys.last_is_null() {
                keys.pop();
                return cursor.skip();
            }
            let parsed = values.push_json(cursor, rules, depth + 1, reject);
            while values.len() < keys.len() {
                values.push_null();
            }
            parsed
        })
    }
}

const DUPLICATE: Malformed = Malformed("a key occurs twice in an object that is read as a map");

impl Lists {
    fn push_json<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        rules: &Rules,
        depth: usize,
        reject: &mut Option<(Rejected, &'a [u8])>,
    ) -> Parsed<()> {
        let parsed = if cursor.peek() == Some(b'[') {
            self.push_json_items(cursor, rules, depth, reject)
        } else {
            // An object alone is an array of one.
            self.items.push_json(cursor, rules, depth + 1, reject)
        };
        self.close(true);
        parsed
    }

    fn push_json_items<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        rules: &Rules,
        depth: usize,
        reject: &mut Option<(Rejected, &'a [u8])>,
    ) -> Parsed<()> {
        cursor.at += 1;
        cursor.spaces();
        if cursor.peek() == Some(b']') {
            cursor.at += 1;
            return Ok(());
        }
        loop {
            cursor.spaces();
            self.items.push_json(cursor, rules, depth + 1, reject)?;
            cursor.spaces();
            match cursor.peek() {
                Some(b',') => cursor.at += 1,
                Some(b']') => {
                    cursor.at += 1;
                    return Ok(());
                }
                _ => return Err(Malformed("a `,` or `]` is missing behind a value")),
            }
        }
    }
}
