//! Shapes that several operations answer.

use crate::json::{Blob, Moment, Shown};
use ::streams::{
    HashRange, Record as OurRecord, SequenceNumber, Shard as OurShard, Stream, StreamMode, StreamStatus,
};
use model::{Error, Result};
use serde::{Deserialize, Serialize};

/// Who decides on the number of shards.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ModeDetails {
    pub(super) stream_mode: StreamMode,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Keys {
    starting_hash_key: String,
    ending_hash_key: String,
}

impl From<HashRange> for Keys {
    fn from(range: HashRange) -> Self {
        Self { starting_hash_key: range.first.to_string(), ending_hash_key: range.last.to_string() }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Numbers {
    starting_sequence_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending_sequence_number: Option<String>,
}

/// A shard.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Shard {
    shard_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_shard_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adjacent_parent_shard_id: Option<String>,
    hash_key_range: Keys,
    sequence_number_range: Numbers,
}

impl From<&OurShard> for Shard {
    fn from(shard: &OurShard) -> Self {
        Self {
            shard_id: shard.id.to_string(),
            parent_shard_id: shard.parent.map(|id| id.to_string()),
            adjacent_parent_shard_id: shard.adjacent_parent.map(|id| id.to_string()),
            hash_key_range: shard.range.into(),
            sequence_number_range: Numbers {
                starting_sequence_number: shard.starting.to_string(),
                ending_sequence_number: shard.ending.map(|number| number.to_string()),
            },
        }
    }
}

/// A shard that was made from the one that has just been read to its end.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChildShard {
    shard_id: String,
    parent_shards: Vec<String>,
    hash_key_range: Keys,
}

impl From<&OurShard> for ChildShard {
    fn from(shard: &OurShard) -> Self {
        let parents = [shard.parent, shard.adjacent_parent];
        Self {
            shard_id: shard.id.to_string(),
            parent_shards: parents.iter().flatten().map(ToString::to_string).collect(),
            hash_key_range: shard.range.into(),
        }
    }
}

/// A record that was read.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Record {
    sequence_number: Shown<SequenceNumber>,
    approximate_arrival_timestamp: Moment,
    data: Blob,
    partition_key: String,
    encryption_type: &'static str,
}

/// Records as they are answered.
pub(super) fn records(records: Vec<OurRecord>, encryption_type: &'static str) -> Vec<Record> {
    let shown = |record: OurRecord| Record {
        sequence_number: Shown(record.sequence_number),
        approximate_arrival_timestamp: Moment(record.arrived),
        partition_key: record.partition_key().to_owned(),
        data: Blob(record.shared_data()),
        encryption_type,
    };
    records.into_iter().map(shown).collect()
}

/// Whether a stream was told to encrypt its records.
pub(super) fn encryption(stream: &Stream) -> &'static str {
    if stream.settings.encryption.is_some() { "KMS" } else { "NONE" }
}

pub(super) fn status(stream: &Stream) -> &'static str {
    match stream.status {
        StreamStatus::Active => "ACTIVE",
        StreamStatus::Deleting => "DELETING",
    }
}

/// A page's size: what is asked for, within the limits.
pub(super) fn limit(member: &str, asked: Option<i64>, usual: usize, most: usize) -> Result<usize> {
    match asked {
        None => Ok(usual),
        Some(count) => match usize::try_from(count) {
            Ok(count) if (1..=most).contains(&count) => Ok(count),
            _ => Err(Error::invalid(format!("{member} must be from 1 to {most}, not {count}"))),
        },
    }
}

/// Refuses the trial of an operation, which would have to answer without doing it.
pub(super) fn no_trial(wanted: Option<bool>) -> Result<()> {
    match wanted {
        Some(true) => Err(Error::unsupported("DryRun is not supported here").hint("leave DryRun away")),
        _ => Ok(()),
    }
}
