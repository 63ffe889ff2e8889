//! Parts of dates and times by `%t…`.

use super::value::{Offset, Value};
use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use std::fmt::Write;

/// Writes a part of the value; nothing if the value does not have it.
pub(super) fn write(field: char, value: &Value, out: &mut String) -> Option<()> {
    let (date, time, offset) = match value {
        Value::Date(date) => (Some(*date), None, None),
        Value::Time(time) => (None, Some(*time), None),
        Value::Local(local) => (Some(local.date()), Some(local.time()), None),
        Value::Zoned(local, offset) => (Some(local.date()), Some(local.time()), Some(offset)),
        _ => return None,
    };
    match field {
        'H' | 'I' | 'k' | 'l' | 'M' | 'S' | 'L' | 'N' | 'p' => of_time(field, time?, out),
        'z' | 'Z' | 's' | 'Q' => of_zone(field, value, offset?, out)?,
        'R' => write!(out, "{}", time?.format("%H:%M")).ok()?,
        'T' => write!(out, "{}", time?.format("%H:%M:%S")).ok()?,
        'r' => write!(out, "{}", time?.format("%I:%M:%S %p")).ok()?,
        'D' => write!(out, "{}", date?.format("%m/%d/%y")).ok()?,
        'F' => write!(out, "{}", date?.format("%Y-%m-%d")).ok()?,
        'c' => {
            let (date, time, offset) = (date?, time?, offset?);
            write!(out, "{} {} ", date.format("%a %b %d"), time.format("%H:%M:%S")).ok()?;
            write!(out, "{} {}", offset.short, date.format("%Y")).ok()?;
        }
        _ => of_date(field, date?, out),
    }
    Some(())
}

fn of_time(field: char, time: NaiveTime, out: &mut String) {
    let twelve = time.hour12().1;
    let _ = match field {
        'H' => write!(out, "{:02}", time.hour()),
        'k' => write!(out, "{}", time.hour()),
        'I' => write!(out, "{twelve:02}"),
        'l' => write!(out, "{twelve}"),
        'M' => write!(out, "{:02}", time.minute()),
        'S' => write!(out, "{:02}", time.second()),
        'L' => write!(out, "{:03}", time.nanosecond() / 1_000_000),
        'N' => write!(out, "{:09}", time.nanosecond()),
        _ => write!(out, "{}", if time.hour() < 12 { "am" } else { "pm" }),
    };
}

fn of_date(field: char, date: NaiveDate, out: &mut String) {
    let _ = match field {
        'B' => write!(out, "{}", date.format("%B")),
        'b' | 'h' => write!(out, "{}", date.format("%b")),
        'A' => write!(out, "{}", date.format("%A")),
        'a' => write!(out, "{}", date.format("%a")),
        'C' => write!(out, "{:02}", date.year().div_euclid(100)),
        'Y' => write!(out, "{:04}", date.year()),
        'y' => write!(out, "{:02}", date.year().rem_euclid(100)),
        'j' => write!(out, "{:03}", date.ordinal()),
        'm' => write!(out, "{:02}", date.month()),
        'd' => write!(out, "{:02}", date.day()),
        _ => write!(out, "{}", date.day()),
    };
}

fn of_zone(field: char, value: &Value, offset: &Offset, out: &mut String) -> Option<()> {
    let Value::Zoned(local, _) = value else { return None };
    let seconds = local.and_utc().timestamp().checked_sub(offset.seconds)?;
    let minutes = offset.seconds.abs() / 60;
    let sign = if offset.seconds < 0 { '-' } else { '+' };
    match field {
        'z' => write!(out, "{sign}{:02}{:02}", minutes / 60, minutes % 60).ok(),
        'Z' => write!(out, "{}", offset.short).ok(),
        's' => write!(out, "{seconds}").ok(),
        _ => write!(
            out,
            "{}",
            seconds.checked_mul(1000)? + i64::from(local.and_utc().timestamp_subsec_millis())
        )
        .ok(),
    }
}
