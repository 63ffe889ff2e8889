//! What a failed run or a refused input gets: what went wrong, where, why it is probably so, what to do.
//!
//! The rendered text is at most ten lines, whatever the parts hold. The same value serves the terminal, an API's error
//! message and the console.

use crate::ErrorKind;
use serde::{Deserialize, Serialize};
use std::fmt;

const MAX_LINES: usize = 10;
const MAX_WIDTH: usize = 160;

/// An explanation for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// What sort of failure it is.
    pub kind: ErrorKind,
    /// What went wrong, in one sentence.
    pub what: String,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Why it is probably so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What to do, most useful first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

/// Where something went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "in", rename_all = "snake_case")]
pub enum Place {
    /// In a text that somebody wrote.
    Source(SourcePlace),
    /// In an object of the lake, as far as known at a row and column.
    Object {
        /// The object's URI or path.
        uri: String,
        /// The row or line, from 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        row: Option<u64>,
        /// The column's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        column: Option<String>,
    },
}

/// A position in a text, with the excerpt that shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourcePlace {
    /// The file's path, or a name such as `<command line>`.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// How many characters are meant; at least 1.
    pub length: u32,
    /// The line itself.
    pub excerpt: String,
}

impl SourcePlace {
    /// The place of the bytes `start..end` of `text`. Offsets behind the end or inside a character are moved to the
    /// nearest character before.
    pub fn of_bytes(file: impl Into<String>, text: &str, start: usize, end: usize) -> Self {
        let start = floor_char_boundary(text, start);
        let end = floor_char_boundary(text, end).max(start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line_text = text[line_start..line_end].trim_end_matches('\r');
        let marked = &text[start..end.min(line_end)];
        Self {
            file: file.into(),
            line: count(text[..line_start].matches('\n').count() + 1),
            column: count(text[line_start..start].chars().count() + 1),
            length: count(marked.chars().count().max(1)),
            excerpt: line_text.to_owned(),
        }
    }
}

impl Place {
    /// A whole object.
    pub fn object(uri: impl fmt::Display) -> Self {
        Self::Object { uri: uri.to_string(), row: None, column: None }
    }

    /// A row (or line) of an object, from 1.
    pub fn row(uri: impl fmt::Display, row: u64) -> Self {
        Self::Object { uri: uri.to_string(), row: Some(row), column: None }
    }

    /// A column of an object, at a row if one is known.
    pub fn cell(uri: impl fmt::Display, row: Option<u64>, column: impl Into<String>) -> Self {
        Self::Object { uri: uri.to_string(), row, column: Some(column.into()) }
    }

    /// The place in one line, without an excerpt.
    pub fn short(&self) -> String {
        match self {
            Self::Source(at) => format!("{}:{}:{}", at.file, at.line, at.column),
            Self::Object { uri, row, column } => {
                let mut text = uri.clone();
                if let Some(row) = row {
                    text.push_str(&format!(", row {row}"));
                }
                if let Some(column) = column {
                    text.push_str(&format!(", column `{column}`"));
                }
                text
            }
        }
    }
}

impl From<SourcePlace> for Place {
    fn from(place: SourcePlace) -> Self {
        Self::Source(place)
    }
}

impl Diagnosis {
    /// The lines of the text, at most ten.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        push_limited(&mut lines, "", &self.what, 2);
        match &self.place {
            Some(place @ Place::Source(at)) => {
                lines.push(format!("  --> {}", place.short()));
                lines.extend(excerpt_lines(at));
            }
            Some(place) => lines.push(format!("  --> {}", place.short())),
            None => {}
        }
        if let Some(why) = &self.why {
            push_limited(&mut lines, "why: ", why, 3);
        }
        for hint in &self.hints {
            push_limited(&mut lines, "help: ", hint, 2);
        }
        lines.truncate(MAX_LINES);
        lines
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().join("\n"))
    }
}

fn push_limited(lines: &mut Vec<String>, label: &str, text: &str, most: usize) {
    let mut rest = text.lines().filter(|line| !line.trim().is_empty());
    for (index, line) in rest.by_ref().take(most).enumerate() {
        let prefix = if index == 0 { label.to_owned() } else { " ".repeat(label.len()) };
        lines.push(clip(&format!("{prefix}{}", line.trim_end())));
    }
    if rest.next().is_some()
        && let Some(last) = lines.last_mut()
    {
        last.push_str(" …");
    }
}

fn clip(line: &str) -> String {
    let printable: String = line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if printable.chars().count() <= MAX_WIDTH {
        return printable;
    }
    printable.chars().take(MAX_WIDTH - 1).chain(['…']).collect()
}

/// The excerpt and its marker, cut around the marked column where the line is long.
fn excerpt_lines(at: &SourcePlace) -> Vec<String> {
    let chars: Vec<char> =
        at.excerpt.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect();
    let column = (at.column as usize).saturating_sub(1).min(chars.len());
    let width = MAX_WIDTH - 20;
    let from = if chars.len() > width { column.saturating_sub(width / 2) } else { 0 };
    let to = chars.len().min(from + width);
    let number = at.line.to_string();
    let gutter = " ".repeat(number.len());
    let shown: String = chars[from..to].iter().map(|c| if *c == '\t' { ' ' } else { *c }).collect();
    let marks = (at.length as usize).clamp(1, (to - column.min(to)).max(1));
    vec![
        format!(
            "{number} | {}{shown}{}",
            if from > 0 { "…" } else { "" },
            if to < chars.len() { "…" } else { "" }
        ),
        format!("{gutter} | {}{}", " ".repeat(column - from + usize::from(from > 0)), "^".repeat(marks)),
    ]
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn the_excerpt_points_at_the_word() {
        let text = "data = 1\nlake.endpiont = 2\n";
        let start = text.find("lake").unwrap();
        let place = SourcePlace::of_bytes("glulam.toml", text, start, start + 13);
        let error =
            Error::invalid("unknown key `lake.endpiont`").at(place).hint("did you mean `lake.endpoint`?");
        assert_eq!(
            error.diagnosis().to_string(),
            "unknown key `lake.endpiont`\n  --> glulam.toml:2:1\n2 | lake.endpiont = 2\n  | ^^^^^^^^^^^^^\nhelp: did you mean `lake.endpoint`?"
        );
    }

    #[test]
    fn never_more_than_ten_lines_however_long_the_parts() {
        let long = "x\n".repeat(500);
        let mut error = Error::invalid(long.clone()).why(long.clone()).at(Place::object("s3://b/k"));
        for _ in 0..20 {
            error = error.hint("y".repeat(10_000));
        }
        let text = error.diagnosis().to_string();
        assert!(text.lines().count() <= 10);
        assert!(text.lines().all(|line| line.chars().count() <= MAX_WIDTH + 2));
    }

    #[test]
    fn odd_offsets_do_not_panic() {
        let text = "é\tü\n";
        for start in 0..12 {
            for end in 0..12 {
                let place = SourcePlace::of_bytes("f", text, start, end);
                let _ = Error::invalid("x").at(place).diagnosis().to_string();
            }
        }
    }
}
