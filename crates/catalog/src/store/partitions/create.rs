//! Adding partitions: one transaction a call, whatever its size; those that cannot be added are named and do not keep
//! the others out.

use super::super::{Catalog, Lock};
use super::descriptors;
use super::row::{Content, IDENTITY, Identity};
use crate::keys::{self, Key};
use crate::types::{BatchOutcome, Partition};
use model::{EntityName, Error, Result};
use sqlx::AssertSqlSafe;
use state::{Transaction, db};
use std::collections::HashSet;

/// Rows in one INSERT.
const ROWS: usize = 100;

/// A table whose partitions are about to change.
pub(in super::super) struct Target {
    pub(super) id: i64,
    pub(super) keys: Vec<Key>,
    pub(super) location: Option<String>,
    pub(super) name: String,
}

/// A partition that is ready to be written.
pub(super) struct Prepared {
    pub(super) index: usize,
    pub(super) identity: Identity,
}

impl Catalog {
    /// Adds partitions. Those that exist already or have wrong values are refused one by one; the others are added,
    /// all of them or, when the call fails, none.
    pub async fn create_partitions(
        &self,
        database: &EntityName,
        table: &EntityName,
        partitions: Vec<Partition>,
    ) -> Result<BatchOutcome> {
        let mut tx = self.db.begin().await?;
        let Some(target) = self.partition_target(&mut tx, database, table, Lock::Change).await? else {
            return Err(self.absent(&mut tx, database, table).await);
        };
        let outcome = self.add_partitions(&mut tx, &target, partitions).await?;
        db::commit(tx).await?;
        Ok(outcome)
    }

    /// Adds partitions within a transaction.
    pub(in super::super) async fn add_partitions(
        &self,
        tx: &mut Transaction,
        target: &Target,
        partitions: Vec<Partition>,
    ) -> Result<BatchOutcome> {
        let mut outcome = BatchOutcome::default();
        let prepared = prepare(target, &partitions, &mut outcome.errors);
        let mut writer = descriptors::Writer::new(target.id, target.location.clone());
        for some in prepared.chunks(ROWS) {
            let there = self.insert(tx, target, &mut writer, some, &partitions).await?;
            outcome.created += some.len() - there.len();
            for prepared in there {
                let values = partitions[prepared.index].values.clone();
                let error = exists(target, &values);
                outcome.errors.push((values, error));
            }
            crashpoint::hit("catalog.partitions.mid");
        }
        Ok(outcome)
    }

    /// The table, held as asked. Whoever writes partitions holds it against all others: then the table neither goes
    /// away nor changes its keys meanwhile, and two writers of the same partitions cannot wait for each other.
    pub(in super::super) async fn partition_target(
        &self,
        tx: &mut Transaction,
        database: &EntityName,
        table: &EntityName,
        lock: Lock,
    ) -> Result<Option<Target>> {
        let stored = self.stored_table(tx, database, table, lock).await?;
        Ok(stored.map(|stored| Target {
            id: stored.id,
            keys: keys::keys_of(&stored.entry.table.partition_keys),
            location: stored.entry.table.storage.location,
            name: format!("{database}.{table}"),
        }))
    }

    /// Inserts up to [`ROWS`] rows and returns those that were there already.
    pub(super) async fn insert<'p>(
        &self,
        tx: &mut Transaction,
        target: &Target,
        writer: &mut descriptors::Writer,
        rows: &'p [Prepared],
        partitions: &[Partition],
    ) -> Result<Vec<&'p Prepared>> {
        let sql = insert_sql(rows.len());
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(target.id).bind(self.clock.now_millis());
        for row in rows {
            let partition = &partitions[row.index];
            let (descriptor, location) = writer.store(tx, &partition.storage).await?;
            let content = Content::of(partition, descriptor, location)?;
            query = content.bind(row.identity.bind(query));
        }
        let written = query.fetch_all(&mut **tx).await.map_err(|e| db::failed("adding partitions", e))?;
        if written.len() == rows.len() {
            return Ok(Vec::new());
        }
        let written = written.iter().map(|row| Identity::of_row(row, 0)).collect::<Result<HashSet<_>>>()?;
        Ok(rows.iter().filter(|row| !written.contains(&row.identity)).collect())
    }
}

/// Encodes and checks partitions; the wrong ones and repetitions within the call become errors.
pub(super) fn prepare(
    target: &Target,
    partitions: &[Partition],
    errors: &mut Vec<(Vec<String>, Error)>,
) -> Vec<Prepared> {
    let mut seen = HashSet::with_capacity(partitions.len());
    let mut prepared = Vec::with_capacity(partitions.len());
    for (index, partition) in partitions.iter().enumerate() {
        match Identity::of(&target.keys, &partition.values).and_then(|identity| {
            partition.check()?;
            Ok(identity)
        }) {
            Ok(identity) if seen.insert(identity.clone()) => prepared.push(Prepared { index, identity }),
            Ok(_) => errors.push((partition.values.clone(), exists(target, &partition.values))),
            Err(error) => errors.push((partition.values.clone(), error)),
        }
    }
    prepared
}

fn exists(target: &Target, values: &[String]) -> Error {
    Error::already_exists(format!(
        "the table `{}` has the partition {} already",
        target.name,
        crate::check::show_values(values)
    ))
}

fn insert_sql(rows: usize) -> String {
    const BINDS: usize = 9 + Content::COLUMNS.len();
    let mut sql = format!(
        "INSERT INTO catalog_partitions (table_id, created, {IDENTITY}, {}) VALUES ",
        Content::COLUMNS.join(", ")
    );
    for row in 0..rows {
        sql.push_str(if row == 0 { "($1, $2" } else { ", ($1, $2" });
        for bind in 0..BINDS {
            sql.push_str(&format!(", ${}", 3 + row * BINDS + bind));
        }
        sql.push(')');
    }
    sql.push_str(&format!(" ON CONFLICT (table_id, {IDENTITY}) DO NOTHING RETURNING {IDENTITY}"));
    sql
}
