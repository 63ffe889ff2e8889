//! Storage descriptors, kept once for all partitions that share them. A partition's row holds only what differs nearly
//! always: its location, as far as possible relative to the table's, and its parameters.

use super::super::{from_json, get, to_json};
use crate::types::{Parameters, StorageDescriptor};
use model::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Executor};
use state::{Transaction, db};
use std::collections::HashMap;

/// A shared descriptor: no location and no parameters, but the table's location when it was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Body {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base: Option<String>,
    pub(super) storage: StorageDescriptor,
}

impl Body {
    fn of(storage: &StorageDescriptor, base: Option<&str>) -> Self {
        let storage = StorageDescriptor { location: None, parameters: Parameters::new(), ..storage.clone() };
        Self { base: base.map(str::to_owned), storage }
    }

    pub(super) fn without_columns(&self) -> StorageDescriptor {
        let mut storage = self.storage.clone();
        storage.columns.clear();
        storage
    }
}

/// Locations as rows hold them: `+` and the part behind the table's location, or `=` and the whole.
pub(super) struct Location;

impl Location {
    fn shorten(location: Option<&str>, base: Option<&str>) -> Option<String> {
        let location = location?;
        match base.and_then(|base| location.strip_prefix(base)) {
            Some(rest) => Some(format!("+{rest}")),
            None => Some(format!("={location}")),
        }
    }

    pub(super) fn restore(stored: Option<&str>, body: &Body) -> Option<String> {
        let stored = stored?;
        match stored.strip_prefix('+') {
            Some(rest) => Some(format!("{}{rest}", body.base.as_deref().unwrap_or_default())),
            None => Some(stored.strip_prefix('=').unwrap_or(stored).to_owned()),
        }
    }
}

/// Stores the descriptors of one call's partitions, each once.
pub(super) struct Writer {
    table: i64,
    base: Option<String>,
    known: HashMap<String, i64>,
    // Neighbours nearly always have the same descriptor: comparing is cheaper than writing JSON.
    last: Option<(Body, i64)>,
}

impl Writer {
    pub(super) fn new(table: i64, base: Option<String>) -> Self {
        Self { table, base, known: HashMap::new(), last: None }
    }

    /// The descriptor's id, and the location as the row is to hold it.
    pub(super) async fn store(
        &mut self,
        tx: &mut Transaction,
        storage: &StorageDescriptor,
    ) -> Result<(i64, Option<String>)> {
        let location = Location::shorten(storage.location.as_deref(), self.base.as_deref());
        let body = Body::of(storage, self.base.as_deref());
        if let Some((last, id)) = &self.last
            && *last == body
        {
            return Ok((*id, location));
        }
        let text = to_json(&body)?;
        let id = match self.known.get(&text) {
            Some(id) => *id,
            None => {
                let id = self.find_or_insert(tx, &text).await?;
                self.known.insert(text, id);
                id
            }
        };
        self.last = Some((body, id));
        Ok((id, location))
    }

    async fn find_or_insert(&self, tx: &mut Transaction, text: &str) -> Result<i64> {
        let hash: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        if let Some(id) = self.find(tx, &hash).await? {
            return Ok(id);
        }
        let insert = sqlx::query(
            "INSERT INTO catalog_descriptors (table_id, hash, body) VALUES ($1, $2, $3)
             ON CONFLICT (table_id, hash) DO NOTHING",
        )
        .bind(self.table)
        .bind(hash.clone())
        .bind(text.to_owned());
        tx.execute(insert).await.map_err(|e| db::failed("storing a descriptor", e))?;
        self.find(tx, &hash)
            .await?
            .ok_or_else(|| Error::internal("a descriptor is gone right after it was stored"))
    }

    async fn find(&self, tx: &mut Transaction, hash: &str) -> Result<Option<i64>> {
        let row = sqlx::query("SELECT id FROM catalog_descriptors WHERE table_id = $1 AND hash = $2")
            .bind(self.table)
            .bind(hash.to_owned())
            .fetch_optional(&mut **tx)
            .await
            .map_err(|e| db::failed("reading a descriptor", e))?;
        row.map(|row| get(&row, 0)).transpose()
    }
}

/// Descriptors that rows refer to.
#[derive(Default)]
pub(super) struct Descriptors {
    bodies: HashMap<i64, Body>,
}

impl Descriptors {
    pub(super) fn get(&self, id: i64) -> Result<&Body> {
        self.bodies.get(&id).ok_or_else(|| {
            Error::corrupt(format!("a partition refers to the storage descriptor {id}, which is missing"))
        })
    }

    /// Reads those of the given ids that are not known yet.
    pub(super) async fn load(&mut self, tx: &mut Transaction, ids: impl Iterator<Item = i64>) -> Result<()> {
        let mut wanted: Vec<i64> = ids.filter(|id| !self.bodies.contains_key(id)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        for some in wanted.chunks(200) {
            let list: Vec<String> = some.iter().map(ToString::to_string).collect();
            let sql = format!("SELECT id, body FROM catalog_descriptors WHERE id IN ({})", list.join(", "));
            let rows = sqlx::query(AssertSqlSafe(sql))
                .fetch_all(&mut **tx)
                .await
                .map_err(|e| db::failed("reading descriptors", e))?;
            for row in &rows {
                let body = from_json(&get::<String>(row, 1)?, "a storage descriptor")?;
                self.bodies.insert(get(row, 0)?, body);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_come_back_whole() {
        let base = Some("s3://lake/orders/");
        let body = Body::of(&StorageDescriptor::default(), base);
        for location in
            ["s3://lake/orders/year=2020/", "s3://lake/orders/", "s3://other/x/", "+odd", "=odd", ""]
        {
            let stored = Location::shorten(Some(location), base);
            assert_eq!(Location::restore(stored.as_deref(), &body).as_deref(), Some(location));
        }
        assert_eq!(Location::shorten(Some("s3://lake/orders/a"), base).as_deref(), Some("+a"));
        assert_eq!(Location::restore(None, &body), None);
    }
}
