//! Joda's patterns: `yyyy-MM-dd'T'HH:mm:ss.SSSZZ`.

use super::{Builder, Part, Pattern, Piece};
use model::{Error, Result};

/// Compiles a pattern.
pub(super) fn compile(text: &str) -> Result<Pattern> {
    let mut builder = Builder::default();
    let symbols: Vec<char> = text.chars().collect();
    let mut at = 0;
    while let Some(&symbol) = symbols.get(at) {
        if symbol == '\'' {
            at = quoted(&mut builder, &symbols, at + 1);
            continue;
        }
        let length = run(&symbols, at);
        if symbol.is_ascii_alphabetic() {
            let numeric_next = is_number(&symbols, at + length);
            piece(&mut builder, symbol, length, numeric_next, text)?;
        } else {
            for _ in 0..length {
                builder.literal(symbol);
            }
        }
        at += length;
    }
    Ok(builder.finish())
}

/// How often the symbol here is repeated.
fn run(symbols: &[char], at: usize) -> usize {
    let rest = symbols.get(at..).unwrap_or_default();
    rest.iter().take_while(|s| rest.first() == Some(s)).count()
}

/// Whether a number comes here, so that the one before must not take its digits.
fn is_number(symbols: &[char], at: usize) -> bool {
    match symbols.get(at) {
        Some('M') => run(symbols, at) <= 2,
        Some(symbol) => "cCxyYdhHmsSeDFwWkK".contains(*symbol),
        None => false,
    }
}

/// Text between quotes; two quotes are one.
fn quoted(builder: &mut Builder, symbols: &[char], start: usize) -> usize {
    let mut at = start;
    if symbols.get(at) == Some(&'\'') {
        builder.literal('\'');
        return at + 1;
    }
    while let Some(&symbol) = symbols.get(at) {
        at += 1;
        if symbol == '\'' {
            if symbols.get(at) != Some(&'\'') {
                break;
            }
            at += 1;
        }
        builder.literal(symbol);
    }
    at
}

fn piece(builder: &mut Builder, symbol: char, length: usize, numeric_next: bool, text: &str) -> Result<()> {
    match symbol {
        'y' | 'Y' | 'x' if length == 2 => {
            builder.pieces.push(Piece::ShortYear {
                week: symbol == 'x',
                pivot: None,
                lenient: !numeric_next,
            });
        }
        'y' | 'Y' | 'x' => {
            let part = match symbol {
                'y' => Part::Year,
                'Y' => Part::YearOfEra,
                _ => Part::WeekYear,
            };
            builder.number(part, length, if numeric_next { length } else { 9 });
        }
        'M' if length >= 3 => builder.pieces.push(Piece::Month { short: length == 3 }),
        'M' => builder.number(Part::Month, length, 2),
        'd' => builder.number(Part::Day, length, 2),
        'D' => builder.number(Part::DayOfYear, length, 3),
        'E' => builder.pieces.push(Piece::Weekday { short: length < 4 }),
        'e' => builder.number(Part::DayOfWeek, length, 1),
        'w' => builder.number(Part::Week, length, 2),
        'C' => builder.number(Part::Century, length, if numeric_next { length } else { 9 }),
        'G' => builder.pieces.push(Piece::Era),
        'a' => builder.pieces.push(Piece::HalfDay),
        'H' => builder.number(Part::Hour, length, 2),
        'k' => builder.number(Part::ClockHour, length, 2),
        'K' => builder.number(Part::HalfHour, length, 2),
        'h' => builder.number(Part::ClockHalfHour, length, 2),
        'm' => builder.number(Part::Minute, length, 2),
        's' => builder.number(Part::Second, length, 2),
        'S' => builder.pieces.push(Piece::Fraction { min: length, max: length }),
        'z' if length >= 4 => {
            return Err(Error::unsupported(format!("long names of zones are not supported in '{text}'"))
                .hint("z gives the short name, ZZZ the id of the zone"));
        }
        'z' => builder.pieces.push(Piece::ZoneName),
        'Z' if length >= 3 => builder.pieces.push(Piece::ZoneId),
        'Z' => builder.pieces.push(Piece::Offset { colon: length == 2 }),
        other => {
            return Err(Error::invalid(format!("'{other}' has no meaning in the date pattern '{text}'"))
                .hint(format!("put text between quotes: ''{other}''")));
        }
    }
    Ok(())
}
