//! A version of a Delta table that a statement changes. Its rows are read with the place where they stand; which of them
//! go, which are replaced and which are new is noted while that query runs; then the other rows of the files concerned
//! are copied. Nothing is part of the table before [`super::Ready::commit`].

use super::commit::{Staged, check_spelling};
use super::location;
use super::log::{Snapshot, failed, load, read_version};
use super::marks::{FileMarks, Marks};
use super::target::{DeltaColumn, Target, Writing};
use crate::columns::{ColumnKind, Columns, PATH, ROW, ScanColumn};
use crate::counters::{Meter, ScanCounters};
use crate::files::KnownFile;
use crate::format::Layout;
use crate::provider::{CatalogTable, Source};
use crate::scans::Scans;
use arrow::array::{AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int8Type, Int64Type, Schema};
use catalog::TableEntry;
use datafusion::catalog::{Session, TableProvider};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlanProperties;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use deltalake::DeltaTable;
use deltalake::kernel::{Add, transaction::PROTOCOL};
use futures::{StreamExt, TryStreamExt};
use model::{Error, LakeUri, Place, Result};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// What becomes of a row: the third column of a change's query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum RowAction {
    /// It goes away.
    Delete = 0,
    /// It is replaced by the values beside.
    Update = 1,
    /// The values beside are a new row.
    Insert = 2,
}

/// How many rows a change concerns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// New.
    pub inserted: u64,
    /// Replaced.
    pub updated: u64,
    /// Gone.
    pub deleted: u64,
}

impl Changes {
    /// All of them.
    pub fn rows(&self) -> u64 {
        self.inserted + self.updated + self.deleted
    }
}

/// A table's newest version, opened to be changed.
pub struct Change {
    scans: Scans,
    at: LakeUri,
    table: DeltaTable,
    target: Arc<Target>,
    columns: Columns,
    adds: Vec<Add>,
    files: Vec<KnownFile>,
}

/// Properties of a table that ask more of a writer than we do, with what they are called.
const PROPERTIES: [(&str, &str); 5] = [
    ("delta.enableChangeDataFeed", "a feed of its changes"),
    ("delta.enableRowTracking", "row tracking"),
    ("delta.enableInCommitTimestamps", "timestamps in its commits"),
    ("delta.enableIcebergCompatV1", "Iceberg's compatibility"),
    ("delta.enableIcebergCompatV2", "Iceberg's compatibility"),
];
/// Properties of columns that ask more of a writer than we do.
const FIELDS: [(&str, &str); 4] = [
    ("delta.generationExpression", "is generated from others"),
    ("delta.identity.start", "is an identity column"),
    ("delta.invariants", "has an invariant"),
    ("CURRENT_DEFAULT", "has a default value"),
];
/// What tables of the newest protocol may ask of writers. What is checked by property above may be listed there.
const FEATURES: [&str; 10] = [
    "appendOnly",
    "invariants",
    "checkConstraints",
    "changeDataFeed",
    "generatedColumns",
    "columnMapping",
    "identityColumns",
    "deletionVectors",
    "timestampNtz",
    "v2Checkpoint",
];

impl Change {
    /// Opens a table of the catalog. `rewrites` says that rows will go or be replaced, not only be added. A table that
    /// asks more of its writers than we do is refused.
    pub async fn open(scans: &Scans, entry: &TableEntry, rewrites: bool) -> Result<Self> {
        Self::open_at(scans, &location(entry)?, rewrites).await
    }

    /// The same by address.
    pub async fn open_at(scans: &Scans, at: &LakeUri, rewrites: bool) -> Result<Self> {
        let at = at.as_folder();
        let table = load(&scans.inner.lake, &at).await?;
        check(&table, &at, rewrites).map_err(|e| e.at_if_unknown(|| Place::object(&at)))?;
        let snapshot = read_version(&table, &at).await?;
        let target = Target::of(&snapshot, &at)?;
        let columns = target.columns.iter().map(|column| ScanColumn {
            name: column.name.clone(),
            sql_type: column.stored.clone(),
            kind: if column.is_key { ColumnKind::Partition } else { ColumnKind::Data },
            comment: None,
        });
        let columns = Columns::of(&at.to_string(), columns.collect(), false)?.with_positions();
        let files = snapshot.chosen(&at, &columns)?;
        if rewrites {
            check_names(&table, &snapshot, &at)?;
        }
        let target = Arc::new(target);
        Ok(Self { scans: scans.clone(), at, table, target, columns, adds: snapshot.files, files })
    }

    /// The columns, those of the partitions last.
    pub fn columns(&self) -> &[DeltaColumn] {
        &self.target.columns
    }

    /// The table's rows: its columns as they are stored, then hidden ones, among them `$path` and `$row`.
    pub fn provider(&self, counters: Arc<ScanCounters>) -> Arc<dyn TableProvider> {
        Arc::new(self.scan_of(self.files.clone(), counters))
    }

    fn scan_of(&self, files: Vec<KnownFile>, counters: Arc<ScanCounters>) -> CatalogTable {
        let layout = Layout::plain(formats::FormatSpec::new(formats::Format::Parquet), &self.columns);
        let meter = Meter::new(counters, None);
        let source = Source::Files(Arc::new(files));
        CatalogTable::new(self.scans.clone(), self.columns.clone(), Arc::new(layout), source, meter)
    }

    /// Writes rows that are added. The streams have the table's columns, in order.
    pub async fn append(
        self,
        streams: Vec<SendableRecordBatchStream>,
        writing: &Writing<'_>,
    ) -> Result<Staged> {
        let written = self.target.write(streams, writing).await?;
        Ok(self.staged(vec![written], HashSet::new()))
    }

    /// Writes rows that take the place of all others; with `partitions_only`, of those in the partitions that are
    /// written.
    pub async fn overwrite(
        self,
        streams: Vec<SendableRecordBatchStream>,
        partitions_only: bool,
        writing: &Writing<'_>,
    ) -> Result<Staged> {
        let written = self.target.write(streams, writing).await?;
        let keys: Vec<&str> = self
            .target
            .keys
            .iter()
            .filter_map(|at| Some(self.target.columns.get(*at)?.spelled.as_str()))
            .collect();
        let new: HashSet<Vec<Option<&str>>> = written
            .partitions
            .iter()
            .map(|partition| partition.values.iter().map(Option::as_deref).collect())
            .collect();
        let replaced = self.adds.iter().enumerate().filter(|(_, add)| {
            let value = |key: &&str| add.partition_values.get(*key)?.as_deref().filter(|v| !v.is_empty());
            !partitions_only || keys.is_empty() || new.contains(&keys.iter().map(value).collect::<Vec<_>>())
        });
        let replaced = replaced.map(|(at, _)| at).collect();
        Ok(self.staged(vec![written], replaced))
    }

    /// Applies decisions: streams of `$path`, `$row`, the [`RowAction`] as `tinyint`, and, unless rows only go, the
    /// table's columns. A row that is changed twice is an error. Nothing of the streams is held but the changed rows'
    /// places.
    pub async fn rewrite(
        self,
        decisions: Vec<SendableRecordBatchStream>,
        session: &dyn Session,
        writing: &Writing<'_>,
    ) -> Result<(Staged, Changes)> {
        let marks = Arc::new(Mutex::new(Marks::default()));
        let new_rows = decisions.into_iter().map(|stream| decided(stream, &marks)).collect::<Vec<_>>();
        let has_values = new_rows.first().is_some_and(|stream| !stream.schema().fields().is_empty());
        let mut written = Vec::new();
        if has_values {
            let prefix = format!("{}-new", writing.prefix);
            written.push(self.target.write(new_rows, &Writing { prefix: &prefix, ..*writing }).await?);
        } else {
            drain(new_rows, writing).await?;
        }
        let marks = Arc::new(std::mem::take(&mut *marks.lock().unwrap_or_else(PoisonError::into_inner)));
        let changes = Changes { inserted: marks.inserted, updated: marks.updated, deleted: marks.deleted };
        let concerned: HashSet<usize> = self
            .files
            .iter()
            .enumerate()
            .filter(|(_, known)| marks.files.contains_key(known.file.name()))
            .map(|(at, _)| at)
            .collect();
        if concerned.len() != marks.files.len() {
            return Err(Error::internal("a changed row stands in no file of the table"));
        }
        let copied: Vec<KnownFile> = concerned
            .iter()
            .filter_map(|at| self.files.get(*at))
            .filter(|known| {
                let gone = marks.files.get(known.file.name()).map_or(0, |marks| marks.count);
                known.rows.is_none_or(|rows| gone < rows as u64)
            })
            .cloned()
            .collect();
        if !copied.is_empty() {
            let kept = self.kept_rows(copied, &marks, session).await?;
            let prefix = format!("{}-kept", writing.prefix);
            written.push(self.target.write(kept, &Writing { prefix: &prefix, ..*writing }).await?);
        }
        Ok((self.staged(written, concerned), changes))
    }

    /// The rows of these files that are not marked.
    async fn kept_rows(
        &self,
        files: Vec<KnownFile>,
        marks: &Arc<Marks>,
        session: &dyn Session,
    ) -> Result<Vec<SendableRecordBatchStream>> {
        let table = self.scan_of(files, Arc::default());
        let schema = table.schema();
        let places = [PATH, ROW].map(|name| schema.index_of(name));
        let [Ok(path), Ok(row)] = places else {
            return Err(Error::internal("the rows of a table do not say where they stand"));
        };
        let mut wanted: Vec<usize> = vec![path, row];
        wanted.extend(0..self.target.columns.len());
        let plan = table.scan(session, Some(&wanted), &[], None).await.map_err(crate::error)?;
        let task = session.task_ctx();
        (0..plan.output_partitioning().partition_count())
            .map(|partition| {
                let stream = plan.execute(partition, Arc::clone(&task)).map_err(crate::error)?;
                Ok(unmarked(stream, marks))
            })
            .collect()
    }

    fn staged(self, written: Vec<crate::sink::Written>, removed: HashSet<usize>) -> Staged {
        let removed = self.adds.into_iter().enumerate().filter(|(at, _)| removed.contains(at));
        Staged {
            removed: removed.map(|(_, add)| add).collect(),
            target: self.target,
            written,
            table: Some(self.table),
        }
    }

    /// Where the table lies.
    pub fn at(&self) -> &LakeUri {
        &self.at
    }
}

/// Refuses what a writer would have to do that we do not.
fn check(table: &DeltaTable, at: &LakeUri, rewrites: bool) -> Result<()> {
    let state = table.snapshot().map_err(|e| failed(e, at))?;
    let refused = |why: String| Err(Error::unsupported("the Delta table cannot be changed here").why(why));
    let properties = state.metadata().configuration();
    let is_on = |key: &str| properties.get(key).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if rewrites && is_on("delta.appendOnly") {
        return Err(Error::invalid("rows of the Delta table cannot be changed, only added")
            .why("its property delta.appendOnly says so"));
    }
    if let Some((key, what)) = PROPERTIES.iter().find(|(key, _)| is_on(key)) {
        return refused(format!("it has {what} ({key})"));
    }
    if let Some(key) = properties.keys().find(|key| key.starts_with("delta.constraints.")) {
        return refused(format!("it has a CHECK constraint ({key})"));
    }
    for field in state.schema().fields() {
        let found = FIELDS.iter().find(|(key, _)| field.metadata().keys().any(|known| known == key));
        if let Some((key, what)) = found {
            return refused(format!("its column `{}` {what} ({key})", field.name()));
        }
    }
    let protocol = state.protocol();
    let asked = protocol.writer_features().unwrap_or_default().iter().map(ToString::to_string);
    if let Some(feature) = asked.into_iter().find(|feature| !FEATURES.contains(&feature.as_str())) {
        return refused(format!("it asks writers for the feature `{feature}`"));
    }
    PROTOCOL.can_write_to(state).map_err(|e| {
        Error::unsupported("the Delta table cannot be changed here").why(e.to_string()).source_is(e)
    })
}

/// Checks that files can be taken out of the log by name.
fn check_names(table: &DeltaTable, snapshot: &Snapshot, at: &LakeUri) -> Result<()> {
    // Plain names are spelled alike by everybody.
    let is_odd = |c: char| !(c.is_ascii_alphanumeric() || "-_./=".contains(c));
    if !snapshot.files.iter().any(|add| add.path.contains(is_odd)) {
        return Ok(());
    }
    let state = table.snapshot().map_err(|e| failed(e, at))?;
    let mut raw = HashMap::new();
    for batch in state.add_actions_batches(false).map_err(|e| failed(e, at))? {
        let paths = batch.column_by_name("path").and_then(|paths| paths.as_string_opt::<i32>());
        let paths = paths.ok_or_else(|| Error::internal("the log's files have no names"))?;
        for path in paths.iter().flatten() {
            let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned();
            raw.insert(decoded, path.to_owned());
        }
    }
    snapshot.files.iter().try_for_each(|add| check_spelling(add, &raw, at))
}

/// Runs streams that have no rows to write, for what they note.
async fn drain(streams: Vec<SendableRecordBatchStream>, writing: &Writing<'_>) -> Result<()> {
    let all =
        streams.into_iter().map(|stream| tokio::spawn(stream.try_for_each(|_| std::future::ready(Ok(())))));
    let tasks = Tasks(all.collect());
    let ended = async {
        let mut tasks = tasks;
        for task in &mut tasks.0 {
            let ended = task.await.map_err(|e| Error::internal("a reading task broke off").source_is(e))?;
            ended.map_err(crate::error)?;
        }
        Ok(())
    };
    tokio::select! {
        biased;
        () = writing.cancel.cancelled() => Err(Error::cancelled()),
        ended = ended => ended,
    }
}

/// Tasks that end with whoever waits for them.
struct Tasks(Vec<tokio::task::JoinHandle<datafusion::common::Result<()>>>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

/// Notes the decisions of a stream; out come the rows that are to be written.
fn decided(stream: SendableRecordBatchStream, marks: &Arc<Mutex<Marks>>) -> SendableRecordBatchStream {
    let given = stream.schema();
    let values: Vec<_> = given.fields().iter().skip(3).cloned().collect();
    let schema = Arc::new(Schema::new(values));
    let (marks, inner) = (Arc::clone(marks), Arc::clone(&schema));
    let rows = stream.map(move |batch| {
        let batch = batch?;
        let keep = note(&batch, &marks).map_err(crate::external)?;
        let values: Vec<usize> = (3..batch.num_columns()).collect();
        if values.is_empty() {
            let options = RecordBatchOptions::new().with_row_count(Some(0));
            return Ok(RecordBatch::try_new_with_options(Arc::clone(&inner), Vec::new(), &options)?);
        }
        Ok(filter_record_batch(&batch.project(&values)?, &keep)?)
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

/// Notes the decisions of a batch. True for rows whose values are to be written.
fn note(batch: &RecordBatch, marks: &Mutex<Marks>) -> Result<BooleanArray> {
    let broken = || Error::internal("a change's query has other columns than it should");
    let paths = batch.columns().first().and_then(|a| a.as_string_view_opt()).ok_or_else(broken)?;
    let rows = batch.columns().get(1).and_then(|a| a.as_primitive_opt::<Int64Type>()).ok_or_else(broken)?;
    let actions = batch.columns().get(2).and_then(|a| a.as_primitive_opt::<Int8Type>()).ok_or_else(broken)?;
    let mut marks = marks.lock().unwrap_or_else(PoisonError::into_inner);
    for (at, action) in actions.values().iter().enumerate() {
        match *action {
            action if action == RowAction::Insert as i8 => {
                marks.inserted += 1;
                continue;
            }
            action if action == RowAction::Update as i8 => marks.updated += 1,
            _ => marks.deleted += 1,
        }
        let row = u64::try_from(rows.value(at)).map_err(|_| broken())?;
        marks.mark(paths.value(at), row)?;
    }
    Ok(actions.values().iter().map(|action| Some(*action != RowAction::Delete as i8)).collect())
}

/// The rows that are not marked, without their places.
fn unmarked(stream: SendableRecordBatchStream, marks: &Arc<Marks>) -> SendableRecordBatchStream {
    let given = stream.schema();
    let values: Vec<_> = given.fields().iter().skip(2).cloned().collect();
    let schema = Arc::new(Schema::new(values));
    let marks = Arc::clone(marks);
    let rows = stream.map(move |batch| {
        let batch = batch?;
        let keep = unmarked_rows(&batch, &marks).map_err(crate::external)?;
        let values: Vec<usize> = (2..batch.num_columns()).collect();
        Ok(filter_record_batch(&batch.project(&values)?, &keep)?)
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

fn unmarked_rows(batch: &RecordBatch, marks: &Marks) -> Result<BooleanArray> {
    let broken = || Error::internal("the rows of a table do not say where they stand");
    let paths = batch.columns().first().and_then(|a| a.as_string_view_opt()).ok_or_else(broken)?;
    let rows = batch.columns().get(1).and_then(|a| a.as_primitive_opt::<Int64Type>()).ok_or_else(broken)?;
    let mut keep = Vec::with_capacity(batch.num_rows());
    // Most batches are of one file.
    let mut last: Option<(&str, Option<&FileMarks>)> = None;
    for (at, row) in rows.values().iter().enumerate() {
        let path = paths.value(at);
        let of_file = match last {
            Some((known, of_file)) if known == path => of_file,
            _ => marks.files.get(path),
        };
        last = Some((path, of_file));
        let row = u64::try_from(*row).map_err(|_| broken())?;
        keep.push(of_file.is_none_or(|marks| !marks.has(row)));
    }
    Ok(keep.into())
}
