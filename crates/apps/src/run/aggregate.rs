//! Aggregation by windows and keys: keys are made dense numbers once a batch, and each window has accumulators over them.
//!
//! The rows of a key are always in the same part (by the key's hash), so that parts work side by side. What a part holds
//! can be had as rows (window, key, accumulators' states), which any other number of parts can take up again.

use super::rows::{arrow, batch};
use super::session::Sessions;
use crate::flow::node::{Aggregation, Call, Group};
use crate::script::window::WindowKind;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, TimestampMillisecondArray, UInt32Array,
};
use arrow::compute::take;
use arrow::datatypes::{Field, Schema, SchemaRef, TimestampMillisecondType};
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::GroupsAccumulatorAdapter;
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;
use model::{Error, Result};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The rows of a batch as an aggregation takes them.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) starts: TimestampMillisecondArray,
    pub(crate) ends: TimestampMillisecondArray,
    pub(crate) keys: Vec<ArrayRef>,
    /// For each call its arguments and its filter.
    pub(crate) calls: Vec<(Vec<ArrayRef>, Option<BooleanArray>)>,
}

impl Piece {
    pub(crate) fn rows(&self) -> usize {
        self.starts.len()
    }

    /// Some of the rows.
    pub(crate) fn take(&self, rows: &UInt32Array) -> Result<Self> {
        let some = |array: &dyn Array| take(array, rows, None).map_err(arrow);
        let bound = |array: &TimestampMillisecondArray| -> Result<TimestampMillisecondArray> {
            let taken = some(array)?;
            let taken = taken.as_primitive_opt::<TimestampMillisecondType>().cloned();
            taken.ok_or_else(|| Error::internal("a window's bound is no timestamp"))
        };
        let mut calls = Vec::with_capacity(self.calls.len());
        for (args, filter) in &self.calls {
            let args = args.iter().map(|a| some(a.as_ref())).collect::<Result<Vec<_>>>()?;
            let filter = match filter {
                Some(filter) => some(filter)?.as_boolean_opt().cloned(),
                None => None,
            };
            calls.push((args, filter));
        }
        Ok(Self {
            starts: bound(&self.starts)?,
            ends: bound(&self.ends)?,
            keys: self.keys.iter().map(|k| some(k.as_ref())).collect::<Result<Vec<_>>>()?,
            calls,
        })
    }
}

impl Aggregation {
    /// Evaluates what is aggregated, and splits the rows by their keys' hashes.
    pub(crate) fn pieces(&self, rows: &RecordBatch, parts: usize) -> Result<Vec<(usize, Piece)>> {
        let count = rows.num_rows();
        if count == 0 {
            return Ok(Vec::new());
        }
        let mut calls = Vec::with_capacity(self.calls.len());
        for call in &self.calls {
            let mut args = Vec::new();
            for expr in call.function.expressions() {
                args.push(expr.evaluate(rows).and_then(|v| v.into_array(count)).map_err(scan::error)?);
            }
            let filter = match &call.filter {
                Some(filter) => {
                    let mask =
                        filter.evaluate(rows).and_then(|v| v.into_array(count)).map_err(scan::error)?;
                    Some(
                        mask.as_boolean_opt()
                            .cloned()
                            .ok_or_else(|| Error::internal("a filter is no condition"))?,
                    )
                }
                None => None,
            };
            calls.push((args, filter));
        }
        let whole = Piece {
            starts: super::rows::times(rows.column(self.start))?,
            ends: super::rows::times(rows.column(self.end))?,
            keys: self.keys.iter().map(|k| Arc::clone(rows.column(*k))).collect(),
            calls,
        };
        split(whole, parts)
    }

    /// The rows of closed windows, as they come out.
    pub(crate) fn output(
        &self,
        schema: &SchemaRef,
        bounds: (ArrayRef, ArrayRef),
        keys: &[ArrayRef],
        values: Vec<ArrayRef>,
    ) -> Result<RecordBatch> {
        let rows = bounds.0.len();
        let ends = super::rows::times(&bounds.1)?;
        let mut columns = Vec::with_capacity(self.groups.len() + values.len());
        for group in &self.groups {
            columns.push(match group {
                Group::Start => Arc::clone(&bounds.0),
                Group::End => Arc::clone(&bounds.1),
                Group::Time => {
                    let lasts: Vec<i64> = ends.values().iter().map(|end| end - 1).collect();
                    Arc::new(TimestampMillisecondArray::from(lasts))
                }
                Group::Key(at) => keys.get(*at).cloned().ok_or_else(|| Error::internal("a key got lost"))?,
            });
        }
        columns.extend(values);
        batch(schema, columns, rows)
    }
}

/// Splits rows by their keys' hashes.
pub(crate) fn split(whole: Piece, parts: usize) -> Result<Vec<(usize, Piece)>> {
    if parts <= 1 || whole.keys.is_empty() {
        return Ok(vec![(0, whole)]);
    }
    let mut pieces = Vec::with_capacity(parts);
    for (part, rows) in places(&whole.keys, whole.rows(), parts)?.into_iter().enumerate() {
        if !rows.is_empty() {
            pieces.push((part, whole.take(&UInt32Array::from(rows))?));
        }
    }
    Ok(pieces)
}

/// Which rows belong to each part, by their keys' hashes.
pub(crate) fn places(keys: &[ArrayRef], rows: usize, parts: usize) -> Result<Vec<Vec<u32>>> {
    let mut hashes = vec![0_u64; rows];
    if parts > 1 {
        create_hashes(keys, &RandomState::default(), &mut hashes).map_err(scan::error)?;
    }
    let mut places: Vec<Vec<u32>> = vec![Vec::new(); parts.max(1)];
    for (row, hash) in (0_u32..).zip(&hashes) {
        // The upper bits: the lower ones choose places in hash tables.
        let part = ((u128::from(*hash) * parts as u128) >> 64) as usize;
        if let Some(list) = places.get_mut(part) {
            list.push(row);
        }
    }
    Ok(places)
}

/// New accumulators for the calls.
pub(crate) fn accumulators(calls: &[Call]) -> Result<Vec<Box<dyn GroupsAccumulator>>> {
    let make = |call: &Call| -> Result<Box<dyn GroupsAccumulator>> {
        if call.function.groups_accumulator_supported() {
            return call.function.create_groups_accumulator().map_err(scan::error);
        }
        let function = Arc::clone(&call.function);
        Ok(Box::new(GroupsAccumulatorAdapter::new(move || function.create_accumulator())))
    };
    calls.iter().map(make).collect()
}

/// Numbers for keys.
pub(crate) fn interner(schema: &SchemaRef) -> Result<Box<dyn GroupValues>> {
    new_group_values(Arc::clone(schema), &GroupOrdering::None).map_err(scan::error)
}

/// One window's groups.
pub(crate) struct Window {
    keys: Option<Box<dyn GroupValues>>,
    groups: usize,
    calls: Vec<Box<dyn GroupsAccumulator>>,
}

impl Window {
    fn new(aggregation: &Aggregation) -> Result<Self> {
        let keyed = !aggregation.keys.is_empty();
        let keys = if keyed { Some(interner(&aggregation.key_schema)?) } else { None };
        Ok(Self { keys, groups: 0, calls: accumulators(&aggregation.calls)? })
    }

    fn number(&mut self, keys: &[ArrayRef], rows: usize) -> Result<Vec<usize>> {
        match &mut self.keys {
            Some(interner) => {
                let mut numbers = Vec::with_capacity(rows);
                interner.intern(keys, &mut numbers).map_err(scan::error)?;
                self.groups = interner.len();
                Ok(numbers)
            }
            None => {
                self.groups = 1;
                Ok(vec![0; rows])
            }
        }
    }

    fn update(&mut self, piece: &Piece) -> Result<()> {
        let numbers = self.number(&piece.keys, piece.rows())?;
        for (call, (args, filter)) in self.calls.iter_mut().zip(&piece.calls) {
            call.update_batch(args, &numbers, filter.as_ref(), self.groups).map_err(scan::error)?;
        }
        Ok(())
    }

    fn merge(&mut self, keys: &[ArrayRef], states: &[Vec<ArrayRef>], rows: usize) -> Result<()> {
        let numbers = self.number(keys, rows)?;
        for (call, states) in self.calls.iter_mut().zip(states) {
            call.merge_batch(states, &numbers, self.groups).map_err(scan::error)?;
        }
        Ok(())
    }

    fn take_keys(&mut self) -> Result<Vec<ArrayRef>> {
        match &mut self.keys {
            Some(keys) => keys.emit(EmitTo::All).map_err(scan::error),
            None => Ok(Vec::new()),
        }
    }
}

/// A part of an aggregation's state.
pub(crate) enum Part {
    /// Windows whose bounds are known beforehand, by end and start.
    Windows(BTreeMap<(i64, i64), Window>),
    /// Sessions.
    Sessions(Box<Sessions>),
}

/// States as rows: the window, the keys, and the accumulators' states.
pub(crate) struct StateRows {
    pub(crate) starts: TimestampMillisecondArray,
    pub(crate) ends: TimestampMillisecondArray,
    pub(crate) keys: Vec<ArrayRef>,
    pub(crate) states: Vec<Vec<ArrayRef>>,
}

impl Part {
    pub(crate) fn new(aggregation: &Aggregation) -> Result<Self> {
        Ok(match aggregation.kind {
            WindowKind::Session { .. } => Self::Sessions(Box::new(Sessions::new(aggregation)?)),
            _ => Self::Windows(BTreeMap::new()),
        })
    }

    /// How many windows are open.
    pub(crate) fn open(&self) -> usize {
        match self {
            Self::Windows(windows) => windows.len(),
            Self::Sessions(sessions) => sessions.open(),
        }
    }

    /// Takes rows in.
    pub(crate) fn update(&mut self, aggregation: &Aggregation, piece: &Piece) -> Result<()> {
        let windows = match self {
            Self::Windows(windows) => windows,
            Self::Sessions(sessions) => return sessions.update(aggregation, piece),
        };
        let mut open = |key: (i64, i64), piece: &Piece| -> Result<()> {
            let window = match windows.entry(key) {
                std::collections::btree_map::Entry::Occupied(found) => found.into_mut(),
                std::collections::btree_map::Entry::Vacant(free) => free.insert(Window::new(aggregation)?),
            };
            window.update(piece)
        };
        let (starts, ends) = (piece.starts.values(), piece.ends.values());
        let Some(first) = ends.first().copied().zip(starts.first().copied()) else { return Ok(()) };
        if starts.iter().all(|s| *s == first.1) && ends.iter().all(|e| *e == first.0) {
            return open(first, piece);
        }
        let mut rows: HashMap<(i64, i64), Vec<u32>> = HashMap::new();
        for (row, key) in (0_u32..).zip(ends.iter().copied().zip(starts.iter().copied())) {
            rows.entry(key).or_default().push(row);
        }
        for (key, rows) in rows {
            open(key, &piece.take(&UInt32Array::from(rows))?)?;
        }
        Ok(())
    }

    /// The rows of the windows that end at or before this.
    pub(crate) fn close(
        &mut self,
        aggregation: &Aggregation,
        schema: &SchemaRef,
        until: i64,
    ) -> Result<Vec<RecordBatch>> {
        let windows = match self {
            Self::Windows(windows) => windows,
            Self::Sessions(sessions) => return sessions.close(aggregation, schema, until),
        };
        let mut out = Vec::new();
        while let Some(entry) = windows.first_entry().filter(|entry| entry.key().0 <= until) {
            let ((end, start), mut window) = entry.remove_entry();
            let keys = window.take_keys()?;
            let values = window
                .calls
                .iter_mut()
                .map(|call| call.evaluate(EmitTo::All).map_err(scan::error))
                .collect::<Result<Vec<_>>>()?;
            let bound =
                |at: i64| Arc::new(TimestampMillisecondArray::from(vec![at; window.groups])) as ArrayRef;
            out.push(aggregation.output(schema, (bound(start), bound(end)), &keys, values)?);
        }
        Ok(out)
    }

    /// All state as rows; the part has it still.
    pub(crate) fn snapshot(&mut self, aggregation: &Aggregation) -> Result<Vec<StateRows>> {
        let windows = match self {
            Self::Windows(windows) => windows,
            Self::Sessions(sessions) => return sessions.snapshot(aggregation),
        };
        let mut all = Vec::with_capacity(windows.len());
        for ((end, start), window) in windows.iter_mut() {
            let groups = window.groups;
            let keys = window.take_keys()?;
            let states = window
                .calls
                .iter_mut()
                .map(|call| call.state(EmitTo::All).map_err(scan::error))
                .collect::<Result<Vec<_>>>()?;
            let mut again = Window::new(aggregation)?;
            again.merge(&keys, &states, groups)?;
            *window = again;
            let bound = |at: i64| TimestampMillisecondArray::from(vec![at; groups]);
            all.push(StateRows { starts: bound(*start), ends: bound(*end), keys, states });
        }
        Ok(all)
    }

    /// Takes state up again.
    pub(crate) fn restore(&mut self, aggregation: &Aggregation, rows: &StateRows) -> Result<()> {
        let windows = match self {
            Self::Windows(windows) => windows,
            Self::Sessions(sessions) => return sessions.restore(aggregation, rows),
        };
        let mut by_window: BTreeMap<(i64, i64), Vec<u32>> = BTreeMap::new();
        for (row, key) in
            (0_u32..).zip(rows.ends.values().iter().copied().zip(rows.starts.values().iter().copied()))
        {
            by_window.entry(key).or_default().push(row);
        }
        for (key, numbers) in by_window {
            let numbers = UInt32Array::from(numbers);
            let some = |array: &ArrayRef| take(array, &numbers, None).map_err(arrow);
            let keys = rows.keys.iter().map(some).collect::<Result<Vec<_>>>()?;
            let states =
                rows.states.iter().map(|s| s.iter().map(some).collect()).collect::<Result<Vec<Vec<_>>>>()?;
            // Several parts of before may have had the window.
            let window = match windows.entry(key) {
                std::collections::btree_map::Entry::Occupied(found) => found.into_mut(),
                std::collections::btree_map::Entry::Vacant(free) => free.insert(Window::new(aggregation)?),
            };
            window.merge(&keys, &states, numbers.len())?;
        }
        Ok(())
    }
}

impl StateRows {
    /// As one batch: start, end, keys, states.
    pub(crate) fn to_batch(&self) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> = vec![Arc::new(self.starts.clone()), Arc::new(self.ends.clone())];
        columns.extend(self.keys.iter().cloned());
        columns.extend(self.states.iter().flatten().cloned());
        let fields: Vec<Field> = columns
            .iter()
            .enumerate()
            .map(|(i, c)| Field::new(format!("c{i}"), c.data_type().clone(), true))
            .collect();
        batch(&Arc::new(Schema::new(fields)), columns, self.starts.len())
    }

    /// Of such a batch: `keys` keys, and for each call so many states.
    pub(crate) fn of_batch(rows: &RecordBatch, keys: usize, states: &[usize]) -> Result<Self> {
        let wrong = || Error::corrupt("the state of the application is not what its script needs");
        if rows.num_columns() != 2 + keys + states.iter().sum::<usize>() {
            return Err(wrong());
        }
        let bound = |at: usize| {
            rows.column(at).as_primitive_opt::<TimestampMillisecondType>().cloned().ok_or_else(wrong)
        };
        let mut next = 2 + keys;
        let states = states
            .iter()
            .map(|count| {
                let from = next;
                next += count;
                (from..next).map(|at| Arc::clone(rows.column(at))).collect()
            })
            .collect();
        let keys = (2..2 + keys).map(|at| Arc::clone(rows.column(at))).collect();
        Ok(Self { starts: bound(0)?, ends: bound(1)?, keys, states })
    }

    /// Split by the keys' hashes.
    pub(crate) fn split(self, parts: usize) -> Result<Vec<(usize, StateRows)>> {
        let Self { starts, ends, keys, states } = self;
        let calls = states.into_iter().map(|s| (s, None)).collect();
        let pieces = split(Piece { starts, ends, keys, calls }, parts)?;
        let back = |piece: Piece| StateRows {
            starts: piece.starts,
            ends: piece.ends,
            keys: piece.keys,
            states: piece.calls.into_iter().map(|(s, _)| s).collect(),
        };
        Ok(pieces.into_iter().map(|(part, piece)| (part, back(piece))).collect())
    }
}
