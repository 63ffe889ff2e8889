//! Integers, decimals and floating-point numbers.

use model::short_double;

/// An integer. As in Hive, digits behind a point are cut off: `12.7` is 12.
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    // Eighteen digits never overflow, so the common case needs no checks.
    if digits.len() <= 18 {
        let mut value = 0i64;
        for (i, byte) in digits.iter().enumerate() {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return cut_off(digits, i).then_some(if negative { -value } else { value });
            }
            value = value * 10 + i64::from(digit);
        }
        return Some(if negative { -value } else { value });
    }
    long_integer(negative, digits)
}

fn long_integer(negative: bool, digits: &[u8]) -> Option<i64> {
    let mut value = 0i64;
    for (i, byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return cut_off(digits, i).then_some(value);
        }
        // Counted downwards, since there is one more negative number.
        let signed = if negative { -i64::from(digit) } else { i64::from(digit) };
        value = value.checked_mul(10)?.checked_add(signed)?;
    }
    Some(value)
}

/// Whether the digits from here are a point and decimals.
fn cut_off(digits: &[u8], at: usize) -> bool {
    at > 0
        && matches!(digits.get(at..), Some([b'.', decimals @ ..]) if decimals.iter().all(u8::is_ascii_digit))
}

/// A decimal of that precision and scale, rounded half up; none for what does not fit.
pub(crate) fn decimal(text: &[u8], precision: u8, scale: u8) -> Option<i128> {
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (mut value, mut decimals, mut any, mut point) = (0i128, 0i32, false, false);
    let mut round_up = None;
    let mut at = 0;
    while let Some(byte) = rest.get(at) {
        match byte {
            b'0'..=b'9' => {
                any = true;
                if value < 10i128.pow(37) {
                    value = value * 10 + i128::from(byte - b'0');
                    decimals += i32::from(point);
                } else if point {
                    // More digits than any decimal holds: only the first one matters, for rounding.
                    round_up.get_or_insert(*byte >= b'5');
                } else {
                    return None;
                }
            }
            b'.' if !point => point = true,
            b'e' | b'E' => break,
            _ => return None,
        }
        at += 1;
    }
    if !any {
        return None;
    }
    if let Some(exponent) = rest.get(at + 1..) {
        decimals = decimals.checked_sub(i32::try_from(integer(exponent)?).ok()?)?;
    }
    let value = rescale(value, decimals, i32::from(scale), round_up.unwrap_or(false))?;
    if value >= 10i128.checked_pow(u32::from(precision))? {
        return None;
    }
    Some(if negative { -value } else { value })
}

fn rescale(value: i128, from: i32, to: i32, round_up: bool) -> Option<i128> {
    if value == 0 {
        return Some(0);
    }
    let shift = to.checked_sub(from)?;
    if shift >= 0 {
        let factor = 10i128.checked_pow(u32::try_from(shift).ok()?)?;
        return value.checked_mul(factor)?.checked_add(i128::from(round_up && shift == 0));
    }
    let Some(divisor) = 10i128.checked_pow(u32::try_from(-shift).ok()?) else { return Some(0) };
    let (whole, rest) = (value / divisor, value % divisor);
    Some(whole + i128::from(rest >= divisor / 2))
}

/// A double. `NaN` and `Infinity` are written as Java writes them (in any case).
pub(crate) fn float64(text: &[u8]) -> Option<f64> {
    if let Some(value) = short_double(text) {
        return Some(value);
    }
    long_float(text)
}

fn long_float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let unsigned = text.trim_start_matches(['-', '+']);
    // Rust also knows `inf`; Java does not.
    if unsigned.eq_ignore_ascii_case("inf") {
        return None;
    }
    text.parse().ok()
}

/// A float, rounded once from the text.
pub(crate) fn float32(text: &[u8]) -> Option<f32> {
    // A double of at most 7 digits over a small power rounds to the same float as the text itself would.
    if text.len() <= 8
        && let Some(value) = short_double(text)
    {
        return Some(value as f32);
    }
    let text = std::str::from_utf8(text).ok()?;
    if text.trim_start_matches(['-', '+']).eq_ignore_ascii_case("inf") {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers() {
        assert_eq!(integer(b"9223372036854775807"), Some(i64::MAX));
        assert_eq!(integer(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(integer(b"9223372036854775808"), None);
        assert_eq!(integer(b"+12.75"), Some(12));
        for wrong in ["", "-", "1x", ".5", "1.5.2", "0x1", "1e3"] {
            assert_eq!(integer(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn decimals_round_and_overflow() {
        assert_eq!(decimal(b"1.005", 5, 2), Some(101));
        assert_eq!(decimal(b"-1.005", 5, 2), Some(-101));
        assert_eq!(decimal(b"12e2", 6, 1), Some(12000));
        assert_eq!(decimal(b"1000", 3, 0), None);
        assert_eq!(decimal(b"1e40", 38, 0), None);
        assert_eq!(decimal(b"1e-99999999999", 38, 0), None);
        assert_eq!(decimal(b"0e99999", 38, 0), Some(0));
        assert_eq!(decimal(format!("0.{}", "9".repeat(60)).as_bytes(), 3, 2), Some(100));
        assert_eq!(decimal(b"99999999999999999999999999999999999999", 38, 0), Some(10i128.pow(38) - 1));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn floats_are_the_nearest(value in any::<f64>(), short in -1_000_000_000i64..1_000_000_000, scale in 0u32..9) {
            let text = value.to_string();
            prop_assert_eq!(float64(text.as_bytes()).map(f64::to_bits), text.parse().ok().map(f64::to_bits));
            let text = format!("{}.{:0width$}", short / 10i64.pow(scale), short.unsigned_abs() % 10u64.pow(scale), width = scale as usize);
            prop_assert_eq!(float64(text.as_bytes()), text.parse().ok());
            prop_assert_eq!(float32(text.as_bytes()), text.parse().ok());
        }

        #[test]
        fn integers_as_rust_reads_them(value in any::<i64>()) {
            prop_assert_eq!(integer(value.to_string().as_bytes()), Some(value));
        }
    }
}
