//! Partition names as Hive writes them into folders: `day=2020-01-01/city=S%2FM`.

use model::Column;

/// The folder of a missing value.
pub(super) const NULL_FOLDER: &str = "__HIVE_DEFAULT_PARTITION__";

/// Characters that Hive escapes in folder names.
fn is_special(c: char) -> bool {
    c.is_ascii_control()
        || matches!(c, '"' | '#' | '%' | '\'' | '*' | '/' | ':' | '=' | '?' | '\\' | '{' | '[' | ']' | '^')
}

/// A key's name or value as a part of a folder's name.
pub(super) fn escape(text: &str) -> String {
    if text.is_empty() {
        return NULL_FOLDER.to_owned();
    }
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_special(c) {
            escaped.push_str(&format!("%{:02X}", c as u32));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// The text that an escaped one stands for. What is no escape stays as it is.
pub(super) fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = bytes
            .get(at + 1..at + 3)
            .filter(|digits| byte == b'%' && digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        plain.push(code.unwrap_or(byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8(plain).unwrap_or_else(|_| text.to_owned())
}

/// A partition's name: `year=2024/month=1`.
pub(super) fn partition_name(keys: &[Column], values: &[String]) -> String {
    let parts: Vec<String> = keys
        .iter()
        .zip(values)
        .map(|(key, value)| format!("{}={}", escape(&key.name), escape(value)))
        .collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for text in ["2024-01-01", "a/b", "10:30", "100%", "é ü", "a=b", "%41"] {
            assert_eq!(unescape(&escape(text)), text);
        }
        assert_eq!(escape("S/M"), "S%2FM");
        assert_eq!(escape(""), NULL_FOLDER);
        assert_eq!(unescape("100%zz%"), "100%zz%");
    }
}
