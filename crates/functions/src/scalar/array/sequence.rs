//! `sequence`: numbers, dates and timestamps from a start to a stop.

use crate::registry::Family;
use crate::scalar::elements::{ListWriter, fit};
use crate::{Call, Scalar, Session};
use arrow::array::{
    ArrayRef, ArrowPrimitiveType, AsArray, DurationMillisecondArray, Int64Array, IntervalYearMonthArray,
    PrimitiveArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType,
};
use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveDateTime};
use model::{Error, Result};
use sql::SqlType;
use std::sync::Arc;

/// How many elements a sequence may have, as in Trino.
const MAX_LENGTH: usize = 10_000;

const DAY: i64 = 86_400_000;

/// What this file offers.
pub(crate) const FAMILY: Family = Family {
    title: "Array functions",
    scalars: &[
        Scalar::new(
            "sequence",
            &["(bigint, bigint) -> array(bigint)", "(bigint, bigint, bigint) -> array(bigint)"],
            numbers,
            "Returns the numbers from start to stop, by 1 (or -1) or by the given step.",
        ),
        Scalar::new(
            "sequence",
            &[
                "(date, date) -> array(date)",
                "(date, date, interval day to second) -> array(date)",
                "(date, date, interval year to month) -> array(date)",
            ],
            dates,
            "Returns the dates from start to stop, by a day or by the given interval.",
        ),
        Scalar::new(
            "sequence",
            &[
                "(timestamp, timestamp, interval day to second) -> timestamp",
                "(timestamp, timestamp, interval year to month) -> timestamp",
            ],
            timestamps,
            "Returns the timestamps from start to stop by the given interval.",
        )
        .returns(timestamps_type),
    ],
    aggregates: &[],
};

/// The values of one row, or the error of a step that leads nowhere.
fn steps(start: i64, stop: i64, step: i64, out: &mut Vec<i64>) -> Result<()> {
    check_direction(start, stop, i128::from(step))?;
    let count = (i128::from(stop) - i128::from(start)) / i128::from(step) + 1;
    check_length(usize::try_from(count).unwrap_or(usize::MAX))?;
    // Neither the product nor the sum leaves the range from start to stop.
    out.extend((0..count).filter_map(|i| i64::try_from(i128::from(start) + i * i128::from(step)).ok()));
    Ok(())
}

fn check_direction(start: i64, stop: i64, step: i128) -> Result<()> {
    if step == 0 {
        return Err(Error::invalid("sequence step must not be zero"));
    }
    if (step > 0) != (stop >= start) && start != stop {
        return Err(Error::invalid("the step of sequence leads away from its stop")
            .why("the stop has to be at or after the start for a positive step, at or before it for a negative one"));
    }
    Ok(())
}

fn check_length(length: usize) -> Result<()> {
    if length > MAX_LENGTH {
        return Err(Error::invalid(format!(
            "result of sequence function must not have more than {MAX_LENGTH} entries"
        )));
    }
    Ok(())
}

/// Builds an array per row; `write` appends its values, or says that it is NULL.
fn build<T: ArrowPrimitiveType>(
    call: &Call<'_>,
    data_type: &DataType,
    mut write: impl FnMut(usize, &mut Vec<i64>) -> Result<()>,
    narrow: fn(i64) -> Option<T::Native>,
) -> Result<ArrayRef> {
    let valid = call.valid();
    let mut writer = ListWriter::new(call.rows);
    let (mut values, mut row_values) = (Vec::new(), Vec::new());
    for row in 0..call.rows {
        if valid.as_ref().is_some_and(|v| v.is_null(row)) {
            writer.close_null()?;
            continue;
        }
        row_values.clear();
        write(row, &mut row_values)?;
        writer.extend(0, 0..row_values.len());
        writer.close()?;
        for value in &row_values {
            values
                .push(narrow(*value).ok_or_else(|| Error::invalid("sequence leaves the range of its type"))?);
        }
    }
    let values = PrimitiveArray::<T>::from_iter_values(values).with_data_type(data_type.clone());
    writer.finish_with(Arc::new(values), &call.return_type.to_arrow())
}

fn numbers(call: &Call<'_>) -> Result<ArrayRef> {
    let (starts, stops) = (call.bigints(0)?, call.bigints(1)?);
    let by = if call.has(2) { Some(call.bigints(2)?) } else { None };
    let write = |row: usize, out: &mut Vec<i64>| {
        let (Some(start), Some(stop)) = (starts.get(row), stops.get(row)) else { return Ok(()) };
        let step = match &by {
            Some(by) => by.get(row).unwrap_or(0),
            None => {
                if stop >= start {
                    1
                } else {
                    -1
                }
            }
        };
        steps(start, stop, step, out)
    };
    build::<Int64Type>(call, &DataType::Int64, write, Some)
}

/// The step argument: milliseconds or months.
enum Step {
    None,
    Milliseconds(crate::Values<DurationMillisecondArray>),
    Months(crate::Values<IntervalYearMonthArray>),
}

fn step(call: &Call<'_>) -> Result<Step> {
    Ok(match call.arg_types.get(2) {
        None => Step::None,
        Some(SqlType::IntervalYearMonth) => Step::Months(call.values(2)?),
        Some(_) => Step::Milliseconds(call.values(2)?),
    })
}

fn dates(call: &Call<'_>) -> Result<ArrayRef> {
    let (starts, stops) =
        (call.values::<PrimitiveArray<Date32Type>>(0)?, call.values::<PrimitiveArray<Date32Type>>(1)?);
    let by = step(call)?;
    let write = |row: usize, out: &mut Vec<i64>| {
        let (Some(start), Some(stop)) = (starts.get(row), stops.get(row)) else { return Ok(()) };
        let (start, stop) = (i64::from(start), i64::from(stop));
        match &by {
            Step::None => steps(start, stop, if stop >= start { 1 } else { -1 }, out),
            Step::Milliseconds(by) => {
                let by = by.get(row).unwrap_or(0);
                if by % DAY != 0 {
                    return Err(Error::invalid(
                        "sequence step must be a day interval if start and end values are dates",
                    ));
                }
                steps(start, stop, by / DAY, out)
            }
            Step::Months(by) => months(start, stop, by.get(row).unwrap_or(0), add_months_to_date, out),
        }
    };
    build::<Date32Type>(call, &DataType::Date32, write, |v| i32::try_from(v).ok())
}

/// Steps of months from the start; the day of the month is kept where the month has it.
fn months(
    start: i64,
    stop: i64,
    by: i32,
    add: impl Fn(i64, i64) -> Option<i64>,
    out: &mut Vec<i64>,
) -> Result<()> {
    check_direction(start, stop, i128::from(by))?;
    for i in 0.. {
        let beyond = || Error::invalid("sequence leaves the range of dates");
        let value = add(start, i * i64::from(by)).ok_or_else(beyond)?;
        if if by > 0 { value > stop } else { value < stop } {
            break;
        }
        out.push(value);
        check_length(out.len())?;
    }
    Ok(())
}

fn shift(date: NaiveDate, by: i64) -> Option<NaiveDate> {
    let count = Months::new(u32::try_from(by.unsigned_abs()).ok()?);
    if by < 0 { date.checked_sub_months(count) } else { date.checked_add_months(count) }
}

fn add_months_to_date(days: i64, by: i64) -> Option<i64> {
    let date = DateTime::from_timestamp(days.checked_mul(86_400)?, 0)?.date_naive();
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?.num_days_from_ce();
    Some(i64::from(shift(date, by)?.num_days_from_ce() - epoch))
}

fn timestamps_type(types: &[SqlType], _: &Session) -> Result<SqlType> {
    match types {
        [SqlType::Timestamp(a), SqlType::Timestamp(b), ..] => {
            Ok(SqlType::array(SqlType::Timestamp(*a.max(b))))
        }
        _ => Err(Error::internal("sequence takes timestamps")),
    }
}

fn timestamps(call: &Call<'_>) -> Result<ArrayRef> {
    let SqlType::Array(element) = call.return_type else {
        return Err(Error::internal("sequence returns an array"));
    };
    let data_type = element.to_arrow();
    let DataType::Timestamp(unit, _) = &data_type else {
        return Err(Error::internal("sequence takes timestamps"));
    };
    // How many of the unit are a millisecond.
    let per_milli: i64 = match unit {
        TimeUnit::Second | TimeUnit::Millisecond => 1,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1_000_000,
    };
    let (starts, stops) = (counts(call, 0, &data_type)?, counts(call, 1, &data_type)?);
    let by = step(call)?;
    let write = |row: usize, out: &mut Vec<i64>| {
        let (Some(start), Some(stop)) = (starts.get(row), stops.get(row)) else { return Ok(()) };
        match &by {
            Step::Months(by) => {
                let add = |value, by| add_months_to_time(value, by, per_milli);
                months(start, stop, by.get(row).unwrap_or(0), add, out)
            }
            Step::Milliseconds(by) => {
                let by = by.get(row).unwrap_or(0).checked_mul(per_milli);
                steps(
                    start,
                    stop,
                    by.ok_or_else(|| Error::invalid("the step of sequence is too large"))?,
                    out,
                )
            }
            Step::None => Err(Error::internal("sequence of timestamps needs a step")),
        }
    };
    match unit {
        TimeUnit::Second | TimeUnit::Millisecond => {
            build::<TimestampMillisecondType>(call, &data_type, write, Some)
        }
        TimeUnit::Microsecond => build::<TimestampMicrosecondType>(call, &data_type, write, Some),
        TimeUnit::Nanosecond => build::<TimestampNanosecondType>(call, &data_type, write, Some),
    }
}

/// A timestamp argument as numbers of the result's unit.
fn counts(call: &Call<'_>, index: usize, data_type: &DataType) -> Result<crate::Values<Int64Array>> {
    let (array, constant) = call.arg(index)?;
    let numbers = arrow::compute::cast(&fit(array, data_type)?, &DataType::Int64);
    let numbers = numbers.map_err(crate::cast::arrow_error)?;
    Ok(crate::Values { array: numbers.as_primitive::<Int64Type>().clone(), constant })
}

fn add_months_to_time(value: i64, by: i64, per_milli: i64) -> Option<i64> {
    let (millis, rest) = (value.div_euclid(per_milli), value.rem_euclid(per_milli));
    let time: NaiveDateTime = DateTime::from_timestamp_millis(millis)?.naive_utc();
    let moved = shift(time.date(), by)?.and_time(time.time());
    moved.and_utc().timestamp_millis().checked_mul(per_milli)?.checked_add(rest)
}
