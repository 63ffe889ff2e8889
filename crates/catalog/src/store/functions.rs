//! User-defined functions of a database.

use super::{Catalog, Lock, from_json, get, missing, time, to_json};
use crate::types::{Function, FunctionEntry};
use model::{EntityName, Error, Result};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Executor};
use state::db;

const SELECT: &str = "SELECT d.name, f.name, f.definition, f.created
    FROM catalog_functions f JOIN catalog_databases d ON d.id = f.database_id";

impl Catalog {
    /// Adds a function.
    pub async fn create_function(&self, database: &EntityName, function: Function) -> Result<FunctionEntry> {
        function.check()?;
        let now = self.clock.now_millis();
        let mut tx = self.db.begin().await?;
        let Some(id) = self.database_id(&mut tx, database, Lock::Keep).await? else {
            return Err(missing::no_database(&mut tx, database).await);
        };
        let insert = sqlx::query(
            "INSERT INTO catalog_functions (database_id, name, definition, created) VALUES ($1, $2, $3, $4)
             ON CONFLICT (database_id, name) DO NOTHING",
        )
        .bind(id)
        .bind(function.name.as_str())
        .bind(to_json(&function)?)
        .bind(now);
        let done = tx.execute(insert).await.map_err(|e| db::failed("adding a function", e))?;
        if done.rows_affected() == 0 {
            return Err(Error::already_exists(format!(
                "the function `{}` exists already in the database `{database}`",
                function.name
            )));
        }
        db::commit(tx).await?;
        Ok(FunctionEntry { database: database.clone(), function, created: time(now)? })
    }

    /// Replaces the function of that name; the new one may have another name.
    pub async fn update_function(
        &self,
        database: &EntityName,
        name: &EntityName,
        function: Function,
    ) -> Result<FunctionEntry> {
        function.check()?;
        let mut tx = self.db.begin().await?;
        let Some(id) = self.database_id(&mut tx, database, Lock::Change).await? else {
            return Err(missing::no_database(&mut tx, database).await);
        };
        let update = sqlx::query(
            "UPDATE catalog_functions SET name = $1, definition = $2 WHERE database_id = $3 AND name = $4",
        )
        .bind(function.name.as_str())
        .bind(to_json(&function)?)
        .bind(id)
        .bind(name.as_str());
        let done = tx.execute(update).await.map_err(|e| db::failed("changing a function", e))?;
        if done.rows_affected() == 0 {
            return Err(self.absent_function(&mut tx, database, name).await);
        }
        db::commit(tx).await?;
        self.get_function(database, &function.name).await
    }

    /// One function.
    pub async fn get_function(&self, database: &EntityName, name: &EntityName) -> Result<FunctionEntry> {
        let row = sqlx::query(AssertSqlSafe(format!("{SELECT} WHERE d.name = $1 AND f.name = $2")))
            .bind(database.as_str())
            .bind(name.as_str())
            .fetch_optional(self.db.read())
            .await
            .map_err(|e| db::failed("reading a function", e))?;
        match row {
            Some(row) => entry(&row),
            None => {
                let mut tx = self.snapshot().await?;
                Err(self.absent_function(&mut tx, database, name).await)
            }
        }
    }

    /// Functions by name: of one database, or of all.
    pub async fn list_functions(&self, database: Option<&EntityName>) -> Result<Vec<FunctionEntry>> {
        if let Some(database) = database {
            self.get_database(database).await?;
        }
        let sql = match database {
            Some(_) => format!("{SELECT} WHERE d.name = $1 ORDER BY d.name, f.name"),
            None => format!("{SELECT} ORDER BY d.name, f.name"),
        };
        let mut query = sqlx::query(AssertSqlSafe(sql));
        if let Some(database) = database {
            query = query.bind(database.as_str());
        }
        let rows = query.fetch_all(self.db.read()).await.map_err(|e| db::failed("listing functions", e))?;
        rows.iter().map(entry).collect()
    }

    /// Deletes a function.
    pub async fn delete_function(&self, database: &EntityName, name: &EntityName) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let delete = sqlx::query(
            "DELETE FROM catalog_functions
             WHERE name = $2 AND database_id = (SELECT id FROM catalog_databases WHERE name = $1)",
        )
        .bind(database.as_str())
        .bind(name.as_str());
        let done = tx.execute(delete).await.map_err(|e| db::failed("deleting a function", e))?;
        if done.rows_affected() == 0 {
            return Err(self.absent_function(&mut tx, database, name).await);
        }
        db::commit(tx).await
    }
}

fn entry(row: &AnyRow) -> Result<FunctionEntry> {
    let name: String = get(row, 1)?;
    Ok(FunctionEntry {
        database: EntityName::new(get::<String>(row, 0)?)?,
        function: from_json(&get::<String>(row, 2)?, &format!("function `{name}`"))?,
        created: time(get(row, 3)?)?,
    })
}
