//! Delimiters as properties write them: a character, a number, or an escape.

use model::{Error, Result};

/// One byte from a property. Hive takes digits as the byte's number and of other texts the first character; written
/// escapes (`\t`, `\001`, `\u0001`) are understood too.
pub(super) fn delimiter(key: &str, text: &str) -> Result<u8> {
    if text.len() > 1
        && let Some(escaped) = text.strip_prefix('\\')
    {
        return escape(escaped).ok_or_else(|| wrong(key, text));
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().map_err(|_| wrong(key, text));
    }
    single(key, text)
}

/// One character from a property that never means a number.
pub(super) fn character(key: &str, text: &str) -> Result<u8> {
    if text.len() > 1
        && let Some(escaped) = text.strip_prefix('\\')
    {
        return escape(escaped).ok_or_else(|| wrong(key, text));
    }
    single(key, text)
}

fn single(key: &str, text: &str) -> Result<u8> {
    let mut chars = text.chars();
    let first = chars.next().ok_or_else(|| wrong(key, text))?;
    if chars.next().is_some() {
        return Err(
            wrong(key, text).hint("files with longer delimiters are read with a regular expression's serde")
        );
    }
    u8::try_from(u32::from(first)).map_err(|_| wrong(key, text))
}

fn escape(text: &str) -> Option<u8> {
    match text {
        "t" => Some(b'\t'),
        "n" => Some(b'\n'),
        "r" => Some(b'\r'),
        "0" => Some(0),
        "\\" | "\"" | "'" => text.bytes().next(),
        _ => {
            if let Some(hex) = text.strip_prefix('u') {
                return u32::from_str_radix(hex, 16).ok().and_then(|n| u8::try_from(n).ok());
            }
            if text.len() == 3 { u8::from_str_radix(text, 8).ok() } else { None }
        }
    }
}

fn wrong(key: &str, text: &str) -> Error {
    Error::invalid(format!("`{key}` is {text:?}, which is not one byte"))
        .why("fields are separated by single bytes")
        .hint("write one character such as `,` or an escape such as `\\t` or `\\u0001`")
}
