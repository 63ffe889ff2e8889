//! `format`: Java's format strings, as `String.format` reads them, with its errors.

mod dates;
mod digits;
mod numbers;
mod specifier;
mod value;

use super::Scalar;
use super::string::{check_length, shorten};
use crate::{Call, Family};
use arrow::array::ArrayRef;
use model::{Error, Result};
use specifier::{Piece, Specifier};
use value::{Reader, Value};

/// `format`.
pub const FAMILY: Family = Family { title: "Formatting", scalars: SCALARS, aggregates: &[] };

const SCALARS: &[Scalar] = &[Scalar::new(
    "format",
    &["(varchar, any...) -> varchar"],
    format,
    "Values in a text, by Java's format strings.",
)
.handles_nulls()];

/// What is wrong with a format string, in Java's words.
type Fault = String;

fn format(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.strings(0)?;
    let readers: Vec<Reader> = (1..call.args.len()).map(|i| Reader::of(call, i)).collect::<Result<_>>()?;
    // The pieces of the last format string: mostly there is but one.
    let mut last: Option<(String, Vec<Piece>)> = None;
    let mut builder = arrow::array::StringViewBuilder::with_capacity(call.rows);
    let mut out = String::new();
    for row in 0..call.rows {
        let Some(text) = texts.get(row) else {
            builder.append_null();
            continue;
        };
        let broken = |fault: Fault| {
            Error::invalid(format!("the format string '{}' does not fit its arguments", shorten(text)))
                .why(fault)
        };
        if last.as_ref().is_none_or(|(known, _)| known != text) {
            last = Some((text.to_owned(), specifier::parse(text).map_err(broken)?));
        }
        let pieces = last.as_ref().map_or(&[][..], |(_, pieces)| pieces);
        out.clear();
        write(pieces, &readers, row, &mut out).map_err(broken)?;
        check_length(call.name, out.len())?;
        builder.append_value(&out);
    }
    Ok(std::sync::Arc::new(builder.finish()))
}

fn write(
    pieces: &[Piece],
    readers: &[Reader],
    row: usize,
    out: &mut String,
) -> std::result::Result<(), Fault> {
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Argument(index, specifier) => {
                let reader = readers
                    .get(*index)
                    .ok_or_else(|| format!("there is no argument for {}", specifier.source))?;
                let value = reader.value(row);
                // Longer than any text may be: refused before it is built.
                if specifier.width.unwrap_or(0).max(specifier.precision.unwrap_or(0))
                    > super::string::MAX_TEXT
                {
                    return Err(format!("{} is too wide", specifier.source));
                }
                put(specifier, &value, out)?;
            }
        }
    }
    Ok(())
}

/// Writes one value as its specifier has it.
fn put(specifier: &Specifier, value: &Value, out: &mut String) -> std::result::Result<(), Fault> {
    let mut text = String::new();
    if let Some(field) = specifier.date_field {
        match value {
            Value::Null => text.push_str("null"),
            _ => dates::write(field, value, &mut text).ok_or_else(|| specifier.mismatch(value))?,
        }
        finish(specifier, text, out);
        return Ok(());
    }
    match (specifier.conversion, value) {
        ('b', value) => {
            let truth = match value {
                Value::Null => false,
                Value::Bool(truth) => *truth,
                _ => true,
            };
            text.push_str(if truth { "true" } else { "false" });
            cut(specifier, &mut text);
        }
        ('d' | 'o' | 'x' | 'e' | 'f' | 'g' | 'c' | 'h' | 's', Value::Null) => {
            text.push_str("null");
            cut(specifier, &mut text);
        }
        ('s', value) => {
            value.write_plain(&mut text);
            cut(specifier, &mut text);
        }
        ('h', value) => {
            let hash =
                value.java_hash().ok_or_else(|| format!("%h is not supported for {}", value.kind()))?;
            text.push_str(&format!("{hash:x}"));
            cut(specifier, &mut text);
        }
        ('d' | 'o' | 'x', Value::Int(number)) => {
            numbers::integer(specifier, *number, &mut text);
            finish_number(specifier, text, out);
            return Ok(());
        }
        ('e' | 'f' | 'g', Value::Double(_) | Value::Real(_) | Value::Decimal(..)) => {
            let finite = numbers::fraction(specifier, value, &mut text);
            if finite {
                finish_number(specifier, text, out);
            } else {
                finish(specifier, text, out);
            }
            return Ok(());
        }
        _ => return Err(specifier.mismatch(value)),
    }
    finish(specifier, text, out);
    Ok(())
}

/// The precision of what is no number says how much of it is kept.
fn cut(specifier: &Specifier, text: &mut String) {
    if let Some((at, _)) = specifier.precision.and_then(|p| text.char_indices().nth(p)) {
        text.truncate(at);
    }
}

/// Fills up to the width with blanks, and puts it into upper case if asked to.
fn finish(specifier: &Specifier, text: String, out: &mut String) {
    let text = if specifier.upper { text.to_uppercase() } else { text };
    let missing = specifier.width.unwrap_or(0).saturating_sub(text.chars().count());
    if !specifier.left {
        out.extend(std::iter::repeat_n(' ', missing));
    }
    out.push_str(&text);
    if specifier.left {
        out.extend(std::iter::repeat_n(' ', missing));
    }
}

/// The same for numbers, which may be filled up with zeros behind the sign.
fn finish_number(specifier: &Specifier, text: String, out: &mut String) {
    let missing = specifier.width.unwrap_or(0).saturating_sub(text.chars().count());
    if !specifier.zeros || missing == 0 {
        return finish(specifier, text, out);
    }
    let mut sign = text.len() - text.trim_start_matches(['-', '+', ' ', '(']).len();
    if text.get(sign..).is_some_and(|t| t.starts_with("0x")) {
        sign += 2;
    }
    let filled = format!(
        "{}{}{}",
        text.get(..sign).unwrap_or_default(),
        "0".repeat(missing),
        text.get(sign..).unwrap_or_default()
    );
    finish(specifier, filled, out);
}
