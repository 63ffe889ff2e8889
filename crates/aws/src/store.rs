//! What the services of the door keep and no room below knows of: workgroups, named queries, data catalogs, tags,
//! settings that clients store. One table of documents by kind and name; each change states the revision it was made
//! from, so that no concurrent change is lost.

use chrono::{DateTime, Utc};
use model::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use state::Clock;
use state::db::{self, Database, Migration};

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "documents",
    sql: "CREATE TABLE aws_documents (
              kind {text} NOT NULL, name {text} NOT NULL, body TEXT NOT NULL, revision BIGINT NOT NULL,
              created BIGINT NOT NULL, updated BIGINT NOT NULL, PRIMARY KEY (kind, name));",
}];

/// How often a change is tried again when somebody else changed the document meanwhile.
const ATTEMPTS: usize = 8;

/// The documents of a database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Documents {
    db: Database,
    clock: Clock,
}

/// A document, and when it came to be.
#[derive(Debug, Clone)]
pub(crate) struct Kept<T> {
    pub(crate) name: String,
    pub(crate) body: T,
    pub(crate) created: DateTime<Utc>,
    pub(crate) updated: DateTime<Utc>,
    revision: i64,
}

impl Documents {
    pub(crate) async fn open(db: Database, clock: Clock) -> Result<Self> {
        db.migrate("aws", MIGRATIONS).await?;
        Ok(Self { db, clock })
    }

    /// The document of that name, if there is one.
    pub(crate) async fn get<T: DeserializeOwned>(&self, kind: &str, name: &str) -> Result<Option<Kept<T>>> {
        let row = sqlx::query(
            "SELECT name, body, revision, created, updated FROM aws_documents WHERE kind = $1 AND name = $2",
        )
        .bind(kind)
        .bind(name)
        .fetch_optional(self.db.read())
        .await
        .map_err(|e| db::failed("reading a setting of the AWS door", e))?;
        row.as_ref().map(kept).transpose()
    }

    /// The documents of a kind by name, behind the name `after`, at most so many.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        kind: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Kept<T>>> {
        let rows = sqlx::query(
            "SELECT name, body, revision, created, updated FROM aws_documents WHERE kind = $1 AND name > $2
             ORDER BY name LIMIT $3",
        )
        .bind(kind)
        .bind(after.unwrap_or_default())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(self.db.read())
        .await
        .map_err(|e| db::failed("listing settings of the AWS door", e))?;
        rows.iter().map(kept).collect()
    }

    /// Adds a document; false if there is one of that name.
    pub(crate) async fn create<T: Serialize>(&self, kind: &str, name: &str, body: &T) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let done = sqlx::query(
            "INSERT INTO aws_documents (kind, name, body, revision, created, updated)
             VALUES ($1, $2, $3, 1, $4, $4) ON CONFLICT (kind, name) DO NOTHING",
        )
        .bind(kind)
        .bind(name)
        .bind(written(body)?)
        .bind(self.clock.now_millis())
        .execute(&mut *tx)
        .await
        .map_err(|e| db::failed("keeping a setting of the AWS door", e))?;
        db::commit(tx).await?;
        Ok(done.rows_affected() > 0)
    }

    /// Changes a document as the function does; false if there is none.
    pub(crate) async fn change<T, F>(&self, kind: &str, name: &str, mut change: F) -> Result<bool>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(&mut T) -> Result<()> + Send,
    {
        for _ in 0..ATTEMPTS {
            let Some(mut found) = self.get::<T>(kind, name).await? else { return Ok(false) };
            change(&mut found.body)?;
            let body = written(&found.body)?;
            let mut tx = self.db.begin().await?;
            let done = sqlx::query(
                "UPDATE aws_documents SET body = $1, revision = revision + 1, updated = $2
                 WHERE kind = $3 AND name = $4 AND revision = $5",
            )
            .bind(body)
            .bind(self.clock.now_millis())
            .bind(kind)
            .bind(name)
            .bind(found.revision)
            .execute(&mut *tx)
            .await
            .map_err(|e| db::failed("changing a setting of the AWS door", e))?;
            db::commit(tx).await?;
            if done.rows_affected() > 0 {
                return Ok(true);
            }
        }
        Err(Error::conflict(format!("`{name}` is changed by others all the time")).hint("try again"))
    }

    /// Deletes a document; false if there is none.
    pub(crate) async fn delete(&self, kind: &str, name: &str) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let done = sqlx::query("DELETE FROM aws_documents WHERE kind = $1 AND name = $2")
            .bind(kind)
            .bind(name)
            .execute(&mut *tx)
            .await
            .map_err(|e| db::failed("deleting a setting of the AWS door", e))?;
        db::commit(tx).await?;
        Ok(done.rows_affected() > 0)
    }
}

fn written<T: Serialize>(body: &T) -> Result<String> {
    serde_json::to_string(body).map_err(|e| Error::internal("a setting cannot be written").source_is(e))
}

fn kept<T: DeserializeOwned>(row: &AnyRow) -> Result<Kept<T>> {
    let failed = |e| db::failed("reading a setting of the AWS door", e);
    let name: String = row.try_get(0).map_err(failed)?;
    let text: String = row.try_get(1).map_err(failed)?;
    let body = serde_json::from_str(&text)
        .map_err(|e| Error::corrupt(format!("the stored setting `{name}` cannot be read")).source_is(e))?;
    let time = |column: usize| -> Result<DateTime<Utc>> {
        let millis: i64 = row.try_get(column).map_err(failed)?;
        DateTime::from_timestamp_millis(millis).ok_or_else(|| Error::corrupt("a stored time is none"))
    };
    Ok(Kept { name, body, revision: row.try_get(2).map_err(failed)?, created: time(3)?, updated: time(4)? })
}
