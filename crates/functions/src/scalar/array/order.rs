//! Sorting arrays, and their smallest and largest elements.

use super::element_type;
use crate::registry::Family;
use crate::scalar::compare::ordering;
use crate::scalar::elements::{Flat, ListWriter, Lists, index_of, take_or_null};
use crate::scalar::keys::Keys;
use crate::{Call, Lambda, Scalar};
use arrow::array::{Array, ArrayRef, AsArray, Int32Array, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int32Type};
use model::{Error, Result};
use std::cmp::Ordering;

/// What this file offers.
pub(crate) const FAMILY: Family = Family {
    title: "Array functions",
    scalars: &[
        Scalar::new(
            "array_sort",
            &["(array(T:orderable)) -> array(T)"],
            array_sort,
            "Sorts the elements, NULL last.",
        ),
        Scalar::new(
            "array_sort",
            &["(array(T), function(T,T,integer)) -> array(T)"],
            array_sort_by,
            "Sorts the elements by a function that returns -1, 0 or 1 for two of them.",
        ),
        Scalar::new(
            "array_max",
            &["(array(T:orderable)) -> T"],
            |call| extreme(call, Ordering::Greater),
            "Returns the largest element; NULL if one is NULL.",
        ),
        Scalar::new(
            "array_min",
            &["(array(T:orderable)) -> T"],
            |call| extreme(call, Ordering::Less),
            "Returns the smallest element; NULL if one is NULL.",
        ),
    ],
    aggregates: &[],
};

fn array_sort(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call, 0)?;
    let keys = Keys::new(&lists.values, element_type(call, 0))?;
    let nulls = lists.values.logical_nulls();
    let is_null = |at: usize| nulls.as_ref().is_some_and(|n| n.is_null(at));
    let mut writer = ListWriter::new(call.rows);
    for row in 0..call.rows {
        let Some(range) = lists.range(row) else {
            writer.close_null()?;
            continue;
        };
        let mut places: Vec<usize> = range.collect();
        places.sort_by(|a, b| is_null(*a).cmp(&is_null(*b)).then_with(|| keys.compare(*a, *b)));
        places.into_iter().for_each(|at| writer.push(0, at));
        writer.close()?;
    }
    writer.finish(&[lists.values], &call.return_type.to_arrow())
}

/// The element that stands in this order to all others of its row. NaN loses against every number.
fn extreme(call: &Call<'_>, wanted: Ordering) -> Result<ArrayRef> {
    let lists = Lists::of(call, 0)?;
    let order = ordering(&lists.values, &lists.values, element_type(call, 0))?;
    let nulls = lists.values.logical_nulls();
    let is_nan = |at: usize| match lists.values.data_type() {
        DataType::Float64 => lists.values.as_primitive::<Float64Type>().value(at).is_nan(),
        DataType::Float32 => lists.values.as_primitive::<Float32Type>().value(at).is_nan(),
        _ => false,
    };
    let mut picks = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let range = lists.range(row).unwrap_or_default();
        if nulls.as_ref().is_some_and(|n| range.clone().any(|at| n.is_null(at))) {
            picks.push(None);
            continue;
        }
        let mut best: Option<usize> = None;
        for at in range {
            let better = match best {
                None => true,
                Some(best) if is_nan(at) || is_nan(best) => !is_nan(at),
                Some(best) => order(at, best)? == wanted,
            };
            if better {
                best = Some(at);
            }
        }
        picks.push(best);
    }
    take_or_null(&lists.values, picks.into_iter(), &call.return_type.to_arrow())
}

/// Two sorted runs of places that are being merged into one.
struct Merge {
    left: Vec<usize>,
    right: Vec<usize>,
    /// How many of each are merged already.
    taken: (usize, usize),
    merged: Vec<usize>,
    row: usize,
}

impl Merge {
    fn next_pair(&self) -> Option<(usize, usize)> {
        Some((*self.left.get(self.taken.0)?, *self.right.get(self.taken.1)?))
    }

    fn take(&mut self, from_right: bool) {
        let next = if from_right { self.right.get(self.taken.1) } else { self.left.get(self.taken.0) };
        self.merged.extend(next);
        if from_right {
            self.taken.1 += 1;
        } else {
            self.taken.0 += 1;
        }
    }

    fn finish(mut self) -> Vec<usize> {
        self.merged.extend(self.left.iter().skip(self.taken.0));
        self.merged.extend(self.right.iter().skip(self.taken.1));
        self.merged
    }
}

/// Sorts by a lambda. All rows are merge-sorted side by side, so that each call of the lambda compares many pairs.
fn array_sort_by(call: &Call<'_>) -> Result<ArrayRef> {
    let flat = Flat::of(call, 0)?;
    let lambda = call.lambda(1)?;
    let mut runs: Vec<Vec<Vec<usize>>> =
        (0..call.rows).map(|row| flat.range(row).map(|at| vec![at]).collect()).collect();
    while runs.iter().any(|of_row| of_row.len() > 1) {
        let mut merges = Vec::new();
        let mut odd: Vec<Option<Vec<usize>>> = vec![None; call.rows];
        for (row, of_row) in runs.iter_mut().enumerate() {
            let mut rest = std::mem::take(of_row).into_iter();
            while let Some(left) = rest.next() {
                match rest.next() {
                    Some(right) => {
                        merges.push(Merge { left, right, taken: (0, 0), merged: Vec::new(), row });
                    }
                    None => odd[row] = Some(left),
                }
            }
        }
        merge_all(&mut merges, &flat, lambda.as_ref())?;
        for merge in merges {
            let row = merge.row;
            runs[row].push(merge.finish());
        }
        for (of_row, odd) in runs.iter_mut().zip(odd) {
            of_row.extend(odd);
        }
    }
    let mut writer = ListWriter::new(call.rows);
    for (row, of_row) in runs.into_iter().enumerate() {
        if flat.is_null(row) {
            writer.close_null()?;
            continue;
        }
        of_row.into_iter().flatten().for_each(|at| writer.push(0, at));
        writer.close()?;
    }
    writer.finish(&[flat.values], &call.return_type.to_arrow())
}

fn merge_all(merges: &mut [Merge], flat: &Flat, lambda: &dyn Lambda) -> Result<()> {
    loop {
        let (mut left, mut right, mut rows, mut open) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (index, merge) in merges.iter().enumerate() {
            if let Some((a, b)) = merge.next_pair() {
                left.push(index_of(a)?);
                right.push(index_of(b)?);
                rows.push(index_of(merge.row)?);
                open.push(index);
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        let params = [left, right].map(|places| {
            take(&flat.values, &UInt32Array::from(places), None).map_err(crate::cast::arrow_error)
        });
        let [left, right] = params;
        let answers = lambda.call(&[left?, right?], &UInt32Array::from(rows))?;
        let answers = verdicts(&answers)?;
        for (at, index) in open.into_iter().enumerate() {
            if let Some(merge) = merges.get_mut(index) {
                // A stable sort: the right one goes first only if it is truly smaller.
                merge.take(answers.value(at) > 0);
            }
        }
    }
}

/// What the comparator said, if all of it is -1, 0 or 1.
fn verdicts(answers: &ArrayRef) -> Result<&Int32Array> {
    let answers = answers
        .as_primitive_opt::<Int32Type>()
        .ok_or_else(|| Error::internal("the comparator of array_sort does not return an integer"))?;
    let wrong = answers.iter().find(|a| !matches!(a, Some(-1..=1)));
    match wrong {
        None => Ok(answers),
        Some(found) => {
            let found = found.map_or_else(|| "NULL".to_owned(), |v| v.to_string());
            Err(Error::invalid(format!("the comparator of array_sort must return -1, 0 or 1, not {found}")))
        }
    }
}
