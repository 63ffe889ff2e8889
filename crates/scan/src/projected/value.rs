//! The values that one column of a projection can have.

use super::dates::{Pattern, Unit};
use super::property;
use crate::columns::ScanColumn;
use crate::prune::Bounds;
use catalog::Parameters;
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, Utc};
use datafusion::common::ScalarValue;
use model::{Error, Result};
use sql::SqlType;

/// How a column's values are made.
#[derive(Debug, Clone)]
pub(super) enum Values {
    /// One of these.
    Enum(Vec<String>),
    /// A range of whole numbers, written with at least so many digits.
    Integer { low: i64, high: i64, step: i64, digits: usize },
    /// A range of dates in steps; the limits may be relative to now.
    Date { low: String, high: String, pattern: Pattern, step: i64, unit: Unit },
    /// Whatever the query asks for.
    Injected,
}

/// A value: as a folder is named by it, and as the column's type reads it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    pub(super) folder: String,
    pub(super) value: String,
}

impl From<String> for Candidate {
    fn from(text: String) -> Self {
        Self { folder: text.clone(), value: text }
    }
}

impl Values {
    pub(super) fn of(parameters: &Parameters, column: &ScanColumn) -> Result<Self> {
        let name = &column.name;
        let get =
            |what: &str| property(parameters, &format!("projection.{name}.{what}")).filter(|v| !v.is_empty());
        let need = |what: &str| {
            get(what).ok_or_else(|| {
                Error::invalid(format!("the property `projection.{name}.{what}` is missing")).hint(
                    "every partition column of a table with projection needs a type and what belongs to it",
                )
            })
        };
        let wrong = |what: &str, value: &str, hint: &str| {
            Error::invalid(format!("`{value}` is no value for the property `projection.{name}.{what}`"))
                .hint(hint)
        };
        let number = |what: &str, default: i64| match get(what) {
            None => Ok(default),
            Some(text) => text
                .parse::<i64>()
                .ok()
                .filter(|number| *number > 0)
                .ok_or_else(|| wrong(what, text, "write a whole number, at least 1")),
        };
        let range = || {
            let text = need("range")?;
            let parts: Vec<&str> = text.split(',').map(str::trim).collect();
            match parts.as_slice() {
                [low, high] => Ok((low.to_string(), high.to_string())),
                _ => Err(wrong("range", text, "write the first and the last value, with a comma between")),
            }
        };
        match need("type")?.to_lowercase().as_str() {
            "enum" => {
                Ok(Self::Enum(need("values")?.split(',').map(|value| value.trim().to_owned()).collect()))
            }
            "integer" => {
                let (low, high) = range()?;
                let limit = |text: &str| {
                    text.parse::<i64>().map_err(|_| wrong("range", text, "write whole numbers, such as 1,12"))
                };
                let digits = usize::try_from(number("digits", 1)?).unwrap_or(usize::MAX).min(19);
                Ok(Self::Integer {
                    low: limit(&low)?,
                    high: limit(&high)?,
                    step: number("interval", 1)?,
                    digits,
                })
            }
            "date" => {
                let (low, high) = range()?;
                let pattern = Pattern::new(need("format")?)?;
                let unit = match (get("interval.unit"), pattern.unit) {
                    (Some(text), _) => Unit::parse(text).ok_or_else(|| {
                        wrong(
                            "interval.unit",
                            text,
                            "write YEARS, MONTHS, WEEKS, DAYS, HOURS, MINUTES or SECONDS",
                        )
                    })?,
                    (None, unit @ (Unit::Days | Unit::Months)) => unit,
                    (None, _) => need("interval.unit").map(|_| pattern.unit)?,
                };
                let step = match unit {
                    _ if get("interval").is_some() => number("interval", 1)?,
                    Unit::Days | Unit::Months => 1,
                    _ => need("interval").map(|_| 1)?,
                };
                for text in [&low, &high] {
                    if pattern.limit(text, DateTime::UNIX_EPOCH).is_none() {
                        return Err(wrong(
                            "range",
                            text,
                            "write dates in the column's format, or NOW, NOW-3YEARS",
                        ));
                    }
                }
                Ok(Self::Date { low, high, pattern, step, unit })
            }
            "injected" => Ok(Self::Injected),
            other => Err(wrong("type", other, "write enum, integer, date or injected")),
        }
    }

    /// The values within these bounds, as texts for the folders; others may be among them. None when there are more
    /// than `most`.
    pub(super) fn candidates(
        &self,
        column: &ScanColumn,
        bounds: &Bounds,
        now: DateTime<Utc>,
        most: usize,
    ) -> Result<Option<Vec<Candidate>>> {
        Ok(match self {
            Self::Enum(values) => Some(values.iter().cloned().map(Candidate::from).collect()),
            Self::Integer { low, high, step, digits } => integers(*low, *high, *step, bounds, most)
                .map(|all| all.into_iter().map(|number| padded(number, *digits).into()).collect()),
            Self::Date { low, high, pattern, step, unit } => {
                let limit = |text: &str| {
                    pattern.limit(text, now).ok_or_else(|| Error::internal("a range of dates cannot be read"))
                };
                dates(&(limit(low)?, limit(high)?), pattern, *step, *unit, column, bounds, most)
            }
            Self::Injected => Some(injected(column, bounds)?.into_iter().map(Candidate::from).collect()),
        })
    }
}

fn padded(number: i64, digits: usize) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{:0>digits$}", number.unsigned_abs())
}

fn integers(low: i64, high: i64, step: i64, bounds: &Bounds, most: usize) -> Option<Vec<i64>> {
    let belongs = |number: i64| {
        (low..=high).contains(&number) && (i128::from(number) - i128::from(low)) % i128::from(step) == 0
    };
    if let Some(points) = &bounds.points {
        return Some(points.iter().filter_map(whole).filter(|number| belongs(*number)).collect());
    }
    // Limits of texts are in another order than numbers.
    let limit = |value: &Option<ScalarValue>| {
        value.as_ref().filter(|value| value.data_type().is_integer()).and_then(whole)
    };
    let first = match limit(&bounds.low) {
        Some(wanted) if wanted > low => {
            let steps = (i128::from(wanted) - i128::from(low) + i128::from(step) - 1) / i128::from(step);
            i64::try_from(i128::from(low) + steps * i128::from(step)).ok()
        }
        _ => Some(low),
    };
    let Some(first) = first else { return Some(Vec::new()) };
    let last = limit(&bounds.high).map_or(high, |wanted| wanted.min(high));
    let mut all = Vec::new();
    let mut at = Some(first).filter(|at| *at <= last);
    while let Some(number) = at {
        if all.len() == most {
            return None;
        }
        all.push(number);
        at = number.checked_add(step).filter(|next| *next <= last);
    }
    Some(all)
}

/// A whole number, also as a text.
fn whole(value: &ScalarValue) -> Option<i64> {
    match value.try_as_str() {
        Some(text) => text?.trim().parse().ok(),
        None => match value.cast_to(&arrow::datatypes::DataType::Int64).ok()? {
            ScalarValue::Int64(number) => number,
            _ => None,
        },
    }
}

fn dates(
    range: &(NaiveDateTime, NaiveDateTime),
    pattern: &Pattern,
    step: i64,
    unit: Unit,
    column: &ScanColumn,
    bounds: &Bounds,
    most: usize,
) -> Option<Vec<Candidate>> {
    let (low, high) = *range;
    let of_date = column.sql_type == SqlType::Date;
    // A date column's bounds skip what lies before and behind, but for the value that they fall into.
    let limit = |value: &Option<ScalarValue>| value.as_ref().and_then(day);
    let (from, to) = match of_date {
        true => (limit(&bounds.low), limit(&bounds.high)),
        false => (None, None),
    };
    let mut all: Vec<Candidate> = Vec::new();
    for count in 0i64.. {
        let Some(at) = count.checked_mul(step).and_then(|count| unit.after(low, count)) else { break };
        if at > high || to.is_some_and(|to| at.date() > to) {
            break;
        }
        if from.is_some_and(|from| unit.after(at, step).is_some_and(|next| next.date() < from)) {
            continue;
        }
        if all.len() == most {
            return None;
        }
        let folder = pattern.format(at);
        let value = if of_date { at.date().to_string() } else { folder.clone() };
        let one = Candidate { folder, value };
        if all.last() != Some(&one) {
            all.push(one);
        }
    }
    Some(all)
}

fn day(value: &ScalarValue) -> Option<NaiveDate> {
    let ScalarValue::Date32(Some(days)) = value else { return None };
    let size = Days::new(u64::from(days.unsigned_abs()));
    let start = NaiveDate::default();
    if *days < 0 { start.checked_sub_days(size) } else { start.checked_add_days(size) }
}

fn injected(column: &ScanColumn, bounds: &Bounds) -> Result<Vec<String>> {
    let points = bounds.points.as_ref().ok_or_else(|| {
        Error::invalid(format!(
            "the query must say which values of the partition column `{}` it wants",
            column.name
        ))
        .why("the column's values are injected: the table does not know which there are")
        .hint(format!("add a condition such as {} = 'x' or {} IN ('x', 'y')", column.name, column.name))
    })?;
    let mut texts: Vec<String> = points
        .iter()
        .filter(|value| !value.is_null())
        .map(|value| match value.try_as_str() {
            Some(text) => text.unwrap_or_default().to_owned(),
            None => match day(value) {
                Some(date) => date.to_string(),
                None => value.to_string(),
            },
        })
        .collect();
    texts.sort();
    texts.dedup();
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_within_bounds() {
        let with = |low: Option<i64>, high: Option<i64>, points: Option<Vec<i64>>| {
            let value = |n: i64| ScalarValue::Int64(Some(n));
            let bounds = Bounds {
                points: points.map(|points| points.into_iter().map(value).collect()),
                low: low.map(value),
                high: high.map(value),
            };
            integers(10, 100, 20, &bounds, 100).unwrap()
        };
        assert_eq!(with(None, None, None), [10, 30, 50, 70, 90]);
        assert_eq!(with(Some(31), Some(70), None), [50, 70]);
        assert_eq!(with(None, None, Some(vec![30, 31, 110])), [30]);
        assert_eq!(with(Some(200), None, None), [] as [i64; 0]);
        assert!(integers(0, i64::MAX, 1, &Bounds::default(), 1000).is_none());
        assert_eq!(padded(7, 3), "007");
    }
}
