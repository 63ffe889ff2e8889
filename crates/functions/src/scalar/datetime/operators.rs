//! Operators on dates, times and intervals: `x + interval '1' day`, `a - b`, `interval '1' hour * 3`.

use super::arithmetic::{day, out_of_range, zone_of};
use super::calendar::{DAY_SECONDS, add_months};
use super::longs::{build_longs, longs, return_unit};
use crate::cast::rescale;
use crate::registry::Family;
use crate::{Call, Scalar, Session, Values};
use arrow::array::{ArrayRef, Date32Array, IntervalYearMonthArray};
use arrow::datatypes::{Date32Type, IntervalYearMonthType};
use model::{Error, Result};
use sql::SqlType;

/// Operators.
pub const FAMILY: Family = Family { title: "Date and time operators", scalars: SCALARS, aggregates: &[] };

const SCALARS: &[Scalar] = &[
    Scalar::new(
        "$add",
        &["(date, interval day to second) -> date", "(interval day to second, date) -> date"],
        date_days,
        "date + interval",
    ),
    Scalar::new("$subtract", &["(date, interval day to second) -> date"], date_days, "date - interval"),
    Scalar::new(
        "$add",
        &["(date, interval year to month) -> date", "(interval year to month, date) -> date"],
        date_months,
        "date + interval",
    ),
    Scalar::new("$subtract", &["(date, interval year to month) -> date"], date_months, "date - interval"),
    Scalar::new(
        "$add",
        &[
            "(timestamp, interval day to second) -> timestamp",
            "(interval day to second, timestamp) -> timestamp",
            "(timestamp with time zone, interval day to second) -> timestamp with time zone",
            "(interval day to second, timestamp with time zone) -> timestamp with time zone",
            "(time, interval day to second) -> time",
            "(interval day to second, time) -> time",
        ],
        time_millis,
        "time + interval",
    )
    .returns(with_millis),
    Scalar::new(
        "$subtract",
        &[
            "(timestamp, interval day to second) -> timestamp",
            "(timestamp with time zone, interval day to second) -> timestamp with time zone",
            "(time, interval day to second) -> time",
        ],
        time_millis,
        "time - interval",
    )
    .returns(with_millis),
    Scalar::new(
        "$add",
        &[
            "(timestamp, interval year to month) -> timestamp",
            "(interval year to month, timestamp) -> timestamp",
            "(timestamp with time zone, interval year to month) -> timestamp with time zone",
            "(interval year to month, timestamp with time zone) -> timestamp with time zone",
        ],
        time_months,
        "timestamp + interval",
    ),
    Scalar::new(
        "$subtract",
        &[
            "(timestamp, interval year to month) -> timestamp",
            "(timestamp with time zone, interval year to month) -> timestamp with time zone",
        ],
        time_months,
        "timestamp - interval",
    ),
    Scalar::new("$subtract", &["(date, date) -> interval day to second"], date_difference, "date - date"),
    Scalar::new(
        "$subtract",
        &[
            "(timestamp, timestamp) -> interval day to second",
            "(timestamp with time zone, timestamp with time zone) -> interval day to second",
            "(time, time) -> interval day to second",
        ],
        time_difference,
        "time - time",
    ),
    Scalar::new(
        "$add",
        &["(interval day to second, interval day to second) -> interval day to second"],
        millis_millis,
        "interval + interval",
    ),
    Scalar::new(
        "$subtract",
        &["(interval day to second, interval day to second) -> interval day to second"],
        millis_millis,
        "interval - interval",
    ),
    Scalar::new(
        "$add",
        &["(interval year to month, interval year to month) -> interval year to month"],
        months_months,
        "interval + interval",
    ),
    Scalar::new(
        "$subtract",
        &["(interval year to month, interval year to month) -> interval year to month"],
        months_months,
        "interval - interval",
    ),
    Scalar::new(
        "$multiply",
        &[
            "(interval day to second, bigint) -> interval day to second",
            "(bigint, interval day to second) -> interval day to second",
            "(interval year to month, bigint) -> interval year to month",
            "(bigint, interval year to month) -> interval year to month",
        ],
        times_integer,
        "interval * number",
    ),
    Scalar::new(
        "$multiply",
        &[
            "(interval day to second, double) -> interval day to second",
            "(double, interval day to second) -> interval day to second",
            "(interval year to month, double) -> interval year to month",
            "(double, interval year to month) -> interval year to month",
        ],
        times_double,
        "interval * number",
    ),
    Scalar::new(
        "$divide",
        &[
            "(interval day to second, double) -> interval day to second",
            "(interval year to month, double) -> interval year to month",
        ],
        times_double,
        "interval / number",
    ),
    Scalar::new(
        "$negate",
        &[
            "(interval day to second) -> interval day to second",
            "(interval year to month) -> interval year to month",
        ],
        negate,
        "-interval",
    ),
];

/// An interval has milliseconds, so a sum with one has at least three digits.
fn with_millis(args: &[SqlType], _: &Session) -> Result<SqlType> {
    let time = args.iter().find(|t| **t != SqlType::IntervalDaySecond).cloned().unwrap_or(SqlType::Unknown);
    Ok(match time {
        SqlType::Time(p) => SqlType::Time(p.max(3)),
        SqlType::Timestamp(p) => SqlType::Timestamp(p.max(3)),
        SqlType::TimestampTz(p, zone) => SqlType::TimestampTz(p.max(3), zone),
        other => other,
    })
}

/// 1 for `$add`, -1 for `$subtract`.
fn sign(call: &Call<'_>) -> i64 {
    if call.name == "$subtract" { -1 } else { 1 }
}

/// The positions of the argument that is no interval of this type, and of the interval.
fn sides(call: &Call<'_>, interval: &SqlType) -> (usize, usize) {
    if call.arg_types.first() == Some(interval) { (1, 0) } else { (0, 1) }
}

fn months(call: &Call<'_>, index: usize) -> Result<Values<IntervalYearMonthArray>> {
    call.values(index)
}

fn date_days(call: &Call<'_>) -> Result<ArrayRef> {
    let (date, interval) = sides(call, &SqlType::IntervalDaySecond);
    let (dates, millis) = (call.values::<Date32Array>(date)?, longs(call, interval)?);
    let sign = sign(call);
    call.build::<Date32Type>(|row| {
        let (Some(date), Some(millis)) = (dates.get(row), millis.get(row)) else { return Ok(None) };
        if millis % 86_400_000 != 0 {
            return Err(Error::invalid("hours, minutes or seconds cannot be added to a date")
                .hint("cast it first: CAST(x AS timestamp)"));
        }
        day(i64::from(date) + sign * (millis / 86_400_000), call).map(Some)
    })
}

fn date_months(call: &Call<'_>) -> Result<ArrayRef> {
    let (date, interval) = sides(call, &SqlType::IntervalYearMonth);
    let (dates, months) = (call.values::<Date32Array>(date)?, months(call, interval)?);
    let sign = sign(call);
    call.build::<Date32Type>(|row| {
        let (Some(date), Some(months)) = (dates.get(row), months.get(row)) else { return Ok(None) };
        let days = add_months(date.into(), sign * i64::from(months)).ok_or_else(|| out_of_range(call))?;
        day(days, call).map(Some)
    })
}

fn time_millis(call: &Call<'_>) -> Result<ArrayRef> {
    let (time, interval) = sides(call, &SqlType::IntervalDaySecond);
    let (times, millis) = (longs(call, time)?, longs(call, interval)?);
    let (unit, sign) = (return_unit(call), sign(call));
    let wraps = matches!(call.return_type, SqlType::Time(_));
    build_longs(call, |row| {
        let (Some(time), Some(millis)) = (times.get(row), millis.get(row)) else { return Ok(None) };
        let sum = time.checked_mul(unit / times.unit.min(unit)).and_then(|time| {
            let more = millis.checked_mul(sign)?.checked_mul(unit / 1000)?;
            if wraps {
                let day = DAY_SECONDS * unit;
                return Some((time + more % day).rem_euclid(day));
            }
            time.checked_add(more)
        });
        sum.map(Some).ok_or_else(|| out_of_range(call))
    })
}

fn time_months(call: &Call<'_>) -> Result<ArrayRef> {
    let (time, interval) = sides(call, &SqlType::IntervalYearMonth);
    let (times, months) = (longs(call, time)?, months(call, interval)?);
    let (zone, sign, unit) = (zone_of(call.arg_types.get(time)), sign(call), times.unit);
    let length = DAY_SECONDS * unit;
    build_longs(call, |row| {
        let (Some(time), Some(months)) = (times.get(row), months.get(row)) else { return Ok(None) };
        let local = zone.local(time, unit);
        let sum = add_months(local.div_euclid(length), sign * i64::from(months))
            .and_then(|days| days.checked_mul(length)?.checked_add(local.rem_euclid(length)));
        sum.map(|local| Some(zone.instant(local, unit))).ok_or_else(|| out_of_range(call))
    })
}

fn date_difference(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (call.values::<Date32Array>(0)?, call.values::<Date32Array>(1)?);
    build_longs(call, |row| {
        let (Some(left), Some(right)) = (left.get(row), right.get(row)) else { return Ok(None) };
        Ok(Some((i64::from(left) - i64::from(right)) * 86_400_000))
    })
}

fn time_difference(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (longs(call, 0)?, longs(call, 1)?);
    let unit = left.unit.max(right.unit);
    let (a, b) = (unit / left.unit, unit / right.unit);
    build_longs(call, |row| {
        let (Some(left), Some(right)) = (left.get(row), right.get(row)) else { return Ok(None) };
        let difference = left
            .checked_mul(a)
            .and_then(|left| left.checked_sub(right.checked_mul(b)?))
            .and_then(|difference| rescale(difference, unit, 1000, 3));
        difference.map(Some).ok_or_else(|| out_of_range(call))
    })
}

fn millis_millis(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (longs(call, 0)?, longs(call, 1)?);
    let sign = sign(call);
    build_longs(call, |row| {
        let (Some(left), Some(right)) = (left.get(row), right.get(row)) else { return Ok(None) };
        let sum = right.checked_mul(sign).and_then(|right| left.checked_add(right));
        sum.map(Some).ok_or_else(|| out_of_range(call))
    })
}

fn months_months(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (months(call, 0)?, months(call, 1)?);
    let sign = sign(call);
    call.build::<IntervalYearMonthType>(|row| {
        let (Some(left), Some(right)) = (left.get(row), right.get(row)) else { return Ok(None) };
        let sum = i64::from(left) + sign * i64::from(right);
        i32::try_from(sum).map(Some).map_err(|_| out_of_range(call))
    })
}

fn times_integer(call: &Call<'_>) -> Result<ArrayRef> {
    let (number, interval) = sides(call, call.return_type);
    let factors = call.bigints(number)?;
    if *call.return_type == SqlType::IntervalYearMonth {
        let months = months(call, interval)?;
        return call.build::<IntervalYearMonthType>(|row| {
            let (Some(months), Some(factor)) = (months.get(row), factors.get(row)) else { return Ok(None) };
            let product = i64::from(months).checked_mul(factor).and_then(|p| i32::try_from(p).ok());
            product.map(Some).ok_or_else(|| out_of_range(call))
        });
    }
    let millis = longs(call, interval)?;
    build_longs(call, |row| {
        let (Some(millis), Some(factor)) = (millis.get(row), factors.get(row)) else { return Ok(None) };
        millis.checked_mul(factor).map(Some).ok_or_else(|| out_of_range(call))
    })
}

/// Multiplies by a double, or divides; what is behind the point is cut off.
fn times_double(call: &Call<'_>) -> Result<ArrayRef> {
    let (number, interval) = sides(call, call.return_type);
    let factors = call.doubles(number)?;
    let divides = call.name == "$divide";
    let scale = |value: i64, factor: f64| -> Result<i64> {
        #[expect(clippy::cast_precision_loss, reason = "as exact as doubles are")]
        let value = value as f64;
        let product = if divides { value / factor } else { value * factor };
        if !product.is_finite() || product.abs() >= 2f64.powi(63) {
            return Err(out_of_range(call));
        }
        #[expect(clippy::cast_possible_truncation, reason = "the fraction is to be cut off")]
        Ok(product as i64)
    };
    if *call.return_type == SqlType::IntervalYearMonth {
        let months = months(call, interval)?;
        return call.build::<IntervalYearMonthType>(|row| {
            let (Some(months), Some(factor)) = (months.get(row), factors.get(row)) else { return Ok(None) };
            let product = scale(months.into(), factor)?;
            i32::try_from(product).map(Some).map_err(|_| out_of_range(call))
        });
    }
    let millis = longs(call, interval)?;
    build_longs(call, |row| {
        let (Some(millis), Some(factor)) = (millis.get(row), factors.get(row)) else { return Ok(None) };
        scale(millis, factor).map(Some)
    })
}

fn negate(call: &Call<'_>) -> Result<ArrayRef> {
    if *call.return_type == SqlType::IntervalYearMonth {
        let months = months(call, 0)?;
        return call.build::<IntervalYearMonthType>(|row| {
            let Some(months) = months.get(row) else { return Ok(None) };
            months.checked_neg().map(Some).ok_or_else(|| out_of_range(call))
        });
    }
    let millis = longs(call, 0)?;
    build_longs(call, |row| {
        let Some(millis) = millis.get(row) else { return Ok(None) };
        millis.checked_neg().map(Some).ok_or_else(|| out_of_range(call))
    })
}
