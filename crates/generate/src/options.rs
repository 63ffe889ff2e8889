//! What the caller decides about a run: seed, where to write, what time it is, whether to wait; and how it watches.

use crate::StreamEvent;
use chrono::{DateTime, Utc};
use model::Result;
use std::path::PathBuf;

/// Where output goes instead of the path in the task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A folder, or for the stream task a file; a folder that exists (or a path that ends with `/`) takes the stream
    /// task's own file name.
    Path(PathBuf),
    /// Standard output: the stream task only, as JSON lines.
    Stdout,
}

/// What the caller decides about a run.
#[derive(Clone)]
pub struct Options<'a> {
    /// Used when the task has no `randomSeed`. Reported, so that the same data can be made again; below 2^53 it survives
    /// every JSON reader.
    pub seed: u64,
    /// Relative output paths start here. Empty means the current directory.
    pub base_dir: PathBuf,
    /// Where to write instead of the path in the task.
    pub output: Option<Output>,
    /// The start of a realtime timer without `startTime`, and the moment its pace counts from.
    pub now: DateTime<Utc>,
    /// Makes a realtime timer really wait: called with the moment of each iteration, after everything before it was
    /// written out; returns when that moment has come, or earlier when the run was cancelled.
    pub wait_until: Option<&'a (dyn Fn(DateTime<Utc>) + Sync)>,
    /// Takes the events of a stream task that names a stream and no file, in the order of time; called before their
    /// iteration counts as done. Without it such a task is refused.
    pub send: Option<SendEvents<'a>>,
}

/// Takes events for a stream; what it fails with ends the run.
pub type SendEvents<'a> = &'a (dyn Fn(Vec<StreamEvent>) -> Result<()> + Sync);

impl Options<'_> {
    /// Writes where the task says, relative to the current directory, without waiting.
    pub fn new(seed: u64, now: DateTime<Utc>) -> Self {
        Self { seed, base_dir: PathBuf::new(), output: None, now, wait_until: None, send: None }
    }
}

/// Follows a run and may stop it. Called from several threads, about once per megabyte written.
pub trait Watch: Sync {
    /// How far the run is: iterations done of how many (each component and load item counts its own), rows and bytes
    /// written.
    fn progress(&self, done: u64, total: u64, rows: u64, bytes: u64);

    /// Whether the run shall stop; it then removes what it wrote and fails as cancelled.
    fn cancelled(&self) -> bool;
}

/// Watches nothing and never stops.
impl Watch for () {
    fn progress(&self, _done: u64, _total: u64, _rows: u64, _bytes: u64) {}

    fn cancelled(&self) -> bool {
        false
    }
}
