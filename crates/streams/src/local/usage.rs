//! What shards hold and what went through them, as the running log knows it: no file is read for it.

use super::Inner;
use super::shard::{ShardState, lock};
use crate::ShardUsage;
use chrono::DateTime;
use model::Result;
use std::sync::atomic::Ordering;

impl Inner {
    /// Every shard of a stream, by id.
    pub(super) fn usage(&self, stream: &str) -> Result<Vec<ShardUsage>> {
        Ok(self.stream(stream)?.shards().iter().map(|shard| usage_of(shard)).collect())
    }
}

fn usage_of(shard: &ShardState) -> ShardUsage {
    let files = lock(&shard.files);
    let first = files.segments.first().map_or(files.next, |segment| segment.base).max(files.trim);
    ShardUsage {
        shard: shard.id,
        records: files.next.saturating_sub(first),
        bytes: files.segments.iter().map(|segment| segment.length).sum(),
        records_in: files.next.saturating_sub(1),
        records_out: shard.served.records.load(Ordering::Relaxed),
        bytes_out: shard.served.bytes.load(Ordering::Relaxed),
        last_arrival: Some(files.last_time)
            .filter(|time| *time > 0)
            .and_then(DateTime::from_timestamp_millis),
    }
}
