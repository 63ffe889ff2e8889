//! Delimited text cut into records: quotes, doubled or escaped quotes, line breaks inside quotes, any line ending.

use std::borrow::Cow;

/// A quoted field over more lines than this is a stray quote, not a field.
const MAX_QUOTED_LINES: usize = 200;

/// How fields are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: char,
    pub(super) quote: Option<char>,
    /// Whether a backslash before a quote makes it a letter.
    pub(super) escaped: bool,
}

/// One record with the line it begins on, from 1.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) line: u64,
    pub(super) fields: Vec<Cow<'a, str>>,
    /// Whether the field was quoted.
    pub(super) quoted: bool,
    /// Whether a field holds a line break.
    pub(super) multi_line: bool,
}

/// The records of a text.
pub(super) struct Records<'a> {
    text: &'a str,
    at: usize,
    line: u64,
    dialect: Dialect,
    most_fields: usize,
    /// Quotes that are never closed, taken as letters: the first one's line, and how many.
    pub(super) stray: Option<(u64, u64)>,
}

impl<'a> Records<'a> {
    /// Reads `text`; a record keeps no more than `most_fields` fields.
    pub(super) fn new(text: &'a str, dialect: Dialect, most_fields: usize) -> Self {
        Self { text, at: 0, line: 1, dialect, most_fields, stray: None }
    }

    /// How far the text was read, in bytes.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Moves behind a line ending, if one is here.
    fn take_line_end(&mut self) -> bool {
        let rest = self.rest();
        let length = if rest.starts_with("\r\n") {
            2
        } else if rest.starts_with(['\n', '\r']) {
            1
        } else {
            return false;
        };
        self.at += length;
        self.line += 1;
        true
    }

    fn plain_field(&mut self) -> Cow<'a, str> {
        let delimiter = self.dialect.delimiter;
        let rest = self.rest();
        let end = rest.find([delimiter, '\n', '\r']).unwrap_or(rest.len());
        self.at += end;
        Cow::Borrowed(&rest[..end])
    }

    /// A quoted field, or none when its quote is never closed.
    fn quoted_field(&mut self, quote: char) -> Option<(Cow<'a, str>, bool)> {
        let rest = self.rest();
        let body = &rest[quote.len_utf8()..];
        let (mut end, mut doubled, mut lines) = (None, false, 0usize);
        let mut chars = body.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if c == '\n' {
                lines += 1;
                if lines > MAX_QUOTED_LINES {
                    return None;
                }
            } else if c == '\\'
                && self.dialect.escaped
                && chars.peek().is_some_and(|(_, next)| *next == quote)
            {
                doubled = true;
                chars.next();
            } else if c == quote {
                if chars.peek().is_some_and(|(_, next)| *next == quote) {
                    doubled = true;
                    chars.next();
                } else {
                    end = Some(at);
                    break;
                }
            }
        }
        let end = end?;
        let inner = &body[..end];
        self.at += quote.len_utf8() + end + quote.len_utf8();
        self.line += lines as u64;
        // What stands between the closing quote and the delimiter belongs to the field, as readers take it.
        let after = self.plain_field();
        let mut value = Cow::Borrowed(inner);
        if doubled {
            let twice = format!("{quote}{quote}");
            value = Cow::Owned(
                inner.replace(&format!("\\{quote}"), &quote.to_string()).replace(&twice, &quote.to_string()),
            );
        }
        if !after.trim().is_empty() {
            value = Cow::Owned(format!("{value}{after}"));
        }
        Some((value, lines > 0))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        while self.take_line_end() {}
        if self.rest().is_empty() {
            return None;
        }
        let mut record = Record { line: self.line, fields: Vec::new(), quoted: false, multi_line: false };
        loop {
            let quote = self.dialect.quote.filter(|quote| self.rest().starts_with(*quote));
            let quoted = quote.and_then(|quote| self.quoted_field(quote));
            if quote.is_some() && quoted.is_none() {
                let (line, count) = self.stray.unwrap_or((self.line, 0));
                self.stray = Some((line, count + 1));
            }
            let field = match quoted {
                Some((field, multi_line)) => {
                    record.quoted = true;
                    record.multi_line |= multi_line;
                    field
                }
                None => self.plain_field(),
            };
            if record.fields.len() < self.most_fields {
                record.fields.push(field);
            }
            if self.rest().starts_with(self.dialect.delimiter) {
                self.at += self.dialect.delimiter.len_utf8();
                continue;
            }
            if !self.take_line_end() && !self.rest().is_empty() {
                // Only an unusual delimiter or quote gets here; never stand still.
                self.at += self.rest().chars().next().map_or(0, char::len_utf8);
            }
            return Some(record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Vec<String>> {
        let dialect = Dialect { delimiter: ',', quote: Some('"'), escaped: true };
        Records::new(text, dialect, 100)
            .map(|record| record.fields.into_iter().map(Cow::into_owned).collect())
            .collect()
    }

    #[test]
    fn quotes_and_line_endings() {
        assert_eq!(read("a,b\r\n\r\nc,\n"), [vec!["a", "b"], vec!["c", ""]]);
        assert_eq!(read("\"a,\"\"x\"\"\nb\",c\rd"), [vec!["a,\"x\"\nb", "c"], vec!["d"]]);
        assert_eq!(read(r#""say \"hi\"",2"#), [vec!["say \"hi\"", "2"]]);
        assert_eq!(read("\"open,1\n2,3"), [vec!["\"open", "1"], vec!["2", "3"]]);
        assert_eq!(read(",\n"), [vec!["", ""]]);
    }

    #[test]
    fn lines_are_counted_through_quotes() {
        let dialect = Dialect { delimiter: ',', quote: Some('"'), escaped: false };
        let lines: Vec<u64> =
            Records::new("a\n\"x\ny\",1\nz", dialect, 9).map(|record| record.line).collect();
        assert_eq!(lines, [1, 2, 4]);
    }
}
