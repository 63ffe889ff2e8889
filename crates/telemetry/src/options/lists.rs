//! Lists of pairs in one variable: `name=value,name=value`, as in the W3C's header for baggage.

use percent_encoding::percent_decode_str;

/// The pairs of a list, decoded; none where it is no such list. Empty parts are passed over.
pub(super) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=')?;
            let (name, value) = (decoded(name)?, decoded(value)?);
            (!name.is_empty()).then_some((name, value))
        })
        .collect()
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text.trim()).decode_utf8().ok().map(|text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for (text, expected) in [
            ("", Some(Vec::new())),
            (" , ", Some(Vec::new())),
            ("a=b", Some(vec![pair("a", "b")])),
            (" a = b , c=d=e,", Some(vec![pair("a", "b"), pair("c", "d=e")])),
            ("a=x%20y%2C", Some(vec![pair("a", "x y,")])),
            ("a=", Some(vec![pair("a", "")])),
            ("a", None),
            ("=b", None),
            ("a=%ff", None),
        ] {
            assert_eq!(pairs(text), expected, "{text}");
        }
    }
}
