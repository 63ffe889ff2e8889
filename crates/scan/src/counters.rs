//! What a query has read so far, counted where it happens, and the limit that stops a query which reads too much.

use crate::state::FilesState;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricValue};
use model::{Error, ErrorKind, Result};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts of one query, over all of its tables.
#[derive(Debug, Default)]
pub struct ScanCounters {
    bytes_scanned: AtomicU64,
    files_read: AtomicU64,
    files_pruned: AtomicU64,
    partitions_read: AtomicU64,
    partitions_pruned: AtomicU64,
    rows_read: AtomicU64,
    cutoff: Option<u64>,
    /// What DataFusion counts itself.
    scans: Mutex<Vec<ExecutionPlanMetricsSet>>,
    files: Mutex<FilesState>,
}

/// The counts at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Bytes fetched from storage, as they are stored (compressed).
    pub bytes_scanned: u64,
    /// Files that were opened.
    pub files_read: u64,
    /// Files that were not opened because their path, partition or statistics said that nothing is in them.
    pub files_pruned: u64,
    /// Partitions whose files were listed.
    pub partitions_read: u64,
    /// Partitions that the catalog knows and the query did not need, as far as that is known.
    pub partitions_pruned: u64,
    /// Parquet row groups that were decoded.
    pub row_groups_read: u64,
    /// Parquet row groups that statistics or bloom filters ruled out.
    pub row_groups_pruned: u64,
    /// Rows that came out of files.
    pub rows_read: u64,
}

impl ScanCounters {
    /// Counters that fail the query once more than so many bytes were read.
    pub fn with_cutoff(bytes: u64) -> Self {
        Self { cutoff: Some(bytes), ..Self::default() }
    }

    /// Wants to know the state of all files that are planned to be read from now on.
    pub fn remember_files(&self) {
        *self.files() = FilesState::Known(Vec::new());
    }

    /// Tells the state of the files that were planned: the same again as long as none was added, changed or removed.
    /// `None` if nobody wanted to know, or if a table is more than its files.
    pub fn files_state(&self) -> Option<[u8; 32]> {
        self.files().digest()
    }

    pub(crate) fn files(&self) -> MutexGuard<'_, FilesState> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counts now.
    pub fn snapshot(&self) -> ScanReport {
        let mut report = ScanReport {
            bytes_scanned: self.bytes_scanned.load(Relaxed),
            files_read: self.files_read.load(Relaxed),
            files_pruned: self.files_pruned.load(Relaxed),
            partitions_read: self.partitions_read.load(Relaxed),
            partitions_pruned: self.partitions_pruned.load(Relaxed),
            rows_read: self.rows_read.load(Relaxed),
            ..ScanReport::default()
        };
        let scans = self.scans.lock().unwrap_or_else(PoisonError::into_inner);
        scans.iter().for_each(|scan| add_metrics(&mut report, scan));
        report
    }

    pub(crate) fn rows(&self, count: usize) {
        self.rows_read.fetch_add(count as u64, Relaxed);
    }

    pub(crate) fn file_opened(&self) {
        self.files_read.fetch_add(1, Relaxed);
    }

    pub(crate) fn files_pruned(&self, count: usize) {
        self.files_pruned.fetch_add(count as u64, Relaxed);
    }

    pub(crate) fn partitions(&self, read: u64, pruned: u64) {
        self.partitions_read.fetch_add(read, Relaxed);
        self.partitions_pruned.fetch_add(pruned, Relaxed);
    }

    pub(crate) fn watch(&self, metrics: &ExecutionPlanMetricsSet) {
        self.scans.lock().unwrap_or_else(PoisonError::into_inner).push(metrics.clone());
    }
}

fn add_metrics(report: &mut ScanReport, scan: &ExecutionPlanMetricsSet) {
    for metric in scan.clone_inner().iter() {
        let MetricValue::PruningMetrics { name, pruning_metrics } = metric.value() else { continue };
        let (pruned, matched) = (pruning_metrics.pruned() as u64, pruning_metrics.matched() as u64);
        match name.as_ref() {
            // Bloom filters look at what the statistics have left.
            "row_groups_pruned_statistics" => {
                report.row_groups_pruned += pruned;
                report.row_groups_read += matched;
            }
            "row_groups_pruned_bloom_filter" => {
                report.row_groups_pruned += pruned;
                report.row_groups_read = report.row_groups_read.saturating_sub(pruned);
            }
            "files_ranges_pruned_statistics" => report.files_pruned += pruned,
            _ => {}
        }
    }
}

impl ScanReport {
    /// The counts under their names, for a run's record.
    pub fn to_json(&self) -> Value {
        json!({
            "bytes_scanned": self.bytes_scanned,
            "files_read": self.files_read,
            "files_pruned": self.files_pruned,
            "partitions_read": self.partitions_read,
            "partitions_pruned": self.partitions_pruned,
            "row_groups_read": self.row_groups_read,
            "row_groups_pruned": self.row_groups_pruned,
            "rows_read": self.rows_read,
        })
    }
}

/// The counters together with the limit of the process. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    pub(crate) counters: Arc<ScanCounters>,
    cutoff: Option<u64>,
}

impl Meter {
    pub(crate) fn new(counters: Arc<ScanCounters>, cutoff: Option<u64>) -> Self {
        let cutoff = match (counters.cutoff, cutoff) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self { counters, cutoff }
    }

    /// Counts bytes before they are read; an error once they are too many.
    pub(crate) fn bytes(&self, count: u64) -> Result<()> {
        let before = self.counters.bytes_scanned.fetch_add(count, Relaxed);
        match self.cutoff {
            Some(limit) if before.saturating_add(count) > limit => {
                self.counters.bytes_scanned.fetch_sub(count, Relaxed);
                Err(Error::new(
                    ErrorKind::LimitExceeded,
                    format!("the query was stopped: it would read more than {limit} bytes"),
                )
                .why("a limit on the bytes that one query may scan is set")
                .hint("filter on partition columns, read fewer columns, or raise the limit"))
            }
            _ => Ok(()),
        }
    }
}
