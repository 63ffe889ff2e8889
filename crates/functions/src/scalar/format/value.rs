//! The arguments of `format`, as the Java objects that Trino makes of them.

use crate::Call;
use crate::render::Renderer;
use crate::render::number::{write_decimal, write_double, write_real};
use crate::scalar::datetime::longs::{raw, unit_of};
use crate::scalar::datetime::zone::Zone;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use model::{Error, Result};
use sql::SqlType;
use std::fmt::Write;

/// A value to be written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Real(f32),
    Decimal(i128, u8),
    Text(String),
    Date(NaiveDate),
    Time(NaiveTime),
    Local(NaiveDateTime),
    /// The local time, and its zone.
    Zoned(NaiveDateTime, Offset),
}

/// A zone at a moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Offset {
    /// Seconds east of Greenwich.
    pub(super) seconds: i64,
    pub(super) name: String,
    /// `EST`, or the name where there is none.
    pub(super) short: String,
}

impl Value {
    /// What it is called in messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Int(_) => "bigint",
            Value::Double(_) => "double",
            Value::Real(_) => "real",
            Value::Decimal(..) => "decimal",
            Value::Text(_) => "varchar",
            Value::Date(_) => "date",
            Value::Time(_) => "time",
            Value::Local(_) => "timestamp",
            Value::Zoned(..) => "timestamp with time zone",
        }
    }

    /// By `%s`: as Java's `toString` writes it.
    pub(super) fn write_plain(&self, out: &mut String) {
        match self {
            Value::Null => out.push_str("null"),
            Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Value::Int(number) => {
                let _ = write!(out, "{number}");
            }
            Value::Double(number) => write_double(*number, out),
            Value::Real(number) => write_real(*number, out),
            Value::Decimal(number, scale) => write_big_decimal(*number, *scale, out),
            Value::Text(text) => out.push_str(text),
            Value::Date(date) => {
                let _ = write!(out, "{}", date.format("%Y-%m-%d"));
            }
            Value::Time(time) => write_time(*time, out),
            Value::Local(local) => {
                let _ = write!(out, "{}T", local.date().format("%Y-%m-%d"));
                write_time(local.time(), out);
            }
            Value::Zoned(local, offset) => {
                let _ = write!(out, "{}T", local.date().format("%Y-%m-%d"));
                write_time(local.time(), out);
                if offset.seconds == 0 {
                    out.push('Z');
                } else {
                    let minutes = offset.seconds.abs() / 60;
                    let sign = if offset.seconds < 0 { '-' } else { '+' };
                    let _ = write!(out, "{sign}{:02}:{:02}", minutes / 60, minutes % 60);
                }
                if !offset.name.starts_with(['+', '-']) {
                    let _ = write!(out, "[{}]", offset.name);
                }
            }
        }
    }

    /// By `%h`: Java's hash code of the simple values.
    pub(super) fn java_hash(&self) -> Option<u32> {
        let fold = |bits: u64| (bits ^ (bits >> 32)) as u32;
        match self {
            Value::Bool(truth) => Some(if *truth { 1231 } else { 1237 }),
            Value::Int(number) => Some(fold(*number as u64)),
            Value::Double(number) => Some(fold(number.to_bits())),
            Value::Real(number) => Some(number.to_bits()),
            Value::Text(text) => {
                Some(text.encode_utf16().fold(0u32, |h, unit| h.wrapping_mul(31).wrapping_add(unit.into())))
            }
            _ => None,
        }
    }
}

/// Java leaves out seconds that are zero, and writes fractions by threes.
fn write_time(time: NaiveTime, out: &mut String) {
    let nanos = time.nanosecond();
    let form = match nanos {
        0 if time.second() == 0 => "%H:%M",
        0 => "%H:%M:%S",
        n if n % 1_000_000 == 0 => "%H:%M:%S%.3f",
        n if n % 1_000 == 0 => "%H:%M:%S%.6f",
        _ => "%H:%M:%S%.9f",
    };
    let _ = write!(out, "{}", time.format(form));
}

/// With an exponent where there are more than six zeros behind the point.
fn write_big_decimal(number: i128, scale: u8, out: &mut String) {
    let digits = number.unsigned_abs().to_string();
    let exponent = digits.len() as i64 - i64::from(scale) - 1;
    if exponent >= -6 {
        return write_decimal(number, scale, out);
    }
    let (first, rest) = digits.split_at_checked(1).unwrap_or((&digits, ""));
    let sign = if number < 0 { "-" } else { "" };
    let point = if rest.is_empty() { "" } else { "." };
    let _ = write!(out, "{sign}{first}{point}{rest}E{exponent}");
}

/// Reads an argument row by row.
pub(super) struct Reader {
    array: ArrayRef,
    constant: bool,
    sql_type: SqlType,
    zone: Option<Zone>,
    renderer: Renderer,
}

impl Reader {
    pub(super) fn of(call: &Call<'_>, index: usize) -> Result<Reader> {
        let (array, constant) = call.arg(index)?;
        let sql_type = call.arg_types.get(index).cloned().unwrap_or(SqlType::Unknown);
        if matches!(sql_type, SqlType::Array(_) | SqlType::Map(..) | SqlType::Row(_) | SqlType::Varbinary) {
            return Err(Error::invalid(format!("format cannot write a {sql_type}"))
                .hint("turn it into text first: json_format(CAST(x AS JSON)), array_join, to_hex"));
        }
        let zone = match &sql_type {
            SqlType::TimestampTz(_, zone) => Some(Zone::parse(zone)?),
            _ => None,
        };
        let renderer = Renderer::new(&sql_type);
        Ok(Reader { array: array.clone(), constant, sql_type, zone, renderer })
    }

    pub(super) fn value(&self, row: usize) -> Value {
        let row = if self.constant { 0 } else { row };
        if self.array.is_null(row) || self.sql_type == SqlType::Unknown {
            return Value::Null;
        }
        self.simple(row).or_else(|| self.moment(row)).unwrap_or_else(|| {
            let mut text = String::new();
            self.renderer.write(&self.array, row, &mut text);
            Value::Text(text)
        })
    }

    fn simple(&self, row: usize) -> Option<Value> {
        let array = &self.array;
        Some(match &self.sql_type {
            SqlType::Boolean => Value::Bool(array.as_boolean_opt()?.value(row)),
            SqlType::TinyInt => Value::Int(array.as_primitive_opt::<Int8Type>()?.value(row).into()),
            SqlType::SmallInt => Value::Int(array.as_primitive_opt::<Int16Type>()?.value(row).into()),
            SqlType::Integer => Value::Int(array.as_primitive_opt::<Int32Type>()?.value(row).into()),
            SqlType::BigInt => Value::Int(array.as_primitive_opt::<Int64Type>()?.value(row)),
            SqlType::Real => Value::Real(array.as_primitive_opt::<Float32Type>()?.value(row)),
            SqlType::Double => Value::Double(array.as_primitive_opt::<Float64Type>()?.value(row)),
            SqlType::Decimal(_, scale) => {
                Value::Decimal(array.as_primitive_opt::<Decimal128Type>()?.value(row), *scale)
            }
            SqlType::Date => {
                let days = i64::from(array.as_primitive_opt::<Date32Type>()?.value(row));
                Value::Date(DateTime::from_timestamp(days.checked_mul(86_400)?, 0)?.date_naive())
            }
            _ => return None,
        })
    }

    fn moment(&self, row: usize) -> Option<Value> {
        if !matches!(self.sql_type, SqlType::Time(_) | SqlType::Timestamp(_) | SqlType::TimestampTz(..)) {
            return None;
        }
        let (values, _) = raw(self.array.as_ref())?;
        let value = *values.get(row)?;
        let unit = unit_of(self.array.data_type())?;
        let utc = naive(value, unit)?;
        Some(match (&self.sql_type, &self.zone) {
            (SqlType::Time(_), _) => Value::Time(utc.time()),
            (SqlType::TimestampTz(..), Some(zone)) => {
                let seconds = zone.offset(value.div_euclid(unit));
                let local = naive(zone.local(value, unit), unit)?;
                let name = zone.name().to_string();
                let short = short_name(&name, utc).unwrap_or_else(|| name.clone());
                Value::Zoned(local, Offset { seconds, name, short })
            }
            _ => Value::Local(utc),
        })
    }
}

fn naive(value: i64, unit: i64) -> Option<NaiveDateTime> {
    let nanos = value.rem_euclid(unit).checked_mul(1_000_000_000 / unit)?;
    Some(DateTime::from_timestamp(value.div_euclid(unit), u32::try_from(nanos).ok()?)?.naive_utc())
}

/// `EST`: how the zone is called at this moment.
fn short_name(name: &str, utc: NaiveDateTime) -> Option<String> {
    use chrono::TimeZone;
    let zone: chrono_tz::Tz = name.parse().ok()?;
    Some(zone.from_utc_datetime(&utc).format("%Z").to_string())
}
