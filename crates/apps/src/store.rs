//! Applications and their checkpoints in the state database.

use crate::run::source::Positions;
use crate::run::state::KeptPipeline;
use chrono::{DateTime, Utc};
use engine::TableChange;
use model::{Error, LakeUri, Result, nearest_hint};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;
use state::Transaction;
use state::db::{self, Database, Migration};
use std::collections::BTreeMap;

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "applications, checkpoints",
    sql: "CREATE TABLE apps_applications (
              name {text} NOT NULL PRIMARY KEY, source_name TEXT NOT NULL, script TEXT NOT NULL, version BIGINT NOT NULL,
              tasks BIGINT NOT NULL, wanted BIGINT NOT NULL, run {text} NOT NULL, created BIGINT NOT NULL,
              modified BIGINT NOT NULL);
          CREATE TABLE apps_checkpoints (
              application {text} NOT NULL, number BIGINT NOT NULL, label {text} NOT NULL, settled BIGINT NOT NULL,
              taken BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (application, number));",
}];

/// An application as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct StoredApplication {
    pub(crate) name: String,
    pub(crate) source_name: String,
    pub(crate) script: String,
    pub(crate) version: u64,
    /// How many tasks it was last started with; 0 for what the script says.
    pub(crate) tasks: usize,
    /// Whether it is meant to run.
    pub(crate) wanted: bool,
    /// Its last run.
    pub(crate) run: String,
    pub(crate) created: DateTime<Utc>,
    pub(crate) modified: DateTime<Utc>,
}

/// What a checkpoint keeps together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The folder of the state's files, below the applications' own.
    pub(crate) folder: String,
    /// By table.
    pub(crate) positions: BTreeMap<String, Positions>,
    pub(crate) watermarks: BTreeMap<String, i64>,
    pub(crate) pipelines: Vec<KeptPipeline>,
    /// The dataflow that the state belongs to.
    pub(crate) signature: Vec<String>,
    /// The object that is there once the outputs are.
    pub(crate) marker: Option<LakeUri>,
    pub(crate) changes: Vec<TableChange>,
    /// Files of the state's folder with records that are put once the outputs are there, and the streams they go to.
    pub(crate) outbox: Vec<(String, String)>,
    /// What was counted so far.
    pub(crate) counters: BTreeMap<String, u64>,
}

/// A checkpoint.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoint {
    pub(crate) application: String,
    pub(crate) number: u64,
    /// The name of a savepoint; empty for others.
    pub(crate) label: String,
    /// Whether all that belongs to it was done.
    pub(crate) settled: bool,
    pub(crate) taken: DateTime<Utc>,
    pub(crate) kept: Kept,
}

#[derive(Clone)]
pub(crate) struct Store {
    db: Database,
}

fn time(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

const COLUMNS: &str =
    "SELECT name, source_name, script, version, tasks, wanted, run, created, modified FROM apps_applications";

fn application(row: &AnyRow) -> Result<StoredApplication> {
    let failed = |e| db::failed("reading an application", e);
    Ok(StoredApplication {
        name: row.try_get(0).map_err(failed)?,
        source_name: row.try_get(1).map_err(failed)?,
        script: row.try_get(2).map_err(failed)?,
        version: row.try_get::<i64, _>(3).map_err(failed)?.unsigned_abs(),
        tasks: usize::try_from(row.try_get::<i64, _>(4).map_err(failed)?).unwrap_or(0),
        wanted: row.try_get::<i64, _>(5).map_err(failed)? != 0,
        run: row.try_get(6).map_err(failed)?,
        created: time(row.try_get(7).map_err(failed)?),
        modified: time(row.try_get(8).map_err(failed)?),
    })
}

fn checkpoint(row: &AnyRow) -> Result<Checkpoint> {
    let failed = |e| db::failed("reading a checkpoint", e);
    let body: String = row.try_get(5).map_err(failed)?;
    let application: String = row.try_get(0).map_err(failed)?;
    let kept = serde_json::from_str(&body).map_err(|e| {
        Error::corrupt(format!("a checkpoint of `{application}` cannot be read")).source_is(e)
    })?;
    Ok(Checkpoint {
        application,
        number: row.try_get::<i64, _>(1).map_err(failed)?.unsigned_abs(),
        label: row.try_get(2).map_err(failed)?,
        settled: row.try_get::<i64, _>(3).map_err(failed)? != 0,
        taken: time(row.try_get(4).map_err(failed)?),
        kept,
    })
}

fn check_name(name: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    match (1..=128).contains(&name.len()) && name.chars().all(fits) {
        true => Ok(()),
        false => Err(Error::invalid(format!("`{name}` is no application's name"))
            .hint("names have 1 to 128 letters, digits, `_`, `.` and `-`")),
    }
}

async fn insert(tx: &mut Transaction, name: &str, source_name: &str, script: &str, now: i64) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO apps_applications (name, source_name, script, version, tasks, wanted, run, created, modified)
         VALUES ($1, $2, $3, 1, 0, 0, '', $4, $4) ON CONFLICT (name) DO NOTHING",
    )
    .bind(name)
    .bind(source_name)
    .bind(script)
    .bind(now)
    .execute(&mut **tx)
    .await
    .map_err(|e| db::failed("keeping an application", e))?;
    Ok(done.rows_affected() > 0)
}

impl Store {
    pub(crate) async fn open(db: Database) -> Result<Self> {
        db.migrate("apps", MIGRATIONS).await?;
        Ok(Self { db })
    }

    /// Adds an application. False if there is one of its name.
    pub(crate) async fn create(&self, name: &str, source_name: &str, script: &str, now: i64) -> Result<bool> {
        check_name(name)?;
        let mut tx = self.db.begin().await?;
        let is_new = insert(&mut tx, name, source_name, script, now).await?;
        db::commit(tx).await?;
        Ok(is_new)
    }

    /// Changes an application that stands at that version. False if it stands at another, or is gone.
    pub(crate) async fn change(
        &self,
        (name, version): (&str, u64),
        source_name: &str,
        script: &str,
        now: i64,
    ) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let done = sqlx::query(
            "UPDATE apps_applications SET source_name = $2, script = $3, modified = $4,
             version = version + (CASE WHEN script = $3 THEN 0 ELSE 1 END) WHERE name = $1 AND version = $5",
        )
        .bind(name)
        .bind(source_name)
        .bind(script)
        .bind(now)
        .bind(i64::try_from(version).unwrap_or(i64::MAX))
        .execute(&mut *tx)
        .await
        .map_err(|e| db::failed("keeping an application", e))?;
        db::commit(tx).await?;
        Ok(done.rows_affected() > 0)
    }

    /// Adds an application, or changes the one of its name. Answers whether it is new.
    pub(crate) async fn put(
        &self,
        name: &str,
        source_name: &str,
        script: &str,
        seen: Option<&str>,
        now: i64,
    ) -> Result<bool> {
        check_name(name)?;
        let mut tx = self.db.begin().await?;
        let updated = sqlx::query(
            "UPDATE apps_applications SET source_name = $2, script = $3, modified = $4,
             version = version + (CASE WHEN script = $3 THEN 0 ELSE 1 END)
             WHERE name = $1 AND script = COALESCE($5, script)",
        )
        .bind(name)
        .bind(source_name)
        .bind(script)
        .bind(now)
        .bind(seen)
        .execute(&mut *tx)
        .await
        .map_err(|e| db::failed("keeping an application", e))?;
        if updated.rows_affected() == 0 && seen.is_some() {
            return Err(Error::conflict(format!(
                "the application `{name}` was changed or deleted meanwhile"
            ))
            .hint("look at what is kept now before you replace it"));
        }
        if updated.rows_affected() == 0 && !insert(&mut tx, name, source_name, script, now).await? {
            return Err(Error::conflict(format!("the application `{name}` was made at the same time"))
                .hint("try again"));
        }
        db::commit(tx).await?;
        Ok(updated.rows_affected() == 0)
    }

    pub(crate) async fn get(&self, name: &str) -> Result<StoredApplication> {
        let found = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE name = $1")))
            .bind(name)
            .fetch_optional(self.db.read())
            .await
            .map_err(|e| db::failed("reading an application", e))?;
        match found {
            Some(row) => application(&row),
            None => {
                let all = self.list().await?;
                Err(Error::not_found(format!("there is no application `{name}`"))
                    .hint(nearest_hint(name, all.iter().map(|a| a.name.as_str()))))
            }
        }
    }

    pub(crate) async fn list(&self) -> Result<Vec<StoredApplication>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY name")))
            .fetch_all(self.db.read())
            .await
            .map_err(|e| db::failed("reading applications", e))?;
        rows.iter().map(application).collect()
    }

    /// Notes whether it is meant to run, and with how many tasks.
    pub(crate) async fn want(&self, name: &str, wanted: bool, tasks: usize) -> Result<()> {
        let mut tx = self.db.begin().await?;
        sqlx::query("UPDATE apps_applications SET wanted = $2, tasks = $3 WHERE name = $1")
            .bind(name)
            .bind(i64::from(wanted))
            .bind(i64::try_from(tasks).unwrap_or(0))
            .execute(&mut *tx)
            .await
            .map_err(|e| db::failed("noting an application's run", e))?;
        db::commit(tx).await
    }

    /// Notes its latest run.
    pub(crate) async fn note_run(&self, name: &str, run: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        sqlx::query("UPDATE apps_applications SET run = $2 WHERE name = $1")
            .bind(name)
            .bind(run)
            .execute(&mut *tx)
            .await
            .map_err(|e| db::failed("noting an application's run", e))?;
        db::commit(tx).await
    }

    pub(crate) async fn delete(&self, name: &str) -> Result<()> {
        let failed = |e| db::failed("deleting an application", e);
        let mut tx = self.db.begin().await?;
        for sql in [
            "DELETE FROM apps_checkpoints WHERE application = $1",
            "DELETE FROM apps_applications WHERE name = $1",
        ] {
            sqlx::query(sql).bind(name).execute(&mut *tx).await.map_err(failed)?;
        }
        db::commit(tx).await
    }

    /// Puts a checkpoint on record.
    pub(crate) async fn record(&self, checkpoint: &Checkpoint) -> Result<()> {
        let body = serde_json::to_string(&checkpoint.kept)
            .map_err(|e| Error::internal("a checkpoint cannot be written").source_is(e))?;
        let mut tx = self.db.begin().await?;
        sqlx::query(
            "INSERT INTO apps_checkpoints (application, number, label, settled, taken, body)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(checkpoint.application.as_str())
        .bind(checkpoint.number as i64)
        .bind(checkpoint.label.as_str())
        .bind(i64::from(checkpoint.settled))
        .bind(checkpoint.taken.timestamp_millis())
        .bind(body)
        .execute(&mut *tx)
        .await
        .map_err(|e| db::failed("noting a checkpoint", e))?;
        db::commit(tx).await
    }

    /// All that belongs to it was done.
    pub(crate) async fn settle(&self, application: &str, number: u64) -> Result<()> {
        let mut tx = self.db.begin().await?;
        sqlx::query("UPDATE apps_checkpoints SET settled = 1 WHERE application = $1 AND number = $2")
            .bind(application)
            .bind(number as i64)
            .execute(&mut *tx)
            .await
            .map_err(|e| db::failed("settling a checkpoint", e))?;
        db::commit(tx).await
    }

    /// Takes a snapshot's name away: it is a checkpoint like others then.
    pub(crate) async fn unlabel(&self, application: &str, number: u64) -> Result<()> {
        let mut tx = self.db.begin().await?;
        sqlx::query("UPDATE apps_checkpoints SET label = '' WHERE application = $1 AND number = $2")
            .bind(application)
            .bind(number as i64)
            .execute(&mut *tx)
            .await
            .map_err(|e| db::failed("deleting a snapshot", e))?;
        db::commit(tx).await
    }

    pub(crate) async fn forget(&self, application: &str, numbers: &[u64]) -> Result<()> {
        let mut tx = self.db.begin().await?;
        for number in numbers {
            sqlx::query("DELETE FROM apps_checkpoints WHERE application = $1 AND number = $2")
                .bind(application)
                .bind(*number as i64)
                .execute(&mut *tx)
                .await
                .map_err(|e| db::failed("forgetting a checkpoint", e))?;
        }
        db::commit(tx).await
    }

    /// An application's checkpoints, the latest first.
    pub(crate) async fn checkpoints(&self, application: &str) -> Result<Vec<Checkpoint>> {
        let rows = sqlx::query(
            "SELECT application, number, label, settled, taken, body FROM apps_checkpoints
             WHERE application = $1 ORDER BY number DESC",
        )
        .bind(application)
        .fetch_all(self.db.read())
        .await
        .map_err(|e| db::failed("reading checkpoints", e))?;
        rows.iter().map(checkpoint).collect()
    }
}
