//! Partitions of Glue's tables.

use super::databases::Done;
use super::shapes::{StorageDescriptor, limit, name, seconds};
use super::tables::touched;
use crate::json::{Input, epoch_opt, token};
use crate::page::write_token;
use catalog::{Catalog, Parameters, Partition, PartitionQuery};
use chrono::{DateTime, Utc};
use model::{EntityName, Error, Result};
use serde::{Deserialize, Serialize};

/// Glue's largest pages and batches.
const MAX_RESULTS: usize = 1000;
const MAX_BATCH: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PartitionInput {
    values: Vec<String>,
    storage_descriptor: Option<StorageDescriptor>,
    parameters: Option<Parameters>,
    #[serde(default, deserialize_with = "seconds")]
    last_access_time: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "seconds")]
    last_analyzed_time: Option<DateTime<Utc>>,
}

impl PartitionInput {
    pub(super) fn take(self) -> Result<Partition> {
        Ok(Partition {
            values: self.values,
            storage: self.storage_descriptor.unwrap_or_default().take()?,
            parameters: self.parameters.unwrap_or_default(),
            created: None,
            last_access: self.last_access_time,
            last_analyzed: self.last_analyzed_time,
        })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Shown {
    values: Vec<String>,
    database_name: String,
    table_name: String,
    #[serde(serialize_with = "epoch_opt", skip_serializing_if = "Option::is_none")]
    creation_time: Option<DateTime<Utc>>,
    #[serde(serialize_with = "epoch_opt", skip_serializing_if = "Option::is_none")]
    last_access_time: Option<DateTime<Utc>>,
    #[serde(serialize_with = "epoch_opt", skip_serializing_if = "Option::is_none")]
    last_analyzed_time: Option<DateTime<Utc>>,
    storage_descriptor: StorageDescriptor,
    parameters: Parameters,
}

/// Which table an operation is about.
pub(super) struct At {
    pub(super) database: EntityName,
    pub(super) table: EntityName,
}

impl At {
    pub(super) fn new(database: &str, table: &str) -> Result<Self> {
        Ok(Self { database: name("DatabaseName", database)?, table: name("TableName", table)? })
    }

    pub(super) fn show(&self, partition: Partition) -> Shown {
        Shown {
            values: partition.values,
            database_name: self.database.to_string(),
            table_name: self.table.to_string(),
            creation_time: partition.created,
            last_access_time: partition.last_access,
            last_analyzed_time: partition.last_analyzed,
            storage_descriptor: StorageDescriptor::show(&partition.storage),
            parameters: partition.parameters,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreatePartition {
    database_name: String,
    table_name: String,
    partition_input: PartitionInput,
}

impl Input for CreatePartition {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.table_name)
    }
}

pub(super) async fn create(catalog: Catalog, input: CreatePartition) -> Result<Done> {
    let at = At::new(&input.database_name, &input.table_name)?;
    let partition = input.partition_input.take()?;
    let outcome = catalog.create_partitions(&at.database, &at.table, vec![partition]).await?;
    outcome.errors.into_iter().next().map_or(Ok(Done {}), |(_, error)| Err(error))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchCreatePartition {
    database_name: String,
    table_name: String,
    partition_input_list: Vec<PartitionInput>,
}

impl Input for BatchCreatePartition {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.table_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Refused {
    partition_values: Vec<String>,
    error_detail: Detail,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Detail {
    error_code: String,
    error_message: String,
}

impl Detail {
    pub(super) fn of(error: &Error) -> Self {
        Self {
            error_code: super::code(error.kind()).to_owned(),
            error_message: crate::fault::sentence(error),
        }
    }
}

impl Refused {
    pub(super) fn of((values, error): (Vec<String>, Error)) -> Self {
        Self { partition_values: values, error_detail: Detail::of(&error) }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchDone {
    pub(super) errors: Vec<Refused>,
}

pub(super) async fn create_many(catalog: Catalog, input: BatchCreatePartition) -> Result<BatchDone> {
    let at = At::new(&input.database_name, &input.table_name)?;
    if input.partition_input_list.len() > MAX_BATCH {
        return Err(Error::invalid(format!("PartitionInputList may hold {MAX_BATCH} partitions at most")));
    }
    let partitions =
        input.partition_input_list.into_iter().map(PartitionInput::take).collect::<Result<_>>()?;
    let outcome = catalog.create_partitions(&at.database, &at.table, partitions).await?;
    Ok(BatchDone { errors: outcome.errors.into_iter().map(Refused::of).collect() })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OnePartition {
    database_name: String,
    table_name: String,
    partition_values: Vec<String>,
}

impl Input for OnePartition {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.table_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotPartition {
    partition: Shown,
}

pub(super) async fn get(catalog: Catalog, input: OnePartition) -> Result<GotPartition> {
    let at = At::new(&input.database_name, &input.table_name)?;
    let partition = catalog.get_partition(&at.database, &at.table, &input.partition_values).await?;
    Ok(GotPartition { partition: at.show(partition) })
}

pub(super) async fn delete(catalog: Catalog, input: OnePartition) -> Result<Done> {
    let at = At::new(&input.database_name, &input.table_name)?;
    let outcome = catalog.delete_partitions(&at.database, &at.table, vec![input.partition_values]).await?;
    outcome.errors.into_iter().next().map_or(Ok(Done {}), |(_, error)| Err(error))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Segment {
    segment_number: u32,
    total_segments: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetPartitions {
    database_name: String,
    table_name: String,
    expression: Option<String>,
    next_token: Option<String>,
    segment: Option<Segment>,
    max_results: Option<i64>,
    #[serde(default)]
    exclude_column_schema: bool,
}

impl Input for GetPartitions {
    fn resources(&self) -> Vec<String> {
        touched(&self.database_name, &self.table_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotPartitions {
    partitions: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn list(catalog: Catalog, input: GetPartitions) -> Result<GotPartitions> {
    let at = At::new(&input.database_name, &input.table_name)?;
    let query = PartitionQuery {
        filter: input.expression.filter(|text| !text.trim().is_empty()),
        segment: input.segment.map(|segment| (segment.segment_number, segment.total_segments)),
        after: token(input.next_token.as_deref())?,
        limit: Some(limit(input.max_results, MAX_RESULTS)?),
        without_storage: input.exclude_column_schema,
    };
    let page = catalog.list_partitions(&at.database, &at.table, query).await?;
    Ok(GotPartitions {
        partitions: page.partitions.into_iter().map(|partition| at.show(partition)).collect(),
        next_token: page.next.as_deref().map(write_token),
    })
}
