//! What footers say about the rows of a file, for DataFusion's optimizer: counts above all, so that `count(*)` reads no
//! data.

use super::footers::{Footer, Footers};
use super::naming::Naming;
use crate::columns::Columns;
use crate::counters::Meter;
use crate::files::{KnownRows, ScanFile};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::parquet::arrow::parquet_to_arrow_schema;
use datafusion_datasource_parquet::apply_file_schema_type_coercions;
use datafusion_datasource_parquet::metadata::DFParquetMetadata;
use futures::{StreamExt, TryStreamExt};
use lake::Lake;
use model::Result;
use std::sync::Arc;

/// How many footers are read at a time.
const AT_ONCE: usize = 16;

/// What to do for statistics.
pub(crate) struct StatisticsScope<'a> {
    pub(crate) lake: &'a Arc<Lake>,
    pub(crate) footers: &'a Arc<Footers>,
    pub(crate) meter: &'a Meter,
    pub(crate) naming: &'a Arc<Naming>,
    pub(crate) columns: &'a Columns,
    /// The columns that the query reads; all when unset.
    pub(crate) wanted: Option<&'a [usize]>,
    /// Whether minima and maxima are wanted, not the counts alone.
    pub(crate) bounds: bool,
    /// Whether footers may be read, not only taken from those that are kept.
    pub(crate) read: bool,
}

/// The files with what their footers say.
pub(crate) async fn with_statistics(
    files: Vec<PartitionedFile>,
    scope: &StatisticsScope<'_>,
) -> Result<Vec<PartitionedFile>> {
    let described = files.into_iter().map(|mut file| async move {
        let scanned = ScanFile::of(&file)?.clone();
        // A log that knows the rows saves the footer where nothing else is wanted.
        if let (false, Some(KnownRows(rows))) = (scope.bounds, file.extension::<KnownRows>().copied()) {
            file.statistics = Some(Arc::new(complete(rows, unknown(scope), &file)));
            return Ok(file);
        }
        let footer = match scope.footers.get(&scanned, scope.naming) {
            Some(footer) => Some(footer),
            None if scope.read => {
                let reader = scanned.open(scope.lake).await?;
                Some(scope.footers.read(&scanned, scope.naming, &reader, scope.meter).await?)
            }
            None => None,
        };
        if let Some(footer) = footer {
            file.statistics = Some(Arc::new(describe(&footer, &file, scope)));
        }
        Ok(file)
    });
    futures::stream::iter(described).buffered(AT_ONCE).try_collect().await
}

fn describe(footer: &Footer, file: &PartitionedFile, scope: &StatisticsScope<'_>) -> Statistics {
    let schema = &scope.columns.file_schema;
    let rows: i64 = footer.row_groups().iter().map(|group| group.num_rows()).sum();
    let rows = usize::try_from(rows).unwrap_or_default();
    let mut columns = unknown(scope);
    if scope.bounds {
        let all: Vec<usize> = (0..columns.len()).collect();
        let wanted = scope.wanted.unwrap_or(&all).iter().copied().filter(|index| *index < columns.len());
        let wanted: Vec<usize> = wanted.collect();
        for (index, found) in wanted.iter().zip(bounds(footer, schema, &wanted).unwrap_or_default()) {
            columns[*index] = found;
        }
    }
    complete(rows, columns, file)
}

fn unknown(scope: &StatisticsScope<'_>) -> Vec<ColumnStatistics> {
    vec![ColumnStatistics::new_unknown(); scope.columns.file_schema.fields().len()]
}

/// With the columns that are the same in all rows. A partition's value may be null, which DataFusion's own way would deny.
fn complete(rows: usize, mut columns: Vec<ColumnStatistics>, file: &PartitionedFile) -> Statistics {
    for value in &file.partition_values {
        let nulls = if value.is_null() { rows } else { 0 };
        columns.push(ColumnStatistics {
            null_count: Precision::Exact(nulls),
            max_value: Precision::Exact(value.clone()),
            min_value: Precision::Exact(value.clone()),
            distinct_count: Precision::Exact(usize::from(!value.is_null())),
            sum_value: Precision::Absent,
            byte_size: Precision::Absent,
        });
    }
    let bytes = usize::try_from(file.object_meta.size).map_or(Precision::Absent, Precision::Inexact);
    Statistics { num_rows: Precision::Exact(rows), total_byte_size: bytes, column_statistics: columns }
}

/// Minima, maxima and null counts of the columns that the file has in the table's own type.
fn bounds(footer: &Footer, schema: &SchemaRef, wanted: &[usize]) -> Option<Vec<ColumnStatistics>> {
    let schema = &Arc::new(schema.project(wanted).ok()?);
    let file = footer.file_metadata();
    let physical = parquet_to_arrow_schema(file.schema_descr(), None).ok()?;
    let physical = apply_file_schema_type_coercions(schema, &physical).unwrap_or(physical);
    let mut all = DFParquetMetadata::statistics_from_parquet_metadata(footer, schema).ok()?.column_statistics;
    for (statistics, field) in all.iter_mut().zip(schema.fields()) {
        match physical.field_with_name(field.name()) {
            Ok(found) if found.data_type() == field.data_type() => sharpen(statistics, field.data_type()),
            // Another type: its bounds are not those of the table's values.
            Ok(_) => {
                statistics.min_value = Precision::Absent;
                statistics.max_value = Precision::Absent;
            }
            // All NULL; nothing is said of bounds, as nulls are none.
            Err(_) => {
                statistics.min_value = Precision::Absent;
                statistics.max_value = Precision::Absent;
            }
        }
    }
    Some(all)
}

/// NaN is in no bounds, so those of floating-point columns hold for the other values alone.
fn sharpen(statistics: &mut ColumnStatistics, data_type: &DataType) {
    if data_type.is_floating() {
        let weaken = |value: &Precision<_>| value.clone().to_inexact();
        statistics.min_value = weaken(&statistics.min_value);
        statistics.max_value = weaken(&statistics.max_value);
    }
}
