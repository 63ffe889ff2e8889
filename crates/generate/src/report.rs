//! What a run leaves behind, for people and machines, and the meter that counts while it goes on.

use crate::Watch;
use model::{Error, Result};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a finished run wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The task's `@type`.
    pub kind: &'static str,
    /// The seed used; as `randomSeed` in the task it gives the same bytes again.
    pub seed: u64,
    /// Every file, in the order of the names; none when everything went to standard output.
    pub files: Vec<WrittenFile>,
    /// Rows, lines or events, not counting headers.
    pub rows: u64,
    /// Bytes, after compression.
    pub bytes: u64,
}

/// One file a run wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrittenFile {
    /// Where it is.
    pub path: PathBuf,
    /// Rows, lines or events, not counting a header.
    pub rows: u64,
    /// Bytes, after compression.
    pub bytes: u64,
}

/// Counts the work of all threads and asks whether to go on.
pub(crate) struct Meter<'a> {
    watch: &'a dyn Watch,
    total: u64,
    done: AtomicU64,
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(watch: &'a dyn Watch, total: u64) -> Self {
        let zero = || AtomicU64::new(0);
        Self { watch, total, done: zero(), rows: zero(), bytes: zero() }
    }

    /// Counts what was done since the last call; fails when the run was cancelled.
    pub(crate) fn advance(&self, done: u64, rows: u64, bytes: u64) -> Result<()> {
        let add = |counter: &AtomicU64, more: u64| counter.fetch_add(more, Ordering::Relaxed) + more;
        let (done, rows, bytes) = (add(&self.done, done), add(&self.rows, rows), add(&self.bytes, bytes));
        self.watch.progress(done, self.total, rows, bytes);
        if self.watch.cancelled() { Err(Error::cancelled()) } else { Ok(()) }
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}
