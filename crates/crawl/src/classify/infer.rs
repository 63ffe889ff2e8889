//! Types of text values: the narrowest Hive type that reads every value of a column, as a person would choose it.
//!
//! Integers without leading zeros are `int` or `bigint`; longer ones, up to 38 digits, `decimal(38,0)`; fractions are
//! `double`, unless they carry more digits than a double keeps with one fixed scale. `+4912345`, `007` and `1,000`
//! stay strings. Only `yyyy-MM-dd` is a date and only `yyyy-MM-dd HH:mm:ss[.f]` a timestamp: Hive's readers parse no
//! other form, so ISO 8601 with `T` or a zone stays a string, with a note.

use chrono::{NaiveDate, NaiveTime};
use model::HiveType;

/// Cells that stand for a missing value, whatever the column's type: also the empty cell, and any case of these.
/// A column that holds nothing else is a string.
pub const MISSING_MARKERS: [&str; 8] = ["null", "\\n", "nan", "na", "n/a", "none", "<na>", "#n/a"];

/// More digits than this are no number that anybody computes with.
const MAX_DIGITS: usize = 38;
/// A double keeps this many significant digits when printed.
const DOUBLE_DIGITS: usize = 17;

/// What one value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Missing,
    Boolean,
    Int,
    BigInt,
    /// A whole number of more than 64 bits.
    Huge,
    /// A fraction or exponent; how many significant digits, and digits behind the point (none with an exponent).
    Fraction {
        digits: u8,
        scale: Option<u8>,
    },
    Date,
    Timestamp,
    /// A point in time that Hive's timestamp does not parse.
    OtherTime,
    Text,
}

/// What a value looks like. Space around it does not count.
pub(crate) fn kind_of(value: &str) -> Kind {
    let value = value.trim();
    let Some(first) = value.bytes().next() else { return Kind::Missing };
    if is_missing(value) {
        return Kind::Missing;
    }
    match first {
        b'0'..=b'9' | b'-' | b'.' => number(value).or_else(|| time(value)).unwrap_or(Kind::Text),
        b't' | b'T' | b'f' | b'F'
            if value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false") =>
        {
            Kind::Boolean
        }
        _ => Kind::Text,
    }
}

fn is_missing(value: &str) -> bool {
    value.len() <= 4 && MISSING_MARKERS.iter().any(|marker| value.eq_ignore_ascii_case(marker))
}

fn number(value: &str) -> Option<Kind> {
    let unsigned = value.strip_prefix('-').unwrap_or(value);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits.is_empty() || digits.len() > 3 || !all_digits(digits) {
            return None;
        }
    }
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let no_digits = whole.is_empty() && fraction.is_none_or(str::is_empty);
    if no_digits || !all_digits(whole) || !fraction.is_none_or(all_digits) {
        return None;
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return Some(Kind::Text);
    }
    if fraction.is_none() && exponent.is_none() {
        return Some(integer(value, whole));
    }
    let digits = whole.trim_start_matches('0').len() + fraction.map_or(0, str::len);
    let scale = if exponent.is_some() { None } else { Some(clip(fraction.map_or(0, str::len))) };
    Some(Kind::Fraction { digits: clip(digits), scale })
}

fn integer(value: &str, digits: &str) -> Kind {
    if value.parse::<i32>().is_ok() {
        Kind::Int
    } else if value.parse::<i64>().is_ok() {
        Kind::BigInt
    } else if digits.len() <= MAX_DIGITS {
        Kind::Huge
    } else {
        Kind::Text
    }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn clip(n: usize) -> u8 {
    u8::try_from(n).unwrap_or(u8::MAX)
}

fn time(value: &str) -> Option<Kind> {
    let date = value.get(..10)?;
    if !is_date(date) {
        return None;
    }
    let rest = &value[10..];
    let separator = match rest.bytes().next() {
        None => return Some(Kind::Date),
        Some(byte @ (b' ' | b'T' | b't')) => byte,
        Some(_) => return None,
    };
    let rest = &rest[1..];
    let zone_at = rest.find(['Z', 'z', '+', '-', ' ']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(zone_at);
    if !is_clock(clock) {
        return None;
    }
    let full = clock.len() >= 8 && clock.len() != 9 && clock.len() <= 18;
    Some(if separator == b' ' && zone.is_empty() && full { Kind::Timestamp } else { Kind::OtherTime })
}

/// Whether it is a day as `yyyy-MM-dd`.
pub(crate) fn is_date(value: &str) -> bool {
    let bytes = value.as_bytes();
    bytes.len() == 10
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && [0..4, 5..7, 8..10].iter().all(|part| bytes[part.clone()].iter().all(u8::is_ascii_digit))
        && NaiveDate::parse_from_str(value, "%Y-%m-%d").is_ok()
}

fn is_clock(clock: &str) -> bool {
    ["%H:%M:%S%.f", "%H:%M"].iter().any(|format| NaiveTime::parse_from_str(clock, format).is_ok())
}

/// What a column's values have in common so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnKind {
    booleans: u64,
    ints: u64,
    bigints: u64,
    huge: u64,
    fractions: u64,
    wide_fractions: u64,
    scale: Option<u8>,
    scales_differ: bool,
    dates: u64,
    timestamps: u64,
    other_times: u64,
    texts: u64,
    missing: u64,
}

impl ColumnKind {
    pub(crate) fn see(&mut self, value: &str) {
        self.see_kind(kind_of(value));
    }

    pub(crate) fn see_kind(&mut self, kind: Kind) {
        match kind {
            Kind::Missing => self.missing += 1,
            Kind::Boolean => self.booleans += 1,
            Kind::Int => self.ints += 1,
            Kind::BigInt => self.bigints += 1,
            Kind::Huge => self.huge += 1,
            Kind::Fraction { digits, scale } => {
                self.fractions += 1;
                self.wide_fractions += u64::from(usize::from(digits) > DOUBLE_DIGITS);
                self.scales_differ |= scale.is_none() || self.scale.is_some_and(|known| Some(known) != scale);
                self.scale = self.scale.or(scale);
            }
            Kind::Date => self.dates += 1,
            Kind::Timestamp => self.timestamps += 1,
            Kind::OtherTime => self.other_times += 1,
            Kind::Text => self.texts += 1,
        }
    }

    /// Takes what another part of the data showed into account.
    pub(crate) fn unite(&mut self, other: &Self) {
        self.booleans += other.booleans;
        self.ints += other.ints;
        self.bigints += other.bigints;
        self.huge += other.huge;
        self.fractions += other.fractions;
        self.wide_fractions += other.wide_fractions;
        let differ = self.scale.is_some() && other.scale.is_some() && self.scale != other.scale;
        self.scales_differ |= other.scales_differ || differ;
        self.scale = self.scale.or(other.scale);
        self.dates += other.dates;
        self.timestamps += other.timestamps;
        self.other_times += other.other_times;
        self.texts += other.texts;
        self.missing += other.missing;
    }

    fn numbers(&self) -> u64 {
        self.ints + self.bigints + self.huge + self.fractions
    }

    fn seen(&self) -> u64 {
        self.numbers() + self.booleans + self.dates + self.timestamps + self.other_times + self.texts
    }

    /// Whether every value was a time that only text can hold.
    pub(crate) fn is_other_time(&self) -> bool {
        self.other_times > 0 && self.other_times + self.timestamps + self.dates == self.seen()
    }

    /// The type, or none when nothing but missing values was seen.
    pub(crate) fn hive_type(&self) -> Option<HiveType> {
        let seen = self.seen();
        Some(match seen {
            0 => return None,
            _ if self.booleans == seen => HiveType::Boolean,
            _ if self.dates == seen => HiveType::Date,
            _ if self.timestamps == seen => HiveType::Timestamp,
            _ if self.numbers() == seen => self.number_type(),
            _ => HiveType::String,
        })
    }

    fn number_type(&self) -> HiveType {
        if self.fractions > 0 {
            // A double would silently round what was written with one scale and more digits than it keeps.
            let exact = self.wide_fractions > 0 && !self.scales_differ && self.fractions > 1;
            return match self.scale {
                Some(scale) if exact && scale <= 18 => HiveType::Decimal { precision: 38, scale },
                _ => HiveType::Double,
            };
        }
        if self.huge > 0 {
            HiveType::Decimal { precision: 38, scale: 0 }
        } else if self.bigints > 0 {
            HiveType::BigInt
        } else {
            HiveType::Int
        }
    }
}

/// The last words of names whose digits nobody computes with.
const CODES: [&str; 14] = [
    "zip",
    "zipcode",
    "zip5",
    "postcode",
    "postal",
    "postalcode",
    "plz",
    "phone",
    "telephone",
    "mobile",
    "fax",
    "ssn",
    "iban",
    "msisdn",
];

/// Whether a column of digits is a code by its name, such as a postal code or a telephone number: a string.
pub(crate) fn is_code_name(name: &str) -> bool {
    let words = words_of(name);
    let ends_in_number = words.last().is_some_and(|word| matches!(word.as_str(), "code" | "number" | "no"));
    let relevant = if ends_in_number {
        words.len().saturating_sub(2)..words.len()
    } else {
        words.len().saturating_sub(1)..words.len()
    };
    words[relevant].iter().any(|word| CODES.contains(&word.as_str()))
}

/// The words of `zipCode`, `zip_code` or `Zip Code`, in lower case.
pub(crate) fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut after_lower = false;
    for c in name.chars() {
        let starts = !c.is_alphanumeric() || (c.is_uppercase() && after_lower);
        if starts && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase() || c.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_of(values: &[&str]) -> Option<String> {
        let mut column = ColumnKind::default();
        values.iter().for_each(|value| column.see(value));
        column.hive_type().map(|hive_type| hive_type.to_string())
    }

    #[test]
    fn types_a_person_would_choose() {
        for (values, expected) in [
            (&["1", "-2", "0"][..], Some("int")),
            (&["1", "2147483648"], Some("bigint")),
            (&["1", "9223372036854775808"], Some("decimal(38,0)")),
            (&["123456789012345678901234567890123456789"], Some("string")),
            (&["1", "2.5", "-1e-7", ".5", "3."], Some("double")),
            (&["12345678901234567.10", "12345678901234567.11"], Some("decimal(38,2)")),
            (&["-73.987654321093751", "0.5"], Some("double")),
            (&["007", "8"], Some("string")),
            (&["0", "0.0"], Some("double")),
            (&["+4912345"], Some("string")),
            (&["1,000"], Some("string")),
            (&["", "NA", "7", "null", "NaN", "\\N"], Some("int")),
            (&["", "NA"], None),
            (&["true", "FALSE", ""], Some("boolean")),
            (&["true", "1"], Some("string")),
            (&["2020-02-29"], Some("date")),
            (&["2021-02-29"], Some("string")),
            (&["2021-02-28 10:11:12", "2021-02-28 10:11:12.123456789"], Some("timestamp")),
            (&["2021-02-28 10:11"], Some("string")),
            (&["2021-02-28T10:11:12Z"], Some("string")),
            (&["2021-02-28", "2021-02-28 10:11:12"], Some("string")),
            (&["1e999999"], Some("string")),
            (&["-", "."], Some("string")),
            (&["12:30"], Some("string")),
        ] {
            assert_eq!(type_of(values).as_deref(), expected, "{values:?}");
        }
    }

    #[test]
    fn iso_times_are_told_apart_from_other_strings() {
        let mut column = ColumnKind::default();
        column.see("2020-01-01T11:32:54Z");
        column.see("2021-09-09T12:15:02.001+02:00");
        assert!(column.is_other_time());
        column.see("soon");
        assert!(!column.is_other_time());
    }

    #[test]
    fn codes_by_name() {
        for name in ["zip", "ZipCode", "postal_code", "home phone", "phone_number", "shipping.zip"] {
            assert!(is_code_name(name), "{name}");
        }
        for name in ["zip_count", "code", "number", "phone_calls", "id", ""] {
            assert!(!is_code_name(name), "{name}");
        }
    }
}
