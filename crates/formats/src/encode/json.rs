//! JSON lines, and nested values as JSON.

use super::cell::Cells;
use super::text::Rows;
use crate::JsonSpec;
use model::Result;

pub(super) struct Json {
    /// Each column's `"name":`.
    keys: Vec<Vec<u8>>,
    write_nulls: bool,
}

impl Json {
    pub(super) fn new<'a>(spec: &JsonSpec, names: impl Iterator<Item = &'a str>) -> Self {
        let key = |name: &str| {
            let mapped = spec.mappings.iter().find(|(column, _)| column.eq_ignore_ascii_case(name));
            let mut key = Vec::new();
            string(mapped.map_or(name, |(_, key)| key).as_bytes(), &mut key);
            key.push(b':');
            key
        };
        Self { keys: names.map(key).collect(), write_nulls: spec.write_nulls }
    }
}

impl Rows for Json {
    fn begin(&mut self, _: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }

    fn row(&mut self, cells: &[Cells<'_>], row: usize, out: &mut Vec<u8>) -> Result<()> {
        out.push(b'{');
        let mut first = true;
        for (key, cells) in self.keys.iter().zip(cells) {
            if !self.write_nulls && cells.is_null(row) {
                continue;
            }
            if !first {
                out.push(b',');
            }
            first = false;
            out.extend_from_slice(key);
            value(cells, row, out);
        }
        out.extend_from_slice(b"}\n");
        Ok(())
    }
}

/// Writes any value as JSON.
pub(super) fn value(cells: &Cells<'_>, row: usize, out: &mut Vec<u8>) {
    if cells.is_null(row) {
        out.extend_from_slice(b"null");
        return;
    }
    match cells {
        Cells::Text(array) => string(array.value(row).as_bytes(), out),
        Cells::List(array, items) => {
            let (start, end) = span(array.value_offsets(), row);
            out.push(b'[');
            for at in start..end {
                if at > start {
                    out.push(b',');
                }
                value(items, at, out);
            }
            out.push(b']');
        }
        Cells::Map(array, keys, values) => {
            let (start, end) = span(array.value_offsets(), row);
            out.push(b'{');
            for at in start..end {
                if at > start {
                    out.push(b',');
                }
                map_key(keys, at, out);
                out.push(b':');
                value(values, at, out);
            }
            out.push(b'}');
        }
        Cells::Row(_, fields) => {
            out.push(b'{');
            for (i, (name, cells)) in fields.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                string(name.as_bytes(), out);
                out.push(b':');
                value(cells, row, out);
            }
            out.push(b'}');
        }
        word if word.is_json_word() => {
            let start = out.len();
            word.write(row, out);
            // JSON has no words for these.
            if matches!(out.last(), Some(b'N' | b'y')) {
                out.insert(start, b'"');
                out.push(b'"');
            }
        }
        other => {
            out.push(b'"');
            other.write(row, out);
            out.push(b'"');
        }
    }
}

fn map_key(keys: &Cells<'_>, at: usize, out: &mut Vec<u8>) {
    match keys {
        Cells::Text(array) => string(array.value(at).as_bytes(), out),
        // Keys of nested types become the text of their JSON.
        Cells::List(..) | Cells::Map(..) | Cells::Row(..) => {
            let mut text = Vec::new();
            value(keys, at, &mut text);
            string(&text, out);
        }
        other => {
            out.push(b'"');
            other.write(at, out);
            out.push(b'"');
        }
    }
}

/// Where a row's items begin and end.
pub(super) fn span(offsets: &[i32], row: usize) -> (usize, usize) {
    let at = |i: usize| offsets.get(i).and_then(|o| usize::try_from(*o).ok()).unwrap_or_default();
    (at(row), at(row + 1))
}

/// A string in quotes; what needs no escape is copied in runs.
pub(super) fn string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut copied = 0;
    for (at, byte) in text.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..=0x1f => &[],
            _ => continue,
        };
        out.extend_from_slice(text.get(copied..at).unwrap_or_default());
        if escape.is_empty() {
            out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
        } else {
            out.extend_from_slice(escape);
        }
        copied = at + 1;
    }
    out.extend_from_slice(text.get(copied..).unwrap_or_default());
    out.push(b'"');
}
