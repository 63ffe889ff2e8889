//! Upper and lower case, one character for one character as Java's code points have it: `ß` stays `ß`.

use crate::Call;
use arrow::array::ArrayRef;
use model::Result;

pub(crate) fn lower(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    call.build_strings(|row, out| {
        let Some(text) = text.get(row) else { return Ok(false) };
        if text.is_ascii() {
            out.push_str(text);
            out.make_ascii_lowercase();
        } else {
            out.extend(text.chars().map(lower_char));
        }
        Ok(true)
    })
}

pub(crate) fn upper(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    call.build_strings(|row, out| {
        let Some(text) = text.get(row) else { return Ok(false) };
        if text.is_ascii() {
            out.push_str(text);
            out.make_ascii_uppercase();
        } else {
            out.extend(text.chars().map(upper_char));
        }
        Ok(true)
    })
}

pub(crate) fn lower_char(symbol: char) -> char {
    let mut lower = symbol.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(only), None) => only,
        // The one character that becomes two: the capital I with a dot.
        (Some(first), Some(_)) => first,
        _ => symbol,
    }
}

pub(crate) fn upper_char(symbol: char) -> char {
    let mut upper = symbol.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(only), None) => only,
        _ => simple_upper(symbol),
    }
}

/// The Greek letters with a subscript iota, whose full upper case is two letters, have a title-case form of one.
fn simple_upper(symbol: char) -> char {
    let code = u32::from(symbol);
    let upper = match code {
        0x1f80..=0x1f87 | 0x1f90..=0x1f97 | 0x1fa0..=0x1fa7 => code + 8,
        0x1fb3 | 0x1fc3 | 0x1ff3 => code + 9,
        _ => code,
    };
    char::from_u32(upper).unwrap_or(symbol)
}
