//! The functions that take JSON apart by simple means. What is no JSON gives NULL, except where a function says more.

use super::path::Path;
use super::scan::{Kind, Malformed, Scanner};
use super::tree::Json;
use super::write;
use crate::scalar::string::shorten;
use crate::{Call, Values};
use arrow::array::{ArrayRef, StringViewArray};
use arrow::datatypes::Int64Type;
use model::{Error, Result};
use sql::SqlType;

/// The paths of a call: one for all rows, or one per row, of which the last is at hand.
struct Paths {
    texts: Values<StringViewArray>,
    last: Option<(String, Path)>,
}

impl Paths {
    fn of(call: &Call<'_>, argument: usize) -> Result<Paths> {
        Ok(Paths { texts: call.strings(argument)?, last: None })
    }

    fn get(&mut self, row: usize) -> Result<Option<&Path>> {
        let Some(text) = self.texts.get(row) else { return Ok(None) };
        let known = self.last.as_ref().is_some_and(|(last, _)| self.texts.constant || last == text);
        if !known {
            self.last = Some((text.to_owned(), Path::parse(text)?));
        }
        Ok(self.last.as_ref().map(|(_, path)| path))
    }
}

pub(crate) fn parse(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    call.build_strings(|row, out| {
        let Some(text) = text.get(row) else { return Ok(false) };
        let value = Json::parse(text).map_err(|Malformed(at)| {
            Error::invalid(format!("'{}' is no JSON", shorten(text)))
                .why(format!("it cannot be read at byte {at}"))
        })?;
        value.canonical().write(out);
        Ok(true)
    })
}

pub(crate) fn format(call: &Call<'_>) -> Result<ArrayRef> {
    call.column(0)
}

pub(crate) fn extract(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, mut paths) = (call.strings(0)?, Paths::of(call, 1)?);
    call.build_strings(|row, out| {
        let (Some(text), Some(path)) = (text.get(row), paths.get(row)?) else { return Ok(false) };
        let mut scanner = Scanner::new(text);
        let found = path.find(&mut scanner);
        Ok(found == Ok(true) && write::copy(&mut scanner, 0, out).is_ok())
    })
}

pub(crate) fn extract_scalar(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, mut paths) = (call.strings(0)?, Paths::of(call, 1)?);
    call.build_strings(|row, out| {
        let (Some(text), Some(path)) = (text.get(row), paths.get(row)?) else { return Ok(false) };
        let mut scanner = Scanner::new(text);
        let found = path.find(&mut scanner);
        Ok(found == Ok(true) && scalar(&mut scanner, out).unwrap_or(false))
    })
}

/// Writes the next value as plain text; says whether it is one that has such a text.
fn scalar(scanner: &mut Scanner<'_>, out: &mut String) -> std::result::Result<bool, Malformed> {
    match scanner.kind()? {
        Kind::True => {
            scanner.word("true")?;
            out.push_str("true");
        }
        Kind::False => {
            scanner.word("false")?;
            out.push_str("false");
        }
        Kind::Number => out.push_str(scanner.number()?.0),
        Kind::String => scanner.string()?.decode(out),
        Kind::Null | Kind::Array | Kind::Object => return Ok(false),
    }
    Ok(true)
}

pub(crate) fn size(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, mut paths) = (call.strings(0)?, Paths::of(call, 1)?);
    call.build::<Int64Type>(|row| {
        let (Some(text), Some(path)) = (text.get(row), paths.get(row)?) else { return Ok(None) };
        let mut scanner = Scanner::new(text);
        if path.find(&mut scanner) != Ok(true) {
            return Ok(None);
        }
        Ok(match scanner.kind() {
            Ok(Kind::Array) => count(&mut scanner, false).ok(),
            Ok(Kind::Object) => count(&mut scanner, true).ok(),
            Ok(_) => scanner.skip().ok().map(|()| 0),
            Err(_) => None,
        })
    })
}

fn count(scanner: &mut Scanner<'_>, object: bool) -> std::result::Result<i64, Malformed> {
    let mut more = scanner.open(object)?;
    let mut count = 0;
    while more {
        if object {
            scanner.key()?;
        }
        scanner.skip()?;
        count += 1;
        more = scanner.more(object)?;
    }
    Ok(count)
}

pub(crate) fn array_length(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    call.build::<Int64Type>(|row| {
        let Some(text) = text.get(row) else { return Ok(None) };
        let mut scanner = Scanner::new(text);
        Ok(match scanner.kind() {
            Ok(Kind::Array) => count(&mut scanner, false).ok(),
            _ => None,
        })
    })
}

pub(crate) fn array_get(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, index) = (call.strings(0)?, call.bigints(1)?);
    call.build_strings(|row, out| {
        let (Some(text), Some(index)) = (text.get(row), index.get(row)) else { return Ok(false) };
        Ok(nth(text, index, out).unwrap_or(false))
    })
}

/// Writes the element at the index, from the end if negative. A string is written without quotes: that is how this
/// function is documented, though the result is no JSON.
fn nth(text: &str, index: i64, out: &mut String) -> std::result::Result<bool, Malformed> {
    let mut scanner = Scanner::new(text);
    if scanner.kind()? != Kind::Array {
        return Ok(false);
    }
    let index = if index < 0 { count(&mut scanner.clone(), false)?.saturating_add(index) } else { index };
    let Ok(index) = usize::try_from(index) else { return Ok(false) };
    let mut more = scanner.open(false)?;
    for _ in 0..index {
        if !more {
            return Ok(false);
        }
        scanner.skip()?;
        more = scanner.more(false)?;
    }
    if !more {
        return Ok(false);
    }
    match scanner.kind()? {
        Kind::Null => return Ok(false),
        Kind::String => scanner.string()?.decode(out),
        _ => write::copy(&mut scanner, 0, out)?,
    }
    Ok(true)
}

/// What `json_array_contains` looks for.
enum Wanted<'a> {
    Bool(bool),
    Integer(i64),
    Double(f64),
    Text(&'a str),
}

impl Wanted<'_> {
    fn matches(&self, scanner: &mut Scanner<'_>) -> std::result::Result<bool, Malformed> {
        let kind = scanner.kind()?;
        match (self, kind) {
            (Wanted::Bool(wanted), Kind::True | Kind::False) => {
                let found = kind == Kind::True;
                scanner.word(if found { "true" } else { "false" })?;
                Ok(*wanted == found)
            }
            (Wanted::Integer(wanted), Kind::Number) => {
                let (text, float) = scanner.number()?;
                Ok(!float && text.parse::<i64>().is_ok_and(|n| n == *wanted))
            }
            (Wanted::Double(wanted), Kind::Number) => {
                let (text, float) = scanner.number()?;
                Ok(float && text.parse::<f64>().is_ok_and(|n| n.is_finite() && n == *wanted))
            }
            (Wanted::Text(wanted), Kind::String) => Ok(scanner.string()?.is(wanted)),
            _ => scanner.skip().map(|()| false),
        }
    }
}

/// Whether the array has such an element; nothing if it is no array.
fn contains(text: &str, wanted: &Wanted<'_>) -> Option<bool> {
    let mut scanner = Scanner::new(text);
    if scanner.kind().ok()? != Kind::Array {
        return None;
    }
    let mut more = scanner.open(false).ok()?;
    while more {
        if wanted.matches(&mut scanner).ok()? {
            return Some(true);
        }
        more = scanner.more(false).ok()?;
    }
    Some(false)
}

pub(crate) fn array_contains(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    match call.arg_types.get(1) {
        Some(SqlType::Boolean) => {
            let wanted = call.booleans(1)?;
            contains_each(call, &text, |row| wanted.get(row).map(Wanted::Bool))
        }
        Some(SqlType::BigInt) => {
            let wanted = call.bigints(1)?;
            contains_each(call, &text, |row| wanted.get(row).map(Wanted::Integer))
        }
        Some(SqlType::Double) => {
            let wanted = call.doubles(1)?;
            contains_each(call, &text, |row| wanted.get(row).map(Wanted::Double))
        }
        _ => {
            let wanted = call.strings(1)?;
            contains_each(call, &text, |row| wanted.get(row).map(Wanted::Text))
        }
    }
}

fn contains_each<'a>(
    call: &Call<'_>,
    text: &Values<StringViewArray>,
    wanted: impl Fn(usize) -> Option<Wanted<'a>>,
) -> Result<ArrayRef> {
    call.build_booleans(|row| {
        let (Some(text), Some(wanted)) = (text.get(row), wanted(row)) else { return Ok(None) };
        Ok(contains(text, &wanted))
    })
}

pub(crate) fn is_scalar(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    call.build_booleans(|row| {
        let Some(text) = text.get(row) else { return Ok(None) };
        let mut scanner = Scanner::new(text);
        let kind = scanner.kind().and_then(|kind| scanner.skip().map(|()| kind));
        match kind {
            Ok(kind) if scanner.at_end() => Ok(Some(!matches!(kind, Kind::Array | Kind::Object))),
            _ => Err(Error::invalid(format!("'{}' is no JSON", shorten(text)))),
        }
    })
}
