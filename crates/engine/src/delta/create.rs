//! New Delta tables: empty ones from a list of columns, and those of a query.

use super::Attempt;
use crate::answer::{Answer, count_answer, ddl_answer};
use crate::ddl::{DdlResult, LAST_DDL, check_columns};
use crate::engine::Engine;
use crate::query::Context;
use crate::write::partition_columns;
use catalog::{StorageDescriptor, Table};
use model::{Column, EntityName, Error, ErrorKind, LakeUri, Result, nearest_hint};
use plan::{Analyzed, OutputColumn};
use scan::delta::{DeltaColumn, NewColumn, NewTable};
use sql::SqlType;
use sql::ast::{At, CreateTable, CreateTableAs, WriteOptions};

/// What a Delta table takes of `WITH (…)`.
fn check_options(options: &WriteOptions, context: &Context) -> Result<()> {
    let refused = |span, what: &str, hint: &str| {
        Err(Error::unsupported(format!("a Delta table takes no {what}"))
            .at(sql::at(&context.source, span))
            .hint(hint.to_owned()))
    };
    if let Some(format) = options.format.as_ref().filter(|format| format.value != "PARQUET") {
        return refused(format.span, "other format than PARQUET", "leave `format` out");
    }
    if let Some(compression) = &options.compression {
        return refused(compression.span, "compression", "its files are compressed with snappy");
    }
    if let Some(first) = options.bucketed_by.first() {
        return refused(first.span, "buckets", "leave `bucketed_by` out, or partition the table");
    }
    if let Some((name, _)) = options.others.first() {
        return refused(name.span, &format!("property `{}`", name.value), "leave it out");
    }
    if let (Some(_), Some(second)) = (options.partitioned_by.first(), options.partitioning.first()) {
        return refused(second.span, "`partitioning` beside `partitioned_by`", "leave one of them out");
    }
    Ok(())
}

/// The partition columns under either name.
fn keys(options: &WriteOptions) -> &[At<String>] {
    if options.partitioned_by.is_empty() { &options.partitioning } else { &options.partitioned_by }
}

impl Engine {
    /// `CREATE TABLE … WITH (table_type = 'DELTA') AS SELECT …`: the files are published, the log's first entry makes
    /// them a table, and then the catalog learns of it.
    pub(crate) async fn delta_table_as(
        &self,
        create: &CreateTableAs,
        database: &EntityName,
        name: &EntityName,
        analyzed: &Analyzed,
        folder: LakeUri,
        context: &Context,
    ) -> Result<Answer> {
        let options = &create.options;
        check_options(options, context)?;
        let by = keys(options);
        if options.partitioned_by.is_empty() {
            by.iter().try_for_each(|key| known(key, &analyzed.columns, context))?;
        } else {
            partition_columns(options, &analyzed.columns, context)?;
        }
        let columns = analyzed.columns.iter().map(|column| NewColumn {
            name: column.name.clone(),
            sql_type: column.sql_type.clone(),
            nullable: true,
            comment: None,
        });
        let columns: Vec<NewColumn> = columns.collect();
        let mut table = new_table(&folder, &columns, by)?;
        table.comment.clone_from(&create.comment);
        let entry = catalog_entry(name, &folder, &table, create.comment.clone(), &columns, context)?;
        let streams = if create.with_data { self.streams(analyzed, context).await? } else { Vec::new() };
        let attempt = Attempt::new(self, 1, context);
        let written = match create.with_data {
            true => table.write(streams, &attempt.writing()).await,
            false => Ok(table.empty()),
        };
        let (staged, commit) = attempt.ended(written).await?;
        let rows = staged.rows_written();
        let ready = staged.publish(&self.inner.scans, commit).await?;
        crashpoint::hit("engine.delta.before_commit");
        table.create(&self.inner.scans, ready).await?;
        crashpoint::hit("engine.delta.before_table");
        self.inner.catalog.create_table(database, entry).await?;
        count_answer(rows, context)
    }

    /// `CREATE TABLE … (…) WITH (table_type = 'DELTA')`: a table without rows.
    pub(crate) async fn new_delta_table(&self, create: &CreateTable, context: &Context) -> Result<Answer> {
        let (database, name) = self.table_name(&create.name, context)?;
        let place = || sql::at(&context.source, create.name.span());
        match self.inner.catalog.get_table(&database, &name).await {
            Ok(_) if create.if_not_exists => return ddl_answer(DdlResult::default(), context),
            Ok(_) => {
                return Err(Error::already_exists(format!("table `{database}.{name}` exists already"))
                    .at(place())
                    .hint("drop it first, or write CREATE TABLE IF NOT EXISTS"));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if create.row_format.is_some() || create.stored_as.is_some() || create.buckets.is_some() {
            return Err(Error::unsupported("a Delta table takes no ROW FORMAT, STORED AS or CLUSTERED BY")
                .at(place())
                .hint("leave it out: its files are Parquet"));
        }
        let options = create.options.clone().unwrap_or_default();
        check_options(&options, context)?;
        check_columns(&self.ddl_context(context), &create.columns, &create.partitioned_by)?;
        let columns: Vec<NewColumn> = create
            .columns
            .iter()
            .chain(&create.partitioned_by)
            .map(|column| NewColumn {
                name: column.name.value.to_lowercase(),
                sql_type: SqlType::from_hive(&column.hive_type.value),
                nullable: column.not_null.is_none(),
                comment: column.comment.clone(),
            })
            .collect();
        let listed =
            create.partitioned_by.iter().map(|c| At { value: c.name.value.clone(), span: c.name.span });
        let by: Vec<At<String>> = listed
            .chain(create.partition_transforms.iter().cloned())
            .chain(keys(&options).iter().cloned())
            .collect();
        let outputs: Vec<OutputColumn> = columns
            .iter()
            .map(|c| OutputColumn { name: c.name.clone(), sql_type: c.sql_type.clone() })
            .collect();
        by.iter().try_for_each(|key| known(key, &outputs, context))?;
        let location = options.location.as_ref().or(create.location.as_ref());
        let folder = self.new_table_folder(&database, &name, location, context).await?;
        let mut table = new_table(&folder, &columns, &by).map_err(|e| e.at_if_unknown(|| place().into()))?;
        table.comment.clone_from(&create.comment);
        let entry = catalog_entry(&name, &folder, &table, create.comment.clone(), &columns, context)?;
        let ready = table.empty().publish(&self.inner.scans, self.commit_for(context)).await?;
        crashpoint::hit("engine.delta.before_commit");
        table.create(&self.inner.scans, ready).await?;
        crashpoint::hit("engine.delta.before_table");
        self.inner.catalog.create_table(&database, entry).await?;
        ddl_answer(DdlResult::default(), context)
    }
}

fn new_table(folder: &LakeUri, columns: &[NewColumn], by: &[At<String>]) -> Result<NewTable> {
    let by: Vec<String> = by.iter().map(|key| key.value.clone()).collect();
    NewTable::new(folder, columns, &by)
}

fn known(key: &At<String>, columns: &[OutputColumn], context: &Context) -> Result<()> {
    let lower = key.value.to_lowercase();
    if columns.iter().any(|column| column.name == lower) {
        return Ok(());
    }
    Err(Error::not_found(format!("`{}` is no column of the new table", key.value))
        .at(sql::at(&context.source, key.span))
        .hint(nearest_hint(&lower, columns.iter().map(|column| column.name.as_str()))))
}

/// The table as the catalog keeps it. The log has the last word on columns; the catalog's are for whoever asks it alone.
fn catalog_entry(
    name: &EntityName,
    folder: &LakeUri,
    table: &NewTable,
    comment: Option<String>,
    columns: &[NewColumn],
    context: &Context,
) -> Result<Table> {
    let comments: Vec<Option<String>> = columns.iter().map(|column| column.comment.clone()).collect();
    let mut entry = delta_entry(name, folder, table.columns(), &comments)?;
    entry.description = comment;
    entry.parameters.insert(LAST_DDL.into(), context.session.now().timestamp().to_string());
    Ok(entry)
}

/// A Delta table as the catalog keeps it.
pub(crate) fn delta_entry(
    name: &EntityName,
    folder: &LakeUri,
    columns: &[DeltaColumn],
    comments: &[Option<String>],
) -> Result<Table> {
    let (mut data, mut keys) = (Vec::new(), Vec::new());
    for (at, column) in columns.iter().enumerate() {
        let mut described = Column::new(column.name.clone(), column.shown.to_hive()?);
        described.comment = comments.get(at).cloned().flatten();
        if column.is_key { keys.push(described) } else { data.push(described) }
    }
    let mut entry = Table {
        storage: StorageDescriptor {
            columns: data,
            location: Some(folder.to_string()),
            ..StorageDescriptor::default()
        },
        partition_keys: keys,
        table_type: Some("EXTERNAL_TABLE".into()),
        ..Table::new(name.clone())
    };
    for (key, value) in [("EXTERNAL", "TRUE"), ("table_type", "DELTA"), ("classification", "delta")] {
        entry.parameters.insert(key.into(), value.into());
    }
    Ok(entry)
}
