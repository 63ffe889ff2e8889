//! Removing the partitions of dropped tables: in small steps, so that others get their turn in between.
//!
//! The drop itself is one small commit that remembers the table in `catalog_dropped`; from then on nobody can see its
//! partitions. What a killed process leaves is swept at the next start.

use super::{Catalog, get};
use model::Result;
use sqlx::{AssertSqlSafe, Executor};
use state::{Transaction, db};

/// Partitions removed in one transaction: some tens of milliseconds.
const STEP: i64 = 5000;

impl Catalog {
    /// Deletes a table's row with its versions, statistics and indexes, and remembers its partitions for the sweep.
    pub(super) async fn drop_row(&self, tx: &mut Transaction, table: i64) -> Result<()> {
        let remember = sqlx::query("INSERT INTO catalog_dropped (table_id) VALUES ($1)").bind(table);
        tx.execute(remember).await.map_err(|e| db::failed("dropping a table", e))?;
        let delete = sqlx::query("DELETE FROM catalog_tables WHERE id = $1").bind(table);
        tx.execute(delete).await.map_err(|e| db::failed("dropping a table", e))?;
        Ok(())
    }

    /// Sweeps what earlier drops have left.
    pub(super) async fn sweep_all(&self) -> Result<()> {
        let rows = sqlx::query("SELECT table_id FROM catalog_dropped")
            .fetch_all(self.db.read())
            .await
            .map_err(|e| db::failed("looking for dropped tables", e))?;
        let tables = rows.iter().map(|row| get(row, 0)).collect::<Result<Vec<i64>>>()?;
        self.remove_partitions(&tables).await
    }

    /// Removes the partitions of these dropped tables. The drop is done already, so that a failure here is no failure
    /// of the drop: what stays behind is removed at the next start.
    pub(super) async fn sweep(&self, tables: &[i64]) {
        crashpoint::hit("catalog.drop_table.before_sweep");
        if let Err(error) = self.remove_partitions(tables).await {
            tracing::warn!(%error, "partitions of a dropped table are left for the next start");
        }
    }

    async fn remove_partitions(&self, tables: &[i64]) -> Result<()> {
        for table in tables {
            while self.sweep_step(*table).await? {
                crashpoint::hit("catalog.drop_table.sweeping");
            }
        }
        Ok(())
    }

    /// One step; false when the table is done.
    async fn sweep_step(&self, table: i64) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let sql = format!(
            "DELETE FROM catalog_partitions WHERE id IN
                (SELECT id FROM catalog_partitions WHERE table_id = $1 LIMIT {STEP})"
        );
        let done = sqlx::query(AssertSqlSafe(sql))
            .bind(table)
            .execute(&mut *tx)
            .await
            .map_err(|e| db::failed("removing a dropped table's partitions", e))?;
        let more = done.rows_affected() > 0;
        if !more {
            for sql in [
                "DELETE FROM catalog_descriptors WHERE table_id = $1",
                "DELETE FROM catalog_dropped WHERE table_id = $1",
            ] {
                tx.execute(sqlx::query(sql).bind(table))
                    .await
                    .map_err(|e| db::failed("removing a dropped table's partitions", e))?;
            }
        }
        db::commit(tx).await?;
        Ok(more)
    }
}
