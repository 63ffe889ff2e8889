//! Teradata's functions: its date patterns (`yyyy-mm-dd hh24:mi:ss`, all in lower case) and UTF-16 as digits.

use super::functions::{format, parse};
use super::{Builder, Part, Pattern, Piece};
use crate::registry::Family;
use crate::scalar::datetime::zone::Zone;
use crate::{Call, Scalar};
use arrow::array::{ArrayRef, AsArray, Date32Array};
use arrow::datatypes::TimestampMillisecondType;
use model::{Error, Result};
use std::fmt::Write;
use std::sync::Arc;

/// Teradata's functions.
pub(crate) const FAMILY: Family = Family {
    title: "Teradata functions",
    scalars: &[
        Scalar::new(
            "to_char",
            &["(timestamp, varchar) -> varchar", "(timestamp with time zone, varchar) -> varchar"],
            |call| format(call, compile),
            "Writes a timestamp by a pattern of Teradata's.",
        ),
        Scalar::new(
            "to_timestamp",
            &["(varchar, varchar) -> timestamp(3)"],
            |call| parse(call, compile, Zone::UTC),
            "Reads a timestamp by a pattern of Teradata's.",
        ),
        Scalar::new(
            "to_date",
            &["(varchar, varchar) -> date"],
            to_date,
            "Reads a date by a pattern of Teradata's.",
        ),
        Scalar::new(
            "char2hexint",
            &["(varchar) -> varchar"],
            char2hexint,
            "Returns the UTF-16 form of a text as hexadecimal digits.",
        ),
    ],
    aggregates: &[],
};

/// The specifiers, longer ones first.
const NUMBERS: &[(&str, Part, usize)] = &[
    ("yyyy", Part::Year, 4),
    ("hh24", Part::Hour, 2),
    ("hh", Part::ClockHalfHour, 2),
    ("dd", Part::Day, 2),
    ("mm", Part::Month, 2),
    ("mi", Part::Minute, 2),
    ("ss", Part::Second, 2),
];

fn compile(text: &str) -> Result<Pattern> {
    let mut builder = Builder::default();
    let mut rest = text;
    while let Some(symbol) = rest.chars().next() {
        if let Some((name, part, digits)) = NUMBERS.iter().find(|(name, ..)| rest.starts_with(name)) {
            builder.number(*part, *digits, *digits);
            rest = &rest[name.len()..];
        } else if let Some(after) = rest.strip_prefix("yy") {
            builder.pieces.push(Piece::ShortYear { week: false, pivot: None, lenient: false });
            rest = after;
        } else if "-/,.;: ".contains(symbol) {
            builder.literal(symbol);
            rest = &rest[symbol.len_utf8()..];
        } else {
            return Err(Error::invalid(format!("the pattern '{text}' cannot be read at '{rest}'")).why(
                "it may hold yyyy, yy, mm, dd, hh, hh24, mi, ss, spaces and the punctuation - / , . ; :",
            ));
        }
    }
    Ok(builder.finish())
}

fn to_date(call: &Call<'_>) -> Result<ArrayRef> {
    let timestamp = sql::SqlType::Timestamp(3);
    let times = parse(&Call { return_type: &timestamp, ..*call }, compile, Zone::UTC)?;
    let times = times
        .as_primitive_opt::<TimestampMillisecondType>()
        .ok_or_else(|| Error::internal("a timestamp was to be read"))?;
    let days = |millis: Option<i64>| millis.and_then(|m| i32::try_from(m.div_euclid(86_400_000)).ok());
    Ok(Arc::new(times.iter().map(days).collect::<Date32Array>()))
}

fn char2hexint(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.strings(0)?;
    call.build_strings(|row, out| {
        let Some(text) = texts.get(row) else { return Ok(false) };
        for unit in text.encode_utf16() {
            write!(out, "{unit:04X}").map_err(|_| Error::internal("a text could not be written"))?;
        }
        Ok(true)
    })
}
