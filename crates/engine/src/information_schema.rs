//! `information_schema`: the catalog as tables.

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{Field, Schema};
use catalog::{Catalog, TableEntry, TableQuery};
use datafusion::datasource::{MemTable, provider_as_source};
use model::{Error, Result, nearest_hint};
use plan::{Found, TableColumn};
use sql::SqlType;
use std::sync::Arc;

/// The database's name.
pub(crate) const NAME: &str = "information_schema";

/// The tables in it.
pub(crate) const TABLES: &[&str] = &["columns", "schemata", "tables", "views"];

const CATALOG: &str = "awsdatacatalog";

/// One of its tables, as the catalog is now.
pub(crate) async fn open(catalog: &Catalog, table: &str) -> Result<Found> {
    let (names, rows): (&[&str], Vec<Vec<Cell>>) = match table {
        "schemata" => (&["catalog_name", "schema_name"], schemata(catalog).await?),
        "tables" => (
            &["table_catalog", "table_schema", "table_name", "table_type"],
            all_tables(catalog)
                .await?
                .iter()
                .map(|t| {
                    let kind = if t.table.is_view() { "VIEW" } else { "BASE TABLE" };
                    vec![text(CATALOG), text(t.database.as_str()), text(t.table.name.as_str()), text(kind)]
                })
                .collect(),
        ),
        "views" => (
            &["table_catalog", "table_schema", "table_name", "view_definition"],
            all_tables(catalog)
                .await?
                .iter()
                .filter(|t| t.table.is_view())
                .map(|t| {
                    let definition = t.table.view_original_text.clone();
                    vec![
                        text(CATALOG),
                        text(t.database.as_str()),
                        text(t.table.name.as_str()),
                        Cell::Text(definition),
                    ]
                })
                .collect(),
        ),
        "columns" => (
            &[
                "table_catalog",
                "table_schema",
                "table_name",
                "column_name",
                "ordinal_position",
                "column_default",
                "is_nullable",
                "data_type",
                "comment",
                "extra_info",
            ],
            all_tables(catalog).await?.iter().flat_map(columns).collect(),
        ),
        other => {
            return Err(Error::not_found(format!("table `{NAME}.{other}` does not exist"))
                .hint(nearest_hint(other, TABLES.iter().copied())));
        }
    };
    build(names, &rows)
}

enum Cell {
    Text(Option<String>),
    Number(i64),
}

fn text(value: &str) -> Cell {
    Cell::Text(Some(value.to_owned()))
}

async fn schemata(catalog: &Catalog) -> Result<Vec<Vec<Cell>>> {
    let mut rows: Vec<Vec<Cell>> = catalog
        .list_databases()
        .await?
        .iter()
        .map(|d| vec![text(CATALOG), text(d.database.name.as_str())])
        .collect();
    rows.push(vec![text(CATALOG), text(NAME)]);
    Ok(rows)
}

async fn all_tables(catalog: &Catalog) -> Result<Vec<TableEntry>> {
    let mut all = Vec::new();
    for database in catalog.list_databases().await? {
        let page = catalog.list_tables(&database.database.name, TableQuery::default()).await?;
        all.extend(page.tables);
    }
    Ok(all)
}

fn columns(entry: &TableEntry) -> Vec<Vec<Cell>> {
    let data = entry.table.storage.columns.iter().map(|c| (c, None));
    let keys = entry.table.partition_keys.iter().map(|c| (c, Some("partition key")));
    data.chain(keys)
        .zip(1_i64..)
        .map(|((column, extra), position)| {
            vec![
                text(CATALOG),
                text(entry.database.as_str()),
                text(entry.table.name.as_str()),
                text(&column.name.to_lowercase()),
                Cell::Number(position),
                Cell::Text(None),
                text("YES"),
                text(&SqlType::from_hive(&column.hive_type).to_string()),
                Cell::Text(column.comment.clone()),
                Cell::Text(extra.map(str::to_owned)),
            ]
        })
        .collect()
}

fn build(names: &[&str], rows: &[Vec<Cell>]) -> Result<Found> {
    let mut described = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let number = *name == "ordinal_position";
        let sql_type = if number { SqlType::BigInt } else { SqlType::VARCHAR };
        described.push(TableColumn { name: (*name).to_owned(), sql_type, hidden: false });
        arrays.push(if number {
            let values = rows.iter().map(|r| match r.get(i) {
                Some(Cell::Number(n)) => Some(*n),
                _ => None,
            });
            Arc::new(values.collect::<Int64Array>())
        } else {
            let values = rows.iter().map(|r| match r.get(i) {
                Some(Cell::Text(t)) => t.as_deref(),
                _ => None,
            });
            Arc::new(values.collect::<StringViewArray>())
        });
    }
    in_memory(described, arrays)
}

/// A table of these columns.
pub(crate) fn in_memory(described: Vec<TableColumn>, arrays: Vec<ArrayRef>) -> Result<Found> {
    let fields =
        described.iter().zip(&arrays).map(|(c, array)| Field::new(&c.name, array.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let batch = RecordBatch::try_new(schema.clone(), arrays).map_err(functions::cast::arrow_error)?;
    let table = MemTable::try_new(schema, vec![vec![batch]]).map_err(scan::error)?;
    Ok(Found::Table { columns: described, source: provider_as_source(Arc::new(table)) })
}
