//! Patterns of dates: those of MySQL (`%Y-%m-%d`) and those of Joda (`yyyy-MM-dd`), read into the same pieces.
//!
//! A pattern is compiled once; `print` writes times by it, `read` reads them, down to milliseconds as Trino does.

mod functions;
mod joda;
mod mysql;
mod print;
mod read;
pub(crate) mod teradata;

pub use functions::FAMILY;

pub(crate) const MONTHS: [&str; 12] = [
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

pub(crate) const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A number in a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    /// The year as counted before or after Christ.
    YearOfEra,
    Century,
    WeekYear,
    Month,
    Week,
    Day,
    DayOfYear,
    DayOfWeek,
    /// 0 to 23
    Hour,
    /// 1 to 24
    ClockHour,
    /// 0 to 11
    HalfHour,
    /// 1 to 12
    ClockHalfHour,
    Minute,
    Second,
}

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    /// Printed with at least `min` digits, read with at most `max`.
    Number {
        part: Part,
        min: usize,
        max: usize,
    },
    /// Two digits of a year; read as one near the pivot (of the session's, if it has none). A lenient one is also read
    /// with more or fewer digits.
    ShortYear {
        week: bool,
        pivot: Option<i64>,
        lenient: bool,
    },
    Fraction {
        min: usize,
        max: usize,
    },
    Month {
        short: bool,
    },
    Weekday {
        short: bool,
    },
    HalfDay,
    Era,
    /// `+0100`, or `+01:00` with a colon
    Offset {
        colon: bool,
    },
    /// `Europe/Berlin`
    ZoneId,
    /// `CET`
    ZoneName,
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    pieces: Vec<Piece>,
}

impl Pattern {
    fn has_zone(&self) -> bool {
        self.pieces.iter().any(|p| matches!(p, Piece::Offset { .. } | Piece::ZoneId | Piece::ZoneName))
    }
}

/// Collects pieces; literals that follow each other become one.
#[derive(Debug, Default)]
struct Builder {
    pieces: Vec<Piece>,
}

impl Builder {
    fn literal(&mut self, symbol: char) {
        if let Some(Piece::Literal(text)) = self.pieces.last_mut() {
            text.push(symbol);
        } else {
            self.pieces.push(Piece::Literal(symbol.to_string()));
        }
    }

    fn number(&mut self, part: Part, min: usize, max: usize) {
        self.pieces.push(Piece::Number { part, min, max: max.max(min) });
    }

    fn finish(self) -> Pattern {
        Pattern { pieces: self.pieces }
    }
}
