//! Texts taken apart at delimiters.

use super::build_text_lists;
use crate::Call;
use arrow::array::{
    Array, ArrayRef, AsArray, ListBuilder, MapBuilder, MapFieldNames, StringViewArray, StringViewBuilder,
    UInt32Array,
};
use arrow::datatypes::DataType;
use model::{Error, Result};
use std::collections::HashMap;
use std::sync::Arc;

pub(crate) fn split(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, delimiter) = (call.strings(0)?, call.strings(1)?);
    let limit = if call.has(2) { Some(call.bigints(2)?) } else { None };
    build_text_lists(call, |row, out| {
        let (Some(text), Some(delimiter)) = (text.get(row), delimiter.get(row)) else { return Ok(false) };
        if delimiter.is_empty() {
            return Err(Error::invalid("the delimiter of split is empty"));
        }
        let parts = match limit.as_ref().and_then(|l| l.get(row)) {
            None => usize::MAX,
            Some(limit) => match usize::try_from(limit) {
                Ok(limit) if limit > 0 && limit <= i32::MAX as usize => limit,
                _ => {
                    let why = format!("it has to be in 1..{}", i32::MAX);
                    return Err(Error::invalid(format!("split cannot make {limit} parts")).why(why));
                }
            },
        };
        for part in text.splitn(parts, delimiter) {
            out.append_value(part);
        }
        Ok(true)
    })
}

pub(crate) fn split_part(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, delimiter, index) = (call.strings(0)?, call.strings(1)?, call.bigints(2)?);
    call.build_strings(|row, out| {
        let (Some(text), Some(delimiter), Some(index)) = (text.get(row), delimiter.get(row), index.get(row))
        else {
            return Ok(false);
        };
        let skip = match usize::try_from(index) {
            Ok(index) if index > 0 => index - 1,
            _ => return Err(Error::invalid(format!("split_part counts parts from 1, found {index}"))),
        };
        if delimiter.is_empty() {
            // Every character is a part of its own.
            let symbol = text.chars().nth(skip);
            out.extend(symbol);
            return Ok(symbol.is_some());
        }
        let part = text.split(delimiter).nth(skip);
        out.push_str(part.unwrap_or_default());
        Ok(part.is_some())
    })
}

/// The entries of a text, in order: each has the delimiter between key and value exactly once.
fn entries<'a>(name: &str, text: &'a str, entry: &str, pair: &str) -> Result<Vec<(&'a str, &'a str)>> {
    if entry.is_empty() || pair.is_empty() {
        return Err(Error::invalid(format!("the delimiters of {name} must not be empty")));
    }
    if entry == pair {
        return Err(Error::invalid(format!("the delimiters of {name} must not be the same")));
    }
    // A delimiter at the very end is followed by no entry.
    let text = text.strip_suffix(entry).unwrap_or(text);
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text.split(entry)
        .map(|part| match part.split_once(pair) {
            Some((key, value)) if !value.contains(pair) => Ok((key, value)),
            _ => Err(Error::invalid(format!("{name} cannot read the entry '{part}'"))
                .why(format!("the delimiter '{pair}' must appear in it exactly once"))),
        })
        .collect()
}

fn names() -> Option<MapFieldNames> {
    Some(MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() })
}

pub(crate) fn split_to_map(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, entry, pair) = (call.strings(0)?, call.strings(1)?, call.strings(2)?);
    let mut builder = MapBuilder::new(names(), StringViewBuilder::new(), StringViewBuilder::new());
    for row in 0..call.rows {
        let (Some(text), Some(entry), Some(pair)) = (text.get(row), entry.get(row), pair.get(row)) else {
            builder.append(false).map_err(crate::cast::arrow_error)?;
            continue;
        };
        let mut seen = std::collections::HashSet::new();
        for (key, value) in entries(call.name, text, entry, pair)? {
            if !seen.insert(key) {
                return Err(Error::invalid(format!("{} found the key '{key}' more than once", call.name))
                    .hint("use split_to_multimap, or give a lambda that chooses: (k, v1, v2) -> v1"));
            }
            builder.keys().append_value(key);
            builder.values().append_value(value);
        }
        builder.append(true).map_err(crate::cast::arrow_error)?;
    }
    Ok(Arc::new(builder.finish()))
}

/// Keys in the order of their first appearance, each with its values.
fn grouped<'a>(entries: Vec<(&'a str, &'a str)>) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for (key, value) in entries {
        let at = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(at) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}

pub(crate) fn split_to_multimap(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, entry, pair) = (call.strings(0)?, call.strings(1)?, call.strings(2)?);
    let values = ListBuilder::new(StringViewBuilder::new());
    let mut builder = MapBuilder::new(names(), StringViewBuilder::new(), values);
    for row in 0..call.rows {
        let (Some(text), Some(entry), Some(pair)) = (text.get(row), entry.get(row), pair.get(row)) else {
            builder.append(false).map_err(crate::cast::arrow_error)?;
            continue;
        };
        for (key, values) in grouped(entries(call.name, text, entry, pair)?) {
            builder.keys().append_value(key);
            for value in values {
                builder.values().values().append_value(value);
            }
            builder.values().append(true);
        }
        builder.append(true).map_err(crate::cast::arrow_error)?;
    }
    Ok(Arc::new(builder.finish()))
}

/// With a lambda `(key, old, new) -> value` that settles repeated keys, in the order of appearance.
pub(crate) fn split_to_map_with(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, entry, pair) = (call.strings(0)?, call.strings(1)?, call.strings(2)?);
    let lambda = call.lambda(3)?;
    let mut builder = MapBuilder::new(names(), StringViewBuilder::new(), StringViewBuilder::new());
    for row in 0..call.rows {
        let (Some(text), Some(entry), Some(pair)) = (text.get(row), entry.get(row), pair.get(row)) else {
            builder.append(false).map_err(crate::cast::arrow_error)?;
            continue;
        };
        for (key, values) in grouped(entries(call.name, text, entry, pair)?) {
            let mut values = values.into_iter();
            let mut chosen = values.next().map(str::to_owned);
            for value in values {
                chosen = choose(lambda.as_ref(), key, chosen.as_deref(), value, row)?;
            }
            builder.keys().append_value(key);
            builder.values().append_option(chosen);
        }
        builder.append(true).map_err(crate::cast::arrow_error)?;
    }
    Ok(Arc::new(builder.finish()))
}

fn choose(
    lambda: &dyn crate::Lambda,
    key: &str,
    old: Option<&str>,
    new: &str,
    row: usize,
) -> Result<Option<String>> {
    let one = |text: Option<&str>| -> ArrayRef { Arc::new(StringViewArray::from(vec![text])) };
    let rows = UInt32Array::from(vec![u32::try_from(row).unwrap_or(0)]);
    let answer = lambda.call(&[one(Some(key)), one(old), one(Some(new))], &rows)?;
    if answer.data_type() != &DataType::Utf8View {
        return Err(Error::internal("the lambda of split_to_map returned no text"));
    }
    let answer = answer.as_string_view();
    Ok((!answer.is_empty() && answer.is_valid(0)).then(|| answer.value(0).to_owned()))
}
