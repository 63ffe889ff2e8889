//! `INTERVAL '1 day 02:00:00'`: PostgreSQL's texts for spans of time, taken apart.

use model::{Error, Result};

/// A span of time, in parts that do not turn into each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) months: i64,
    pub(crate) days: i64,
    pub(crate) micros: i64,
}

/// Reads a text such as `1 year 2 mons`, `-3 days 04:05:06.7`, `90 minutes ago`.
pub(crate) fn span(text: &str) -> Result<Span> {
    let wrong = || {
        Error::invalid(format!("`{text}` is no interval"))
            .hint("write INTERVAL '1 day' or '2 hours 30 minutes'")
    };
    let mut span = Span::default();
    let mut words = text.split_whitespace().peekable();
    let mut any = false;
    while let Some(word) = words.next() {
        if word == "@" {
            continue;
        }
        if word.eq_ignore_ascii_case("ago") && words.peek().is_none() && any {
            let negated = |part: i64| part.checked_neg().ok_or_else(wrong);
            span = Span {
                months: negated(span.months)?,
                days: negated(span.days)?,
                micros: negated(span.micros)?,
            };
            continue;
        }
        any = true;
        if word.contains(':') {
            span.micros = span.micros.checked_add(clock(word).ok_or_else(wrong)?).ok_or_else(wrong)?;
            continue;
        }
        // The unit may touch its number: `1day`.
        let end = word.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(word.len());
        let (number, unit) = word.split_at(end);
        let unit = match unit {
            "" => words.next().ok_or_else(wrong)?,
            unit => unit,
        };
        let unit =
            if unit.eq_ignore_ascii_case("ms") { "msec".to_owned() } else { unit.to_ascii_lowercase() };
        let whole = |each: i64| number.parse::<i64>().ok().and_then(|n| n.checked_mul(each));
        let part = |each: i64| micros(number, each);
        let (sum, more) = match unit.trim_end_matches('s') {
            "year" | "yr" | "y" => (&mut span.months, whole(12)),
            "month" | "mon" => (&mut span.months, whole(1)),
            "week" | "w" => (&mut span.days, whole(7)),
            "day" | "d" => (&mut span.days, whole(1)),
            "hour" | "hr" | "h" => (&mut span.micros, part(3_600_000_000)),
            "minute" | "min" | "m" => (&mut span.micros, part(60_000_000)),
            "second" | "sec" | "" => (&mut span.micros, part(1_000_000)),
            "millisecond" | "msec" => (&mut span.micros, part(1000)),
            "microsecond" | "usec" | "u" => (&mut span.micros, part(1)),
            _ => return Err(wrong()),
        };
        *sum = more.and_then(|more| sum.checked_add(more)).ok_or_else(wrong)?;
    }
    if any { Ok(span) } else { Err(wrong()) }
}

/// A number with digits behind its point, times whole microseconds.
fn micros(number: &str, each: i64) -> Option<i64> {
    let (negative, digits) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if part.len() > 9 || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole: i64 = if whole.is_empty() && !part.is_empty() { 0 } else { whole.parse().ok()? };
    let scale = 10_i128.pow(u32::try_from(part.len()).ok()?);
    let part: i128 = if part.is_empty() { 0 } else { part.parse().ok()? };
    let all = (i128::from(whole) * scale + part) * i128::from(each) / scale;
    i64::try_from(if negative { -all } else { all }).ok()
}

/// `04:05:06.7`, `-04:05`
fn clock(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = text.split(':');
    let hours = micros(parts.next()?, 3_600_000_000)?;
    let minutes = micros(parts.next()?, 60_000_000)?;
    let seconds = parts.next().map_or(Some(0), |text| micros(text, 1_000_000))?;
    let all = hours.checked_add(minutes)?.checked_add(seconds)?.checked_mul(sign)?;
    parts.next().is_none().then_some(all)
}

impl Span {
    /// The span in the engine's language. That keeps months apart from days and has no microseconds.
    pub(crate) fn engine(self) -> Result<String> {
        if self.months != 0 && (self.days != 0 || self.micros != 0) {
            return Err(Error::unsupported("an interval of months and days together is not supported")
                .hint("add the two one after the other: x + INTERVAL '1 month' + INTERVAL '1 day'"));
        }
        if self.micros % 1000 != 0 {
            return Err(Error::unsupported("an interval has no microseconds here"));
        }
        if self.months != 0 {
            let sign = if self.months < 0 { "-" } else { "" };
            return Ok(format!("INTERVAL '{sign}{}' MONTH", self.months.unsigned_abs()));
        }
        let seconds = self.micros.div_euclid(1_000_000);
        let millis = self.micros.rem_euclid(1_000_000) / 1000;
        let signed = |number: i64| {
            let sign = if number < 0 { "-" } else { "" };
            format!("{sign}{}", number.unsigned_abs())
        };
        let mut parts = Vec::new();
        if self.days != 0 {
            parts.push(format!("INTERVAL '{}' DAY", signed(self.days)));
        }
        if seconds != 0 || millis != 0 || parts.is_empty() {
            parts.push(format!("INTERVAL '{}' SECOND", signed(seconds)));
        }
        if millis != 0 {
            parts.push(format!("INTERVAL '0.{millis:03}' SECOND"));
        }
        Ok(match parts.as_slice() {
            [one] => one.clone(),
            several => format!("({})", several.join(" + ")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (text, months, days, micros) in [
            ("1 day", 0, 1, 0),
            ("1 year 2 mons", 14, 0, 0),
            ("-3 days 04:05:06.7", 0, -3, 14_706_700_000),
            ("90 minutes ago", 0, 0, -5_400_000_000),
            ("1.5 hours", 0, 0, 5_400_000_000),
            ("2weeks", 0, 14, 0),
            ("1 h 1 min 1 s", 0, 0, 3_661_000_000),
        ] {
            assert_eq!(span(text).unwrap(), Span { months, days, micros }, "{text}");
        }
        for bad in [
            "",
            "day",
            "1",
            "1 fortnight",
            "1:2:3:4",
            "x days",
            "9223372036854775807 months 1 month",
            "9223372036854775807 days 1 week",
            "-9223372036854775808 days ago",
            "9223372036854775807 us 1 us",
            "2562047788:00:00 2562047788:00:00",
            "2562047788:99999999:00",
        ] {
            assert!(span(bad).is_err(), "{bad}");
        }
        assert_eq!(
            span("1 day 1.5 s").unwrap().engine().unwrap(),
            "(INTERVAL '1' DAY + INTERVAL '1' SECOND + INTERVAL '0.500' SECOND)"
        );
        assert!(span("1 month 1 day").unwrap().engine().is_err());
    }
}
