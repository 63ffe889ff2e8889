//! A join's state: the rows of both sides that may still meet others, by key and time.
//!
//! A row is kept until the watermark has passed everything that it may meet. Rows that come late meet what is kept yet,
//! and are told as late when nothing can be kept for them any more. Which these are is decided by the watermark of the
//! round before, so the order within a round changes nothing.
//!
//! A row of an outer side comes out once: in pairs, or alone, padded with NULL. It is alone when the watermark has passed
//! everything that it may meet and nothing has fulfilled the condition with it; when it came too late to be kept and met
//! nothing that was kept; or when it has no key. Whether a row has met a partner is state as the row itself is. Rows that
//! are told as late do not come out, padded or not: they are in the table of late events or in what came out, never in
//! both. Flink would pad them.

mod kept;
mod pairs;

use super::aggregate::places;
use super::rows::{arrow, times};
use crate::flow::node::Joining;
use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{filter_record_batch, take_record_batch};
use arrow::datatypes::SchemaRef;
use kept::Kept;
use model::{Error, Result};
use pairs::Pairs;

/// Pairs that are put together at a time.
const PAIRS: usize = 8192;

/// Which side of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinSide {
    Left,
    Right,
}

/// Rows of one side that have come, for one part.
#[derive(Debug)]
pub(crate) struct Arrived {
    rows: RecordBatch,
    keys: Vec<ArrayRef>,
}

/// What has come.
pub(crate) struct Sorted {
    pub(crate) parts: Vec<(usize, Arrived)>,
    /// What came too late for everything.
    pub(crate) late: Option<RecordBatch>,
    /// Rows of an outer side that meet nothing, as they have no key.
    pub(crate) alone: Option<RecordBatch>,
}

/// A row's place: its batch, and its number there.
type Place = (usize, usize);

impl Joining {
    fn side(&self, side: JoinSide) -> usize {
        usize::from(side == JoinSide::Right)
    }

    /// Whether rows of this side come out without a partner, too.
    fn is_outer(&self, side: JoinSide) -> bool {
        self.outer.get(self.side(side)).copied().unwrap_or_default()
    }

    /// Until when a row of this time may meet rows that are not late.
    fn until(&self, side: JoinSide, time: i64) -> i64 {
        match side {
            JoinSide::Left => time.saturating_sub(self.lower),
            JoinSide::Right => time.saturating_add(self.upper),
        }
    }

    /// The times that a row of this time may meet.
    fn meets(&self, side: JoinSide, time: i64) -> (i64, i64) {
        match side {
            JoinSide::Left => (time.saturating_sub(self.upper), time.saturating_sub(self.lower)),
            JoinSide::Right => (time.saturating_add(self.lower), time.saturating_add(self.upper)),
        }
    }

    /// The first time of this side that is kept, with what is late ending here.
    fn first(&self, side: JoinSide, closed: i64) -> i64 {
        match (closed, side) {
            (i64::MIN, _) => i64::MIN,
            (closed, JoinSide::Left) => closed.saturating_add(self.lower),
            (closed, JoinSide::Right) => closed.saturating_sub(self.upper),
        }
    }

    /// By how much rows that come out may be behind the watermark.
    ///
    /// It holds for rows that come out alone, too, in the round in which `until` lies behind the watermark for the first
    /// time. So `until` was not behind that of the round before, by which steps behind the join tell what is late: a left
    /// row's time is not behind it by more than `-lower`, a right row's not by more than `upper`. Only rows that came too
    /// late to be kept may be further behind, in pairs as alone.
    pub(crate) fn delay(&self) -> i64 {
        self.upper.max(self.lower.saturating_neg()).max(0)
    }

    fn key_columns(&self, side: JoinSide, rows: &RecordBatch) -> Result<Vec<ArrayRef>> {
        let keys = self.keys.get(self.side(side)).map(Vec::as_slice).unwrap_or_default();
        let count = rows.num_rows();
        keys.iter().map(|k| k.evaluate(rows).and_then(|v| v.into_array(count)).map_err(scan::error)).collect()
    }

    fn times(&self, side: JoinSide, rows: &RecordBatch) -> Result<arrow::array::TimestampMillisecondArray> {
        let at = self.times.get(self.side(side)).copied().unwrap_or_default();
        rows.columns().get(at).ok_or_else(|| Error::internal("a join's time got lost")).and_then(times)
    }

    /// Sorts rows into parts by their keys. Rows without a key or a time meet nothing: they are left out, but rows of an outer
    /// side that have a time come out alone, unless they are late as others are.
    pub(crate) fn sorted(
        &self,
        side: JoinSide,
        rows: &RecordBatch,
        closed: i64,
        parts: usize,
    ) -> Result<Sorted> {
        let (keys, count, is_outer) = (self.key_columns(side, rows)?, rows.num_rows(), self.is_outer(side));
        let all = self.times(side, rows)?;
        let has_key = |row: usize| keys.iter().all(|key| key.is_valid(row));
        let counts = |row: usize| all.is_valid(row) && (is_outer || has_key(row));
        // Neither may it meet what comes, nor can what it meets be kept still.
        let is_behind = |row: usize| {
            let (_, last) = self.meets(side, all.value(row));
            let other = if side == JoinSide::Left { JoinSide::Right } else { JoinSide::Left };
            closed > i64::MIN && self.until(side, all.value(row)) < closed && self.until(other, last) < closed
        };
        let picked = |test: &dyn Fn(usize) -> bool| -> Result<Option<RecordBatch>> {
            let mask: BooleanArray = (0..count).map(|row| Some(test(row))).collect();
            match mask.true_count() {
                0 => Ok(None),
                picked if picked == count => Ok(Some(rows.clone())),
                _ => filter_record_batch(rows, &mask).map(Some).map_err(arrow),
            }
        };
        let late = picked(&|row| counts(row) && is_behind(row))?;
        let alone = match is_outer {
            true => picked(&|row| counts(row) && !has_key(row) && !is_behind(row))?,
            false => None,
        };
        let mut sorted = Sorted { parts: Vec::new(), late, alone };
        let Some(kept) = picked(&|row| counts(row) && has_key(row) && !is_behind(row))? else {
            return Ok(sorted);
        };
        let keys = self.key_columns(side, &kept)?;
        for (part, numbers) in places(&keys, kept.num_rows(), parts)?.into_iter().enumerate() {
            if numbers.is_empty() {
                continue;
            }
            let rows = take_record_batch(&kept, &UInt32Array::from(numbers)).map_err(arrow)?;
            // Texts refer to the records that they were read from.
            let rows = scan::compact(&rows).map_err(arrow)?;
            let keys = self.key_columns(side, &rows)?;
            sorted.parts.push((part, Arrived { rows, keys }));
        }
        Ok(sorted)
    }
}

/// A part of a join's state: all rows of some keys.
pub(crate) struct JoinPart {
    left: Kept,
    right: Kept,
}

impl JoinPart {
    pub(crate) fn new(joining: &Joining) -> Result<Self> {
        Ok(Self { left: Kept::new(joining, JoinSide::Left)?, right: Kept::new(joining, JoinSide::Right)? })
    }

    /// How many rows are kept.
    pub(crate) fn rows(&self) -> usize {
        self.left.rows + self.right.rows
    }

    /// Takes the rows of a round in; answers the pairs that they make, and the rows that are alone from now on: at the `end`
    /// all that have met nothing. What is late ends at `before` for these, and at `after` for those of the next round.
    pub(crate) fn round(
        &mut self,
        joining: &Joining,
        schema: &SchemaRef,
        arrived: [Vec<Arrived>; 2],
        (before, after): (i64, i64),
        end: bool,
    ) -> Result<Vec<RecordBatch>> {
        let Self { left, right } = self;
        let [new_left, new_right] = arrived;
        let known = left.batches.len();
        let new_left = left.take(joining, new_left, before)?;
        let new_right = right.take(joining, new_right, before)?;
        let batches = [left.batches.as_slice(), right.batches.as_slice()];
        let mut pairs = Pairs::new(joining, schema, batches, [&mut left.met, &mut right.met]);
        let first = joining.first(JoinSide::Right, before);
        for row in &new_left {
            let (from, to) = joining.meets(JoinSide::Left, row.time);
            for other in right.by_key.found(&row.key, from.max(first), to) {
                pairs.add(row.place, other)?;
            }
        }
        // What has just come from the left has met all that is kept, these among them.
        let first = joining.first(JoinSide::Left, before);
        for row in &new_right {
            let (from, to) = joining.meets(JoinSide::Right, row.time);
            for other in left.by_key.found(&row.key, from.max(first), to) {
                if other.0 < known || !row.is_kept {
                    pairs.add(other, row.place)?;
                }
            }
        }
        let mut out = pairs.finish()?;
        // Only now has every row of the round met what it can.
        for (kept, new) in [(left, new_left), (right, new_right)] {
            let alone = kept.alone(joining, &new, after, end);
            out.extend(joining.all_padded(kept, &alone, schema)?);
            kept.prune(joining, after, false)?;
        }
        Ok(out)
    }

    /// The rows of both sides that are kept.
    pub(crate) fn snapshot(&mut self, joining: &Joining, closed: i64) -> Result<[Vec<RecordBatch>; 2]> {
        for kept in [&mut self.left, &mut self.right] {
            kept.prune(joining, closed, true)?;
            kept.compact()?;
        }
        Ok([self.left.with_marks()?, self.right.with_marks()?])
    }

    /// Takes kept rows up again.
    pub(crate) fn restore(&mut self, joining: &Joining, side: JoinSide, rows: Arrived) -> Result<()> {
        let kept = if side == JoinSide::Left { &mut self.left } else { &mut self.right };
        kept.restore(joining, rows)
    }
}
