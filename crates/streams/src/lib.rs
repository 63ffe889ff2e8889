//! A durable log of streams, as Kinesis Data Streams describes it: shards over ranges of hash keys, records in the
//! order in which a shard took them, read by anybody at their own pace until they are too old.
//!
//! What comes in: records by stream and partition key, and orders to make, split, merge, scale and delete. What goes out:
//! records from a place on, and word of new ones. [`Log`] says what a log can do, whatever keeps it; [`LocalLog`] keeps
//! it on the local disk. This room must not know a protocol, nor who reads and why.
//!
//! ```no_run
//! # async fn example(db: state::Database) -> model::Result<()> {
//! use streams::*;
//! let options = LocalOptions::new("000000000000".parse()?, "eu-central-1".parse()?);
//! let log = LocalLog::open("data/streams".as_ref(), db, state::Clock::system(), options).await?;
//! log.create_stream(NewStream::provisioned("clicks", 2)).await?;
//! let placed = log.put_many("clicks", vec![NewRecord::new("user-7", "…")]).await?;
//! let shard = placed[0].clone()?.shard;
//! let iterator = log.iterator("clicks", shard, StartAt::TrimHorizon).await?;
//! let read = log.get_records(&iterator, ReadOptions::default()).await?;
//! assert_eq!(read.records[0].partition_key(), "user-7");
//! # Ok(()) }
//! ```

mod filter;
mod iterator;
mod limits;
mod local;
mod log;
mod reshard;
mod sequence;
mod store;
mod types;

pub use filter::ShardFilter;
pub use iterator::{ShardIterator, StartAt};
pub use limits::Limits;
pub use local::{Damage, LocalLog, LocalOptions, Recovered, Skipped, Swept};
pub use log::{Log, ReadOptions, Records, SettingsChange};
pub use sequence::SequenceNumber;
pub use types::{
    Consumer, Encryption, HashRange, MAX_PARTITION_KEY, MAX_RETENTION_HOURS, MAX_SHARDS, MIN_RETENTION_HOURS,
    NewRecord, NewStream, Placed, Record, Shard, ShardId, ShardUsage, Stream, StreamMode, StreamSettings,
    StreamStatus, hash_key, internal_name,
};
