//! Reading a stream's shards: how far each was delivered, what a batch takes, where reading goes on.
//!
//! Places are sequence numbers, which stay true for as long as the stream lives. While a batch gathers, its records are
//! only counted: it is written from the log again, between the same places.
//!
//! Shards are known by their starting numbers: a stream that was deleted and made again has shards of the same ids, but
//! others.

use chrono::{DateTime, Duration, Utc};
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

/// By the shards' starting numbers.
pub(crate) type Positions = BTreeMap<String, Position>;

/// The positions by starting numbers, where they were kept by the shards' ids.
fn by_starting_numbers(positions: Positions, shards: &[Shard]) -> Positions {
    let start = |key: String, position: &Position| {
        let Ok(id) = key.parse::<u32>() else { return Some(key) };
        match position {
            Position::After(number) => {
                Some(number.parse::<SequenceNumber>().ok()?.start_of_shard().to_string())
            }
            _ => shards.iter().find(|shard| shard.id.0 == id).map(|shard| shard.starting.to_string()),
        }
    };
    positions.into_iter().filter_map(|(key, position)| Some((start(key, &position)?, position))).collect()
}

/// What a batch takes of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) shard: u32,
    /// The shard's starting number.
    #[serde(default)]
    pub(crate) starting: String,
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
            all.insert(span.starting.clone(), span.behind());
        }
        all
    }

    /// Whether the stream still has all shards that it was gathered from.
    pub(crate) async fn is_there(&self, log: &dyn Log, stream: &str) -> Result<bool> {
        let shards = log.list_shards(stream, ShardFilter::FromTrimHorizon).await?;
        let there: BTreeSet<String> = shards.iter().map(|shard| shard.starting.to_string()).collect();
        Ok(self.spans.iter().all(|span| there.contains(&span.starting)))
    }
}

/// What a turn of gathering came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Whether there was anything.
    pub(crate) found: bool,
    /// Whether a shard has more than its share of the turn.
    pub(crate) cut: bool,
}

/// The positions with which a stream is read from its present on, or from its beginning.
pub(crate) async fn begin(log: &dyn Log, stream: &str, from: Option<DateTime<Utc>>) -> Result<Positions> {
    let shards = log.list_shards(stream, ShardFilter::FromTrimHorizon).await?;
    let position = |shard: &Shard| match (from, shard.is_open()) {
        (Some(time), true) => Position::From(time.timestamp_millis()),
        (Some(_), false) => Position::Ended,
        (None, _) => Position::After(shard.starting.to_string()),
    };
    Ok(shards.iter().map(|shard| (shard.starting.to_string(), position(shard))).collect())
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

/// A shard that is read, and where it goes on.
struct Reading {
    starting: String,
    next: ShardIterator,
}

/// Reads a stream ahead of what is delivered.
pub(crate) struct Reader {
    log: Arc<dyn Log>,
    stream: String,
    shards: BTreeMap<u32, Reading>,
    ended: BTreeSet<u32>,
    /// Shards that wait for their parents' end.
    waiting: BTreeMap<u32, Shard>,
    positions: Positions,
    /// The shard that was read last: the next turn begins behind it.
    last: Option<u32>,
}

impl Reader {
    /// From these positions on. Shards that they do not have are read from their beginning.
    pub(crate) async fn open(log: Arc<dyn Log>, stream: &str, positions: Positions) -> Result<Self> {
        let mut reader = Self {
            log,
            stream: stream.to_owned(),
            shards: BTreeMap::new(),
            ended: BTreeSet::new(),
            waiting: BTreeMap::new(),
            positions: BTreeMap::new(),
            last: None,
        };
        let all = reader.log.list_shards(stream, ShardFilter::FromTrimHorizon).await?;
        let mut positions = by_starting_numbers(positions, &all);
        for shard in all {
            let (id, starting) = (shard.id.0, shard.starting.to_string());
            let Some(position) = positions.remove(&starting) else {
                reader.waiting.insert(id, shard);
                continue;
            };
            match open(&*reader.log, stream, id, &position).await? {
                Some(next) => drop(reader.shards.insert(id, Reading { starting: starting.clone(), next })),
                None => drop(reader.ended.insert(id)),
            }
            reader.positions.insert(starting, position);
        }
        // Closed so long ago that their stream has forgotten them, or of a stream that is no more.
        for (shard, _) in positions.into_iter().filter(|(_, position)| *position != Position::Ended) {
            tracing::warn!(stream, shard, "a shard went away before it was delivered to its end");
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
            let (id, starting) = (shard.id.0, shard.starting.to_string());
            let position = Position::After(starting.clone());
            if let Some(next) = open(&*self.log, &self.stream, id, &position).await? {
                self.shards.insert(id, Reading { starting: starting.clone(), next });
            }
            self.positions.insert(starting, position);
            self.waiting.remove(&id);
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

    /// The shards in the order of a turn: whoever was read last comes last.
    fn in_turn(&self) -> Vec<u32> {
        let after = self.last.map_or(0, |last| last.saturating_add(1));
        let (first, behind) = (self.shards.range(..after), self.shards.range(after..));
        behind.chain(first).map(|(shard, _)| *shard).collect()
    }

    /// Adds to a batch what the shards have now, up to that many bytes in all; each has its share of them.
    pub(crate) async fn gather(&mut self, batch: &mut Gathered, size: usize) -> Result<Turn> {
        let mut turn = Turn::default();
        let share = (size.saturating_sub(batch.bytes) / self.shards.len().max(1)).max(1);
        for shard in self.in_turn() {
            let room = size.saturating_sub(batch.bytes);
            if room == 0 {
                turn.cut = true;
                break;
            }
            let Some(Reading { starting, next }) = self.shards.get(&shard) else { continue };
            let options =
                ReadOptions { limit: PIECE_RECORDS, bytes: room.min(share).min(PIECE), dedicated: true };
            let read = self.log.get_records(next, options).await?;
            turn.found |= !read.records.is_empty() || read.next.is_none();
            // At its tip a shard is not behind.
            turn.cut |= read.next.is_some() && !read.records.is_empty() && read.behind > Duration::zero();
            if !read.records.is_empty() {
                self.last = Some(shard);
            }
            self.count((shard, starting), batch, &read.records, read.next.is_none());
            match (read.next, self.shards.get_mut(&shard)) {
                (Some(next), Some(reading)) => reading.next = next,
                _ => {
                    self.shards.remove(&shard);
                    self.ended.insert(shard);
                    for child in read.children {
                        let id = child.id.0;
                        if !self.shards.contains_key(&id) && !self.ended.contains(&id) {
                            self.waiting.insert(id, child);
                        }
                    }
                }
            }
        }
        self.begin_children().await?;
        Ok(turn)
    }

    fn count(&self, (shard, starting): (u32, &str), batch: &mut Gathered, records: &[Record], ended: bool) {
        if records.is_empty() && !ended {
            return;
        }
        let at = batch.spans.iter().position(|span| span.starting == starting).unwrap_or_else(|| {
            let from = self.positions.get(starting).cloned().unwrap_or(Position::Ended);
            let starting = starting.to_owned();
            batch.spans.push(Span { shard, starting, from, through: None, ended: false, records: 0 });
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
            batch.bytes += records.iter().map(|record| record.data().len()).sum::<usize>();
        }
        if let Some(span) = batch.spans.get_mut(at) {
            span.ended = ended;
        }
    }

    /// Returns when there is something to read.
    pub(crate) async fn wait(&self) -> Result<()> {
        let waits = self.shards.values().map(|reading| Box::pin(self.log.wait(&reading.next)));
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
