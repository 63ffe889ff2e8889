//! Glue's names of types (`long`, `string`, `decimal(10,2)`) as SQL types, and the casts between types as Spark does
//! them.

use sql::SqlType;

/// The names that a mapping may use, for suggestions.
pub(crate) const NAMES: &[&str] = &[
    "string",
    "long",
    "bigint",
    "int",
    "integer",
    "short",
    "smallint",
    "byte",
    "tinyint",
    "double",
    "float",
    "boolean",
    "decimal",
    "timestamp",
    "date",
    "binary",
    "char",
    "varchar",
    "array",
    "map",
    "struct",
];

/// The SQL type of one of Glue's names; nothing if there is no such name.
pub(crate) fn of_glue(name: &str) -> Option<SqlType> {
    let name = name.trim().to_lowercase();
    Some(match name.as_str() {
        "string" | "varchar" | "char" => SqlType::VARCHAR,
        "long" | "bigint" => SqlType::BigInt,
        "int" | "integer" => SqlType::Integer,
        "short" | "smallint" => SqlType::SmallInt,
        "byte" | "tinyint" => SqlType::TinyInt,
        "double" => SqlType::Double,
        "float" | "real" => SqlType::Real,
        "boolean" => SqlType::Boolean,
        // The precision and scale that Glue takes where none is said.
        "decimal" => SqlType::Decimal(10, 2),
        "timestamp" => SqlType::Timestamp(3),
        "date" => SqlType::Date,
        "binary" => SqlType::Varbinary,
        _ => return name.parse::<model::HiveType>().ok().map(|hive| SqlType::from_hive(&hive)),
    })
}

/// Whether a mapping's `FromType` says something else than what the column is. Families count, not widths: Glue
/// Studio itself writes `long` for an `int`.
pub(crate) fn contradicts(said: &str, actual: &SqlType) -> bool {
    let family = |t: &SqlType| match t {
        t if t.is_numeric() => 0,
        t if t.is_text() => 1,
        SqlType::Timestamp(_) | SqlType::TimestampTz(..) | SqlType::Date => 2,
        SqlType::Boolean => 3,
        SqlType::Varbinary => 4,
        SqlType::Array(_) => 5,
        SqlType::Map(..) => 6,
        SqlType::Row(_) => 7,
        _ => 8,
    };
    match said.trim().to_lowercase().as_str() {
        "array" => !matches!(actual, SqlType::Array(_)),
        "map" => !matches!(actual, SqlType::Map(..)),
        "struct" => !matches!(actual, SqlType::Row(_)),
        "choice" | "null" | "" => false,
        other => of_glue(other).is_some_and(|said| family(&said) != family(actual)),
    }
}

/// A cast's SQL, and whether it can fail for a value (then it gives NULL).
pub(crate) struct Cast {
    pub(crate) sql: String,
    pub(crate) can_fail: bool,
}

/// The cast of an expression, as Spark means it: texts are trimmed and blank ones are NULL, fractions are cut off and
/// not rounded, timestamps and numbers turn into each other as seconds.
pub(crate) fn cast(expr: &str, from: Option<&SqlType>, to: &SqlType) -> Cast {
    let plain = |sql: String, can_fail| Cast { sql, can_fail };
    let Some(from) = from else {
        return plain(format!("TRY_CAST({expr} AS {to})"), true);
    };
    if from == to || (matches!(to, SqlType::Varchar(None)) && from.is_text()) {
        return plain(expr.to_owned(), false);
    }
    match (from, to) {
        (from, SqlType::Timestamp(_)) if from.is_text() => plain(timestamp_of_text(expr), true),
        (from, SqlType::Timestamp(p)) if from.is_numeric() => plain(
            format!("CAST(from_unixtime(CAST({expr} AS double)) AT TIME ZONE 'UTC' AS timestamp({p}))"),
            false,
        ),
        (SqlType::TimestampTz(..), SqlType::Timestamp(p)) => {
            plain(format!("CAST({expr} AT TIME ZONE 'UTC' AS timestamp({p}))"), false)
        }
        (SqlType::Timestamp(_) | SqlType::TimestampTz(..), to) if to.is_numeric() => {
            let seconds = format!("to_unixtime({expr})");
            match to.is_integer() {
                true => plain(format!("TRY_CAST(floor({seconds}) AS {to})"), true),
                false => plain(format!("CAST({seconds} AS {to})"), matches!(to, SqlType::Decimal(..))),
            }
        }
        (from, SqlType::Date) if from.is_text() => plain(date_of_text(expr), true),
        // These casts trim by themselves, and a blank text gives NULL as every bad one does.
        (from, SqlType::Double | SqlType::Real) if from.is_text() => {
            plain(format!("TRY_CAST({expr} AS {to})"), true)
        }
        (from, to) if from.is_text() && !to.is_text() => plain(of_text(expr, to), true),
        (SqlType::Real | SqlType::Double | SqlType::Decimal(..), to) if to.is_integer() => {
            plain(format!("TRY_CAST(truncate({expr}) AS {to})"), true)
        }
        (from, to) => {
            let safe =
                sql::coerce_cost(from, to).is_some() || matches!(to, SqlType::Varchar(_) | SqlType::Double);
            plain(format!("{}({expr} AS {to})", if safe { "CAST" } else { "TRY_CAST" }), !safe)
        }
    }
}

/// ISO 8601 (`2021-09-09T12:15:02.001Z`) or SQL's own form (`2021-09-09 12:15:02`), in UTC.
pub(crate) fn timestamp_of_text(expr: &str) -> String {
    let iso = format!("TRY(CAST(from_iso8601_timestamp({expr}) AT TIME ZONE 'UTC' AS timestamp(3)))");
    format!("coalesce({iso}, TRY_CAST({expr} AS timestamp(3)), TRY_CAST(trim({expr}) AS timestamp(3)))")
}

/// Most texts have no blanks around their value: only those that did not fit are trimmed.
fn of_text(expr: &str, to: &SqlType) -> String {
    format!("coalesce(TRY_CAST({expr} AS {to}), TRY_CAST(trim({expr}) AS {to}))")
}

/// A date, or the date of a timestamp.
fn date_of_text(expr: &str) -> String {
    format!("coalesce({}, CAST({} AS date))", of_text(expr, &SqlType::Date), timestamp_of_text(expr))
}

/// SQL that is true when a value is there, but its cast gave nothing. Blank texts are missing values, not bad ones.
pub(crate) fn cast_failed(expr: &str, cast: &str, from: Option<&SqlType>) -> String {
    if from.is_some_and(SqlType::is_text) {
        format!("{cast} IS NULL AND trim({expr}) <> ''")
    } else {
        format!("{expr} IS NOT NULL AND {cast} IS NULL")
    }
}
