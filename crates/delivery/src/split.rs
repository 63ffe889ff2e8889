//! Taking records apart: several JSON objects or texts that a producer has put into one.

use crate::settings::Splitting;
use bytes::Bytes;
use serde::de::IgnoredAny;
use std::ops::Range;

/// A record that holds more is passed on whole, as Firehose does.
const MOST: usize = 500;

/// The records that a record holds; itself, where it cannot be taken apart.
pub(crate) fn split(record: &Bytes, how: Option<&Splitting>) -> Vec<Bytes> {
    let pieces = match how {
        None => return vec![record.clone()],
        Some(Splitting::Json) => match objects(record) {
            Ok(ranges) => ranges.into_iter().map(|range| record.slice(range)).collect(),
            Err(_) => return vec![record.clone()],
        },
        Some(Splitting::Delimited(delimiter)) => delimited(record, delimiter),
    };
    if pieces.len() > MOST { vec![record.clone()] } else { pieces }
}

fn delimited(record: &Bytes, delimiter: &[u8]) -> Vec<Bytes> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    let mut push = |range: Range<usize>| {
        if !range.is_empty() {
            pieces.push(record.slice(range));
        }
    };
    let mut at = 0;
    while let Some(rest) = record.get(at..).filter(|rest| rest.len() >= delimiter.len()) {
        if rest.starts_with(delimiter) {
            push(start..at);
            at += delimiter.len();
            start = at;
        } else {
            at += 1;
        }
    }
    push(start..record.len());
    pieces
}

/// Where the JSON objects of a text stand, one behind the other; or why it is none.
pub(crate) fn objects(text: &[u8]) -> Result<Vec<Range<usize>>, String> {
    let mut found = Vec::new();
    let mut start = 0;
    loop {
        let rest = text.get(start..).unwrap_or_default();
        start += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let rest = text.get(start..).unwrap_or_default();
        match rest.first() {
            None if found.is_empty() => return Err("the record is empty".to_owned()),
            None => return Ok(found),
            Some(b'{') => {}
            Some(_) => return Err("the record is no JSON object".to_owned()),
        }
        let mut read = serde_json::Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
        match read.next() {
            Some(Ok(_)) => {
                let end = start + read.byte_offset();
                found.push(start..end);
                start = end;
            }
            Some(Err(error)) => return Err(format!("the record is no JSON: {error}")),
            None => return Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(record: &str, how: &Splitting) -> Vec<String> {
        let all = split(&Bytes::copy_from_slice(record.as_bytes()), Some(how));
        all.iter().map(|piece| String::from_utf8_lossy(piece).into_owned()).collect()
    }

    #[test]
    fn records_are_taken_apart() {
        let json = Splitting::Json;
        let hashes = Splitting::Delimited(b"####".to_vec());
        for (record, how, found) in [
            (r#"{"a":1}{"a":2}"#, &json, vec![r#"{"a":1}"#, r#"{"a":2}"#]),
            ("{\"a\":1}\n {\"a\":\"}{\"}\n", &json, vec![r#"{"a":1}"#, r#"{"a":"}{"}"#]),
            (r#"[{"a":1}]"#, &json, vec![r#"[{"a":1}]"#]),
            (r#"{"a":1}{"#, &json, vec![r#"{"a":1}{"#]),
            ("one####two####", &hashes, vec!["one", "two"]),
            ("####", &hashes, vec![]),
            ("one#####two", &hashes, vec!["one", "#two"]),
        ] {
            assert_eq!(pieces(record, how), found, "{record}");
        }
        let many = r#"{"a":1}"#.repeat(501);
        assert_eq!(pieces(&many, &json).len(), 1);
        assert_eq!(pieces(&many[7..], &json).len(), 500);
    }

    #[test]
    fn what_is_no_object_is_told() {
        for (text, why) in [
            ("", "empty"),
            (" \n", "empty"),
            ("5", "no JSON object"),
            ("{\"a\"", "no JSON:"),
            ("{} x", "no JSON object"),
        ] {
            assert!(objects(text.as_bytes()).unwrap_err().contains(why), "{text}");
        }
    }
}
