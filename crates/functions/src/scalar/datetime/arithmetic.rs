//! `date_trunc`, `date_add`, `date_diff`, `last_day_of_month`.

use super::calendar::{DAY_SECONDS, civil_from_days, days_from_civil, days_in_month};
use super::longs::{Longs, Prepared, build_longs, from_longs, longs};
use super::unit::Unit;
use super::zone::Zone;
use crate::cast::rescale;
use crate::registry::Family;
use crate::{Call, Scalar};
use arrow::array::ArrayRef;
use arrow::datatypes::{Date32Type, Int64Type};
use model::{Error, Result};
use sql::SqlType;

/// Truncation, addition, difference.
pub const FAMILY: Family = Family { title: "Date arithmetic", scalars: SCALARS, aggregates: &[] };

const SCALARS: &[Scalar] = &[
    Scalar::new(
        "date_trunc",
        &[
            "(varchar, date) -> date",
            "(varchar, timestamp) -> timestamp",
            "(varchar, timestamp with time zone) -> timestamp with time zone",
            "(varchar, time) -> time",
        ],
        date_trunc,
        "Cuts a date or time off to a unit.",
    ),
    Scalar::new(
        "date_add",
        &[
            "(varchar, bigint, date) -> date",
            "(varchar, bigint, timestamp) -> timestamp",
            "(varchar, bigint, timestamp with time zone) -> timestamp with time zone",
            "(varchar, bigint, time) -> time",
        ],
        date_add,
        "Adds so many units.",
    ),
    Scalar::new(
        "date_diff",
        &[
            "(varchar, date, date) -> bigint",
            "(varchar, timestamp, timestamp) -> bigint",
            "(varchar, timestamp with time zone, timestamp with time zone) -> bigint",
            "(varchar, time, time) -> bigint",
        ],
        date_diff,
        "Counts the whole units between two dates or times.",
    ),
    Scalar::new(
        "last_day_of_month",
        &["(date) -> date", "(timestamp) -> date", "(timestamp with time zone) -> date"],
        last_day_of_month,
        "The last day of the month.",
    ),
];

/// The zone of a type; for types without one, UTC, in which local time and instant are the same.
pub(super) fn zone_of(sql_type: Option<&SqlType>) -> Zone {
    match sql_type {
        Some(SqlType::TimestampTz(_, zone)) => Zone::find(zone).unwrap_or(Zone::UTC),
        _ => Zone::UTC,
    }
}

fn precision_of(sql_type: &SqlType) -> u8 {
    match sql_type {
        SqlType::Time(p) | SqlType::Timestamp(p) | SqlType::TimestampTz(p, _) => *p,
        _ => 9,
    }
}

/// The result is beyond what the type holds.
pub(super) fn out_of_range(call: &Call<'_>) -> Error {
    Error::invalid(format!("the result of {} is out of range for {}", call.name, call.return_type))
}

/// The day as the 32 bits that carry it.
pub(super) fn day(days: i64, call: &Call<'_>) -> Result<i32> {
    i32::try_from(days).map_err(|_| out_of_range(call))
}

/// The times that `date_trunc` cuts off to this one, from it on and before the next; nothing where it cuts to another.
pub fn truncated(unit: &str, start: i64, second: i64) -> Option<(i64, i64)> {
    let unit = Unit::parse(unit).ok()?;
    if unit.truncate(start, second) != start {
        return None;
    }
    Some((start, unit.add(start, 1, second)?))
}

fn date_trunc(call: &Call<'_>) -> Result<ArrayRef> {
    let mut unit = Prepared::new(call, 0, Unit::parse)?;
    if *call.return_type == SqlType::Date {
        let dates = call.values::<arrow::array::Date32Array>(1)?;
        return call.build::<Date32Type>(|row| {
            let Some(date) = dates.get(row) else { return Ok(None) };
            let unit = unit.get(row)?.of_date()?;
            day(unit.truncate_days(date.into()), call).map(Some)
        });
    }
    let times = longs(call, 1)?;
    let (second, zone) = (times.unit, zone_of(call.arg_types.get(1)));
    let time = matches!(call.return_type, SqlType::Time(_));
    if let (Some(column), Some(text)) = (times.column(), unit.constant())
        && matches!(call.return_type, SqlType::Timestamp(_))
    {
        let unit = Unit::parse(text)?;
        return from_longs(column.unary(|value| unit.truncate(value, second)), &call.return_type.to_arrow());
    }
    build_longs(call, |row| {
        let Some(value) = times.get(row) else { return Ok(None) };
        let unit = *unit.get(row)?;
        let unit = if time { unit.of_time()? } else { unit };
        let local = zone.local(value, second);
        let cut = unit.truncate(local, second);
        // Within a day the clock's offset stays, so that an hour that comes twice stays the one it was.
        Ok(Some(if unit.is_time() { value.saturating_sub(local - cut) } else { zone.instant(cut, second) }))
    })
}

fn date_add(call: &Call<'_>) -> Result<ArrayRef> {
    let mut unit = Prepared::new(call, 0, Unit::parse)?;
    let amounts = call.bigints(1)?;
    if *call.return_type == SqlType::Date {
        let dates = call.values::<arrow::array::Date32Array>(2)?;
        return call.build::<Date32Type>(|row| {
            let (Some(amount), Some(date)) = (amounts.get(row), dates.get(row)) else { return Ok(None) };
            let unit = unit.get(row)?.of_date()?;
            let days = unit.add_days(date.into(), amount).ok_or_else(|| out_of_range(call))?;
            day(days, call).map(Some)
        });
    }
    let times = longs(call, 2)?;
    let (second, zone) = (times.unit, zone_of(call.arg_types.get(2)));
    let precision = precision_of(call.return_type);
    let time = matches!(call.return_type, SqlType::Time(_));
    build_longs(call, |row| {
        let (Some(amount), Some(value)) = (amounts.get(row), times.get(row)) else { return Ok(None) };
        let unit = *unit.get(row)?;
        let added = if time {
            let day = DAY_SECONDS * second;
            unit.of_time()?.add(value, amount, second).map(|v| v.rem_euclid(day))
        } else if unit.is_time() {
            unit.add(value, amount, second)
        } else {
            unit.add(zone.local(value, second), amount, second).map(|local| zone.instant(local, second))
        };
        // A millisecond more may be a digit more than the type has.
        let rounded = added.and_then(|v| rescale(v, second, second, precision));
        rounded.map(Some).ok_or_else(|| out_of_range(call))
    })
}

fn date_diff(call: &Call<'_>) -> Result<ArrayRef> {
    let mut unit = Prepared::new(call, 0, Unit::parse)?;
    if matches!(call.arg_types.get(1), Some(SqlType::Date)) {
        let (from, to) =
            (call.values::<arrow::array::Date32Array>(1)?, call.values::<arrow::array::Date32Array>(2)?);
        return call.build::<Int64Type>(|row| {
            let (Some(from), Some(to)) = (from.get(row), to.get(row)) else { return Ok(None) };
            let unit = unit.get(row)?.of_date()?;
            let (from, to) = (i64::from(from) * DAY_SECONDS, i64::from(to) * DAY_SECONDS);
            Ok(unit.between(from, to, 1))
        });
    }
    let (from, to) = (longs(call, 1)?, longs(call, 2)?);
    let (zone, to_zone) = (zone_of(call.arg_types.get(1)), zone_of(call.arg_types.get(2)));
    let zone = if zone == to_zone { zone } else { Zone::UTC };
    let time = matches!(call.arg_types.get(1), Some(SqlType::Time(_)));
    call.build::<Int64Type>(|row| {
        let (Some(a), Some(b)) = (millis(&from, row), millis(&to, row)) else { return Ok(None) };
        let unit = *unit.get(row)?;
        let unit = if time { unit.of_time()? } else { unit };
        let between = if unit.is_time() {
            unit.between(a, b, 1000)
        } else {
            unit.between(zone.local(a, 1000), zone.local(b, 1000), 1000)
        };
        between.map(Some).ok_or_else(|| out_of_range(call))
    })
}

/// Differences are counted in whole milliseconds: what is smaller does not matter.
fn millis(times: &Longs, row: usize) -> Option<i64> {
    let value = times.get(row)?;
    Some(if times.unit > 1000 { value.div_euclid(times.unit / 1000) } else { value })
}

fn last_day_of_month(call: &Call<'_>) -> Result<ArrayRef> {
    let last = |days: i64| {
        let (year, month, _) = civil_from_days(days);
        days_from_civil(year, month, days_in_month(year, month))
    };
    if matches!(call.arg_types.first(), Some(SqlType::Date)) {
        let dates = call.values::<arrow::array::Date32Array>(0)?;
        return call.build::<Date32Type>(|row| dates.get(row).map(|d| day(last(d.into()), call)).transpose());
    }
    let times = longs(call, 0)?;
    let (zone, length) = (zone_of(call.arg_types.first()), DAY_SECONDS * times.unit);
    call.build::<Date32Type>(|row| {
        let days = times.get(row).map(|v| zone.local(v, times.unit).div_euclid(length));
        days.map(|days| day(last(days), call)).transpose()
    })
}
