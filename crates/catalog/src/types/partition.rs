//! Partitions: the folders of a table, each named by one value for every partition key.

use super::{Parameters, StorageDescriptor};
use crate::check;
use chrono::{DateTime, Utc};
use model::{EntityName, Error, Result};
use serde::{Deserialize, Serialize};

/// How Hive writes a missing key value.
pub(crate) const NULL_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// A partition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// One value for each partition key, in the keys' order, spelled as the folder has it.
    /// `__HIVE_DEFAULT_PARTITION__` means null.
    pub values: Vec<String>,
    /// Where and how its rows are stored.
    #[serde(default)]
    pub storage: StorageDescriptor,
    /// Free properties.
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    pub parameters: Parameters,
    /// When it was created: set by the catalog, not taken from the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<DateTime<Utc>>,
    /// When somebody last read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_access: Option<DateTime<Utc>>,
    /// When its statistics were last computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_analyzed: Option<DateTime<Utc>>,
}

/// What became of partitions that were to be created, changed or deleted together.
#[derive(Debug, Clone, Default)]
pub struct BatchOutcome {
    /// How many it was done for.
    pub created: usize,
    /// The values of those that were refused, and why. They do not keep the others from being done.
    pub errors: Vec<(Vec<String>, Error)>,
}

/// What became of partitions that were to be there, whether or not they were there before.
#[derive(Debug, Clone, Default)]
pub struct UpsertOutcome {
    /// How many are new.
    pub created: usize,
    /// How many were there and have changed.
    pub updated: usize,
    /// How many were there just so.
    pub unchanged: usize,
    /// The values of those that were refused, and why.
    pub errors: Vec<(Vec<String>, Error)>,
}

/// Which partitions of a table are wanted.
#[derive(Debug, Clone, Default)]
pub struct PartitionQuery {
    /// A condition on the partition keys, such as `year = 2020 AND month IN (6, 7)`.
    pub filter: Option<String>,
    /// One of several disjoint parts of about the same size, for parallel reading: number (from 0) and total.
    pub segment: Option<(u32, u32)>,
    /// Continue behind this token of an earlier page.
    pub after: Option<String>,
    /// At most that many; everything when unset.
    pub limit: Option<usize>,
    /// Leave the storage descriptors' columns out: they are the bulk of an answer and often not needed.
    pub without_storage: bool,
}

/// Partitions in the order of their key values, nulls first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionPage {
    /// The partitions.
    pub partitions: Vec<Partition>,
    /// Where to go on, when there may be more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A wish for fast filters on these keys. Every key is indexed here anyway, so it is active at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionIndex {
    /// The index's name, unique in its table.
    pub name: EntityName,
    /// The partition keys, the first being the most important.
    pub keys: Vec<EntityName>,
}

impl Partition {
    /// A partition of those values with nothing else set.
    pub fn new(values: Vec<String>) -> Self {
        Self { values, ..Self::default() }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let of = format!("partition {}", crate::check::show_values(&self.values));
        check::parameters(&of, &self.parameters)?;
        self.storage.check(&of)
    }
}
