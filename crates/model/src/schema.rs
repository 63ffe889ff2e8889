//! Columns and the difference between two lists of them.

use crate::HiveType;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The name as the data has it; names compare without regard to case.
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    pub hive_type: HiveType,
    /// A note for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Column {
    /// A column without a comment.
    pub fn new(name: impl Into<String>, hive_type: HiveType) -> Self {
        Self { name: name.into(), hive_type, comment: None }
    }
}

/// An ordered list of columns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema {
    /// The columns in their order.
    pub columns: Vec<Column>,
}

/// One difference between two schemas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum ColumnChange {
    /// Only the newer one has it.
    Added {
        /// The column's name.
        name: String,
        /// Its type.
        #[serde(rename = "type")]
        to: HiveType,
    },
    /// Only the older one has it.
    Removed {
        /// The column's name.
        name: String,
        /// The type it had.
        #[serde(rename = "type")]
        from: HiveType,
    },
    /// Both have it, with different types.
    Retyped {
        /// The column's name.
        name: String,
        /// The type it had.
        from: HiveType,
        /// The type it has.
        to: HiveType,
    },
}

impl fmt::Display for ColumnChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added { name, to } => write!(f, "added `{name}` {to}"),
            Self::Removed { name, from } => write!(f, "removed `{name}` {from}"),
            Self::Retyped { name, from, to } => write!(f, "changed `{name}` from {from} to {to}"),
        }
    }
}

impl Schema {
    /// A schema of these columns.
    pub fn new(columns: Vec<Column>) -> Self {
        Self { columns }
    }

    /// The column of that name, without regard to case.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| same_name(&column.name, name))
    }

    /// What leads from this schema to the newer one, in the newer one's order; removals last.
    pub fn changes_to(&self, newer: &Self) -> Vec<ColumnChange> {
        let mut changes = Vec::new();
        for column in &newer.columns {
            match self.column(&column.name) {
                None => changes
                    .push(ColumnChange::Added { name: column.name.clone(), to: column.hive_type.clone() }),
                Some(old) if old.hive_type != column.hive_type => changes.push(ColumnChange::Retyped {
                    name: column.name.clone(),
                    from: old.hive_type.clone(),
                    to: column.hive_type.clone(),
                }),
                Some(_) => {}
            }
        }
        for column in &self.columns {
            if newer.column(&column.name).is_none() {
                changes.push(ColumnChange::Removed {
                    name: column.name.clone(),
                    from: column.hive_type.clone(),
                });
            }
        }
        changes
    }
}

fn same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || a.to_lowercase() == b.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_name_columns_and_types() {
        let old = Schema::new(vec![Column::new("Id", HiveType::Int), Column::new("gone", HiveType::Date)]);
        let new =
            Schema::new(vec![Column::new("id", HiveType::BigInt), Column::new("note", HiveType::String)]);
        let texts: Vec<String> = old.changes_to(&new).iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["changed `id` from int to bigint", "added `note` string", "removed `gone` date"]);
        assert!(new.changes_to(&new).is_empty());
    }
}
