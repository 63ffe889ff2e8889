//! Between dates, times, zones and plain numbers: `date`, `from_unixtime`, `to_unixtime`, `at_timezone`.

use super::arithmetic::{out_of_range, zone_of};
use super::longs::{Prepared, build_longs, from_longs, longs};
use super::zone::Zone;
use crate::cast::{self, OnError};
use crate::registry::Family;
use crate::{Call, Scalar, Session};
use arrow::array::ArrayRef;
use arrow::datatypes::{Decimal128Type, Float64Type, Int64Type};
use model::{Error, Result};
use sql::SqlType;

/// Conversions.
pub const FAMILY: Family =
    Family { title: "Conversions of dates and times", scalars: SCALARS, aggregates: &[] };

const SCALARS: &[Scalar] = &[
    Scalar::new(
        "date",
        &["(varchar) -> date", "(timestamp) -> date", "(timestamp with time zone) -> date", "(date) -> date"],
        date,
        "The same as CAST(x AS date).",
    ),
    Scalar::new(
        "from_unixtime",
        &["(double) -> timestamp(3) with time zone"],
        from_unixtime,
        "The time so many seconds after 1970.",
    )
    .returns(in_session_zone),
    Scalar::new(
        "from_unixtime",
        &[
            "(double, varchar) -> timestamp(3) with time zone",
            "(double, bigint, bigint) -> timestamp(3) with time zone",
        ],
        from_unixtime,
        "The time so many seconds after 1970, in a zone.",
    ),
    Scalar::new(
        "from_unixtime_nanos",
        &["(bigint) -> timestamp(9) with time zone", "(decimal) -> timestamp(9) with time zone"],
        from_unixtime_nanos,
        "The time so many nanoseconds after 1970.",
    ),
    Scalar::new(
        "to_unixtime",
        &["(timestamp) -> double", "(timestamp with time zone) -> double"],
        to_unixtime,
        "Seconds since 1970.",
    ),
    Scalar::new(
        "to_milliseconds",
        &["(interval day to second) -> bigint"],
        to_milliseconds,
        "An interval in milliseconds.",
    ),
    Scalar::new(
        "at_timezone",
        &["(timestamp with time zone, varchar) -> timestamp with time zone"],
        at_timezone,
        "The same instant in another zone.",
    ),
    Scalar::new(
        "$at_timezone",
        &["(timestamp with time zone, varchar) -> timestamp with time zone"],
        at_timezone,
        "x AT TIME ZONE zone",
    ),
    Scalar::new(
        "with_timezone",
        &["(timestamp, varchar) -> timestamp with time zone"],
        with_timezone,
        "The instant at which clocks in a zone show this time.",
    )
    .returns(with_zone),
    Scalar::new("timezone", &["(timestamp with time zone) -> varchar"], timezone, "The name of the zone."),
];

/// Where a function takes its zone from: the zone of its result belongs to the column, so the arguments have to be
/// constants, and whoever plans the call puts the zone into the result's type.
pub fn zone_arguments(name: &str, arguments: usize) -> Option<std::ops::Range<usize>> {
    match (name, arguments) {
        ("at_timezone" | "$at_timezone" | "with_timezone" | "from_unixtime", 2) => Some(1..2),
        ("from_unixtime", 3) => Some(1..3),
        _ => None,
    }
}

/// The zone so many hours and minutes east of Greenwich, as types name it.
pub fn offset_name(hours: i64, minutes: i64) -> Result<std::sync::Arc<str>> {
    Ok(offset_zone(hours, minutes)?.name())
}

fn offset_zone(hours: i64, minutes: i64) -> Result<Zone> {
    let total = hours.checked_mul(60).and_then(|h| h.checked_add(minutes));
    match total.filter(|t| t.abs() <= 14 * 60).and_then(|t| i32::try_from(t * 60).ok()) {
        Some(seconds) => Ok(Zone::Fixed(seconds)),
        None => Err(Error::invalid(format!("there is no time zone of {hours} hours and {minutes} minutes"))
            .why("offsets go up to 14 hours")),
    }
}

fn in_session_zone(_: &[SqlType], session: &Session) -> Result<SqlType> {
    Ok(SqlType::TimestampTz(3, session.zone.name()))
}

fn with_zone(args: &[SqlType], _: &Session) -> Result<SqlType> {
    Ok(match args.first() {
        Some(SqlType::Timestamp(p)) => SqlType::timestamp_utc(*p),
        _ => SqlType::timestamp_utc(3),
    })
}

fn date(call: &Call<'_>) -> Result<ArrayRef> {
    let from = call.arg_types.first().unwrap_or(&SqlType::Unknown);
    cast::cast(&call.column(0)?, from, &SqlType::Date, call.session, OnError::Fail)
}

fn from_unixtime(call: &Call<'_>) -> Result<ArrayRef> {
    let seconds = call.doubles(0)?;
    let near = |seconds: &f64| seconds.abs() < 9e15;
    if call.valid().is_none() && !seconds.constant && seconds.array.values().iter().all(near) {
        return from_longs(seconds.array.unary(rounded_millis), &call.return_type.to_arrow());
    }
    build_longs(call, |row| {
        let Some(seconds) = seconds.get(row) else { return Ok(None) };
        let millis = seconds * 1000.0;
        if !millis.is_finite() || millis.abs() >= 2f64.powi(63) {
            return Err(out_of_range(call).why(format!("{seconds} seconds are too far away")));
        }
        Ok(Some(rounded_millis(seconds)))
    })
}

/// The nearest millisecond, of two the later one.
#[expect(clippy::cast_possible_truncation, reason = "callers have checked that it fits")]
fn rounded_millis(seconds: f64) -> i64 {
    (seconds * 1000.0 + 0.5).floor() as i64
}

fn from_unixtime_nanos(call: &Call<'_>) -> Result<ArrayRef> {
    let Some(SqlType::Decimal(_, scale)) = call.arg_types.first() else {
        let nanos = call.bigints(0)?;
        return build_longs(call, |row| Ok(nanos.get(row)));
    };
    let nanos = call.values::<arrow::array::PrimitiveArray<Decimal128Type>>(0)?;
    build_longs(call, |row| {
        let Some(value) = nanos.get(row) else { return Ok(None) };
        let whole = cast::decimal::rescale(value, *scale, 0).and_then(|v| i64::try_from(v).ok());
        whole.map(Some).ok_or_else(|| out_of_range(call))
    })
}

#[expect(clippy::cast_precision_loss, reason = "as exact as doubles are")]
fn to_unixtime(call: &Call<'_>) -> Result<ArrayRef> {
    let times = longs(call, 0)?;
    let unit = times.unit as f64;
    if let Some(column) = times.column() {
        let seconds: arrow::array::Float64Array = column.unary(|v| v as f64 / unit);
        return Ok(std::sync::Arc::new(seconds));
    }
    call.build::<Float64Type>(|row| Ok(times.get(row).map(|v| v as f64 / unit)))
}

fn to_milliseconds(call: &Call<'_>) -> Result<ArrayRef> {
    let millis = longs(call, 0)?;
    call.build::<Int64Type>(|row| Ok(millis.get(row)))
}

/// The instant stays; the zone stands in the result's type.
fn at_timezone(call: &Call<'_>) -> Result<ArrayRef> {
    let mut zone = Prepared::new(call, 1, Zone::parse)?;
    let times = longs(call, 0)?;
    build_longs(call, |row| {
        let Some(value) = times.get(row) else { return Ok(None) };
        zone.get(row)?;
        Ok(Some(value))
    })
}

fn with_timezone(call: &Call<'_>) -> Result<ArrayRef> {
    let mut zone = Prepared::new(call, 1, Zone::parse)?;
    let times = longs(call, 0)?;
    build_longs(call, |row| {
        let Some(value) = times.get(row) else { return Ok(None) };
        Ok(Some(zone.get(row)?.instant(value, times.unit)))
    })
}

fn timezone(call: &Call<'_>) -> Result<ArrayRef> {
    let name = zone_of(call.arg_types.first()).name();
    call.build_strings(|_, out| {
        out.push_str(&name);
        Ok(true)
    })
}
