//! What a target holds, folder by folder: counts, bytes, and the names that are candidates for reading.
//!
//! A listing streams through here. What is kept grows with the number of folders, not of objects: of a folder's files
//! only a spread of names stays.

use std::collections::BTreeMap;

/// Names kept of the files of one kind in one folder. Up to here all of them are known.
pub(crate) const MAX_NAMES: usize = 100;
/// Empty objects named in one folder.
const MAX_EMPTY: usize = 20;

/// The folders of a target, by their path relative to it, without slashes at the ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inventory {
    pub(crate) folders: BTreeMap<String, Folder>,
    /// Data objects, without hidden, excluded and empty ones.
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) excluded: u64,
    pub(crate) hidden: u64,
    pub(crate) empty: u64,
}

/// The objects directly in a folder.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folder {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// By the ending of their names, without that of a compression.
    pub(crate) kinds: BTreeMap<String, Kind>,
    /// Names of objects of 0 bytes.
    pub(crate) empty: Vec<String>,
}

/// Files of one ending.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kind {
    pub(crate) files: u64,
    /// Names and sizes, spread over the listing; the first always, the last separately.
    names: Vec<(String, u64)>,
    last: Option<(String, u64)>,
    stride: u64,
}

impl Inventory {
    /// Takes an object into account.
    pub(crate) fn add(&mut self, relative: &str, size: u64) {
        let (folder, name) = relative.rsplit_once('/').unwrap_or(("", relative));
        let folder = self.folders.entry(folder.to_owned()).or_default();
        if size == 0 {
            self.empty += 1;
            if folder.empty.len() < MAX_EMPTY {
                folder.empty.push(name.to_owned());
            }
            return;
        }
        self.files += 1;
        self.bytes += size;
        folder.files += 1;
        folder.bytes += size;
        folder.kinds.entry(ending(name)).or_default().add(name, size);
    }

    /// Whether there are objects at that path or beneath it, empty ones included. Of a very large folder not every
    /// name is known; a file of it is then taken to be there.
    pub(crate) fn holds(&self, relative: &str) -> bool {
        if relative.is_empty() {
            return !self.folders.is_empty();
        }
        let beneath = format!("{relative}/");
        let next = self.folders.range(beneath.clone()..).next();
        if self.folders.contains_key(relative) || next.is_some_and(|(path, _)| path.starts_with(&beneath)) {
            return true;
        }
        let (folder, name) = relative.rsplit_once('/').unwrap_or(("", relative));
        self.folders.get(folder).is_some_and(|folder| {
            folder.empty.iter().any(|empty| empty == name)
                || folder.kinds.get(&ending(name)).is_some_and(|kind| {
                    kind.files > MAX_NAMES as u64 || kind.names.iter().any(|(known, _)| known == name)
                })
        })
    }
}

impl Kind {
    fn add(&mut self, name: &str, size: u64) {
        let stride = self.stride.max(1);
        if self.files.is_multiple_of(stride) {
            if self.names.len() == MAX_NAMES {
                let mut index = 0;
                self.names.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
                self.stride = stride * 2;
            }
            self.names.push((name.to_owned(), size));
        }
        self.files += 1;
        self.last = Some((name.to_owned(), size));
    }

    /// At most `n` of the files: the first, the last, and others evenly between.
    pub(crate) fn spread(&self, n: usize) -> Vec<(&str, u64)> {
        let mut all: Vec<(&str, u64)> =
            self.names.iter().map(|(name, size)| (name.as_str(), *size)).collect();
        if let Some((name, size)) = &self.last
            && all.last().is_none_or(|(known, _)| known != name)
        {
            all.push((name, *size));
        }
        if n == 0 || all.is_empty() {
            return Vec::new();
        }
        if all.len() <= n {
            return all;
        }
        if n == 1 {
            return vec![all[0]];
        }
        (0..n).map(|i| all[i * (all.len() - 1) / (n - 1)]).collect()
    }
}

/// Whether a path's folder or file is hidden from tables, as Hive has it: names that begin with `_` or `.`. A folder
/// such as `_day=3` is a partition nevertheless.
pub(crate) fn is_hidden(relative: &str) -> bool {
    relative.split('/').any(|part| part.starts_with('.') || (part.starts_with('_') && !part.contains('=')))
}

/// The ending of a file's name in lower case, without that of a compression; empty when there is none.
pub(crate) fn ending(name: &str) -> String {
    let lower = name.to_lowercase();
    let bare = ["gz", "gzip", "bz2", "zst", "zstd", "snappy", "deflate", "lz4", "xz"]
        .iter()
        .find_map(|compression| lower.strip_suffix(compression)?.strip_suffix('.'))
        .unwrap_or(&lower);
    match bare.rsplit_once('.') {
        Some((stem, ending))
            if !stem.is_empty()
                && (1..=10).contains(&ending.len())
                && ending.bytes().all(|b| b.is_ascii_alphanumeric())
                && !ending.bytes().all(|b| b.is_ascii_digit()) =>
        {
            ending.to_owned()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings() {
        for (name, wanted) in [
            ("a.csv", "csv"),
            ("a.CSV.gz", "csv"),
            ("part-0.snappy.parquet", "parquet"),
            ("log.2020", ""),
            ("part-00000", ""),
            (".csv", ""),
            ("a.b c", ""),
        ] {
            assert_eq!(ending(name), wanted, "{name}");
        }
    }

    #[test]
    fn hidden_names() {
        assert!(is_hidden("a/_temporary/x") && is_hidden("_SUCCESS") && is_hidden("a/.crc"));
        assert!(!is_hidden("a/_day=3/x.csv") && !is_hidden("a_b/c.d"));
    }

    #[test]
    fn a_large_folder_keeps_a_spread_of_names() {
        let mut inventory = Inventory::default();
        for n in 0..10_000 {
            inventory.add(&format!("x/{n:05}.csv"), 10);
        }
        inventory.add("x/empty.csv.gz", 0);
        let folder = &inventory.folders["x"];
        assert_eq!((folder.files, folder.bytes, folder.empty.len()), (10_000, 100_000, 1));
        let kind = &folder.kinds["csv"];
        assert!(kind.names.len() <= MAX_NAMES);
        let spread = kind.spread(3);
        assert_eq!((spread[0].0, spread[2].0), ("00000.csv", "09999.csv"));
        assert!(("03000.csv".."07000.csv").contains(&spread[1].0), "{spread:?}");
        assert_eq!(kind.spread(1).len(), 1);
    }
}
