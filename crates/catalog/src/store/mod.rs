//! The catalog over the state database: one file for each kind of thing it keeps.

mod connections;
mod databases;
mod functions;
mod indexes;
mod missing;
mod partitions;
mod schema;
mod statistics;
mod sweep;
mod tables;
mod versions;

use chrono::{DateTime, Utc};
use model::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;
use state::{Clock, Database, Dialect, Transaction, db};

/// The catalog. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    db: Database,
    clock: Clock,
}

impl Catalog {
    /// Brings the catalog's tables up to date and removes what an interrupted deletion left behind.
    pub async fn open(db: Database, clock: Clock) -> Result<Self> {
        db.migrate("catalog", schema::MIGRATIONS).await?;
        let catalog = Self { db, clock };
        catalog.sweep_all().await?;
        Ok(catalog)
    }

    /// A reading transaction that sees one state of everything.
    async fn snapshot(&self) -> Result<Transaction> {
        let mut tx = self.db.read().begin().await.map_err(|e| db::failed("reading the catalog", e))?;
        if self.db.dialect() == Dialect::Postgres {
            sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .execute(&mut *tx)
                .await
                .map_err(|e| db::failed("reading the catalog", e))?;
        }
        Ok(tx)
    }

    /// What makes PostgreSQL hold a row against others; SQLite has one writer at a time anyway.
    fn lock(&self, strength: Lock) -> &'static str {
        match (self.db.dialect(), strength) {
            (Dialect::Sqlite, _) | (_, Lock::None) => "",
            (Dialect::Postgres, Lock::Keep) => " FOR KEY SHARE",
            (Dialect::Postgres, Lock::Change) => " FOR UPDATE",
        }
    }
}

/// How a row is held until the end of a transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lock {
    /// Not at all.
    None,
    /// It must not go away.
    Keep,
    /// Nobody else may touch it.
    Change,
}

/// Reads a column of a row.
fn get<'r, T>(row: &'r AnyRow, column: usize) -> Result<T>
where
    T: sqlx::Decode<'r, sqlx::Any> + sqlx::Type<sqlx::Any>,
{
    row.try_get(column).map_err(|e| db::failed("reading the catalog", e))
}

fn time(millis: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_millis(millis)
        .ok_or_else(|| Error::corrupt(format!("the catalog holds an impossible time: {millis}")))
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|e| Error::internal("cannot write a definition as JSON").source_is(e))
}

fn from_json<T: DeserializeOwned>(text: &str, what: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|e| Error::corrupt(format!("the stored definition of {what} cannot be read")).source_is(e))
}
