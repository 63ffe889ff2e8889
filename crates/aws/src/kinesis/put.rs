//! Records put into streams. Their bytes go from the request to the log as they are, without a further copy.

use super::naming::StreamRef;
use super::shapes::{encryption, no_trial};
use super::{Kinesis, data_code};
use crate::fault::sentence;
use crate::json::{Blob, Call, Input, Shown};
use ::streams::{NewRecord, SequenceNumber, ShardId};
use model::{Error, Result};
use serde::{Deserialize, Serialize};

/// The most records of a call.
const MAX_RECORDS: usize = 500;
/// The most bytes of a call, keys and data together.
const MAX_BYTES: usize = 5 << 20;

/// A hash key: a number of 128 bits, in decimal digits.
pub(super) fn hash_key(member: &str, text: &str) -> Result<u128> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| {
        Error::invalid(format!("{member} must be a number from 0 to {}, not `{text}`", u128::MAX))
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    data: Blob,
    partition_key: Option<String>,
    explicit_hash_key: Option<String>,
}

impl Entry {
    fn into_record(self) -> Result<NewRecord> {
        let partition_key = self
            .partition_key
            .ok_or_else(|| Error::invalid("PartitionKey is missing").hint("it chooses the record's shard"))?;
        let explicit = self.explicit_hash_key.as_deref();
        Ok(NewRecord {
            partition_key,
            explicit_hash_key: explicit.map(|text| hash_key("ExplicitHashKey", text)).transpose()?,
            data: self.data.0,
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutMany {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    stream_id: Option<String>,
    records: Vec<Entry>,
    dry_run: Option<bool>,
}

impl PutMany {
    fn stream(&self) -> StreamRef {
        StreamRef {
            stream_name: self.stream_name.clone(),
            stream_arn: self.stream_arn.clone(),
            stream_id: self.stream_id.clone(),
        }
    }
}

impl Input for PutMany {
    fn resources(&self) -> Vec<String> {
        self.stream().resources()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutResults {
    failed_record_count: usize,
    records: Vec<PutResult>,
    encryption_type: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase", untagged)]
enum PutResult {
    #[serde(rename_all = "PascalCase")]
    Placed { sequence_number: Shown<SequenceNumber>, shard_id: Shown<ShardId> },
    #[serde(rename_all = "PascalCase")]
    Failed { error_code: &'static str, error_message: String },
}

pub(super) async fn many(kinesis: Kinesis, call: Call, input: PutMany) -> Result<PutResults> {
    no_trial(input.dry_run)?;
    let stream = kinesis.log.stream(&input.stream().name(&call)?).await?;
    if !(1..=MAX_RECORDS).contains(&input.records.len()) {
        return Err(Error::invalid(format!(
            "a call puts 1 to {MAX_RECORDS} records, not {}",
            input.records.len()
        )));
    }
    let mut records = Vec::with_capacity(input.records.len());
    let mut bytes = 0;
    for (at, entry) in input.records.into_iter().enumerate() {
        let record = entry.into_record().map_err(|error| error.context(format!("record {}", at + 1)))?;
        bytes += record.partition_key.len() + record.data.len();
        records.push(record);
    }
    if bytes > MAX_BYTES {
        return Err(Error::invalid(format!(
            "a call puts at most {MAX_BYTES} bytes of data and partition keys, not {bytes}"
        ))
        .hint("put the records in several calls"));
    }
    let placed = kinesis.log.put_many(&stream.name, records).await?;
    let records: Vec<PutResult> = placed
        .into_iter()
        .map(|placed| match placed {
            Ok(placed) => PutResult::Placed {
                sequence_number: Shown(placed.sequence_number),
                shard_id: Shown(placed.shard),
            },
            Err(error) => PutResult::Failed {
                // What is no limit is the server's fault here; clients know it by this name.
                error_code: match data_code(error.kind()) {
                    "InternalFailureException" => "InternalFailure",
                    code => code,
                },
                error_message: sentence(&error),
            },
        })
        .collect();
    let failed = records.iter().filter(|result| matches!(result, PutResult::Failed { .. })).count();
    Ok(PutResults { failed_record_count: failed, records, encryption_type: encryption(&stream) })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutOne {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    stream_id: Option<String>,
    data: Blob,
    partition_key: Option<String>,
    explicit_hash_key: Option<String>,
    sequence_number_for_ordering: Option<String>,
    dry_run: Option<bool>,
}

impl PutOne {
    fn stream(&self) -> StreamRef {
        StreamRef {
            stream_name: self.stream_name.clone(),
            stream_arn: self.stream_arn.clone(),
            stream_id: self.stream_id.clone(),
        }
    }
}

impl Input for PutOne {
    fn resources(&self) -> Vec<String> {
        self.stream().resources()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Put {
    shard_id: String,
    sequence_number: String,
    encryption_type: &'static str,
}

pub(super) async fn one(kinesis: Kinesis, call: Call, input: PutOne) -> Result<Put> {
    no_trial(input.dry_run)?;
    let stream = kinesis.log.stream(&input.stream().name(&call)?).await?;
    // Records of a shard always keep their order, so there is nothing to do for it but to look at the number.
    if let Some(number) = &input.sequence_number_for_ordering {
        number.parse::<SequenceNumber>()?;
    }
    let entry = Entry {
        data: input.data,
        partition_key: input.partition_key,
        explicit_hash_key: input.explicit_hash_key,
    };
    let placed = kinesis.log.put_many(&stream.name, vec![entry.into_record()?]).await?;
    let placed = placed.into_iter().next().ok_or_else(|| Error::internal("the log has lost a record"))??;
    Ok(Put {
        shard_id: placed.shard.to_string(),
        sequence_number: placed.sequence_number.to_string(),
        encryption_type: encryption(&stream),
    })
}
