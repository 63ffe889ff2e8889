//! What crawlers keep in the state database: definitions with their versions, folders seen, folders waiting.

use crate::classify::CustomClassifier;
use crate::crawler::Crawler;
use chrono::{DateTime, Utc};
use model::{Error, Result, nearest_hint};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};
use state::{Clock, Database, Migration, Transaction, db};
use std::collections::BTreeSet;

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "crawlers, classifiers and folders",
    sql: "CREATE TABLE crawl_crawlers (
            name {text} PRIMARY KEY, definition TEXT NOT NULL, version BIGINT NOT NULL,
            created BIGINT NOT NULL, updated BIGINT NOT NULL, crawled BIGINT);
        CREATE TABLE crawl_classifiers (
            name {text} PRIMARY KEY, definition TEXT NOT NULL, version BIGINT NOT NULL,
            created BIGINT NOT NULL, updated BIGINT NOT NULL);
        CREATE TABLE crawl_folders (
            crawler {text} NOT NULL, folder {text} NOT NULL, PRIMARY KEY (crawler, folder));
        CREATE TABLE crawl_pending (
            crawler {text} NOT NULL, folder {text} NOT NULL, PRIMARY KEY (crawler, folder));",
}];

/// Folders written in one statement.
const CHUNK: usize = 400;

/// A definition as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored<T> {
    /// The definition.
    pub definition: T,
    /// How many changes it has seen; each adds one.
    pub version: i64,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it was last changed.
    pub updated: DateTime<Utc>,
}

/// A kind of definition, by its table.
pub(crate) trait Kind: Serialize + DeserializeOwned + Send + Sync {
    const TABLE: &'static str;
    const WORD: &'static str;
    fn name(&self) -> &str;
}

impl Kind for Crawler {
    const TABLE: &'static str = "crawl_crawlers";
    const WORD: &'static str = "crawler";
    fn name(&self) -> &str {
        &self.name
    }
}

impl Kind for CustomClassifier {
    const TABLE: &'static str = "crawl_classifiers";
    const WORD: &'static str = "classifier";
    fn name(&self) -> &str {
        CustomClassifier::name(self)
    }
}

/// Which of a crawler's lists of folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folders {
    /// Looked at by an earlier crawl.
    Seen,
    /// Something happened in them, and no crawl has looked since.
    Pending,
}

impl Folders {
    fn table(self) -> &'static str {
        match self {
            Self::Seen => "crawl_folders",
            Self::Pending => "crawl_pending",
        }
    }
}

/// The tables of this room.
#[derive(Clone)]
pub(crate) struct Store {
    db: Database,
    clock: Clock,
}

impl Store {
    pub(crate) async fn open(db: Database, clock: Clock) -> Result<Self> {
        db.migrate("crawl", MIGRATIONS).await?;
        Ok(Self { db, clock })
    }

    pub(crate) async fn create<T: Kind>(&self, definition: T) -> Result<Stored<T>> {
        let sql = format!(
            "INSERT INTO {} (name, definition, version, created, updated) VALUES ($1, $2, 1, $3, $3)
             ON CONFLICT (name) DO NOTHING",
            T::TABLE
        );
        let mut tx = self.db.begin().await?;
        let done = sqlx::query(AssertSqlSafe(sql))
            .bind(definition.name())
            .bind(to_json(&definition)?)
            .bind(self.clock.now_millis())
            .execute(&mut *tx)
            .await
            .map_err(|e| db::failed(&format!("storing a {}", T::WORD), e))?;
        if done.rows_affected() == 0 {
            return Err(Error::already_exists(format!(
                "there is a {} `{}` already",
                T::WORD,
                definition.name()
            ))
            .hint("choose another name, or update the one that is there"));
        }
        db::commit(tx).await?;
        self.get(definition.name()).await
    }

    pub(crate) async fn get<T: Kind>(&self, name: &str) -> Result<Stored<T>> {
        let sql = format!("SELECT definition, version, created, updated FROM {} WHERE name = $1", T::TABLE);
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(name)
            .fetch_optional(self.db.read())
            .await
            .map_err(|e| db::failed(&format!("reading a {}", T::WORD), e))?;
        match row {
            Some(row) => stored(&row, name),
            None => Err(self.missing::<T>(name).await),
        }
    }

    pub(crate) async fn list<T: Kind>(&self) -> Result<Vec<Stored<T>>> {
        let sql = format!("SELECT definition, version, created, updated FROM {} ORDER BY name", T::TABLE);
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(self.db.read())
            .await
            .map_err(|e| db::failed(&format!("listing {}s", T::WORD), e))?;
        rows.iter().map(|row| stored(row, "")).collect()
    }

    pub(crate) async fn update<T: Kind>(&self, definition: T, expected: Option<i64>) -> Result<Stored<T>> {
        let sql = format!(
            "UPDATE {} SET definition = $1, version = version + 1, updated = $2
             WHERE name = $3 AND ($4 < 0 OR version = $4)",
            T::TABLE
        );
        let mut tx = self.db.begin().await?;
        let done = sqlx::query(AssertSqlSafe(sql))
            .bind(to_json(&definition)?)
            .bind(self.clock.now_millis())
            .bind(definition.name())
            .bind(expected.unwrap_or(-1))
            .execute(&mut *tx)
            .await
            .map_err(|e| db::failed(&format!("changing a {}", T::WORD), e))?;
        db::commit(tx).await?;
        if done.rows_affected() > 0 {
            return self.get(definition.name()).await;
        }
        let current: Stored<T> = self.get(definition.name()).await?;
        Err(Error::conflict(format!("somebody else changed the {} `{}`", T::WORD, definition.name()))
            .why(format!("it is at version {}, {} was expected", current.version, expected.unwrap_or(-1)))
            .hint("read it again and repeat the change"))
    }

    pub(crate) async fn delete<T: Kind>(&self, name: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let sql = format!("DELETE FROM {} WHERE name = $1", T::TABLE);
        if execute(&mut tx, sql, name).await? == 0 {
            drop(tx);
            return Err(self.missing::<T>(name).await);
        }
        if T::TABLE == Crawler::TABLE {
            for list in [Folders::Seen, Folders::Pending] {
                execute(&mut tx, format!("DELETE FROM {} WHERE crawler = $1", list.table()), name).await?;
            }
        }
        db::commit(tx).await
    }

    async fn missing<T: Kind>(&self, name: &str) -> Error {
        let error = Error::not_found(format!("there is no {} `{name}`", T::WORD));
        match self.list::<T>().await {
            Ok(all) => error.hint(nearest_hint(name, all.iter().map(|one| one.definition.name()))),
            Err(_) => error,
        }
    }

    /// When a crawler's last successful crawl ended.
    pub(crate) async fn crawled(&self, crawler: &str) -> Result<Option<i64>> {
        let row = sqlx::query("SELECT COALESCE(crawled, -1) FROM crawl_crawlers WHERE name = $1")
            .bind(crawler)
            .fetch_optional(self.db.read())
            .await
            .map_err(|e| db::failed("reading a crawler", e))?;
        row.map(|row| row.try_get::<i64, _>(0))
            .transpose()
            .map(|time| time.filter(|time| *time >= 0))
            .map_err(|e| db::failed("reading a crawler", e))
    }

    /// Records the end of a successful crawl: its folders are seen, and those it dealt with wait no more.
    pub(crate) async fn finish(
        &self,
        crawler: &str,
        seen: &BTreeSet<String>,
        dealt_with: &BTreeSet<String>,
    ) -> Result<()> {
        let known = self.folders(crawler, Folders::Seen).await?;
        self.remember(crawler, Folders::Seen, &seen.difference(&known).cloned().collect()).await?;
        let dealt_with: Vec<&String> = dealt_with.iter().collect();
        for chunk in dealt_with.chunks(CHUNK) {
            let mut tx = self.db.begin().await?;
            for folder in chunk {
                sqlx::query("DELETE FROM crawl_pending WHERE crawler = $1 AND folder = $2")
                    .bind(crawler)
                    .bind(folder.as_str())
                    .execute(&mut *tx)
                    .await
                    .map_err(|e| db::failed("recording a crawl", e))?;
            }
            db::commit(tx).await?;
        }
        let mut tx = self.db.begin().await?;
        sqlx::query("UPDATE crawl_crawlers SET crawled = $1 WHERE name = $2")
            .bind(self.clock.now_millis())
            .bind(crawler)
            .execute(&mut *tx)
            .await
            .map_err(|e| db::failed("recording a crawl", e))?;
        db::commit(tx).await
    }

    /// Adds folders to a list.
    pub(crate) async fn remember(
        &self,
        crawler: &str,
        list: Folders,
        folders: &BTreeSet<String>,
    ) -> Result<()> {
        let folders: Vec<&String> = folders.iter().collect();
        for chunk in folders.chunks(CHUNK) {
            let values: Vec<String> = (0..chunk.len()).map(|n| format!("($1, ${})", n + 2)).collect();
            let sql = format!(
                "INSERT INTO {} (crawler, folder) VALUES {} ON CONFLICT (crawler, folder) DO NOTHING",
                list.table(),
                values.join(", ")
            );
            let mut tx = self.db.begin().await?;
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(crawler);
            for folder in chunk {
                query = query.bind(folder.as_str());
            }
            query.execute(&mut *tx).await.map_err(|e| db::failed("recording folders", e))?;
            db::commit(tx).await?;
        }
        Ok(())
    }

    /// The folders of a list.
    pub(crate) async fn folders(&self, crawler: &str, list: Folders) -> Result<BTreeSet<String>> {
        let sql = format!("SELECT folder FROM {} WHERE crawler = $1", list.table());
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(crawler)
            .fetch_all(self.db.read())
            .await
            .map_err(|e| db::failed("reading folders", e))?;
        rows.iter().map(|row| row.try_get(0).map_err(|e| db::failed("reading folders", e))).collect()
    }
}

async fn execute(tx: &mut Transaction, sql: String, name: &str) -> Result<u64> {
    let done = sqlx::query(AssertSqlSafe(sql))
        .bind(name)
        .execute(&mut **tx)
        .await
        .map_err(|e| db::failed("deleting a definition", e))?;
    Ok(done.rows_affected())
}

fn to_json(definition: &impl Serialize) -> Result<String> {
    serde_json::to_string(definition).map_err(|e| Error::internal("cannot write a definition").source_is(e))
}

fn stored<T: Kind>(row: &AnyRow, name: &str) -> Result<Stored<T>> {
    let failed = |e| db::failed("reading a definition", e);
    let text: String = row.try_get(0).map_err(failed)?;
    let time = |column: usize| -> Result<DateTime<Utc>> {
        let millis: i64 = row.try_get(column).map_err(failed)?;
        DateTime::from_timestamp_millis(millis).ok_or_else(|| Error::corrupt("a stored time is impossible"))
    };
    let definition = serde_json::from_str(&text).map_err(|e| {
        Error::corrupt(format!("the stored {} `{name}` cannot be read", T::WORD)).source_is(e)
    })?;
    Ok(Stored { definition, version: row.try_get(1).map_err(failed)?, created: time(2)?, updated: time(3)? })
}
