//! Jobs by name in the state database, as they were written.

use chrono::{DateTime, Utc};
use model::{Error, Result, nearest_hint};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;
use state::Clock;
use state::db::{self, Database, Migration};

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "jobs, bookmarks, commits under way",
    sql: "CREATE TABLE jobs_jobs (
              name {text} NOT NULL PRIMARY KEY, source_name TEXT NOT NULL, definition TEXT NOT NULL,
              created BIGINT NOT NULL, modified BIGINT NOT NULL);
          CREATE TABLE jobs_bookmarks (
              job {text} NOT NULL PRIMARY KEY, version BIGINT NOT NULL, run {text} NOT NULL, modified BIGINT NOT NULL);
          CREATE TABLE jobs_files (
              job {text} NOT NULL, node {text} NOT NULL, path {text} NOT NULL, size BIGINT NOT NULL,
              modified BIGINT NOT NULL, version BIGINT NOT NULL, run {text} NOT NULL,
              PRIMARY KEY (job, node, path));
          CREATE TABLE jobs_commits (
              run {text} NOT NULL PRIMARY KEY, job {text} NOT NULL, marker TEXT NOT NULL, settled BIGINT NOT NULL,
              body TEXT NOT NULL);",
}];

/// A job that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredJob {
    /// Its name.
    pub name: String,
    /// What the definition's file was called.
    pub source_name: String,
    /// The definition, as it was written.
    pub definition: String,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
}

/// What of its name a job may replace.
#[derive(Clone, Copy)]
pub(crate) enum Replaces<'a> {
    Any,
    Nothing,
    /// This definition.
    Only(&'a str),
}

/// The jobs of a database.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) db: Database,
    pub(crate) clock: Clock,
}

const COLUMNS: &str = "SELECT name, source_name, definition, created, modified FROM jobs_jobs";

impl Store {
    pub(crate) async fn open(db: Database, clock: Clock) -> Result<Self> {
        db.migrate("jobs", MIGRATIONS).await?;
        Ok(Self { db, clock })
    }

    /// Adds a job, or replaces the one of its name, if that may be. Answers whether it is new.
    pub(crate) async fn put(
        &self,
        name: &str,
        source_name: &str,
        definition: &str,
        replaces: Replaces<'_>,
    ) -> Result<bool> {
        if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
            return Err(Error::invalid(
                "a job's name has 1 to 255 characters, none of them a control character",
            ));
        }
        let now = self.clock.now_millis();
        let seen = if let Replaces::Only(seen) = replaces { Some(seen) } else { None };
        let mut tx = self.db.begin().await?;
        let updated = sqlx::query(
            "UPDATE jobs_jobs SET source_name = $2, definition = $3, modified = $4
             WHERE name = $1 AND definition = COALESCE($5, definition)",
        )
        .bind(name)
        .bind(source_name)
        .bind(definition)
        .bind(now)
        .bind(seen)
        .execute(&mut *tx)
        .await
        .map_err(|e| db::failed("keeping a job", e))?;
        let is_new = updated.rows_affected() == 0;
        if is_new && seen.is_some() {
            return Err(Error::conflict(format!("the job `{name}` was changed or deleted meanwhile"))
                .hint("look at what is kept now before you replace it"));
        }
        if matches!(replaces, Replaces::Nothing) && !is_new {
            return Err(Error::already_exists(format!("there is a job `{name}` already"))
                .hint("update it, or choose another name"));
        }
        if is_new {
            sqlx::query(
                "INSERT INTO jobs_jobs (name, source_name, definition, created, modified)
                 VALUES ($1, $2, $3, $4, $4)",
            )
            .bind(name)
            .bind(source_name)
            .bind(definition)
            .bind(now)
            .execute(&mut *tx)
            .await
            .map_err(|e| db::failed("keeping a job", e))?;
        }
        db::commit(tx).await?;
        Ok(is_new)
    }

    pub(crate) async fn get(&self, name: &str) -> Result<StoredJob> {
        let found = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE name = $1")))
            .bind(name)
            .fetch_optional(self.db.read())
            .await
            .map_err(|e| db::failed("reading a job", e))?;
        match found {
            Some(row) => stored(&row),
            None => {
                let all = self.list().await?;
                Err(Error::not_found(format!("there is no job `{name}`"))
                    .hint(nearest_hint(name, all.iter().map(|job| job.name.as_str())))
                    .hint("`glulam job create FILE` makes one; a definition's file can be run as well"))
            }
        }
    }

    pub(crate) async fn list(&self) -> Result<Vec<StoredJob>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY name")))
            .fetch_all(self.db.read())
            .await
            .map_err(|e| db::failed("listing jobs", e))?;
        rows.iter().map(stored).collect()
    }

    /// Deletes a job with its bookmark.
    pub(crate) async fn delete(&self, name: &str) -> Result<()> {
        self.get(name).await?;
        let mut tx = self.db.begin().await?;
        for statement in [
            "DELETE FROM jobs_jobs WHERE name = $1",
            "DELETE FROM jobs_files WHERE job = $1",
            "DELETE FROM jobs_bookmarks WHERE job = $1",
        ] {
            sqlx::query(statement)
                .bind(name)
                .execute(&mut *tx)
                .await
                .map_err(|e| db::failed("deleting a job", e))?;
        }
        db::commit(tx).await
    }
}

fn stored(row: &AnyRow) -> Result<StoredJob> {
    let text = |at: usize| row.try_get::<String, _>(at).map_err(|e| db::failed("reading a job", e));
    let moment = |at: usize| {
        let millis: i64 = row.try_get(at).map_err(|e| db::failed("reading a job", e))?;
        DateTime::from_timestamp_millis(millis).ok_or_else(|| Error::corrupt("a job's time is none"))
    };
    Ok(StoredJob {
        name: text(0)?,
        source_name: text(1)?,
        definition: text(2)?,
        created: moment(3)?,
        modified: moment(4)?,
    })
}
