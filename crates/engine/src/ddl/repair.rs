//! MSCK REPAIR TABLE: the folders under a table's location that name partitions become partitions.

use super::escape::{NULL_FOLDER, partition_name, unescape};
use super::partition::partition_of;
use super::{DdlContext, DdlResult};
use catalog::{Partition, TableEntry};
use futures::{StreamExt, TryStreamExt};
use lake::{Lake, ListOptions};
use model::{Column, Error, LakeUri, Result};
use sql::QualifiedName;
use std::collections::HashSet;

/// Folders listed at the same time.
const PARALLEL: usize = 16;
/// Partitions added in one transaction.
const BATCH: usize = 10_000;
/// Partitions named in the answer; more are counted.
const NAMED: usize = 10_000;

/// A folder on the way down, with the values its name gave so far.
struct Folder {
    prefix: LakeUri,
    values: Vec<String>,
}

pub(super) async fn repair(ctx: &DdlContext<'_>, name: &QualifiedName) -> Result<DdlResult> {
    let entry = ctx.partitioned(name).await?;
    let located = |error| ctx.located(error, name.span());
    let Some(location) = entry.table.storage.location.as_deref() else {
        return Err(ctx.invalid(name.span(), format!("the table `{}` has no location", entry.table.name)));
    };
    let base: LakeUri = location.parse().map_err(located)?;
    let keys = &entry.table.partition_keys;
    let mut found = vec![Folder { prefix: base.as_folder(), values: Vec::new() }];
    for key in keys {
        found = deeper(ctx.lake, found, key).await.map_err(located)?;
    }
    let (added, errors) = add_new(ctx, &entry, found).await.map_err(located)?;
    Ok(report(&entry, keys, &added, &errors))
}

/// The folders one level down that have a value for this key.
async fn deeper(lake: &Lake, folders: Vec<Folder>, key: &Column) -> Result<Vec<Folder>> {
    let wanted = key.name.to_lowercase();
    let levels: Vec<Vec<Folder>> = futures::stream::iter(folders)
        .map(|folder| {
            let wanted = wanted.clone();
            async move { level(lake, folder, &wanted).await }
        })
        .buffered(PARALLEL)
        .try_collect()
        .await?;
    Ok(levels.into_iter().flatten().collect())
}

async fn level(lake: &Lake, folder: Folder, wanted: &str) -> Result<Vec<Folder>> {
    let mut below = Vec::new();
    let mut start_after = None;
    loop {
        let options = ListOptions { delimiter: Some("/".to_owned()), start_after, max_keys: 0 };
        let page = lake.list_page(&folder.prefix, options).await?;
        for prefix in &page.common_prefixes {
            let segment = prefix.strip_prefix(folder.prefix.key()).unwrap_or(prefix).trim_end_matches('/');
            let Some((key, value)) = segment.split_once('=') else { continue };
            if unescape(key).to_lowercase() != wanted || value.is_empty() {
                continue;
            }
            let value = if value == NULL_FOLDER { value.to_owned() } else { unescape(value) };
            let mut values = folder.values.clone();
            values.push(value);
            below.push(Folder { prefix: folder.prefix.with_key(prefix.as_str())?, values });
        }
        match page.next {
            Some(next) => start_after = Some(next),
            None => return Ok(below),
        }
    }
}

type Refused = Vec<(Vec<String>, Error)>;

/// Adds the partitions that the catalog does not have.
async fn add_new(
    ctx: &DdlContext<'_>,
    entry: &TableEntry,
    found: Vec<Folder>,
) -> Result<(Vec<Vec<String>>, Refused)> {
    let (database, table) = (&entry.database, &entry.table.name);
    let mut seen = HashSet::new();
    let (mut added, mut refused) = (Vec::new(), Vec::new());
    for batch in found.chunks(BATCH) {
        let all: Vec<Vec<String>> = batch.iter().map(|folder| folder.values.clone()).collect();
        let (there, _) = ctx.catalog.batch_get(database, table, &all).await?;
        let there: HashSet<Vec<String>> = there.into_iter().map(|partition| partition.values).collect();
        let new: Vec<Partition> = batch
            .iter()
            .filter(|folder| !there.contains(&folder.values) && seen.insert(folder.values.clone()))
            .map(|folder| partition_of(ctx, entry, folder.values.clone(), folder.prefix.to_string()))
            .collect();
        let values: Vec<Vec<String>> = new.iter().map(|partition| partition.values.clone()).collect();
        let outcome = ctx.catalog.create_partitions(database, table, new).await?;
        let failed: HashSet<&Vec<String>> = outcome.errors.iter().map(|(values, _)| values).collect();
        added.extend(values.into_iter().filter(|values| !failed.contains(values)));
        refused.extend(
            outcome.errors.into_iter().filter(|(_, error)| error.kind() != model::ErrorKind::AlreadyExists),
        );
    }
    Ok((added, refused))
}

/// The lines that Hive prints.
fn report(entry: &TableEntry, keys: &[Column], added: &[Vec<String>], refused: &Refused) -> DdlResult {
    let name = &entry.table.name;
    let mut lines = Vec::new();
    if !added.is_empty() {
        let missing: Vec<String> = added
            .iter()
            .take(NAMED)
            .map(|values| format!("{name}:{}", partition_name(keys, values)))
            .collect();
        lines.push(format!("Partitions not in metastore:\t{}", missing.join("\t")));
        lines.extend(missing.iter().map(|one| format!("Repair: Added partition to metastore {one}")));
        if added.len() > NAMED {
            lines.push(format!("Repair: Added {} further partitions", added.len() - NAMED));
        }
    }
    for (values, error) in refused.iter().take(NAMED) {
        let one = partition_name(keys, values);
        lines.push(format!("Repair: Cannot add partition {name}:{one}: {}", error.message()));
    }
    DdlResult::column("result", lines)
}
