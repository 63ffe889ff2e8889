//! Bitwise functions: two's complement, `bigint` except for the shifts, which keep their argument's type.

use super::Scalar;
use crate::{Call, Family};
use arrow::array::ArrayRef;
use arrow::datatypes::{ArrowPrimitiveType, Int8Type, Int16Type, Int32Type, Int64Type};
use model::{Error, Result};
use sql::SqlType;

/// The bitwise functions.
pub const FAMILY: Family = Family { title: "Bitwise functions", scalars: SCALARS, aggregates: &[] };

const PAIR: &[&str] = &["(bigint, bigint) -> bigint"];
const SHIFT: &[&str] = &[
    "(tinyint, integer) -> tinyint",
    "(smallint, integer) -> smallint",
    "(integer, integer) -> integer",
    "(bigint, integer) -> bigint",
];

const SCALARS: &[Scalar] = &[
    Scalar::new("bit_count", PAIR, bit_count, "How many bits are set in a number of so many bits."),
    Scalar::new("bitwise_and", PAIR, |c| pairs(c, |a, b| a & b), "Bits set in both."),
    Scalar::new("bitwise_not", &["(bigint) -> bigint"], not, "All bits turned over."),
    Scalar::new("bitwise_or", PAIR, |c| pairs(c, |a, b| a | b), "Bits set in one or both."),
    Scalar::new("bitwise_xor", PAIR, |c| pairs(c, |a, b| a ^ b), "Bits set in exactly one."),
    Scalar::new("bitwise_left_shift", SHIFT, |c| shift(c, left), "Bits moved to the left."),
    Scalar::new(
        "bitwise_right_shift",
        SHIFT,
        |c| shift(c, right),
        "Bits moved to the right, zeros moved in.",
    ),
    Scalar::new(
        "bitwise_right_shift_arithmetic",
        SHIFT,
        |c| shift(c, right_arithmetic),
        "Bits moved to the right, the sign moved in.",
    ),
];

fn pairs(call: &Call<'_>, combine: fn(i64, i64) -> i64) -> Result<ArrayRef> {
    let (a, b) = (call.bigints(0)?, call.bigints(1)?);
    call.build::<Int64Type>(|row| Ok(a.get(row).zip(b.get(row)).map(|(a, b)| combine(a, b))))
}

fn not(call: &Call<'_>) -> Result<ArrayRef> {
    let number = call.bigints(0)?;
    call.build::<Int64Type>(|row| Ok(number.get(row).map(|n| !n)))
}

fn bit_count(call: &Call<'_>) -> Result<ArrayRef> {
    let (number, bits) = (call.bigints(0)?, call.bigints(1)?);
    call.build::<Int64Type>(|row| {
        let (Some(number), Some(bits)) = (number.get(row), bits.get(row)) else { return Ok(None) };
        if bits == 64 {
            return Ok(Some(i64::from(number.count_ones())));
        }
        if !(2..64).contains(&bits) {
            return Err(Error::invalid(format!("bit_count counts in 2 to 64 bits, found {bits}")));
        }
        let largest = (1i64 << (bits - 1)) - 1;
        if number > largest || number < !largest {
            return Err(Error::invalid(format!("{number} does not fit in {bits} bits"))
                .why(format!("{bits} bits hold {} to {largest}", !largest)));
        }
        let mask = (1u64 << bits) - 1;
        Ok(Some(i64::from((number as u64 & mask).count_ones())))
    })
}

/// Shifts a number of `bits` bits, given with its sign extended.
type Shift = fn(value: i64, by: u32, bits: u32) -> i64;

fn left(value: i64, by: u32, _: u32) -> i64 {
    value.checked_shl(by).unwrap_or(0)
}

fn right(value: i64, by: u32, bits: u32) -> i64 {
    if by == 0 {
        return value;
    }
    let mask = u64::MAX >> (64 - bits);
    (value as u64 & mask).checked_shr(by).unwrap_or(0) as i64
}

fn right_arithmetic(value: i64, by: u32, _: u32) -> i64 {
    value >> by.min(63)
}

fn shift(call: &Call<'_>, shift: Shift) -> Result<ArrayRef> {
    match call.arg_types.first() {
        Some(SqlType::TinyInt) => shift_as::<Int8Type>(call, shift, |v| v as i8),
        Some(SqlType::SmallInt) => shift_as::<Int16Type>(call, shift, |v| v as i16),
        Some(SqlType::Integer) => shift_as::<Int32Type>(call, shift, |v| v as i32),
        _ => shift_as::<Int64Type>(call, shift, |v| v),
    }
}

fn shift_as<T: ArrowPrimitiveType>(
    call: &Call<'_>,
    shift: Shift,
    narrow: fn(i64) -> T::Native,
) -> Result<ArrayRef>
where
    T::Native: Into<i64>,
{
    let value = call.values::<arrow::array::PrimitiveArray<T>>(0)?;
    let by = call.values::<arrow::array::Int32Array>(1)?;
    let bits = u32::try_from(size_of::<T::Native>() * 8).unwrap_or(64);
    call.build::<T>(|row| {
        let (Some(value), Some(by)) = (value.get(row), by.get(row)) else { return Ok(None) };
        // Java takes a negative shift by its lowest six bits.
        let by = if by >= 64 { 64 } else { by as u32 & 63 };
        Ok(Some(narrow(shift(value.into(), by, bits))))
    })
}
