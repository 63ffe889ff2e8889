//! Exclusion patterns, as Glue's crawlers have them, over a path relative to the target.
//!
//! `*` and `?` stay within a folder, `**` crosses folders wherever it stands (`**.tmp`, `raw**`), `[a-z]` and `[!a-z]`
//! match one character, `{csv,json}` either, `\` takes the next character as it is. They are translated to regular
//! expressions, which match in linear time whatever the pattern. (The `globset` crate knows `**` only as a whole
//! folder's name.)

use model::{Error, Result, SourcePlace};
use regex::Regex;

/// Longer patterns are refused.
const MAX_LENGTH: usize = 1024;

/// One pattern.
#[derive(Debug, Clone)]
pub struct Glob {
    regex: Regex,
}

/// All patterns of a target.
#[derive(Debug, Clone, Default)]
pub struct Exclusions {
    globs: Vec<Glob>,
}

impl Exclusions {
    /// These patterns.
    pub fn new(patterns: &[String]) -> Result<Self> {
        Ok(Self { globs: patterns.iter().map(|pattern| Glob::new(pattern)).collect::<Result<_>>()? })
    }

    /// Whether any pattern matches the path.
    pub fn exclude(&self, relative: &str) -> bool {
        self.globs.iter().any(|glob| glob.matches(relative))
    }
}

impl Glob {
    /// A pattern, or an error that points at what is wrong with it.
    pub fn new(pattern: &str) -> Result<Self> {
        if pattern.is_empty() || pattern.len() > MAX_LENGTH {
            return Err(Error::invalid(format!("an exclusion pattern must have 1 to {MAX_LENGTH} bytes")));
        }
        let text = translate(pattern)?;
        let regex = Regex::new(&text)
            .map_err(|e| wrong(pattern, "it is too large or has an empty range", 0).source_is(e))?;
        Ok(Self { regex })
    }

    /// Whether it matches all of the path.
    pub fn matches(&self, path: &str) -> bool {
        self.regex.is_match(path)
    }
}

fn wrong(pattern: &str, problem: &str, at: usize) -> Error {
    Error::invalid(format!("the exclusion pattern cannot be read: {problem}"))
        .at(SourcePlace::of_bytes("<exclusion>", pattern, at, at + 1))
        .hint("patterns look like `**.tmp`, `raw/*`, `2020-[01][0-9]/**` or `*.{csv,json}`")
}

fn translate(pattern: &str) -> Result<String> {
    // A leading slash is often written; paths are relative.
    let start = usize::from(pattern.starts_with('/'));
    let mut out = String::from("(?s)^");
    let mut group = None;
    let mut chars = pattern[start..].char_indices().map(|(at, c)| (at + start, c)).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '*' if chars.next_if(|(_, next)| *next == '*').is_some() => out.push_str(".*"),
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '{' if group.is_some() => return Err(wrong(pattern, "groups do not nest", at)),
            '{' => {
                group = Some(at);
                out.push_str("(?:");
            }
            '}' if group.take().is_some() => out.push(')'),
            ',' if group.is_some() => out.push('|'),
            '[' => class(pattern, at, &mut chars, &mut out)?,
            '\\' => match chars.next() {
                Some((_, escaped)) => push_literal(&mut out, escaped),
                None => return Err(wrong(pattern, "nothing follows the backslash", at)),
            },
            other => push_literal(&mut out, other),
        }
    }
    match group {
        Some(at) => Err(wrong(pattern, "the brace is not closed", at)),
        None => {
            out.push('$');
            Ok(out)
        }
    }
}

/// `[…]`: everything stands for itself but the range's hyphen and the leading `!`. It never matches a slash.
fn class(
    pattern: &str,
    at: usize,
    chars: &mut impl Iterator<Item = (usize, char)>,
    out: &mut String,
) -> Result<()> {
    let mut members = Vec::new();
    let closed = loop {
        match chars.next() {
            Some((_, ']')) => break true,
            Some((_, c)) => members.push(c),
            None => break false,
        }
    };
    let negated = members.first() == Some(&'!');
    let members = if negated { &members[1..] } else { &members[..] };
    if !closed || members.is_empty() {
        return Err(wrong(
            pattern,
            if closed { "the bracket is empty" } else { "the bracket is not closed" },
            at,
        ));
    }
    out.push_str(if negated { "[^/" } else { "[" });
    let mut index = 0;
    while index < members.len() {
        let low = members[index];
        if members.get(index + 1) == Some(&'-') && index + 2 < members.len() {
            push_member(out, low);
            out.push('-');
            push_member(out, members[index + 2]);
            index += 3;
        } else {
            push_member(out, low);
            index += 1;
        }
    }
    out.push(']');
    Ok(())
}

fn push_member(out: &mut String, c: char) {
    if c.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(c);
}

fn push_literal(out: &mut String, c: char) {
    out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_and_paths() {
        for (pattern, matching, other) in [
            ("*.csv", &["a.csv", ".csv"][..], &["x/a.csv", "a.csv.gz"][..]),
            ("*.*", &["a.b", "a.b.c"], &["a", "x/a.b"]),
            ("*.{csv,avro}", &["a.csv", "b.avro"], &["a.json", "a.csv,"]),
            ("foo.?", &["foo.a", "foo.ä"], &["foo.", "foo.ab", "foo./"]),
            ("myfolder/*", &["myfolder/a"], &["myfolder/a/b", "other/a"]),
            ("myfolder/*/*", &["myfolder/a/b"], &["myfolder/a", "myfolder/a/b/c"]),
            ("myfolder/**", &["myfolder/a", "myfolder/a/b"], &["myfolderx/a"]),
            ("myfolder**", &["myfolder", "myfolder/a", "myfolder2/b"], &["a/myfolder"]),
            ("**.tmp", &["a.tmp", "x/y/a.tmp", ".tmp"], &["a.tmp.csv"]),
            ("**/_temporary/**", &["a/_temporary/b/c"], &["a/temporary/b"]),
            ("2020-[01][0-9]/*", &["2020-12/a", "2020-01/x"], &["2020-21/a", "2020-1/a"]),
            ("[!a-c]x", &["dx"], &["ax", "/x"]),
            ("[-a]x[a-]", &["-xa", "ax-"], &["bxa"]),
            ("[*?\\]", &["*", "?", "\\"], &["a"]),
            ("a\\*b", &["a*b"], &["axb"]),
            ("/a/b", &["a/b"], &["x/a/b"]),
            ("a+b(c)|d^$.", &["a+b(c)|d^$."], &["aab"]),
        ] {
            let glob = Glob::new(pattern).unwrap();
            for path in matching {
                assert!(glob.matches(path), "{pattern} should match {path}");
            }
            for path in other {
                assert!(!glob.matches(path), "{pattern} should not match {path}");
            }
        }
    }

    #[test]
    fn mistakes_are_pointed_at() {
        for bad in ["", "[a", "[]", "[!]", "{a", "{a{b}}", "a\\", "[z-a]"] {
            assert!(Glob::new(bad).is_err(), "{bad}");
        }
        let text = Glob::new("raw/{a").unwrap_err().diagnosis().to_string();
        assert!(text.contains("brace is not closed") && text.contains(":1:5"), "{text}");
    }

    proptest! {
        #[test]
        fn no_pattern_panics(pattern in "[\\PC]{0,12}", path in "[\\PC]{0,12}") {
            if let Ok(glob) = Glob::new(&pattern) {
                let _ = glob.matches(&path);
            }
        }

        #[test]
        fn an_escaped_path_matches_itself(path in "[a-z*?\\[\\]{},/.!-]{1,16}") {
            let escaped: String = path.chars().flat_map(|c| ['\\', c]).collect();
            prop_assert!(Glob::new(&escaped).unwrap().matches(&path));
        }
    }
}
