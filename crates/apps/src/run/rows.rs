//! Steps that take each row by itself, and windows put beside rows.

use crate::flow::node::Step;
use crate::flow::tables::BOUND;
use crate::script::window::WindowKind;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, TimestampMillisecondArray,
    UInt32Array,
};
use arrow::compute::{cast, filter_record_batch, take};
use arrow::datatypes::{SchemaRef, TimestampMillisecondType};
use arrow::error::ArrowError;
use datafusion::physical_plan::filter::batch_filter;
use model::{Error, Result};
use std::sync::Arc;

/// Arrow's errors as ours.
pub(crate) fn arrow(error: ArrowError) -> Error {
    ::functions::cast::arrow_error(error)
}

/// A batch of these columns.
pub(crate) fn batch(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(arrow)
}

/// A batch under another schema of the same types.
pub(crate) fn renamed(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    batch(schema, rows.columns().to_vec(), rows.num_rows())
}

/// Takes a batch through steps.
pub(crate) fn apply(steps: &[Step], mut rows: RecordBatch) -> Result<RecordBatch> {
    for step in steps {
        rows = match step {
            Step::Filter(predicate) => batch_filter(&rows, predicate).map_err(scan::error)?,
            Step::Project(exprs, schema) => {
                let count = rows.num_rows();
                let columns = exprs
                    .iter()
                    .map(|e| e.evaluate(&rows).and_then(|v| v.into_array(count)).map_err(scan::error))
                    .collect::<Result<Vec<_>>>()?;
                batch(schema, columns, count)?
            }
        };
    }
    Ok(rows)
}

/// A column of times as milliseconds.
pub(crate) fn times(column: &ArrayRef) -> Result<TimestampMillisecondArray> {
    let array = match *column.data_type() == BOUND {
        true => Arc::clone(column),
        false => cast(column, &BOUND).map_err(arrow)?,
    };
    let times = array.as_primitive_opt::<TimestampMillisecondType>().cloned();
    times.ok_or_else(|| Error::internal("a time is no timestamp"))
}

/// Rows in their windows, and those that came too late for all of theirs.
pub(crate) struct Windowed {
    pub(crate) rows: RecordBatch,
    pub(crate) late: Option<RecordBatch>,
}

/// What windows are put beside rows.
pub(crate) struct Windowing<'a> {
    pub(crate) time: usize,
    pub(crate) kind: WindowKind,
    /// Which columns come out: of the rows, or behind them start, end and time.
    pub(crate) columns: &'a [usize],
    pub(crate) schema: &'a SchemaRef,
    /// Windows that end before this are closed.
    pub(crate) closed: i64,
}

impl Windowing<'_> {
    /// Whether a window takes no more rows.
    fn is_closed(&self, end: i64) -> bool {
        end <= self.closed
    }

    pub(crate) fn apply(&self, rows: &RecordBatch) -> Result<Windowed> {
        let times = times(rows.column(self.time))?;
        if times.null_count() > 0 {
            return Err(Error::invalid("an event has no time")
                .hint("filter such rows before the window: WHERE ts IS NOT NULL"));
        }
        let values = times.values();
        // By far most batches: nobody is late, everybody has one window.
        let is_late = |time: &i64| self.is_closed(self.kind.last(*time).1);
        let (kept, late) = match values.iter().any(is_late) {
            false => (rows.clone(), None),
            true => {
                let late: BooleanArray = values.iter().map(|t| Some(is_late(t))).collect();
                let fresh: BooleanArray = values.iter().map(|t| Some(!is_late(t))).collect();
                let split = |mask: &BooleanArray| filter_record_batch(rows, mask).map_err(arrow);
                (split(&fresh)?, Some(split(&late)?))
            }
        };
        let times = if late.is_some() { self::times(kept.column(self.time))? } else { times };
        let values = times.values();
        let (mut starts, mut ends) = (Vec::with_capacity(values.len()), Vec::with_capacity(values.len()));
        let mut indices: Option<Vec<u32>> = None;
        if self.kind.is_tumble() || matches!(self.kind, WindowKind::Session { .. }) {
            for time in values {
                let (start, end) = self.kind.last(*time);
                starts.push(start);
                ends.push(end);
            }
        } else {
            let mut rows = Vec::with_capacity(values.len() * 2);
            for (row, time) in (0_u32..).zip(values.iter()) {
                self.kind.each(*time, |start, end| {
                    if !self.is_closed(end) {
                        rows.push(row);
                        starts.push(start);
                        ends.push(end);
                    }
                });
            }
            indices = Some(rows);
        }
        let count = starts.len();
        let indices = indices.map(UInt32Array::from);
        let lasts: Vec<i64> = ends.iter().map(|end| end - 1).collect();
        let bounds: [ArrayRef; 3] = [
            Arc::new(TimestampMillisecondArray::from(starts)),
            Arc::new(TimestampMillisecondArray::from(ends)),
            Arc::new(TimestampMillisecondArray::from(lasts)),
        ];
        let width = kept.num_columns();
        let columns = self.columns.iter().map(|at| match at.checked_sub(width) {
            Some(bound) => bounds
                .get(bound)
                .cloned()
                .ok_or_else(|| Error::internal("a window has three columns of its own")),
            None => match &indices {
                Some(indices) => take(kept.column(*at), indices, None).map_err(arrow),
                None => Ok(Arc::clone(kept.column(*at))),
            },
        });
        let rows = batch(self.schema, columns.collect::<Result<Vec<_>>>()?, count)?;
        Ok(Windowed { rows, late })
    }
}
