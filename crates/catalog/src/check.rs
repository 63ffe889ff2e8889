//! The limits that Glue documents for names, texts and maps, and the words for exceeding them.

use model::{Column, Error, ErrorKind, Result};
use std::collections::{BTreeMap, HashSet};

pub(crate) const NAME: usize = 255;
pub(crate) const DESCRIPTION: usize = 2048;
pub(crate) const URI: usize = 1024;
pub(crate) const LOCATION: usize = 2056;
pub(crate) const FORMAT: usize = 128;
pub(crate) const VIEW_TEXT: usize = 409_600;
pub(crate) const KEY_VALUE: usize = 1024;
const COMMENT: usize = 255;
const TYPE: usize = 131_072;
const PARAMETER: usize = 512_000;

/// A text within its limits. No database of ours can hold the character zero.
pub(crate) fn text(of: &str, what: &str, text: &str, min: usize, max: usize) -> Result<()> {
    if text.contains('\0') {
        return Err(Error::invalid(format!("{of}: its {what} holds the character zero")));
    }
    let length = text.chars().count();
    if length < min {
        return Err(
            Error::invalid(format!("{of}: its {what} is empty")).hint("give it a value, or leave it out")
        );
    }
    if length > max {
        return Err(Error::invalid(format!("{of}: its {what} has {length} characters, the limit is {max}")));
    }
    Ok(())
}

/// The same for a text that may be missing.
pub(crate) fn optional_text(of: &str, what: &str, value: Option<&str>, min: usize, max: usize) -> Result<()> {
    value.map_or(Ok(()), |value| text(of, what, value, min, max))
}

/// A name of the catalog.
pub(crate) fn name(of: &str, name: &str) -> Result<()> {
    text(of, "name", name, 1, NAME)
}

/// A number of things within its limit.
pub(crate) fn count(of: &str, what: &str, count: usize, max: usize) -> Result<()> {
    if count > max {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("{of} has {count} {what}, the limit is {max}"),
        ));
    }
    Ok(())
}

/// Keys and values of a free map.
pub(crate) fn parameters(of: &str, parameters: &BTreeMap<String, String>) -> Result<()> {
    for (key, value) in parameters {
        text(of, "parameter name", key, 1, NAME)?;
        text(of, &format!("parameter `{key}`"), value, 0, PARAMETER)?;
    }
    Ok(())
}

/// Columns: names given, none twice.
pub(crate) fn columns(of: &str, columns: &[Column]) -> Result<()> {
    let mut seen = HashSet::new();
    for column in columns {
        text(of, "column name", &column.name, 1, NAME)?;
        optional_text(of, "column comment", column.comment.as_deref(), 0, COMMENT)?;
        text(of, "column type", &column.hive_type.to_string(), 1, TYPE)?;
        if !seen.insert(column.name.to_lowercase()) {
            return Err(Error::invalid(format!("{of}: the column `{}` is there twice", column.name))
                .why("column names are the same without regard to case"));
        }
    }
    Ok(())
}

/// Partition values for a message: `[2020, 06]`.
pub(crate) fn show_values(values: &[String]) -> String {
    let mut shown = values.join(", ");
    if shown.chars().count() > 120 {
        shown = shown.chars().take(119).chain(['…']).collect();
    }
    format!("[{shown}]")
}
