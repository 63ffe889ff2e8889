//! Values as PostgreSQL writes them.

use super::numeric::put_decimal;
use super::{Shape, bytes, days, float, interval, is_null, moment, string, time, whole};
use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Float32Type};
use chrono::{DateTime, Datelike, NaiveDate, Timelike};
use functions::render::Renderer;
use functions::scalar::datetime::Zone;
use std::fmt::Write;
use std::net::{IpAddr, Ipv6Addr};

/// Appends a value that is not NULL; instants are told in this zone.
pub(crate) fn put_text_value(
    shape: &Shape,
    renderer: Option<&Renderer>,
    array: &dyn Array,
    row: usize,
    zone: Zone,
    out: &mut String,
) {
    match shape {
        Shape::Bool => out.push(if is_true(array, row) { 't' } else { 'f' }),
        Shape::Int2 | Shape::Int4 | Shape::Int8 | Shape::Oid => {
            put(out, format_args!("{}", whole(array, row)));
        }
        Shape::Float4 => match array.data_type() {
            DataType::Float32 => {
                let value = array.as_primitive::<Float32Type>().value(row);
                put_float(f64::from(value), &format!("{value:e}"), 6, out);
            }
            _ => put_float(float(array, row), &format!("{:e}", float(array, row)), 6, out),
        },
        Shape::Float8 => {
            let value = float(array, row);
            put_float(value, &format!("{value:e}"), 15, out);
        }
        Shape::Numeric(..) => {
            let decimals = array.as_primitive_opt::<Decimal128Type>();
            if let (Some(decimals), DataType::Decimal128(_, scale)) = (decimals, array.data_type()) {
                put_decimal(decimals.value(row), usize::try_from(*scale).unwrap_or(0), out);
            }
        }
        Shape::Text(..) | Shape::Json | Shape::Uuid => out.push_str(string(array, row)),
        Shape::Nested(_) => {
            if let Some(renderer) = renderer {
                renderer.write_json(array, row, out);
            }
        }
        Shape::Bytea => {
            out.push_str("\\x");
            bytes(array, row).iter().for_each(|byte| put(out, format_args!("{byte:02x}")));
        }
        Shape::Inet => {
            if let Some(ip) = address(bytes(array, row)) {
                put(out, format_args!("{ip}"));
            }
        }
        Shape::Date => put_date(days(array, row), out),
        Shape::Time => put_time(time(array, row), out),
        Shape::Timestamp => put_moment(moment(array, row), None, out),
        Shape::TimestampTz => {
            let micros = moment(array, row);
            let offset = zone.offset(micros.div_euclid(1_000_000));
            put_moment(micros, Some(offset), out);
        }
        Shape::Interval => put_interval(interval(array, row), out),
        Shape::Array(element) => {
            let Some(list) = array.as_list_opt::<i32>() else { return };
            put_array(element, list.value(row).as_ref(), zone, out);
        }
    }
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a text cannot fail.
    let _ = out.write_fmt(text);
}

pub(super) fn is_true(array: &dyn Array, row: usize) -> bool {
    array.as_boolean_opt().is_some_and(|all| all.value(row))
}

/// Numbers between 0.0001 and 10^digits are written plainly, others with an exponent.
fn put_float(value: f64, shortest: &str, digits: i32, out: &mut String) {
    if value.is_nan() {
        return out.push_str("NaN");
    }
    if value.is_infinite() {
        return out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let Some((mantissa, exponent)) = shortest.split_once('e') else { return out.push_str(shortest) };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..digits).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return put(out, format_args!("{mantissa}e{sign}{:02}", exponent.abs()));
    }
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let all: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    out.push_str(sign);
    match usize::try_from(exponent) {
        Ok(exponent) => {
            let point = exponent + 1;
            out.push_str(all.get(..point.min(all.len())).unwrap_or_default());
            (all.len()..point).for_each(|_| out.push('0'));
            if all.len() > point {
                out.push('.');
                out.push_str(all.get(point..).unwrap_or_default());
            }
        }
        Err(_) => {
            out.push_str("0.");
            (1..exponent.unsigned_abs()).for_each(|_| out.push('0'));
            out.push_str(&all);
        }
    }
}

pub(super) fn put_date(days: i32, out: &mut String) {
    match NaiveDate::from_num_days_from_ce_opt(days.saturating_add(719_163)) {
        Some(date) if date.year() > 0 => {
            put(out, format_args!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day()));
        }
        Some(date) => {
            put(out, format_args!("{:04}-{:02}-{:02} BC", 1 - date.year(), date.month(), date.day()));
        }
        None => out.push_str(if days > 0 { "infinity" } else { "-infinity" }),
    }
}

pub(super) fn put_time(micros: i64, out: &mut String) {
    let seconds = micros.div_euclid(1_000_000);
    put(out, format_args!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
    put_fraction(micros.rem_euclid(1_000_000), out);
}

fn put_fraction(micros: i64, out: &mut String) {
    if micros != 0 {
        let digits = format!("{micros:06}");
        out.push('.');
        out.push_str(digits.trim_end_matches('0'));
    }
}

/// A time, or with an offset from UTC in seconds an instant.
pub(super) fn put_moment(micros: i64, offset: Option<i64>, out: &mut String) {
    let shifted = micros.saturating_add(offset.unwrap_or(0) * 1_000_000);
    let Some(time) = DateTime::from_timestamp_micros(shifted) else {
        return out.push_str(if micros > 0 { "infinity" } else { "-infinity" });
    };
    let (year, era) = if time.year() > 0 { (time.year(), "") } else { (1 - time.year(), " BC") };
    put(
        out,
        format_args!(
            "{year:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            time.month(),
            time.day(),
            time.hour(),
            time.minute(),
            time.second()
        ),
    );
    put_fraction(micros.rem_euclid(1_000_000), out);
    if let Some(offset) = offset {
        put_offset(offset, out);
    }
    out.push_str(era);
}

/// `+01`, `-03:30`, `+00:53:28`
fn put_offset(seconds: i64, out: &mut String) {
    let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
    put(out, format_args!("{sign}{:02}", seconds / 3600));
    for (part, rest) in [(seconds / 60 % 60, seconds % 3600), (seconds % 60, seconds % 60)] {
        if rest != 0 {
            put(out, format_args!(":{part:02}"));
        }
    }
}

fn put_interval((months, micros): (i32, i64), out: &mut String) {
    let start = out.len();
    let mut part = |number: i64, one: &str, many: &str| {
        if number != 0 {
            let gap = if out.len() > start { " " } else { "" };
            put(out, format_args!("{gap}{number} {}", if number == 1 { one } else { many }));
        }
    };
    part(i64::from(months / 12), "year", "years");
    part(i64::from(months % 12), "mon", "mons");
    let days = micros / 86_400_000_000;
    part(days, "day", "days");
    let rest = micros % 86_400_000_000;
    if rest != 0 || out.len() == start {
        if out.len() > start {
            out.push(' ');
        }
        if rest < 0 {
            out.push('-');
        }
        put_time(rest.abs(), out);
    }
}

pub(super) fn address(bytes: &[u8]) -> Option<IpAddr> {
    let octets: [u8; 16] = bytes.try_into().ok()?;
    let ip = Ipv6Addr::from(octets);
    Some(ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4))
}

fn put_array(element: &Shape, values: &dyn Array, zone: Zone, out: &mut String) {
    out.push('{');
    let mut text = String::new();
    for row in 0..values.len() {
        if row > 0 {
            out.push(',');
        }
        if is_null(values, row) {
            out.push_str("NULL");
            continue;
        }
        text.clear();
        put_text_value(element, None, values, row, zone, &mut text);
        put_element(&text, out);
    }
    out.push('}');
}

/// An array's element, in quotes where it needs them.
pub(crate) fn put_element(text: &str, out: &mut String) {
    let plain = !text.is_empty()
        && !text.eq_ignore_ascii_case("null")
        && !text.contains(|c: char| c.is_ascii_whitespace() || "{}\",\\".contains(c));
    if plain {
        return out.push_str(text);
    }
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}
