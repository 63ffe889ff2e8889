//! Parts of texts, and the names of types.

use crate::Call;
use arrow::array::ArrayRef;
use model::{Error, Result};

/// The part of a text between two characters, counted from 0 and given as they come; what lies outside is left away.
fn between(text: &str, from: i64, to: i64) -> &str {
    let place = |at: i64| match usize::try_from(at) {
        Ok(at) => text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte),
        Err(_) => 0,
    };
    if to <= from {
        return "";
    }
    text.get(place(from)..place(to)).unwrap_or_default()
}

pub(super) fn substring(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, start) = (call.strings(0)?, call.bigints(1)?);
    let length = if call.has(2) { Some(call.bigints(2)?) } else { None };
    call.build_strings(|row, out| {
        let (Some(text), Some(start)) = (text.get(row), start.get(row)) else { return Ok(false) };
        let from = start.saturating_sub(1);
        let to = match length.as_ref().map(|length| length.get(row)) {
            None => i64::MAX,
            Some(Some(length)) if length < 0 => {
                return Err(Error::invalid("negative substring length not allowed"));
            }
            Some(length) => from.saturating_add(length.unwrap_or(0)),
        };
        out.push_str(between(text, from, to));
        Ok(true)
    })
}

pub(super) fn left(call: &Call<'_>) -> Result<ArrayRef> {
    end(call, |text, count| {
        let to = if count < 0 { length(text).saturating_add(count) } else { count };
        between(text, 0, to)
    })
}

pub(super) fn right(call: &Call<'_>) -> Result<ArrayRef> {
    end(call, |text, count| {
        let from = if count < 0 { count.saturating_neg() } else { length(text).saturating_sub(count) };
        between(text, from, i64::MAX)
    })
}

fn length(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

fn end(call: &Call<'_>, part: fn(&str, i64) -> &str) -> Result<ArrayRef> {
    let (text, count) = (call.strings(0)?, call.bigints(1)?);
    call.build_strings(|row, out| {
        let (Some(text), Some(count)) = (text.get(row), count.get(row)) else { return Ok(false) };
        out.push_str(part(text, count));
        Ok(true)
    })
}

pub(super) fn split_part(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, delimiter, number) = (call.strings(0)?, call.strings(1)?, call.bigints(2)?);
    call.build_strings(|row, out| {
        let (Some(text), Some(delimiter), Some(number)) =
            (text.get(row), delimiter.get(row), number.get(row))
        else {
            return Ok(false);
        };
        let at = |number: u64| usize::try_from(number - 1).unwrap_or(usize::MAX);
        let part = match number {
            0 => return Err(Error::invalid("field position must not be zero")),
            1 | -1 if delimiter.is_empty() => Some(text),
            _ if delimiter.is_empty() => None,
            1.. => text.split(delimiter).nth(at(number.unsigned_abs())),
            _ => text.rsplit(delimiter).nth(at(number.unsigned_abs())),
        };
        out.push_str(part.unwrap_or_default());
        Ok(true)
    })
}

/// Turns what `typeof` says into the name that `pg_typeof` would say.
pub(super) fn type_name(call: &Call<'_>) -> Result<ArrayRef> {
    let names = call.strings(0)?;
    call.build_strings(|row, out| {
        let Some(name) = names.get(row) else { return Ok(false) };
        out.push_str(&named(name));
        Ok(true)
    })
}

fn named(name: &str) -> String {
    if let Some(element) = name.strip_prefix("array(").and_then(|rest| rest.strip_suffix(')')) {
        return format!("{}[]", named(element));
    }
    let (word, rest) = name.split_at(name.find('(').unwrap_or(name.len()));
    match (word, rest) {
        ("tinyint", _) => "smallint",
        ("real", _) => "real",
        ("double", _) => "double precision",
        ("decimal", _) => "numeric",
        ("varchar", "") => "text",
        ("varchar", _) => "character varying",
        ("char", _) => "character",
        ("varbinary", _) => "bytea",
        ("ipaddress", _) => "inet",
        ("timestamp", rest) if rest.ends_with("with time zone") => "timestamp with time zone",
        ("timestamp", _) => "timestamp without time zone",
        ("time", _) => "time without time zone",
        ("interval year to month" | "interval day to second", _) => "interval",
        // What PostgreSQL has no type for travels as JSON.
        ("map" | "row", _) => "json",
        (other, _) => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_may_lie_outside() {
        for (text, from, to, expected) in [
            ("foobar", 1, 4, "oob"),
            ("foobar", -2, 2, "fo"),
            ("äöü", 1, i64::MAX, "öü"),
            ("a", 5, 9, ""),
            ("a", 0, -1, ""),
            ("", 0, 1, ""),
        ] {
            assert_eq!(between(text, from, to), expected, "{text} {from} {to}");
        }
    }

    #[test]
    fn types_have_postgresql_s_names() {
        for (name, expected) in [
            ("integer", "integer"),
            ("varchar(3)", "character varying"),
            ("varchar", "text"),
            ("decimal(10,2)", "numeric"),
            ("timestamp(3) with time zone", "timestamp with time zone"),
            ("timestamp(6)", "timestamp without time zone"),
            ("array(array(double))", "double precision[][]"),
            ("interval day to second", "interval"),
            ("row(x integer)", "json"),
            ("unknown", "unknown"),
        ] {
            assert_eq!(named(name), expected, "{name}");
        }
    }
}
