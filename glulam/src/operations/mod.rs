//! What can be asked of a platform. One file per group of operations, one line each in [`perform_named`].
//!
//! An operation is a value that can be sent as JSON; its answer too. So a command need not know whether a server or
//! this process carries it out.

mod catalog;
mod convert;
mod crawl;
mod deliveries;
mod generate;
mod jobs;
pub(crate) mod rights;
mod runs;
mod scripts;
mod sql;
mod stream_views;
mod streams;

pub(crate) use catalog::{Describe, ListPartitions, ListTables, TableDescription};
pub(crate) use convert::StartConvert;
pub(crate) use crawl::{SaveCrawler, StartCrawl, StartSavedCrawl};
pub(crate) use deliveries::{ListDeliveries, PutDelivery, ShowDelivery};
pub(crate) use generate::{GenerateAnswer, StartGenerate};
pub(crate) use jobs::{
    BookmarkMove, CheckJobs, DeleteJob, ListJobs, MoveBookmark, SaveJob, ShowJob, StartJob, StartJobPreview,
    WriteJobScript,
};
pub(crate) use runs::{FollowRun, ListRuns, ReadLog, Started, StopRun};
pub(crate) use scripts::{CheckScripts, SetUpPython, StartScript};
pub(crate) use sql::{CheckSql, CheckedText, CompletionNames, StartQuery};
pub(crate) use stream_views::{
    DeleteSnapshot, DescribeStream, ReadShard, SaveApplication, ShowApplication, WatchApplications,
};
pub(crate) use streams::{
    CreateStream, DeleteApplication, DeleteStream, ExplainApplication, ListApplications, ListStreams,
    PutEvents, PutRecords, ReadStream, SnapshotApplication, StartApplication, StopApplication,
};

use crate::platform::Platform;
use model::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// One thing that can be asked.
pub(crate) trait Operation: Serialize + DeserializeOwned + Send {
    /// Its name on the wire.
    const NAME: &'static str;
    /// What comes back.
    type Answer: Serialize + DeserializeOwned + Send;

    /// Carries it out.
    fn perform(self, platform: &Platform) -> impl Future<Output = Result<Self::Answer>> + Send;
}

/// Carries out the operation of that name on JSON: the server's one entry.
pub(crate) async fn perform_named(name: &str, body: &[u8], platform: &Platform) -> Result<Vec<u8>> {
    macro_rules! dispatch {
        ($($operation:ty),* $(,)?) => {
            match name {
                $(<$operation>::NAME => perform_json::<$operation>(body, platform).await,)*
                _ => Err(Error::unsupported(format!("this server knows no operation `{name}`"))
                    .hint("the server and the command are of different versions; restart the server")),
            }
        };
    }
    dispatch!(
        ListTables,
        Describe,
        ListPartitions,
        StartCrawl,
        SaveCrawler,
        StartSavedCrawl,
        StartGenerate,
        StartConvert,
        SaveJob,
        StartJob,
        StartJobPreview,
        ListJobs,
        ShowJob,
        DeleteJob,
        WriteJobScript,
        MoveBookmark,
        CheckJobs,
        StartScript,
        SetUpPython,
        CheckScripts,
        StartQuery,
        CheckSql,
        CompletionNames,
        CreateStream,
        ListStreams,
        DeleteStream,
        PutEvents,
        PutRecords,
        ReadStream,
        DescribeStream,
        ReadShard,
        WatchApplications,
        ShowApplication,
        SaveApplication,
        DeleteSnapshot,
        ListDeliveries,
        ShowDelivery,
        PutDelivery,
        StartApplication,
        StopApplication,
        ListApplications,
        DeleteApplication,
        SnapshotApplication,
        ExplainApplication,
        FollowRun,
        ListRuns,
        ReadLog,
        StopRun,
    )
}

async fn perform_json<O: Operation>(body: &[u8], platform: &Platform) -> Result<Vec<u8>> {
    let operation: O = serde_json::from_slice(body)
        .map_err(|e| Error::invalid(format!("the request for `{}` cannot be read", O::NAME)).source_is(e))?;
    let answer = operation.perform(platform).await?;
    serde_json::to_vec(&answer).map_err(|e| Error::internal("an answer cannot be written").source_is(e))
}
