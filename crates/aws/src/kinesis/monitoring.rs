//! Metrics of shards, which are noted and answered, and the account's limits.

use super::Kinesis;
use super::naming::{StreamRef, stream_arn};
use crate::json::{Call, Input};
use ::streams::{MAX_SHARDS, StreamMode};
use model::{Error, Result};
use serde::{Deserialize, Serialize};

const METRICS: [&str; 7] = [
    "IncomingBytes",
    "IncomingRecords",
    "OutgoingBytes",
    "OutgoingRecords",
    "WriteProvisionedThroughputExceeded",
    "ReadProvisionedThroughputExceeded",
    "IteratorAgeMilliseconds",
];
/// As many streams as a listing of all can hold.
const MOST_STREAMS: usize = 100_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Change {
    #[serde(flatten)]
    stream: StreamRef,
    shard_level_metrics: Vec<String>,
}

impl Input for Change {
    fn resources(&self) -> Vec<String> {
        self.stream.resources()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Changed {
    stream_name: String,
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    current_shard_level_metrics: Vec<String>,
    desired_shard_level_metrics: Vec<String>,
}

async fn change(kinesis: Kinesis, call: Call, input: Change, wanted: bool) -> Result<Changed> {
    let name = input.stream.name(&call)?;
    let mut named: Vec<&'static str> = Vec::new();
    for metric in &input.shard_level_metrics {
        match METRICS.iter().find(|known| *known == metric) {
            Some(known) => named.push(known),
            None if metric == "ALL" => named.extend(METRICS),
            None => {
                return Err(Error::invalid(format!("there is no shard-level metric `{metric}`"))
                    .hint(format!("those that are there: {}, ALL", METRICS.join(", "))));
            }
        }
    }
    if named.is_empty() {
        return Err(Error::invalid("ShardLevelMetrics must name at least one metric"));
    }
    let before = kinesis.log.stream(&name).await?;
    let change = move |settings: &mut ::streams::StreamSettings| {
        settings.shard_metrics.retain(|metric| !named.contains(&metric.as_str()));
        if wanted {
            settings.shard_metrics.extend(named.iter().map(|metric| (*metric).to_owned()));
            settings.shard_metrics.sort();
            settings.shard_metrics.dedup();
        }
        Ok(())
    };
    let after = kinesis.log.change_stream(&name, Box::new(change)).await?;
    Ok(Changed {
        stream_arn: stream_arn(&call, &after),
        stream_name: name,
        current_shard_level_metrics: before.settings.shard_metrics,
        desired_shard_level_metrics: after.settings.shard_metrics,
    })
}

pub(super) async fn enable(kinesis: Kinesis, call: Call, input: Change) -> Result<Changed> {
    change(kinesis, call, input, true).await
}

pub(super) async fn disable(kinesis: Kinesis, call: Call, input: Change) -> Result<Changed> {
    change(kinesis, call, input, false).await
}

#[derive(Debug, Deserialize)]
pub(super) struct Limits {}

impl Input for Limits {
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AccountLimits {
    shard_limit: usize,
    open_shard_count: usize,
    on_demand_stream_count: usize,
    on_demand_stream_count_limit: usize,
}

/// An account has no limits of its own here; those that are answered leave room for one more of the largest streams.
pub(super) async fn limits(kinesis: Kinesis, _: Call, _: Limits) -> Result<AccountLimits> {
    let all = kinesis.log.list_streams(None, MOST_STREAMS).await?;
    let open_shard_count = all.iter().map(|stream| stream.open_shards).sum::<usize>();
    let on_demand = all.iter().filter(|stream| stream.settings.mode == StreamMode::OnDemand).count();
    Ok(AccountLimits {
        shard_limit: open_shard_count + MAX_SHARDS as usize,
        open_shard_count,
        on_demand_stream_count: on_demand,
        on_demand_stream_count_limit: MOST_STREAMS,
    })
}
