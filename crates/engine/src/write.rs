//! Statements that write rows: CTAS, INSERT INTO, UNLOAD. What they write appears whole or not at all.
//!
//! The order of the steps makes it so. CTAS publishes its files in one commit and then makes the table with its
//! partitions in one transaction: before that nobody knows of the files. INSERT first registers the folders of new
//! partitions, which are empty, and then publishes all files in one commit.

use crate::answer::{Answer, count_answer};
use crate::ddl;
use crate::engine::Engine;
use crate::query::Context;
use catalog::{Partition, StorageDescriptor, Table, TableEntry};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlanProperties;
use formats::{Format, FormatSpec, WriteFormat, WriteSpec};
use futures::StreamExt;
use lake::{Commit, CommitOptions};
use model::{Column, EntityName, Error, LakeUri, Result, Unit, nearest_hint};
use plan::{Analyzed, Analyzer, OutputColumn, TableName};
use scan::sink::{SinkSpec, Written, write};
use sql::ast::{At, CreateTableAs, Insert, Unload, WriteOptions};
use sql::{QualifiedName, SqlType};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// The folder value of rows whose key is NULL.
pub(crate) const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// How the files of a statement are to be laid out.
pub(crate) struct Layout {
    location: LakeUri,
    pub(crate) storage: StorageDescriptor,
    pub(crate) spec: WriteSpec,
    partition_by: Vec<usize>,
    pub(crate) bucketed_by: Option<(Vec<usize>, u32)>,
}

/// The table that an INSERT is about, open with those that its query reads.
struct InsertTarget {
    name: TableName,
    entry: TableEntry,
    tables: crate::tables::OpenTables,
}

impl InsertTarget {
    /// The rows as the table takes them.
    fn rows(&self, insert: &Insert, context: &Context) -> Result<Analyzed> {
        let analyzer =
            Analyzer::new(&self.tables, context.session.clone(), context.source.clone(), &context.parameters);
        let analyzed = analyzer.query(&insert.source)?;
        fitted(&analyzer, analyzed, insert, &table_columns(&self.entry), context)
    }
}

impl Engine {
    // ---- CREATE TABLE AS -------------------------------------------------------------------------------------

    pub(crate) async fn create_table_as(&self, create: &CreateTableAs, context: &Context) -> Result<Answer> {
        let (database, name) = self.table_name(&create.name, context)?;
        match self.inner.catalog.get_table(&database, &name).await {
            Ok(_) if create.if_not_exists => return count_answer(0, context),
            Ok(_) => {
                return Err(Error::already_exists(format!("table `{database}.{name}` exists already"))
                    .at(sql::at(&context.source, create.name.span()))
                    .hint("drop it first, or write CREATE TABLE IF NOT EXISTS"));
            }
            Err(error) if error.kind() == model::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut analyzed = self.analyze(&create.query, context).await?;
        if !create.columns.is_empty() {
            rename_columns(&mut analyzed, &create.columns, context)?;
        }
        check_columns(&analyzed.columns)?;
        let folder =
            self.new_table_folder(&database, &name, create.options.location.as_ref(), context).await?;
        if create.options.table_type.as_ref().is_some_and(|kind| kind.value == "DELTA") {
            return self.delta_table_as(create, &database, &name, &analyzed, folder, context).await;
        }
        let layout = self.layout(&create.options, &analyzed.columns, folder, context)?;
        let table = new_table(create, &name, &analyzed.columns, &layout)?;
        let written =
            if create.with_data { Some(self.write_whole(&analyzed, &layout, context).await?) } else { None };
        let (mut partitions, mut rows) = (Vec::new(), 0);
        if let Some((written, commit)) = written {
            partitions = partitions_of(&written, &table.storage);
            rows = written.rows;
            crashpoint::hit("engine.ctas.before_publish");
            commit.publish().await?;
            crashpoint::hit("engine.ctas.before_table");
        }
        if partitions.is_empty() {
            self.inner.catalog.create_table(&database, table).await?;
        } else {
            let (_, outcome) = self.inner.catalog.create_table_with(&database, table, partitions).await?;
            if let Some((_, error)) = outcome.errors.first() {
                return Err(error.clone().context("the table's partitions"));
            }
        }
        count_answer(rows, context)
    }

    /// The folder of a table that is made: the one it names, else a new one in the database's folder or the warehouse.
    pub(crate) async fn new_table_folder(
        &self,
        database: &EntityName,
        name: &EntityName,
        location: Option<&At<String>>,
        context: &Context,
    ) -> Result<LakeUri> {
        if let Some(location) = location {
            return self.empty_folder(location, context).await;
        }
        let entry = self.inner.catalog.get_database(database).await?;
        let base = match entry.database.location {
            Some(location) => location.parse::<LakeUri>()?,
            None => self.inner.options.warehouse.clone(),
        };
        // The id keeps what an interrupted statement may have left away from the table that is made now.
        let folder = base.as_folder().join(&format!("{database}/{name}-{}/", context.id))?;
        self.need_bucket(&folder).await?;
        Ok(folder)
    }

    async fn need_bucket(&self, folder: &LakeUri) -> Result<()> {
        if !self.inner.lake.bucket_exists(folder.bucket()).await? {
            self.inner.lake.create_bucket(folder.bucket()).await?;
        }
        Ok(())
    }

    async fn empty_folder(&self, location: &At<String>, context: &Context) -> Result<LakeUri> {
        let place = || sql::at(&context.source, location.span);
        let folder = location.value.parse::<LakeUri>().map_err(|e| e.at(place()))?.as_folder();
        self.need_bucket(&folder).await?;
        if let Some(first) = self.inner.lake.list(&folder).next().await {
            let first = first?;
            return Err(Error::already_exists(format!("the folder {folder} is not empty"))
                .at(place())
                .why(format!("there is {}", first.uri))
                .hint("choose another folder, or delete what is in it"));
        }
        Ok(folder)
    }

    // ---- INSERT ----------------------------------------------------------------------------------------------

    pub(crate) async fn insert(&self, insert: &Insert, context: &Context) -> Result<Answer> {
        let into = self.insert_target(insert, context).await?;
        if crate::delta::is_delta(&into.entry) {
            return self.insert_into_delta(insert, &into.entry, &into.name, context).await;
        }
        let analyzed = into.rows(insert, context)?;
        let entry = &into.entry;
        let layout = existing_layout(entry, table_columns(entry).len())?;
        let (written, commit) = self.write_whole(&analyzed, &layout, context).await?;
        self.register(entry, &written).await?;
        crashpoint::hit("engine.insert.before_publish");
        commit.publish().await?;
        count_answer(written.rows, context)
    }

    /// What an INSERT would compute.
    pub(crate) async fn inserted(&self, insert: &Insert, context: &Context) -> Result<Analyzed> {
        let into = self.insert_target(insert, context).await?;
        match crate::delta::is_delta(&into.entry) {
            true => self.analyze(&insert.source, context).await,
            false => into.rows(insert, context),
        }
    }

    async fn insert_target(&self, insert: &Insert, context: &Context) -> Result<InsertTarget> {
        let (database, name) = self.table_name(&insert.table, context)?;
        let name = TableName { database: database.to_string(), table: name.to_string() };
        let tables = self.open_tables_and(&insert.source, name.clone(), context).await?;
        // An unknown table is told with its place and what is near.
        plan::Tables::find(&tables, &name)
            .map_err(|e| e.at_if_unknown(|| sql::at(&context.source, insert.table.span()).into()))?;
        let entry = tables
            .entry(&name)
            .cloned()
            .ok_or_else(|| Error::unsupported(format!("nothing can be inserted into {name}")))?;
        if entry.table.is_view() {
            return Err(Error::invalid(format!("`{name}` is a view: nothing can be inserted into it"))
                .at(sql::at(&context.source, insert.table.span())));
        }
        Ok(InsertTarget { name, entry, tables })
    }

    async fn open_tables_and(
        &self,
        query: &sqlparser::ast::Query,
        target: TableName,
        context: &Context,
    ) -> Result<crate::tables::OpenTables> {
        let mut names = plan::table_names(query, context.database.as_str());
        names.push(target);
        self.open_named(names, &HashSet::new(), context.counters()).await
    }

    /// Adds the partitions that are new. They are empty until the files are published.
    async fn register(&self, entry: &TableEntry, written: &Written) -> Result<()> {
        if written.partitions.is_empty()
            || entry.table.parameters.get("projection.enabled").is_some_and(|v| v == "true")
        {
            return Ok(());
        }
        let partitions = partitions_of(written, &entry.table.storage);
        let (database, name) = (&entry.database, &entry.table.name);
        for chunk in partitions.chunks(5000) {
            let outcome = self.inner.catalog.create_partitions(database, name, chunk.to_vec()).await?;
            for (_, error) in outcome.errors {
                if error.kind() != model::ErrorKind::AlreadyExists {
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    // ---- UNLOAD ----------------------------------------------------------------------------------------------

    pub(crate) async fn unload(&self, unload: &Unload, context: &Context) -> Result<Answer> {
        if unload.options.format.is_none() {
            return Err(Error::invalid("UNLOAD needs a format")
                .at(sql::at(&context.source, unload.to.span))
                .hint("write WITH (format = 'PARQUET'); also ORC, AVRO, JSON, TEXTFILE"));
        }
        let analyzed = self.analyze(&unload.query, context).await?;
        let folder = self.empty_folder(&unload.to, context).await?;
        let layout = self.layout(&unload.options, &analyzed.columns, folder, context)?;
        let (written, commit) = self.write_whole(&analyzed, &layout, context).await?;
        crashpoint::hit("engine.unload.before_publish");
        commit.publish().await?;
        count_answer(written.rows, context)
    }

    // ---- what they share -------------------------------------------------------------------------------------

    /// A query's rows, in as many streams as it has parts.
    pub(crate) async fn streams(
        &self,
        analyzed: &Analyzed,
        context: &Context,
    ) -> Result<Vec<SendableRecordBatchStream>> {
        let (physical, task) = self.physical(analyzed, context).await?;
        let partitions = physical.output_partitioning().partition_count();
        (0..partitions).map(|i| physical.execute(i, Arc::clone(&task)).map_err(scan::error)).collect()
    }

    /// A commit of the lake for what the statement writes.
    pub(crate) fn commit_for(&self, context: &Context) -> Commit {
        let run = context.run.as_ref().map(|r| r.id().clone());
        self.inner.lake.begin_commit(CommitOptions { run })
    }

    /// Writes all rows into a commit that is not published yet.
    pub(crate) async fn write_whole_into(
        &self,
        analyzed: &Analyzed,
        spec: &SinkSpec,
        context: &Context,
    ) -> Result<(Written, Commit)> {
        let streams = self.streams(analyzed, context).await?;
        let commit = self.commit_for(context);
        let progress = |rows: u64, _bytes: u64| {
            if let Some(run) = &context.run {
                run.progress(rows, None, Unit::Rows);
            }
        };
        match write(streams, spec, &commit, &progress, &context.cancel).await {
            Ok(written) => {
                context.stats.wrote(written.files.iter().map(|file| file.uri.clone()));
                if let Some(run) = &context.run {
                    run.count("rows_written", written.rows);
                    run.count("bytes_written", written.bytes);
                    run.count("files_written", written.files.len() as u64);
                    run.count("partitions_written", written.partitions.len() as u64);
                }
                Ok((written, commit))
            }
            Err(error) => {
                commit.abort().await?;
                Err(error)
            }
        }
    }

    async fn write_whole(
        &self,
        analyzed: &Analyzed,
        layout: &Layout,
        context: &Context,
    ) -> Result<(Written, Commit)> {
        let columns = analyzed.columns.iter().map(|c| (c.name.clone(), c.sql_type.clone())).collect();
        let mut spec =
            SinkSpec::new(layout.location.clone(), layout.spec.clone(), columns, context.id.clone());
        spec.partition_by.clone_from(&layout.partition_by);
        spec.bucketed_by.clone_from(&layout.bucketed_by);
        self.write_whole_into(analyzed, &spec, context).await
    }

    fn layout(
        &self,
        options: &WriteOptions,
        columns: &[OutputColumn],
        location: LakeUri,
        context: &Context,
    ) -> Result<Layout> {
        if let Some(kind) = &options.table_type
            && kind.value != "HIVE"
        {
            return Err(Error::unsupported(format!(
                "tables of type {} cannot be made by a query",
                kind.value
            ))
            .at(sql::at(&context.source, kind.span))
            .hint("leave table_type out"));
        }
        let format = options.format.as_ref().map_or("PARQUET", |f| f.value.as_str());
        let mut storage = ddl::storage_classes(format).ok_or_else(|| {
            let error = Error::unsupported(format!("files of the format {format} cannot be written"))
                .hint("formats are PARQUET, ORC, AVRO, JSON and TEXTFILE");
            match &options.format {
                Some(at) => error.at(sql::at(&context.source, at.span)),
                None => error,
            }
        })?;
        if let Some(delimiter) = &options.field_delimiter {
            storage.serde.parameters.insert("field.delim".into(), delimiter.value.clone());
            storage.serde.parameters.insert("serialization.format".into(), delimiter.value.clone());
        }
        let mut spec = write_spec(&storage, &BTreeMap::new())?;
        if let Some(compression) = &options.compression {
            spec.compression = Some(compression.value.to_lowercase());
        }
        if let Some(level) = &options.compression_level {
            spec.compression_level = i32::try_from(level.value).ok();
        }
        let partition_by = partition_columns(options, columns, context)?;
        let bucketed_by = bucket_columns(options, columns, context)?;
        if let Some((by, count)) = &bucketed_by {
            storage.bucket_columns = by.iter().map(|i| columns[*i].name.clone()).collect();
            storage.number_of_buckets = i32::try_from(*count).ok();
        }
        storage.location = Some(location.to_string());
        Ok(Layout { location, storage, spec, partition_by, bucketed_by })
    }

    pub(crate) fn table_name(
        &self,
        name: &QualifiedName,
        context: &Context,
    ) -> Result<(EntityName, EntityName)> {
        let place = || sql::at(&context.source, name.span());
        if let Some(catalog) = &name.catalog
            && !matches!(catalog.value.to_lowercase().as_str(), "awsdatacatalog" | "hive")
        {
            return Err(Error::not_found(format!("catalog `{}` does not exist", catalog.value)).at(place()));
        }
        let database = match &name.database {
            Some(database) => EntityName::new(&database.value).map_err(|e| e.at(place()))?,
            None => context.database.clone(),
        };
        Ok((database, EntityName::new(&name.name.value).map_err(|e| e.at(place()))?))
    }
}

/// The spec of a table's files out of its storage descriptor.
fn write_spec(storage: &StorageDescriptor, table: &BTreeMap<String, String>) -> Result<WriteSpec> {
    fn pairs(parameters: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
        parameters.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }
    let spec = FormatSpec::from_table(
        storage.input_format.as_deref(),
        storage.serde.library.as_deref(),
        pairs(&storage.serde.parameters),
        pairs(table),
    )?;
    let format = match spec.format {
        Format::Parquet => WriteFormat::Parquet,
        Format::Orc => WriteFormat::Orc,
        Format::Avro(_) => WriteFormat::Avro,
        Format::Json(json) => WriteFormat::Json(json),
        Format::Csv(csv) => WriteFormat::Csv { spec: csv, header: spec.skip_header > 0, quote_all: true },
        Format::Delimited(text) => WriteFormat::Delimited { spec: text, header: spec.skip_header > 0 },
        Format::Regex(_) | Format::Grok(_) | Format::AccessLog => {
            return Err(Error::unsupported("rows cannot be written as lines that a pattern takes apart")
                .hint("insert into a table of Parquet, JSON or delimited text"));
        }
    };
    Ok(WriteSpec::new(format))
}

/// The columns of a table with their types, the partition keys behind the others.
fn table_columns(entry: &TableEntry) -> Vec<(String, SqlType)> {
    let table = &entry.table;
    table
        .storage
        .columns
        .iter()
        .chain(&table.partition_keys)
        .map(|c| (c.name.to_lowercase(), SqlType::from_hive(&c.hive_type)))
        .collect()
}

pub(crate) fn existing_layout(entry: &TableEntry, width: usize) -> Result<Layout> {
    let table = &entry.table;
    let Some(location) = &table.storage.location else {
        return Err(Error::invalid(format!("table `{}.{}` has no location", entry.database, table.name)));
    };
    let mut spec = write_spec(&table.storage, &table.parameters)?;
    let written =
        ["write.compression", "parquet.compression", "parquet.compress", "orc.compress", "write_compression"];
    if let Some(compression) = written.iter().find_map(|key| table.parameters.get(*key)) {
        spec.compression = Some(compression.to_lowercase());
    }
    let keys = table.partition_keys.len();
    let bucketed_by = match table.storage.number_of_buckets {
        Some(count) if count > 0 && !table.storage.bucket_columns.is_empty() => {
            let by = table
                .storage
                .bucket_columns
                .iter()
                .filter_map(|b| table.storage.columns.iter().position(|c| c.name.eq_ignore_ascii_case(b)))
                .collect();
            Some((by, count.unsigned_abs()))
        }
        _ => None,
    };
    Ok(Layout {
        location: location.parse::<LakeUri>()?.as_folder(),
        storage: table.storage.clone(),
        spec,
        partition_by: (width - keys..width).collect(),
        bucketed_by,
    })
}

/// The query's columns in the order of the table's, cast to its types; columns that INSERT leaves out are NULL.
pub(crate) fn fitted(
    analyzer: &Analyzer<'_>,
    analyzed: Analyzed,
    insert: &Insert,
    columns: &[(String, SqlType)],
    context: &Context,
) -> Result<Analyzed> {
    let place = || sql::at(&context.source, insert.table.span());
    let mut order: Vec<Option<usize>> = vec![None; columns.len()];
    if insert.columns.is_empty() {
        if analyzed.columns.len() != columns.len() {
            return Err(Error::invalid(format!(
                "the query has {} columns, the table `{}` has {}",
                analyzed.columns.len(),
                insert.table,
                columns.len()
            ))
            .at(place())
            .hint("partition keys come last; name the columns to leave some out: INSERT INTO t (a, b) …"));
        }
        order = (0..columns.len()).map(Some).collect();
    } else {
        if insert.columns.len() != analyzed.columns.len() {
            return Err(Error::invalid(format!(
                "{} columns are named, but the query has {}",
                insert.columns.len(),
                analyzed.columns.len()
            ))
            .at(place()));
        }
        for (i, ident) in insert.columns.iter().enumerate() {
            let name = ident.value.to_lowercase();
            let at = || sql::at(&context.source, ident.span);
            let Some(found) = columns.iter().position(|(c, _)| *c == name) else {
                return Err(Error::not_found(format!(
                    "column `{name}` does not exist in `{}`",
                    insert.table
                ))
                .at(at())
                .hint(nearest_hint(&name, columns.iter().map(|(c, _)| c.as_str()))));
            };
            if order[found].replace(i).is_some() {
                return Err(Error::invalid(format!("column `{name}` is named twice")).at(at()));
            }
        }
    }
    analyzer.fitted(analyzed, &order, columns).map_err(|e| e.at_if_unknown(|| place().into()))
}

fn rename_columns(analyzed: &mut Analyzed, names: &[sqlparser::ast::Ident], context: &Context) -> Result<()> {
    if names.len() != analyzed.columns.len() {
        return Err(Error::invalid(format!(
            "{} columns are named, but the query has {}",
            names.len(),
            analyzed.columns.len()
        ))
        .at(sql::at(&context.source, names[0].span)));
    }
    for (column, name) in analyzed.columns.iter_mut().zip(names) {
        column.name = name.value.to_lowercase();
    }
    Ok(())
}

/// A table's columns have names, each another one.
pub(crate) fn check_columns(columns: &[OutputColumn]) -> Result<()> {
    let mut seen = HashSet::new();
    for (i, column) in columns.iter().enumerate() {
        if column.name == format!("_col{i}") {
            return Err(Error::invalid(format!("column {} of the new table has no name", i + 1))
                .hint("give it one: … AS name"));
        }
        if !seen.insert(&column.name) {
            return Err(Error::invalid(format!(
                "the new table would have the column `{}` more than once",
                column.name
            ))
            .hint("give one of them another name: … AS name"));
        }
    }
    Ok(())
}

fn column_at(name: &At<String>, columns: &[OutputColumn], context: &Context) -> Result<usize> {
    let lower = name.value.to_lowercase();
    columns.iter().position(|c| c.name == lower).ok_or_else(|| {
        Error::not_found(format!("column `{lower}` is not one of the query's"))
            .at(sql::at(&context.source, name.span))
            .hint(nearest_hint(&lower, columns.iter().map(|c| c.name.as_str())))
    })
}

/// Partition keys are the query's last columns, in their order: as Athena wants it.
pub(crate) fn partition_columns(
    options: &WriteOptions,
    columns: &[OutputColumn],
    context: &Context,
) -> Result<Vec<usize>> {
    let by =
        options.partitioned_by.iter().map(|n| column_at(n, columns, context)).collect::<Result<Vec<_>>>()?;
    if by.len() >= columns.len() && !by.is_empty() {
        return Err(Error::invalid("a table needs a column besides its partition keys")
            .at(sql::at(&context.source, options.partitioned_by[0].span)));
    }
    let first = columns.len() - by.len();
    if by.iter().enumerate().any(|(i, at)| *at != first + i) {
        let names: Vec<&str> = options.partitioned_by.iter().map(|n| n.value.as_str()).collect();
        return Err(Error::invalid(
            "the partition keys have to be the query's last columns, in the same order",
        )
        .at(sql::at(&context.source, options.partitioned_by[0].span))
        .hint(format!("let the SELECT end with {}", names.join(", "))));
    }
    Ok(by)
}

fn bucket_columns(
    options: &WriteOptions,
    columns: &[OutputColumn],
    context: &Context,
) -> Result<Option<(Vec<usize>, u32)>> {
    let Some(first) = options.bucketed_by.first() else { return Ok(None) };
    let by =
        options.bucketed_by.iter().map(|n| column_at(n, columns, context)).collect::<Result<Vec<_>>>()?;
    let count = options.bucket_count.as_ref().and_then(|c| u32::try_from(c.value).ok()).filter(|c| *c > 0);
    match count {
        Some(count) => Ok(Some((by, count))),
        None => Err(Error::invalid("bucketed_by needs a bucket_count from 1")
            .at(sql::at(&context.source, first.span))
            .hint("write bucket_count = 8")),
    }
}

fn new_table(
    create: &CreateTableAs,
    name: &EntityName,
    columns: &[OutputColumn],
    layout: &Layout,
) -> Result<Table> {
    let mut storage = layout.storage.clone();
    let mut keys = Vec::new();
    for (i, column) in columns.iter().enumerate() {
        let hive = column.sql_type.to_hive().map_err(|e| e.context(format!("column `{}`", column.name)))?;
        let described = Column::new(column.name.clone(), hive);
        if layout.partition_by.contains(&i) {
            keys.push(described);
        } else {
            storage.columns.push(described);
        }
    }
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    parameters.insert("EXTERNAL".into(), "TRUE".into());
    if let Some(compression) = &layout.spec.compression {
        parameters.insert("write.compression".into(), compression.to_uppercase());
    }
    Ok(Table {
        description: create.comment.clone(),
        storage,
        partition_keys: keys,
        table_type: Some("EXTERNAL_TABLE".into()),
        parameters,
        ..Table::new(name.clone())
    })
}

fn partitions_of(written: &Written, storage: &StorageDescriptor) -> Vec<Partition> {
    written
        .partitions
        .iter()
        .map(|p| {
            let values =
                p.values.iter().map(|v| v.clone().unwrap_or_else(|| NULL_PARTITION.to_owned())).collect();
            let mut storage = storage.clone();
            storage.location = Some(p.location.to_string());
            Partition { storage, ..Partition::new(values) }
        })
        .collect()
}

/// How a table's files are written, for those who write them without a statement.
#[derive(Debug, Clone)]
pub struct TableFiles {
    /// The table's folder.
    pub location: LakeUri,
    /// The files' format and options.
    pub write: WriteSpec,
    /// Which columns decide a row's bucket, and how many buckets there are.
    pub bucketed_by: Option<(Vec<usize>, u32)>,
}

/// How the files of a table of the catalog are written. Its columns are followed by its partition keys.
pub fn table_files(entry: &TableEntry) -> Result<TableFiles> {
    let layout = existing_layout(entry, table_columns(entry).len())?;
    Ok(TableFiles { location: layout.location, write: layout.spec, bucketed_by: layout.bucketed_by })
}

/// What the catalog has to learn of files that were written into a table.
pub fn partitions_change(entry: &TableEntry, written: &Written) -> crate::TableChange {
    crate::TableChange {
        database: entry.database.to_string(),
        table: entry.table.clone(),
        add_columns: false,
        partitions: partitions_of(written, &entry.table.storage),
        replace_partitions: false,
    }
}
