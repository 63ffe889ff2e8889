//! Operations that read the catalog.

use super::Operation;
use crate::platform::{Platform, table_name};
use catalog::{Partition, PartitionQuery, Table, TableEntry, TableQuery};
use chrono::{DateTime, Utc};
use model::{ColumnChange, EntityName, Result, Schema};
use serde::{Deserialize, Serialize};

/// Lists tables, of one database or of all.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListTables {
    pub(crate) database: Option<EntityName>,
    pub(crate) pattern: Option<String>,
}

/// A line of the list.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TableSummary {
    pub(crate) database: EntityName,
    pub(crate) table: EntityName,
    pub(crate) format: String,
    pub(crate) columns: usize,
    pub(crate) partition_keys: Vec<String>,
    pub(crate) partitions: Option<u64>,
    pub(crate) location: Option<String>,
    pub(crate) updated: DateTime<Utc>,
}

impl Operation for ListTables {
    const NAME: &'static str = "list-tables";
    type Answer = Vec<TableSummary>;

    async fn perform(self, platform: &Platform) -> Result<Self::Answer> {
        let catalog = &platform.catalog;
        let databases = match self.database {
            Some(name) => vec![catalog.get_database(&name).await?.database.name],
            None => catalog.list_databases().await?.into_iter().map(|entry| entry.database.name).collect(),
        };
        let mut summaries = Vec::new();
        for database in databases {
            let query =
                TableQuery { name_pattern: self.pattern.as_deref().map(expression), ..TableQuery::default() };
            for entry in catalog.list_tables(&database, query).await?.tables {
                summaries.push(summary(platform, entry).await?);
            }
        }
        Ok(summaries)
    }
}

/// The regular expression of a pattern in which only `*` is special.
fn expression(pattern: &str) -> String {
    let mut text = String::new();
    for c in pattern.chars() {
        match c {
            '*' => text.push_str(".*"),
            c if c.is_alphanumeric() || c == '_' => text.push(c),
            c => text.extend(['\\', c]),
        }
    }
    text
}

async fn summary(platform: &Platform, entry: TableEntry) -> Result<TableSummary> {
    let table = entry.table;
    let partitions = match table.partition_keys.is_empty() {
        true => None,
        false => Some(platform.catalog.count_partitions(&entry.database, &table.name).await?),
    };
    Ok(TableSummary {
        database: entry.database,
        format: format_of(&table),
        columns: table.storage.columns.len(),
        partition_keys: table.partition_keys.iter().map(|key| key.name.clone()).collect(),
        partitions,
        location: table.storage.location.clone(),
        updated: entry.updated,
        table: table.name,
    })
}

/// What a person calls the table's format.
pub(crate) fn format_of(table: &Table) -> String {
    if table.table_type.as_deref() == Some("VIRTUAL_VIEW") {
        return "view".to_owned();
    }
    let word = |key: &str| table.parameters.get(key).or_else(|| table.storage.parameters.get(key)).cloned();
    let format = word("classification").unwrap_or_else(|| "unknown".to_owned());
    match word("compressionType").filter(|compression| compression != "none") {
        Some(compression) => format!("{format} ({compression})"),
        None => format,
    }
}

/// Describes one table.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Describe {
    /// `database.table`
    pub(crate) table: String,
    pub(crate) versions: bool,
}

/// Everything about a table.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TableDescription {
    pub(crate) entry: TableEntry,
    pub(crate) format: String,
    pub(crate) partitions: Option<u64>,
    pub(crate) versions: Vec<TableVersion>,
}

/// A version and what it changed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TableVersion {
    pub(crate) version: i64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) changes: Vec<ColumnChange>,
}

impl Operation for Describe {
    const NAME: &'static str = "describe-table";
    type Answer = TableDescription;

    async fn perform(self, platform: &Platform) -> Result<Self::Answer> {
        let (database, table) = table_name(&self.table)?;
        let entry = platform.catalog.get_table(&database, &table).await?;
        let partitions = match entry.table.partition_keys.is_empty() {
            true => None,
            false => Some(platform.catalog.count_partitions(&database, &table).await?),
        };
        let versions = match self.versions {
            true => changes(platform.catalog.table_versions(&database, &table, None, None).await?.versions),
            false => Vec::new(),
        };
        Ok(TableDescription { format: format_of(&entry.table), entry, partitions, versions })
    }
}

/// What each version changed against the one before, newest first.
fn changes(mut entries: Vec<TableEntry>) -> Vec<TableVersion> {
    entries.sort_by_key(|entry| entry.version);
    let mut before = Schema::default();
    let mut versions: Vec<TableVersion> = entries
        .into_iter()
        .map(|entry| {
            let schema = Schema::new(entry.table.storage.columns);
            let changes = before.changes_to(&schema);
            before = schema;
            TableVersion { version: entry.version, at: entry.updated, changes }
        })
        .collect();
    versions.reverse();
    versions
}

/// Lists partitions, filtered by a condition.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListPartitions {
    /// `database.table`
    pub(crate) table: String,
    pub(crate) filter: Option<String>,
    pub(crate) limit: usize,
}

/// The list, and whether there is more.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PartitionList {
    pub(crate) keys: Vec<String>,
    pub(crate) partitions: Vec<Partition>,
    pub(crate) more: bool,
}

impl Operation for ListPartitions {
    const NAME: &'static str = "list-partitions";
    type Answer = PartitionList;

    async fn perform(self, platform: &Platform) -> Result<Self::Answer> {
        let (database, table) = table_name(&self.table)?;
        let entry = platform.catalog.get_table(&database, &table).await?;
        let keys = entry.table.partition_keys.iter().map(|key| key.name.clone()).collect();
        let query =
            PartitionQuery { filter: self.filter, limit: Some(self.limit), ..PartitionQuery::default() };
        let page = platform.catalog.list_partitions(&database, &table, query).await?;
        Ok(PartitionList { keys, more: page.next.is_some(), partitions: page.partitions })
    }
}
