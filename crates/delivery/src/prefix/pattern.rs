//! Timestamps by a pattern in the letters of Java's `DateTimeFormatter`, as prefixes have them.

use chrono::{DateTime, Datelike, Offset, Timelike};
use chrono_tz::Tz;
use model::{Error, Result};
use std::fmt::Write;

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Literal(String),
    /// A letter, and how often it stands there.
    Letter(char, usize),
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// The letters that are known, and how often each may stand in a row.
const LETTERS: [(char, usize); 26] = [
    ('y', 9),
    ('u', 9),
    ('Y', 9),
    ('Q', 4),
    ('q', 4),
    ('M', 4),
    ('L', 4),
    ('w', 2),
    ('d', 2),
    ('D', 3),
    ('E', 4),
    ('e', 4),
    ('a', 1),
    ('H', 2),
    ('k', 2),
    ('K', 2),
    ('h', 2),
    ('m', 2),
    ('s', 2),
    ('S', 9),
    ('A', 19),
    ('n', 19),
    ('z', 3),
    ('Z', 3),
    ('X', 3),
    ('x', 3),
];

impl Pattern {
    /// Compiles a pattern.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut pieces = Vec::new();
        let mut signs = text.chars().peekable();
        while let Some(sign) = signs.next() {
            match sign {
                '\'' => pieces.push(Piece::Literal(quoted(&mut signs, text)?)),
                _ if sign.is_ascii_alphabetic() => {
                    let mut count = 1;
                    while signs.next_if_eq(&sign).is_some() {
                        count += 1;
                    }
                    let most = LETTERS.iter().find(|(letter, _)| *letter == sign).map(|(_, most)| *most);
                    match most {
                        Some(most) if count <= most => pieces.push(Piece::Letter(sign, count)),
                        Some(most) => {
                            return Err(Error::invalid(format!(
                                "the letter `{sign}` stands {count} times in a row in the pattern {text:?}, at most \
                                 {most} are meant"
                            )));
                        }
                        None => return Err(unknown(sign, text)),
                    }
                }
                '{' | '}' | '[' | ']' | '#' => {
                    return Err(Error::invalid(format!("`{sign}` is reserved in the pattern {text:?}"))
                        .hint("put it into single quotes"));
                }
                _ => pieces.push(Piece::Literal(sign.to_string())),
            }
        }
        Ok(Self(pieces))
    }

    /// Writes a time.
    pub(crate) fn write(&self, time: &DateTime<Tz>, out: &mut String) {
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Letter(letter, count) => put(*letter, *count, time, out),
            }
        }
    }
}

fn unknown(sign: char, text: &str) -> Error {
    Error::invalid(format!("the letter `{sign}` of the pattern {text:?} is none of a timestamp's")).hint(
        "letters are those of Java's DateTimeFormatter, such as yyyy/MM/dd/HH; put text into single quotes",
    )
}

fn quoted(signs: &mut std::iter::Peekable<std::str::Chars<'_>>, text: &str) -> Result<String> {
    // Two quotes are one.
    if signs.next_if_eq(&'\'').is_some() {
        return Ok("'".to_owned());
    }
    let mut literal = String::new();
    loop {
        match signs.next() {
            Some('\'') if signs.next_if_eq(&'\'').is_some() => literal.push('\''),
            Some('\'') => return Ok(literal),
            Some(sign) => literal.push(sign),
            None => return Err(Error::invalid(format!("a quote is not closed in the pattern {text:?}"))),
        }
    }
}

fn put(letter: char, count: usize, time: &DateTime<Tz>, out: &mut String) {
    let week = time.iso_week();
    let year = |out: &mut String, year: i32| match count {
        2 => number(out, 2, i64::from(year.rem_euclid(100))),
        _ => number(out, count, i64::from(year)),
    };
    let hour = i64::from(time.hour());
    match letter {
        'y' | 'u' => year(out, time.year()),
        'Y' => year(out, week.year()),
        'Q' | 'q' => {
            let quarter = i64::from(time.month0() / 3 + 1);
            match count {
                3 => out.push_str(&format!("Q{quarter}")),
                4 => out.push_str(
                    ["1st quarter", "2nd quarter", "3rd quarter", "4th quarter"][time.month0() as usize / 3],
                ),
                _ => number(out, count, quarter),
            }
        }
        'M' | 'L' => match (count, MONTHS.get(time.month0() as usize)) {
            (3, Some(name)) => out.push_str(name.get(..3).unwrap_or(name)),
            (4, Some(name)) => out.push_str(name),
            _ => number(out, count, i64::from(time.month())),
        },
        'w' => number(out, count, i64::from(week.week())),
        'd' => number(out, count, i64::from(time.day())),
        'D' => number(out, count, i64::from(time.ordinal())),
        'E' | 'e' => {
            let day = time.weekday().num_days_from_monday() as usize;
            match (letter, count, DAYS.get(day)) {
                // Java counts from the locale's first day; in the root locale that is Monday.
                ('e', 1 | 2, _) => number(out, count, day as i64 + 1),
                (_, 4, Some(name)) => out.push_str(name),
                (_, _, Some(name)) => out.push_str(name.get(..3).unwrap_or(name)),
                _ => {}
            }
        }
        'a' => out.push_str(if hour < 12 { "AM" } else { "PM" }),
        'H' => number(out, count, hour),
        'k' => number(out, count, if hour == 0 { 24 } else { hour }),
        'K' => number(out, count, hour % 12),
        'h' => number(out, count, if hour % 12 == 0 { 12 } else { hour % 12 }),
        'm' => number(out, count, i64::from(time.minute())),
        's' => number(out, count, i64::from(time.second())),
        'S' => {
            let digits = format!("{:09}", time.nanosecond() % 1_000_000_000);
            out.push_str(digits.get(..count).unwrap_or(&digits));
        }
        'n' => number(out, count, i64::from(time.nanosecond() % 1_000_000_000)),
        'A' => {
            let of_day = i64::from(time.num_seconds_from_midnight()) * 1000;
            number(out, count, of_day + i64::from(time.nanosecond() / 1_000_000 % 1000));
        }
        'z' => out.push_str(&time.format("%Z").to_string()),
        _ => offset(letter, count, time.offset().fix().local_minus_utc(), out),
    }
}

/// `+0200`, `+02`, `+02:00`; `Z` for none where the letter says so.
fn offset(letter: char, count: usize, seconds: i32, out: &mut String) {
    if letter == 'X' && seconds == 0 {
        out.push('Z');
        return;
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
    let _ = match (letter, count) {
        ('X' | 'x', 1) if minutes == 0 => write!(out, "{sign}{hours:02}"),
        ('X' | 'x', 3) => write!(out, "{sign}{hours:02}:{minutes:02}"),
        _ => write!(out, "{sign}{hours:02}{minutes:02}"),
    };
}

fn number(out: &mut String, width: usize, value: i64) {
    let _ = write!(out, "{value:0width$}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Utc;

    #[test]
    fn patterns() {
        let time: DateTime<Utc> = "2024-12-30T00:05:09.123Z".parse().unwrap();
        for (pattern, utc, kolkata) in [
            ("yyyy/MM/dd/HH", "2024/12/30/00", "2024/12/30/05"),
            ("YYYY-'W'ww", "2025-W01", "2025-W01"),
            ("yy M d H m s", "24 12 30 0 5 9", "24 12 30 5 35 9"),
            ("DDD MMM MMMM", "365 Dec December", "365 Dec December"),
            ("E EEEE e", "Mon Monday 1", "Mon Monday 1"),
            ("h:mm a K k", "12:05 AM 0 24", "5:35 AM 5 5"),
            ("SSS", "123", "123"),
            ("Z X XXX x", "+0000 Z Z +00", "+0530 +0530 +05:30 +0530"),
            ("QQ q QQQ", "04 4 Q4", "04 4 Q4"),
            ("'year='yyyy ''", "year=2024 '", "year=2024 '"),
            ("A", "309123", "20109123"),
        ] {
            let compiled = Pattern::parse(pattern).unwrap();
            for (zone, shown) in [(Tz::UTC, utc), (Tz::Asia__Kolkata, kolkata)] {
                let mut text = String::new();
                compiled.write(&time.with_timezone(&zone), &mut text);
                assert_eq!(text, shown, "{pattern} {zone}");
            }
        }
        for wrong in ["yyyy'", "b", "HHH", "yyyy[MM]", "MMMMM"] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
    }
}
