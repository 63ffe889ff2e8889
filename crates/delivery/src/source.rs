//! Reading a stream's shards: how far each was delivered, what a batch takes, where reading goes on.
//!
//! Places are sequence numbers, which stay true for as long as the stream lives. While a batch gathers, its records are
//! only counted: it is written from the log again, between the same places.

use chrono::{DateTime, Utc};
use futures::future::select_all;
use model::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use streams::{
    Log, ReadOptions, Record, SequenceNumber, Shard, ShardFilter, ShardId, ShardIterator, StartAt,
};

/// How many bytes of a shard are read at once.
const PIECE: usize = 8 << 20;
const PIECE_RECORDS: usize = 50_000;

/// How far a shard was delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Position {
    /// Up to this record.
    After(String),
    /// What arrived before that time (in milliseconds) is left out.
    From(i64),
    /// To its end.
    Ended,
}

/// By the shards' numbers.
pub(crate) type Positions = BTreeMap<u32, Position>;

/// What a batch takes of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) shard: u32,
    pub(crate) from: Position,
    /// The last record; nothing where there is none.
    pub(crate) through: Option<String>,
    /// Whether the shard ends there.
    pub(crate) ended: bool,
    pub(crate) records: u64,
}

impl Span {
    fn behind(&self) -> Position {
        match (&self.through, self.ended) {
            (_, true) => Position::Ended,
            (Some(last), false) => Position::After(last.clone()),
            (None, false) => self.from.clone(),
        }
    }
}

/// What was gathered for a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gathered {
    /// In the order in which the shards are written.
    pub(crate) spans: Vec<Span>,
    pub(crate) records: u64,
    pub(crate) bytes: usize,
    /// When the oldest record arrived, in milliseconds.
    pub(crate) oldest: i64,
}

impl Gathered {
    /// When its oldest record arrived.
    pub(crate) fn oldest(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.oldest).unwrap_or_default()
    }

    /// The positions of the shards once it is delivered.
    pub(crate) fn behind(&self, before: &Positions) -> Positions {
        let mut all = before.clone();
        for span in &self.spans {
            all.insert(span.shard, span.behind());
        }
        all
    }
}

/// The positions with which a stream is read from its present on, or from its beginning.
pub(crate) async fn begin(log: &dyn Log, stream: &str, from: Option<DateTime<Utc>>) -> Result<Positions> {
    let shards = log.list_shards(stream, ShardFilter::FromTrimHorizon).await?;
    let position = |shard: &Shard| match (from, shard.is_open()) {
        (Some(time), true) => Position::From(time.timestamp_millis()),
        (Some(_), false) => Position::Ended,
        (None, _) => Position::After(shard.starting.to_string()),
    };
    Ok(shards.iter().map(|shard| (shard.id.0, position(shard))).collect())
}

async fn open(log: &dyn Log, stream: &str, shard: u32, position: &Position) -> Result<Option<ShardIterator>> {
    let start = match position {
        Position::Ended => return Ok(None),
        Position::After(number) => StartAt::AfterSequenceNumber(number.parse()?),
        Position::From(millis) => {
            let time = DateTime::from_timestamp_millis(*millis);
            StartAt::AtTimestamp(
                time.ok_or_else(|| Error::corrupt("a delivery stream's position is no time"))?,
            )
        }
    };
    log.iterator(stream, ShardId(shard), start).await.map(Some)
}

/// Reads a stream ahead of what is delivered.
pub(crate) struct Reader {
    log: Arc<dyn Log>,
    stream: String,
    /// Shards that are read, and where they go on.
    shards: BTreeMap<u32, ShardIterator>,
    ended: BTreeSet<u32>,
    /// Shards that wait for their parents' end.
    waiting: BTreeMap<u32, Shard>,
    positions: Positions,
}

impl Reader {
    /// From these positions on.
    pub(crate) async fn open(log: Arc<dyn Log>, stream: &str, positions: Positions) -> Result<Self> {
        let mut reader = Self {
            log,
            stream: stream.to_owned(),
            shards: BTreeMap::new(),
            ended: BTreeSet::new(),
            waiting: BTreeMap::new(),
            positions,
        };
        let all = reader.log.list_shards(stream, ShardFilter::FromTrimHorizon).await?;
        let there: BTreeSet<u32> = all.iter().map(|shard| shard.id.0).collect();
        // A shard that was read to its end and is forgotten by its stream will never be asked for.
        reader.positions.retain(|shard, position| *position != Position::Ended || there.contains(shard));
        for (shard, position) in reader.positions.clone() {
            match open(&*reader.log, stream, shard, &position).await {
                Ok(Some(iterator)) => drop(reader.shards.insert(shard, iterator)),
                Ok(None) => drop(reader.ended.insert(shard)),
                // It was closed so long ago that its stream has forgotten it, with all that it had.
                Err(_) if !there.contains(&shard) => {
                    tracing::warn!(stream, shard, "a shard became too old before it was delivered");
                    reader.ended.insert(shard);
                    reader.positions.remove(&shard);
                }
                Err(error) => return Err(error),
            }
        }
        for shard in all {
            if !reader.positions.contains_key(&shard.id.0) {
                reader.waiting.insert(shard.id.0, shard);
            }
        }
        reader.begin_children().await?;
        Ok(reader)
    }

    /// Begins with the shards whose parents have been read.
    async fn begin_children(&mut self) -> Result<()> {
        let is_read = |id: ShardId| !self.shards.contains_key(&id.0) && !self.waiting.contains_key(&id.0);
        let ready = |shard: &&Shard| [shard.parent, shard.adjacent_parent].into_iter().flatten().all(is_read);
        let ready: Vec<Shard> = self.waiting.values().filter(ready).cloned().collect();
        for shard in ready {
            let position = Position::After(shard.starting.to_string());
            if let Some(iterator) = open(&*self.log, &self.stream, shard.id.0, &position).await? {
                self.shards.insert(shard.id.0, iterator);
            }
            self.positions.insert(shard.id.0, position);
            self.waiting.remove(&shard.id.0);
        }
        Ok(())
    }

    /// Where the shards stand that nothing was gathered of yet.
    pub(crate) fn positions(&self) -> &Positions {
        &self.positions
    }

    /// A batch was delivered: what comes next begins there.
    pub(crate) fn delivered(&mut self, behind: Positions) {
        self.positions = behind;
    }

    /// Adds to a batch what the shards have now, up to that many bytes in all. Says whether there was anything.
    pub(crate) async fn gather(&mut self, batch: &mut Gathered, size: usize) -> Result<bool> {
        let mut found = false;
        for shard in self.shards.keys().copied().collect::<Vec<_>>() {
            let room = size.saturating_sub(batch.bytes);
            if room == 0 {
                break;
            }
            let Some(iterator) = self.shards.get(&shard) else { continue };
            let options = ReadOptions { limit: PIECE_RECORDS, bytes: room.min(PIECE), dedicated: true };
            let read = self.log.get_records(iterator, options).await?;
            found |= !read.records.is_empty() || read.next.is_none();
            self.count(shard, batch, &read.records, read.next.is_none());
            match read.next {
                Some(next) => drop(self.shards.insert(shard, next)),
                None => {
                    self.shards.remove(&shard);
                    self.ended.insert(shard);
                    for child in read.children {
                        let id = child.id.0;
                        if !self.positions.contains_key(&id) && !self.ended.contains(&id) {
                            self.waiting.insert(id, child);
                        }
                    }
                }
            }
        }
        self.begin_children().await?;
        Ok(found)
    }

    fn count(&self, shard: u32, batch: &mut Gathered, records: &[Record], ended: bool) {
        if records.is_empty() && !ended {
            return;
        }
        let at = batch.spans.iter().position(|span| span.shard == shard).unwrap_or_else(|| {
            let from = self.positions.get(&shard).cloned().unwrap_or(Position::Ended);
            batch.spans.push(Span { shard, from, through: None, ended: false, records: 0 });
            batch.spans.len() - 1
        });
        if let (Some(first), Some(last), Some(span)) =
            (records.first(), records.last(), batch.spans.get_mut(at))
        {
            let oldest = first.arrived.timestamp_millis();
            batch.oldest = if batch.records == 0 { oldest } else { batch.oldest.min(oldest) };
            span.through = Some(last.sequence_number.to_string());
            span.records += records.len() as u64;
            batch.records += records.len() as u64;
            batch.bytes += records.iter().map(|record| record.data.len()).sum::<usize>();
        }
        if let Some(span) = batch.spans.get_mut(at) {
            span.ended = ended;
        }
    }

    /// Returns when there is something to read.
    pub(crate) async fn wait(&self) -> Result<()> {
        let waits = self.shards.values().map(|iterator| Box::pin(self.log.wait(iterator)));
        let waits: Vec<_> = waits.collect();
        if waits.is_empty() {
            return std::future::pending().await;
        }
        select_all(waits).await.0
    }
}

/// The records of a span, piece by piece.
pub(crate) struct SpanReader<'a> {
    log: &'a dyn Log,
    next: Option<ShardIterator>,
    through: Option<SequenceNumber>,
}

impl<'a> SpanReader<'a> {
    pub(crate) async fn open(log: &'a dyn Log, stream: &str, span: &Span) -> Result<Self> {
        let through = span.through.as_deref().map(str::parse).transpose()?;
        let next = match through {
            Some(_) => open(log, stream, span.shard, &span.from).await?,
            None => None,
        };
        Ok(Self { log, next, through })
    }

    /// The next records; none at the span's end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Record>>> {
        let (Some(iterator), Some(through)) = (self.next.take(), self.through) else { return Ok(None) };
        let options = ReadOptions { limit: PIECE_RECORDS, bytes: PIECE, dedicated: true };
        let mut read = self.log.get_records(&iterator, options).await?;
        let whole = read.records.last().is_some_and(|last| last.sequence_number >= through);
        read.records.retain(|record| record.sequence_number <= through);
        // At the tip there may be nothing left of what was counted: it was deleted because of its age.
        if !whole && !read.records.is_empty() {
            self.next = read.next;
        }
        Ok((!read.records.is_empty()).then_some(read.records))
    }
}
