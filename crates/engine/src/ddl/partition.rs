//! Partitions of ALTER TABLE: added, dropped by conditions, renamed; and the values that name them.

use super::escape::{NULL_FOLDER, partition_name};
use super::resolve::LAST_DDL;
use super::{DdlContext, DdlResult};
use catalog::{Partition, PartitionQuery, TableEntry};
use model::{Column, Error, HiveType, Result, nearest_hint};
use sql::QualifiedName;
use sql::ast::{At, DropPartition, PartitionCompare, PartitionFilter, PartitionSpec, PartitionValue};
use sqlparser::ast::Ident;
use std::collections::HashSet;

/// The key of that name.
fn key_index(ctx: &DdlContext<'_>, keys: &[Column], name: &Ident) -> Result<usize> {
    let lower = name.value.to_lowercase();
    keys.iter().position(|key| key.name.to_lowercase() == lower).ok_or_else(|| {
        ctx.invalid(name.span, format!("`{}` is no partition key of the table", name.value))
            .hint(nearest_hint(&lower, keys.iter().map(|key| key.name.as_str())))
    })
}

/// A partition's values in the order of the keys; each key exactly once.
pub(super) fn values(ctx: &DdlContext<'_>, entry: &TableEntry, spec: &PartitionSpec) -> Result<Vec<String>> {
    let keys = &entry.table.partition_keys;
    let mut found: Vec<Option<String>> = vec![None; keys.len()];
    for (name, value) in &spec.values {
        let slot = found.get_mut(key_index(ctx, keys, name)?);
        if let Some(slot) = slot
            && slot.replace(value.value.text.clone()).is_some()
        {
            return Err(ctx.invalid(name.span, format!("the partition key `{}` is there twice", name.value)));
        }
    }
    let missing: Vec<&str> =
        keys.iter().zip(&found).filter(|(_, v)| v.is_none()).map(|(k, _)| k.name.as_str()).collect();
    if let Some((name, _)) = spec.values.first()
        && !missing.is_empty()
    {
        let names = missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let error = ctx.invalid(name.span, format!("the partition says no value for {names}"));
        return Err(error.hint("a partition is named by one value for every key"));
    }
    Ok(found.into_iter().flatten().collect())
}

/// `ADD [IF NOT EXISTS] PARTITION …`: all of them or, where one cannot be added, none.
pub(super) async fn add(
    ctx: &DdlContext<'_>,
    name: &QualifiedName,
    if_not_exists: bool,
    partitions: &[(PartitionSpec, Option<At<String>>)],
) -> Result<DdlResult> {
    let entry = ctx.partitioned(name).await?;
    let mut new = Vec::with_capacity(partitions.len());
    let mut seen = HashSet::new();
    for (spec, location) in partitions {
        let values = values(ctx, &entry, spec)?;
        if !seen.insert(values.clone()) {
            if if_not_exists {
                continue;
            }
            let at = spec.values.first().map_or(name.span(), |(key, _)| key.span);
            return Err(ctx.invalid(at, "the same partition is added twice"));
        }
        let folder = match location {
            Some(location) => {
                ctx.location(location).await?;
                location.value.trim().to_owned()
            }
            None => default_location(&entry, &values)?,
        };
        new.push(partition_of(ctx, &entry, values, folder));
    }
    let all: Vec<Vec<String>> = new.iter().map(|partition| partition.values.clone()).collect();
    let located = |error| ctx.located(error, name.span());
    let (there, _) =
        ctx.catalog.batch_get(&entry.database, &entry.table.name, &all).await.map_err(located)?;
    if let Some(first) = there.first() {
        if !if_not_exists {
            let shown = partition_name(&entry.table.partition_keys, &first.values);
            return Err(Error::already_exists(format!("the partition {shown} exists already"))
                .at(ctx.place(name.span()))
                .hint("write ADD IF NOT EXISTS PARTITION (…)"));
        }
        let there: HashSet<&Vec<String>> = there.iter().map(|partition| &partition.values).collect();
        new.retain(|partition| !there.contains(&partition.values));
    }
    let outcome =
        ctx.catalog.create_partitions(&entry.database, &entry.table.name, new).await.map_err(located)?;
    let mut refused = outcome.errors.into_iter().map(|(_, error)| error);
    let wrong = refused.find(|e| !(if_not_exists && e.kind() == model::ErrorKind::AlreadyExists));
    wrong.map_or(Ok(DdlResult::nothing()), |error| Err(located(error)))
}

/// A partition stored as its table is, in that folder.
pub(super) fn partition_of(
    ctx: &DdlContext<'_>,
    entry: &TableEntry,
    values: Vec<String>,
    location: String,
) -> Partition {
    let mut partition = Partition::new(values);
    partition.storage = entry.table.storage.clone();
    partition.storage.location = Some(location);
    partition.parameters.insert(LAST_DDL.to_owned(), ctx.stamp());
    partition
}

/// The folder under the table's that the values name.
fn default_location(entry: &TableEntry, values: &[String]) -> Result<String> {
    let Some(base) = entry.table.storage.location.as_deref() else {
        return Err(Error::invalid(format!("the table `{}` has no location", entry.table.name))
            .hint("say the partition's: PARTITION (…) LOCATION 's3://…'"));
    };
    let name = partition_name(&entry.table.partition_keys, values);
    Ok(format!("{}/{name}/", base.trim_end_matches('/')))
}

/// `DROP [IF EXISTS] PARTITION (…), PARTITION (…)`
pub(super) async fn drop(
    ctx: &DdlContext<'_>,
    name: &QualifiedName,
    if_exists: bool,
    partitions: &[DropPartition],
) -> Result<DdlResult> {
    let entry = ctx.partitioned(name).await?;
    let mut doomed: Vec<Vec<String>> = Vec::new();
    let mut seen = HashSet::new();
    for filters in partitions {
        let filter = condition(ctx, &entry.table.partition_keys, filters)?;
        let query =
            PartitionQuery { filter: Some(filter), without_storage: true, ..PartitionQuery::default() };
        let span = filters.first().map_or(name.span(), |first| first.key.span);
        let page = ctx
            .catalog
            .list_partitions(&entry.database, &entry.table.name, query)
            .await
            .map_err(|error| ctx.located_again(error, span))?;
        if page.partitions.is_empty() && !if_exists {
            return Err(Error::not_found(format!("no partition fits {}", said(ctx, filters)))
                .at(ctx.place(span))
                .hint(format!("`SHOW PARTITIONS {name}` lists them; DROP IF EXISTS PARTITION needs none")));
        }
        doomed.extend(page.partitions.into_iter().map(|p| p.values).filter(|v| seen.insert(v.clone())));
    }
    ctx.catalog
        .delete_partitions(&entry.database, &entry.table.name, doomed)
        .await
        .map_err(|error| ctx.located(error, name.span()))?;
    Ok(DdlResult::nothing())
}

/// The comparisons as they were written.
fn said(ctx: &DdlContext<'_>, filters: &[PartitionFilter]) -> String {
    let one =
        |filter: &PartitionFilter| ctx.source.slice(filter.key.span.union(&filter.value.span)).to_owned();
    format!("({})", filters.iter().map(one).collect::<Vec<_>>().join(", "))
}

/// The comparisons as the catalog's filter.
fn condition(ctx: &DdlContext<'_>, keys: &[Column], filters: &[PartitionFilter]) -> Result<String> {
    let mut parts = Vec::new();
    for filter in filters {
        let index = key_index(ctx, keys, &filter.key)?;
        let Some(key) = keys.get(index) else { continue };
        parts.push(comparison(key, filter.compare, &filter.value.value));
    }
    Ok(parts.join(" AND "))
}

fn comparison(key: &Column, compare: PartitionCompare, value: &PartitionValue) -> String {
    let name = format!("\"{}\"", key.name.replace('"', "\"\""));
    if value.text == NULL_FOLDER {
        match compare {
            PartitionCompare::Equal => return format!("{name} IS NULL"),
            PartitionCompare::NotEqual => return format!("{name} IS NOT NULL"),
            _ => {}
        }
    }
    let operator = match compare {
        PartitionCompare::Equal => "=",
        PartitionCompare::NotEqual => "<>",
        PartitionCompare::Less => "<",
        PartitionCompare::LessOrEqual => "<=",
        PartitionCompare::Greater => ">",
        PartitionCompare::GreaterOrEqual => ">=",
        PartitionCompare::Like => "LIKE",
    };
    format!("{name} {operator} {}", literal(key, value))
}

/// A value as the filter wants it: numbers bare for keys of numbers, all else in quotes.
fn literal(key: &Column, value: &PartitionValue) -> String {
    let number = value.text.trim();
    let is_number = !number.is_empty()
        && number.trim_start_matches('-').chars().all(|c| c.is_ascii_digit() || c == '.')
        && number.contains(|c: char| c.is_ascii_digit());
    let bare = match key.hive_type {
        HiveType::Boolean => ["true", "false"].iter().any(|word| number.eq_ignore_ascii_case(word)),
        ref t if t.is_numeric() => is_number,
        _ => false,
    };
    if bare { number.to_owned() } else { format!("'{}'", value.text.replace('\'', "''")) }
}

/// `PARTITION (…) RENAME TO PARTITION (…)`: the data stays where it is.
pub(super) async fn rename(
    ctx: &DdlContext<'_>,
    name: &QualifiedName,
    from: &PartitionSpec,
    to: &PartitionSpec,
) -> Result<DdlResult> {
    let entry = ctx.partitioned(name).await?;
    let (old, new) = (values(ctx, &entry, from)?, values(ctx, &entry, to)?);
    let located = |error| ctx.located(error, name.span());
    let (database, table) = (&entry.database, &entry.table.name);
    let mut partition = ctx.catalog.get_partition(database, table, &old).await.map_err(located)?;
    partition.values = new;
    ctx.catalog.update_partition(database, table, &old, partition).await.map_err(located)?;
    Ok(DdlResult::nothing())
}
