//! Functions that take lambdas: they run the lambda on the elements of all rows at once.

use super::elements::{Flat, ListWriter, Lists, build_map, entry_types, fit, index_of, pick, take_or_null};
use super::keys::Keys;
use super::map::{duplicate, null_key};
use crate::cast::arrow_error;
use crate::registry::Family;
use crate::{Call, Lambda, Scalar};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, UInt32Array, new_empty_array};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::{filter as keep, prep_null_mask_filter, take};
use arrow::datatypes::DataType;
use model::{Error, Result};
use sql::SqlType;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

const MATCH: &[&str] = &["(array(T), function(T,boolean)) -> boolean"];

/// What this file offers.
pub(crate) const FAMILY: Family = Family {
    title: "Lambda functions",
    scalars: &[
        Scalar::new(
            "transform",
            &["(array(T), function(T,U)) -> array(U)"],
            transform,
            "Returns what the function makes of each element.",
        ),
        Scalar::new(
            "filter",
            &["(array(T), function(T,boolean)) -> array(T)"],
            filter,
            "Keeps the elements for which the function is true.",
        ),
        Scalar::new(
            "reduce",
            &["(array(T), S, function(S,T,S), function(S,R)) -> R"],
            reduce,
            "Folds the elements into a state, from the first to the last, and returns what is made of it.",
        )
        .handles_nulls(),
        Scalar::new(
            "zip_with",
            &["(array(T), array(U), function(T,U,R)) -> array(R)"],
            zip_with,
            "Merges two arrays element by element; the shorter one is filled up with NULL.",
        ),
        Scalar::new(
            "any_match",
            MATCH,
            |c| matches(c, true, true),
            "Whether the function is true for an element.",
        ),
        Scalar::new("all_match", MATCH, |c| matches(c, false, false), "Whether it is true for all elements."),
        Scalar::new("none_match", MATCH, |c| matches(c, true, false), "Whether it is true for no element."),
        Scalar::new(
            "map_filter",
            &["(map(K,V), function(K,V,boolean)) -> map(K,V)"],
            map_filter,
            "Keeps the entries for which the function is true.",
        ),
        Scalar::new(
            "transform_keys",
            &["(map(K1,V), function(K1,V,K2)) -> map(K2,V)"],
            transform_keys,
            "Replaces each key by what the function makes of the entry.",
        ),
        Scalar::new(
            "transform_values",
            &["(map(K,V1), function(K,V1,V2)) -> map(K,V2)"],
            transform_values,
            "Replaces each value by what the function makes of the entry.",
        ),
        Scalar::new(
            "map_zip_with",
            &["(map(K,V1), map(K,V2), function(K,V1,V2,V3)) -> map(K,V3)"],
            map_zip_with,
            "Merges two maps key by key; a value that one of them lacks is NULL.",
        ),
    ],
    aggregates: &[],
};

/// Runs a lambda and checks that it answers for each element, in the wanted type.
fn run(
    lambda: &dyn Lambda,
    params: &[ArrayRef],
    rows: &UInt32Array,
    data_type: &DataType,
) -> Result<ArrayRef> {
    if rows.is_empty() {
        return Ok(new_empty_array(data_type));
    }
    let answers = lambda.call(params, rows)?;
    if answers.len() != rows.len() {
        return Err(Error::internal(format!(
            "a lambda answered {} times for {} elements",
            answers.len(),
            rows.len()
        )));
    }
    fit(&answers, data_type)
}

/// Runs a lambda that decides.
fn decide(lambda: &dyn Lambda, params: &[ArrayRef], rows: &UInt32Array) -> Result<BooleanArray> {
    let answers = run(lambda, params, rows, &DataType::Boolean)?;
    answers.as_boolean_opt().cloned().ok_or_else(|| Error::internal("a lambda that decides is not boolean"))
}

fn inner_type(data_type: &DataType) -> Result<&DataType> {
    match data_type {
        DataType::List(field) => Ok(field.data_type()),
        other => Err(Error::internal(format!("an array is built, but {other} is wanted"))),
    }
}

fn build_list(
    data_type: &DataType,
    offsets: OffsetBuffer<i32>,
    values: ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let DataType::List(field) = data_type else {
        return Err(Error::internal(format!("an array is built, but {data_type} is wanted")));
    };
    let list = ListArray::try_new(field.clone(), offsets, values, nulls).map_err(arrow_error)?;
    Ok(Arc::new(list))
}

fn transform(call: &Call<'_>) -> Result<ArrayRef> {
    let flat = Flat::of(call, 0)?;
    let data_type = call.return_type.to_arrow();
    let values = std::slice::from_ref(&flat.values);
    let values = run(call.lambda(1)?.as_ref(), values, &flat.rows, inner_type(&data_type)?)?;
    build_list(&data_type, flat.offsets, values, flat.nulls)
}

/// The bounds of the lists after those elements are gone that are not kept.
fn shrink(flat: &Flat, kept: &BooleanArray) -> OffsetBuffer<i32> {
    let mut offsets = vec![0i32];
    let (mut total, mut place) = (0i32, 0usize);
    for end in flat.offsets.iter().skip(1) {
        while place < *end as usize {
            total += i32::from(kept.value(place));
            place += 1;
        }
        offsets.push(total);
    }
    OffsetBuffer::new(ScalarBuffer::from(offsets))
}

/// TRUE where the answer is TRUE, FALSE where it is FALSE or NULL.
fn only_true(answers: BooleanArray) -> BooleanArray {
    if answers.null_count() > 0 { prep_null_mask_filter(&answers) } else { answers }
}

fn filter(call: &Call<'_>) -> Result<ArrayRef> {
    let flat = Flat::of(call, 0)?;
    let data_type = call.return_type.to_arrow();
    let kept = only_true(decide(call.lambda(1)?.as_ref(), std::slice::from_ref(&flat.values), &flat.rows)?);
    let offsets = shrink(&flat, &kept);
    let values = keep(&flat.values, &kept).map_err(arrow_error)?;
    build_list(&data_type, offsets, fit(&values, inner_type(&data_type)?)?, flat.nulls)
}

/// Whether the lambda gives the deciding answer for an element: then the result is `found`, else its opposite, or NULL
/// if an answer was NULL.
fn matches(call: &Call<'_>, deciding: bool, found: bool) -> Result<ArrayRef> {
    let flat = Flat::of(call, 0)?;
    let answers = decide(call.lambda(1)?.as_ref(), std::slice::from_ref(&flat.values), &flat.rows)?;
    let of_row = |row: usize| {
        if flat.is_null(row) {
            return None;
        }
        let mut open = false;
        for at in flat.range(row) {
            match answers.is_valid(at).then(|| answers.value(at)) {
                Some(answer) if answer == deciding => return Some(found),
                Some(_) => {}
                None => open = true,
            }
        }
        if open { None } else { Some(!found) }
    };
    Ok(Arc::new((0..call.rows).map(of_row).collect::<BooleanArray>()))
}

/// Folds position by position: each call of the lambda makes a step in all rows that still have elements. Rows are put
/// in the order of their lengths, so that those that are done always stand at the end and drop out.
fn reduce(call: &Call<'_>) -> Result<ArrayRef> {
    let flat = Flat::of(call, 0)?;
    let (step, finish) = (call.lambda(2)?, call.lambda(3)?);
    let mut order: Vec<usize> = (0..call.rows).filter(|row| !flat.is_null(*row)).collect();
    order.sort_by_key(|row| std::cmp::Reverse(flat.range(*row).len()));
    let rows = order.iter().map(|row| index_of(*row)).collect::<Result<Vec<u32>>>()?;
    let rows = UInt32Array::from(rows);
    let state_type = call.arg_types.get(1).unwrap_or(&SqlType::Unknown).to_arrow();
    let mut state = take(&fit(&call.column(1)?, &state_type)?, &rows, None).map_err(arrow_error)?;
    let mut done: Vec<ArrayRef> = Vec::new();
    for position in 0.. {
        let active = order.partition_point(|row| flat.range(*row).len() > position);
        if active < state.len() {
            done.push(state.slice(active, state.len() - active));
            state = state.slice(0, active);
        }
        if active == 0 {
            break;
        }
        let places = order.iter().take(active).map(|row| index_of(flat.range(*row).start + position));
        let places = UInt32Array::from(places.collect::<Result<Vec<u32>>>()?);
        let elements = take(&flat.values, &places, None).map_err(arrow_error)?;
        state = run(step.as_ref(), &[state, elements], &rows.slice(0, active), &state_type)?;
    }
    done.reverse();
    let parts: Vec<&dyn Array> = done.iter().map(AsRef::as_ref).collect();
    let data_type = call.return_type.to_arrow();
    let states = if parts.is_empty() {
        new_empty_array(&state_type)
    } else {
        arrow::compute::concat(&parts).map_err(arrow_error)?
    };
    let answers = run(finish.as_ref(), &[states], &rows, &data_type)?;
    let mut places = vec![None; call.rows];
    for (at, row) in order.into_iter().enumerate() {
        if let Some(place) = places.get_mut(row) {
            *place = Some(at);
        }
    }
    take_or_null(&answers, places.into_iter(), &data_type)
}

fn zip_with(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (Lists::of(call, 0)?, Lists::of(call, 1)?);
    let (mut first, mut second) = (ListWriter::new(call.rows), ListWriter::new(call.rows));
    let mut rows = Vec::new();
    for row in 0..call.rows {
        let (Some(a), Some(b)) = (left.range(row), right.range(row)) else {
            first.close_null()?;
            continue;
        };
        let length = a.len().max(b.len());
        rows.resize(rows.len() + length, index_of(row)?);
        for (writer, range) in [(&mut first, a), (&mut second, b)] {
            let missing = length - range.len();
            writer.extend(0, range);
            (0..missing).for_each(|_| writer.push_null());
        }
        first.close()?;
    }
    let params = [
        first.gather(std::slice::from_ref(&left.values), left.values.data_type())?,
        second.gather(std::slice::from_ref(&right.values), right.values.data_type())?,
    ];
    let data_type = call.return_type.to_arrow();
    let values = run(call.lambda(2)?.as_ref(), &params, &UInt32Array::from(rows), inner_type(&data_type)?)?;
    first.finish_with(values, &data_type)
}

fn map_filter(call: &Call<'_>) -> Result<ArrayRef> {
    let flat = Flat::of(call, 0)?;
    let data_type = call.return_type.to_arrow();
    let (key_type, value_type) = entry_types(&data_type)?;
    let (keys, values) = (fit(&flat.entry(0)?, key_type)?, fit(&flat.entry(1)?, value_type)?);
    let kept = only_true(decide(call.lambda(1)?.as_ref(), &[keys.clone(), values.clone()], &flat.rows)?);
    let offsets = shrink(&flat, &kept);
    let keys = keep(&keys, &kept).map_err(arrow_error)?;
    let values = keep(&values, &kept).map_err(arrow_error)?;
    build_map(&data_type, offsets, keys, values, flat.nulls)
}

fn transform_values(call: &Call<'_>) -> Result<ArrayRef> {
    let flat = Flat::of(call, 0)?;
    let data_type = call.return_type.to_arrow();
    let (key_type, value_type) = entry_types(&data_type)?;
    let keys = fit(&flat.entry(0)?, key_type)?;
    let values = run(call.lambda(1)?.as_ref(), &[keys.clone(), flat.entry(1)?], &flat.rows, value_type)?;
    build_map(&data_type, flat.offsets, keys, values, flat.nulls)
}

fn transform_keys(call: &Call<'_>) -> Result<ArrayRef> {
    let flat = Flat::of(call, 0)?;
    let data_type = call.return_type.to_arrow();
    let (key_type, value_type) = entry_types(&data_type)?;
    let values = fit(&flat.entry(1)?, value_type)?;
    let keys = run(call.lambda(1)?.as_ref(), &[flat.entry(0)?, values.clone()], &flat.rows, key_type)?;
    if keys.logical_null_count() > 0 {
        return Err(null_key());
    }
    let sql_type = match call.return_type {
        SqlType::Map(key, _) => key.as_ref(),
        _ => &SqlType::Unknown,
    };
    let bytes = Keys::new(&keys, sql_type)?;
    let mut seen = HashSet::new();
    for row in 0..call.rows {
        seen.clear();
        if let Some(twice) = flat.range(row).find(|at| !seen.insert(bytes.get(*at))) {
            return Err(duplicate(&keys, twice));
        }
    }
    build_map(&data_type, flat.offsets, keys, values, flat.nulls)
}

fn map_zip_with(call: &Call<'_>) -> Result<ArrayRef> {
    let maps = [Lists::of(call, 0)?, Lists::of(call, 1)?];
    let data_type = call.return_type.to_arrow();
    let (key_type, value_type) = entry_types(&data_type)?;
    let sql_type = match call.arg_types.first() {
        Some(SqlType::Map(key, _)) => key.as_ref(),
        _ => &SqlType::Unknown,
    };
    let keys = [fit(&maps[0].keys()?, key_type)?, fit(&maps[1].keys()?, key_type)?];
    let bytes = [Keys::new(&keys[0], sql_type)?, Keys::new(&keys[1], sql_type)?];
    let mut writer = ListWriter::new(call.rows);
    // Where each entry's value stands in the first and in the second map.
    let (mut left, mut right): (Vec<Option<usize>>, Vec<Option<usize>>) = (Vec::new(), Vec::new());
    let (mut rows, mut picks) = (Vec::new(), Vec::new());
    for row in 0..call.rows {
        let (Some(a), Some(b)) = (maps[0].range(row), maps[1].range(row)) else {
            writer.close_null()?;
            continue;
        };
        let mut of_second: HashMap<&[u8], usize> = b.clone().map(|at| (bytes[1].get(at), at)).collect();
        let before = picks.len();
        for at in a {
            left.push(Some(at));
            right.push(of_second.remove(bytes[0].get(at)));
            picks.push((0, at));
        }
        for at in b.filter(|at| of_second.contains_key(bytes[1].get(*at))) {
            left.push(None);
            right.push(Some(at));
            picks.push((1, at));
        }
        rows.resize(picks.len(), index_of(row)?);
        writer.extend(0, before..picks.len());
        writer.close()?;
    }
    let keys = pick(&keys, picks.into_iter(), key_type)?;
    let values = [maps[0].map_values()?, maps[1].map_values()?];
    let first = take_or_null(&values[0], left.into_iter(), values[0].data_type())?;
    let second = take_or_null(&values[1], right.into_iter(), values[1].data_type())?;
    let params = [keys.clone(), first, second];
    let values = run(call.lambda(2)?.as_ref(), &params, &UInt32Array::from(rows), value_type)?;
    writer.finish_map_with(&[keys], values, &data_type)
}
