//! Fields between delimiters, as Hive's LazySimpleSerDe reads them.

use super::feed::Lines;
use super::index::positions;
use super::sink::Sink;
use crate::build::{Block, Cell, Cells, Rules, unescaped};
use crate::{Column, DelimitedSpec};
use memchr::memchr_iter;
use model::{Error, Result};

/// How much text is searched before the fields found in it are converted: it stays in the processor's cache.
pub(super) const WINDOW: usize = 32 << 10;

pub(super) struct Delimited {
    separator: u8,
    escape: Option<u8>,
    /// The column that takes all the rest.
    last: usize,
    cells: Cells,
    found: Vec<u32>,
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
    pub(super) fn new(spec: &DelimitedSpec, columns: &[Column]) -> Result<Self> {
        let separator = spec.separators[0];
        if separator == b'\n' || spec.escape == Some(b'\n') || spec.escape == Some(separator) {
            return Err(Error::invalid("the field delimiter is also the line's end or the escape character"));
        }
        let last = if spec.last_takes_rest { columns.len().saturating_sub(1) } else { usize::MAX };
        Ok(Self { separator, escape: spec.escape, last, cells: Cells::default(), found: Vec::new() })
    }

    fn flush(&mut self, block: &Block, sink: &mut Sink, rows: usize) -> Result<()> {
        if rows == 0 {
            return Ok(());
        }
        let (escape, line_ends) = (self.escape.unwrap_or(0), sink.rules.escaped_line_ends);
        sink.push_cells(block, &self.cells, rows, &|text| unescaped(text, escape, line_ends))?;
        self.cells.data.clear();
        Ok(())
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
        if sink.builders.is_empty() {
            return count_lines(block, sink);
        }
        let bytes = block.bytes();
        self.cells.stride = sink.builders.len();
        self.cells.data.clear();
        let mut row = Row { start: 0, field: 0, column: 0, slot: 0, escaped: false, skip: usize::MAX };
        let (mut rows, mut room) = (0, sink.room());
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
                    Some(b'\n') => {
                        row.end_line(&mut self.cells, &sink.wanted, line_end(bytes, row.field, at), at + 1);
                        rows += 1;
                        if rows == room {
                            self.flush(block, sink, rows)?;
                            (rows, room) = (0, sink.room());
                        }
                    }
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
            row.end_line(&mut self.cells, &sink.wanted, line_end(bytes, row.field, bytes.len()), bytes.len());
            rows += 1;
        }
        self.flush(block, sink, rows)
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

    #[inline]
    fn end_line(&mut self, cells: &mut Cells, wanted: &[usize], end: usize, next: usize) {
        self.end_field(cells, wanted, end);
        while self.slot < wanted.len() {
            cells.data.push(Cell::MISSING);
            self.slot += 1;
        }
        *self = Row { start: next, field: next, column: 0, slot: 0, escaped: false, skip: usize::MAX };
    }
}
