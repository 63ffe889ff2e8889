//! Code points, normal forms, UTF-8 and back; numbers with a letter for their magnitude.

use crate::Call;
use arrow::array::ArrayRef;
use arrow::datatypes::Int32Type;
use model::{Error, Result};
use sql::SqlType;
use unicode_normalization::UnicodeNormalization;

pub(crate) fn chr(call: &Call<'_>) -> Result<ArrayRef> {
    let code = call.bigints(0)?;
    call.build_strings(|row, out| {
        let Some(code) = code.get(row) else { return Ok(false) };
        let symbol = u32::try_from(code).ok().and_then(char::from_u32);
        let symbol = symbol.ok_or_else(|| Error::invalid(format!("{code} is no Unicode code point")))?;
        out.push(symbol);
        Ok(true)
    })
}

pub(crate) fn codepoint(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    call.build::<Int32Type>(|row| {
        let Some(text) = text.get(row) else { return Ok(None) };
        let mut symbols = text.chars();
        match (symbols.next(), symbols.next()) {
            (Some(only), None) => Ok(Some(u32::from(only) as i32)),
            _ => {
                Err(Error::invalid(format!("codepoint takes a single character, found '{}'", shorten(text))))
            }
        }
    })
}

/// A text short enough to be quoted in a message.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

pub(crate) fn normalize(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    let form = if call.has(1) { Some(call.strings(1)?) } else { None };
    call.build_strings(|row, out| {
        let Some(text) = text.get(row) else { return Ok(false) };
        match form.as_ref().map_or(Some("NFC"), |f| f.get(row)) {
            Some("NFC") => out.extend(text.nfc()),
            Some("NFD") => out.extend(text.nfd()),
            Some("NFKC") => out.extend(text.nfkc()),
            Some("NFKD") => out.extend(text.nfkd()),
            Some(other) => {
                return Err(Error::invalid(format!("`{other}` is no normal form"))
                    .hint("the forms are NFD, NFC, NFKD and NFKC"));
            }
            None => return Ok(false),
        }
        Ok(true)
    })
}

pub(crate) fn to_utf8(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    call.build_bytes(|row, out| {
        out.extend_from_slice(text.get(row).unwrap_or_default().as_bytes());
        Ok(true)
    })
}

/// What stands in for bytes that are not UTF-8, per row.
fn replacement(call: &Call<'_>) -> Result<impl Fn(usize) -> Result<Option<char>>> {
    let given = call.arg_types.get(1).cloned();
    let text = if matches!(given, Some(SqlType::Varchar(_))) { Some(call.strings(1)?) } else { None };
    let code = if matches!(given, Some(SqlType::BigInt)) { Some(call.bigints(1)?) } else { None };
    Ok(move |row| {
        if let Some(text) = text.as_ref().and_then(|t| t.get(row)) {
            let mut symbols = text.chars();
            return match (symbols.next(), symbols.next()) {
                (only, None) => Ok(only),
                _ => Err(Error::invalid("the replacement of from_utf8 must be empty or a single character")),
            };
        }
        if let Some(code) = code.as_ref().and_then(|c| c.get(row)) {
            let symbol = u32::try_from(code).ok().and_then(char::from_u32);
            return match symbol {
                Some(symbol) => Ok(Some(symbol)),
                None => Err(Error::invalid(format!("{code} is no Unicode code point"))),
            };
        }
        Ok(Some(char::REPLACEMENT_CHARACTER))
    })
}

pub(crate) fn from_utf8(call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    let replacement = replacement(call)?;
    call.build_strings(|row, out| {
        let Some(bytes) = bytes.get(row) else { return Ok(false) };
        let by = replacement(row)?;
        for chunk in bytes.utf8_chunks() {
            out.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                out.extend(by);
            }
        }
        Ok(true)
    })
}

pub(crate) fn format_number(call: &Call<'_>) -> Result<ArrayRef> {
    if call.arg_types.first() == Some(&SqlType::BigInt) {
        let number = call.bigints(0)?;
        return call.build_strings(|row, out| {
            out.push_str(&magnitude(number.get(row).unwrap_or_default()));
            Ok(true)
        });
    }
    let number = call.doubles(0)?;
    call.build_strings(|row, out| {
        // What is behind the point does not count, and what is too large is the largest bigint: a Rust cast as Java's.
        out.push_str(&magnitude(number.get(row).unwrap_or_default() as i64));
        Ok(true)
    })
}

/// Three digits and the letter of the power of a thousand; negative numbers always have two decimals, as in Trino.
fn magnitude(number: i64) -> String {
    let mut rest = number as f64;
    let mut letter = "";
    for next in ["K", "M", "B", "T", "Q"] {
        if rest.abs() < 1000.0 {
            break;
        }
        rest /= 1000.0;
        letter = next;
    }
    let decimals = match rest {
        r if r < 10.0 => 2,
        r if r < 100.0 => 1,
        _ => 0,
    };
    let mut digits = round_half_up(rest, decimals);
    if digits.contains('.') {
        digits.truncate(digits.trim_end_matches('0').trim_end_matches('.').len());
    }
    digits + letter
}

/// The number's exact decimal value, rounded to so many decimals, halves away from zero.
pub(crate) fn round_half_up(number: f64, decimals: usize) -> String {
    let rounded = format!("{number:.decimals$}");
    // Rust rounds an exact half to the even digit: only then is the next decimal a 5 followed by nothing.
    let exact = format!("{number:.1080}");
    let cut = exact.find('.').map_or(exact.len(), |p| p + 1 + decimals);
    let (kept, rest) = exact.split_at_checked(cut).unwrap_or((&exact, ""));
    let is_half = rest.starts_with('5') && rest.bytes().skip(1).all(|b| b == b'0');
    if !is_half {
        return rounded;
    }
    let mut digits: Vec<u8> = kept.trim_end_matches('.').bytes().collect();
    for digit in digits.iter_mut().rev() {
        match *digit {
            b'9' => *digit = b'0',
            b'0'..=b'8' => {
                *digit += 1;
                return String::from_utf8_lossy(&digits).into_owned();
            }
            _ => {}
        }
    }
    let at = usize::from(digits.first() == Some(&b'-'));
    digits.insert(at, b'1');
    String::from_utf8_lossy(&digits).into_owned()
}
