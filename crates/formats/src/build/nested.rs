//! Arrays, maps and rows in Hive's delimited text: each level of nesting has its own separator.
//!
//! A map takes two levels, for its entries and for the key within an entry.

use super::{Block, Builder, Cursor, Field, Lists, Maps, Rejected, Rows, Rules};

/// Separators that Hive has; deeper nesting has none left.
const LEVELS: usize = 8;

impl Builder {
    /// Adds an array, map or row from its text; separators count from `level`.
    pub(super) fn push_nested(
        &mut self,
        field: Field<'_>,
        rules: &Rules,
        level: usize,
    ) -> Result<(), Rejected> {
        if rules.nested_json {
            return self.push_nested_json(field, rules);
        }
        let needed = if matches!(self, Builder::Map(_)) { level + 1 } else { level };
        if needed >= LEVELS {
            self.push_null();
            return Err("is nested deeper than there are separators");
        }
        match self {
            Builder::List(lists) => lists.push_split(field, rules, level),
            Builder::Map(maps) => maps.push_split(field, rules, level),
            Builder::Row(rows) => rows.push_split(field, rules, level),
            _ => Ok(()),
        }
    }

    /// Adds an array, map or row that is written as JSON.
    fn push_nested_json(&mut self, field: Field<'_>, rules: &Rules) -> Result<(), Rejected> {
        let rows = self.len();
        let block = Block::new(bytes::Bytes::copy_from_slice(field.bytes), u64::MAX);
        let mut cursor = Cursor::new(&block, 0, field.bytes.len());
        let mut reject = None;
        cursor.spaces();
        if self.push_json(&mut cursor, rules, 0, &mut reject).is_err() {
            while self.len() > rows {
                self.pop();
            }
            self.push_null();
            return Err("is no JSON");
        }
        reject.map_or(Ok(()), |(why, _)| Err(why))
    }

    /// Adds an element of something nested: NULL, or a value with its escapes taken off.
    fn push_element(&mut self, field: Field<'_>, rules: &Rules, level: usize) -> Result<(), Rejected> {
        if rules.null_text.as_deref() == Some(field.bytes) {
            self.push_null();
            return Ok(());
        }
        let escaped = rules.escape.filter(|e| memchr::memchr(*e, field.bytes).is_some());
        match escaped {
            Some(escape) if !matches!(self, Builder::List(_) | Builder::Map(_) | Builder::Row(_)) => self
                .push_text(
                    Field::own(&unescaped(field.bytes, escape, rules.escaped_line_ends)),
                    rules,
                    level,
                ),
            _ => self.push_text(field, rules, level),
        }
    }
}

/// Without escapes: each takes the meaning from the byte behind it.
pub(crate) fn unescaped(text: &[u8], escape: u8, line_ends: bool) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        if *byte == escape {
            match bytes.next() {
                Some(b'n') if line_ends => plain.push(b'\n'),
                Some(b'r') if line_ends => plain.push(b'\r'),
                Some(next) => plain.push(*next),
                None => plain.push(escape),
            }
        } else {
            plain.push(*byte);
        }
    }
    plain
}

/// The pieces between separators, as ranges; an escaped separator is none.
struct Pieces<'a> {
    text: &'a [u8],
    separator: u8,
    escape: Option<u8>,
    next: Option<usize>,
}

impl Iterator for Pieces<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.next?;
        let mut at = start;
        while let Some(byte) = self.text.get(at) {
            if *byte == self.separator {
                self.next = Some(at + 1);
                return Some((start, at));
            }
            at += if self.escape == Some(*byte) { 2 } else { 1 };
        }
        self.next = None;
        Some((start, self.text.len()))
    }
}

fn pieces<'a>(field: &Field<'a>, rules: &Rules, level: usize) -> Pieces<'a> {
    let separator = rules.separators.get(level).copied().unwrap_or(0);
    Pieces { text: field.bytes, separator, escape: rules.escape, next: Some(0) }
}

impl Lists {
    fn push_split(&mut self, field: Field<'_>, rules: &Rules, level: usize) -> Result<(), Rejected> {
        let mut outcome = Ok(());
        for (start, end) in pieces(&field, rules, level) {
            let pushed = self.items.push_element(field.part(start, end), rules, level + 1);
            outcome = outcome.and(pushed);
        }
        self.close(true);
        outcome
    }
}

impl Maps {
    fn push_split(&mut self, field: Field<'_>, rules: &Rules, level: usize) -> Result<(), Rejected> {
        let mut outcome = Ok(());
        for (start, end) in pieces(&field, rules, level) {
            let entry = field.part(start, end);
            let mut halves = pieces(&entry, rules, level + 1);
            let (from, to) = halves.next().unwrap_or_default();
            let key = entry.part(from, to);
            let value = halves.next().map(|(from, _)| entry.part(from, entry.bytes.len()));
            let pushed = self.push_entry(key, value, rules, level);
            outcome = outcome.and(pushed);
        }
        self.close(true);
        outcome
    }

    /// An entry without a key (or with one that does not convert) is left out: a map has none such.
    fn push_entry(
        &mut self,
        key: Field<'_>,
        value: Option<Field<'_>>,
        rules: &Rules,
        level: usize,
    ) -> Result<(), Rejected> {
        let pushed = self.keys.push_element(key, rules, level + 2);
        if self.keys.last_is_null() {
            self.keys.pop();
            return pushed;
        }
        match value {
            Some(value) => self.values.push_element(value, rules, level + 2),
            None => {
                self.values.push_null();
                Ok(())
            }
        }
    }
}

impl Rows {
    fn push_split(&mut self, field: Field<'_>, rules: &Rules, level: usize) -> Result<(), Rejected> {
        let mut outcome = Ok(());
        let mut found = pieces(&field, rules, level);
        for builder in &mut self.fields {
            match found.next() {
                Some((start, end)) => {
                    let pushed = builder.push_element(field.part(start, end), rules, level + 1);
                    outcome = outcome.and(pushed);
                }
                None => builder.push_null(),
            }
        }
        self.nulls.push(true);
        outcome
    }
}
