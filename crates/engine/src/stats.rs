//! What is known of a query while it runs: where its time went, what it read, how much memory it held.

use crate::memory::PeakPool;
use model::LakeUri;
use scan::{ScanCounters, ScanReport};
use std::sync::{Arc, Mutex, PoisonError};

/// Where a query's time went, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Phases {
    /// Reading the text.
    pub parse: f64,
    /// Opening tables and settling names and types.
    pub analyze: f64,
    /// The optimizer.
    pub optimize: f64,
    /// Making the physical plan: partitions are pruned and files listed here.
    pub plan: f64,
}

/// Counts of a query.
#[derive(Debug)]
pub struct QueryStats {
    pub(crate) counters: Arc<ScanCounters>,
    phases: Mutex<Phases>,
    memory: Mutex<Option<Arc<PeakPool>>>,
    written: Mutex<Vec<LakeUri>>,
}

impl QueryStats {
    pub(crate) fn new(bytes_cutoff: Option<u64>) -> Self {
        let counters = Arc::new(bytes_cutoff.map_or_else(ScanCounters::default, ScanCounters::with_cutoff));
        Self { counters, phases: Mutex::default(), memory: Mutex::default(), written: Mutex::default() }
    }

    /// The files that the statement has written, where they are once it has ended.
    pub fn files_written(&self) -> Vec<LakeUri> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn wrote(&self, files: impl IntoIterator<Item = LakeUri>) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).extend(files);
    }

    /// What was read so far.
    pub fn scanned(&self) -> ScanReport {
        self.counters.snapshot()
    }

    /// Where the time before the first row went.
    pub fn phases(&self) -> Phases {
        *self.phases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The most memory it held at one time.
    pub fn peak_memory(&self) -> usize {
        self.pool().map_or(0, |pool| pool.peak())
    }

    /// The memory account of the query, once it has a plan.
    pub(crate) fn pool(&self) -> Option<Arc<PeakPool>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn account_to(&self, pool: Arc<PeakPool>) {
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = Some(pool);
    }

    pub(crate) fn phase(&self, set: impl FnOnce(&mut Phases)) {
        set(&mut self.phases.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Milliseconds since then. Durations are measured, never compared with the clock that schedules.
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn lap(&mut self) -> f64 {
        let elapsed = self.0.elapsed().as_secs_f64() * 1000.0;
        *self = Self::start();
        elapsed
    }
}
