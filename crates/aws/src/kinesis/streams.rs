//! Streams: made, deleted, described, listed, changed.

use super::naming::{StreamRef, stream_arn};
use super::shapes::{ModeDetails, Shard, encryption, limit, status};
use super::{Done, Kinesis};
use crate::json::{Answered, Call, Failed, Input, Moment, token};
use crate::page::write_token;
use crate::tags::{self, Tags};
use ::streams::{
    Encryption, MAX_RETENTION_HOURS, MIN_RETENTION_HOURS, NewStream, ShardFilter, Stream, StreamMode,
};
use model::{Error, Result};
use serde::{Deserialize, Serialize};

/// What Kinesis gives to an on-demand stream, and to a stream whose request says nothing of its records' size.
const USUAL_RECORD_KIB: i64 = 1024;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    stream_name: String,
    shard_count: Option<u32>,
    stream_mode_details: Option<ModeDetails>,
    #[serde(default)]
    tags: Tags,
    warm_throughput_mi_bps: Option<i64>,
    #[serde(rename = "MaxRecordSizeInKiB")]
    max_record_size: Option<i64>,
    record_distribution_strategy: Option<String>,
}

impl Input for Create {
    fn resources(&self) -> Vec<String> {
        vec![format!("stream/{}", self.stream_name)]
    }
}

pub(super) async fn create(kinesis: Kinesis, _: Call, input: Create) -> Answered<Done> {
    for (member, is_other) in [
        ("WarmThroughputMiBps", input.warm_throughput_mi_bps.is_some()),
        ("MaxRecordSizeInKiB", input.max_record_size.is_some_and(|size| size != USUAL_RECORD_KIB)),
        (
            "RecordDistributionStrategy",
            input.record_distribution_strategy.is_some_and(|strategy| strategy != "USER_PARTITION_KEY"),
        ),
    ] {
        if is_other {
            return Err(Error::unsupported(format!("{member} is not supported here"))
                .hint("leave it away: records have up to 1 MiB, and their partition keys choose the shard")
                .into());
        }
    }
    tags::check(&input.tags)?;
    let mode = input.stream_mode_details.map_or(StreamMode::Provisioned, |details| details.stream_mode);
    let mut new = match (mode, input.shard_count) {
        (StreamMode::Provisioned, Some(count)) => NewStream::provisioned(input.stream_name, count),
        (StreamMode::OnDemand, None) => NewStream::on_demand(input.stream_name),
        (StreamMode::Provisioned, None) => {
            let error = Error::invalid("ShardCount must be given for a stream in provisioned mode");
            return Err(Failed::coded("ValidationException", error));
        }
        (StreamMode::OnDemand, Some(_)) => {
            let error = Error::invalid("ShardCount must not be given for a stream in on-demand mode");
            return Err(Failed::coded("ValidationException", error));
        }
    };
    new.tags = input.tags;
    kinesis.log.create_stream(new).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    #[serde(flatten)]
    stream: StreamRef,
    enforce_consumer_deletion: Option<bool>,
}

impl Input for Delete {
    fn resources(&self) -> Vec<String> {
        self.stream.resources()
    }
}

pub(super) async fn delete(kinesis: Kinesis, call: Call, input: Delete) -> Result<Done> {
    let name = input.stream.name(&call)?;
    let consumers = kinesis.log.list_consumers(&name).await?;
    kinesis.log.delete_stream(&name, input.enforce_consumer_deletion.unwrap_or(false)).await?;
    for consumer in consumers {
        tags::forget(&kinesis.documents, &consumer.arn.to_string()).await?;
    }
    Ok(Done {})
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EnhancedMetrics {
    shard_level_metrics: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Describe {
    #[serde(flatten)]
    stream: StreamRef,
    limit: Option<i64>,
    exclusive_start_shard_id: Option<String>,
}

impl Input for Describe {
    fn resources(&self) -> Vec<String> {
        self.stream.resources()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Described {
    stream_description: Description,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    stream_name: String,
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    stream_status: &'static str,
    stream_mode_details: ModeDetails,
    shards: Vec<Shard>,
    has_more_shards: bool,
    retention_period_hours: u32,
    stream_creation_timestamp: Moment,
    enhanced_monitoring: [EnhancedMetrics; 1],
    encryption_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
}

fn key_id(stream: &Stream) -> Option<String> {
    stream.settings.encryption.as_ref().map(|encryption| encryption.key_id.clone())
}

pub(super) async fn describe(kinesis: Kinesis, call: Call, input: Describe) -> Result<Described> {
    let stream = kinesis.log.stream(&input.stream.name(&call)?).await?;
    let most = limit("Limit", input.limit, 100, 10_000)?;
    let filter = match &input.exclusive_start_shard_id {
        None => ShardFilter::FromTrimHorizon,
        Some(id) => ShardFilter::AfterShardId(id.parse()?),
    };
    let all = kinesis.log.list_shards(&stream.name, filter).await?;
    Ok(Described {
        stream_description: Description {
            stream_arn: stream_arn(&call, &stream),
            stream_status: status(&stream),
            stream_mode_details: ModeDetails { stream_mode: stream.settings.mode },
            shards: all.iter().take(most).map(Shard::from).collect(),
            has_more_shards: all.len() > most,
            retention_period_hours: stream.settings.retention_hours,
            stream_creation_timestamp: Moment(stream.created),
            enhanced_monitoring: [EnhancedMetrics {
                shard_level_metrics: stream.settings.shard_metrics.clone(),
            }],
            encryption_type: encryption(&stream),
            key_id: key_id(&stream),
            stream_name: stream.name,
        },
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Summarize {
    #[serde(flatten)]
    stream: StreamRef,
}

impl Input for Summarize {
    fn resources(&self) -> Vec<String> {
        self.stream.resources()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Summarized {
    stream_description_summary: Summary,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    stream_name: String,
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    stream_status: &'static str,
    stream_mode_details: ModeDetails,
    retention_period_hours: u32,
    stream_creation_timestamp: Moment,
    enhanced_monitoring: [EnhancedMetrics; 1],
    encryption_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    open_shard_count: usize,
    consumer_count: usize,
    #[serde(rename = "MaxRecordSizeInKiB")]
    max_record_size: i64,
}

pub(super) async fn summary(kinesis: Kinesis, call: Call, input: Summarize) -> Result<Summarized> {
    let stream = kinesis.log.stream(&input.stream.name(&call)?).await?;
    let consumers = kinesis.log.list_consumers(&stream.name).await?;
    Ok(Summarized {
        stream_description_summary: Summary {
            stream_arn: stream_arn(&call, &stream),
            stream_status: status(&stream),
            stream_mode_details: ModeDetails { stream_mode: stream.settings.mode },
            retention_period_hours: stream.settings.retention_hours,
            stream_creation_timestamp: Moment(stream.created),
            enhanced_monitoring: [EnhancedMetrics {
                shard_level_metrics: stream.settings.shard_metrics.clone(),
            }],
            encryption_type: encryption(&stream),
            key_id: key_id(&stream),
            open_shard_count: stream.open_shards,
            consumer_count: consumers.len(),
            max_record_size: USUAL_RECORD_KIB,
            stream_name: stream.name,
        },
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    limit: Option<i64>,
    exclusive_start_stream_name: Option<String>,
    next_token: Option<String>,
}

impl Input for List {
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    stream_names: Vec<String>,
    has_more_streams: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    stream_summaries: Vec<ShortSummary>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShortSummary {
    stream_name: String,
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    stream_status: &'static str,
    stream_mode_details: ModeDetails,
    stream_creation_timestamp: Moment,
}

pub(super) async fn list(kinesis: Kinesis, call: Call, input: List) -> Result<Listed> {
    let most = limit("Limit", input.limit, 100, 10_000)?;
    let after = token(input.next_token.as_deref())?.or(input.exclusive_start_stream_name);
    let mut streams = kinesis.log.list_streams(after.as_deref(), most + 1).await?;
    let has_more_streams = streams.len() > most;
    streams.truncate(most);
    Ok(Listed {
        stream_names: streams.iter().map(|stream| stream.name.clone()).collect(),
        has_more_streams,
        next_token: streams.last().filter(|_| has_more_streams).map(|last| write_token(&last.name)),
        stream_summaries: streams
            .iter()
            .map(|stream| ShortSummary {
                stream_name: stream.name.clone(),
                stream_arn: stream_arn(&call, stream),
                stream_status: status(stream),
                stream_mode_details: ModeDetails { stream_mode: stream.settings.mode },
                stream_creation_timestamp: Moment(stream.created),
            })
            .collect(),
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeMode {
    #[serde(flatten)]
    stream: StreamRef,
    stream_mode_details: ModeDetails,
    warm_throughput_mi_bps: Option<i64>,
}

impl Input for ChangeMode {
    fn resources(&self) -> Vec<String> {
        self.stream.resources()
    }
}

pub(super) async fn mode(kinesis: Kinesis, call: Call, input: ChangeMode) -> Result<Done> {
    if input.warm_throughput_mi_bps.is_some() {
        return Err(Error::unsupported("WarmThroughputMiBps is not supported here"));
    }
    let mode = input.stream_mode_details.stream_mode;
    let change = move |settings: &mut ::streams::StreamSettings| {
        settings.mode = mode;
        Ok(())
    };
    kinesis.log.change_stream(&input.stream.name(&call)?, Box::new(change)).await?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeRetention {
    #[serde(flatten)]
    stream: StreamRef,
    retention_period_hours: i64,
}

impl Input for ChangeRetention {
    fn resources(&self) -> Vec<String> {
        self.stream.resources()
    }
}

async fn retain(kinesis: Kinesis, call: Call, input: ChangeRetention, longer: bool) -> Result<Done> {
    let wanted = u32::try_from(input.retention_period_hours)
        .ok()
        .filter(|hours| (MIN_RETENTION_HOURS..=MAX_RETENTION_HOURS).contains(hours))
        .ok_or_else(|| {
            Error::invalid(format!(
                "RetentionPeriodHours must be from {MIN_RETENTION_HOURS} to {MAX_RETENTION_HOURS}, not {}",
                input.retention_period_hours
            ))
        })?;
    let change = move |settings: &mut ::streams::StreamSettings| {
        let now = settings.retention_hours;
        if longer && wanted <= now || !longer && wanted >= now {
            let way = if longer { "longer" } else { "shorter" };
            return Err(Error::invalid(format!(
                "the stream keeps records for {now} hours: {wanted} are not {way} than that"
            )));
        }
        settings.retention_hours = wanted;
        Ok(())
    };
    kinesis.log.change_stream(&input.stream.name(&call)?, Box::new(change)).await?;
    Ok(Done {})
}

pub(super) async fn increase(kinesis: Kinesis, call: Call, input: ChangeRetention) -> Result<Done> {
    retain(kinesis, call, input, true).await
}

pub(super) async fn decrease(kinesis: Kinesis, call: Call, input: ChangeRetention) -> Result<Done> {
    retain(kinesis, call, input, false).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeEncryption {
    #[serde(flatten)]
    stream: StreamRef,
    encryption_type: String,
    key_id: String,
}

impl Input for ChangeEncryption {
    fn resources(&self) -> Vec<String> {
        self.stream.resources()
    }
}

async fn change_encryption(
    kinesis: Kinesis,
    call: Call,
    input: ChangeEncryption,
    starts: bool,
) -> Result<Done> {
    if input.encryption_type != "KMS" {
        return Err(Error::invalid(format!("EncryptionType must be KMS, not `{}`", input.encryption_type)));
    }
    let encryption = starts.then_some(Encryption { key_id: input.key_id });
    let change = move |settings: &mut ::streams::StreamSettings| {
        settings.encryption = encryption;
        Ok(())
    };
    kinesis.log.change_stream(&input.stream.name(&call)?, Box::new(change)).await?;
    Ok(Done {})
}

pub(super) async fn encrypt(kinesis: Kinesis, call: Call, input: ChangeEncryption) -> Result<Done> {
    change_encryption(kinesis, call, input, true).await
}

pub(super) async fn decrypt(kinesis: Kinesis, call: Call, input: ChangeEncryption) -> Result<Done> {
    change_encryption(kinesis, call, input, false).await
}
