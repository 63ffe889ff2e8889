//! JSON values straight into columns, without a tree between: what no column wants is skipped.
//!
//! As forgiving as the serdes: what stands behind the object is ignored, numbers may be quoted, and numbers and objects
//! in text columns keep their text.

use super::cursor::{Cursor, MAX_DEPTH, Malformed, Parsed, Quoted, TOO_DEEP, unescaped};
use super::value::{Field, NO_COLUMN};
use super::{Builder, Keys, Lists, Maps, Rejected, Rows, Rules};
use crate::parse;
use std::collections::{HashMap, HashSet};

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
            return Err(TOO_DEEP);
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
        let parsed = cursor.members(keys, |cursor, found, key| {
            let Some(builder) = found.and_then(|i| fields.get_mut(i)) else {
                if rules.all_fields {
                    note(reject, Err(NO_COLUMN), || cursor.raw(key));
                }
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
