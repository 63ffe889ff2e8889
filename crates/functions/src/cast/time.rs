//! Dates, times and timestamps among each other and out of text.

use super::Cast;
use crate::scalar::datetime::calendar::DAY_SECONDS;
use crate::scalar::datetime::longs::{from_longs, to_longs, unit_of};
use crate::scalar::datetime::parse::{fraction_units, parse_time, parse_timestamp};
use crate::scalar::datetime::zone::Zone;
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringViewArray};
use arrow::datatypes::{Date32Type, Int64Type};
use model::Result;
use sql::SqlType;
use std::sync::Arc;

/// What a type of time is, as far as a cast cares.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Date,
    Time,
    Local,
    Zoned(Zone),
}

fn kind(sql_type: &SqlType) -> Option<(Kind, u8)> {
    Some(match sql_type {
        SqlType::Date => (Kind::Date, 0),
        SqlType::Time(p) => (Kind::Time, *p),
        SqlType::Timestamp(p) => (Kind::Local, *p),
        SqlType::TimestampTz(p, zone) => (Kind::Zoned(Zone::find(zone)?), *p),
        _ => return None,
    })
}

/// Turns dates, times and timestamps into each other.
pub(super) fn cast(cast: &Cast<'_>) -> Result<ArrayRef> {
    let wrong = || cast.wrong_array();
    let (from, _) = kind(cast.from).ok_or_else(wrong)?;
    let (to, precision) = kind(cast.to).ok_or_else(wrong)?;
    let session = cast.session.zone;
    let data_type = cast.to.to_arrow();
    let to_unit = unit_of(&data_type).unwrap_or(1);
    if from == Kind::Date {
        let days = cast.array.as_primitive_opt::<Date32Type>().ok_or_else(wrong)?;
        let numbers: Int64Array = days.unary_opt::<_, Int64Type>(|day| {
            let local = i64::from(day).checked_mul(DAY_SECONDS * to_unit)?;
            Some(if matches!(to, Kind::Zoned(_)) { session.instant(local, to_unit) } else { local })
        });
        return from_longs(numbers, &data_type);
    }
    let unit = unit_of(cast.array.data_type()).ok_or_else(wrong)?;
    let day = DAY_SECONDS * unit;
    let today = match from {
        // A time of day becomes one of the day on which the query runs.
        Kind::Time => {
            let now = cast.session.now().timestamp();
            session.local(now, 1).div_euclid(DAY_SECONDS).saturating_mul(day)
        }
        _ => 0,
    };
    let turn = |value: i64| -> Option<i64> {
        let local = match from {
            Kind::Zoned(zone) if !matches!(to, Kind::Zoned(_)) => zone.local(value, unit),
            _ => value.checked_add(today)?,
        };
        match to {
            Kind::Date => Some(local.div_euclid(day)),
            Kind::Time => {
                Some(rescale(local.rem_euclid(day), unit, to_unit, precision)? % (DAY_SECONDS * to_unit))
            }
            Kind::Local => rescale(local, unit, to_unit, precision),
            Kind::Zoned(_) if matches!(from, Kind::Zoned(_)) => rescale(value, unit, to_unit, precision),
            Kind::Zoned(_) => rescale(session.instant(local, unit), unit, to_unit, precision),
        }
    };
    let numbers = to_longs(cast.array)?;
    let same_moment = match (from, to) {
        (Kind::Local, Kind::Local) | (Kind::Zoned(_), Kind::Zoned(_)) => true,
        (Kind::Zoned(zone), Kind::Local) => zone == Zone::UTC,
        _ => false,
    };
    // Nothing is rounded and nothing shifted: the numbers stay.
    if same_moment && unit == to_unit && 10i64.pow(u32::from(precision.min(9))) >= unit {
        return from_longs(numbers, &data_type);
    }
    if to == Kind::Date {
        let days = numbers.unary_opt::<_, Date32Type>(|v| turn(v)?.try_into().ok());
        return Ok(Arc::new(days));
    }
    from_longs(numbers.unary_opt::<_, Int64Type>(turn), &data_type)
}

/// A number of one unit in another, rounded to so many digits of a second.
pub(crate) fn rescale(value: i64, from: i64, to: i64, precision: u8) -> Option<i64> {
    let scale = 10i64.pow(u32::from(precision.min(9)));
    let rounded = if scale < from {
        let step = from / scale;
        value.checked_add(step / 2)?.div_euclid(step).checked_mul(step)?
    } else {
        value
    };
    if to >= from { rounded.checked_mul(to / from) } else { Some(rounded.div_euclid(from / to)) }
}

/// Reads times and timestamps. Texts that name a zone are instants; others are local to the session's zone where the
/// type has one.
pub(super) fn from_text(cast: &Cast<'_>, texts: &StringViewArray) -> Result<ArrayRef> {
    let (to, precision) = kind(cast.to).ok_or_else(|| cast.wrong_array())?;
    let data_type = cast.to.to_arrow();
    let unit = unit_of(&data_type).unwrap_or(1);
    let session = cast.session.zone;
    let read = |text: &str| -> Option<i64> {
        match to {
            Kind::Time => {
                let (seconds, fraction) = parse_time(text)?;
                let value = seconds * unit + fraction_units(fraction, precision, unit);
                Some(value % (DAY_SECONDS * unit))
            }
            Kind::Zoned(_) => {
                let written = parse_timestamp(text)?;
                let zone = match written.zone {
                    Some(zone) => Zone::find(zone)?,
                    None => session,
                };
                Some(zone.instant(written.local(precision, unit)?, unit))
            }
            _ => parse_timestamp(text).filter(|w| w.zone.is_none())?.local(precision, unit),
        }
    };
    let numbers: Int64Array = texts.iter().map(|t| t.and_then(read)).collect();
    from_longs(numbers, &data_type)
}
