//! A file source that says which file an error came from, counts the rows that come out and sieves them; the rest is up to
//! the source inside.

use crate::counters::Meter;
use crate::files::ScanFile;
use crate::sieve::{Left, Sieve, is_dynamic, leave};
use arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result};
use datafusion::config::ConfigOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileOpener, FileScanConfig, FileSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter_pushdown::FilterPushdownPropagation;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::{DisplayFormatType, SortOrderPushdownResult};
use datafusion_datasource::morsel::{Morsel, MorselPlan, MorselPlanner, Morselizer};
use futures::StreamExt;
use futures::stream::BoxStream;
use model::Place;
use object_store::ObjectStore;
use std::fmt;
use std::sync::Arc;

/// A source that is watched.
#[derive(Clone)]
pub(crate) struct Observed {
    inner: Arc<dyn FileSource>,
    meter: Meter,
    /// Filters that come to be known while the query runs, over the table's columns.
    dynamic: Vec<Arc<dyn PhysicalExpr>>,
    /// Those that are the joins' own business.
    left: Left,
    /// How the files are read, where nothing but that and the files says what comes out.
    reading: Option<Arc<str>>,
}

impl Observed {
    pub(crate) fn new(inner: Arc<dyn FileSource>, meter: Meter, reading: Option<Arc<str>>) -> Self {
        meter.counters.watch(inner.metrics());
        Self { inner, meter, dynamic: Vec::new(), left: Left::default(), reading }
    }

    /// How the files are read, where nothing but that and the files says what comes out.
    pub(crate) fn reading(&self) -> Option<&str> {
        self.reading.as_deref().filter(|_| self.dynamic.is_empty())
    }

    fn around(&self, inner: Arc<dyn FileSource>) -> Arc<dyn FileSource> {
        Arc::new(Self { inner, ..self.clone() })
    }
}

/// Leaves dynamic filters of these ids to the join that made them, where the plan is a scan of ours: its rows come to that
/// join as they are read, and to look twice is slower.
pub fn leave_to_join(plan: &Arc<dyn ExecutionPlan>, ids: &[u64]) {
    let config = plan
        .downcast_ref::<DataSourceExec>()
        .and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>());
    if let Some(source) = config.and_then(|config| config.file_source().downcast_ref::<Observed>()) {
        leave(&source.left, ids);
    }
}

impl FileSource for Observed {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        base: &FileScanConfig,
        partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        self.inner.create_file_opener(store, base, partition)
    }

    fn create_morselizer(
        &self,
        store: Arc<dyn ObjectStore>,
        base: &FileScanConfig,
        partition: usize,
    ) -> Result<Box<dyn Morselizer>> {
        let inner = self.inner.create_morselizer(store, base, partition)?;
        let sieve = Sieve::new(&self.dynamic, self.inner.projection(), &self.left).map(Arc::new);
        Ok(Box::new(ObservedMorselizer { inner, watched: Watched { meter: self.meter.clone(), sieve } }))
    }

    fn table_schema(&self) -> &TableSchema {
        self.inner.table_schema()
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        self.around(self.inner.with_batch_size(batch_size))
    }

    fn filter(&self) -> Option<Arc<dyn PhysicalExpr>> {
        self.inner.filter()
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        self.inner.projection()
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        self.inner.metrics()
    }

    fn file_type(&self) -> &str {
        self.inner.file_type()
    }

    fn fmt_extra(&self, t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_extra(t, f)
    }

    fn supports_repartitioning(&self) -> bool {
        self.inner.supports_repartitioning()
    }

    fn repartitioned(
        &self,
        target_partitions: usize,
        min_size: usize,
        ordering: Option<LexOrdering>,
        config: &FileScanConfig,
    ) -> Result<Option<FileScanConfig>> {
        self.inner.repartitioned(target_partitions, min_size, ordering, config)
    }

    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn FileSource>>> {
        let mut dynamic = self.dynamic.clone();
        dynamic.extend(filters.iter().filter(|filter| is_dynamic(filter)).cloned());
        let inner = self.inner.try_pushdown_filters(filters, config)?;
        let is_more = dynamic.len() > self.dynamic.len();
        let node = inner.updated_node.or_else(|| is_more.then(|| Arc::clone(&self.inner)));
        let updated_node =
            node.map(|inner| Arc::new(Self { inner, dynamic, ..self.clone() }) as Arc<dyn FileSource>);
        Ok(FilterPushdownPropagation { filters: inner.filters, updated_node })
    }

    fn try_pushdown_sort(
        &self,
        order: &[PhysicalSortExpr],
        properties: &EquivalenceProperties,
    ) -> Result<SortOrderPushdownResult<Arc<dyn FileSource>>> {
        Ok(match self.inner.try_pushdown_sort(order, properties)? {
            SortOrderPushdownResult::Exact { inner } => {
                SortOrderPushdownResult::Exact { inner: self.around(inner) }
            }
            SortOrderPushdownResult::Inexact { inner } => {
                SortOrderPushdownResult::Inexact { inner: self.around(inner) }
            }
            SortOrderPushdownResult::Unsupported => SortOrderPushdownResult::Unsupported,
        })
    }

    fn reorder_files(&self, files: Vec<PartitionedFile>) -> Vec<PartitionedFile> {
        self.inner.reorder_files(files)
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn FileSource>>> {
        Ok(self.inner.try_pushdown_projection(projection)?.map(|inner| self.around(inner)))
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for filter in &self.dynamic {
            if f(filter)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        self.inner.apply_expressions(f)
    }
}

/// What is done with the rows of all files.
#[derive(Debug, Clone)]
struct Watched {
    meter: Meter,
    sieve: Option<Arc<Sieve>>,
}

#[derive(Debug)]
struct ObservedMorselizer {
    inner: Box<dyn Morselizer>,
    watched: Watched,
}

impl Morselizer for ObservedMorselizer {
    fn plan_file(&self, file: PartitionedFile) -> Result<Box<dyn MorselPlanner>> {
        let scanned = ScanFile::of(&file).map_err(crate::external)?.clone();
        // Of a file that is read in ranges, the first one counts.
        if file.range.as_ref().is_none_or(|range| range.start == 0) {
            self.watched.meter.counters.file_opened();
        }
        let watch = Watch { file: scanned, watched: self.watched.clone() };
        let inner = self.inner.plan_file(file).map_err(|e| watch.place(e))?;
        Ok(Box::new(ObservedPlanner { inner, watch }))
    }
}

#[derive(Debug, Clone)]
struct Watch {
    file: ScanFile,
    watched: Watched,
}

impl Watch {
    fn place(&self, e: DataFusionError) -> DataFusionError {
        crate::external(crate::error(e).at_if_unknown(|| Place::object(self.file.name())))
    }

    fn planner(&self, inner: Box<dyn MorselPlanner>) -> Box<dyn MorselPlanner> {
        Box::new(ObservedPlanner { inner, watch: self.clone() })
    }
}

#[derive(Debug)]
struct ObservedPlanner {
    inner: Box<dyn MorselPlanner>,
    watch: Watch,
}

impl MorselPlanner for ObservedPlanner {
    fn plan(self: Box<Self>) -> Result<Option<MorselPlan>> {
        let Self { inner, watch } = *self;
        let Some(mut plan) = inner.plan().map_err(|e| watch.place(e))? else { return Ok(None) };
        let morsels = plan
            .take_morsels()
            .into_iter()
            .map(|inner| Box::new(ObservedMorsel { inner, watch: watch.clone() }) as Box<dyn Morsel>);
        let planners = plan.take_ready_planners().into_iter().map(|inner| watch.planner(inner));
        let mut observed =
            MorselPlan::new().with_morsels(morsels.collect()).with_planners(planners.collect());
        if let Some(pending) = plan.take_pending_planner() {
            observed.set_pending_planner(async move {
                match pending.await {
                    Ok(inner) => Ok(watch.planner(inner)),
                    Err(e) => Err(watch.place(e)),
                }
            });
        }
        Ok(Some(observed))
    }
}

#[derive(Debug)]
struct ObservedMorsel {
    inner: Box<dyn Morsel>,
    watch: Watch,
}

impl Morsel for ObservedMorsel {
    fn into_stream(self: Box<Self>) -> BoxStream<'static, Result<RecordBatch>> {
        let Self { inner, watch } = *self;
        let batches = inner.into_stream().map(move |batch| match batch {
            Ok(batch) => {
                watch.watched.meter.counters.rows(batch.num_rows());
                match &watch.watched.sieve {
                    Some(sieve) => sieve.pass(batch),
                    None => Ok(batch),
                }
            }
            Err(e) => Err(watch.place(e)),
        });
        batches.boxed()
    }
}
