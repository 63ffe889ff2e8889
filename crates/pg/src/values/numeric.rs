//! Decimals: as text, and as PostgreSQL's binary form of digits to the base of 10,000.

use bytes::{BufMut, BytesMut};
use model::{Error, Result};

/// Appends a decimal with its point.
pub(super) fn put_decimal(value: i128, scale: usize, out: &mut String) {
    if value < 0 {
        out.push('-');
    }
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    out.push_str(whole);
    if scale > 0 {
        out.push('.');
        out.push_str(part);
    }
}

/// The binary form.
pub(super) fn put_numeric(value: i128, scale: usize, out: &mut BytesMut) {
    let mut text = String::new();
    put_decimal(value.abs(), scale, &mut text);
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let whole = whole.trim_start_matches('0');
    let group = |text: &str| text.bytes().fold(0_i16, |sum, digit| sum * 10 + i16::from(digit - b'0'));
    let first = whole.len() % 4;
    let mut groups: Vec<i16> = Vec::new();
    if first > 0 {
        groups.push(group(whole.get(..first).unwrap_or_default()));
    }
    let four = |text: &str| -> Vec<i16> {
        text.as_bytes()
            .chunks(4)
            .map(|chunk| {
                let digits: String =
                    chunk.iter().map(|byte| char::from(*byte)).chain("000".chars()).take(4).collect();
                group(&digits)
            })
            .collect()
    };
    groups.extend(four(whole.get(first..).unwrap_or_default()));
    let mut weight = i16::try_from(groups.len()).unwrap_or(0) - 1;
    groups.extend(four(part));
    while groups.last() == Some(&0) {
        groups.pop();
    }
    let zeros = groups.iter().take_while(|group| **group == 0).count();
    groups.drain(..zeros);
    weight -= i16::try_from(zeros).unwrap_or(0);
    if groups.is_empty() {
        weight = 0;
    }
    out.put_i16(i16::try_from(groups.len()).unwrap_or(0));
    out.put_i16(weight);
    out.put_i16(if value < 0 { 0x4000 } else { 0 });
    out.put_i16(i16::try_from(scale).unwrap_or(0));
    groups.iter().for_each(|group| out.put_i16(*group));
}

/// Reads the binary form as text.
pub(super) fn numeric_text(bytes: &[u8]) -> Result<String> {
    let wrong = || Error::invalid("a numeric in binary form is damaged");
    let shorts: Vec<i16> = bytes.chunks_exact(2).map(|two| i16::from_be_bytes([two[0], two[1]])).collect();
    let [count, weight, sign, scale, digits @ ..] = shorts.as_slice() else { return Err(wrong()) };
    if usize::try_from(*count) != Ok(digits.len()) || digits.iter().any(|digit| !(0..10_000).contains(digit))
    {
        return Err(wrong());
    }
    let sign = match sign.cast_unsigned() {
        0 => "",
        0x4000 => "-",
        _ => return Err(Error::invalid("a decimal is a number: NaN and infinity are none")),
    };
    let scale = usize::try_from(*scale).map_err(|_| wrong())?;
    let whole_groups = i32::from(*weight) + 1;
    if whole_groups.abs() > 64 || scale > 256 {
        return Err(Error::invalid("a decimal has at most 38 digits here"));
    }
    let group = |index: i32| usize::try_from(index).ok().and_then(|i| digits.get(i)).copied().unwrap_or(0);
    let whole: String = (0..whole_groups).map(|index| format!("{:04}", group(index))).collect();
    let part: String =
        (0..).take(scale.div_ceil(4)).map(|i: i32| format!("{:04}", group(whole_groups + i))).collect();
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let part = part.get(..scale).unwrap_or_default();
    Ok(if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for (value, scale, text) in [
            (0_i128, 0, "0"),
            (0, 2, "0.00"),
            (1, 0, "1"),
            (-12_345_678, 2, "-123456.78"),
            (10_000, 0, "10000"),
            (100_000_000, 0, "100000000"),
            (5, 5, "0.00005"),
            (-1, 10, "-0.0000000001"),
            (123_456_789_012_345_678_901_234_567_890, 12, "123456789012345678.901234567890"),
        ] {
            let (mut written, mut bytes) = (String::new(), BytesMut::new());
            put_decimal(value, scale, &mut written);
            put_numeric(value, scale, &mut bytes);
            assert_eq!(written, text);
            assert_eq!(numeric_text(&bytes).unwrap(), text);
        }
        // 1.5 as PostgreSQL sends it.
        let mut bytes = BytesMut::new();
        put_numeric(15, 1, &mut bytes);
        assert_eq!(bytes.as_ref(), [0, 2, 0, 0, 0, 0, 0, 1, 0, 1, 0x13, 0x88]);
        for bad in [&b""[..], b"\0\x01\0\0\0\0\0\0", b"\0\0\0\0\xc0\0\0\0", b"\0\x01\0\0\0\0\0\0\x7f\xff"] {
            assert!(numeric_text(bad).is_err());
        }
    }
}
