//! Units of date arithmetic: cutting off to one, adding some, counting them between two times.

use super::calendar::{
    DAY_SECONDS, add_months, civil_from_days, days_from_civil, days_in_month, is_leap, weekday,
};
use model::{Error, Result, nearest_hint};

/// A unit of `date_trunc`, `date_add` and `date_diff`, from the smallest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

const NAMES: &[(&str, Unit)] = &[
    ("millisecond", Unit::Millisecond),
    ("second", Unit::Second),
    ("minute", Unit::Minute),
    ("hour", Unit::Hour),
    ("day", Unit::Day),
    ("week", Unit::Week),
    ("month", Unit::Month),
    ("quarter", Unit::Quarter),
    ("year", Unit::Year),
];

impl Unit {
    /// Reads a unit's name.
    pub(crate) fn parse(text: &str) -> Result<Unit> {
        NAMES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, unit)| *unit).ok_or_else(
            || {
                Error::invalid(format!("'{text}' is not a unit of time"))
                    .why(
                        "the units are millisecond, second, minute, hour, day, week, month, quarter and year",
                    )
                    .hint(nearest_hint(&text.to_lowercase(), NAMES.iter().map(|(name, _)| *name)))
            },
        )
    }

    /// Whether it is a part of a day.
    pub(crate) fn is_time(self) -> bool {
        self <= Unit::Hour
    }

    fn name(self) -> &'static str {
        NAMES.iter().find(|(_, unit)| *unit == self).map_or("", |(name, _)| name)
    }

    /// Refuses units that values of this type do not have.
    pub(crate) fn of_date(self) -> Result<Unit> {
        if self.is_time() {
            return Err(Error::invalid(format!("a date has no {}s", self.name()))
                .hint("cast it first: CAST(x AS timestamp)"));
        }
        Ok(self)
    }

    /// Refuses units that a time of day does not have.
    pub(crate) fn of_time(self) -> Result<Unit> {
        if self.is_time() {
            return Ok(self);
        }
        Err(Error::invalid(format!("a time of day has no {}s", self.name())))
    }

    /// How long it is, if always the same, in units of which `second` make a second.
    fn length(self, second: i64) -> Option<i64> {
        Some(match self {
            Unit::Millisecond => second / 1000,
            Unit::Second => second,
            Unit::Minute => 60 * second,
            Unit::Hour => 3600 * second,
            Unit::Day => DAY_SECONDS * second,
            Unit::Week => 7 * DAY_SECONDS * second,
            Unit::Month | Unit::Quarter | Unit::Year => return None,
        })
    }

    fn months(self) -> i64 {
        match self {
            Unit::Year => 12,
            Unit::Quarter => 3,
            _ => 1,
        }
    }

    /// The first day of the unit that holds this day.
    pub(crate) fn truncate_days(self, days: i64) -> i64 {
        if self == Unit::Week {
            return days - weekday(days) + 1;
        }
        if self < Unit::Week {
            return days;
        }
        let (year, month, day) = civil_from_days(days);
        match self {
            Unit::Month => days - i64::from(day) + 1,
            Unit::Quarter => days_from_civil(year, (month - 1) / 3 * 3 + 1, 1),
            _ => days_from_civil(year, 1, 1),
        }
    }

    /// The beginning of the unit that holds this local time.
    pub(crate) fn truncate(self, value: i64, second: i64) -> i64 {
        if self <= Unit::Day {
            let length = self.length(second).unwrap_or(1).max(1);
            return value.saturating_sub(value.rem_euclid(length));
        }
        let day = DAY_SECONDS * second;
        self.truncate_days(value.div_euclid(day)).saturating_mul(day)
    }

    /// The day so many units later.
    pub(crate) fn add_days(self, days: i64, amount: i64) -> Option<i64> {
        match self {
            Unit::Week => days.checked_add(amount.checked_mul(7)?),
            Unit::Month | Unit::Quarter | Unit::Year => add_months(days, amount.checked_mul(self.months())?),
            _ => days.checked_add(amount),
        }
    }

    /// The local time so many units later.
    pub(crate) fn add(self, value: i64, amount: i64, second: i64) -> Option<i64> {
        if self.is_time() {
            return value.checked_add(amount.checked_mul(self.length(second)?)?);
        }
        let day = DAY_SECONDS * second;
        let days = self.add_days(value.div_euclid(day), amount)?;
        days.checked_mul(day)?.checked_add(value.rem_euclid(day))
    }

    /// How many whole units lie between two local times; negative if `to` is the earlier one.
    pub(crate) fn between(self, from: i64, to: i64, second: i64) -> Option<i64> {
        if let Some(length) = self.length(second) {
            return to.checked_sub(from)?.checked_div(length);
        }
        if to < from {
            return self.between(to, from, second).map(|n| -n);
        }
        Some(match self {
            Unit::Year => years_between(from, to, second),
            _ => months_between(from, to, second) / self.months(),
        })
    }
}

/// Whole months: the last day of a short month counts as the same day of a longer one.
fn months_between(from: i64, to: i64, second: i64) -> i64 {
    let day = DAY_SECONDS * second;
    let (year1, month1, mut day1) = civil_from_days(from.div_euclid(day));
    let (year2, month2, day2) = civil_from_days(to.div_euclid(day));
    if day2 == days_in_month(year2, month2) && day1 > day2 {
        day1 = day2;
    }
    let months = (year2 - year1) * 12 + i64::from(month2) - i64::from(month1);
    let rest1 = (day1, from.rem_euclid(day));
    let rest2 = (day2, to.rem_euclid(day));
    months - i64::from(rest2 < rest1)
}

/// Whole years: days behind a leap day are compared as if there were none.
fn years_between(from: i64, to: i64, second: i64) -> i64 {
    let day = DAY_SECONDS * second;
    let (year1, year2) = (civil_from_days(from.div_euclid(day)).0, civil_from_days(to.div_euclid(day)).0);
    let mut rest1 = from - days_from_civil(year1, 1, 1) * day;
    let mut rest2 = to - days_from_civil(year2, 1, 1) * day;
    let leap_day = 59 * day;
    if rest1 >= leap_day {
        if is_leap(year1) {
            if !is_leap(year2) {
                rest1 -= day;
            }
        } else if rest2 >= leap_day && is_leap(year2) {
            rest2 -= day;
        }
    }
    year2 - year1 - i64::from(rest2 < rest1)
}
