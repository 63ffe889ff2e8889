//! Parquet through DataFusion's own source, with our reading of bytes and footers, our names and our types.

mod adapter;
mod footers;
mod naming;
mod reader;
mod statistics;

pub(crate) use footers::Footers;
pub(crate) use naming::Naming;
pub(crate) use statistics::{StatisticsScope, with_statistics};

use crate::columns::ScanColumn;
use crate::counters::Meter;
use datafusion::config::TableParquetOptions;
use datafusion::datasource::physical_plan::{FileSource, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_expr_adapter::PhysicalExprAdapterFactory;
use lake::Lake;
use std::sync::Arc;

/// The source that reads these columns from Parquet files.
pub(crate) fn source(
    lake: &Arc<Lake>,
    footers: &Arc<Footers>,
    meter: &Meter,
    naming: &Arc<Naming>,
    table_schema: TableSchema,
    mut options: TableParquetOptions,
) -> Arc<dyn FileSource> {
    // INT96 has no unit: read at the precision that tables have.
    options.global.coerce_int96 = Some("ms".to_owned());
    let readers = reader::Readers::new(lake, footers, meter, naming);
    let source = ParquetSource::new(table_schema)
        .with_table_parquet_options(options)
        .with_parquet_file_reader_factory(Arc::new(readers));
    Arc::new(source)
}

/// What turns the types of files into those of the table.
pub(crate) fn adapter(columns: &[ScanColumn]) -> Arc<dyn PhysicalExprAdapterFactory> {
    Arc::new(adapter::Adapters::new(columns))
}
