//! Writing numbers, times and CSV cells into byte buffers, without allocation and without the general formatting
//! machinery: these few functions are the inner loop of the generator.

use chrono::{DateTime, Datelike};

const DAY_MILLIS: i64 = 86_400_000;

/// "00" to "99".
const PAIRS: &[u8; 200] = b"\
    0001020304050607080910111213141516171819\
    2021222324252627282930313233343536373839\
    4041424344454647484950515253545556575859\
    6061626364656667686970717273747576777879\
    8081828384858687888990919293949596979899";

/// Appends `value / 10^decimals` with exactly that many decimals (at most 9).
#[inline]
pub(crate) fn push_fixed(out: &mut Vec<u8>, value: i64, decimals: u32) {
    let mut digits = [0u8; 32];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    if decimals > 0 {
        for _ in 0..decimals {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        at -= 1;
        digits[at] = b'.';
    }
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    out.extend_from_slice(&digits[at..]);
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    /// `2026-03-02T13:43:01.005Z`
    Iso,
    /// `02/Mar/2026:13:43:01 +0000`
    Nginx,
}

/// A time as text, rewritten in place: the date is formatted anew only when the day changes.
#[derive(Debug)]
pub(crate) struct TimeText {
    format: TimeFormat,
    day: i64,
    text: [u8; 26],
    length: usize,
    clock: usize,
}

impl TimeText {
    pub(crate) fn new(format: TimeFormat) -> Self {
        let mut text = [0; 26];
        let (pattern, clock): (&[u8], usize) = match format {
            TimeFormat::Iso => (b"0000-00-00T00:00:00.000Z", 11),
            TimeFormat::Nginx => (b"00/Jan/0000:00:00:00 +0000", 12),
        };
        text[..pattern.len()].copy_from_slice(pattern);
        Self { format, day: i64::MIN, text, length: pattern.len(), clock }
    }

    /// The text of this moment, in milliseconds since 1970. Tasks are checked to lie within the years 1 to 9999.
    #[inline]
    pub(crate) fn at(&mut self, millis: i64) -> &[u8] {
        let day = millis.div_euclid(DAY_MILLIS);
        let in_day = millis.rem_euclid(DAY_MILLIS) as u32;
        if day != self.day {
            self.set_day(day);
        }
        let seconds = in_day / 1000;
        let clock = self.clock;
        self.pair(clock, seconds / 3600);
        self.pair(clock + 3, seconds / 60 % 60);
        self.pair(clock + 6, seconds % 60);
        if self.format == TimeFormat::Iso {
            let fraction = in_day % 1000;
            self.text[20] = b'0' + (fraction / 100) as u8;
            self.pair(21, fraction % 100);
        }
        &self.text[..self.length]
    }

    #[inline]
    fn pair(&mut self, at: usize, value: u32) {
        let from = (value as usize % 100) * 2;
        self.text[at..at + 2].copy_from_slice(&PAIRS[from..from + 2]);
    }

    fn set_day(&mut self, day: i64) {
        self.day = day;
        let Some(date) = DateTime::from_timestamp_millis(day.saturating_mul(DAY_MILLIS)) else { return };
        let year = u32::try_from(date.year()).unwrap_or(0);
        let year_at = if self.format == TimeFormat::Iso { 0 } else { 7 };
        self.pair(year_at, year / 100);
        self.pair(year_at + 2, year % 100);
        match self.format {
            TimeFormat::Iso => {
                self.pair(5, date.month());
                self.pair(8, date.day());
            }
            TimeFormat::Nginx => {
                self.pair(0, date.day());
                self.text[3..6].copy_from_slice(date.format("%b").to_string().as_bytes());
            }
        }
    }
}

/// The UTC day a moment falls on, counted from 1970.
pub(crate) fn day_of(millis: i64) -> i64 {
    millis.div_euclid(DAY_MILLIS)
}

/// `2026-03-02`
pub(crate) fn day_name(day: i64) -> String {
    String::from_utf8_lossy(&TimeText::new(TimeFormat::Iso).at(day.saturating_mul(DAY_MILLIS))[..10])
        .into_owned()
}

/// A CSV cell, quoted where it must be.
pub(crate) fn csv_cell(text: &str) -> String {
    let needs_quotes = text.contains([',', '"', '\n', '\r']) || text.trim() != text;
    if needs_quotes { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// How many decimals values of this kind get: three; more while the finest step would otherwise be lost, fewer where
/// the values are so large that they would not fit a double exactly.
pub(crate) fn decimals_for(largest: f64, finest: f64) -> u32 {
    const EXACT: f64 = 9e15;
    let mut decimals = 3;
    while decimals < 9
        && finest > 0.0
        && finest * power(decimals) < 99.5
        && largest * power(decimals + 1) < EXACT
    {
        decimals += 1;
    }
    while decimals > 0 && largest * power(decimals) >= EXACT {
        decimals -= 1;
    }
    decimals
}

/// The finest step that matters in a range: its width, or the value where it has none.
pub(crate) fn finest_step(from: f64, to: f64) -> f64 {
    if to > from { to - from } else { to.abs() }
}

/// `from..=to` as multiples of `10^-decimals`, never leaving the range unless it holds no such multiple.
pub(crate) fn fixed_range(from: f64, to: f64, decimals: u32) -> (i64, i64) {
    // What is a rounding error of the product must not cost a step: 0.3 * 1000 is 299.99999999999994.
    let scale = |value: f64| {
        let scaled = value * power(decimals);
        let near = scaled.round();
        if (scaled - near).abs() < 1e-6 { near } else { scaled }
    };
    let (low, high) = (scale(from).ceil() as i64, scale(to).floor() as i64);
    if low <= high { (low, high) } else { (scale(from).round() as i64, scale(from).round() as i64) }
}

fn power(decimals: u32) -> f64 {
    10f64.powi(decimals.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fixed(value: i64, decimals: u32) -> String {
        let mut out = Vec::new();
        push_fixed(&mut out, value, decimals);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fixed_numbers_read_as_people_write_them() {
        assert_eq!(fixed(12_345, 3), "12.345");
        assert_eq!(fixed(-5, 3), "-0.005");
        assert_eq!(fixed(0, 3), "0.000");
        assert_eq!(fixed(42, 0), "42");
        assert_eq!(fixed(i64::MIN, 9), "-9223372036.854775808");
    }

    #[test]
    fn decimals_follow_the_range() {
        assert_eq!(decimals_for(100.0, 5.0), 3);
        assert_eq!(decimals_for(0.002, 0.001), 5);
        assert_eq!(decimals_for(1e15, 1e14), 0);
        assert_eq!(fixed_range(0.3, 0.7, 3), (300, 700));
        assert_eq!(fixed_range(0.0001, 0.0002, 3), (0, 0));
    }

    #[test]
    fn cells_are_quoted_only_where_they_must_be() {
        assert_eq!(csv_cell("cpu load"), "cpu load");
        assert_eq!(csv_cell("a,\"b\""), "\"a,\"\"b\"\"\"");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

        #[test]
        fn times_are_those_of_chrono(moments in proptest::collection::vec(-62_135_596_800_000i64..253_402_300_800_000, 1..8)) {
            let (mut iso, mut nginx) = (TimeText::new(TimeFormat::Iso), TimeText::new(TimeFormat::Nginx));
            for millis in moments {
                let time = DateTime::from_timestamp_millis(millis).unwrap();
                let expected = time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
                prop_assert_eq!(std::str::from_utf8(iso.at(millis)).unwrap(), expected);
                let expected = time.format("%d/%b/%Y:%H:%M:%S +0000").to_string();
                prop_assert_eq!(std::str::from_utf8(nginx.at(millis)).unwrap(), expected);
            }
        }

        #[test]
        fn fixed_numbers_are_those_of_format(value in any::<i32>(), decimals in 0u32..=9) {
            let expected = format!("{:.*}", decimals as usize, f64::from(value) / power(decimals));
            prop_assert_eq!(fixed(value.into(), decimals), expected);
        }
    }
}
