//! Sums and means: exact for integers and decimals, which are added up in wider numbers.

use super::fold::{Fold, Groups};
use super::tools::{nulls, numbers, primitive};
use super::{AggregateCall, aggregate};
use crate::Family;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow::datatypes::{
    DataType, Decimal128Type, Decimal256Type, DurationMillisecondType, Float32Type, Float64Type, Int64Type,
    IntervalYearMonthType, i256,
};
use model::{Error, Result};
use sql::SqlType;
use std::fmt::Debug;
use std::marker::PhantomData;

/// The table.
pub(crate) const FAMILY: Family = Family {
    title: "Sums and means",
    scalars: &[],
    aggregates: &[
        aggregate!("sum", &["(bigint) -> bigint"], SUM, exact_state, exact::<Int64Type>),
        aggregate!("sum", &["(double) -> double"], SUM, float_state, float::<Float64Type>, native: |_| Some("sum")),
        aggregate!("sum", &["(real) -> real"], SUM, float_state, float::<Float32Type>),
        aggregate!(
            "sum",
            &["(decimal) -> decimal"],
            SUM,
            exact_state,
            exact::<Decimal128Type>,
            returns: |types, _| Ok(match types {
                [SqlType::Decimal(_, scale)] => SqlType::Decimal(38, *scale),
                _ => SqlType::Decimal(38, 0),
            })
        ),
        aggregate!(
            "sum",
            &["(interval day to second) -> interval day to second"],
            SUM,
            exact_state,
            exact::<DurationMillisecondType>
        ),
        aggregate!(
            "sum",
            &["(interval year to month) -> interval year to month"],
            SUM,
            exact_state,
            exact::<IntervalYearMonthType>
        ),
        aggregate!("avg", &["(bigint) -> double"], AVG, float_state, float::<Int64Type>),
        aggregate!("avg", &["(double) -> double"], AVG, float_state, float::<Float64Type>, native: |_| Some("avg")),
        aggregate!("avg", &["(real) -> real"], AVG, float_state, float::<Float32Type>),
        aggregate!("avg", &["(decimal) -> decimal"], AVG, exact_state, exact::<Decimal128Type>),
        aggregate!(
            "avg",
            &["(interval day to second) -> interval day to second"],
            AVG,
            exact_state,
            exact::<DurationMillisecondType>
        ),
        aggregate!(
            "avg",
            &["(interval year to month) -> interval year to month"],
            AVG,
            exact_state,
            exact::<IntervalYearMonthType>
        ),
    ],
};

const SUM: &str = "The sum of all values that are not NULL.";
const AVG: &str = "The mean of all values that are not NULL.";

fn exact_state(_: &[SqlType], _: &SqlType) -> Vec<DataType> {
    vec![DataType::Int64, DataType::Decimal256(76, 0)]
}

fn float_state(_: &[SqlType], _: &SqlType) -> Vec<DataType> {
    vec![DataType::Int64, DataType::Float64]
}

/// A value as a whole number (of cents, of milliseconds), and back.
trait Whole: ArrowPrimitiveType + Debug {
    fn widen(value: Self::Native) -> i128;
    fn narrow(value: i128) -> Option<Self::Native>;
}

impl Whole for Int64Type {
    fn widen(value: i64) -> i128 {
        value.into()
    }
    fn narrow(value: i128) -> Option<i64> {
        value.try_into().ok()
    }
}

impl Whole for Decimal128Type {
    fn widen(value: i128) -> i128 {
        value
    }
    fn narrow(value: i128) -> Option<i128> {
        (value.unsigned_abs() < 10u128.pow(38)).then_some(value)
    }
}

impl Whole for DurationMillisecondType {
    fn widen(value: i64) -> i128 {
        value.into()
    }
    fn narrow(value: i128) -> Option<i64> {
        value.try_into().ok()
    }
}

impl Whole for IntervalYearMonthType {
    fn widen(value: i32) -> i128 {
        value.into()
    }
    fn narrow(value: i128) -> Option<i32> {
        value.try_into().ok()
    }
}

/// What a group has: a total that rarely leaves 128 bits, and beyond them only for long decimals.
#[derive(Debug, Default, Clone, Copy)]
struct Total {
    count: i64,
    low: i128,
    high: i64,
}

impl Total {
    /// Adds; what no longer fits 128 bits is counted in wholes of 2^128 in `high`.
    #[inline]
    fn add(&mut self, value: i128) {
        let (low, wrapped) = self.low.overflowing_add(value);
        self.low = low;
        if wrapped {
            self.high += if value >= 0 { 1 } else { -1 };
        }
    }

    /// The total.
    fn wide(&self) -> i256 {
        let low = i256::from_i128(self.low);
        low.wrapping_add(i256::from_parts(0, i128::from(self.high)))
    }

    fn add_wide(&mut self, value: i256) {
        let (low, high) = self.wide().wrapping_add(value).to_parts();
        self.low = low.cast_signed();
        // `low` is read back as a signed number, so that its top bit counts against `high`.
        let carry = i128::from(self.low < 0);
        self.high = i64::try_from(high.wrapping_add(carry)).unwrap_or(i64::MAX);
    }
}

#[derive(Debug)]
struct Exact<T> {
    name: String,
    mean: bool,
    result: SqlType,
    kind: PhantomData<fn() -> T>,
}

fn exact<T: Whole>(call: &AggregateCall<'_>) -> Result<Exact<T>> {
    Ok(Exact {
        name: call.name.to_owned(),
        mean: call.name == "avg",
        result: call.return_type.clone(),
        kind: PhantomData,
    })
}

impl<T: Whole> Exact<T> {
    fn answer(&self, group: &Total) -> Result<Option<T::Native>> {
        if group.count == 0 {
            return Ok(None);
        }
        let total = if self.mean { mean(group.wide(), group.count) } else { group.wide() };
        match total.to_i128().and_then(T::narrow) {
            Some(value) => Ok(Some(value)),
            None => Err(Error::invalid(format!("{} of {} values is out of range", self.name, group.count))
                .why(format!("the answer {total} does not fit the type {}", self.result))
                .hint("cast the argument to a wider type: CAST(x AS decimal(38, 0)) or CAST(x AS double)")),
        }
    }
}

/// The mean rounded half away from zero.
fn mean(total: i256, count: i64) -> i256 {
    let by = i256::from_i128(count.into());
    let (Some(whole), Some(rest)) = (total.checked_div(by), total.checked_rem(by)) else { return total };
    let twice = rest.wrapping_add(rest).wrapping_abs();
    let one = if total < i256::ZERO { i256::MINUS_ONE } else { i256::ONE };
    if twice >= by { whole.wrapping_add(one) } else { whole }
}

impl<T: Whole> Fold for Exact<T> {
    type Group = Total;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Total>) -> Result<()> {
        let values = numbers::<T>(args, 0)?;
        let present = values.nulls();
        for row in groups.rows().iter() {
            if present.is_none_or(|n| n.is_valid(row)) {
                let group = groups.of(row);
                group.count += 1;
                group.add(T::widen(values.value(row)));
            }
        }
        Ok(())
    }

    fn state(&mut self, groups: &[Total]) -> Result<Vec<ArrayRef>> {
        Ok(vec![
            primitive::<Int64Type>(groups.iter().map(|g| Some(g.count)), &DataType::Int64),
            primitive::<Decimal256Type>(groups.iter().map(|g| Some(g.wide())), &DataType::Decimal256(76, 0)),
        ])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Total>) -> Result<()> {
        let (counts, totals) = (numbers::<Int64Type>(states, 0)?, numbers::<Decimal256Type>(states, 1)?);
        for row in groups.rows().iter() {
            let group = groups.of(row);
            group.count += counts.value(row);
            group.add_wide(totals.value(row));
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[Total]) -> Result<ArrayRef> {
        let values = groups.iter().map(|g| self.answer(g)).collect::<Result<Vec<_>>>()?;
        Ok(primitive::<T>(values.into_iter(), &self.result.to_arrow()))
    }

    fn retract(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Total>) -> Result<()> {
        let values = numbers::<T>(args, 0)?;
        for row in groups.rows().iter().filter(|r| values.is_valid(*r)) {
            let group = groups.of(row);
            group.count -= 1;
            group.add_wide(i256::from_i128(T::widen(values.value(row))).wrapping_neg());
        }
        Ok(())
    }

    fn retracts(&self) -> bool {
        true
    }
}

/// A value as a double.
trait Real: ArrowPrimitiveType + Debug {
    fn double(value: Self::Native) -> f64;
}

impl Real for Int64Type {
    #[allow(clippy::cast_precision_loss, reason = "a mean is a double")]
    fn double(value: i64) -> f64 {
        value as f64
    }
}

impl Real for Float64Type {
    fn double(value: f64) -> f64 {
        value
    }
}

impl Real for Float32Type {
    fn double(value: f32) -> f64 {
        value.into()
    }
}

#[derive(Debug)]
struct Float<T> {
    mean: bool,
    result: DataType,
    kind: PhantomData<fn() -> T>,
}

fn float<T: Real>(call: &AggregateCall<'_>) -> Result<Float<T>> {
    Ok(Float { mean: call.name == "avg", result: call.return_type.to_arrow(), kind: PhantomData })
}

impl<T: Real> Fold for Float<T> {
    type Group = (i64, f64);

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, (i64, f64)>) -> Result<()> {
        let values = numbers::<T>(args, 0)?;
        let present = values.nulls();
        for row in groups.rows().iter() {
            if present.is_none_or(|n| n.is_valid(row)) {
                let group = groups.of(row);
                group.0 += 1;
                group.1 += T::double(values.value(row));
            }
        }
        Ok(())
    }

    fn state(&mut self, groups: &[(i64, f64)]) -> Result<Vec<ArrayRef>> {
        Ok(vec![
            primitive::<Int64Type>(groups.iter().map(|g| Some(g.0)), &DataType::Int64),
            primitive::<Float64Type>(groups.iter().map(|g| Some(g.1)), &DataType::Float64),
        ])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, (i64, f64)>) -> Result<()> {
        let (counts, totals) = (numbers::<Int64Type>(states, 0)?, numbers::<Float64Type>(states, 1)?);
        for row in groups.rows().iter() {
            let group = groups.of(row);
            group.0 += counts.value(row);
            group.1 += totals.value(row);
        }
        Ok(())
    }

    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "the answer is a float")]
    fn finish(&mut self, groups: &[(i64, f64)]) -> Result<ArrayRef> {
        let values = groups.iter().map(|(count, total)| {
            (*count > 0).then(|| if self.mean { total / *count as f64 } else { *total })
        });
        Ok(match self.result {
            DataType::Float32 => {
                primitive::<Float32Type>(values.map(|v| v.map(|v| v as f32)), &DataType::Float32)
            }
            DataType::Float64 => primitive::<Float64Type>(values, &DataType::Float64),
            ref other => nulls(other, groups.len()),
        })
    }
}
