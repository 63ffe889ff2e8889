//! JSON with places: every value and every field name remembers where it stands, so that a wrong task is shown by line
//! and column. Comments (`//` and `/* */`) are allowed, because the task files that people pass around carry them.
//! Anything else outside the JSON grammar is refused with a hint; nothing is guessed.

use model::{Error, Result, SourcePlace};

/// Deeper texts are refused: no task needs it, and the parser must not exhaust the stack.
const MAX_DEPTH: usize = 64;

/// A text and the name it is known by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
}

impl Source<'_> {
    /// A refusal that points at these bytes.
    pub(crate) fn error(&self, span: Span, message: impl Into<String>) -> Error {
        Error::invalid(message).at(SourcePlace::of_bytes(self.file, self.text, span.start, span.end))
    }
}

/// Bytes of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// What a node holds. Numbers keep their text: whether an integer is wanted is known later.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Member>),
}

impl Value {
    /// The kind, as a message names it.
    pub(crate) fn described(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// One field of an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) name_span: Span,
    pub(crate) node: Node,
}

/// Reads one JSON text.
pub(crate) fn parse(source: Source<'_>) -> Result<Node> {
    let mut parser = Parser { source, bytes: source.text.as_bytes(), at: 0 };
    if source.text.starts_with('\u{feff}') {
        parser.at = 3; // some Windows editors put a byte order mark first
    }
    parser.skip_space()?;
    if parser.peek().is_none() {
        return Err(parser.here("the file is empty").hint("a task is one JSON object with a field `@type`"));
    }
    let node = parser.value(0)?;
    parser.skip_space()?;
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser
            .here("there is more text after the end of the JSON value")
            .hint("a task file holds one object; look for a bracket that closes too early")),
    }
}

struct Parser<'a> {
    source: Source<'a>,
    bytes: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn error(&self, start: usize, message: impl Into<String>) -> Error {
        self.source.error(Span { start, end: self.at.max(start + 1) }, message)
    }

    fn here(&self, message: impl Into<String>) -> Error {
        self.source.error(Span { start: self.at, end: self.at + 1 }, message)
    }

    /// What stands at the current place, as a message names it.
    fn found(&self) -> String {
        match self.source.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            None => "the end of the file".to_owned(),
            Some(c) if c.is_control() => format!("the character U+{:04X}", u32::from(c)),
            Some(c) => format!("`{c}`"),
        }
    }

    fn skip_space(&mut self) -> Result<()> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(b'/') => self.comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Result<()> {
        let start = self.at;
        let rest = &self.source.text[start..];
        if rest.starts_with("//") {
            self.at = rest.find('\n').map_or(self.bytes.len(), |length| start + length);
            Ok(())
        } else if let Some(body) = rest.strip_prefix("/*") {
            match body.find("*/") {
                Some(length) => {
                    self.at = start + 2 + length + 2;
                    Ok(())
                }
                None => Err(self.here("this comment is never closed").hint("close it with `*/`")),
            }
        } else {
            Err(self.here("expected a value, but found `/`").hint("a comment begins with `//` or `/*`"))
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node> {
        let start = self.at;
        if depth > MAX_DEPTH {
            return Err(self.here(format!("values are nested more than {MAX_DEPTH} deep")));
        }
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Value::Text(self.text()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => self.word()?,
            Some(b'\'') => {
                return Err(self
                    .here("a string begins with a single quote")
                    .hint("use double quotes: \"…\""));
            }
            Some(b'}' | b']') if self.follows_comma() => return Err(self.trailing_comma()),
            _ => return Err(self.here(format!("expected a value, but found {}", self.found()))),
        };
        Ok(Node { span: Span { start, end: self.at }, value })
    }

    fn follows_comma(&self) -> bool {
        self.source.text[..self.at].trim_end().ends_with(',')
    }

    fn trailing_comma(&self) -> Error {
        let comma = self.source.text[..self.at].rfind(',').unwrap_or(self.at);
        self.source
            .error(
                Span { start: comma, end: comma + 1 },
                format!("a comma stands before the closing {}", self.found()),
            )
            .hint("remove the comma after the last entry")
    }

    fn object(&mut self, depth: usize) -> Result<Value> {
        let open = self.at;
        self.at += 1;
        let mut members: Vec<Member> = Vec::new();
        self.skip_space()?;
        while self.peek() != Some(b'}') {
            let name_start = self.at;
            let name = self.name(open)?;
            let name_span = Span { start: name_start, end: self.at };
            self.skip_space()?;
            if self.peek() != Some(b':') {
                return Err(self.here(format!("expected `:` after \"{name}\", but found {}", self.found())));
            }
            self.at += 1;
            self.skip_space()?;
            let node = self.value(depth + 1)?;
            members.push(Member { name, name_span, node });
            self.separator(b'}', open)?;
        }
        self.at += 1;
        Ok(Value::Object(members))
    }

    fn name(&mut self, open: usize) -> Result<String> {
        match self.peek() {
            Some(b'"') => self.text(),
            Some(b'}') if self.follows_comma() => Err(self.trailing_comma()),
            None => Err(self.unclosed(open)),
            Some(_) => Err(self
                .here(format!("expected a field name, but found {}", self.found()))
                .hint("field names stand in double quotes")),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value> {
        let open = self.at;
        self.at += 1;
        let mut nodes = Vec::new();
        self.skip_space()?;
        while self.peek() != Some(b']') {
            if self.peek().is_none() {
                return Err(self.unclosed(open));
            }
            nodes.push(self.value(depth + 1)?);
            self.separator(b']', open)?;
        }
        self.at += 1;
        Ok(Value::List(nodes))
    }

    /// After an entry: a comma and another entry, or the closing bracket, which is left for the caller.
    fn separator(&mut self, close: u8, open: usize) -> Result<()> {
        self.skip_space()?;
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_space()?;
                match self.peek() {
                    Some(byte) if byte == close => Err(self.trailing_comma()),
                    None => Err(self.unclosed(open)),
                    Some(_) => Ok(()),
                }
            }
            Some(byte) if byte == close => Ok(()),
            None => Err(self.unclosed(open)),
            Some(_) => Err(self
                .here(format!("expected `,` or `{}`, but found {}", char::from(close), self.found()))
                .hint("a comma is probably missing before it")),
        }
    }

    fn unclosed(&self, open: usize) -> Error {
        let bracket = char::from(self.bytes.get(open).copied().unwrap_or(b'{'));
        self.source
            .error(Span { start: open, end: open + 1 }, format!("this `{bracket}` is never closed"))
            .why("the file ends before its closing bracket")
    }

    fn word(&mut self) -> Result<Value> {
        let start = self.at;
        while matches!(self.peek(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_')) {
            self.at += 1;
        }
        match &self.source.text[start..self.at] {
            "null" => Ok(Value::Null),
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            word => Err(self
                .error(start, format!("expected a value, but found `{word}`"))
                .hint("strings stand in double quotes; other words are `true`, `false` and `null`")),
        }
    }

    fn number(&mut self) -> Result<Value> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let whole = self.digits();
        let leading_zero = whole > 1 && self.bytes[self.at - whole] == b'0';
        let mut good = whole > 0 && !leading_zero;
        if self.peek() == Some(b'.') {
            self.at += 1;
            good &= self.digits() > 0;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            good &= self.digits() > 0;
        }
        if good {
            return Ok(Value::Number(self.source.text[start..self.at].to_owned()));
        }
        Err(self
            .error(start, "this is not a JSON number")
            .hint("write it like 5, -0.25 or 1e6, without leading zeros"))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn text(&mut self) -> Result<String> {
        let open = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            text.push_str(&self.source.text[start..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(b'\n' | b'\r') | None => {
                    return Err(self.error(open, "this string is never closed").hint("close it with `\"`"));
                }
                Some(_) => {
                    return Err(self
                        .here(format!("{} stands unescaped in a string", self.found()))
                        .hint("write it as \\t or \\u00XX"));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let start = self.at;
        self.at += 1;
        let escape = self.peek();
        self.at += 1;
        match escape {
            Some(byte @ (b'"' | b'\\' | b'/')) => Ok(char::from(byte)),
            Some(b'b') => Ok('\u{8}'),
            Some(b'f') => Ok('\u{c}'),
            Some(b'n') => Ok('\n'),
            Some(b'r') => Ok('\r'),
            Some(b't') => Ok('\t'),
            Some(b'u') => self.unicode(start),
            _ => Err(self
                .error(start, "unknown escape in a string")
                .hint("known are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX")),
        }
    }

    fn unicode(&mut self, start: usize) -> Result<char> {
        let first = self.hex4(start)?;
        let mut code = first;
        if (0xd800..0xdc00).contains(&first)
            && self.bytes[self.at.min(self.bytes.len())..].starts_with(b"\\u")
        {
            self.at += 2;
            let second = self.hex4(start)?;
            if (0xdc00..0xe000).contains(&second) {
                code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            }
        }
        char::from_u32(code).ok_or_else(|| self.error(start, "this escape is half of a character"))
    }

    fn hex4(&mut self, start: usize) -> Result<u32> {
        let digits = self.source.text.get(self.at..self.at + 4);
        let code = digits
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match code {
            Some(code) => {
                self.at += 4;
                Ok(code)
            }
            None => Err(self.error(start, "expected four hexadecimal digits after `\\u`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(node: &Node) -> serde_json::Value {
        match &node.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(text) => serde_json::from_str(text).unwrap(),
            Value::Text(text) => text.clone().into(),
            Value::List(nodes) => nodes.iter().map(plain).collect(),
            Value::Object(members) => serde_json::Value::Object(
                members.iter().map(|member| (member.name.clone(), plain(&member.node))).collect(),
            ),
        }
    }

    #[test]
    fn comments_and_a_byte_order_mark_are_no_obstacle() {
        let text = "\u{feff}// a task\n{ /* one */ \"a\": [1, // two\n 2] }\n// end";
        let node = parse(Source { file: "t", text }).unwrap();
        assert_eq!(plain(&node), serde_json::json!({ "a": [1, 2] }));
    }

    #[test]
    fn a_deep_text_is_refused_without_exhausting_the_stack() {
        let text = "[".repeat(1_000_000);
        assert!(parse(Source { file: "t", text: &text }).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

        /// Pieces of JSON in any order: what serde_json takes is taken with the same meaning, the rest is refused.
        #[test]
        fn it_takes_what_serde_json_takes(pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"a\"", "\"\\u00e9\\ud83d\\ude00\"", "\"\\ud83d\"", "\"é\\n\"", "1", "-0.5e3",
                "01", "1.", "-", "true", "null", " ", "\n", "\"", "\\", "x", "{\"a\":1}", "[1,2]", "\"b\":", "\t",
            ]), 0..12)) {
            let text = pieces.concat();
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            match parse(Source { file: "t", text: &text }) {
                Ok(node) => prop_assert_eq!(Some(plain(&node)), theirs.ok()),
                Err(error) => {
                    prop_assert!(theirs.is_err(), "refused {:?}: {}", text, error);
                    prop_assert!(error.place().is_some());
                }
            }
        }
    }
}
