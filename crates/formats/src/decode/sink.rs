//! Where decoded rows go: one builder a wanted column, full batches, and what was rejected.

use super::DecodeOptions;
use super::handover::Handover;
use super::rejects::{OnError, Rejects};
use crate::build::{Block, Builder, Cells, Field, Reading, Rejected, Rules};
use crate::{Column, projected_schema};
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use model::{Error, Result};
use std::collections::VecDeque;

/// A value that did not convert: the builder that it was for, and why.
pub(super) type Failed<'a> = (usize, Field<'a>, Rejected);

/// A batch is also full when so many bytes of text went into it.
const MAX_BATCH_BYTES: usize = 64 << 20;

pub(super) struct Sink {
    pub(super) builders: Vec<Builder>,
    /// The table's column of each builder.
    pub(super) wanted: Vec<usize>,
    names: Vec<String>,
    /// For each projected column its builder.
    outputs: Vec<usize>,
    pub(super) rules: Rules,
    schema: SchemaRef,
    pub(super) rows: usize,
    /// The number of the line that comes next, from 1.
    pub(super) line: u64,
    bytes: usize,
    pub(super) rejects: Rejects,
    pub(super) on_error: OnError,
    handover: Handover,
    ready: VecDeque<RecordBatch>,
    batch_rows: usize,
    missing: &'static [&'static str],
    /// Whether lines are counted from the file's first.
    knows_lines: bool,
}

impl Sink {
    pub(super) fn new(
        columns: &[Column],
        projection: &[usize],
        rules: Rules,
        options: &DecodeOptions,
    ) -> Self {
        let mut wanted: Vec<usize> = projection.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let outputs = projection.iter().filter_map(|column| wanted.binary_search(column).ok()).collect();
        let chosen: Vec<&Column> = wanted.iter().filter_map(|index| columns.get(*index)).collect();
        Self {
            builders: chosen.iter().map(|column| Builder::new(&column.sql_type)).collect(),
            names: chosen.iter().map(|column| column.name.clone()).collect(),
            wanted,
            outputs,
            rules,
            schema: projected_schema(columns, projection),
            rows: 0,
            line: 1,
            bytes: 0,
            rejects: Rejects::default(),
            on_error: options.on_error,
            handover: Handover::new(options),
            ready: VecDeque::new(),
            batch_rows: options.batch_rows.max(1),
            missing: options.missing,
            knows_lines: options.range.as_ref().is_none_or(|range| range.start == 0),
        }
    }

    pub(super) fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }

    pub(super) fn take_batch(&mut self) -> Option<RecordBatch> {
        self.ready.pop_front()
    }

    /// How many more rows the batch takes.
    pub(super) fn room(&self) -> usize {
        self.batch_rows.saturating_sub(self.rows).max(1)
    }

    /// Whether a line with anything wrong in it is left out and handed over.
    #[inline]
    pub(super) fn hands_over(&self) -> bool {
        self.on_error == OnError::Reject
    }

    /// Whether rejected lines wait for the number of the lines before them.
    pub(super) fn waits_for_number(&self) -> bool {
        self.handover.waits()
    }

    /// Tells how many lines stand before the first that was fed.
    pub(super) fn number_lines(&mut self, before: u64) {
        self.handover.number(before, &self.names);
    }

    /// Leaves a line out and hands it over; `column` is the builder whose value did not convert.
    #[cold]
    pub(super) fn hand_over(&mut self, line: u64, column: Option<usize>, text: &[u8], why: Rejected) {
        let name = column.and_then(|column| self.names.get(column)).map(String::as_str);
        self.rejects.add(line, name, text, why, self.on_error.keeps());
        self.handover.add(line, column, &self.names, text, why);
    }

    /// Adds rows of cells that stand in the block, from lines that follow each other.
    pub(super) fn push_cells(
        &mut self,
        block: &Block,
        cells: &Cells,
        unescape: &dyn Fn(&[u8]) -> Vec<u8>,
    ) -> Result<()> {
        let hands_over = self.hands_over();
        let mut failed = Vec::new();
        let Sink { builders, names, rules, rejects, on_error, line, missing, .. } = self;
        let keep = on_error.keeps();
        let reading = Reading { block, rules, unescape };
        for (column, builder) in builders.iter_mut().enumerate() {
            let name = names.get(column).map_or("", String::as_str);
            builder.push_cells(cells, column, &reading, &mut |row, value, why| {
                if is_missing(value, missing) {
                    return;
                }
                if hands_over {
                    failed.push((row, column, why));
                    return;
                }
                let line =
                    if rejects.first.len() < keep { *line + cells.lines_before(block, row) } else { 0 };
                rejects.add(line, Some(name), value, why, keep);
            });
        }
        let kept = if failed.is_empty() {
            cells.starts.len()
        } else {
            self.without_failed(block, cells, unescape, failed)
        };
        self.line += cells.lines(block);
        self.rows += kept;
        self.check_failed()?;
        self.flush_if_full()
    }

    /// Takes the rows of the cells back, hands over those with values that did not convert, and adds the others anew.
    /// Answers how many these are.
    #[cold]
    fn without_failed(
        &mut self,
        block: &Block,
        cells: &Cells,
        unescape: &dyn Fn(&[u8]) -> Vec<u8>,
        mut failed: Vec<(usize, usize, Rejected)>,
    ) -> usize {
        self.undo_row();
        // A line goes once, for the first of its columns.
        failed.sort_by_key(|(row, column, _)| (*row, *column));
        failed.dedup_by_key(|(row, ..)| *row);
        for (row, column, why) in &failed {
            let line = self.line + cells.lines_before(block, *row);
            self.hand_over(line, Some(*column), cells.text(block, *row), why);
        }
        let mut left_out = failed.iter().map(|(row, ..)| *row).peekable();
        let good = cells.retained(|row| left_out.next_if_eq(&row).is_none());
        let Sink { builders, rules, .. } = self;
        let reading = Reading { block, rules, unescape };
        for (column, builder) in builders.iter_mut().enumerate() {
            // What did not convert is gone, or means a missing value.
            builder.push_cells(&good, column, &reading, &mut |_, _, _| {});
        }
        good.starts.len()
    }

    /// Ends a row whose values have been added, and tells what of them did not convert: builder, value and reason.
    pub(super) fn end_row_with(&mut self, line: &[u8], rejected: Vec<Failed<'_>>) -> Result<()> {
        if self.hands_over() {
            let first = rejected.iter().find(|(_, value, _)| !is_missing(value.bytes, self.missing));
            if let Some((column, _, why)) = first {
                self.undo_row();
                self.hand_over(self.line, Some(*column), line, why);
                self.line += 1;
                return Ok(());
            }
        }
        for (column, value, why) in rejected {
            self.reject(column, value.bytes, why);
        }
        self.fill_row();
        self.end_row(line.len())
    }

    /// Keeps a value that did not convert.
    fn reject(&mut self, column: usize, value: &[u8], why: Rejected) {
        if is_missing(value, self.missing) {
            return;
        }
        let name = self.names.get(column).map(String::as_str);
        self.rejects.add(self.line, name, value, why, self.on_error.keeps());
    }

    /// Ends a row that came from the line, whose values have been added.
    #[inline]
    pub(super) fn end_row(&mut self, bytes: usize) -> Result<()> {
        self.rows += 1;
        self.line += 1;
        self.bytes += bytes;
        if self.rejects.count > 0 {
            self.check_failed()?;
        }
        self.flush_if_full()
    }

    /// Makes the row whole where values are missing.
    #[inline]
    pub(super) fn fill_row(&mut self) {
        let rows = self.rows;
        for builder in &mut self.builders {
            if builder.len() == rows {
                builder.push_null();
            }
        }
    }

    /// Takes back the values that were added behind the last whole row.
    pub(super) fn undo_row(&mut self) {
        let rows = self.rows;
        for builder in &mut self.builders {
            while builder.len() > rows {
                builder.pop();
            }
        }
    }

    /// A line that cannot be taken apart: an error unless malformed lines are collected or handed over (and left out).
    pub(super) fn malformed(&mut self, text: &[u8], why: &'static str, what: &str) -> Result<()> {
        if self.hands_over() {
            self.hand_over(self.line, None, text, why);
            self.line += 1;
            return Ok(());
        }
        self.rejects.add(self.line, None, text, why, self.on_error.keeps());
        if matches!(self.on_error, OnError::Collect(_)) {
            self.line += 1;
            return Ok(());
        }
        let start: String =
            String::from_utf8_lossy(text.get(..200).unwrap_or(text)).chars().take(100).collect();
        let which = if self.knows_lines { format!("line {}", self.line) } else { "a line".to_owned() };
        Err(Error::invalid(format!("{which} is no {what}: {why}")).why(format!("the line begins {start:?}")))
    }

    fn check_failed(&self) -> Result<()> {
        if self.on_error != OnError::Fail {
            return Ok(());
        }
        let Some(first) = self.rejects.first.first() else { return Ok(()) };
        let line = self.knows_lines.then(|| format!("line {}", first.line));
        let column = first.column.as_ref().map(|column| format!("column `{column}`"));
        let place: Vec<String> = line.into_iter().chain(column).collect();
        let place = if place.is_empty() { String::new() } else { format!(" ({})", place.join(", ")) };
        Err(Error::invalid(format!("{:?} {}{place}", first.value, first.reason)))
    }

    fn flush_if_full(&mut self) -> Result<()> {
        if self.rows >= self.batch_rows || self.bytes >= MAX_BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Counts bytes of text towards a full batch.
    pub(super) fn count_bytes(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// Ends the batch.
    pub(super) fn flush(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let arrays = self.builders.iter_mut().map(Builder::finish).collect::<Result<Vec<_>>>()?;
        let columns = self.outputs.iter().filter_map(|index| arrays.get(*index).cloned()).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let batch = RecordBatch::try_new_with_options(self.schema(), columns, &options)
            .map_err(|e| Error::internal("decoded columns do not fit together").source_is(e))?;
        self.rows = 0;
        self.bytes = 0;
        self.ready.push_back(batch);
        Ok(())
    }
}

fn is_missing(value: &[u8], missing: &[&str]) -> bool {
    let value = value.trim_ascii();
    missing.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(value))
}
