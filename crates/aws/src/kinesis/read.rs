//! Reading: iterators and records.

use super::Kinesis;
use super::naming::StreamRef;
use super::shapes::{ChildShard, Record, encryption, limit, no_trial, records as shown};
use crate::json::{Call, Input, Moment};
use ::streams::{ReadOptions, ShardIterator, StartAt};
use model::{Error, Result};
use serde::{Deserialize, Serialize};

/// Where reading begins, as requests say it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Start {
    #[serde(rename = "Type")]
    pub(super) kind: String,
    pub(super) sequence_number: Option<String>,
    pub(super) timestamp: Option<Moment>,
}

impl Start {
    /// The same in the log's words.
    pub(super) fn ours(&self) -> Result<StartAt> {
        let missing = |member: &str| Error::invalid(format!("{} needs a {member}", self.kind));
        let number = || {
            let text = self.sequence_number.as_deref();
            text.ok_or_else(|| missing("sequence number"))?.parse()
        };
        Ok(match self.kind.as_str() {
            "TRIM_HORIZON" => StartAt::TrimHorizon,
            "LATEST" => StartAt::Latest,
            "AT_SEQUENCE_NUMBER" => StartAt::AtSequenceNumber(number()?),
            "AFTER_SEQUENCE_NUMBER" => StartAt::AfterSequenceNumber(number()?),
            "AT_TIMESTAMP" => StartAt::AtTimestamp(self.timestamp.ok_or_else(|| missing("timestamp"))?.0),
            other => {
                return Err(Error::invalid(format!("there is no type of iterators `{other}`")).hint(
                    "write TRIM_HORIZON, LATEST, AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER or AT_TIMESTAMP",
                ));
            }
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetIterator {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    stream_id: Option<String>,
    shard_id: String,
    shard_iterator_type: String,
    starting_sequence_number: Option<String>,
    timestamp: Option<Moment>,
    dry_run: Option<bool>,
}

impl GetIterator {
    fn stream(&self) -> StreamRef {
        StreamRef {
            stream_name: self.stream_name.clone(),
            stream_arn: self.stream_arn.clone(),
            stream_id: self.stream_id.clone(),
        }
    }
}

impl Input for GetIterator {
    fn resources(&self) -> Vec<String> {
        self.stream().resources()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotIterator {
    shard_iterator: String,
}

pub(super) async fn iterator(kinesis: Kinesis, call: Call, input: GetIterator) -> Result<GotIterator> {
    no_trial(input.dry_run)?;
    let name = input.stream().name(&call)?;
    let start = Start {
        kind: input.shard_iterator_type,
        sequence_number: input.starting_sequence_number,
        timestamp: input.timestamp,
    };
    let iterator = kinesis.log.iterator(&name, input.shard_id.parse()?, start.ours()?).await?;
    Ok(GotIterator { shard_iterator: iterator.to_string() })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Get {
    shard_iterator: String,
    limit: Option<i64>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    dry_run: Option<bool>,
}

impl Input for Get {
    /// The stream that the iterator is of. Whatever ARN stands beside it: the right to read this one is needed.
    fn resources(&self) -> Vec<String> {
        let stream = self.shard_iterator.parse::<ShardIterator>().map_or_else(|_| "*".into(), |it| it.stream);
        vec![format!("stream/{stream}")]
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Got {
    records: Vec<Record>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_shard_iterator: Option<String>,
    millis_behind_latest: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    child_shards: Vec<ChildShard>,
}

pub(super) async fn records(kinesis: Kinesis, call: Call, input: Get) -> Result<Got> {
    no_trial(input.dry_run)?;
    let iterator: ShardIterator = input.shard_iterator.parse()?;
    if input.stream_arn.is_some() {
        let named = StreamRef { stream_arn: input.stream_arn, ..StreamRef::default() }.name(&call)?;
        if named != iterator.stream {
            return Err(Error::invalid(format!(
                "the iterator is of the stream `{}`, but StreamARN names `{named}`",
                iterator.stream
            )));
        }
    }
    let stream = kinesis.log.stream(&iterator.stream).await?;
    let most = limit("Limit", input.limit, 10_000, 10_000)?;
    let options = ReadOptions { limit: most, ..ReadOptions::default() };
    let read = kinesis.log.get_records(&iterator, options).await?;
    Ok(Got {
        records: shown(read.records, encryption(&stream)),
        next_shard_iterator: read.next.map(|next| next.to_string()),
        millis_behind_latest: read.behind.num_milliseconds(),
        child_shards: read.children.iter().map(ChildShard::from).collect(),
    })
}
