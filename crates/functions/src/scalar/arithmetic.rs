//! `+ - * / %` and unary minus on integers and floating-point numbers.
//!
//! Whole columns are computed by Arrow's checked kernels. Only if one of them stops is the batch gone through row by
//! row, to find the numbers that the error names.

use crate::registry::Family;
use crate::{Call, Scalar};
use arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, Datum, PrimitiveArray, Scalar as One,
};
use arrow::compute::kernels::numeric;
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow::error::ArrowError;
use model::{Error, Result};
use std::fmt::Display;

const BINARY: &[&str] = &[
    "(tinyint, tinyint) -> tinyint",
    "(smallint, smallint) -> smallint",
    "(integer, integer) -> integer",
    "(bigint, bigint) -> bigint",
    "(real, real) -> real",
    "(double, double) -> double",
];

const UNARY: &[&str] = &[
    "(tinyint) -> tinyint",
    "(smallint) -> smallint",
    "(integer) -> integer",
    "(bigint) -> bigint",
    "(real) -> real",
    "(double) -> double",
];

/// What this file offers.
pub(crate) const FAMILY: Family = Family {
    title: "Mathematical operators",
    scalars: &[
        Scalar::new("$add", BINARY, |call| binary(call, Op::Add), "Adds."),
        Scalar::new("$subtract", BINARY, |call| binary(call, Op::Subtract), "Subtracts."),
        Scalar::new("$multiply", BINARY, |call| binary(call, Op::Multiply), "Multiplies."),
        Scalar::new("$divide", BINARY, |call| binary(call, Op::Divide), "Divides; integers are truncated."),
        Scalar::new("$modulus", BINARY, |call| binary(call, Op::Modulus), "Returns the remainder."),
        Scalar::new("$negate", UNARY, negate, "Changes the sign."),
        Scalar::new("mod", BINARY, |call| binary(call, Op::Modulus), "Returns the remainder of a division."),
    ],
    aggregates: &[],
};

/// An operation with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulus,
}

impl Op {
    fn noun(self) -> &'static str {
        match self {
            Op::Add => "addition",
            Op::Subtract => "subtraction",
            Op::Multiply => "multiplication",
            Op::Divide => "division",
            Op::Modulus => "modulus",
        }
    }

    /// The operator as it is written.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Op::Add => "+",
            Op::Subtract => "-",
            Op::Multiply => "*",
            Op::Divide => "/",
            Op::Modulus => "%",
        }
    }

    fn kernel(self) -> fn(&dyn Datum, &dyn Datum) -> std::result::Result<ArrayRef, ArrowError> {
        match self {
            Op::Add => numeric::add,
            Op::Subtract => numeric::sub,
            Op::Multiply => numeric::mul,
            Op::Divide => numeric::div,
            Op::Modulus => numeric::rem,
        }
    }
}

/// The error of every division by zero.
pub(crate) fn division_by_zero() -> Error {
    Error::invalid("division by zero").hint("NULLIF(divisor, 0) or TRY(…) make the answer NULL instead")
}

fn binary(call: &Call<'_>, op: Op) -> Result<ArrayRef> {
    let ((left, left_one), (right, right_one)) = (call.arg(0)?, call.arg(1)?);
    let answer = match (left_one, right_one) {
        (false, false) => op.kernel()(left, right),
        (true, false) => op.kernel()(&One::new(left.clone()), right),
        (false, true) => op.kernel()(left, &One::new(right.clone())),
        (true, true) => op.kernel()(&call.column(0)?, &call.column(1)?),
    };
    answer.map_err(|error| explain(call, op, error))
}

/// The error of a batch, with the numbers that caused it.
fn explain(call: &Call<'_>, op: Op, error: ArrowError) -> Error {
    let found = match call.return_type.to_arrow() {
        DataType::Int8 => find_fault::<Int8Type>(call, op),
        DataType::Int16 => find_fault::<Int16Type>(call, op),
        DataType::Int32 => find_fault::<Int32Type>(call, op),
        DataType::Int64 => find_fault::<Int64Type>(call, op),
        _ => Ok(None),
    };
    match found {
        Ok(Some(fault)) => fault,
        Ok(None) => crate::cast::arrow_error(error),
        Err(other) => other,
    }
}

fn find_fault<T: ArrowPrimitiveType>(call: &Call<'_>, op: Op) -> Result<Option<Error>>
where
    T::Native: ArrowNativeTypeOp + Display,
{
    let (left, right) = (call.values::<PrimitiveArray<T>>(0)?, call.values::<PrimitiveArray<T>>(1)?);
    for row in 0..call.rows {
        let (Some(a), Some(b)) = (left.get(row), right.get(row)) else { continue };
        let fine = match op {
            Op::Add => a.add_checked(b).is_ok(),
            Op::Subtract => a.sub_checked(b).is_ok(),
            Op::Multiply => a.mul_checked(b).is_ok(),
            Op::Divide | Op::Modulus if b.is_zero() => return Ok(Some(division_by_zero())),
            Op::Divide => a.div_checked(b).is_ok(),
            Op::Modulus => true,
        };
        if !fine {
            let message = format!("{} {} overflow: {a} {} {b}", call.return_type, op.noun(), op.sign());
            return Ok(Some(overflow(message)));
        }
    }
    Ok(None)
}

/// An overflow, with what helps.
pub(crate) fn overflow(message: String) -> Error {
    Error::invalid(message).hint("cast an operand to a wider type, for example to decimal or double")
}

fn negate(call: &Call<'_>) -> Result<ArrayRef> {
    let column = call.column(0)?;
    numeric::neg(&column).map_err(|_| {
        let smallest = match column.data_type() {
            DataType::Int8 => i64::from(i8::MIN),
            DataType::Int16 => i64::from(i16::MIN),
            DataType::Int32 => i64::from(i32::MIN),
            _ => i64::MIN,
        };
        overflow(format!("{} negation overflow: {smallest}", call.return_type))
    })
}

/// Applies a function to every number of a `real` or `double` argument.
pub(crate) fn map_floats(column: &ArrayRef, f: impl Fn(f64) -> f64) -> Result<ArrayRef> {
    match column.data_type() {
        DataType::Float64 => {
            Ok(std::sync::Arc::new(column.as_primitive::<Float64Type>().unary::<_, Float64Type>(f)))
        }
        DataType::Float32 => {
            let narrow = |x: f32| f(f64::from(x)) as f32;
            Ok(std::sync::Arc::new(column.as_primitive::<Float32Type>().unary::<_, Float32Type>(narrow)))
        }
        other => Err(Error::internal(format!("a floating-point number was expected, found {other}"))),
    }
}
