//! Whether all or any are true, and bits put together.

use super::fold::{Fold, Groups};
use super::tools::{booleans, numbers, primitive, typed};
use super::{AggregateCall, aggregate};
use crate::Family;
use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, Int64Type};
use model::Result;
use sql::SqlType;

/// The table.
pub(crate) const FAMILY: Family = Family {
    title: "Truths and bits",
    scalars: &[],
    aggregates: &[
        aggregate!("bool_and", &["(boolean) -> boolean"], ALL, truth_state, all, native: |_| Some("bool_and")),
        aggregate!("every", &["(boolean) -> boolean"], ALL, truth_state, all, native: |_| Some("bool_and")),
        aggregate!(
            "bool_or",
            &["(boolean) -> boolean"],
            "Whether a value is true.",
            truth_state,
            any,
            native: |_| Some("bool_or")
        ),
        aggregate!(
            "bitwise_and_agg",
            &["(bigint) -> bigint"],
            "The bits that all values have.",
            bit_state,
            |_: &AggregateCall<'_>| Ok(Bits { join: |a, b| a & b })
        ),
        aggregate!(
            "bitwise_or_agg",
            &["(bigint) -> bigint"],
            "The bits that some value has.",
            bit_state,
            |_: &AggregateCall<'_>| Ok(Bits { join: |a, b| a | b })
        ),
        aggregate!(
            "bitwise_xor_agg",
            &["(bigint) -> bigint"],
            "The bits that an odd number of values have.",
            bit_state,
            |_: &AggregateCall<'_>| Ok(Bits { join: |a, b| a ^ b })
        ),
    ],
};

const ALL: &str = "Whether all values are true.";

fn truth_state(_: &[SqlType], _: &SqlType) -> Vec<DataType> {
    vec![DataType::Boolean]
}

fn bit_state(_: &[SqlType], _: &SqlType) -> Vec<DataType> {
    vec![DataType::Int64]
}

#[derive(Debug)]
struct Truth {
    all: bool,
}

fn all(_: &AggregateCall<'_>) -> Result<Truth> {
    Ok(Truth { all: true })
}

fn any(_: &AggregateCall<'_>) -> Result<Truth> {
    Ok(Truth { all: false })
}

impl Fold for Truth {
    type Group = Option<bool>;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Option<bool>>) -> Result<()> {
        let values: &BooleanArray = typed(args, 0)?;
        for row in groups.rows().iter().filter(|r| values.is_valid(*r)) {
            let (group, value) = (groups.of(row), values.value(row));
            *group = Some(match *group {
                None => value,
                Some(before) if self.all => before && value,
                Some(before) => before || value,
            });
        }
        Ok(())
    }

    fn state(&mut self, groups: &[Option<bool>]) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.finish(groups)?])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Option<bool>>) -> Result<()> {
        self.update(states, groups)
    }

    fn finish(&mut self, groups: &[Option<bool>]) -> Result<ArrayRef> {
        Ok(booleans(groups.iter().copied()))
    }
}

#[derive(Debug)]
struct Bits {
    join: fn(i64, i64) -> i64,
}

impl Fold for Bits {
    type Group = Option<i64>;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Option<i64>>) -> Result<()> {
        let values = numbers::<Int64Type>(args, 0)?;
        for row in groups.rows().iter().filter(|r| values.is_valid(*r)) {
            let (group, value) = (groups.of(row), values.value(row));
            *group = Some(group.map_or(value, |before| (self.join)(before, value)));
        }
        Ok(())
    }

    fn state(&mut self, groups: &[Option<i64>]) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.finish(groups)?])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Option<i64>>) -> Result<()> {
        self.update(states, groups)
    }

    fn finish(&mut self, groups: &[Option<i64>]) -> Result<ArrayRef> {
        Ok(primitive::<Int64Type>(groups.iter().copied(), &DataType::Int64))
    }
}
