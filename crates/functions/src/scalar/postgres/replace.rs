//! `regexp_replace`: the first match, or with `g` all of them.

use super::pattern::{Flags, Patterns};
use crate::Call;
use crate::scalar::regexp::Pattern;
use crate::scalar::string::check_length;
use arrow::array::ArrayRef;
use model::Result;

/// A piece of a replacement.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(usize),
}

/// Reads a replacement: `\1` to `\9` are groups, `\&` is the match, `\\` a backslash; any other one is itself.
fn pieces(replacement: &str) -> Vec<Piece> {
    let (mut pieces, mut text) = (Vec::new(), String::new());
    let mut symbols = replacement.chars().peekable();
    while let Some(symbol) = symbols.next() {
        let group = match (symbol, symbols.peek()) {
            ('\\', Some('&')) => Some(0),
            ('\\', Some(digit @ '1'..='9')) => digit.to_digit(10),
            ('\\', Some('\\')) => {
                symbols.next();
                text.push('\\');
                continue;
            }
            _ => None,
        };
        let Some(group) = group else {
            text.push(symbol);
            continue;
        };
        symbols.next();
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(Piece::Group(group as usize));
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    pieces
}

pub(super) fn replace(call: &Call<'_>) -> Result<ArrayRef> {
    let (text, by, mut patterns) = (call.strings(0)?, call.strings(2)?, Patterns::of(call, 1, 3)?);
    let mut last: Option<(String, Vec<Piece>)> = None;
    call.build_strings(|row, out| {
        let (Some(text), Some(by)) = (text.get(row), by.get(row)) else { return Ok(false) };
        let Some((flags, pattern)) = patterns.get(row)? else { return Ok(false) };
        let pieces = match &mut last {
            Some((before, pieces)) if before == by => pieces,
            other => &mut other.insert((by.to_owned(), pieces(by))).1,
        };
        substitute(call.name, text, &pattern, flags, pieces, out)?;
        Ok(true)
    })
}

fn substitute(
    name: &str,
    text: &str,
    pattern: &Pattern,
    flags: Flags,
    pieces: &[Piece],
    out: &mut String,
) -> Result<()> {
    let (mut copied, mut from) = (0, 0);
    while let Some(spans) = pattern.captures(text, from)? {
        let Some(Some((begin, end))) = spans.first().copied() else { break };
        out.push_str(text.get(copied..begin).unwrap_or_default());
        for piece in pieces {
            match piece {
                Piece::Text(literal) => out.push_str(literal),
                Piece::Group(group) => {
                    let span = spans.get(*group).copied().flatten();
                    out.push_str(span.and_then(|(b, e)| text.get(b..e)).unwrap_or_default());
                }
            }
        }
        check_length(name, out.len())?;
        copied = end;
        // Behind an empty match the next one is searched a character further.
        let step = if end > begin {
            0
        } else {
            text.get(end..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8)
        };
        from = end + step;
        if !flags.all || from > text.len() {
            break;
        }
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_are_read() {
        use Piece::{Group, Text};
        let text = |text: &str| Text(text.to_owned());
        for (replacement, expected) in [
            (r"a\1b\&", vec![text("a"), Group(1), text("b"), Group(0)]),
            (r"\12", vec![Group(1), text("2")]),
            (r"\\1$1", vec![text(r"\1$1")]),
            (r"\0\x\", vec![text(r"\0\x\")]),
            ("", vec![]),
        ] {
            assert_eq!(pieces(replacement), expected, "{replacement}");
        }
    }
}
