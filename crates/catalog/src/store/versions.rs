//! The versions that a table went through: the present one and those that were kept.

use super::{Catalog, Lock, from_json, get, time};
use crate::types::{TableEntry, VersionPage};
use model::{EntityName, Error, Result};
use sqlx::Executor;
use state::db;

impl Catalog {
    /// Versions of a table, the present one first. `before` continues below a version of an earlier page.
    pub async fn table_versions(
        &self,
        database: &EntityName,
        name: &EntityName,
        before: Option<i64>,
        limit: Option<usize>,
    ) -> Result<VersionPage> {
        let mut tx = self.snapshot().await?;
        let Some(current) = self.stored_table(&mut tx, database, name, Lock::None).await? else {
            return Err(self.absent(&mut tx, database, name).await);
        };
        let limit = limit.unwrap_or(usize::MAX - 1);
        let before = before.unwrap_or(i64::MAX);
        let mut versions = Vec::new();
        if current.entry.version < before {
            versions.push(current.entry.clone());
        }
        let rows = sqlx::query(
            "SELECT version, definition, updated FROM catalog_table_versions
             WHERE table_id = $1 AND version < $2 ORDER BY version DESC LIMIT $3",
        )
        .bind(current.id)
        .bind(before)
        .bind(i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX))
        .fetch_all(&mut *tx)
        .await
        .map_err(|e| db::failed("reading a table's versions", e))?;
        for row in &rows {
            let version = get(row, 0)?;
            versions.push(TableEntry {
                table: from_json(
                    &get::<String>(row, 1)?,
                    &format!("version {version} of `{database}.{name}`"),
                )?,
                version,
                updated: time(get(row, 2)?)?,
                ..current.entry.clone()
            });
        }
        let has_more = versions.len() > limit;
        versions.truncate(limit);
        let next = if has_more { versions.last().map(|entry| entry.version) } else { None };
        Ok(VersionPage { versions, next })
    }

    /// A table as it was at that version.
    pub async fn get_table_version(
        &self,
        database: &EntityName,
        name: &EntityName,
        version: i64,
    ) -> Result<TableEntry> {
        let page = self.table_versions(database, name, version.checked_add(1), Some(1)).await?;
        let found = page.versions.into_iter().find(|entry| entry.version == version);
        found.ok_or_else(|| no_version(database, name, version))
    }

    /// Forgets an old version. The present one stays.
    pub async fn delete_table_version(
        &self,
        database: &EntityName,
        name: &EntityName,
        version: i64,
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let Some(current) = self.stored_table(&mut tx, database, name, Lock::Keep).await? else {
            return Err(self.absent(&mut tx, database, name).await);
        };
        if current.entry.version == version {
            return Err(Error::invalid(format!(
                "version {version} is the present one of `{database}.{name}`"
            ))
            .hint("only older versions can be deleted"));
        }
        let delete = sqlx::query("DELETE FROM catalog_table_versions WHERE table_id = $1 AND version = $2")
            .bind(current.id)
            .bind(version);
        let done = tx.execute(delete).await.map_err(|e| db::failed("deleting a table's version", e))?;
        if done.rows_affected() == 0 {
            return Err(no_version(database, name, version));
        }
        db::commit(tx).await
    }
}

fn no_version(database: &EntityName, name: &EntityName, version: i64) -> Error {
    Error::not_found(format!("the table `{database}.{name}` has no version {version}"))
        .hint("list its versions to see which were kept")
}
