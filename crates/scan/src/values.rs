//! Partition values: from the texts that name folders to values of the column's type.

use chrono::{NaiveDate, NaiveDateTime};
use datafusion::common::ScalarValue;
use model::{Error, Result};
use sql::SqlType;

/// How Hive writes a missing value.
pub(crate) const NULL_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// The value that a folder's name means for a column of that type.
pub(crate) fn parse(text: &str, sql_type: &SqlType, column: &str) -> Result<ScalarValue> {
    if text == NULL_VALUE {
        return null(sql_type);
    }
    let parsed = match sql_type {
        SqlType::Varchar(_) => Some(ScalarValue::Utf8View(Some(text.to_owned()))),
        // Values of `char(n)` carry no trailing spaces.
        SqlType::Char(_) => Some(ScalarValue::Utf8View(Some(text.trim_end_matches(' ').to_owned()))),
        SqlType::TinyInt => number(text).map(|n| ScalarValue::Int8(Some(n))),
        SqlType::SmallInt => number(text).map(|n| ScalarValue::Int16(Some(n))),
        SqlType::Integer => number(text).map(|n| ScalarValue::Int32(Some(n))),
        SqlType::BigInt => number(text).map(|n| ScalarValue::Int64(Some(n))),
        SqlType::Real => number(text).map(|n| ScalarValue::Float32(Some(n))),
        SqlType::Double => number(text).map(|n| ScalarValue::Float64(Some(n))),
        SqlType::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" => Some(ScalarValue::Boolean(Some(true))),
            "false" => Some(ScalarValue::Boolean(Some(false))),
            _ => None,
        },
        SqlType::Date => date(text).map(|date| ScalarValue::Date32(Some(days(date)))),
        SqlType::Timestamp(_) => timestamp(text).and_then(|at| {
            ScalarValue::TimestampNanosecond(Some(at.and_utc().timestamp_nanos_opt()?), None)
                .cast_to(&sql_type.to_arrow())
                .ok()
        }),
        SqlType::Decimal(..) => decimal(text)
            .then(|| ScalarValue::Utf8(Some(text.trim().to_owned())).cast_to(&sql_type.to_arrow()).ok())
            .flatten(),
        SqlType::Varbinary => Some(ScalarValue::BinaryView(Some(text.as_bytes().to_vec()))),
        _ => None,
    };
    parsed.ok_or_else(|| {
        let shown: String = text.chars().take(80).collect();
        Error::invalid(format!("the partition value `{shown}` of the column `{column}` is no {sql_type}"))
            .hint("give the partition column the type string, or drop that partition from the table")
    })
}

/// The missing value of that type.
pub(crate) fn null(sql_type: &SqlType) -> Result<ScalarValue> {
    ScalarValue::try_from(sql_type.to_arrow()).map_err(crate::error)
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.trim().parse().ok()
}

fn decimal(text: &str) -> bool {
    let digits = text.trim().trim_start_matches(['+', '-']);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

fn date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok()
}

/// The days since 1970.
pub(crate) fn days(date: NaiveDate) -> i32 {
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    i32::try_from(days).unwrap_or(i32::MAX)
}

fn timestamp(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim().trim_end_matches('Z').replacen('T', " ", 1);
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok())
        .or_else(|| date(&text)?.and_hms_opt(0, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_columns_type() {
        let parsed = |text: &str, sql_type: SqlType| parse(text, &sql_type, "c").unwrap();
        assert_eq!(parsed("007", SqlType::Integer), ScalarValue::Int32(Some(7)));
        assert_eq!(parsed("1970-01-03", SqlType::Date), ScalarValue::Date32(Some(2)));
        assert_eq!(
            parsed("1970-01-01 00:00:01.5", SqlType::Timestamp(3)),
            ScalarValue::TimestampMillisecond(Some(1500), None)
        );
        assert_eq!(parsed("1.5", SqlType::Decimal(5, 2)), ScalarValue::Decimal128(Some(150), 5, 2));
        assert!(parsed(NULL_VALUE, SqlType::Date).is_null());
        let error = parse("abc", &SqlType::BigInt, "n").unwrap_err();
        assert_eq!(error.message(), "the partition value `abc` of the column `n` is no bigint");
    }
}
