//! Listing partitions: filtered, in pages, in parallel segments.

use super::super::schema::KEY_COLUMNS;
use super::super::{Catalog, get};
use super::descriptors::Descriptors;
use super::plan::{Plan, Planner};
use super::row::{AnyQuery, COLUMNS, IDENTITY, Identity, RowReader};
use crate::filter::{Condition, Filter};
use crate::keys::{self, Key};
use crate::types::{Partition, PartitionPage, PartitionQuery};
use model::{EntityName, Error, Result};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;
use state::{Dialect, Transaction, db};

/// Rows read at once.
const CHUNK: usize = 10_000;

/// Glue's limit for parallel segments.
const MAX_SEGMENTS: u32 = 10;

impl Catalog {
    /// Partitions of a table, in the order of their key values.
    pub async fn list_partitions(
        &self,
        database: &EntityName,
        table: &EntityName,
        query: PartitionQuery,
    ) -> Result<PartitionPage> {
        let mut tx = self.snapshot().await?;
        let target = self.reading_target(&mut tx, database, table).await?;
        let filter = match &query.filter {
            Some(text) => Filter::parse(text, &target.keys)?,
            None => None,
        };
        let segment = check_segment(query.segment)?;
        let first = if segment.1 > 1 { 4 } else { 2 };
        let condition = filter.as_ref().map(|filter| filter.condition(self.db.dialect(), KEY_COLUMNS, first));
        let plan = match (&filter, &condition) {
            (Some(filter), Some(condition)) => {
                let planner = Planner { tx: &mut tx, dialect: self.db.dialect(), table: target.id };
                let columns = target.keys.len().min(KEY_COLUMNS);
                planner.plan(filter, columns, first + condition.binds.len()).await?
            }
            _ => Plan::default(),
        };
        let mut listing = Listing {
            plan,
            dialect: self.db.dialect(),
            table: target.id,
            keys: &target.keys,
            residual: filter.filter(|_| condition.as_ref().is_some_and(|condition| !condition.is_exact)),
            condition,
            segment,
            after: query.after.as_deref().map(read_token).transpose()?,
            limit: query.limit.unwrap_or(usize::MAX),
            reader: RowReader { keys: &target.keys, without_columns: query.without_storage },
        };
        listing.run(&mut tx).await
    }
}

struct Listing<'a> {
    table: i64,
    keys: &'a [Key],
    condition: Option<Condition>,
    plan: Plan,
    dialect: Dialect,
    /// The filter, where the condition does not say all of it.
    residual: Option<Filter>,
    segment: (u32, u32),
    after: Option<Identity>,
    limit: usize,
    reader: RowReader<'a>,
}

impl Listing<'_> {
    async fn run(&mut self, tx: &mut Transaction) -> Result<PartitionPage> {
        let mut page = PartitionPage::default();
        let mut descriptors = Descriptors::default();
        let mut last = None;
        loop {
            // One more than wanted tells whether there is another page.
            let wanted = self.limit.saturating_sub(page.partitions.len()).saturating_add(1);
            let size = if self.residual.is_some() { CHUNK } else { wanted.min(CHUNK) };
            let rows = self.fetch(tx, size).await?;
            descriptors.load(tx, rows.iter().filter_map(|row| get(row, 10).ok())).await?;
            for row in &rows {
                let identity = Identity::of_row(row, 1)?;
                let Some(partition) = self.accept(row, &identity, &descriptors)? else { continue };
                if page.partitions.len() == self.limit {
                    page.next = last.as_ref().map(write_token).transpose()?;
                    return Ok(page);
                }
                page.partitions.push(partition);
                last = Some(identity);
            }
            match rows.last() {
                Some(row) if rows.len() == size => self.after = Some(Identity::of_row(row, 1)?),
                _ => return Ok(page),
            }
        }
    }

    fn accept(
        &self,
        row: &AnyRow,
        identity: &Identity,
        descriptors: &Descriptors,
    ) -> Result<Option<Partition>> {
        if let Some(filter) = &self.residual {
            let values = identity.values(self.keys)?;
            if !filter.matches(&keys::encode_values(self.keys, &values)?.keys) {
                return Ok(None);
            }
        }
        self.reader.read(row, descriptors).map(Some)
    }

    async fn fetch(&self, tx: &mut Transaction, size: usize) -> Result<Vec<AnyRow>> {
        let sql = self.sql(size);
        let mut query: AnyQuery<'_> = sqlx::query(AssertSqlSafe(sql)).bind(self.table);
        if self.segment.1 > 1 {
            query = query.bind(i64::from(self.segment.1)).bind(i64::from(self.segment.0));
        }
        for bind in self.condition.iter().flat_map(|condition| &condition.binds).chain(&self.plan.binds) {
            query = query.bind(bind.clone());
        }
        if let Some(after) = &self.after {
            query = after.bind(query);
        }
        query.fetch_all(&mut **tx).await.map_err(|e| db::failed("listing partitions", e))
    }

    fn sql(&self, size: usize) -> String {
        let mut sql = format!(
            "SELECT {COLUMNS} FROM catalog_partitions{} WHERE table_id = $1",
            self.plan.indexed_by(self.dialect)
        );
        let mut binds = 1;
        if self.segment.1 > 1 {
            sql.push_str(" AND id % $2 = $3");
            binds = 3;
        }
        if let Some(condition) = &self.condition {
            sql.push_str(" AND ");
            sql.push_str(&condition.sql);
            sql.push_str(&self.plan.sql);
            binds += condition.binds.len() + self.plan.binds.len();
        }
        if self.after.is_some() {
            let places: Vec<String> = (1..=KEY_COLUMNS + 1).map(|n| format!("${}", binds + n)).collect();
            sql.push_str(&format!(" AND ({IDENTITY}) > ({})", places.join(", ")));
        }
        sql.push_str(&format!(" ORDER BY {IDENTITY} LIMIT {size}"));
        sql
    }
}

fn check_segment(segment: Option<(u32, u32)>) -> Result<(u32, u32)> {
    let (number, total) = segment.unwrap_or((0, 1));
    if (1..=MAX_SEGMENTS).contains(&total) && number < total {
        return Ok((number, total));
    }
    Err(Error::invalid(format!("there is no segment {number} of {total}"))
        .hint(format!("choose 1 to {MAX_SEGMENTS} segments; the first has the number 0")))
}

fn write_token(identity: &Identity) -> Result<String> {
    let mut parts: Vec<&str> = identity.keys.iter().map(String::as_str).collect();
    parts.push(&identity.spelling);
    super::super::to_json(&parts)
}

fn read_token(token: &str) -> Result<Identity> {
    let wrong = || Error::invalid("the token is none that a listing of partitions has given");
    let parts: Vec<String> = serde_json::from_str(token).map_err(|e| wrong().source_is(e))?;
    let (spelling, keys) = parts.split_last().ok_or_else(wrong)?;
    if parts.iter().any(|part| part.contains('\0')) {
        return Err(wrong());
    }
    let keys = <[String; KEY_COLUMNS]>::try_from(keys.to_vec()).map_err(|_| wrong())?;
    Ok(Identity { keys, spelling: spelling.clone() })
}
