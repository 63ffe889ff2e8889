//! Partition key values as texts that sort as their values do, so that an index of the database can answer filters.
//!
//! Numbers become sign, count of digits, digits; dates and timestamps are written in one canonical way; texts stay as
//! they are. Null is the empty text, which sorts first and which no value has. What is stored this way can be turned
//! back into the canonical spelling (`06` of an int key comes back as `6`; rows keep an unusual spelling beside).

use crate::types::NULL_VALUE;
use chrono::{NaiveDate, NaiveDateTime};
use model::{Column, Error, HiveType, Result};

/// Null, encoded.
pub(crate) const NULL: &str = "";

/// Digits that a number may have before and behind the point.
const MAX_DIGITS: usize = 38;

/// How a key's values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Text,
    /// Whole numbers within these limits.
    Integer(i64, i64),
    /// Numbers with so many digits before and behind the point.
    Decimal(u8, u8),
    Date,
    Timestamp,
    Boolean,
    /// Kept as it is and not compared: floating-point numbers and bytes name folders badly.
    Opaque,
}

impl KeyKind {
    pub(crate) fn of(hive_type: &HiveType) -> Self {
        match hive_type {
            HiveType::String | HiveType::Char(_) | HiveType::Varchar(_) => Self::Text,
            HiveType::TinyInt => Self::Integer(i8::MIN.into(), i8::MAX.into()),
            HiveType::SmallInt => Self::Integer(i16::MIN.into(), i16::MAX.into()),
            HiveType::Int => Self::Integer(i32::MIN.into(), i32::MAX.into()),
            HiveType::BigInt => Self::Integer(i64::MIN, i64::MAX),
            HiveType::Decimal { precision, scale } => Self::Decimal(precision - scale, *scale),
            HiveType::Date => Self::Date,
            HiveType::Timestamp => Self::Timestamp,
            HiveType::Boolean => Self::Boolean,
            _ => Self::Opaque,
        }
    }

    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Integer(..) | Self::Decimal(..))
    }

    /// Whether every value of the other kind is one of this kind with the same encoding, so that rows stay as they are.
    pub(crate) fn covers(self, other: Self) -> bool {
        match (self, other) {
            (Self::Text | Self::Opaque, Self::Text | Self::Opaque) => true,
            (Self::Integer(min, max), Self::Integer(other_min, other_max)) => {
                min <= other_min && max >= other_max
            }
            (Self::Decimal(whole, scale), Self::Decimal(other_whole, other_scale)) => {
                whole >= other_whole && scale >= other_scale
            }
            _ => self == other,
        }
    }

    /// The encoding of a value as a folder spells it. None when it is no value of this kind.
    fn encode(self, value: &str) -> Option<String> {
        match self {
            Self::Text | Self::Opaque => Some(value.to_owned()),
            Self::Integer(min, max) => {
                let number = Number::parse(value)?;
                number.as_integer().filter(|n| (min..=max).contains(n)).map(|_| number.encode())
            }
            Self::Decimal(whole, scale) => {
                let number = Number::parse(value)?;
                number.fits(usize::from(whole), usize::from(scale)).then(|| number.encode())
            }
            Self::Date => parse_date(value).map(date_text),
            Self::Timestamp => parse_timestamp(value).map(timestamp_text),
            Self::Boolean => {
                let folded = value.to_ascii_lowercase();
                matches!(folded.as_str(), "true" | "false").then_some(folded)
            }
        }
    }

    /// The canonical spelling of an encoded value.
    fn decode(self, encoded: &str) -> Option<String> {
        if self.is_number() {
            Number::decode(encoded).map(|n| n.to_string())
        } else {
            Some(encoded.to_owned())
        }
    }
}

/// The keys of a table.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) hive_type: HiveType,
    pub(crate) kind: KeyKind,
}

pub(crate) fn keys_of(columns: &[Column]) -> Vec<Key> {
    columns
        .iter()
        .map(|column| Key {
            name: column.name.clone(),
            hive_type: column.hive_type.clone(),
            kind: KeyKind::of(&column.hive_type),
        })
        .collect()
}

/// A partition's values, encoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Encoded {
    pub(crate) keys: Vec<String>,
    /// Whether decoding gives back exactly what came in.
    pub(crate) canonical: bool,
}

/// Encodes a partition's values, or says which of them is wrong.
pub(crate) fn encode_values(keys: &[Key], values: &[String]) -> Result<Encoded> {
    if values.len() != keys.len() {
        let names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
        return Err(Error::invalid(format!(
            "partition {} has {} values, the table has {} partition keys",
            crate::check::show_values(values),
            values.len(),
            keys.len()
        ))
        .hint(if keys.is_empty() {
            "the table is not partitioned".to_owned()
        } else {
            format!("give one value for each of {}", names.join(", "))
        }));
    }
    let mut encoded = Encoded { keys: Vec::with_capacity(keys.len()), canonical: true };
    for (key, value) in keys.iter().zip(values) {
        let text = encode_value(key, value)?;
        encoded.canonical &= decode_value(key, &text).as_deref() == Some(value.as_str());
        encoded.keys.push(text);
    }
    Ok(encoded)
}

/// Encodes one value of a key.
pub(crate) fn encode_value(key: &Key, value: &str) -> Result<String> {
    if value == NULL_VALUE {
        return Ok(NULL.to_owned());
    }
    crate::check::text(&format!("partition key `{}`", key.name), "value", value, 1, crate::check::KEY_VALUE)
        .map_err(|e| if value.is_empty() { e.hint(format!("a null is written {NULL_VALUE}")) } else { e })?;
    key.kind.encode(value).ok_or_else(|| {
        let shown: String = value.chars().take(80).collect();
        Error::invalid(format!(
            "`{shown}` is no {} value for the partition key `{}`",
            key.hive_type, key.name
        ))
        .hint(spelling(key.kind))
    })
}

/// The canonical spelling of an encoded value, null included. None when the stored text is damaged.
pub(crate) fn decode_value(key: &Key, encoded: &str) -> Option<String> {
    if encoded == NULL { Some(NULL_VALUE.to_owned()) } else { key.kind.decode(encoded) }
}

/// How values of that kind are written, for hints.
pub(crate) fn spelling(kind: KeyKind) -> String {
    match kind {
        KeyKind::Integer(min, max) => format!("write a whole number from {min} to {max}, such as 2020"),
        KeyKind::Decimal(whole, scale) => {
            format!("write a number with at most {whole} digits before and {scale} behind the point")
        }
        KeyKind::Date => "write dates like 2020-06-30".to_owned(),
        KeyKind::Timestamp => "write timestamps like 2020-06-30 13:05:00".to_owned(),
        KeyKind::Boolean => "write true or false".to_owned(),
        KeyKind::Text | KeyKind::Opaque => "write a text".to_owned(),
    }
}

/// A decimal number of any precision up to 38 digits on either side of the point, without needless zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number {
    negative: bool,
    whole: String,
    fraction: String,
}

impl Number {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        if whole.len() > MAX_DIGITS || fraction.len() > MAX_DIGITS {
            return None;
        }
        let is_zero = whole.is_empty() && fraction.is_empty();
        Some(Self {
            negative: negative && !is_zero,
            whole: if whole.is_empty() { "0".to_owned() } else { whole.to_owned() },
            fraction: fraction.to_owned(),
        })
    }

    fn as_integer(&self) -> Option<i64> {
        if self.fraction.is_empty() { self.to_string().parse().ok() } else { None }
    }

    fn fits(&self, whole: usize, scale: usize) -> bool {
        self.fraction.len() <= scale && (self.whole == "0" || self.whole.len() <= whole)
    }

    /// Sign, count of digits as one character, digits. Of negative numbers everything is turned around, and an end mark
    /// makes a longer fraction sort before a shorter one.
    pub(crate) fn encode(&self) -> String {
        // At most 38 digits: the counts stay between ' ' + 1 and '~' - 1.
        let count = u8::try_from(self.whole.len()).unwrap_or(u8::MAX - b'@');
        let digits = self.whole.bytes().chain(self.fraction.bytes());
        let mut text = String::with_capacity(usize::from(count) + self.fraction.len() + 3);
        if self.negative {
            text.push('-');
            text.push(char::from(b'~' - count));
            text.extend(digits.map(|b| char::from(b'0' + b'9' - b)));
            text.push('~');
        } else {
            text.push('0');
            text.push(char::from(b'@' + count));
            text.extend(digits.map(char::from));
        }
        text
    }

    fn decode(encoded: &str) -> Option<Self> {
        let bytes = encoded.as_bytes();
        let negative = match bytes.first()? {
            b'-' => true,
            b'0' => false,
            _ => return None,
        };
        let mark = *bytes.get(1)?;
        let count = usize::from(if negative { b'~'.checked_sub(mark)? } else { mark.checked_sub(b'@')? });
        let digits: Vec<u8> = if negative {
            let turned = bytes[2..].strip_suffix(b"~")?;
            turned.iter().map(|b| (b'0' + b'9').wrapping_sub(*b)).collect()
        } else {
            bytes[2..].to_vec()
        };
        let digits = String::from_utf8(digits).ok()?;
        let (whole, fraction) = digits.split_at_checked(count)?;
        Self::parse(&format!("{}{whole}.{fraction}", if negative { "-" } else { "" }))
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let point = if self.fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{}{point}{}", self.whole, self.fraction)
    }
}

pub(crate) fn parse_date(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes
            .iter()
            .enumerate()
            .all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() });
    if shaped { NaiveDate::parse_from_str(text, "%Y-%m-%d").ok() } else { None }
}

/// With a space or a `T`, with or without seconds, fraction and a final `Z`; or a date alone, at midnight.
pub(crate) fn parse_timestamp(text: &str) -> Option<NaiveDateTime> {
    let date = parse_date(text.get(..10)?)?;
    let rest = &text[10..];
    if rest.is_empty() {
        return date.and_hms_opt(0, 0, 0);
    }
    let rest = rest.strip_prefix([' ', 'T'])?;
    let rest = rest.strip_suffix('Z').unwrap_or(rest);
    let (time, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
    let digits = fraction.bytes().all(|b| b.is_ascii_digit());
    if fraction.is_empty() || fraction.len() > 9 || !digits || !(time.len() == 8 || time.len() == 5) {
        return None;
    }
    let parts: Vec<u32> = time
        .split(':')
        .map(|part| {
            if part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()) { part.parse().ok() } else { None }
        })
        .collect::<Option<_>>()?;
    let nanos: u32 = format!("{fraction:0<9}").parse().ok()?;
    match parts.as_slice() {
        [hour, minute] if !rest.contains('.') => date.and_hms_opt(*hour, *minute, 0),
        [hour, minute, second] => date.and_hms_nano_opt(*hour, *minute, *second, nanos),
        _ => None,
    }
}

pub(crate) fn date_text(date: NaiveDate) -> String {
    date.format("%Y-%m-%d").to_string()
}

pub(crate) fn timestamp_text(timestamp: NaiveDateTime) -> String {
    let text = timestamp.format("%Y-%m-%d %H:%M:%S%.9f").to_string();
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cmp::Ordering;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    proptest! {
        #[test]
        fn encoded_numbers_sort_as_numbers(a in -2_000_000i64..2_000_000, b in -2_000_000i64..2_000_000) {
            // Thousandths as decimals: their order is that of the whole numbers.
            let text = |n: i64| format!("{}{}.{:03}", if n < 0 { "-" } else { "" }, n.abs() / 1000, n.abs() % 1000);
            let (x, y) = (number(&text(a)), number(&text(b)));
            prop_assert_eq!(x.encode().cmp(&y.encode()), a.cmp(&b));
            prop_assert_eq!(Number::decode(&x.encode()), Some(x));
        }

        #[test]
        fn all_integers_sort_and_come_back(a in any::<i64>(), b in any::<i64>()) {
            let (x, y) = (number(&a.to_string()), number(&b.to_string()));
            prop_assert_eq!(x.encode().cmp(&y.encode()), a.cmp(&b));
            prop_assert_eq!(Number::decode(&x.encode()).unwrap().to_string(), a.to_string());
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,30}") {
            for kind in [KeyKind::Integer(0, 9), KeyKind::Decimal(3, 2), KeyKind::Date, KeyKind::Timestamp] {
                let _ = kind.encode(&text);
                let _ = kind.decode(&text);
            }
        }
    }

    #[test]
    fn the_longest_numbers_keep_their_order() {
        let nines = "9".repeat(38);
        let texts = [
            format!("-{nines}.{nines}"),
            format!("-{nines}"),
            "-1".to_owned(),
            "-0.5".to_owned(),
            "0".to_owned(),
            "0.05".to_owned(),
            "7".to_owned(),
            nines.clone(),
            format!("{nines}.{nines}"),
        ];
        let encoded: Vec<String> = texts.iter().map(|text| number(text).encode()).collect();
        assert!(encoded.is_sorted(), "{encoded:?}");
        for (text, encoded) in texts.iter().zip(&encoded) {
            assert_eq!(&Number::decode(encoded).unwrap().to_string(), text);
        }
        assert_eq!(Number::parse(&"9".repeat(39)), None);
    }

    #[test]
    fn values_are_checked_against_their_type() {
        let tiny = KeyKind::of(&HiveType::TinyInt);
        assert_eq!(tiny.encode("127").map(|e| tiny.decode(&e)), Some(Some("127".to_owned())));
        for bad in ["128", "1.5", "x", "", "1e2", "--1", "+"] {
            assert_eq!(tiny.encode(bad), None, "{bad}");
        }
        assert_eq!(tiny.encode("007"), tiny.encode("7"));
        assert_eq!(tiny.encode("-0"), tiny.encode("0"));
        let decimal = KeyKind::of(&HiveType::Decimal { precision: 5, scale: 2 });
        assert_eq!(decimal.encode("12.50"), decimal.encode("12.5"));
        assert_eq!(decimal.encode("12.345"), None);
        assert_eq!(decimal.encode("1234"), None);
        assert_eq!(KeyKind::Date.encode("2020-02-30"), None);
        assert_eq!(KeyKind::Date.encode("20-2-3"), None);
    }

    #[test]
    fn timestamps_have_one_spelling() {
        let encode = |text: &str| KeyKind::Timestamp.encode(text);
        for same in ["2020-06-01 00:00:00", "2020-06-01", "2020-06-01T00:00Z", "2020-06-01 00:00:00.000"] {
            assert_eq!(encode(same).as_deref(), Some("2020-06-01 00:00:00"), "{same}");
        }
        let ordered = [
            encode("2020-06-01 10:00:00"),
            encode("2020-06-01 10:00:00.05"),
            encode("2020-06-01 10:00:00.5"),
        ];
        assert_eq!(ordered[0].cmp(&ordered[1]), Ordering::Less);
        assert_eq!(ordered[1].cmp(&ordered[2]), Ordering::Less);
        for bad in [
            "2020-06-01 25:00:00",
            "2020-06-01 10",
            "2020-06-01x10:00:00",
            "2020-06-01 1:00:00",
            "2020-06-01 10:00:00.",
        ] {
            assert_eq!(encode(bad), None, "{bad}");
        }
    }
}
