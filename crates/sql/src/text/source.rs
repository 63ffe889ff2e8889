//! A text with its name, and the way from a parser's span to a place that a diagnosis can show.

use model::SourcePlace;
use sqlparser::tokenizer::{Location, Span};

/// A text that somebody wrote, with the name it is known by (a file's path, or `<command line>`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name shown in diagnoses.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// A text of that name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// The part of the text that a span covers.
    pub fn slice(&self, span: Span) -> &str {
        let start = offset_of(&self.text, span.start);
        let end = offset_of(&self.text, span.end).max(start);
        self.text.get(start..end).unwrap_or("")
    }
}

/// The place of a span in its source. An empty span (of something that nobody wrote) is the beginning of the text.
pub fn at(source: &Source, span: Span) -> SourcePlace {
    let start = offset_of(&source.text, span.start);
    let end = offset_of(&source.text, span.end).max(start);
    SourcePlace::of_bytes(source.name.clone(), &source.text, start, end)
}

/// The byte at which a line and column (in characters, both from 1) stand; the nearest one if they are not in the text.
fn offset_of(text: &str, location: Location) -> usize {
    let mut line_start = 0;
    for _ in 1..location.line {
        match text.get(line_start..).and_then(|rest| rest.find('\n')) {
            Some(found) => line_start += found + 1,
            None => return text.len(),
        }
    }
    let line = text.get(line_start..).unwrap_or("");
    let column = usize::try_from(location.column.saturating_sub(1)).unwrap_or(usize::MAX);
    line.char_indices().nth(column).map_or(text.len(), |(at, _)| line_start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_becomes_a_place_and_odd_spans_do_not_panic() {
        let source = Source::new("q.sql", "SELECT é,\n  foo");
        let span = Span::new(Location::new(2, 3), Location::new(2, 6));
        assert_eq!(source.slice(span), "foo");
        let place = at(&source, span);
        assert_eq!((place.line, place.column, place.length, place.excerpt.as_str()), (2, 3, 3, "  foo"));
        for line in 0..5 {
            for column in 0..20 {
                let _ = at(&source, Span::new(Location::new(line, column), Location::new(0, 0)));
            }
        }
        assert_eq!(at(&source, Span::empty()).line, 1);
    }
}
