//! The reference of the language, written from what the registry of functions knows.

use std::fmt::Write;

/// `docs/sql.md`: every function with its signatures, and what the language has around them.
pub fn sql_reference() -> String {
    let mut text = String::from(include_str!("../docs/sql_head.md"));
    for family in functions::families() {
        let mut rows: Vec<(&str, &[&str], &str)> = family
            .scalars
            .iter()
            .map(|s| (s.name, s.signatures, s.summary))
            .chain(family.aggregates.iter().map(|a| (a.name, a.signatures, a.summary)))
            .filter(|(name, _, _)| !name.starts_with('$'))
            .collect();
        if rows.is_empty() {
            continue;
        }
        rows.sort_by_key(|(name, _, _)| *name);
        let _ = write!(text, "\n### {}\n\n| Function | What it does |\n|---|---|\n", family.title);
        for (name, signatures, summary) in rows {
            let calls: Vec<String> =
                signatures.iter().map(|s| format!("`{name}{s}`").replace('|', "\\|")).collect();
            let _ = writeln!(text, "| {} | {} |", calls.join("<br>"), summary.replace('|', "\\|"));
        }
    }
    text
}
