//! Dates of a projection: Java's patterns, moments relative to now, and steps from one value to the next.

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, Duration, Months, NaiveDate, NaiveDateTime, Utc};
use model::{Error, Result};

/// A pattern such as `yyyy/MM/dd/HH`.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    strftime: String,
    /// The smallest unit in it.
    pub(super) unit: Unit,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    Years,
    Months,
    Weeks,
    Days,
    Hours,
    Minutes,
    Seconds,
}

const UNITS: [(&str, Unit); 7] = [
    ("YEAR", Unit::Years),
    ("MONTH", Unit::Months),
    ("WEEK", Unit::Weeks),
    ("DAY", Unit::Days),
    ("HOUR", Unit::Hours),
    ("MINUTE", Unit::Minutes),
    ("SECOND", Unit::Seconds),
];

impl Unit {
    /// `YEARS` or `YEAR`, in any case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_uppercase();
        let name = text.strip_suffix('S').unwrap_or(&text);
        UNITS.iter().find(|(known, _)| *known == name).map(|(_, unit)| *unit)
    }

    /// That many units later; earlier when negative. None outside of the calendar.
    pub(super) fn after(self, at: NaiveDateTime, count: i64) -> Option<NaiveDateTime> {
        let months = match self {
            Self::Years => count.checked_mul(12)?,
            Self::Months => count,
            _ => {
                let seconds = match self {
                    Self::Weeks => 7 * 86_400,
                    Self::Days => 86_400,
                    Self::Hours => 3_600,
                    Self::Minutes => 60,
                    _ => 1i64,
                };
                return at.checked_add_signed(Duration::try_seconds(count.checked_mul(seconds)?)?);
            }
        };
        let size = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
        if months < 0 { at.checked_sub_months(size) } else { at.checked_add_months(size) }
    }
}

impl Pattern {
    pub(super) fn new(java: &str) -> Result<Self> {
        let wrong = |what: String| {
            Error::invalid(format!("the date format `{java}` cannot be used for partitions"))
                .why(what)
                .hint("use y, M, d, H, m, s, for instance yyyy/MM/dd")
        };
        let (mut strftime, mut unit) = (String::new(), None::<Unit>);
        let mut chars = java.chars().peekable();
        while let Some(c) = chars.next() {
            if c == '\'' {
                let mut any = false;
                for quoted in chars.by_ref().take_while(|c| *c != '\'') {
                    any = true;
                    literal(quoted, &mut strftime);
                }
                if !any {
                    strftime.push('\'');
                }
                continue;
            }
            if !c.is_ascii_alphabetic() {
                literal(c, &mut strftime);
                continue;
            }
            let mut count = 1;
            while chars.next_if_eq(&c).is_some() {
                count += 1;
            }
            let (code, of) = code(c, count)
                .ok_or_else(|| wrong(format!("`{c}` written {count} times has no meaning here")))?;
            strftime.push_str(code);
            unit = Some(unit.map_or(of, |unit| unit.max(of)));
        }
        let unit = unit.ok_or_else(|| wrong("it holds no part of a date".to_owned()))?;
        Ok(Self { strftime, unit })
    }

    pub(super) fn format(&self, at: NaiveDateTime) -> String {
        at.format(&self.strftime).to_string()
    }

    /// The moment that a text means; what it does not say is the beginning.
    pub(super) fn parse(&self, text: &str) -> Option<NaiveDateTime> {
        let mut parsed = Parsed::new();
        let items: Vec<Item<'_>> = StrftimeItems::new(&self.strftime).collect();
        parse(&mut parsed, text.trim(), items.iter()).ok()?;
        let date = parsed.to_naive_date().ok().or_else(|| {
            let year = parsed.year()?;
            NaiveDate::from_ymd_opt(year, parsed.month().unwrap_or(1), parsed.day().unwrap_or(1))
        })?;
        let hour = match (parsed.hour_div_12(), parsed.hour_mod_12()) {
            (Some(half), Some(hour)) => half * 12 + hour,
            _ => 0,
        };
        date.and_hms_opt(hour, parsed.minute().unwrap_or(0), parsed.second().unwrap_or(0))
    }

    /// A limit of a range: a date in this pattern, or `NOW`, `NOW-3YEARS`, `NOW+1DAY`.
    pub(super) fn limit(&self, text: &str, now: DateTime<Utc>) -> Option<NaiveDateTime> {
        let compact: String = text.to_uppercase().split_whitespace().collect();
        let Some(shift) = compact.strip_prefix("NOW") else { return self.parse(text) };
        if shift.is_empty() {
            return Some(now.naive_utc());
        }
        let sign = match shift.chars().next()? {
            '-' => -1,
            '+' => 1,
            _ => return None,
        };
        let digits: String = shift[1..].chars().take_while(char::is_ascii_digit).collect();
        let count: i64 = digits.parse().ok()?;
        Unit::parse(&shift[1 + digits.len()..])?.after(now.naive_utc(), sign * count)
    }
}

fn literal(c: char, strftime: &mut String) {
    if c == '%' {
        strftime.push('%');
    }
    strftime.push(c);
}

fn code(letter: char, count: usize) -> Option<(&'static str, Unit)> {
    Some(match (letter, count) {
        ('y' | 'u', 4) => ("%Y", Unit::Years),
        ('y' | 'u', 2) => ("%y", Unit::Years),
        ('M' | 'L', 1) => ("%-m", Unit::Months),
        ('M' | 'L', 2) => ("%m", Unit::Months),
        ('M' | 'L', 3) => ("%b", Unit::Months),
        ('M' | 'L', 4) => ("%B", Unit::Months),
        ('d', 1) => ("%-d", Unit::Days),
        ('d', 2) => ("%d", Unit::Days),
        ('D', 3) => ("%j", Unit::Days),
        ('H', 1) => ("%-H", Unit::Hours),
        ('H', 2) => ("%H", Unit::Hours),
        ('m', 1) => ("%-M", Unit::Minutes),
        ('m', 2) => ("%M", Unit::Minutes),
        ('s', 1) => ("%-S", Unit::Seconds),
        ('s', 2) => ("%S", Unit::Seconds),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_both_ways() {
        for (java, text, back) in [
            ("yyyy-MM-dd", "2020-06-30", "2020-06-30 00:00:00"),
            ("yyyy/MM/dd/HH", "2020/06/30/07", "2020-06-30 07:00:00"),
            ("yyyyMMdd", "20200630", "2020-06-30 00:00:00"),
            ("yyyy-MM", "2020-06", "2020-06-01 00:00:00"),
            ("yyyy", "2020", "2020-01-01 00:00:00"),
            ("d.M.yyyy", "3.6.2020", "2020-06-03 00:00:00"),
            ("yyyy-MM-dd'T'HH:mm:ss", "2020-06-30T01:02:03", "2020-06-30 01:02:03"),
        ] {
            let pattern = Pattern::new(java).unwrap();
            let at = pattern.parse(text).unwrap_or_else(|| panic!("{java} reads {text}"));
            assert_eq!(at.to_string(), back);
            assert_eq!(pattern.format(at), text);
        }
        assert!(Pattern::new("yyyy-QQ").is_err() && Pattern::new("--").is_err());
    }

    #[test]
    fn limits_relative_to_now() {
        let now = DateTime::from_timestamp(1_593_500_000, 0).unwrap();
        let pattern = Pattern::new("yyyy-MM-dd").unwrap();
        let shown = |text: &str| pattern.limit(text, now).map(|at| at.to_string());
        assert_eq!(shown("NOW").unwrap(), "2020-06-30 06:53:20");
        assert_eq!(shown("now - 3 years").unwrap(), "2017-06-30 06:53:20");
        assert_eq!(shown("NOW+1MONTH").unwrap(), "2020-07-30 06:53:20");
        assert_eq!(shown("NOW-2WEEKS").unwrap(), "2020-06-16 06:53:20");
        assert_eq!(shown("NOW-WEEKS"), None);
        assert_eq!(shown("2020-01-05").unwrap(), "2020-01-05 00:00:00");
    }
}
