//! What was used lately, in bounded memory: the least recently used goes first.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Values by their keys, up to so many bytes.
#[derive(Debug)]
pub struct Recent<K, V> {
    limit: usize,
    kept: Mutex<Kept<K, V>>,
}

#[derive(Debug)]
struct Kept<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// By when they were used.
    uses: BTreeMap<u64, K>,
    clock: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    bytes: usize,
    used: u64,
}

impl<K: Clone + Eq + Hash, V: Clone> Recent<K, V> {
    /// Keeps values of so many bytes in all.
    pub fn new(limit: usize) -> Self {
        let kept = Kept { entries: HashMap::new(), uses: BTreeMap::new(), clock: 0, bytes: 0 };
        Self { limit, kept: Mutex::new(kept) }
    }

    /// The value, if it is still kept; it has been used with that.
    pub fn get(&self, key: &K) -> Option<V> {
        let mut kept = self.kept();
        kept.clock += 1;
        let now = kept.clock;
        let entry = kept.entries.get_mut(key)?;
        let before = std::mem::replace(&mut entry.used, now);
        let value = entry.value.clone();
        kept.uses.remove(&before);
        kept.uses.insert(now, key.clone());
        Some(value)
    }

    /// Keeps a value of so many bytes; one that is larger than everything may be is not kept.
    pub fn put(&self, key: K, value: V, bytes: usize) {
        let mut kept = self.kept();
        kept.remove(&key);
        if bytes > self.limit {
            return;
        }
        kept.clock += 1;
        let used = kept.clock;
        kept.entries.insert(key.clone(), Entry { value, bytes, used });
        kept.uses.insert(used, key);
        kept.bytes += bytes;
        while kept.bytes > self.limit {
            let Some((_, oldest)) = kept.uses.pop_first() else { break };
            kept.remove(&oldest);
        }
    }

    /// How many values there are, and the bytes they take.
    pub fn size(&self) -> (usize, usize) {
        let kept = self.kept();
        (kept.entries.len(), kept.bytes)
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let mut kept = self.kept();
        kept.entries.clear();
        kept.uses.clear();
        kept.bytes = 0;
    }

    fn kept(&self) -> MutexGuard<'_, Kept<K, V>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, V> Kept<K, V> {
    fn remove(&mut self, key: &K) {
        if let Some(entry) = self.entries.remove(key) {
            self.uses.remove(&entry.used);
            self.bytes -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_go_first() {
        let recent = Recent::new(64);
        for n in 0..8 {
            recent.put(n, n * 10, 8);
        }
        assert_eq!(recent.get(&0), Some(0));
        recent.put(8, 80, 8);
        recent.put(9, 90, 65);
        let left: Vec<i32> = (0..10).filter(|n| recent.get(n).is_some()).collect();
        assert_eq!(left, vec![0, 2, 3, 4, 5, 6, 7, 8]);
        recent.put(8, 81, 1);
        assert_eq!(recent.get(&8), Some(81));
        assert_eq!((recent.size(), recent.kept().uses.len()), ((8, 57), 8));
        recent.clear();
        assert_eq!((recent.size(), recent.get(&8)), ((0, 0), None));
    }
}
