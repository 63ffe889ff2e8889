//! Arrays of texts as answers.

use crate::Call;
use arrow::array::{ArrayRef, ListBuilder, StringViewBuilder};
use model::Result;
use std::sync::Arc;

/// Computes an `array(varchar)` per row without NULL arguments; `write` appends the elements and says whether there is
/// an array at all.
pub(crate) fn build_text_lists(
    call: &Call<'_>,
    mut write: impl FnMut(usize, &mut StringViewBuilder) -> Result<bool>,
) -> Result<ArrayRef> {
    let valid = call.valid();
    let mut builder = ListBuilder::with_capacity(StringViewBuilder::new(), call.rows);
    for row in 0..call.rows {
        let there = valid.as_ref().is_none_or(|v| v.is_valid(row)) && write(row, builder.values())?;
        builder.append(there);
    }
    Ok(Arc::new(builder.finish()))
}
