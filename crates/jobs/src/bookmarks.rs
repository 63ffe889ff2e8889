//! Bookmarks: which files of which source a job has read, by path, size and time. They move forward with the commit of
//! the run that read them, and can be set back to any run.

use crate::store::Store;
use chrono::{DateTime, Utc};
use model::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use state::Transaction;
use state::db;
use std::collections::{BTreeMap, HashMap};

/// What a run does with its job's bookmark: Glue's `--job-bookmark-option`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BookmarkMode {
    /// Everything is read, nothing is noted.
    #[default]
    Disabled,
    /// Only what is new is read, and noted.
    Enabled,
    /// Only what is new is read, but it stays new.
    Paused,
}

impl BookmarkMode {
    /// `job-bookmark-enable`, `job-bookmark-disable`, `job-bookmark-pause`.
    pub fn parse(text: &str) -> Result<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "job-bookmark-enable" | "enable" => Ok(Self::Enabled),
            "job-bookmark-disable" | "disable" | "" => Ok(Self::Disabled),
            "job-bookmark-pause" | "pause" => Ok(Self::Paused),
            other => Err(Error::invalid(format!("`{other}` is no value of --job-bookmark-option"))
                .hint("values are job-bookmark-enable, job-bookmark-disable and job-bookmark-pause")),
        }
    }
}

/// A file as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SeenFile {
    pub(crate) path: String,
    pub(crate) size: u64,
    /// Milliseconds since 1970.
    pub(crate) modified: i64,
}

/// What a run has read, by node.
pub(crate) type SeenFiles = BTreeMap<String, Vec<SeenFile>>;

/// Where a job's bookmark stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bookmark {
    /// The job.
    pub job: String,
    /// How often it was moved.
    pub version: u64,
    /// The run that moved it last.
    pub run: Option<String>,
    /// When.
    pub modified: Option<DateTime<Utc>>,
    /// By source node: how many files, and of how many bytes, were read.
    pub sources: BTreeMap<String, (u64, u64)>,
}

impl Store {
    pub(crate) async fn bookmark(&self, job: &str) -> Result<Bookmark> {
        let failed = |e| db::failed("reading a bookmark", e);
        let head = sqlx::query("SELECT version, run, modified FROM jobs_bookmarks WHERE job = $1")
            .bind(job)
            .fetch_optional(self.db.read())
            .await
            .map_err(failed)?;
        let mut bookmark =
            Bookmark { job: job.to_owned(), version: 0, run: None, modified: None, sources: BTreeMap::new() };
        if let Some(row) = head {
            bookmark.version = u64::try_from(row.try_get::<i64, _>(0).map_err(failed)?).unwrap_or_default();
            bookmark.run = Some(row.try_get::<String, _>(1).map_err(failed)?).filter(|run| !run.is_empty());
            bookmark.modified = DateTime::from_timestamp_millis(row.try_get(2).map_err(failed)?);
        }
        let rows = sqlx::query(
            "SELECT node, COUNT(*), CAST(SUM(size) AS BIGINT) FROM jobs_files WHERE job = $1 GROUP BY node",
        )
        .bind(job)
        .fetch_all(self.db.read())
        .await
        .map_err(failed)?;
        for row in rows {
            let count = |at: usize| {
                Ok::<_, Error>(u64::try_from(row.try_get::<i64, _>(at).map_err(failed)?).unwrap_or(0))
            };
            bookmark.sources.insert(row.try_get(0).map_err(failed)?, (count(1)?, count(2)?));
        }
        Ok(bookmark)
    }

    /// What was read before, by node and path, and the version that says so.
    pub(crate) async fn seen(
        &self,
        job: &str,
    ) -> Result<(u64, HashMap<String, HashMap<String, (u64, i64)>>)> {
        let failed = |e| db::failed("reading a bookmark", e);
        // The version first: what is noted behind it makes the run fail, not read twice.
        let version = self.bookmark(job).await?.version;
        let rows = sqlx::query("SELECT node, path, size, modified FROM jobs_files WHERE job = $1")
            .bind(job)
            .fetch_all(self.db.read())
            .await
            .map_err(failed)?;
        let mut seen: HashMap<String, HashMap<String, (u64, i64)>> = HashMap::new();
        for row in rows {
            let node: String = row.try_get(0).map_err(failed)?;
            let path: String = row.try_get(1).map_err(failed)?;
            let size = u64::try_from(row.try_get::<i64, _>(2).map_err(failed)?).unwrap_or_default();
            seen.entry(node).or_default().insert(path, (size, row.try_get(3).map_err(failed)?));
        }
        Ok((version, seen))
    }

    /// Notes what a run has read. It must be the first since that version.
    pub(crate) async fn advance(
        &self,
        tx: &mut Transaction,
        job: &str,
        run: &str,
        from: u64,
        files: &SeenFiles,
    ) -> Result<()> {
        let version = version_of(tx, job).await?;
        if version != from {
            return Err(moved(job));
        }
        let next = i64::try_from(from + 1).unwrap_or(i64::MAX);
        self.set_version(tx, job, run, next).await?;
        for (node, files) in files {
            for file in files {
                sqlx::query(
                    "INSERT INTO jobs_files (job, node, path, size, modified, version, run)
                     VALUES ($1, $2, $3, $4, $5, $6, $7)
                     ON CONFLICT (job, node, path) DO UPDATE SET size = $4, modified = $5, version = $6, run = $7",
                )
                .bind(job)
                .bind(node.as_str())
                .bind(file.path.as_str())
                .bind(i64::try_from(file.size).unwrap_or(i64::MAX))
                .bind(file.modified)
                .bind(next)
                .bind(run)
                .execute(&mut **tx)
                .await
                .map_err(|e| db::failed("moving a bookmark", e))?;
            }
        }
        Ok(())
    }

    async fn set_version(&self, tx: &mut Transaction, job: &str, run: &str, version: i64) -> Result<()> {
        sqlx::query(
            "INSERT INTO jobs_bookmarks (job, version, run, modified) VALUES ($1, $2, $3, $4)
             ON CONFLICT (job) DO UPDATE SET version = $2, run = $3, modified = $4",
        )
        .bind(job)
        .bind(version)
        .bind(run)
        .bind(self.clock.now_millis())
        .execute(&mut **tx)
        .await
        .map_err(|e| db::failed("moving a bookmark", e))?;
        Ok(())
    }

    /// Forgets what was read, by all runs or by those behind that one. Answers how many files are new again.
    pub(crate) async fn rewind(&self, job: &str, to: Option<&str>) -> Result<u64> {
        let mut tx = self.db.begin().await?;
        let version = version_of(&mut tx, job).await?;
        let keep = match to {
            None => 0,
            Some(run) => {
                let row = sqlx::query("SELECT MAX(version) FROM jobs_files WHERE job = $1 AND run = $2")
                    .bind(job)
                    .bind(run)
                    .fetch_one(&mut *tx)
                    .await
                    .map_err(|e| db::failed("reading a bookmark", e))?;
                row.try_get::<Option<i64>, _>(0)
                    .map_err(|e| db::failed("reading a bookmark", e))?
                    .ok_or_else(|| {
                        Error::new(ErrorKind::NotFound, format!("the bookmark of `{job}` knows no run {run}"))
                            .why("it did not run with a bookmark, read nothing new, or was set back since")
                            .hint("`glulam runs --kind job` lists the runs of jobs")
                    })?
            }
        };
        let gone = sqlx::query("DELETE FROM jobs_files WHERE job = $1 AND version > $2")
            .bind(job)
            .bind(keep)
            .execute(&mut *tx)
            .await
            .map_err(|e| db::failed("setting a bookmark back", e))?;
        // A new version, so that a run that is under way notices.
        let next = i64::try_from(version + 1).unwrap_or(i64::MAX);
        self.set_version(&mut tx, job, to.unwrap_or_default(), next).await?;
        db::commit(tx).await?;
        Ok(gone.rows_affected())
    }
}

pub(crate) async fn version_of(tx: &mut Transaction, job: &str) -> Result<u64> {
    let row = sqlx::query("SELECT version FROM jobs_bookmarks WHERE job = $1")
        .bind(job)
        .fetch_optional(&mut **tx)
        .await
        .map_err(|e| db::failed("reading a bookmark", e))?;
    match row {
        Some(row) => {
            let version: i64 = row.try_get(0).map_err(|e| db::failed("reading a bookmark", e))?;
            Ok(u64::try_from(version).unwrap_or_default())
        }
        None => Ok(0),
    }
}

pub(crate) fn moved(job: &str) -> Error {
    Error::conflict(format!("the bookmark of `{job}` was moved while the run was under way"))
        .why("another run of the job has ended, or it was set back; nothing of this run has happened")
        .hint("run the job again")
}
