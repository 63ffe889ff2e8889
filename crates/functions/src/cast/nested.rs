//! Arrays, maps and rows: their parts are cast, their shape stays.

use super::{Cast, OnError};
use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::DataType;
use model::Result;
use sql::SqlType;
use std::sync::Arc;

/// Casts the parts. In a `TRY_CAST` the whole value is NULL if one of its parts cannot be cast.
pub(super) fn cast(cast: &Cast<'_>, on_error: OnError) -> Result<ArrayRef> {
    match (cast.from, cast.to) {
        (SqlType::Array(from), SqlType::Array(to)) => array(cast, from, to, on_error),
        (SqlType::Map(k1, v1), SqlType::Map(k2, v2)) => map(cast, (k1, k2), (v1, v2), on_error),
        (SqlType::Row(_), SqlType::Row(_)) => row(cast, on_error),
        _ => Err(cast.wrong_array()),
    }
}

fn part(
    cast: &Cast<'_>,
    array: &ArrayRef,
    from: &SqlType,
    to: &SqlType,
    on_error: OnError,
) -> Result<ArrayRef> {
    super::cast(array, from, to, cast.session, on_error)
}

fn array(cast: &Cast<'_>, from: &SqlType, to: &SqlType, on_error: OnError) -> Result<ArrayRef> {
    let list = cast.array.as_list_opt::<i32>().ok_or_else(|| cast.wrong_array())?;
    let DataType::List(field) = cast.to.to_arrow() else { return Err(cast.wrong_array()) };
    let (values, offsets) = used(list.values(), list.offsets(), list.nulls())?;
    let turned = part(cast, &values, from, to, on_error)?;
    let nulls = spoiled(&offsets, list.nulls(), &[(&values, &turned)]);
    Ok(Arc::new(ListArray::try_new(field, offsets, turned, nulls).map_err(super::arrow_error)?))
}

fn map(
    cast: &Cast<'_>,
    keys: (&SqlType, &SqlType),
    values: (&SqlType, &SqlType),
    on_error: OnError,
) -> Result<ArrayRef> {
    let map = cast.array.as_map_opt().ok_or_else(|| cast.wrong_array())?;
    let DataType::Map(field, sorted) = cast.to.to_arrow() else { return Err(cast.wrong_array()) };
    let DataType::Struct(fields) = field.data_type().clone() else { return Err(cast.wrong_array()) };
    let entries: ArrayRef = Arc::new(map.entries().clone());
    let (entries, offsets) = used(&entries, map.offsets(), map.nulls())?;
    let entries = entries.as_struct_opt().ok_or_else(|| cast.wrong_array())?;
    let (old_keys, old_values) = (entries.column(0), entries.column(1));
    let new_keys = part(cast, old_keys, keys.0, keys.1, on_error)?;
    let new_values = part(cast, old_values, values.0, values.1, on_error)?;
    let nulls = spoiled(&offsets, map.nulls(), &[(old_keys, &new_keys), (old_values, &new_values)]);
    let (new_keys, new_values, offsets) = without_bad_keys(new_keys, new_values, offsets, nulls.as_ref())?;
    let entries =
        StructArray::try_new(fields, vec![new_keys, new_values], None).map_err(super::arrow_error)?;
    Ok(Arc::new(MapArray::try_new(field, offsets, entries, nulls, sorted).map_err(super::arrow_error)?))
}

/// Keys must not be NULL in Arrow: maps that became NULL lose their entries.
fn without_bad_keys(
    keys: ArrayRef,
    values: ArrayRef,
    offsets: OffsetBuffer<i32>,
    nulls: Option<&NullBuffer>,
) -> Result<(ArrayRef, ArrayRef, OffsetBuffer<i32>)> {
    if keys.null_count() == 0 {
        return Ok((keys, values, offsets));
    }
    let (kept_keys, kept) = used(&keys, &offsets, nulls)?;
    let (kept_values, _) = used(&values, &offsets, nulls)?;
    Ok((kept_keys, kept_values, kept))
}

fn row(cast: &Cast<'_>, on_error: OnError) -> Result<ArrayRef> {
    let rows = cast.array.as_struct_opt().ok_or_else(|| cast.wrong_array())?;
    let (SqlType::Row(from), SqlType::Row(to), DataType::Struct(fields)) =
        (cast.from, cast.to, cast.to.to_arrow())
    else {
        return Err(cast.wrong_array());
    };
    let mut nulls = rows.nulls().cloned();
    let mut columns = Vec::with_capacity(to.len());
    for ((column, from), to) in rows.columns().iter().zip(from).zip(to) {
        // What stands in a field of a NULL row is nobody's value: it must not fail.
        let masked = masked(column, rows.nulls())?;
        let turned = part(cast, &masked, &from.sql_type, &to.sql_type, on_error)?;
        if turned.null_count() != masked.null_count() {
            let bad = (0..turned.len()).map(|i| turned.is_valid(i) || no_value(&masked, i));
            nulls = NullBuffer::union(nulls.as_ref(), Some(&bad.collect()));
        }
        columns.push(turned);
    }
    Ok(Arc::new(
        StructArray::try_new_with_length(fields, columns, nulls, rows.len()).map_err(super::arrow_error)?,
    ))
}

fn masked(column: &ArrayRef, nulls: Option<&NullBuffer>) -> Result<ArrayRef> {
    match nulls {
        Some(nulls) if nulls.null_count() > 0 => {
            let hidden = arrow::array::BooleanArray::new(!nulls.inner(), None);
            arrow::compute::nullif(column, &hidden).map_err(super::arrow_error)
        }
        _ => Ok(column.clone()),
    }
}

/// The elements that belong to lists which are not NULL, and the offsets among them.
fn used(
    values: &ArrayRef,
    offsets: &OffsetBuffer<i32>,
    nulls: Option<&NullBuffer>,
) -> Result<(ArrayRef, OffsetBuffer<i32>)> {
    let first = offsets.first().copied().unwrap_or(0);
    let last = offsets.last().copied().unwrap_or(0);
    let whole = first == 0 && usize::try_from(last).ok() == Some(values.len());
    let hidden = nulls.is_some_and(|n| (0..n.len()).any(|i| n.is_null(i) && offsets[i] != offsets[i + 1]));
    if whole && !hidden {
        return Ok((values.clone(), offsets.clone()));
    }
    let mut indices = Vec::new();
    let mut lengths = Vec::with_capacity(offsets.len().saturating_sub(1));
    for (i, pair) in offsets.windows(2).enumerate() {
        let range = if nulls.is_none_or(|n| n.is_valid(i)) { pair[0]..pair[1] } else { 0..0 };
        lengths.push(range.len());
        indices.extend(range.filter_map(|v| u32::try_from(v).ok()));
    }
    let indices = arrow::array::UInt32Array::from(indices);
    let values = arrow::compute::take(values, &indices, None).map_err(super::arrow_error)?;
    Ok((values, OffsetBuffer::from_lengths(lengths)))
}

/// The lists' NULLs, with those added in which a part became NULL that was none.
fn spoiled(
    offsets: &OffsetBuffer<i32>,
    nulls: Option<&NullBuffer>,
    parts: &[(&ArrayRef, &ArrayRef)],
) -> Option<NullBuffer> {
    if parts.iter().all(|(before, after)| before.null_count() == after.null_count()) {
        return nulls.cloned();
    }
    let good = |at: i32| {
        let at = usize::try_from(at).unwrap_or(0);
        parts.iter().all(|(before, after)| after.is_valid(at) || no_value(before, at))
    };
    let valid: NullBuffer = offsets.windows(2).map(|pair| (pair[0]..pair[1]).all(good)).collect();
    NullBuffer::union(nulls, Some(&valid))
}

/// Whether there is nothing at this place; an array of bare NULLs has no bits that say so.
fn no_value(array: &dyn Array, at: usize) -> bool {
    array.data_type() == &DataType::Null || array.is_null(at)
}
