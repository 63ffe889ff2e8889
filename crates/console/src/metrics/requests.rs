//! How many requests were answered, by class of status.

use std::sync::atomic::{AtomicU64, Ordering};

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The counts of this door.
#[derive(Default)]
pub(crate) struct Requests {
    classes: [AtomicU64; CLASSES.len()],
}

impl Requests {
    /// Counts an answer of that status.
    pub(crate) fn note(&self, status: u16) {
        let class = usize::from(status / 100).saturating_sub(1);
        if let Some(count) = self.classes.get(class) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn by_class(&self) -> Vec<(&'static str, u64)> {
        CLASSES
            .iter()
            .zip(&self.classes)
            .map(|(class, count)| (*class, count.load(Ordering::Relaxed)))
            .collect()
    }
}
