//! Partitions that deliveries make: where objects come to lie in folders `key=value/` of the table whose columns they have,
//! and the table wants it (`glulam.register-partitions` = `true`), the catalog learns of them with the batch.

use crate::store::NewPartitions;
use catalog::TableEntry;
use model::{BucketName, LakeUri};
use std::collections::BTreeSet;

/// The table's parameter that asks for it.
const WANTED: &str = "glulam.register-partitions";

/// Watches where objects come to lie.
pub(crate) struct Registrar {
    database: String,
    table: String,
    keys: Vec<String>,
    /// The table's folder.
    folder: LakeUri,
    found: BTreeSet<(Vec<String>, String)>,
}

impl Registrar {
    /// For a table that wants its partitions registered, and lies in that bucket.
    pub(crate) fn new(entry: &TableEntry, bucket: &BucketName) -> Option<Self> {
        let wanted =
            entry.table.parameters.get(WANTED).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let keys: Vec<String> =
            entry.table.partition_keys.iter().map(|key| key.name.to_lowercase()).collect();
        let folder: LakeUri = entry.table.storage.location.as_deref()?.parse().ok()?;
        (wanted && !keys.is_empty() && folder.bucket() == bucket).then(|| Self {
            database: entry.database.to_string(),
            table: entry.table.name.to_string(),
            keys,
            folder: folder.as_folder(),
            found: BTreeSet::new(),
        })
    }

    /// Looks at an object's address.
    pub(crate) fn see(&mut self, object: &LakeUri) {
        let Some(rest) = object.key().strip_prefix(self.folder.key()) else { return };
        let mut values = Vec::new();
        let mut length = 0;
        for (key, part) in self.keys.iter().zip(rest.split('/')) {
            match part.split_once('=') {
                Some((name, value)) if name.eq_ignore_ascii_case(key) => values.push(value.to_owned()),
                _ => return,
            }
            length += part.len() + 1;
        }
        if values.len() == self.keys.len() && length <= rest.len() {
            let folder = format!("{}{}", self.folder, &rest[..length]);
            self.found.insert((values, folder));
        }
    }

    /// What the catalog is to learn.
    pub(crate) fn found(self) -> Option<NewPartitions> {
        let partitions: Vec<_> = self.found.into_iter().collect();
        (!partitions.is_empty()).then_some(NewPartitions {
            database: self.database,
            table: self.table,
            partitions,
        })
    }
}
