//! Single fields of dates, times and intervals: `year(x)`, `EXTRACT(HOUR FROM x)`.

use super::arithmetic::zone_of;
use super::calendar::{DAY_SECONDS, civil_from_days, day_of_year, iso_week, weekday};
use super::longs::{Prepared, longs};
use crate::registry::Family;
use crate::{Call, Scalar};
use arrow::array::ArrayRef;
use arrow::datatypes::Int64Type;
use model::{Error, Result, nearest_hint};
use sql::SqlType;
use std::cell::Cell;

/// Fields of dates and times.
pub const FAMILY: Family = Family { title: "Fields of dates and times", scalars: SCALARS, aggregates: &[] };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    DayOfWeek,
    DayOfYear,
    YearOfWeek,
    Hour,
    Minute,
    Second,
    Millisecond,
    TimezoneHour,
    TimezoneMinute,
}

const NAMES: &[(&str, Field)] = &[
    ("year", Field::Year),
    ("quarter", Field::Quarter),
    ("month", Field::Month),
    ("week", Field::Week),
    ("week_of_year", Field::Week),
    ("day", Field::Day),
    ("day_of_month", Field::Day),
    ("day_of_week", Field::DayOfWeek),
    ("dow", Field::DayOfWeek),
    ("day_of_year", Field::DayOfYear),
    ("doy", Field::DayOfYear),
    ("year_of_week", Field::YearOfWeek),
    ("yow", Field::YearOfWeek),
    ("hour", Field::Hour),
    ("minute", Field::Minute),
    ("second", Field::Second),
    ("millisecond", Field::Millisecond),
    ("timezone_hour", Field::TimezoneHour),
    ("timezone_minute", Field::TimezoneMinute),
];

const DAYS: &[&str] = &["(date) -> bigint", "(timestamp) -> bigint", "(timestamp with time zone) -> bigint"];
const DAYS_AND_MONTHS: &[&str] = &[
    "(date) -> bigint",
    "(timestamp) -> bigint",
    "(timestamp with time zone) -> bigint",
    "(interval year to month) -> bigint",
];
const DAYS_AND_SECONDS: &[&str] = &[
    "(date) -> bigint",
    "(timestamp) -> bigint",
    "(timestamp with time zone) -> bigint",
    "(interval day to second) -> bigint",
];
const TIMES: &[&str] = &[
    "(timestamp) -> bigint",
    "(timestamp with time zone) -> bigint",
    "(time) -> bigint",
    "(interval day to second) -> bigint",
];
const ZONED: &[&str] = &["(timestamp with time zone) -> bigint"];

const SCALARS: &[Scalar] = &[
    Scalar::new("year", DAYS_AND_MONTHS, named, "The year."),
    Scalar::new("quarter", DAYS, named, "The quarter of the year, 1 to 4."),
    Scalar::new("month", DAYS_AND_MONTHS, named, "The month of the year."),
    Scalar::new("week", DAYS, named, "The ISO week of the year."),
    Scalar::new("week_of_year", DAYS, named, "The ISO week of the year."),
    Scalar::new("day", DAYS_AND_SECONDS, named, "The day of the month."),
    Scalar::new("day_of_month", DAYS_AND_SECONDS, named, "The day of the month."),
    Scalar::new("day_of_week", DAYS, named, "The day of the week: Monday is 1, Sunday 7."),
    Scalar::new("dow", DAYS, named, "The day of the week: Monday is 1, Sunday 7."),
    Scalar::new("day_of_year", DAYS, named, "The day of the year."),
    Scalar::new("doy", DAYS, named, "The day of the year."),
    Scalar::new("year_of_week", DAYS, named, "The year to which the ISO week belongs."),
    Scalar::new("yow", DAYS, named, "The year to which the ISO week belongs."),
    Scalar::new("hour", TIMES, named, "The hour of the day."),
    Scalar::new("minute", TIMES, named, "The minute of the hour."),
    Scalar::new("second", TIMES, named, "The second of the minute."),
    Scalar::new("millisecond", TIMES, named, "The millisecond of the second."),
    Scalar::new("timezone_hour", ZONED, named, "The hours of the zone's offset."),
    Scalar::new("timezone_minute", ZONED, named, "The minutes of the zone's offset."),
    Scalar::new(
        "$extract",
        &[
            "(varchar, date) -> bigint",
            "(varchar, timestamp) -> bigint",
            "(varchar, timestamp with time zone) -> bigint",
            "(varchar, time) -> bigint",
            "(varchar, interval day to second) -> bigint",
            "(varchar, interval year to month) -> bigint",
        ],
        extract,
        "EXTRACT(field FROM x)",
    ),
];

impl Field {
    fn parse(text: &str) -> Result<Field> {
        let found = NAMES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
        found.map(|(_, field)| *field).ok_or_else(|| {
            Error::invalid(format!("'{text}' is not a field of a date or time"))
                .hint(nearest_hint(&text.to_lowercase(), NAMES.iter().map(|(name, _)| *name)))
        })
    }

    fn of_days(self, days: i64) -> Option<i64> {
        Some(match self {
            Field::Year => civil_from_days(days).0,
            Field::Quarter => i64::from(civil_from_days(days).1.div_ceil(3)),
            Field::Month => i64::from(civil_from_days(days).1),
            Field::Week => iso_week(days).1,
            Field::Day => i64::from(civil_from_days(days).2),
            Field::DayOfWeek => weekday(days),
            Field::DayOfYear => day_of_year(days),
            Field::YearOfWeek => iso_week(days).0,
            _ => return None,
        })
    }

    fn of_time(self, value: i64, second: i64) -> Option<i64> {
        Some(match self {
            Field::Hour => value.div_euclid(3600 * second).rem_euclid(24),
            Field::Minute => value.div_euclid(60 * second).rem_euclid(60),
            Field::Second => value.div_euclid(second).rem_euclid(60),
            Field::Millisecond => value.rem_euclid(second) / (second / 1000).max(1),
            _ => return None,
        })
    }

    /// Fields of a negative interval are negative, too.
    fn of_interval(self, millis: i64) -> Option<i64> {
        Some(match self {
            Field::Day => millis / 86_400_000,
            Field::Hour => millis % 86_400_000 / 3_600_000,
            Field::Minute => millis % 3_600_000 / 60_000,
            Field::Second => millis % 60_000 / 1000,
            Field::Millisecond => millis % 1000,
            _ => return None,
        })
    }

    fn of_months(self, months: i32) -> Option<i64> {
        match self {
            Field::Year => Some(i64::from(months / 12)),
            Field::Month => Some(i64::from(months % 12)),
            _ => None,
        }
    }
}

fn named(call: &Call<'_>) -> Result<ArrayRef> {
    let field = Field::parse(call.name)?;
    fields(call, 0, |_| Ok(field))
}

fn extract(call: &Call<'_>) -> Result<ArrayRef> {
    let mut field = Prepared::new(call, 0, Field::parse)?;
    fields(call, 1, |row| field.get(row).copied())
}

fn fields(call: &Call<'_>, index: usize, mut field: impl FnMut(usize) -> Result<Field>) -> Result<ArrayRef> {
    let sql_type = call.arg_types.get(index);
    let missing = || {
        let of = sql_type.map(ToString::to_string).unwrap_or_default();
        Error::invalid(format!("values of type {of} have no such field"))
    };
    match sql_type {
        Some(SqlType::Date) => {
            let dates = call.values::<arrow::array::Date32Array>(index)?;
            call.build::<Int64Type>(|row| {
                let Some(days) = dates.get(row) else { return Ok(None) };
                field(row)?.of_days(days.into()).map(Some).ok_or_else(missing)
            })
        }
        Some(SqlType::IntervalYearMonth) => {
            let months = call.values::<arrow::array::IntervalYearMonthArray>(index)?;
            call.build::<Int64Type>(|row| {
                let Some(months) = months.get(row) else { return Ok(None) };
                field(row)?.of_months(months).map(Some).ok_or_else(missing)
            })
        }
        Some(SqlType::IntervalDaySecond) => {
            let millis = longs(call, index)?;
            call.build::<Int64Type>(|row| {
                let Some(millis) = millis.get(row) else { return Ok(None) };
                field(row)?.of_interval(millis).map(Some).ok_or_else(missing)
            })
        }
        _ => {
            let times = longs(call, index)?;
            let (second, zone) = (times.unit, zone_of(sql_type));
            let has_date = !matches!(sql_type, Some(SqlType::Time(_)));
            let has_zone = matches!(sql_type, Some(SqlType::TimestampTz(..)));
            // Neighbours are mostly of one day: what was worked out for it serves them all.
            let last = Cell::new((Field::Year, i64::MIN, None));
            let of_day = |field: Field, days: i64| match last.get() {
                (known, day, found) if known == field && day == days => found,
                _ => {
                    let found = field.of_days(days);
                    last.set((field, days, found));
                    found
                }
            };
            call.build::<Int64Type>(|row| {
                let Some(value) = times.get(row) else { return Ok(None) };
                let field = field(row)?;
                let local = zone.local(value, second);
                let found = match field {
                    Field::TimezoneHour | Field::TimezoneMinute if has_zone => {
                        let minutes = zone.offset(value.div_euclid(second)) / 60;
                        Some(if field == Field::TimezoneHour { minutes / 60 } else { minutes % 60 })
                    }
                    _ => field.of_time(local, second).or_else(|| {
                        has_date.then(|| of_day(field, local.div_euclid(DAY_SECONDS * second)))?
                    }),
                };
                found.map(Some).ok_or_else(missing)
            })
        }
    }
}
