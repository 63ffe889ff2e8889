//! Tables and views: create, change under optimistic versions, rename, drop, list.

use super::{Catalog, Lock, from_json, get, missing, time, to_json};
use crate::types::{BatchOutcome, Partition, Table, TableEntry, TablePage, TableQuery, UpdateOptions};
use model::{EntityName, Error, Result};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Executor};
use state::{Transaction, db};

const SELECT: &str = "SELECT t.id, d.name, t.name, t.definition, t.version, t.created, t.updated
    FROM catalog_tables t JOIN catalog_databases d ON d.id = t.database_id";

/// How many rows are read at once when a pattern decides which of them are wanted.
const CHUNK: i64 = 500;

impl Catalog {
    /// Creates a table or view.
    pub async fn create_table(&self, database: &EntityName, table: Table) -> Result<TableEntry> {
        let mut tx = self.db.begin().await?;
        let entry = self.insert_table(&mut tx, database, table).await?;
        crashpoint::hit("catalog.create_table.before_commit");
        db::commit(tx).await?;
        Ok(entry)
    }

    /// Creates a table together with its first partitions: both are there at once, or neither is. Partitions that
    /// cannot be added are refused one by one, as [`Catalog::create_partitions`] does.
    pub async fn create_table_with(
        &self,
        database: &EntityName,
        table: Table,
        partitions: Vec<Partition>,
    ) -> Result<(TableEntry, BatchOutcome)> {
        let mut tx = self.db.begin().await?;
        let entry = self.insert_table(&mut tx, database, table).await?;
        let outcome = match self.partition_target(&mut tx, database, &entry.table.name, Lock::Change).await? {
            Some(target) => self.add_partitions(&mut tx, &target, partitions).await?,
            None => return Err(self.absent(&mut tx, database, &entry.table.name).await),
        };
        crashpoint::hit("catalog.create_table.before_commit");
        db::commit(tx).await?;
        Ok((entry, outcome))
    }

    async fn insert_table(
        &self,
        tx: &mut Transaction,
        database: &EntityName,
        table: Table,
    ) -> Result<TableEntry> {
        table.check()?;
        let now = self.clock.now_millis();
        let Some(database_id) = self.database_id(tx, database, Lock::Keep).await? else {
            return Err(missing::no_database(tx, database).await);
        };
        let done = sqlx::query(
            "INSERT INTO catalog_tables (database_id, name, definition, version, created, updated)
             VALUES ($1, $2, $3, 0, $4, $4) ON CONFLICT (database_id, name) DO NOTHING",
        )
        .bind(database_id)
        .bind(table.name.as_str())
        .bind(to_json(&table)?)
        .bind(now)
        .execute(&mut **tx)
        .await
        .map_err(|e| db::failed("creating a table", e))?;
        if done.rows_affected() == 0 {
            return Err(exists(database, &table.name));
        }
        Ok(TableEntry {
            database: database.clone(),
            table,
            version: 0,
            created: time(now)?,
            updated: time(now)?,
        })
    }

    /// One table.
    pub async fn get_table(&self, database: &EntityName, name: &EntityName) -> Result<TableEntry> {
        let row = sqlx::query(AssertSqlSafe(format!("{SELECT} WHERE d.name = $1 AND t.name = $2")))
            .bind(database.as_str())
            .bind(name.as_str())
            .fetch_optional(self.db.read())
            .await
            .map_err(|e| db::failed("reading a table", e))?;
        match row {
            Some(row) => Ok(stored(&row)?.entry),
            None => {
                let mut tx = self.snapshot().await?;
                Err(self.absent(&mut tx, database, name).await)
            }
        }
    }

    /// Tables of a database in the order of their names.
    pub async fn list_tables(&self, database: &EntityName, query: TableQuery) -> Result<TablePage> {
        let pattern = query.name_pattern.as_deref().map(name_pattern).transpose()?;
        let mut tx = self.snapshot().await?;
        let Some(id) = self.database_id(&mut tx, database, Lock::None).await? else {
            return Err(missing::no_database(&mut tx, database).await);
        };
        let limit = query.limit.unwrap_or(usize::MAX);
        let mut after = query.after.unwrap_or_default();
        let mut page = TablePage::default();
        loop {
            let sql =
                format!("{SELECT} WHERE t.database_id = $1 AND t.name > $2 ORDER BY t.name LIMIT {CHUNK}");
            let rows = sqlx::query(AssertSqlSafe(sql))
                .bind(id)
                .bind(&after)
                .fetch_all(&mut *tx)
                .await
                .map_err(|e| db::failed("listing tables", e))?;
            let is_last = (rows.len() as i64) < CHUNK;
            for row in &rows {
                let name: String = get(row, 2)?;
                if pattern.as_ref().is_none_or(|pattern| pattern.is_match(&name)) {
                    if page.tables.len() == limit {
                        page.next = page.tables.last().map(|entry| entry.table.name.to_string());
                        return Ok(page);
                    }
                    page.tables.push(stored(row)?.entry);
                }
                after = name;
            }
            if is_last {
                return Ok(page);
            }
        }
    }

    /// Replaces a table. The name within it says which. Fails with `Conflict` when another version than the expected
    /// one is there.
    pub async fn update_table(
        &self,
        database: &EntityName,
        table: Table,
        options: UpdateOptions,
    ) -> Result<TableEntry> {
        let name = table.name.clone();
        let mut table = Some(table);
        self.change(database, &name, &options, false, |current| {
            if let Some(table) = table.take() {
                *current = table;
            }
            Ok(())
        })
        .await
    }

    /// Reads a table, lets `change` alter it, and writes it back, with nobody else's change in between. When `change`
    /// fails, or leaves the table as it was, nothing is written. `change` must be quick: others wait for it.
    pub async fn alter_table(
        &self,
        database: &EntityName,
        name: &EntityName,
        change: impl FnMut(&mut Table) -> Result<()>,
    ) -> Result<TableEntry> {
        self.change(database, name, &UpdateOptions::default(), true, change).await
    }

    /// Gives a table another name in the same database. Its partitions, statistics and versions stay with it.
    pub async fn rename_table(
        &self,
        database: &EntityName,
        name: &EntityName,
        to: &EntityName,
    ) -> Result<TableEntry> {
        let to = to.clone();
        self.change(database, name, &UpdateOptions::default(), true, |table| {
            table.name = to.clone();
            Ok(())
        })
        .await
    }

    /// Drops a table with its versions, partitions and statistics. No data is deleted.
    pub async fn drop_table(&self, database: &EntityName, name: &EntityName) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let Some(stored) = self.stored_table(&mut tx, database, name, Lock::Change).await? else {
            return Err(self.absent(&mut tx, database, name).await);
        };
        self.drop_row(&mut tx, stored.id).await?;
        crashpoint::hit("catalog.drop_table.before_commit");
        db::commit(tx).await?;
        self.sweep(&[stored.id]).await;
        Ok(())
    }

    /// The one way by which a table changes.
    async fn change(
        &self,
        database: &EntityName,
        name: &EntityName,
        options: &UpdateOptions,
        skip_unchanged: bool,
        mut change: impl FnMut(&mut Table) -> Result<()>,
    ) -> Result<TableEntry> {
        let mut tx = self.db.begin().await?;
        let Some(old) = self.stored_table(&mut tx, database, name, Lock::Change).await? else {
            return Err(self.absent(&mut tx, database, name).await);
        };
        if options.expected_version.is_some_and(|expected| expected != old.entry.version) {
            return Err(Error::conflict(format!(
                "the table `{database}.{name}` is at version {}, not {}",
                old.entry.version,
                options.expected_version.unwrap_or_default()
            ))
            .why("somebody else has changed it in between")
            .hint("read it again and repeat the change"));
        }
        let mut new = old.entry.clone();
        change(&mut new.table)?;
        if skip_unchanged && new == old.entry {
            return Ok(new);
        }
        new.table.check()?;
        new.version += 1;
        let now = self.clock.now_millis();
        new.updated = time(now)?;
        self.rekey_partitions(&mut tx, old.id, &old.entry.table, &new.table).await?;
        if !options.skip_archive {
            archive(&mut tx, &old).await?;
        }
        self.write(&mut tx, &old, &new).await?;
        crashpoint::hit("catalog.update_table.before_commit");
        db::commit(tx).await?;
        Ok(new)
    }

    async fn write(&self, tx: &mut Transaction, old: &Stored, new: &TableEntry) -> Result<()> {
        if new.table.name != old.entry.table.name {
            let taken = self.stored_table(tx, &new.database, &new.table.name, Lock::None).await?;
            if taken.is_some() {
                return Err(exists(&new.database, &new.table.name));
            }
        }
        let done = sqlx::query(
            "UPDATE catalog_tables SET name = $1, definition = $2, version = $3, updated = $4
             WHERE id = $5 AND version = $6",
        )
        .bind(new.table.name.as_str())
        .bind(to_json(&new.table)?)
        .bind(new.version)
        .bind(new.updated.timestamp_millis())
        .bind(old.id)
        .bind(old.entry.version)
        .execute(&mut **tx)
        .await
        .map_err(|e| db::failed("changing a table", e))?;
        if done.rows_affected() == 1 {
            return Ok(());
        }
        Err(Error::conflict(format!("the table `{}` was changed by somebody else", new.table.name)))
    }

    /// A table with its row's id, held as asked.
    pub(super) async fn stored_table(
        &self,
        tx: &mut Transaction,
        database: &EntityName,
        name: &EntityName,
        lock: Lock,
    ) -> Result<Option<Stored>> {
        let of = if self.lock(lock).is_empty() { "" } else { " OF t" };
        let sql = format!("{SELECT} WHERE d.name = $1 AND t.name = $2{}{of}", self.lock(lock));
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(database.as_str())
            .bind(name.as_str())
            .fetch_optional(&mut **tx)
            .await
            .map_err(|e| db::failed("reading a table", e))?;
        row.map(|row| stored(&row)).transpose()
    }
}

/// A table as its row has it.
pub(super) struct Stored {
    pub(super) id: i64,
    pub(super) entry: TableEntry,
}

fn stored(row: &AnyRow) -> Result<Stored> {
    let (database, name): (String, String) = (get(row, 1)?, get(row, 2)?);
    let definition: String = get(row, 3)?;
    let entry = TableEntry {
        table: from_json(&definition, &format!("table `{database}.{name}`"))?,
        database: EntityName::new(database)?,
        version: get(row, 4)?,
        created: time(get(row, 5)?)?,
        updated: time(get(row, 6)?)?,
    };
    Ok(Stored { id: get(row, 0)?, entry })
}

/// Keeps the version that is about to be replaced.
async fn archive(tx: &mut Transaction, old: &Stored) -> Result<()> {
    let insert = sqlx::query(
        "INSERT INTO catalog_table_versions (table_id, version, definition, updated) VALUES ($1, $2, $3, $4)",
    )
    .bind(old.id)
    .bind(old.entry.version)
    .bind(to_json(&old.entry.table)?)
    .bind(old.entry.updated.timestamp_millis());
    tx.execute(insert).await.map_err(|e| db::failed("keeping a table's version", e))?;
    Ok(())
}

fn exists(database: &EntityName, name: &EntityName) -> Error {
    Error::already_exists(format!("the table `{name}` exists already in the database `{database}`"))
        .why("names are the same without regard to case")
}

fn name_pattern(pattern: &str) -> Result<regex::Regex> {
    crate::check::text("the name pattern", "text", pattern, 0, crate::check::DESCRIPTION)?;
    regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
        .case_insensitive(true)
        .size_limit(1 << 20)
        .build()
        .map_err(|e| {
            Error::invalid(format!("`{pattern}` is no regular expression for names"))
                .hint("write for example `orders|.*_daily`")
                .source_is(e)
        })
}
