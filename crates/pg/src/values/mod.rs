//! Values between Arrow and PostgreSQL: types and their numbers, results as texts and bytes, parameters as literals.

mod binary;
mod literal;
mod numeric;
mod shape;
mod text;

pub(crate) use binary::{put_binary, put_sized};
pub(crate) use literal::{cast_to, literal, null_of};
pub(crate) use shape::{Column, Shape, shape_of_oid};
pub(crate) use text::{put_element, put_text_value};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, IntervalYearMonthType, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};

/// From 1970 to 2000, when PostgreSQL's time begins.
pub(crate) const DAYS_TO_2000: i32 = 10_957;
pub(crate) const MICROS_TO_2000: i64 = 946_684_800_000_000;

/// Whether a value is NULL. Arrays that are nothing but NULLs do not say so of each.
pub(crate) fn is_null(array: &dyn Array, row: usize) -> bool {
    *array.data_type() == DataType::Null || array.is_null(row)
}

/// A whole number of whatever width.
fn whole(array: &dyn Array, row: usize) -> i64 {
    match array.data_type() {
        DataType::Int8 => i64::from(array.as_primitive::<Int8Type>().value(row)),
        DataType::Int16 => i64::from(array.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => i64::from(array.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row),
        _ => 0,
    }
}

fn float(array: &dyn Array, row: usize) -> f64 {
    match array.data_type() {
        DataType::Float32 => f64::from(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row),
        _ => f64::NAN,
    }
}

fn days(array: &dyn Array, row: usize) -> i32 {
    array.as_primitive_opt::<Date32Type>().map_or(0, |days| days.value(row))
}

/// Microseconds since 1970.
fn moment(array: &dyn Array, row: usize) -> i64 {
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            array.as_primitive::<TimestampSecondType>().value(row).saturating_mul(1_000_000)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            array.as_primitive::<TimestampMillisecondType>().value(row).saturating_mul(1000)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            array.as_primitive::<TimestampMicrosecondType>().value(row)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            array.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(1000)
        }
        _ => 0,
    }
}

/// Microseconds since midnight.
fn time(array: &dyn Array, row: usize) -> i64 {
    match array.data_type() {
        DataType::Time64(TimeUnit::Microsecond) => array.as_primitive::<Time64MicrosecondType>().value(row),
        DataType::Time64(_) => array.as_primitive::<Time64NanosecondType>().value(row).div_euclid(1000),
        _ => 0,
    }
}

/// An interval as months and microseconds.
fn interval(array: &dyn Array, row: usize) -> (i32, i64) {
    match array.data_type() {
        DataType::Interval(_) => {
            (array.as_primitive_opt::<IntervalYearMonthType>().map_or(0, |months| months.value(row)), 0)
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            (0, array.as_primitive::<DurationMillisecondType>().value(row).saturating_mul(1000))
        }
        _ => (0, 0),
    }
}

fn bytes(array: &dyn Array, row: usize) -> &[u8] {
    match array.data_type() {
        DataType::BinaryView => array.as_binary_view().value(row),
        DataType::Binary => array.as_binary::<i32>().value(row),
        DataType::LargeBinary => array.as_binary::<i64>().value(row),
        _ => &[],
    }
}

fn string(array: &dyn Array, row: usize) -> &str {
    match array.data_type() {
        DataType::Utf8View => array.as_string_view().value(row),
        DataType::Utf8 => array.as_string::<i32>().value(row),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row),
        _ => "",
    }
}

#[cfg(test)]
mod tests;
