//! Reading single partitions, several at once, and their number.

use super::super::{Catalog, Lock, get};
use super::change::no_partition;
use super::create::Target;
use super::descriptors::Descriptors;
use super::row::{COLUMNS, Identity, RowReader};
use crate::keys;
use crate::types::{Partition, Table};
use model::{EntityName, ErrorKind, Result};
use sqlx::AssertSqlSafe;
use state::{Transaction, db};

impl Catalog {
    /// The partition of those values, as they were written.
    pub async fn get_partition(
        &self,
        database: &EntityName,
        table: &EntityName,
        values: &[String],
    ) -> Result<Partition> {
        let mut tx = self.snapshot().await?;
        let target = self.reading_target(&mut tx, database, table).await?;
        let identity = Identity::of(&target.keys, values)?;
        let found = read_one(&mut tx, &target, &identity, &mut Descriptors::default()).await?;
        found.ok_or_else(|| no_partition(&target.name, values))
    }

    /// The partitions of those values, in the order asked for, and the values for which there is none.
    pub async fn batch_get(
        &self,
        database: &EntityName,
        table: &EntityName,
        values: &[Vec<String>],
    ) -> Result<(Vec<Partition>, Vec<Vec<String>>)> {
        let mut tx = self.snapshot().await?;
        let target = self.reading_target(&mut tx, database, table).await?;
        let mut descriptors = Descriptors::default();
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for one in values {
            let partition = match Identity::of(&target.keys, one) {
                Ok(identity) => read_one(&mut tx, &target, &identity, &mut descriptors).await?,
                // A value that no partition can have names no partition; a wrong number of values is a mistake.
                Err(e) if e.kind() == ErrorKind::InvalidInput && one.len() == target.keys.len() => None,
                Err(error) => return Err(error),
            };
            match partition {
                Some(partition) => found.push(partition),
                None => missing.push(one.clone()),
            }
        }
        Ok((found, missing))
    }

    /// The places of partitions that do not lie below that address, each once, at most so many.
    pub async fn locations_outside(
        &self,
        database: &EntityName,
        table: &EntityName,
        address: &str,
        limit: usize,
    ) -> Result<Vec<String>> {
        let mut tx = self.snapshot().await?;
        let target = self.reading_target(&mut tx, database, table).await?;
        let rows = sqlx::query(
            "SELECT DISTINCT location FROM catalog_partitions
             WHERE table_id = $1 AND location IS NOT NULL AND substr(location, 1, CAST($2 AS INTEGER)) <> $3 LIMIT $4",
        )
        .bind(target.id)
        .bind(i64::try_from(address.chars().count()).unwrap_or(i64::MAX))
        .bind(address)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut *tx)
        .await
        .map_err(|e| db::failed("looking for partitions that lie elsewhere", e))?;
        rows.iter().map(|row| get(row, 0)).collect()
    }

    /// How many partitions a table has.
    pub async fn count_partitions(&self, database: &EntityName, table: &EntityName) -> Result<u64> {
        let mut tx = self.snapshot().await?;
        let target = self.reading_target(&mut tx, database, table).await?;
        let row = sqlx::query("SELECT COUNT(*) FROM catalog_partitions WHERE table_id = $1")
            .bind(target.id)
            .fetch_one(&mut *tx)
            .await
            .map_err(|e| db::failed("counting partitions", e))?;
        Ok(u64::try_from(get::<i64>(&row, 0)?).unwrap_or_default())
    }

    /// The row of a partition of a table that has been read already. With a lock, it stays until the transaction ends.
    pub(in crate::store) async fn partition_id(
        &self,
        tx: &mut Transaction,
        database: &EntityName,
        table: &Table,
        table_id: i64,
        values: &[String],
        lock: Lock,
    ) -> Result<i64> {
        let identity = Identity::of(&keys::keys_of(&table.partition_keys), values)?;
        let sql = format!(
            "SELECT id FROM catalog_partitions WHERE table_id = $1 AND {}{}",
            Identity::condition(2),
            self.lock(lock)
        );
        let row = identity
            .bind(sqlx::query(AssertSqlSafe(sql)).bind(table_id))
            .fetch_optional(&mut **tx)
            .await
            .map_err(|e| db::failed("looking for a partition", e))?;
        match row {
            Some(row) => get(&row, 0),
            None => Err(no_partition(&format!("{database}.{}", table.name), values)),
        }
    }

    pub(super) async fn reading_target(
        &self,
        tx: &mut Transaction,
        database: &EntityName,
        table: &EntityName,
    ) -> Result<Target> {
        match self.partition_target(tx, database, table, Lock::None).await? {
            Some(target) => Ok(target),
            None => Err(self.absent(tx, database, table).await),
        }
    }
}

async fn read_one(
    tx: &mut Transaction,
    target: &Target,
    identity: &Identity,
    descriptors: &mut Descriptors,
) -> Result<Option<Partition>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM catalog_partitions WHERE table_id = $1 AND {}",
        Identity::condition(2)
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(target.id);
    let row = identity
        .bind(query)
        .fetch_optional(&mut **tx)
        .await
        .map_err(|e| db::failed("reading a partition", e))?;
    let Some(row) = row else { return Ok(None) };
    descriptors.load(tx, std::iter::once(get(&row, 10)?)).await?;
    RowReader { keys: &target.keys, without_columns: false }.read(&row, descriptors).map(Some)
}
