//! Where to read from, and the iterator that remembers it between two calls.

use crate::{SequenceNumber, Shard, ShardId};
use chrono::{DateTime, Utc};
use model::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// The oldest record that is still kept.
    TrimHorizon,
    /// Only records that come after the iterator was made.
    Latest,
    /// The record with that number.
    AtSequenceNumber(SequenceNumber),
    /// The record behind that number.
    AfterSequenceNumber(SequenceNumber),
    /// The first record that arrived at that time or later. Not in the future.
    AtTimestamp(DateTime<Utc>),
}

/// A place in a shard. It is a plain value: as text it can be handed to a client and read back, and it outlives a
/// restart. It is not signed, so a door that must not trust its clients checks their right to read the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardIterator {
    /// The stream's name.
    pub stream: String,
    /// The shard.
    pub shard: ShardId,
    /// When the iterator was made.
    pub made: DateTime<Utc>,
    /// Tells streams of one name apart.
    pub(crate) stream_id: u64,
    /// The next record.
    pub(crate) ordinal: u64,
}

impl ShardIterator {
    /// The number behind which it reads on in its shard: that of the last record before its place, or the shard's own
    /// starting number.
    pub fn behind(&self, shard: &Shard) -> SequenceNumber {
        shard.starting.with_ordinal(self.ordinal.saturating_sub(1))
    }
}

impl fmt::Display for ShardIterator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let made = self.made.timestamp_millis();
        write!(f, "1:{:x}:{}:{}:{made}:{}", self.stream_id, self.shard.0, self.ordinal, self.stream)
    }
}

impl FromStr for ShardIterator {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let read = || {
            let mut parts = text.splitn(6, ':');
            (parts.next()? == "1").then_some(())?;
            let stream_id = u64::from_str_radix(parts.next()?, 16).ok()?;
            let shard = ShardId(parts.next()?.parse().ok()?);
            let ordinal = parts.next()?.parse().ok()?;
            let made = DateTime::from_timestamp_millis(parts.next()?.parse().ok()?)?;
            Some(Self { stream: parts.next()?.to_owned(), shard, made, stream_id, ordinal })
        };
        read().ok_or_else(|| {
            Error::invalid("this is no shard iterator").hint("ask for a new one; they are opaque to clients")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let made = DateTime::from_timestamp_millis(1_600_000_000_123).unwrap();
        let iterator = ShardIterator {
            stream: "a.b-c".into(),
            shard: ShardId(3),
            made,
            stream_id: u64::MAX,
            ordinal: 9,
        };
        assert_eq!(iterator.to_string().parse::<ShardIterator>().unwrap(), iterator);
        for bad in ["", "1:2", "2:0:0:0:0:x", "1:z:0:0:0:x", "1:0:0:0:9999999999999999999:x"] {
            assert!(bad.parse::<ShardIterator>().is_err(), "{bad}");
        }
    }
}
