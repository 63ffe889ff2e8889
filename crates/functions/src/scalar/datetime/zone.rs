//! Time zones by name or offset: what is read as one, and what its clocks show.

use super::calendar::DAY_SECONDS;
use chrono::{DateTime, MappedLocalTime, Offset, TimeZone};
use chrono_tz::Tz;
use model::{Error, Result, nearest};
use std::sync::Arc;

/// A time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Zone {
    /// Always so many seconds east of Greenwich.
    Fixed(i32),
    /// A place, with its rules.
    Named(Tz),
}

impl Zone {
    /// UTC.
    pub const UTC: Zone = Zone::Fixed(0);

    /// Reads `UTC`, `Z`, `+05:30`, `Europe/Berlin` in any letter case.
    pub fn find(text: &str) -> Option<Zone> {
        let text = text.trim();
        if is_utc(text) {
            return Some(Zone::UTC);
        }
        if let Some(seconds) = fixed_offset(text) {
            return Some(Zone::Fixed(seconds));
        }
        if let Ok(zone) = text.parse::<Tz>() {
            return Some(Zone::Named(zone));
        }
        let found = chrono_tz::TZ_VARIANTS.iter().find(|z| z.name().eq_ignore_ascii_case(text));
        found.map(|z| Zone::Named(*z))
    }

    /// Reads a zone as `find` does; the error names those that are spelled alike.
    pub fn parse(text: &str) -> Result<Zone> {
        Zone::find(text).ok_or_else(|| {
            let text: String = text.trim().chars().take(100).collect();
            let error = Error::invalid(format!("'{text}' is not a time zone"))
                .why("a zone is a name like Europe/Berlin or an offset like +02:00");
            // Measuring how far away six hundred names are takes its time: only those that could be near.
            let alike =
                chrono_tz::TZ_VARIANTS.iter().map(|z| z.name()).filter(|n| n.len().abs_diff(text.len()) <= 4);
            match nearest(&text, alike) {
                Some(name) => error.hint(format!("did you mean '{name}'?")),
                None => error,
            }
        })
    }

    /// How the zone is written in types and results: `UTC`, `+05:30`, `Europe/Berlin`.
    pub fn name(&self) -> Arc<str> {
        match self {
            Zone::Fixed(0) => Arc::from("UTC"),
            Zone::Fixed(seconds) => {
                let minutes = seconds.abs() / 60;
                let sign = if *seconds < 0 { '-' } else { '+' };
                Arc::from(format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60))
            }
            Zone::Named(zone) => Arc::from(zone.name()),
        }
    }

    /// Seconds east of Greenwich at this instant (in seconds since 1970).
    pub fn offset(&self, utc: i64) -> i64 {
        match self {
            Zone::Fixed(seconds) => i64::from(*seconds),
            Zone::Named(zone) => match DateTime::from_timestamp(utc, 0) {
                Some(instant) => {
                    let offset = zone.offset_from_utc_datetime(&instant.naive_utc());
                    i64::from(offset.fix().local_minus_utc())
                }
                // So far away no zone has rules.
                None => 0,
            },
        }
    }

    /// The instant at which the clocks show this local time. Where they are set back, it is the earlier of the two;
    /// where they skip it, the time after the gap.
    pub fn to_utc(&self, local: i64) -> i64 {
        let zone = match self {
            Zone::Fixed(seconds) => return local.saturating_sub(i64::from(*seconds)),
            Zone::Named(zone) => zone,
        };
        let Some(naive) = DateTime::from_timestamp(local, 0) else { return local };
        let offset = match zone.offset_from_local_datetime(&naive.naive_utc()) {
            MappedLocalTime::Single(offset) => i64::from(offset.fix().local_minus_utc()),
            MappedLocalTime::Ambiguous(a, b) => {
                i64::from(a.fix().local_minus_utc().max(b.fix().local_minus_utc()))
            }
            MappedLocalTime::None => self.offset(local.saturating_sub(DAY_SECONDS)),
        };
        local.saturating_sub(offset)
    }

    /// The local time of an instant, in units of which `unit` make a second.
    pub fn local(&self, value: i64, unit: i64) -> i64 {
        match self {
            Zone::Fixed(seconds) => value.saturating_add(i64::from(*seconds) * unit),
            Zone::Named(_) => value.saturating_add(self.offset(value.div_euclid(unit)) * unit),
        }
    }

    /// The instant of a local time, in units of which `unit` make a second.
    pub(crate) fn instant(&self, local: i64, unit: i64) -> i64 {
        match self {
            Zone::Fixed(seconds) => local.saturating_sub(i64::from(*seconds) * unit),
            Zone::Named(_) => {
                let seconds = local.div_euclid(unit);
                local.saturating_add(self.to_utc(seconds).saturating_sub(seconds).saturating_mul(unit))
            }
        }
    }

    /// The short name at an instant: `CET`, `UTC`, `+05:30`.
    pub(crate) fn abbreviation(&self, utc: i64) -> String {
        match (self, DateTime::from_timestamp(utc, 0)) {
            (Zone::Named(zone), Some(instant)) => {
                let offset = zone.offset_from_utc_datetime(&instant.naive_utc());
                format!(
                    "{}",
                    chrono::DateTime::<Tz>::from_naive_utc_and_offset(instant.naive_utc(), offset)
                        .format("%Z")
                )
            }
            _ => self.name().to_string(),
        }
    }
}

impl From<Tz> for Zone {
    fn from(zone: Tz) -> Self {
        if is_utc(zone.name()) { Zone::UTC } else { Zone::Named(zone) }
    }
}

/// The zone as it is written in a type, for `AT TIME ZONE` and functions whose zone is a constant.
pub fn zone_name(text: &str) -> Result<Arc<str>> {
    Ok(Zone::parse(text)?.name())
}

fn is_utc(text: &str) -> bool {
    [
        "utc",
        "z",
        "ut",
        "gmt",
        "uct",
        "zulu",
        "etc/utc",
        "etc/gmt",
        "etc/uct",
        "etc/zulu",
        "gmt0",
        "etc/greenwich",
    ]
    .iter()
    .any(|name| text.eq_ignore_ascii_case(name))
}

/// Reads `+hh:mm`, `+hhmm`, `+hh`, also behind `UTC` or `GMT`; up to 14 hours.
pub(crate) fn fixed_offset(text: &str) -> Option<i32> {
    let upper = text.get(..3).map(str::to_ascii_uppercase);
    let text = match upper.as_deref() {
        Some("UTC" | "GMT") => text.get(3..)?,
        _ => text,
    };
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => (1, text.get(1..)?),
        b'-' => (-1, text.get(1..)?),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) if minutes.len() == 2 => (hours, minutes),
        Some(_) => return None,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    if hours.is_empty()
        || hours.len() > 2
        || !hours.bytes().chain(minutes.bytes()).all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= 14 * 60).then_some(sign * total * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read_and_named() {
        for (text, name) in [
            ("utc", "UTC"),
            ("Z", "UTC"),
            ("+00:00", "UTC"),
            ("+05:30", "+05:30"),
            ("-0800", "-08:00"),
            ("UTC+2", "+02:00"),
            ("europe/berlin", "Europe/Berlin"),
            ("America/Los_Angeles", "America/Los_Angeles"),
        ] {
            assert_eq!(&*Zone::parse(text).unwrap().name(), name, "{text}");
        }
        for text in ["", "Europe/Berlln", "+15:00", "+1:2", "+ab", "+"] {
            assert!(Zone::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn clocks_that_change_are_followed() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        // 2024-03-31 01:00 UTC: 02:00 becomes 03:00.
        let spring = 1_711_846_800;
        assert_eq!(berlin.offset(spring - 1), 3600);
        assert_eq!(berlin.offset(spring), 7200);
        assert_eq!(berlin.to_utc(spring + 3600 + 1800), spring + 1800);
        // 2024-10-27 01:00 UTC: 03:00 becomes 02:00, and 02:30 comes twice.
        let autumn = 1_729_990_800;
        assert_eq!(berlin.to_utc(autumn + 3600 + 1800), autumn - 1800);
        assert_eq!(berlin.abbreviation(spring), "CEST");
    }
}
