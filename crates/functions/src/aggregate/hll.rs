//! How many different values there are, from a sketch of a few thousand bytes (HyperLogLog).

use super::fold::{Fold, Groups};
use super::rows::{Keys, Nan, binary};
use super::sketch::Sketch;
use super::tools::{column, numbers, primitive, typed};
use super::{AggregateCall, aggregate};
use crate::{Call, Family, Scalar};
use arrow::array::{Array, ArrayRef, BinaryArray, BinaryViewArray, Float64Array, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use model::{Error, Result};
use sql::SqlType;
use std::sync::Arc;
use xxhash_rust::xxh64::xxh64;

/// The table.
pub(crate) const FAMILY: Family = Family {
    title: "Sketches of distinct values",
    scalars: &[
        Scalar::new(
            "cardinality",
            &["(HyperLogLog) -> bigint"],
            cardinality,
            "About how many values a sketch has seen.",
        ),
        Scalar::new("empty_approx_set", &["() -> HyperLogLog"], empty, "A sketch that has seen no value."),
    ],
    aggregates: &[
        aggregate!(
            "approx_distinct",
            &["(T) -> bigint", "(T, double) -> bigint"],
            "About how many different values there are; the second argument is the standard error that is allowed.",
            state,
            |call: &AggregateCall<'_>| distinct(call, What::Count)
        ),
        aggregate!(
            "approx_set",
            &["(T) -> HyperLogLog", "(T, double) -> HyperLogLog"],
            "A sketch of the different values.",
            state,
            |call: &AggregateCall<'_>| distinct(call, What::Sketch)
        ),
        aggregate!(
            "merge",
            &["(HyperLogLog) -> HyperLogLog"],
            "All sketches as one.",
            state,
            |call: &AggregateCall<'_>| distinct(call, What::Merge)
        ),
    ],
};

fn state(_: &[SqlType], _: &SqlType) -> Vec<DataType> {
    vec![DataType::Binary]
}

fn cardinality(call: &Call<'_>) -> Result<ArrayRef> {
    let sketches = call.bytes(0)?;
    call.build::<Int64Type>(|row| match sketches.get(row) {
        Some(bytes) => Ok(Some(Sketch::read(bytes)?.count())),
        None => Ok(None),
    })
}

fn empty(call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = Sketch::default().write();
    Ok(Arc::new(BinaryViewArray::from_iter_values((0..call.rows).map(|_| &bytes))))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Count,
    Sketch,
    Merge,
}

#[derive(Debug)]
struct Distinct {
    what: What,
    keys: Keys,
}

fn distinct(call: &AggregateCall<'_>, what: What) -> Result<Distinct> {
    let values = call.arg_types.first().map_or(DataType::Null, SqlType::to_arrow);
    Ok(Distinct { what, keys: Keys::new(values)? })
}

/// A hash of each value; equal values of different widths are hashed alike.
fn hashes(values: &ArrayRef, keys: &Keys) -> Result<Vec<u64>> {
    let args = std::slice::from_ref(values);
    Ok(match values.data_type() {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            let wide = [cast(values, &DataType::Int64).map_err(crate::cast::arrow_error)?];
            numbers::<Int64Type>(&wide, 0)?.values().iter().map(|v| xxh64(&v.to_le_bytes(), 0)).collect()
        }
        DataType::Utf8View => {
            let texts: &StringViewArray = typed(args, 0)?;
            (0..texts.len())
                .map(|i| if texts.is_valid(i) { xxh64(texts.value(i).as_bytes(), 0) } else { 0 })
                .collect()
        }
        _ => keys.rows(values, Nan::Last)?.iter().map(|r| xxh64(r.data(), 0)).collect(),
    })
}

/// The standard errors that may be asked for, as in Trino.
const ERRORS: std::ops::RangeInclusive<f64> = 0.004_062_5..=0.26;

fn precision(error: f64) -> Result<u8> {
    if !ERRORS.contains(&error) {
        return Err(Error::invalid(format!(
            "the standard error must be from {} to {}, found {error}",
            ERRORS.start(),
            ERRORS.end()
        )));
    }
    let registers = (1.04 / error).powi(2).log2().ceil();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 4 and 16")]
    let bits = registers.clamp(4.0, 16.0) as u8;
    Ok(bits)
}

impl Distinct {
    fn add_values(&self, args: &[ArrayRef], groups: &mut Groups<'_, Option<Sketch>>) -> Result<()> {
        let values = column(args, 0)?;
        let errors = if args.len() > 1 { Some(typed::<Float64Array>(args, 1)?) } else { None };
        let nulls = values.logical_nulls();
        let hashes = hashes(values, &self.keys)?;
        for row in groups.rows().iter() {
            if nulls.as_ref().is_none_or(|n| n.is_valid(row)) {
                let group = groups.of(row);
                if group.is_none() {
                    *group = Some(match errors {
                        Some(errors) if errors.is_valid(row) => Sketch::new(precision(errors.value(row))?),
                        _ => Sketch::default(),
                    });
                }
                let grown = group.as_mut().map_or(0, |sketch| sketch.add(hashes[row]));
                groups.grew(grown);
            }
        }
        Ok(())
    }
}

fn join(group: &mut Option<Sketch>, bytes: &[u8]) -> Result<usize> {
    let other = Sketch::read(bytes)?;
    let before = group.as_ref().map_or(0, Sketch::heap);
    match group {
        Some(sketch) => sketch.join(&other),
        None => *group = Some(other),
    }
    Ok(group.as_ref().map_or(0, Sketch::heap).saturating_sub(before))
}

impl Fold for Distinct {
    type Group = Option<Sketch>;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Option<Sketch>>) -> Result<()> {
        if self.what != What::Merge {
            return self.add_values(args, groups);
        }
        let sketches: &BinaryViewArray = typed(args, 0)?;
        for row in groups.rows().iter().filter(|r| sketches.is_valid(*r)) {
            let grown = join(groups.of(row), sketches.value(row))?;
            groups.grew(grown);
        }
        Ok(())
    }

    fn state(&mut self, groups: &[Option<Sketch>]) -> Result<Vec<ArrayRef>> {
        let bytes: Vec<_> = groups.iter().map(|g| g.as_ref().map(Sketch::write)).collect();
        Ok(vec![binary(bytes.iter().map(|b| b.as_deref()))])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Option<Sketch>>) -> Result<()> {
        let sketches: &BinaryArray = typed(states, 0)?;
        for row in groups.rows().iter().filter(|r| sketches.is_valid(*r)) {
            let grown = join(groups.of(row), sketches.value(row))?;
            groups.grew(grown);
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[Option<Sketch>]) -> Result<ArrayRef> {
        if self.what == What::Count {
            let counts = groups.iter().map(|g| Some(g.as_ref().map_or(0, Sketch::count)));
            return Ok(primitive::<Int64Type>(counts, &DataType::Int64));
        }
        let sketches: BinaryViewArray = groups.iter().map(|g| g.as_ref().map(Sketch::write)).collect();
        Ok(Arc::new(sketches))
    }

    fn heap(&self, group: &Option<Sketch>) -> usize {
        group.as_ref().map_or(0, Sketch::heap)
    }
}
