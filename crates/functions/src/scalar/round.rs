//! Rounding: `round`, `ceil`, `floor`, `truncate`. Halves are rounded away from zero.

use super::arithmetic::{map_floats, overflow};
use super::decimal::{divide_half_up, parameters, power_of_ten};
use crate::registry::Family;
use crate::{Call, Scalar, Session};
use arrow::array::{ArrayRef, ArrowPrimitiveType, Decimal128Array, PrimitiveArray};
use arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use model::Result;
use sql::SqlType;
use std::fmt::Display;

const NUMBERS: &[&str] = &[
    "(tinyint) -> tinyint",
    "(smallint) -> smallint",
    "(integer) -> integer",
    "(bigint) -> bigint",
    "(real) -> real",
    "(double) -> double",
];
const NUMBERS_TO: &[&str] = &[
    "(tinyint, bigint) -> tinyint",
    "(smallint, bigint) -> smallint",
    "(integer, bigint) -> integer",
    "(bigint, bigint) -> bigint",
    "(real, bigint) -> real",
    "(double, bigint) -> double",
];
const DECIMAL: &[&str] = &["(decimal) -> decimal"];
const DECIMAL_TO: &[&str] = &["(decimal, bigint) -> decimal"];
const FLOATS: &[&str] = &["(real) -> real", "(double) -> double"];
const FLOATS_TO: &[&str] = &["(real, bigint) -> real", "(double, bigint) -> double"];

const CEIL: &str = "Rounds up to an integer.";
const FLOOR: &str = "Rounds down to an integer.";
const ROUND: &str = "Rounds to an integer, halves away from zero.";
const ROUND_TO: &str = "Rounds to so many decimal places, halves away from zero.";
const TRUNCATE: &str = "Drops the digits behind the decimal point.";
const TRUNCATE_TO: &str = "Drops the digits behind so many decimal places.";

/// What this file offers.
pub(crate) const FAMILY: Family = Family {
    title: "Mathematical functions",
    scalars: &[
        Scalar::new("ceil", NUMBERS, |c| whole(c, f64::ceil), CEIL),
        Scalar::new("ceil", DECIMAL, |c| decimal(c, up), CEIL).returns(whole_type),
        Scalar::new("ceiling", NUMBERS, |c| whole(c, f64::ceil), CEIL),
        Scalar::new("ceiling", DECIMAL, |c| decimal(c, up), CEIL).returns(whole_type),
        Scalar::new("floor", NUMBERS, |c| whole(c, f64::floor), FLOOR),
        Scalar::new("floor", DECIMAL, |c| decimal(c, i128::div_euclid), FLOOR).returns(whole_type),
        Scalar::new("round", NUMBERS, |c| whole(c, f64::round), ROUND),
        Scalar::new("round", DECIMAL, |c| decimal(c, divide_half_up), ROUND).returns(whole_type),
        Scalar::new("round", NUMBERS_TO, round_to, ROUND_TO),
        Scalar::new("round", DECIMAL_TO, |c| decimal_to(c, divide_half_up), ROUND_TO).returns(round_type),
        Scalar::new("truncate", FLOATS, |c| whole(c, f64::trunc), TRUNCATE),
        Scalar::new("truncate", DECIMAL, |c| decimal(c, i128::wrapping_div), TRUNCATE).returns(truncate_type),
        Scalar::new("truncate", FLOATS_TO, truncate_to, TRUNCATE_TO),
        Scalar::new("truncate", DECIMAL_TO, |c| decimal_to(c, i128::wrapping_div), TRUNCATE_TO)
            .returns(same_type),
    ],
    aggregates: &[],
};

fn whole_type(types: &[SqlType], _: &Session) -> Result<SqlType> {
    let (p, s) = parameters(types.first())?;
    Ok(SqlType::Decimal((p - s + s.min(1)).clamp(1, 38), 0))
}

fn round_type(types: &[SqlType], _: &Session) -> Result<SqlType> {
    let (p, s) = parameters(types.first())?;
    Ok(SqlType::Decimal((p + 1).min(38), s))
}

fn truncate_type(types: &[SqlType], _: &Session) -> Result<SqlType> {
    let (p, s) = parameters(types.first())?;
    Ok(SqlType::Decimal((p - s).max(1), 0))
}

fn same_type(types: &[SqlType], _: &Session) -> Result<SqlType> {
    let (p, s) = parameters(types.first())?;
    Ok(SqlType::Decimal(p, s))
}

/// Rounds to an integer: integers are that already.
fn whole(call: &Call<'_>, f: fn(f64) -> f64) -> Result<ArrayRef> {
    let column = call.column(0)?;
    if column.data_type().is_integer() { Ok(column) } else { map_floats(&column, f) }
}

/// Division that rounds up; the divisor is positive.
fn up(n: i128, d: i128) -> i128 {
    n.div_euclid(d) + i128::from(n.rem_euclid(d) != 0)
}

/// Divides a decimal's digits by 10 to its scale.
fn decimal(call: &Call<'_>, divide: fn(i128, i128) -> i128) -> Result<ArrayRef> {
    let (_, scale) = parameters(call.arg_types.first())?;
    let values = call.values::<Decimal128Array>(0)?;
    let divisor = power_of_ten(scale).unwrap_or(i128::MAX);
    call.build::<Decimal128Type>(|row| Ok(values.get(row).map(|v| divide(v, divisor))))
}

/// Keeps so many decimal places of a decimal, or rounds to tens, hundreds, … if they are negative.
fn decimal_to(call: &Call<'_>, divide: fn(i128, i128) -> i128) -> Result<ArrayRef> {
    let (_, scale) = parameters(call.arg_types.first())?;
    let (values, places) = (call.values::<Decimal128Array>(0)?, call.bigints(1)?);
    call.build::<Decimal128Type>(|row| {
        let (Some(value), Some(places)) = (values.get(row), places.get(row)) else { return Ok(None) };
        let dropped = i64::from(scale).saturating_sub(places);
        if dropped <= 0 {
            return Ok(Some(value));
        }
        // Beyond 38 digits nothing is left.
        let Some(unit) = u8::try_from(dropped).ok().and_then(power_of_ten) else { return Ok(Some(0)) };
        let rounded = divide(value, unit).checked_mul(unit).filter(|v| v.unsigned_abs() < 10u128.pow(38));
        let fault =
            || overflow(format!("decimal overflow: {} cannot be rounded to {places} places", call.name));
        rounded.map(Some).ok_or_else(fault)
    })
}

fn round_to(call: &Call<'_>) -> Result<ArrayRef> {
    match call.return_type.to_arrow() {
        DataType::Int8 => integers_to::<Int8Type>(call),
        DataType::Int16 => integers_to::<Int16Type>(call),
        DataType::Int32 => integers_to::<Int32Type>(call),
        DataType::Int64 => integers_to::<Int64Type>(call),
        _ => floats_to(call, round_places),
    }
}

fn truncate_to(call: &Call<'_>) -> Result<ArrayRef> {
    floats_to(call, |x, places| scaled(x, places, f64::trunc))
}

/// Rounds to tens, hundreds, … where the places are negative.
fn integers_to<T: ArrowPrimitiveType>(call: &Call<'_>) -> Result<ArrayRef>
where
    T::Native: Into<i64> + TryFrom<i128> + Display,
{
    let (values, places) = (call.values::<PrimitiveArray<T>>(0)?, call.bigints(1)?);
    call.build::<T>(|row| {
        let (Some(value), Some(places)) = (values.get(row), places.get(row)) else { return Ok(None) };
        if places >= 0 {
            return Ok(Some(value));
        }
        let digits = u8::try_from(places.unsigned_abs()).ok().filter(|d| *d < 30);
        let unit = digits.and_then(power_of_ten).unwrap_or(10i128.pow(30));
        let rounded = divide_half_up(i128::from(value.into()), unit) * unit;
        let fault =
            |_| overflow(format!("{value} cannot be rounded to {places} places as {}", call.return_type));
        T::Native::try_from(rounded).map(Some).map_err(fault)
    })
}

fn floats_to(call: &Call<'_>, f: impl Fn(f64, i64) -> f64) -> Result<ArrayRef> {
    let places = call.bigints(1)?;
    if call.return_type.to_arrow() == DataType::Float32 {
        let values = call.values::<PrimitiveArray<Float32Type>>(0)?;
        return call.build::<Float32Type>(|row| {
            Ok(values.get(row).zip(places.get(row)).map(|(x, p)| f(f64::from(x), p) as f32))
        });
    }
    let values = call.doubles(0)?;
    call.build::<Float64Type>(|row| Ok(values.get(row).zip(places.get(row)).map(|(x, p)| f(x, p))))
}

fn round_places(x: f64, places: i64) -> f64 {
    scaled(x, places, f64::round)
}

/// Applies the rounding to the number times 10 to so many places.
fn scaled(x: f64, places: i64, f: fn(f64) -> f64) -> f64 {
    if !x.is_finite() {
        return x;
    }
    let factor = 10f64.powi(i32::try_from(places.clamp(-400, 400)).unwrap_or(0));
    let shifted = x * factor;
    // So small a unit changes nothing, so large a one leaves nothing.
    if !shifted.is_finite() {
        return x;
    }
    if factor == 0.0 { 0.0 } else { f(shifted) / factor }
}
