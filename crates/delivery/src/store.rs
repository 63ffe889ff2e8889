//! Delivery streams in the state database: settings, how far each has come, and the batch that is being published.

use crate::deliveries::Totals;
use crate::settings::S3Destination;
use crate::source::{Gathered, Positions};
use chrono::{DateTime, Utc};
use model::{Error, LakeUri, Result, nearest_hint};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;
use state::Transaction;
use state::db::{self, Database, Migration};

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "delivery streams",
    sql: "CREATE TABLE delivery_streams (
              name {text} NOT NULL PRIMARY KEY, id {text} NOT NULL, body TEXT NOT NULL, version BIGINT NOT NULL,
              positions TEXT NOT NULL, plan TEXT NOT NULL, batches BIGINT NOT NULL, totals TEXT NOT NULL,
              run {text} NOT NULL, created BIGINT NOT NULL, modified BIGINT NOT NULL);",
}];

/// Where records come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// They are put into the delivery stream.
    Direct {
        /// How much is expected; kept.
        throughput_hint: Option<i64>,
    },
    /// They are read from a stream.
    Stream {
        /// Its name.
        name: String,
        /// Its ARN as it was given.
        arn: String,
        /// The role; kept.
        role_arn: String,
    },
}

/// What a delivery stream was told of encryption; kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// `AWS_OWNED_CMK` or `CUSTOMER_MANAGED_CMK`.
    pub key_type: String,
    /// The key.
    pub key_arn: Option<String>,
}

/// What can be changed, and what cannot but belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) source: Source,
    pub(crate) destination: S3Destination,
    pub(crate) encryption: Option<Encryption>,
}

/// A batch on its way: what is done behind the publishing of its objects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Its number.
    pub(crate) number: u64,
    /// The version of the settings that it was written by.
    pub(crate) version: u64,
    /// Which records it holds.
    pub(crate) gathered: Gathered,
    /// The positions behind it.
    pub(crate) behind: Positions,
    /// The object that is there once the others are; nothing where the batch has no objects.
    pub(crate) marker: Option<LakeUri>,
    /// The objects.
    pub(crate) objects: Vec<LakeUri>,
    /// Partitions that the catalog learns of.
    pub(crate) partitions: Option<NewPartitions>,
    /// What was counted up to its end.
    pub(crate) totals: Totals,
    /// Whether all was done but for the marker's removal.
    pub(crate) settled: bool,
}

/// Partitions of a table, by values and place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewPartitions {
    pub(crate) database: String,
    pub(crate) table: String,
    pub(crate) partitions: Vec<(Vec<String>, String)>,
}

/// A delivery stream as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored {
    pub(crate) name: String,
    /// Tells delivery streams of one name apart.
    pub(crate) id: String,
    pub(crate) body: Body,
    pub(crate) version: u64,
    pub(crate) positions: Positions,
    pub(crate) plan: Option<Plan>,
    /// How many batches were delivered.
    pub(crate) batches: u64,
    pub(crate) totals: Totals,
    /// Its latest run.
    pub(crate) run: String,
    pub(crate) created: DateTime<Utc>,
    pub(crate) modified: DateTime<Utc>,
}

/// The table.
#[derive(Clone)]
pub(crate) struct Store {
    db: Database,
}

const COLUMNS: &str =
    "SELECT name, id, body, version, positions, plan, batches, totals, run, created, modified
                       FROM delivery_streams";

fn wrong(e: sqlx::Error) -> Error {
    db::failed("keeping a delivery stream", e)
}

fn to_text<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|e| Error::internal("a delivery stream cannot be written down").source_is(e))
}

fn of_text<T: DeserializeOwned>(name: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| {
        Error::corrupt(format!("what is kept of the delivery stream `{name}` cannot be read")).source_is(e)
    })
}

fn stored(row: &AnyRow) -> Result<Stored> {
    let failed = |e| db::failed("reading a delivery stream", e);
    let text = |at: usize| row.try_get::<String, _>(at).map_err(failed);
    let number = |at: usize| row.try_get::<i64, _>(at).map_err(failed);
    let time = |at: usize| Ok::<_, Error>(DateTime::from_timestamp_millis(number(at)?).unwrap_or_default());
    let name = text(0)?;
    let plan = text(5)?;
    Ok(Stored {
        id: text(1)?,
        body: of_text(&name, &text(2)?)?,
        version: number(3)?.unsigned_abs(),
        positions: of_text(&name, &text(4)?)?,
        plan: if plan.is_empty() { None } else { Some(of_text(&name, &plan)?) },
        batches: number(6)?.unsigned_abs(),
        totals: of_text(&name, &text(7)?)?,
        run: text(8)?,
        created: time(9)?,
        modified: time(10)?,
        name,
    })
}

/// Numbers of batches and versions stay far below.
fn bound(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Store {
    pub(crate) async fn open(db: Database) -> Result<Self> {
        db.migrate("delivery", MIGRATIONS).await?;
        Ok(Self { db })
    }

    pub(crate) async fn begin(&self) -> Result<Transaction> {
        self.db.begin().await
    }

    pub(crate) async fn create(&self, new: &Stored) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let done = sqlx::query(
            "INSERT INTO delivery_streams
                 (name, id, body, version, positions, plan, batches, totals, run, created, modified)
             VALUES ($1, $2, $3, $4, $5, '', 0, $6, '', $7, $7) ON CONFLICT (name) DO NOTHING",
        )
        .bind(&new.name)
        .bind(&new.id)
        .bind(to_text(&new.body)?)
        .bind(bound(new.version))
        .bind(to_text(&new.positions)?)
        .bind(to_text(&new.totals)?)
        .bind(new.created.timestamp_millis())
        .execute(&mut *tx)
        .await
        .map_err(wrong)?;
        db::commit(tx).await?;
        match done.rows_affected() {
            0 => Err(Error::already_exists(format!("there is a delivery stream `{}` already", new.name))),
            _ => Ok(()),
        }
    }

    pub(crate) async fn find(&self, name: &str) -> Result<Option<Stored>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE name = $1")))
            .bind(name)
            .fetch_optional(self.db.read())
            .await
            .map_err(|e| db::failed("reading a delivery stream", e))?;
        row.as_ref().map(stored).transpose()
    }

    pub(crate) async fn get(&self, name: &str) -> Result<Stored> {
        match self.find(name).await? {
            Some(stored) => Ok(stored),
            None => {
                let all = self.list().await?;
                Err(Error::not_found(format!("there is no delivery stream `{name}`"))
                    .hint(nearest_hint(name, all.iter().map(|stored| stored.name.as_str()))))
            }
        }
    }

    pub(crate) async fn list(&self) -> Result<Vec<Stored>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY name")))
            .fetch_all(self.db.read())
            .await
            .map_err(|e| db::failed("reading delivery streams", e))?;
        rows.iter().map(stored).collect()
    }

    /// Changes the settings that stood at that version, to the next one. False if they stand at another.
    pub(crate) async fn change(
        &self,
        name: &str,
        version: u64,
        next: u64,
        body: &Body,
        now: i64,
    ) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let done = sqlx::query(
            "UPDATE delivery_streams SET body = $3, version = $4, modified = $5 WHERE name = $1 AND version = $2",
        )
        .bind(name)
        .bind(bound(version))
        .bind(to_text(body)?)
        .bind(bound(next))
        .bind(now)
        .execute(&mut *tx)
        .await
        .map_err(wrong)?;
        db::commit(tx).await?;
        Ok(done.rows_affected() > 0)
    }

    pub(crate) async fn set_run(&self, name: &str, run: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        sqlx::query("UPDATE delivery_streams SET run = $2 WHERE name = $1")
            .bind(name)
            .bind(run)
            .execute(&mut *tx)
            .await
            .map_err(wrong)?;
        db::commit(tx).await
    }

    /// Puts a batch on record before its objects are published. False if the delivery stream is another one by now.
    pub(crate) async fn plan(&self, name: &str, id: &str, plan: &Plan) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let done = sqlx::query("UPDATE delivery_streams SET plan = $3 WHERE name = $1 AND id = $2")
            .bind(name)
            .bind(id)
            .bind(to_text(plan)?)
            .execute(&mut *tx)
            .await
            .map_err(wrong)?;
        db::commit(tx).await?;
        Ok(done.rows_affected() > 0)
    }

    /// Takes the batch off the record: it was not published.
    pub(crate) async fn drop_plan(&self, name: &str, id: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        sqlx::query("UPDATE delivery_streams SET plan = '' WHERE name = $1 AND id = $2")
            .bind(name)
            .bind(id)
            .execute(&mut *tx)
            .await
            .map_err(wrong)?;
        db::commit(tx).await
    }

    /// The batch is delivered: positions and totals move on.
    pub(crate) async fn settle(&self, tx: &mut Transaction, name: &str, id: &str, plan: &Plan) -> Result<()> {
        sqlx::query(
            "UPDATE delivery_streams SET positions = $3, totals = $4, batches = $5, plan = $6
             WHERE name = $1 AND id = $2",
        )
        .bind(name)
        .bind(id)
        .bind(to_text(&plan.behind)?)
        .bind(to_text(&plan.totals)?)
        .bind(bound(plan.number))
        .bind(to_text(&Plan { settled: true, ..plan.clone() })?)
        .execute(&mut **tx)
        .await
        .map_err(wrong)?;
        Ok(())
    }

    pub(crate) async fn delete(&self, name: &str, id: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        sqlx::query("DELETE FROM delivery_streams WHERE name = $1 AND id = $2")
            .bind(name)
            .bind(id)
            .execute(&mut *tx)
            .await
            .map_err(wrong)?;
        db::commit(tx).await
    }
}
