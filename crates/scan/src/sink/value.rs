//! The text of a partition key's value, as Trino's Hive connector writes it into folders and the catalog.

use arrow::array::cast::AsArray;
use arrow::array::{Array, ArrowPrimitiveType};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use chrono::{DateTime, NaiveDate, TimeDelta};
use model::{Error, Result};
use sql::SqlType;

/// Refuses types whose values no folder can stand for.
pub(crate) fn check_key_type(name: &str, sql_type: &SqlType) -> Result<()> {
    match sql_type {
        SqlType::Boolean
        | SqlType::TinyInt
        | SqlType::SmallInt
        | SqlType::Integer
        | SqlType::BigInt
        | SqlType::Real
        | SqlType::Double
        | SqlType::Decimal(..)
        | SqlType::Varchar(_)
        | SqlType::Char(_)
        | SqlType::Date
        | SqlType::Timestamp(_) => Ok(()),
        other => {
            Err(Error::unsupported(format!("column `{name}` of type {other} cannot be a partition key"))
                .why("the values of partition keys are written as folder names")
                .hint(format!("partition by text: CAST({name} AS varchar)")))
        }
    }
}

/// The text of the value in this row, which is not null. The array has the type's own Arrow type.
pub(crate) fn value_text(array: &dyn Array, row: usize, sql_type: &SqlType) -> Result<String> {
    let text = match sql_type {
        SqlType::Boolean => array.as_boolean_opt().map(|a| a.value(row).to_string()),
        SqlType::TinyInt => number::<Int8Type>(array, row).map(|v| v.to_string()),
        SqlType::SmallInt => number::<Int16Type>(array, row).map(|v| v.to_string()),
        SqlType::Integer => number::<Int32Type>(array, row).map(|v| v.to_string()),
        SqlType::BigInt => number::<Int64Type>(array, row).map(|v| v.to_string()),
        SqlType::Real => number::<Float32Type>(array, row).map(|v| real_text(f64::from(v), format!("{v:e}"))),
        SqlType::Double => number::<Float64Type>(array, row).map(|v| real_text(v, format!("{v:e}"))),
        SqlType::Decimal(_, scale) => number::<Decimal128Type>(array, row).map(|v| decimal_text(v, *scale)),
        SqlType::Varchar(_) => array.as_string_view_opt().map(|a| a.value(row).to_owned()),
        SqlType::Char(n) => array.as_string_view_opt().map(|a| padded(a.value(row), *n)),
        SqlType::Date => number::<Date32Type>(array, row).and_then(date_text),
        SqlType::Timestamp(_) => timestamp_text(array, row),
        _ => None,
    };
    text.ok_or_else(|| {
        Error::invalid(format!(
            "a partition key's value of type {sql_type} cannot be written as a folder name"
        ))
    })
}

fn number<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> Option<T::Native> {
    array.as_primitive_opt::<T>().map(|a| a.value(row))
}

fn padded(text: &str, width: u32) -> String {
    let missing = (width as usize).saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(missing))
}

fn decimal_text(value: i128, scale: u8) -> String {
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    let fraction = fraction.trim_end_matches('0');
    let sign = if value < 0 { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

/// A floating-point number as Java prints it; `shortest` is its shortest form with an exponent.
fn real_text(value: f64, shortest: String) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0.0" } else { "0.0" }.to_owned();
    }
    let (sign, unsigned) = shortest.strip_prefix('-').map_or(("", shortest.as_str()), |rest| ("-", rest));
    let (mantissa, exponent) = unsigned.split_once('e').unwrap_or((unsigned, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    if (-3..7).contains(&exponent) {
        return format!("{sign}{}", plain(&digits, exponent));
    }
    let (first, rest) = digits.split_at(1.min(digits.len()));
    let rest = if rest.is_empty() { "0" } else { rest };
    format!("{sign}{first}.{rest}E{exponent}")
}

/// Digits with the point behind the first `exponent + 1` of them, and at least one digit on either side.
fn plain(digits: &str, exponent: i32) -> String {
    let Ok(shift) = usize::try_from(exponent) else {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        return format!("0.{}{digits}", "0".repeat(zeros));
    };
    let padded = format!("{digits:0<width$}", width = shift + 2);
    let (whole, fraction) = padded.split_at(shift + 1);
    format!("{whole}.{fraction}")
}

fn date_text(days: i32) -> Option<String> {
    let date = NaiveDate::default().checked_add_signed(TimeDelta::try_days(i64::from(days))?)?;
    Some(date.format("%Y-%m-%d").to_string())
}

fn timestamp_text(array: &dyn Array, row: usize) -> Option<String> {
    let at = match array.data_type() {
        arrow::datatypes::DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => DateTime::from_timestamp(number::<TimestampSecondType>(array, row)?, 0)?,
            TimeUnit::Millisecond => {
                DateTime::from_timestamp_millis(number::<TimestampMillisecondType>(array, row)?)?
            }
            TimeUnit::Microsecond => {
                DateTime::from_timestamp_micros(number::<TimestampMicrosecondType>(array, row)?)?
            }
            TimeUnit::Nanosecond => {
                DateTime::from_timestamp_nanos(number::<TimestampNanosecondType>(array, row)?)
            }
        },
        _ => return None,
    };
    let seconds = at.format("%Y-%m-%d %H:%M:%S").to_string();
    let nanos = format!("{:09}", at.timestamp_subsec_nanos());
    let fraction = nanos.trim_end_matches('0');
    Some(if fraction.is_empty() { seconds } else { format!("{seconds}.{fraction}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_java_does() {
        let shown = |v: f64| real_text(v, format!("{v:e}"));
        for (value, text) in [
            (1.0, "1.0"),
            (-2.5, "-2.5"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (9_999_999.0, "9999999.0"),
            (10_000_000.0, "1.0E7"),
            (1.25e-10, "1.25E-10"),
            (123.456, "123.456"),
            (0.0, "0.0"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(shown(value), text);
        }
    }

    #[test]
    fn decimals_lose_their_trailing_zeros() {
        assert_eq!(decimal_text(12_300, 3), "12.3");
        assert_eq!(decimal_text(-5, 2), "-0.05");
        assert_eq!(decimal_text(100, 2), "1");
        assert_eq!(decimal_text(0, 0), "0");
    }

    #[test]
    fn dates_before_and_after_the_epoch() {
        assert_eq!(date_text(0).as_deref(), Some("1970-01-01"));
        assert_eq!(date_text(-1).as_deref(), Some("1969-12-31"));
        assert_eq!(date_text(i32::MAX), None);
    }
}
