//! Grok: regular expressions by name. `%{NUMBER:status:int}` is a number, kept as the column `status` of type `int`.
//!
//! A pattern is expanded into one regular expression without back-references or lookaround, so that matching takes
//! linear time whatever the line; what needs lookaround is refused by name.

mod patterns;

use model::{Column, Error, HiveType, Result, SourcePlace, nearest_hint};
use regex::{Regex, RegexBuilder};
use std::collections::HashMap;

/// Patterns in patterns.
const MAX_DEPTH: usize = 16;
/// An expanded pattern longer than this, in bytes, is refused.
const MAX_EXPANDED: usize = 64 << 10;
/// The compiled expression's limit, in bytes.
const MAX_COMPILED: usize = 8 << 20;

const TYPES: [(&str, HiveType); 11] = [
    ("string", HiveType::String),
    ("int", HiveType::Int),
    ("integer", HiveType::Int),
    ("long", HiveType::BigInt),
    ("bigint", HiveType::BigInt),
    ("short", HiveType::SmallInt),
    ("byte", HiveType::TinyInt),
    ("float", HiveType::Float),
    ("double", HiveType::Double),
    ("boolean", HiveType::Boolean),
    ("timestamp", HiveType::Timestamp),
];

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Grok {
    regex: Regex,
    columns: Vec<Column>,
    /// The groups of the expression that may hold each column's value.
    groups: Vec<Vec<usize>>,
}

impl Grok {
    /// Compiles a pattern with more named patterns, one a line (`NAME regex`).
    pub fn compile(pattern: &str, custom_patterns: &str) -> Result<Self> {
        let custom = parse_custom(custom_patterns)?;
        let mut expansion = Expansion { custom: &custom, text: String::new(), fields: Vec::new() };
        expansion.expand(pattern, 0).map_err(|error| {
            error.at_if_unknown(|| SourcePlace::of_bytes("<grok pattern>", pattern, 0, pattern.len()).into())
        })?;
        let regex = RegexBuilder::new(&expansion.text).size_limit(MAX_COMPILED).build().map_err(|error| {
            Error::invalid("the grok pattern is no regular expression")
                .at(SourcePlace::of_bytes("<grok pattern>", pattern, 0, pattern.len()))
                .why(last_line(&error.to_string()))
                .source_is(error)
        })?;
        let mut grok = Self { regex, columns: Vec::new(), groups: Vec::new() };
        for (field, hive_type) in expansion.fields {
            grok.add(&field, hive_type)?;
        }
        if grok.columns.is_empty() {
            return Err(Error::invalid("the grok pattern names no column")
                .at(SourcePlace::of_bytes("<grok pattern>", pattern, 0, pattern.len()))
                .hint("name what should be kept, such as `%{NUMBER:status}`"));
        }
        Ok(grok)
    }

    /// A field's group is named by its position, so that one column may come from several groups.
    fn add(&mut self, field: &str, hive_type: HiveType) -> Result<()> {
        let index = self.groups.iter().map(Vec::len).sum::<usize>();
        let name = format!("g{index}");
        let group = self.regex.capture_names().position(|known| known == Some(name.as_str()));
        let group = group.ok_or_else(|| Error::internal("a grok field lost its group"))?;
        match self.columns.iter().position(|known| known.name == field) {
            Some(at) => self.groups[at].push(group),
            None => {
                self.columns.push(Column::new(field, hive_type));
                self.groups.push(vec![group]);
            }
        }
        Ok(())
    }

    /// The columns in the pattern's order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The expression that it stands for.
    pub fn regex(&self) -> &str {
        self.regex.as_str()
    }

    /// For each column the groups of the expression that may hold its value: the first one that matched does.
    pub fn groups(&self) -> &[Vec<usize>] {
        &self.groups
    }

    /// Whether the line fits.
    pub fn is_match(&self, line: &str) -> bool {
        self.regex.is_match(line)
    }

    /// The columns' values in a line, or none when it does not fit.
    pub fn values<'t>(&self, line: &'t str) -> Option<Vec<Option<&'t str>>> {
        let captures = self.regex.captures(line)?;
        let value = |groups: &Vec<usize>| {
            groups.iter().find_map(|group| captures.get(*group).map(|found| found.as_str()))
        };
        Some(self.groups.iter().map(value).collect())
    }
}

fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

fn parse_custom(text: &str) -> Result<HashMap<String, String>> {
    let mut found = HashMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, pattern) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name || pattern.trim().is_empty() {
            return Err(Error::invalid("a line of the custom patterns is not `NAME pattern`")
                .at(SourcePlace::of_bytes("<custom patterns>", line, 0, line.len()))
                .hint("write one pattern a line, such as `TICKET [A-Z]+-[0-9]+`"));
        }
        found.insert(name.to_owned(), pattern.trim().to_owned());
    }
    Ok(found)
}

struct Expansion<'a> {
    custom: &'a HashMap<String, String>,
    text: String,
    /// Fields in the order of their groups.
    fields: Vec<(String, HiveType)>,
}

/// What cannot be matched in linear time, and how it is called.
const REFUSED: [(&str, &str); 4] = [
    ("(?=", "the lookahead `(?=…)`"),
    ("(?!", "the negative lookahead `(?!…)`"),
    ("(?<=", "the lookbehind `(?<=…)`"),
    ("(?<!", "the negative lookbehind `(?<!…)`"),
];

impl Expansion<'_> {
    fn expand(&mut self, pattern: &str, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(Error::invalid("the grok pattern contains itself")
                .why(format!("its named patterns nest deeper than {MAX_DEPTH}")));
        }
        let mut at = 0;
        while let Some(c) = pattern[at..].chars().next() {
            let rest = &pattern[at..];
            if self.text.len() > MAX_EXPANDED {
                return Err(Error::invalid("the grok pattern is too large")
                    .why(format!("expanded it has more than {} kB", MAX_EXPANDED >> 10)));
            }
            at += if c == '\\' {
                let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                self.text.push_str(&rest[..length]);
                length
            } else if let Some(after) = rest.strip_prefix("%{") {
                let end = after.find('}').ok_or_else(|| {
                    Error::invalid("a `%{` of the grok pattern is not closed").at(place(pattern, at, at + 2))
                })?;
                self.reference(&after[..end], depth)
                    .map_err(|error| error.at_if_unknown(|| place(pattern, at, at + end + 3).into()))?;
                end + 3
            } else if rest.starts_with("(?") {
                self.group(pattern, at)?
            } else {
                self.text.push(c);
                c.len_utf8()
            };
        }
        Ok(())
    }

    /// `NAME`, `NAME:field` or `NAME:field:type`.
    fn reference(&mut self, inner: &str, depth: usize) -> Result<()> {
        let mut parts = inner.splitn(3, ':').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let field = parts.next().filter(|field| !field.is_empty());
        let hive_type = parts.next().map_or(Ok(HiveType::String), grok_type)?;
        let known = self.custom.get(name).map(String::as_str).or_else(|| patterns::find(name));
        let Some(pattern) = known else {
            let mut names: Vec<&str> = patterns::names().collect();
            names.extend(self.custom.keys().map(String::as_str));
            return Err(
                Error::invalid(format!("there is no grok pattern `{name}`")).hint(nearest_hint(name, names))
            );
        };
        let pattern = pattern.to_owned();
        match field {
            Some(field) => self.open(field, hive_type),
            None => self.text.push_str("(?:"),
        }
        self.expand(&pattern, depth + 1)?;
        self.text.push(')');
        Ok(())
    }

    fn open(&mut self, field: &str, hive_type: HiveType) {
        self.text.push_str(&format!("(?P<g{}>", self.fields.len()));
        self.fields.push((field.to_owned(), hive_type));
    }

    /// What begins with `(?`: named groups become columns, lookaround is refused. Answers how much was taken.
    fn group(&mut self, pattern: &str, at: usize) -> Result<usize> {
        let rest = &pattern[at..];
        if let Some((mark, name)) = REFUSED.iter().find(|(mark, _)| rest.starts_with(mark)) {
            return Err(Error::unsupported(format!("{name} is not supported in grok patterns"))
                .at(place(pattern, at, at + mark.len()))
                .why("lines are matched in linear time, which lookaround does not allow")
                .hint("say what should be there instead of what should not"));
        }
        // An atomic group only forbids going back, which a linear match never does.
        if rest.starts_with("(?>") {
            self.text.push_str("(?:");
            return Ok(3);
        }
        for mark in ["(?P<", "(?<"] {
            if let Some(after) = rest.strip_prefix(mark) {
                let end = after.find('>').ok_or_else(|| {
                    Error::invalid("a group's name is not closed").at(place(pattern, at, at + mark.len()))
                })?;
                self.open(&after[..end], HiveType::String);
                return Ok(mark.len() + end + 1);
            }
        }
        self.text.push_str("(?");
        Ok(2)
    }
}

fn place(pattern: &str, start: usize, end: usize) -> SourcePlace {
    SourcePlace::of_bytes("<grok pattern>", pattern, start, end)
}

fn grok_type(name: &str) -> Result<HiveType> {
    let found = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, hive_type)| hive_type.clone()).ok_or_else(|| {
        Error::invalid(format!("there is no grok type `{name}`"))
            .hint(nearest_hint(name, TYPES.iter().map(|(known, _)| *known)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_pattern_compiles() {
        for name in patterns::names() {
            Grok::compile(&format!("%{{{name}:x}}"), "").unwrap();
        }
    }

    #[test]
    fn values_types_and_custom_patterns() {
        let grok = Grok::compile(
            r"^%{IP:client} (?<who>\w+) %{NUMBER:took:double} (%{TICKET:ref}|none)$",
            "# ours\nTICKET [A-Z]+-%{INT}",
        )
        .unwrap();
        let columns: Vec<String> =
            grok.columns().iter().map(|c| format!("{} {}", c.name, c.hive_type)).collect();
        assert_eq!(columns, ["client string", "who string", "took double", "ref string"]);
        assert_eq!(
            grok.values("10.0.0.1 anna 1.5 OPS-17").unwrap(),
            [Some("10.0.0.1"), Some("anna"), Some("1.5"), Some("OPS-17")]
        );
        assert_eq!(grok.values("10.0.0.1 anna 1.5 none").unwrap()[3], None);
        assert!(grok.values("nobody").is_none());
    }

    #[test]
    fn one_column_from_several_groups() {
        let grok = Grok::compile("^(?:%{INT:x:int}|<%{WORD:x}>) %{WORD:y}$", "").unwrap();
        assert_eq!(grok.values("<a> b").unwrap(), [Some("a"), Some("b")]);
        assert_eq!(grok.values("7 b").unwrap(), [Some("7"), Some("b")]);
    }

    #[test]
    fn mistakes_are_named() {
        for (pattern, custom, expected) in [
            ("%{NUMBR:x}", "", "did you mean `NUMBER`"),
            ("%{NUMBER:x:itn}", "", "did you mean `int`"),
            ("%{NUMBER:x", "", "is not closed"),
            ("%{NUMBER}", "", "names no column"),
            ("(?=a)%{WORD:x}", "", "lookahead"),
            ("(?<!a)%{WORD:x}", "", "negative lookbehind"),
            ("[%{WORD:x}", "", "no regular expression"),
            ("%{A:x}", "A %{B}\nB %{A}", "contains itself"),
            ("%{A:x}", "A", "is not `NAME pattern`"),
        ] {
            let text = Grok::compile(pattern, custom).unwrap_err().diagnosis().to_string();
            assert!(text.contains(expected), "{pattern}: {text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn no_pattern_panics(pattern in r"(%\{|[a-zA-Z():\\?<>=}é]|INT:x|\}){0,12}") {
            let _ = Grok::compile(&pattern, "");
        }
    }
}
