//! The entrance: a process has one [`Scans`], which opens tables for queries and keeps what is worth keeping between them.

use crate::columns::{Columns, ScanColumn};
use crate::counters::{Meter, ScanCounters};
use crate::format::Layout;
use crate::parquet::Footers;
use crate::plain::FileGate;
use crate::provider::{CatalogTable, Source};
use catalog::{Catalog, TableEntry};
use datafusion::catalog::TableProvider;
use datafusion::execution::runtime_env::RuntimeEnv;
use lake::Lake;
use model::{EntityName, Error, Result};
use state::Clock;
use std::path::PathBuf;
use std::sync::Arc;

/// How tables are read.
#[derive(Clone)]
pub struct ScanOptions {
    /// A query that has read more bytes than this from storage fails.
    pub bytes_cutoff: Option<u64>,
    /// How much memory kept Parquet footers may take.
    pub footer_cache_bytes: usize,
    /// Up to so many files the optimizer gets statistics from footers, read while planning if need be.
    pub statistics_files: usize,
    /// How many folders are listed at a time.
    pub listing_concurrency: usize,
    /// What `NOW` means in partition projection.
    pub clock: Clock,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            bytes_cutoff: None,
            footer_cache_bytes: 256 << 20,
            statistics_files: 256,
            listing_concurrency: 32,
            clock: Clock::system(),
        }
    }
}

/// Opens tables. Cheap to clone.
#[derive(Clone)]
pub struct Scans {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) lake: Arc<Lake>,
    pub(crate) footers: Arc<Footers>,
    pub(crate) options: ScanOptions,
}

impl std::fmt::Debug for Scans {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scans")
    }
}

/// A table, open for one query.
#[derive(Debug, Clone)]
pub struct OpenTable {
    /// The columns in their order, hidden ones last.
    pub columns: Vec<ScanColumn>,
    /// The table; its schema has exactly these columns.
    pub provider: Arc<dyn TableProvider>,
}

/// What is kept between queries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheSizes {
    /// How many Parquet footers.
    pub footers: usize,
    /// The memory they take.
    pub footer_bytes: usize,
}

impl Scans {
    /// The tables of that catalog in that lake.
    pub fn new(catalog: Arc<Catalog>, lake: Arc<Lake>, options: ScanOptions) -> Self {
        let footers = Arc::new(Footers::new(options.footer_cache_bytes));
        Self { inner: Arc::new(Inner { catalog, lake, footers, options }) }
    }

    /// Resolves a table for one query. Nothing is listed or read yet, but for Delta Lake's log. Views are refused: the
    /// caller expands them.
    pub async fn open(&self, entry: &TableEntry, counters: Arc<ScanCounters>) -> Result<OpenTable> {
        self.open_gated(entry, counters, None).await
    }

    /// The same; only files that the gate lets through are read.
    pub async fn open_gated(
        &self,
        entry: &TableEntry,
        counters: Arc<ScanCounters>,
        gate: Option<Arc<dyn FileGate>>,
    ) -> Result<OpenTable> {
        let linked = self.follow_link(entry).await?;
        let entry = linked.as_ref().unwrap_or(entry);
        let table = &entry.table;
        if table.is_view() {
            return Err(Error::internal(format!("the view `{}` was opened as a table", table.name)));
        }
        if crate::delta::is_delta(&self.inner.lake, table).await? {
            return crate::delta::open(self, entry, counters, gate).await;
        }
        let bucketed = table.storage.number_of_buckets.is_some_and(|count| count > 0)
            && !table.storage.bucket_columns.is_empty();
        let name = format!("{}.{}", entry.database, table.name);
        let columns = Columns::new(&name, &table.storage.columns, &table.partition_keys, bucketed)?;
        if columns.data().is_empty() {
            return Err(Error::invalid(format!("the table `{name}` has no columns"))
                .hint("crawl its files, or declare the columns"));
        }
        let named = |e: Error| match e.kind() {
            model::ErrorKind::Internal => e,
            _ => e.context(format!("the table `{name}`")),
        };
        let layout = Arc::new(Layout::of(&table.storage, &table.parameters, &columns).map_err(named)?);
        let projection = crate::projected::Projection::of(table, &columns).map_err(named)?;
        let source = Source::Catalog { entry: Arc::new(entry.clone()), projection: projection.map(Arc::new) };
        Ok(self.table(columns, layout, source, counters, gate))
    }

    pub(crate) fn table(
        &self,
        columns: Columns,
        layout: Arc<Layout>,
        source: Source,
        counters: Arc<ScanCounters>,
        gate: Option<Arc<dyn FileGate>>,
    ) -> OpenTable {
        let meter = Meter::new(counters, self.inner.options.bytes_cutoff);
        let shown = columns.all.to_vec();
        let provider = CatalogTable::new(self.clone(), columns, layout, source, meter).gated(gate);
        OpenTable { columns: shown, provider: Arc::new(provider) }
    }

    async fn follow_link(&self, entry: &TableEntry) -> Result<Option<TableEntry>> {
        let Some(target) = &entry.table.target_table else { return Ok(None) };
        let (Some(database), Some(name)) = (&target.database, &target.name) else {
            return Err(Error::invalid(format!("the resource link `{}` names no table", entry.table.name)));
        };
        let table =
            self.inner.catalog.get_table(&EntityName::new(database)?, &EntityName::new(name)?).await?;
        match table.table.target_table {
            Some(_) => {
                Err(Error::invalid(format!("the resource link `{}` leads to another link", entry.table.name)))
            }
            None => Ok(Some(table)),
        }
    }

    /// What is kept between queries.
    pub fn cache_sizes(&self) -> CacheSizes {
        let (footers, footer_bytes) = self.inner.footers.size();
        CacheSizes { footers, footer_bytes }
    }

    /// Forgets what is kept between queries.
    pub fn clear_caches(&self) {
        self.inner.footers.clear();
    }

    /// An environment to run queries in; see [`crate::runtime_env()`].
    pub fn runtime_env(
        &self,
        memory_limit: Option<usize>,
        spill_dir: Option<PathBuf>,
    ) -> Result<Arc<RuntimeEnv>> {
        crate::runtime_env(&self.inner.lake, memory_limit, spill_dir)
    }
}
