//! Streams and shards as the running log knows them.

use super::read::Stopped;
use super::segment::Segment;
use crate::limits::Budget;
use crate::{Consumer, HashRange, SequenceNumber, Shard, ShardId, StreamSettings, StreamStatus};
use chrono::{DateTime, Utc};
use model::{Arn, Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::watch;

/// Takes a lock. Nobody holds a shard's lock while taking another one of its. What a panicking thread left behind is whole: changes are made last, in one go.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// A stream.
pub(crate) struct StreamState {
    /// Random, so that a folder or a journal entry of another stream of this name is never taken for its own.
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) arn: Arn,
    pub(crate) created: DateTime<Utc>,
    pub(crate) folder: PathBuf,
    pub(crate) facts: RwLock<Facts>,
    /// Open shards by hash key; what the committer sends records by.
    pub(crate) routes: RwLock<Arc<Vec<Arc<ShardState>>>>,
}

/// What changes about a stream.
pub(crate) struct Facts {
    pub(crate) settings: StreamSettings,
    pub(crate) status: StreamStatus,
    pub(crate) shards: BTreeMap<ShardId, Arc<ShardState>>,
    /// The first number that no shard has had.
    pub(crate) next_shard: u32,
    pub(crate) consumers: BTreeMap<String, Consumer>,
}

impl StreamState {
    pub(crate) fn shard(&self, id: ShardId) -> Result<Arc<ShardState>> {
        read(&self.facts).shards.get(&id).cloned().ok_or_else(|| {
            Error::not_found(format!("the stream `{}` has no shard {id}", self.name))
                .hint("list the stream's shards; closed ones go away with their last record")
        })
    }

    pub(crate) fn shards(&self) -> Vec<Arc<ShardState>> {
        read(&self.facts).shards.values().cloned().collect()
    }

    /// Sends records to the shards that are open now.
    pub(crate) fn reroute(&self) {
        let mut open: Vec<_> =
            self.shards().into_iter().filter(|shard| lock(&shard.closed).is_none()).collect();
        open.sort_by_key(|shard| shard.range.first);
        *write(&self.routes) = Arc::new(open);
    }

    pub(crate) fn is_gone(&self) -> bool {
        read(&self.facts).status == StreamStatus::Deleting
    }
}

/// When and at which ordinal a shard was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) time: i64,
    pub(crate) ordinal: u64,
}

/// A shard.
pub(crate) struct ShardState {
    pub(crate) id: ShardId,
    pub(crate) range: HashRange,
    pub(crate) parent: Option<ShardId>,
    pub(crate) adjacent: Option<ShardId>,
    /// When it was made; the leading part of its sequence numbers.
    pub(crate) epoch: i64,
    pub(crate) folder: PathBuf,
    pub(crate) closed: Mutex<Option<Closed>>,
    pub(crate) files: Mutex<Files>,
    pub(crate) tail: watch::Sender<Tail>,
    pub(crate) writes: Mutex<Budget>,
    pub(crate) reads: Mutex<Budget>,
    pub(crate) served: Served,
    pub(crate) stopped: Mutex<Stopped>,
}

/// What readers were given since the log was opened.
#[derive(Debug, Default)]
pub(crate) struct Served {
    pub(crate) records: AtomicU64,
    pub(crate) bytes: AtomicU64,
}

/// What followers wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tail {
    pub(crate) next: u64,
    pub(crate) closed: bool,
    pub(crate) gone: bool,
}

/// The segments of a shard, as far as readers may see them.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) segments: Vec<Segment>,
    /// Whether the last segment is being written.
    pub(crate) active: bool,
    pub(crate) next: u64,
    pub(crate) last_time: i64,
    /// Ordinals before this one are trimmed.
    pub(crate) trim: u64,
}

impl Default for Files {
    fn default() -> Self {
        Self { segments: Vec::new(), active: false, next: 1, last_time: 0, trim: 1 }
    }
}

impl ShardState {
    pub(crate) fn new(
        stream: &Path,
        (id, range): (ShardId, HashRange),
        (parent, adjacent): (Option<ShardId>, Option<ShardId>),
        epoch: i64,
        closed: Option<Closed>,
    ) -> Self {
        let tail = Tail { next: 1, closed: closed.is_some(), gone: false };
        Self {
            id,
            range,
            parent,
            adjacent,
            epoch,
            folder: stream.join(format!("{:012}", id.0)),
            closed: Mutex::new(closed),
            files: Mutex::default(),
            tail: watch::Sender::new(tail),
            writes: Mutex::default(),
            reads: Mutex::default(),
            served: Served::default(),
            stopped: Mutex::default(),
        }
    }

    pub(crate) fn number(&self, ordinal: u64) -> SequenceNumber {
        SequenceNumber::new(self.epoch as u64, ordinal, self.id.0)
    }

    pub(crate) fn describe(&self) -> Shard {
        let closed = *lock(&self.closed);
        Shard {
            id: self.id,
            range: self.range,
            parent: self.parent,
            adjacent_parent: self.adjacent,
            starting: self.number(0),
            ending: closed.map(|closed| self.number(closed.ordinal)),
            created: DateTime::from_timestamp_millis(self.epoch).unwrap_or_default(),
            closed: closed.and_then(|closed| DateTime::from_timestamp_millis(closed.time)),
        }
    }

    /// Tells followers what is to be read now.
    pub(crate) fn announce(&self) {
        let next = lock(&self.files).next;
        let closed = lock(&self.closed).is_some();
        self.tail.send_modify(|tail| (tail.next, tail.closed) = (next, closed));
    }
}
