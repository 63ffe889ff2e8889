//! The engine itself: what it stands on, and how it is set up.

use crate::joins::Joins;
use crate::memory::PeakPool;
use crate::sums::KeptSums;
use crate::system::SystemTable;
use catalog::Catalog;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use lake::Lake;
use model::{LakeUri, Result};
use scan::{ScanOptions, Scans};
use state::runs::Runs;
use state::{Clock, Database};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

/// How the engine is set up.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// How much memory all queries together may take before they spill to disk.
    pub memory_limit: usize,
    /// Where they spill to.
    pub spill_dir: PathBuf,
    /// How many threads a query uses.
    pub threads: usize,
    /// A query that has read more bytes than this fails.
    pub bytes_cutoff: Option<u64>,
    /// Where tables are made that name no location, if their database has none either.
    pub warehouse: LakeUri,
    /// Where the results of runs are kept.
    pub results_dir: PathBuf,
}

/// Runs statements. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) lake: Arc<Lake>,
    pub(crate) runs: Option<Runs>,
    pub(crate) clock: Clock,
    pub(crate) scans: Scans,
    pub(crate) options: EngineOptions,
    /// The engine's own tables are in it.
    pub(crate) database: Database,
    /// What other rooms tell of themselves as tables.
    pub(crate) system: RwLock<Vec<Arc<dyn SystemTable>>>,
    /// Of questions that are asked again and again.
    pub(crate) sums: Arc<KeptSums>,
    runtime: Arc<RuntimeEnv>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

/// The rows of a batch where memory is short.
const SMALL_BATCH: usize = 2048;

impl Engine {
    /// An engine over a catalog and its lake; its own tables are made in the database. Without runs, statements can be
    /// run but not started as runs.
    pub async fn open(
        database: Database,
        catalog: Catalog,
        lake: Lake,
        runs: Option<Runs>,
        clock: Clock,
        options: EngineOptions,
    ) -> Result<Self> {
        crate::prepared::migrate(&database).await?;
        let (catalog, lake) = (Arc::new(catalog), Arc::new(lake));
        let scan_options = ScanOptions {
            bytes_cutoff: options.bytes_cutoff,
            clock: clock.clone(),
            ..ScanOptions::default()
        };
        let scans = Scans::new(catalog.clone(), lake.clone(), scan_options);
        let runtime = scans.runtime_env(Some(options.memory_limit), Some(options.spill_dir.clone()))?;
        let inner = Inner {
            catalog,
            lake,
            runs,
            clock,
            scans,
            options,
            database,
            system: RwLock::default(),
            sums: Arc::default(),
            runtime,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Takes a table of another room into `system`, in the place of one of that name.
    pub fn add_system_table(&self, table: Arc<dyn SystemTable>) {
        let mut all = self.inner.system.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|other| other.name() != table.name());
        all.push(table);
    }

    /// DataFusion's state for one query: its own memory account, the optimizer's rules, no functions by name.
    pub(crate) fn session_state(&self, joins: Joins) -> Result<(SessionState, Arc<PeakPool>)> {
        let pool = Arc::new(PeakPool::new(self.inner.runtime.memory_pool.clone()));
        let runtime = RuntimeEnvBuilder::from_runtime_env(&self.inner.runtime)
            .with_memory_pool(pool.clone())
            .build_arc()
            .map_err(scan::error)?;
        let threads = match joins {
            Joins::Hashed => self.inner.options.threads,
            // With one task DataFusion would hash again.
            Joins::Sorted => self.inner.options.threads.max(2),
        };
        let mut config = SessionConfig::new().with_target_partitions(threads);
        if joins == Joins::Sorted {
            // Runs that were written to the disk are merged by a batch of each.
            config = config.with_batch_size(SMALL_BATCH);
        }
        let options = config.options_mut();
        options.optimizer.prefer_existing_sort = true;
        options.optimizer.prefer_hash_join = joins == Joins::Hashed;
        options.explain.show_schema = false;
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(runtime)
            .with_optimizer_rules(crate::optimizer::rules())
            .with_physical_optimizer_rules(crate::optimizer::physical_rules())
            .build();
        Ok((state, pool))
    }

    /// Deletes the rows of queries that ended before this time and that nobody has fetched.
    pub async fn forget_results(&self, before: chrono::DateTime<chrono::Utc>) {
        let Ok(mut entries) = tokio::fs::read_dir(&self.inner.options.results_dir).await else { return };
        while let Ok(Some(entry)) = entries.next_entry().await {
            let modified = entry.metadata().await.and_then(|m| m.modified());
            if modified.is_ok_and(|m| chrono::DateTime::<chrono::Utc>::from(m) < before) {
                let _ = tokio::fs::remove_file(entry.path()).await;
            }
        }
    }
}
