//! A partition as a row: what identifies it, what else it holds, and back.

use super::super::schema::KEY_COLUMNS;
use super::super::{from_json, get, time, to_json};
use super::descriptors::{Descriptors, Location};
use crate::keys::{self, Encoded, Key};
use crate::types::{Parameters, Partition};
use model::{Error, Result};
use sqlx::any::AnyRow;
use sqlx::query::Query;

/// The columns that identify a partition within its table.
pub(super) const IDENTITY: &str = "k0, k1, k2, k3, k4, k5, k6, k7, spelling";

/// What [`RowReader::read`] expects.
pub(super) const COLUMNS: &str = "id, k0, k1, k2, k3, k4, k5, k6, k7, spelling, descriptor_id, location,
    storage_parameters, parameters, created, last_access, last_analyzed";

pub(super) type AnyQuery<'q> = Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

/// A partition's place in the index: its encoded key values, and their spelling where that is unusual.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Identity {
    pub(super) keys: [String; KEY_COLUMNS],
    pub(super) spelling: String,
}

impl Identity {
    /// The identity of those values, or what is wrong with them.
    pub(super) fn of(keys: &[Key], values: &[String]) -> Result<Self> {
        let Encoded { keys: encoded, canonical } = keys::encode_values(keys, values)?;
        let spelling = if canonical && keys.len() <= KEY_COLUMNS { String::new() } else { to_json(&values)? };
        let mut columns = encoded.into_iter();
        Ok(Self { keys: std::array::from_fn(|_| columns.next().unwrap_or_default()), spelling })
    }

    pub(super) fn of_row(row: &AnyRow, first: usize) -> Result<Self> {
        let mut keys: [String; KEY_COLUMNS] = Default::default();
        for (index, key) in keys.iter_mut().enumerate() {
            *key = get(row, first + index)?;
        }
        Ok(Self { keys, spelling: get(row, first + KEY_COLUMNS)? })
    }

    /// The condition that finds it; binds start at that number.
    pub(super) fn condition(first: usize) -> String {
        let mut sql = String::new();
        for index in 0..KEY_COLUMNS {
            sql.push_str(&format!("k{index} = ${} AND ", first + index));
        }
        sql + &format!("spelling = ${}", first + KEY_COLUMNS)
    }

    pub(super) fn bind<'q>(&self, mut query: AnyQuery<'q>) -> AnyQuery<'q> {
        for key in &self.keys {
            query = query.bind(key.clone());
        }
        query.bind(self.spelling.clone())
    }

    /// The values as they were written.
    pub(super) fn values(&self, keys: &[Key]) -> Result<Vec<String>> {
        if !self.spelling.is_empty() {
            return from_json(&self.spelling, "a partition's values");
        }
        keys.iter()
            .zip(&self.keys)
            .map(|(key, encoded)| {
                keys::decode_value(key, encoded).ok_or_else(|| {
                    Error::corrupt(format!(
                        "the stored value `{encoded}` of the partition key `{}` is damaged",
                        key.name
                    ))
                })
            })
            .collect()
    }
}

/// What a row holds beside its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) descriptor: i64,
    pub(super) location: Option<String>,
    pub(super) storage_parameters: Option<String>,
    pub(super) parameters: Option<String>,
    pub(super) last_access: Option<i64>,
    pub(super) last_analyzed: Option<i64>,
}

impl Content {
    pub(super) fn of(partition: &Partition, descriptor: i64, location: Option<String>) -> Result<Self> {
        let parameters = |map: &Parameters| if map.is_empty() { Ok(None) } else { to_json(map).map(Some) };
        Ok(Self {
            descriptor,
            location,
            storage_parameters: parameters(&partition.storage.parameters)?,
            parameters: parameters(&partition.parameters)?,
            last_access: partition.last_access.map(|time| time.timestamp_millis()),
            last_analyzed: partition.last_analyzed.map(|time| time.timestamp_millis()),
        })
    }

    /// The columns that [`Self::bind`] fills, in order.
    pub(super) const COLUMNS: [&'static str; 6] =
        ["descriptor_id", "location", "storage_parameters", "parameters", "last_access", "last_analyzed"];

    pub(super) fn bind<'q>(&self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.descriptor)
            .bind(self.location.clone())
            .bind(self.storage_parameters.clone())
            .bind(self.parameters.clone())
            .bind(self.last_access)
            .bind(self.last_analyzed)
    }

    pub(super) fn of_row(row: &AnyRow) -> Result<Self> {
        Ok(Self {
            descriptor: get(row, 10)?,
            location: get(row, 11)?,
            storage_parameters: get(row, 12)?,
            parameters: get(row, 13)?,
            last_access: get(row, 15)?,
            last_analyzed: get(row, 16)?,
        })
    }
}

/// Turns rows back into partitions.
pub(super) struct RowReader<'a> {
    pub(super) keys: &'a [Key],
    pub(super) without_columns: bool,
}

impl RowReader<'_> {
    pub(super) fn read(&self, row: &AnyRow, descriptors: &Descriptors) -> Result<Partition> {
        let identity = Identity::of_row(row, 1)?;
        let content = Content::of_row(row)?;
        let body = descriptors.get(content.descriptor)?;
        let mut storage = if self.without_columns { body.without_columns() } else { body.storage.clone() };
        storage.location = Location::restore(content.location.as_deref(), body);
        let map = |text: Option<String>| match text {
            Some(text) => from_json(&text, "a partition's parameters"),
            None => Ok(Parameters::new()),
        };
        storage.parameters = map(content.storage_parameters)?;
        Ok(Partition {
            values: identity.values(self.keys)?,
            storage,
            parameters: map(content.parameters)?,
            created: Some(time(get(row, 14)?)?),
            last_access: content.last_access.map(time).transpose()?,
            last_analyzed: content.last_analyzed.map(time).transpose()?,
        })
    }
}
