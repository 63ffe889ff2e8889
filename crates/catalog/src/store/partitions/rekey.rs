//! When a table's partition keys change: stored key values are encoded by type, so they are written anew, or the change
//! is refused because the values do not fit.

use super::super::{Catalog, get};
use super::change::move_to;
use super::row::{IDENTITY, Identity};
use crate::keys::{self, Key};
use crate::types::Table;
use model::{Error, Result};
use sqlx::AssertSqlSafe;
use state::{Transaction, db};

const CHUNK: i64 = 1000;

impl Catalog {
    /// Brings a table's partitions in line with its new keys, within the transaction that changes the table.
    pub(in crate::store) async fn rekey_partitions(
        &self,
        tx: &mut Transaction,
        table: i64,
        old: &Table,
        new: &Table,
    ) -> Result<()> {
        let (old_keys, new_keys) = (keys::keys_of(&old.partition_keys), keys::keys_of(&new.partition_keys));
        let same_kinds = old_keys.len() == new_keys.len()
            && old_keys.iter().zip(&new_keys).all(|(old, new)| new.kind.covers(old.kind));
        if same_kinds {
            return Ok(());
        }
        if old_keys.len() != new_keys.len() {
            return self.refuse_if_partitioned(tx, table, new).await;
        }
        let mut after = 0;
        loop {
            let sql = format!(
                "SELECT id, {IDENTITY} FROM catalog_partitions WHERE table_id = $1 AND id > $2
                 ORDER BY id LIMIT {CHUNK}"
            );
            let rows = sqlx::query(AssertSqlSafe(sql))
                .bind(table)
                .bind(after)
                .fetch_all(&mut **tx)
                .await
                .map_err(|e| db::failed("reading partitions", e))?;
            for row in &rows {
                after = get(row, 0)?;
                let identity = Identity::of_row(row, 1)?;
                let moved = reencode(&identity, &old_keys, &new_keys, new)?;
                if moved != identity {
                    move_to(tx, after, &moved).await?;
                }
            }
            if (rows.len() as i64) < CHUNK {
                return Ok(());
            }
            crashpoint::hit("catalog.update_table.rekeying");
        }
    }

    async fn refuse_if_partitioned(&self, tx: &mut Transaction, table: i64, new: &Table) -> Result<()> {
        let row = sqlx::query("SELECT id FROM catalog_partitions WHERE table_id = $1 LIMIT 1")
            .bind(table)
            .fetch_optional(&mut **tx)
            .await
            .map_err(|e| db::failed("looking for partitions", e))?;
        match row {
            None => Ok(()),
            Some(_) => Err(Error::invalid(format!(
                "the number of partition keys of `{}` cannot change while it has partitions",
                new.name
            ))
            .hint("delete its partitions first, or make a new table")),
        }
    }
}

fn reencode(identity: &Identity, old: &[Key], new: &[Key], table: &Table) -> Result<Identity> {
    let values = identity.values(old)?;
    Identity::of(new, &values).map_err(|error| {
        error
            .context(format!("the partition keys of `{}` cannot change", table.name))
            .hint("delete the partitions whose values do not fit, or keep the type")
    })
}
