//! Writing query results into the lake. Streams of batches and a [`SinkSpec`] come in; files staged in a commit, and
//! what they are, go out. Rows are split by partition and bucket in one pass, encoded on all processors within bounded
//! memory, and sent to the commit as they are ready. Nothing is published here: the caller publishes the files together
//! with the change of the catalog, or drops the commit, and nothing was ever there.

mod bucket;
mod crew;
mod file;
mod folder;
mod keys;
mod memory;
mod plan;
mod split;
mod targets;
mod value;

use crew::{Crew, Message};
use datafusion::execution::SendableRecordBatchStream;
use formats::WriteSpec;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use lake::{Commit, PutOptions};
use model::{Error, LakeUri, Result};
use plan::Plan;
use sql::SqlType;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// Messages that wait for the commit's holder.
const DESK: usize = 256;

/// What to write, and where.
#[derive(Debug, Clone)]
pub struct SinkSpec {
    /// The folder of the table.
    pub location: LakeUri,
    /// The files' format, compression and options.
    pub write: WriteSpec,
    /// The columns of the incoming batches, in order. Partition keys are left out of the files.
    pub columns: Vec<(String, SqlType)>,
    /// Which columns are partition keys, from the outermost folder to the innermost.
    pub partition_by: Vec<usize>,
    /// Which columns decide a row's bucket, and how many buckets there are.
    pub bucketed_by: Option<(Vec<usize>, u32)>,
    /// The beginning of the files' names: the run's id, so that no two runs write the same name.
    pub file_prefix: String,
    /// The name of the one file that all rows go into; for a single stream, without partitions and buckets.
    pub file_name: Option<String>,
    /// A file is closed and another begun once it has about so many bytes. Buckets are never cut.
    pub max_file_bytes: Option<u64>,
    /// At most so many files are open at a time (and a few more while one is exchanged for another).
    pub max_open_writers: usize,
    /// About how many bytes of rows and encoded pages are held before something is written out.
    pub memory_limit: usize,
    /// The folder's value for rows without one.
    pub null_partition: String,
}

impl SinkSpec {
    /// Files below a folder, not partitioned, with the usual limits.
    pub fn new(
        location: LakeUri,
        write: WriteSpec,
        columns: Vec<(String, SqlType)>,
        file_prefix: String,
    ) -> Self {
        Self {
            location,
            write,
            columns,
            partition_by: Vec::new(),
            bucketed_by: None,
            file_prefix,
            file_name: None,
            max_file_bytes: None,
            max_open_writers: 512,
            memory_limit: 192 * 1024 * 1024,
            null_partition: "__HIVE_DEFAULT_PARTITION__".to_owned(),
        }
    }
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows in all files.
    pub rows: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// The files, by address.
    pub files: Vec<WrittenFile>,
    /// The partitions that have at least one file, by their values; none if the table is not partitioned.
    pub partitions: Vec<WrittenPartition>,
    /// The most files that were open at the same time.
    pub peak_open_writers: usize,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenFile {
    /// Where it will be once the commit is published.
    pub uri: LakeUri,
    /// Its rows.
    pub rows: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Which of [`Written::partitions`] it belongs to.
    pub partition: Option<usize>,
}

/// A partition that rows were written into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenPartition {
    /// The keys' values as the catalog keeps them; none for missing and empty ones, which share a folder.
    pub values: Vec<Option<String>>,
    /// Its folder.
    pub location: LakeUri,
    /// The rows written.
    pub rows: u64,
    /// The bytes written.
    pub bytes: u64,
}

/// Writes all rows of the streams into files of the commit. `progress` hears rows taken and bytes staged so far. When
/// this fails or is cancelled, some objects may be staged: abort or drop the commit.
///
/// Without partitions and buckets, each stream's rows keep their order in files of their own; streams of a few rows share
/// one.
pub async fn write(
    streams: Vec<SendableRecordBatchStream>,
    spec: &SinkSpec,
    commit: &Commit,
    progress: &(dyn Fn(u64, u64) + Sync),
    cancel: &CancellationToken,
) -> Result<Written> {
    let is_one = spec.partition_by.is_empty() && spec.bucketed_by.is_none() && spec.max_file_bytes.is_none();
    if spec.file_name.is_some() && !(is_one && streams.len() == 1) {
        return Err(Error::internal("several files were to be written under one name"));
    }
    let workers = tokio::runtime::Handle::current().metrics().num_workers();
    let (desk, requests) = mpsc::channel(DESK);
    let crew = Crew::new(Plan::new(spec, workers)?, workers, desk);
    let mut tasks = JoinSet::new();
    for (index, stream) in streams.into_iter().enumerate() {
        tasks.spawn(Arc::clone(&crew).feed(stream, index));
    }
    let result = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Error::cancelled()),
        result = attend(&crew, &mut tasks, requests, commit, progress) => result,
    };
    // No task may touch the commit any more when the caller gives it up.
    tasks.shutdown().await;
    result?;
    let (rows, bytes) = crew.progress();
    progress(rows, bytes);
    let written = collect(&crew);
    if written.rows != rows {
        let text = format!("{rows} rows arrived, but {} were written", written.rows);
        return Err(Error::internal(text));
    }
    Ok(written)
}

/// Serves the crew until all is written: opens objects, starts jobs, tells progress.
async fn attend(
    crew: &Arc<Crew>,
    tasks: &mut JoinSet<Result<()>>,
    mut requests: mpsc::Receiver<Message>,
    commit: &Commit,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<()> {
    let mut opening = FuturesUnordered::new();
    let mut is_finishing = false;
    loop {
        // A task's messages were all sent before it ended, so nothing can come after an empty desk.
        let message = match tasks.is_empty() {
            true => requests.try_recv().ok(),
            false => tokio::select! {
                message = requests.recv() => message,
                Some(()) = opening.next(), if !opening.is_empty() => continue,
                Some(ended) = tasks.join_next() => {
                    ended.map_err(lost)??;
                    continue;
                }
            },
        };
        match message {
            Some(Message::Job(job)) => {
                tasks.spawn(job);
            }
            Some(Message::Open(uri, reply)) => opening.push(async move {
                // Nobody listens any more if its task was given up.
                let _ = reply.send(commit.writer(&uri, PutOptions::made_here()).await);
            }),
            Some(Message::Moved) => {
                let (rows, bytes) = crew.progress();
                progress(rows, bytes);
            }
            None if is_finishing => return Ok(()),
            None => {
                is_finishing = true;
                tasks.spawn(Arc::clone(crew).finish());
            }
        }
    }
}

fn lost(error: JoinError) -> Error {
    Error::internal("a writing task broke off").source_is(error)
}

/// The files by address and the partitions by value, whatever order they were finished in.
fn collect(crew: &Crew) -> Written {
    let mut table = crew.table();
    let mut files = std::mem::take(&mut table.files);
    let mut partitions: Vec<_> = std::mem::take(&mut table.partitions).into_iter().enumerate().collect();
    partitions.sort_by(|(_, a), (_, b)| a.values.cmp(&b.values));
    let mut places = vec![0; partitions.len()];
    for (new, (old, _)) in partitions.iter().enumerate() {
        places[*old] = new;
    }
    for file in &mut files {
        file.partition = file.partition.and_then(|old| places.get(old).copied());
    }
    files.sort_by(|a, b| a.uri.cmp(&b.uri));
    Written {
        rows: files.iter().map(|file| file.rows).sum(),
        bytes: files.iter().map(|file| file.bytes).sum(),
        files,
        partitions: partitions.into_iter().map(|(_, partition)| partition).collect(),
        peak_open_writers: table.peak_open,
    }
}
