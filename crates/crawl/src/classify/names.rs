//! Column names as found, made usable: trimmed, never empty, unique without regard to case.

use std::collections::HashSet;

/// The catalog's limit for a column's name.
const MAX_LENGTH: usize = 255;

/// Names that a table can have. An empty one becomes `col` and its position from 0; a repeated one gets `_1`, `_2`, ….
pub(crate) fn make_unique<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut unique = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        let base = clean(name, index);
        let mut candidate = base.clone();
        let mut n = 0;
        while !seen.insert(candidate.to_lowercase()) {
            n += 1;
            candidate = format!("{base}_{n}");
        }
        unique.push(candidate);
    }
    unique
}

fn clean(name: &str, index: usize) -> String {
    let words: Vec<&str> =
        name.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let mut clean = words.join(" ");
    if clean.len() > MAX_LENGTH {
        let end = (0..=MAX_LENGTH - 8).rev().find(|at| clean.is_char_boundary(*at)).unwrap_or(0);
        clean.truncate(end);
    }
    if clean.is_empty() { format!("col{index}") } else { clean }
}

#[cfg(test)]
mod tests {
    use super::make_unique;

    #[test]
    fn empty_repeated_and_broken_names() {
        let names = ["", "Id", "id", "a\nb ", "ID", "id_1"];
        assert_eq!(make_unique(names), ["col0", "Id", "id_1", "a b", "ID_2", "id_1_1"]);
    }
}
