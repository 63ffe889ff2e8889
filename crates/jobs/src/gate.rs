//! The gate of one source: only files that the bookmark has not seen are read, at most as many as the source allows in
//! one run.

use crate::bookmarks::SeenFile;
use engine::{FileGate, FoundFile};
use model::Result;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

/// How much of a source one run takes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bounds {
    pub(crate) files: Option<u64>,
    pub(crate) bytes: Option<u64>,
}

/// The gate.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Size and time of files that were read before.
    seen: HashMap<String, (u64, i64)>,
    bounds: Bounds,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    files: BTreeMap<String, SeenFile>,
    bytes: u64,
    skipped: u64,
    left: u64,
}

impl Gate {
    pub(crate) fn new(seen: HashMap<String, (u64, i64)>, bounds: Bounds) -> Self {
        Self { seen, bounds, taken: Mutex::default() }
    }

    /// What was let through.
    pub(crate) fn taken(&self) -> Vec<SeenFile> {
        self.lock().files.values().cloned().collect()
    }

    /// How many files were read before, and how many are left for later runs.
    pub(crate) fn held_back(&self) -> (u64, u64) {
        let taken = self.lock();
        (taken.skipped, taken.left)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FileGate for Gate {
    fn admit(&self, files: &[FoundFile<'_>]) -> Result<Vec<bool>> {
        let mut taken = self.lock();
        (taken.skipped, taken.left) = (0, 0);
        let mut admitted = vec![false; files.len()];
        // The oldest first, so that what is bounded goes on in order.
        let mut order: Vec<usize> = (0..files.len()).collect();
        order.sort_by_key(|at| files.get(*at).map(|file| (file.modified, file.name)));
        for at in order {
            let (Some(file), Some(admitted)) = (files.get(at), admitted.get_mut(at)) else { continue };
            let modified = file.modified.timestamp_millis();
            if self.seen.get(file.name) == Some(&(file.size, modified)) {
                taken.skipped += 1;
                continue;
            }
            if taken.files.contains_key(file.name) {
                *admitted = true;
                continue;
            }
            let full = self.bounds.files.is_some_and(|most| taken.files.len() as u64 >= most)
                || self.bounds.bytes.is_some_and(|most| taken.bytes + file.size > most && taken.bytes > 0);
            if full {
                taken.left += 1;
                continue;
            }
            *admitted = true;
            taken.bytes += file.size;
            let seen = SeenFile { path: file.name.to_owned(), size: file.size, modified };
            taken.files.insert(file.name.to_owned(), seen);
        }
        Ok(admitted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn new_and_changed_files_pass_within_bounds() {
        let at = |millis| DateTime::from_timestamp_millis(millis).unwrap();
        let file = |name, size, millis| FoundFile { name, size, modified: at(millis) };
        let seen = HashMap::from([("a".to_owned(), (5, 10)), ("b".to_owned(), (5, 10))]);
        let files = [file("a", 5, 10), file("b", 6, 10), file("c", 1, 30), file("d", 1, 20)];
        let gate = Gate::new(seen.clone(), Bounds::default());
        assert_eq!(gate.admit(&files).unwrap(), [false, true, true, true]);
        assert_eq!(gate.held_back(), (1, 0));
        let bounded = Gate::new(seen.clone(), Bounds { files: Some(2), bytes: None });
        assert_eq!(bounded.admit(&files).unwrap(), [false, true, false, true]);
        // Asked again, it says the same.
        assert_eq!(bounded.admit(&files).unwrap(), [false, true, false, true]);
        assert_eq!((bounded.taken().len(), bounded.held_back()), (2, (1, 1)));
        // A file that alone is larger than the bound is read alone.
        let tight = Gate::new(seen, Bounds { files: None, bytes: Some(3) });
        assert_eq!(tight.admit(&files).unwrap(), [false, true, false, false]);
    }
}
