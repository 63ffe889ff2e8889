//! Streams and the applications over them.

use super::{CheckedText, Operation, Started};
use crate::platform::Platform;
use apps::{Application, Snapshot, StartOptions, Stopping};
use engine::Finding;
use model::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use streams::{Log, NewRecord, NewStream, ReadOptions, ShardFilter, ShardId, ShardIterator, StartAt};

/// How many streams a listing shows.
const MOST_STREAMS: usize = 10_000;

/// A stream as people see it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StreamShown {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) open_shards: usize,
    pub(crate) mode: String,
    pub(crate) retention_hours: u32,
    pub(crate) created: chrono::DateTime<chrono::Utc>,
}

/// Makes a stream.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CreateStream {
    pub(crate) name: String,
    /// How many shards; on demand if nothing is said.
    pub(crate) shards: Option<u32>,
    pub(crate) retention_hours: Option<u32>,
}

impl Operation for CreateStream {
    const NAME: &'static str = "create-stream";
    type Answer = StreamShown;

    async fn perform(self, platform: &Platform) -> Result<StreamShown> {
        let mut new = match self.shards {
            Some(shards) => NewStream::provisioned(self.name, shards),
            None => NewStream::on_demand(self.name),
        };
        if let Some(hours) = self.retention_hours {
            new.retention_hours = hours;
        }
        platform.log.create_stream(new).await.map(shown)
    }
}

/// A stream as people see it.
pub(super) fn shown(stream: streams::Stream) -> StreamShown {
    let mode = match stream.settings.mode {
        streams::StreamMode::OnDemand => "on demand",
        streams::StreamMode::Provisioned => "provisioned",
    };
    StreamShown {
        arn: stream.arn.to_string(),
        name: stream.name,
        open_shards: stream.open_shards,
        mode: mode.to_owned(),
        retention_hours: stream.settings.retention_hours,
        created: stream.created,
    }
}

/// Lists streams.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListStreams {}

impl Operation for ListStreams {
    const NAME: &'static str = "list-streams";
    type Answer = Vec<StreamShown>;

    async fn perform(self, platform: &Platform) -> Result<Vec<StreamShown>> {
        Ok(platform.log.list_streams(None, MOST_STREAMS).await?.into_iter().map(shown).collect())
    }
}

/// Deletes a stream with its records.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeleteStream {
    pub(crate) name: String,
}

impl Operation for DeleteStream {
    const NAME: &'static str = "delete-stream";
    type Answer = ();

    async fn perform(self, platform: &Platform) -> Result<()> {
        platform.log.delete_stream(&self.name, true).await
    }
}

/// Puts texts as records; without a key each record's own text chooses its shard.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PutRecords {
    pub(crate) stream: String,
    pub(crate) records: Vec<String>,
    pub(crate) key: Option<String>,
}

impl Operation for PutRecords {
    const NAME: &'static str = "put-records";
    /// How many are stored.
    type Answer = u64;

    async fn perform(self, platform: &Platform) -> Result<u64> {
        let key = |text: &str| match &self.key {
            Some(key) => key.clone(),
            None => format!("{:032x}", streams::hash_key(text)),
        };
        let records = self.records.iter().map(|text| NewRecord::new(key(text), text.clone())).collect();
        let mut stored = 0;
        for placed in platform.log.put_many(&self.stream, records).await? {
            placed?;
            stored += 1;
        }
        Ok(stored)
    }
}

/// Puts events under their keys. Those that a limit refuses for the moment are named, to be put again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PutEvents {
    pub(crate) stream: String,
    /// Partition key and text.
    pub(crate) events: Vec<(String, String)>,
}

impl Operation for PutEvents {
    const NAME: &'static str = "put-events";
    /// Which of them are not stored.
    type Answer = Vec<usize>;

    async fn perform(self, platform: &Platform) -> Result<Vec<usize>> {
        let records = self.events.into_iter().map(|(key, text)| NewRecord::new(key, text)).collect();
        let mut refused = Vec::new();
        for (at, placed) in platform.log.put_many(&self.stream, records).await?.into_iter().enumerate() {
            match placed {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::LimitExceeded => refused.push(at),
                Err(error) => return Err(error),
            }
        }
        Ok(refused)
    }
}

/// A record as people see it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RecordShown {
    pub(crate) shard: String,
    pub(crate) sequence_number: String,
    pub(crate) arrived: chrono::DateTime<chrono::Utc>,
    pub(crate) partition_key: String,
    pub(crate) data: String,
}

/// Reads on in a stream: from these places, or from its beginning or end.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReadStream {
    pub(crate) stream: String,
    /// What the answer before gave.
    pub(crate) places: Option<Vec<String>>,
    pub(crate) from_start: bool,
    pub(crate) limit: usize,
}

/// Records, and where to read on.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StreamRead {
    pub(crate) records: Vec<RecordShown>,
    pub(crate) places: Vec<String>,
}

impl Operation for ReadStream {
    const NAME: &'static str = "read-stream";
    type Answer = StreamRead;

    async fn perform(self, platform: &Platform) -> Result<StreamRead> {
        let log = &platform.log;
        let mut at: Vec<ShardIterator> = Vec::new();
        match &self.places {
            Some(places) => {
                for place in places {
                    at.push(place.parse()?);
                }
            }
            None => {
                let (filter, start) = match self.from_start {
                    true => (ShardFilter::FromTrimHorizon, StartAt::TrimHorizon),
                    false => (ShardFilter::AtLatest, StartAt::Latest),
                };
                let all = log.list_shards(&self.stream, filter).await?;
                // Children are read behind their parents, in the order of their records.
                let is_listed = |id: &ShardId| all.iter().any(|shard| shard.id == *id);
                let parents = |shard: &streams::Shard| [shard.parent, shard.adjacent_parent];
                for shard in all.iter().filter(|shard| !parents(shard).iter().flatten().any(is_listed)) {
                    at.push(log.iterator(&self.stream, shard.id, start).await?);
                }
            }
        }
        loop {
            let (mut read, has_children) = read_on(log.as_ref(), &self.stream, at, self.limit).await?;
            // Where shards have ended and their children begun, the tip is not reached yet.
            if !read.records.is_empty() || !has_children {
                read.records.sort_by_key(|record| record.arrived);
                return Ok(read);
            }
            at = read.places.iter().map(|place| place.parse()).collect::<Result<_>>()?;
        }
    }
}

/// How much is answered at once, however much is asked for.
const MOST_RECORDS: usize = 10_000;
const MOST_BYTES: usize = 8 << 20;

/// Reads on at each of these places, and says whether shards have begun behind others that ended.
async fn read_on(
    log: &dyn Log,
    stream: &str,
    at: Vec<ShardIterator>,
    limit: usize,
) -> Result<(StreamRead, bool)> {
    let (mut records, mut places, mut has_children) = (Vec::new(), Vec::new(), false);
    let mut open: BTreeSet<ShardId> = at.iter().map(|place| place.shard).collect();
    let mut bytes = 0;
    for iterator in at {
        let room = limit.min(MOST_RECORDS).saturating_sub(records.len());
        if room == 0 || bytes >= MOST_BYTES {
            places.push(iterator.to_string());
            continue;
        }
        let options = ReadOptions { limit: room, bytes: 1 << 20, dedicated: true };
        let read = log.get_records(&iterator, options).await?;
        bytes += read.records.iter().map(|record| record.data().len()).sum::<usize>();
        records.extend(read.records.into_iter().map(|record| RecordShown {
            shard: iterator.shard.to_string(),
            sequence_number: record.sequence_number.to_string(),
            arrived: record.arrived,
            partition_key: record.partition_key().to_owned(),
            data: String::from_utf8_lossy(record.data()).into_owned(),
        }));
        if let Some(next) = read.next {
            places.push(next.to_string());
            continue;
        }
        open.remove(&iterator.shard);
        // A merged shard begins when the last of its parents has been read.
        let waits = |child: &streams::Shard| {
            [child.parent, child.adjacent_parent].iter().flatten().any(|id| open.contains(id))
        };
        let ready: Vec<ShardId> =
            read.children.iter().filter(|child| !waits(child)).map(|child| child.id).collect();
        for child in ready {
            places.push(log.iterator(stream, child, StartAt::TrimHorizon).await?.to_string());
            open.insert(child);
            has_children = true;
        }
    }
    Ok((StreamRead { records, places }, has_children))
}

/// Keeps an application under a name and starts it, or starts one that is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StartApplication {
    pub(crate) name: String,
    pub(crate) script: Option<CheckedText>,
    pub(crate) options: StartOptions,
}

impl Operation for StartApplication {
    const NAME: &'static str = "start-application";
    type Answer = Started;

    async fn perform(self, platform: &Platform) -> Result<Started> {
        if let Some(script) = &self.script {
            platform.apps.put(&self.name, &script.text, &script.name).await?;
        }
        let handle = platform.apps.start(&self.name, self.options).await?;
        Ok(Started { run: handle.id().clone() })
    }
}

/// Stops an application.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StopApplication {
    pub(crate) name: String,
    pub(crate) how: Stopping,
}

impl Operation for StopApplication {
    const NAME: &'static str = "stop-application";
    type Answer = ();

    async fn perform(self, platform: &Platform) -> Result<()> {
        platform.apps.stop(&self.name, self.how).await
    }
}

/// Lists applications.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListApplications {}

impl Operation for ListApplications {
    const NAME: &'static str = "list-applications";
    type Answer = Vec<Application>;

    async fn perform(self, platform: &Platform) -> Result<Vec<Application>> {
        platform.apps.list().await
    }
}

/// Deletes an application with its state.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeleteApplication {
    pub(crate) name: String,
}

impl Operation for DeleteApplication {
    const NAME: &'static str = "delete-application";
    type Answer = ();

    async fn perform(self, platform: &Platform) -> Result<()> {
        platform.apps.delete(&self.name).await
    }
}

/// Keeps the state of a running application under a name; without one, lists what is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SnapshotApplication {
    pub(crate) name: String,
    pub(crate) label: Option<String>,
}

impl Operation for SnapshotApplication {
    const NAME: &'static str = "snapshot-application";
    type Answer = Vec<Snapshot>;

    async fn perform(self, platform: &Platform) -> Result<Vec<Snapshot>> {
        match &self.label {
            Some(label) => Ok(vec![platform.apps.snapshot(&self.name, label).await?]),
            None => platform.apps.snapshots(&self.name).await,
        }
    }
}

/// Shows the dataflow of a script.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ExplainApplication {
    pub(crate) script: CheckedText,
}

impl Operation for ExplainApplication {
    const NAME: &'static str = "explain-application";
    type Answer = String;

    async fn perform(self, platform: &Platform) -> Result<String> {
        platform.apps.explain(&self.script.text, &self.script.name).await
    }
}

/// The mistakes of a script.
pub(super) async fn check(platform: &Platform, text: &str, name: &str) -> Result<Vec<Finding>> {
    let errors: Vec<Error> = platform.apps.check(text, name).await;
    Ok(errors.into_iter().map(|error| Finding { diagnosis: error.diagnosis() }).collect())
}
