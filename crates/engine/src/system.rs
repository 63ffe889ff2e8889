//! `system`: what the platform knows of itself, as tables. Runs and partitions are the engine's own; other rooms stand
//! above the engine and hand theirs in.

use crate::engine::Engine;
use crate::information_schema::in_memory;
use arrow::array::{ArrayRef, Int64Array, StringViewArray, TimestampMillisecondArray};
use async_trait::async_trait;
use catalog::{PartitionQuery, TableQuery};
use chrono::{DateTime, Utc};
use model::{Error, Result};
use plan::{Found, TableColumn};
use sql::SqlType;
use state::runs::{Run, RunQuery};
use std::sync::{Arc, PoisonError};

/// The database's name. Its tables stand before those of a database of that name in the catalog.
pub const SYSTEM_DATABASE: &str = "system";

/// How many runs `system.runs` shows: the newest ones.
const MAX_RUNS: usize = 100_000;
/// How many are read at one time.
const RUNS_PAGE: usize = 1000;

/// A table of the database `system`, as some room of the house tells it.
#[async_trait]
pub trait SystemTable: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Its columns.
    fn columns(&self) -> Vec<(&'static str, SqlType)>;

    /// Its rows as they are now: an array for each column, of the type that carries the column's SQL type.
    async fn rows(&self) -> Result<Vec<ArrayRef>>;
}

impl Engine {
    /// The tables of `system` with their columns, by name.
    pub fn system_tables(&self) -> Vec<(String, Vec<(String, SqlType)>)> {
        let owned = |columns: Vec<(&'static str, SqlType)>| {
            columns.into_iter().map(|(name, sql_type)| (name.to_owned(), sql_type)).collect::<Vec<_>>()
        };
        let mut all = vec![
            ("partitions".to_owned(), owned(partition_columns())),
            ("runs".to_owned(), owned(run_columns())),
        ];
        let others = self.inner.system.read().unwrap_or_else(PoisonError::into_inner);
        all.extend(others.iter().map(|table| (table.name().to_owned(), owned(table.columns()))));
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    pub(crate) async fn open_system_table(&self, name: &str) -> Result<Option<Found>> {
        let (columns, arrays) = match name {
            "runs" => (run_columns(), self.run_rows().await?),
            "partitions" => (partition_columns(), self.partition_rows().await?),
            name => {
                let table = {
                    let all = self.inner.system.read().unwrap_or_else(PoisonError::into_inner);
                    all.iter().find(|table| table.name() == name).cloned()
                };
                let Some(table) = table else { return Ok(None) };
                (table.columns(), table.rows().await?)
            }
        };
        let described = columns
            .into_iter()
            .map(|(name, sql_type)| TableColumn { name: name.to_owned(), sql_type, hidden: false })
            .collect();
        in_memory(described, arrays).map(Some)
    }

    async fn run_rows(&self) -> Result<Vec<ArrayRef>> {
        let mut all: Vec<Run> = Vec::new();
        if let Some(runs) = &self.inner.runs {
            loop {
                let after = all.last().map(|run| run.id.clone());
                let page = runs.list(&RunQuery { limit: RUNS_PAGE, after, ..RunQuery::default() }).await?;
                let is_last = page.len() < RUNS_PAGE;
                all.extend(page);
                if is_last || all.len() >= MAX_RUNS {
                    break;
                }
            }
        }
        let texts = |of: &dyn Fn(&Run) -> Option<String>| -> ArrayRef {
            Arc::new(all.iter().map(of).collect::<StringViewArray>())
        };
        let times = |of: &dyn Fn(&Run) -> Option<DateTime<Utc>>| -> ArrayRef {
            let millis = all.iter().map(|run| of(run).map(|time| time.timestamp_millis()));
            Arc::new(millis.collect::<TimestampMillisecondArray>().with_timezone("UTC"))
        };
        let numbers = |of: &dyn Fn(&Run) -> Option<u64>| -> ArrayRef {
            let numbers = all.iter().map(|run| of(run).and_then(|n| i64::try_from(n).ok()));
            Arc::new(numbers.collect::<Int64Array>())
        };
        let counter = |name: &'static str| move |run: &Run| run.counters.get(name).copied();
        let json = |value: serde_json::Result<String>| {
            value.map_err(|e| Error::internal("a run cannot be shown as JSON").source_is(e))
        };
        let counters =
            all.iter().map(|run| json(serde_json::to_string(&run.counters))).collect::<Result<Vec<_>>>()?;
        let arguments =
            all.iter().map(|run| json(serde_json::to_string(&run.arguments))).collect::<Result<Vec<_>>>()?;
        let error = |run: &Run| match &run.outcome {
            Some(model::Outcome::Diagnosis(diagnosis)) => Some(diagnosis.what.clone()),
            _ => None,
        };
        Ok(vec![
            texts(&|run| Some(run.id.to_string())),
            texts(&|run| Some(run.kind.to_string())),
            texts(&|run| Some(run.name.clone())),
            texts(&|run| Some(run.owner.clone())),
            texts(&|run| Some(run.state.to_string())),
            numbers(&|run| Some(u64::from(run.attempt))),
            times(&|run| Some(run.created)),
            times(&|run| run.started),
            times(&|run| run.ended),
            numbers(&|run| run.progress.as_ref().map(|progress| progress.done)),
            numbers(&|run| run.progress.as_ref().and_then(|progress| progress.total)),
            numbers(&counter("rows")),
            numbers(&counter("bytes_scanned")),
            numbers(&counter("peak_memory")),
            Arc::new(counters.iter().map(|text| Some(text.as_str())).collect::<StringViewArray>()),
            Arc::new(arguments.iter().map(|text| Some(text.as_str())).collect::<StringViewArray>()),
            texts(&error),
            texts(&|run| Some(run.node.clone())),
        ])
    }

    async fn partition_rows(&self) -> Result<Vec<ArrayRef>> {
        let catalog = &self.inner.catalog;
        let (mut databases, mut names, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        let (mut locations, mut created) = (Vec::new(), Vec::new());
        for database in catalog.list_databases().await? {
            let tables = catalog.list_tables(&database.database.name, TableQuery::default()).await?.tables;
            for table in tables.iter().filter(|table| !table.table.partition_keys.is_empty()) {
                let name = &table.table.name;
                let found = catalog.list_partitions(&table.database, name, PartitionQuery::default()).await;
                // A table that was dropped meanwhile has none.
                let Ok(page) = found else { continue };
                for partition in page.partitions {
                    let columns = &table.table.partition_keys;
                    let parts = columns.iter().zip(&partition.values);
                    let parts = parts.map(|(column, value)| format!("{}={value}", column.name));
                    databases.push(table.database.to_string());
                    names.push(name.to_string());
                    keys.push(parts.collect::<Vec<_>>().join("/"));
                    locations.push(partition.storage.location.clone());
                    created.push(partition.created.map(|time| time.timestamp_millis()));
                }
            }
        }
        let texts =
            |all: Vec<String>| -> ArrayRef { Arc::new(all.iter().map(Some).collect::<StringViewArray>()) };
        Ok(vec![
            texts(databases),
            texts(names),
            texts(keys),
            Arc::new(locations.iter().map(Option::as_deref).collect::<StringViewArray>()),
            Arc::new(TimestampMillisecondArray::from(created).with_timezone("UTC")),
        ])
    }
}

fn run_columns() -> Vec<(&'static str, SqlType)> {
    let time = || SqlType::timestamp_utc(3);
    vec![
        ("id", SqlType::VARCHAR),
        ("kind", SqlType::VARCHAR),
        ("name", SqlType::VARCHAR),
        ("owner", SqlType::VARCHAR),
        ("state", SqlType::VARCHAR),
        ("attempt", SqlType::BigInt),
        ("created", time()),
        ("started", time()),
        ("ended", time()),
        ("done", SqlType::BigInt),
        ("total", SqlType::BigInt),
        ("rows", SqlType::BigInt),
        ("bytes_scanned", SqlType::BigInt),
        ("peak_memory", SqlType::BigInt),
        ("counters", SqlType::Json),
        ("arguments", SqlType::Json),
        ("error", SqlType::VARCHAR),
        ("node", SqlType::VARCHAR),
    ]
}

fn partition_columns() -> Vec<(&'static str, SqlType)> {
    vec![
        ("database_name", SqlType::VARCHAR),
        ("table_name", SqlType::VARCHAR),
        ("partition", SqlType::VARCHAR),
        ("location", SqlType::VARCHAR),
        ("created", SqlType::timestamp_utc(3)),
    ]
}
