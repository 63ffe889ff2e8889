//! Partitions of Glue's tables, changed and many at once; partition indexes.

use super::Glue;
use super::databases::Done;
use super::partitions::{At, BatchDone, Detail, PartitionInput, Refused, Shown};
use super::shapes::{name, refuse};
use super::tables::touched;
use crate::json::Input;
use catalog::PartitionIndex;
use model::{Error, Result};
use serde::{Deserialize, Serialize};

/// Glue's largest batches.
const MAX_GET: usize = 1000;
const MAX_UPDATE: usize = 100;
const MAX_DELETE: usize = 25;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Values {
    values: Vec<String>,
}

fn few(field: &str, count: usize, most: usize) -> Result<()> {
    match count > most {
        true => Err(Error::invalid(format!("{field} may hold {most} partitions at most, not {count}"))),
        false => Ok(()),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchGetPartition {
    database_name: String,
    table_name: String,
    partitions_to_get: Vec<Values>,
}

impl Input for BatchGetPartition {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.table_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotMany {
    partitions: Vec<Shown>,
    unprocessed_keys: Vec<Values>,
}

/// As in Glue, those that are not there are left away; all others are processed.
pub(super) async fn get_many(glue: Glue, input: BatchGetPartition) -> Result<GotMany> {
    let at = At::new(&input.database_name, &input.table_name)?;
    few("PartitionsToGet", input.partitions_to_get.len(), MAX_GET)?;
    let values: Vec<Vec<String>> = input.partitions_to_get.into_iter().map(|one| one.values).collect();
    let (found, _) = glue.rooms.catalog.batch_get(&at.database, &at.table, &values).await?;
    let partitions = found.into_iter().map(|partition| at.show(partition)).collect();
    Ok(GotMany { partitions, unprocessed_keys: Vec::new() })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdatePartition {
    database_name: String,
    table_name: String,
    partition_value_list: Vec<String>,
    partition_input: PartitionInput,
}

impl Input for UpdatePartition {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.table_name)
    }
}

pub(super) async fn update(glue: Glue, input: UpdatePartition) -> Result<Done> {
    let at = At::new(&input.database_name, &input.table_name)?;
    let partition = input.partition_input.take()?;
    let values = &input.partition_value_list;
    glue.rooms.catalog.update_partition(&at.database, &at.table, values, partition).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    partition_value_list: Vec<String>,
    partition_input: PartitionInput,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchUpdatePartition {
    database_name: String,
    table_name: String,
    entries: Vec<Entry>,
}

impl Input for BatchUpdatePartition {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.table_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct NotUpdated {
    partition_value_list: Vec<String>,
    error_detail: Detail,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Updated {
    errors: Vec<NotUpdated>,
}

pub(super) async fn update_many(glue: Glue, input: BatchUpdatePartition) -> Result<Updated> {
    let at = At::new(&input.database_name, &input.table_name)?;
    few("Entries", input.entries.len(), MAX_UPDATE)?;
    let changes = input
        .entries
        .into_iter()
        .map(|entry| Ok((entry.partition_value_list, entry.partition_input.take()?)))
        .collect::<Result<Vec<_>>>()?;
    let outcome = glue.rooms.catalog.update_partitions(&at.database, &at.table, changes).await?;
    let errors = outcome
        .errors
        .into_iter()
        .map(|(values, error)| NotUpdated { partition_value_list: values, error_detail: Detail::of(&error) })
        .collect();
    Ok(Updated { errors })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchDeletePartition {
    database_name: String,
    table_name: String,
    partitions_to_delete: Vec<Values>,
}

impl Input for BatchDeletePartition {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.table_name)
    }
}

pub(super) async fn delete_many(glue: Glue, input: BatchDeletePartition) -> Result<BatchDone> {
    let at = At::new(&input.database_name, &input.table_name)?;
    few("PartitionsToDelete", input.partitions_to_delete.len(), MAX_DELETE)?;
    let values = input.partitions_to_delete.into_iter().map(|one| one.values).collect();
    let outcome = glue.rooms.catalog.delete_partitions(&at.database, &at.table, values).await?;
    Ok(BatchDone { errors: outcome.errors.into_iter().map(Refused::of).collect() })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NewIndex {
    keys: Vec<String>,
    index_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateIndex {
    database_name: String,
    table_name: String,
    partition_index: NewIndex,
}

impl Input for CreateIndex {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.table_name)
    }
}

pub(super) async fn create_index(glue: Glue, input: CreateIndex) -> Result<Done> {
    let at = At::new(&input.database_name, &input.table_name)?;
    let keys = input.partition_index.keys.iter().map(|key| name("Keys", key)).collect::<Result<_>>()?;
    let index = PartitionIndex { name: name("IndexName", &input.partition_index.index_name)?, keys };
    glue.rooms.catalog.create_partition_index(&at.database, &at.table, index).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteIndex {
    database_name: String,
    table_name: String,
    index_name: String,
}

impl Input for DeleteIndex {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.table_name)
    }
}

pub(super) async fn delete_index(glue: Glue, input: DeleteIndex) -> Result<Done> {
    let at = At::new(&input.database_name, &input.table_name)?;
    let index = name("IndexName", &input.index_name)?;
    glue.rooms.catalog.delete_partition_index(&at.database, &at.table, &index).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetIndexes {
    database_name: String,
    table_name: String,
    next_token: Option<String>,
}

impl Input for GetIndexes {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.table_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Indexes {
    partition_index_descriptor_list: Vec<Index>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Index {
    index_name: String,
    keys: Vec<Key>,
    index_status: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Key {
    name: String,
    #[serde(rename = "Type")]
    hive_type: String,
}

pub(super) async fn indexes(glue: Glue, input: GetIndexes) -> Result<Indexes> {
    refuse("NextToken", input.next_token.is_some_and(|token| !token.is_empty()))?;
    let at = At::new(&input.database_name, &input.table_name)?;
    let table = glue.rooms.catalog.get_table(&at.database, &at.table).await?.table;
    let found = glue.rooms.catalog.list_partition_indexes(&at.database, &at.table).await?;
    let key = |name: &model::EntityName| Key {
        name: name.to_string(),
        hive_type: table
            .partition_keys
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name.as_str()))
            .map(|column| column.hive_type.to_string())
            .unwrap_or_default(),
    };
    let partition_index_descriptor_list = found
        .into_iter()
        .map(|index| Index {
            index_name: index.name.to_string(),
            keys: index.keys.iter().map(key).collect(),
            index_status: "ACTIVE",
        })
        .collect();
    Ok(Indexes { partition_index_descriptor_list })
}
