//! Replacing partitions, under the same values or under new ones.

use super::super::{Catalog, Lock, get};
use super::create::Target;
use super::descriptors;
use super::row::{Content, Identity};
use super::upsert::write_content;
use crate::types::{BatchOutcome, Partition};
use model::{EntityName, Error, ErrorKind, Result};
use sqlx::{AssertSqlSafe, Executor};
use state::{Transaction, db};

impl Catalog {
    /// Replaces the partition of those values. The new one may have other values.
    pub async fn update_partition(
        &self,
        database: &EntityName,
        table: &EntityName,
        values: &[String],
        partition: Partition,
    ) -> Result<()> {
        let outcome = self.update_partitions(database, table, vec![(values.to_vec(), partition)]).await?;
        outcome.errors.into_iter().next().map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Replaces partitions: for each the values under which it is found, and what it becomes. Those that cannot be
    /// replaced are named and do not keep the others from it.
    pub async fn update_partitions(
        &self,
        database: &EntityName,
        table: &EntityName,
        changes: Vec<(Vec<String>, Partition)>,
    ) -> Result<BatchOutcome> {
        let mut tx = self.db.begin().await?;
        let Some(target) = self.partition_target(&mut tx, database, table, Lock::Change).await? else {
            return Err(self.absent(&mut tx, database, table).await);
        };
        let mut writer = descriptors::Writer::new(target.id, target.location.clone());
        let mut outcome = BatchOutcome::default();
        for (values, partition) in changes {
            match update_one(&mut tx, &target, &mut writer, &values, &partition).await {
                Ok(()) => outcome.created += 1,
                Err(error) if is_refusal(error.kind()) => outcome.errors.push((values, error)),
                Err(error) => return Err(error),
            }
        }
        db::commit(tx).await?;
        Ok(outcome)
    }
}

/// Whether the database itself is fine, so that the other entries can go on.
fn is_refusal(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InvalidInput | ErrorKind::NotFound | ErrorKind::AlreadyExists | ErrorKind::LimitExceeded
    )
}

async fn update_one(
    tx: &mut Transaction,
    target: &Target,
    writer: &mut descriptors::Writer,
    values: &[String],
    partition: &Partition,
) -> Result<()> {
    let old = Identity::of(&target.keys, values)?;
    let new = Identity::of(&target.keys, &partition.values)?;
    partition.check()?;
    let id = find(tx, target, &old).await?.ok_or_else(|| no_partition(&target.name, values))?;
    if new != old {
        // Looked up before: on PostgreSQL a broken unique key would end the whole transaction.
        if find(tx, target, &new).await?.is_some() {
            return Err(Error::already_exists(format!(
                "the table `{}` has the partition {} already",
                target.name,
                crate::check::show_values(&partition.values)
            )));
        }
        move_to(tx, id, &new).await?;
    }
    let (descriptor, location) = writer.store(tx, &partition.storage).await?;
    write_content(tx, id, &Content::of(partition, descriptor, location)?).await
}

/// Gives a row another identity.
pub(super) async fn move_to(tx: &mut Transaction, id: i64, identity: &Identity) -> Result<()> {
    let query = sqlx::query(
        "UPDATE catalog_partitions SET k0 = $2, k1 = $3, k2 = $4, k3 = $5, k4 = $6, k5 = $7, k6 = $8, k7 = $9,
            spelling = $10 WHERE id = $1",
    )
    .bind(id);
    tx.execute(identity.bind(query)).await.map_err(|e| db::failed("changing a partition's values", e))?;
    Ok(())
}

/// The row of that identity.
pub(super) async fn find(tx: &mut Transaction, target: &Target, identity: &Identity) -> Result<Option<i64>> {
    let sql = format!("SELECT id FROM catalog_partitions WHERE table_id = $1 AND {}", Identity::condition(2));
    let query = sqlx::query(AssertSqlSafe(sql)).bind(target.id);
    let row = identity
        .bind(query)
        .fetch_optional(&mut **tx)
        .await
        .map_err(|e| db::failed("looking for a partition", e))?;
    row.map(|row| get(&row, 0)).transpose()
}

pub(super) fn no_partition(table: &str, values: &[String]) -> Error {
    Error::not_found(format!("the table `{table}` has no partition {}", crate::check::show_values(values)))
        .hint("values are found as they were written: `06` is another partition than `6`")
}
