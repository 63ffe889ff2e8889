//! The stream log, tested from outside its crate: what it answers, what it keeps through kills and damage, and that every
//! record that was acknowledged is read once and in order.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod control;
mod crash;
mod damage;
mod full;
mod interleaved;
mod pressure;
mod reading;
mod retention;

use chrono::{DateTime, Duration, Utc};
use state::{Clock, Database, ManualClock};
use std::path::{Path, PathBuf};
use streams::*;

/// A folder with a state database and a log, under a clock that stands still.
struct House {
    path: PathBuf,
    _kept: Option<tempfile::TempDir>,
    db: Database,
    clock: Clock,
    hand: ManualClock,
    options: LocalOptions,
}

impl House {
    async fn new() -> Self {
        let folder = scratch();
        let house = Self::at(folder.path().to_owned()).await;
        Self { _kept: Some(folder), ..house }
    }

    /// In a folder that somebody else made.
    async fn at(path: PathBuf) -> Self {
        let db = Database::sqlite(&path.join("state.db")).await.unwrap();
        let (clock, hand) = Clock::manual(start());
        Self { path, _kept: None, db, clock, hand, options: options() }
    }

    fn root(&self) -> PathBuf {
        self.path.join("streams")
    }

    async fn open(&self) -> LocalLog {
        LocalLog::open(&self.root(), self.db.clone(), self.clock.clone(), self.options.clone()).await.unwrap()
    }

    /// The log's files as they are now, as after a power failure; the log that wrote them goes on undisturbed.
    fn image(&self) -> House {
        let folder = scratch();
        copy(&self.root(), &folder.path().join("streams"));
        House {
            path: folder.path().to_owned(),
            _kept: Some(folder),
            db: self.db.clone(),
            clock: self.clock.clone(),
            hand: self.hand.clone(),
            options: self.options.clone(),
        }
    }

    /// A log with a provisioned stream `s`.
    async fn with_stream(&self, shards: u32) -> LocalLog {
        let log = self.open().await;
        log.create_stream(NewStream::provisioned("s", shards)).await.unwrap();
        log
    }
}

/// A fresh folder, in memory where the system has such a place: these tests sync a lot.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_600_000_000, 0).unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            // A checkpoint may be renaming the index of a segment at this moment.
            let copied = std::fs::copy(&from, to);
            assert!(
                copied.is_ok() || from.extension().is_some_and(|kind| kind == "new"),
                "{from:?}: {copied:?}"
            );
        }
    }
}

/// The segments of a shard, in order.
fn segments(log: &LocalLog, shard: u32) -> Vec<PathBuf> {
    let folder = log.shard_folder("s", ShardId(shard)).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "seg"));
    files.sort();
    files
}

/// Nothing happens by itself.
fn options() -> LocalOptions {
    let options = LocalOptions::new("000000000000".parse().unwrap(), "eu-central-1".parse().unwrap());
    LocalOptions { sweep_every: None, ..options }
}

fn record(key: &str, data: impl Into<Vec<u8>>) -> NewRecord {
    NewRecord::new(key, data.into())
}

/// Puts records that must all be taken.
async fn put(log: &LocalLog, records: Vec<NewRecord>) -> Vec<Placed> {
    log.put_many("s", records).await.unwrap().into_iter().map(|placed| placed.unwrap()).collect()
}

/// Puts one record for each text, all under one key.
async fn put_texts(log: &LocalLog, texts: &[&str]) -> Vec<Placed> {
    put(log, texts.iter().map(|text| record("key", *text)).collect()).await
}

async fn from(log: &LocalLog, shard: u32, start: StartAt) -> ShardIterator {
    log.iterator("s", ShardId(shard), start).await.unwrap()
}

/// What a shard has from there on, as far as it can be read.
async fn rest(log: &LocalLog, shard: u32, start: StartAt) -> model::Result<Vec<Record>> {
    let mut next = Some(log.iterator("s", ShardId(shard), start).await?);
    let mut all = Vec::new();
    while let Some(iterator) = next {
        let read = log.get_records(&iterator, ReadOptions::default()).await?;
        let is_tip = read.records.is_empty();
        all.extend(read.records);
        next = read.next.filter(|_| !is_tip);
    }
    Ok(all)
}

async fn texts(log: &LocalLog, shard: u32) -> Vec<String> {
    let records = rest(log, shard, StartAt::TrimHorizon).await.unwrap();
    records.into_iter().map(|record| String::from_utf8(record.data().to_vec()).unwrap()).collect()
}

fn millis(n: i64) -> Duration {
    Duration::milliseconds(n)
}
