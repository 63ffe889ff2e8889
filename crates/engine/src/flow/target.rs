//! Where a flow's rows go: folders, tables of the catalog, Delta tables. Rows are staged in the flow's commit; what the
//! catalog has to learn is a value, which is applied once the commit is published, as often as need be.

use super::FlowColumn;
use super::open::OpenFlow;
use crate::ddl::storage_classes;
use crate::delta::is_delta;
use crate::engine::Engine;
use crate::write::{NULL_PARTITION, existing_layout};
use catalog::{Database, Partition, StorageDescriptor, Table, TableEntry};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{LogicalPlanBuilder, Partitioning};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use formats::WriteSpec;
use lake::ListOptions;
use model::{Column, EntityName, Error, ErrorKind, LakeUri, Place, Result, Unit, nearest_hint};
use plan::{Analyzed, Analyzer};
use scan::sink::{SinkSpec, Written, write};
use serde::{Deserialize, Serialize};
use sql::{Source, SqlType};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many partitions the catalog is told of at a time.
const CHUNK: usize = 5000;

/// A write that ends a flow.
#[derive(Debug, Clone)]
pub struct FlowWrite {
    /// The step whose rows are written.
    pub from: String,
    /// Where to.
    pub destination: FlowDestination,
    /// How files are written: the format's name, as in `STORED AS`, for the catalog, and its options. Tables of the
    /// catalog have their own.
    pub format: Option<(String, WriteSpec)>,
    /// The columns by whose values folders are made.
    pub partition_by: Vec<String>,
    /// What happens to what is there.
    pub mode: FlowMode,
    /// The table that is made or kept up to date: its database and name, and whether it gets new columns.
    pub catalog: Option<(String, String, bool)>,
    /// A file is closed and another begun once it has about so many bytes.
    pub max_file_bytes: Option<u64>,
    /// As many files are written, where there are no folders.
    pub files: Option<u32>,
    /// At most so many rows, of a sample of that share.
    pub sample: Option<(Option<u64>, Option<f64>)>,
}

/// Where rows go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlowDestination {
    /// Files in a folder.
    Folder(LakeUri),
    /// A Delta table in a folder; it is made if it is not there.
    Delta(LakeUri),
    /// A table of the catalog.
    Table {
        /// Its database.
        database: String,
        /// Its name.
        table: String,
    },
}

/// What happens to what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlowMode {
    /// It stays.
    Append,
    /// It is replaced.
    Overwrite,
    /// Partitions that are written are replaced.
    OverwritePartitions,
    /// Rows with equal keys are replaced, the others added.
    Merge(Vec<String>),
}

/// What was written.
#[derive(Debug, Clone, Default)]
pub struct FlowWritten {
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// The files' addresses.
    pub files: Vec<String>,
    /// How many partitions have new files.
    pub partitions: u64,
    /// The folder.
    pub location: String,
    /// What the catalog has to learn.
    pub change: Option<TableChange>,
}

/// What the catalog has to learn of files that were published. To apply it twice does no harm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableChange {
    /// The database.
    pub database: String,
    /// The table as it is made if it is not there; its columns are those that it gets.
    pub table: Table,
    /// Whether a table that is there gets columns that it lacks.
    pub add_columns: bool,
    /// Partitions that are there from now on.
    pub partitions: Vec<Partition>,
    /// Whether all others are gone.
    pub replace_partitions: bool,
}

/// A write that is planned.
pub(super) struct Planned {
    pub(super) write: FlowWrite,
    pub(super) location: LakeUri,
    spec: WriteSpec,
    columns: Vec<(String, SqlType)>,
    partition_by: Vec<usize>,
    bucketed_by: Option<(Vec<usize>, u32)>,
    plan: Arc<dyn ExecutionPlan>,
    entry: Option<TableEntry>,
    storage: Option<StorageDescriptor>,
}

impl OpenFlow {
    /// Writes rows into the flow's commit. All writes are planned before the first begins, so that what they share is
    /// made once.
    pub async fn write(&self, writes: Vec<FlowWrite>, prefix: &str) -> Result<Vec<FlowWritten>> {
        let mut planned = Vec::with_capacity(writes.len());
        for write in writes {
            planned.push(match self.delta_of(&write).await? {
                Some(at) => Write::Delta(Box::new(self.plan_delta(write, at).await?)),
                None => Write::Files(Box::new(self.plan_write(write).await?)),
            });
        }
        one_change_per_table(&planned)?;
        self.prepare_shared().await?;
        let mut done = Vec::with_capacity(planned.len());
        for (number, one) in planned.into_iter().enumerate() {
            let prefix = format!("{prefix}-{number}");
            done.push(match one {
                Write::Files(one) => self.write_one(*one, prefix).await?,
                Write::Delta(one) => self.write_delta(*one, prefix).await?,
            });
        }
        Ok(done)
    }

    /// The streams of a plan.
    pub(super) fn streams(&self, plan: &Arc<dyn ExecutionPlan>) -> Result<Vec<SendableRecordBatchStream>> {
        let task = self.state.task_ctx();
        let parts = plan.output_partitioning().partition_count();
        (0..parts).map(|part| plan.execute(part, Arc::clone(&task)).map_err(scan::error)).collect()
    }

    pub(super) fn tell(&self, rows: u64) {
        if let Some(run) = &self.context.run {
            let scanned = self.scanned();
            run.progress(scanned.bytes_scanned.max(rows.min(1)), None, Unit::Bytes);
        }
    }

    async fn write_one(&self, planned: Planned, prefix: String) -> Result<FlowWritten> {
        let commit = self.open_commit()?;
        let Planned { write: asked, location, .. } = &planned;
        let mut spec = SinkSpec::new(location.clone(), planned.spec.clone(), planned.columns.clone(), prefix);
        spec.partition_by.clone_from(&planned.partition_by);
        spec.bucketed_by.clone_from(&planned.bucketed_by);
        spec.max_file_bytes = asked.max_file_bytes;
        let progress = |rows: u64, _: u64| self.tell(rows);
        let streams = self.streams(&planned.plan)?;
        let written = write(streams, &spec, commit, &progress, &self.context.cancel).await?;
        match asked.mode {
            FlowMode::Append | FlowMode::Merge(_) => {}
            FlowMode::Overwrite => commit.replace_prefix(location),
            FlowMode::OverwritePartitions if spec.partition_by.is_empty() => commit.replace_prefix(location),
            FlowMode::OverwritePartitions => {
                written.partitions.iter().for_each(|p| commit.replace_prefix(&p.location.as_folder()));
            }
        }
        let change = planned.change(&written)?;
        Ok(FlowWritten {
            rows: written.rows,
            bytes: written.bytes,
            files: written.files.iter().map(|file| file.uri.to_string()).collect(),
            partitions: written.partitions.len() as u64,
            location: location.to_string(),
            change,
        })
    }

    async fn plan_write(&self, write: FlowWrite) -> Result<Planned> {
        let named = match (&write.destination, &write.catalog) {
            (FlowDestination::Table { database, table }, _) => Some((database, table, true)),
            (_, Some((database, table, _))) => Some((database, table, false)),
            _ => None,
        };
        let entry = match named {
            None => None,
            Some((database, table, must_be)) => self.engine.known_table(database, table, must_be).await?,
        };
        let location = match (&write.destination, &entry) {
            (FlowDestination::Folder(at) | FlowDestination::Delta(at), entry) => {
                if let Some(entry) = entry {
                    check_place(entry, entry.table.storage.location.as_deref().unwrap_or_default(), at)?;
                }
                at.as_folder()
            }
            (FlowDestination::Table { .. }, Some(entry)) => {
                let location = entry.table.storage.location.as_deref().unwrap_or_default();
                location.parse::<LakeUri>()?.as_folder()
            }
            (FlowDestination::Table { .. }, None) => return Err(Error::internal("a table without an entry")),
        };
        let sql = match write.sample {
            Some((top, share)) => {
                let share =
                    share.map(|p| format!(" TABLESAMPLE BERNOULLI ({})", p * 100.0)).unwrap_or_default();
                let top = top.map(|n| format!(" LIMIT {n}")).unwrap_or_default();
                format!("SELECT * FROM input{share}{top}")
            }
            None => "SELECT * FROM input".to_owned(),
        };
        let (analyzed, columns) = self.over(&write.from, &sql).await?;
        let add = write.catalog.as_ref().is_none_or(|(_, _, add)| *add);
        let keys: Vec<String> = match &entry {
            Some(entry) => entry.table.partition_keys.iter().map(|key| key.name.to_lowercase()).collect(),
            None => write.partition_by.iter().map(|key| key.to_lowercase()).collect(),
        };
        if let Some(entry) = &entry {
            check_keys(entry, &write.partition_by)?;
        }
        let strict = matches!(write.destination, FlowDestination::Table { .. });
        let wanted = wanted_columns(&columns, entry.as_ref(), &keys, add, strict)?;
        let order: Vec<Option<usize>> = wanted
            .iter()
            .map(|(name, _)| columns.iter().position(|c| c.name.eq_ignore_ascii_case(name)))
            .collect();
        let lower: Vec<(String, SqlType)> =
            wanted.iter().map(|(name, t)| (name.to_lowercase(), t.clone())).collect();
        let fitted = self.fitted(analyzed, &order, &lower, write.files)?;
        let partition_by: Vec<usize> =
            keys.iter().filter_map(|key| lower.iter().position(|(name, _)| name == key)).collect();
        let (spec, storage, bucketed_by) = match (&write.format, &entry) {
            (Some((name, spec)), _) => (spec.clone(), storage_for(name, spec), None),
            (None, Some(entry)) => {
                let layout = existing_layout(entry, lower.len())?;
                (layout.spec, Some(layout.storage), layout.bucketed_by)
            }
            (None, None) => return Err(Error::internal("a write without a format")),
        };
        let plan = self.physical(&fitted).await?;
        Ok(Planned {
            write,
            location,
            spec,
            columns: wanted,
            partition_by,
            bucketed_by,
            plan,
            entry,
            storage,
        })
    }

    /// The columns in another order and type; in as many parts as files are wanted.
    pub(super) fn fitted(
        &self,
        analyzed: Analyzed,
        order: &[Option<usize>],
        wanted: &[(String, SqlType)],
        files: Option<u32>,
    ) -> Result<Analyzed> {
        let tables = crate::tables::OpenTables::default();
        let source = Arc::new(Source::new("<query>", ""));
        let analyzer = Analyzer::new(&tables, self.context.session.clone(), source, &[]);
        let mut fitted = analyzer.fitted(analyzed, order, wanted)?;
        if let Some(files) = files {
            let parts = Partitioning::RoundRobinBatch(usize::try_from(files).unwrap_or(1).max(1));
            fitted.plan = LogicalPlanBuilder::from(fitted.plan)
                .repartition(parts)
                .and_then(LogicalPlanBuilder::build)
                .map_err(scan::error)?;
        }
        Ok(fitted)
    }

    /// The folder of the Delta table that is written, if it is one.
    async fn delta_of(&self, write: &FlowWrite) -> Result<Option<LakeUri>> {
        match &write.destination {
            FlowDestination::Delta(at) => Ok(Some(at.as_folder())),
            FlowDestination::Folder(_) => Ok(None),
            FlowDestination::Table { database, table } => {
                let entry = self.engine.known_table(database, table, true).await?;
                match entry.filter(is_delta) {
                    Some(entry) => {
                        let path = entry.table.storage.serde.parameters.get("path");
                        let at = entry.table.storage.location.as_ref().or(path);
                        let at = at.ok_or_else(|| {
                            Error::invalid(format!("the Delta table `{table}` has no location"))
                        })?;
                        Ok(Some(at.parse::<LakeUri>()?.as_folder()))
                    }
                    None => Ok(None),
                }
            }
        }
    }
}

/// Two changes of one Delta table cannot be one version of it.
fn one_change_per_table(planned: &[Write]) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    let mut deltas = planned.iter().filter_map(|write| match write {
        Write::Delta(delta) => Some(delta.at()),
        Write::Files(_) => None,
    });
    match deltas.find(|at| !seen.insert((*at).clone())) {
        None => Ok(()),
        Some(at) => Err(Error::invalid("two targets write into one Delta table")
            .at(Place::object(at))
            .why("one run makes one version of a table")
            .hint("bring the rows together with a Union node, and write once")),
    }
}

enum Write {
    Files(Box<Planned>),
    Delta(Box<super::delta::PlannedDelta>),
}

impl Planned {
    /// What the catalog has to learn.
    fn change(&self, written: &Written) -> Result<Option<TableChange>> {
        let named = match (&self.write.destination, &self.write.catalog) {
            (FlowDestination::Table { database, table }, update) => {
                Some((database, table, update.as_ref().is_some_and(|(.., add)| *add)))
            }
            (_, Some((database, table, add))) => Some((database, table, *add)),
            _ => None,
        };
        let (Some((database, name, add_columns)), Some(storage)) = (named, &self.storage) else {
            return Ok(None);
        };
        let mut storage = storage.clone();
        let (mut data, mut keys) = (Vec::new(), Vec::new());
        for (at, (name, sql_type)) in self.columns.iter().enumerate() {
            let hive = sql_type.to_hive().map_err(|e| e.context(format!("column `{name}`")))?;
            let described = Column::new(name.to_lowercase(), hive);
            if self.partition_by.contains(&at) { keys.push(described) } else { data.push(described) }
        }
        storage.columns = data;
        storage.location = Some(self.location.to_string());
        let mut parameters: BTreeMap<String, String> = BTreeMap::new();
        parameters.insert("EXTERNAL".into(), "TRUE".into());
        if let Some((format, spec)) = &self.write.format {
            parameters.insert("classification".into(), format.to_lowercase());
            if let Some(compression) = &spec.compression {
                parameters.insert("write.compression".into(), compression.to_uppercase());
            }
        }
        let projected = self.entry.as_ref().is_some_and(|entry| {
            entry.table.parameters.get("projection.enabled").is_some_and(|value| value == "true")
        });
        let partition = |p: &scan::sink::WrittenPartition| {
            let values = p.values.iter().map(|v| v.clone().unwrap_or_else(|| NULL_PARTITION.to_owned()));
            let mut storage = storage.clone();
            storage.location = Some(p.location.to_string());
            Partition { storage, ..Partition::new(values.collect()) }
        };
        let partitions =
            if projected { Vec::new() } else { written.partitions.iter().map(partition).collect() };
        let table = Table {
            storage,
            partition_keys: keys,
            table_type: Some("EXTERNAL_TABLE".into()),
            parameters,
            ..Table::new(EntityName::new(name)?)
        };
        // What the catalog would refuse is said before anything is published.
        table.check()?;
        Ok(Some(TableChange {
            database: database.clone(),
            table,
            add_columns,
            partitions,
            replace_partitions: self.write.mode == FlowMode::Overwrite,
        }))
    }
}

/// The columns that are written: those of the table in its order and types, then new ones, then the keys.
fn wanted_columns(
    columns: &[FlowColumn],
    entry: Option<&TableEntry>,
    keys: &[String],
    add: bool,
    strict: bool,
) -> Result<Vec<(String, SqlType)>> {
    if let Some(missing) = keys.iter().find(|key| !columns.iter().any(|c| c.name.eq_ignore_ascii_case(key))) {
        return Err(Error::not_found(format!("there is no column `{missing}` to partition by"))
            .hint(nearest_hint(missing, columns.iter().map(|c| c.name.as_str()))));
    }
    if keys.len() == columns.len() {
        return Err(Error::invalid("there is no column besides the partition keys"));
    }
    let is_key = |name: &str| keys.iter().any(|key| key.eq_ignore_ascii_case(name));
    let spelled = |name: &str| {
        columns
            .iter()
            .find(|c| c.name.eq_ignore_ascii_case(name))
            .map_or(name, |c| c.name.as_str())
            .to_owned()
    };
    let known: Vec<&Column> =
        entry.map(|entry| entry.table.storage.columns.iter().collect()).unwrap_or_default();
    let mut wanted: Vec<(String, SqlType)> =
        known.iter().map(|c| (spelled(&c.name), SqlType::from_hive(&c.hive_type))).collect();
    for column in columns {
        let there = known.iter().any(|c| c.name.eq_ignore_ascii_case(&column.name));
        if there || is_key(&column.name) {
            continue;
        }
        if entry.is_some() && !add && strict {
            return Err(Error::invalid(format!("the table has no column `{}`", column.name))
                .hint("drop it before, or let the table grow: UpdateBehavior: UPDATE_IN_DATABASE"));
        }
        wanted.push((column.name.clone(), column.sql_type.clone()));
    }
    for key in keys {
        let of_table =
            entry.and_then(|e| e.table.partition_keys.iter().find(|k| k.name.eq_ignore_ascii_case(key)));
        let found = columns.iter().find(|c| c.name.eq_ignore_ascii_case(key));
        let sql_type =
            of_table.map(|k| SqlType::from_hive(&k.hive_type)).or(found.map(|c| c.sql_type.clone()));
        wanted.push((spelled(key), sql_type.unwrap_or(SqlType::VARCHAR)));
    }
    Ok(wanted)
}

/// A table that lies at `location` is the one whose folder is written.
pub(super) fn check_place(entry: &TableEntry, location: &str, at: &LakeUri) -> Result<()> {
    match location.parse::<LakeUri>() {
        Ok(location) if location.as_folder() == at.as_folder() => Ok(()),
        _ => Err(Error::invalid(format!(
            "the table `{}.{}` lies in another folder than the target",
            entry.database, entry.table.name
        ))
        .at(Place::object(at))
        .why(format!("the table's is {location}"))
        .hint("write into that folder, or name another table")),
    }
}

/// Keys that were asked for are those of the table.
fn check_keys(entry: &TableEntry, wanted: &[String]) -> Result<()> {
    let keys: Vec<&str> = entry.table.partition_keys.iter().map(|key| key.name.as_str()).collect();
    let same = keys.len() == wanted.len() && keys.iter().zip(wanted).all(|(a, b)| a.eq_ignore_ascii_case(b));
    if wanted.is_empty() || same {
        return Ok(());
    }
    let told = |keys: &str| if keys.is_empty() { "no keys".to_owned() } else { keys.to_owned() };
    Err(Error::invalid(format!(
        "the table `{}.{}` is partitioned by {}, the target by {}",
        entry.database,
        entry.table.name,
        told(&keys.join(", ")),
        told(&wanted.join(", "))
    ))
    .hint("give the target the table's keys, or name another table"))
}

/// The storage descriptor of a new table with such files.
fn storage_for(format: &str, spec: &WriteSpec) -> Option<StorageDescriptor> {
    let is_csv = matches!(spec.format, formats::WriteFormat::Csv { .. });
    let mut storage = storage_classes(&if is_csv { "TEXTFILE".to_owned() } else { format.to_uppercase() })?;
    if let formats::WriteFormat::Csv { spec, header, .. } = &spec.format {
        storage.serde.library = Some("org.apache.hadoop.hive.serde2.OpenCSVSerde".into());
        storage.serde.parameters.insert("separatorChar".into(), char::from(spec.separator).to_string());
        if let Some(quote) = spec.quote {
            storage.serde.parameters.insert("quoteChar".into(), char::from(quote).to_string());
        }
        if *header {
            storage.parameters.insert("skip.header.line.count".into(), "1".into());
        }
    }
    Some(storage)
}

impl Engine {
    /// The table, if it is there.
    pub(super) async fn known_table(
        &self,
        database: &str,
        table: &str,
        must_be: bool,
    ) -> Result<Option<TableEntry>> {
        match self.inner.catalog.get_table(&EntityName::new(database)?, &EntityName::new(table)?).await {
            Ok(entry) if entry.table.is_view() => {
                Err(Error::invalid(format!("`{database}.{table}` is a view: nothing can be written into it")))
            }
            Ok(entry) => Ok(Some(entry)),
            Err(error) if error.kind() == ErrorKind::NotFound && !must_be => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lets the catalog learn of files that were published.
    pub async fn apply_table_change(&self, change: &TableChange) -> Result<()> {
        let catalog = &self.inner.catalog;
        let database = EntityName::new(&change.database)?;
        let name = &change.table.name;
        // As a crawler does: who names a database for a new table wants it.
        match catalog.create_database(Database::new(database.clone())).await {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        match catalog.get_table(&database, name).await {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let first: Vec<Partition> = change.partitions.iter().take(CHUNK).cloned().collect();
                match catalog.create_table_with(&database, change.table.clone(), first).await {
                    Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                    _ => {}
                }
            }
            Err(error) => return Err(error),
        }
        if change.add_columns {
            let new = &change.table;
            let altered = catalog.alter_table(&database, name, |table| {
                for column in &new.storage.columns {
                    let mut known = table.storage.columns.iter().chain(&table.partition_keys);
                    if !known.any(|c| c.name.eq_ignore_ascii_case(&column.name)) {
                        table.storage.columns.push(column.clone());
                    }
                }
                Ok(())
            });
            altered.await?;
        }
        for chunk in change.partitions.chunks(CHUNK) {
            let outcome = catalog.create_partitions(&database, name, chunk.to_vec()).await?;
            if let Some((_, error)) =
                outcome.errors.into_iter().find(|(_, error)| error.kind() != ErrorKind::AlreadyExists)
            {
                return Err(error.context(format!("the partitions of `{database}.{name}`")));
            }
        }
        if change.replace_partitions && !change.table.partition_keys.is_empty() {
            self.drop_other_partitions(&database, name, &change.partitions).await?;
        }
        Ok(())
    }

    async fn drop_other_partitions(
        &self,
        database: &EntityName,
        name: &EntityName,
        kept: &[Partition],
    ) -> Result<()> {
        let kept: std::collections::HashSet<&[String]> = kept.iter().map(|p| p.values.as_slice()).collect();
        let query = catalog::PartitionQuery::default();
        let page = self.inner.catalog.list_partitions(database, name, query).await?;
        let mut gone: Vec<Vec<String>> = Vec::new();
        for partition in page.partitions.into_iter().filter(|p| !kept.contains(p.values.as_slice())) {
            // Its files went with the publish; where there are some again, another job has added them since.
            if !self.has_files(&partition).await? {
                gone.push(partition.values);
            }
        }
        for chunk in gone.chunks(CHUNK) {
            self.inner.catalog.delete_partitions(database, name, chunk.to_vec()).await?;
        }
        Ok(())
    }

    async fn has_files(&self, partition: &Partition) -> Result<bool> {
        let Some(location) = &partition.storage.location else { return Ok(false) };
        let folder = location.parse::<LakeUri>()?.as_folder();
        let lake = &self.inner.lake;
        let page = lake.list_page(&folder, ListOptions { max_keys: 1, ..ListOptions::default() }).await;
        match page {
            Ok(page) => Ok(!page.objects.is_empty()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}
