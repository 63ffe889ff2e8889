//! Numbers by `%d`, `%o`, `%x`, `%e`, `%f` and `%g`.

use super::digits::Digits;
use super::specifier::Specifier;
use super::value::Value;

pub(super) fn integer(specifier: &Specifier, number: i64, out: &mut String) {
    match specifier.conversion {
        'x' if specifier.alternate => out.push_str(&format!("{number:#x}")),
        'x' => out.push_str(&format!("{number:x}")),
        'o' if specifier.alternate => out.push_str(&format!("0{number:o}")),
        'o' => out.push_str(&format!("{number:o}")),
        _ => signed(specifier, number < 0, &number.unsigned_abs().to_string(), out),
    }
}

/// Writes a number with a fraction; says whether it is finite.
pub(super) fn fraction(specifier: &Specifier, value: &Value, out: &mut String) -> bool {
    let (negative, digits) = match value {
        Value::Decimal(number, scale) => (*number < 0, Digits::of_decimal(number.unsigned_abs(), *scale)),
        Value::Double(number) if number.is_finite() => {
            (number.is_sign_negative(), Digits::of_double(*number))
        }
        Value::Real(number) if number.is_finite() => {
            (number.is_sign_negative(), Digits::of_double(f64::from(*number)))
        }
        Value::Double(number) => return not_finite(specifier, *number, out),
        Value::Real(number) => return not_finite(specifier, f64::from(*number), out),
        _ => return false,
    };
    let precision = specifier.precision.unwrap_or(6);
    let text = match specifier.conversion {
        'e' => digits.scientific(precision),
        'f' => digits.plain(precision),
        _ => general(digits, precision.max(1)),
    };
    signed(specifier, negative, &text, out);
    true
}

/// `%g`: plain if the number rounded to so many digits is neither too small nor too large for them.
fn general(digits: Digits, precision: usize) -> String {
    let rounded = digits.rounded(precision as i64);
    if rounded.is_zero() {
        return rounded.plain(precision - 1);
    }
    let exponent = rounded.exponent();
    if exponent < -4 || exponent >= precision as i64 {
        return rounded.scientific(precision - 1);
    }
    rounded.plain(usize::try_from(precision as i64 - 1 - exponent).unwrap_or(0))
}

fn not_finite(specifier: &Specifier, number: f64, out: &mut String) -> bool {
    if number.is_nan() {
        out.push_str("NaN");
    } else {
        signed(specifier, number < 0.0, "Infinity", out);
    }
    false
}

fn signed(specifier: &Specifier, negative: bool, text: &str, out: &mut String) {
    match negative {
        true if specifier.parentheses => out.push('('),
        true => out.push('-'),
        false if specifier.plus => out.push('+'),
        false if specifier.blank => out.push(' '),
        false => {}
    }
    let (whole, rest) =
        text.split_at_checked(text.find(['.', 'e']).unwrap_or(text.len())).unwrap_or((text, ""));
    if specifier.groups && whole.bytes().all(|b| b.is_ascii_digit()) {
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i) % 3 == 0 {
                out.push(',');
            }
            out.push(digit);
        }
        out.push_str(rest);
    } else {
        out.push_str(text);
    }
    if negative && specifier.parentheses {
        out.push(')');
    }
}
