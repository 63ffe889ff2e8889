//! A column's values of many rows at once: the type is looked at once, then a tight loop converts.

use super::text::Block;
use super::value::{Field, in_unit};
use super::{Builder, Prim, Rejected, Rules};
use crate::parse;
use arrow::datatypes::ArrowPrimitiveType;

/// Where a field stands in a block, packed into 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell(u64);

const MISSING: u64 = u64::MAX;
/// In the length's half: the field has to be unescaped first.
const ESCAPED: u64 = 1 << 63;
/// The field stood in quotes, so it cannot be NULL's text.
const QUOTED: u64 = 1 << 62;

impl Cell {
    /// A field that the line does not have.
    pub(crate) const MISSING: Cell = Cell(MISSING);

    #[inline]
    pub(crate) fn new(start: usize, end: usize) -> Self {
        let length = end.saturating_sub(start) as u64;
        Cell(start as u64 | length << 32)
    }

    /// Says that the field has to be unescaped.
    #[inline]
    pub(crate) fn escaped(self, escaped: bool) -> Self {
        Cell(self.0 | if escaped { ESCAPED } else { 0 })
    }

    /// Says that the field stood in quotes.
    #[inline]
    pub(crate) fn quoted(self) -> Self {
        Cell(self.0 | QUOTED)
    }

    #[inline]
    fn range(self) -> Option<(usize, usize)> {
        if self.0 == MISSING {
            return None;
        }
        let start = (self.0 & 0xffff_ffff) as usize;
        Some((start, start + ((self.0 & !(ESCAPED | QUOTED)) >> 32) as usize))
    }

    #[inline]
    fn is_escaped(self) -> bool {
        self.0 & ESCAPED != 0
    }

    #[inline]
    fn may_be_null(self) -> bool {
        self.0 & QUOTED == 0
    }
}

/// Rows of cells, one after another, and the lines they come from.
#[derive(Default)]
pub(crate) struct Cells {
    pub(crate) data: Vec<Cell>,
    pub(crate) stride: usize,
    /// Where each row's record begins in the block. The next one begins behind its line end.
    pub(crate) starts: Vec<u32>,
    /// Where the last one ends, behind its line end.
    pub(crate) end: usize,
    /// Whether a record may have several lines.
    pub(crate) multiline: bool,
}

impl Cells {
    /// Forgets all rows.
    pub(crate) fn clear(&mut self) {
        self.data.clear();
        self.starts.clear();
    }

    fn start(&self, row: usize) -> usize {
        self.starts.get(row).map_or(self.end, |start| *start as usize)
    }

    /// How many lines the rows are.
    pub(crate) fn lines(&self, block: &Block) -> u64 {
        self.lines_before(block, self.starts.len())
    }

    /// How many lines those before that row are.
    pub(crate) fn lines_before(&self, block: &Block, row: usize) -> u64 {
        if !self.multiline {
            return row as u64;
        }
        let before = block.bytes().get(self.start(0)..self.start(row)).unwrap_or_default();
        memchr::memchr_iter(b'\n', before).count() as u64
    }

    /// A row's text without its line end.
    pub(crate) fn text<'a>(&self, block: &'a Block, row: usize) -> &'a [u8] {
        let text = block.bytes().get(self.start(row)..self.start(row + 1)).unwrap_or_default();
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        text.strip_suffix(b"\r").unwrap_or(text)
    }

    /// Some of the rows. They need not follow each other any more, so that their lines cannot be counted.
    pub(crate) fn retained(&self, mut keep: impl FnMut(usize) -> bool) -> Cells {
        let mut kept = Cells { stride: self.stride, ..Cells::default() };
        for (row, start) in self.starts.iter().enumerate() {
            if keep(row) {
                let first = row * self.stride;
                kept.data.extend_from_slice(self.data.get(first..first + self.stride).unwrap_or_default());
                kept.starts.push(*start);
            }
        }
        kept
    }
}

/// How cells become values.
pub(crate) struct Reading<'a> {
    pub(crate) block: &'a Block,
    pub(crate) rules: &'a Rules,
    /// Takes escapes off.
    pub(crate) unescape: &'a dyn Fn(&[u8]) -> Vec<u8>,
}

impl Builder {
    /// Adds a column of the cells. What does not convert becomes NULL and is told to `rejected` with its row.
    pub(crate) fn push_cells<'a>(
        &mut self,
        cells: &Cells,
        column: usize,
        reading: &Reading<'a>,
        rejected: &mut dyn FnMut(usize, &[u8], Rejected),
    ) {
        let rows = cells.data.iter().skip(column).step_by(cells.stride.max(1)).copied();
        match self {
            Builder::Text(text) => {
                for cell in rows {
                    match cell.range() {
                        Some((start, end)) if cell.may_be_null() && is_null(reading, start, end) => {
                            text.push_null();
                        }
                        Some((start, end)) if !cell.is_escaped() => text.push_in(reading.block, start, end),
                        Some((start, end)) => text.push_own(&plain(reading, start, end)),
                        None => text.push_null(),
                    }
                }
            }
            Builder::Int64(prim) => push_fast(prim, rows, reading, rejected, "is no integer", parse::integer),
            Builder::Int32(prim) => {
                push_fast(prim, rows, reading, rejected, "is no integer of 32 bits", |text| {
                    parse::integer(text).and_then(|value| i32::try_from(value).ok())
                });
            }
            Builder::Float64(prim) => push_fast(prim, rows, reading, rejected, "is no number", |text| {
                parse::float64(parse::trimmed(text))
            }),
            Builder::Date(prim) => {
                push_fast(prim, rows, reading, rejected, "is no date", |text| reading.rules.date(text));
            }
            Builder::Timestamp(prim, _, unit) => {
                let unit = *unit;
                push_fast(prim, rows, reading, rejected, "is no timestamp", |text| {
                    reading.rules.instant(text).and_then(|instant| in_unit(instant, unit))
                });
            }
            other => {
                for (row, cell) in rows.enumerate() {
                    other.push_cell(row, cell, reading, rejected);
                }
            }
        }
    }

    fn push_cell(
        &mut self,
        row: usize,
        cell: Cell,
        reading: &Reading<'_>,
        rejected: &mut dyn FnMut(usize, &[u8], Rejected),
    ) {
        let Some((start, end)) =
            cell.range().filter(|(start, end)| !(cell.may_be_null() && is_null(reading, *start, *end)))
        else {
            return self.push_null();
        };
        let nested = matches!(self, Builder::List(_) | Builder::Map(_) | Builder::Row(_));
        let field = Field::within(reading.block, start, end);
        // Nested values take off their own escapes, after they have been taken apart.
        let pushed = if cell.is_escaped() && !(nested && reading.rules.escape.is_some()) {
            self.push_text(Field::own(&plain(reading, start, end)), reading.rules, 1)
        } else {
            self.push_text(field, reading.rules, 1)
        };
        if let Err(why) = pushed {
            rejected(row, field.bytes, why);
        }
    }
}

#[inline]
fn is_null(reading: &Reading<'_>, start: usize, end: usize) -> bool {
    reading
        .rules
        .null_text
        .as_deref()
        .is_some_and(|null| null.len() == end - start && reading.block.bytes().get(start..end) == Some(null))
}

fn plain(reading: &Reading<'_>, start: usize, end: usize) -> Vec<u8> {
    (reading.unescape)(reading.block.bytes().get(start..end).unwrap_or_default())
}

#[inline]
fn push_fast<T: ArrowPrimitiveType>(
    prim: &mut Prim<T>,
    rows: impl Iterator<Item = Cell>,
    reading: &Reading<'_>,
    rejected: &mut dyn FnMut(usize, &[u8], Rejected),
    why: Rejected,
    convert: impl Fn(&[u8]) -> Option<T::Native>,
) {
    let bytes = reading.block.bytes();
    for (row, cell) in rows.enumerate() {
        let Some((start, end)) = cell.range() else {
            prim.push_null();
            continue;
        };
        let text = bytes.get(start..end).unwrap_or_default();
        if !cell.is_escaped()
            && let Some(value) = convert(text)
        {
            prim.push(value);
            continue;
        }
        push_slow(prim, row, cell, text, reading, rejected, why, &convert);
    }
}

#[cold]
#[expect(clippy::too_many_arguments, reason = "the rare half of one loop's body")]
fn push_slow<T: ArrowPrimitiveType>(
    prim: &mut Prim<T>,
    row: usize,
    cell: Cell,
    text: &[u8],
    reading: &Reading<'_>,
    rejected: &mut dyn FnMut(usize, &[u8], Rejected),
    why: Rejected,
    convert: &impl Fn(&[u8]) -> Option<T::Native>,
) {
    let unescaped = if cell.is_escaped() { (reading.unescape)(text) } else { text.to_vec() };
    let value = if reading.rules.trim { parse::trimmed(&unescaped) } else { &unescaped };
    if value.is_empty() || (cell.may_be_null() && reading.rules.null_text.as_deref() == Some(text)) {
        return prim.push_null();
    }
    match convert(value) {
        Some(value) => prim.push(value),
        None => {
            prim.push_null();
            rejected(row, text, why);
        }
    }
}
