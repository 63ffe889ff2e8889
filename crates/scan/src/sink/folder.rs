//! Folder and file names as Hive writes them: `key=value` with percent escapes, the default folder for missing values,
//! bucket numbers in front.

use std::fmt::Write;

/// The folder of rows with this value of a partition key. Nothing and the empty text share the default folder, as in
/// Hive: a folder cannot tell them apart.
pub(crate) fn folder_name(key: &str, value: Option<&str>, null_partition: &str) -> String {
    let mut name = String::with_capacity(key.len() + 16);
    escape_into(&mut name, &key.to_lowercase());
    name.push('=');
    match value {
        Some(value) if !value.is_empty() => escape_into(&mut name, value),
        _ => name.push_str(null_partition),
    }
    name
}

/// The name of a file, without its ending. `copy` tells apart the files of one bucket.
pub(crate) fn file_name(prefix: &str, number: u64, bucket: Option<(u32, u32)>) -> String {
    match bucket {
        None => format!("{prefix}_{number:05}"),
        Some((bucket, 0)) => format!("{bucket:06}_0_{prefix}"),
        Some((bucket, copy)) => format!("{bucket:06}_0_{prefix}_copy_{copy}"),
    }
}

fn escape_into(name: &mut String, text: &str) {
    for c in text.chars() {
        if is_escaped(c) {
            // Writing to a string cannot fail.
            let _ = write!(name, "%{:02X}", c as u32);
        } else {
            name.push(c);
        }
    }
}

/// The characters that Hive escapes; all of them are single bytes.
fn is_escaped(c: char) -> bool {
    matches!(c, '\0'..='\x1f' | '\x7f')
        || matches!(c, '"' | '#' | '%' | '\'' | '*' | '/' | ':' | '=' | '?' | '\\' | '{' | '[' | ']' | '^')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_as_hive_does() {
        let name = |value| folder_name("K", value, "__HIVE_DEFAULT_PARTITION__");
        assert_eq!(name(Some("a/b")), "k=a%2Fb");
        assert_eq!(name(Some("2026-01-01 00:00:00")), "k=2026-01-01 00%3A00%3A00");
        assert_eq!(name(Some("100%=x?")), "k=100%25%3Dx%3F");
        assert_eq!(name(Some("ä ö\n}")), "k=ä ö%0A}");
        assert_eq!(name(Some("..")), "k=..");
        assert_eq!(name(Some("")), "k=__HIVE_DEFAULT_PARTITION__");
        assert_eq!(name(None), "k=__HIVE_DEFAULT_PARTITION__");
    }

    #[test]
    fn bucket_files_begin_with_their_number() {
        assert_eq!(file_name("q1", 7, None), "q1_00007");
        assert_eq!(file_name("q1", 7, Some((1234, 0))), "001234_0_q1");
        assert_eq!(file_name("q1", 7, Some((0, 2))), "000000_0_q1_copy_2");
    }
}
