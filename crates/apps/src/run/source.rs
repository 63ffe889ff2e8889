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
    /// How old what comes next is; nothing before the first read.
    behind: Option<chrono::Duration>,
}

impl Reading {
    fn new(next: ShardIterator, now: DateTime<Utc>) -> Self {
        Self { next, heard: now, at_tip: false, behind: None }
    }

    /// Whether more has come than one read takes, as far as one knows.
    fn has_much(&self) -> bool {
        self.behind.is_none_or(|behind| !behind.is_zero())
    }
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
    /// The shard whose turn was last, of those that have much.
    turn: Option<u32>,
    tasks: usize,
    idle_millis: Option<i64>,
    /// How many shards went away before they were read to their end.
    pub(crate) lost: u64,
}

/// How many records and bytes a round takes for each task, and of each shard at least.
const ROUND: (usize, usize) = (16_384, 4 << 20);
const LEAST: (usize, usize) = (4_096, 512 << 10);
/// How many shards that have much a round reads for each task. What is read at once fits the caches, however many shards
/// there are, and of each it is enough to be worth the way; the others have their turn in the next rounds.
const AT_ONCE: usize = 4;

impl StreamReader {
    /// From these positions on, or else from where the table says.
    pub(crate) async fn open(
        log: Arc<dyn Log>,
        stream: &str,
        start: Start,
        idle_millis: Option<i64>,
        positions: Option<&Positions>,
        (tasks, now): (usize, DateTime<Utc>),
    ) -> Result<Self> {
        let mut reader = Self {
            log,
            stream: stream.to_owned(),
            shards: BTreeMap::new(),
            ended: BTreeSet::new(),
            waiting: BTreeMap::new(),
            turn: None,
            tasks,
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
                            reader.shards.insert(*shard, Reading::new(next, now));
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
        self.shards.insert(shard.0, Reading::new(next, now));
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

    /// The shards that are read next, and how much of each: all that have little, and those whose turn it is.
    fn next_round(&mut self) -> (Vec<u32>, ReadOptions) {
        let turn = self.turn.unwrap_or(u32::MAX);
        let in_turn = self.shards.range(turn.saturating_add(1)..).chain(self.shards.range(..=turn));
        let most = AT_ONCE * self.tasks.max(1);
        let (mut chosen, mut with_much) = (Vec::new(), 0);
        for (shard, reading) in in_turn {
            if reading.has_much() {
                if with_much == most {
                    continue;
                }
                with_much += 1;
                self.turn = Some(*shard);
            }
            chosen.push(*shard);
        }
        // Those that have little may have got much meanwhile, but hardly all at once.
        let sharing = with_much + (chosen.len() - with_much) / 8;
        let share = |all: usize, least: usize| (all * self.tasks.max(1) / sharing.max(1)).clamp(least, all);
        let (limit, bytes) = (share(ROUND.0, LEAST.0), share(ROUND.1, LEAST.1));
        (chosen, ReadOptions { limit, bytes, dedicated: true })
    }

    /// What the shards of the next round have.
    pub(crate) async fn read(&mut self, now: DateTime<Utc>) -> Result<Vec<Read>> {
        let (chosen, options) = self.next_round();
        let chosen = chosen.into_iter().filter_map(|shard| self.shards.get_key_value(&shard));
        let reads = chosen.map(|(shard, reading)| {
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
                        reading.behind = Some(read.behind);
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

    /// Whether nothing was left to read when it was last looked for.
    pub(crate) fn is_caught_up(&self) -> bool {
        self.waiting.is_empty() && self.shards.values().all(|reading| reading.at_tip)
    }

    /// How old the oldest is of what comes next.
    pub(crate) fn behind(&self) -> chrono::Duration {
        self.shards.values().filter_map(|r| r.behind).max().unwrap_or_default()
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
