//! Durations and sizes written with their units: `42.8ms`, `2.3MB`; seconds in words.

use super::Scalar;
use super::string::shorten;
use crate::{Call, Family};
use arrow::array::ArrayRef;
use arrow::datatypes::{Decimal128Type, DurationMillisecondType};
use model::{Error, Result};

/// Functions of durations and sizes with units.
pub const FAMILY: Family = Family { title: "Units", scalars: SCALARS, aggregates: &[] };

const SIZE: &[&str] = &["(varchar) -> decimal(38,0)"];

const SCALARS: &[Scalar] = &[
    Scalar::new(
        "human_readable_seconds",
        &["(double) -> varchar"],
        human_readable_seconds,
        "Seconds in words: 1 minute, 36 seconds.",
    ),
    Scalar::new("parse_data_size", SIZE, parse_data_size, "A size such as `2.3MB` in bytes."),
    Scalar::new(
        "parse_duration",
        &["(varchar) -> interval day to second"],
        parse_duration,
        "A duration such as `42.8ms`.",
    ),
    Scalar::new("parse_presto_data_size", SIZE, parse_data_size, "A size such as `2.3MB` in bytes."),
];

const LONG_UNITS: &[(u64, &str)] =
    &[(604_800, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];

fn human_readable_seconds(call: &Call<'_>) -> Result<ArrayRef> {
    let seconds = call.doubles(0)?;
    call.build_strings(|row, out| {
        let Some(seconds) = seconds.get(row) else { return Ok(false) };
        if !seconds.is_finite() {
            return Err(Error::invalid(format!(
                "human_readable_seconds takes a finite number, found {seconds}"
            )));
        }
        let mut rest = seconds.abs().round() as u64;
        for (size, name) in LONG_UNITS {
            let count = rest / size;
            rest %= size;
            if count > 0 || (*size == 1 && out.is_empty()) {
                if !out.is_empty() {
                    out.push_str(", ");
                }
                out.push_str(&format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
            }
        }
        Ok(true)
    })
}

/// A number and its unit, with blanks allowed between and around.
fn number_and_unit(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    (digits(whole) && digits(fraction)).then(|| (number, unit.trim_start()))
}

fn parse_duration(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    call.build::<DurationMillisecondType>(|row| {
        let Some(text) = text.get(row) else { return Ok(None) };
        let broken = || {
            Error::invalid(format!("'{}' is no duration", shorten(text)))
                .hint("a duration is a number and one of ns, us, ms, s, m, h and d: 3.81d")
        };
        let (number, unit) = number_and_unit(text).ok_or_else(broken)?;
        let millis = match unit {
            "ns" => 1e-6,
            "us" => 1e-3,
            "ms" => 1.0,
            "s" => 1e3,
            "m" => 6e4,
            "h" => 3.6e6,
            "d" => 8.64e7,
            _ => return Err(broken()),
        };
        let millis = (number.parse::<f64>().map_err(|_| broken())? * millis).round();
        if millis > 9.2e18 {
            return Err(broken().why("it is too long"));
        }
        Ok(Some(millis as i64))
    })
}

fn parse_data_size(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    call.build::<Decimal128Type>(|row| {
        let Some(text) = text.get(row) else { return Ok(None) };
        let broken = || {
            Error::invalid(format!("'{}' is no size", shorten(text)))
                .hint("a size is a number and one of B, kB, MB, GB, TB, PB, EB, ZB and YB: 2.3MB")
        };
        let (number, unit) = number_and_unit(text).ok_or_else(broken)?;
        let power = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"].iter().position(|u| *u == unit);
        let power = u32::try_from(power.ok_or_else(broken)?).unwrap_or(0);
        bytes(number, power).map(Some).ok_or_else(|| broken().why("it is too large"))
    })
}

/// The number times a power of 1024, what is less than a byte left out.
fn bytes(number: &str, power: u32) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let factor = 1i128 << (10 * power);
    let mut size = whole.parse::<i128>().ok()?.checked_mul(factor)?;
    // Twelve digits behind the point say more than a size needs.
    let fraction = fraction.get(..fraction.len().min(12)).unwrap_or_default();
    if !fraction.is_empty() {
        let scale = 10i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        size = size.checked_add(fraction.parse::<i128>().ok()?.checked_mul(factor)? / scale)?;
    }
    (size < 10i128.pow(38)).then_some(size)
}
