//! Integers, floats and booleans among each other.

use super::Cast;
use arrow::array::{ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray};
use arrow::datatypes::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use model::Result;
use sql::SqlType;
use std::sync::Arc;

/// Turns numbers and booleans into numbers and booleans.
pub(super) fn cast(cast: &Cast<'_>) -> Result<ArrayRef> {
    match cast.from {
        SqlType::Boolean => from_boolean(cast),
        SqlType::TinyInt => from_integer::<Int8Type>(cast),
        SqlType::SmallInt => from_integer::<Int16Type>(cast),
        SqlType::Integer => from_integer::<Int32Type>(cast),
        SqlType::BigInt => from_integer::<Int64Type>(cast),
        SqlType::Real => from_float::<Float32Type>(cast),
        SqlType::Double => from_float::<Float64Type>(cast),
        _ => Err(cast.wrong_array()),
    }
}

fn from_boolean(cast: &Cast<'_>) -> Result<ArrayRef> {
    let truths = cast.array.as_boolean_opt().ok_or_else(|| cast.wrong_array())?;
    fn numbers<T: ArrowPrimitiveType>(truths: &BooleanArray, one: T::Native) -> ArrayRef {
        let values = truths.iter().map(|t| t.map(|t| if t { one } else { T::default_value() }));
        Arc::new(values.collect::<PrimitiveArray<T>>())
    }
    Ok(match cast.to {
        SqlType::TinyInt => numbers::<Int8Type>(truths, 1),
        SqlType::SmallInt => numbers::<Int16Type>(truths, 1),
        SqlType::Integer => numbers::<Int32Type>(truths, 1),
        SqlType::BigInt => numbers::<Int64Type>(truths, 1),
        SqlType::Real => numbers::<Float32Type>(truths, 1.0),
        SqlType::Double => numbers::<Float64Type>(truths, 1.0),
        _ => return Err(cast.wrong_array()),
    })
}

fn from_integer<F: ArrowPrimitiveType>(cast: &Cast<'_>) -> Result<ArrayRef>
where
    i64: From<F::Native>,
{
    let numbers = cast.array.as_primitive_opt::<F>().ok_or_else(|| cast.wrong_array())?;
    fn narrow<F: ArrowPrimitiveType, T: ArrowPrimitiveType>(numbers: &PrimitiveArray<F>) -> ArrayRef
    where
        i64: From<F::Native>,
        T::Native: TryFrom<i64>,
    {
        Arc::new(numbers.unary_opt::<_, T>(|v| i64::from(v).try_into().ok()))
    }
    Ok(match cast.to {
        SqlType::Boolean => {
            let truths = numbers.iter().map(|v| v.map(|v| i64::from(v) != 0));
            Arc::new(truths.collect::<BooleanArray>())
        }
        SqlType::TinyInt => narrow::<F, Int8Type>(numbers),
        SqlType::SmallInt => narrow::<F, Int16Type>(numbers),
        SqlType::Integer => narrow::<F, Int32Type>(numbers),
        _ => return Err(cast.wrong_array()),
    })
}

fn from_float<F: ArrowPrimitiveType>(cast: &Cast<'_>) -> Result<ArrayRef>
where
    f64: From<F::Native>,
{
    let numbers = cast.array.as_primitive_opt::<F>().ok_or_else(|| cast.wrong_array())?;
    fn round<F: ArrowPrimitiveType, T: ArrowPrimitiveType>(numbers: &PrimitiveArray<F>, bits: i32) -> ArrayRef
    where
        f64: From<F::Native>,
        T::Native: TryFrom<i64>,
    {
        Arc::new(numbers.unary_opt::<_, T>(|v| round_to_bits(f64::from(v), bits)?.try_into().ok()))
    }
    Ok(match cast.to {
        SqlType::Boolean => {
            let truths = numbers.iter().map(|v| v.map(|v| f64::from(v) != 0.0));
            Arc::new(truths.collect::<BooleanArray>())
        }
        SqlType::TinyInt => round::<F, Int8Type>(numbers, 7),
        SqlType::SmallInt => round::<F, Int16Type>(numbers, 15),
        SqlType::Integer => round::<F, Int32Type>(numbers, 31),
        SqlType::BigInt => round::<F, Int64Type>(numbers, 63),
        SqlType::Real => {
            #[expect(clippy::cast_possible_truncation, reason = "the nearest real is meant")]
            let reals = numbers.unary::<_, Float32Type>(|v| f64::from(v) as f32);
            Arc::new(reals)
        }
        _ => return Err(cast.wrong_array()),
    })
}

/// The nearest integer, halves away from zero, if it fits that many bits beside the sign.
fn round_to_bits(value: f64, bits: i32) -> Option<i64> {
    let rounded = value.round();
    let limit = 2f64.powi(bits);
    #[expect(clippy::cast_possible_truncation, reason = "it was just checked to fit")]
    (rounded >= -limit && rounded < limit).then_some(rounded as i64)
}
