//! Which files are read: a few of every folder, and of many like folders only some.
//!
//! Folders that differ only in values (`year=2020/month=1`, `2020/01/02`) and hold the same kinds of files are a
//! family. A family has a budget of files; folders that are not read take over what the family's others showed.

use crate::inventory::{Folder, Inventory};
use crate::naming::looks_like_value;
use std::collections::{BTreeMap, BTreeSet};

/// Files of a leaf folder that are read unless said otherwise.
pub(crate) const DEFAULT_FILES: usize = 10;
/// Files that are read of one family.
const FAMILY_BUDGET: usize = 100;
/// More plain folders than this beside each other are one family, whatever their names.
const MANY_SIBLINGS: usize = 200;

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pick {
    pub(crate) folder: String,
    pub(crate) name: String,
    pub(crate) size: u64,
}

/// The choice for a target.
#[derive(Debug, Default)]
pub(crate) struct Sampling {
    pub(crate) picks: Vec<Pick>,
    /// The family of every folder that has files.
    pub(crate) families: BTreeMap<String, String>,
}

/// Chooses the files.
pub(crate) fn choose(inventory: &Inventory, per_folder: usize) -> Sampling {
    let mut siblings: BTreeMap<&str, usize> = BTreeMap::new();
    for path in inventory.folders.keys() {
        *siblings.entry(parent(path)).or_default() += 1;
    }
    let mut members: BTreeMap<String, Vec<(&String, &Folder)>> = BTreeMap::new();
    for (path, folder) in inventory.folders.iter().filter(|(_, folder)| folder.files > 0) {
        members.entry(family(path, folder, &siblings)).or_default().push((path, folder));
    }
    let mut sampling = Sampling::default();
    for (family, folders) in members {
        let each = per_folder.min((FAMILY_BUDGET / folders.len()).max(1));
        let read = evenly(folders.len(), (FAMILY_BUDGET / each).max(1));
        for (index, (path, folder)) in folders.into_iter().enumerate() {
            if read.contains(&index) {
                sampling.picks.extend(picks(path, folder, each));
            }
            sampling.families.insert(path.clone(), family.clone());
        }
    }
    sampling
}

/// Files of a folder: of each kind in turn, at least one.
pub(crate) fn picks(path: &str, folder: &Folder, most: usize) -> Vec<Pick> {
    let each = (most / folder.kinds.len().max(1)).max(1);
    folder
        .kinds
        .values()
        .flat_map(|kind| kind.spread(each))
        .map(|(name, size)| Pick { folder: path.to_owned(), name: name.to_owned(), size })
        .collect()
}

/// At most `n` of `0..length`, the first and the last among them.
fn evenly(length: usize, n: usize) -> BTreeSet<usize> {
    if length <= n || n < 2 {
        return (0..length.min(n.max(1))).collect::<BTreeSet<_>>();
    }
    (0..n).map(|i| i * (length - 1) / (n - 1)).collect()
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn family(path: &str, folder: &Folder, siblings: &BTreeMap<&str, usize>) -> String {
    let mut family = String::new();
    let mut at = 0;
    for part in path.split('/') {
        let crowded = siblings.get(path[..at].trim_end_matches('/')).is_some_and(|n| *n > MANY_SIBLINGS);
        match part.split_once('=') {
            Some((key, _)) => {
                family.push_str(&key.to_lowercase());
                family.push('=');
            }
            None if crowded || looks_like_value(part) => family.push('#'),
            None => family.push_str(part),
        }
        family.push('/');
        at += part.len() + 1;
    }
    for kind in folder.kinds.keys() {
        family.push('.');
        family.push_str(kind);
    }
    family
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(paths: impl IntoIterator<Item = String>) -> Inventory {
        let mut inventory = Inventory::default();
        paths.into_iter().for_each(|path| inventory.add(&path, 5));
        inventory
    }

    #[test]
    fn many_partitions_are_read_in_part() {
        let all = (0..5000).flat_map(|n| [format!("t/day={n:04}/a.csv"), format!("t/day={n:04}/b.csv")]);
        let sampling = choose(&inventory(all.chain(["t/day=0100/odd.json".to_owned()])), DEFAULT_FILES);
        let csv = sampling.picks.iter().filter(|pick| pick.name.ends_with("csv")).count();
        assert!((50..=110).contains(&csv), "{csv}");
        assert!(
            sampling.picks.iter().any(|pick| pick.name == "odd.json"),
            "a folder of another kind is its own family"
        );
        assert_eq!(sampling.families.len(), 5000);
    }

    #[test]
    fn plain_folders_are_all_read() {
        let sampling = choose(&inventory((0..50).map(|n| format!("table{n}x/a.csv"))), DEFAULT_FILES);
        assert_eq!(sampling.picks.len(), 50);
        let many = choose(&inventory((0..3000).map(|n| format!("table{n}x/a.csv"))), DEFAULT_FILES);
        assert_eq!(many.picks.len(), 100);
    }
}
