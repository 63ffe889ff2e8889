//! Dates, times, timestamps and intervals as text.

use crate::scalar::datetime::calendar::{DAY_SECONDS, civil_from_days};
use crate::scalar::datetime::zone::Zone;
use std::fmt::Write;

/// A short run of ASCII, put together before it goes into the text.
struct Ascii {
    bytes: [u8; 48],
    len: usize,
}

impl Ascii {
    fn new() -> Self {
        Self { bytes: [0; 48], len: 0 }
    }

    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.len) {
            *slot = byte;
            self.len += 1;
        }
    }

    /// The value's last `width` digits.
    fn digits(&mut self, value: i64, width: usize) {
        let end = self.len + width;
        let mut rest = value.unsigned_abs();
        for at in (self.len..end).rev() {
            if let Some(slot) = self.bytes.get_mut(at) {
                *slot = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            }
            rest /= 10;
        }
        self.len = end.min(self.bytes.len());
    }

    fn flush(&self, out: &mut String) {
        out.push_str(std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default());
    }
}

fn put_date(days: i64, plus: bool, out: &mut String) -> Ascii {
    let (year, month, day) = civil_from_days(days);
    let mut text = Ascii::new();
    if (0..=9999).contains(&year) {
        text.digits(year, 4);
    } else {
        let sign = if plus && year > 0 { "+" } else { "" };
        let _ = if year < 0 { write!(out, "-{:04}", -year) } else { write!(out, "{sign}{year}") };
    }
    text.push(b'-');
    text.digits(i64::from(month), 2);
    text.push(b'-');
    text.digits(i64::from(day), 2);
    text
}

/// `2024-01-31`
pub(crate) fn write_date(days: i64, out: &mut String) {
    put_date(days, false, out).flush(out);
}

fn put_time(value: i64, unit: i64, precision: u8, text: &mut Ascii) {
    let seconds = value.div_euclid(unit);
    text.digits(seconds / 3600, 2);
    text.push(b':');
    text.digits(seconds / 60 % 60, 2);
    text.push(b':');
    text.digits(seconds % 60, 2);
    if precision > 0 {
        text.push(b'.');
        let digits = unit_digits(unit);
        let fraction = value.rem_euclid(unit);
        match usize::from(precision).checked_sub(digits) {
            Some(more) => {
                text.digits(fraction, digits);
                text.digits(0, more);
            }
            None => {
                let fewer = u32::try_from(digits - usize::from(precision)).unwrap_or(0);
                text.digits(fraction / 10i64.pow(fewer), usize::from(precision));
            }
        }
    }
}

/// How many digits a fraction in this unit has.
fn unit_digits(unit: i64) -> usize {
    match unit {
        1_000 => 3,
        1_000_000 => 6,
        1_000_000_000 => 9,
        _ => 0,
    }
}

/// A time of day in units of which `unit` make a second: `13:04:05.678`.
pub(crate) fn write_time(value: i64, unit: i64, precision: u8, out: &mut String) {
    let mut text = Ascii::new();
    put_time(value, unit, precision, &mut text);
    text.flush(out);
}

/// A local timestamp, with this between date and time: `2024-01-31 13:04:05.678`.
pub(crate) fn write_local(value: i64, unit: i64, precision: u8, between: u8, out: &mut String) {
    let day = DAY_SECONDS * unit;
    let mut text = put_date(value.div_euclid(day), true, out);
    text.push(between);
    put_time(value.rem_euclid(day), unit, precision, &mut text);
    text.flush(out);
}

/// `2024-01-31 13:04:05.678`
pub(crate) fn write_timestamp(value: i64, unit: i64, precision: u8, out: &mut String) {
    write_local(value, unit, precision, b' ', out);
}

/// `2024-01-31 13:04:05.678 Europe/Berlin`
pub(crate) fn write_zoned(value: i64, unit: i64, precision: u8, zone: &Zone, name: &str, out: &mut String) {
    write_timestamp(zone.local(value, unit), unit, precision, out);
    out.push(' ');
    out.push_str(name);
}

/// `2 03:04:05.678`
pub(crate) fn write_day_second(millis: i64, out: &mut String) {
    if millis < 0 {
        out.push('-');
    }
    let millis = millis.unsigned_abs();
    let (days, rest) = (millis / 86_400_000, i64::try_from(millis % 86_400_000).unwrap_or(0));
    let _ = write!(out, "{days} ");
    write_time(rest, 1000, 3, out);
}

/// `1-6`
pub(crate) fn write_year_month(months: i32, out: &mut String) {
    if months < 0 {
        out.push('-');
    }
    let months = months.unsigned_abs();
    let _ = write!(out, "{}-{}", months / 12, months % 12);
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
    fn timestamps_show_the_digits_of_their_type() {
        let millis = 1_704_164_645_678;
        assert_eq!(text(|o| write_timestamp(millis, 1000, 3, o)), "2024-01-02 03:04:05.678");
        assert_eq!(text(|o| write_timestamp(millis, 1000, 0, o)), "2024-01-02 03:04:05");
        assert_eq!(text(|o| write_timestamp(millis * 1000, 1_000_000, 6, o)), "2024-01-02 03:04:05.678000");
        assert_eq!(
            text(|o| write_timestamp(millis * 1_000_000 + 9, 1_000_000_000, 9, o)),
            "2024-01-02 03:04:05.678000009"
        );
        assert_eq!(text(|o| write_timestamp(-1, 1000, 3, o)), "1969-12-31 23:59:59.999");
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        assert_eq!(
            text(|o| write_zoned(millis, 1000, 3, &berlin, "Europe/Berlin", o)),
            "2024-01-02 04:04:05.678 Europe/Berlin"
        );
    }

    #[test]
    fn intervals_and_far_dates() {
        assert_eq!(text(|o| write_day_second(183_845_678, o)), "2 03:04:05.678");
        assert_eq!(text(|o| write_day_second(-1000, o)), "-0 00:00:01.000");
        assert_eq!(text(|o| write_year_month(18, o)), "1-6");
        assert_eq!(text(|o| write_year_month(-5, o)), "-0-5");
        assert_eq!(text(|o| write_date(-719_529, o)), "-0001-12-31");
        assert_eq!(text(|o| write_date(2_932_897, o)), "10000-01-01");
        assert_eq!(text(|o| write_timestamp(i64::MIN, 1000, 3, o)), "-292275055-05-16 16:47:04.192");
    }
}
