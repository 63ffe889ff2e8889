//! Writes a time by a pattern.

use super::{MONTHS, Part, Pattern, Piece, WEEKDAYS};
use crate::render::number::write_integer;
use crate::scalar::datetime::calendar::{civil_from_days, day_of_year, iso_week, weekday};
use crate::scalar::datetime::zone::Zone;

const DAY_MILLIS: i64 = 86_400_000;

/// A local time in the parts that patterns ask for.
pub(super) struct Moment {
    days: i64,
    year: i64,
    month: u32,
    day: u32,
    millis: i64,
    /// The zone and the instant in seconds.
    zone: Zone,
    instant: i64,
}

impl Moment {
    /// The moment of an instant (in milliseconds) as clocks in the zone show it.
    pub(super) fn new(instant: i64, zone: Zone) -> Self {
        let local = zone.local(instant, 1000);
        let days = local.div_euclid(DAY_MILLIS);
        let (year, month, day) = civil_from_days(days);
        Self {
            days,
            year,
            month,
            day,
            millis: local.rem_euclid(DAY_MILLIS),
            zone,
            instant: instant.div_euclid(1000),
        }
    }

    fn part(&self, part: Part) -> i64 {
        let hour = self.millis / 3_600_000;
        match part {
            Part::Year => self.year,
            Part::YearOfEra => {
                if self.year > 0 {
                    self.year
                } else {
                    1 - self.year
                }
            }
            Part::Century => (if self.year > 0 { self.year } else { 1 - self.year }) / 100,
            Part::WeekYear => iso_week(self.days).0,
            Part::Month => self.month.into(),
            Part::Week => iso_week(self.days).1,
            Part::Day => self.day.into(),
            Part::DayOfYear => day_of_year(self.days),
            Part::DayOfWeek => weekday(self.days),
            Part::Hour => hour,
            Part::ClockHour => {
                if hour == 0 {
                    24
                } else {
                    hour
                }
            }
            Part::HalfHour => hour % 12,
            Part::ClockHalfHour => (hour + 11) % 12 + 1,
            Part::Minute => self.millis / 60_000 % 60,
            Part::Second => self.millis / 1000 % 60,
        }
    }

    fn month_name(&self) -> &'static str {
        usize::try_from(self.month)
            .ok()
            .and_then(|m| MONTHS.get(m.checked_sub(1)?))
            .copied()
            .unwrap_or_default()
    }

    fn weekday_name(&self) -> &'static str {
        usize::try_from(weekday(self.days) - 1)
            .ok()
            .and_then(|d| WEEKDAYS.get(d))
            .copied()
            .unwrap_or_default()
    }
}

impl Pattern {
    /// Appends the moment in this form.
    pub(super) fn print(&self, moment: &Moment, out: &mut String) {
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Number { part, min, .. } => write_padded(moment.part(*part), *min, out),
                Piece::ShortYear { week, .. } => {
                    let year = moment.part(if *week { Part::WeekYear } else { Part::Year });
                    write_padded(year.abs() % 100, 2, out);
                }
                Piece::Fraction { min, max } => write_fraction(moment.millis % 1000, *min, *max, out),
                Piece::Month { short } => out.push_str(shorten(moment.month_name(), *short)),
                Piece::Weekday { short } => out.push_str(shorten(moment.weekday_name(), *short)),
                Piece::HalfDay => out.push_str(if moment.millis < DAY_MILLIS / 2 { "AM" } else { "PM" }),
                Piece::Era => out.push_str(if moment.year > 0 { "AD" } else { "BC" }),
                Piece::Offset { colon } => write_offset(moment.zone.offset(moment.instant), *colon, out),
                Piece::ZoneId => out.push_str(&moment.zone.name()),
                Piece::ZoneName => out.push_str(&moment.zone.abbreviation(moment.instant)),
            }
        }
    }
}

fn shorten(name: &'static str, short: bool) -> &'static str {
    if short { name.get(..3).unwrap_or(name) } else { name }
}

/// A number with at least so many digits.
fn write_padded(value: i64, width: usize, out: &mut String) {
    if value < 0 {
        out.push('-');
    }
    let digits = usize::try_from(value.unsigned_abs().checked_ilog10().unwrap_or(0)).unwrap_or(0) + 1;
    for _ in digits..width {
        out.push('0');
    }
    write_integer(value.abs(), out);
}

/// Milliseconds as a fraction with so many digits; zeros at the end beyond the fewest are left away.
fn write_fraction(millis: i64, min: usize, max: usize, out: &mut String) {
    let digits = [millis / 100, millis / 10 % 10, millis % 10];
    let significant = digits.iter().rposition(|d| *d != 0).map_or(0, |at| at + 1).min(max);
    for i in 0..significant.max(min) {
        let digit = digits.get(i).copied().unwrap_or(0);
        out.push(char::from(b'0' + u8::try_from(digit).unwrap_or(0)));
    }
}

fn write_offset(seconds: i64, colon: bool, out: &mut String) {
    out.push(if seconds < 0 { '-' } else { '+' });
    let minutes = seconds.abs() / 60;
    write_padded(minutes / 60, 2, out);
    if colon {
        out.push(':');
    }
    write_padded(minutes % 60, 2, out);
}
