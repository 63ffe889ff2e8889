//! Dates and times in their usual written forms.

/// A point in time (or of a calendar without a zone) as seconds since 1970 and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant {
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
pub(crate) fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let shifted = i64::from(if month > 2 { month - 3 } else { month + 9 });
    let of_year = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// A day that exists, as days since 1970.
pub(super) fn checked_days(year: i64, month: u32, day: u32) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    ((1..=length).contains(&day)).then(|| days_from_civil(year, month, day))
}

fn two(text: &[u8], at: usize) -> Option<u32> {
    let &[a, b] = text.get(at..at + 2)? else { return None };
    let (a, b) = (a.wrapping_sub(b'0'), b.wrapping_sub(b'0'));
    (a <= 9 && b <= 9).then(|| u32::from(a) * 10 + u32::from(b))
}

/// `yyyy-MM-dd` at the beginning, with the rest; years of more digits and single-digit months and days are understood.
fn leading_date(text: &[u8]) -> Option<(i64, &[u8])> {
    if let [_, _, _, _, b'-', _, _, b'-', _, _, rest @ ..] = text
        && let (Some(high), Some(low), Some(month), Some(day)) =
            (two(text, 0), two(text, 2), two(text, 5), two(text, 8))
    {
        return Some((checked_days(i64::from(high * 100 + low), month, day)?, rest));
    }
    let (sign, text) = match text {
        [b'-', rest @ ..] => (-1, rest),
        _ => (1, text),
    };
    let (year, digits, rest) = digits(text, 6)?;
    let rest = rest.strip_prefix(b"-")?;
    let (month, _, rest) = self::digits(rest, 2)?;
    let rest = rest.strip_prefix(b"-")?;
    let (day, _, rest) = self::digits(rest, 2)?;
    if digits < 4 {
        return None;
    }
    Some((checked_days(sign * i64::from(year), month, day)?, rest))
}

/// One to `most` digits: their value, how many there were, and the rest.
pub(super) fn digits(text: &[u8], most: usize) -> Option<(u32, usize, &[u8])> {
    let length = text.iter().take(most).take_while(|b| b.is_ascii_digit()).count();
    let (number, rest) = text.split_at_checked(length)?;
    let value = number.iter().fold(0u32, |value, b| value * 10 + u32::from(b - b'0'));
    (length > 0).then_some((value, length, rest))
}

/// A date, `yyyy-MM-dd`. As in Hive, a time behind it is cut off.
pub(crate) fn date(text: &[u8]) -> Option<i32> {
    let (days, rest) = leading_date(text)?;
    if !rest.is_empty() {
        instant(text)?;
    }
    i32::try_from(days).ok()
}

/// `HH:mm[:ss[.f…]]` at the beginning, with the rest.
pub(super) fn leading_time(text: &[u8]) -> Option<(i64, u32, &[u8])> {
    // As nearly all are written.
    if let Some((clock, rest)) = text.split_first_chunk::<8>()
        && let Some(seconds) = second_of_day(clock)
    {
        match rest {
            [b'.', a, b, c, rest @ ..] if !rest.first().is_some_and(u8::is_ascii_digit) => {
                if let [a @ 0..=9, b @ 0..=9, c @ 0..=9] = [a, b, c].map(|digit| digit.wrapping_sub(b'0')) {
                    let millis = u32::from(a) * 100 + u32::from(b) * 10 + u32::from(c);
                    return Some((seconds, millis * 1_000_000, rest));
                }
            }
            [b'.' | b',' | b'0'..=b'9', ..] => {}
            rest => return Some((seconds, 0, rest)),
        }
    }
    let (hour, minute, rest) = match text {
        [_, _, b':', _, _, rest @ ..] => (two(text, 0)?, two(text, 3)?, rest),
        _ => {
            let (hour, _, rest) = digits(text, 2)?;
            let (minute, _, rest) = digits(rest.strip_prefix(b":")?, 2)?;
            (hour, minute, rest)
        }
    };
    let (second, rest) = match rest {
        [b':', rest @ ..] => {
            let (second, _, rest) = digits(rest, 2)?;
            (second, rest)
        }
        _ => (0, rest),
    };
    let (nanos, rest) = match rest {
        [b'.' | b',', fraction @ ..] => fraction_of_second(fraction)?,
        _ => (0, rest),
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some((i64::from(hour * 3600 + minute * 60 + second), nanos, rest))
}

/// Digits behind the point as nanoseconds; what is finer is cut off.
fn fraction_of_second(text: &[u8]) -> Option<(u32, &[u8])> {
    let (value, length, rest) = digits(text, 9)?;
    let nanos = value * 10u32.pow(9 - u32::try_from(length).ok()?);
    let more = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    Some((nanos, rest.get(more..)?))
}

/// `Z`, `UTC`, `+hh:mm`, `+hhmm` or `+hh`, as seconds east of Greenwich.
pub(super) fn offset(text: &[u8]) -> Option<i64> {
    match text {
        [b'Z' | b'z'] | b"UTC" | b"GMT" => Some(0),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let (hours, minutes) = match rest {
                [_, _] => (two(rest, 0)?, 0),
                [_, _, b':', _, _] => (two(rest, 0)?, two(rest, 3)?),
                [_, _, _, _] => (two(rest, 0)?, two(rest, 2)?),
                _ => return None,
            };
            let seconds = i64::from(hours * 3600 + minutes * 60);
            (hours <= 18 && minutes < 60).then_some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

/// A timestamp: `yyyy-MM-dd`, then optionally a space or `T` and a time, then optionally a zone's offset, which turns
/// it to UTC.
pub(crate) fn instant(text: &[u8]) -> Option<Instant> {
    let (days, rest) = leading_date(text)?;
    let midnight = days * 86_400;
    let time = match rest {
        [] => return Some(Instant { seconds: midnight, nanos: 0 }),
        [b' ' | b'T' | b't', time @ ..] => time,
        _ => return None,
    };
    let (seconds, nanos, rest) = leading_time(time)?;
    let east = match rest {
        [] => 0,
        [b' ', zone @ ..] => offset(zone)?,
        zone => offset(zone)?,
    };
    Some(Instant { seconds: midnight + seconds - east, nanos })
}

/// `HH:mm:ss` and nothing else.
#[inline]
pub(super) fn second_of_day(text: &[u8]) -> Option<i64> {
    let [_, _, b':', _, _, b':', _, _] = text else { return None };
    let (hour, minute, second) = (two(text, 0)?, two(text, 3)?, two(text, 6)?);
    (hour <= 23 && minute <= 59 && second <= 59).then(|| i64::from(hour * 3600 + minute * 60 + second))
}

/// A timestamp as access logs have it, `dd/MMM/yyyy:HH:mm:ss +hhmm`, turned to UTC.
pub(super) fn log_time(text: &[u8]) -> Option<Instant> {
    let [_, _, b'/', a, b, c, b'/', _, _, _, _, b':'] = text.get(..12)? else { return None };
    let month = match [a, b, c].map(u8::to_ascii_lowercase) {
        [b'j', b'a', b'n'] => 1,
        [b'f', b'e', b'b'] => 2,
        [b'm', b'a', b'r'] => 3,
        [b'a', b'p', b'r'] => 4,
        [b'm', b'a', b'y'] => 5,
        [b'j', b'u', b'n'] => 6,
        [b'j', b'u', b'l'] => 7,
        [b'a', b'u', b'g'] => 8,
        [b's', b'e', b'p'] => 9,
        [b'o', b'c', b't'] => 10,
        [b'n', b'o', b'v'] => 11,
        [b'd', b'e', b'c'] => 12,
        _ => return None,
    };
    let year = two(text, 7)? * 100 + two(text, 9)?;
    let days = checked_days(i64::from(year), month, two(text, 0)?)?;
    let of_day = second_of_day(text.get(12..20)?)?;
    let east = match text.get(20..)? {
        [b' ', zone @ ..] => offset(zone)?,
        _ => return None,
    };
    Some(Instant { seconds: days * 86_400 + of_day - east, nanos: 0 })
}

/// A time of the day, as nanoseconds since midnight.
pub(crate) fn time_of_day(text: &[u8]) -> Option<i64> {
    let (seconds, nanos, rest) = leading_time(text)?;
    rest.is_empty().then(|| seconds * 1_000_000_000 + i64::from(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(date(b"1970-01-01"), Some(0));
        assert_eq!(date(b"2000-02-29"), Some(11_016));
        assert_eq!(date(b"1969-12-31 23:59:59"), Some(-1));
        assert_eq!(date(b"0001-01-01"), Some(-719_162));
        assert_eq!(date(b"2021-9-5"), Some(18_875));
        for wrong in
            ["2001-02-29", "1900-02-29", "2021-13-01", "2021-00-10", "2021-01-32", "21-01-01", "2021-01-01x"]
        {
            assert_eq!(date(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn timestamps() {
        let at = |text: &str| instant(text.as_bytes()).map(|i| (i.seconds, i.nanos));
        assert_eq!(at("1970-01-01 00:00:01.5"), Some((1, 500_000_000)));
        assert_eq!(at("2021-09-09T12:15:02.001Z"), Some((1_631_189_702, 1_000_000)));
        assert_eq!(at("2021-09-09T14:15:02+02:00"), Some((1_631_189_702, 0)));
        assert_eq!(at("2021-09-09 14:15:02 +0200"), Some((1_631_189_702, 0)));
        assert_eq!(at("1969-12-31 23:59:59.999999999999"), Some((-1, 999_999_999)));
        assert_eq!(at("2021-09-09"), Some((1_631_145_600, 0)));
        for wrong in ["2021-09-09 24:00:00", "2021-09-09 12:60:00", "2021-09-09T", "2021-09-09 12", "x", ""] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }
    #[test]
    fn times_of_access_logs() {
        let at = |text: &str| log_time(text.as_bytes()).map(|i| i.seconds);
        assert_eq!(at("06/Nov/2014:19:11:24 +0600"), Some(1_415_279_484));
        assert_eq!(at("06/nov/2014:13:11:24 +0000"), Some(1_415_279_484));
        assert_eq!(at("29/Feb/2000:00:00:00 -0130"), Some(951_787_800));
        for wrong in [
            "",
            "06/Nov/2014:19:11:24",
            "06/Nov/2014:19:11:24 ",
            "06/Nov/2014:19:11:24+0600",
            "06/Nox/2014:19:11:24 +0600",
            "31/Nov/2014:19:11:24 +0600",
            "06/Nov/2014:24:11:24 +0600",
            "06/Nov/2014:19:60:24 +0600",
            "6/Nov/2014:19:11:24 +0600",
            "06/Nov/2014 19:11:24 +0600",
            "06/Nov/2014:19:11:24 +06000",
            "06/Nov/2014:19:11:2x +0600",
        ] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }
}
