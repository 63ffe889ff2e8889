//! Which Arrow type carries which SQL type, and back for files that bring their own schema.

use super::{RowField, SqlType};
use arrow_schema::{DataType, Field, Fields, IntervalUnit, TimeUnit};
use std::sync::Arc;

impl SqlType {
    /// The Arrow type in which values of this type travel between operators. Text is always `Utf8View`, bytes always
    /// `BinaryView`.
    pub fn to_arrow(&self) -> DataType {
        match self {
            SqlType::Unknown | SqlType::Function(..) => DataType::Null,
            SqlType::Boolean => DataType::Boolean,
            SqlType::TinyInt => DataType::Int8,
            SqlType::SmallInt => DataType::Int16,
            SqlType::Integer => DataType::Int32,
            SqlType::BigInt => DataType::Int64,
            SqlType::Real => DataType::Float32,
            SqlType::Double => DataType::Float64,
            SqlType::Decimal(p, s) => DataType::Decimal128(*p, i8::try_from(*s).unwrap_or(38)),
            SqlType::Varchar(_) | SqlType::Char(_) | SqlType::Json | SqlType::Uuid => DataType::Utf8View,
            SqlType::Varbinary | SqlType::IpAddress | SqlType::HyperLogLog => DataType::BinaryView,
            SqlType::Date => DataType::Date32,
            SqlType::Time(p) => {
                DataType::Time64(if *p <= 6 { TimeUnit::Microsecond } else { TimeUnit::Nanosecond })
            }
            SqlType::Timestamp(p) => DataType::Timestamp(unit(*p), None),
            SqlType::TimestampTz(p, zone) => DataType::Timestamp(unit(*p), Some(zone.clone())),
            SqlType::IntervalYearMonth => DataType::Interval(IntervalUnit::YearMonth),
            SqlType::IntervalDaySecond => DataType::Duration(TimeUnit::Millisecond),
            SqlType::Array(element) => DataType::List(list_field(element.to_arrow())),
            SqlType::Map(key, value) => {
                let entries = Fields::from(vec![
                    Field::new("key", key.to_arrow(), false),
                    Field::new("value", value.to_arrow(), true),
                ]);
                DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
            }
            SqlType::Row(fields) => DataType::Struct(
                fields
                    .iter()
                    .enumerate()
                    .map(|(i, f)| Field::new(f.arrow_name(i), f.sql_type.to_arrow(), true))
                    .collect(),
            ),
        }
    }

    /// The SQL type as which data of this Arrow type is read; nothing for what SQL cannot say.
    pub fn from_arrow(data_type: &DataType) -> Option<SqlType> {
        Some(match data_type {
            DataType::Null => SqlType::Unknown,
            DataType::Boolean => SqlType::Boolean,
            DataType::Int8 => SqlType::TinyInt,
            DataType::Int16 | DataType::UInt8 => SqlType::SmallInt,
            DataType::Int32 | DataType::UInt16 => SqlType::Integer,
            DataType::Int64 | DataType::UInt32 => SqlType::BigInt,
            DataType::UInt64 => SqlType::Decimal(20, 0),
            DataType::Float16 | DataType::Float32 => SqlType::Real,
            DataType::Float64 => SqlType::Double,
            DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s)
                if *s >= 0 && *p <= 38 =>
            {
                SqlType::Decimal(*p, u8::try_from(*s).ok()?)
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => SqlType::VARCHAR,
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => SqlType::Varbinary,
            DataType::Date32 | DataType::Date64 => SqlType::Date,
            DataType::Time32(TimeUnit::Second | TimeUnit::Millisecond) => SqlType::Time(3),
            DataType::Time64(TimeUnit::Microsecond) => SqlType::Time(6),
            DataType::Time64(_) => SqlType::Time(9),
            DataType::Timestamp(unit, None) => SqlType::Timestamp(precision(*unit)),
            DataType::Timestamp(unit, Some(zone)) => SqlType::TimestampTz(precision(*unit), zone.clone()),
            DataType::Interval(IntervalUnit::YearMonth) => SqlType::IntervalYearMonth,
            DataType::Duration(_) => SqlType::IntervalDaySecond,
            DataType::List(f)
            | DataType::LargeList(f)
            | DataType::ListView(f)
            | DataType::FixedSizeList(f, _) => SqlType::array(Self::from_arrow(f.data_type())?),
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) if fields.len() == 2 => SqlType::map(
                    Self::from_arrow(fields[0].data_type())?,
                    Self::from_arrow(fields[1].data_type())?,
                ),
                _ => return None,
            },
            DataType::Struct(fields) => SqlType::Row(
                fields
                    .iter()
                    .map(|f| Some(RowField::named(f.name().to_lowercase(), Self::from_arrow(f.data_type())?)))
                    .collect::<Option<_>>()?,
            ),
            DataType::Dictionary(_, value) => return Self::from_arrow(value),
            _ => return None,
        })
    }
}

impl RowField {
    /// The name of the Arrow field: its own, or `fieldN` as Athena shows nameless fields.
    pub fn arrow_name(&self, index: usize) -> String {
        self.name.clone().unwrap_or_else(|| format!("field{index}"))
    }
}

/// The field of a list's elements, named as Arrow's own builders name it.
fn list_field(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new_list_field(data_type, true))
}

/// The coarsest unit that holds so many digits of a second.
fn unit(precision: u8) -> TimeUnit {
    match precision {
        0..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

fn precision(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second | TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}
