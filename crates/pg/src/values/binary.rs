//! Values in PostgreSQL's binary form.

use super::numeric::put_numeric;
use super::text::{address, is_true};
use super::{
    DAYS_TO_2000, MICROS_TO_2000, Shape, bytes, days, float, interval, is_null, moment, string, time, whole,
};
use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Float32Type};
use bytes::{BufMut, BytesMut};
use functions::render::Renderer;
use std::net::IpAddr;

/// Appends a value that is not NULL. Numbers that are wider than their type are cut: the type says they are not.
#[allow(clippy::cast_possible_truncation, reason = "the SQL type bounds the value")]
pub(crate) fn put_binary(
    shape: &Shape,
    renderer: Option<&Renderer>,
    array: &dyn Array,
    row: usize,
    out: &mut BytesMut,
) {
    match shape {
        Shape::Bool => out.put_u8(u8::from(is_true(array, row))),
        Shape::Int2 => out.put_i16(whole(array, row) as i16),
        Shape::Int4 => out.put_i32(whole(array, row) as i32),
        Shape::Oid => out.put_u32(whole(array, row) as u32),
        Shape::Int8 => out.put_i64(whole(array, row)),
        Shape::Float4 => match array.data_type() {
            DataType::Float32 => out.put_f32(array.as_primitive::<Float32Type>().value(row)),
            _ => out.put_f32(float(array, row) as f32),
        },
        Shape::Float8 => out.put_f64(float(array, row)),
        Shape::Numeric(..) => {
            let decimals = array.as_primitive_opt::<Decimal128Type>();
            if let (Some(decimals), DataType::Decimal128(_, scale)) = (decimals, array.data_type()) {
                put_numeric(decimals.value(row), usize::try_from(*scale).unwrap_or(0), out);
            }
        }
        Shape::Text(..) | Shape::Json => out.put_slice(string(array, row).as_bytes()),
        Shape::Nested(_) => {
            let mut text = String::new();
            if let Some(renderer) = renderer {
                renderer.write_json(array, row, &mut text);
            }
            out.put_slice(text.as_bytes());
        }
        Shape::Uuid => out.put_slice(&uuid(string(array, row))),
        Shape::Bytea => out.put_slice(bytes(array, row)),
        Shape::Inet => match address(bytes(array, row)) {
            Some(IpAddr::V4(ip)) => {
                out.put_slice(&[2, 32, 0, 4]);
                out.put_slice(&ip.octets());
            }
            Some(IpAddr::V6(ip)) => {
                out.put_slice(&[3, 128, 0, 16]);
                out.put_slice(&ip.octets());
            }
            None => {}
        },
        Shape::Date => out.put_i32(days(array, row).saturating_sub(DAYS_TO_2000)),
        Shape::Time => out.put_i64(time(array, row)),
        Shape::Timestamp | Shape::TimestampTz => {
            out.put_i64(moment(array, row).saturating_sub(MICROS_TO_2000));
        }
        Shape::Interval => {
            let (months, micros) = interval(array, row);
            out.put_i64(micros % 86_400_000_000);
            out.put_i32((micros / 86_400_000_000) as i32);
            out.put_i32(months);
        }
        Shape::Array(element) => {
            let Some(list) = array.as_list_opt::<i32>() else { return };
            let values = list.value(row);
            out.put_i32(i32::from(!values.is_empty()));
            out.put_i32(i32::from(values.logical_null_count() > 0));
            out.put_u32(element.oid());
            if !values.is_empty() {
                out.put_i32(i32::try_from(values.len()).unwrap_or(i32::MAX));
                out.put_i32(1);
            }
            for row in 0..values.len() {
                put_sized(out, is_null(values.as_ref(), row), |out| {
                    put_binary(element, None, values.as_ref(), row, out);
                });
            }
        }
    }
}

/// Appends a value with its length before it; NULL is a length of -1.
pub(crate) fn put_sized(out: &mut BytesMut, is_null: bool, write: impl FnOnce(&mut BytesMut)) {
    if is_null {
        return out.put_i32(-1);
    }
    let at = out.len();
    out.put_i32(0);
    write(out);
    let length = i32::try_from(out.len() - at - 4).unwrap_or(i32::MAX);
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

fn uuid(text: &str) -> [u8; 16] {
    let digits = text.bytes().filter_map(|byte| char::from(byte).to_digit(16));
    let number = digits.fold(0_u128, |sum, digit| (sum << 4) | u128::from(digit));
    number.to_be_bytes()
}
