//! Writes JSON as compact text: strings with the fewest escapes, numbers as Java writes them.

use super::scan::{Kind, MAX_DEPTH, Malformed, Scanner};
use crate::render::number::write_double;
use std::fmt::Write;

/// A string in its quotes.
pub(crate) fn string(text: &str, out: &mut String) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(text.get(from..at).unwrap_or_default());
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04X}");
        } else {
            out.push_str(escape);
        }
        from = at + 1;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out.push('"');
}

/// A double as Java has it. What is no number stands in quotes.
pub(crate) fn double(value: f64, out: &mut String) {
    if value.is_finite() {
        write_double(value, out);
    } else {
        out.push('"');
        write_double(value, out);
        out.push('"');
    }
}

/// A number that stands in JSON: integers exactly as they are, others as doubles.
pub(crate) fn number(text: &str, float: bool, out: &mut String) {
    if !float {
        // Java has no negative integer zero.
        out.push_str(if text == "-0" { "0" } else { text });
        return;
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => double(number, out),
        _ => out.push_str(text),
    }
}

/// Copies the next value, compact, its members in their order.
pub(crate) fn copy(scanner: &mut Scanner<'_>, depth: usize, out: &mut String) -> Result<(), Malformed> {
    if depth > MAX_DEPTH {
        return scanner.bad();
    }
    match scanner.kind()? {
        Kind::Null => {
            scanner.word("null")?;
            out.push_str("null");
        }
        Kind::True => {
            scanner.word("true")?;
            out.push_str("true");
        }
        Kind::False => {
            scanner.word("false")?;
            out.push_str("false");
        }
        Kind::Number => {
            let (text, float) = scanner.number()?;
            number(text, float, out);
        }
        Kind::String => {
            let raw = scanner.string()?;
            if raw.escaped {
                string(&raw.to_text(), out);
            } else {
                out.push('"');
                out.push_str(raw.text);
                out.push('"');
            }
        }
        Kind::Array => {
            out.push('[');
            let mut more = scanner.open(false)?;
            let mut first = true;
            while more {
                if !first {
                    out.push(',');
                }
                first = false;
                copy(scanner, depth + 1, out)?;
                more = scanner.more(false)?;
            }
            out.push(']');
        }
        Kind::Object => {
            out.push('{');
            let mut more = scanner.open(true)?;
            let mut first = true;
            while more {
                if !first {
                    out.push(',');
                }
                first = false;
                string(&scanner.key()?.to_text(), out);
                out.push(':');
                copy(scanner, depth + 1, out)?;
                more = scanner.more(true)?;
            }
            out.push('}');
        }
    }
    Ok(())
}
