//! Generating test data into the lake: made in a private folder first, then published as one commit.

use super::{Operation, Started};
use crate::platform::Platform;
use generate::{Options, Output, Report, Task, Watch};
use lake::{CommitOptions, Lake, PutOptions};
use model::{Error, LakeUri, Place, Result, RunKind, Unit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use state::events::{Events, NewEvent};
use state::runs::{NewRun, RunContext};
use std::path::{Path, PathBuf};
use tokio::io::AsyncReadExt;

/// Runs a task file's text and writes its files under a prefix of the lake.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StartGenerate {
    /// The task file's name, for diagnoses.
    pub(crate) file: String,
    /// Its text.
    pub(crate) text: String,
    /// The seed for a task that has none.
    pub(crate) seed: u64,
    /// Where the files go.
    pub(crate) output: LakeUri,
}

/// What such a run answers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct GenerateAnswer {
    pub(crate) kind: String,
    pub(crate) seed: u64,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) files: Vec<String>,
}

impl Operation for StartGenerate {
    const NAME: &'static str = "start-generate";
    type Answer = Started;

    async fn perform(self, platform: &Platform) -> Result<Started> {
        // A wrong task is refused before there is a run.
        let task = Task::parse(&self.file, &self.text)?;
        let Self { file, seed, output, .. } = self;
        if !platform.lake.bucket_exists(output.bucket()).await? {
            platform.lake.create_bucket(output.bucket()).await?;
        }
        let mut new = NewRun::new(RunKind::new("generate")?, file);
        new.arguments = json!({ "output": output, "seed": seed });
        let (lake, events) = (platform.lake.clone(), platform.events.clone());
        let (now, scratch) = (platform.clock.now(), platform.data().root().join("scratch"));
        let handle = platform
            .runs
            .start(new, move |run: RunContext| {
                let (lake, events) = (lake.clone(), events.clone());
                let (task, output) = (task.clone(), output.as_folder());
                let folder = scratch.join(run.id().as_str());
                async move {
                    let made = make(&run, task, seed, now, &folder).await;
                    let published = match made {
                        Ok(report) => publish(&run, &lake, &events, &folder, &output, &report).await,
                        Err(error) => Err(error),
                    };
                    let _ = tokio::fs::remove_dir_all(&folder).await;
                    published
                }
            })
            .await?;
        Ok(Started { run: handle.id().clone() })
    }
}

struct RunWatch(RunContext);

impl Watch for RunWatch {
    fn progress(&self, done: u64, total: u64, _rows: u64, _bytes: u64) {
        self.0.progress(done, Some(total), Unit::Steps);
    }

    fn cancelled(&self) -> bool {
        self.0.cancelled().is_cancelled()
    }
}

async fn make(
    run: &RunContext,
    task: Task,
    seed: u64,
    now: chrono::DateTime<chrono::Utc>,
    folder: &Path,
) -> Result<Report> {
    let folder: PathBuf = folder.to_path_buf();
    std::fs::create_dir_all(&folder).map_err(|e| cannot("make", &folder, e))?;
    let watch = RunWatch(run.clone());
    tokio::task::spawn_blocking(move || {
        let mut options = Options::new(seed, now);
        // A trailing slash says that it is a folder, whatever the task writes.
        options.output = Some(Output::Path(folder.join("")));
        generate::run(&task, &options, &watch)
    })
    .await
    .map_err(|e| Error::internal("the generator broke off").source_is(e))?
}

async fn publish(
    run: &RunContext,
    lake: &Lake,
    events: &Events,
    folder: &Path,
    output: &LakeUri,
    report: &Report,
) -> Result<serde_json::Value> {
    let commit = lake.begin_commit(CommitOptions { run: Some(run.id().clone()) });
    let mut names = Vec::new();
    for file in &report.files {
        run.check()?;
        let relative = file.path.strip_prefix(folder).unwrap_or(&file.path);
        let uri = output.join(&relative.to_string_lossy())?;
        let mut writer = commit.writer(&uri, PutOptions::default()).await?;
        let mut source =
            tokio::fs::File::open(&file.path).await.map_err(|e| cannot("read", &file.path, e))?;
        let mut buffer = bytes::BytesMut::with_capacity(1 << 20);
        while source.read_buf(&mut buffer).await.map_err(|e| cannot("read", &file.path, e))? > 0 {
            writer.write(buffer.split().freeze()).await?;
            buffer.reserve(1 << 20);
        }
        writer.finish().await?;
        names.push(uri.to_string());
    }
    commit.publish().await?;
    for name in &names {
        events.publish(NewEvent::new("object.created", name.as_str(), json!({ "run": run.id() }))).await?;
    }
    run.count("rows", report.rows);
    run.count("bytes", report.bytes);
    run.count("files", report.files.len() as u64);
    let answer = GenerateAnswer {
        kind: report.kind.to_owned(),
        seed: report.seed,
        rows: report.rows,
        bytes: report.bytes,
        files: names,
    };
    serde_json::to_value(answer).map_err(|e| Error::internal("an account cannot be written").source_is(e))
}

fn cannot(verb: &str, path: &Path, error: std::io::Error) -> Error {
    Error::unavailable(format!("cannot {verb} a file of generated data"))
        .at(Place::object(path.display()))
        .source_is(error)
}
