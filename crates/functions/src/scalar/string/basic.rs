//! Length, padding, trimming, replacing, reversing.

use super::check_length;
use crate::Call;
use arrow::array::ArrayRef;
use arrow::datatypes::Int64Type;
use memchr::memmem;
use model::{Error, Result};
use sql::SqlType;
use std::collections::HashMap;

pub(crate) fn length(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    call.build::<Int64Type>(|row| Ok(text.get(row).map(|t| t.chars().count() as i64)))
}

pub(crate) fn reverse(call: &Call<'_>) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    // A text of fixed length is kept without the spaces at its end.
    let width = match call.arg_types.first() {
        Some(SqlType::Char(n)) => usize::try_from(*n).unwrap_or(0),
        _ => 0,
    };
    call.build_strings(|row, out| {
        let text = text.get(row).unwrap_or_default();
        if width > 0 {
            out.extend(std::iter::repeat_n(' ', width.saturating_sub(text.chars().count())));
        }
        out.extend(text.chars().rev());
        if width > 0 {
            out.truncate(out.trim_end_matches(' ').len());
        }
        Ok(true)
    })
}

pub(crate) fn starts_with(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, prefix) = (call.strings(0)?, call.strings(1)?);
    call.build_booleans(|row| Ok(text.get(row).zip(prefix.get(row)).map(|(t, p)| t.starts_with(p))))
}

pub(crate) fn replace(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, search) = (call.strings(0)?, call.strings(1)?);
    let by = if call.has(2) { Some(call.strings(2)?) } else { None };
    let constant = if search.constant { search.get(0) } else { None };
    let finder = constant.map(memmem::Finder::new);
    call.build_strings(|row, out| {
        let (Some(text), Some(search)) = (text.get(row), search.get(row)) else { return Ok(false) };
        let by = by.as_ref().and_then(|b| b.get(row)).unwrap_or_default();
        if search.is_empty() {
            check_length(call.name, text.len() + by.len().saturating_mul(text.chars().count() + 1))?;
            out.push_str(by);
            for symbol in text.chars() {
                out.push(symbol);
                out.push_str(by);
            }
            return Ok(true);
        }
        let mut from = 0;
        while let Some(at) = match &finder {
            Some(finder) => finder.find(text.as_bytes().get(from..).unwrap_or_default()),
            None => memmem::find(text.as_bytes().get(from..).unwrap_or_default(), search.as_bytes()),
        } {
            out.push_str(text.get(from..from + at).unwrap_or_default());
            out.push_str(by);
            check_length(call.name, out.len())?;
            from += at + search.len();
        }
        out.push_str(text.get(from..).unwrap_or_default());
        Ok(true)
    })
}

/// Characters and what takes their place; nothing where they are dropped.
fn translation(from: &str, to: &str) -> HashMap<char, Option<char>> {
    let mut map = HashMap::new();
    let mut to = to.chars();
    for symbol in from.chars() {
        let by = to.next();
        map.entry(symbol).or_insert(by);
    }
    map
}

pub(crate) fn translate(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, from, to) = (call.strings(0)?, call.strings(1)?, call.strings(2)?);
    let constant = if from.constant && to.constant { from.get(0).zip(to.get(0)) } else { None };
    let constant = constant.map(|(from, to)| translation(from, to));
    call.build_strings(|row, out| {
        let (Some(text), Some(from), Some(to)) = (text.get(row), from.get(row), to.get(row)) else {
            return Ok(false);
        };
        let own;
        let map = match &constant {
            Some(map) => map,
            None => {
                own = translation(from, to);
                &own
            }
        };
        out.extend(text.chars().filter_map(|c| map.get(&c).copied().unwrap_or(Some(c))));
        Ok(true)
    })
}

pub(crate) fn lpad(call: &Call<'_>) -> Result<ArrayRef> {
    pad(call, true)
}

pub(crate) fn rpad(call: &Call<'_>) -> Result<ArrayRef> {
    pad(call, false)
}

fn pad(call: &Call<'_>, left: bool) -> Result<ArrayRef> {
    let (text, size, fill) = (call.strings(0)?, call.bigints(1)?, call.strings(2)?);
    call.build_strings(|row, out| {
        let (Some(text), Some(size), Some(fill)) = (text.get(row), size.get(row), fill.get(row)) else {
            return Ok(false);
        };
        let size = target_length(call.name, size)?;
        if fill.is_empty() {
            return Err(Error::invalid(format!("the padding of {} is empty", call.name)));
        }
        let length = text.chars().count();
        if length >= size {
            out.extend(text.chars().take(size));
            return Ok(true);
        }
        let missing = size - length;
        check_length(call.name, text.len() + missing)?;
        if !left {
            out.push_str(text);
        }
        out.extend(fill.chars().cycle().take(missing));
        if left {
            out.push_str(text);
        }
        Ok(true)
    })
}

/// A length to pad to, as Trino allows it.
pub(crate) fn target_length(name: &str, size: i64) -> Result<usize> {
    usize::try_from(size).ok().filter(|s| *s <= i32::MAX as usize).ok_or_else(|| {
        Error::invalid(format!("{name} cannot make a text {size} long"))
            .why(format!("the length has to be in 0..{}", i32::MAX))
    })
}

/// What Java takes for white space: like Unicode's, without the spaces that do not break and the next-line sign.
pub(crate) fn is_whitespace(symbol: char) -> bool {
    match symbol {
        '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{85}' => false,
        '\u{1c}'..='\u{1f}' => true,
        other => other.is_whitespace(),
    }
}

pub(crate) fn trim(call: &Call<'_>) -> Result<ArrayRef> {
    trim_with(call, true, true)
}

pub(crate) fn ltrim(call: &Call<'_>) -> Result<ArrayRef> {
    trim_with(call, true, false)
}

pub(crate) fn rtrim(call: &Call<'_>) -> Result<ArrayRef> {
    trim_with(call, false, true)
}

fn trim_with(call: &Call<'_>, start: bool, end: bool) -> Result<ArrayRef> {
    let text = call.strings(0)?;
    let set = if call.has(1) { Some(call.strings(1)?) } else { None };
    call.build_strings(|row, out| {
        let Some(mut text) = text.get(row) else { return Ok(false) };
        let set = set.as_ref().map(|s| s.get(row).unwrap_or_default());
        let goes = |c: char| match set {
            Some(set) => set.contains(c),
            None => is_whitespace(c),
        };
        if start {
            text = text.trim_start_matches(goes);
        }
        if end {
            text = text.trim_end_matches(goes);
        }
        out.push_str(text);
        Ok(true)
    })
}
