//! Making partitions be there as described, whether or not they were: what a crawler wants.

use super::super::{Catalog, Lock};
use super::create::{Prepared, Target, prepare};
use super::descriptors;
use super::row::{COLUMNS, Content, Identity};
use crate::types::{Partition, UpsertOutcome};
use model::{EntityName, Result};
use sqlx::AssertSqlSafe;
use state::{Transaction, db};

const ROWS: usize = 100;

enum Change {
    Updated,
    Unchanged,
}

impl Catalog {
    /// Adds the partitions that are missing and replaces those that differ, all in one step. Access times that are not
    /// given keep their value.
    pub async fn upsert_partitions(
        &self,
        database: &EntityName,
        table: &EntityName,
        partitions: Vec<Partition>,
    ) -> Result<UpsertOutcome> {
        let mut tx = self.db.begin().await?;
        let Some(target) = self.partition_target(&mut tx, database, table, Lock::Change).await? else {
            return Err(self.absent(&mut tx, database, table).await);
        };
        let mut outcome = UpsertOutcome::default();
        let prepared = prepare(&target, &partitions, &mut outcome.errors);
        let mut writer = descriptors::Writer::new(target.id, target.location.clone());
        for some in prepared.chunks(ROWS) {
            let there = self.insert(&mut tx, &target, &mut writer, some, &partitions).await?;
            outcome.created += some.len() - there.len();
            for prepared in there {
                match replace(&mut tx, &target, &mut writer, prepared, &partitions[prepared.index]).await? {
                    Change::Updated => outcome.updated += 1,
                    Change::Unchanged => outcome.unchanged += 1,
                }
            }
            crashpoint::hit("catalog.partitions.mid");
        }
        db::commit(tx).await?;
        Ok(outcome)
    }
}

async fn replace(
    tx: &mut Transaction,
    target: &Target,
    writer: &mut descriptors::Writer,
    prepared: &Prepared,
    partition: &Partition,
) -> Result<Change> {
    let sql = format!(
        "SELECT {COLUMNS} FROM catalog_partitions WHERE table_id = $1 AND {}",
        Identity::condition(2)
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(target.id);
    let row = prepared
        .identity
        .bind(query)
        .fetch_one(&mut **tx)
        .await
        .map_err(|e| db::failed("reading a partition", e))?;
    let old = Content::of_row(&row)?;
    let (descriptor, location) = writer.store(tx, &partition.storage).await?;
    let mut new = Content::of(partition, descriptor, location)?;
    new.last_access = new.last_access.or(old.last_access);
    new.last_analyzed = new.last_analyzed.or(old.last_analyzed);
    if new == old {
        return Ok(Change::Unchanged);
    }
    write_content(tx, super::super::get(&row, 0)?, &new).await?;
    Ok(Change::Updated)
}

/// Replaces what a row holds beside its identity.
pub(super) async fn write_content(tx: &mut Transaction, id: i64, content: &Content) -> Result<()> {
    let sets: Vec<String> =
        Content::COLUMNS.iter().enumerate().map(|(i, column)| format!("{column} = ${}", i + 2)).collect();
    let sql = format!("UPDATE catalog_partitions SET {} WHERE id = $1", sets.join(", "));
    content
        .bind(sqlx::query(AssertSqlSafe(sql)).bind(id))
        .execute(&mut **tx)
        .await
        .map_err(|e| db::failed("changing a partition", e))?;
    Ok(())
}
