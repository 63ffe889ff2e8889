//! `reduce_agg`: an aggregate that the query writes itself, with lambdas.

use super::fold::{Fold, Groups};
use super::tools::{booleans, column, typed};
use super::{AggregateCall, aggregate};
use crate::{Family, Lambda};
use arrow::array::{Array, ArrayRef, BooleanArray, UInt32Array, new_empty_array, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::DataType;
use model::{Error, Result};
use std::sync::Arc;

/// The table.
pub(crate) const FAMILY: Family = Family {
    title: "Reduction",
    scalars: &[],
    aggregates: &[aggregate!(
        "reduce_agg",
        &["(T, S, function(S, T, S), function(S, S, S)) -> S"],
        "Combines all values into one: a first state, what becomes of it with a value, and what of two states.",
        |_, result| vec![DataType::Boolean, result.to_arrow()],
        reduce
    )],
};

#[derive(Debug)]
struct Reduce {
    input: Arc<dyn Lambda>,
    combine: Arc<dyn Lambda>,
    state: DataType,
}

fn reduce(call: &AggregateCall<'_>) -> Result<Reduce> {
    let lambda = |index: usize| {
        let given = call.lambdas.get(index).cloned().flatten();
        given.ok_or_else(|| {
            Error::internal(format!("argument {} of reduce_agg should be a lambda", index + 1))
        })
    };
    Ok(Reduce { input: lambda(2)?, combine: lambda(3)?, state: call.return_type.to_arrow() })
}

impl Reduce {
    fn call(&self, lambda: &Arc<dyn Lambda>, a: &ArrayRef, b: ArrayRef, row: usize) -> Result<ArrayRef> {
        let row = u32::try_from(row).map_err(|e| Error::internal(e.to_string()))?;
        let answer = lambda.call(&[a.clone(), b], &UInt32Array::from(vec![row]))?;
        if answer.len() != 1 || !answer.data_type().equals_datatype(&self.state) {
            return Err(Error::internal("a lambda of reduce_agg answered with another type"));
        }
        Ok(answer)
    }
}

impl Fold for Reduce {
    type Group = Option<ArrayRef>;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Option<ArrayRef>>) -> Result<()> {
        let (values, first) = (column(args, 0)?, column(args, 1)?);
        let nulls = values.logical_nulls();
        for row in groups.rows().iter() {
            if nulls.as_ref().is_none_or(|n| n.is_valid(row)) {
                let before = groups.of(row).clone().unwrap_or_else(|| first.slice(row, 1));
                let after = self.call(&self.input, &before, values.slice(row, 1), row)?;
                let grown = after.get_array_memory_size();
                if groups.of(row).replace(after).is_none() {
                    groups.grew(grown);
                }
            }
        }
        Ok(())
    }

    fn state(&mut self, groups: &[Option<ArrayRef>]) -> Result<Vec<ArrayRef>> {
        Ok(vec![booleans(groups.iter().map(|g| Some(g.is_some()))), self.finish(groups)?])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Option<ArrayRef>>) -> Result<()> {
        let (some, states) = (typed::<BooleanArray>(states, 0)?, column(states, 1)?);
        for row in groups.rows().iter().filter(|r| some.value(*r)) {
            let other = states.slice(row, 1);
            let joined = match groups.of(row).clone() {
                Some(before) => self.call(&self.combine, &before, other, row)?,
                None => other,
            };
            let grown = joined.get_array_memory_size();
            if groups.of(row).replace(joined).is_none() {
                groups.grew(grown);
            }
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[Option<ArrayRef>]) -> Result<ArrayRef> {
        let null = new_null_array(&self.state, 1);
        if groups.is_empty() {
            return Ok(new_empty_array(&self.state));
        }
        let parts: Vec<&dyn Array> = groups.iter().map(|g| g.as_ref().unwrap_or(&null).as_ref()).collect();
        concat(&parts).map_err(crate::cast::arrow_error)
    }

    fn heap(&self, group: &Option<ArrayRef>) -> usize {
        group.as_ref().map_or(0, |a| a.get_array_memory_size())
    }
}
