//! Literals of queries: `DATE '2024-01-31'`, `TIMESTAMP '…'`, `INTERVAL '2 03:04' DAY TO MINUTE`.
//!
//! The values are those of the Arrow type that carries the SQL type, in its unit.

use super::longs::unit_of;
use super::parse::{Cursor, fraction_units, parse_date, parse_time, parse_timestamp};
use super::zone::Zone;
use model::{Error, Result};
use sql::SqlType;

/// A field of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IntervalField {
    /// `YEAR`
    Year,
    /// `MONTH`
    Month,
    /// `WEEK`
    Week,
    /// `DAY`
    Day,
    /// `HOUR`
    Hour,
    /// `MINUTE`
    Minute,
    /// `SECOND`
    Second,
}

impl IntervalField {
    /// Reads the field's name, also in the plural.
    pub fn parse(text: &str) -> Result<IntervalField> {
        use IntervalField::*;
        Ok(match text.to_ascii_uppercase().trim_end_matches('S') {
            "YEAR" => Year,
            "MONTH" => Month,
            "WEEK" => Week,
            "DAY" => Day,
            "HOUR" => Hour,
            "MINUTE" => Minute,
            "SECOND" => Second,
            _ => {
                return Err(Error::invalid(format!("`{text}` is not a field of an interval"))
                    .why("the fields are YEAR, MONTH, WEEK, DAY, HOUR, MINUTE and SECOND"));
            }
        })
    }

    fn name(self) -> &'static str {
        use IntervalField::*;
        match self {
            Year => "YEAR",
            Month => "MONTH",
            Week => "WEEK",
            Day => "DAY",
            Hour => "HOUR",
            Minute => "MINUTE",
            Second => "SECOND",
        }
    }

    fn millis(self) -> i64 {
        use IntervalField::*;
        match self {
            Week => 7 * 86_400_000,
            Day => 86_400_000,
            Hour => 3_600_000,
            Minute => 60_000,
            _ => 1000,
        }
    }

    /// What stands behind this field before the next one.
    fn separator(self) -> u8 {
        match self {
            IntervalField::Year => b'-',
            IntervalField::Day => b' ',
            _ => b':',
        }
    }

    fn next(self) -> IntervalField {
        use IntervalField::*;
        match self {
            Year => Month,
            Day => Hour,
            Hour => Minute,
            other => {
                if other == Minute {
                    Second
                } else {
                    other
                }
            }
        }
    }
}

/// The day number of `DATE '2024-01-31'`.
pub fn date_literal(text: &str) -> Result<i32> {
    let days = parse_date(text).and_then(|d| i32::try_from(d).ok());
    days.ok_or_else(|| {
        Error::invalid(format!("'{text}' is not a date")).why("a date is written as 2024-01-31")
    })
}

/// `TIME '13:04:05.678'`: its digits make its type.
pub fn time_literal(text: &str) -> Result<(SqlType, i64)> {
    let wrong = || Error::invalid(format!("'{text}' is not a time")).why("a time is written as 13:04:05.678");
    let (seconds, fraction) = parse_time(text).ok_or_else(|| {
        let zoned = text.trim().rfind(['+', '-']).is_some_and(|at| parse_time(&text.trim()[..at]).is_some());
        if zoned {
            return Error::unsupported(format!("'{text}' is a time with a zone"))
                .why("times of day with a zone are not supported");
        }
        wrong()
    })?;
    let precision = digits(text, fraction)?;
    let sql_type = SqlType::Time(precision);
    let unit = unit_of(&sql_type.to_arrow()).unwrap_or(1);
    Ok((sql_type, seconds * unit + fraction_units(fraction, precision, unit)))
}

/// `TIMESTAMP '2024-01-31 13:04:05.678 Europe/Berlin'`: its digits and its zone, if it has one, make its type.
pub fn timestamp_literal(text: &str) -> Result<(SqlType, i64)> {
    let wrong = || {
        Error::invalid(format!("'{text}' is not a timestamp"))
            .why("a timestamp is written as 2024-01-31 13:04:05.678 or 2024-01-31 13:04:05.678 Europe/Berlin")
    };
    let written = parse_timestamp(text).ok_or_else(wrong)?;
    let precision = digits(text, written.fraction)?;
    let zone = written.zone.map(Zone::parse).transpose()?;
    let sql_type = match &zone {
        Some(zone) => SqlType::TimestampTz(precision, zone.name()),
        None => SqlType::Timestamp(precision),
    };
    let unit = unit_of(&sql_type.to_arrow()).unwrap_or(1);
    let local = written.local(precision, unit).ok_or_else(wrong)?;
    Ok((sql_type, zone.map_or(local, |z| z.instant(local, unit))))
}

fn digits(text: &str, fraction: &str) -> Result<u8> {
    match u8::try_from(fraction.len()) {
        Ok(digits @ 0..=9) => Ok(digits),
        _ => Err(Error::unsupported(format!("'{text}' has {} digits of a second", fraction.len()))
            .why("nine digits are supported")),
    }
}

/// `INTERVAL [-] '…' FROM [TO …]`: months for `YEAR TO MONTH`, milliseconds for `DAY TO SECOND`.
pub fn interval_literal(
    text: &str,
    from: IntervalField,
    to: Option<IntervalField>,
    negative: bool,
) -> Result<(SqlType, i64)> {
    use IntervalField::*;
    let last = to.unwrap_or(from);
    let months = from <= Month;
    let fits = from <= last && (from == last || (from != Week && last != Week)) && months == (last <= Month);
    if !fits {
        return Err(Error::invalid(format!("there is no interval {} TO {}", from.name(), last.name()))
            .why("an interval is YEAR TO MONTH or DAY TO SECOND, or a part of them"));
    }
    let value = read_interval(text, from, last).ok_or_else(|| wrong_interval(text, from, last))?;
    let value = if negative { -value } else { value };
    if months {
        let fits = i32::try_from(value).is_ok();
        return if fits {
            Ok((SqlType::IntervalYearMonth, value))
        } else {
            Err(wrong_interval(text, from, last))
        };
    }
    Ok((SqlType::IntervalDaySecond, value))
}

fn wrong_interval(text: &str, from: IntervalField, last: IntervalField) -> Error {
    let form = match (from, last) {
        (a, b) if a == b => format!("INTERVAL '3' {}", a.name()),
        (IntervalField::Year, _) => "INTERVAL '3-6' YEAR TO MONTH".to_owned(),
        (IntervalField::Day, IntervalField::Hour) => "INTERVAL '2 03' DAY TO HOUR".to_owned(),
        (IntervalField::Day, IntervalField::Minute) => "INTERVAL '2 03:04' DAY TO MINUTE".to_owned(),
        (IntervalField::Day, _) => "INTERVAL '2 03:04:05.678' DAY TO SECOND".to_owned(),
        (a, b) => format!("INTERVAL '03:04' {} TO {}", a.name(), b.name()),
    };
    Error::invalid(format!("'{text}' is not an interval")).why(format!("it is written as {form}"))
}

/// The value of the fields; the text may end before the last of them.
fn read_interval(text: &str, from: IntervalField, last: IntervalField) -> Option<i64> {
    use IntervalField::*;
    let mut cursor = Cursor::new(text.trim());
    let negative = cursor.take(b'-');
    if !negative {
        cursor.take(b'+');
    }
    let (mut field, mut total) = (from, 0i64);
    loop {
        let number = cursor.number(1, 18)?;
        let length = match field {
            Year => 12,
            Month => 1,
            other => other.millis(),
        };
        total = total.checked_add(number.checked_mul(length)?)?;
        if field == Second && cursor.take(b'.') {
            let digits = cursor.digits(1, 9)?;
            total = total.checked_add(fraction_units(digits.get(..3).unwrap_or(digits), 3, 1000))?;
        }
        if cursor.done() {
            return Some(if negative { -total } else { total });
        }
        if field == last || !cursor.take(field.separator()) {
            return None;
        }
        field = field.next();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use IntervalField::*;

    #[test]
    fn intervals_are_read_by_their_fields() {
        for (text, from, to, wanted) in [
            ("2", Day, None, 2 * 86_400_000),
            ("1", Week, None, 7 * 86_400_000),
            ("2 03:04:05.678", Day, Some(Second), 183_845_678),
            ("2 03", Day, Some(Second), 183_600_000),
            ("90", Minute, None, 5_400_000),
            ("01:30", Hour, Some(Minute), 5_400_000),
            ("-1.5", Second, None, -1500),
            ("3", Year, None, 36),
            ("124-30", Year, Some(Month), 1518),
            ("5", Month, None, 5),
        ] {
            assert_eq!(interval_literal(text, from, to, false).unwrap().1, wanted, "{text}");
        }
        assert_eq!(interval_literal("2", Day, None, true).unwrap().1, -172_800_000);
    }

    #[test]
    fn wrong_literals_are_refused() {
        for (text, from, to) in [
            ("x", Day, None),
            ("", Day, None),
            ("1 2", Day, None),
            ("1", Second, Some(Day)),
            ("1", Month, Some(Day)),
            ("1-2", Month, None),
            ("99999999999", Year, None),
            ("999999999999999999", Day, None),
        ] {
            assert!(interval_literal(text, from, to, false).is_err(), "{text}");
        }
        for text in ["2024-02-30", "today", "2024-01-01 00:00:00 Mars/Base", "2024-01-01 00:00:00.1234567890"]
        {
            assert!(timestamp_literal(text).is_err(), "{text}");
        }
        assert!(date_literal("2024-1-32").is_err());
        assert!(time_literal("25:00").is_err());
        assert!(time_literal("12:00+01:00").unwrap_err().message().contains("zone"));
    }

    #[test]
    fn the_digits_and_the_zone_make_the_type() {
        let read = |text| timestamp_literal(text).map(|(t, v)| (t.to_string(), v)).unwrap();
        assert_eq!(read("1970-01-01 00:00:01"), ("timestamp(0)".into(), 1000));
        assert_eq!(read("1970-01-01 00:00:00.000001"), ("timestamp(6)".into(), 1));
        assert_eq!(read("1970-01-01 00:00:00.0000001"), ("timestamp(7)".into(), 100));
        assert_eq!(read("1970-01-01 01:00:00.000 Europe/Berlin"), ("timestamp(3) with time zone".into(), 0));
        assert_eq!(time_literal("00:00:01.5").unwrap(), (SqlType::Time(1), 1_500_000));
        assert_eq!(date_literal("1970-01-02").unwrap(), 1);
    }
}
