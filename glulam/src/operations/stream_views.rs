//! Streams and applications as the console looks at them: what shards hold, records from a place on, an application with
//! its dataflow and its run.

use super::Operation;
use super::streams::{StreamShown, shown};
use crate::platform::Platform;
use apps::{Application, FlowStep, Snapshot};
use chrono::{DateTime, Utc};
use model::{Diagnosis, Result};
use serde::{Deserialize, Serialize};
use state::runs::Run;
use std::collections::BTreeMap;
use streams::{ReadOptions, ShardFilter, ShardId, ShardIterator, StartAt};

/// The most records of one look, and their bytes.
const MOST_RECORDS: usize = 1000;
const MOST_BYTES: usize = 2 << 20;

/// One stream: its shards with what they hold, and who reads it under a name of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DescribeStream {
    pub(crate) name: String,
}

/// What [`DescribeStream`] answers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StreamDescription {
    pub(crate) stream: StreamShown,
    pub(crate) shards: Vec<ShardShown>,
    pub(crate) consumers: Vec<String>,
}

/// A shard as people see it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShardShown {
    pub(crate) id: String,
    pub(crate) parent: Option<String>,
    pub(crate) adjacent_parent: Option<String>,
    /// The hash keys, in hexadecimal digits.
    pub(crate) first_hash: String,
    pub(crate) last_hash: String,
    pub(crate) created: DateTime<Utc>,
    pub(crate) closed: Option<DateTime<Utc>>,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    pub(crate) records_in: u64,
    pub(crate) records_out: u64,
    pub(crate) last_arrival: Option<DateTime<Utc>>,
}

impl Operation for DescribeStream {
    const NAME: &'static str = "describe-stream";
    type Answer = StreamDescription;

    async fn perform(self, platform: &Platform) -> Result<StreamDescription> {
        let log = &platform.log;
        let stream = log.stream(&self.name).await?;
        let usage: BTreeMap<ShardId, streams::ShardUsage> =
            log.usage(&self.name).await?.into_iter().map(|usage| (usage.shard, usage)).collect();
        let shards = log.list_shards(&self.name, ShardFilter::FromTrimHorizon).await?.into_iter();
        let shards = shards
            .map(|shard| {
                let used = usage.get(&shard.id);
                ShardShown {
                    id: shard.id.to_string(),
                    parent: shard.parent.map(|id| id.to_string()),
                    adjacent_parent: shard.adjacent_parent.map(|id| id.to_string()),
                    first_hash: format!("{:032x}", shard.range.first),
                    last_hash: format!("{:032x}", shard.range.last),
                    created: shard.created,
                    closed: shard.closed,
                    records: used.map_or(0, |used| used.records),
                    bytes: used.map_or(0, |used| used.bytes),
                    records_in: used.map_or(0, |used| used.records_in),
                    records_out: used.map_or(0, |used| used.records_out),
                    last_arrival: used.and_then(|used| used.last_arrival),
                }
            })
            .collect();
        let consumers = log.list_consumers(&self.name).await?.into_iter().map(|one| one.name).collect();
        Ok(StreamDescription { stream: shown(stream), shards, consumers })
    }
}

/// Where a look into a shard begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LookFrom {
    /// The oldest record.
    TrimHorizon,
    /// Records that come from now on.
    Latest,
    /// The first record of that time or later.
    AtTimestamp(DateTime<Utc>),
    /// The record with that number.
    AtSequenceNumber(String),
    /// The record behind that number.
    AfterSequenceNumber(String),
    /// What the look before gave.
    Place(String),
}

/// Reads records of one shard.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReadShard {
    pub(crate) stream: String,
    pub(crate) shard: String,
    pub(crate) from: LookFrom,
    pub(crate) limit: usize,
}

/// What [`ReadShard`] answers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShardRead {
    pub(crate) records: Vec<ShardRecord>,
    /// Where to read on; nothing behind the end of a closed shard.
    pub(crate) next: Option<String>,
    pub(crate) behind_millis: i64,
    /// The shards that follow a closed one.
    pub(crate) children: Vec<String>,
}

/// A record of a shard.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShardRecord {
    pub(crate) sequence_number: String,
    pub(crate) arrived: DateTime<Utc>,
    pub(crate) partition_key: String,
    /// Its text; of bytes that are no text, their hexadecimal digits.
    pub(crate) data: String,
    pub(crate) is_text: bool,
    pub(crate) bytes: usize,
}

impl Operation for ReadShard {
    const NAME: &'static str = "read-shard";
    type Answer = ShardRead;

    async fn perform(self, platform: &Platform) -> Result<ShardRead> {
        let log = &platform.log;
        let start = match &self.from {
            LookFrom::TrimHorizon => Some(StartAt::TrimHorizon),
            LookFrom::Latest => Some(StartAt::Latest),
            LookFrom::AtTimestamp(time) => Some(StartAt::AtTimestamp(*time)),
            LookFrom::AtSequenceNumber(number) => Some(StartAt::AtSequenceNumber(number.trim().parse()?)),
            LookFrom::AfterSequenceNumber(number) => {
                Some(StartAt::AfterSequenceNumber(number.trim().parse()?))
            }
            LookFrom::Place(_) => None,
        };
        let iterator = match (start, &self.from) {
            (None, LookFrom::Place(place)) => place_of(place, &self.stream)?,
            (start, _) => {
                log.iterator(&self.stream, self.shard.parse()?, start.unwrap_or(StartAt::TrimHorizon)).await?
            }
        };
        let limit = self.limit.clamp(1, MOST_RECORDS);
        let options = ReadOptions { limit, bytes: MOST_BYTES, dedicated: true };
        let read = log.get_records(&iterator, options).await?;
        Ok(ShardRead {
            records: read.records.into_iter().map(record).collect(),
            next: read.next.map(|next| next.to_string()),
            behind_millis: read.behind.num_milliseconds(),
            children: read.children.iter().map(|shard| shard.id.to_string()).collect(),
        })
    }
}

/// A place must be of the stream that the request names: that is the one whose reading was allowed.
fn place_of(text: &str, stream: &str) -> Result<ShardIterator> {
    let place: ShardIterator = text.parse()?;
    match place.stream == stream {
        true => Ok(place),
        false => Err(model::Error::invalid(format!("the place is of the stream `{}`", place.stream))),
    }
}

fn record(record: streams::Record) -> ShardRecord {
    let bytes = record.data().len();
    let (data, is_text) = match String::from_utf8(record.data().to_vec()) {
        Ok(text) => (text, true),
        Err(error) => (error.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect(), false),
    };
    ShardRecord {
        sequence_number: record.sequence_number.to_string(),
        arrived: record.arrived,
        partition_key: record.partition_key().to_owned(),
        data,
        is_text,
        bytes,
    }
}

/// Lists applications, each with its latest run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WatchApplications {}

/// An application and its latest run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WatchedApplication {
    pub(crate) application: Application,
    pub(crate) run: Option<Run>,
}

impl Operation for WatchApplications {
    const NAME: &'static str = "watch-applications";
    type Answer = Vec<WatchedApplication>;

    async fn perform(self, platform: &Platform) -> Result<Vec<WatchedApplication>> {
        let mut all = Vec::new();
        for application in platform.apps.list().await? {
            all.push(watched(platform, application).await);
        }
        Ok(all)
    }
}

async fn watched(platform: &Platform, application: Application) -> WatchedApplication {
    let run = match &application.run {
        // Runs that are old enough are deleted.
        Some(id) => platform.runs.get(id).await.ok(),
        None => None,
    };
    WatchedApplication { application, run }
}

/// One application: its dataflow, its latest run, what is kept of its state.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowApplication {
    pub(crate) name: String,
}

/// What [`ShowApplication`] answers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ApplicationDescription {
    pub(crate) application: Application,
    pub(crate) run: Option<Run>,
    pub(crate) flow: Vec<FlowStep>,
    /// Why there is no dataflow: what the script reads or writes has changed.
    pub(crate) mistake: Option<Diagnosis>,
    pub(crate) snapshots: Vec<Snapshot>,
}

impl Operation for ShowApplication {
    const NAME: &'static str = "show-application";
    type Answer = ApplicationDescription;

    async fn perform(self, platform: &Platform) -> Result<ApplicationDescription> {
        let application = platform.apps.get(&self.name).await?;
        let (flow, mistake) = match platform.apps.flow(&application.script, &application.source_name).await {
            Ok(flow) => (flow, None),
            Err(error) => (Vec::new(), Some(error.diagnosis())),
        };
        let snapshots = platform.apps.snapshots(&self.name).await?;
        let WatchedApplication { application, run } = watched(platform, application).await;
        Ok(ApplicationDescription { application, run, flow, mistake, snapshots })
    }
}

/// Keeps an application under a name without starting it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SaveApplication {
    pub(crate) name: String,
    pub(crate) script: super::CheckedText,
    /// The script that it replaces, if nobody else may have changed it.
    #[serde(default)]
    pub(crate) replaces: Option<String>,
}

impl Operation for SaveApplication {
    const NAME: &'static str = "save-application";
    /// Whether it is new.
    type Answer = bool;

    async fn perform(self, platform: &Platform) -> Result<bool> {
        let super::CheckedText { name, text } = &self.script;
        match &self.replaces {
            Some(seen) => platform.apps.replace(&self.name, text, name, seen).await,
            None => platform.apps.put(&self.name, text, name).await,
        }
    }
}

/// Deletes a snapshot of an application.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeleteSnapshot {
    pub(crate) name: String,
    pub(crate) label: String,
}

impl Operation for DeleteSnapshot {
    const NAME: &'static str = "delete-snapshot";
    type Answer = ();

    async fn perform(self, platform: &Platform) -> Result<()> {
        platform.apps.delete_snapshot(&self.name, &self.label).await
    }
}
