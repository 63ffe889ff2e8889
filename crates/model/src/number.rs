//! Numbers as nearly all texts write them.

/// Powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// A double that is written with at most 15 digits, and with a point or without: such digits and such a power of ten are
/// both exact as doubles, and so is one division's rounding. Nothing for all other texts, whatever they mean.
#[inline]
pub fn short_double(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    let (mut mantissa, mut point) = (0u64, None);
    for (i, byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            mantissa = mantissa * 10 + u64::from(digit);
        } else if *byte == b'.' && point.is_none() && digits.len() > 1 {
            point = Some(i);
        } else {
            return None;
        }
    }
    if mantissa >= 1 << 53 {
        return None;
    }
    let decimals = point.map_or(0, |at| digits.len() - 1 - at);
    let value = mantissa as f64 / POWERS.get(decimals)?;
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::short_double;

    #[test]
    fn it_is_what_the_library_reads() {
        for text in [
            "0",
            "-0",
            "1.",
            ".5",
            "-12.750",
            "58.058",
            "123456789012345",
            "0.00000000000001",
            "99999999.9999999",
        ] {
            assert_eq!(
                short_double(text.as_bytes()).map(f64::to_bits),
                text.parse().ok().map(f64::to_bits),
                "{text}"
            );
        }
        for text in ["", "-", ".", "+1", "1e5", "1.2.3", "NaN", " 1", "12345678901234567", "9007199254740993"]
        {
            assert_eq!(short_double(text.as_bytes()), None, "{text}");
        }
    }
}
