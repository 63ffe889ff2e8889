//! The commit of a change: files that were written are published, then one entry of the log makes them part of the table
//! and takes the replaced ones out of it. Before that entry nothing has happened to the table; after it everything has.

use super::log::failed;
use super::stats;
use super::target::Target;
use crate::scans::Scans;
use crate::sink::{Written, WrittenFile};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::kernel::{Action, Add, Remove};
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::{DeltaTable, DeltaTableError};
use futures::{StreamExt, TryStreamExt};
use lake::{Commit, ObjectInfo, PutMode, PutOptions};
use model::{Error, ErrorKind, LakeUri, Place, Result};
use std::collections::HashMap;
use std::sync::Arc;

/// How often rows that were only added are tried again behind others' commits.
const APPEND_RETRIES: usize = 50;
/// How many new files are looked at at a time.
const AT_ONCE: usize = 16;

/// What a commit is, for the log's history, and what may have happened beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Rows are added that do not depend on the table: others may commit in between.
    Append,
    /// Rows are added that were computed from the table itself: nobody else may commit in between.
    AppendOwn,
    /// Files are replaced as a whole.
    Overwrite,
    /// `DELETE`
    Delete,
    /// `UPDATE`
    Update,
    /// `MERGE`
    Merge,
}

/// Files that were written into a commit of the lake, and those that they replace.
pub struct Staged {
    pub(super) target: Arc<Target>,
    pub(super) written: Vec<Written>,
    pub(super) removed: Vec<Add>,
    pub(super) table: Option<DeltaTable>,
}

/// Published files that only lack their entry in the log.
pub struct Ready {
    scans: Scans,
    target: Arc<Target>,
    added: Vec<Add>,
    removed: Vec<Add>,
    published: Vec<LakeUri>,
    table: Option<DeltaTable>,
}

impl Staged {
    /// Whether the table stays as it is.
    pub fn is_nothing(&self) -> bool {
        self.removed.is_empty() && self.written.iter().all(|written| written.files.is_empty())
    }

    /// How many rows were written, those that were copied with their file among them.
    pub fn rows_written(&self) -> u64 {
        self.written.iter().map(|written| written.rows).sum()
    }

    /// The new files and their bytes.
    pub fn files(&self) -> (Vec<String>, u64) {
        let files = self.written.iter().flat_map(|written| &written.files);
        (files.map(|file| file.uri.to_string()).collect(), self.written.iter().map(|w| w.bytes).sum())
    }

    /// Puts the entry of the log beside the files, into the commit that takes them: with it everything happens at once,
    /// or, where others were faster, nothing. The files' extremes of values are not known before they are published, so
    /// the entry only says how many rows they have.
    pub async fn stage_entry(self, scans: &Scans, commit: &Commit, operation: Operation) -> Result<()> {
        if self.is_nothing() {
            return Ok(());
        }
        let Some(table) = &self.table else {
            return Err(Error::internal("a new table is created, not changed"));
        };
        let now = scans.inner.options.clock.now();
        let version = table.version().map_or(0, |version| version + 1);
        let mut info = operation.noted(&self.target).get_commit_info();
        info.timestamp = Some(now.timestamp_millis());
        let removed = self.removed.iter().map(|add| Action::Remove(remove(add, now)));
        let mut actions: Vec<Action> = std::iter::once(Action::CommitInfo(info)).chain(removed).collect();
        actions.extend(self.adds(now)?);
        let mut text = String::new();
        for action in &actions {
            let line = serde_json::to_string(action)
                .map_err(|e| Error::internal("an entry of the log cannot be written").source_is(e))?;
            text.push_str(&line);
            text.push('\n');
        }
        self.target.stage_entry(version, text.into(), commit).await
    }

    /// The files, as an entry of the log names them before they are published.
    pub(super) fn adds(&self, now: DateTime<Utc>) -> Result<Vec<Action>> {
        let mut actions = Vec::new();
        for written in &self.written {
            for file in &written.files {
                let stats = serde_json::json!({ "numRecords": file.rows }).to_string();
                let add = self.target.add(written, file, (file.bytes, now), stats)?;
                actions.push(Action::Add(add));
            }
        }
        Ok(actions)
    }

    /// Publishes the files. They belong to no version of the table yet.
    pub async fn publish(self, scans: &Scans, commit: Commit) -> Result<Ready> {
        let files: Vec<(&Written, &WrittenFile)> = self
            .written
            .iter()
            .flat_map(|written| written.files.iter().map(move |file| (written, file)))
            .collect();
        if !files.is_empty() {
            commit.publish().await?;
        }
        let lake = &scans.inner.lake;
        let published: Vec<LakeUri> = files.iter().map(|(_, file)| file.uri.clone()).collect();
        let heads = published.clone().into_iter().map(|uri| {
            let lake = Arc::clone(lake);
            async move { lake.head(&uri).await }
        });
        let infos: Vec<ObjectInfo> = futures::stream::iter(heads).buffered(AT_ONCE).try_collect().await?;
        let stats = stats::of_files(scans, &self.target, infos.clone()).await?;
        let mut added = Vec::with_capacity(files.len());
        for (((written, file), info), stats) in files.iter().zip(&infos).zip(stats) {
            added.push(self.target.add(written, file, (info.size, info.last_modified), stats)?);
        }
        Ok(Ready {
            scans: scans.clone(),
            added,
            published,
            removed: self.removed,
            target: self.target,
            table: self.table,
        })
    }
}

impl Target {
    /// Stages an entry of the log, which must be new when the commit is published.
    pub(super) async fn stage_entry(&self, version: u64, entry: Bytes, commit: &Commit) -> Result<()> {
        let at = self.at.join(&format!("_delta_log/{version:020}.json"))?;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        commit.put_opts(&at, entry, options).await?;
        Ok(())
    }

    fn add(
        &self,
        written: &Written,
        file: &WrittenFile,
        (size, modified): (u64, DateTime<Utc>),
        stats: String,
    ) -> Result<Add> {
        let path = file.uri.key().strip_prefix(self.at.key());
        let path = path.ok_or_else(|| Error::internal("a new file lies outside of its table"))?;
        let partition = file.partition.and_then(|at| written.partitions.get(at));
        let values = partition.map_or(&[][..], |partition| partition.values.as_slice());
        let names =
            self.keys.iter().filter_map(|at| self.columns.get(*at)).map(|column| column.spelled.clone());
        Ok(Add {
            path: path.to_owned(),
            partition_values: names.zip(values.iter().cloned()).collect(),
            size: i64::try_from(size).unwrap_or(i64::MAX),
            modification_time: modified.timestamp_millis(),
            data_change: true,
            stats: Some(stats),
            ..Add::default()
        })
    }
}

fn remove(add: &Add, now: DateTime<Utc>) -> Remove {
    Remove {
        path: add.path.clone(),
        data_change: true,
        deletion_timestamp: Some(now.timestamp_millis()),
        extended_file_metadata: Some(true),
        partition_values: Some(add.partition_values.clone()),
        size: Some(add.size),
        ..Remove::default()
    }
}

impl Ready {
    /// Writes the entry of the log: the table's new version. If somebody else has changed the table in a way that this
    /// change did not see, it fails as a conflict and nothing has happened.
    pub async fn commit(self, operation: Operation) -> Result<()> {
        let Some(table) = &self.table else {
            return Err(Error::internal("a new table is created, not changed"));
        };
        let retries = if operation == Operation::Append { APPEND_RETRIES } else { 0 };
        let now = self.scans.inner.options.clock.now();
        let removed = self.removed.iter().map(|add| Action::Remove(remove(add, now)));
        let actions: Vec<Action> = removed.chain(self.added.iter().cloned().map(Action::Add)).collect();
        let done = write_entry(table, actions, operation.noted(&self.target), retries).await;
        match done {
            Ok(()) => Ok(()),
            Err(e) => {
                let error = failed(e, &self.target.at);
                Err(self.give_up(error).await)
            }
        }
    }

    /// The files, as the first entry of a log names them.
    pub(super) fn actions(&self) -> Vec<Action> {
        self.added.iter().cloned().map(Action::Add).collect()
    }

    /// Files of a change that has certainly not happened are removed. In doubt they stay: they may be part of the table.
    pub(super) async fn give_up(self, error: Error) -> Error {
        if matches!(error.kind(), ErrorKind::Conflict | ErrorKind::AlreadyExists) {
            // What cannot be removed belongs to no version and disturbs nobody.
            let _ = self.scans.inner.lake.delete_many(self.published).await;
        }
        error
    }
}

async fn write_entry(
    table: &DeltaTable,
    actions: Vec<Action>,
    operation: DeltaOperation,
    retries: usize,
) -> std::result::Result<(), DeltaTableError> {
    let builder =
        CommitBuilder::from(CommitProperties::default().with_max_retries(retries)).with_actions(actions);
    let entry = builder.build(Some(table.snapshot()?), table.log_store(), operation);
    let committed = entry.into_prepared_commit_future().await?.await?;
    // Checkpoints come behind the commit: one that fails leaves a slower table, not a wrong one.
    let _ = committed.await;
    Ok(())
}

impl Operation {
    fn noted(self, target: &Target) -> DeltaOperation {
        let keys = target.keys.iter().filter_map(|at| target.columns.get(*at)).map(|c| c.spelled.clone());
        let keys: Vec<String> = keys.collect();
        let write = |mode| DeltaOperation::Write {
            mode,
            partition_by: (!keys.is_empty()).then_some(keys),
            predicate: None,
        };
        match self {
            Self::Append | Self::AppendOwn => write(SaveMode::Append),
            Self::Overwrite => write(SaveMode::Overwrite),
            Self::Delete => DeltaOperation::Delete { predicate: None },
            Self::Update => DeltaOperation::Update { predicate: None },
            Self::Merge => DeltaOperation::Merge {
                predicate: None,
                merge_predicate: None,
                matched_predicates: Vec::new(),
                not_matched_predicates: Vec::new(),
                not_matched_by_source_predicates: Vec::new(),
            },
        }
    }
}

/// Refuses to remove a file whose name the log spells otherwise than we would: the removal would not be understood.
pub(super) fn check_spelling(add: &Add, raw: &HashMap<String, String>, at: &LakeUri) -> Result<()> {
    let ours = serde_json::to_value(remove(add, DateTime::default()))
        .map_err(|e| Error::internal("a removal cannot be written").source_is(e))?;
    let ours = ours.get("path").and_then(serde_json::Value::as_str).unwrap_or_default();
    match raw.get(&add.path) {
        Some(theirs) if theirs != ours => {
            Err(Error::unsupported("a file of the Delta table cannot be replaced")
                .at(Place::object(at))
                .why(format!("the log writes its name as `{theirs}`, and not as `{ours}`"))
                .hint("let the program that wrote the file change it"))
        }
        _ => Ok(()),
    }
}
