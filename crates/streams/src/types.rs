//! The words of the log: streams, shards, records, consumers.

use crate::SequenceNumber;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use md5::{Digest, Md5};
use model::{Arn, Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The shortest retention.
pub const MIN_RETENTION_HOURS: u32 = 24;
/// The longest retention: a year.
pub const MAX_RETENTION_HOURS: u32 = 8760;
/// The longest partition key, in characters.
pub const MAX_PARTITION_KEY: usize = 256;
/// The most shards a stream can be made with or scaled to.
pub const MAX_SHARDS: u32 = 10_000;

/// Who decides on the number of shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StreamMode {
    /// Nobody has to: shards are not split or merged by hand.
    OnDemand,
    /// The owner.
    Provisioned,
}

/// What a stream is going through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StreamStatus {
    /// In use.
    Active,
    /// Being deleted; its files are not all gone yet.
    Deleting,
}

/// What a stream was told of encryption. It is kept and answered; the bytes on disk stay as they were put.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// The key's id, alias or ARN.
    pub key_id: String,
}

/// A stream to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStream {
    /// 1 to 128 letters, digits, `_`, `.`, `-`.
    pub name: String,
    /// Who decides on the number of shards.
    pub mode: StreamMode,
    /// How many shards to begin with.
    pub shards: u32,
    /// How long records are kept.
    pub retention_hours: u32,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Whether a room keeps it for itself, under a name of its own kind: [`NewStream::internal`].
    pub is_internal: bool,
}

impl NewStream {
    /// A provisioned stream of that many shards that keeps records for a day.
    pub fn provisioned(name: impl Into<String>, shards: u32) -> Self {
        Self {
            name: name.into(),
            mode: StreamMode::Provisioned,
            shards,
            retention_hours: MIN_RETENTION_HOURS,
            tags: BTreeMap::new(),
            is_internal: false,
        }
    }

    /// An on-demand stream: four shards, records kept for a day.
    pub fn on_demand(name: impl Into<String>) -> Self {
        Self { mode: StreamMode::OnDemand, ..Self::provisioned(name, 4) }
    }

    /// A stream of one shard that a room of the house keeps for itself: no list shows it, no limits hold for it, and its
    /// records stay until they are released, for a year at most.
    pub fn internal(room: &str, name: &str) -> Self {
        let plain = Self::provisioned(internal_name(room, name), 1);
        Self { retention_hours: MAX_RETENTION_HOURS, is_internal: true, ..plain }
    }

    pub(crate) fn check(&self) -> Result<()> {
        match self.name.split_once('/') {
            Some((room, name)) if self.is_internal => {
                check_name("room", room)?;
                check_name("stream", name)?;
            }
            _ => check_name("stream", &self.name)?,
        }
        check_retention(self.retention_hours)?;
        if !(1..=MAX_SHARDS).contains(&self.shards) {
            return Err(Error::invalid(format!(
                "a stream has 1 to {MAX_SHARDS} shards, not {}",
                self.shards
            )));
        }
        Ok(())
    }
}

/// A stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: Arn,
    /// What it is going through.
    pub status: StreamStatus,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// What can be changed about it.
    pub settings: StreamSettings,
    /// How many shards take records.
    pub open_shards: usize,
}

/// What can be changed about a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamSettings {
    /// Who decides on the number of shards.
    pub mode: StreamMode,
    /// How long records are kept.
    pub retention_hours: u32,
    /// Encryption, as far as the stream was told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// Names of the metrics that shards should report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shard_metrics: Vec<String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// A shard's number. As text `shardId-000000000007`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub u32);

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = *b"shardId-000000000000";
        crate::sequence::fill_digits(&mut text[8..], u64::from(self.0));
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl FromStr for ShardId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digits = text.strip_prefix("shardId-").unwrap_or(text);
        let number = (digits.len() <= 12 && digits.bytes().all(|b| b.is_ascii_digit()))
            .then(|| digits.parse().ok())
            .flatten();
        number.map(Self).ok_or_else(|| {
            Error::invalid(format!("`{}` is no shard id", text.chars().take(80).collect::<String>()))
                .hint("shard ids look like shardId-000000000000")
        })
    }
}

/// A range of hash keys, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashRange {
    /// The first key.
    pub first: u128,
    /// The last key.
    pub last: u128,
}

impl HashRange {
    /// Whether a key lies in it.
    pub fn contains(self, key: u128) -> bool {
        (self.first..=self.last).contains(&key)
    }

    /// All keys, cut evenly into that many ranges.
    pub fn even(count: u32) -> Vec<Self> {
        let count = u128::from(count.max(1));
        // 2^128 = width * count + rest: boundaries are rounded down, as exactly as 128 bits can say.
        let (width, rest) = (u128::MAX / count, u128::MAX % count + 1);
        let boundary = |n: u128| width * n + rest * n / count;
        (0..count)
            .map(|n| Self {
                first: boundary(n),
                last: if n + 1 == count { u128::MAX } else { boundary(n + 1) - 1 },
            })
            .collect()
    }
}

/// The hash key of a partition key: its MD5 as a number.
pub fn hash_key(partition_key: &str) -> u128 {
    u128::from_be_bytes(Md5::digest(partition_key.as_bytes()).into())
}

/// A shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// Its id.
    pub id: ShardId,
    /// The hash keys it takes, or took.
    pub range: HashRange,
    /// The shard it was made from.
    pub parent: Option<ShardId>,
    /// The other shard it was merged from.
    pub adjacent_parent: Option<ShardId>,
    /// Smaller than any of its records' numbers.
    pub starting: SequenceNumber,
    /// Greater than any of its records' numbers; a shard that has one is closed.
    pub ending: Option<SequenceNumber>,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it was closed.
    pub closed: Option<DateTime<Utc>>,
}

impl Shard {
    /// Whether it takes records.
    pub fn is_open(&self) -> bool {
        self.ending.is_none()
    }
}

/// A record to be put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// Chooses the shard by its hash: 1 to 256 characters.
    pub partition_key: String,
    /// Chooses the shard instead.
    pub explicit_hash_key: Option<u128>,
    /// The bytes.
    pub data: Bytes,
}

impl NewRecord {
    /// A record whose partition key chooses the shard.
    pub fn new(partition_key: impl Into<String>, data: impl Into<Bytes>) -> Self {
        Self { partition_key: partition_key.into(), explicit_hash_key: None, data: data.into() }
    }

    /// What it counts against limits.
    pub(crate) fn size(&self) -> usize {
        self.partition_key.len() + self.data.len()
    }

    pub(crate) fn hash(&self) -> u128 {
        self.explicit_hash_key.unwrap_or_else(|| hash_key(&self.partition_key))
    }
}

/// A record of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it stands.
    pub sequence_number: SequenceNumber,
    /// When it was taken, to the millisecond. It never falls within a shard.
    pub arrived: DateTime<Utc>,
    /// The partition key, and behind it the data: one piece of the batch that it was read with.
    bytes: Bytes,
    key: usize,
}

impl Record {
    /// A record whose partition key is that many first bytes, as a batch has them.
    pub(crate) fn new(
        sequence_number: SequenceNumber,
        arrived: DateTime<Utc>,
        mut bytes: Bytes,
        mut key: usize,
    ) -> Self {
        let (text, data) = bytes.split_at_checked(key).unwrap_or((&[], &bytes));
        if !text.is_ascii() && std::str::from_utf8(text).is_err() {
            // Only a damaged key is no UTF-8.
            let text = String::from_utf8_lossy(text).into_owned();
            key = text.len();
            bytes = [text.as_bytes(), data].concat().into();
        }
        Self { sequence_number, arrived, bytes, key }
    }

    /// Its partition key.
    pub fn partition_key(&self) -> &str {
        self.bytes.get(..self.key).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }

    /// Its data.
    #[inline]
    pub fn data(&self) -> &[u8] {
        self.bytes.get(self.key..).unwrap_or_default()
    }

    /// Its data, without a copy.
    pub fn shared_data(&self) -> Bytes {
        self.bytes.slice(self.key.min(self.bytes.len())..)
    }
}

/// Where a record that was put has come to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The shard.
    pub shard: ShardId,
    /// Its place there.
    pub sequence_number: SequenceNumber,
}

/// What a shard holds, and what went through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardUsage {
    /// The shard.
    pub shard: ShardId,
    /// Records that are kept; the oldest of them may be too old to be read any more, and wait to be deleted.
    pub records: u64,
    /// The bytes that they take.
    pub bytes: u64,
    /// Records that were ever put.
    pub records_in: u64,
    /// Records that were read since the log was opened; one that is read twice counts twice.
    pub records_out: u64,
    /// The bytes of these.
    pub bytes_out: u64,
    /// When the latest record was taken.
    pub last_arrival: Option<DateTime<Utc>>,
}

/// A registered consumer of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// Its name, unique in the stream.
    pub name: String,
    /// Its ARN.
    pub arn: Arn,
    /// When it was registered.
    pub created: DateTime<Utc>,
}

/// The name of a stream that a room keeps for itself. No other stream can have such a name.
pub fn internal_name(room: &str, name: &str) -> String {
    format!("{room}/{name}")
}

/// Whether a room keeps the stream of that name for itself.
pub(crate) fn is_internal(name: &str) -> bool {
    name.contains('/')
}

/// 1 to 128 letters, digits, `_`, `.`, `-`.
pub(crate) fn check_name(what: &str, name: &str) -> Result<()> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    if (1..=128).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "`{}` is no {what} name: it must be 1 to 128 letters, digits, `_`, `.` or `-`",
        name.chars().take(80).collect::<String>()
    )))
}

pub(crate) fn check_retention(hours: u32) -> Result<()> {
    if (MIN_RETENTION_HOURS..=MAX_RETENTION_HOURS).contains(&hours) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "records are kept for {MIN_RETENTION_HOURS} to {MAX_RETENTION_HOURS} hours, not {hours}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_ranges_cover_every_key_once() {
        for count in [1, 2, 3, 7, 100, MAX_SHARDS] {
            let ranges = HashRange::even(count);
            assert_eq!(ranges.len(), count as usize);
            assert_eq!((ranges[0].first, ranges[ranges.len() - 1].last), (0, u128::MAX));
            assert!(ranges.windows(2).all(|pair| pair[0].last + 1 == pair[1].first));
        }
        assert_eq!(HashRange::even(2)[1].first, 1 << 127);
        // As Kinesis cuts them.
        assert_eq!(HashRange::even(3)[1].first, 113_427_455_640_312_821_154_458_202_477_256_070_485);
    }

    #[test]
    fn keys_are_hashed_by_md5() {
        assert_eq!(format!("{:032x}", hash_key("")), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(format!("{:032x}", hash_key("abc")), "900150983cd24fb0d6963f7d28e17f72");
    }

    #[test]
    fn shard_ids_and_back() {
        assert_eq!(ShardId(7).to_string(), "shardId-000000000007");
        assert_eq!("shardId-000000000007".parse::<ShardId>().unwrap(), ShardId(7));
        for bad in ["", "shardId-", "shardId-x", "shardId--1", "shardId-9999999999999"] {
            assert!(bad.parse::<ShardId>().is_err(), "{bad}");
        }
    }
}
