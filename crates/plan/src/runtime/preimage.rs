//! Which values a function turns into one: `CAST(at AS date) = DATE '2026-01-02'` asks for a range of `at`. DataFusion
//! compares the column itself then, which is quicker, and lets files and row groups be left out by their statistics.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use functions::Session;
use functions::scalar::datetime::{Zone, truncated};
use sql::SqlType;

const DAY_SECONDS: i64 = 86_400;

/// Of a cast.
pub(super) fn of_cast(
    from: &SqlType,
    to: &SqlType,
    args: &[Expr],
    wanted: &Expr,
    session: &Session,
) -> PreimageResult {
    let (Some(arg), Some(wanted)) = (args.first(), literal(wanted)) else { return PreimageResult::None };
    range(arg, cast_range(from, to, wanted, session))
}

/// Of a call, by its function's name.
pub(super) fn of_call(name: &str, arg_types: &[SqlType], args: &[Expr], wanted: &Expr) -> PreimageResult {
    let Some(wanted) = literal(wanted) else { return PreimageResult::None };
    match (name, arg_types, args) {
        ("date", [from], [arg]) => range(arg, date_range(from, wanted)),
        ("date_trunc", [_, from], [unit, arg]) => range(arg, truncated_range(unit, from, wanted)),
        _ => PreimageResult::None,
    }
}

fn range(arg: &Expr, bounds: Option<(ScalarValue, ScalarValue)>) -> PreimageResult {
    match bounds.and_then(|(lower, upper)| Interval::try_new(lower, upper).ok()) {
        Some(interval) => PreimageResult::Range { expr: arg.clone(), interval: Box::new(interval) },
        None => PreimageResult::None,
    }
}

fn cast_range(
    from: &SqlType,
    to: &SqlType,
    wanted: &ScalarValue,
    session: &Session,
) -> Option<(ScalarValue, ScalarValue)> {
    match (from, to) {
        (SqlType::Timestamp(p), SqlType::TimestampTz(q, _)) if p <= q && session.zone == Zone::UTC => {
            let (value, second) = instant(wanted)?;
            let unit = seconds_in(&from.to_arrow())?;
            // More digits than the column has: equal to none of its values.
            if value.checked_mul(unit)? % second != 0 {
                return None;
            }
            let value = value.checked_mul(unit)? / second;
            bounds(value, value.checked_add(1)?, from)
        }
        (_, SqlType::Date) => date_range(from, wanted),
        _ => None,
    }
}

/// The times of a day.
fn date_range(from: &SqlType, wanted: &ScalarValue) -> Option<(ScalarValue, ScalarValue)> {
    let (SqlType::Timestamp(_), ScalarValue::Date32(Some(day))) = (from, wanted) else { return None };
    let day_length = DAY_SECONDS.checked_mul(seconds_in(&from.to_arrow())?)?;
    let start = i64::from(*day).checked_mul(day_length)?;
    bounds(start, start.checked_add(day_length)?, from)
}

/// The times that are cut off to one.
fn truncated_range(unit: &Expr, from: &SqlType, wanted: &ScalarValue) -> Option<(ScalarValue, ScalarValue)> {
    let unit = literal(unit)?.try_as_str().flatten()?;
    match (from, wanted) {
        (SqlType::Timestamp(_), wanted) => {
            let (start, second) = instant(wanted)?;
            if second != seconds_in(&from.to_arrow())? {
                return None;
            }
            let (start, end) = truncated(unit, start, second)?;
            bounds(start, end, from)
        }
        (SqlType::Date, ScalarValue::Date32(Some(day))) => {
            let (start, end) = truncated(unit, i64::from(*day) * DAY_SECONDS, 1)?;
            let day = |seconds: i64| i32::try_from(seconds / DAY_SECONDS).ok();
            if start % DAY_SECONDS != 0 || end % DAY_SECONDS != 0 {
                return None;
            }
            Some((ScalarValue::Date32(Some(day(start)?)), ScalarValue::Date32(Some(day(end)?))))
        }
        _ => None,
    }
}

fn bounds(start: i64, end: i64, of: &SqlType) -> Option<(ScalarValue, ScalarValue)> {
    let value = |v: i64| ScalarValue::Int64(Some(v)).cast_to(&of.to_arrow()).ok();
    Some((value(start)?, value(end)?))
}

fn literal(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    }
}

/// A timestamp's number, and how many of its units make a second.
fn instant(value: &ScalarValue) -> Option<(i64, i64)> {
    let number = match value {
        ScalarValue::TimestampSecond(v, _)
        | ScalarValue::TimestampMillisecond(v, _)
        | ScalarValue::TimestampMicrosecond(v, _)
        | ScalarValue::TimestampNanosecond(v, _) => (*v)?,
        _ => return None,
    };
    Some((number, seconds_in(&value.data_type())?))
}

fn seconds_in(data_type: &DataType) -> Option<i64> {
    let DataType::Timestamp(unit, _) = data_type else { return None };
    Some(match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    })
}
