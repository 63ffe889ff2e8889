//! Comma-separated values. Nested values are written as JSON.

use super::cell::Cells;
use super::json;
use super::text::Rows;
use crate::CsvSpec;
use model::{Error, Result};

pub(super) struct Csv {
    separator: u8,
    quote: Option<u8>,
    escape: Option<u8>,
    null_text: Option<Vec<u8>>,
    quote_all: bool,
    header: Option<Vec<String>>,
    /// A nested value's text.
    scratch: Vec<u8>,
}

impl Csv {
    pub(super) fn new<'a>(
        spec: &CsvSpec,
        header: bool,
        quote_all: bool,
        names: impl Iterator<Item = &'a str>,
    ) -> Self {
        Self {
            separator: spec.separator,
            quote: spec.quote,
            escape: spec.escape.filter(|escape| Some(*escape) != spec.quote),
            null_text: spec.null_text.clone().map(String::into_bytes),
            quote_all: quote_all && spec.quote.is_some(),
            header: header.then(|| names.map(str::to_owned).collect()),
            scratch: Vec::new(),
        }
    }

    /// A text in quotes if it needs them. An empty text needs them where an empty field means NULL.
    fn text(&self, text: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let special = |b: &u8| {
            *b == self.separator
                || matches!(b, b'\n' | b'\r')
                || Some(*b) == self.quote
                || Some(*b) == self.escape
        };
        let is_null = self.null_text.as_deref() == Some(text);
        if !self.quote_all && !is_null && !text.iter().any(special) {
            out.extend_from_slice(text);
            return Ok(());
        }
        let Some(quote) = self.quote else {
            return Err(Error::invalid(
                "a value has the separator or a line's end in it, or is the text that means NULL",
            )
            .why("the file is written without quotes")
            .hint("choose another separator, or a format such as json or parquet"));
        };
        out.push(quote);
        for byte in text {
            if *byte == quote {
                out.push(quote);
            } else if Some(*byte) == self.escape {
                out.push(*byte);
            }
            out.push(*byte);
        }
        out.push(quote);
        Ok(())
    }
}

impl Rows for Csv {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let Some(names) = self.header.take() else { return Ok(()) };
        for (i, name) in names.iter().enumerate() {
            if i > 0 {
                out.push(self.separator);
            }
            self.text(name.as_bytes(), out)?;
        }
        out.push(b'\n');
        Ok(())
    }

    fn row(&mut self, cells: &[Cells<'_>], row: usize, out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        for (i, cells) in cells.iter().enumerate() {
            if i > 0 {
                out.push(self.separator);
            }
            if cells.is_null(row) {
                out.extend_from_slice(self.null_text.as_deref().unwrap_or_default());
                continue;
            }
            match cells {
                Cells::Text(array) => self.text(array.value(row).as_bytes(), out)?,
                // Only bytes have an empty text, which must not look like NULL.
                word if word.is_plain()
                    && !matches!(word, Cells::Binary(_))
                    && !self.quote_all
                    && self.null_text.as_deref().is_none_or(<[u8]>::is_empty) =>
                {
                    word.write(row, out);
                }
                other => {
                    let mut scratch = std::mem::take(&mut self.scratch);
                    scratch.clear();
                    if other.is_plain() {
                        other.write(row, &mut scratch);
                    } else {
                        json::value(other, row, &mut scratch);
                    }
                    let written = self.text(&scratch, out);
                    self.scratch = scratch;
                    written?;
                }
            }
        }
        // A line without a byte is no record to many readers.
        if out.len() == start
            && let (1, Some(quote)) = (cells.len(), self.quote)
            && !cells.first().is_none_or(|cells| cells.is_null(row))
        {
            out.extend_from_slice(&[quote, quote]);
        }
        out.push(b'\n');
        Ok(())
    }
}
