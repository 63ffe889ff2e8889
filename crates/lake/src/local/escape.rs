//! How keys become file names. Most keys are their own path below the bucket's folder; the odd ones, which no file
//! system can hold as they are, get an escaped name in a tree beside it.
//!
//! The escape cuts a key into pieces of 60 bytes and writes each with `%xx` for everything but a few safe bytes. A
//! piece that has a successor is a folder whose name ends with `+`, the last one is a file: so no key's file is in the
//! way of another key's folder, and sorting the pieces sorts the keys.

use std::fmt::Write as _;

const PIECE: usize = 60;
const MAX_NAME: usize = 255;

/// The segments of a key that can stand as a path below the bucket's folder; none for a key that cannot.
pub(crate) fn visible(key: &str) -> Option<Vec<&str>> {
    let segments: Vec<&str> = key.split('/').collect();
    segments.iter().all(|segment| is_name(segment)).then_some(segments)
}

/// Whether that can be the name of a file or folder.
pub(crate) fn is_name(segment: &str) -> bool {
    !segment.is_empty()
        && segment != "."
        && segment != ".."
        && segment.len() <= MAX_NAME
        && !segment.contains(['\0', '/'])
}

/// Whether the name has a twin that differs only in case or in the way its letters are composed, as far as file
/// systems that fold such names see it.
pub(crate) fn may_fold(key: &str) -> bool {
    key.bytes().any(|b| b.is_ascii_uppercase() || !b.is_ascii())
}

/// The escaped path of a key: folders first, then the file.
pub(crate) fn odd(key: &str) -> Vec<String> {
    let pieces: Vec<&[u8]> = key.as_bytes().chunks(PIECE).collect();
    let last = pieces.len().saturating_sub(1);
    pieces.iter().enumerate().map(|(at, piece)| piece_name(piece, at < last)).collect()
}

/// The file name of one piece.
pub(crate) fn piece_name(piece: &[u8], is_folder: bool) -> String {
    let mut name = String::with_capacity(piece.len() * 3 + 1);
    for (at, byte) in piece.iter().copied().enumerate() {
        let safe = byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || matches!(byte, b'_' | b'-' | b'=')
            || (byte == b'.' && at > 0);
        if safe {
            name.push(char::from(byte));
        } else {
            let _ = write!(name, "%{byte:02x}");
        }
    }
    if is_folder {
        name.push('+');
    }
    name
}

/// The piece that a file name stands for, and whether it is a folder's. None for a name the escape does not write.
pub(crate) fn piece_of(name: &[u8]) -> Option<(Vec<u8>, bool)> {
    let (body, is_folder) = match name.strip_suffix(b"+") {
        Some(body) => (body, true),
        None => (name, false),
    };
    let mut piece = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let digits = tail.get(..2)?;
            piece.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = &tail[2..];
        } else {
            piece.push(first);
            rest = tail;
        }
    }
    (piece_name(&piece, is_folder).as_bytes() == name && !piece.is_empty()).then_some((piece, is_folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_plain_paths_are_visible() {
        for key in ["a", "a/b.csv", ".hidden", "a b/ü/%2e%2e", "...", "a\\b", "new\nline"] {
            assert!(visible(key).is_some(), "{key:?}");
        }
        let long = "n".repeat(256);
        for key in ["", "/", "/a", "a/", "a//b", ".", "a/..", "../a", "a/./b", "nul\0", long.as_str()] {
            assert!(visible(key).is_none(), "{key:?}");
        }
    }

    #[test]
    fn names_that_the_escape_does_not_write_are_no_keys() {
        for name in ["", "+", "A", "%zz", "%2", "%61", ".a", "a b"] {
            assert_eq!(piece_of(name.as_bytes()), None, "{name:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn every_key_comes_back_and_every_name_is_harmless(key in ".{1,300}") {
            let names = odd(&key);
            let mut back = Vec::new();
            for (at, name) in names.iter().enumerate() {
                prop_assert!(is_name(name) && !name.starts_with('.') && name.len() <= 181);
                let (piece, is_folder) = piece_of(name.as_bytes()).unwrap();
                prop_assert_eq!(is_folder, at + 1 < names.len());
                back.extend(piece);
            }
            prop_assert_eq!(back, key.into_bytes());
        }
    }
}
