//! Types of the catalog as SQL sees them, and back for tables that a query creates.

use super::{RowField, SqlType};
use model::{Error, HiveType, Result, StructField};

impl SqlType {
    /// The SQL type of a catalog column. Timestamps have three digits, as Athena reads them.
    pub fn from_hive(hive: &HiveType) -> SqlType {
        match hive {
            HiveType::Boolean => SqlType::Boolean,
            HiveType::TinyInt => SqlType::TinyInt,
            HiveType::SmallInt => SqlType::SmallInt,
            HiveType::Int => SqlType::Integer,
            HiveType::BigInt => SqlType::BigInt,
            HiveType::Float => SqlType::Real,
            HiveType::Double => SqlType::Double,
            HiveType::Decimal { precision, scale } => SqlType::Decimal(*precision, *scale),
            HiveType::String => SqlType::VARCHAR,
            HiveType::Char(n) => SqlType::Char(u32::from(*n)),
            HiveType::Varchar(n) => SqlType::Varchar(Some(u32::from(*n))),
            HiveType::Binary => SqlType::Varbinary,
            HiveType::Date => SqlType::Date,
            HiveType::Timestamp => SqlType::Timestamp(3),
            HiveType::Array(e) => SqlType::array(Self::from_hive(e)),
            HiveType::Map(k, v) => SqlType::map(Self::from_hive(k), Self::from_hive(v)),
            HiveType::Struct(fields) => SqlType::Row(
                fields
                    .iter()
                    .map(|f| RowField::named(f.name.to_lowercase(), Self::from_hive(&f.hive_type)))
                    .collect(),
            ),
            // A union is read as the row of its alternatives behind a tag, as Trino does.
            HiveType::Union(types) => SqlType::Row(
                std::iter::once(RowField::named("tag", SqlType::TinyInt))
                    .chain(
                        types
                            .iter()
                            .enumerate()
                            .map(|(i, t)| RowField::named(format!("field{i}"), Self::from_hive(t))),
                    )
                    .collect(),
            ),
        }
    }

    /// The catalog type of a column that a query creates, or why there is none.
    pub fn to_hive(&self) -> Result<HiveType> {
        Ok(match self {
            SqlType::Boolean => HiveType::Boolean,
            SqlType::TinyInt => HiveType::TinyInt,
            SqlType::SmallInt => HiveType::SmallInt,
            SqlType::Integer => HiveType::Int,
            SqlType::BigInt => HiveType::BigInt,
            SqlType::Real => HiveType::Float,
            SqlType::Double => HiveType::Double,
            SqlType::Decimal(p, s) => HiveType::decimal(*p, *s)?,
            SqlType::Varchar(Some(n)) if (1..=65535).contains(n) => {
                HiveType::Varchar(u16::try_from(*n).unwrap_or(u16::MAX))
            }
            SqlType::Varchar(_) => HiveType::String,
            SqlType::Char(n) if *n <= 255 => HiveType::Char(u16::try_from(*n).unwrap_or(255)),
            SqlType::Varbinary => HiveType::Binary,
            SqlType::Date => HiveType::Date,
            SqlType::Timestamp(_) => HiveType::Timestamp,
            SqlType::Array(e) => HiveType::Array(Box::new(e.to_hive()?)),
            SqlType::Map(k, v) => HiveType::Map(Box::new(k.to_hive()?), Box::new(v.to_hive()?)),
            SqlType::Row(fields) => HiveType::Struct(
                fields
                    .iter()
                    .enumerate()
                    .map(|(i, f)| Ok(StructField::new(f.arrow_name(i), f.sql_type.to_hive()?)))
                    .collect::<Result<_>>()?,
            ),
            other => {
                return Err(Error::invalid(format!("a table cannot have a column of type {other}"))
                    .why("the catalog's Hive types do not include it")
                    .hint(other.storable_hint()));
            }
        })
    }

    fn storable_hint(&self) -> &'static str {
        match self {
            SqlType::Unknown => "give the NULL a type: CAST(NULL AS varchar)",
            SqlType::TimestampTz(..) => "cast it: CAST(x AS timestamp), or keep it as varchar",
            SqlType::Json => "store its text: json_format(x)",
            _ => "cast it to varchar first: CAST(x AS varchar)",
        }
    }
}
