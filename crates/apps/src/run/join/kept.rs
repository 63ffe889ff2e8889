//! The rows of one side of a join that may still meet others.

use super::{Arrived, JoinSide, PAIRS, Place};
use crate::flow::node::Joining;
use crate::run::rows::{arrow, batch};
use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use arrow::row::{RowConverter, SortField};
use model::{Error, Result};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The column of kept state that says which rows have met a partner.
const MET: &str = "$met";

/// Where the rows of each key and time are.
#[derive(Default)]
pub(super) struct ByKey(HashMap<Box<[u8]>, BTreeMap<i64, Vec<Place>>>);

impl ByKey {
    /// The places of the rows of a key from one time to another.
    pub(super) fn found(&self, key: &[u8], from: i64, to: i64) -> impl Iterator<Item = Place> {
        let times = self.0.get(key).filter(|_| from <= to);
        times
            .into_iter()
            .flat_map(move |times| times.range(from..=to))
            .flat_map(|(_, places)| places.iter().copied())
    }

    fn rows(&self) -> usize {
        self.0.values().flat_map(BTreeMap::values).map(Vec::len).sum()
    }
}

/// Which rows have met a partner, by batch and row. Of a side whose rows come out in pairs only, nothing is marked.
#[derive(Default)]
pub(super) struct Met(Vec<Vec<bool>>);

impl Met {
    pub(super) fn mark(&mut self, (batch, row): Place) {
        if let Some(met) = self.0.get_mut(batch).and_then(|rows| rows.get_mut(row)) {
            *met = true;
        }
    }

    fn has(&self, (batch, row): Place) -> bool {
        self.0.get(batch).and_then(|rows| rows.get(row)).copied().unwrap_or(false)
    }
}

/// A row that has just come.
pub(super) struct New {
    pub(super) key: Box<[u8]>,
    pub(super) time: i64,
    pub(super) place: Place,
    pub(super) is_kept: bool,
}

/// The rows of one side.
pub(super) struct Kept {
    pub(super) side: JoinSide,
    /// Whether its rows come out without a partner, too.
    is_outer: bool,
    keys: RowConverter,
    pub(super) batches: Vec<RecordBatch>,
    pub(super) by_key: ByKey,
    pub(super) met: Met,
    /// By time the rows that come out alone unless they meet a partner. Those that have met one are passed over when their
    /// time has come.
    waiting: BTreeMap<i64, Vec<Place>>,
    pub(super) rows: usize,
    /// What is late ended here when rows were let go last.
    closed: i64,
}

impl Kept {
    pub(super) fn new(joining: &Joining, side: JoinSide) -> Result<Self> {
        let keys = joining.key_types.iter().map(|t| SortField::new(t.clone())).collect();
        Ok(Self {
            side,
            is_outer: joining.is_outer(side),
            keys: RowConverter::new(keys).map_err(arrow)?,
            batches: Vec::new(),
            by_key: ByKey::default(),
            met: Met::default(),
            waiting: BTreeMap::new(),
            rows: 0,
            closed: i64::MIN,
        })
    }

    /// Takes rows in. Those that nothing may meet any more but what is there are not kept.
    pub(super) fn take(&mut self, joining: &Joining, arrived: Vec<Arrived>, closed: i64) -> Result<Vec<New>> {
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
            if self.is_outer {
                self.met.0.push(vec![false; rows.num_rows()]);
            }
            self.batches.push(rows);
        }
        Ok(all)
    }

    fn keep(&mut self, key: Box<[u8]>, time: i64, place: Place) {
        self.by_key.0.entry(key).or_default().entry(time).or_default().push(place);
        if self.is_outer {
            self.waiting.entry(time).or_default().push(place);
        }
        self.rows += 1;
    }

    /// The rows that have met nothing and come out alone now: nothing can meet them any more. At the `end` these are all
    /// that wait. They are let go then, since a row that came out alone must not come out in a pair later.
    pub(super) fn alone(&mut self, joining: &Joining, new: &[New], closed: i64, end: bool) -> Vec<Place> {
        if !self.is_outer {
            return Vec::new();
        }
        let first = joining.first(self.side, closed);
        let due = match end {
            true => std::mem::take(&mut self.waiting),
            false if self.waiting.first_key_value().is_some_and(|(time, _)| *time < first) => {
                let later = self.waiting.split_off(&first);
                std::mem::replace(&mut self.waiting, later)
            }
            false => BTreeMap::new(),
        };
        let passed = new.iter().filter(|row| !row.is_kept).map(|row| row.place);
        let all = passed.chain(due.into_values().flatten());
        let alone: Vec<Place> = all.filter(|place| !self.met.has(*place)).collect();
        if end && !alone.is_empty() {
            let met = &self.met;
            self.by_key.0.retain(|_, times| {
                times.retain(|_, places| {
                    places.retain(|place| met.has(*place));
                    !places.is_empty()
                });
                !times.is_empty()
            });
            self.rows = self.by_key.rows();
        }
        alone
    }

    /// The rows at these places.
    pub(super) fn rows_at(&self, places: &[Place]) -> Result<RecordBatch> {
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        interleave_record_batch(&batches, places).map_err(arrow)
    }

    /// Lets rows go that nothing may meet any more, once that is worth the while.
    pub(super) fn prune(&mut self, joining: &Joining, closed: i64, is_forced: bool) -> Result<()> {
        let pause = (joining.upper.saturating_sub(joining.lower) / 8).max(1);
        if closed == i64::MIN || !(is_forced || closed.saturating_sub(self.closed) >= pause) {
            return Ok(());
        }
        self.closed = closed;
        let first = joining.first(self.side, closed);
        let mut rows = 0;
        self.by_key.0.retain(|_, times| {
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
    pub(super) fn compact(&mut self) -> Result<()> {
        let mut places = Vec::with_capacity(self.rows);
        let mut met = Vec::new();
        self.waiting.clear();
        for times in self.by_key.0.values_mut() {
            for (time, all) in times {
                for place in all {
                    let new = (0, places.len());
                    if self.is_outer {
                        let has_met = self.met.has(*place);
                        met.push(has_met);
                        if !has_met {
                            self.waiting.entry(*time).or_default().push(new);
                        }
                    }
                    places.push(*place);
                    *place = new;
                }
            }
        }
        if places.is_empty() {
            self.batches = Vec::new();
            self.met = Met::default();
            return Ok(());
        }
        let rows = scan::compact(&self.rows_at(&places)?).map_err(arrow)?;
        self.batches = vec![rows];
        self.met = Met(if self.is_outer { vec![met] } else { Vec::new() });
        Ok(())
    }

    /// The rows as state keeps them: those of an outer side with a column that says whether they have met a partner.
    pub(super) fn with_marks(&self) -> Result<Vec<RecordBatch>> {
        if !self.is_outer {
            return Ok(self.batches.clone());
        }
        let marked = self.batches.iter().zip(&self.met.0).map(|(rows, met)| {
            let mut fields: Vec<FieldRef> = rows.schema_ref().fields().iter().cloned().collect();
            fields.push(Arc::new(Field::new(MET, DataType::Boolean, false)));
            let mut columns = rows.columns().to_vec();
            columns.push(Arc::new(BooleanArray::from(met.clone())));
            batch(&Arc::new(Schema::new(fields)), columns, rows.num_rows())
        });
        marked.collect()
    }

    /// Takes kept rows up again.
    pub(super) fn restore(&mut self, joining: &Joining, arrived: Arrived) -> Result<()> {
        let at = self.batches.len();
        if !self.is_outer {
            return self.take(joining, vec![arrived], i64::MIN).map(drop);
        }
        let (rows, met) = without_marks(&arrived.rows)?;
        self.take(joining, vec![Arrived { rows, keys: arrived.keys }], i64::MIN)?;
        if let Some(marks) = self.met.0.get_mut(at) {
            *marks = met;
        }
        Ok(())
    }
}

/// The rows that state keeps of an outer side, and which of them have met a partner.
fn without_marks(rows: &RecordBatch) -> Result<(RecordBatch, Vec<bool>)> {
    let wrong = || Error::corrupt("the kept rows of an outer join do not say which have met a partner");
    let at = rows.num_columns().checked_sub(1).ok_or_else(wrong)?;
    if rows.schema_ref().field(at).name() != MET {
        return Err(wrong());
    }
    let met = rows.column(at).as_boolean_opt().ok_or_else(wrong)?;
    let met = met.iter().map(|met| met == Some(true)).collect();
    let columns: Vec<usize> = (0..at).collect();
    Ok((rows.project(&columns).map_err(arrow)?, met))
}
