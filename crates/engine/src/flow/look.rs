//! What a job's check asks: columns of tables, of files, and of queries over columns.

use super::FlowColumn;
use super::names::spelled;
use super::open::{local, parsed};
use crate::engine::Engine;
use crate::query::DEFAULT_DATABASE;
use crate::tables::{OpenTables, cte_names};
use arrow::datatypes::{Field, Schema};
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::provider_as_source;
use functions::Session;
use model::{EntityName, Error, LakeUri, Result};
use plan::{Analyzer, Found, OutputColumn, TableColumn, TableName, table_names};
use scan::{ColumnKind, FileFormat, FileSearch, FoundFiles, ScanCounters};
use sql::Source;
use std::sync::Arc;

impl Engine {
    /// The columns of a table or view of the catalog, those of partitions last.
    pub async fn table_columns(&self, database: &str, table: &str) -> Result<Vec<FlowColumn>> {
        let sql = format!("SELECT * FROM {}.{}", sql::quote_ident(database), sql::quote_ident(table));
        // Where it stands in this query says nothing to anybody.
        self.query_columns(&sql, &[]).await.map_err(Error::without_place)
    }

    /// The columns that a grok pattern makes.
    pub fn grok_columns(pattern: &str, custom: &str) -> Result<Vec<FlowColumn>> {
        let grok = formats::Grok::compile(pattern, custom)?;
        let column = |c: &model::Column| FlowColumn {
            name: c.name.clone(),
            sql_type: sql::SqlType::from_hive(&c.hive_type),
        };
        Ok(grok.columns().iter().map(column).collect())
    }

    /// Whether a table is a Delta table.
    pub async fn is_delta_table(&self, database: &str, table: &str) -> Result<bool> {
        Ok(self.known_table(database, table, true).await?.is_some_and(|entry| crate::delta::is_delta(&entry)))
    }

    /// The folder of a table.
    pub async fn table_location(&self, database: &str, table: &str) -> Result<LakeUri> {
        let entry =
            self.inner.catalog.get_table(&EntityName::new(database)?, &EntityName::new(table)?).await?;
        let path = entry.table.storage.serde.parameters.get("path");
        let location = entry.table.storage.location.as_ref().filter(|text| !text.is_empty()).or(path);
        let location = location
            .ok_or_else(|| Error::invalid(format!("the table `{database}.{table}` has no location")))?;
        location.parse()
    }

    /// The files of these addresses.
    pub async fn find_files(&self, search: &FileSearch) -> Result<FoundFiles> {
        self.inner.scans.find_files(search).await
    }

    /// The columns of files.
    pub async fn file_columns(&self, found: &FoundFiles, format: &FileFormat) -> Result<Vec<FlowColumn>> {
        let counters = Arc::new(ScanCounters::default());
        let opened = self.inner.scans.open_files(found, format, counters).await?;
        let shown = opened.table.columns.iter().filter(|column| column.kind != ColumnKind::Hidden);
        let columns: Vec<OutputColumn> =
            shown.map(|c| OutputColumn { name: c.name.clone(), sql_type: c.sql_type.clone() }).collect();
        let names: Vec<FlowColumn> = opened
            .names
            .iter()
            .map(|name| FlowColumn { name: name.clone(), sql_type: sql::SqlType::VARCHAR })
            .collect();
        Ok(spelled("", &names, &columns))
    }

    /// The columns of a query over tables of these names and columns, and over tables of the catalog.
    pub async fn query_columns(
        &self,
        sql: &str,
        inputs: &[(&str, Vec<FlowColumn>)],
    ) -> Result<Vec<FlowColumn>> {
        let query = parsed(sql)?;
        let mut tables = OpenTables::default();
        for (name, columns) in inputs {
            tables.put(local(name), empty(columns));
        }
        let all = table_names(&query, DEFAULT_DATABASE);
        let missing: Vec<TableName> = all.into_iter().filter(|name| !tables.has(name)).collect();
        if !missing.is_empty() {
            let counters = Arc::new(ScanCounters::default());
            tables.merge(self.open_named(missing, &cte_names(&query), &counters).await?);
        }
        let mut session = Session::new(self.inner.clock.now());
        session.schema = EntityName::new(DEFAULT_DATABASE)?.to_string();
        let source = Arc::new(Source::new("<query>", sql));
        let analyzed = Analyzer::new(&tables, Arc::new(session), source, &[]).query(&query)?;
        Ok(spelled(sql, inputs.iter().flat_map(|(_, columns)| columns), &analyzed.columns))
    }
}

fn empty(columns: &[FlowColumn]) -> Found {
    let fields: Vec<Field> =
        columns.iter().map(|c| Field::new(c.name.to_lowercase(), c.sql_type.to_arrow(), true)).collect();
    let table = EmptyTable::new(Arc::new(Schema::new(fields)));
    let column = |c: &FlowColumn| TableColumn {
        name: c.name.to_lowercase(),
        sql_type: c.sql_type.clone(),
        hidden: false,
    };
    Found::Table {
        columns: columns.iter().map(column).collect(),
        source: provider_as_source(Arc::new(table)),
    }
}
