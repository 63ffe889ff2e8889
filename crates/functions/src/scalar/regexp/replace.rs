//! Replacing matches, by a text with references to groups or by a lambda.

use super::cache::Patterns;
use super::pattern::{Pattern, Scratch, Spans};
use crate::Call;
use crate::scalar::string::check_length;
use arrow::array::{Array, ArrayRef, AsArray, ListBuilder, StringViewArray, StringViewBuilder, UInt32Array};
use model::{Error, Result};
use std::sync::Arc;

/// A piece of a replacement.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(usize),
}

/// Reads a replacement: `$1`, `${name}`, and a backslash before a character that means itself.
fn pieces(replacement: &str, pattern: &Pattern) -> Result<Vec<Piece>> {
    let broken = |why: String| {
        Error::invalid(format!(
            "the replacement '{}' is not valid",
            crate::scalar::string::shorten(replacement)
        ))
        .why(why)
        .hint(r"$1 and ${name} stand for groups; write \$ and \\ for the characters themselves")
    };
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut symbols = replacement.chars().peekable();
    while let Some(symbol) = symbols.next() {
        match symbol {
            '\\' => match symbols.next() {
                Some(literal) => text.push(literal),
                None => return Err(broken("it ends with a backslash".into())),
            },
            '$' => {
                let group = match symbols.next() {
                    Some('{') => {
                        let name: String = symbols.by_ref().take_while(|c| *c != '}').collect();
                        pattern
                            .group_named(&name)
                            .ok_or_else(|| broken(format!("there is no group `{name}`")))?
                    }
                    Some(digit @ '0'..='9') => {
                        let mut number = digit.to_digit(10).unwrap_or(0) as usize;
                        if number > pattern.groups() {
                            return Err(broken(format!("there is no group {number}")));
                        }
                        // More digits belong to it as long as there is such a group.
                        while let Some(digit) = symbols.peek().and_then(|c| c.to_digit(10)) {
                            let longer = number * 10 + digit as usize;
                            if longer > pattern.groups() {
                                break;
                            }
                            number = longer;
                            symbols.next();
                        }
                        number
                    }
                    _ => return Err(broken("a $ is followed by no group".into())),
                };
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                pieces.push(Piece::Group(group));
            }
            other => text.push(other),
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

/// The last replacement, as it was read for its pattern.
struct Last {
    pattern: Arc<Pattern>,
    by: String,
    pieces: Vec<Piece>,
    scratch: Scratch,
}

pub(crate) fn replace(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, mut patterns) = (call.strings(0)?, Patterns::of(call, 1)?);
    let by = if call.has(2) { Some(call.strings(2)?) } else { None };
    let mut last: Option<Last> = None;
    call.build_strings(|row, out| {
        let (Some(text), Some(pattern)) = (text.get(row), patterns.get(row)?) else { return Ok(false) };
        let by = by.as_ref().and_then(|b| b.get(row)).unwrap_or_default();
        let known = last.take().filter(|last| Arc::ptr_eq(&last.pattern, &pattern) && last.by == by);
        let last = last.insert(match known {
            Some(known) => known,
            None => {
                Last { pieces: pieces(by, &pattern)?, scratch: pattern.scratch(), by: by.to_owned(), pattern }
            }
        });
        substitute(call.name, text, last, out)?;
        Ok(true)
    })
}

fn substitute(name: &str, text: &str, last: &mut Last, out: &mut String) -> Result<()> {
    let Last { pattern, pieces, scratch, .. } = last;
    let mut copied = 0;
    if pieces.iter().all(|p| matches!(p, Piece::Text(_) | Piece::Group(0))) {
        pattern.each(text, |begin, end| {
            out.push_str(text.get(copied..begin).unwrap_or_default());
            for piece in pieces.iter() {
                match piece {
                    Piece::Text(literal) => out.push_str(literal),
                    Piece::Group(_) => out.push_str(text.get(begin..end).unwrap_or_default()),
                }
            }
            copied = end;
            check_length(name, out.len())?;
            Ok(true)
        })?;
    } else {
        pattern.each_captures(text, scratch, |begin, end, spans| {
            out.push_str(text.get(copied..begin).unwrap_or_default());
            for piece in pieces.iter() {
                match piece {
                    Piece::Text(literal) => out.push_str(literal),
                    Piece::Group(group) => {
                        let span = spans.get(*group).copied().flatten();
                        out.push_str(span.and_then(|(b, e)| text.get(b..e)).unwrap_or_default());
                    }
                }
            }
            copied = end;
            check_length(name, out.len())
        })?;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Ok(())
}

/// The matches of a whole batch, so that the lambda runs once for all of them.
#[derive(Default)]
struct Matches {
    /// Row, begin and end of each.
    spans: Vec<(usize, usize, usize)>,
    rows: Vec<u32>,
    groups: ListBuilder<StringViewBuilder>,
}

impl Matches {
    fn add(&mut self, row: usize, text: &str, spans: &Spans) {
        let Some(Some((begin, end))) = spans.first().copied() else { return };
        self.spans.push((row, begin, end));
        self.rows.push(u32::try_from(row).unwrap_or(0));
        for span in spans.iter().skip(1) {
            self.groups.values().append_option(span.and_then(|(b, e)| text.get(b..e)));
        }
        self.groups.append(true);
    }
}

/// The lambda gets the groups of each match; where it returns NULL the match is dropped.
pub(crate) fn replace_with(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, mut patterns) = (call.strings(0)?, Patterns::of(call, 1)?);
    let lambda = call.lambda(2)?;
    let mut matches = Matches::default();
    for row in 0..call.rows {
        if let (Some(text), Some(pattern)) = (text.get(row), patterns.get(row)?) {
            pattern.each_captures(text, &mut pattern.scratch(), |_, _, spans| {
                matches.add(row, text, spans);
                Ok(())
            })?;
        }
    }
    let rows = UInt32Array::from(std::mem::take(&mut matches.rows));
    let made: Option<StringViewArray> = if rows.is_empty() {
        None
    } else {
        let made = lambda.call(&[Arc::new(matches.groups.finish())], &rows)?;
        let made = made.as_string_view_opt().cloned();
        Some(made.ok_or_else(|| Error::internal("the lambda of regexp_replace returned no text"))?)
    };
    let mut next = 0;
    call.build_strings(|row, out| {
        let (Some(text), Some(_)) = (text.get(row), patterns.get(row)?) else { return Ok(false) };
        let mut copied = 0;
        while let Some((_, begin, end)) = matches.spans.get(next).filter(|(r, ..)| *r == row) {
            out.push_str(text.get(copied..*begin).unwrap_or_default());
            if let Some(made) = made.as_ref().filter(|m| m.len() > next && m.is_valid(next)) {
                out.push_str(made.value(next));
            }
            check_length(call.name, out.len())?;
            copied = *end;
            next += 1;
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        Ok(true)
    })
}
