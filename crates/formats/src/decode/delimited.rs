//! Fields between delimiters, as Hive's LazySimpleSerDe reads them.

use super::feed::Lines;
use super::index::positions;
use super::sink::Sink;
use crate::build::{Block, Cell, Cells, Rules, unescaped};
use crate::{Column, DelimitedSpec, OnError};
use memchr::memchr_iter;
use model::{Error, Result};
use std::ops::Range;

/// How much text is searched before the fields found in it are converted: it stays in the processor's cache.
pub(super) const WINDOW: usize = 32 << 10;

/// Why a line of fields is handed over.
pub(super) const TOO_MANY: &str = "it has more fields than there are columns";
pub(super) const TOO_FEW: &str = "it has fewer fields than there are columns";
/// Where lines are handed over an empty line is nothing, unless this is how many columns there are.
pub(super) const BLANK_IS_ROW: usize = 1;

pub(super) struct Delimited {
    separator: u8,
    escape: Option<u8>,
    /// The column that takes all the rest.
    last: usize,
    /// How many fields a line has to have, where it matters.
    width: Option<usize>,
    cells: Cells,
    found: Vec<u32>,
    /// How many more rows the batch takes.
    room: usize,
}

/// How delimited text is understood.
pub(super) fn rules(spec: &DelimitedSpec) -> Result<Rules> {
    let mut rules = Rules::new(&spec.timestamp_formats)?;
    rules.trim = false;
    rules.separators = spec.separators;
    rules.escape = spec.escape;
    rules.escaped_line_ends = spec.escape_line_ends;
    rules.null_text = Some(spec.null_text.clone().into_bytes());
    Ok(rules)
}

impl Delimited {
    pub(super) fn new(spec: &DelimitedSpec, columns: &[Column], on_error: OnError) -> Result<Self> {
        let separator = spec.separators[0];
        if separator == b'\n' || spec.escape == Some(b'\n') || spec.escape == Some(separator) {
            return Err(Error::invalid("the field delimiter is also the line's end or the escape character"));
        }
        let last = if spec.last_takes_rest { columns.len().saturating_sub(1) } else { usize::MAX };
        let width = (on_error == OnError::Reject).then_some(columns.len());
        let (cells, found) = (Cells::default(), Vec::new());
        Ok(Self { separator, escape: spec.escape, last, width, cells, found, room: 1 })
    }

    fn flush(&mut self, block: &Block, sink: &mut Sink) -> Result<()> {
        if !self.cells.starts.is_empty() {
            let (escape, line_ends) = (self.escape.unwrap_or(0), sink.rules.escaped_line_ends);
            sink.push_cells(block, &self.cells, &|text| unescaped(text, escape, line_ends))?;
        }
        self.cells.clear();
        self.room = sink.room();
        Ok(())
    }

    #[inline]
    fn end_line(&mut self, row: &mut Row, block: &Block, newline: usize, sink: &mut Sink) -> Result<()> {
        let bytes = block.bytes();
        let (start, next) = (row.start, (newline + 1).min(bytes.len()));
        let fields = row.end_line(&mut self.cells, &sink.wanted, line_end(bytes, row.field, newline), next);
        if self.width.is_some_and(|width| width != fields) {
            return self.ragged_line(fields, start..line_end(bytes, start, newline), block, sink);
        }
        self.cells.starts.push(u32::try_from(start).unwrap_or(u32::MAX));
        self.cells.end = next;
        if self.cells.starts.len() >= self.room { self.flush(block, sink) } else { Ok(()) }
    }

    #[cold]
    fn ragged_line(
        &mut self,
        fields: usize,
        line: Range<usize>,
        block: &Block,
        sink: &mut Sink,
    ) -> Result<()> {
        self.cells.data.truncate(self.cells.starts.len() * self.cells.stride);
        self.flush(block, sink)?;
        if line.is_empty() {
            sink.line += 1;
            return Ok(());
        }
        let why = if self.width.is_some_and(|width| fields > width) { TOO_MANY } else { TOO_FEW };
        sink.malformed(block.bytes().get(line).unwrap_or_default(), why, "line of fields")
    }
}

/// Rows of no columns: only the lines count.
pub(super) fn count_lines(block: &Block, sink: &mut Sink) -> Result<()> {
    let bytes = block.bytes();
    let ended = memchr_iter(b'\n', bytes).count();
    let lines = ended + usize::from(bytes.last().is_some_and(|b| *b != b'\n'));
    for _ in 0..lines {
        sink.end_row(0)?;
    }
    Ok(())
}

/// Where a line's text ends, before the carriage return.
#[inline]
pub(super) fn line_end(bytes: &[u8], start: usize, newline: usize) -> usize {
    if newline > start && bytes.get(newline - 1) == Some(&b'\r') { newline - 1 } else { newline }
}

impl Lines for Delimited {
    fn decode(&mut self, block: &Block, sink: &mut Sink) -> Result<()> {
        if sink.builders.is_empty() && self.width.is_none() {
            return count_lines(block, sink);
        }
        let bytes = block.bytes();
        self.cells.stride = sink.builders.len();
        self.cells.clear();
        self.room = sink.room();
        let mut row = Row { start: 0, field: 0, column: 0, slot: 0, escaped: false, skip: usize::MAX };
        let escape = self.escape.unwrap_or(b'\n');
        let mut found = std::mem::take(&mut self.found);
        let mut window = 0;
        while window < bytes.len() {
            let end = (window + WINDOW).min(bytes.len());
            found.clear();
            let base = u32::try_from(window).unwrap_or(u32::MAX);
            let text = bytes.get(window..end).unwrap_or_default();
            if self.escape.is_some() {
                positions(text, base, [self.separator, b'\n', escape], &mut found);
            } else {
                positions(text, base, [self.separator, b'\n'], &mut found);
            }
            for at in &found {
                let at = *at as usize;
                match bytes.get(at) {
                    Some(b'\n') => self.end_line(&mut row, block, at, sink)?,
                    Some(_) if at == row.skip => {}
                    Some(b) if *b == self.separator => {
                        if row.column < self.last {
                            row.end_field(&mut self.cells, &sink.wanted, at);
                        }
                    }
                    _ => {
                        row.escaped = true;
                        row.skip = at + 1;
                    }
                }
            }
            window = end;
        }
        self.found = found;
        if row.start < bytes.len() {
            self.end_line(&mut row, block, bytes.len(), sink)?;
        }
        self.flush(block, sink)
    }
}

/// The place in a row: which field begins where.
struct Row {
    start: usize,
    field: usize,
    column: usize,
    slot: usize,
    escaped: bool,
    skip: usize,
}

impl Row {
    #[inline]
    fn end_field(&mut self, cells: &mut Cells, wanted: &[usize], end: usize) {
        if wanted.get(self.slot) == Some(&self.column) {
            cells.data.push(Cell::new(self.field, end).escaped(self.escaped));
            self.slot += 1;
        }
        self.escaped = false;
        self.column += 1;
        self.field = end + 1;
    }

    /// Ends the line; answers how many fields it has.
    #[inline]
    fn end_line(&mut self, cells: &mut Cells, wanted: &[usize], end: usize, next: usize) -> usize {
        self.end_field(cells, wanted, end);
        let fields = self.column;
        while self.slot < wanted.len() {
            cells.data.push(Cell::MISSING);
            self.slot += 1;
        }
        *self = Row { start: next, field: next, column: 0, slot: 0, escaped: false, skip: usize::MAX };
        fields
    }
}
