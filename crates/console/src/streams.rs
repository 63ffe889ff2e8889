//! What streams hold and have done, summed up over their shards.

use model::Result;
use serde::Serialize;
use streams::{Log, ShardUsage};

/// A stream with what its shards hold and have done, summed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StreamTotals {
    /// Its name.
    pub name: String,
    /// Shards that take records.
    pub open_shards: u64,
    /// Records that are kept.
    pub records: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// Records that were ever put.
    pub records_in: u64,
    /// Records that were read.
    pub records_out: u64,
}

/// The first so many streams by name.
pub async fn stream_totals(log: &dyn Log, most: usize) -> Result<Vec<StreamTotals>> {
    let mut totals = Vec::new();
    for stream in log.list_streams(None, most).await? {
        // One that is deleted meanwhile is none.
        let Ok(usage) = log.usage(&stream.name).await else { continue };
        let sum = |of: fn(&ShardUsage) -> u64| usage.iter().map(of).sum();
        totals.push(StreamTotals {
            open_shards: stream.open_shards as u64,
            records: sum(|shard| shard.records),
            bytes: sum(|shard| shard.bytes),
            records_in: sum(|shard| shard.records_in),
            records_out: sum(|shard| shard.records_out),
            name: stream.name,
        });
    }
    Ok(totals)
}
