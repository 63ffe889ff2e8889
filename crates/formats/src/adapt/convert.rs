//! One array into another type: only what keeps the values' meaning.

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, PrimitiveArray, StringViewArray, StructArray,
    new_null_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow::error::ArrowError;
use arrow::util::display::FormatOptions;
use sql::{RowField, SqlType};
use std::sync::Arc;

/// Why an array does not convert.
pub(super) enum Problem {
    /// The types have nothing to do with each other.
    Type,
    /// A value does not fit.
    Value(ArrowError),
}

type Converted = Result<ArrayRef, Problem>;

/// The index of the name, without regard to case; the same case wins.
pub(super) fn find_name<'a>(names: impl Iterator<Item = &'a str> + Clone, wanted: &str) -> Option<usize> {
    let exact = names.clone().position(|name| name == wanted);
    exact.or_else(|| {
        let lower = wanted.to_lowercase();
        names.into_iter().position(|name| name.to_lowercase() == lower)
    })
}

pub(super) fn convert(array: &ArrayRef, wanted: &SqlType) -> Converted {
    let target = wanted.to_arrow();
    if array.data_type() == &target {
        return Ok(limited(array, wanted));
    }
    match (array.data_type(), wanted) {
        (DataType::Null, _) => Ok(new_null_array(&target, array.len())),
        (DataType::Dictionary(_, values), _) => convert(&cast(array, values)?, wanted),
        (DataType::RunEndEncoded(_, values), _) => convert(&cast(array, values.data_type())?, wanted),
        (_, SqlType::Array(items)) => to_list(array, items, &target),
        (DataType::Map(..), SqlType::Map(key, value)) => to_map(array, key, value, &target),
        (DataType::Struct(_), SqlType::Row(fields)) => to_row(array, fields, &target),
        (DataType::Timestamp(..), SqlType::Timestamp(_) | SqlType::TimestampTz(..)) => {
            to_timestamp(array, &target)
        }
        (DataType::FixedSizeBinary(16), SqlType::Uuid) => Ok(uuids(array)),
        (from, _) if fits(from, wanted) => Ok(limited(&cast(array, &target)?, wanted)),
        _ => Err(Problem::Type),
    }
}

fn cast(array: &ArrayRef, to: &DataType) -> Converted {
    let options = CastOptions { safe: false, format_options: FormatOptions::default() };
    cast_with_options(array, to, &options).map_err(Problem::Value)
}

/// Whether a cast keeps the meaning (though values may be too large).
fn fits(from: &DataType, wanted: &SqlType) -> bool {
    use DataType as A;
    let is_text = matches!(from, A::Utf8 | A::LargeUtf8 | A::Utf8View);
    let is_bytes = matches!(from, A::Binary | A::LargeBinary | A::BinaryView | A::FixedSizeBinary(_));
    let is_decimal =
        matches!(from, A::Decimal32(..) | A::Decimal64(..) | A::Decimal128(..) | A::Decimal256(..));
    let is_float = matches!(from, A::Float16 | A::Float32 | A::Float64);
    let is_integer = from.is_integer();
    match wanted {
        SqlType::TinyInt | SqlType::SmallInt | SqlType::Integer | SqlType::BigInt => is_integer,
        SqlType::Real => is_float || is_integer,
        SqlType::Double => is_float || is_integer || is_decimal,
        SqlType::Decimal(..) => is_integer || is_decimal,
        SqlType::Varchar(_) | SqlType::Char(_) | SqlType::Json => {
            is_text
                || (is_bytes && !matches!(from, A::FixedSizeBinary(_)))
                || is_integer
                || is_decimal
                || matches!(from, A::Boolean | A::Date32)
        }
        SqlType::Uuid => is_text,
        SqlType::Varbinary | SqlType::IpAddress | SqlType::HyperLogLog => is_text || is_bytes,
        SqlType::Date => matches!(from, A::Date32 | A::Date64),
        SqlType::Timestamp(_) | SqlType::TimestampTz(..) => matches!(from, A::Date32 | A::Date64),
        SqlType::Time(_) => matches!(from, A::Time32(_) | A::Time64(_)),
        SqlType::IntervalYearMonth => matches!(from, A::Interval(_)),
        SqlType::IntervalDaySecond => matches!(from, A::Duration(_)),
        _ => false,
    }
}

/// Cut to the characters that the type allows.
fn limited(array: &ArrayRef, wanted: &SqlType) -> ArrayRef {
    let (most, is_char) = match wanted {
        SqlType::Varchar(Some(most)) => (*most as usize, false),
        SqlType::Char(most) => (*most as usize, true),
        _ => return Arc::clone(array),
    };
    let Some(texts) = array.as_string_view_opt() else { return Arc::clone(array) };
    let cut = |text: &str| {
        let end = if text.len() <= most {
            text.len()
        } else {
            text.char_indices().nth(most).map_or(text.len(), |(at, _)| at)
        };
        if is_char { text[..end].trim_end_matches(' ').len() } else { end }
    };
    if texts.iter().flatten().all(|text| cut(text) == text.len()) {
        return Arc::clone(array);
    }
    Arc::new(texts.iter().map(|text| text.map(|text| &text[..cut(text)])).collect::<StringViewArray>())
}

fn to_list(array: &ArrayRef, items: &SqlType, target: &DataType) -> Converted {
    let DataType::List(field) = target else { return Err(Problem::Type) };
    let list = match array.data_type() {
        DataType::List(_) => Arc::clone(array),
        // The other layouts become the usual one first, with the items as they are.
        DataType::LargeList(f)
        | DataType::FixedSizeList(f, _)
        | DataType::ListView(f)
        | DataType::LargeListView(f) => cast(array, &DataType::List(Arc::clone(f)))?,
        _ => return Err(Problem::Type),
    };
    let list = list.as_list::<i32>();
    let values = convert(list.values(), items)?;
    let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
    Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, nulls).map_err(Problem::Value)?))
}

fn to_map(array: &ArrayRef, key: &SqlType, value: &SqlType, target: &DataType) -> Converted {
    let DataType::Map(field, _) = target else { return Err(Problem::Type) };
    let DataType::Struct(parts) = field.data_type() else { return Err(Problem::Type) };
    let map = array.as_map();
    let (keys, values) = (convert(map.keys(), key)?, convert(map.values(), value)?);
    let entries = StructArray::try_new(parts.clone(), vec![keys, values], None).map_err(Problem::Value)?;
    let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
    Ok(Arc::new(
        MapArray::try_new(Arc::clone(field), offsets, entries, nulls, false).map_err(Problem::Value)?,
    ))
}

fn to_row(array: &ArrayRef, fields: &[RowField], target: &DataType) -> Converted {
    let DataType::Struct(target_fields) = target else { return Err(Problem::Type) };
    let row = array.as_struct();
    let names = row.fields();
    let mut columns = Vec::with_capacity(fields.len());
    for (i, field) in fields.iter().enumerate() {
        let found = find_name(names.iter().map(|f| f.name().as_str()), &field.arrow_name(i));
        columns.push(match found.and_then(|at| row.columns().get(at)) {
            Some(column) => convert(column, &field.sql_type)?,
            None => new_null_array(&field.sql_type.to_arrow(), row.len()),
        });
    }
    let made =
        StructArray::try_new_with_length(target_fields.clone(), columns, row.nulls().cloned(), row.len());
    Ok(Arc::new(made.map_err(Problem::Value)?))
}

/// Another unit, rounded down, and the zone's name; the instants stay the same.
fn to_timestamp(array: &ArrayRef, target: &DataType) -> Converted {
    let (DataType::Timestamp(from, _), DataType::Timestamp(to, _)) = (array.data_type(), target) else {
        return Err(Problem::Type);
    };
    let values: Vec<i64> = match from {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().values().to_vec(),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().values().to_vec(),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().values().to_vec(),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().values().to_vec(),
    };
    let (from, to_unit) = (per_second(*from), per_second(*to));
    let nulls = array.nulls().cloned();
    let values = rescaled(values, from, to_unit, nulls.as_ref())?;
    Ok(match to {
        TimeUnit::Second => timestamps::<TimestampSecondType>(values, nulls, target),
        TimeUnit::Millisecond => timestamps::<TimestampMillisecondType>(values, nulls, target),
        TimeUnit::Microsecond => timestamps::<TimestampMicrosecondType>(values, nulls, target),
        TimeUnit::Nanosecond => timestamps::<TimestampNanosecondType>(values, nulls, target),
    })
}

fn timestamps<T: ArrowPrimitiveType<Native = i64>>(
    values: Vec<i64>,
    nulls: Option<NullBuffer>,
    target: &DataType,
) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(values.into(), nulls).with_data_type(target.clone()))
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

fn rescaled(
    mut values: Vec<i64>,
    from: i64,
    to: i64,
    nulls: Option<&NullBuffer>,
) -> Result<Vec<i64>, Problem> {
    if from > to {
        let divisor = from / to;
        values.iter_mut().for_each(|value| *value = value.div_euclid(divisor));
    } else if from < to {
        let factor = to / from;
        for (i, value) in values.iter_mut().enumerate() {
            *value = match value.checked_mul(factor) {
                Some(value) => value,
                None if nulls.is_some_and(|nulls| nulls.is_null(i)) => 0,
                None => {
                    return Err(Problem::Value(ArrowError::ArithmeticOverflow(
                        "a timestamp is too far away".into(),
                    )));
                }
            };
        }
    }
    Ok(values)
}

fn uuids(array: &ArrayRef) -> ArrayRef {
    let text = |bytes: &[u8]| {
        let mut text = String::with_capacity(36);
        for (i, byte) in bytes.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            text.extend(
                [byte >> 4, byte & 15].map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0')),
            );
        }
        text
    };
    Arc::new(array.as_fixed_size_binary().iter().map(|bytes| bytes.map(text)).collect::<StringViewArray>())
}
