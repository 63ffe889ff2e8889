//! The publish gate of a bucket: while a commit publishes, nobody in this process reads or writes the bucket, so nobody
//! sees half of it. A long listing holds the gate only page by page; what commits change behind it is remembered, and
//! the listing goes on showing the bucket as it was when it began.

use crate::object::ObjectInfo;
use crate::store::Listed;
use model::{Error, Result};
use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// Each changed key with what was there before.
pub(crate) type Before = BTreeMap<String, Option<ObjectInfo>>;

#[derive(Debug, Default)]
pub(crate) struct Gate {
    lock: Arc<RwLock<()>>,
    history: Mutex<History>,
}

#[derive(Debug, Default)]
struct History {
    epoch: u64,
    /// How many listings began at each epoch.
    views: BTreeMap<u64, usize>,
    changes: BTreeMap<u64, Before>,
}

impl Gate {
    /// To read or write objects.
    pub(crate) async fn pass(&self) -> OwnedRwLockReadGuard<()> {
        Arc::clone(&self.lock).read_owned().await
    }

    /// To publish.
    pub(crate) async fn close(&self) -> OwnedRwLockWriteGuard<()> {
        Arc::clone(&self.lock).write_owned().await
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a listing. The caller passes the gate.
    pub(crate) fn view(self: &Arc<Self>) -> View {
        let mut history = self.history();
        let epoch = history.epoch;
        *history.views.entry(epoch).or_default() += 1;
        View { gate: Arc::clone(self), epoch }
    }

    /// Whether a commit must remember what it changes.
    pub(crate) fn is_watched(&self) -> bool {
        !self.history().views.is_empty()
    }

    /// Remembers what a commit is about to change. The caller has closed the gate.
    pub(crate) fn remember(&self, before: Before) {
        let mut history = self.history();
        history.epoch += 1;
        let epoch = history.epoch;
        history.changes.insert(epoch, before);
    }
}

/// A bucket as it was when a listing began.
#[derive(Debug)]
pub(crate) struct View {
    gate: Arc<Gate>,
    epoch: u64,
}

impl View {
    /// Turns a page as it is on disk into the page as it was: keys behind `after`, up to `end` or without end.
    pub(crate) fn restore(
        &self,
        page: Vec<Listed>,
        after: Option<&str>,
        prefix: &str,
        end: Option<&str>,
    ) -> Vec<ObjectInfo> {
        if self.gate.history().changes.is_empty() {
            let object = |item| match item {
                Listed::Object(info) => Some(*info),
                Listed::Prefix(_) => None,
            };
            return page.into_iter().filter_map(object).collect();
        }
        let mut objects: BTreeMap<String, ObjectInfo> = BTreeMap::new();
        for item in page {
            if let Listed::Object(info) = item {
                objects.insert(info.uri.key().to_owned(), *info);
            }
        }
        let history = self.gate.history();
        let mut seen = std::collections::BTreeSet::new();
        let lower = after.map_or(Included(prefix), Excluded);
        let upper = end.map_or(Unbounded, Included);
        if !matches!((lower, upper), (Included(low) | Excluded(low), Included(high)) if low > high) {
            for before in history.changes.range(self.epoch + 1..).map(|(_, before)| before) {
                for (key, info) in before.range::<str, _>((lower, upper)) {
                    if !key.starts_with(prefix) || !seen.insert(key.as_str()) {
                        continue;
                    }
                    match info {
                        Some(info) => drop(objects.insert(key.clone(), info.clone())),
                        None => drop(objects.remove(key)),
                    }
                }
            }
        }
        objects.into_values().collect()
    }
}

impl Drop for View {
    fn drop(&mut self) {
        let mut guard = self.gate.history();
        let history = &mut *guard;
        if let Some(count) = history.views.get_mut(&self.epoch) {
            *count -= 1;
            if *count == 0 {
                history.views.remove(&self.epoch);
            }
        }
        let oldest = history.views.keys().next().copied();
        history.changes.retain(|epoch, _| oldest.is_some_and(|oldest| *epoch > oldest));
    }
}

/// Runs work to its end even if the caller stops waiting: a half-done change must not be left by a dropped future.
pub(crate) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::internal("a task of the lake broke off").source_is(error)),
    }
}
