//! MySQL's patterns: `%Y-%m-%d %H:%i:%s`.

use super::{Builder, Part, Pattern, Piece};
use model::{Error, Result};

/// Two-digit years lie within fifty years of this one: 70 is 1970, 69 is 2069.
const PIVOT: i64 = 2020;

/// Compiles a pattern.
pub(super) fn compile(text: &str) -> Result<Pattern> {
    let mut builder = Builder::default();
    let mut symbols = text.chars();
    while let Some(symbol) = symbols.next() {
        if symbol != '%' {
            builder.literal(symbol);
            continue;
        }
        match symbols.next() {
            Some(specifier) => piece(&mut builder, specifier)?,
            None => break,
        }
    }
    Ok(builder.finish())
}

fn piece(builder: &mut Builder, specifier: char) -> Result<()> {
    match specifier {
        'a' => builder.pieces.push(Piece::Weekday { short: true }),
        'b' => builder.pieces.push(Piece::Month { short: true }),
        'c' => builder.number(Part::Month, 1, 2),
        'd' => builder.number(Part::Day, 2, 2),
        'e' => builder.number(Part::Day, 1, 2),
        'f' => builder.pieces.push(Piece::Fraction { min: 6, max: 9 }),
        'H' => builder.number(Part::Hour, 2, 2),
        'h' | 'I' => builder.number(Part::ClockHalfHour, 2, 2),
        'i' => builder.number(Part::Minute, 2, 2),
        'j' => builder.number(Part::DayOfYear, 3, 3),
        'k' => builder.number(Part::Hour, 1, 2),
        'l' => builder.number(Part::ClockHalfHour, 1, 2),
        'M' => builder.pieces.push(Piece::Month { short: false }),
        'm' => builder.number(Part::Month, 2, 2),
        'p' => builder.pieces.push(Piece::HalfDay),
        'r' => {
            builder.number(Part::ClockHalfHour, 2, 2);
            minutes_and_seconds(builder);
            builder.literal(' ');
            builder.pieces.push(Piece::HalfDay);
        }
        'S' | 's' => builder.number(Part::Second, 2, 2),
        'T' => {
            builder.number(Part::Hour, 2, 2);
            minutes_and_seconds(builder);
        }
        'v' => builder.number(Part::Week, 2, 2),
        'W' => builder.pieces.push(Piece::Weekday { short: false }),
        'x' => builder.number(Part::WeekYear, 4, 4),
        'Y' => builder.number(Part::Year, 4, 4),
        'y' => {
            builder.pieces.push(Piece::ShortYear { week: false, pivot: Some(PIVOT), lenient: false });
        }
        'w' => return Err(refused(specifier).hint("day_of_week(x) gives 1 to 7, Monday first")),
        'U' | 'u' | 'V' | 'X' => {
            return Err(refused(specifier).hint("%v and %x give ISO weeks and their years"));
        }
        'D' => return Err(refused(specifier).hint("%e gives the day without a suffix")),
        // Any other symbol stands for itself.
        other => builder.literal(other),
    }
    Ok(())
}

fn minutes_and_seconds(builder: &mut Builder) {
    builder.literal(':');
    builder.number(Part::Minute, 2, 2);
    builder.literal(':');
    builder.number(Part::Second, 2, 2);
}

fn refused(specifier: char) -> Error {
    Error::unsupported(format!("%{specifier} is not supported in a date pattern"))
}
