//! Partition keys of a table's folders: the structure that most folders share, and a diagnosis for each that differs.

use super::tree::Leaf;
use crate::classify::partition::{NULL_PARTITION, PartitionKeys, Segment, segments};
use model::{Column, Error, HiveType, Place};
use std::collections::{BTreeMap, BTreeSet};

/// The names of a path's levels: a key in lower case, or nothing for a plain folder.
pub(crate) type Structure = Vec<Option<String>>;

/// The structure of a path.
pub(crate) fn structure(relative: &str) -> Structure {
    segments(relative).iter().map(|segment| segment.key.as_ref().map(|key| key.to_lowercase())).collect()
}

/// The structure that most leaves have; among equals the one with more files, then the first by name.
pub(crate) fn majority<'a>(
    leaves: impl Iterator<Item = (&'a str, u64)>,
    wanted: Option<&Vec<String>>,
) -> Structure {
    let mut votes: BTreeMap<Structure, (u64, u64)> = BTreeMap::new();
    for (relative, files) in leaves {
        let vote = votes.entry(structure(relative)).or_default();
        vote.0 += 1;
        vote.1 += files;
    }
    let is_wanted = |structure: &Structure| {
        wanted.is_some_and(|names| {
            names.len() == structure.len()
                && names
                    .iter()
                    .zip(structure)
                    .all(|(name, level)| level.as_ref().is_none_or(|key| key == name))
        })
    };
    let mut best: Option<(bool, (u64, u64), Structure)> = None;
    for (structure, votes) in votes {
        let this = (is_wanted(&structure), votes);
        if best.as_ref().is_none_or(|(known, most, _)| this > (*known, *most)) {
            best = Some((this.0, this.1, structure));
        }
    }
    best.map(|(_, _, structure)| structure).unwrap_or_default()
}

/// What the leaves of a table under `base` are as partitions.
pub(crate) struct Partitioned {
    pub(crate) keys: Vec<Column>,
    /// The leaves that fit, with their values.
    pub(crate) leaves: Vec<(Vec<String>, Leaf)>,
}

/// Sorts leaves into partitions. `relative` gives a leaf's path under the table, `uri` its address.
pub(crate) fn partition(
    leaves: Vec<Leaf>,
    base: &str,
    wanted: Option<&Vec<String>>,
    uri: impl Fn(&str) -> String,
    report: &mut dyn FnMut(Error),
) -> Partitioned {
    let chosen = majority(leaves.iter().map(|leaf| (under(base, &leaf.path), leaf.files.files)), wanted);
    let mut keys = PartitionKeys::new();
    let mut kept: Vec<(Vec<Segment>, Leaf)> = Vec::new();
    let mut refused = BTreeSet::new();
    let mut seen: BTreeMap<Vec<String>, String> = BTreeMap::new();
    for leaf in leaves {
        let relative = under(base, &leaf.path).to_owned();
        let parts = segments(&relative);
        if structure(&relative) != chosen {
            let folder = offending(base, &relative, &chosen);
            if refused.insert(folder.clone()) {
                report(misfit(&uri(&folder), &folder, &structure(&relative), &chosen));
            }
            continue;
        }
        let values = values(&parts);
        if let Some(first) = seen.get(&values) {
            report(
                Error::invalid("two folders have the same partition values")
                    .at(Place::object(uri(&leaf.path)))
                    .why(format!("{} has them too", uri(first)))
                    .hint("move the objects of one into the other"),
            );
            continue;
        }
        if let Err(error) = keys.see(&uri(&leaf.path), &parts) {
            report(error);
            continue;
        }
        seen.insert(values, leaf.path.clone());
        kept.push((parts, leaf));
    }
    let mut columns = keys.columns();
    for column in &mut columns {
        column.name = column.name.to_lowercase();
    }
    report_outliers(&columns, &kept, &uri, report);
    Partitioned {
        keys: columns,
        leaves: kept.into_iter().map(|(parts, leaf)| (values(&parts), leaf)).collect(),
    }
}

/// The part of a path under a folder.
pub(crate) fn under<'a>(base: &str, path: &'a str) -> &'a str {
    path.strip_prefix(base).unwrap_or(path).trim_start_matches('/')
}

fn values(parts: &[Segment]) -> Vec<String> {
    parts.iter().map(|part| part.value.clone().unwrap_or_else(|| NULL_PARTITION.to_owned())).collect()
}

/// The topmost folder that does not fit, as a path from the target.
fn offending(base: &str, relative: &str, chosen: &Structure) -> String {
    let mut path = base.to_owned();
    for (index, part) in relative.split('/').filter(|part| !part.is_empty()).enumerate() {
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(part);
        let key = Segment::parse(part).key.map(|key| key.to_lowercase());
        if chosen.get(index) != Some(&key) {
            break;
        }
    }
    path
}

fn misfit(uri: &str, folder: &str, is: &Structure, chosen: &Structure) -> Error {
    let text = |structure: &Structure| -> String {
        let names: Vec<String> = structure
            .iter()
            .enumerate()
            .map(|(index, key)| key.clone().unwrap_or_else(|| format!("partition_{index}")))
            .collect();
        if names.is_empty() { "no keys".to_owned() } else { names.join(", ") }
    };
    let name = folder.rsplit('/').next().unwrap_or(folder);
    let wrong = is.iter().zip(chosen).find(|(is, chosen)| is != chosen);
    let (what, hint) = match wrong {
        Some((Some(found), Some(wanted))) => (
            format!("the folder `{name}` has the key `{found}` where the others have `{wanted}`"),
            match model::nearest(found, [wanted.as_str()]) {
                Some(near) => format!("did you mean `{near}=…`? rename the folder, or exclude it"),
                None => "rename the folder, or exclude it".to_owned(),
            },
        ),
        Some((None, Some(wanted))) => (
            format!("the folder `{name}` names no key where the others have `{wanted}=…`"),
            format!("rename it to `{wanted}={name}`, or exclude it"),
        ),
        Some((Some(found), None)) => (
            format!("the folder `{name}` has the key `{found}` where the others are plain"),
            "rename the folder, or exclude it".to_owned(),
        ),
        _ => (
            format!("the folder `{name}` is at another depth than the table's partitions"),
            "move its objects to the others' depth, or exclude it".to_owned(),
        ),
    };
    Error::invalid(what)
        .at(Place::object(format!("{uri}/")))
        .why(format!("most folders have the keys {}, this one has {}", text(chosen), text(is)))
        .hint(hint)
}

/// A key is a string because of one or two values that are no numbers: probably mistakes.
fn report_outliers(
    columns: &[Column],
    kept: &[(Vec<Segment>, Leaf)],
    uri: &impl Fn(&str) -> String,
    report: &mut dyn FnMut(Error),
) {
    for (level, column) in
        columns.iter().enumerate().filter(|(_, column)| column.hive_type == HiveType::String)
    {
        let mut outliers: BTreeMap<&str, &str> = BTreeMap::new();
        let mut distinct: BTreeSet<&str> = BTreeSet::new();
        for (parts, leaf) in kept {
            let Some(value) = parts.get(level).and_then(|part| part.value.as_deref()) else { continue };
            distinct.insert(value);
            if value.parse::<i64>().is_err() {
                outliers.entry(value).or_insert(&leaf.path);
            }
        }
        let few = !outliers.is_empty() && outliers.len() <= 3 && distinct.len() >= outliers.len() * 3;
        for (value, path) in outliers.into_iter().filter(|_| few) {
            report(
                Error::invalid(format!(
                    "`{value}` is no number, as the other values of `{}` are",
                    column.name
                ))
                .at(Place::object(format!("{}/", uri(path))))
                .why(format!("the partition key `{}` is therefore a string", column.name))
                .hint("rename the folder, or exclude it, and crawl again"),
            );
        }
    }
}
