//! `to_char` of dates and times, by PostgreSQL's patterns.

use crate::Call;
use crate::scalar::datetime::Zone;
use crate::scalar::datetime::calendar::{DAY_SECONDS, civil_from_days, day_of_year, iso_week, weekday};
use crate::scalar::datetime::longs::{Prepared, longs};
use crate::scalar::datetime::pattern::{MONTHS, WEEKDAYS};
use arrow::array::{ArrayRef, PrimitiveArray};
use arrow::datatypes::Date32Type;
use model::{Error, Result};
use sql::SqlType;
use std::fmt::Write;

/// How letters of a name are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Upper,
    Capital,
    Lower,
}

/// What stands at a place of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    /// The last digits of the year, so many.
    Year(u32),
    YearWithComma,
    IsoYear(u32),
    Quarter,
    Month,
    MonthName(Case),
    MonthShort(Case),
    Week,
    IsoWeek,
    DayOfYear,
    IsoDayOfYear,
    Day,
    DayOfWeek,
    IsoDayOfWeek,
    DayName(Case),
    DayShort(Case),
    Julian,
    Century,
    WeekOfMonth,
    Hour24,
    Hour12,
    Minute,
    Second,
    Millis,
    Micros,
    /// So many digits of the second's fraction.
    Fraction(u32),
    SecondOfDay,
    Noon(bool, bool),
    Era(bool, bool),
    ZoneName(bool),
    Offset,
    OffsetHours,
    OffsetMinutes,
}

use Case::{Capital, Lower, Upper};
use Field::*;

/// Longer ones stand before those they begin with.
const FIELDS: &[(&str, Field)] = &[
    ("Y,YYY", YearWithComma),
    ("IYYY", IsoYear(4)),
    ("YYYY", Year(4)),
    ("yyyy", Year(4)),
    ("IYY", IsoYear(3)),
    ("YYY", Year(3)),
    ("IY", IsoYear(2)),
    ("YY", Year(2)),
    ("yy", Year(2)),
    ("IDDD", IsoDayOfYear),
    ("ID", IsoDayOfWeek),
    ("IW", IsoWeek),
    ("I", IsoYear(1)),
    ("Y", Year(1)),
    ("Q", Quarter),
    ("MONTH", MonthName(Upper)),
    ("Month", MonthName(Capital)),
    ("month", MonthName(Lower)),
    ("MON", MonthShort(Upper)),
    ("Mon", MonthShort(Capital)),
    ("mon", MonthShort(Lower)),
    ("MM", Month),
    ("mm", Month),
    ("MI", Minute),
    ("mi", Minute),
    ("MS", Millis),
    ("ms", Millis),
    ("WW", Week),
    ("W", WeekOfMonth),
    ("DDD", DayOfYear),
    ("ddd", DayOfYear),
    ("DAY", DayName(Upper)),
    ("Day", DayName(Capital)),
    ("day", DayName(Lower)),
    ("DY", DayShort(Upper)),
    ("Dy", DayShort(Capital)),
    ("dy", DayShort(Lower)),
    ("DD", Day),
    ("dd", Day),
    ("D", DayOfWeek),
    ("d", DayOfWeek),
    ("J", Julian),
    ("CC", Century),
    ("HH24", Hour24),
    ("hh24", Hour24),
    ("HH12", Hour12),
    ("hh12", Hour12),
    ("HH", Hour12),
    ("hh", Hour12),
    ("SSSSS", SecondOfDay),
    ("SSSS", SecondOfDay),
    ("SS", Second),
    ("ss", Second),
    ("US", Micros),
    ("us", Micros),
    ("FF1", Fraction(1)),
    ("FF2", Fraction(2)),
    ("FF3", Fraction(3)),
    ("FF4", Fraction(4)),
    ("FF5", Fraction(5)),
    ("FF6", Fraction(6)),
    ("A.M.", Noon(true, true)),
    ("P.M.", Noon(true, true)),
    ("a.m.", Noon(false, true)),
    ("p.m.", Noon(false, true)),
    ("AM", Noon(true, false)),
    ("PM", Noon(true, false)),
    ("am", Noon(false, false)),
    ("pm", Noon(false, false)),
    ("A.D.", Era(true, true)),
    ("B.C.", Era(true, true)),
    ("a.d.", Era(false, true)),
    ("b.c.", Era(false, true)),
    ("AD", Era(true, false)),
    ("BC", Era(true, false)),
    ("ad", Era(false, false)),
    ("bc", Era(false, false)),
    ("TZH", OffsetHours),
    ("TZM", OffsetMinutes),
    ("TZ", ZoneName(true)),
    ("tz", ZoneName(false)),
    ("OF", Offset),
];

/// Patterns that PostgreSQL has and that are refused by name.
const REFUSED: &[&str] = &["RM", "rm", "TM", "FX", "SP"];

/// A piece of a pattern.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// With whether it is filled up (no `FM`), and the ending of an ordinal (`TH` or `th`).
    Field(Field, bool, Option<bool>),
}

/// Reads a pattern. What is none of its words stands for itself.
fn pieces(pattern: &str) -> Result<Vec<Piece>> {
    let (mut pieces, mut text, mut rest) = (Vec::new(), String::new(), pattern);
    while let Some(first) = rest.chars().next() {
        let behind = |length: usize| rest.get(length..).unwrap_or_default();
        if first == '"' {
            let mut symbols = behind(1).chars();
            let mut length = 1;
            while let Some(symbol) = symbols.next() {
                length += symbol.len_utf8();
                match symbol {
                    '"' => break,
                    '\\' => {
                        let escaped = symbols.next();
                        length += escaped.map_or(0, char::len_utf8);
                        text.extend(escaped);
                    }
                    other => text.push(other),
                }
            }
            rest = behind(length);
            continue;
        }
        if first == '\\' && behind(1).starts_with('"') {
            text.push('"');
            rest = behind(2);
            continue;
        }
        let fill = rest.strip_prefix("FM").or_else(|| rest.strip_prefix("fm"));
        let word = fill.unwrap_or(rest);
        if let Some((name, field)) = FIELDS.iter().find(|(name, _)| word.starts_with(name)) {
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            rest = word.get(name.len()..).unwrap_or_default();
            let ordinal = match (rest.strip_prefix("TH"), rest.strip_prefix("th")) {
                (Some(behind), _) => Some((true, behind)),
                (_, Some(behind)) => Some((false, behind)),
                _ => None,
            };
            rest = ordinal.map_or(rest, |(_, behind)| behind);
            pieces.push(Piece::Field(*field, fill.is_none(), ordinal.map(|(upper, _)| upper)));
            continue;
        }
        if let Some(name) = REFUSED.iter().find(|name| rest.starts_with(**name)) {
            return Err(Error::unsupported(format!("the pattern {name} of to_char is not supported"))
                .hint("a text in double quotes stands for itself"));
        }
        text.push(first);
        rest = behind(first.len_utf8());
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

/// A moment as clocks show it.
struct Moment {
    day: i64,
    second: i64,
    micros: i64,
    /// The zone and the instant in seconds, where the type has one.
    zone: Option<(Zone, i64)>,
}

pub(super) fn to_char(call: &Call<'_>) -> Result<ArrayRef> {
    let mut patterns = Prepared::new(call, 1, pieces)?;
    if call.arg_types.first() == Some(&SqlType::Date) {
        let days = call.values::<PrimitiveArray<Date32Type>>(0)?;
        return call.build_strings(|row, out| {
            let Some(day) = days.get(row) else { return Ok(false) };
            let moment = Moment { day: i64::from(day), second: 0, micros: 0, zone: None };
            patterns.get(row)?.iter().for_each(|piece| moment.put(piece, out));
            Ok(true)
        });
    }
    let times = longs(call, 0)?;
    let zone = matches!(call.arg_types.first(), Some(SqlType::TimestampTz(..))).then_some(call.session.zone);
    call.build_strings(|row, out| {
        let Some(value) = times.get(row) else { return Ok(false) };
        let local = zone.map_or(value, |zone| zone.local(value, times.unit));
        let seconds = local.div_euclid(times.unit);
        let part = local.rem_euclid(times.unit);
        let moment = Moment {
            day: seconds.div_euclid(DAY_SECONDS),
            second: seconds.rem_euclid(DAY_SECONDS),
            micros: if times.unit > 1_000_000 {
                part / (times.unit / 1_000_000)
            } else {
                part * (1_000_000 / times.unit)
            },
            zone: zone.map(|zone| (zone, value.div_euclid(times.unit))),
        };
        patterns.get(row)?.iter().for_each(|piece| moment.put(piece, out));
        Ok(true)
    })
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a text cannot fail.
    let _ = out.write_fmt(text);
}

impl Moment {
    fn put(&self, piece: &Piece, out: &mut String) {
        let (field, fills, ordinal) = match piece {
            Piece::Text(text) => return out.push_str(text),
            Piece::Field(field, fills, ordinal) => (*field, *fills, *ordinal),
        };
        let Some((number, width)) = self.number(field) else { return self.word(field, fills, out) };
        if fills {
            put(out, format_args!("{number:0width$}"));
        } else {
            put(out, format_args!("{number}"));
        }
        if let Some(upper) = ordinal {
            let ending = match (number % 10, number / 10 % 10) {
                (1..=3, 1) => "th",
                (1, _) => "st",
                (2, _) => "nd",
                (3, _) => "rd",
                _ => "th",
            };
            out.push_str(&if upper { ending.to_uppercase() } else { ending.to_owned() });
        }
    }

    /// The number of a field, and with how many digits it is written.
    fn number(&self, field: Field) -> Option<(i64, usize)> {
        let (year, month, day) = civil_from_days(self.day);
        let year = if year > 0 { year } else { 1 - year };
        let last = |year: i64, digits: u32| match digits {
            4 => (year, 4),
            digits => (year % 10_i64.pow(digits), digits as usize),
        };
        Some(match field {
            Year(digits) => last(year, digits),
            IsoYear(digits) => last(iso_week(self.day).0, digits),
            Quarter => ((i64::from(month) - 1) / 3 + 1, 1),
            Month => (i64::from(month), 2),
            Week => ((day_of_year(self.day) - 1) / 7 + 1, 2),
            IsoWeek => (iso_week(self.day).1, 2),
            DayOfYear => (day_of_year(self.day), 3),
            IsoDayOfYear => ((iso_week(self.day).1 - 1) * 7 + weekday(self.day), 3),
            Day => (i64::from(day), 2),
            DayOfWeek => (weekday(self.day) % 7 + 1, 1),
            IsoDayOfWeek => (weekday(self.day), 1),
            Julian => (self.day + 2_440_588, 1),
            Century => ((year - 1) / 100 + 1, 2),
            WeekOfMonth => ((i64::from(day) - 1) / 7 + 1, 1),
            Hour24 => (self.second / 3600, 2),
            Hour12 => ((self.second / 3600 + 11) % 12 + 1, 2),
            Minute => (self.second / 60 % 60, 2),
            Second => (self.second % 60, 2),
            Millis => (self.micros / 1000, 3),
            Micros => (self.micros, 6),
            Fraction(digits) => (self.micros / 10_i64.pow(6 - digits), digits as usize),
            SecondOfDay => (self.second, 1),
            _ => return None,
        })
    }

    fn word(&self, field: Field, fills: bool, out: &mut String) {
        let (year, month, _) = civil_from_days(self.day);
        let month =
            usize::try_from(month).ok().and_then(|at| MONTHS.get(at - 1)).copied().unwrap_or_default();
        let day = usize::try_from(weekday(self.day)).ok().and_then(|at| WEEKDAYS.get(at - 1)).copied();
        let day = day.unwrap_or_default();
        let width = if fills { 9 } else { 0 };
        let dotted = |text: &str, upper: bool, dots: bool| {
            let text = if dots { text.chars().flat_map(|c| [c, '.']).collect() } else { text.to_owned() };
            if upper { text.to_uppercase() } else { text }
        };
        let offset = self.zone.map_or(0, |(zone, at)| zone.offset(at));
        let sign = if offset < 0 { '-' } else { '+' };
        let (hours, minutes) = (offset.abs() / 3600, offset.abs() / 60 % 60);
        match field {
            YearWithComma => put(out, format_args!("{},{:03}", year / 1000, year % 1000)),
            MonthName(case) => put(out, format_args!("{:width$}", cased(month, case))),
            DayName(case) => put(out, format_args!("{:width$}", cased(day, case))),
            MonthShort(case) => out.push_str(&cased(month.get(..3).unwrap_or(month), case)),
            DayShort(case) => out.push_str(&cased(day.get(..3).unwrap_or(day), case)),
            Noon(upper, dots) => {
                out.push_str(&dotted(if self.second < DAY_SECONDS / 2 { "am" } else { "pm" }, upper, dots));
            }
            Era(upper, dots) => out.push_str(&dotted(if year > 0 { "ad" } else { "bc" }, upper, dots)),
            ZoneName(upper) => {
                let name = self.zone.map(|(zone, at)| zone.abbreviation(at)).unwrap_or_default();
                out.push_str(&if upper { name } else { name.to_lowercase() });
            }
            Offset if minutes == 0 => put(out, format_args!("{sign}{hours:02}")),
            Offset => put(out, format_args!("{sign}{hours:02}:{minutes:02}")),
            OffsetHours => put(out, format_args!("{sign}{hours:02}")),
            OffsetMinutes => put(out, format_args!("{minutes:02}")),
            _ => {}
        }
    }
}

fn cased(name: &str, case: Case) -> String {
    match case {
        Upper => name.to_uppercase(),
        Capital => name.to_owned(),
        Lower => name.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a real PostgreSQL writes for 2024-03-01 15:06:07.123456 in Berlin.
    #[test]
    fn patterns() {
        let zone = Zone::parse("Europe/Berlin").unwrap();
        let instant = 1_709_301_967;
        let local = zone.local(instant, 1);
        let moment = Moment {
            day: local.div_euclid(DAY_SECONDS),
            second: local.rem_euclid(DAY_SECONDS),
            micros: 123_456,
            zone: Some((zone, instant)),
        };
        for (pattern, expected) in [
            ("YYYY-MM-DD\"T\"HH24:MI:SS.US", "2024-03-01T15:06:07.123456"),
            ("Day, DD Month YYYY HH12:MI AM", "Friday   , 01 March     2024 03:06 PM"),
            ("FMDay, FMDD FMMonth YYYY", "Friday, 1 March 2024"),
            ("Dy Mon D ID Q WW IW IYYY DDD J", "Fri Mar 6 5 1 09 09 2024 061 2460371"),
            ("DY MON mon dy am p.m.", "FRI MAR mar fri pm p.m."),
            ("FMDDth Y,YYY YY CC W", "1st 2,024 24 21 1"),
            ("MS FF2 SSSSS", "123 12 54367"),
            ("TZ tz OF TZH:TZM", "CET cet +01 +01:00"),
            ("100% \\\"x\\\"", "100% \"x\""),
            ("", ""),
        ] {
            let mut out = String::new();
            pieces(pattern).unwrap().iter().for_each(|piece| moment.put(piece, &mut out));
            assert_eq!(out, expected, "{pattern}");
        }
        assert!(pieces("RM").is_err());
    }
}
