//! Which shards of a stream a listing answers: Kinesis' filters.

use crate::{Shard, ShardId};
use chrono::{DateTime, Utc};

/// Which shards are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShardFilter {
    /// All that may still have records: from the trim horizon to now.
    #[default]
    FromTrimHorizon,
    /// Those that were open at the trim horizon.
    AtTrimHorizon,
    /// Those that are open.
    AtLatest,
    /// Those behind that one, by id.
    AfterShardId(ShardId),
    /// Those that were open at that time.
    AtTimestamp(DateTime<Utc>),
    /// Those that were open at that time or later.
    FromTimestamp(DateTime<Utc>),
}

impl ShardFilter {
    /// Whether a shard is listed, given the trim horizon (or the stream's creation, if that is later).
    pub(crate) fn admits(self, shard: &Shard, horizon: DateTime<Utc>) -> bool {
        let ends_from = |time: DateTime<Utc>| shard.closed.is_none_or(|closed| closed >= time);
        let open_at = |time: DateTime<Utc>| shard.created <= time && ends_from(time);
        match self {
            Self::FromTrimHorizon => ends_from(horizon),
            Self::AtTrimHorizon => open_at(horizon),
            Self::AtLatest => shard.is_open(),
            Self::AfterShardId(id) => shard.id > id && ends_from(horizon),
            Self::AtTimestamp(time) => open_at(time.max(horizon)),
            Self::FromTimestamp(time) => ends_from(time.max(horizon)),
        }
    }
}
