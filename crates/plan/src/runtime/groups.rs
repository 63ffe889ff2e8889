//! A library accumulator of many groups behind DataFusion's interface.

use crate::error::to_datafusion;
use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::compute::{filter, prep_null_mask_filter};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use model::Result;
use std::fmt;

type DfResult<T> = datafusion::common::Result<T>;
pub(super) type MakeGroups = Box<dyn Fn() -> Result<Box<dyn functions::GroupsAccumulator>> + Send + Sync>;

/// Gathers many groups at once.
pub(super) struct Groups {
    inner: Box<dyn functions::GroupsAccumulator>,
    make: MakeGroups,
}

impl fmt::Debug for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Groups").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl Groups {
    pub(super) fn new(make: MakeGroups) -> Result<Self> {
        Ok(Self { inner: make()?, make })
    }
}

/// The rows that a FILTER keeps, with their groups.
fn kept(values: &[ArrayRef], groups: &[usize], keep: &BooleanArray) -> DfResult<(Vec<ArrayRef>, Vec<usize>)> {
    let keep = if keep.null_count() > 0 { prep_null_mask_filter(keep) } else { keep.clone() };
    let values = values.iter().map(|v| Ok(filter(v, &keep)?)).collect::<DfResult<Vec<_>>>()?;
    let groups = groups.iter().zip(keep.values().iter()).filter_map(|(g, k)| k.then_some(*g)).collect();
    Ok((values, groups))
}

fn first(emit_to: EmitTo) -> Option<usize> {
    match emit_to {
        EmitTo::All => None,
        EmitTo::First(n) => Some(n),
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> DfResult<()> {
        let done = match opt_filter {
            None => self.inner.update(values, group_indices, total_num_groups),
            Some(keep) => {
                let (values, groups) = kept(values, group_indices, keep)?;
                self.inner.update(&values, &groups, total_num_groups)
            }
        };
        done.map_err(to_datafusion)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> DfResult<ArrayRef> {
        self.inner.finish(first(emit_to)).map_err(to_datafusion)
    }

    fn state(&mut self, emit_to: EmitTo) -> DfResult<Vec<ArrayRef>> {
        self.inner.state(first(emit_to)).map_err(to_datafusion)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total: usize) -> DfResult<()> {
        self.inner.merge(values, group_indices, total).map_err(to_datafusion)
    }

    /// Each row as the state of a group of its own: cheaper than grouping when nearly all groups have one row.
    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> DfResult<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |v| v.len());
        let groups: Vec<usize> = (0..rows).collect();
        let mut alone = (self.make)().map_err(to_datafusion)?;
        let done = match opt_filter {
            None => alone.update(values, &groups, rows),
            Some(keep) => {
                let (values, groups) = kept(values, &groups, keep)?;
                alone.update(&values, &groups, rows)
            }
        };
        done.and_then(|()| alone.state(None)).map_err(to_datafusion)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size()
    }
}
