//! `checksum`: a sum of hashes that does not depend on the rows' order, the same number that Trino gives for plain types.

use super::fold::{Fold, Groups};
use super::tools::{column, numbers, primitive, typed};
use super::{AggregateCall, aggregate};
use crate::Family;
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, BooleanArray, Float32Array, Float64Array, Int64Array,
    StringViewArray,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal128Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
};
use model::{Error, Result};
use sql::SqlType;
use std::sync::Arc;
use xxhash_rust::xxh64::xxh64;

/// The table.
pub(crate) const FAMILY: Family = Family {
    title: "Checksums",
    scalars: &[],
    aggregates: &[aggregate!(
        "checksum",
        &["(T:comparable) -> varbinary"],
        "A checksum of the values that does not depend on their order.",
        |_, _| vec![DataType::Int64],
        checksum
    )],
};

/// What every hash is multiplied by, and what a NULL counts as: the prime of the 64-bit xxHash.
const PRIME: u64 = 0x9E37_79B1_85EB_CA87;

#[derive(Debug)]
struct Checksum;

fn checksum(call: &AggregateCall<'_>) -> Result<Checksum> {
    use SqlType::*;
    match call.arg_types.first() {
        Some(Unknown | Boolean | TinyInt | SmallInt | Integer | BigInt | Real | Double | Date) => {
            Ok(Checksum)
        }
        Some(Varchar(_) | Varbinary) => Ok(Checksum),
        Some(Decimal(precision, _)) if *precision <= 18 => Ok(Checksum),
        Some(Timestamp(precision)) if *precision <= 6 => Ok(Checksum),
        Some(other) => Err(Error::unsupported(format!("checksum of {other} is not supported"))
            .hint("cast the argument to varchar, and do so on both sides that are compared")),
        None => Err(Error::internal("checksum was given no argument")),
    }
}

fn long(value: i64) -> u64 {
    xxh64(&value.to_le_bytes(), 0)
}

/// A hash of each value, as Trino's types define it.
fn hashes(values: &ArrayRef) -> Result<Vec<u64>> {
    let args = std::slice::from_ref(values);
    let each = |hash: &dyn Fn(usize) -> u64| (0..values.len()).map(hash).collect::<Vec<u64>>();
    Ok(match values.data_type() {
        DataType::Null => vec![0; values.len()],
        DataType::Boolean => {
            let truths: &BooleanArray = typed(args, 0)?;
            each(&|i| long(i64::from(truths.value(i))))
        }
        DataType::Utf8View => {
            let texts: &StringViewArray = typed(args, 0)?;
            each(&|i| if texts.is_valid(i) { xxh64(texts.value(i).as_bytes(), 0) } else { 0 })
        }
        DataType::BinaryView => {
            let bytes: &BinaryViewArray = typed(args, 0)?;
            each(&|i| if bytes.is_valid(i) { xxh64(bytes.value(i), 0) } else { 0 })
        }
        DataType::Float64 => {
            let doubles: &Float64Array = typed(args, 0)?;
            each(&|i| long(canonical(doubles.value(i)).to_bits().cast_signed()))
        }
        DataType::Float32 => {
            let reals: &Float32Array = typed(args, 0)?;
            each(&|i| {
                let value = if reals.value(i).is_nan() { f32::NAN } else { reals.value(i) + 0.0 };
                long(value.to_bits().cast_signed().into())
            })
        }
        DataType::Decimal128(..) => {
            let decimals = numbers::<Decimal128Type>(args, 0)?;
            let narrow = |v: i128| i64::try_from(v).unwrap_or_default();
            each(&|i| long(narrow(decimals.value(i))))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            let times = values.as_primitive::<TimestampMillisecondType>();
            each(&|i| long(times.value(i).wrapping_mul(1000)))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let times = values.as_primitive::<TimestampMicrosecondType>();
            each(&|i| long(times.value(i)))
        }
        DataType::Date32 => whole(&cast(values, &DataType::Int32).map_err(crate::cast::arrow_error)?)?,
        _ => whole(values)?,
    })
}

fn whole(values: &ArrayRef) -> Result<Vec<u64>> {
    let wide = [cast(values, &DataType::Int64).map_err(crate::cast::arrow_error)?];
    Ok(typed::<Int64Array>(&wide, 0)?.values().iter().map(|v| long(*v)).collect())
}

/// The number with one zero and one not-a-number, as equal values have to be hashed alike.
fn canonical(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value + 0.0 }
}

impl Fold for Checksum {
    type Group = Option<u64>;

    fn update(&mut self, args: &[ArrayRef], groups: &mut Groups<'_, Option<u64>>) -> Result<()> {
        let values = column(args, 0)?;
        let nulls = values.logical_nulls();
        let hashes = hashes(values)?;
        for row in groups.rows().iter() {
            let present = nulls.as_ref().is_none_or(|n| n.is_valid(row));
            let add = if present { hashes[row].wrapping_mul(PRIME) } else { PRIME };
            let group = groups.of(row);
            *group = Some(group.unwrap_or(0).wrapping_add(add));
        }
        Ok(())
    }

    fn state(&mut self, groups: &[Option<u64>]) -> Result<Vec<ArrayRef>> {
        let sums = groups.iter().map(|g| g.map(u64::cast_signed));
        Ok(vec![primitive::<Int64Type>(sums, &DataType::Int64)])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &mut Groups<'_, Option<u64>>) -> Result<()> {
        let sums = numbers::<Int64Type>(states, 0)?;
        for row in groups.rows().iter().filter(|r| sums.is_valid(*r)) {
            let group = groups.of(row);
            *group = Some(group.unwrap_or(0).wrapping_add(sums.value(row).cast_unsigned()));
        }
        Ok(())
    }

    fn finish(&mut self, groups: &[Option<u64>]) -> Result<ArrayRef> {
        let bytes: BinaryViewArray = groups.iter().map(|g| g.map(u64::to_le_bytes)).collect();
        Ok(Arc::new(bytes))
    }
}
