//! Exact arithmetic on `decimal`, with Trino's rules for the precision and scale of the answer.
//!
//! Where the answer's type is wide enough for every pair of operands, columns are computed without a check per row;
//! otherwise each answer has to fit into 38 digits. Quotients are rounded half up.

use super::arithmetic::{Op, division_by_zero, overflow};
use crate::registry::Family;
use crate::{Call, Scalar, Session};
use arrow::array::{Array, ArrayRef, Decimal128Array};
use arrow::compute::binary as zip_columns;
use arrow::datatypes::{Decimal128Type, DecimalType, i256};
use model::{Error, Result};
use sql::SqlType;
use std::sync::Arc;

/// The most digits a decimal has.
const MAX_DIGITS: u8 = 38;

/// 10^38: the first number that no decimal holds.
const LIMIT: i128 = 10i128.pow(38);

const BINARY: &[&str] = &["(decimal, decimal) -> decimal"];

/// What this file offers.
pub(crate) const FAMILY: Family = Family {
    title: "Decimal operators",
    scalars: &[
        Scalar::new("$add", BINARY, |call| binary(call, Op::Add), "Adds decimals.")
            .returns(|t, _| result_type(Op::Add, t)),
        Scalar::new("$subtract", BINARY, |call| binary(call, Op::Subtract), "Subtracts decimals.")
            .returns(|t, _| result_type(Op::Subtract, t)),
        Scalar::new("$multiply", BINARY, |call| binary(call, Op::Multiply), "Multiplies decimals.")
            .returns(|t, _| result_type(Op::Multiply, t)),
        Scalar::new(
            "$divide",
            BINARY,
            |call| binary(call, Op::Divide),
            "Divides decimals, rounding half up.",
        )
        .returns(|t, _| result_type(Op::Divide, t)),
        Scalar::new(
            "$modulus",
            BINARY,
            |call| binary(call, Op::Modulus),
            "Returns the remainder of decimals.",
        )
        .returns(|t, _| result_type(Op::Modulus, t)),
        Scalar::new("mod", BINARY, |call| binary(call, Op::Modulus), "Returns the remainder of decimals.")
            .returns(|t, _| result_type(Op::Modulus, t)),
        Scalar::new("$negate", &["(decimal) -> decimal"], negate, "Changes the sign of a decimal.")
            .returns(same_type),
    ],
    aggregates: &[],
};

/// The precision and scale of a decimal type.
pub(crate) fn parameters(sql_type: Option<&SqlType>) -> Result<(u8, u8)> {
    match sql_type {
        Some(SqlType::Decimal(p, s)) => Ok((*p, *s)),
        other => Err(Error::internal(format!("a decimal was expected, found {other:?}"))),
    }
}

fn same_type(types: &[SqlType], _: &Session) -> Result<SqlType> {
    let (p, s) = parameters(types.first())?;
    Ok(SqlType::Decimal(p, s))
}

fn result_type(op: Op, types: &[SqlType]) -> Result<SqlType> {
    let ((p1, s1), (p2, s2)) = (parameters(types.first())?, parameters(types.get(1))?);
    let scale = s1.max(s2);
    let whole = (p1 - s1).max(p2 - s2);
    let (precision, scale) = match op {
        Op::Add | Op::Subtract => (whole + scale + 1, scale),
        Op::Multiply => (p1 + p2, s1 + s2),
        Op::Divide => (p1 + s2 + s2.saturating_sub(s1), scale),
        Op::Modulus => ((p1 - s1).min(p2 - s2) + scale, scale),
    };
    if scale > MAX_DIGITS {
        return Err(Error::invalid(format!("the product of two decimals would have {scale} decimal places"))
            .why("a decimal has at most 38")
            .hint("cast the operands to decimals with fewer decimal places, or to double"));
    }
    Ok(SqlType::Decimal(precision.clamp(1, MAX_DIGITS), scale))
}

/// 10 to this power; nothing beyond what 128 bits hold.
pub(crate) fn power_of_ten(exponent: u8) -> Option<i128> {
    10i128.checked_pow(u32::from(exponent))
}

fn in_range(value: i128) -> Option<i128> {
    (-LIMIT < value && value < LIMIT).then_some(value)
}

fn binary(call: &Call<'_>, op: Op) -> Result<ArrayRef> {
    let ((p1, s1), (p2, s2)) = (parameters(call.arg_types.first())?, parameters(call.arg_types.get(1))?);
    let (precision, scale) = parameters(Some(call.return_type))?;
    let factors = power_of_ten(scale.saturating_sub(s1)).zip(power_of_ten(scale.saturating_sub(s2)));
    let (m1, m2) = factors.ok_or_else(|| Error::internal("a decimal has more than 38 places"))?;
    let fault = |a: i128, b: i128| {
        let (a, b) = (
            Decimal128Type::format_decimal(a, p1, s1 as i8),
            Decimal128Type::format_decimal(b, p2, s2 as i8),
        );
        overflow(format!("decimal overflow: {a} {} {b}", op.sign()))
    };
    match op {
        Op::Add if precision < MAX_DIGITS => {
            unchecked(call, |a, b| a.wrapping_mul(m1).wrapping_add(b.wrapping_mul(m2)))
        }
        Op::Subtract if precision < MAX_DIGITS => {
            unchecked(call, |a, b| a.wrapping_mul(m1).wrapping_sub(b.wrapping_mul(m2)))
        }
        Op::Multiply if p1 + p2 <= MAX_DIGITS => unchecked(call, i128::wrapping_mul),
        Op::Add | Op::Subtract => checked(call, |a, b| {
            let (x, y) = (a.checked_mul(m1), b.checked_mul(m2));
            let sum =
                x.zip(y).and_then(|(x, y)| if op == Op::Add { x.checked_add(y) } else { x.checked_sub(y) });
            sum.and_then(in_range).ok_or_else(|| fault(a, b))
        }),
        Op::Multiply => checked(call, |a, b| match (i64::try_from(a), i64::try_from(b)) {
            // No product of these has more than 38 digits.
            (Ok(a), Ok(b)) => Ok(i128::from(a) * i128::from(b)),
            _ => a.checked_mul(b).and_then(in_range).ok_or_else(|| fault(a, b)),
        }),
        Op::Divide => {
            let shift = scale - s1 + s2;
            let factor = power_of_ten(shift);
            checked(call, |a, b| match factor.and_then(|f| a.checked_mul(f)) {
                _ if b == 0 => Err(division_by_zero()),
                Some(n) => in_range(divide_half_up(n, b)).ok_or_else(|| fault(a, b)),
                None => divide_wide(a, b, shift).and_then(in_range).ok_or_else(|| fault(a, b)),
            })
        }
        Op::Modulus => checked(call, |a, b| match (a.checked_mul(m1), b.checked_mul(m2)) {
            _ if b == 0 => Err(division_by_zero()),
            (Some(x), Some(y)) => Ok(x.wrapping_rem(y)),
            _ => wide_remainder(a, m1, b, m2).and_then(in_range).ok_or_else(|| fault(a, b)),
        }),
    }
}

/// The quotient, rounded half away from zero. The divisor is not zero.
pub(crate) fn divide_half_up(n: i128, d: i128) -> i128 {
    let (quotient, rest) = (n.wrapping_div(d), n.wrapping_rem(d));
    let up = rest.unsigned_abs() >= d.unsigned_abs() - rest.unsigned_abs();
    match (rest != 0 && up, (n < 0) == (d < 0)) {
        (false, _) => quotient,
        (true, true) => quotient + 1,
        (true, false) => quotient - 1,
    }
}

/// `a * 10^shift / b` where the product needs more than 128 bits.
fn divide_wide(a: i128, b: i128, shift: u8) -> Option<i128> {
    let factor = i256::from_i128(10).checked_pow(u32::from(shift))?;
    let (n, d) = (i256::from_i128(a).checked_mul(factor)?, i256::from_i128(b));
    let (quotient, rest) = (n.checked_div(d)?, n.checked_rem(d)?);
    let twice = rest.wrapping_abs().checked_mul(i256::from_i128(2))?;
    let step = match (twice >= d.wrapping_abs(), (a < 0) == (b < 0)) {
        (false, _) => 0,
        (true, true) => 1,
        (true, false) => -1,
    };
    quotient.checked_add(i256::from_i128(step))?.to_i128()
}

fn wide_remainder(a: i128, m1: i128, b: i128, m2: i128) -> Option<i128> {
    let x = i256::from_i128(a).checked_mul(i256::from_i128(m1))?;
    let y = i256::from_i128(b).checked_mul(i256::from_i128(m2))?;
    x.checked_rem(y)?.to_i128()
}

/// Computes every pair, also under NULL: for operations that cannot fail.
fn unchecked(call: &Call<'_>, f: impl Fn(i128, i128) -> i128) -> Result<ArrayRef> {
    let (left, right) = (call.values::<Decimal128Array>(0)?, call.values::<Decimal128Array>(1)?);
    let answer: Decimal128Array = match (left.constant, right.constant) {
        (false, false) => zip_columns(&left.array, &right.array, f).map_err(crate::cast::arrow_error)?,
        (true, false) if left.array.is_valid(0) => {
            let a = left.array.value(0);
            right.array.unary(|b| f(a, b))
        }
        (false, true) if right.array.is_valid(0) => {
            let b = right.array.value(0);
            left.array.unary(|a| f(a, b))
        }
        (true, true) => return checked(call, |a, b| Ok(f(a, b))),
        _ => return Ok(call.nulls()),
    };
    Ok(Arc::new(answer.with_data_type(call.return_type.to_arrow())))
}

fn checked(call: &Call<'_>, f: impl Fn(i128, i128) -> Result<i128>) -> Result<ArrayRef> {
    let (left, right) = (call.values::<Decimal128Array>(0)?, call.values::<Decimal128Array>(1)?);
    call.build::<Decimal128Type>(|row| match (left.get(row), right.get(row)) {
        (Some(a), Some(b)) => f(a, b).map(Some),
        _ => Ok(None),
    })
}

fn negate(call: &Call<'_>) -> Result<ArrayRef> {
    let column = call.column(0)?;
    arrow::compute::kernels::numeric::neg(&column).map_err(crate::cast::arrow_error)
}
