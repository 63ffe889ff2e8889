//! Deleting partitions. No data is deleted.

use super::super::{Catalog, Lock};
use super::change::{find, no_partition};
use super::row::Identity;
use crate::types::BatchOutcome;
use model::{EntityName, Result};
use sqlx::Executor;
use state::db;

impl Catalog {
    /// Deletes the partitions of those values with their statistics. Those that are not there are named and do not keep
    /// the others from it; `created` counts the deleted ones.
    pub async fn delete_partitions(
        &self,
        database: &EntityName,
        table: &EntityName,
        values: Vec<Vec<String>>,
    ) -> Result<BatchOutcome> {
        let mut tx = self.db.begin().await?;
        let Some(target) = self.partition_target(&mut tx, database, table, Lock::Change).await? else {
            return Err(self.absent(&mut tx, database, table).await);
        };
        let mut outcome = BatchOutcome::default();
        for values in values {
            let identity = match Identity::of(&target.keys, &values) {
                Ok(identity) => identity,
                Err(error) => {
                    outcome.errors.push((values, error));
                    continue;
                }
            };
            let id = find(&mut tx, &target, &identity).await?;
            let Some(id) = id else {
                outcome.errors.push((values.clone(), no_partition(&target.name, &values)));
                continue;
            };
            let delete = sqlx::query("DELETE FROM catalog_partitions WHERE id = $1").bind(id);
            tx.execute(delete).await.map_err(|e| db::failed("deleting a partition", e))?;
            outcome.created += 1;
            crashpoint::hit("catalog.partitions.deleting");
        }
        db::commit(tx).await?;
        Ok(outcome)
    }
}
