//! Parts of texts and where texts occur, counted in characters from 1.

use crate::Call;
use arrow::array::ArrayRef;
use arrow::datatypes::Int64Type;
use memchr::memmem;
use model::{Error, Result};

pub(crate) fn substr(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, start) = (call.strings(0)?, call.bigints(1)?);
    let size = if call.has(2) { Some(call.bigints(2)?) } else { None };
    call.build_strings(|row, out| {
        let (Some(text), Some(start)) = (text.get(row), start.get(row)) else { return Ok(false) };
        let size = size.as_ref().and_then(|s| s.get(row)).unwrap_or(i64::MAX);
        out.push_str(slice(text, start, size));
        Ok(true)
    })
}

/// The part from the position `start`, at most `size` characters. Before the beginning there is nothing.
pub(crate) fn slice(text: &str, start: i64, size: i64) -> &str {
    if start == 0 || size <= 0 {
        return "";
    }
    let skip = if start > 0 {
        usize::try_from(start - 1).unwrap_or(usize::MAX)
    } else {
        let back = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
        let length = if text.is_ascii() { text.len() } else { text.chars().count() };
        match length.checked_sub(back) {
            Some(skip) => skip,
            None => return "",
        }
    };
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if text.is_ascii() {
        let from = skip.min(text.len());
        let to = from.saturating_add(size).min(text.len());
        return text.get(from..to).unwrap_or_default();
    }
    let from = offset(text, skip);
    let rest = text.get(from..).unwrap_or_default();
    rest.get(..offset(rest, size)).unwrap_or_default()
}

/// Where the character with this index begins, or the text's end.
fn offset(text: &str, characters: usize) -> usize {
    text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at)
}

pub(crate) fn strpos(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, search) = (call.strings(0)?, call.strings(1)?);
    let instance = if call.has(2) { Some(call.bigints(2)?) } else { None };
    call.build::<Int64Type>(|row| {
        let (Some(text), Some(search)) = (text.get(row), search.get(row)) else { return Ok(None) };
        let instance = instance.as_ref().and_then(|i| i.get(row)).unwrap_or(1);
        position(text, search, instance).map(Some)
    })
}

/// Where `search` occurs the `instance`-th time, from the end if negative; occurrences may overlap.
fn position(text: &str, search: &str, instance: i64) -> Result<i64> {
    if instance == 0 {
        return Err(Error::invalid("strpos counts instances from 1, or from -1 backwards; found 0"));
    }
    if search.is_empty() {
        return Ok(1);
    }
    let wanted = instance.unsigned_abs();
    let (bytes, needle) = (text.as_bytes(), search.as_bytes());
    let mut found = 0;
    let at = if instance > 0 {
        let finder = memmem::Finder::new(needle);
        let mut from = 0;
        loop {
            let Some(at) = bytes.get(from..).and_then(|b| finder.find(b)) else { return Ok(0) };
            found += 1;
            if found == wanted {
                break from + at;
            }
            from += at + 1;
        }
    } else {
        let finder = memmem::FinderRev::new(needle);
        let mut to = bytes.len();
        loop {
            let Some(at) = bytes.get(..to).and_then(|b| finder.rfind(b)) else { return Ok(0) };
            found += 1;
            if found == wanted {
                break at;
            }
            to = at + needle.len() - 1;
        }
    };
    Ok(text.get(..at).unwrap_or_default().chars().count() as i64 + 1)
}
