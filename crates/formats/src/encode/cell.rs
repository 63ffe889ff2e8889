//! A batch's values as text: each column is looked at once and becomes a typed view, then rows are written value by
//! value without allocating.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, BooleanArray, Date32Array, Decimal128Array, Float32Array,
    Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, ListArray, MapArray, StringViewArray,
    StructArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, IntervalYearMonthType, Time64MicrosecondType, Time64NanosecondType,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::{Error, Result};
use std::io::Write;

/// A column with its type known.
pub(super) enum Cells<'a> {
    Null,
    Boolean(&'a BooleanArray),
    Int8(&'a Int8Array),
    Int16(&'a Int16Array),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    Float32(&'a Float32Array),
    Float64(&'a Float64Array),
    Decimal(&'a Decimal128Array, i8),
    Date(&'a Date32Array),
    /// 64-bit values, how many make a second, how many digits that is, and whether a zone belongs to it.
    Timestamp(&'a [i64], &'a dyn Array, i64, usize, bool),
    Time(&'a [i64], &'a dyn Array, i64, usize),
    YearMonth(&'a [i32], &'a dyn Array),
    DaySecond(&'a [i64], &'a dyn Array),
    Text(&'a StringViewArray),
    Binary(&'a BinaryViewArray),
    List(&'a ListArray, Box<Cells<'a>>),
    Map(&'a MapArray, Box<Cells<'a>>, Box<Cells<'a>>),
    Row(&'a StructArray, Vec<(String, Cells<'a>)>),
}

impl<'a> Cells<'a> {
    pub(super) fn of(array: &'a ArrayRef) -> Result<Cells<'a>> {
        Ok(match array.data_type() {
            DataType::Null => Cells::Null,
            DataType::Boolean => Cells::Boolean(array.as_boolean()),
            DataType::Int8 => Cells::Int8(array.as_primitive::<Int8Type>()),
            DataType::Int16 => Cells::Int16(array.as_primitive::<Int16Type>()),
            DataType::Int32 => Cells::Int32(array.as_primitive::<Int32Type>()),
            DataType::Int64 => Cells::Int64(array.as_primitive::<Int64Type>()),
            DataType::Float32 => Cells::Float32(array.as_primitive::<Float32Type>()),
            DataType::Float64 => Cells::Float64(array.as_primitive::<Float64Type>()),
            DataType::Decimal128(_, scale) => Cells::Decimal(array.as_primitive::<Decimal128Type>(), *scale),
            DataType::Date32 => Cells::Date(array.as_primitive::<Date32Type>()),
            DataType::Timestamp(unit, zone) => {
                let (values, per_second, digits): (&[i64], i64, usize) = match unit {
                    TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().values(), 1, 0),
                    TimeUnit::Millisecond => {
                        (array.as_primitive::<TimestampMillisecondType>().values(), 1000, 3)
                    }
                    TimeUnit::Microsecond => {
                        (array.as_primitive::<TimestampMicrosecondType>().values(), 1_000_000, 6)
                    }
                    TimeUnit::Nanosecond => {
                        (array.as_primitive::<TimestampNanosecondType>().values(), 1_000_000_000, 9)
                    }
                };
                Cells::Timestamp(values, array, per_second, digits, zone.is_some())
            }
            DataType::Time64(TimeUnit::Microsecond) => {
                Cells::Time(array.as_primitive::<Time64MicrosecondType>().values(), array, 1_000_000, 6)
            }
            DataType::Time64(_) => {
                Cells::Time(array.as_primitive::<Time64NanosecondType>().values(), array, 1_000_000_000, 9)
            }
            DataType::Interval(_) => match array.as_primitive_opt::<IntervalYearMonthType>() {
                Some(values) => Cells::YearMonth(values.values(), array),
                None => return Err(unwritable(array.data_type())),
            },
            DataType::Duration(TimeUnit::Millisecond) => {
                Cells::DaySecond(array.as_primitive::<DurationMillisecondType>().values(), array)
            }
            DataType::Utf8View => Cells::Text(array.as_string_view()),
            DataType::BinaryView => Cells::Binary(array.as_binary_view()),
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                Cells::List(list, Box::new(Cells::of(list.values())?))
            }
            DataType::Map(..) => {
                let map = array.as_map();
                Cells::Map(map, Box::new(Cells::of(map.keys())?), Box::new(Cells::of(map.values())?))
            }
            DataType::Struct(fields) => {
                let row = array.as_struct();
                let named = fields.iter().zip(row.columns());
                let cells =
                    named.map(|(f, c)| Ok((f.name().clone(), Cells::of(c)?))).collect::<Result<_>>()?;
                Cells::Row(row, cells)
            }
            other => return Err(unwritable(other)),
        })
    }

    #[inline]
    pub(super) fn is_null(&self, row: usize) -> bool {
        match self {
            Cells::Null => true,
            Cells::Boolean(array) => array.is_null(row),
            Cells::Int8(array) => array.is_null(row),
            Cells::Int16(array) => array.is_null(row),
            Cells::Int32(array) => array.is_null(row),
            Cells::Int64(array) => array.is_null(row),
            Cells::Float32(array) => array.is_null(row),
            Cells::Float64(array) => array.is_null(row),
            Cells::Decimal(array, _) => array.is_null(row),
            Cells::Date(array) => array.is_null(row),
            Cells::Timestamp(_, array, ..)
            | Cells::Time(_, array, ..)
            | Cells::YearMonth(_, array)
            | Cells::DaySecond(_, array) => array.is_null(row),
            Cells::Text(array) => array.is_null(row),
            Cells::Binary(array) => array.is_null(row),
            Cells::List(array, _) => array.is_null(row),
            Cells::Map(array, ..) => array.is_null(row),
            Cells::Row(array, _) => array.is_null(row),
        }
    }

    /// Whether the text of its values is a word without delimiters, quotes or line ends.
    pub(super) fn is_plain(&self) -> bool {
        !matches!(self, Cells::Text(_) | Cells::List(..) | Cells::Map(..) | Cells::Row(..))
    }

    /// Whether JSON writes its values without quotes.
    pub(super) fn is_json_word(&self) -> bool {
        use Cells::{Boolean, Decimal, Float32, Float64, Int8, Int16, Int32, Int64};
        matches!(
            self,
            Boolean(_) | Int8(_) | Int16(_) | Int32(_) | Int64(_) | Float32(_) | Float64(_) | Decimal(..)
        )
    }

    /// Writes a value that is neither NULL nor nested, as Hive writes it.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Cells::Boolean(array) => out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }),
            Cells::Int8(array) => integer(i64::from(array.value(row)), out),
            Cells::Int16(array) => integer(i64::from(array.value(row)), out),
            Cells::Int32(array) => integer(i64::from(array.value(row)), out),
            Cells::Int64(array) => integer(array.value(row), out),
            Cells::Float32(array) => float(f64::from(array.value(row)), out, |out| {
                put(out, format_args!("{:?}", array.value(row)));
            }),
            Cells::Float64(array) => {
                float(array.value(row), out, |out| put(out, format_args!("{:?}", array.value(row))));
            }
            Cells::Decimal(array, scale) => decimal(array.value(row), *scale, out),
            Cells::Date(array) => date(i64::from(array.value(row)), out),
            Cells::Timestamp(values, _, per_second, digits, zoned) => {
                let value = values.get(row).copied().unwrap_or_default();
                let (seconds, fraction) = (value.div_euclid(*per_second), value.rem_euclid(*per_second));
                date(seconds.div_euclid(86_400), out);
                out.push(b' ');
                time(seconds.rem_euclid(86_400), fraction, *digits, out);
                if *zoned {
                    out.extend_from_slice(b" UTC");
                }
            }
            Cells::Time(values, _, per_second, digits) => {
                let value = values.get(row).copied().unwrap_or_default();
                time(value.div_euclid(*per_second), value.rem_euclid(*per_second), *digits, out);
            }
            Cells::YearMonth(values, _) => {
                let months = values.get(row).copied().unwrap_or_default();
                let sign = if months < 0 { "-" } else { "" };
                put(out, format_args!("{sign}{}-{}", months.unsigned_abs() / 12, months.unsigned_abs() % 12));
            }
            Cells::DaySecond(values, _) => {
                let value = values.get(row).copied().unwrap_or_default();
                let (sign, millis) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
                put(out, format_args!("{sign}{} ", millis / 86_400_000));
                let of_day = i64::try_from(millis % 86_400_000).unwrap_or_default();
                time(of_day / 1000, of_day % 1000, 3, out);
            }
            Cells::Text(array) => out.extend_from_slice(array.value(row).as_bytes()),
            Cells::Binary(array) => {
                let from = out.len();
                let bytes = array.value(row);
                out.resize(from + bytes.len().div_ceil(3) * 4, 0);
                let used =
                    STANDARD.encode_slice(bytes, out.get_mut(from..).unwrap_or_default()).unwrap_or_default();
                out.truncate(from + used);
            }
            Cells::Null | Cells::List(..) | Cells::Map(..) | Cells::Row(..) => {}
        }
    }
}

fn unwritable(data_type: &DataType) -> Error {
    Error::unsupported(format!("values of the type {data_type} cannot be written as text"))
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to a vector does not fail.
    let _ = out.write_fmt(text);
}

/// Two digits each of 0 to 99.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut i = 0;
    while i < 100 {
        pairs[i] = [b'0' + (i / 10) as u8, b'0' + (i % 10) as u8];
        i += 1;
    }
    pairs
};

fn pair(value: i64) -> [u8; 2] {
    usize::try_from(value).ok().and_then(|i| PAIRS.get(i)).copied().unwrap_or([b'0'; 2])
}

pub(super) fn integer(value: i64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        if let Some(slot) = digits.get_mut(at) {
            *slot = b'0' + (rest % 10) as u8;
        }
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}

/// The shortest text that reads back equal, as Java spells the special ones.
fn float(value: f64, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    if value.is_finite() {
        write(out);
    } else if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else {
        out.extend_from_slice(if value > 0.0 { b"Infinity" } else { b"-Infinity" });
    }
}

fn decimal(value: i128, scale: i8, out: &mut Vec<u8>) {
    let scale = usize::try_from(scale).unwrap_or(0);
    let digits = value.unsigned_abs().to_string();
    if value < 0 {
        out.push(b'-');
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    out.extend_from_slice(whole.as_bytes());
    if scale > 0 {
        out.push(b'.');
        out.extend_from_slice(fraction.as_bytes());
    }
}

/// `yyyy-MM-dd` of a day since 1970.
fn date(days: i64, out: &mut Vec<u8>) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    if (0..10_000).contains(&year) {
        out.extend_from_slice(&pair(year / 100));
        out.extend_from_slice(&pair(year % 100));
    } else {
        let sign = if year < 0 { "-" } else { "" };
        put(out, format_args!("{sign}{:04}", year.unsigned_abs()));
    }
    out.push(b'-');
    out.extend_from_slice(&pair(month));
    out.push(b'-');
    out.extend_from_slice(&pair(day));
}

/// `HH:mm:ss`, with the fraction in its digits unless it is zero.
fn time(seconds: i64, fraction: i64, digits: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&pair(seconds / 3600));
    out.push(b':');
    out.extend_from_slice(&pair(seconds / 60 % 60));
    out.push(b':');
    out.extend_from_slice(&pair(seconds % 60));
    if fraction > 0 {
        put(out, format_args!(".{fraction:0digits$}"));
    }
}
