//! The formats that DataFusion does not read for us (text of all kinds, JSON, Avro, ORC) as a DataFusion file source over
//! the `formats` room.

use crate::counters::Meter;
use crate::files::{ScanFile, Tap};
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileOpenFuture, FileOpener, FileScanConfig, FileSource};
use datafusion::datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use formats::{Column, FormatSpec, OnError, ReadOptions, RejectSink};
use futures::{FutureExt, StreamExt};
use lake::Lake;
use object_store::ObjectStore;
use sql::SqlType;
use std::sync::Arc;

/// How files of one kind are read.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) spec: FormatSpec,
    /// The columns in the files, as the table or the partition declares them.
    pub(crate) columns: Vec<Column>,
    /// For each column of the table: where it stands among them, and its type in the table.
    pub(crate) places: Vec<(Option<usize>, SqlType)>,
    /// How columns of self-describing files are found.
    pub(crate) matching: formats::Match,
    /// What happens to values that do not fit their types.
    pub(crate) on_error: OnError,
    /// Takes the lines of text that are left out because of one, where these are.
    pub(crate) rejects: Option<Arc<dyn RejectSink>>,
}

/// The file source.
#[derive(Clone)]
pub(crate) struct ForeignSource {
    lake: Arc<Lake>,
    meter: Meter,
    recipe: Arc<Recipe>,
    table_schema: TableSchema,
    projection: SplitProjection,
    batch_size: Option<usize>,
    metrics: ExecutionPlanMetricsSet,
}

impl ForeignSource {
    pub(crate) fn new(lake: Arc<Lake>, meter: Meter, recipe: Arc<Recipe>, table_schema: TableSchema) -> Self {
        let projection = SplitProjection::unprojected(&table_schema);
        let metrics = ExecutionPlanMetricsSet::new();
        Self { lake, meter, recipe, table_schema, projection, batch_size: None, metrics }
    }
}

impl FileSource for ForeignSource {
    fn create_file_opener(
        &self,
        _store: Arc<dyn ObjectStore>,
        _base: &FileScanConfig,
        _partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let file_schema = self.table_schema.file_schema();
        let wanted = Wanted::new(&self.recipe, &self.projection.file_indices, file_schema)?;
        let opener = Opener {
            lake: Arc::clone(&self.lake),
            meter: self.meter.clone(),
            recipe: Arc::clone(&self.recipe),
            wanted: Arc::new(wanted),
            batch_rows: self.batch_size.unwrap_or(8192),
        };
        ProjectionOpener::try_new(self.projection.clone(), Arc::new(opener), file_schema)
    }

    fn table_schema(&self) -> &TableSchema {
        &self.table_schema
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(Self { batch_size: Some(batch_size), ..self.clone() })
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        match self.recipe.spec.format {
            formats::Format::Csv(_) => "csv",
            formats::Format::Json(_) => "json",
            formats::Format::Delimited(_) => "text",
            formats::Format::Regex(_) => "regex",
            formats::Format::Grok(_) => "grok",
            formats::Format::AccessLog => "access-log",
            formats::Format::Parquet => "parquet",
            formats::Format::Orc => "orc",
            formats::Format::Avro(_) => "avro",
        }
    }

    /// The files were cut into ranges when they were listed: only there is it known which are compressed.
    fn supports_repartitioning(&self) -> bool {
        false
    }

    fn repartitioned(
        &self,
        _target_partitions: usize,
        _min_size: usize,
        _ordering: Option<LexOrdering>,
        _config: &FileScanConfig,
    ) -> Result<Option<FileScanConfig>> {
        Ok(None)
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.table_schema.file_schema(), &merged);
        Ok(Some(Arc::new(Self { projection, ..self.clone() })))
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for expr in self.projection.source.iter() {
            if f(&expr.expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }
}

/// The columns that a query wants of a file, in the table's terms.
struct Wanted {
    /// Which columns of the file to read.
    read: Vec<usize>,
    /// For each wanted column: where it stands among those that are read, its name, and its type in the table when that
    /// is another.
    columns: Vec<(Option<usize>, String, Option<SqlType>)>,
    schema: SchemaRef,
    /// Whether a batch is right as it is read.
    plain: bool,
}

impl Wanted {
    fn new(recipe: &Recipe, indices: &[usize], file_schema: &SchemaRef) -> Result<Self> {
        let schema = Arc::new(file_schema.project(indices)?);
        let (mut read, mut columns) = (Vec::new(), Vec::new());
        for (index, field) in indices.iter().zip(schema.fields()) {
            let (place, sql_type) = match recipe.places.get(*index) {
                Some((place, sql_type)) => (*place, sql_type),
                None => (None, &SqlType::Unknown),
            };
            let found = place.and_then(|place| Some((place, recipe.columns.get(place)?)));
            let other = found.is_some_and(|(_, column)| column.sql_type != *sql_type);
            let at = found.map(|(place, _)| {
                read.push(place);
                read.len() - 1
            });
            columns.push((at, field.name().clone(), other.then(|| sql_type.clone())));
        }
        let plain = columns.iter().all(|(at, _, other)| at.is_some() && other.is_none());
        Ok(Self { read, columns, schema, plain })
    }

    /// A batch as it was read, in the table's columns and types.
    fn shape(&self, batch: RecordBatch) -> model::Result<RecordBatch> {
        let rows = batch.num_rows();
        let columns: Vec<ArrayRef> = match self.plain {
            true => batch.columns().to_vec(),
            false => self
                .columns
                .iter()
                .zip(self.schema.fields())
                .map(|((at, name, other), field)| match (at.and_then(|at| batch.columns().get(at)), other) {
                    (None, _) => Ok(new_null_array(field.data_type(), rows)),
                    (Some(array), None) => Ok(Arc::clone(array)),
                    (Some(array), Some(sql_type)) => formats::adapt_array(name, array, sql_type),
                })
                .collect::<model::Result<_>>()?,
        };
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|e| model::Error::internal("a batch does not have the table's columns").source_is(e))
    }
}

/// Of a file on this machine so much is fetched at once: it is still in the processor's cache when it is decoded.
const NEAR_FETCH: usize = 1 << 20;

struct Opener {
    lake: Arc<Lake>,
    meter: Meter,
    recipe: Arc<Recipe>,
    wanted: Arc<Wanted>,
    batch_rows: usize,
}

impl FileOpener for Opener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let scanned = ScanFile::of(&file).map_err(crate::external)?.clone();
        let range = file.range.map(|range| {
            u64::try_from(range.start).unwrap_or_default()..u64::try_from(range.end).unwrap_or_default()
        });
        let mut options = ReadOptions {
            batch_rows: self.batch_rows,
            range,
            matching: self.recipe.matching,
            on_error: self.recipe.on_error,
            reject_sink: self.recipe.rejects.clone(),
            missing: &crawl::classify::MISSING_MARKERS,
            ..ReadOptions::default()
        };
        let (lake, meter) = (Arc::clone(&self.lake), self.meter.clone());
        let (recipe, wanted) = (Arc::clone(&self.recipe), Arc::clone(&self.wanted));
        let opened = async move {
            let reader = scanned.open(&lake).await?;
            if reader.is_near() {
                options.fetch_bytes = NEAR_FETCH;
            }
            let source = Arc::new(Tap::new(reader, meter));
            formats::read(source, &recipe.spec, &recipe.columns, &wanted.read, options)
                .await
                .map(|batches| (batches, wanted))
        };
        Ok(async move {
            let (batches, wanted) = opened.await.map_err(crate::external)?;
            let shaped = batches.map(move |batch| batch.and_then(|batch| wanted.shape(batch)));
            Ok(shaped.map(|batch| batch.map_err(crate::external)).boxed())
        }
        .boxed())
    }
}
