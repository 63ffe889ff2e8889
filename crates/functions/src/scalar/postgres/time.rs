//! Zones as PostgreSQL reads them, `AT TIME ZONE`, and fields of times that may have a fraction.

use crate::scalar::datetime::Zone;
use crate::scalar::datetime::calendar::{DAY_SECONDS, civil_from_days, iso_week};
use crate::scalar::datetime::longs::{Prepared, build_longs, longs, return_unit};
use crate::{Call, Session};
use arrow::array::ArrayRef;
use arrow::datatypes::{Date32Type, Float64Type};
use model::{Error, Result};
use sql::SqlType;

/// The zone of a name or an offset. An offset is POSIX's: hours *west* of Greenwich are positive.
pub fn zone(text: &str) -> Result<Zone> {
    let text = text.trim();
    match offset(text) {
        Some(west) => Ok(Zone::Fixed(-west)),
        None => Zone::parse(text),
    }
}

/// The seconds of `+05:30`, `UTC-2`, `<abc>3`; none if it is not written so, or is more than 14 hours.
fn offset(text: &str) -> Option<i32> {
    let behind = match text.strip_prefix('<') {
        Some(rest) => rest.split_once('>')?.1,
        None => text.trim_start_matches(|c: char| c.is_ascii_alphabetic()),
    };
    // A single letter or two are no abbreviation.
    if matches!(text.len() - behind.len(), 1 | 2) {
        return None;
    }
    let (sign, digits) = match behind.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, behind.strip_prefix('+').unwrap_or(behind)),
    };
    let mut seconds = 0;
    let mut parts = digits.split(':');
    for (each, most) in [(3600, 14), (60, 59)] {
        let Some(part) = parts.next() else { break };
        let number = part.parse::<i32>().ok().filter(|n| (0..=most).contains(n) && part.len() <= 2)?;
        seconds += each * number;
    }
    (parts.next().is_none() && seconds <= 14 * 3600).then_some(sign * seconds)
}

pub(super) fn in_session_zone(args: &[SqlType], session: &Session) -> Result<SqlType> {
    Ok(SqlType::TimestampTz(precision(args), session.zone.name()))
}

pub(super) fn without_zone(args: &[SqlType], _: &Session) -> Result<SqlType> {
    Ok(SqlType::Timestamp(precision(args)))
}

fn precision(args: &[SqlType]) -> u8 {
    match args.first() {
        Some(SqlType::Timestamp(p) | SqlType::TimestampTz(p, _)) => *p,
        _ => 3,
    }
}

pub(super) fn from_zone(call: &Call<'_>) -> Result<ArrayRef> {
    let (times, mut zones) = (longs(call, 0)?, Prepared::new(call, 1, zone)?);
    build_longs(call, |row| {
        let Some(value) = times.get(row) else { return Ok(None) };
        Ok(Some(zones.get(row)?.instant(value, times.unit)))
    })
}

pub(super) fn to_zone(call: &Call<'_>) -> Result<ArrayRef> {
    let mut zones = Prepared::new(call, 1, zone)?;
    if call.arg_types.first() == Some(&SqlType::Date) {
        // A day begins in the session's zone.
        let (days, unit) = (call.values::<arrow::array::PrimitiveArray<Date32Type>>(0)?, return_unit(call));
        return build_longs(call, |row| {
            let Some(day) = days.get(row) else { return Ok(None) };
            let instant = call.session.zone.instant(i64::from(day) * DAY_SECONDS * unit, unit);
            Ok(Some(zones.get(row)?.local(instant, unit)))
        });
    }
    let times = longs(call, 0)?;
    build_longs(call, |row| {
        let Some(value) = times.get(row) else { return Ok(None) };
        Ok(Some(zones.get(row)?.local(value, times.unit)))
    })
}

/// A field of `extract` that the engine's own does not have, or only without its fraction.
#[derive(Debug, Clone, Copy)]
enum Field {
    Epoch,
    Second,
    Milliseconds,
    Microseconds,
    Decade,
    Century,
    Millennium,
    IsoYear,
    Julian,
}

fn field(text: &str) -> Result<Field> {
    Ok(match text {
        "epoch" => Field::Epoch,
        "second" => Field::Second,
        "milliseconds" => Field::Milliseconds,
        "microseconds" => Field::Microseconds,
        "decade" => Field::Decade,
        "century" => Field::Century,
        "millennium" => Field::Millennium,
        "isoyear" => Field::IsoYear,
        "julian" => Field::Julian,
        other => return Err(Error::unsupported(format!("extract has no `{other}` here"))),
    })
}

#[expect(clippy::cast_precision_loss, reason = "as exact as doubles are")]
pub(super) fn extract(call: &Call<'_>) -> Result<ArrayRef> {
    let mut fields = Prepared::new(call, 0, field)?;
    let sql_type = call.arg_types.get(1);
    let is_span = matches!(sql_type, Some(SqlType::IntervalDaySecond));
    let has_day = !is_span && !matches!(sql_type, Some(SqlType::Time(_)));
    let days = match sql_type {
        Some(SqlType::Date) => Some(call.values::<arrow::array::PrimitiveArray<Date32Type>>(1)?),
        _ => None,
    };
    let times = if days.is_some() { None } else { Some(longs(call, 1)?) };
    let unit = times.as_ref().map_or(1, |times| times.unit);
    call.build::<Float64Type>(|row| {
        let value = match (&days, &times) {
            (Some(days), _) => days.get(row).map(|day| i64::from(day) * DAY_SECONDS),
            (None, Some(times)) => times.get(row),
            _ => None,
        };
        let Some(value) = value else { return Ok(None) };
        let local = match sql_type {
            Some(SqlType::TimestampTz(..)) => call.session.zone.local(value, unit),
            _ => value,
        };
        // Parts of a span have its sign.
        let minute = if is_span { local % (60 * unit) } else { local.rem_euclid(60 * unit) };
        let seconds = minute as f64 / unit as f64;
        let day = local.div_euclid(DAY_SECONDS * unit);
        let (year, _, _) = civil_from_days(day);
        let hundreds = |years: i64| if year > 0 { (year - 1) / years + 1 } else { year / years - 1 };
        let field = *fields.get(row)?;
        if !has_day
            && !matches!(field, Field::Epoch | Field::Second | Field::Milliseconds | Field::Microseconds)
        {
            return Err(Error::unsupported(format!("extract has no {field:?} of a span or a time of day")));
        }
        Ok(Some(match field {
            Field::Epoch => value as f64 / unit as f64,
            Field::Second => seconds,
            Field::Milliseconds => minute as f64 * 1000.0 / unit as f64,
            Field::Microseconds => minute as f64 * 1_000_000.0 / unit as f64,
            Field::Decade => year.div_euclid(10) as f64,
            Field::Century => hundreds(100) as f64,
            Field::Millennium => hundreds(1000) as f64,
            Field::IsoYear => iso_week(day).0 as f64,
            Field::Julian => {
                let within = local.rem_euclid(DAY_SECONDS * unit) as f64 / (DAY_SECONDS * unit) as f64;
                (day + 2_440_588) as f64 + within
            }
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read_as_posix_writes_them() {
        for (text, name) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("utc", "UTC"),
            ("+05:30", "-05:30"),
            ("-3", "+03:00"),
            ("UTC+2", "-02:00"),
            ("<+05:30>-05:30", "+05:30"),
            ("EST5EDT", "EST5EDT"),
            ("Etc/GMT-5", "Etc/GMT-5"),
        ] {
            assert_eq!(&*zone(text).unwrap().name(), name, "{text}");
        }
        for text in ["", "Mars/Base", "+25", "UTC+1:60", "<x"] {
            assert!(zone(text).is_err(), "{text}");
        }
    }
}
