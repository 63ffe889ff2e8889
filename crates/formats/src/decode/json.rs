//! JSON lines: one object a line, its keys found among the table's columns.
//!
//! Our own parser instead of a library: it converts from the text straight into columns, skips what nobody wants
//! without looking at it, and keeps numbers and objects in text columns as they are written.

use super::delimited::{count_lines, line_end};
use super::feed::Lines;
use super::sink::Sink;
use crate::build::{Block, Cursor, Epoch, Field, KeyRules, Keys, Malformed, NO_COLUMN, Rules};
use crate::{Column, JsonSpec};
use memchr::{memchr, memchr2};
use model::Result;

/// The builder of a column that nobody wants.
const UNWANTED: usize = usize::MAX;

pub(super) struct Json {
    keys: Keys,
    ignore_malformed: bool,
    openx: bool,
}

/// How JSON is understood.
pub(super) fn rules(spec: &JsonSpec) -> Result<Rules> {
    let mut rules = Rules::new(&spec.timestamp_formats)?;
    rules.epoch = Epoch::Guess;
    rules.keys = KeyRules { case_sensitive: spec.case_sensitive, dots: spec.dots_in_keys };
    Ok(rules)
}

impl Json {
    pub(super) fn new(spec: &JsonSpec, columns: &[Column], sink: &Sink) -> Self {
        let called = |column: usize| {
            let name = columns.get(column).map_or("", |c| c.name.as_str());
            let mapped = spec.mappings.iter().find(|(mapped, _)| mapped.eq_ignore_ascii_case(name));
            mapped.map_or(name, |(_, key)| key.as_str())
        };
        let wanted = sink.wanted.iter().enumerate().map(|(builder, column)| (called(*column), builder));
        // Columns that nobody wants are known, too: their fields are skipped.
        let others = (0..columns.len()).filter(|column| sink.wanted.binary_search(column).is_err());
        let names = wanted.chain(others.map(|column| (called(column), UNWANTED)));
        Self {
            keys: Keys::new(names, sink.rules.keys),
            ignore_malformed: spec.ignore_malformed,
            openx: spec.openx,
        }
    }

    #[inline]
    fn line(&mut self, block: &Block, start: usize, end: usize, sink: &mut Sink) -> Result<()> {
        let mut cursor = Cursor::new(block, start, end);
        cursor.spaces();
        if cursor.peek() != Some(b'{') {
            return self.no_object(block, start, end, cursor.peek().is_none(), sink);
        }
        if sink.hands_over()
            && let Err(why) = checked(block, start, end)
        {
            return self.malformed(block, start, end, why.0, sink);
        }
        let row = sink.rows;
        let (mut failed, mut unknown) = (Vec::new(), None);
        let Sink { builders, rules, .. } = sink;
        let keys = &mut self.keys;
        // The first fields that have come in this row, a bit each.
        let mut seen = 0_u64;
        let parsed = cursor.members(keys, |cursor, found, key| {
            let Some((index, builder)) = found.and_then(|i| builders.get_mut(i).map(|builder| (i, builder)))
            else {
                if found.is_none() && rules.all_fields {
                    unknown = Some(cursor.raw(key));
                }
                return cursor.ignore();
            };
            // Of a key that comes twice the last one counts.
            let bit = u32::try_from(index).ok().and_then(|index| 1_u64.checked_shl(index)).unwrap_or(0);
            if (bit == 0 || seen & bit != 0) && builder.len() > row {
                builder.pop();
            }
            seen |= bit;
            let mut reject = None;
            let pushed = builder.push_json(cursor, rules, 0, &mut reject);
            if let Some((why, value)) = reject {
                failed.push((index, Field::own(value), why));
            }
            pushed
        });
        if let Err(why) = parsed {
            return self.malformed(block, start, end, why.0, sink);
        }
        if let Some(field) = unknown {
            if sink.hands_over() {
                return self.malformed(block, start, end, NO_COLUMN, sink);
            }
            sink.rejects.add(sink.line, None, field, NO_COLUMN, sink.on_error.keeps());
        }
        if failed.is_empty() {
            if seen.count_ones() as usize != sink.builders.len() {
                sink.fill_row();
            }
            return sink.end_row(end - start);
        }
        let line = block.bytes().get(start..line_end(block.bytes(), start, end)).unwrap_or_default();
        sink.end_row_with(line, failed)
    }

    #[cold]
    fn no_object(
        &mut self,
        block: &Block,
        start: usize,
        end: usize,
        blank: bool,
        sink: &mut Sink,
    ) -> Result<()> {
        if self.openx && !sink.hands_over() {
            sink.fill_row();
            return sink.end_row(end - start);
        }
        if blank {
            sink.line += 1;
            return Ok(());
        }
        self.malformed(block, start, end, "it does not begin with `{`", sink)
    }

    #[cold]
    fn malformed(
        &mut self,
        block: &Block,
        start: usize,
        end: usize,
        why: &'static str,
        sink: &mut Sink,
    ) -> Result<()> {
        sink.undo_row();
        let text = block.bytes().get(start..line_end(block.bytes(), start, end)).unwrap_or_default();
        if !self.ignore_malformed || sink.hands_over() {
            return sink.malformed(text, why, "JSON object");
        }
        sink.rejects.add(sink.line, None, text, why, sink.on_error.keeps());
        sink.fill_row();
        sink.end_row(end - start)
    }
}

/// Whether the line is well-formed also where nobody looks. Without containers in the object, reading it finds out.
fn checked(block: &Block, start: usize, end: usize) -> Result<(), Malformed> {
    let text = block.bytes().get(start..end).unwrap_or_default();
    let first = memchr(b'{', text).map_or(text.len(), |at| at + 1);
    match memchr2(b'{', b'[', text.get(first..).unwrap_or_default()) {
        Some(_) => Cursor::new(block, start, end).check(),
        None => Ok(()),
    }
}

impl Lines for Json {
    fn decode(&mut self, block: &Block, sink: &mut Sink) -> Result<()> {
        if sink.builders.is_empty() && self.openx && !sink.hands_over() {
            return count_lines(block, sink);
        }
        let bytes = block.bytes();
        let mut start = 0;
        while let Some(rest) = bytes.get(start..).filter(|rest| !rest.is_empty()) {
            let end = memchr(b'\n', rest).map_or(bytes.len(), |at| start + at);
            self.line(block, start, end, sink)?;
            start = end + 1;
        }
        Ok(())
    }
}
