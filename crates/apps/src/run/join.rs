//! A join's state: the rows of both sides that may still meet others, by key and time.
//!
//! A row is kept until the watermark has passed everything that it may meet. Rows that come late meet what is kept yet,
//! and are told as late when nothing can be kept for them any more. Which these are is decided by the watermark of the
//! round before, so the order within a round changes nothing.

use super::aggregate::places;
use super::rows::{arrow, batch, times};
use crate::flow::node::Joining;
use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{filter_record_batch, interleave_record_batch, take_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};
use datafusion::physical_plan::filter::batch_filter;
use model::{Error, Result};
use std::collections::{BTreeMap, HashMap};

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

/// What has come, and what came too late for everything.
pub(crate) struct Sorted {
    pub(crate) parts: Vec<(usize, Arrived)>,
    pub(crate) late: Option<RecordBatch>,
}

impl Joining {
    fn side(&self, side: JoinSide) -> usize {
        usize::from(side == JoinSide::Right)
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

    /// Sorts rows into parts by their keys. Rows without a key or a time meet nothing.
    pub(crate) fn sorted(
        &self,
        side: JoinSide,
        rows: &RecordBatch,
        closed: i64,
        parts: usize,
    ) -> Result<Sorted> {
        let keys = self.key_columns(side, rows)?;
        let all = self.times(side, rows)?;
        let is_whole = |row: usize| all.is_valid(row) && keys.iter().all(|key| key.is_valid(row));
        // Neither may it meet what comes, nor can what it meets be kept still.
        let is_late = |row: usize| {
            let (_, last) = self.meets(side, all.value(row));
            let other = if side == JoinSide::Left { JoinSide::Right } else { JoinSide::Left };
            closed > i64::MIN && self.until(side, all.value(row)) < closed && self.until(other, last) < closed
        };
        let mask = |test: &dyn Fn(usize) -> bool| -> Result<RecordBatch> {
            let mask: BooleanArray = (0..rows.num_rows()).map(|row| Some(test(row))).collect();
            filter_record_batch(rows, &mask).map_err(arrow)
        };
        let late = match (0..rows.num_rows()).any(|row| is_whole(row) && is_late(row)) {
            true => Some(mask(&|row| is_whole(row) && is_late(row))?),
            false => None,
        };
        let kept = match late.is_some() || (0..rows.num_rows()).any(|row| !is_whole(row)) {
            true => mask(&|row| is_whole(row) && !is_late(row))?,
            false => rows.clone(),
        };
        let keys = self.key_columns(side, &kept)?;
        let mut sorted = Vec::new();
        for (part, numbers) in places(&keys, kept.num_rows(), parts)?.into_iter().enumerate() {
            if numbers.is_empty() {
                continue;
            }
            let rows = take_record_batch(&kept, &UInt32Array::from(numbers)).map_err(arrow)?;
            // Texts refer to the records that they were read from.
            let rows = scan::compact(&rows).map_err(arrow)?;
            let keys = self.key_columns(side, &rows)?;
            sorted.push((part, Arrived { rows, keys }));
        }
        Ok(Sorted { parts: sorted, late })
    }
}

/// A row's place: its batch, and its number there.
type Place = (usize, usize);

/// The rows of one side.
struct Kept {
    side: JoinSide,
    keys: RowConverter,
    batches: Vec<RecordBatch>,
    by_key: HashMap<Box<[u8]>, BTreeMap<i64, Vec<Place>>>,
    rows: usize,
    /// What is late ended here when rows were let go last.
    closed: i64,
}

/// A row that has just come.
struct New {
    key: Box<[u8]>,
    time: i64,
    place: Place,
    is_kept: bool,
}

impl Kept {
    fn new(joining: &Joining, side: JoinSide) -> Result<Self> {
        let keys = joining.key_types.iter().map(|t| SortField::new(t.clone())).collect();
        let keys = RowConverter::new(keys).map_err(arrow)?;
        let by_key = HashMap::new();
        Ok(Self { side, keys, batches: Vec::new(), by_key, rows: 0, closed: i64::MIN })
    }

    /// Takes rows in. Those that nothing may meet any more but what is there are not kept.
    fn take(&mut self, joining: &Joining, arrived: Vec<Arrived>, closed: i64) -> Result<Vec<New>> {
        let mut all = Vec::new();
        for Arrived { rows, keys } in arrived {
            let times = joining.times(self.side, &rows)?;
            let keys = self.keys.convert_columns(&keys).map_err(arrow)?;
            for row in 0..rows.num_rows() {
                let (key, time) = (Box::<[u8]>::from(keys.row(row).as_ref()), times.value(row));
                let is_kept = joining.until(self.side, time) >= closed;
                let place = (self.batches.len(), row);
                if is_kept {
                    self.keep(key.clone(), time, place);
                }
                all.push(New { key, time, place, is_kept });
            }
            self.batches.push(rows);
        }
        Ok(all)
    }

    fn keep(&mut self, key: Box<[u8]>, time: i64, place: Place) {
        self.by_key.entry(key).or_default().entry(time).or_default().push(place);
        self.rows += 1;
    }

    /// Lets rows go that nothing may meet any more, once that is worth the while.
    fn prune(&mut self, joining: &Joining, closed: i64, is_forced: bool) -> Result<()> {
        let pause = (joining.upper.saturating_sub(joining.lower) / 8).max(1);
        if closed == i64::MIN || !(is_forced || closed.saturating_sub(self.closed) >= pause) {
            return Ok(());
        }
        self.closed = closed;
        let first = joining.first(self.side, closed);
        let mut rows = 0;
        self.by_key.retain(|_, times| {
            if times.first_key_value().is_some_and(|(time, _)| *time < first) {
                *times = times.split_off(&first);
            }
            rows += times.values().map(Vec::len).sum::<usize>();
            !times.is_empty()
        });
        self.rows = rows;
        let held: usize = self.batches.iter().map(RecordBatch::num_rows).sum();
        // Who forces it compacts what is left in any case.
        if !is_forced && held > 2 * rows + PAIRS { self.compact() } else { Ok(()) }
    }

    /// Puts the rows that are kept into one batch.
    fn compact(&mut self) -> Result<()> {
        let mut places = Vec::with_capacity(self.rows);
        for all in self.by_key.values_mut().flat_map(BTreeMap::values_mut) {
            for place in all {
                places.push(*place);
                *place = (0, places.len() - 1);
            }
        }
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        self.batches = match places.is_empty() {
            true => Vec::new(),
            false => {
                let rows = interleave_record_batch(&batches, &places).and_then(|rows| scan::compact(&rows));
                vec![rows.map_err(arrow)?]
            }
        };
        Ok(())
    }

    /// The places of the rows of a key from one time to another.
    fn found(&self, key: &[u8], from: i64, to: i64) -> impl Iterator<Item = Place> {
        let times = self.by_key.get(key).filter(|_| from <= to);
        times
            .into_iter()
            .flat_map(move |times| times.range(from..=to))
            .flat_map(|(_, places)| places.iter().copied())
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

    /// Takes the rows of a round in; answers the pairs that they make. What is late ends at `before` for these, and at `after`
    /// for those of the next round.
    pub(crate) fn round(
        &mut self,
        joining: &Joining,
        schema: &SchemaRef,
        arrived: [Vec<Arrived>; 2],
        (before, after): (i64, i64),
    ) -> Result<Vec<RecordBatch>> {
        let [left, right] = arrived;
        let known = self.left.batches.len();
        let left = self.left.take(joining, left, before)?;
        let right = self.right.take(joining, right, before)?;
        let mut pairs = Pairs { joining, schema, left: Vec::new(), right: Vec::new(), out: Vec::new() };
        let first = joining.first(JoinSide::Right, before);
        for row in left {
            let (from, to) = joining.meets(JoinSide::Left, row.time);
            for other in self.right.found(&row.key, from.max(first), to) {
                pairs.add(self, row.place, other)?;
            }
        }
        // What has just come from the left has met all that is kept, these among them.
        let first = joining.first(JoinSide::Left, before);
        for row in right {
            let (from, to) = joining.meets(JoinSide::Right, row.time);
            for other in self.left.found(&row.key, from.max(first), to) {
                if other.0 < known || !row.is_kept {
                    pairs.add(self, other, row.place)?;
                }
            }
        }
        pairs.flush(self)?;
        let out = pairs.out;
        self.left.prune(joining, after, false)?;
        self.right.prune(joining, after, false)?;
        Ok(out)
    }

    /// The rows of both sides that are kept.
    pub(crate) fn snapshot(&mut self, joining: &Joining, closed: i64) -> Result<[Vec<RecordBatch>; 2]> {
        for kept in [&mut self.left, &mut self.right] {
            kept.prune(joining, closed, true)?;
            kept.compact()?;
        }
        Ok([self.left.batches.clone(), self.right.batches.clone()])
    }

    /// Takes kept rows up again.
    pub(crate) fn restore(&mut self, joining: &Joining, side: JoinSide, rows: Arrived) -> Result<()> {
        let kept = if side == JoinSide::Left { &mut self.left } else { &mut self.right };
        kept.take(joining, vec![rows], i64::MIN).map(drop)
    }
}

/// Pairs of rows that may meet, on their way to the condition.
struct Pairs<'a> {
    joining: &'a Joining,
    schema: &'a SchemaRef,
    left: Vec<Place>,
    right: Vec<Place>,
    out: Vec<RecordBatch>,
}

impl Pairs<'_> {
    fn add(&mut self, part: &JoinPart, left: Place, right: Place) -> Result<()> {
        self.left.push(left);
        self.right.push(right);
        if self.left.len() < PAIRS { Ok(()) } else { self.flush(part) }
    }

    /// Asks the condition.
    fn flush(&mut self, part: &JoinPart) -> Result<()> {
        let count = self.left.len();
        if count == 0 {
            return Ok(());
        }
        let side = |kept: &Kept, places: &mut Vec<Place>| {
            let batches: Vec<&RecordBatch> = kept.batches.iter().collect();
            let rows = interleave_record_batch(&batches, places).map_err(arrow);
            places.clear();
            rows
        };
        let (left, right) = (side(&part.left, &mut self.left)?, side(&part.right, &mut self.right)?);
        let columns = left.columns().iter().chain(right.columns()).cloned().collect();
        let rows = batch(self.schema, columns, count)?;
        let rows = batch_filter(&rows, &self.joining.condition).map_err(scan::error)?;
        if rows.num_rows() > 0 {
            self.out.push(rows);
        }
        Ok(())
    }
}
