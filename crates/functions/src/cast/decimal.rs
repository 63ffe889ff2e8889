//! Decimals: rounding halves away from zero, refusing what does not fit.

use super::Cast;
use arrow::array::{
    ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Decimal128Array, Float64Array, PrimitiveArray,
};
use arrow::datatypes::{Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use model::Result;
use sql::SqlType;
use std::sync::Arc;

/// 10 to this power; nothing beyond 38.
pub(crate) fn power_of_ten(exponent: u32) -> Option<i128> {
    10i128.checked_pow(exponent)
}

/// Why a text is no decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoDecimal {
    NotANumber,
    TooLarge,
}

/// A number's text in parts.
struct Parts<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

fn parts(text: &str) -> Option<Parts<'_>> {
    let text = text.trim().as_bytes();
    let (negative, rest) = match text.first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (mantissa, exponent) = match rest.iter().position(|b| matches!(b, b'e' | b'E')) {
        Some(at) => {
            let exponent = std::str::from_utf8(rest.get(at + 1..)?).ok()?;
            (rest.get(..at)?, exponent.parse::<i32>().ok()?)
        }
        None => (rest, 0),
    };
    let (whole, fraction) = match mantissa.iter().position(|b| *b == b'.') {
        Some(at) => (mantissa.get(..at)?, mantissa.get(at + 1..)?),
        None => (mantissa, &[][..]),
    };
    let all_digits = whole.iter().chain(fraction).all(u8::is_ascii_digit);
    (all_digits && !mantissa.is_empty() && whole.len() + fraction.len() > 0).then_some(Parts {
        negative,
        whole,
        fraction,
        exponent: exponent.into(),
    })
}

/// Whether the text is a number, of whatever size.
pub(crate) fn is_number(text: &str) -> bool {
    parts(text).is_some()
}

/// Reads a number as a decimal, rounding what is behind its scale.
pub(crate) fn parse_decimal(text: &str, precision: u8, scale: u8) -> Result<i128, NoDecimal> {
    let parts = parts(text).ok_or(NoDecimal::NotANumber)?;
    let fraction = i64::try_from(parts.fraction.len()).unwrap_or(i64::MAX);
    // So many digits, counted from the first, are kept; fewer than none means zero.
    let shift = parts.exponent + i64::from(scale) - fraction;
    let mut digits = parts.whole.iter().chain(parts.fraction).skip_while(|d| **d == b'0').peekable();
    if digits.peek().is_none() {
        return Ok(0);
    }
    let significant = i64::try_from(digits.clone().count()).unwrap_or(i64::MAX);
    let keep = significant.saturating_add(shift);
    if keep > 38 {
        return Err(NoDecimal::TooLarge);
    }
    let mut value = 0i128;
    for _ in 0..keep {
        value = value * 10 + i128::from(digits.next().map_or(0, |d| d - b'0'));
    }
    if keep >= 0 && digits.next().is_some_and(|d| *d >= b'5') {
        value += 1;
    }
    let value = if parts.negative { -value } else { value };
    fits(value, precision).ok_or(NoDecimal::TooLarge)
}

/// The value, if it has no more digits than this.
pub(crate) fn fits(value: i128, precision: u8) -> Option<i128> {
    let limit = power_of_ten(u32::from(precision))?;
    (value > -limit && value < limit).then_some(value)
}

/// The value with another number of digits behind the point, rounded.
pub(crate) fn rescale(value: i128, from: u8, to: u8) -> Option<i128> {
    if to >= from {
        return value.checked_mul(power_of_ten(u32::from(to - from))?);
    }
    let divisor = power_of_ten(u32::from(from - to))?;
    let (quotient, rest) = (value / divisor, value % divisor);
    let up = rest.unsigned_abs() >= divisor.unsigned_abs() / 2;
    Some(quotient + if up { value.signum() } else { 0 })
}

/// The powers of ten that doubles hold exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// The nearest double.
pub(crate) fn to_double(value: i128, scale: u8) -> f64 {
    // Both exact, so that one division rounds once.
    if let (Ok(value), Some(ten)) = (i64::try_from(value), TENS.get(usize::from(scale)))
        && value.unsigned_abs() < 1 << 53
    {
        #[expect(clippy::cast_precision_loss, reason = "it has no more than 53 bits")]
        return value as f64 / ten;
    }
    let mut text = String::with_capacity(48);
    crate::render::number::write_decimal(value, scale, &mut text);
    text.parse().unwrap_or(f64::NAN)
}

/// The nearest doubles. Decimals are seldom long: where none of a batch is, nothing is asked of each.
fn doubles(decimals: &Decimal128Array, scale: u8) -> Float64Array {
    // What a negative number and the number below its absolute value have in common are these bits.
    let bits = decimals.values().iter().fold(0, |bits, v| bits | (v ^ (v >> 127)));
    match TENS.get(usize::from(scale)) {
        #[expect(clippy::cast_precision_loss, reason = "none has more than 53 bits")]
        #[expect(clippy::cast_possible_truncation, reason = "none has more than 53 bits")]
        Some(ten) if bits < (1 << 53) - 1 => decimals.unary(|v| v as i64 as f64 / ten),
        _ => decimals.unary(|v| to_double(v, scale)),
    }
}

/// Turns numbers and booleans into decimals.
pub(super) fn to_decimal(cast: &Cast<'_>, precision: u8, scale: u8) -> Result<ArrayRef> {
    let wrong = || cast.wrong_array();
    let array = cast.array;
    let decimals: Decimal128Array = match cast.from {
        SqlType::Boolean => {
            let one = power_of_ten(u32::from(scale)).and_then(|one| fits(one, precision));
            let truths = array.as_boolean_opt().ok_or_else(wrong)?;
            truths.iter().map(|t| t.and_then(|t| if t { one } else { Some(0) })).collect()
        }
        SqlType::TinyInt => {
            integers::<Int8Type>(array.as_primitive_opt().ok_or_else(wrong)?, precision, scale)
        }
        SqlType::SmallInt => {
            integers::<Int16Type>(array.as_primitive_opt().ok_or_else(wrong)?, precision, scale)
        }
        SqlType::Integer => {
            integers::<Int32Type>(array.as_primitive_opt().ok_or_else(wrong)?, precision, scale)
        }
        SqlType::BigInt => {
            integers::<Int64Type>(array.as_primitive_opt().ok_or_else(wrong)?, precision, scale)
        }
        SqlType::Real => {
            let reals = array.as_primitive_opt::<Float32Type>().ok_or_else(wrong)?;
            reals.unary_opt(|v| float(v, v.is_finite(), precision, scale))
        }
        SqlType::Double => {
            let doubles = array.as_primitive_opt::<Float64Type>().ok_or_else(wrong)?;
            doubles.unary_opt(|v| float(v, v.is_finite(), precision, scale))
        }
        SqlType::Decimal(_, from) => {
            let decimals = array.as_primitive_opt::<Decimal128Type>().ok_or_else(wrong)?;
            decimals.unary_opt(|v| fits(rescale(v, *from, scale)?, precision))
        }
        _ => return Err(wrong()),
    };
    Ok(Arc::new(decimals.with_data_type(cast.to.to_arrow())))
}

fn integers<F: ArrowPrimitiveType>(numbers: &PrimitiveArray<F>, precision: u8, scale: u8) -> Decimal128Array
where
    i128: From<F::Native>,
{
    let factor = power_of_ten(u32::from(scale)).unwrap_or(1);
    numbers.unary_opt(|v| fits(i128::from(v).checked_mul(factor)?, precision))
}

/// The decimal nearest to what the float shows.
fn float<F: ryu::Float>(value: F, finite: bool, precision: u8, scale: u8) -> Option<i128> {
    let mut buffer = ryu::Buffer::new();
    finite.then(|| parse_decimal(buffer.format_finite(value), precision, scale).ok())?
}

/// Turns decimals into numbers and booleans.
pub(super) fn from_decimal(cast: &Cast<'_>, scale: u8) -> Result<ArrayRef> {
    let decimals = cast.array.as_primitive_opt::<Decimal128Type>().ok_or_else(|| cast.wrong_array())?;
    fn round<T: ArrowPrimitiveType>(decimals: &Decimal128Array, scale: u8) -> ArrayRef
    where
        T::Native: TryFrom<i128>,
    {
        Arc::new(decimals.unary_opt::<_, T>(|v| rescale(v, scale, 0)?.try_into().ok()))
    }
    Ok(match cast.to {
        SqlType::Boolean => Arc::new(decimals.iter().map(|v| v.map(|v| v != 0)).collect::<BooleanArray>()),
        SqlType::TinyInt => round::<Int8Type>(decimals, scale),
        SqlType::SmallInt => round::<Int16Type>(decimals, scale),
        SqlType::Integer => round::<Int32Type>(decimals, scale),
        SqlType::BigInt => round::<Int64Type>(decimals, scale),
        SqlType::Double => Arc::new(doubles(decimals, scale)),
        SqlType::Real => Arc::new(decimals.unary::<_, Float32Type>(|v| {
            let mut text = String::with_capacity(48);
            crate::render::number::write_decimal(v, scale, &mut text);
            text.parse().unwrap_or(f32::NAN)
        })),
        _ => return Err(cast.wrong_array()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_decimals() {
        for (text, precision, scale, wanted) in [
            ("123.45", 5, 2, Ok(12_345)),
            ("-1.005", 10, 2, Ok(-101)),
            (" 1e3 ", 10, 2, Ok(100_000)),
            (".5", 1, 0, Ok(1)),
            ("0.4", 1, 0, Ok(0)),
            ("5e-3", 3, 2, Ok(1)),
            ("4e-9", 3, 2, Ok(0)),
            ("000000000000000000000000000000000000000000001", 1, 0, Ok(1)),
            ("9.995", 3, 2, Err(NoDecimal::TooLarge)),
            ("1e300", 38, 0, Err(NoDecimal::TooLarge)),
            ("1e-2147483648", 38, 0, Ok(0)),
            ("", 3, 0, Err(NoDecimal::NotANumber)),
            (".", 3, 0, Err(NoDecimal::NotANumber)),
            ("1x", 3, 0, Err(NoDecimal::NotANumber)),
        ] {
            assert_eq!(parse_decimal(text, precision, scale), wanted, "{text}");
        }
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        assert_eq!(rescale(15, 1, 0), Some(2));
        assert_eq!(rescale(-15, 1, 0), Some(-2));
        assert_eq!(rescale(14, 1, 0), Some(1));
        assert_eq!(rescale(1, 0, 38), Some(10i128.pow(38)));
        assert_eq!(rescale(i128::MAX, 0, 1), None);
        assert!((to_double(1, 1) - 0.1).abs() < f64::EPSILON);
    }

    #[test]
    fn a_batch_is_the_same_doubles_as_its_values() {
        let edge = 1i128 << 53;
        let short = [0, 1, -1, 12_345, -99_999_999, edge - 2, -(edge - 1)];
        let long = [5, edge - 1, edge, -edge, edge + 1, i128::MAX, 10i128.pow(38) - 1, -7];
        for (values, scale) in
            [(&short[..], 2), (&short, 0), (&short, 22), (&short, 30), (&long, 2), (&long, 38)]
        {
            let batch: Decimal128Array = values.iter().map(|v| Some(*v)).chain([None]).collect();
            let (each, whole) =
                (values.iter().map(|v| to_double(*v, scale).to_bits()), doubles(&batch, scale));
            assert!(each.eq(whole.iter().flatten().map(f64::to_bits)), "{values:?} {scale}");
            assert_eq!(whole.iter().last(), Some(None));
        }
    }
}
