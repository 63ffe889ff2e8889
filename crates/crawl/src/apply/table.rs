//! A table as it was found, turned into a table of the catalog or into changes of the one that is there.

use super::columns::{evolve, evolve_keys};
use crate::classify::Classification;
use crate::crawler::UpdateBehavior;
use crate::plan::{PlannedPartition, PlannedTable};
use crate::report::TableChange;
use catalog::{Partition, SerDe, StorageDescriptor, Table};
use model::{EntityName, Error, Place, Result};
use std::collections::BTreeMap;

/// Which crawler made or last changed a table.
pub(crate) const UPDATED_BY: &str = "UPDATED_BY_CRAWLER";
/// When a table's objects were found gone.
pub(crate) const DEPRECATED_BY: &str = "DEPRECATED_BY_CRAWLER";

/// How tables may be changed.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) crawler: String,
    pub(crate) update: UpdateBehavior,
    /// Only a part of the data was looked at.
    pub(crate) partial: bool,
    pub(crate) partitions_inherit: bool,
}

/// A new table.
pub(crate) fn new_table(name: EntityName, planned: &PlannedTable, policy: &Policy) -> Table {
    let mut table = Table::new(name);
    table.table_type = Some("EXTERNAL_TABLE".to_owned());
    table.owner = Some("owner".to_owned());
    table.storage = storage(&planned.found, &planned.location);
    table.partition_keys = planned.keys.clone();
    table.parameters = planned.found.table_parameters.clone();
    table.parameters.extend(own_parameters(planned, policy));
    table
}

fn storage(found: &Classification, location: &str) -> StorageDescriptor {
    let optional = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    StorageDescriptor {
        columns: found.schema.columns.clone(),
        location: Some(location.to_owned()),
        input_format: optional(&found.input_format),
        output_format: optional(&found.output_format),
        compressed: found.compression.is_some(),
        serde: SerDe {
            name: None,
            library: optional(&found.serde_library),
            parameters: found.serde_parameters.clone(),
        },
        ..StorageDescriptor::default()
    }
}

/// What a crawler says about a table beside its format.
fn own_parameters(planned: &PlannedTable, policy: &Policy) -> BTreeMap<String, String> {
    let mut own = BTreeMap::new();
    let mut set = |key: &str, value: String| own.insert(key.to_owned(), value);
    set(UPDATED_BY, policy.crawler.clone());
    set("CrawlerSchemaSerializerVersion", "1.0".to_owned());
    set("CrawlerSchemaDeserializerVersion", "1.0".to_owned());
    set("objectCount", planned.files.to_string());
    set("sizeKey", planned.bytes.to_string());
    if let Some(rows) = planned.rows {
        set("recordCount", rows.to_string());
        if let Some(average) = planned.bytes.checked_div(rows) {
            set("averageRecordSize", average.to_string());
        }
    }
    if !planned.exclusions.is_empty()
        && let Ok(list) = serde_json::to_string(&planned.exclusions)
    {
        set("exclusions", list);
    }
    own
}

/// What became of a table that was there.
#[derive(Debug, Default)]
pub(crate) struct Altered {
    pub(crate) applied: Option<TableChange>,
    pub(crate) left: Option<TableChange>,
}

/// Brings a table up to what was found, as far as the policy goes. What people wrote into it stays.
pub(crate) fn alter(table: &mut Table, planned: &PlannedTable, policy: &Policy) -> Result<Altered> {
    let name = table.name.to_string();
    let keys =
        evolve_keys(&table.partition_keys, &planned.keys).ok_or_else(|| keys_differ(table, planned))?;
    let evolved = evolve(&table.storage.columns, &planned.found.schema, policy.update, policy.partial);
    let mut other = Vec::new();
    for (old, new) in table.partition_keys.iter().zip(&keys).filter(|(old, new)| old != new) {
        other.push(format!("changed key `{}` from {} to {}", old.name, old.hive_type, new.hive_type));
    }
    let mut after = table.clone();
    after.partition_keys = keys;
    other.extend(follow_format(&mut after, &planned.found, policy));
    let (applied_other, left_other) = match policy.update {
        UpdateBehavior::UpdateInDatabase => (other, Vec::new()),
        _ => (Vec::new(), other),
    };
    if policy.update == UpdateBehavior::UpdateInDatabase {
        *table = after;
    }
    table.storage.columns = evolved.columns;
    if policy.update != UpdateBehavior::Log {
        table.parameters.remove(DEPRECATED_BY);
        table.parameters.insert(UPDATED_BY.to_owned(), policy.crawler.clone());
        if !policy.partial {
            for key in ["recordCount", "averageRecordSize", "exclusions"] {
                table.parameters.remove(key);
            }
            if let Some(average) = planned.found.table_parameters.get("averageRecordSize") {
                table.parameters.insert("averageRecordSize".to_owned(), average.clone());
            }
            table.parameters.extend(own_parameters(planned, policy));
        }
    }
    let change = |columns: Vec<_>, other: Vec<_>| {
        (!columns.is_empty() || !other.is_empty()).then(|| TableChange { name: name.clone(), columns, other })
    };
    Ok(Altered { applied: change(evolved.applied, applied_other), left: change(evolved.left, left_other) })
}

/// Format, serde and the parameters that describe them.
fn follow_format(table: &mut Table, found: &Classification, policy: &Policy) -> Vec<String> {
    let mut changes = Vec::new();
    let before = table.parameters.get("classification").cloned();
    let wanted = storage(found, "");
    if before.as_deref().is_some_and(|before| before != found.classification) {
        changes.push(format!(
            "changed format from {} to {}",
            before.unwrap_or_default(),
            found.classification
        ));
        table.storage.serde.parameters.clear();
    } else if table.storage.serde.library != wanted.serde.library {
        changes.push("changed the serde".to_owned());
    }
    table.storage.input_format = wanted.input_format;
    table.storage.output_format = wanted.output_format;
    table.storage.serde.library = wanted.serde.library;
    let settings: Vec<&String> = wanted
        .serde
        .parameters
        .iter()
        .filter(|(key, value)| {
            // These follow from the columns, whose change is told already.
            key.as_str() != "paths"
                && table.storage.serde.parameters.get(*key).is_some_and(|known| known != *value)
        })
        .map(|(key, _)| key)
        .collect();
    if !settings.is_empty() && changes.is_empty() {
        changes.push(format!(
            "changed {}",
            settings.iter().map(|s| format!("`{s}`")).collect::<Vec<_>>().join(", ")
        ));
    }
    table.storage.serde.parameters.extend(wanted.serde.parameters);
    if !policy.partial {
        table.storage.compressed = wanted.compressed;
        table.parameters.extend(found.table_parameters.clone());
    }
    changes
}

fn keys_differ(table: &Table, planned: &PlannedTable) -> Error {
    let names = |columns: &[model::Column]| {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    Error::invalid(format!("the partition keys of table `{}` no longer fit its folders", table.name))
        .at(Place::object(&planned.location))
        .why(format!(
            "the table's keys are {}, the folders' are {}; a table's keys cannot be exchanged",
            names(&table.partition_keys),
            names(&planned.keys)
        ))
        .hint(format!("drop table `{}` and crawl again, or move the folders back", table.name))
}

/// A partition as it is registered: a location, and columns and format only where they are its own.
pub(crate) fn partition(planned: &PlannedPartition, policy: &Policy) -> Partition {
    let mut partition = Partition::new(planned.values.clone());
    match &planned.own {
        Some(own) if !policy.partitions_inherit => {
            partition.storage = storage(own, &planned.location);
            partition.parameters.insert("classification".to_owned(), own.classification.clone());
            partition.parameters.insert(UPDATED_BY.to_owned(), policy.crawler.clone());
        }
        _ => partition.storage.location = Some(planned.location.clone()),
    }
    partition
}

/// What a registered partition should become, or none when it is right. What people wrote into it stays.
pub(crate) fn repaired(existing: &Partition, wanted: &Partition) -> Option<Partition> {
    let mut after = existing.clone();
    after.parameters.remove(DEPRECATED_BY);
    let has_own = !wanted.storage.columns.is_empty() || wanted.storage.serde.library.is_some();
    if has_own {
        let before = std::mem::take(&mut after.storage);
        after.storage = wanted.storage.clone();
        for column in &mut after.storage.columns {
            let known = before.columns.iter().find(|old| old.name.eq_ignore_ascii_case(&column.name));
            if let Some(known) = known {
                column.comment = known.comment.clone();
                column.name = known.name.clone();
            }
        }
        after.storage.parameters = before.parameters;
        after.parameters.extend(wanted.parameters.clone());
    } else if existing.parameters.contains_key(UPDATED_BY) {
        after.storage = wanted.storage.clone();
        after.parameters.remove(UPDATED_BY);
        after.parameters.remove("classification");
    } else if !same_place(after.storage.location.as_deref(), wanted.storage.location.as_deref()) {
        after.storage.location = wanted.storage.location.clone();
    }
    let same = same_place(existing.storage.location.as_deref(), after.storage.location.as_deref());
    if same {
        after.storage.location = existing.storage.location.clone();
    }
    (after != *existing).then_some(after)
}

/// Whether two locations are the same but for a slash at the end.
pub(crate) fn same_place(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.trim_end_matches('/') == b.trim_end_matches('/'),
        (a, b) => a == b,
    }
}
