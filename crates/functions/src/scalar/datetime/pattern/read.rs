//! Reads a time by a pattern, as Joda does: what the pattern leaves open is that of 1970-01-01 00:00, or the year 2000 if
//! a month or day is given without one.

use super::{MONTHS, Part, Pattern, Piece, WEEKDAYS};
use crate::scalar::datetime::calendar::{
    checked_days, civil_from_days, days_from_civil, days_in_month, first_monday, is_leap, iso_week, weekday,
    weeks_in_year,
};
use crate::scalar::datetime::parse::Cursor;
use crate::scalar::datetime::zone::{Zone, fixed_offset};

/// What was read so far.
#[derive(Debug, Default)]
struct Fields {
    year: Option<i64>,
    year_of_era: Option<i64>,
    century: Option<i64>,
    before_christ: bool,
    week_year: Option<i64>,
    month: Option<i64>,
    week: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    day_of_week: Option<i64>,
    hour: Option<i64>,
    half_hour: Option<i64>,
    afternoon: bool,
    minute: i64,
    second: i64,
    millis: i64,
    zone: Option<Zone>,
}

/// A local time in milliseconds, and its zone if one was read; else what is wrong with the text.
pub(super) type Read = Result<(i64, Option<Zone>), String>;

impl Pattern {
    /// Reads the whole text. `pivot` is the year near which short years lie if the pattern does not say.
    pub(super) fn read(&self, text: &str, pivot: i64) -> Read {
        let mut cursor = Cursor::new(text);
        let mut fields = Fields::default();
        for piece in &self.pieces {
            let rest = cursor.rest();
            if fields.piece(piece, &mut cursor, pivot)?.is_none() {
                return Err(match rest {
                    "" => "it is too short".to_owned(),
                    rest => format!("it does not fit at '{rest}'"),
                });
            }
        }
        if !cursor.done() {
            return Err(format!("'{}' is left over", cursor.rest()));
        }
        Ok((fields.local()?, fields.zone))
    }
}

/// The number, if it lies in the range.
fn within(value: i64, low: i64, high: i64, what: &str) -> Result<i64, String> {
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    Err(format!("{value} is not a valid {what}: it is {low} to {high}"))
}

impl Fields {
    /// Reads one piece; nothing if the text does not fit.
    fn piece(&mut self, piece: &Piece, cursor: &mut Cursor<'_>, pivot: i64) -> Result<Option<()>, String> {
        match piece {
            Piece::Literal(text) => return Ok(cursor.literal(text).then_some(())),
            Piece::Number { part, max, .. } => {
                let signed = matches!(part, Part::Year | Part::WeekYear);
                let Some(value) = number(cursor, *max, signed) else { return Ok(None) };
                self.set(*part, value)?;
            }
            Piece::ShortYear { week, pivot: own, lenient } => {
                let Some(year) = short_year(cursor, own.unwrap_or(pivot), *lenient) else { return Ok(None) };
                *(if *week { &mut self.week_year } else { &mut self.year }) = Some(year);
            }
            Piece::Fraction { max, .. } => {
                let Some(digits) = cursor.digits(0, *max) else { return Ok(None) };
                let digit = |i: usize| digits.as_bytes().get(i).map_or(0, |d| i64::from(d - b'0'));
                self.millis = digit(0) * 100 + digit(1) * 10 + digit(2);
            }
            Piece::Month { .. } => {
                let Some(month) = cursor.name(&MONTHS) else { return Ok(None) };
                self.month = Some(month);
            }
            Piece::Weekday { .. } => {
                let Some(day) = cursor.name(&WEEKDAYS) else { return Ok(None) };
                self.day_of_week = Some(day);
            }
            Piece::HalfDay => match cursor.one_of(&["AM", "PM"]) {
                Some(half) => self.afternoon = half == 1,
                None => return Ok(None),
            },
            Piece::Era => match cursor.one_of(&["BCE", "BC", "AD", "CE"]) {
                Some(era) => self.before_christ = era < 2,
                None => return Ok(None),
            },
            Piece::Offset { .. } => {
                let Some(zone) = offset(cursor) else { return Ok(None) };
                self.zone = Some(zone);
            }
            Piece::ZoneId => {
                let Some(zone) = zone_id(cursor) else { return Ok(None) };
                self.zone = Some(zone);
            }
            Piece::ZoneName => {
                let Some(zone) = zone_name(cursor) else { return Ok(None) };
                self.zone = Some(zone);
            }
        }
        Ok(Some(()))
    }

    fn set(&mut self, part: Part, value: i64) -> Result<(), String> {
        match part {
            Part::Year => self.year = Some(value),
            Part::YearOfEra => self.year_of_era = Some(value),
            Part::Century => self.century = Some(value),
            Part::WeekYear => self.week_year = Some(value),
            Part::Month => self.month = Some(within(value, 1, 12, "month")?),
            Part::Week => self.week = Some(within(value, 1, 53, "week")?),
            Part::Day => self.day = Some(within(value, 1, 31, "day")?),
            Part::DayOfYear => self.day_of_year = Some(within(value, 1, 366, "day of the year")?),
            Part::DayOfWeek => self.day_of_week = Some(within(value, 1, 7, "day of the week")?),
            Part::Hour => self.hour = Some(within(value, 0, 23, "hour")?),
            Part::ClockHour => self.hour = Some(within(value, 1, 24, "hour")? % 24),
            Part::HalfHour => self.half_hour = Some(within(value, 0, 11, "hour")?),
            Part::ClockHalfHour => self.half_hour = Some(within(value, 1, 12, "hour")? % 12),
            Part::Minute => self.minute = within(value, 0, 59, "minute")?,
            Part::Second => self.second = within(value, 0, 59, "second")?,
        }
        Ok(())
    }

    fn year(&self) -> Option<i64> {
        if self.year.is_some() {
            return self.year;
        }
        let year = match (self.year_of_era, self.century) {
            (Some(year), _) => year,
            (None, Some(century)) => century * 100,
            (None, None) => return None,
        };
        Some(if self.before_christ { 1 - year } else { year })
    }

    fn days(&self) -> Result<i64, String> {
        let date_given = [self.month, self.day, self.day_of_year, self.day_of_week, self.week];
        let year = match self.year() {
            Some(year) => Some(year),
            None if self.week_year.is_none() && date_given.iter().any(Option::is_some) => Some(2000),
            None => None,
        };
        let mut days = year.map_or(0, |year| days_from_civil(year, 1, 1));
        if let Some(week_year) = self.week_year {
            days = first_monday(week_year);
        }
        if let Some(week) = self.week {
            let (year, _) = iso_week(days);
            within(week, 1, weeks_in_year(year), "week of that year")?;
            days = first_monday(year) + (week - 1) * 7;
        }
        if let Some(day) = self.day_of_year {
            let (year, ..) = civil_from_days(days);
            within(day, 1, if is_leap(year) { 366 } else { 365 }, "day of that year")?;
            days = days_from_civil(year, 1, 1) + day - 1;
        }
        if self.month.is_some() || self.day.is_some() {
            let (year, month, day) = civil_from_days(days);
            let month = self.month.map_or(month, small);
            let length = days_in_month(year, month);
            let day = match self.day {
                Some(day) => small(within(day, 1, length.into(), "day of that month")?),
                None => day.min(length),
            };
            days = checked_days(year, month, day).ok_or("its year is too far away")?;
        }
        if let Some(day) = self.day_of_week {
            days += day - weekday(days);
        }
        Ok(days)
    }

    fn local(&self) -> Result<i64, String> {
        let hour =
            self.hour.unwrap_or_else(|| self.half_hour.unwrap_or(0) + if self.afternoon { 12 } else { 0 });
        let time = ((hour * 60 + self.minute) * 60 + self.second) * 1000 + self.millis;
        let days = self.days()?.checked_mul(86_400_000);
        days.and_then(|days| days.checked_add(time)).ok_or_else(|| "its year is too far away".to_owned())
    }
}

fn small(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

fn number(cursor: &mut Cursor<'_>, max: usize, signed: bool) -> Option<i64> {
    let negative = signed && cursor.take(b'-');
    if signed && !negative {
        cursor.take(b'+');
    }
    let value = cursor.number(1, max.min(18))?;
    Some(if negative { -value } else { value })
}

/// Two digits, read as the year with these last digits that lies from fifty years before the pivot on.
fn short_year(cursor: &mut Cursor<'_>, pivot: i64, lenient: bool) -> Option<i64> {
    if lenient {
        let digits = cursor.rest().bytes().take_while(u8::is_ascii_digit).count();
        if digits != 2 {
            return number(cursor, 9, true);
        }
    }
    let short = cursor.number(2, 2)?;
    let low = pivot - 50;
    let base = low - low.rem_euclid(100);
    Some(if base + short < low { base + 100 + short } else { base + short })
}

fn offset(cursor: &mut Cursor<'_>) -> Option<Zone> {
    if cursor.take(b'Z') || cursor.take(b'z') {
        return Some(Zone::UTC);
    }
    let length = cursor.rest().bytes().take_while(|b| b.is_ascii_digit() || b"+-:".contains(b)).count();
    let text = cursor.rest().get(..length)?;
    let seconds = fixed_offset(text)?;
    cursor.skip(length);
    Some(Zone::Fixed(seconds))
}

/// The longest name of a zone that stands here.
fn zone_id(cursor: &mut Cursor<'_>) -> Option<Zone> {
    let rest = cursor.rest();
    let fits = |b: &u8| b.is_ascii_alphanumeric() || b"_/+-:".contains(b);
    let longest = rest.bytes().take_while(|b| fits(b)).count();
    let found = (1..=longest).rev().find_map(|length| Some((length, Zone::find(rest.get(..length)?)?)));
    let (length, zone) = found?;
    cursor.skip(length);
    Some(zone)
}

fn zone_name(cursor: &mut Cursor<'_>) -> Option<Zone> {
    const NAMES: [(&str, i32); 11] = [
        ("UTC", 0),
        ("GMT", 0),
        ("UT", 0),
        ("EST", -5),
        ("EDT", -4),
        ("CST", -6),
        ("CDT", -5),
        ("MST", -7),
        ("MDT", -6),
        ("PST", -8),
        ("PDT", -7),
    ];
    let at = cursor.one_of(&NAMES.map(|(name, _)| name))?;
    Some(Zone::Fixed(NAMES.get(at)?.1 * 3600))
}

impl Cursor<'_> {
    fn starts_with(&self, text: &str) -> bool {
        let start = self.rest().as_bytes().get(..text.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(text.as_bytes()))
    }

    fn literal(&mut self, text: &str) -> bool {
        let found = self.starts_with(text);
        if found {
            self.skip(text.len());
        }
        found
    }

    fn one_of(&mut self, texts: &[&str]) -> Option<usize> {
        let found = texts.iter().position(|text| self.starts_with(text))?;
        self.skip(texts.get(found)?.len());
        Some(found)
    }

    /// The number, from 1, of the name that stands here in full or by its first three letters.
    fn name(&mut self, names: &[&str]) -> Option<i64> {
        let at = self.one_of(names).or_else(|| {
            let short: Vec<&str> = names.iter().map(|n| n.get(..3).unwrap_or(n)).collect();
            self.one_of(&short)
        })?;
        i64::try_from(at + 1).ok()
    }
}
