//! Parameters: what a client binds, as expressions of the engine's language. Each says its type, so that a statement
//! means the same when it is described and when it runs.

use super::numeric::numeric_text;
use super::text::{address, put_date, put_moment, put_time};
use super::{DAYS_TO_2000, MICROS_TO_2000, Shape};
use crate::text::{Span, span};
use chrono::{DateTime, NaiveDateTime};
use model::{Error, Result};
use sql::quote_string;

/// NULL with the type of that shape.
pub(crate) fn null_of(shape: &Shape) -> String {
    format!("CAST(NULL AS {})", type_of(shape))
}

/// An expression as one of that shape. A decimal keeps the digits it is written with: what is cast to one has as many as
/// its type says, and `numeric` does not say how many.
pub(crate) fn cast_to(expression: &str, shape: &Shape) -> String {
    let is_numeric = |shape: &Shape| matches!(shape, Shape::Numeric(..));
    match shape {
        shape if is_numeric(shape) => {
            let digits = expression.trim().strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
            digits.and_then(|digits| of_text(digits, shape).ok()).unwrap_or_else(|| expression.to_owned())
        }
        Shape::Array(element) if is_numeric(element) => expression.to_owned(),
        _ => format!("CAST({expression} AS {})", type_of(shape)),
    }
}

/// The expression for a bound value.
pub(crate) fn literal(value: Option<&[u8]>, is_binary: bool, shape: &Shape) -> Result<String> {
    let Some(bytes) = value else { return Ok(null_of(shape)) };
    if let Shape::Array(element) = shape {
        let values =
            if is_binary { binary_array(bytes, element)? } else { text_array(utf8(bytes)?, element)? };
        let name = match **element {
            Shape::Numeric(..) => format!("array(decimal(38,{}))", scale(&values)),
            _ => type_of(shape),
        };
        return Ok(format!("CAST(ARRAY[{}] AS {name})", values.join(", ")));
    }
    if let (Shape::Bytea, true) = (shape, is_binary) {
        return Ok(hex(bytes));
    }
    let text = if is_binary { binary_text(bytes, shape)? } else { utf8(bytes)?.to_owned() };
    of_text(&text, shape)
}

/// The most digits behind the point of any of these decimals.
fn scale(values: &[String]) -> usize {
    let digits =
        |value: &String| value.trim_end_matches('\'').split_once('.').map_or(0, |(_, part)| part.len());
    values.iter().map(digits).max().unwrap_or(0).min(38)
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|e| Error::invalid("a value is not UTF-8").source_is(e))
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("X'{digits}'")
}

/// The type of that shape in the engine's language.
fn type_of(shape: &Shape) -> String {
    let name = match shape {
        Shape::Bool => "boolean",
        Shape::Int2 => "smallint",
        Shape::Int4 => "integer",
        Shape::Int8 | Shape::Oid => "bigint",
        Shape::Float4 => "real",
        Shape::Float8 => "double",
        Shape::Numeric(p, s) => return format!("decimal({p},{s})"),
        Shape::Text(..) => "varchar",
        Shape::Bytea => "varbinary",
        Shape::Json => "json",
        Shape::Nested(sql_type) => return sql_type.to_string(),
        Shape::Uuid => "uuid",
        Shape::Inet => "ipaddress",
        Shape::Date => "date",
        Shape::Time => "time(6)",
        Shape::Timestamp => "timestamp(6)",
        Shape::TimestampTz => "timestamp(6) with time zone",
        Shape::Interval => "interval day to second",
        Shape::Array(element) => return format!("array({})", type_of(element)),
    };
    name.to_owned()
}

fn of_text(text: &str, shape: &Shape) -> Result<String> {
    let wrong = || Error::invalid(format!("cannot cast '{text}' to {}", type_of(shape)));
    let trimmed = text.trim();
    let cast = |text: &str| format!("CAST({} AS {})", quote_string(text), type_of(shape));
    Ok(match shape {
        Shape::Bool => match trimmed.to_ascii_lowercase().as_str() {
            "t" | "true" | "y" | "yes" | "on" | "1" => "true".into(),
            "f" | "false" | "n" | "no" | "off" | "0" => "false".into(),
            _ => return Err(wrong()),
        },
        Shape::Int2 | Shape::Int4 | Shape::Int8 | Shape::Oid => {
            let number: i64 = trimmed.parse().map_err(|_| wrong())?;
            // The least number has no literal: its sign is not part of it.
            if number == i64::MIN {
                return Ok(cast(trimmed));
            }
            format!("CAST({number} AS {})", type_of(shape))
        }
        Shape::Float4 | Shape::Float8 => {
            let number = trimmed.parse::<f64>().map_err(|_| wrong())?;
            match (number.is_infinite(), number.is_nan()) {
                (true, _) if number > 0.0 => cast("Infinity"),
                (true, _) => cast("-Infinity"),
                (_, true) => cast("NaN"),
                _ => cast(trimmed),
            }
        }
        Shape::Numeric(..) => {
            let digits = trimmed.trim_start_matches(['-', '+']);
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            if !plain || digits.is_empty() || digits.matches('.').count() > 1 || digits == "." {
                return Err(wrong());
            }
            format!("DECIMAL {}", quote_string(trimmed.trim_start_matches('+')))
        }
        Shape::Text(..) => cast(text),
        Shape::Nested(_) => format!("CAST(json_parse({}) AS {})", quote_string(text), type_of(shape)),
        Shape::Json => format!("json_parse({})", quote_string(text)),
        // Java's driver writes a zone behind a date, too.
        Shape::Date => cast(trimmed.split([' ', '+']).next().unwrap_or(trimmed)),
        Shape::Uuid | Shape::Inet | Shape::Time => cast(trimmed),
        Shape::Timestamp => cast(&plain_moment(trimmed).ok_or_else(wrong)?),
        // Without a zone it is read in the session's. With a zone's name the engine reads it.
        Shape::TimestampTz => match parse_plain(trimmed) {
            Some(local) => cast(&written(local)),
            None => match utc_moment(trimmed) {
                Some(moment) => cast(&format!("{moment} UTC")),
                None if trimmed.ends_with(|c: char| c.is_ascii_alphabetic()) => cast(trimmed),
                None => return Err(wrong()),
            },
        },
        Shape::Interval => span(trimmed)?.engine()?,
        Shape::Bytea => match text.strip_prefix("\\x") {
            Some(digits) if digits.len() % 2 == 0 && digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
                format!("X'{digits}'")
            }
            _ => hex(text.as_bytes()),
        },
        Shape::Array(_) => return Err(wrong()),
    })
}

const FORMATS: [&str; 3] = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"];

/// A moment without a zone; a zone that is given is passed over, as PostgreSQL does it.
fn plain_moment(text: &str) -> Option<String> {
    let time = parse_plain(text).or_else(|| parse_zoned(text).map(|(local, _)| local))?;
    Some(written(time))
}

/// A moment with a zone, in UTC.
fn utc_moment(text: &str) -> Option<String> {
    let (local, offset) = parse_zoned(text)?;
    let micros = local.and_utc().timestamp_micros() - i64::from(offset) * 1_000_000;
    Some(written(DateTime::from_timestamp_micros(micros)?.naive_utc()))
}

fn written(time: NaiveDateTime) -> String {
    time.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

fn parse_plain(text: &str) -> Option<NaiveDateTime> {
    let date = || chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    FORMATS.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()).or_else(date)
}

/// A moment and its distance from UTC in seconds: `+02`, `-05:30`, `Z`, `UTC`.
fn parse_zoned(text: &str) -> Option<(NaiveDateTime, i32)> {
    for zone in ["Z", "z", "UTC"] {
        if let Some(rest) = text.strip_suffix(zone) {
            return Some((parse_plain(rest.trim_end())?, 0));
        }
    }
    // A sign in the date is no zone.
    let at = text.get(10..)?.rfind(['+', '-'])? + 10;
    let (time, zone) = text.split_at(at);
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..4).map_or(Some(0), |text| text.parse().ok())?;
    Some((parse_plain(time.trim_end())?, sign * (hours * 3600 + minutes * 60)))
}

/// A value in binary form as text.
fn binary_text(bytes: &[u8], shape: &Shape) -> Result<String> {
    let wrong = || Error::invalid(format!("a value of {} bytes is no {}", bytes.len(), type_of(shape)));
    let mut out = String::new();
    macro_rules! number {
        ($type:ty) => {
            <$type>::from_be_bytes(bytes.try_into().map_err(|_| wrong())?)
        };
    }
    match shape {
        Shape::Bool => out.push_str(if number!(u8) == 0 { "f" } else { "t" }),
        Shape::Int2 => out = number!(i16).to_string(),
        Shape::Int4 => out = number!(i32).to_string(),
        Shape::Oid => out = number!(u32).to_string(),
        Shape::Int8 => out = number!(i64).to_string(),
        Shape::Float4 => out = number!(f32).to_string(),
        Shape::Float8 => out = number!(f64).to_string(),
        Shape::Numeric(..) => out = numeric_text(bytes)?,
        Shape::Text(..) | Shape::Nested(_) => utf8(bytes)?.clone_into(&mut out),
        // The binary form of jsonb has its version before the text.
        Shape::Json => utf8(bytes.strip_prefix(&[1]).unwrap_or(bytes))?.clone_into(&mut out),
        Shape::Uuid => {
            let number = number!(u128);
            out = uuid_text(number);
        }
        Shape::Inet => match bytes {
            [_, _, _, 4, a, b, c, d] => out = std::net::Ipv4Addr::new(*a, *b, *c, *d).to_string(),
            [_, _, _, 16, rest @ ..] => out = address(rest).ok_or_else(wrong)?.to_string(),
            _ => return Err(wrong()),
        },
        Shape::Date => put_date(number!(i32).saturating_add(DAYS_TO_2000), &mut out),
        Shape::Time => put_time(number!(i64).rem_euclid(86_400_000_000), &mut out),
        Shape::Timestamp => put_moment(number!(i64).saturating_add(MICROS_TO_2000), None, &mut out),
        Shape::TimestampTz => put_moment(number!(i64).saturating_add(MICROS_TO_2000), Some(0), &mut out),
        Shape::Interval => {
            let (micros, rest) = bytes.split_at_checked(8).ok_or_else(wrong)?;
            let (days, months) = rest.split_at_checked(4).ok_or_else(wrong)?;
            let four = |bytes: &[u8]| bytes.try_into().map(i32::from_be_bytes).map_err(|_| wrong());
            let span = Span {
                months: i64::from(four(months)?),
                days: i64::from(four(days)?),
                micros: micros.try_into().map(i64::from_be_bytes).map_err(|_| wrong())?,
            };
            out = format!("{} months {} days {} microseconds", span.months, span.days, span.micros);
        }
        Shape::Bytea | Shape::Array(_) => return Err(wrong()),
    }
    Ok(out)
}

fn uuid_text(number: u128) -> String {
    let digits = format!("{number:032x}");
    let mut text = String::with_capacity(36);
    for (index, digit) in digits.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

fn binary_array(bytes: &[u8], element: &Shape) -> Result<Vec<String>> {
    let wrong = || Error::invalid("an array in binary form is damaged");
    let int = |at: usize| {
        let four: [u8; 4] = bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).ok_or_else(wrong)?;
        Ok::<_, Error>(i32::from_be_bytes(four))
    };
    match int(0)? {
        0 => return Ok(Vec::new()),
        1 => {}
        _ => return Err(Error::unsupported("arrays of several dimensions are not supported")),
    }
    let count = usize::try_from(int(12)?).map_err(|_| wrong())?;
    let (mut at, mut all) = (20, Vec::new());
    for _ in 0..count {
        let length = int(at)?;
        at += 4;
        match usize::try_from(length) {
            Ok(length) => {
                let value = bytes.get(at..at.saturating_add(length)).ok_or_else(wrong)?;
                all.push(literal(Some(value), true, element)?);
                at += length;
            }
            Err(_) => all.push("NULL".into()),
        }
    }
    Ok(all)
}

/// `{a,"b c",NULL}`
fn text_array(text: &str, element: &Shape) -> Result<Vec<String>> {
    let wrong = || Error::invalid(format!("`{text}` is no array")).hint("write {1,2,3}");
    let inside = text.trim().strip_prefix('{').and_then(|t| t.strip_suffix('}')).ok_or_else(wrong)?;
    let mut all = Vec::new();
    if inside.trim().is_empty() {
        return Ok(all);
    }
    let mut rest = inside.chars().peekable();
    loop {
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        let (mut value, mut quoted) = (String::new(), false);
        if rest.next_if_eq(&'"').is_some() {
            quoted = true;
            loop {
                match rest.next().ok_or_else(wrong)? {
                    '"' => break,
                    '\\' => value.push(rest.next().ok_or_else(wrong)?),
                    c => value.push(c),
                }
            }
        }
        while let Some(c) = rest.next_if(|c| *c != ',') {
            match c {
                '{' | '}' => {
                    return Err(Error::unsupported("arrays of several dimensions are not supported"));
                }
                '\\' if !quoted => value.push(rest.next().ok_or_else(wrong)?),
                c if quoted && c.is_whitespace() => {}
                _ if quoted => return Err(wrong()),
                c => value.push(c),
            }
        }
        if quoted {
            all.push(of_text(&value, element)?);
        } else if value.trim().eq_ignore_ascii_case("null") {
            all.push("NULL".into());
        } else {
            all.push(of_text(value.trim(), element)?);
        }
        if rest.next().is_none() {
            return Ok(all);
        }
    }
}
