//! CloudWatch's patterns of words.

use model::{Error, Result};

/// CloudWatch's patterns of words: all of the plain ones must occur, one of those with `?`, none of those with `-`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pattern {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.starts_with(['{', '[', '%']) {
            return Err(Error::unsupported("filterPattern: only patterns of words are supported here")
                .hint("write words, \"quoted words\", ?either ?or, -without"));
        }
        let mut pattern = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let (list, tail) = match rest.as_bytes()[0] {
                b'?' => (&mut pattern.any, &rest[1..]),
                b'-' => (&mut pattern.none, &rest[1..]),
                _ => (&mut pattern.all, rest),
            };
            let (word, left) = match tail.strip_prefix('"') {
                Some(quoted) => quoted
                    .split_once('"')
                    .ok_or_else(|| Error::invalid("filterPattern has a quote that does not end"))?,
                None => tail.split_once(char::is_whitespace).unwrap_or((tail, "")),
            };
            if !word.is_empty() {
                list.push(word.to_owned());
            }
            rest = left.trim_start();
        }
        Ok(pattern)
    }

    pub(super) fn fits(&self, message: &str) -> bool {
        self.all.iter().all(|word| message.contains(word.as_str()))
            && (self.any.is_empty() || self.any.iter().any(|word| message.contains(word.as_str())))
            && !self.none.iter().any(|word| message.contains(word.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_words() {
        for (pattern, message, fits) in [
            ("", "anything", true),
            ("read rows", "12 rows were read", true),
            ("read files", "12 rows were read", false),
            ("\"rows were\"", "12 rows were read", true),
            ("\"were rows\"", "12 rows were read", false),
            ("?files ?rows", "12 rows were read", true),
            ("?files ?bytes", "12 rows were read", false),
            ("rows -read", "12 rows were read", false),
            ("rows -written", "12 rows were read", true),
            ("Rows", "12 rows were read", false),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().fits(message), fits, "{pattern}");
        }
        for wrong in ["{ $.a = 1 }", "[a, b]", "\"open"] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
    }
}
