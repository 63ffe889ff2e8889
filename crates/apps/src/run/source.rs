//! The shards of a table: where each is read on, how far its watermark is, whether it is idle.

use crate::flow::options::Start;
use chrono::{DateTime, Utc};
use futures::future::select_all;
use model::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use streams::{Log, ReadOptions, Record, Shard, ShardFilter, ShardId, ShardIterator, StartAt};

/// Where a shard is read on: what a checkpoint keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The place in the shard; nothing when it has been read to its end.
    pub(crate) next: Option<String>,
    /// The watermark of its events.
    pub(crate) watermark: Option<i64>,
}

/// The positions of a table's shards, by the shards' numbers.
pub(crate) type Positions = BTreeMap<u32, Position>;

/// A shard that is being read.
#[derive(Debug)]
struct Reading {
    next: ShardIterator,
    /// When it had something last.
    heard: DateTime<Utc>,
    at_tip: bool,
}

/// One read of a shard.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) shard: ShardId,
    pub(crate) records: Vec<Record>,
    /// Where it goes on; nothing at the end of a closed shard.
    pub(crate) next: Option<ShardIterator>,
    pub(crate) behind: chrono::Duration,
    children: Vec<Shard>,
    /// Its stream has forgotten the shard before it was read to its end.
    forgotten: bool,
}

/// The end of a shard that its stream has forgotten: whatever is younger goes on from there.
async fn forgotten(log: &dyn Log, place: &ShardIterator, error: Error) -> Result<Read> {
    let mut children = log.list_shards(&place.stream, ShardFilter::FromTrimHorizon).await?;
    if children.iter().any(|shard| shard.id == place.shard) {
        return Err(error);
    }
    children.retain(|shard| shard.id > place.shard);
    let behind = chrono::Duration::zero();
    Ok(Read { shard: place.shard, records: Vec::new(), next: None, behind, children, forgotten: true })
}

/// Reads a table's stream, ahead of what is processed.
pub(crate) struct StreamReader {
    log: Arc<dyn Log>,
    pub(crate) stream: String,
    shards: BTreeMap<u32, Reading>,
    ended: BTreeSet<u32>,
    /// Shards that wait for their parents' end.
    waiting: BTreeMap<u32, Shard>,
    idle_millis: Option<i64>,
    /// How many shards went away before they were read to their end.
    pub(crate) lost: u64,
}

/// How many records and bytes a round takes of one shard at most, of many shards together, and of each at least.
const ONE: (usize, usize) = (16_384, 4 << 20);
const TOGETHER: (usize, usize) = (200_000, 32 << 20);
const LEAST: (usize, usize) = (1_000, 256 << 10);

/// How much a round takes of each of so many shards: what is read of many at once must fit the caches, and memory.
fn round(shards: usize) -> ReadOptions {
    let share = |one: usize, together: usize, least: usize| (together / shards.max(1)).clamp(least, one);
    ReadOptions {
        limit: share(ONE.0, TOGETHER.0, LEAST.0),
        bytes: share(ONE.1, TOGETHER.1, LEAST.1),
        dedicated: true,
    }
}

impl StreamReader {
    /// From these positions on, or else from where the table says.
    pub(crate) async fn open(
        log: Arc<dyn Log>,
        stream: &str,
        start: Start,
        idle_millis: Option<i64>,
        positions: Option<&Positions>,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let mut reader = Self {
            log,
            stream: stream.to_owned(),
            shards: BTreeMap::new(),
            ended: BTreeSet::new(),
            waiting: BTreeMap::new(),
            idle_millis,
            lost: 0,
        };
        match positions {
            Some(positions) => {
                let all = reader.log.list_shards(stream, ShardFilter::FromTrimHorizon).await?;
                let there: BTreeSet<u32> = all.iter().map(|s| s.id.0).collect();
                for (shard, position) in positions {
                    match &position.next {
                        // Closed so long ago that its stream has forgotten it. What it had cannot be read any more.
                        Some(_) if !there.contains(shard) => reader.forgotten(ShardId(*shard)),
                        Some(text) => {
                            let next = text.parse()?;
                            reader.shards.insert(*shard, Reading { next, heard: now, at_tip: false });
                        }
                        None if there.contains(shard) => drop(reader.ended.insert(*shard)),
                        None => {}
                    }
                }
                // Children of shards that ended just before the positions were kept, and whatever is younger than all that
                // were known then: the shards between may be forgotten.
                let last = positions.keys().next_back();
                for shard in all.into_iter().filter(|shard| !positions.contains_key(&shard.id.0)) {
                    let parents = [shard.parent, shard.adjacent_parent];
                    let known =
                        |p: &ShardId| positions.contains_key(&p.0) || reader.waiting.contains_key(&p.0);
                    if parents.iter().flatten().any(known) || last.is_some_and(|last| shard.id.0 > *last) {
                        reader.waiting.insert(shard.id.0, shard);
                    }
                }
                reader.begin_children(now).await?;
            }
            None => {
                let filter = match start {
                    Start::Oldest => ShardFilter::FromTrimHorizon,
                    Start::Latest => ShardFilter::AtLatest,
                    Start::At(time) => ShardFilter::FromTimestamp(time),
                };
                let all = reader.log.list_shards(stream, filter).await?;
                let there: BTreeSet<u32> = all.iter().map(|s| s.id.0).collect();
                for shard in all {
                    let parents = [shard.parent, shard.adjacent_parent];
                    if parents.iter().flatten().any(|p| there.contains(&p.0)) {
                        reader.waiting.insert(shard.id.0, shard);
                        continue;
                    }
                    let at = match start {
                        Start::Oldest => StartAt::TrimHorizon,
                        Start::Latest => StartAt::Latest,
                        Start::At(time) => StartAt::AtTimestamp(time),
                    };
                    reader.begin(shard.id, at, now).await?;
                }
            }
        }
        Ok(reader)
    }

    fn forgotten(&mut self, shard: ShardId) {
        let stream = self.stream.as_str();
        tracing::warn!(stream, %shard, "a shard became too old before it was read to its end");
        self.lost += 1;
    }

    fn knows(&self, shard: ShardId) -> bool {
        self.shards.contains_key(&shard.0)
            || self.ended.contains(&shard.0)
            || self.waiting.contains_key(&shard.0)
    }

    async fn begin(&mut self, shard: ShardId, at: StartAt, now: DateTime<Utc>) -> Result<()> {
        let next = self.log.iterator(&self.stream, shard, at).await?;
        self.shards.insert(shard.0, Reading { next, heard: now, at_tip: false });
        Ok(())
    }

    /// Begins with the shards whose parents have been read.
    async fn begin_children(&mut self, now: DateTime<Utc>) -> Result<()> {
        let ready: Vec<u32> = self
            .waiting
            .values()
            .filter(|shard| {
                let parents = [shard.parent, shard.adjacent_parent];
                !parents
                    .iter()
                    .flatten()
                    .any(|p| self.shards.contains_key(&p.0) || self.waiting.contains_key(&p.0))
            })
            .map(|shard| shard.id.0)
            .collect();
        for shard in ready {
            self.waiting.remove(&shard);
            self.begin(ShardId(shard), StartAt::TrimHorizon, now).await?;
        }
        Ok(())
    }

    /// What each shard has now.
    pub(crate) async fn read(&mut self, now: DateTime<Utc>) -> Result<Vec<Read>> {
        let options = round(self.shards.len());
        let reads = self.shards.iter().map(|(shard, reading)| {
            let (log, next) = (Arc::clone(&self.log), reading.next.clone());
            async move {
                let shard = ShardId(*shard);
                match log.get_records(&next, options).await {
                    Ok(read) => Ok::<_, Error>(Read {
                        shard,
                        records: read.records,
                        next: read.next,
                        behind: read.behind,
                        children: read.children,
                        forgotten: false,
                    }),
                    Err(error) if error.kind() == ErrorKind::NotFound => forgotten(&*log, &next, error).await,
                    Err(error) => Err(error),
                }
            }
        });
        let reads = futures::future::try_join_all(reads).await?;
        for read in &reads {
            match &read.next {
                Some(next) => {
                    if let Some(reading) = self.shards.get_mut(&read.shard.0) {
                        reading.next = next.clone();
                        reading.at_tip = read.records.is_empty();
                        if !read.records.is_empty() {
                            reading.heard = now;
                        }
                    }
                }
                None => {
                    self.shards.remove(&read.shard.0);
                    self.ended.insert(read.shard.0);
                    if read.forgotten {
                        self.forgotten(read.shard);
                    }
                    for child in &read.children {
                        if !self.knows(child.id) {
                            self.waiting.insert(child.id.0, child.clone());
                        }
                    }
                }
            }
        }
        self.begin_children(now).await?;
        Ok(reads.into_iter().filter(|r| !r.records.is_empty() || r.next.is_none()).collect())
    }

    /// Where all shards stand behind what was read.
    pub(crate) fn positions(&self) -> Positions {
        let open = self.shards.iter().map(|(shard, reading)| {
            (*shard, Position { next: Some(reading.next.to_string()), watermark: None })
        });
        open.chain(self.ended.iter().map(|s| (*s, Position { next: None, watermark: None }))).collect()
    }

    /// Shards that have been silent for too long to be waited for.
    pub(crate) fn idle(&self, now: DateTime<Utc>) -> BTreeSet<u32> {
        let Some(millis) = self.idle_millis else { return BTreeSet::new() };
        let is_idle =
            |reading: &&Reading| reading.at_tip && (now - reading.heard).num_milliseconds() >= millis;
        self.shards.iter().filter(|(_, r)| is_idle(r)).map(|(shard, _)| *shard).collect()
    }

    /// When the next shard becomes idle, if it stays silent.
    pub(crate) fn idle_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let millis = chrono::Duration::milliseconds(self.idle_millis?);
        self.shards.values().map(|r| r.heard + millis).filter(|at| *at > now).min()
    }

    /// Returns when there is something to read.
    pub(crate) async fn wait(&self) -> Result<()> {
        let waits: Vec<_> = self
            .shards
            .values()
            .map(|reading| {
                let (log, next) = (Arc::clone(&self.log), reading.next.clone());
                Box::pin(async move {
                    match log.wait(&next).await {
                        // The next read tells what became of it.
                        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                        woken => woken,
                    }
                })
            })
            .collect();
        if waits.is_empty() {
            return std::future::pending().await;
        }
        select_all(waits).await.0
    }
}
