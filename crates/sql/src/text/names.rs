//! How names and strings are written back into text, for Trino's language and for Hive's.

use crate::parser::words;

/// A name as Trino wants it: as it is if it can stand so, or else in double quotes.
pub fn quote_ident(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain && !words::is_reserved(name) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// A string as Trino wants it.
pub fn quote_string(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name as Hive wants it: always in back-ticks.
pub fn hive_ident(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A string as Hive wants it, in single quotes with backslash escapes.
pub fn hive_string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for c in text.chars() {
        match c {
            '\'' => quoted.push_str("\\'"),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if (c as u32) < 0x20 => quoted.push_str(&format!("\\{:03o}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

/// What a Hive string (without its delimiters) stands for.
pub(crate) fn unescape_hive(inner: &str, delimiter: char) -> String {
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        if c == delimiter && chars.peek() == Some(&delimiter) {
            chars.next();
            text.push(delimiter);
            continue;
        }
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('b') => text.push('\u{8}'),
            Some('Z') => text.push('\u{1a}'),
            Some('u') => push_code(&mut text, &mut chars, 16, 4, 'u'),
            Some(d @ '0'..='3') if starts_octal(&chars) => {
                let rest: String = chars.by_ref().take(2).collect();
                let code = u32::from_str_radix(&format!("{d}{rest}"), 8).ok().and_then(char::from_u32);
                text.extend(code);
            }
            Some('0') => text.push('\0'),
            // What a pattern means by `\%` is for the pattern; a regular expression's `\d` loses nothing either.
            Some(other @ ('%' | '_')) => text.extend(['\\', other]),
            Some(other) => text.push(other),
            None => text.push('\\'),
        }
    }
    text
}

fn starts_octal(chars: &std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    let two: Vec<char> = chars.clone().take(2).collect();
    two.len() == 2 && two.iter().all(|c| ('0'..='7').contains(c))
}

fn push_code(
    text: &mut String,
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    radix: u32,
    digits: usize,
    otherwise: char,
) {
    let code: String = chars.clone().take(digits).collect();
    match u32::from_str_radix(&code, radix).ok().filter(|_| code.len() == digits).and_then(char::from_u32) {
        Some(c) => {
            chars.by_ref().take(digits).for_each(drop);
            text.push(c);
        }
        None => text.push(otherwise),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_only_where_they_must_be() {
        assert_eq!(quote_ident("orders"), "orders");
        assert_eq!(quote_ident("Order"), "\"Order\"");
        assert_eq!(quote_ident("select"), "\"select\"");
        assert_eq!(quote_ident("a\"b"), "\"a\"\"b\"");
        assert_eq!(hive_ident("a`b"), "`a``b`");
    }

    #[test]
    fn hive_strings_come_back() {
        for text in ["a'b", "\t", "\u{1}", "\\", "é\n", "100%", "a\u{1}7"] {
            let quoted = hive_string(text);
            assert_eq!(unescape_hive(&quoted[1..quoted.len() - 1], '\''), text, "{quoted}");
        }
        assert_eq!(unescape_hive(r"\001", '\''), "\u{1}");
        assert_eq!(unescape_hive(r"\u00e9", '\''), "é");
        assert_eq!(unescape_hive(r"^(\\d+)", '\''), r"^(\d+)");
    }
}
