//! Texts one after the other.

use super::check_length;
use crate::{Call, Session, Values};
use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringViewArray, StringViewBuilder};
use model::{Error, Result};
use sql::SqlType;
use std::sync::Arc;

pub(crate) fn concat(call: &Call<'_>) -> Result<ArrayRef> {
    let parts: Vec<_> = (0..call.args.len()).map(|i| call.strings(i)).collect::<Result<_>>()?;
    call.build_strings(|row, out| {
        for part in &parts {
            out.push_str(part.get(row).unwrap_or_default());
        }
        check_length("concat", out.len())?;
        Ok(true)
    })
}

/// `char(x) || char(y)` is `char(x + y)`: the first part keeps its padding.
pub(crate) fn concat_char(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (call.strings(0)?, call.strings(1)?);
    let width = match call.arg_types.first() {
        Some(SqlType::Char(n)) => *n as usize,
        _ => 0,
    };
    call.build_strings(|row, out| {
        let (Some(left), Some(right)) = (left.get(row), right.get(row)) else { return Ok(false) };
        out.push_str(left);
        let missing = width.saturating_sub(left.chars().count());
        out.extend(std::iter::repeat_n(' ', missing));
        out.push_str(right);
        Ok(true)
    })
}

pub(crate) fn concat_char_type(args: &[SqlType], _: &Session) -> Result<SqlType> {
    let width: u32 = args
        .iter()
        .map(|t| match t {
            SqlType::Char(n) => *n,
            _ => 0,
        })
        .fold(0, u32::saturating_add);
    if width > 65_536 {
        return Err(
            Error::invalid(format!("char({width}) is too long")).why("char holds at most 65536 characters")
        );
    }
    Ok(SqlType::Char(width))
}

/// The texts to join: arguments, or the elements of arrays.
enum Parts {
    Arguments(Vec<Values<StringViewArray>>),
    Elements(Values<ListArray>),
}

impl Parts {
    fn of(call: &Call<'_>) -> Result<Parts> {
        if let Some(SqlType::Array(_)) = call.arg_types.get(1) {
            return Ok(Parts::Elements(call.values(1)?));
        }
        Ok(Parts::Arguments((1..call.args.len()).map(|i| call.strings(i)).collect::<Result<_>>()?))
    }

    /// Hands out the row's texts; says whether there are any to join (a NULL array is none).
    fn each(&self, row: usize, mut take: impl FnMut(&str)) -> bool {
        match self {
            Parts::Arguments(values) => values.iter().filter_map(|v| v.get(row)).for_each(take),
            Parts::Elements(lists) => {
                let Some(at) = lists.index(row) else { return false };
                let elements = lists.array.value(at);
                if let Some(texts) = elements.as_string_view_opt() {
                    (0..texts.len()).filter(|i| texts.is_valid(*i)).for_each(|i| take(texts.value(i)));
                }
            }
        }
        true
    }
}

pub(crate) fn concat_ws(call: &Call<'_>) -> Result<ArrayRef> {
    let separator = call.strings(0)?;
    if call.args.len() < 2 {
        return Err(Error::invalid("concat_ws takes a separator and at least one text"));
    }
    let parts = Parts::of(call)?;
    let mut builder = StringViewBuilder::with_capacity(call.rows);
    let mut text = String::new();
    for row in 0..call.rows {
        text.clear();
        let Some(separator) = separator.get(row) else {
            builder.append_null();
            continue;
        };
        let mut first = true;
        let there = parts.each(row, |part| {
            if !first {
                text.push_str(separator);
            }
            text.push_str(part);
            first = false;
        });
        check_length("concat_ws", text.len())?;
        builder.append_option(there.then_some(&text));
    }
    Ok(Arc::new(builder.finish()))
}
