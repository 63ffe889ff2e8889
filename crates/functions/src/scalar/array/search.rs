//! Finding elements in arrays.

use super::element_type;
use crate::registry::Family;
use crate::scalar::compare::equality;
use crate::scalar::elements::{ListWriter, Lists};
use crate::scalar::keys::Keys;
use crate::{Call, Scalar};
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::Int64Type;
use model::{Error, Result};
use sql::SqlType;
use std::collections::HashSet;

/// What this file offers.
pub(crate) const FAMILY: Family = Family {
    title: "Array functions",
    scalars: &[
        Scalar::new(
            "contains",
            &["(array(T:comparable), T) -> boolean"],
            contains,
            "Whether the array holds the value; NULL if only a NULL element could be it.",
        ),
        Scalar::new(
            "contains_sequence",
            &["(array(T:comparable), array(T)) -> boolean"],
            contains_sequence,
            "Whether the array holds all of the other array in one piece.",
        ),
        Scalar::new(
            "array_position",
            &["(array(T:comparable), T) -> bigint", "(array(T:comparable), T, bigint) -> bigint"],
            array_position,
            "Returns the position of the value (its first, or the given occurrence); 0 if there is none.",
        ),
        Scalar::new(
            "array_remove",
            &["(array(T:comparable), T) -> array(T)"],
            array_remove,
            "Removes all elements that equal the value.",
        ),
        Scalar::new(
            "arrays_overlap",
            &["(array(T:comparable), array(T)) -> boolean"],
            arrays_overlap,
            "Whether two arrays have an element in common; NULL if only a NULL could be it.",
        ),
    ],
    aggregates: &[],
};

/// From how many elements on a constant array is searched by hash.
const HASHED: usize = 16;

/// Whether values of the type are equal exactly if their keys are: NULL inside and NaN make a difference.
fn equal_as_keys(sql_type: &SqlType) -> bool {
    !matches!(
        sql_type,
        SqlType::Array(_) | SqlType::Map(..) | SqlType::Row(_) | SqlType::Real | SqlType::Double
    )
}

/// Searches one array for the values of a column, as `x IN (…)` does.
fn contains_constant(call: &Call<'_>, lists: &Lists, needle: &ArrayRef) -> Result<ArrayRef> {
    let keys = Keys::new(&lists.values, element_type(call, 0))?;
    let needles = Keys::new(needle, element_type(call, 0))?;
    let nulls = lists.values.logical_nulls();
    let present = |at: &usize| nulls.as_ref().is_none_or(|n| n.is_valid(*at));
    let range = lists.range(0).unwrap_or_default();
    let open = !range.clone().all(|at| present(&at));
    let set: HashSet<&[u8]> = range.filter(present).map(|at| keys.get(at)).collect();
    call.build_booleans(|row| match set.contains(needles.get(row)) {
        true => Ok(Some(true)),
        false => Ok((!open).then_some(false)),
    })
}

fn contains(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, (needle, one)) = (Lists::of(call, 0)?, call.arg(1)?);
    let element = element_type(call, 0);
    if lists.constant && !one && lists.len(0).is_some_and(|n| n > HASHED) && equal_as_keys(element) {
        return contains_constant(call, &lists, needle);
    }
    if lists.values.data_type() != needle.data_type() {
        // An array without a type holds nothing but NULLs.
        return call.build_booleans(|row| Ok(lists.len(row).filter(|n| *n == 0).map(|_| false)));
    }
    let equal = equality(&lists.values, needle, element)?;
    let nulls = lists.values.logical_nulls();
    call.build_booleans(|row| {
        let at = if one { 0 } else { row };
        let mut open = false;
        for element in lists.range(row).unwrap_or_default() {
            match equal(element, at) {
                Some(true) => return Ok(Some(true)),
                Some(false) => {}
                None if nulls.as_ref().is_some_and(|n| n.is_null(element)) => open = true,
                None => return Err(undecided("contains")),
            }
        }
        Ok(if open { None } else { Some(false) })
    })
}

fn undecided(name: &str) -> Error {
    Error::unsupported(format!("{name} does not support arrays with elements that contain NULL"))
        .why("whether such elements are equal is not decided")
}

fn contains_sequence(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, parts) = (Lists::of(call, 0)?, Lists::of(call, 1)?);
    let keys = Keys::new(&lists.values, element_type(call, 0))?;
    let part_keys = Keys::new(&parts.values, element_type(call, 1))?;
    call.build_booleans(|row| {
        let (Some(whole), Some(part)) = (lists.range(row), parts.range(row)) else { return Ok(None) };
        if part.is_empty() {
            return Ok(Some(true));
        }
        let whole: Vec<&[u8]> = whole.map(|at| keys.get(at)).collect();
        let part: Vec<&[u8]> = part.map(|at| part_keys.get(at)).collect();
        Ok(Some(whole.windows(part.len()).any(|window| window == part)))
    })
}

fn array_position(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, (needle, one)) = (Lists::of(call, 0)?, call.arg(1)?);
    let equal = equality(&lists.values, needle, element_type(call, 0))?;
    let instances = if call.has(2) { Some(call.bigints(2)?) } else { None };
    call.build::<Int64Type>(|row| {
        let at = if one { 0 } else { row };
        let instance = instances.as_ref().map_or(Some(1), |i| i.get(row)).unwrap_or(1);
        if instance == 0 {
            return Err(Error::invalid(
                "array_position cannot find the occurrence 0: they are counted from 1",
            ));
        }
        let range = lists.range(row).unwrap_or_default();
        let start = range.start;
        let nth = usize::try_from(instance.unsigned_abs() - 1).unwrap_or(usize::MAX);
        let matches = |place: &usize| equal(*place, at) == Some(true);
        let found =
            if instance > 0 { range.filter(matches).nth(nth) } else { range.rev().filter(matches).nth(nth) };
        Ok(Some(found.map_or(0, |place| (place - start) as i64 + 1)))
    })
}

fn array_remove(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, (needle, one)) = (Lists::of(call, 0)?, call.arg(1)?);
    let equal = equality(&lists.values, needle, element_type(call, 0))?;
    let valid = call.valid();
    let mut writer = ListWriter::new(call.rows);
    for row in 0..call.rows {
        let at = if one { 0 } else { row };
        match lists.range(row) {
            Some(range) if valid.as_ref().is_none_or(|v| v.is_valid(row)) => {
                range.filter(|element| equal(*element, at) != Some(true)).for_each(|e| writer.push(0, e));
                writer.close()?;
            }
            _ => writer.close_null()?,
        }
    }
    drop(equal);
    writer.finish(&[lists.values], &call.return_type.to_arrow())
}

fn arrays_overlap(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (Lists::of(call, 0)?, Lists::of(call, 1)?);
    let (left_keys, right_keys) =
        (Keys::new(&left.values, element_type(call, 0))?, Keys::new(&right.values, element_type(call, 1))?);
    let (left_nulls, right_nulls) = (left.values.logical_nulls(), right.values.logical_nulls());
    let mut seen: HashSet<&[u8]> = HashSet::new();
    call.build_booleans(|row| {
        let (Some(a), Some(b)) = (left.range(row), right.range(row)) else { return Ok(None) };
        if a.is_empty() || b.is_empty() {
            return Ok(Some(false));
        }
        seen.clear();
        let mut open = false;
        for at in a {
            if left_nulls.as_ref().is_some_and(|n| n.is_null(at)) {
                open = true;
            } else {
                seen.insert(left_keys.get(at));
            }
        }
        for at in b {
            if right_nulls.as_ref().is_some_and(|n| n.is_null(at)) {
                open = true;
            } else if seen.contains(right_keys.get(at)) {
                return Ok(Some(true));
            }
        }
        Ok(if open { None } else { Some(false) })
    })
}
