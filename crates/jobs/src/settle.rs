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
    pub(crate) async fn settle(&self, ending: &Ending) -> Result<()> {
        crashpoint::hit("jobs.run.before_catalog");
        for change in &ending.changes {
            self.rooms.engine.apply_table_change(change).await?;
        }
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

    /// Makes good what a dead process has left.
    pub(crate) async fn recover(&self) -> Result<()> {
        let rows = sqlx::query("SELECT run, marker, settled, body FROM jobs_commits ORDER BY run")
            .fetch_all(self.store.db.read())
            .await
            .map_err(|e| db::failed("reading commits", e))?;
        for row in rows {
            let failed = |e| db::failed("reading commits", e);
            let run: String = row.try_get(0).map_err(failed)?;
            if self.is_at_work(&run).await {
                continue;
            }
            let marker: LakeUri = row.try_get::<String, _>(1).map_err(failed)?.parse()?;
            if row.try_get::<i64, _>(2).map_err(failed)? != 0 {
                self.tidy(&run, &marker).await?;
                continue;
            }
            if !is_there(&self.rooms.lake, &marker).await? {
                self.forget(&run).await?;
                continue;
            }
            let body: String = row.try_get(3).map_err(failed)?;
            let ending: Ending = serde_json::from_str(&body).map_err(|e| {
                Error::corrupt(format!("the ending of run {run} cannot be read")).source_is(e)
            })?;
            self.settle(&ending).await?;
        }
        Ok(())
    }

    /// Whether some process still drives the run.
    async fn is_at_work(&self, run: &str) -> bool {
        let Ok(id) = run.parse::<RunId>() else { return false };
        self.rooms.runs.get(&id).await.is_ok_and(|run| !run.state.is_final())
    }
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
