//! Matching, counting, extracting, splitting.

use super::cache::Patterns;
use super::pattern::{Pattern, next_start};
use crate::Call;
use crate::scalar::string::build_text_lists;
use arrow::array::ArrayRef;
use arrow::datatypes::{Int32Type, Int64Type};
use model::{Error, Result};

pub(crate) fn like(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, mut patterns) = (call.strings(0)?, Patterns::of(call, 1)?);
    call.build_booleans(|row| match (text.get(row), patterns.get(row)?) {
        (Some(text), Some(pattern)) => pattern.is_match(text).map(Some),
        _ => Ok(None),
    })
}

pub(crate) fn count(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, mut patterns) = (call.strings(0)?, Patterns::of(call, 1)?);
    call.build::<Int64Type>(|row| {
        let (Some(text), Some(pattern)) = (text.get(row), patterns.get(row)?) else { return Ok(None) };
        let mut matches = 0;
        pattern.each(text, |_, _| {
            matches += 1;
            Ok(true)
        })?;
        Ok(Some(matches))
    })
}

/// The group asked for, if the pattern has it.
fn group(call: &Call<'_>, pattern: &Pattern, number: Option<i64>) -> Result<usize> {
    let number = number.unwrap_or(0);
    match usize::try_from(number) {
        Ok(group) if group <= pattern.groups() => Ok(group),
        _ => Err(Error::invalid(format!("{} cannot take group {number} of its pattern", call.name))
            .why(format!("the pattern has {} groups", pattern.groups()))),
    }
}

pub(crate) fn extract(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, mut patterns) = (call.strings(0)?, Patterns::of(call, 1)?);
    let groups = if call.has(2) { Some(call.bigints(2)?) } else { None };
    call.build_strings(|row, out| {
        let (Some(text), Some(pattern)) = (text.get(row), patterns.get(row)?) else { return Ok(false) };
        let group = group(call, &pattern, groups.as_ref().and_then(|g| g.get(row)))?;
        let span = match group {
            0 => pattern.find(text, 0)?,
            _ => pattern.captures(text, 0)?.and_then(|spans| spans.get(group).copied().flatten()),
        };
        let found = span.and_then(|(begin, end)| text.get(begin..end));
        out.push_str(found.unwrap_or_default());
        Ok(found.is_some())
    })
}

pub(crate) fn extract_all(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, mut patterns) = (call.strings(0)?, Patterns::of(call, 1)?);
    let groups = if call.has(2) { Some(call.bigints(2)?) } else { None };
    build_text_lists(call, |row, out| {
        let (Some(text), Some(pattern)) = (text.get(row), patterns.get(row)?) else { return Ok(false) };
        let group = group(call, &pattern, groups.as_ref().and_then(|g| g.get(row)))?;
        if group == 0 {
            pattern.each(text, |begin, end| {
                out.append_option(text.get(begin..end));
                Ok(true)
            })?;
        } else {
            pattern.each_captures(text, &mut pattern.scratch(), |_, _, spans| {
                let span = spans.get(group).copied().flatten();
                out.append_option(span.and_then(|(begin, end)| text.get(begin..end)));
                Ok(())
            })?;
        }
        Ok(true)
    })
}

pub(crate) fn split(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, mut patterns) = (call.strings(0)?, Patterns::of(call, 1)?);
    build_text_lists(call, |row, out| {
        let (Some(text), Some(pattern)) = (text.get(row), patterns.get(row)?) else { return Ok(false) };
        let mut last = 0;
        pattern.each(text, |begin, end| {
            out.append_option(text.get(last..begin));
            last = end;
            Ok(true)
        })?;
        out.append_option(text.get(last..));
        Ok(true)
    })
}

pub(crate) fn position(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, mut patterns) = (call.strings(0)?, Patterns::of(call, 1)?);
    let start = if call.has(2) { Some(call.bigints(2)?) } else { None };
    let occurrence = if call.has(3) { Some(call.bigints(3)?) } else { None };
    call.build::<Int32Type>(|row| {
        let (Some(text), Some(pattern)) = (text.get(row), patterns.get(row)?) else { return Ok(None) };
        let start = start.as_ref().and_then(|s| s.get(row)).unwrap_or(1);
        let occurrence = occurrence.as_ref().and_then(|o| o.get(row)).unwrap_or(1);
        if start < 1 || occurrence < 1 {
            return Err(Error::invalid("the start and the occurrence of regexp_position count from 1"));
        }
        let skip = usize::try_from(start - 1).unwrap_or(usize::MAX);
        let mut from = match text.char_indices().nth(skip) {
            Some((at, _)) => Some(at),
            None => return Ok(Some(-1)),
        };
        let mut seen = 0;
        while let Some(at) = from {
            let Some((begin, end)) = pattern.find(text, at)? else { break };
            seen += 1;
            if seen == occurrence {
                let before = text.get(..begin).unwrap_or_default().chars().count();
                return Ok(i32::try_from(before + 1).ok());
            }
            from = next_start(text, begin, end);
        }
        Ok(Some(-1))
    })
}
