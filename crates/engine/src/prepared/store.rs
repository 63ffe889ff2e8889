//! Prepared statements in the state database, by workgroup and name: what PREPARE keeps and EXECUTE finds, whichever
//! process asks.

use crate::engine::Engine;
use chrono::{DateTime, Utc};
use model::{Error, ErrorKind, Result, nearest_hint};
use sqlx::any::AnyRow;
use sqlx::{Executor, Row};
use state::db::{self, Database, Migration, Transaction};

/// The workgroup of statements that name none.
pub const PRIMARY_WORKGROUP: &str = "primary";

/// How many statements a workgroup may have.
const MAX_STATEMENTS: i64 = 1000;

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "prepared statements",
    sql: "CREATE TABLE engine_prepared (
              workgroup {text} NOT NULL, name {text} NOT NULL, query TEXT NOT NULL, description TEXT,
              modified BIGINT NOT NULL, PRIMARY KEY (workgroup, name));",
}];

/// A statement that is kept to be run later, with `?` for values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedStatement {
    /// The workgroup it belongs to.
    pub workgroup: String,
    /// Its name, in lower case.
    pub name: String,
    /// Its text.
    pub query: String,
    /// A note for people.
    pub description: Option<String>,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
}

/// Whether a statement of that name may, must or must not be there already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Put {
    Create,
    Update,
    Either,
}

pub(crate) async fn migrate(database: &Database) -> Result<()> {
    database.migrate("engine", MIGRATIONS).await
}

impl Engine {
    /// Adds a prepared statement.
    pub async fn create_prepared(
        &self,
        workgroup: &str,
        name: &str,
        query: &str,
        description: Option<&str>,
    ) -> Result<PreparedStatement> {
        self.put(Put::Create, workgroup, name, query, description).await
    }

    /// Replaces a prepared statement that is there.
    pub async fn update_prepared(
        &self,
        workgroup: &str,
        name: &str,
        query: &str,
        description: Option<&str>,
    ) -> Result<PreparedStatement> {
        self.put(Put::Update, workgroup, name, query, description).await
    }

    /// Adds or replaces a prepared statement, as PREPARE does.
    pub(super) async fn keep_prepared(
        &self,
        workgroup: &str,
        name: &str,
        query: &str,
    ) -> Result<PreparedStatement> {
        self.put(Put::Either, workgroup, name, query, None).await
    }

    /// One prepared statement.
    pub async fn get_prepared(&self, workgroup: &str, name: &str) -> Result<PreparedStatement> {
        let name = name.to_lowercase();
        let found = sqlx::query(
            "SELECT workgroup, name, query, description, modified FROM engine_prepared
             WHERE workgroup = $1 AND name = $2",
        )
        .bind(workgroup)
        .bind(name.as_str())
        .fetch_optional(self.inner.database.read())
        .await
        .map_err(|e| db::failed("reading a prepared statement", e))?;
        match found {
            Some(row) => statement(&row),
            None => Err(self.no_such(workgroup, &name).await),
        }
    }

    /// The prepared statements of a workgroup by name, at most `limit`, beginning behind the name `after`.
    pub async fn list_prepared(
        &self,
        workgroup: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<PreparedStatement>> {
        let rows = sqlx::query(
            "SELECT workgroup, name, query, description, modified FROM engine_prepared
             WHERE workgroup = $1 AND name > $2 ORDER BY name LIMIT $3",
        )
        .bind(workgroup)
        .bind(after.unwrap_or_default())
        .bind(i64::try_from(limit).unwrap_or(MAX_STATEMENTS))
        .fetch_all(self.inner.database.read())
        .await
        .map_err(|e| db::failed("listing prepared statements", e))?;
        rows.iter().map(statement).collect()
    }

    /// Deletes a prepared statement.
    pub async fn delete_prepared(&self, workgroup: &str, name: &str) -> Result<()> {
        let name = name.to_lowercase();
        let mut tx = self.inner.database.begin().await?;
        let delete = sqlx::query("DELETE FROM engine_prepared WHERE workgroup = $1 AND name = $2")
            .bind(workgroup)
            .bind(name.as_str());
        let done = tx.execute(delete).await.map_err(|e| db::failed("deleting a prepared statement", e))?;
        db::commit(tx).await?;
        match done.rows_affected() {
            0 => Err(self.no_such(workgroup, &name).await),
            _ => Ok(()),
        }
    }

    async fn put(
        &self,
        put: Put,
        workgroup: &str,
        name: &str,
        query: &str,
        description: Option<&str>,
    ) -> Result<PreparedStatement> {
        let name = name.to_lowercase();
        let modified = self.inner.clock.now().timestamp_millis();
        let mut tx = self.inner.database.begin().await?;
        let update = sqlx::query(
            "UPDATE engine_prepared SET query = $1, description = $2, modified = $3
             WHERE workgroup = $4 AND name = $5",
        )
        .bind(query)
        .bind(description)
        .bind(modified)
        .bind(workgroup)
        .bind(name.as_str());
        let is_there = match put {
            Put::Create => false,
            _ => {
                let done =
                    tx.execute(update).await.map_err(|e| db::failed("keeping a prepared statement", e))?;
                done.rows_affected() > 0
            }
        };
        if !is_there && put == Put::Update {
            drop(tx);
            return Err(self.no_such(workgroup, &name).await);
        }
        if !is_there {
            insert(&mut tx, workgroup, &name, query, description, modified).await?;
        }
        db::commit(tx).await?;
        self.get_prepared(workgroup, &name).await
    }

    async fn no_such(&self, workgroup: &str, name: &str) -> Error {
        let error = Error::not_found(format!("prepared statement `{name}` does not exist"));
        match self.list_prepared(workgroup, None, 1000).await {
            Ok(all) => error.hint(nearest_hint(name, all.iter().map(|one| one.name.as_str()))),
            Err(_) => error,
        }
    }
}

async fn insert(
    tx: &mut Transaction,
    workgroup: &str,
    name: &str,
    query: &str,
    description: Option<&str>,
    modified: i64,
) -> Result<()> {
    let count: i64 = sqlx::query("SELECT COUNT(*) FROM engine_prepared WHERE workgroup = $1")
        .bind(workgroup)
        .fetch_one(&mut **tx)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|e| db::failed("counting prepared statements", e))?;
    if count >= MAX_STATEMENTS {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("{MAX_STATEMENTS} statements are prepared already"),
        )
        .hint("DEALLOCATE PREPARE those that nobody needs"));
    }
    let insert = sqlx::query(
        "INSERT INTO engine_prepared (workgroup, name, query, description, modified)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (workgroup, name) DO NOTHING",
    )
    .bind(workgroup)
    .bind(name)
    .bind(query)
    .bind(description)
    .bind(modified);
    let done = tx.execute(insert).await.map_err(|e| db::failed("keeping a prepared statement", e))?;
    match done.rows_affected() {
        0 => Err(Error::already_exists(format!("prepared statement `{name}` exists already"))
            .hint("update it, or delete it first")),
        _ => Ok(()),
    }
}

fn statement(row: &AnyRow) -> Result<PreparedStatement> {
    let read = || {
        Ok::<_, sqlx::Error>((
            row.try_get(0)?,
            row.try_get(1)?,
            row.try_get(2)?,
            row.try_get(3)?,
            row.try_get(4)?,
        ))
    };
    let (workgroup, name, query, description, modified) =
        read().map_err(|e| db::failed("reading a prepared statement", e))?;
    let modified = DateTime::from_timestamp_millis(modified)
        .ok_or_else(|| Error::corrupt("a prepared statement has no time that there could be"))?;
    Ok(PreparedStatement { workgroup, name, query, description, modified })
}
