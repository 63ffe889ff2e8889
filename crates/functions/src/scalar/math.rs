//! Mathematical functions: powers, logarithms, angles, signs, bases, buckets.

use super::arithmetic::{map_floats, overflow};
use super::elements::Lists;
use crate::registry::Family;
use crate::{Call, Scalar};
use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, Decimal128Array};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use model::{Error, Result};
use std::f64::consts;
use std::fmt::Display;
use std::sync::Arc;

const SAME: &[&str] = &[
    "(tinyint) -> tinyint",
    "(smallint) -> smallint",
    "(integer) -> integer",
    "(bigint) -> bigint",
    "(decimal) -> decimal",
    "(real) -> real",
    "(double) -> double",
];
const INTEGERS: &[&str] =
    &["(tinyint) -> tinyint", "(smallint) -> smallint", "(integer) -> integer", "(bigint) -> bigint"];
const ONE: &[&str] = &["(double) -> double"];
const TWO: &[&str] = &["(double, double) -> double"];
const CONSTANT: &[&str] = &["() -> double"];
const TEST: &[&str] = &["(real) -> boolean", "(double) -> boolean"];

/// What this file offers.
pub(crate) const FAMILY: Family = Family {
    title: "Mathematical functions",
    scalars: &[
        Scalar::new("abs", SAME, abs, "Returns the absolute value."),
        Scalar::new("sign", INTEGERS, sign, "Returns -1, 0 or 1, as the number is below, at or above 0."),
        Scalar::new("sign", &["(decimal) -> decimal(1,0)"], sign, "Returns -1, 0 or 1."),
        Scalar::new("sign", &["(real) -> real", "(double) -> double"], sign, "Returns -1, 0, 1 or NaN."),
        Scalar::new("cbrt", ONE, |c| one(c, f64::cbrt), "Returns the cube root."),
        Scalar::new("sqrt", ONE, |c| one(c, f64::sqrt), "Returns the square root."),
        Scalar::new("exp", ONE, |c| one(c, f64::exp), "Returns Euler's number to this power."),
        Scalar::new("ln", ONE, |c| one(c, f64::ln), "Returns the natural logarithm."),
        Scalar::new("log2", ONE, |c| one(c, |x| x.ln() / consts::LN_2), "Returns the logarithm to base 2."),
        Scalar::new("log10", ONE, |c| one(c, f64::log10), "Returns the logarithm to base 10."),
        Scalar::new("log", TWO, |c| two(c, |b, x| x.ln() / b.ln()), "Returns the logarithm to a base."),
        Scalar::new("power", TWO, |c| two(c, power), "Returns a number to a power."),
        Scalar::new("pow", TWO, |c| two(c, power), "Returns a number to a power."),
        Scalar::new("degrees", ONE, |c| one(c, f64::to_degrees), "Turns radians into degrees."),
        Scalar::new("radians", ONE, |c| one(c, f64::to_radians), "Turns degrees into radians."),
        Scalar::new("acos", ONE, |c| one(c, f64::acos), "Returns the arc cosine."),
        Scalar::new("asin", ONE, |c| one(c, f64::asin), "Returns the arc sine."),
        Scalar::new("atan", ONE, |c| one(c, f64::atan), "Returns the arc tangent."),
        Scalar::new("atan2", TWO, |c| two(c, f64::atan2), "Returns the arc tangent of y / x."),
        Scalar::new("cos", ONE, |c| one(c, f64::cos), "Returns the cosine."),
        Scalar::new("cosh", ONE, |c| one(c, f64::cosh), "Returns the hyperbolic cosine."),
        Scalar::new("sin", ONE, |c| one(c, f64::sin), "Returns the sine."),
        Scalar::new("sinh", ONE, |c| one(c, f64::sinh), "Returns the hyperbolic sine."),
        Scalar::new("tan", ONE, |c| one(c, f64::tan), "Returns the tangent."),
        Scalar::new("tanh", ONE, |c| one(c, f64::tanh), "Returns the hyperbolic tangent."),
        Scalar::new("e", CONSTANT, |c| constant(c, consts::E), "Returns Euler's number."),
        Scalar::new("pi", CONSTANT, |c| constant(c, consts::PI), "Returns Pi."),
        Scalar::new("nan", CONSTANT, |c| constant(c, f64::NAN), "Returns not-a-number."),
        Scalar::new("infinity", CONSTANT, |c| constant(c, f64::INFINITY), "Returns positive infinity."),
        Scalar::new("is_nan", TEST, |c| test(c, f64::is_nan), "Whether a number is not-a-number."),
        Scalar::new("is_finite", TEST, |c| test(c, f64::is_finite), "Whether a number is finite."),
        Scalar::new("is_infinite", TEST, |c| test(c, f64::is_infinite), "Whether a number is infinite."),
        Scalar::new(
            "width_bucket",
            &["(double, double, double, bigint) -> bigint"],
            bucket_of_range,
            "Returns the number of the bucket in which a number falls, of equal ones between two bounds.",
        ),
        Scalar::new(
            "width_bucket",
            &["(double, array(double)) -> bigint"],
            bucket_of_bins,
            "Returns the number of the bucket in which a number falls, given the bounds in order.",
        ),
        Scalar::new(
            "to_base",
            &["(bigint, bigint) -> varchar(64)"],
            to_base,
            "Writes a number in another base.",
        ),
        Scalar::new(
            "from_base",
            &["(varchar, bigint) -> bigint"],
            from_base,
            "Reads a number in another base.",
        ),
    ],
    aggregates: &[],
};

/// Applies a function to a `double` argument, whole columns at a time.
fn one(call: &Call<'_>, f: fn(f64) -> f64) -> Result<ArrayRef> {
    map_floats(&call.column(0)?, f)
}

fn two(call: &Call<'_>, f: fn(f64, f64) -> f64) -> Result<ArrayRef> {
    let (a, b) = (call.doubles(0)?, call.doubles(1)?);
    call.build::<Float64Type>(|row| Ok(a.get(row).zip(b.get(row)).map(|(a, b)| f(a, b))))
}

fn constant(call: &Call<'_>, value: f64) -> Result<ArrayRef> {
    call.build::<Float64Type>(|_| Ok(Some(value)))
}

fn test(call: &Call<'_>, f: fn(f64) -> bool) -> Result<ArrayRef> {
    let column =
        arrow::compute::cast(&call.column(0)?, &DataType::Float64).map_err(crate::cast::arrow_error)?;
    let values = column.as_primitive::<Float64Type>();
    call.build_booleans(|row| Ok(Some(f(values.value(row)))))
}

/// As Java has it: NaN as exponent gives NaN, and so do 1 and -1 to an infinite power.
fn power(x: f64, p: f64) -> f64 {
    if p.is_nan() || (p.is_infinite() && x.abs() == 1.0) { f64::NAN } else { x.powf(p) }
}

fn abs(call: &Call<'_>) -> Result<ArrayRef> {
    match call.return_type.to_arrow() {
        DataType::Int8 => abs_integer::<Int8Type>(call),
        DataType::Int16 => abs_integer::<Int16Type>(call),
        DataType::Int32 => abs_integer::<Int32Type>(call),
        DataType::Int64 => abs_integer::<Int64Type>(call),
        DataType::Decimal128(..) => {
            let column = call.column(0)?;
            let values =
                column.as_primitive::<Decimal128Type>().unary::<_, Decimal128Type>(i128::wrapping_abs);
            Ok(Arc::new(values.with_data_type(call.return_type.to_arrow())))
        }
        _ => one(call, f64::abs),
    }
}

fn abs_integer<T: ArrowPrimitiveType>(call: &Call<'_>) -> Result<ArrayRef>
where
    T::Native: ArrowNativeTypeOp + Display,
{
    let column = call.column(0)?;
    let values = column.as_primitive_opt::<T>().ok_or_else(|| Error::internal("abs takes a number"))?;
    let zero = T::Native::ZERO;
    let answer = values.try_unary::<_, T, Error>(|x| {
        if x.is_ge(zero) {
            return Ok(x);
        }
        x.neg_checked()
            .map_err(|_| overflow(format!("value {x} is out of range for abs({})", call.return_type)))
    })?;
    Ok(Arc::new(answer))
}

fn sign(call: &Call<'_>) -> Result<ArrayRef> {
    let column = call.column(0)?;
    let signs: ArrayRef = match column.data_type() {
        DataType::Int8 => Arc::new(column.as_primitive::<Int8Type>().unary::<_, Int8Type>(i8::signum)),
        DataType::Int16 => Arc::new(column.as_primitive::<Int16Type>().unary::<_, Int16Type>(i16::signum)),
        DataType::Int32 => Arc::new(column.as_primitive::<Int32Type>().unary::<_, Int32Type>(i32::signum)),
        DataType::Int64 => Arc::new(column.as_primitive::<Int64Type>().unary::<_, Int64Type>(i64::signum)),
        DataType::Decimal128(..) => {
            let values = column.as_primitive::<Decimal128Type>();
            let signs: Decimal128Array = values.unary(i128::signum);
            Arc::new(signs.with_data_type(call.return_type.to_arrow()))
        }
        // Rust's signum of 0 is 1; here it is 0, and that of -0 is -0.
        _ => map_floats(&column, |x| if x == 0.0 || x.is_nan() { x } else { x.signum() })?,
    };
    Ok(signs)
}

fn bucket_of_range(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, lows, highs, counts) =
        (call.doubles(0)?, call.doubles(1)?, call.doubles(2)?, call.bigints(3)?);
    call.build::<Int64Type>(|row| {
        let (Some(value), Some(low), Some(high)) = (values.get(row), lows.get(row), highs.get(row)) else {
            return Ok(None);
        };
        let Some(count) = counts.get(row) else { return Ok(None) };
        range_bucket(value, low, high, count).map(Some)
    })
}

fn range_bucket(value: f64, first: f64, second: f64, count: i64) -> Result<i64> {
    let refuse = |why: &str| Err(Error::invalid(format!("width_bucket: {why}")));
    if count <= 0 {
        return refuse("bucketCount must be greater than 0");
    }
    if value.is_nan() {
        return refuse("operand must not be NaN");
    }
    if !first.is_finite() {
        return refuse("first bound must be finite");
    }
    if !second.is_finite() {
        return refuse("second bound must be finite");
    }
    if first == second {
        return refuse("bounds cannot equal each other");
    }
    let (low, high) = (first.min(second), first.max(second));
    let beyond =
        || count.checked_add(1).ok_or_else(|| Error::invalid("width_bucket: the bucket is out of range"));
    // Buckets are counted from the first bound on, so downwards if it is the greater one.
    let rising = first < second;
    if value < low {
        return if rising { Ok(0) } else { beyond() };
    }
    if value >= high {
        return if rising { beyond() } else { Ok(0) };
    }
    let bucket = (count as f64 * (value - low) / (high - low)) as i64;
    Ok(if rising { bucket + 1 } else { count - bucket })
}

fn bucket_of_bins(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, bins) = (call.doubles(0)?, Lists::of(call, 1)?);
    let bounds = arrow::compute::cast(&bins.values, &DataType::Float64).map_err(crate::cast::arrow_error)?;
    let bounds = bounds.as_primitive::<Float64Type>();
    call.build::<Int64Type>(|row| {
        let (Some(value), Some(range)) = (values.get(row), bins.range(row)) else { return Ok(None) };
        if range.is_empty() {
            return Err(Error::invalid("width_bucket: bins cannot be an empty array"));
        }
        if value.is_nan() {
            return Err(Error::invalid("width_bucket: operand cannot be NaN"));
        }
        let bin = |at: usize| match bounds.is_valid(at).then(|| bounds.value(at)) {
            Some(bin) if bin.is_finite() => Ok(bin),
            Some(bin) => Err(Error::invalid(format!("width_bucket: bin value must be finite, got {bin}"))),
            None => Err(Error::invalid("width_bucket: bin values cannot be NULL")),
        };
        let (start, mut low, mut high) = (range.start, range.start, range.end);
        while low < high {
            let (left, right) = (bin(low)?, bin(high - 1)?);
            if left > right {
                return Err(Error::invalid("width_bucket: bin values are not sorted in ascending order"));
            }
            let middle = low + (high - low) / 2;
            if value < bin(middle)? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(Some((low - start) as i64))
    })
}

fn radix(value: i64) -> Result<u32> {
    match u32::try_from(value) {
        Ok(radix @ 2..=36) => Ok(radix),
        _ => Err(Error::invalid(format!("radix must be between 2 and 36, found {value}"))),
    }
}

fn to_base(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, bases) = (call.bigints(0)?, call.bigints(1)?);
    call.build_strings(|row, out| {
        let (Some(value), Some(base)) = (values.get(row), bases.get(row)) else { return Ok(false) };
        let base = radix(base)?;
        let mut rest = value.unsigned_abs();
        let mut digits = Vec::new();
        loop {
            let digit = (rest % u64::from(base)) as u32;
            digits.push(char::from_digit(digit, base).unwrap_or('?'));
            rest /= u64::from(base);
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            out.push('-');
        }
        out.extend(digits.iter().rev());
        Ok(true)
    })
}

fn from_base(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, bases) = (call.strings(0)?, call.bigints(1)?);
    call.build::<Int64Type>(|row| {
        let (Some(text), Some(base)) = (texts.get(row), bases.get(row)) else { return Ok(None) };
        let base = radix(base)?;
        match i64::from_str_radix(text, base) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Error::invalid(format!("not a valid base-{base} number: {text}"))),
        }
    })
}
