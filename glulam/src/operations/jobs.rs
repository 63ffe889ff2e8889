//! ETL jobs: kept, checked, run, previewed, written as scripts; their bookmarks.

use super::{CheckedText, Operation, Started};
use crate::platform::Platform;
use engine::Finding;
use jobs::{Bookmark, JobRequest, StoredJob};
use model::Result;
use serde::{Deserialize, Serialize};

/// Keeps a definition.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SaveJob {
    pub(crate) definition: CheckedText,
    /// The definition that it replaces, if nobody else may have changed it.
    #[serde(default)]
    pub(crate) replaces: Option<String>,
}

impl Operation for SaveJob {
    const NAME: &'static str = "save-job";
    /// The name, and whether it is new.
    type Answer = (String, bool);

    async fn perform(self, platform: &Platform) -> Result<(String, bool)> {
        let CheckedText { name, text } = &self.definition;
        match &self.replaces {
            Some(seen) => platform.jobs.replace(text, name, seen).await,
            None => platform.jobs.put(text, name).await,
        }
    }
}

/// Starts a run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StartJob {
    pub(crate) request: JobRequest,
}

impl Operation for StartJob {
    const NAME: &'static str = "start-job";
    type Answer = Started;

    async fn perform(self, platform: &Platform) -> Result<Started> {
        let handle = platform.jobs.start(self.request, None).await?;
        Ok(Started { run: handle.id().clone() })
    }
}

/// Starts a look at every node's first rows.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StartJobPreview {
    pub(crate) request: JobRequest,
    pub(crate) rows: usize,
}

impl Operation for StartJobPreview {
    const NAME: &'static str = "start-job-preview";
    type Answer = Started;

    async fn perform(self, platform: &Platform) -> Result<Started> {
        let handle = platform.jobs.start_preview(self.request, self.rows).await?;
        Ok(Started { run: handle.id().clone() })
    }
}

/// Lists kept jobs.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListJobs {}

impl Operation for ListJobs {
    const NAME: &'static str = "list-jobs";
    type Answer = Vec<StoredJob>;

    async fn perform(self, platform: &Platform) -> Result<Vec<StoredJob>> {
        platform.jobs.list().await
    }
}

/// One kept job, with its bookmark.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowJob {
    pub(crate) name: String,
}

impl Operation for ShowJob {
    const NAME: &'static str = "show-job";
    type Answer = (StoredJob, Bookmark);

    async fn perform(self, platform: &Platform) -> Result<(StoredJob, Bookmark)> {
        let job = platform.jobs.get(&self.name).await?;
        Ok((job, platform.jobs.bookmark(&self.name).await?))
    }
}

/// Deletes a kept job.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeleteJob {
    pub(crate) name: String,
}

impl Operation for DeleteJob {
    const NAME: &'static str = "delete-job";
    type Answer = ();

    async fn perform(self, platform: &Platform) -> Result<()> {
        platform.jobs.delete(&self.name).await
    }
}

/// The same job in another language.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WriteJobScript {
    pub(crate) request: JobRequest,
    pub(crate) language: String,
}

impl Operation for WriteJobScript {
    const NAME: &'static str = "write-job-script";
    type Answer = String;

    async fn perform(self, platform: &Platform) -> Result<String> {
        platform.jobs.script(&self.request, &self.language).await
    }
}

/// Where a bookmark stands; sets it back first if that is wanted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MoveBookmark {
    pub(crate) job: String,
    pub(crate) to: BookmarkMove,
}

/// Where a bookmark goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BookmarkMove {
    /// It stays.
    Stay,
    /// To the beginning.
    Reset,
    /// Behind that run.
    Behind(String),
}

impl Operation for MoveBookmark {
    const NAME: &'static str = "move-bookmark";
    /// The bookmark, and how many files are new again.
    type Answer = (Bookmark, u64);

    async fn perform(self, platform: &Platform) -> Result<(Bookmark, u64)> {
        let forgotten = match &self.to {
            BookmarkMove::Stay => 0,
            BookmarkMove::Reset => platform.jobs.rewind(&self.job, None).await?,
            BookmarkMove::Behind(run) => platform.jobs.rewind(&self.job, Some(run)).await?,
        };
        Ok((platform.jobs.bookmark(&self.job).await?, forgotten))
    }
}

/// Checks definitions of jobs.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CheckJobs {
    pub(crate) texts: Vec<CheckedText>,
}

impl Operation for CheckJobs {
    const NAME: &'static str = "check-jobs";
    type Answer = Vec<Finding>;

    async fn perform(self, platform: &Platform) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for CheckedText { name, text } in self.texts {
            let request =
                JobRequest { name: None, definition: Some((text, name)), arguments: Default::default() };
            let errors = platform.jobs.check(&request).await?;
            findings.extend(errors.into_iter().map(|error| Finding { diagnosis: error.diagnosis() }));
        }
        Ok(findings)
    }
}
