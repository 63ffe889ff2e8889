//! Streams, shards and consumers in the state database. The records are not here.

use crate::StreamSettings;
use model::{Error, Result};
use sqlx::Row;
use sqlx::any::AnyRow;
use state::db::{self, Database, Migration, Transaction};

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "streams, shards, consumers",
    sql: "CREATE TABLE streams_streams (
              id BIGINT NOT NULL PRIMARY KEY, name {text} NOT NULL UNIQUE, settings TEXT NOT NULL,
              deleting BIGINT NOT NULL, next_shard BIGINT NOT NULL, created BIGINT NOT NULL);
          CREATE TABLE streams_shards (
              stream BIGINT NOT NULL, number BIGINT NOT NULL, first_hash TEXT NOT NULL, last_hash TEXT NOT NULL,
              parent BIGINT NOT NULL, adjacent BIGINT NOT NULL, created BIGINT NOT NULL,
              closed BIGINT NOT NULL, ending BIGINT NOT NULL, PRIMARY KEY (stream, number));
          CREATE TABLE streams_consumers (
              stream BIGINT NOT NULL, name {text} NOT NULL, created BIGINT NOT NULL, PRIMARY KEY (stream, name));",
}];

/// Stands for "no shard" and "not closed".
pub(crate) const NONE: i64 = -1;

/// A stream's row.
pub(crate) struct StreamRow {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) settings: StreamSettings,
    pub(crate) deleting: bool,
    pub(crate) next_shard: i64,
    pub(crate) created: i64,
}

/// A shard's row.
#[derive(Debug, Clone)]
pub(crate) struct ShardRow {
    pub(crate) number: i64,
    pub(crate) first_hash: u128,
    pub(crate) last_hash: u128,
    pub(crate) parent: i64,
    pub(crate) adjacent: i64,
    pub(crate) created: i64,
    pub(crate) closed: i64,
    pub(crate) ending: i64,
}

/// The tables.
#[derive(Clone)]
pub(crate) struct Store {
    db: Database,
}

fn wrong(e: sqlx::Error) -> Error {
    db::failed("keeping a stream", e)
}

fn get<'r, T: sqlx::Decode<'r, sqlx::Any> + sqlx::Type<sqlx::Any>>(row: &'r AnyRow, at: usize) -> Result<T> {
    row.try_get(at).map_err(|e| db::failed("reading streams", e))
}

fn to_json(settings: &StreamSettings) -> Result<String> {
    serde_json::to_string(settings)
        .map_err(|e| Error::internal("cannot write a stream's settings").source_is(e))
}

impl Store {
    pub(crate) async fn open(db: Database) -> Result<Self> {
        db.migrate("streams", MIGRATIONS).await?;
        Ok(Self { db })
    }

    pub(crate) async fn streams(&self) -> Result<Vec<StreamRow>> {
        let sql =
            "SELECT id, name, settings, deleting, next_shard, created FROM streams_streams ORDER BY name";
        let rows =
            sqlx::query(sql).fetch_all(self.db.read()).await.map_err(|e| db::failed("reading streams", e))?;
        let row = |row: &AnyRow| {
            let (name, settings): (String, String) = (get(row, 1)?, get(row, 2)?);
            Ok(StreamRow {
                id: get(row, 0)?,
                settings: serde_json::from_str(&settings).map_err(|e| {
                    Error::corrupt(format!("the settings of stream `{name}` cannot be read")).source_is(e)
                })?,
                name,
                deleting: get::<i64>(row, 3)? != 0,
                next_shard: get(row, 4)?,
                created: get(row, 5)?,
            })
        };
        rows.iter().map(row).collect()
    }

    pub(crate) async fn shards(&self, stream: i64) -> Result<Vec<ShardRow>> {
        let sql = "SELECT number, first_hash, last_hash, parent, adjacent, created, closed, ending
                   FROM streams_shards WHERE stream = $1 ORDER BY number";
        let rows = sqlx::query(sql)
            .bind(stream)
            .fetch_all(self.db.read())
            .await
            .map_err(|e| db::failed("reading shards", e))?;
        let row = |row: &AnyRow| {
            let hash = |at: usize| -> Result<u128> {
                get::<String>(row, at)?
                    .parse()
                    .map_err(|e| Error::corrupt("a shard's hash key cannot be read").source_is(e))
            };
            Ok(ShardRow {
                number: get(row, 0)?,
                first_hash: hash(1)?,
                last_hash: hash(2)?,
                parent: get(row, 3)?,
                adjacent: get(row, 4)?,
                created: get(row, 5)?,
                closed: get(row, 6)?,
                ending: get(row, 7)?,
            })
        };
        rows.iter().map(row).collect()
    }

    /// Names and times of a stream's consumers.
    pub(crate) async fn consumers(&self, stream: i64) -> Result<Vec<(String, i64)>> {
        let rows = sqlx::query("SELECT name, created FROM streams_consumers WHERE stream = $1 ORDER BY name")
            .bind(stream)
            .fetch_all(self.db.read())
            .await
            .map_err(|e| db::failed("reading consumers", e))?;
        rows.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?))).collect()
    }

    pub(crate) async fn create(&self, stream: &StreamRow, shards: &[ShardRow]) -> Result<()> {
        let mut tx = self.db.begin().await?;
        sqlx::query(
            "INSERT INTO streams_streams (id, name, settings, deleting, next_shard, created)
             VALUES ($1, $2, $3, 0, $4, $5)",
        )
        .bind(stream.id)
        .bind(&stream.name)
        .bind(to_json(&stream.settings)?)
        .bind(stream.next_shard)
        .bind(stream.created)
        .execute(&mut *tx)
        .await
        .map_err(wrong)?;
        insert(&mut tx, stream.id, shards).await?;
        db::commit(tx).await
    }

    pub(crate) async fn change(&self, stream: i64, settings: &StreamSettings) -> Result<()> {
        let mut tx = self.db.begin().await?;
        sqlx::query("UPDATE streams_streams SET settings = $1 WHERE id = $2")
            .bind(to_json(settings)?)
            .bind(stream)
            .execute(&mut *tx)
            .await
            .map_err(wrong)?;
        db::commit(tx).await
    }

    /// Closes shards (number, time, ending ordinal) and makes others, in one transaction.
    pub(crate) async fn reshard(
        &self,
        stream: i64,
        closes: &[(i64, i64, i64)],
        makes: &[ShardRow],
        next_shard: i64,
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        for (number, time, ending) in closes {
            sqlx::query(
                "UPDATE streams_shards SET closed = $1, ending = $2 WHERE stream = $3 AND number = $4",
            )
            .bind(*time)
            .bind(*ending)
            .bind(stream)
            .bind(*number)
            .execute(&mut *tx)
            .await
            .map_err(wrong)?;
        }
        insert(&mut tx, stream, makes).await?;
        sqlx::query("UPDATE streams_streams SET next_shard = $1 WHERE id = $2")
            .bind(next_shard)
            .bind(stream)
            .execute(&mut *tx)
            .await
            .map_err(wrong)?;
        crashpoint::hit("streams.reshard.before_commit");
        db::commit(tx).await?;
        crashpoint::hit("streams.reshard.after_commit");
        Ok(())
    }

    pub(crate) async fn forget_shards(&self, stream: i64, numbers: &[i64]) -> Result<()> {
        let mut tx = self.db.begin().await?;
        for number in numbers {
            sqlx::query("DELETE FROM streams_shards WHERE stream = $1 AND number = $2")
                .bind(stream)
                .bind(*number)
                .execute(&mut *tx)
                .await
                .map_err(wrong)?;
        }
        db::commit(tx).await
    }

    pub(crate) async fn mark_deleting(&self, stream: i64) -> Result<()> {
        let mut tx = self.db.begin().await?;
        sqlx::query("UPDATE streams_streams SET deleting = 1 WHERE id = $1")
            .bind(stream)
            .execute(&mut *tx)
            .await
            .map_err(wrong)?;
        db::commit(tx).await
    }

    pub(crate) async fn forget(&self, stream: i64) -> Result<()> {
        let mut tx = self.db.begin().await?;
        for sql in [
            "DELETE FROM streams_consumers WHERE stream = $1",
            "DELETE FROM streams_shards WHERE stream = $1",
            "DELETE FROM streams_streams WHERE id = $1",
        ] {
            sqlx::query(sql).bind(stream).execute(&mut *tx).await.map_err(wrong)?;
        }
        db::commit(tx).await
    }

    pub(crate) async fn add_consumer(&self, stream: i64, name: &str, created: i64) -> Result<()> {
        let mut tx = self.db.begin().await?;
        sqlx::query("INSERT INTO streams_consumers (stream, name, created) VALUES ($1, $2, $3)")
            .bind(stream)
            .bind(name)
            .bind(created)
            .execute(&mut *tx)
            .await
            .map_err(wrong)?;
        db::commit(tx).await
    }

    pub(crate) async fn remove_consumer(&self, stream: i64, name: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        sqlx::query("DELETE FROM streams_consumers WHERE stream = $1 AND name = $2")
            .bind(stream)
            .bind(name)
            .execute(&mut *tx)
            .await
            .map_err(wrong)?;
        db::commit(tx).await
    }
}

async fn insert(tx: &mut Transaction, stream: i64, shards: &[ShardRow]) -> Result<()> {
    for shard in shards {
        sqlx::query(
            "INSERT INTO streams_shards
                 (stream, number, first_hash, last_hash, parent, adjacent, created, closed, ending)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(stream)
        .bind(shard.number)
        .bind(shard.first_hash.to_string())
        .bind(shard.last_hash.to_string())
        .bind(shard.parent)
        .bind(shard.adjacent)
        .bind(shard.created)
        .bind(shard.closed)
        .bind(shard.ending)
        .execute(&mut **tx)
        .await
        .map_err(wrong)?;
    }
    Ok(())
}
