//! The words for what is not there, with the nearest name that is.
//!
//! They are looked for on the connection of the transaction at hand: waiting for a second connection while holding a
//! first could end in everybody waiting for everybody.

use super::{Catalog, Lock, get};
use model::{EntityName, Error};
use sqlx::AssertSqlSafe;
use state::Transaction;

/// How many names a hint is chosen from.
const CANDIDATES: i64 = 2000;

impl Catalog {
    /// What to say when a table was not found: perhaps there is no such database either.
    pub(super) async fn absent(
        &self,
        tx: &mut Transaction,
        database: &EntityName,
        name: &EntityName,
    ) -> Error {
        match self.database_id(tx, database, Lock::None).await {
            Ok(Some(_)) => no_table(tx, database, name).await,
            Ok(None) => no_database(tx, database).await,
            Err(error) => error,
        }
    }

    /// The same for a function.
    pub(super) async fn absent_function(
        &self,
        tx: &mut Transaction,
        database: &EntityName,
        name: &EntityName,
    ) -> Error {
        match self.database_id(tx, database, Lock::None).await {
            Ok(Some(_)) => no_function(tx, database, name).await,
            Ok(None) => no_database(tx, database).await,
            Err(error) => error,
        }
    }
}

pub(super) async fn no_database(tx: &mut Transaction, name: &EntityName) -> Error {
    let known = names(tx, "SELECT name FROM catalog_databases ORDER BY name LIMIT $1", None).await;
    let error = Error::not_found(format!("there is no database `{name}`"));
    hinted(error, name.as_str(), &known, "databases are made with `create database` or by a crawler")
}

async fn no_table(tx: &mut Transaction, database: &EntityName, name: &EntityName) -> Error {
    let sql = "SELECT t.name FROM catalog_tables t JOIN catalog_databases d ON d.id = t.database_id
        WHERE d.name = $2 ORDER BY t.name LIMIT $1";
    let known = names(tx, sql, Some(database)).await;
    let error = Error::not_found(format!("there is no table `{name}` in the database `{database}`"));
    hinted(error, name.as_str(), &known, "the database has no tables yet")
}

async fn no_function(tx: &mut Transaction, database: &EntityName, name: &EntityName) -> Error {
    let sql = "SELECT f.name FROM catalog_functions f JOIN catalog_databases d ON d.id = f.database_id
        WHERE d.name = $2 ORDER BY f.name LIMIT $1";
    let known = names(tx, sql, Some(database)).await;
    let error = Error::not_found(format!("there is no function `{name}` in the database `{database}`"));
    hinted(error, name.as_str(), &known, "the database has no functions yet")
}

pub(super) async fn no_connection(tx: &mut Transaction, name: &str) -> Error {
    let known = names(tx, "SELECT name FROM catalog_connections ORDER BY name LIMIT $1", None).await;
    let error = Error::not_found(format!("there is no connection `{name}`"));
    hinted(error, name, &known, "there are none yet")
}

/// Names for a hint. A failure here must not hide the error that the hint belongs to.
async fn names(tx: &mut Transaction, sql: &'static str, of: Option<&EntityName>) -> Vec<String> {
    let mut query = sqlx::query(AssertSqlSafe(sql)).bind(CANDIDATES);
    if let Some(of) = of {
        query = query.bind(of.as_str());
    }
    let rows = query.fetch_all(&mut **tx).await.unwrap_or_default();
    rows.iter().filter_map(|row| get::<String>(row, 0).ok()).collect()
}

fn hinted(error: Error, name: &str, known: &[String], when_none: &str) -> Error {
    if known.is_empty() {
        return error.hint(when_none);
    }
    error.hint(model::nearest_hint(name, known.iter().map(String::as_str)))
}
