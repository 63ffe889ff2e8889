//! What a log can do, whatever keeps it.

use crate::{
    Consumer, NewRecord, NewStream, Placed, Record, SequenceNumber, Shard, ShardFilter, ShardId,
    ShardIterator, ShardUsage, StartAt, Stream, StreamSettings,
};
use async_trait::async_trait;
use chrono::Duration;
use model::Result;

/// A change of a stream's settings: it sees those of the moment, and may refuse.
pub type SettingsChange = Box<dyn FnOnce(&mut StreamSettings) -> Result<()> + Send>;

/// What a read answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    /// The records, in order.
    pub records: Vec<Record>,
    /// Where to go on. `None`: the shard is closed and has been read to its end.
    pub next: Option<ShardIterator>,
    /// How far the last of the records lies behind the present; zero at the shard's tip.
    pub behind: Duration,
    /// The shards that were made from this one, when it has been read to its end.
    pub children: Vec<Shard>,
}

/// How much to read, and at whose cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadOptions {
    /// At most so many records.
    pub limit: usize,
    /// At most so many bytes of keys and data; one record is answered in any case.
    pub bytes: usize,
    /// The reader has a throughput of its own (a registered consumer): the shard's read limits do not count.
    pub dedicated: bool,
}

impl Default for ReadOptions {
    /// As Kinesis: 10,000 records, 10 MiB, at the shard's cost.
    fn default() -> Self {
        Self { limit: 10_000, bytes: 10 << 20, dedicated: false }
    }
}

/// A durable log of streams with shards, as Kinesis Data Streams describes it.
///
/// Errors by kind: `NotFound` no such stream, shard or consumer; `AlreadyExists` the name is taken; `InvalidInput` the
/// request can never be right; `LimitExceeded` a throughput limit, try again in a second; `PreconditionFailed` an
/// iterator that is too old; `Conflict` the stream is being deleted or has consumers; `Unavailable` the disk is full,
/// read-only or failing, try again later; `Corrupt` stored records are damaged, at the place the error names.
#[async_trait]
pub trait Log: Send + Sync {
    /// Makes a stream. It is active at once.
    async fn create_stream(&self, new: NewStream) -> Result<Stream>;

    /// Deletes a stream with all its records. One with consumers only if `with_consumers` says so.
    async fn delete_stream(&self, name: &str, with_consumers: bool) -> Result<()>;

    /// One stream.
    async fn stream(&self, name: &str) -> Result<Stream>;

    /// Streams by name, behind `after`, at most `limit`; without those that rooms keep for themselves.
    async fn list_streams(&self, after: Option<&str>, limit: usize) -> Result<Vec<Stream>>;

    /// Changes a stream's settings. Shortening the retention hides older records at once.
    async fn change_stream(&self, name: &str, change: SettingsChange) -> Result<Stream>;

    /// Shards by id.
    async fn list_shards(&self, stream: &str, filter: ShardFilter) -> Result<Vec<Shard>>;

    /// Cuts an open shard in two, the second of which begins with that hash key. Provisioned streams only.
    async fn split_shard(&self, stream: &str, shard: ShardId, new_starting_hash_key: u128) -> Result<()>;

    /// Makes one shard of two open ones that lie side by side. Provisioned streams only.
    async fn merge_shards(&self, stream: &str, shard: ShardId, adjacent: ShardId) -> Result<()>;

    /// Splits and merges until there are that many open shards of even size. Provisioned streams only.
    async fn update_shard_count(&self, stream: &str, count: u32) -> Result<()>;

    /// Registers a consumer.
    async fn register_consumer(&self, stream: &str, name: &str) -> Result<Consumer>;

    /// Removes a consumer.
    async fn deregister_consumer(&self, stream: &str, name: &str) -> Result<()>;

    /// A stream's consumers by name.
    async fn list_consumers(&self, stream: &str) -> Result<Vec<Consumer>>;

    /// Puts records and answers, in their order, where each has come to stand, or why not. What is answered as placed
    /// is on disk. Records of one shard keep their order. A dropped call may still put its records.
    async fn put_many(&self, stream: &str, records: Vec<NewRecord>) -> Result<Vec<Result<Placed>>>;

    /// Says that a shard's records up to that one are needed no more: the log may take their room back before they are
    /// too old. A log that cannot do that keeps them until then.
    async fn release(&self, stream: &str, shard: ShardId, through: SequenceNumber) -> Result<()> {
        let _ = (stream, shard, through);
        Ok(())
    }

    /// A place to read from.
    async fn iterator(&self, stream: &str, shard: ShardId, start: StartAt) -> Result<ShardIterator>;

    /// Reads on. Answers no records, at once, at the tip of an open shard.
    async fn get_records(&self, iterator: &ShardIterator, options: ReadOptions) -> Result<Records>;

    /// Returns when there is something to read at the iterator: a record, or the end of a closed shard.
    async fn wait(&self, iterator: &ShardIterator) -> Result<()>;

    /// What each shard holds and what went through it, by id.
    async fn usage(&self, stream: &str) -> Result<Vec<ShardUsage>>;
}
