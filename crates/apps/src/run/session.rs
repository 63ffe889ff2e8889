//! Sessions: windows that grow and meet. Each has a slot in the accumulators; sessions that meet merge their slots.

use super::aggregate::{Piece, StateRows, accumulators, interner};
use super::rows::arrow;
use crate::flow::node::Aggregation;
use arrow::array::{ArrayRef, RecordBatch, TimestampMillisecondArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_plan::aggregates::group_values::GroupValues;
use model::Result;
use std::sync::Arc;

#[derive(Debug, Clone, Copy)]
struct Session {
    start: i64,
    end: i64,
    slot: usize,
}

/// The open sessions of a part.
pub(crate) struct Sessions {
    keys: Option<Box<dyn GroupValues>>,
    /// By the key's number.
    sessions: Vec<Vec<Session>>,
    /// How many slots the accumulators have; some may be of sessions that are no more.
    slots: usize,
    calls: Vec<Box<dyn GroupsAccumulator>>,
}

impl Sessions {
    pub(crate) fn new(aggregation: &Aggregation) -> Result<Self> {
        let keyed = !aggregation.keys.is_empty();
        let keys = if keyed { Some(interner(&aggregation.key_schema)?) } else { None };
        Ok(Self { keys, sessions: Vec::new(), slots: 0, calls: accumulators(&aggregation.calls)? })
    }

    pub(crate) fn open(&self) -> usize {
        self.sessions.iter().map(Vec::len).sum()
    }

    fn numbers(&mut self, keys: &[ArrayRef], rows: usize) -> Result<Vec<usize>> {
        let numbers = match &mut self.keys {
            Some(interner) => {
                let mut numbers = Vec::with_capacity(rows);
                interner.intern(keys, &mut numbers).map_err(scan::error)?;
                numbers
            }
            None => vec![0; rows],
        };
        let most = numbers.iter().max().map_or(0, |most| most + 1);
        if self.sessions.len() < most {
            self.sessions.resize_with(most, Vec::new);
        }
        Ok(numbers)
    }

    /// The slot of a row's session, which grows by the row; sessions that it joins become one.
    fn place(&mut self, key: usize, start: i64, end: i64, roots: &mut Vec<usize>) -> usize {
        let Some(list) = self.sessions.get_mut(key) else { return 0 };
        let mut joined: Option<Session> = None;
        list.retain(|session| {
            if session.start > end || session.end < start {
                return true;
            }
            joined = Some(match joined {
                None => *session,
                Some(first) => {
                    if let Some(root) = roots.get_mut(session.slot) {
                        *root = first.slot;
                    }
                    Session {
                        start: first.start.min(session.start),
                        end: first.end.max(session.end),
                        slot: first.slot,
                    }
                }
            });
            false
        });
        let session = match joined {
            Some(found) => Session { start: found.start.min(start), end: found.end.max(end), ..found },
            None => {
                roots.push(self.slots);
                self.slots += 1;
                Session { start, end, slot: self.slots - 1 }
            }
        };
        list.push(session);
        session.slot
    }

    pub(crate) fn update(&mut self, aggregation: &Aggregation, piece: &Piece) -> Result<()> {
        let numbers = self.numbers(&piece.keys, piece.rows())?;
        let before = self.slots;
        let mut roots: Vec<usize> = (0..before).collect();
        let mut slots = Vec::with_capacity(numbers.len());
        for (row, key) in numbers.into_iter().enumerate() {
            slots.push(self.place(key, piece.starts.value(row), piece.ends.value(row), &mut roots));
        }
        let root = |mut slot: usize| {
            while let Some(next) = roots.get(slot).copied().filter(|next| *next != slot) {
                slot = next;
            }
            slot
        };
        if (0..before).any(|slot| root(slot) != slot) {
            // What was counted apart is counted together.
            let states = self.take_states()?;
            self.calls = accumulators(&aggregation.calls)?;
            let targets: Vec<usize> = (0..before).map(root).collect();
            for (call, states) in self.calls.iter_mut().zip(&states) {
                call.merge_batch(states, &targets, self.slots).map_err(scan::error)?;
            }
        }
        slots.iter_mut().for_each(|slot| *slot = root(*slot));
        for (call, (args, filter)) in self.calls.iter_mut().zip(&piece.calls) {
            call.update_batch(args, &slots, filter.as_ref(), self.slots).map_err(scan::error)?;
        }
        Ok(())
    }

    fn take_states(&mut self) -> Result<Vec<Vec<ArrayRef>>> {
        self.calls.iter_mut().map(|call| call.state(EmitTo::All).map_err(scan::error)).collect()
    }

    /// Takes everything out as rows, one a session.
    fn drain(&mut self, aggregation: &Aggregation) -> Result<StateRows> {
        let all = match &mut self.keys {
            Some(keys) => keys.emit(EmitTo::All).map_err(scan::error)?,
            None => Vec::new(),
        };
        let states = if self.slots == 0 { Vec::new() } else { self.take_states()? };
        let (mut starts, mut ends, mut slots, mut keys) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (key, list) in (0_u32..).zip(&self.sessions) {
            for session in list {
                starts.push(session.start);
                ends.push(session.end);
                slots.push(u32::try_from(session.slot).unwrap_or(u32::MAX));
                keys.push(key);
            }
        }
        let (slots, keys) = (UInt32Array::from(slots), UInt32Array::from(keys));
        let some = |array: &ArrayRef, rows: &UInt32Array| take(array, rows, None).map_err(arrow);
        let rows = StateRows {
            starts: TimestampMillisecondArray::from(starts),
            ends: TimestampMillisecondArray::from(ends),
            keys: all.iter().map(|k| some(k, &keys)).collect::<Result<_>>()?,
            states: states
                .iter()
                .map(|s| s.iter().map(|a| some(a, &slots)).collect())
                .collect::<Result<_>>()?,
        };
        *self = Self::new(aggregation)?;
        Ok(rows)
    }

    pub(crate) fn close(
        &mut self,
        aggregation: &Aggregation,
        schema: &SchemaRef,
        until: i64,
    ) -> Result<Vec<RecordBatch>> {
        if !self.sessions.iter().flatten().any(|session| session.end <= until) {
            return Ok(Vec::new());
        }
        let all = self.drain(aggregation)?;
        let (mut closed, mut open) = (Vec::new(), Vec::new());
        for (row, end) in (0_u32..).zip(all.ends.values()) {
            if *end <= until { closed.push(row) } else { open.push(row) }
        }
        self.restore(aggregation, &all.some(&UInt32Array::from(open))?)?;
        let closed = all.some(&UInt32Array::from(closed))?;
        let groups: Vec<usize> = (0..closed.starts.len()).collect();
        let mut values = Vec::with_capacity(aggregation.calls.len());
        for (mut call, states) in accumulators(&aggregation.calls)?.into_iter().zip(&closed.states) {
            call.merge_batch(states, &groups, groups.len()).map_err(scan::error)?;
            values.push(call.evaluate(EmitTo::All).map_err(scan::error)?);
        }
        let bounds: (ArrayRef, ArrayRef) = (Arc::new(closed.starts), Arc::new(closed.ends));
        Ok(vec![aggregation.output(schema, bounds, &closed.keys, values)?])
    }

    pub(crate) fn snapshot(&mut self, aggregation: &Aggregation) -> Result<Vec<StateRows>> {
        if self.open() == 0 {
            return Ok(Vec::new());
        }
        let all = self.drain(aggregation)?;
        self.restore(aggregation, &all)?;
        Ok(vec![all])
    }

    pub(crate) fn restore(&mut self, _: &Aggregation, rows: &StateRows) -> Result<()> {
        let count = rows.starts.len();
        if count == 0 {
            return Ok(());
        }
        let numbers = self.numbers(&rows.keys, count)?;
        let first = self.slots;
        for (row, key) in numbers.into_iter().enumerate() {
            let session =
                Session { start: rows.starts.value(row), end: rows.ends.value(row), slot: first + row };
            if let Some(list) = self.sessions.get_mut(key) {
                list.push(session);
            }
        }
        self.slots = first + count;
        let targets: Vec<usize> = (first..self.slots).collect();
        for (call, states) in self.calls.iter_mut().zip(&rows.states) {
            call.merge_batch(states, &targets, self.slots).map_err(scan::error)?;
        }
        Ok(())
    }
}

impl StateRows {
    fn some(&self, rows: &UInt32Array) -> Result<StateRows> {
        let some = |array: &ArrayRef| take(array, rows, None).map_err(arrow);
        let bound = |array: &TimestampMillisecondArray| -> TimestampMillisecondArray {
            rows.values().iter().map(|row| array.value(*row as usize)).collect::<Vec<i64>>().into()
        };
        Ok(StateRows {
            starts: bound(&self.starts),
            ends: bound(&self.ends),
            keys: self.keys.iter().map(some).collect::<Result<_>>()?,
            states: self.states.iter().map(|s| s.iter().map(some).collect()).collect::<Result<_>>()?,
        })
    }
}
