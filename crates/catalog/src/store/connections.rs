//! Connections. Their names keep the spelling they were given and are found without regard to case.

use super::{Catalog, from_json, get, missing, time, to_json};
use crate::types::{Connection, ConnectionEntry};
use model::{Error, Result};
use sqlx::Executor;
use sqlx::any::AnyRow;
use state::db;

impl Catalog {
    /// Adds a connection.
    pub async fn create_connection(&self, connection: Connection) -> Result<ConnectionEntry> {
        connection.check()?;
        let now = self.clock.now_millis();
        let mut tx = self.db.begin().await?;
        let insert = sqlx::query(
            "INSERT INTO catalog_connections (name, definition, created, updated) VALUES ($1, $2, $3, $3)
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(connection.name.to_lowercase())
        .bind(to_json(&connection)?)
        .bind(now);
        let done = tx.execute(insert).await.map_err(|e| db::failed("adding a connection", e))?;
        if done.rows_affected() == 0 {
            return Err(Error::already_exists(format!(
                "the connection `{}` exists already",
                connection.name
            )));
        }
        db::commit(tx).await?;
        Ok(ConnectionEntry { connection, created: time(now)?, updated: time(now)? })
    }

    /// Replaces the connection of that name; the new one may have another name.
    pub async fn update_connection(&self, name: &str, connection: Connection) -> Result<ConnectionEntry> {
        connection.check()?;
        let mut tx = self.db.begin().await?;
        let update = sqlx::query(
            "UPDATE catalog_connections SET name = $1, definition = $2, updated = $3 WHERE name = $4",
        )
        .bind(connection.name.to_lowercase())
        .bind(to_json(&connection)?)
        .bind(self.clock.now_millis())
        .bind(name.to_lowercase());
        let done = tx.execute(update).await.map_err(|e| db::failed("changing a connection", e))?;
        if done.rows_affected() == 0 {
            return Err(missing::no_connection(&mut tx, name).await);
        }
        db::commit(tx).await?;
        self.get_connection(&connection.name).await
    }

    /// One connection, secrets included: see [`Connection::without_secrets`] for showing it.
    pub async fn get_connection(&self, name: &str) -> Result<ConnectionEntry> {
        let row =
            sqlx::query("SELECT name, definition, created, updated FROM catalog_connections WHERE name = $1")
                .bind(name.to_lowercase())
                .fetch_optional(self.db.read())
                .await
                .map_err(|e| db::failed("reading a connection", e))?;
        match row {
            Some(row) => entry(&row),
            None => {
                let mut tx = self.snapshot().await?;
                Err(missing::no_connection(&mut tx, name).await)
            }
        }
    }

    /// All connections by name.
    pub async fn list_connections(&self) -> Result<Vec<ConnectionEntry>> {
        let rows =
            sqlx::query("SELECT name, definition, created, updated FROM catalog_connections ORDER BY name")
                .fetch_all(self.db.read())
                .await
                .map_err(|e| db::failed("listing connections", e))?;
        rows.iter().map(entry).collect()
    }

    /// Deletes a connection.
    pub async fn delete_connection(&self, name: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let delete = sqlx::query("DELETE FROM catalog_connections WHERE name = $1").bind(name.to_lowercase());
        let done = tx.execute(delete).await.map_err(|e| db::failed("deleting a connection", e))?;
        if done.rows_affected() == 0 {
            return Err(missing::no_connection(&mut tx, name).await);
        }
        db::commit(tx).await
    }
}

fn entry(row: &AnyRow) -> Result<ConnectionEntry> {
    let name: String = get(row, 0)?;
    Ok(ConnectionEntry {
        connection: from_json(&get::<String>(row, 1)?, &format!("connection `{name}`"))?,
        created: time(get(row, 2)?)?,
        updated: time(get(row, 3)?)?,
    })
}
