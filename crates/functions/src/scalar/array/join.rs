//! `array_join`: the elements of an array as one text.

use super::element_type;
use crate::cast::{OnError, cast};
use crate::registry::Family;
use crate::scalar::elements::Lists;
use crate::{Call, Scalar};
use arrow::array::{Array, ArrayRef, AsArray};
use model::{Error, Result};
use sql::SqlType;

/// What this file offers.
pub(crate) const FAMILY: Family = Family {
    title: "Array functions",
    scalars: &[Scalar::new(
        "array_join",
        &["(array(T), varchar) -> varchar", "(array(T), varchar, varchar) -> varchar"],
        array_join,
        "Joins the elements with a delimiter; NULL is left out or replaced.",
    )],
    aggregates: &[],
};

fn array_join(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, delimiters) = (Lists::of(call, 0)?, call.strings(1)?);
    let replacements = if call.has(2) { Some(call.strings(2)?) } else { None };
    let element = element_type(call, 0);
    if matches!(element, SqlType::Array(_) | SqlType::Map(..) | SqlType::Row(_)) {
        return Err(Error::invalid(format!("array_join cannot join elements of type {element}"))
            .hint("turn the elements into text first: transform(x, e -> json_format(CAST(e AS json)))"));
    }
    let texts = cast(&lists.values, element, &SqlType::VARCHAR, call.session, OnError::Fail)?;
    let texts =
        texts.as_string_view_opt().ok_or_else(|| Error::internal("a cast to varchar made no text"))?;
    call.build_strings(|row, out| {
        let (Some(range), Some(delimiter)) = (lists.range(row), delimiters.get(row)) else {
            return Ok(false);
        };
        let replacement = replacements.as_ref().and_then(|r| r.get(row));
        let mut first = true;
        for at in range {
            let text = if texts.is_valid(at) { Some(texts.value(at)) } else { replacement };
            if let Some(text) = text {
                if !first {
                    out.push_str(delimiter);
                }
                out.push_str(text);
                first = false;
            }
        }
        Ok(true)
    })
}
