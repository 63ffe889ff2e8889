//! From what was found to what the catalog should hold: pure, so that every case can be tested without a lake.
//!
//! A target's folders are a tree. Each folder says what its own files are (`folder`), parents unite children that are
//! one table or leave them tables of their own (`tree`), and a table's folders get partition keys (`partitions`).
//! Whatever does not fit is named in a diagnosis and hinders nothing else.

mod folder;
mod partitions;
mod tree;

pub(crate) use folder::needs_all;

use crate::classify::Classification;
use crate::inventory::Inventory;
use model::{Column, Diagnosis, Error};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one read file turned out to be.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) result: Result<Arc<Classification>, Error>,
}

/// All that is known about a target.
pub(crate) struct Known<'a> {
    /// The address of the target's folder, ending with a slash.
    pub(crate) root: &'a str,
    /// What a table of the whole target is called.
    pub(crate) root_name: &'a str,
    /// The level of the target's folder; the bucket is 1.
    pub(crate) root_level: u32,
    /// Whether the target is a single file: `root` is then its folder.
    pub(crate) single_file: bool,
    pub(crate) inventory: &'a Inventory,
    /// What was read, by folder.
    pub(crate) findings: &'a BTreeMap<String, Vec<Finding>>,
    /// The family of each folder, for folders that were not read.
    pub(crate) families: &'a BTreeMap<String, String>,
}

/// How tables are made of folders.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    pub(crate) combine_compatible: bool,
    pub(crate) table_level: Option<u32>,
    /// Locations that are partitioned tables already, with their keys' names in lower case.
    pub(crate) known_tables: BTreeMap<String, Vec<String>>,
}

/// What the catalog should hold.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) tables: Vec<PlannedTable>,
    pub(crate) problems: Vec<Diagnosis>,
    pub(crate) notes: Vec<String>,
}

/// A table as it was found.
#[derive(Debug, Clone)]
pub(crate) struct PlannedTable {
    /// Safe, but neither prefixed nor unique.
    pub(crate) name: String,
    /// A folder, ending with a slash, or a file.
    pub(crate) location: String,
    pub(crate) found: Arc<Classification>,
    pub(crate) keys: Vec<Column>,
    pub(crate) partitions: Vec<PlannedPartition>,
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// Known only when every file was read and says so.
    pub(crate) rows: Option<u64>,
    /// Objects and folders under the location that are not part of the table, as patterns.
    pub(crate) exclusions: Vec<String>,
}

/// A partition as it was found.
#[derive(Debug, Clone)]
pub(crate) struct PlannedPartition {
    pub(crate) values: Vec<String>,
    pub(crate) location: String,
    /// Where it differs from the table.
    pub(crate) own: Option<Arc<Classification>>,
}

/// Makes the plan for one target.
pub(crate) fn plan(known: &Known<'_>, rules: &Rules) -> Plan {
    let mut planner = tree::Planner::new(known, rules);
    planner.run();
    planner.plan
}

#[cfg(test)]
mod tests;
