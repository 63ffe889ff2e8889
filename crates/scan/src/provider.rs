//! A table as DataFusion sees it. When a query is planned, its filters choose partitions and files; these are listed, cut
//! into work for all cores, and handed to the source of their format.

use crate::columns::Columns;
use crate::counters::Meter;
use crate::files::{KnownFile, KnownRows, ScanFile, follow_manifests, list_folder};
use crate::foreign::ForeignSource;
use crate::format::{Layout, Reading};
use crate::observed::Observed;
use crate::parquet::{self, Naming, StatisticsScope};
use crate::partitions::{self, Choice, Chosen};
use crate::plain::{FileGate, FoundFile};
use crate::projected::{Projection, Question};
use crate::prune::{self, Evaluator};
use crate::scans::Scans;
use crate::state::FilesState;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use catalog::TableEntry;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DataFusionError, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, FileSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion_datasource::compute_all_files_statistics;
use futures::{StreamExt, TryStreamExt};
use model::Result;
use std::sync::Arc;

/// Text files are cut into pieces of this size for parallel reading, at least and at most.
const LEAST_PIECE: u64 = 4 << 20;
const LARGEST_PIECE: u64 = 64 << 20;

/// Where a table's files are.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// Where the catalog says, or what its projection properties compute.
    Catalog { entry: Arc<TableEntry>, projection: Option<Arc<Projection>> },
    /// These: those of a version of a Delta table, or of folders.
    Files(Arc<Vec<KnownFile>>),
}

/// A table, open for one query.
#[derive(Debug)]
pub(crate) struct CatalogTable {
    scans: Scans,
    columns: Columns,
    layout: Arc<Layout>,
    source: Source,
    meter: Meter,
    gate: Option<Arc<dyn FileGate>>,
}

/// A file with what is the same in all of its rows.
struct Found {
    file: ScanFile,
    of: Arc<Chosen>,
    /// How many rows it has, where that is known before it is opened.
    rows: Option<usize>,
}

impl CatalogTable {
    pub(crate) fn new(
        scans: Scans,
        columns: Columns,
        layout: Arc<Layout>,
        source: Source,
        meter: Meter,
    ) -> Self {
        Self { scans, columns, layout, source, meter, gate: None }
    }

    /// The same, but only files that the gate lets through are read.
    pub(crate) fn gated(self, gate: Option<Arc<dyn FileGate>>) -> Self {
        Self { gate, ..self }
    }

    async fn plan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (decided, rest): (Vec<Expr>, Vec<Expr>) =
            filters.iter().cloned().partition(|filter| prune::is_decidable(filter, &self.columns));
        // Where the files are known, partitions need not be looked for.
        let by_file = matches!(self.source, Source::Files(_));
        let (of_partitions, of_files): (Vec<Expr>, Vec<Expr>) = decided
            .into_iter()
            .partition(|filter| !by_file && prune::is_of_partitions(filter, &self.columns));
        let choice = self.choose(state, &of_partitions).await?;
        self.meter.counters.partitions(choice.chosen.len() as u64, choice.pruned);
        let found = self.admitted(self.list(choice.chosen).await?)?;
        let wanted = self.wanted_constants(projection, &of_files);
        let files = self.constants(found, &wanted)?;
        let files = self.prune_files(state, files, &of_files)?;
        match &self.source {
            // Their owner knows more of them: which of their rows are deleted, for one.
            Source::Files(_) => *self.meter.counters.files() = FilesState::Unknown,
            Source::Catalog { .. } => self.meter.counters.files().saw(&files),
        }
        let scan = Scan { table: self, state, projection, limit, unfiltered: rest.is_empty() };
        scan.plan(files).await
    }

    async fn choose(&self, state: &dyn Session, filters: &[Expr]) -> Result<Choice> {
        let keys = &self.columns.constant_fields[..self.columns.partition_count];
        let evaluator = || Evaluator::new(state, keys, filters);
        let whole = |locations| Chosen {
            values: Vec::new().into(),
            name: "".into(),
            locations,
            layout: Arc::clone(&self.layout),
        };
        match &self.source {
            Source::Files(_) => Ok(Choice { chosen: vec![whole(Vec::new())], pruned: 0 }),
            Source::Catalog { projection: Some(projection), entry } => {
                let now = self.scans.inner.options.clock.now();
                let (columns, layout) = (&self.columns, &self.layout);
                projection.choose(&Question { state, entry, columns, layout, filters, now })
            }
            Source::Catalog { entry, .. } if self.columns.partition_count > 0 => {
                let catalog = &self.scans.inner.catalog;
                partitions::choose(catalog, entry, &self.columns, &self.layout, filters, &evaluator()?).await
            }
            Source::Catalog { entry, .. } => {
                let storage = &entry.table.storage;
                let all = storage.location.iter().filter(|text| !text.is_empty());
                let all = all.chain(&storage.additional_locations).map(|text| text.parse());
                Ok(Choice { chosen: vec![whole(all.collect::<Result<_>>()?)], pruned: 0 })
            }
        }
    }

    async fn list(&self, chosen: Vec<Chosen>) -> Result<Vec<Found>> {
        if let Source::Files(files) = &self.source {
            return Ok(self.known(files));
        }
        let lake = &self.scans.inner.lake;
        let folders = chosen.into_iter().map(Arc::new).flat_map(|of| {
            of.locations.clone().into_iter().map(move |folder| (Arc::clone(&of), folder)).collect::<Vec<_>>()
        });
        let listed = folders.map(|(of, folder)| async move {
            let mut files = list_folder(lake, &folder).await?;
            if of.layout.symlinks {
                files = follow_manifests(lake, files).await?;
            }
            Ok::<_, model::Error>(files.into_iter().map(move |file| Found {
                file,
                of: Arc::clone(&of),
                rows: None,
            }))
        });
        let found: Vec<_> = futures::stream::iter(listed)
            .buffered(self.scans.inner.options.listing_concurrency.max(1))
            .try_collect()
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// The files that the gate lets through.
    fn admitted(&self, found: Vec<Found>) -> Result<Vec<Found>> {
        let Some(gate) = &self.gate else { return Ok(found) };
        let shown: Vec<FoundFile<'_>> = found.iter().map(|found| FoundFile::of(&found.file)).collect();
        let admitted = gate.admit(&shown)?;
        Ok(found
            .into_iter()
            .zip(admitted)
            .filter(|(_, admitted)| *admitted)
            .map(|(found, _)| found)
            .collect())
    }

    /// The files that are known beforehand.
    fn known(&self, files: &[KnownFile]) -> Vec<Found> {
        let found = files.iter().map(|known| Found {
            file: known.file.clone(),
            of: Arc::new(Chosen {
                values: Arc::clone(&known.values),
                name: Arc::clone(&known.name),
                locations: Vec::new(),
                layout: Arc::clone(&self.layout),
            }),
            rows: known.rows,
        });
        found.collect()
    }

    /// Which of the hidden columns anybody looks at.
    fn wanted_constants(&self, projection: Option<&Vec<usize>>, filters: &[Expr]) -> Vec<bool> {
        let first = self.columns.file_schema.fields().len() + self.columns.partition_count;
        let in_filter = |name: &str| {
            filters.iter().any(|filter| filter.column_refs().iter().any(|column| column.name == name))
        };
        let hidden = self.columns.hidden.iter().enumerate();
        hidden
            .map(|(index, hidden)| {
                projection.is_none_or(|wanted| wanted.contains(&(first + index))) || in_filter(hidden.name())
            })
            .collect()
    }

    /// The files for DataFusion, each with the values of its partition and hidden columns.
    fn constants(&self, found: Vec<Found>, wanted: &[bool]) -> Result<Vec<(PartitionedFile, Arc<Layout>)>> {
        let fields = self.columns.constant_fields.iter().skip(self.columns.partition_count);
        let nulls: Vec<ScalarValue> = fields
            .map(|field| ScalarValue::try_from(field.data_type()).map_err(crate::error))
            .collect::<Result<_>>()?;
        let files = found.into_iter().map(|Found { file, of, rows }| {
            let mut constants = of.values.to_vec();
            for ((hidden, wanted), null) in self.columns.hidden.iter().zip(wanted).zip(&nulls) {
                constants.push(if *wanted { hidden.value(&file, &of.name) } else { null.clone() });
            }
            let mut file = file.partitioned().with_partition_values(constants);
            if let Some(rows) = rows {
                file = file.with_extension(KnownRows(rows));
            }
            (file, Arc::clone(&of.layout))
        });
        Ok(files.collect())
    }

    fn prune_files(
        &self,
        state: &dyn Session,
        files: Vec<(PartitionedFile, Arc<Layout>)>,
        filters: &[Expr],
    ) -> Result<Vec<(PartitionedFile, Arc<Layout>)>> {
        let evaluator = Evaluator::new(state, &self.columns.constant_fields, filters)?;
        if evaluator.keeps_all() {
            return Ok(files);
        }
        let rows: Vec<&[ScalarValue]> =
            files.iter().map(|(file, _)| file.partition_values.as_slice()).collect();
        let keep = evaluator.keep(&rows)?;
        let before = files.len();
        let kept: Vec<_> =
            files.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(file, _)| file).collect();
        self.meter.counters.files_pruned(before - kept.len());
        Ok(kept)
    }
}

/// One scan being planned.
struct Scan<'a> {
    table: &'a CatalogTable,
    state: &'a dyn Session,
    projection: Option<&'a Vec<usize>>,
    limit: Option<usize>,
    /// Whether every row that is read is wanted.
    unfiltered: bool,
}

impl Scan<'_> {
    async fn plan(&self, files: Vec<(PartitionedFile, Arc<Layout>)>) -> Result<Arc<dyn ExecutionPlan>> {
        let mut groups: Vec<(Arc<Layout>, Vec<PartitionedFile>)> = Vec::new();
        for (file, layout) in files {
            match groups.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &layout)) {
                Some((_, group)) => group.push(file),
                None => groups.push((layout, vec![file])),
            }
        }
        let mut plans = Vec::with_capacity(groups.len());
        for (layout, group) in groups {
            plans.push(self.source(&layout, group).await?);
        }
        match plans.len() {
            0 => {
                let schema = &self.table.columns.schema;
                let projected = match self.projection {
                    Some(wanted) => schema.project(wanted).map(Arc::new),
                    None => Ok(Arc::clone(schema)),
                };
                let projected = projected.map_err(|e| crate::error(DataFusionError::from(e)))?;
                Ok(Arc::new(EmptyExec::new(projected)))
            }
            1 => Ok(plans.remove(0)),
            _ => UnionExec::try_new(plans).map_err(crate::error),
        }
    }

    /// The plan that reads files of one kind.
    async fn source(&self, layout: &Layout, files: Vec<PartitionedFile>) -> Result<Arc<dyn ExecutionPlan>> {
        let table = self.table;
        let inner = &table.scans.inner;
        let columns = &table.columns;
        let schema = TableSchema::builder(Arc::clone(&columns.file_schema))
            .with_table_partition_cols(columns.constant_fields.clone())
            .with_virtual_columns(columns.position.iter().cloned().collect::<Vec<_>>())
            .build();
        let cores = self.state.config().target_partitions().max(1);
        let (source, files, adapter): (Arc<dyn FileSource>, _, _) = match &layout.reading {
            Reading::Parquet(naming) => {
                let options = self.state.config_options().execution.parquet.clone();
                let options =
                    datafusion::config::TableParquetOptions { global: options, ..Default::default() };
                let source =
                    parquet::source(&inner.lake, &inner.footers, &table.meter, naming, schema, options);
                let files = self.describe(naming, files).await?;
                (source, files, Some(parquet::adapter(columns.data())))
            }
            Reading::Foreign(recipe) => {
                let lake = Arc::clone(&inner.lake);
                let source = ForeignSource::new(lake, table.meter.clone(), Arc::clone(recipe), schema);
                (Arc::new(source), cut(files, &recipe.spec, cores), None)
            }
        };
        let source: Arc<dyn FileSource> =
            Arc::new(Observed::new(source, table.meter.clone(), self.reading(layout)));
        let (groups, statistics) = groups(files, cores, &columns.schema)?;
        // Files are read by their addresses: the store is asked for, but nothing is read through it.
        let store = ObjectStoreUrl::parse("s3://lake").map_err(crate::error)?;
        let config = FileScanConfigBuilder::new(store, source)
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(self.projection.cloned())
            .map_err(crate::error)?
            .with_limit(self.limit)
            .with_expr_adapter(adapter)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    /// How files are read, in full, where parts of answers may be kept by that: those of a catalog's table, if somebody
    /// wants to know their state.
    fn reading(&self, layout: &Layout) -> Option<Arc<str>> {
        let table = self.table;
        let is_known = matches!(*table.meter.counters.files(), FilesState::Known(_));
        is_known.then(|| format!("{layout:?} {:?}", table.columns).into())
    }

    /// Files with statistics where they are cheap or wanted: for `count(*)`, for few files, from kept footers.
    async fn describe(
        &self,
        naming: &Arc<Naming>,
        files: Vec<PartitionedFile>,
    ) -> Result<Vec<PartitionedFile>> {
        let table = self.table;
        let inner = &table.scans.inner;
        // Rows that are to be found again are read, whatever is known of them.
        if table.columns.position.is_some() {
            return Ok(files);
        }
        let data = table.columns.file_schema.fields().len();
        let counts_only = self.unfiltered
            && self.limit.is_none()
            && self.projection.is_some_and(|wanted| wanted.iter().all(|index| *index >= data));
        let few = files.len() <= inner.options.statistics_files;
        if !counts_only && !few {
            return Ok(files);
        }
        let scope = StatisticsScope {
            lake: &inner.lake,
            footers: &inner.footers,
            meter: &table.meter,
            naming,
            columns: &table.columns,
            wanted: self.projection.map(Vec::as_slice),
            bounds: !counts_only,
            read: true,
        };
        parquet::with_statistics(files, &scope).await
    }
}

/// Large plain text files in pieces, so that all cores read them.
fn cut(files: Vec<PartitionedFile>, spec: &formats::FormatSpec, cores: usize) -> Vec<PartitionedFile> {
    if !spec.is_splittable() {
        return files;
    }
    let total: u64 = files.iter().map(|file| file.object_meta.size).sum();
    let piece = (total / (cores as u64 * 4)).clamp(LEAST_PIECE, LARGEST_PIECE);
    let mut pieces = Vec::with_capacity(files.len());
    for file in files {
        let size = file.object_meta.size;
        let packed =
            spec.compression_of(file.object_meta.location.as_ref(), &[]) != formats::Compression::None;
        if packed || size < piece + piece / 2 {
            pieces.push(file);
            continue;
        }
        let parts = usize::try_from(size.div_ceil(piece)).unwrap_or(usize::MAX);
        for range in formats::split(size, parts, LEAST_PIECE) {
            let end = |at: u64| i64::try_from(at).unwrap_or(i64::MAX);
            pieces.push(file.clone().with_range(end(range.start), end(range.end)));
        }
    }
    pieces
}

/// The files in as many groups as there are cores, of about the same size, with what is known of all of them.
fn groups(
    files: Vec<PartitionedFile>,
    cores: usize,
    schema: &SchemaRef,
) -> Result<(Vec<FileGroup>, Statistics)> {
    let known = files.iter().all(|file| file.statistics.is_some());
    let bytes: u64 = files.iter().map(PartitionedFile::effective_size).sum();
    let mut groups: Vec<(u64, Vec<PartitionedFile>)> = Vec::new();
    groups.resize_with(cores.min(files.len()).max(1), Default::default);
    let share = bytes / groups.len() as u64 + 1;
    let (mut at, last) = (0, groups.len() - 1);
    for file in files {
        if at < last && groups[at].0 >= share {
            at += 1;
        }
        groups[at].0 += file.effective_size();
        groups[at].1.push(file);
    }
    let groups: Vec<FileGroup> = groups
        .into_iter()
        .filter(|(_, files)| !files.is_empty())
        .map(|(_, files)| FileGroup::new(files))
        .collect();
    if known {
        return compute_all_files_statistics(groups, Arc::clone(schema), true, false).map_err(crate::error);
    }
    let mut statistics = Statistics::new_unknown(schema);
    statistics.total_byte_size = usize::try_from(bytes).map_or(Precision::Absent, Precision::Inexact);
    Ok((groups, statistics))
}

#[async_trait]
impl TableProvider for CatalogTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.columns.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> datafusion::common::Result<Vec<TableProviderFilterPushDown>> {
        let how = |filter: &&Expr| match prune::is_decidable(filter, &self.columns) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(how).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> datafusion::common::Result<Arc<dyn ExecutionPlan>> {
        self.plan(state, projection, filters, limit).await.map_err(crate::external)
    }
}
