//! Reads dates, times and timestamps as SQL writes them: `2024-01-31 13:04:05.678 Europe/Berlin`.

use super::calendar::{DAY_SECONDS, checked_days};

/// A timestamp as it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Written<'a> {
    /// Local seconds since 1970.
    pub(crate) seconds: i64,
    /// The digits behind the point.
    pub(crate) fraction: &'a str,
    /// The zone, if one is named.
    pub(crate) zone: Option<&'a str>,
}

/// Text that is read from the front.
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(crate) fn done(&self) -> bool {
        self.at >= self.text.len()
    }

    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn take(&mut self, symbol: u8) -> bool {
        let found = self.peek() == Some(symbol);
        self.at += usize::from(found);
        found
    }

    /// Passes over so many bytes, which the caller has looked at.
    pub(crate) fn skip(&mut self, length: usize) {
        self.at = (self.at + length).min(self.text.len());
    }

    /// The digits that come next, at least `min` and at most `max` of them.
    pub(crate) fn digits(&mut self, min: usize, max: usize) -> Option<&'a str> {
        let bytes = self.text.as_bytes().get(self.at..)?;
        let len = bytes.iter().take(max).take_while(|b| b.is_ascii_digit()).count();
        if len < min {
            return None;
        }
        let digits = self.text.get(self.at..self.at + len)?;
        self.at += len;
        Some(digits)
    }

    /// The number that comes next.
    pub(crate) fn number(&mut self, min: usize, max: usize) -> Option<i64> {
        self.digits(min, max)?.parse().ok()
    }

    fn spaces(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// `[+-]YYYY-M-D` as a day number.
    fn date(&mut self) -> Option<i64> {
        let negative = self.take(b'-');
        if !negative {
            self.take(b'+');
        }
        let year = self.number(4, 9)?;
        let month = self.take(b'-').then(|| self.number(1, 2))??;
        let day = self.take(b'-').then(|| self.number(1, 2))??;
        let year = if negative { -year } else { year };
        checked_days(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
    }

    /// `H:M[:S[.f]]` as seconds and the digits of the fraction.
    fn time(&mut self) -> Option<(i64, &'a str)> {
        let hour = self.number(1, 2)?;
        let minute = self.take(b':').then(|| self.number(1, 2))??;
        let (mut second, mut fraction) = (0, "");
        if self.take(b':') {
            second = self.number(1, 2)?;
            if self.take(b'.') {
                fraction = self.digits(1, usize::MAX)?;
            }
        }
        (hour < 24 && minute < 60 && second < 60).then_some((hour * 3600 + minute * 60 + second, fraction))
    }
}

/// The day number of `2024-01-31`.
pub(crate) fn parse_date(text: &str) -> Option<i64> {
    let mut cursor = Cursor::new(text.trim());
    let days = cursor.date()?;
    cursor.done().then_some(days)
}

/// The seconds and the digits of the fraction of `13:04:05.678`.
pub(crate) fn parse_time(text: &str) -> Option<(i64, &str)> {
    let mut cursor = Cursor::new(text.trim());
    let time = cursor.time()?;
    cursor.done().then_some(time)
}

/// Reads `2024-01-31[ 13:04[:05[.678]]][ zone]`.
pub(crate) fn parse_timestamp(text: &str) -> Option<Written<'_>> {
    let mut cursor = Cursor::new(text.trim());
    let days = cursor.date()?;
    let mut written = Written { seconds: days.checked_mul(DAY_SECONDS)?, fraction: "", zone: None };
    if cursor.done() {
        return Some(written);
    }
    if !cursor.take(b' ') {
        return None;
    }
    let starts_time = cursor.rest().bytes().take_while(u8::is_ascii_digit).count() > 0;
    if starts_time {
        let (seconds, fraction) = cursor.time()?;
        written.seconds += seconds;
        written.fraction = fraction;
    }
    cursor.spaces();
    if !cursor.done() {
        written.zone = Some(cursor.rest());
    }
    Some(written)
}

/// The fraction's digits in units of which `unit` make a second, rounded to so many digits. It may round up to a whole
/// second.
pub(crate) fn fraction_units(fraction: &str, precision: u8, unit: i64) -> i64 {
    let mut kept = 0i64;
    let digits = fraction.as_bytes();
    for i in 0..usize::from(precision) {
        kept = kept * 10 + i64::from(digits.get(i).map_or(0, |d| d - b'0'));
    }
    if digits.get(usize::from(precision)).is_some_and(|d| *d >= b'5') {
        kept += 1;
    }
    let scale = 10i64.pow(u32::from(precision.min(9)));
    if unit >= scale { kept * (unit / scale) } else { kept / (scale / unit) }
}

impl Written<'_> {
    /// The local time in units of which `unit` make a second, rounded to so many digits.
    pub(crate) fn local(&self, precision: u8, unit: i64) -> Option<i64> {
        let fraction = fraction_units(self.fraction, precision, unit);
        self.seconds.checked_mul(unit)?.checked_add(fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_read_in_all_their_forms() {
        let read = |text| parse_timestamp(text).map(|w| (w.seconds, w.fraction, w.zone));
        assert_eq!(read("1970-01-02"), Some((86_400, "", None)));
        assert_eq!(read("1970-1-2 3:4"), Some((86_400 + 11_040, "", None)));
        assert_eq!(read(" 1970-01-01 00:00:01.25 "), Some((1, "25", None)));
        assert_eq!(read("1970-01-01 00:00:01 Europe/Berlin"), Some((1, "", Some("Europe/Berlin"))));
        assert_eq!(read("1970-01-01 00:00:01+02:00"), Some((1, "", Some("+02:00"))));
        assert_eq!(read("1970-01-01 UTC"), Some((0, "", Some("UTC"))));
        for text in ["", "1970", "1970-13-01", "2023-02-29", "1970-01-01T00:00:00", "1970-01-01 24:00", "x"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn fractions_are_rounded() {
        assert_eq!(fraction_units("1234", 3, 1000), 123);
        assert_eq!(fraction_units("1235", 3, 1000), 124);
        assert_eq!(fraction_units("9999", 3, 1000), 1000);
        assert_eq!(fraction_units("5", 0, 1000), 1000);
        assert_eq!(fraction_units("12", 6, 1_000_000), 120_000);
        assert_eq!(fraction_units("12", 1, 1000), 100);
    }
}
