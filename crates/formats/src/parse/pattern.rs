//! Timestamps by a pattern in Java's letters, as the property `timestamp.formats` gives them.

use super::Instant;
use super::time::{checked_days, digits, offset};
use model::{Error, Result};

/// One piece of a pattern.
#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Literal(u8),
    Year(usize),
    Month(usize),
    MonthName,
    Day(usize),
    Hour(usize),
    Hour12(usize),
    AmPm,
    Minute(usize),
    Second(usize),
    Fraction,
    Zone,
    DayName,
    Millis,
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimePattern(Vec<Piece>);

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const FULL_MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

impl TimePattern {
    /// Compiles a pattern; `millis` stands for milliseconds since 1970.
    pub(crate) fn compile(text: &str) -> Result<Self> {
        if text == "millis" {
            return Ok(Self(vec![Piece::Millis]));
        }
        let mut pieces = Vec::new();
        let mut rest = text.as_bytes();
        while let Some(letter) = rest.first() {
            if *letter == b'\'' {
                rest = quoted(rest.get(1..).unwrap_or_default(), &mut pieces);
                continue;
            }
            let run = rest.iter().take_while(|b| *b == letter).count();
            rest = rest.get(run..).unwrap_or_default();
            if !letter.is_ascii_alphabetic() {
                pieces.extend(std::iter::repeat_n(Piece::Literal(*letter), run));
                continue;
            }
            pieces.push(piece(*letter, run).ok_or_else(|| {
                Error::unsupported(format!(
                    "the letter `{}` of the timestamp format {text:?}",
                    char::from(*letter)
                ))
                .hint("supported are y M d H h m s S a E X x Z z and text in single quotes")
            })?);
        }
        Ok(Self(pieces))
    }

    /// The time that a text says in this pattern; all of it must fit.
    pub(crate) fn parse(&self, text: &[u8]) -> Option<Instant> {
        let mut parts = Parts::default();
        let mut rest = text;
        for (i, piece) in self.0.iter().enumerate() {
            let packed = matches!(self.0.get(i + 1), Some(next) if next.is_number());
            rest = parts.take(piece, packed, rest)?;
        }
        if rest.is_empty() { parts.instant() } else { None }
    }
}

/// A quoted literal up to its end; two quotes are one. Answers the rest.
fn quoted<'t>(text: &'t [u8], pieces: &mut Vec<Piece>) -> &'t [u8] {
    if let Some(rest) = text.strip_prefix(b"'") {
        pieces.push(Piece::Literal(b'\''));
        return rest;
    }
    let end = memchr::memchr(b'\'', text).unwrap_or(text.len());
    let (literal, rest) = text.split_at(end);
    pieces.extend(literal.iter().map(|b| Piece::Literal(*b)));
    rest.get(1..).unwrap_or_default()
}

fn piece(letter: u8, run: usize) -> Option<Piece> {
    Some(match letter {
        b'y' | b'u' => Piece::Year(run),
        b'M' | b'L' if run >= 3 => Piece::MonthName,
        b'M' | b'L' => Piece::Month(run),
        b'd' => Piece::Day(run),
        b'H' => Piece::Hour(run),
        b'h' => Piece::Hour12(run),
        b'a' => Piece::AmPm,
        b'm' => Piece::Minute(run),
        b's' => Piece::Second(run),
        b'S' | b'n' => Piece::Fraction,
        b'X' | b'x' | b'Z' | b'z' => Piece::Zone,
        b'E' => Piece::DayName,
        _ => return None,
    })
}

impl Piece {
    fn is_number(&self) -> bool {
        !matches!(self, Piece::Literal(_) | Piece::MonthName | Piece::AmPm | Piece::Zone | Piece::DayName)
    }
}

#[derive(Default)]
struct Parts {
    year: Option<u32>,
    month: Option<u32>,
    day: Option<u32>,
    hour: u32,
    afternoon: Option<bool>,
    minute: u32,
    second: u32,
    nanos: u32,
    east: i64,
    millis: Option<i64>,
}

impl Parts {
    /// Takes one piece from the text. Where digits follow without a separator, a number has its written width.
    fn take<'t>(&mut self, piece: &Piece, packed: bool, text: &'t [u8]) -> Option<&'t [u8]> {
        let number = |run: usize, most: usize| digits(text, if packed { run } else { most.max(run) });
        let (target, (value, _, rest)) = match piece {
            Piece::Literal(byte) => {
                return text.split_first().filter(|(b, _)| *b == byte).map(|(_, rest)| rest);
            }
            Piece::Year(run) => {
                let (value, length, rest) = number(*run, 4)?;
                self.year = Some(if *run == 2 && length == 2 { value + 2000 } else { value });
                return Some(rest);
            }
            Piece::Month(run) => {
                let (value, _, rest) = number(*run, 2)?;
                self.month = Some(value);
                return Some(rest);
            }
            Piece::Day(run) => {
                let (value, _, rest) = number(*run, 2)?;
                self.day = Some(value);
                return Some(rest);
            }
            Piece::Hour(run) | Piece::Hour12(run) => (&mut self.hour, number(*run, 2)?),
            Piece::Minute(run) => (&mut self.minute, number(*run, 2)?),
            Piece::Second(run) => (&mut self.second, number(*run, 2)?),
            Piece::Fraction => {
                let (value, length, rest) = digits(text, 9)?;
                self.nanos = value * 10u32.pow(9 - u32::try_from(length).ok()?);
                return Some(rest);
            }
            Piece::MonthName => {
                let (index, length) = named(text, &FULL_MONTHS).or_else(|| named(text, &MONTHS))?;
                self.month = Some(index + 1);
                return text.get(length..);
            }
            Piece::AmPm => {
                let (index, length) = named(text, &["am", "pm"])?;
                self.afternoon = Some(index == 1);
                return text.get(length..);
            }
            Piece::DayName => {
                let length = text.iter().take_while(|b| b.is_ascii_alphabetic()).count();
                return text.get(length..).filter(|_| length >= 3);
            }
            Piece::Zone => {
                let length =
                    text.iter().take_while(|b| b.is_ascii_alphanumeric() || b"+-:".contains(b)).count();
                let (zone, rest) = text.split_at_checked(length)?;
                self.east = offset(zone)?;
                return Some(rest);
            }
            Piece::Millis => {
                self.millis = Some(super::integer(text)?);
                return Some(&[]);
            }
        };
        *target = value;
        Some(rest)
    }

    fn instant(&self) -> Option<Instant> {
        if let Some(millis) = self.millis {
            let nanos = u32::try_from(millis.rem_euclid(1000)).ok()? * 1_000_000;
            return Some(Instant { seconds: millis.div_euclid(1000), nanos });
        }
        let days = checked_days(
            i64::from(self.year.unwrap_or(1970)),
            self.month.unwrap_or(1),
            self.day.unwrap_or(1),
        )?;
        let hour = match self.afternoon {
            None => self.hour,
            Some(_) if self.hour > 12 => return None,
            Some(afternoon) => self.hour % 12 + if afternoon { 12 } else { 0 },
        };
        if hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        let of_day = i64::from(hour * 3600 + self.minute * 60 + self.second);
        Some(Instant { seconds: days * 86_400 + of_day - self.east, nanos: self.nanos })
    }
}

fn named(text: &[u8], names: &[&str]) -> Option<(u32, usize)> {
    let fits =
        |name: &&str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()));
    let index = names.iter().position(fits)?;
    Some((u32::try_from(index).ok()?, names.get(index)?.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(pattern: &str, text: &str) -> Option<(i64, u32)> {
        TimePattern::compile(pattern).unwrap().parse(text.as_bytes()).map(|i| (i.seconds, i.nanos))
    }

    #[test]
    fn patterns() {
        assert_eq!(
            at("yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2021-09-09T14:15:02.250+0200"),
            Some((1_631_189_702, 250_000_000))
        );
        assert_eq!(at("dd/MMM/yyyy:HH:mm:ss Z", "06/Nov/2014:19:11:24 +0600"), Some((1_415_279_484, 0)));
        assert_eq!(at("M/d/yy h:mm a", "9/9/21 2:15 PM"), Some((1_631_196_900, 0)));
        assert_eq!(at("yyyyMMddHHmmss", "20210909121502"), Some((1_631_189_702, 0)));
        assert_eq!(at("millis", "1631189702250"), Some((1_631_189_702, 250_000_000)));
        assert_eq!(at("yyyy-MM-dd", "2021-09-09 12:00"), None);
        assert!(TimePattern::compile("yyyy-ww").is_err());
    }
}
