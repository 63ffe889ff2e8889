//! JSON with places. Our own reader, because the usual ones keep no place of each value.

use super::{Data, Entry, MAX_DEPTH, Value, key_twice, place, too_deep};
use model::{Error, Result};
use sql::Source;

/// Reads one JSON value and nothing behind it.
pub(super) fn read(source: &Source) -> Result<Value> {
    let mut reader = Reader { source, text: &source.text, at: 0 };
    if reader.text.starts_with('\u{feff}') {
        reader.at = 3;
    }
    let value = reader.value(0)?;
    reader.spaces();
    if reader.at < reader.text.len() {
        return Err(reader.wrong("there is more behind the end of the JSON value"));
    }
    Ok(value)
}

struct Reader<'a> {
    source: &'a Source,
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    fn take(&mut self, symbol: char) -> bool {
        self.spaces();
        let found = self.peek() == Some(symbol);
        if found {
            self.at += symbol.len_utf8();
        }
        found
    }

    fn wrong(&self, what: impl Into<String>) -> Error {
        let end = self.at + self.peek().map_or(0, char::len_utf8);
        Error::invalid(what).at(place(self.source, &(self.at..end)))
    }

    fn unexpected(&self, wanted: &str) -> Error {
        match self.peek() {
            None => self.wrong("the JSON text ends too early").why(format!("expected {wanted}")),
            Some(found) => self.wrong(format!("unexpected `{found}`")).why(format!("expected {wanted}")),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value> {
        if depth > MAX_DEPTH {
            return Err(too_deep(self.source, self.at));
        }
        self.spaces();
        let start = self.at;
        let data = match self.peek() {
            Some('{') => self.map(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => Data::Text(self.string()?),
            Some('-' | '0'..='9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Value::new(data, start..self.at))
    }

    fn map(&mut self, depth: usize) -> Result<Data> {
        self.at += 1;
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        if self.take('}') {
            return Ok(Data::Map(entries));
        }
        loop {
            self.spaces();
            let start = self.at;
            if self.peek() != Some('"') {
                let error = self.unexpected("a key in double quotes");
                return Err(match self.peek() {
                    Some('}') => error.hint("is there a comma too many?"),
                    _ => error,
                });
            }
            let key = self.string()?;
            let key_span = start..self.at;
            if !seen.insert(key.clone()) {
                return Err(key_twice(self.source, &key, &key_span));
            }
            if !self.take(':') {
                return Err(self.unexpected("`:` and the key's value"));
            }
            let value = self.value(depth + 1)?;
            entries.push(Entry { key, key_span, value });
            if self.take('}') {
                return Ok(Data::Map(entries));
            }
            if !self.take(',') {
                return Err(self.unexpected("`,` or `}`"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Data> {
        self.at += 1;
        let mut values = Vec::new();
        if self.take(']') {
            return Ok(Data::List(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            if self.take(']') {
                return Ok(Data::List(values));
            }
            if !self.take(',') {
                return Err(self.unexpected("`,` or `]`"));
            }
        }
    }

    fn string(&mut self) -> Result<String> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(c) = self.peek() else {
                let opening = start..start + 1;
                return Err(Error::invalid("a string is never closed").at(place(self.source, &opening)));
            };
            match c {
                '"' => {
                    self.at += 1;
                    return Ok(text);
                }
                '\\' => text.push(self.escape()?),
                c if (c as u32) < 0x20 => {
                    return Err(self
                        .wrong("a string may not hold a line's end or another control character")
                        .hint(
                            "write it as \\n, or the definition in YAML, where texts may have many lines",
                        ));
                }
                c => {
                    text.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let what = self.rest().chars().nth(1);
        let plain = match what {
            Some('u') => return self.unicode(),
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some(c @ ('"' | '\\' | '/')) => c,
            _ => return Err(self.wrong("unknown escape in a string").hint("a backslash is written `\\\\`")),
        };
        self.at += 2;
        Ok(plain)
    }

    fn unicode(&mut self) -> Result<char> {
        let high = self.hex()?;
        let code = if (0xd800..0xdc00).contains(&high) && self.rest().starts_with("\\u") {
            let low = self.hex()?;
            if !(0xdc00..0xe000).contains(&low) {
                return Err(self.wrong("half of a surrogate pair is missing"));
            }
            0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)
        } else {
            high
        };
        char::from_u32(code).ok_or_else(|| self.wrong("this escape is no character"))
    }

    /// `\uXXXX`
    fn hex(&mut self) -> Result<u32> {
        let digits =
            self.text.get(self.at + 2..self.at + 6).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let code = code.ok_or_else(|| self.wrong("`\\u` takes four hexadecimal digits"))?;
        self.at += 6;
        Ok(code)
    }

    fn number(&mut self) -> Result<Data> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E')))
            .unwrap_or(rest.len());
        let digits = rest.get(..end).unwrap_or("").to_owned();
        if digits.parse::<f64>().is_err() {
            return Err(self.wrong(format!("`{digits}` is no number")));
        }
        self.at += end;
        Ok(Data::Number(digits))
    }

    fn word(&mut self) -> Result<Data> {
        for (word, data) in [("true", Data::Bool(true)), ("false", Data::Bool(false)), ("null", Data::Null)] {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(data);
            }
        }
        let error = self.unexpected("a JSON value");
        Err(match self.peek() {
            Some(']' | '}') => error.hint("is there a comma too many?"),
            Some('\'') => error.hint("strings stand in double quotes"),
            _ => error,
        })
    }
}
