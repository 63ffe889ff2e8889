//! A crawl's account: what changed in the catalog, and what was not understood and why.

use model::{ColumnChange, Diagnosis};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Diagnoses and notes kept in an account; the counts go on.
const MAX_KEPT: usize = 100;
/// Lines of one kind that people are shown.
const SHOWN: usize = 5;

/// What a crawl did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CrawlReport {
    /// The database.
    pub database: String,
    /// New tables.
    pub created: Vec<TableSummary>,
    /// Tables that were altered.
    pub changed: Vec<TableChange>,
    /// Changes that were found, but that the crawler's policy keeps out of the catalog.
    pub not_applied: Vec<TableChange>,
    /// Tables that are as they were.
    pub unchanged: Vec<String>,
    /// Tables that were marked, since their objects are gone.
    pub deprecated: Vec<String>,
    /// Tables that were removed, since their objects are gone.
    pub deleted: Vec<String>,
    /// Tables whose objects are gone and that the policy leaves.
    pub gone: Vec<String>,
    /// What became of partitions.
    pub partitions: PartitionCounts,
    /// Data objects found.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
    /// Objects that were looked into.
    pub files_read: u64,
    /// How many bytes of them were read.
    pub bytes_read: u64,
    /// Objects that exclusion patterns left out.
    pub excluded: u64,
    /// What was not understood, the first hundred.
    pub problems: Vec<Diagnosis>,
    /// How many problems there were in all.
    pub problems_total: u64,
    /// What a person should know, the first hundred.
    pub notes: Vec<String>,
}

/// A new table in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSummary {
    /// Its name.
    pub name: String,
    /// Where it lies.
    pub location: String,
    /// `parquet`, `csv`, ….
    pub classification: String,
    /// How many columns it has.
    pub columns: usize,
    /// Its partition keys with their types.
    pub partition_keys: Vec<String>,
    /// How many partitions were found.
    pub partitions: u64,
}

/// How a table changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableChange {
    /// Its name.
    pub name: String,
    /// The columns' changes.
    pub columns: Vec<ColumnChange>,
    /// Other changes, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<String>,
}

/// What became of partitions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionCounts {
    /// New ones.
    pub added: u64,
    /// With a new location, format or columns.
    pub changed: u64,
    /// Removed, since their objects are gone.
    pub deleted: u64,
    /// Marked, since their objects are gone.
    pub deprecated: u64,
    /// Found gone, and left by policy.
    pub gone: u64,
}

impl CrawlReport {
    /// Whether the catalog is as it was before.
    pub fn nothing_changed(&self) -> bool {
        let p = &self.partitions;
        self.created.is_empty()
            && self.changed.is_empty()
            && self.deprecated.is_empty()
            && self.deleted.is_empty()
            && p.added + p.changed + p.deleted + p.deprecated == 0
    }

    pub(crate) fn problem(&mut self, problem: Diagnosis) {
        self.problems_total += 1;
        if self.problems.len() < MAX_KEPT {
            self.problems.push(problem);
        }
    }

    pub(crate) fn note(&mut self, note: String) {
        if self.notes.len() < MAX_KEPT && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

impl fmt::Display for TableChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.columns.iter().take(4).map(ToString::to_string).collect();
        if self.columns.len() > 4 {
            parts.push(format!("and {} more columns", self.columns.len() - 4));
        }
        parts.extend(self.other.iter().cloned());
        write!(f, "{}: {}", self.name, parts.join(", "))
    }
}

impl fmt::Display for TableSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {})", self.name, self.classification, counted(self.columns as u64, "column"))?;
        if !self.partition_keys.is_empty() {
            let keys = self.partition_keys.join(", ");
            write!(f, " by {keys}: {}", counted(self.partitions, "partition"))?;
        }
        Ok(())
    }
}

impl fmt::Display for CrawlReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        section(&mut lines, "created", &self.created);
        section(&mut lines, "changed", &self.changed);
        section(&mut lines, "not applied", &self.not_applied);
        for (label, names) in
            [("deprecated", &self.deprecated), ("deleted", &self.deleted), ("gone, but left", &self.gone)]
        {
            if !names.is_empty() {
                lines.push(format!("{label}: {}", short_list(names)));
            }
        }
        if !self.unchanged.is_empty() {
            lines.push(format!("unchanged: {}", short_list(&self.unchanged)));
        }
        lines.extend(self.partition_line());
        lines.push(format!(
            "read {} of {} ({} of {})",
            self.files_read,
            counted(self.files, "file"),
            size(self.bytes_read),
            size(self.bytes)
        ));
        if self.problems_total > 0 {
            lines.push(format!("not understood: {}", counted(self.problems_total, "problem")));
            for problem in self.problems.iter().take(SHOWN) {
                let place =
                    problem.place.as_ref().map(|place| format!("{}: ", place.short())).unwrap_or_default();
                lines.push(format!("  {place}{}", problem.what));
                lines.extend(problem.why.iter().map(|why| format!("    {why}")));
            }
            if self.problems_total > SHOWN as u64 {
                lines.push(format!("  and {} more", self.problems_total - SHOWN as u64));
            }
        }
        section(&mut lines, "note", &self.notes);
        lines.truncate(25);
        f.write_str(&lines.join("\n"))
    }
}

impl CrawlReport {
    fn partition_line(&self) -> Option<String> {
        let p = &self.partitions;
        let parts: Vec<String> = [
            (p.added, "added"),
            (p.changed, "changed"),
            (p.deleted, "deleted"),
            (p.deprecated, "deprecated"),
            (p.gone, "gone, but left"),
        ]
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{n} {what}"))
        .collect();
        (!parts.is_empty()).then(|| format!("partitions: {}", parts.join(", ")))
    }
}

fn section(lines: &mut Vec<String>, label: &str, items: &[impl fmt::Display]) {
    for item in items.iter().take(SHOWN) {
        lines.push(format!("{label}: {item}"));
    }
    if items.len() > SHOWN {
        lines.push(format!("{label}: and {} more", items.len() - SHOWN));
    }
}

fn short_list(names: &[String]) -> String {
    let shown = names.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > 8 { format!("{shown} and {} more", names.len() - 8) } else { shown }
}

fn counted(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} B"),
        10_000..=9_999_999 => format!("{} KB", bytes / 1000),
        10_000_000..=9_999_999_999 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{} GB", bytes / 1_000_000_000),
    }
}
