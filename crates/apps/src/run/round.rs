//! One round through the dataflow of an insert, step by step: the rows that come out, and the watermark behind them.

use super::aggregate::Part;
use super::graph::closing;
use super::join::{Arrived, JoinPart, JoinSide};
use super::rows::{Windowing, apply, batch, renamed};
use super::tasks::each;
use crate::flow::node::{Aggregation, Joining, Node, Work};
use arrow::array::{ArrayRef, RecordBatch};
use model::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A round under way.
pub(super) struct Round<'a> {
    pub(super) inputs: &'a BTreeMap<usize, Vec<RecordBatch>>,
    /// The columns that a table's decoder gives.
    pub(super) needed: BTreeMap<usize, &'a [usize]>,
    pub(super) watermarks: &'a BTreeMap<usize, i64>,
    pub(super) tasks: usize,
    pub(super) lateness: i64,
    pub(super) keeps_late: bool,
    pub(super) end: bool,
}

/// The state of one insert's dataflow, and where its late rows go.
pub(super) struct State<'a> {
    pub(super) closed: &'a mut Vec<i64>,
    pub(super) parts: &'a mut Vec<Vec<Part>>,
    pub(super) join_parts: &'a mut Vec<Vec<JoinPart>>,
    pub(super) late: &'a mut Vec<RecordBatch>,
    pub(super) late_rows: u64,
}

impl Round<'_> {
    /// The rows that a step gives in this round, and its watermark behind them.
    pub(super) fn node(&self, node: &Node, state: &mut State<'_>) -> Result<(Vec<RecordBatch>, i64)> {
        match &node.work {
            Work::Source { table, columns } => {
                let needed = self.needed.get(table).copied().unwrap_or_default();
                let mut rows = Vec::new();
                for input in self.inputs.get(table).into_iter().flatten() {
                    let picked: Vec<ArrayRef> = columns
                        .iter()
                        .filter_map(|c| needed.iter().position(|n| n == c))
                        .map(|at| Arc::clone(input.column(at)))
                        .collect();
                    rows.push(batch(&node.schema, picked, input.num_rows())?);
                }
                Ok((rows, self.watermarks.get(table).copied().unwrap_or(i64::MIN)))
            }
            Work::Rows { input, steps } => {
                let (rows, mark) = self.node(input, state)?;
                let rows = each(self.tasks, rows, |rows| renamed(&apply(steps, rows)?, &node.schema))?;
                Ok((rows.into_iter().filter(|r| r.num_rows() > 0).collect(), mark))
            }
            Work::Windows { input, id, time, kind, columns } => {
                let (rows, mark) = self.node(input, state)?;
                let closed = state.closed.get(*id).copied().unwrap_or(i64::MIN);
                let windowing = Windowing { time: *time, kind: *kind, columns, schema: &node.schema, closed };
                let done = each(self.tasks, rows, |rows| windowing.apply(&rows))?;
                let mut all = Vec::with_capacity(done.len());
                for windowed in done {
                    self.late(windowed.late, state);
                    all.push(windowed.rows);
                }
                if let Some(slot) = state.closed.get_mut(*id) {
                    *slot = (*slot).max(self.closing(mark));
                }
                Ok((all, mark))
            }
            Work::Aggregate(aggregation) => self.aggregate(node, aggregation, state),
            Work::Join(joining) => self.join(node, joining, state),
            Work::Union { inputs } => {
                let (mut all, mut mark) = (Vec::new(), i64::MAX);
                for input in inputs {
                    let (rows, own) = self.node(input, state)?;
                    for rows in rows {
                        all.push(renamed(&rows, &node.schema)?);
                    }
                    mark = mark.min(own);
                }
                Ok((all, mark))
            }
        }
    }

    fn closing(&self, mark: i64) -> i64 {
        closing(mark, self.lateness)
    }

    fn late(&self, rows: Option<RecordBatch>, state: &mut State<'_>) {
        let Some(rows) = rows else { return };
        state.late_rows += rows.num_rows() as u64;
        if self.keeps_late {
            state.late.push(rows);
        }
    }

    fn join(&self, node: &Node, joining: &Joining, state: &mut State<'_>) -> Result<(Vec<RecordBatch>, i64)> {
        let before = state.closed.get(joining.closed).copied().unwrap_or(i64::MIN);
        let mut arrived: Vec<[Vec<Arrived>; 2]> = (0..self.tasks).map(|_| Default::default()).collect();
        let (mut mark, mut out) = (i64::MAX, Vec::new());
        for ((at, side), input) in
            [JoinSide::Left, JoinSide::Right].into_iter().enumerate().zip(&joining.inputs)
        {
            let (rows, own) = self.node(input, state)?;
            mark = mark.min(own);
            let sorted = each(self.tasks, rows, |rows| joining.sorted(side, &rows, before, self.tasks))?;
            for sorted in sorted {
                self.late(sorted.late, state);
                if let Some(rows) = sorted.alone {
                    out.push(joining.padded(side, &rows, &node.schema)?);
                }
                for (part, rows) in sorted.parts {
                    if let Some(list) = arrived.get_mut(part).and_then(|sides| sides.get_mut(at)) {
                        list.push(rows);
                    }
                }
            }
        }
        let after = before.max(self.closing(mark));
        if let Some(slot) = state.closed.get_mut(joining.closed) {
            *slot = after;
        }
        let Some(parts) = state.join_parts.get_mut(joining.id) else {
            return Err(Error::internal("a join without state"));
        };
        let work: Vec<(&mut JoinPart, [Vec<Arrived>; 2])> = parts.iter_mut().zip(arrived).collect();
        let done = each(self.tasks, work, |(part, arrived)| {
            part.round(joining, &node.schema, arrived, (before, after), self.end)
        })?;
        out.extend(done.into_iter().flatten());
        // What comes later may make pairs whose times are behind the watermark by as much as the bounds are wide; so may
        // rows be that have met nothing.
        let held_back = self.lateness.saturating_add(joining.delay());
        let mark = if mark == i64::MIN { mark } else { mark.saturating_sub(held_back) };
        Ok((out, mark))
    }

    fn aggregate(
        &self,
        node: &Node,
        aggregation: &Aggregation,
        state: &mut State<'_>,
    ) -> Result<(Vec<RecordBatch>, i64)> {
        let (rows, mark) = self.node(&aggregation.input, state)?;
        let Some(parts) = state.parts.get_mut(aggregation.id) else {
            return Err(Error::internal("an aggregation without state"));
        };
        let mut pieces: Vec<Vec<_>> = parts.iter().map(|_| Vec::new()).collect();
        for split in each(self.tasks, rows, |rows| aggregation.pieces(&rows, self.tasks))? {
            for (part, piece) in split {
                if let Some(list) = pieces.get_mut(part) {
                    list.push(piece);
                }
            }
        }
        let until = if self.end { i64::MAX } else { self.closing(mark) };
        let work: Vec<(&mut Part, Vec<_>)> = parts.iter_mut().zip(pieces).collect();
        let done = each(self.tasks, work, |(part, pieces)| {
            for piece in &pieces {
                part.update(aggregation, piece)?;
            }
            part.close(aggregation, &node.schema, until)
        })?;
        let out: Vec<RecordBatch> = done.into_iter().flatten().collect();
        if self.end {
            self.keep_closed(aggregation, &out, state)?;
        }
        // Rows of windows come with their end: what is behind has to wait as long as they did.
        let mark = if mark == i64::MIN { mark } else { mark.saturating_sub(self.lateness) };
        Ok((out, mark))
    }

    /// Windows that were closed by force stay closed.
    fn keep_closed(
        &self,
        aggregation: &Aggregation,
        out: &[RecordBatch],
        state: &mut State<'_>,
    ) -> Result<()> {
        let Some(at) = aggregation.groups.iter().position(|g| *g == crate::flow::node::Group::End) else {
            return Ok(());
        };
        let mut last = i64::MIN;
        for rows in out {
            let ends = super::rows::times(rows.column(at))?;
            last = last.max(ends.values().iter().copied().max().unwrap_or(i64::MIN));
        }
        for id in windows_below(&aggregation.input) {
            if let Some(closed) = state.closed.get_mut(id) {
                *closed = (*closed).max(last);
            }
        }
        Ok(())
    }
}

/// The windowing steps that an aggregation's rows come from.
fn windows_below(node: &Node) -> Vec<usize> {
    match &node.work {
        Work::Windows { id, .. } => vec![*id],
        Work::Rows { input, .. } => windows_below(input),
        Work::Union { inputs } => inputs.iter().flat_map(windows_below).collect(),
        Work::Source { .. } | Work::Aggregate(_) | Work::Join(_) => Vec::new(),
    }
}
