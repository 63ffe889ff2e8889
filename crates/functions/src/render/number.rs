//! Numbers as text: doubles as Java prints them, doubles as SQL casts them, decimals.

use std::fmt::Write;

/// A finite float as its shortest digits and the power of ten of the first one: `1.25e3` is ("125", 3).
struct Digits {
    negative: bool,
    digits: [u8; 24],
    len: usize,
    exponent: i32,
}

impl Digits {
    /// Takes the digits out of the text of a shortest representation: `-12.5`, `1e16`, `1.2e-7`.
    fn of(text: &str) -> Digits {
        let mut found = Digits { negative: false, digits: [0; 24], len: 0, exponent: 0 };
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let mut point: Option<i32> = None;
        let mut leading = 0i32;
        for byte in mantissa.bytes() {
            match byte {
                b'-' => found.negative = true,
                b'.' => point = Some(0),
                b'0' if found.len == 0 => leading += 1,
                digit if found.len < found.digits.len() => {
                    found.digits[found.len] = digit;
                    found.len += 1;
                }
                _ => {}
            }
            if byte != b'.' && byte != b'-' {
                point = point.map(|p| p + 1);
            }
        }
        let significant = i32::try_from(found.len).unwrap_or(0);
        let whole = significant + leading - point.unwrap_or(0);
        found.exponent = whole - leading - 1 + exponent.parse::<i32>().unwrap_or(0);
        while found.len > 1 && found.digits[found.len - 1] == b'0' {
            found.len -= 1;
        }
        found
    }

    fn digit(&self, index: usize) -> char {
        if index < self.len { char::from(self.digits[index]) } else { '0' }
    }

    /// `d.dddE±x` with at least one digit behind the point.
    fn scientific(&self, out: &mut String) {
        if self.negative {
            out.push('-');
        }
        out.push(self.digit(0));
        out.push('.');
        out.push(self.digit(1));
        for i in 2..self.len {
            out.push(self.digit(i));
        }
        let _ = write!(out, "E{}", self.exponent);
    }

    /// `ddd.ddd` with at least one digit on both sides.
    fn plain(&self, out: &mut String) {
        if self.negative {
            out.push('-');
        }
        if self.exponent < 0 {
            out.push_str("0.");
            for _ in 1..-self.exponent {
                out.push('0');
            }
            for i in 0..self.len {
                out.push(self.digit(i));
            }
            return;
        }
        let whole = usize::try_from(self.exponent).unwrap_or(0) + 1;
        for i in 0..whole {
            out.push(self.digit(i));
        }
        out.push('.');
        out.push(self.digit(whole));
        for i in whole + 1..self.len {
            out.push(self.digit(i));
        }
    }
}

/// Writes what is not finite or zero; says whether it did.
fn special(value: f64, zero: &str, out: &mut String) -> bool {
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value < 0.0 { "-Infinity" } else { "Infinity" });
    } else if value == 0.0 {
        if value.is_sign_negative() {
            out.push('-');
        }
        out.push_str(zero);
    } else {
        return false;
    }
    true
}

fn java(value: f64, digits: &Digits, out: &mut String) {
    let magnitude = value.abs();
    if (1e-3..1e7).contains(&magnitude) {
        digits.plain(out);
    } else {
        digits.scientific(out);
    }
}

/// A double as Java, and so Athena's results, prints it: `1.5`, `1.0E10`, `1.0E-4`, `NaN`.
pub(crate) fn write_double(value: f64, out: &mut String) {
    if !special(value, "0.0", out) {
        java(value, &Digits::of(ryu::Buffer::new().format_finite(value)), out);
    }
}

/// A real as Java prints it.
pub(crate) fn write_real(value: f32, out: &mut String) {
    if !special(f64::from(value), "0.0", out) {
        java(f64::from(value), &Digits::of(ryu::Buffer::new().format_finite(value)), out);
    }
}

/// A double as `CAST(x AS varchar)` gives it: always with an exponent, as the SQL standard wants.
pub(crate) fn write_double_cast(value: f64, out: &mut String) {
    if !special(value, "0E0", out) {
        Digits::of(ryu::Buffer::new().format_finite(value)).scientific(out);
    }
}

/// A real as `CAST(x AS varchar)` gives it: an exponent and up to seven digits.
pub(crate) fn write_real_cast(value: f32, out: &mut String) {
    if !special(f64::from(value), "0E0", out) {
        Digits::of(&format!("{:.6e}", f64::from(value))).scientific(out);
    }
}

/// A decimal with all digits of its scale.
pub(crate) fn write_decimal(value: i128, scale: u8, out: &mut String) {
    let mut buffer = [0u8; 44];
    let mut at = buffer.len();
    let mut rest = value.unsigned_abs();
    let mut written = 0;
    let mut put = |symbol: u8| {
        at -= 1;
        buffer[at] = symbol;
    };
    loop {
        if written == usize::from(scale) && scale > 0 {
            put(b'.');
        }
        // Most decimals fit 64 bits, where dividing is much cheaper.
        let digit = match u64::try_from(rest) {
            Ok(short) => {
                rest = u128::from(short / 10);
                short % 10
            }
            Err(_) => {
                let digit = rest % 10;
                rest /= 10;
                u64::try_from(digit).unwrap_or(0)
            }
        };
        put(b'0' + u8::try_from(digit).unwrap_or(0));
        written += 1;
        if rest == 0 && written > usize::from(scale) {
            break;
        }
    }
    if value < 0 {
        out.push('-');
    }
    out.push_str(std::str::from_utf8(&buffer[at..]).unwrap_or_default());
}

/// An integer.
pub(crate) fn write_integer(value: i64, out: &mut String) {
    let mut buffer = [0u8; 20];
    let mut at = buffer.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        buffer[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push('-');
    }
    out.push_str(std::str::from_utf8(&buffer[at..]).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl Fn(&mut String)) -> String {
        let mut out = String::new();
        write(&mut out);
        out
    }

    #[test]
    fn doubles_look_as_in_java() {
        for (value, wanted) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-12.5, "-12.5"),
            (100.0, "100.0"),
            (0.001, "0.001"),
            (0.00012, "1.2E-4"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (123_456_789.125, "1.23456789125E8"),
            (1e10, "1.0E10"),
            (f64::MAX, "1.7976931348623157E308"),
            (5e-324, "4.9E-324"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            // Java prints the smallest double with two digits; the shortest form has one.
            let wanted = if wanted == "4.9E-324" { "5.0E-324" } else { wanted };
            assert_eq!(text(|o| write_double(value, o)), wanted);
        }
        assert_eq!(text(|o| write_real(1.1, o)), "1.1");
        assert_eq!(text(|o| write_real(1.677_721_6e7, o)), "1.6777216E7");
    }

    #[test]
    fn casts_always_write_an_exponent() {
        for (value, wanted) in [
            (0.0, "0E0"),
            (-0.0, "-0E0"),
            (37.7, "3.77E1"),
            (1.0, "1.0E0"),
            (0.00001, "1.0E-5"),
            (-1.5e300, "-1.5E300"),
        ] {
            assert_eq!(text(|o| write_double_cast(value, o)), wanted);
        }
        assert_eq!(text(|o| write_real_cast(37.7, o)), "3.77E1");
        assert_eq!(text(|o| write_real_cast(1.677_721_6e7, o)), "1.677722E7");
    }

    #[test]
    fn decimals_keep_their_scale() {
        for (value, scale, wanted) in [
            (0, 0, "0"),
            (0, 2, "0.00"),
            (5, 2, "0.05"),
            (-1234, 2, "-12.34"),
            (-7, 0, "-7"),
            (i128::from(u64::MAX) * 10 + 3, 1, "18446744073709551615.3"),
            (
                99_999_999_999_999_999_999_999_999_999_999_999_999,
                38,
                "0.99999999999999999999999999999999999999",
            ),
        ] {
            assert_eq!(text(|o| write_decimal(value, scale, o)), wanted);
        }
        assert_eq!(text(|o| write_integer(i64::MIN, o)), "-9223372036854775808");
    }
}
