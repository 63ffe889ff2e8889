//! Names of tables from names of folders and files.

use std::collections::BTreeSet;

/// Longer names are cut; the catalog's limit is 255.
const MAX_LENGTH: usize = 200;

/// A name that every SQL dialect takes without quotation marks: lower-case letters, digits and underscores.
pub(crate) fn safe(name: &str) -> String {
    let mut safe = String::new();
    for c in name.to_lowercase().chars() {
        let kept = if c.is_alphanumeric() { c } else { '_' };
        if kept != '_' || !safe.ends_with('_') {
            safe.push(kept);
        }
    }
    let trimmed: String = safe.trim_matches('_').chars().take(MAX_LENGTH).collect();
    if trimmed.is_empty() { "table".to_owned() } else { trimmed }
}

/// The name, or with a suffix that follows from the location when it is taken. `taken` holds lower-case names.
pub(crate) fn unique(name: &str, location: &str, taken: &BTreeSet<String>) -> String {
    if !taken.contains(name) {
        return name.to_owned();
    }
    let mut hash = fnv(location.as_bytes());
    loop {
        let candidate = format!("{name}_{hash:08x}");
        if !taken.contains(&candidate) {
            return candidate;
        }
        hash = hash.wrapping_add(1);
    }
}

/// FNV-1a: short, and the same in every version.
pub(crate) fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Whether a plain folder's name is rather a value (a number, a date) than a table's name.
pub(crate) fn looks_like_value(name: &str) -> bool {
    name.contains('=') || (name.bytes().any(|b| b.is_ascii_digit()) && !name.chars().any(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(safe("Order-Service"), "order_service");
        assert_eq!(safe("a  b--c.csv"), "a_b_c_csv");
        assert_eq!(safe("__"), "table");
        assert_eq!(safe("Ärger"), "ärger");
        let taken = BTreeSet::from(["a".to_owned()]);
        assert_eq!(unique("b", "s3://x/b/", &taken), "b");
        let first = unique("a", "s3://x/a/", &taken);
        assert!(first.starts_with("a_") && first.len() == 10);
        assert_eq!(first, unique("a", "s3://x/a/", &taken));
        assert_ne!(first, unique("a", "s3://y/a/", &taken));
        assert!(looks_like_value("2020-01-01") && looks_like_value("07") && !looks_like_value("q1"));
    }
}
