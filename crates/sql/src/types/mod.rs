//! Trino's types: what they are called, how they turn into each other, and which Arrow type carries each.
//!
//! Arrow alone does not tell `varchar(3)` from `json`, so every expression keeps its `SqlType` beside its Arrow type.

mod arrow;
mod coerce;
mod hive;
mod parse;

pub use coerce::{coerce_cost, common_type};

use std::fmt;
use std::sync::Arc;

/// A type of Trino's SQL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SqlType {
    /// The type of a bare `NULL`: turns into any other.
    Unknown,
    /// `boolean`
    Boolean,
    /// `tinyint`, 8 bits
    TinyInt,
    /// `smallint`, 16 bits
    SmallInt,
    /// `integer`, 32 bits
    Integer,
    /// `bigint`, 64 bits
    BigInt,
    /// `real`, 32 bits
    Real,
    /// `double`, 64 bits
    Double,
    /// `decimal(precision,scale)`
    Decimal(u8, u8),
    /// `varchar` or `varchar(n)`
    Varchar(Option<u32>),
    /// `char(n)`: comparisons ignore trailing spaces.
    Char(u32),
    /// `varbinary`
    Varbinary,
    /// `json`, kept as its compact text
    Json,
    /// `uuid`, kept as its lower-case text
    Uuid,
    /// `ipaddress`, kept as the 16 bytes of the IPv6 form
    IpAddress,
    /// `date`
    Date,
    /// `time(p)`
    Time(u8),
    /// `timestamp(p)`, without a zone
    Timestamp(u8),
    /// `timestamp(p) with time zone`. The zone belongs to the column, not to each value: values that arrive with
    /// their own offsets are turned to UTC.
    TimestampTz(u8, Arc<str>),
    /// `interval year to month`
    IntervalYearMonth,
    /// `interval day to second`
    IntervalDaySecond,
    /// `array(T)`
    Array(Box<SqlType>),
    /// `map(K,V)`
    Map(Box<SqlType>, Box<SqlType>),
    /// `row(name T, …)`
    Row(Vec<RowField>),
    /// `HyperLogLog`: a sketch of distinct values
    HyperLogLog,
    /// `function(T…,R)`: a lambda, only ever an argument
    Function(Vec<SqlType>, Box<SqlType>),
}

/// A field of a row type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RowField {
    /// Its name, in lower case, if it has one.
    pub name: Option<String>,
    /// Its type.
    pub sql_type: SqlType,
}

impl RowField {
    /// A field with a name.
    pub fn named(name: impl Into<String>, sql_type: SqlType) -> Self {
        Self { name: Some(name.into()), sql_type }
    }

    /// A field without a name.
    pub fn unnamed(sql_type: SqlType) -> Self {
        Self { name: None, sql_type }
    }
}

impl SqlType {
    /// `varchar` without a limit.
    pub const VARCHAR: SqlType = SqlType::Varchar(None);

    /// The zone `UTC`.
    pub fn utc() -> Arc<str> {
        Arc::from("UTC")
    }

    /// `timestamp(p) with time zone` in UTC.
    pub fn timestamp_utc(precision: u8) -> SqlType {
        SqlType::TimestampTz(precision, Self::utc())
    }

    /// An array of these.
    pub fn array(element: SqlType) -> SqlType {
        SqlType::Array(Box::new(element))
    }

    /// A map.
    pub fn map(key: SqlType, value: SqlType) -> SqlType {
        SqlType::Map(Box::new(key), Box::new(value))
    }

    /// Whether it is one of the four integers.
    pub fn is_integer(&self) -> bool {
        matches!(self, SqlType::TinyInt | SqlType::SmallInt | SqlType::Integer | SqlType::BigInt)
    }

    /// Whether one can calculate with it.
    pub fn is_numeric(&self) -> bool {
        self.is_integer() || matches!(self, SqlType::Real | SqlType::Double | SqlType::Decimal(..))
    }

    /// Whether it is text: `varchar` or `char`.
    pub fn is_text(&self) -> bool {
        matches!(self, SqlType::Varchar(_) | SqlType::Char(_))
    }

    /// Whether `=` is defined for it.
    pub fn is_comparable(&self) -> bool {
        match self {
            SqlType::Function(..) | SqlType::HyperLogLog => false,
            SqlType::Array(e) => e.is_comparable(),
            SqlType::Map(k, v) => k.is_comparable() && v.is_comparable(),
            SqlType::Row(fields) => fields.iter().all(|f| f.sql_type.is_comparable()),
            _ => true,
        }
    }

    /// Whether `<` is defined for it.
    pub fn is_orderable(&self) -> bool {
        match self {
            SqlType::Function(..) | SqlType::HyperLogLog | SqlType::Json | SqlType::Map(..) => false,
            SqlType::Array(e) => e.is_orderable(),
            SqlType::Row(fields) => fields.iter().all(|f| f.sql_type.is_orderable()),
            _ => true,
        }
    }

    /// The name without parameters, as Athena's result metadata says it: `varchar`, `decimal`, `array`.
    pub fn base_name(&self) -> &'static str {
        match self {
            SqlType::Unknown => "unknown",
            SqlType::Boolean => "boolean",
            SqlType::TinyInt => "tinyint",
            SqlType::SmallInt => "smallint",
            SqlType::Integer => "integer",
            SqlType::BigInt => "bigint",
            SqlType::Real => "real",
            SqlType::Double => "double",
            SqlType::Decimal(..) => "decimal",
            SqlType::Varchar(_) => "varchar",
            SqlType::Char(_) => "char",
            SqlType::Varbinary => "varbinary",
            SqlType::Json => "json",
            SqlType::Uuid => "uuid",
            SqlType::IpAddress => "ipaddress",
            SqlType::Date => "date",
            SqlType::Time(_) => "time",
            SqlType::Timestamp(_) => "timestamp",
            SqlType::TimestampTz(..) => "timestamp with time zone",
            SqlType::IntervalYearMonth => "interval year to month",
            SqlType::IntervalDaySecond => "interval day to second",
            SqlType::Array(_) => "array",
            SqlType::Map(..) => "map",
            SqlType::Row(_) => "row",
            SqlType::HyperLogLog => "HyperLogLog",
            SqlType::Function(..) => "function",
        }
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SqlType::Decimal(p, s) => write!(f, "decimal({p},{s})"),
            SqlType::Varchar(Some(n)) => write!(f, "varchar({n})"),
            SqlType::Char(n) => write!(f, "char({n})"),
            SqlType::Time(p) => write!(f, "time({p})"),
            SqlType::Timestamp(p) => write!(f, "timestamp({p})"),
            SqlType::TimestampTz(p, _) => write!(f, "timestamp({p}) with time zone"),
            SqlType::Array(e) => write!(f, "array({e})"),
            SqlType::Map(k, v) => write!(f, "map({k}, {v})"),
            SqlType::Row(fields) => {
                f.write_str("row(")?;
                for (i, field) in fields.iter().enumerate() {
                    let comma = if i > 0 { ", " } else { "" };
                    match &field.name {
                        Some(name) => write!(f, "{comma}{name} {}", field.sql_type)?,
                        None => write!(f, "{comma}{}", field.sql_type)?,
                    }
                }
                f.write_str(")")
            }
            SqlType::Function(params, result) => {
                f.write_str("function(")?;
                for param in params {
                    write!(f, "{param},")?;
                }
                write!(f, "{result})")
            }
            other => f.write_str(other.base_name()),
        }
    }
}
