//! Dates and times in ISO 8601: `2020-05-11T11:15:05.055+01:00`, `2020-W10`, `2020-123`.

use super::arithmetic::{day, out_of_range, zone_of};
use super::calendar::{DAY_SECONDS, checked_days, days_from_civil, first_monday, is_leap, weeks_in_year};
use super::longs::{build_longs, longs, return_unit};
use super::parse::{Cursor, fraction_units};
use super::zone::Zone;
use crate::registry::Family;
use crate::render::time::{write_date, write_local};
use crate::{Call, Scalar};
use arrow::array::ArrayRef;
use arrow::datatypes::Date32Type;
use model::{Error, Result};
use sql::SqlType;
use std::fmt::Write;

/// ISO 8601.
pub const FAMILY: Family = Family { title: "ISO 8601", scalars: SCALARS, aggregates: &[] };

const SCALARS: &[Scalar] = &[
    Scalar::new(
        "from_iso8601_timestamp",
        &["(varchar) -> timestamp(3) with time zone"],
        from_iso8601_timestamp,
        "Reads an ISO 8601 date, optionally with time and zone.",
    ),
    Scalar::new(
        "from_iso8601_timestamp_nanos",
        &["(varchar) -> timestamp(9) with time zone"],
        from_iso8601_timestamp,
        "Reads an ISO 8601 date and time with nanoseconds.",
    ),
    Scalar::new("from_iso8601_date", &["(varchar) -> date"], from_iso8601_date, "Reads an ISO 8601 date."),
    Scalar::new(
        "to_iso8601",
        &["(date) -> varchar", "(timestamp) -> varchar", "(timestamp with time zone) -> varchar"],
        to_iso8601,
        "Writes a date or timestamp as ISO 8601.",
    ),
];

/// `2020-05-11`, `2020-05`, `2020`, `2020-123`, `2020-W10`, `2020-W10-3`
fn read_date(cursor: &mut Cursor<'_>) -> Option<i64> {
    let negative = cursor.take(b'-');
    if !negative {
        cursor.take(b'+');
    }
    let year = cursor.number(1, 9)?;
    let year = if negative { -year } else { year };
    if !cursor.take(b'-') {
        return Some(days_from_civil(year, 1, 1));
    }
    if cursor.take(b'W') {
        let week = cursor.number(1, 2)?;
        let weekday = if cursor.take(b'-') { cursor.number(1, 1)? } else { 1 };
        let valid = (1..=weeks_in_year(year)).contains(&week) && (1..=7).contains(&weekday);
        return valid.then(|| first_monday(year) + (week - 1) * 7 + weekday - 1);
    }
    let digits = cursor.digits(1, 3)?;
    let number: u32 = digits.parse().ok()?;
    if digits.len() == 3 {
        let valid = number >= 1 && number <= 365 + u32::from(is_leap(year));
        return valid.then(|| days_from_civil(year, 1, 1) + i64::from(number) - 1);
    }
    let day = if cursor.take(b'-') { u32::try_from(cursor.number(1, 2)?).ok()? } else { 1 };
    checked_days(year, number, day)
}

/// The digits behind a point or comma, if there is one.
fn read_fraction<'a>(cursor: &mut Cursor<'a>) -> Option<&'a str> {
    if cursor.take(b'.') || cursor.take(b',') { cursor.digits(1, usize::MAX) } else { Some("") }
}

/// `11`, `11:15`, `11:15:05`, each with a fraction: as nanoseconds of the day.
fn read_time(cursor: &mut Cursor<'_>) -> Option<i64> {
    let mut nanos = 0;
    for (i, (limit, length)) in [(24, 3600), (60, 60), (60, 1)].into_iter().enumerate() {
        if i > 0 && !cursor.take(b':') {
            break;
        }
        let part = cursor.number(1, 2).filter(|part| *part < limit)?;
        nanos += part * length * 1_000_000_000;
        let fraction = read_fraction(cursor)?;
        if !fraction.is_empty() {
            // What is smaller than a nanosecond is cut off, not rounded.
            nanos += fraction_units(fraction.get(..9).unwrap_or(fraction), 9, 1_000_000_000) * length;
            break;
        }
    }
    Some(nanos)
}

/// The zone behind a time; the session's if there is none.
fn read_zone(cursor: &mut Cursor<'_>, session: Zone) -> Option<Zone> {
    let rest = cursor.rest();
    // Java writes the zone's name behind the offset, in brackets.
    let offset = rest.split_once('[').map_or(rest, |(offset, _)| offset);
    match offset {
        "" => Some(session),
        "Z" | "z" => Some(Zone::UTC),
        _ => super::zone::fixed_offset(offset).filter(|_| offset.starts_with(['+', '-'])).map(Zone::Fixed),
    }
}

/// The date read last, and its day: neighbouring rows mostly have the same.
#[derive(Default)]
struct LastDate {
    text: [u8; 10],
    days: i64,
}

/// The form that nearly all texts have, `2020-05-11T11:15:05.055Z`, with up to nine digits of a fraction or none; nothing
/// for all other forms.
fn read_usual(text: &[u8], unit: i64, last: &mut LastDate) -> Option<i64> {
    let (head, rest) = text.split_at_checked(19)?;
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', i1, i2, b':', s1, s2] = head else {
        return None;
    };
    if ![h1, h2, i1, i2, s1, s2].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let two = |a: u8, b: u8| u32::from(a - b'0') * 10 + u32::from(b - b'0');
    let (hour, minute, second) = (two(h1, h2), two(i1, i2), two(s1, s2));
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let nanos = match rest {
        b"Z" => 0,
        [b'.', fraction @ .., b'Z'] if (1..=9).contains(&fraction.len()) => {
            let mut value = 0_i64;
            for digit in fraction {
                value = value * 10 + i64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
            }
            value * 10_i64.pow(9 - u32::try_from(fraction.len()).ok()?)
        }
        _ => return None,
    };
    let date = text.first_chunk::<10>()?;
    if last.text != *date {
        if ![y1, y2, y3, y4, m1, m2, d1, d2].iter().all(u8::is_ascii_digit) {
            return None;
        }
        let days = checked_days(i64::from(two(y1, y2) * 100 + two(y3, y4)), two(m1, m2), two(d1, d2))?;
        *last = LastDate { text: *date, days };
    }
    let seconds = last.days * DAY_SECONDS + i64::from(hour * 3600 + minute * 60 + second);
    seconds.checked_mul(unit)?.checked_add(nanos / (1_000_000_000 / unit))
}

/// An instant in units of which `unit` make a second.
fn read_timestamp(text: &str, session: Zone, unit: i64, last: &mut LastDate) -> Option<i64> {
    if let Some(instant) = read_usual(text.as_bytes(), unit, last) {
        return Some(instant);
    }
    let mut cursor = Cursor::new(text);
    let days = if cursor.peek() == Some(b'T') { 0 } else { read_date(&mut cursor)? };
    let mut nanos = 0;
    let mut zone = session;
    if cursor.take(b'T') {
        if cursor.peek().is_some_and(|b| b.is_ascii_digit()) {
            nanos = read_time(&mut cursor)?;
        }
        zone = read_zone(&mut cursor, session)?;
    } else if !cursor.done() {
        return None;
    }
    let local = days.checked_mul(DAY_SECONDS)?.checked_mul(unit)?;
    Some(zone.instant(local.checked_add(nanos / (1_000_000_000 / unit))?, unit))
}

fn cannot_read(text: &str, what: &str, example: &str) -> Error {
    let shown: String = text.chars().take(200).collect();
    Error::invalid(format!("'{shown}' is not {what}")).why(format!("it is written as {example}"))
}

fn from_iso8601_timestamp(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.strings(0)?;
    let (unit, session) = (return_unit(call), call.session.zone);
    let mut last = LastDate::default();
    build_longs(call, |row| {
        let Some(text) = texts.get(row) else { return Ok(None) };
        let instant = read_timestamp(text, session, unit, &mut last);
        instant.map(Some).ok_or_else(|| {
            cannot_read(text, "an ISO 8601 timestamp", "2020-05-11T11:15:05.055+01:00")
                .hint("date_parse reads other forms")
        })
    })
}

fn from_iso8601_date(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.strings(0)?;
    call.build::<Date32Type>(|row| {
        let Some(text) = texts.get(row) else { return Ok(None) };
        let mut cursor = Cursor::new(text);
        match read_date(&mut cursor).filter(|_| cursor.done()) {
            Some(days) => day(days, call).map(Some),
            None => Err(cannot_read(text, "an ISO 8601 date", "2020-05-11, 2020-W10-3 or 2020-123")),
        }
    })
}

fn to_iso8601(call: &Call<'_>) -> Result<ArrayRef> {
    if matches!(call.arg_types.first(), Some(SqlType::Date)) {
        let dates = call.values::<arrow::array::Date32Array>(0)?;
        return call.build_strings(|row, out| {
            let Some(date) = dates.get(row) else { return Ok(false) };
            write_date(date.into(), out);
            Ok(true)
        });
    }
    let times = longs(call, 0)?;
    let unit = times.unit;
    let (precision, zone) = match call.arg_types.first() {
        Some(SqlType::TimestampTz(p, _)) => (*p, Some(zone_of(call.arg_types.first()))),
        Some(SqlType::Timestamp(p)) => (*p, None),
        _ => return Err(out_of_range(call)),
    };
    call.build_strings(|row, out| {
        let Some(value) = times.get(row) else { return Ok(false) };
        let local = zone.map_or(value, |z| z.local(value, unit));
        write_local(local, unit, precision, b'T', out);
        if let Some(zone) = zone {
            write_offset(zone.offset(value.div_euclid(unit)), out);
        }
        Ok(true)
    })
}

/// `Z` or `+01:00`
fn write_offset(seconds: i64, out: &mut String) {
    if seconds == 0 {
        out.push('Z');
        return;
    }
    let minutes = seconds.abs() / 60;
    let sign = if seconds < 0 { '-' } else { '+' };
    let _ = write!(out, "{sign}{:02}:{:02}", minutes / 60, minutes % 60);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_form_is_read_as_all_others_are() {
        let slow = |text: &str, unit| {
            // With a comma and a spelled-out offset it is not the usual form.
            let text = text.replace('.', ",").replace('Z', "+00:00");
            assert_eq!(read_usual(text.as_bytes(), unit, &mut LastDate::default()), None, "{text}");
            read_timestamp(&text, Zone::UTC, unit, &mut LastDate::default())
        };
        let mut last = LastDate::default();
        for text in [
            "2020-05-11T11:15:05.055Z",
            "2020-05-11T23:15:05Z",
            "2020-02-29T23:59:59.999999999Z",
            "0001-01-01T00:00:00.1Z",
            "1969-12-31T23:59:59.5Z",
            "9999-12-31T23:59:59.999Z",
            "2021-09-09T12:15:02Z",
        ] {
            for unit in [1_000, 1_000_000] {
                let fast = read_usual(text.as_bytes(), unit, &mut last);
                assert!(fast.is_some(), "{text}");
                assert_eq!(fast, slow(text, unit), "{text} {unit}");
            }
        }
        for text in [
            "2021-02-29T00:00:00Z",
            "2021-02-28T24:00:00Z",
            "2021-02-28T00:00:00.Z",
            "2021-02-28T00:00:00.1234567890Z",
            "2021-02-28T0a:00:00Z",
            "",
        ] {
            assert_eq!(read_usual(text.as_bytes(), 1_000, &mut last), None, "{text}");
        }
    }
}
