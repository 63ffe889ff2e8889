//! The log as its trait describes it: putting and reading here, the rest handed on.

use super::commit::{Command, Put};
use super::read::{self, Want};
use super::shard::{ShardState, lock, read as read_lock};
use super::{Inner, LocalLog, ROOM_UNIT, closed};
use crate::log::{Log, ReadOptions, Records, SettingsChange};
use crate::reshard::Planner;
use crate::types::{MAX_PARTITION_KEY, is_internal};
use crate::{
    Consumer, NewRecord, NewStream, Placed, SequenceNumber, Shard, ShardFilter, ShardId, ShardIterator,
    ShardUsage, StartAt, Stream,
};
use async_trait::async_trait;
use chrono::Duration;
use model::{Error, ErrorKind, Result};
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;

impl Inner {
    async fn put_many(&self, name: &str, records: Vec<NewRecord>) -> Result<Vec<Result<Placed>>> {
        let stream = self.stream(name)?;
        let size = self.check(&records)?;
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let units = (size + records.len() * 64).div_ceil(ROOM_UNIT);
        // More than the whole queue would wait for ever.
        let units = units.min(self.options.queue_bytes.div_ceil(ROOM_UNIT)) as u32;
        let room = Arc::clone(&self.room).acquire_many_owned(units).await.map_err(|_| closed())?;
        let records = records.into_iter().map(|record| (record.hash(), record)).collect();
        let (reply, answer) = oneshot::channel();
        self.send(Command::Put(Put { stream, records, size, reply, room }))?;
        answer.await.map_err(|_| closed())
    }

    /// The size of the records, if all can be taken.
    fn check(&self, records: &[NewRecord]) -> Result<usize> {
        let mut size = 0;
        for (at, record) in records.iter().enumerate() {
            let characters = record.partition_key.chars().count();
            if !(1..=MAX_PARTITION_KEY).contains(&characters) {
                return Err(Error::invalid(format!(
                    "a partition key has 1 to {MAX_PARTITION_KEY} characters, that of record {} has {characters}",
                    at + 1
                )));
            }
            if record.size() > self.options.record_bytes {
                return Err(Error::invalid(format!(
                    "record {} is too large: {} bytes with its key, {} are allowed",
                    at + 1,
                    record.size(),
                    self.options.record_bytes
                )));
            }
            size += record.size();
        }
        if size > self.options.put_bytes {
            return Err(Error::invalid(format!(
                "one call puts at most {} bytes, these records have {size}",
                self.options.put_bytes
            ))
            .hint("put them in several calls"));
        }
        Ok(size)
    }

    async fn iterator(self: &Arc<Self>, name: &str, id: ShardId, start: StartAt) -> Result<ShardIterator> {
        let stream = self.stream(name)?;
        let shard = stream.shard(id)?;
        let made = self.clock.now();
        let of_shard = |number: SequenceNumber| {
            let closed = lock(&shard.closed).is_some();
            let next = lock(&shard.files).next;
            let known = number.ordinal() < next || closed && number.ordinal() == next;
            if number.is_of(shard.epoch as u64, shard.id.0) && known {
                return Ok(number.ordinal());
            }
            Err(Error::invalid(format!("the sequence number {number} is not of {id} in stream `{name}`")))
        };
        let ordinal = match start {
            // What is too old then is left out when it is read.
            StartAt::TrimHorizon => 1,
            StartAt::Latest => lock(&shard.files).next,
            StartAt::AtSequenceNumber(number) => of_shard(number)?.max(1),
            StartAt::AfterSequenceNumber(number) => of_shard(number)? + 1,
            StartAt::AtTimestamp(time) if time > made => {
                return Err(Error::invalid(format!("the timestamp {time} lies in the future")));
            }
            StartAt::AtTimestamp(time) => {
                let time = time.max(self.cutoff(&stream)).timestamp_millis();
                let inner_shard = Arc::clone(&shard);
                self.blocking(move |inner| read::find_time(&inner_shard, &inner.cache, time)).await?
            }
        };
        Ok(ShardIterator { stream: name.to_owned(), shard: id, made, stream_id: stream.id, ordinal })
    }

    async fn get_records(
        self: &Arc<Self>,
        iterator: &ShardIterator,
        options: ReadOptions,
    ) -> Result<Records> {
        if options.limit == 0 {
            return Err(Error::invalid("a read must ask for at least one record"));
        }
        let stream = self.stream(&iterator.stream)?;
        let shard = self.shard_of(iterator)?;
        let now = self.clock.now();
        if self.options.iterator_age.is_some_and(|age| now - iterator.made > age) {
            return Err(Error::new(ErrorKind::PreconditionFailed, "the shard iterator has expired")
                .hint("ask for a new one behind the last record that was read"));
        }
        self.charge(&shard, now.timestamp_millis(), options.dedicated, &iterator.stream)?;
        let want = Want {
            limit: options.limit,
            bytes: options.bytes,
            cutoff: self.cutoff(&stream).timestamp_millis(),
        };
        let (from, reader) = (iterator.ordinal, Arc::clone(&shard));
        let chunk = self.blocking(move |inner| read::read(&reader, &inner.cache, from, want)).await?;
        if self.options.limits.is_some() && !options.dedicated {
            lock(&shard.reads).spend(chunk.bytes as u64);
        }
        shard.served.records.fetch_add(chunk.records.len() as u64, Ordering::Relaxed);
        shard.served.bytes.fetch_add(chunk.bytes as u64, Ordering::Relaxed);
        let last = chunk.records.last().map(|record| now - record.arrived);
        let behind = if chunk.at_tip { None } else { last };
        // A shard that is closed after this was looked at gets no records any more, so the order of both does not matter.
        let ended = chunk.at_tip && lock(&shard.closed).is_some_and(|closed| chunk.next >= closed.ordinal);
        let children = || {
            let child =
                |other: &Shard| other.parent == Some(shard.id) || other.adjacent_parent == Some(shard.id);
            stream.shards().iter().map(|other| other.describe()).filter(child).collect()
        };
        Ok(Records {
            records: chunk.records,
            next: (!ended).then(|| ShardIterator { made: now, ordinal: chunk.next, ..iterator.clone() }),
            behind: behind.unwrap_or_else(Duration::zero).max(Duration::zero()),
            children: if ended { children() } else { Vec::new() },
        })
    }

    async fn wait(&self, iterator: &ShardIterator) -> Result<()> {
        let shard = self.shard_of(iterator)?;
        let mut tail = shard.tail.subscribe();
        let ready = tail.wait_for(|tail| tail.gone || tail.closed || tail.next > iterator.ordinal).await;
        match ready.map(|tail| tail.gone) {
            Ok(false) => Ok(()),
            _ => Err(Error::not_found(format!("there is no stream `{}` any more", iterator.stream))),
        }
    }

    fn shard_of(&self, iterator: &ShardIterator) -> Result<Arc<ShardState>> {
        let stream = self.stream(&iterator.stream)?;
        if stream.id != iterator.stream_id {
            return Err(Error::invalid(format!(
                "the iterator belongs to another stream that was called `{}`",
                iterator.stream
            ))
            .hint("ask for a new iterator"));
        }
        stream.shard(iterator.shard)
    }

    /// Takes a read from the shard's limits.
    fn charge(&self, shard: &ShardState, now: i64, dedicated: bool, stream: &str) -> Result<()> {
        let Some(limits) = self.options.limits.filter(|_| !dedicated) else { return Ok(()) };
        let mut budget = lock(&shard.reads);
        budget.refill(now, (limits.read_bytes, limits.read_calls));
        if budget.call() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("rate exceeded for {} in stream `{stream}`", shard.id),
        )
        .why("a shard is read only so often and so much in a second")
        .hint("try again in a second, or read as a registered consumer"))
    }
}

#[async_trait]
impl Log for LocalLog {
    async fn create_stream(&self, new: NewStream) -> Result<Stream> {
        self.inner.detached(|inner| async move { inner.create_stream(new).await }).await
    }

    async fn delete_stream(&self, name: &str, with_consumers: bool) -> Result<()> {
        let name = name.to_owned();
        self.inner
            .detached(move |inner| async move { inner.delete_stream(&name, with_consumers).await })
            .await
    }

    async fn stream(&self, name: &str) -> Result<Stream> {
        Ok(self.inner.describe(&*self.inner.stream(name)?))
    }

    async fn list_streams(&self, after: Option<&str>, limit: usize) -> Result<Vec<Stream>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let streams = read_lock(&self.inner.streams);
        let behind = streams.range::<str, _>((from, Bound::Unbounded));
        let behind = behind.filter(|(name, _)| !is_internal(name)).take(limit);
        Ok(behind.map(|(_, stream)| self.inner.describe(stream)).collect())
    }

    async fn change_stream(&self, name: &str, change: SettingsChange) -> Result<Stream> {
        let name = name.to_owned();
        self.inner.detached(move |inner| async move { inner.change_stream(&name, change).await }).await
    }

    async fn list_shards(&self, stream: &str, filter: ShardFilter) -> Result<Vec<Shard>> {
        self.inner.list_shards(stream, filter)
    }

    async fn split_shard(&self, stream: &str, shard: ShardId, new_starting_hash_key: u128) -> Result<()> {
        let stream = stream.to_owned();
        let split = move |planner: &mut Planner| planner.split(shard, new_starting_hash_key);
        self.inner.detached(move |inner| async move { inner.reshape(&stream, split).await }).await
    }

    async fn merge_shards(&self, stream: &str, shard: ShardId, adjacent: ShardId) -> Result<()> {
        let stream = stream.to_owned();
        let merge = move |planner: &mut Planner| planner.merge(shard, adjacent);
        self.inner.detached(move |inner| async move { inner.reshape(&stream, merge).await }).await
    }

    async fn update_shard_count(&self, stream: &str, count: u32) -> Result<()> {
        let stream = stream.to_owned();
        self.inner.detached(move |inner| async move { inner.update_shard_count(&stream, count).await }).await
    }

    async fn register_consumer(&self, stream: &str, name: &str) -> Result<Consumer> {
        let (stream, name) = (stream.to_owned(), name.to_owned());
        self.inner.detached(move |inner| async move { inner.register_consumer(&stream, &name).await }).await
    }

    async fn deregister_consumer(&self, stream: &str, name: &str) -> Result<()> {
        let (stream, name) = (stream.to_owned(), name.to_owned());
        self.inner.detached(move |inner| async move { inner.deregister_consumer(&stream, &name).await }).await
    }

    async fn list_consumers(&self, stream: &str) -> Result<Vec<Consumer>> {
        let stream = self.inner.stream(stream)?;
        let facts = read_lock(&stream.facts);
        Ok(facts.consumers.values().cloned().collect())
    }

    async fn put_many(&self, stream: &str, records: Vec<NewRecord>) -> Result<Vec<Result<Placed>>> {
        self.inner.put_many(stream, records).await
    }

    async fn release(&self, stream: &str, shard: ShardId, through: SequenceNumber) -> Result<()> {
        let stream = stream.to_owned();
        self.inner.detached(move |inner| async move { inner.release(&stream, shard, through).await }).await
    }

    async fn iterator(&self, stream: &str, shard: ShardId, start: StartAt) -> Result<ShardIterator> {
        self.inner.iterator(stream, shard, start).await
    }

    async fn get_records(&self, iterator: &ShardIterator, options: ReadOptions) -> Result<Records> {
        self.inner.get_records(iterator, options).await
    }

    async fn wait(&self, iterator: &ShardIterator) -> Result<()> {
        self.inner.wait(iterator).await
    }

    async fn usage(&self, stream: &str) -> Result<Vec<ShardUsage>> {
        self.inner.usage(stream)
    }
}
