//! Partition indexes as Glue has them: named lists of keys. The catalog indexes every key by itself, so they are active
//! at once; they are kept because clients create, list and delete them.

use super::tables::Stored;
use super::{Catalog, Lock, from_json, get, to_json};
use crate::types::PartitionIndex;
use model::{EntityName, Error, ErrorKind, Result};
use sqlx::Executor;
use state::{Transaction, db};

/// Glue's limit for a table.
const MAX_INDEXES: usize = 3;

impl Catalog {
    /// Adds a partition index.
    pub async fn create_partition_index(
        &self,
        database: &EntityName,
        table: &EntityName,
        index: PartitionIndex,
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let Some(stored) = self.stored_table(&mut tx, database, table, Lock::Change).await? else {
            return Err(self.absent(&mut tx, database, table).await);
        };
        check(&stored, &index)?;
        let present = read(&mut tx, stored.id).await?;
        if present.iter().any(|other| other.name == index.name) {
            return Err(Error::already_exists(format!(
                "the table `{database}.{table}` has a partition index `{}` already",
                index.name
            )));
        }
        if let Some(twin) = present.iter().find(|other| other.keys == index.keys) {
            return Err(Error::already_exists(format!(
                "the partition index `{}` of `{database}.{table}` has the same keys already",
                twin.name
            )));
        }
        if present.len() >= MAX_INDEXES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!(
                    "the table `{database}.{table}` has {MAX_INDEXES} partition indexes, which is the limit"
                ),
            )
            .hint("delete one first"));
        }
        let insert = sqlx::query(
            "INSERT INTO catalog_partition_indexes (table_id, name, key_names) VALUES ($1, $2, $3)",
        )
        .bind(stored.id)
        .bind(index.name.as_str())
        .bind(to_json(&index.keys)?);
        tx.execute(insert).await.map_err(|e| db::failed("adding a partition index", e))?;
        db::commit(tx).await
    }

    /// A table's partition indexes by name.
    pub async fn list_partition_indexes(
        &self,
        database: &EntityName,
        table: &EntityName,
    ) -> Result<Vec<PartitionIndex>> {
        let mut tx = self.snapshot().await?;
        let Some(stored) = self.stored_table(&mut tx, database, table, Lock::None).await? else {
            return Err(self.absent(&mut tx, database, table).await);
        };
        read(&mut tx, stored.id).await
    }

    /// Deletes a partition index.
    pub async fn delete_partition_index(
        &self,
        database: &EntityName,
        table: &EntityName,
        name: &EntityName,
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let Some(stored) = self.stored_table(&mut tx, database, table, Lock::Change).await? else {
            return Err(self.absent(&mut tx, database, table).await);
        };
        let delete = sqlx::query("DELETE FROM catalog_partition_indexes WHERE table_id = $1 AND name = $2")
            .bind(stored.id)
            .bind(name.as_str());
        let done = tx.execute(delete).await.map_err(|e| db::failed("deleting a partition index", e))?;
        if done.rows_affected() == 0 {
            let known = read(&mut tx, stored.id).await?;
            return Err(Error::not_found(format!(
                "the table `{database}.{table}` has no partition index `{name}`"
            ))
            .hint(model::nearest_hint(name.as_str(), known.iter().map(|index| index.name.as_str()))));
        }
        db::commit(tx).await
    }
}

fn check(stored: &Stored, index: &PartitionIndex) -> Result<()> {
    let keys = &stored.entry.table.partition_keys;
    if index.keys.is_empty() {
        return Err(Error::invalid(format!("the partition index `{}` has no keys", index.name)));
    }
    for (position, name) in index.keys.iter().enumerate() {
        if !keys.iter().any(|key| key.name.to_lowercase() == name.as_str()) {
            let hint = model::nearest_hint(name.as_str(), keys.iter().map(|key| key.name.as_str()));
            return Err(Error::invalid(format!(
                "the partition index `{}` names `{name}`, which is no partition key of `{}`",
                index.name, stored.entry.table.name
            ))
            .hint(hint));
        }
        if index.keys[..position].contains(name) {
            return Err(Error::invalid(format!("the partition index `{}` names `{name}` twice", index.name)));
        }
    }
    Ok(())
}

async fn read(tx: &mut Transaction, table: i64) -> Result<Vec<PartitionIndex>> {
    let rows = sqlx::query(
        "SELECT name, key_names FROM catalog_partition_indexes WHERE table_id = $1 ORDER BY name",
    )
    .bind(table)
    .fetch_all(&mut **tx)
    .await
    .map_err(|e| db::failed("reading partition indexes", e))?;
    rows.iter()
        .map(|row| {
            Ok(PartitionIndex {
                name: EntityName::new(get::<String>(row, 0)?)?,
                keys: from_json(&get::<String>(row, 1)?, "a partition index")?,
            })
        })
        .collect()
}
