//! Tables of the database `system` that only the whole platform knows: streams, their shards, jobs, buckets.

use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringViewArray, TimestampMillisecondArray};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use engine::{Engine, SystemTable};
use jobs::Jobs;
use lake::Lake;
use model::Result;
use sql::SqlType;
use std::sync::Arc;
use streams::{Log, ShardFilter, Stream, StreamMode, StreamStatus};

/// How many streams are asked for at one time.
const PAGE: usize = 500;

/// Hands the tables to the engine.
pub(crate) fn register(engine: &Engine, log: &Arc<dyn Log>, jobs: &Jobs, lake: &Lake) {
    engine.add_system_table(Arc::new(Streams(Arc::clone(log))));
    engine.add_system_table(Arc::new(Shards(Arc::clone(log))));
    engine.add_system_table(Arc::new(KeptJobs(jobs.clone())));
    engine.add_system_table(Arc::new(Buckets(lake.clone())));
}

struct Streams(Arc<dyn Log>);
struct Shards(Arc<dyn Log>);
struct KeptJobs(Jobs);
struct Buckets(Lake);

async fn all_streams(log: &dyn Log) -> Result<Vec<Stream>> {
    let mut all: Vec<Stream> = Vec::new();
    loop {
        let page = log.list_streams(all.last().map(|stream| stream.name.as_str()), PAGE).await?;
        let is_last = page.len() < PAGE;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

fn texts(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.collect::<StringViewArray>())
}

fn times(values: impl Iterator<Item = Option<DateTime<Utc>>>) -> ArrayRef {
    let millis = values.map(|time| time.map(|time| time.timestamp_millis()));
    Arc::new(millis.collect::<TimestampMillisecondArray>().with_timezone("UTC"))
}

fn numbers(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

#[async_trait]
impl SystemTable for Streams {
    fn name(&self) -> &'static str {
        "streams"
    }

    fn columns(&self) -> Vec<(&'static str, SqlType)> {
        vec![
            ("name", SqlType::VARCHAR),
            ("status", SqlType::VARCHAR),
            ("mode", SqlType::VARCHAR),
            ("open_shards", SqlType::BigInt),
            ("retention_hours", SqlType::BigInt),
            ("created", SqlType::timestamp_utc(3)),
        ]
    }

    async fn rows(&self) -> Result<Vec<ArrayRef>> {
        let all = all_streams(self.0.as_ref()).await?;
        let status = |stream: &Stream| match stream.status {
            StreamStatus::Active => "ACTIVE",
            StreamStatus::Deleting => "DELETING",
        };
        let mode = |stream: &Stream| match stream.settings.mode {
            StreamMode::OnDemand => "ON_DEMAND",
            StreamMode::Provisioned => "PROVISIONED",
        };
        Ok(vec![
            texts(all.iter().map(|stream| Some(stream.name.clone()))),
            texts(all.iter().map(|stream| Some(status(stream).to_owned()))),
            texts(all.iter().map(|stream| Some(mode(stream).to_owned()))),
            numbers(all.iter().map(|stream| i64::try_from(stream.open_shards).ok())),
            numbers(all.iter().map(|stream| Some(i64::from(stream.settings.retention_hours)))),
            times(all.iter().map(|stream| Some(stream.created))),
        ])
    }
}

#[async_trait]
impl SystemTable for Shards {
    fn name(&self) -> &'static str {
        "shards"
    }

    fn columns(&self) -> Vec<(&'static str, SqlType)> {
        vec![
            ("stream", SqlType::VARCHAR),
            ("shard", SqlType::VARCHAR),
            ("parent", SqlType::VARCHAR),
            ("open", SqlType::Boolean),
            ("created", SqlType::timestamp_utc(3)),
            ("closed", SqlType::timestamp_utc(3)),
        ]
    }

    async fn rows(&self) -> Result<Vec<ArrayRef>> {
        let mut all = Vec::new();
        for stream in all_streams(self.0.as_ref()).await? {
            match self.0.list_shards(&stream.name, ShardFilter::FromTrimHorizon).await {
                Ok(shards) => all.extend(shards.into_iter().map(|shard| (stream.name.clone(), shard))),
                // It was deleted meanwhile.
                Err(error) if error.kind() == model::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(vec![
            texts(all.iter().map(|(stream, _)| Some(stream.clone()))),
            texts(all.iter().map(|(_, shard)| Some(shard.id.to_string()))),
            texts(all.iter().map(|(_, shard)| shard.parent.map(|parent| parent.to_string()))),
            Arc::new(all.iter().map(|(_, shard)| Some(shard.is_open())).collect::<BooleanArray>()),
            times(all.iter().map(|(_, shard)| Some(shard.created))),
            times(all.iter().map(|(_, shard)| shard.closed)),
        ])
    }
}

#[async_trait]
impl SystemTable for KeptJobs {
    fn name(&self) -> &'static str {
        "jobs"
    }

    fn columns(&self) -> Vec<(&'static str, SqlType)> {
        vec![
            ("name", SqlType::VARCHAR),
            ("created", SqlType::timestamp_utc(3)),
            ("modified", SqlType::timestamp_utc(3)),
        ]
    }

    async fn rows(&self) -> Result<Vec<ArrayRef>> {
        let all = self.0.list().await?;
        Ok(vec![
            texts(all.iter().map(|job| Some(job.name.clone()))),
            times(all.iter().map(|job| Some(job.created))),
            times(all.iter().map(|job| Some(job.modified))),
        ])
    }
}

#[async_trait]
impl SystemTable for Buckets {
    fn name(&self) -> &'static str {
        "buckets"
    }

    fn columns(&self) -> Vec<(&'static str, SqlType)> {
        vec![("name", SqlType::VARCHAR), ("created", SqlType::timestamp_utc(3))]
    }

    async fn rows(&self) -> Result<Vec<ArrayRef>> {
        let all = self.0.list_buckets().await?;
        Ok(vec![
            texts(all.iter().map(|bucket| Some(bucket.name.to_string()))),
            times(all.iter().map(|bucket| bucket.created)),
        ])
    }
}
