//! Days and dates of the proleptic Gregorian calendar, counted from 1970-01-01.
//!
//! Plain arithmetic on 64-bit days: no year is out of reach, nothing can fail.

/// Seconds of a day.
pub(crate) const DAY_SECONDS: i64 = 86_400;

/// The day number of a date. The month and the day have to be valid ones.
pub(crate) fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    // Years begin in March here, so that the leap day is the last one.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = i64::from((month + 9) % 12);
    let day_of_year = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date of a day number.
pub(crate) fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, small(month), small(day))
}

/// Whether the year has a 29th of February.
pub(crate) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// How many days the month has.
pub(crate) fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The day number of a date, if there is such a date.
pub(crate) fn checked_days(year: i64, month: u32, day: u32) -> Option<i64> {
    let valid = (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
    (valid && year.abs() < 300_000_000).then(|| days_from_civil(year, month, day))
}

/// The day of the week: Monday is 1, Sunday 7.
pub(crate) fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

/// The day of the year, from 1.
pub(crate) fn day_of_year(days: i64) -> i64 {
    let (year, _, _) = civil_from_days(days);
    days - days_from_civil(year, 1, 1) + 1
}

/// The ISO year of weeks and the week in it.
pub(crate) fn iso_week(days: i64) -> (i64, i64) {
    // A week belongs to the year of its Thursday.
    let thursday = days - weekday(days) + 4;
    let (year, _, _) = civil_from_days(thursday);
    (year, (thursday - days_from_civil(year, 1, 1)) / 7 + 1)
}

/// The Monday of the first ISO week of a year.
pub(crate) fn first_monday(year: i64) -> i64 {
    let fourth = days_from_civil(year, 1, 4);
    fourth - weekday(fourth) + 1
}

/// How many ISO weeks a year has.
pub(crate) fn weeks_in_year(year: i64) -> i64 {
    (first_monday(year + 1) - first_monday(year)) / 7
}

/// The same day so many months later, or the month's last day if it has no such day.
pub(crate) fn add_months(days: i64, months: i64) -> Option<i64> {
    let (year, month, day) = civil_from_days(days);
    let total = year.checked_mul(12)?.checked_add(i64::from(month) - 1)?.checked_add(months)?;
    let (year, month) = (total.div_euclid(12), small(total.rem_euclid(12)) + 1);
    if year.abs() > 300_000_000 {
        return None;
    }
    Some(days_from_civil(year, month, day.min(days_in_month(year, month))))
}

fn small(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate};

    #[test]
    fn dates_and_weeks_agree_with_chrono() {
        for days in (-800_000..800_000).step_by(37) {
            let date = NaiveDate::from_num_days_from_ce_opt(days + 719_163).unwrap();
            let days = i64::from(days);
            assert_eq!(civil_from_days(days), (i64::from(date.year()), date.month(), date.day()));
            assert_eq!(days_from_civil(i64::from(date.year()), date.month(), date.day()), days);
            assert_eq!(weekday(days), i64::from(date.weekday().number_from_monday()));
            assert_eq!(
                iso_week(days),
                (i64::from(date.iso_week().year()), i64::from(date.iso_week().week()))
            );
            assert_eq!(day_of_year(days), i64::from(date.ordinal()));
        }
    }

    #[test]
    fn months_are_added_up_to_the_end_of_the_month() {
        let day = |y, m, d| days_from_civil(y, m, d);
        assert_eq!(add_months(day(2012, 10, 31), 1), Some(day(2012, 11, 30)));
        assert_eq!(add_months(day(2024, 2, 29), -12), Some(day(2023, 2, 28)));
        assert_eq!(add_months(day(2024, 2, 29), i64::MAX), None);
    }
}
