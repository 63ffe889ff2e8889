//! Text among itself, out of values, and into values.

use super::Cast;
use super::{decimal, time};
use crate::render::{Renderer, number};
use crate::scalar::datetime::parse;
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryViewBuilder, BooleanArray, PrimitiveArray,
    StringViewArray, StringViewBuilder,
};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use model::{Result, short_double};
use sql::SqlType;
use std::sync::Arc;

/// `varchar` and `char` into each other: cut at the length, `char` without the spaces at its end.
pub(super) fn text_to_text(cast: &Cast<'_>) -> Result<ArrayRef> {
    let texts = cast.array.as_string_view_opt().ok_or_else(|| cast.wrong_array())?;
    let (limit, trim) = match cast.to {
        SqlType::Varchar(limit) => (limit.map(size), false),
        SqlType::Char(n) => (Some(size(*n)), true),
        _ => return Err(cast.wrong_array()),
    };
    let mut builder = StringViewBuilder::with_capacity(texts.len());
    for text in texts {
        let cut = text.map(|text| limit.map_or(text, |limit| cut(text, limit)));
        builder.append_option(cut.map(|text| if trim { text.trim_end_matches(' ') } else { text }));
    }
    Ok(Arc::new(builder.finish()))
}

fn size(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// The text's first characters.
fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    match text.char_indices().nth(limit) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// Any value as text; what is longer than the limit cannot be cast.
pub(super) fn to_text(cast: &Cast<'_>, limit: Option<u32>) -> Result<ArrayRef> {
    let array = cast.array;
    let limit = limit.map_or(usize::MAX, size);
    match cast.from {
        SqlType::Double => {
            let doubles = array.as_primitive_opt::<Float64Type>().ok_or_else(|| cast.wrong_array())?;
            write_all(array, limit, |row, out| number::write_double_cast(doubles.value(row), out))
        }
        SqlType::Real => {
            let reals = array.as_primitive_opt::<Float32Type>().ok_or_else(|| cast.wrong_array())?;
            write_all(array, limit, |row, out| number::write_real_cast(reals.value(row), out))
        }
        from => {
            let renderer = Renderer::new(from);
            write_all(array, limit, |row, out| renderer.write(array, row, out))
        }
    }
}

fn write_all(array: &ArrayRef, limit: usize, mut write: impl FnMut(usize, &mut String)) -> Result<ArrayRef> {
    let mut builder = StringViewBuilder::with_capacity(array.len());
    let mut text = String::new();
    for row in 0..array.len() {
        text.clear();
        if array.is_valid(row) {
            write(row, &mut text);
        }
        if array.is_valid(row) && text.len() <= limit {
            builder.append_value(&text);
        } else {
            builder.append_null();
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// Text read as a value of another type.
pub(super) fn from_text(cast: &Cast<'_>) -> Result<ArrayRef> {
    let texts = cast.array.as_string_view_opt().ok_or_else(|| cast.wrong_array())?;
    Ok(match cast.to {
        SqlType::Boolean => {
            let truths = texts.iter().map(|t| t.and_then(read_boolean));
            Arc::new(truths.collect::<BooleanArray>())
        }
        SqlType::TinyInt => integers::<Int8Type>(texts),
        SqlType::SmallInt => integers::<Int16Type>(texts),
        SqlType::Integer => integers::<Int32Type>(texts),
        SqlType::BigInt => integers::<Int64Type>(texts),
        SqlType::Real => values::<Float32Type>(texts, read_float),
        SqlType::Double => {
            values::<Float64Type>(texts, |t| short_double(t.as_bytes()).or_else(|| read_float(t)))
        }
        SqlType::Decimal(p, s) => {
            let decimals = texts.iter().map(|t| t.and_then(|t| decimal::parse_decimal(t, *p, *s).ok()));
            let decimals = decimals.collect::<PrimitiveArray<Decimal128Type>>();
            Arc::new(decimals.with_data_type(cast.to.to_arrow()))
        }
        SqlType::Date => values::<Date32Type>(texts, |t| parse::parse_date(t)?.try_into().ok()),
        SqlType::Time(_) | SqlType::Timestamp(_) | SqlType::TimestampTz(..) => time::from_text(cast, texts)?,
        SqlType::Uuid => {
            let mut builder = StringViewBuilder::with_capacity(texts.len());
            for text in texts {
                builder.append_option(text.and_then(read_uuid));
            }
            Arc::new(builder.finish())
        }
        SqlType::IpAddress => {
            let mut builder = BinaryViewBuilder::with_capacity(texts.len());
            for text in texts {
                builder.append_option(text.and_then(read_address));
            }
            Arc::new(builder.finish())
        }
        SqlType::Varbinary => {
            arrow::compute::cast(cast.array, &cast.to.to_arrow()).map_err(super::arrow_error)?
        }
        _ => return Err(cast.wrong_array()),
    })
}

fn values<T: ArrowPrimitiveType>(
    texts: &StringViewArray,
    read: impl Fn(&str) -> Option<T::Native>,
) -> ArrayRef {
    Arc::new(texts.iter().map(|t| t.and_then(&read)).collect::<PrimitiveArray<T>>())
}

fn integers<T: ArrowPrimitiveType>(texts: &StringViewArray) -> ArrayRef
where
    T::Native: TryFrom<i64>,
{
    values::<T>(texts, |text| read_integer(text)?.try_into().ok())
}

fn read_integer(text: &str) -> Option<i64> {
    // `parse` takes a sign and digits and nothing else, as Java does.
    text.parse().ok().or_else(|| text.trim().parse().ok())
}

fn read_boolean(text: &str) -> Option<bool> {
    if ["true", "t", "1"].iter().any(|t| text.eq_ignore_ascii_case(t)) {
        return Some(true);
    }
    ["false", "f", "0"].iter().any(|f| text.eq_ignore_ascii_case(f)).then_some(false)
}

/// What Java reads as a float: digits with a point, an exponent and a letter d or f behind, `NaN`, `Infinity`.
fn read_float<T: std::str::FromStr>(text: &str) -> Option<T> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match unsigned {
        "NaN" => return "NaN".parse().ok(),
        "Infinity" => return text.parse().ok(),
        _ => {}
    }
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text).parse().ok()
}

fn read_uuid(text: &str) -> Option<String> {
    (text.len() == 36).then(|| uuid::Uuid::try_parse(text).ok().map(|u| u.to_string()))?
}

/// The 16 bytes of an address.
fn read_address(text: &str) -> Option<[u8; 16]> {
    match text.parse::<std::net::IpAddr>().ok()? {
        std::net::IpAddr::V4(v4) => Some(v4.to_ipv6_mapped().octets()),
        std::net::IpAddr::V6(v6) => Some(v6.octets()),
    }
}
