//! Delimited text as Hive's LazySimpleSerDe writes it, nested values between their levels' separators.
//!
//! Without an escape character a value that has a separator in it cannot be written so that it reads back: that is an
//! error here, not a silently torn row.

use super::cell::Cells;
use super::json::span;
use super::text::Rows;
use crate::DelimitedSpec;
use model::{Error, Result};

pub(super) struct Delimited {
    spec: DelimitedSpec,
    header: Option<Vec<String>>,
}

impl Delimited {
    pub(super) fn new<'a>(spec: &DelimitedSpec, header: bool, names: impl Iterator<Item = &'a str>) -> Self {
        Self { spec: spec.clone(), header: header.then(|| names.map(str::to_owned).collect()) }
    }

    fn separator(&self, level: usize) -> Result<u8> {
        self.spec.separators.get(level).copied().ok_or_else(|| {
            Error::unsupported("values nested so deep cannot be written as delimited text")
                .why("there are eight separators, one for each level")
                .hint("choose a format such as json or parquet")
        })
    }

    /// A value within separators up to that level.
    fn value(&self, cells: &Cells<'_>, row: usize, level: usize, out: &mut Vec<u8>) -> Result<()> {
        if cells.is_null(row) {
            out.extend_from_slice(self.spec.null_text.as_bytes());
            return Ok(());
        }
        match cells {
            Cells::Text(array) => self.text(array.value(row).as_bytes(), level, out),
            Cells::List(array, items) => {
                let separator = self.separator(level)?;
                let (start, end) = span(array.value_offsets(), row);
                if end - start == 0 {
                    return Err(empty("array"));
                }
                for at in start..end {
                    if at > start {
                        out.push(separator);
                    }
                    self.value(items, at, level + 1, out)?;
                }
                Ok(())
            }
            Cells::Map(array, keys, values) => {
                let (between, within) = (self.separator(level)?, self.separator(level + 1)?);
                let (start, end) = span(array.value_offsets(), row);
                if end - start == 0 {
                    return Err(empty("map"));
                }
                for at in start..end {
                    if at > start {
                        out.push(between);
                    }
                    self.value(keys, at, level + 2, out)?;
                    out.push(within);
                    self.value(values, at, level + 2, out)?;
                }
                Ok(())
            }
            Cells::Row(_, fields) => {
                let separator = self.separator(level)?;
                for (i, (_, cells)) in fields.iter().enumerate() {
                    if i > 0 {
                        out.push(separator);
                    }
                    self.value(cells, row, level + 1, out)?;
                }
                Ok(())
            }
            word => {
                word.write(row, out);
                Ok(())
            }
        }
    }

    fn text(&self, text: &[u8], level: usize, out: &mut Vec<u8>) -> Result<()> {
        let separators = self.spec.separators.get(..level.max(1)).unwrap_or(&self.spec.separators);
        let is_line_end = |b: u8| matches!(b, b'\n' | b'\r');
        let special = |b: u8| separators.contains(&b) || Some(b) == self.spec.escape || is_line_end(b);
        let is_null = text == self.spec.null_text.as_bytes();
        if !is_null && !text.iter().any(|b| special(*b)) {
            out.extend_from_slice(text);
            return Ok(());
        }
        let Some(escape) = self.spec.escape else { return Err(self.unwritable(text, is_null)) };
        if is_null && !text.contains(&escape) {
            // An escape before any character leaves the character, but it is not NULL's text any more.
            out.push(escape);
        }
        for byte in text {
            if is_line_end(*byte) {
                if !self.spec.escape_line_ends {
                    return Err(self.unwritable(text, false));
                }
                out.extend_from_slice(&[escape, if *byte == b'\n' { b'n' } else { b'r' }]);
                continue;
            }
            if special(*byte) {
                out.push(escape);
            }
            out.push(*byte);
        }
        Ok(())
    }

    #[cold]
    fn unwritable(&self, text: &[u8], is_null: bool) -> Error {
        let shown: String =
            String::from_utf8_lossy(text.get(..100).unwrap_or(text)).chars().take(60).collect();
        let why = if is_null {
            "it is the text that means NULL"
        } else {
            "it has a separator or a line's end in it, which would tear the row apart"
        };
        Error::invalid(format!("the value {shown:?} cannot be written as delimited text"))
            .why(why)
            .hint("choose another delimiter or an escape character, or a format such as json or parquet")
    }
}

fn empty(what: &str) -> Error {
    Error::invalid(format!("an empty {what} cannot be written as delimited text"))
        .why("it would read back as NULL")
        .hint("choose a format such as json or parquet")
}

impl Rows for Delimited {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let Some(names) = self.header.take() else { return Ok(()) };
        for (i, name) in names.iter().enumerate() {
            if i > 0 {
                out.push(self.separator(0)?);
            }
            self.text(name.as_bytes(), 1, out)?;
        }
        out.push(b'\n');
        Ok(())
    }

    fn row(&mut self, cells: &[Cells<'_>], row: usize, out: &mut Vec<u8>) -> Result<()> {
        for (i, cells) in cells.iter().enumerate() {
            if i > 0 {
                out.push(self.separator(0)?);
            }
            self.value(cells, row, 1, out)?;
        }
        out.push(b'\n');
        Ok(())
    }
}
