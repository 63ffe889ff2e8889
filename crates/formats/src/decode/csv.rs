//! Comma-separated values with quotes, as OpenCSVSerde reads them: a line is a record (unless the files say otherwise),
//! doubled and escaped quotes mean one, odd lines are read by the serde's own rules.

use super::delimited::{BLANK_IS_ROW, TOO_FEW, TOO_MANY, WINDOW, count_lines, line_end};
use super::feed::Lines;
use super::index::positions;
use super::quotes::{odd_fields, unescaped};
use super::sink::Sink;
use crate::build::{Block, Cell, Cells, Epoch, Field, Rules};
use crate::{Column, CsvSpec, OnError};
use model::Result;

pub(super) struct Csv {
    separator: u8,
    /// The newline where there is none, which never is asked for.
    quote: u8,
    escape: u8,
    multiline: bool,
    /// Names to find in the header: (lower-case name, column).
    header: Option<Vec<(String, usize)>>,
    /// For each wanted field of the file, in its order: the field and the builder.
    targets: Vec<(usize, usize)>,
    cells: Cells,
    found: Vec<u32>,
    /// Records that lose something are errors: more fields than columns, a quote that is never closed. Where lines are
    /// handed over, records with fewer fields are as wrong.
    on_error: OnError,
    /// How many fields a record may have.
    width: usize,
    /// How many more rows the batch takes.
    room: usize,
}

/// What a record is.
enum Verdict {
    Row,
    /// Its quotes or escapes stand in odd places, so that its cells are no good.
    Odd,
    /// Nothing at all.
    Blank,
    Wrong(&'static str),
}

/// How CSV is understood.
pub(super) fn rules(spec: &CsvSpec) -> Result<Rules> {
    let mut rules = Rules::new(&spec.timestamp_formats)?;
    rules.epoch = Epoch::Millis;
    rules.nested_json = true;
    rules.null_text = spec.null_text.clone().map(String::into_bytes);
    Ok(rules)
}

/// The place in a record.
#[derive(Clone, Copy, Default)]
struct Record {
    start: usize,
    field: usize,
    column: usize,
    slot: usize,
    /// The cells before this record.
    cells: usize,
    /// Within quotes.
    quoted: bool,
    /// Where the field's quotes were opened and closed.
    open: Option<usize>,
    close: Option<usize>,
    escaped: bool,
    /// Quotes or escapes stand where they do not belong.
    odd: bool,
    /// This byte has no meaning.
    skip: usize,
}

impl Csv {
    pub(super) fn new(spec: &CsvSpec, columns: &[Column], wanted: &[usize], on_error: OnError) -> Self {
        let names = columns.iter().enumerate().map(|(i, column)| (column.name.to_lowercase(), i));
        let multiline = spec.multiline && spec.quote.is_some();
        Self {
            separator: spec.separator,
            quote: spec.quote.unwrap_or(b'\n'),
            escape: spec.escape.filter(|escape| Some(*escape) != spec.quote).unwrap_or(b'\n'),
            multiline,
            header: spec.header_names.then(|| names.collect()),
            targets: wanted.iter().copied().zip(0..).collect(),
            cells: Cells { multiline, ..Cells::default() },
            found: Vec::new(),
            on_error,
            width: columns.len(),
            room: 1,
        }
    }

    fn flush(&mut self, block: &Block, sink: &mut Sink) -> Result<()> {
        if !self.cells.starts.is_empty() {
            let (quote, escape) = (self.quote, self.escape);
            sink.push_cells(block, &self.cells, &|text| unescaped(text, quote, escape))?;
        }
        self.cells.clear();
        self.room = sink.room();
        Ok(())
    }

    fn begin(&mut self, start: usize) -> Record {
        let cells = self.cells.data.len();
        self.cells.data.resize(cells + self.cells.stride, Cell::MISSING);
        Record { start, field: start, cells, skip: usize::MAX, ..Record::default() }
    }

    #[inline]
    fn end_field(&mut self, record: &mut Record, end: usize) {
        if let Some((field, builder)) = self.targets.get(record.slot)
            && *field == record.column
        {
            let cell = match (record.open, record.close) {
                (None, _) => Some(Cell::new(record.field, end)),
                (Some(open), Some(close)) if close + 1 == end => {
                    Some(Cell::new(open + 1, close).escaped(record.escaped).quoted())
                }
                _ => None,
            };
            match (cell, self.cells.data.get_mut(record.cells + *builder)) {
                (Some(cell), Some(slot)) => *slot = cell,
                _ => record.odd = true,
            }
            record.slot += 1;
        }
        record.column += 1;
        record.field = end + 1;
        (record.open, record.close, record.escaped) = (None, None, false);
    }

    /// A quote, separator or escape in a record.
    #[inline]
    fn special(&mut self, record: &mut Record, bytes: &[u8], at: usize, byte: u8) {
        if byte == self.separator {
            if !record.quoted {
                self.end_field(record, at);
            }
        } else if byte == self.quote {
            if record.quoted {
                if bytes.get(at + 1) == Some(&self.quote) {
                    record.escaped = true;
                    record.skip = at + 1;
                } else {
                    record.quoted = false;
                    record.close = Some(at);
                }
            } else {
                record.odd |= record.open.is_some() || at != record.field;
                record.open.get_or_insert(at);
                record.quoted = true;
            }
        } else if byte == b'\n' {
            // A part of the value.
        } else if record.quoted {
            record.escaped = true;
            if let Some(next) = bytes.get(at + 1)
                && (*next == self.quote || *next == self.escape)
            {
                record.skip = at + 1;
            }
        } else {
            record.odd = true;
        }
    }

    /// Ends a record; answers whether it was an odd one, which its cells do not have.
    fn end_record(&mut self, record: &mut Record, bytes: &[u8], end: usize) -> bool {
        // A quote that is never closed leaves the last field without a value.
        if record.quoted && !record.odd {
            record.slot = usize::MAX;
            return false;
        }
        let empty = end == record.start;
        if !empty {
            self.end_field(record, line_end(bytes, record.field, end));
        }
        record.odd
    }

    /// What the record that has been ended is.
    #[inline]
    fn verdict(&self, record: &Record, line: &[u8], odd: bool) -> Verdict {
        match self.on_error {
            OnError::Null | OnError::Collect(_) if odd => Verdict::Odd,
            OnError::Null | OnError::Collect(_) => Verdict::Row,
            OnError::Fail | OnError::Reject => self.strict_verdict(record, line, odd),
        }
    }

    fn strict_verdict(&self, record: &Record, line: &[u8], odd: bool) -> Verdict {
        let is_exact = self.on_error == OnError::Reject;
        if line.is_empty() && is_exact {
            return if self.width == BLANK_IS_ROW { Verdict::Row } else { Verdict::Blank };
        }
        let (fields, closed) = if odd {
            let (fields, closed) = odd_fields(line, self.separator, self.quote, self.escape);
            (fields.len(), closed)
        } else {
            (record.column, !record.quoted)
        };
        if !closed {
            Verdict::Wrong("a quote is never closed in its line")
        } else if fields > self.width {
            Verdict::Wrong(TOO_MANY)
        } else if fields < self.width && is_exact {
            Verdict::Wrong(TOO_FEW)
        } else if odd {
            Verdict::Odd
        } else {
            Verdict::Row
        }
    }

    /// Ends a record: adds it to the cells, or does what it needs.
    #[inline]
    fn finish_record(
        &mut self,
        record: &mut Record,
        block: &Block,
        end: usize,
        sink: &mut Sink,
    ) -> Result<()> {
        let bytes = block.bytes();
        let odd = self.end_record(record, bytes, end);
        let line = bytes.get(record.start..line_end(bytes, record.start, end)).unwrap_or_default();
        match self.verdict(record, line, odd) {
            Verdict::Row => {
                self.cells.starts.push(u32::try_from(record.start).unwrap_or(u32::MAX));
                self.cells.end = (end + 1).min(bytes.len());
                if self.cells.starts.len() >= self.room { self.flush(block, sink) } else { Ok(()) }
            }
            other => {
                self.cells.data.truncate(record.cells);
                self.flush(block, sink)?;
                self.unusual_record(&other, line, sink)
            }
        }
    }

    #[cold]
    fn unusual_record(&mut self, verdict: &Verdict, line: &[u8], sink: &mut Sink) -> Result<()> {
        match verdict {
            Verdict::Wrong(why) => sink.malformed(line, why, "CSV record")?,
            Verdict::Odd => self.odd_record(line, sink)?,
            Verdict::Blank | Verdict::Row => sink.line += 1,
        }
        if self.multiline {
            sink.line += memchr::memchr_iter(b'\n', line).count() as u64;
        }
        self.room = sink.room();
        Ok(())
    }

    /// A record with quotes or escapes in odd places, value by value.
    fn odd_record(&self, line: &[u8], sink: &mut Sink) -> Result<()> {
        let (fields, _) = odd_fields(line, self.separator, self.quote, self.escape);
        let mut failed = Vec::new();
        for (field, builder) in &self.targets {
            let Some(column) = sink.builders.get_mut(*builder) else { continue };
            match fields.get(*field) {
                Some(value) => {
                    let value = Field::own(value);
                    if let Err(why) = column.push_text(value, &sink.rules, 1) {
                        failed.push((*builder, value, why));
                    }
                }
                None => column.push_null(),
            }
        }
        sink.end_row_with(line, failed)
    }

    /// The columns that the header names, instead of those at the same places.
    fn read_header(&mut self, line: &[u8], sink: &Sink) {
        let Some(names) = self.header.take() else { return };
        self.targets.clear();
        let (fields, _) = odd_fields(line, self.separator, self.quote, self.escape);
        self.width = fields.len();
        for (at, field) in fields.iter().enumerate() {
            let name = String::from_utf8_lossy(field).trim().to_lowercase();
            let column = names.iter().find(|(known, _)| *known == name).map(|(_, column)| *column);
            let builder = column.and_then(|column| sink.wanted.iter().position(|wanted| *wanted == column));
            if let Some(builder) = builder
                && !self.targets.iter().any(|(_, taken)| *taken == builder)
            {
                self.targets.push((at, builder));
            }
        }
    }
}

impl Lines for Csv {
    fn decode(&mut self, block: &Block, sink: &mut Sink) -> Result<()> {
        let bytes = block.bytes();
        let mut first = 0;
        if self.header.is_some() {
            first = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
            let end =
                line_end(bytes, 0, first.saturating_sub(1).max(usize::from(first == bytes.len()) * first));
            self.read_header(bytes.get(..end).unwrap_or_default(), sink);
            sink.line += 1;
        }
        if sink.builders.is_empty() && !self.multiline && !sink.hands_over() {
            if first > 0 {
                return count_after(block, first, sink);
            }
            return count_lines(block, sink);
        }
        self.cells.stride = sink.builders.len();
        self.cells.clear();
        self.room = sink.room();
        let mut record = self.begin(first);
        let mut found = std::mem::take(&mut self.found);
        let mut window = first;
        while window < bytes.len() {
            let end = (window + WINDOW).min(bytes.len());
            found.clear();
            let base = u32::try_from(window).unwrap_or(u32::MAX);
            let text = bytes.get(window..end).unwrap_or_default();
            if self.escape == b'\n' {
                positions(text, base, [self.separator, b'\n', self.quote], &mut found);
            } else {
                positions(text, base, [self.separator, b'\n', self.quote, self.escape], &mut found);
            }
            for at in &found {
                let at = *at as usize;
                match bytes.get(at).copied() {
                    Some(b'\n') if !(record.quoted && self.multiline) => {
                        self.finish_record(&mut record, block, at, sink)?;
                        record = self.begin(at + 1);
                    }
                    Some(byte) if at != record.skip => self.special(&mut record, bytes, at, byte),
                    _ => {}
                }
            }
            window = end;
        }
        self.found = found;
        if record.start < bytes.len() {
            self.finish_record(&mut record, block, bytes.len(), sink)?;
        } else {
            self.cells.data.truncate(record.cells);
        }
        self.flush(block, sink)
    }

    fn records_end(&self, bytes: &[u8]) -> Option<usize> {
        let (mut quoted, mut end, mut skip) = (false, None, usize::MAX);
        let mut found = Vec::new();
        for (i, window) in bytes.chunks(WINDOW).enumerate() {
            found.clear();
            let base = u32::try_from(i * WINDOW).ok()?;
            positions(window, base, [b'\n', self.quote, self.escape], &mut found);
            for at in &found {
                let at = *at as usize;
                match bytes.get(at).copied() {
                    Some(b'\n') if !quoted => end = Some(at + 1),
                    Some(b'\n') => {}
                    Some(_) if at == skip => {}
                    Some(b) if b == self.quote => quoted = !quoted,
                    _ => skip = at + 1,
                }
            }
        }
        end
    }

    fn ends_at_newlines(&self) -> bool {
        !self.multiline
    }
}

fn count_after(block: &Block, first: usize, sink: &mut Sink) -> Result<()> {
    let rest = bytes::Bytes::copy_from_slice(block.bytes().get(first..).unwrap_or_default());
    count_lines(&Block::new(rest, 0), sink)
}
