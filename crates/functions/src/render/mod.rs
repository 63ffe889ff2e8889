//! The text form of values, as Athena's results show them, and their JSON form.
//!
//! In come arrays of the Arrow type that carries the SQL type; what is written is never read back by us.

pub(crate) mod json;
pub(crate) mod number;
pub(crate) mod time;

use crate::scalar::datetime::zone::Zone;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalYearMonthType,
};
use sql::SqlType;
use std::net::Ipv6Addr;
use std::sync::Arc;

/// Writes values of one type.
#[derive(Debug, Clone)]
pub struct Renderer {
    form: Form,
}

/// How values of a type are written; what can be prepared once is.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    Null,
    Boolean,
    TinyInt,
    SmallInt,
    Integer,
    BigInt,
    Real,
    Double,
    Decimal(u8),
    Text,
    Json,
    /// Filled up with spaces to so many characters.
    Char(usize),
    Bytes,
    Address,
    Date,
    Time(u8),
    Timestamp(u8),
    Zoned(u8, Zone, Arc<str>),
    YearMonth,
    DaySecond,
    Array(Box<Form>),
    Map(Box<Form>, Box<Form>),
    Row(Vec<(Arc<str>, Form)>),
}

impl Form {
    fn of(sql_type: &SqlType) -> Form {
        match sql_type {
            SqlType::Unknown | SqlType::Function(..) => Form::Null,
            SqlType::Boolean => Form::Boolean,
            SqlType::TinyInt => Form::TinyInt,
            SqlType::SmallInt => Form::SmallInt,
            SqlType::Integer => Form::Integer,
            SqlType::BigInt => Form::BigInt,
            SqlType::Real => Form::Real,
            SqlType::Double => Form::Double,
            SqlType::Decimal(_, scale) => Form::Decimal(*scale),
            SqlType::Varchar(_) | SqlType::Uuid => Form::Text,
            SqlType::Json => Form::Json,
            SqlType::Char(n) => Form::Char(usize::try_from(*n).unwrap_or(0)),
            SqlType::Varbinary | SqlType::HyperLogLog => Form::Bytes,
            SqlType::IpAddress => Form::Address,
            SqlType::Date => Form::Date,
            SqlType::Time(p) => Form::Time(*p),
            SqlType::Timestamp(p) => Form::Timestamp(*p),
            SqlType::TimestampTz(p, zone) => {
                Form::Zoned(*p, Zone::find(zone).unwrap_or(Zone::UTC), zone.clone())
            }
            SqlType::IntervalYearMonth => Form::YearMonth,
            SqlType::IntervalDaySecond => Form::DaySecond,
            SqlType::Array(element) => Form::Array(Box::new(Form::of(element))),
            SqlType::Map(key, value) => Form::Map(Box::new(Form::of(key)), Box::new(Form::of(value))),
            SqlType::Row(fields) => Form::Row(
                fields
                    .iter()
                    .enumerate()
                    .map(|(i, f)| (Arc::from(f.arrow_name(i)), Form::of(&f.sql_type)))
                    .collect(),
            ),
        }
    }

    fn write(&self, array: &dyn Array, row: usize, out: &mut String) {
        if self.write_simple(array, row, out).or_else(|| self.write_nested(array, row, out)).is_none() {
            // Not the Arrow type that carries this SQL type: whatever it is, show it.
            out.push_str(&arrow::util::display::array_value_to_string(array, row).unwrap_or_default());
        }
    }

    /// Writes a value that holds no others; nothing if the type or the array is another.
    fn write_simple(&self, array: &dyn Array, row: usize, out: &mut String) -> Option<()> {
        match self {
            Form::Null => out.push_str("null"),
            Form::Boolean => {
                out.push_str(if array.as_boolean_opt()?.value(row) { "true" } else { "false" });
            }
            Form::TinyInt => {
                number::write_integer(array.as_primitive_opt::<Int8Type>()?.value(row).into(), out);
            }
            Form::SmallInt => {
                number::write_integer(array.as_primitive_opt::<Int16Type>()?.value(row).into(), out);
            }
            Form::Integer => {
                number::write_integer(array.as_primitive_opt::<Int32Type>()?.value(row).into(), out);
            }
            Form::BigInt => number::write_integer(array.as_primitive_opt::<Int64Type>()?.value(row), out),
            Form::Real => number::write_real(array.as_primitive_opt::<Float32Type>()?.value(row), out),
            Form::Double => number::write_double(array.as_primitive_opt::<Float64Type>()?.value(row), out),
            Form::Decimal(scale) => {
                let value = array.as_primitive_opt::<Decimal128Type>()?.value(row);
                number::write_decimal(value, *scale, out);
            }
            Form::Text | Form::Json => out.push_str(array.as_string_view_opt()?.value(row)),
            Form::Char(length) => write_padded(array.as_string_view_opt()?.value(row), *length, out),
            Form::Bytes => write_hex(array.as_binary_view_opt()?.value(row), out),
            Form::Address => write_address(array.as_binary_view_opt()?.value(row), out)?,
            Form::Date => {
                time::write_date(array.as_primitive_opt::<Date32Type>()?.value(row).into(), out);
            }
            Form::Time(precision) => {
                let (value, unit) = raw_time(array, row)?;
                time::write_time(value, unit, *precision, out);
            }
            Form::Timestamp(precision) => {
                let (value, unit) = raw_time(array, row)?;
                time::write_timestamp(value, unit, *precision, out);
            }
            Form::Zoned(precision, zone, name) => {
                let (value, unit) = raw_time(array, row)?;
                time::write_zoned(value, unit, *precision, zone, name, out);
            }
            Form::YearMonth => {
                let months = array.as_primitive_opt::<IntervalYearMonthType>()?.value(row);
                time::write_year_month(months, out);
            }
            Form::DaySecond => time::write_day_second(raw_time(array, row)?.0, out),
            Form::Array(_) | Form::Map(..) | Form::Row(_) => return None,
        }
        Some(())
    }

    fn write_nested(&self, array: &dyn Array, row: usize, out: &mut String) -> Option<()> {
        match self {
            Form::Array(element) => {
                let values = array.as_list_opt::<i32>()?.value(row);
                out.push('[');
                for i in 0..values.len() {
                    comma(i, out);
                    element.write_or_null(&values, i, out);
                }
                out.push(']');
            }
            Form::Map(key, value) => {
                let entries = array.as_map_opt()?.value(row);
                let (keys, values) = (entries.column(0), entries.column(1));
                out.push('{');
                for i in 0..entries.len() {
                    comma(i, out);
                    key.write_or_null(keys, i, out);
                    out.push('=');
                    value.write_or_null(values, i, out);
                }
                out.push('}');
            }
            Form::Row(fields) => {
                let values = array.as_struct_opt()?;
                out.push('{');
                for (i, ((name, form), column)) in fields.iter().zip(values.columns()).enumerate() {
                    comma(i, out);
                    out.push_str(name);
                    out.push('=');
                    form.write_or_null(column, row, out);
                }
                out.push('}');
            }
            _ => return None,
        }
        Some(())
    }

    fn write_or_null(&self, array: &dyn Array, row: usize, out: &mut String) {
        if array.is_null(row) {
            out.push_str("null");
        } else {
            self.write(array, row, out);
        }
    }
}

impl Renderer {
    /// Prepares to write values of this type.
    pub fn new(sql_type: &SqlType) -> Self {
        Self { form: Form::of(sql_type) }
    }

    /// Appends the row's value, which must not be NULL: results show those as nothing, which is the caller's to do.
    pub fn write(&self, array: &dyn Array, row: usize, out: &mut String) {
        self.form.write(array, row, out);
    }

    /// Appends the row's value as JSON; NULL is `null`.
    pub fn write_json(&self, array: &dyn Array, row: usize, out: &mut String) {
        json::write(&self.form, array, row, out);
    }
}

fn comma(index: usize, out: &mut String) {
    if index > 0 {
        out.push_str(", ");
    }
}

/// The number behind a time, timestamp or duration and how many of its units make a second.
pub(crate) fn raw_time(array: &dyn Array, row: usize) -> Option<(i64, i64)> {
    let (values, unit) = crate::scalar::datetime::longs::raw(array)?;
    Some((*values.get(row)?, unit))
}

/// `char(n)` values are kept without their trailing spaces.
fn write_padded(text: &str, length: usize, out: &mut String) {
    out.push_str(text);
    let characters = if text.is_ascii() { text.len() } else { text.chars().count() };
    for _ in characters..length {
        out.push(' ');
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Bytes as pairs of hexadecimal digits with spaces between.
pub(crate) fn write_hex(bytes: &[u8], out: &mut String) {
    out.reserve(bytes.len() * 3);
    for (i, byte) in bytes.iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        out.push(char::from(HEX[usize::from(byte >> 4)]));
        out.push(char::from(HEX[usize::from(byte & 15)]));
    }
}

/// An address; those of IPv4 in their own form.
pub(crate) fn write_address(bytes: &[u8], out: &mut String) -> Option<()> {
    let address = Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?);
    match address.to_ipv4_mapped() {
        Some(v4) => out.push_str(&v4.to_string()),
        None => out.push_str(&address.to_string()),
    }
    Some(())
}
