//! A query of a script as a query of the house's language: other quotes, window table functions as tables of their own,
//! and the way back from its places to the script's.

use super::ast::Place;
use super::lexer::{Kind, Token, tokens, unquoted};
use super::parser::{Parser, place};
use super::window::{WindowKind, interval};
use model::{Error, Result};
use sql::{Source, quote_ident};

/// A part of a script, rewritten.
pub(crate) struct Rewritten {
    /// The new text.
    pub(crate) source: Source,
    /// The window table functions that it names, in order.
    pub(crate) windows: Vec<WindowCall>,
    /// Where pieces of the new text come from: (in the new text, in the script).
    pieces: Vec<(Place, Place)>,
}

/// A window table function, or a window in GROUP BY.
#[derive(Debug, Clone)]
pub(crate) struct WindowCall {
    /// The table that stands for it.
    pub(crate) name: String,
    /// The table whose rows it takes.
    pub(crate) table: String,
    /// The event-time column.
    pub(crate) time: String,
    pub(crate) kind: WindowKind,
    /// Where it stands in the script.
    pub(crate) at: Place,
}

const FUNCTIONS: [&str; 4] = ["TUMBLE", "HOP", "CUMULATE", "SESSION"];

/// Rewrites a part of a script. `first` numbers its windows; `before` stands in front, without a place in the script.
pub(crate) fn rewrite(
    source: &Source,
    part: &Place,
    before: &str,
    after: &str,
    first: usize,
) -> Result<Rewritten> {
    let text = &source.text;
    let inside: Vec<Token> =
        tokens(text).into_iter().filter(|t| t.start >= part.start && t.end <= part.end).collect();
    let mut new = before.to_owned();
    let (mut pieces, mut windows) = (Vec::new(), Vec::new());
    let (mut at, mut copied) = (0, part.start);
    let mut put = |new: &mut String, copied: &mut usize, from: Place, with: &str| {
        let gap = text.get(*copied..from.start).unwrap_or("");
        new.push_str(gap);
        let start = new.len();
        new.push_str(with);
        pieces.push((start..new.len(), from.clone()));
        *copied = from.end;
    };
    while let Some(token) = inside.get(at).copied() {
        let piece = text.get(token.start..token.end).unwrap_or("");
        let word = |ahead: usize| inside.get(at + ahead).and_then(|t| text.get(t.start..t.end)).unwrap_or("");
        if token.kind == Kind::Word
            && piece.eq_ignore_ascii_case("TABLE")
            && word(1) == "("
            && FUNCTIONS.iter().any(|f| word(2).eq_ignore_ascii_case(f))
        {
            let (mut call, taken) = window_call(source, part, token.start)?;
            call.name = format!("$window{}", first + windows.len());
            put(&mut new, &mut copied, call.at.clone(), &quote_ident(&call.name));
            windows.push(call);
            at += taken;
            continue;
        }
        if token.kind == Kind::Quoted {
            put(&mut new, &mut copied, token.start..token.end, &force_quotes(&unquoted(piece)));
        } else if let Some(unit) = plural(piece)
            && at > 1
            && inside.get(at - 1).is_some_and(|t| t.kind == Kind::Text)
        {
            put(&mut new, &mut copied, token.start..token.end, unit);
        } else {
            put(&mut new, &mut copied, token.start..token.end, piece);
        }
        at += 1;
    }
    new.push_str(text.get(copied..part.end).unwrap_or(""));
    new.push_str(after);
    Ok(Rewritten { source: Source::new(source.name.clone(), new), windows, pieces })
}

fn force_quotes(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn plural(word: &str) -> Option<&'static str> {
    ["SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR"].into_iter().find(|unit| {
        word.len() == unit.len() + 1 && word.to_ascii_uppercase().strip_suffix('S') == Some(unit)
    })
}

/// Reads `TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' MINUTE))` and how many tokens it takes.
fn window_call(source: &Source, part: &Place, start: usize) -> Result<(WindowCall, usize)> {
    let mut parser = Parser::over(source, &(start..part.end));
    parser.need("TABLE")?;
    parser.need("(")?;
    let function = parser.name("a window function")?;
    parser.need("(")?;
    label(&mut parser, "DATA");
    parser.need("TABLE")?;
    let table = parser.name("a table of the script")?;
    let mut taken_table = table.value.clone();
    while parser.take(".") {
        taken_table = format!("{taken_table}.{}", parser.name("a table's name")?.value);
    }
    if parser.is(0, "PARTITION") {
        parser.advance();
        parser.need("BY")?;
        while !parser.is(0, ",") {
            parser.name("a column")?;
            if parser.is(0, ",") && !parser.is(1, "DESCRIPTOR") && !parser.is(1, "TIMECOL") {
                parser.advance();
            }
        }
    }
    parser.need(",")?;
    label(&mut parser, "TIMECOL");
    parser.need("DESCRIPTOR")?;
    parser.need("(")?;
    let time = parser.name("the event-time column")?;
    parser.need(")")?;
    let mut lengths = Vec::new();
    let first_length = parser.token(0).map_or(start, |t| t.start);
    while parser.take(",") {
        for name in ["SLIDE", "SIZE", "STEP", "GAP", "OFFSET"] {
            label(&mut parser, name);
        }
        parser.need("INTERVAL")?;
        let Some(text) = parser.token(0).filter(|t| t.kind == Kind::Text) else {
            return Err(parser.unexpected("the interval's number in quotes"));
        };
        parser.advance();
        let unit = parser.name("a unit, as MINUTE")?;
        let at = text.start..unit.at.end;
        let millis = interval(&unquoted(parser.piece(text)), &unit.value)
            .map_err(|e| e.at_if_unknown(|| place(source, &at).into()))?;
        lengths.push(millis);
    }
    parser.need(")")?;
    let end = parser.token(0).map_or(part.end, |t| t.end);
    parser.need(")")?;
    let name = function.value.to_ascii_uppercase();
    let kind = WindowKind::new(&name, &lengths).map_err(|e: Error| {
        e.at_if_unknown(|| place(source, &(first_length..end)).into())
            .hint("as in TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '5' MINUTE))")
    })?;
    let taken = tokens(source.text.get(start..end).unwrap_or("")).len();
    let call = WindowCall { name: String::new(), table: taken_table, time: time.value, kind, at: start..end };
    Ok((call, taken))
}

fn label(parser: &mut Parser<'_>, name: &str) {
    if parser.is(0, name) && parser.is(1, "=>") {
        parser.advance();
        parser.advance();
    }
}

impl Rewritten {
    /// An error with its place in the script.
    pub(crate) fn error(&self, script: &Source, part: &Place, error: Error) -> Error {
        let at = match error.place() {
            Some(model::Place::Source(at)) if at.file == self.source.name => {
                let start = offset(&self.source.text, at.line, at.column);
                let end = start
                    + self.source.text.get(start..).map_or(0, |rest| {
                        rest.chars().take(at.length as usize).map(char::len_utf8).sum::<usize>()
                    });
                self.back(start, end).unwrap_or_else(|| part.clone())
            }
            Some(_) => return error,
            None => part.clone(),
        };
        error.at(place(script, &at))
    }

    /// Where a part of the new text stands in the script.
    pub(crate) fn back(&self, start: usize, end: usize) -> Option<Place> {
        let first = self.pieces.iter().find(|(new, _)| new.end > start)?;
        let last = self.pieces.iter().rev().find(|(new, _)| new.start < end.max(start + 1))?;
        let inside = |piece: &(Place, Place), at: usize| match piece.0.len() == piece.1.len() {
            true => piece.1.start + at.clamp(piece.0.start, piece.0.end) - piece.0.start,
            false if at >= piece.0.end => piece.1.end,
            false => piece.1.start,
        };
        let from = inside(first, start);
        Some(from..inside(last, end).max(from))
    }
}

fn offset(text: &str, line: u32, column: u32) -> usize {
    let mut start = 0;
    for _ in 1..line {
        start += text.get(start..).and_then(|rest| rest.find('\n')).map_or(0, |at| at + 1);
    }
    let rest = text.get(start..).unwrap_or("");
    start + rest.chars().take(column.saturating_sub(1) as usize).map(char::len_utf8).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_functions_become_tables_and_places_lead_back() {
        let text = "INSERT INTO x SELECT `a`, bad\nFROM TABLE(\n  TUMBLE(TABLE t, DESCRIPTOR(`ts`), INTERVAL '5' MINUTES)) GROUP BY 1";
        let source = Source::new("a.sql", text);
        let part = text.find("SELECT").unwrap_or(0)..text.len();
        let new = rewrite(&source, &part, "", "", 0).unwrap();
        assert_eq!(new.source.text, "SELECT \"a\", bad\nFROM \"$window0\" GROUP BY 1");
        let window = &new.windows[0];
        assert_eq!((window.table.as_str(), window.time.as_str()), ("t", "ts"));
        assert_eq!(window.kind, WindowKind::Tumble { size: 300_000, offset: 0 });
        let error = Error::invalid("x").at(model::SourcePlace::of_bytes("a.sql", &new.source.text, 12, 15));
        let found = new.error(&source, &part, error);
        let Some(model::Place::Source(at)) = found.place() else { panic!("no place") };
        assert_eq!((at.line, at.column, at.length), (1, 27, 3));
        assert!(at.excerpt.starts_with("INSERT INTO x SELECT `a`, bad"));
    }
}
