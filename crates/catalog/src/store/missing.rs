//! The words for what is not there, with the nearest name that is.

use super::{Catalog, get};
use model::{EntityName, Error};
use sqlx::AssertSqlSafe;

/// How many names a hint is chosen from.
const CANDIDATES: i64 = 2000;

impl Catalog {
    pub(super) async fn no_database(&self, name: &EntityName) -> Error {
        let known = self.names("SELECT name FROM catalog_databases ORDER BY name LIMIT $1", None).await;
        let error = Error::not_found(format!("there is no database `{name}`"));
        hinted(error, name.as_str(), &known, "databases are made with `create database` or by a crawler")
    }

    pub(super) async fn no_table(&self, database: &EntityName, name: &EntityName) -> Error {
        let known = self
            .names(
                "SELECT t.name FROM catalog_tables t JOIN catalog_databases d ON d.id = t.database_id
                 WHERE d.name = $2 ORDER BY t.name LIMIT $1",
                Some(database),
            )
            .await;
        let error = Error::not_found(format!("there is no table `{name}` in the database `{database}`"));
        hinted(error, name.as_str(), &known, "the database has no tables yet")
    }

    pub(super) async fn no_function(&self, database: &EntityName, name: &EntityName) -> Error {
        let known = self
            .names(
                "SELECT f.name FROM catalog_functions f JOIN catalog_databases d ON d.id = f.database_id
                 WHERE d.name = $2 ORDER BY f.name LIMIT $1",
                Some(database),
            )
            .await;
        let error = Error::not_found(format!("there is no function `{name}` in the database `{database}`"));
        hinted(error, name.as_str(), &known, "the database has no functions yet")
    }

    pub(super) async fn no_connection(&self, name: &str) -> Error {
        let known = self.names("SELECT name FROM catalog_connections ORDER BY name LIMIT $1", None).await;
        hinted(
            Error::not_found(format!("there is no connection `{name}`")),
            name,
            &known,
            "there are none yet",
        )
    }

    /// Names for a hint. A failure here must not hide the error that the hint belongs to.
    async fn names(&self, sql: &'static str, of: Option<&EntityName>) -> Vec<String> {
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(CANDIDATES);
        if let Some(of) = of {
            query = query.bind(of.as_str());
        }
        let rows = query.fetch_all(self.db.read()).await.unwrap_or_default();
        rows.iter().filter_map(|row| get::<String>(row, 0).ok()).collect()
    }
}

fn hinted(error: Error, name: &str, known: &[String], when_none: &str) -> Error {
    if known.is_empty() {
        return error.hint(when_none);
    }
    error.hint(model::nearest_hint(name, known.iter().map(String::as_str)))
}
