//! The one shape in which aggregates are written here, and what makes accumulators of it.
//!
//! A `Fold` knows how rows change the state of their groups. `Grouped` runs it over many groups at once, `Single` over
//! one, `Sliding` over a window frame that also loses rows at its beginning.

use super::{Accumulator, GroupsAccumulator};
use arrow::array::{Array, ArrayRef};
use arrow::compute::concat;
use model::{Error, Result};
use std::collections::VecDeque;
use std::fmt::Debug;

/// To which group each row of a batch belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    groups: Option<&'a [usize]>,
    len: usize,
}

impl Rows<'_> {
    /// The rows' positions.
    pub(crate) fn iter(&self) -> std::ops::Range<usize> {
        0..self.len
    }

    /// The group of a row.
    #[inline]
    pub(crate) fn group(&self, row: usize) -> usize {
        match self.groups {
            Some(groups) => groups[row],
            None => 0,
        }
    }
}

/// The groups that rows fall into.
#[derive(Debug)]
pub(crate) struct Groups<'a, G> {
    groups: &'a mut [G],
    rows: Rows<'a>,
    heap: &'a mut usize,
}

impl<'a, G> Groups<'a, G> {
    /// How the rows are spread.
    pub(crate) fn rows(&self) -> Rows<'a> {
        self.rows
    }

    /// The group of a row.
    #[inline]
    pub(crate) fn of(&mut self, row: usize) -> &mut G {
        &mut self.groups[self.rows.group(row)]
    }

    /// Notes that a group holds so many more bytes beyond its own size.
    #[inline]
    pub(crate) fn grew(&mut self, bytes: usize) {
        *self.heap += bytes;
    }
}

/// How rows change the state of their groups.
pub(crate) trait Fold: Send + Sync + Debug + 'static {
    /// What is kept for a group.
    type Group: Default + Send + Sync + Debug;

    /// Takes rows: one array per value argument.
    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Self::Group>) -> Result<()>;
    /// The groups' states, as state columns.
    fn state(&mut self, groups: &[Self::Group]) -> Result<Vec<ArrayRef>>;
    /// Takes states that others gathered.
    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Self::Group>) -> Result<()>;
    /// The groups' answers.
    fn finish(&mut self, groups: &[Self::Group]) -> Result<ArrayRef>;

    /// The bytes a group holds beyond its own size, as `Groups::grew` was told.
    fn heap(&self, _group: &Self::Group) -> usize {
        0
    }

    /// The bytes kept for all groups together.
    fn shared(&self) -> usize {
        0
    }

    /// Takes rows back, if it can.
    fn retract(&mut self, _args: &[ArrayRef], _groups: &mut Groups<'_, Self::Group>) -> Result<()> {
        Err(Error::internal("this aggregate cannot take rows back"))
    }

    /// Whether `retract` works and is exact.
    fn retracts(&self) -> bool {
        false
    }
}

/// One group.
#[derive(Debug)]
struct Single<F: Fold> {
    fold: F,
    group: [F::Group; 1],
    heap: usize,
}

fn rows_of(args: &[ArrayRef]) -> Rows<'static> {
    Rows { groups: None, len: args.first().map_or(0, |a| a.len()) }
}

impl<F: Fold> Accumulator for Single<F> {
    fn update(&mut self, args: &[ArrayRef]) -> Result<()> {
        let mut groups = Groups { groups: &mut self.group, rows: rows_of(args), heap: &mut self.heap };
        self.fold.update(args, &mut groups)
    }

    fn state(&mut self) -> Result<Vec<ArrayRef>> {
        self.fold.state(&self.group)
    }

    fn merge(&mut self, states: &[ArrayRef]) -> Result<()> {
        let mut groups = Groups { groups: &mut self.group, rows: rows_of(states), heap: &mut self.heap };
        self.fold.merge(states, &mut groups)
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        self.fold.finish(&self.group)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.heap + self.fold.shared()
    }

    fn retract(&mut self, args: &[ArrayRef]) -> Result<()> {
        let mut groups = Groups { groups: &mut self.group, rows: rows_of(args), heap: &mut self.heap };
        self.fold.retract(args, &mut groups)
    }

    fn retracts(&self) -> bool {
        self.fold.retracts()
    }
}

/// Many groups.
#[derive(Debug)]
struct Grouped<F: Fold> {
    fold: F,
    groups: Vec<F::Group>,
    heap: usize,
}

impl<F: Fold> Grouped<F> {
    fn grow(&mut self, total: usize) {
        if self.groups.len() < total {
            self.groups.resize_with(total, F::Group::default);
        }
    }

    fn emit<T>(
        &mut self,
        first: Option<usize>,
        answer: impl FnOnce(&mut F, &[F::Group]) -> Result<T>,
    ) -> Result<T> {
        let count = first.unwrap_or(self.groups.len()).min(self.groups.len());
        let rest = self.groups.split_off(count);
        let emitted = std::mem::replace(&mut self.groups, rest);
        let gone: usize = emitted.iter().map(|g| self.fold.heap(g)).sum();
        self.heap = if self.groups.is_empty() { 0 } else { self.heap.saturating_sub(gone) };
        answer(&mut self.fold, &emitted)
    }
}

impl<F: Fold> GroupsAccumulator for Grouped<F> {
    fn update(&mut self, args: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.grow(total);
        let rows = Rows { groups: Some(groups), len: groups.len() };
        self.fold.update(args, &mut Groups { groups: &mut self.groups, rows, heap: &mut self.heap })
    }

    fn state(&mut self, first: Option<usize>) -> Result<Vec<ArrayRef>> {
        self.emit(first, |fold, groups| fold.state(groups))
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.grow(total);
        let rows = Rows { groups: Some(groups), len: groups.len() };
        self.fold.merge(states, &mut Groups { groups: &mut self.groups, rows, heap: &mut self.heap })
    }

    fn finish(&mut self, first: Option<usize>) -> Result<ArrayRef> {
        self.emit(first, |fold, groups| fold.finish(groups))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.groups.capacity() * size_of::<F::Group>() + self.heap + self.fold.shared()
    }
}

/// A fold over one group.
pub(crate) fn single(fold: impl Fold) -> Box<dyn Accumulator> {
    Box::new(Single { fold, group: Default::default(), heap: 0 })
}

/// A fold over many groups.
pub(crate) fn grouped(fold: impl Fold) -> Box<dyn GroupsAccumulator> {
    Box::new(Grouped { fold, groups: Vec::new(), heap: 0 })
}

/// Makes fresh accumulators of one call.
pub(super) type Maker = Box<dyn Fn() -> Result<Box<dyn Accumulator>> + Send + Sync>;

/// Keeps the rows of a window frame and gathers them anew for each answer, for aggregates that cannot take rows back.
struct Sliding {
    make: Maker,
    batches: VecDeque<Vec<ArrayRef>>,
}

impl Debug for Sliding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sliding").field("batches", &self.batches.len()).finish()
    }
}

/// An accumulator that can lose the rows it took first.
pub(super) fn sliding(make: Maker) -> Result<Box<dyn Accumulator>> {
    let first = make()?;
    Ok(if first.retracts() { first } else { Box::new(Sliding { make, batches: VecDeque::new() }) })
}

impl Sliding {
    fn gather(&self) -> Result<Box<dyn Accumulator>> {
        let mut inner = (self.make)()?;
        let columns = self.batches.front().map_or(0, Vec::len);
        if columns == 0 {
            return Ok(inner);
        }
        let whole = (0..columns)
            .map(|i| {
                let parts: Vec<&dyn Array> = self.batches.iter().map(|b| b[i].as_ref()).collect();
                concat(&parts).map_err(crate::cast::arrow_error)
            })
            .collect::<Result<Vec<_>>>()?;
        inner.update(&whole)?;
        Ok(inner)
    }
}

impl Accumulator for Sliding {
    fn update(&mut self, args: &[ArrayRef]) -> Result<()> {
        if args.first().is_some_and(|a| !a.is_empty()) {
            self.batches.push_back(args.to_vec());
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ArrayRef>> {
        self.gather()?.state()
    }

    fn merge(&mut self, _states: &[ArrayRef]) -> Result<()> {
        Err(Error::internal("a window frame has no partial states"))
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        self.gather()?.finish()
    }

    fn size(&self) -> usize {
        let rows: usize = self.batches.iter().flatten().map(|a| a.get_array_memory_size()).sum();
        size_of_val(self) + rows
    }

    fn retract(&mut self, args: &[ArrayRef]) -> Result<()> {
        let mut gone = args.first().map_or(0, |a| a.len());
        while gone > 0 {
            let Some(batch) = self.batches.pop_front() else {
                return Err(Error::internal("a window frame lost more rows than it had"));
            };
            let len = batch.first().map_or(0, |a| a.len());
            if len > gone {
                self.batches.push_front(batch.iter().map(|a| a.slice(gone, len - gone)).collect());
                gone = 0;
            } else {
                gone -= len;
            }
        }
        Ok(())
    }

    fn retracts(&self) -> bool {
        true
    }
}
