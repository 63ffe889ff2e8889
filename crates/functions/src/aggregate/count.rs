//! How many rows: `count`, `count_if`.

use super::fold::{Fold, Groups};
use super::tools::{numbers, primitive, typed};
use super::{AggregateCall, aggregate};
use crate::Family;
use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, Int64Type};
use model::Result;

/// The table.
pub(crate) const FAMILY: Family = Family {
    title: "Counting",
    scalars: &[],
    aggregates: &[
        aggregate!(
            "count",
            &["() -> bigint", "(T) -> bigint"],
            "The number of rows, or of rows in which the argument is not NULL.",
            |_, _| vec![DataType::Int64],
            |call: &AggregateCall<'_>| Ok(Count {
                what: if call.arg_types.is_empty() { Counted::Rows } else { Counted::Present }
            }),
            native: |types| (types.len() == 1).then_some("count")
        ),
        aggregate!(
            "count_if",
            &["(boolean) -> bigint"],
            "The number of rows in which the argument is true.",
            |_, _| vec![DataType::Int64],
            |_: &AggregateCall<'_>| Ok(Count { what: Counted::True })
        ),
    ],
};

#[derive(Debug, Clone, Copy)]
enum Counted {
    Rows,
    Present,
    True,
}

#[derive(Debug)]
struct Count {
    what: Counted,
}

impl Count {
    fn add(&self, args: &[ArrayRef], groups: &mut Groups<'_, i64>, step: i64) -> Result<()> {
        let truths = match self.what {
            Counted::True => Some(typed::<BooleanArray>(args, 0)?),
            Counted::Rows | Counted::Present => None,
        };
        let nulls = match self.what {
            Counted::Rows => None,
            _ => args.first().and_then(|a| a.logical_nulls()),
        };
        for row in groups.rows().iter() {
            let present = nulls.as_ref().is_none_or(|n| n.is_valid(row));
            if present && truths.is_none_or(|t| t.value(row)) {
                *groups.of(row) += step;
            }
        }
        Ok(())
    }
}

impl Fold for Count {
    type Group = i64;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, i64>) -> Result<()> {
        self.add(args, groups, 1)
    }

    fn state(&mut self, groups: &[i64]) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.finish(groups)?])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, i64>) -> Result<()> {
        let counts = numbers::<Int64Type>(states, 0)?;
        for row in groups.rows().iter() {
            *groups.of(row) += counts.value(row);
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[i64]) -> Result<ArrayRef> {
        Ok(primitive::<Int64Type>(groups.iter().map(|c| Some(*c)), &DataType::Int64))
    }

    fn retract(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, i64>) -> Result<()> {
        self.add(args, groups, -1)
    }

    fn retracts(&self) -> bool {
        true
    }
}
