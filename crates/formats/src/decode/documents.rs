//! JSON documents over any number of lines, or with the rows somewhere inside of them, brought into lines of one object
//! each before the decoder of lines takes them. Bytes go through as they come: a document is never held as a whole.

use super::{Decoder, Rejects};
use crate::JsonPath;
use crate::json_path::Step;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use model::{Error, Result};

/// Documents nested deeper than this are refused.
const MAX_DEPTH: usize = 500;
/// Longer keys are not the ones of a path.
const MAX_KEY: usize = 4096;

/// A decoder of lines behind the search for the rows.
pub(super) struct Documents {
    rows: Rows,
    lines: Box<dyn Decoder>,
}

impl Documents {
    pub(super) fn new(path: Option<&str>, lines: Box<dyn Decoder>) -> Result<Self> {
        let steps = match path {
            Some(path) => JsonPath::parse(path)?.steps().to_vec(),
            None => Vec::new(),
        };
        Ok(Self { rows: Rows { steps, ..Rows::default() }, lines })
    }
}

impl Decoder for Documents {
    fn schema(&self) -> SchemaRef {
        self.lines.schema()
    }

    fn feed(&mut self, chunk: Bytes) -> Result<()> {
        let mut out = Vec::with_capacity(chunk.len());
        self.rows.push(&chunk, &mut out)?;
        self.lines.feed(out.into())
    }

    fn finish(&mut self) -> Result<()> {
        self.rows.check_end()?;
        self.lines.finish()
    }

    fn take_batch(&mut self) -> Result<Option<RecordBatch>> {
        self.lines.take_batch()
    }

    fn is_done(&self) -> bool {
        self.lines.is_done()
    }

    fn rejects(&self) -> &Rejects {
        self.lines.rejects()
    }

    fn waits_for_number(&self) -> bool {
        self.lines.waits_for_number()
    }

    fn number_lines(&mut self, before: u64) {
        self.lines.number_lines(before);
    }
}

/// A container around the rows.
struct Level {
    is_array: bool,
    /// Whether the path leads here, so that it may lead on.
    live: bool,
    /// Which element comes, of an array.
    index: usize,
    /// Whether a key comes, of an object.
    at_key: bool,
    key: Vec<u8>,
}

/// What a string is.
#[derive(Clone, Copy, PartialEq)]
enum Text {
    Key,
    Skipped,
    Row,
}

/// Finds the rows; the state between two bytes.
#[derive(Default)]
struct Rows {
    steps: Vec<Step>,
    around: Vec<Level>,
    text: Option<Text>,
    escaped: bool,
    /// Within a row: how many containers are open in it.
    row: Option<usize>,
    count: u64,
    started: bool,
}

impl Rows {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) if !self.started => rest,
            _ => bytes,
        };
        self.started = true;
        for byte in bytes {
            match (self.text, self.row) {
                (Some(text), _) => self.in_text(text, *byte, out),
                (None, Some(depth)) => self.in_row(depth, *byte, out)?,
                (None, None) => self.between(*byte, out)?,
            }
        }
        Ok(())
    }

    fn in_text(&mut self, text: Text, byte: u8, out: &mut Vec<u8>) {
        let ends = byte == b'"' && !self.escaped;
        self.escaped = byte == b'\\' && !self.escaped;
        match text {
            // A raw line end is not allowed in a text; the decoder must not take it for the row's end.
            Text::Row => out.push(if byte == b'\n' { b' ' } else { byte }),
            Text::Key if !ends => {
                if let Some(level) = self.around.last_mut().filter(|level| level.key.len() < MAX_KEY) {
                    level.key.push(byte);
                }
            }
            Text::Key | Text::Skipped => {}
        }
        if ends {
            self.text = None;
        }
    }

    fn in_row(&mut self, depth: usize, byte: u8, out: &mut Vec<u8>) -> Result<()> {
        out.push(if matches!(byte, b'\n' | b'\r') { b' ' } else { byte });
        let depth = match byte {
            b'"' => {
                self.text = Some(Text::Row);
                depth
            }
            b'{' | b'[' if depth >= MAX_DEPTH => return Err(too_deep()),
            b'{' | b'[' => depth + 1,
            b'}' | b']' => depth - 1,
            _ => depth,
        };
        self.row = Some(depth);
        if depth == 0 {
            out.push(b'\n');
            self.row = None;
            self.count += 1;
        }
        Ok(())
    }

    /// Around the rows.
    fn between(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<()> {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'{' | b'[' => {
                let (live, is_row) = self.value();
                if is_row && byte == b'[' {
                    return Err(self.no_object("an array"));
                }
                if is_row {
                    out.push(byte);
                    self.row = Some(1);
                    return Ok(());
                }
                if self.around.len() >= MAX_DEPTH {
                    return Err(too_deep());
                }
                let is_array = byte == b'[';
                let level = Level { is_array, live, index: 0, at_key: !is_array, key: Vec::new() };
                self.around.push(level);
            }
            b'}' | b']' => match self.around.pop() {
                Some(level) if level.is_array == (byte == b']') => {}
                _ => return Err(Error::invalid("the JSON document closes more than it opened")),
            },
            b',' => {
                if let Some(level) = self.around.last_mut() {
                    level.index += 1;
                    level.at_key = !level.is_array;
                    level.key.clear();
                }
            }
            b':' => {
                if let Some(level) = self.around.last_mut() {
                    level.at_key = false;
                }
            }
            b'"' if self.around.last().is_some_and(|level| level.at_key) => self.text = Some(Text::Key),
            other => {
                if self.value().1 {
                    return Err(self.no_object("a plain value"));
                }
                if other == b'"' {
                    self.text = Some(Text::Skipped);
                }
            }
        }
        Ok(())
    }

    /// Of the value that begins here: whether the path leads to it, and whether it is a row.
    fn value(&self) -> (bool, bool) {
        let Some(level) = self.around.last() else { return (true, self.steps.is_empty()) };
        let step = self.around.len().checked_sub(1).and_then(|at| self.steps.get(at));
        let leads = match step {
            Some(Step::All) => true,
            Some(Step::Field(name)) => !level.is_array && key_is(&level.key, name),
            Some(Step::Index(index)) => level.is_array && level.index == *index,
            None => false,
        };
        let live = level.live && leads;
        (live, live && self.around.len() == self.steps.len())
    }

    fn no_object(&self, is: &str) -> Error {
        Error::invalid(format!("row {} of the JSON document is {is}, no object", self.count + 1))
            .hint("rows are objects; name the path to them, such as `$.records[*]`")
    }

    fn check_end(&self) -> Result<()> {
        if self.around.is_empty() && self.row.is_none() && self.text.is_none() {
            return Ok(());
        }
        Err(Error::corrupt("the JSON document is cut short")
            .why(format!("it ends within a value, behind row {}", self.count))
            .hint("write the file again"))
    }
}

/// Whether a key as it is written, perhaps with escapes, is that name.
fn key_is(written: &[u8], name: &str) -> bool {
    if !written.contains(&b'\\') {
        return written == name.as_bytes();
    }
    let quoted = [b"\"", written, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).is_ok_and(|key| key == name)
}

fn too_deep() -> Error {
    Error::invalid(format!("the JSON document is nested more than {MAX_DEPTH} levels deep"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(path: Option<&str>, text: &str, size: usize) -> Result<String> {
        let steps = path.map_or(Vec::new(), |path| JsonPath::parse(path).unwrap().steps().to_vec());
        let (mut rows, mut out) = (Rows { steps, ..Rows::default() }, Vec::new());
        for piece in text.as_bytes().chunks(size.max(1)) {
            rows.push(piece, &mut out)?;
        }
        rows.check_end()?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn rows_are_found() {
        let cases = [
            (
                None,
                "{\"a\":\n 1}\n{\"a\":\"}\\\"\"} {\"b\":[{}]}",
                "{\"a\":  1}\n{\"a\":\"}\\\"\"}\n{\"b\":[{}]}\n",
            ),
            (Some("$[*]"), "\u{feff}[{\"a\":1},\n{\"a\":2}]", "{\"a\":1}\n{\"a\":2}\n"),
            (
                Some("$.x.rows[*]"),
                "{\"rows\":[{}],\"x\":{\"rows\":[{\"a\":1},{\"rows\":[]}],\"y\":\"rows\"},\"z\":[1,{}]}",
                "{\"a\":1}\n{\"rows\":[]}\n",
            ),
            (Some("$[1]"), "[{\"a\":1},{\"a\":2}]", "{\"a\":2}\n"),
            (Some("$.*"), "{\"p\":{\"a\":1},\"q\":{\"a\":2}}", "{\"a\":1}\n{\"a\":2}\n"),
            (Some("$['\u{e9}\"']"), "{\"\\u00e9\\\"\":{\"a\":1}}", "{\"a\":1}\n"),
        ];
        for (path, text, expected) in cases {
            for size in [1, 3, 1000] {
                assert_eq!(rows(path, text, size).unwrap(), expected, "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_row_is_told() {
        for (path, text, expected) in [
            (Some("$[*]"), "[{},1]", "row 2 of the JSON document is a plain value"),
            (Some("$[*]"), "[[1]]", "row 1 of the JSON document is an array"),
            (Some("$[*]"), "[{\"a\":1},", "is cut short"),
            (None, "{\"a\":\"", "is cut short"),
            (Some("$[*]"), "[{}]]", "closes more than"),
        ] {
            let error = rows(path, text, 2).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        let deep = "[".repeat(5000);
        assert!(rows(Some("$[*]"), &format!("[{{\"a\":{deep}"), 100).is_err());
        assert!(rows(Some("$.a"), &deep, 100).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn nothing_panics_however_it_is_cut(text in "[\\[\\]{}\",:\\\\a1 \n]{0,60}", size in 1usize..9) {
            let whole = rows(Some("$[*]"), &text, 1000).ok();
            prop_assert_eq!(rows(Some("$[*]"), &text, size).ok(), whole);
        }
    }
}
