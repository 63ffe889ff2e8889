//! Reading from arrays: elements by position, lengths, parts.

use crate::registry::Family;
use crate::scalar::elements::{ListWriter, Lists, take_or_null};
use crate::{Call, Scalar};
use arrow::array::ArrayRef;
use arrow::datatypes::Int64Type;
use model::{Error, Result};

/// What this file offers.
pub(crate) const FAMILY: Family = Family {
    title: "Array functions",
    scalars: &[
        Scalar::new(
            "$subscript",
            &["(array(T), bigint) -> T"],
            subscript,
            "The element at a position, from 1.",
        ),
        Scalar::new(
            "element_at",
            &["(array(T), bigint) -> T"],
            element_at,
            "Returns the element at a position, from the end if it is negative; NULL beyond the ends.",
        ),
        Scalar::new("array_first", &["(array(T)) -> T"], first, "Returns the first element."),
        Scalar::new("array_last", &["(array(T)) -> T"], last, "Returns the last element."),
        Scalar::new(
            "cardinality",
            &["(array(T)) -> bigint", "(map(K,V)) -> bigint"],
            cardinality,
            "Returns how many elements an array or a map has.",
        ),
        Scalar::new(
            "slice",
            &["(array(T), bigint, bigint) -> array(T)"],
            slice,
            "Returns so many elements from a position on, counted from the end if it is negative.",
        ),
        Scalar::new(
            "trim_array",
            &["(array(T), bigint) -> array(T)"],
            trim_array,
            "Removes so many elements from the end.",
        ),
    ],
    aggregates: &[],
};

/// Takes one element per row: `choose` says which, given the index argument and the length.
fn choose(call: &Call<'_>, mut choose: impl FnMut(i64, usize) -> Result<Option<usize>>) -> Result<ArrayRef> {
    let lists = Lists::of(call, 0)?;
    let index = if call.has(1) { Some(call.bigints(1)?) } else { None };
    let mut picks = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let wanted = index.as_ref().map_or(Some(1), |i| i.get(row));
        picks.push(match (lists.range(row), wanted) {
            (Some(range), Some(wanted)) => choose(wanted, range.len())?.map(|at| range.start + at),
            _ => None,
        });
    }
    take_or_null(&lists.values, picks.into_iter(), &call.return_type.to_arrow())
}

fn zero_index() -> Error {
    Error::invalid("array positions start at 1, found 0")
}

fn subscript(call: &Call<'_>) -> Result<ArrayRef> {
    choose(call, |index, length| match usize::try_from(index) {
        Ok(0) => Err(zero_index()),
        Ok(at) if at <= length => Ok(Some(at - 1)),
        Ok(_) => Err(Error::invalid(format!(
            "array subscript must be less than or equal to array length: {index} > {length}"
        ))
        .hint("element_at(array, position) returns NULL beyond the end")),
        Err(_) => Err(Error::invalid(format!("array subscript is negative: {index}"))
            .hint("element_at(array, position) counts from the end")),
    })
}

fn element_at(call: &Call<'_>) -> Result<ArrayRef> {
    choose(call, |index, length| match usize::try_from(index) {
        Ok(0) => Err(zero_index()),
        Ok(at) => Ok((at <= length).then(|| at - 1)),
        Err(_) => Ok(usize::try_from(index.unsigned_abs()).ok().and_then(|back| length.checked_sub(back))),
    })
}

fn first(call: &Call<'_>) -> Result<ArrayRef> {
    choose(call, |_, length| Ok((length > 0).then_some(0)))
}

fn last(call: &Call<'_>) -> Result<ArrayRef> {
    choose(call, |_, length| Ok(length.checked_sub(1)))
}

fn cardinality(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call, 0)?;
    call.build::<Int64Type>(|row| Ok(lists.len(row).map(|n| n as i64)))
}

fn slice(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, starts, lengths) = (Lists::of(call, 0)?, call.bigints(1)?, call.bigints(2)?);
    let mut writer = ListWriter::new(call.rows);
    for row in 0..call.rows {
        let (Some(range), Some(start), Some(length)) = (lists.range(row), starts.get(row), lengths.get(row))
        else {
            writer.close_null()?;
            continue;
        };
        let length = usize::try_from(length).map_err(|_| {
            Error::invalid(format!("slice cannot take {length} elements: the length is negative"))
        })?;
        if start == 0 {
            return Err(zero_index());
        }
        let back = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
        let skip = if start > 0 { Some(back - 1) } else { range.len().checked_sub(back) };
        if let Some(from) = skip.and_then(|s| range.start.checked_add(s)) {
            writer.extend(0, from.min(range.end)..from.saturating_add(length).min(range.end));
        }
        writer.close()?;
    }
    writer.finish(&[lists.values], &call.return_type.to_arrow())
}

fn trim_array(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, counts) = (Lists::of(call, 0)?, call.bigints(1)?);
    let mut writer = ListWriter::new(call.rows);
    for row in 0..call.rows {
        let (Some(range), Some(count)) = (lists.range(row), counts.get(row)) else {
            writer.close_null()?;
            continue;
        };
        let length = range.len();
        let kept = usize::try_from(count).map(|count| length.checked_sub(count));
        match kept {
            Ok(Some(kept)) => writer.extend(0, range.start..range.start + kept),
            Ok(None) => {
                return Err(Error::invalid(format!(
                    "size must not exceed array cardinality {length}: {count}"
                )));
            }
            Err(_) => return Err(Error::invalid(format!("size must not be negative: {count}"))),
        }
        writer.close()?;
    }
    writer.finish(&[lists.values], &call.return_type.to_arrow())
}
