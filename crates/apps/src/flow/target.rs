//! Tables that are written: of the script, or of the catalog.

use super::options::{Connector, TableOptions};
use super::resolve::{ColumnFrom, Resolver, Target};
use super::tables::DATABASE;
use catalog::TableEntry;
use model::{EntityName, Error, Result, nearest_hint};
use sql::SqlType;

impl Resolver<'_> {
    /// The table that an INSERT names: one of the script, or one of the catalog.
    pub(super) async fn target(&self, parts: &[String]) -> Result<Target> {
        if let [name] = parts
            && let Some(spec) = self.out.tables.iter().find(|t| t.name.eq_ignore_ascii_case(name))
        {
            let columns = spec.columns.iter().map(|c| (c.name.clone(), c.sql_type.clone())).collect();
            let mut target = Target {
                name: spec.name.clone(),
                columns,
                partitioned_by: spec.partitioned_by.clone(),
                options: spec.options.clone(),
                entry: None,
            };
            if let Connector::Catalog { database, table } = &spec.options.connector {
                let entry = self.entry(database, table).await?;
                fit_to_entry(&mut target, &entry)?;
                target.entry = Some(Box::new(entry));
            }
            if spec.columns.iter().any(|c| c.from != ColumnFrom::Record) {
                return Err(Error::invalid(format!("the table `{}` has computed columns", spec.name))
                    .hint("a table that is written has columns of the record only"));
            }
            return Ok(target);
        }
        let (database, table) = match parts {
            [table] if self.names.found.contains_key(&table.to_lowercase()) => {
                return Err(Error::invalid(format!("`{table}` is a view: rows cannot be written there")));
            }
            [table] => (DATABASE.to_owned(), table.to_lowercase()),
            [.., database, table] => (database.to_lowercase(), table.to_lowercase()),
            [] => return Err(Error::internal("a table without a name")),
        };
        let entry = self.entry(&database, &table).await.map_err(|error| {
            let names = self.out.tables.iter().map(|t| t.name.as_str());
            error.hint(nearest_hint(parts.last().map_or("", String::as_str), names))
        })?;
        let storage = &entry.table.storage;
        let of = |c: &model::Column| (c.name.clone(), SqlType::from_hive(&c.hive_type));
        let mut columns: Vec<(String, SqlType)> = storage.columns.iter().map(of).collect();
        let first_key = columns.len();
        columns.extend(entry.table.partition_keys.iter().map(of));
        let partitioned_by = (first_key..columns.len()).collect();
        let options = TableOptions {
            connector: Connector::Catalog { database: database.clone(), table: table.clone() },
            format: None,
            ignores_errors: false,
            compression: None,
            idle_millis: None,
        };
        Ok(Target {
            name: format!("{database}.{table}"),
            columns,
            partitioned_by,
            options,
            entry: Some(Box::new(entry)),
        })
    }

    async fn entry(&self, database: &str, table: &str) -> Result<TableEntry> {
        let entry = self.catalog.get_table(&EntityName::new(database)?, &EntityName::new(table)?).await;
        let entry = entry.map_err(|e| match e.kind() {
            model::ErrorKind::NotFound => Error::not_found(format!(
                "neither the script nor the catalog has the table `{database}.{table}`"
            )),
            _ => e,
        })?;
        if entry.table.is_view() {
            return Err(Error::invalid(format!(
                "`{database}.{table}` is a view: rows cannot be written there"
            )));
        }
        let is_delta = entry.table.parameters.iter().any(|(k, v)| {
            (k == "table_type" || k == "classification" || k == "spark.sql.sources.provider")
                && v.eq_ignore_ascii_case("delta")
        });
        if is_delta {
            return Err(Error::unsupported(format!(
                "`{database}.{table}` is a Delta table, which streams cannot write"
            ))
            .hint("write a table of Parquet files"));
        }
        Ok(entry)
    }
}

/// A table of the script that stands for one of the catalog has its columns.
fn fit_to_entry(target: &mut Target, entry: &TableEntry) -> Result<()> {
    let keys = &entry.table.partition_keys;
    let all: Vec<&model::Column> = entry.table.storage.columns.iter().chain(keys).collect();
    let mut columns = Vec::with_capacity(all.len());
    for column in all {
        columns.push((column.name.clone(), SqlType::from_hive(&column.hive_type)));
    }
    if columns.len() != target.columns.len()
        || !columns.iter().zip(&target.columns).all(|((a, _), (b, _))| a.eq_ignore_ascii_case(b))
    {
        let names: Vec<&str> = columns.iter().map(|(n, _)| n.as_str()).collect();
        return Err(Error::invalid(format!(
            "the columns of `{}` are not those of the catalog's table",
            target.name
        ))
        .hint(format!("declare {}", names.join(", "))));
    }
    let first = columns.len() - keys.len();
    target.partitioned_by = (first..columns.len()).collect();
    target.columns = columns;
    Ok(())
}
