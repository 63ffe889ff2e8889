//! Databases: create, change, read, delete.

use super::{Catalog, Lock, from_json, get, missing, time, to_json};
use crate::types::{Database, DatabaseEntry};
use model::{EntityName, Error, Result};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Executor};
use state::{Transaction, db};

const SELECT: &str = "SELECT name, definition, created, updated FROM catalog_databases";

impl Catalog {
    /// Creates a database.
    pub async fn create_database(&self, database: Database) -> Result<DatabaseEntry> {
        database.check()?;
        let now = self.clock.now_millis();
        let mut tx = self.db.begin().await?;
        let done = sqlx::query(
            "INSERT INTO catalog_databases (name, definition, created, updated) VALUES ($1, $2, $3, $3)
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(database.name.as_str())
        .bind(to_json(&database)?)
        .bind(now)
        .execute(&mut *tx)
        .await
        .map_err(|e| db::failed("creating a database", e))?;
        if done.rows_affected() == 0 {
            return Err(Error::already_exists(format!("the database `{}` exists already", database.name)));
        }
        crashpoint::hit("catalog.create_database.before_commit");
        db::commit(tx).await?;
        Ok(DatabaseEntry { database, created: time(now)?, updated: time(now)? })
    }

    /// Replaces a database's description, location and properties.
    pub async fn update_database(&self, database: Database) -> Result<DatabaseEntry> {
        database.check()?;
        let mut tx = self.db.begin().await?;
        let done = sqlx::query("UPDATE catalog_databases SET definition = $1, updated = $2 WHERE name = $3")
            .bind(to_json(&database)?)
            .bind(self.clock.now_millis())
            .bind(database.name.as_str())
            .execute(&mut *tx)
            .await
            .map_err(|e| db::failed("changing a database", e))?;
        if done.rows_affected() == 0 {
            return Err(missing::no_database(&mut tx, &database.name).await);
        }
        db::commit(tx).await?;
        self.get_database(&database.name).await
    }

    /// One database.
    pub async fn get_database(&self, name: &EntityName) -> Result<DatabaseEntry> {
        let row = sqlx::query(AssertSqlSafe(format!("{SELECT} WHERE name = $1")))
            .bind(name.as_str())
            .fetch_optional(self.db.read())
            .await
            .map_err(|e| db::failed("reading a database", e))?;
        match row {
            Some(row) => entry(&row),
            None => {
                let mut tx = self.snapshot().await?;
                Err(missing::no_database(&mut tx, name).await)
            }
        }
    }

    /// All databases by name.
    pub async fn list_databases(&self) -> Result<Vec<DatabaseEntry>> {
        let rows = sqlx::query(AssertSqlSafe(format!("{SELECT} ORDER BY name")))
            .fetch_all(self.db.read())
            .await
            .map_err(|e| db::failed("listing databases", e))?;
        rows.iter().map(entry).collect()
    }

    /// Deletes a database. One that still has tables or functions is deleted only with `cascade`, together with them.
    pub async fn delete_database(&self, name: &EntityName, cascade: bool) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let Some(id) = self.database_id(&mut tx, name, Lock::Change).await? else {
            return Err(missing::no_database(&mut tx, name).await);
        };
        let tables = ids(&mut tx, "SELECT id FROM catalog_tables WHERE database_id = $1", id).await?;
        let functions = ids(&mut tx, "SELECT id FROM catalog_functions WHERE database_id = $1", id).await?;
        if !cascade && (!tables.is_empty() || !functions.is_empty()) {
            return Err(Error::invalid(format!(
                "the database `{name}` is not empty: it has {} tables and {} functions",
                tables.len(),
                functions.len()
            ))
            .hint("delete them first, or delete the database with everything in it (cascade)"));
        }
        for table in &tables {
            self.drop_row(&mut tx, *table).await?;
        }
        let delete = sqlx::query("DELETE FROM catalog_databases WHERE id = $1").bind(id);
        tx.execute(delete).await.map_err(|e| db::failed("deleting a database", e))?;
        crashpoint::hit("catalog.delete_database.before_commit");
        db::commit(tx).await?;
        self.sweep(&tables).await;
        Ok(())
    }

    /// A database's row, held as asked.
    pub(super) async fn database_id(
        &self,
        tx: &mut Transaction,
        name: &EntityName,
        lock: Lock,
    ) -> Result<Option<i64>> {
        let sql = format!("SELECT id FROM catalog_databases WHERE name = $1{}", self.lock(lock));
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(name.as_str())
            .fetch_optional(&mut **tx)
            .await
            .map_err(|e| db::failed("reading a database", e))?;
        row.map(|row| get(&row, 0)).transpose()
    }
}

async fn ids(tx: &mut Transaction, sql: &'static str, database: i64) -> Result<Vec<i64>> {
    let rows = sqlx::query(sql)
        .bind(database)
        .fetch_all(&mut **tx)
        .await
        .map_err(|e| db::failed("reading a database's tables", e))?;
    rows.iter().map(|row| get(row, 0)).collect()
}

fn entry(row: &AnyRow) -> Result<DatabaseEntry> {
    let name: String = get(row, 0)?;
    let definition: String = get(row, 1)?;
    Ok(DatabaseEntry {
        database: from_json(&definition, &format!("database `{name}`"))?,
        created: time(get(row, 2)?)?,
        updated: time(get(row, 3)?)?,
    })
}
