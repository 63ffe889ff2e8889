//! Column statistics of tables and of partitions. They go when their table or partition goes.

use super::{Catalog, Lock, from_json, get, to_json};
use crate::types::{ColumnStatistics, FoundStatistics, Table};
use model::{EntityName, Error, Result};
use sqlx::{AssertSqlSafe, Executor};
use state::{Transaction, db};

/// Whose statistics: a table's or a partition's.
struct Owner {
    sql_table: &'static str,
    sql_owner: &'static str,
    id: i64,
    table: Table,
}

impl Catalog {
    /// Sets statistics of a table's columns. Those that are refused are named and do not keep the others out.
    pub async fn update_table_statistics(
        &self,
        database: &EntityName,
        table: &EntityName,
        statistics: Vec<ColumnStatistics>,
    ) -> Result<Vec<(String, Error)>> {
        let mut tx = self.db.begin().await?;
        let owner = self.statistics_owner(&mut tx, database, table, None, Lock::Keep).await?;
        let errors = write(&mut tx, &owner, statistics).await?;
        db::commit(tx).await?;
        Ok(errors)
    }

    /// Statistics of these columns of a table; of all columns when none is named.
    pub async fn get_table_statistics(
        &self,
        database: &EntityName,
        table: &EntityName,
        columns: &[String],
    ) -> Result<FoundStatistics> {
        let mut tx = self.snapshot().await?;
        let owner = self.statistics_owner(&mut tx, database, table, None, Lock::None).await?;
        read(&mut tx, &owner, columns).await
    }

    /// Deletes the statistics of a table's column.
    pub async fn delete_table_statistics(
        &self,
        database: &EntityName,
        table: &EntityName,
        column: &str,
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let owner = self.statistics_owner(&mut tx, database, table, None, Lock::Keep).await?;
        delete(&mut tx, &owner, column).await?;
        db::commit(tx).await
    }

    /// Sets statistics of a partition's columns, as for tables.
    pub async fn update_partition_statistics(
        &self,
        database: &EntityName,
        table: &EntityName,
        values: &[String],
        statistics: Vec<ColumnStatistics>,
    ) -> Result<Vec<(String, Error)>> {
        let mut tx = self.db.begin().await?;
        let owner = self.statistics_owner(&mut tx, database, table, Some(values), Lock::Keep).await?;
        let errors = write(&mut tx, &owner, statistics).await?;
        db::commit(tx).await?;
        Ok(errors)
    }

    /// Statistics of these columns of a partition; of all columns when none is named.
    pub async fn get_partition_statistics(
        &self,
        database: &EntityName,
        table: &EntityName,
        values: &[String],
        columns: &[String],
    ) -> Result<FoundStatistics> {
        let mut tx = self.snapshot().await?;
        let owner = self.statistics_owner(&mut tx, database, table, Some(values), Lock::None).await?;
        read(&mut tx, &owner, columns).await
    }

    /// Deletes the statistics of a partition's column.
    pub async fn delete_partition_statistics(
        &self,
        database: &EntityName,
        table: &EntityName,
        values: &[String],
        column: &str,
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let owner = self.statistics_owner(&mut tx, database, table, Some(values), Lock::Keep).await?;
        delete(&mut tx, &owner, column).await?;
        db::commit(tx).await
    }

    async fn statistics_owner(
        &self,
        tx: &mut Transaction,
        database: &EntityName,
        table: &EntityName,
        values: Option<&[String]>,
        lock: Lock,
    ) -> Result<Owner> {
        let Some(stored) = self.stored_table(tx, database, table, lock).await? else {
            return Err(self.absent(tx, database, table).await);
        };
        let table = stored.entry.table;
        let Some(values) = values else {
            let (sql_table, sql_owner) = ("catalog_table_statistics", "table_id");
            return Ok(Owner { sql_table, sql_owner, id: stored.id, table });
        };
        let id = self.partition_id(tx, database, &table, stored.id, values, lock).await?;
        Ok(Owner { sql_table: "catalog_partition_statistics", sql_owner: "partition_id", id, table })
    }
}

async fn write(
    tx: &mut Transaction,
    owner: &Owner,
    statistics: Vec<ColumnStatistics>,
) -> Result<Vec<(String, Error)>> {
    let mut errors = Vec::new();
    let sql = format!(
        "INSERT INTO {} ({}, column_name, body) VALUES ($1, $2, $3)
         ON CONFLICT ({}, column_name) DO UPDATE SET body = excluded.body",
        owner.sql_table, owner.sql_owner, owner.sql_owner
    );
    for one in statistics {
        if let Err(error) = one.check().and_then(|()| owner.has_column(&one.column)) {
            errors.push((one.column, error));
            continue;
        }
        let insert = sqlx::query(AssertSqlSafe(sql.clone()))
            .bind(owner.id)
            .bind(one.column.to_lowercase())
            .bind(to_json(&one)?);
        tx.execute(insert).await.map_err(|e| db::failed("storing column statistics", e))?;
    }
    Ok(errors)
}

async fn read(tx: &mut Transaction, owner: &Owner, columns: &[String]) -> Result<FoundStatistics> {
    let sql =
        format!("SELECT body FROM {} WHERE {} = $1 ORDER BY column_name", owner.sql_table, owner.sql_owner);
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(owner.id)
        .fetch_all(&mut **tx)
        .await
        .map_err(|e| db::failed("reading column statistics", e))?;
    let mut all = Vec::with_capacity(rows.len());
    for row in &rows {
        all.push(from_json::<ColumnStatistics>(&get::<String>(row, 0)?, "column statistics")?);
    }
    if columns.is_empty() {
        return Ok(FoundStatistics { found: all, errors: Vec::new() });
    }
    let mut answer = FoundStatistics::default();
    for column in columns {
        match all.iter().find(|one| one.column.to_lowercase() == column.to_lowercase()) {
            Some(found) => answer.found.push(found.clone()),
            None => answer.errors.push((column.clone(), owner.none_for(column))),
        }
    }
    Ok(answer)
}

async fn delete(tx: &mut Transaction, owner: &Owner, column: &str) -> Result<()> {
    let sql = format!("DELETE FROM {} WHERE {} = $1 AND column_name = $2", owner.sql_table, owner.sql_owner);
    let delete = sqlx::query(AssertSqlSafe(sql)).bind(owner.id).bind(column.to_lowercase());
    let done = tx.execute(delete).await.map_err(|e| db::failed("deleting column statistics", e))?;
    if done.rows_affected() == 0 { Err(owner.none_for(column)) } else { Ok(()) }
}

impl Owner {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.table.storage.columns.iter().chain(&self.table.partition_keys).map(|column| column.name.as_str())
    }

    fn has_column(&self, column: &str) -> Result<()> {
        if self.names().any(|name| name.to_lowercase() == column.to_lowercase()) {
            return Ok(());
        }
        Err(Error::not_found(format!("the table `{}` has no column `{column}`", self.table.name))
            .hint(model::nearest_hint(column, self.names())))
    }

    fn none_for(&self, column: &str) -> Error {
        self.has_column(column).err().unwrap_or_else(|| {
            Error::not_found(format!(
                "there are no statistics of the column `{column}` of `{}`",
                self.table.name
            ))
        })
    }
}
