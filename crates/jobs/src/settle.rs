//! What belongs to a commit but is no file: partitions of the catalog, the bookmark. It is on record before the commit is
//! published. The commit leaves a marker among its files; where the marker is, the commit has happened, and the rest is
//! made good, by the run itself or, after a kill, by whoever opens the jobs next.

use crate::bookmarks::{BookmarkMode, SeenFiles, moved, version_of};
use crate::jobs::Jobs;
use engine::TableChange;
use lake::Lake;
use model::{Error, ErrorKind, LakeUri, Result, RunId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::Row;
use state::Transaction;
use state::db;
use state::events::NewEvent;

/// The folder of markers in the bucket of a job's first target; hidden, as its name begins with `_`.
const MARKERS: &str = "_glulam/commits";
/// What belongs to the platform in a bucket.
pub(crate) const OWN: &str = "_glulam/";

/// What is to be done once a commit has happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ending {
    pub(crate) job: String,
    pub(crate) run: String,
    pub(crate) marker: LakeUri,
    /// Tables and partitions that the catalog learns of.
    pub(crate) changes: Vec<TableChange>,
    /// The bookmark's version that the run began with, and what it has read.
    pub(crate) bookmark: Option<(u64, SeenFiles)>,
    /// Objects that were written, for those who want to hear of them.
    pub(crate) objects: Vec<String>,
}

/// Where the marker of a run's commit lies.
pub(crate) fn marker(beside: &LakeUri, run: &RunId) -> Result<LakeUri> {
    LakeUri::new(beside.bucket().clone(), format!("{MARKERS}/{run}"))
}

impl Jobs {
    /// Puts an ending on record. From here on the bookmark may not be moved by anybody else.
    pub(crate) async fn intend(&self, ending: &Ending) -> Result<()> {
        let body = serde_json::to_string(ending)
            .map_err(|e| Error::internal("an ending cannot be written").source_is(e))?;
        let mut tx = self.store.db.begin().await?;
        if let Some((version, _)) = &ending.bookmark {
            self.check_bookmark(&mut tx, &ending.job, *version).await?;
        }
        sqlx::query("INSERT INTO jobs_commits (run, job, marker, settled, body) VALUES ($1, $2, $3, 0, $4)")
            .bind(ending.run.as_str())
            .bind(ending.job.as_str())
            .bind(ending.marker.to_string())
            .bind(body)
            .execute(&mut *tx)
            .await
            .map_err(|e| db::failed("noting a commit", e))?;
        db::commit(tx).await
    }

    /// Nobody has moved the bookmark, and nobody is about to.
    async fn check_bookmark(&self, tx: &mut Transaction, job: &str, version: u64) -> Result<()> {
        let row = sqlx::query("SELECT COUNT(*) FROM jobs_commits WHERE job = $1 AND settled = 0")
            .bind(job)
            .fetch_one(&mut **tx)
            .await
            .map_err(|e| db::failed("noting a commit", e))?;
        let others: i64 = row.try_get(0).map_err(|e| db::failed("noting a commit", e))?;
        if others > 0 || version_of(tx, job).await? != version {
            return Err(moved(job));
        }
        Ok(())
    }

    /// Takes an ending off the record: its commit has not happened.
    pub(crate) async fn forget(&self, run: &str) -> Result<()> {
        let mut tx = self.store.db.begin().await?;
        delete(&mut tx, run).await?;
        db::commit(tx).await
    }

    /// Does what is to be done behind a commit that has happened. To do it twice does no harm.
    ///
    /// What the catalog refuses for good is told once and not tried again: the bookmark moves all the same, because the
    /// outputs are there.
    pub(crate) async fn settle(&self, ending: &Ending) -> Result<()> {
        crashpoint::hit("jobs.run.before_catalog");
        let mut refused = None;
        for change in &ending.changes {
            match self.rooms.engine.apply_table_change(change).await {
                Ok(()) => {}
                Err(error) if error.kind().may_pass() => return Err(error),
                Err(error) => {
                    let table = format!("{}.{}", change.database, change.table.name);
                    let place = change.table.storage.location.clone().unwrap_or_default();
                    refused = Some(
                        error
                            .context(format!("the outputs are published, but the catalog refused `{table}`"))
                            .hint(format!("mend the job or the table, then `glulam crawl {place}`")),
                    );
                }
            }
        }
        self.advance(ending).await?;
        refused.map_or(Ok(()), Err)
    }

    /// Moves the bookmark, tells of the objects, and takes the ending off the record.
    async fn advance(&self, ending: &Ending) -> Result<()> {
        crashpoint::hit("jobs.run.before_settle");
        let mut tx = self.store.db.begin().await?;
        if let Some((version, files)) = &ending.bookmark
            && version_of(&mut tx, &ending.job).await? == *version
        {
            self.store.advance(&mut tx, &ending.job, &ending.run, *version, files).await?;
        }
        sqlx::query("UPDATE jobs_commits SET settled = 1 WHERE run = $1")
            .bind(ending.run.as_str())
            .execute(&mut *tx)
            .await
            .map_err(|e| db::failed("settling a commit", e))?;
        let mut tickets = Vec::with_capacity(ending.objects.len());
        for object in &ending.objects {
            let event = NewEvent::new("object.created", object.as_str(), json!({ "run": ending.run }));
            tickets.push(self.rooms.events.publish_in(&mut tx, event).await?);
        }
        db::commit(tx).await?;
        tickets.into_iter().for_each(|ticket| self.rooms.events.committed(ticket));
        crashpoint::hit("jobs.run.before_marker");
        self.tidy(&ending.run, &ending.marker).await
    }

    /// Removes the marker, then the record.
    async fn tidy(&self, run: &str, marker: &LakeUri) -> Result<()> {
        match self.rooms.lake.delete(marker).await {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        crashpoint::hit("jobs.run.before_forget");
        self.forget(run).await
    }

    /// Makes good what a dead process has left, as far as it can be done now: what cannot is on record until the job
    /// runs again.
    pub(crate) async fn recover(&self) -> Result<()> {
        for left in self.left(None).await? {
            if self.is_at_work(&left.run).await {
                continue;
            }
            let (run, job) = (left.run.clone(), left.job.clone());
            if let Err(error) = self.make_good(left).await {
                tracing::warn!("run {run} of the job `{job}` ended before all was done: {error}");
            }
        }
        Ok(())
    }

    /// Makes good what earlier runs of this job have left. The job cannot go on before. Answers whether an earlier attempt
    /// of this very run has published its outputs: then there is nothing more to do.
    pub(crate) async fn recover_job(&self, job: &str, this: &RunId) -> Result<bool> {
        let mut is_published = false;
        for left in self.left(Some(job)).await? {
            if left.run == this.as_str() || !self.is_at_work(&left.run).await {
                let run = left.run.clone();
                let published = self.make_good(left).await.map_err(|error| {
                    error.context(format!("what belongs to the outputs of the earlier run {run}"))
                })?;
                is_published |= published && run == this.as_str();
            }
        }
        Ok(is_published)
    }

    async fn left(&self, job: Option<&str>) -> Result<Vec<Left>> {
        let failed = |e| db::failed("reading commits", e);
        let rows = sqlx::query("SELECT run, job, marker, settled, body FROM jobs_commits ORDER BY run")
            .fetch_all(self.store.db.read())
            .await
            .map_err(failed)?;
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            let left = Left {
                run: row.try_get(0).map_err(failed)?,
                job: row.try_get(1).map_err(failed)?,
                marker: row.try_get(2).map_err(failed)?,
                settled: row.try_get::<i64, _>(3).map_err(failed)? != 0,
                body: row.try_get(4).map_err(failed)?,
            };
            if job.is_none_or(|job| job == left.job) {
                all.push(left);
            }
        }
        Ok(all)
    }

    /// Does what is left to do; answers whether the outputs were published.
    async fn make_good(&self, left: Left) -> Result<bool> {
        let marker: LakeUri = left.marker.parse()?;
        if left.settled {
            return self.tidy(&left.run, &marker).await.map(|()| true);
        }
        if !is_there(&self.rooms.lake, &marker).await? {
            return self.forget(&left.run).await.map(|()| false);
        }
        let ending: Ending = serde_json::from_str(&left.body).map_err(|e| {
            Error::corrupt(format!("the ending of run {} cannot be read", left.run)).source_is(e)
        })?;
        match self.settle(&ending).await {
            Err(error) if !error.kind().may_pass() => {
                tracing::warn!("run {} of the job `{}`: {error}", left.run, left.job);
                Ok(true)
            }
            settled => settled.map(|()| true),
        }
    }

    /// Whether some process still drives the run.
    async fn is_at_work(&self, run: &str) -> bool {
        let Ok(id) = run.parse::<RunId>() else { return false };
        self.rooms.runs.get(&id).await.is_ok_and(|run| !run.state.is_final())
    }
}

/// An ending on record.
struct Left {
    run: String,
    job: String,
    marker: String,
    settled: bool,
    body: String,
}

async fn is_there(lake: &Lake, uri: &LakeUri) -> Result<bool> {
    match lake.head(uri).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

async fn delete(tx: &mut Transaction, run: &str) -> Result<()> {
    sqlx::query("DELETE FROM jobs_commits WHERE run = $1")
        .bind(run)
        .execute(&mut **tx)
        .await
        .map_err(|e| db::failed("forgetting a commit", e))?;
    Ok(())
}

/// What an ending says of the bookmark.
pub(crate) fn bookmark(mode: BookmarkMode, version: u64, files: SeenFiles) -> Option<(u64, SeenFiles)> {
    let has_files = files.values().any(|files| !files.is_empty());
    (mode == BookmarkMode::Enabled && has_files).then_some((version, files))
}
