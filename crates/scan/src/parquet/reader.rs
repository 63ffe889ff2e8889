//! Reading the bytes of Parquet files through the lake: each file is opened once, the pieces of a request are fetched
//! together, and everything is counted.

use super::footers::Footers;
use super::naming::Naming;
use crate::counters::Meter;
use crate::files::{FileReader, ScanFile};
use bytes::Bytes;
use datafusion::common::Result;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use lake::Lake;
use std::ops::Range;
use std::sync::Arc;

/// Makes readers for the files of one scan.
#[derive(Debug)]
pub(super) struct Readers {
    lake: Arc<Lake>,
    footers: Arc<Footers>,
    meter: Meter,
    naming: Arc<Naming>,
}

impl Readers {
    pub(super) fn new(lake: &Arc<Lake>, footers: &Arc<Footers>, meter: &Meter, naming: &Arc<Naming>) -> Self {
        Self {
            lake: Arc::clone(lake),
            footers: Arc::clone(footers),
            meter: meter.clone(),
            naming: Arc::clone(naming),
        }
    }
}

impl ParquetFileReaderFactory for Readers {
    fn create_reader(
        &self,
        _partition: usize,
        file: PartitionedFile,
        _hint: Option<usize>,
        _metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let file = ScanFile::of(&file).map_err(crate::external)?.clone();
        Ok(Box::new(Reader {
            lake: Arc::clone(&self.lake),
            footers: Arc::clone(&self.footers),
            meter: self.meter.clone(),
            naming: Arc::clone(&self.naming),
            file,
            open: None,
        }))
    }
}

/// One file. It is opened by the first read, so that a kept footer which rules the file out costs nothing.
struct Reader {
    lake: Arc<Lake>,
    footers: Arc<Footers>,
    meter: Meter,
    naming: Arc<Naming>,
    file: ScanFile,
    open: Option<FileReader>,
}

impl Reader {
    async fn opened(&mut self) -> model::Result<FileReader> {
        if let Some(open) = &self.open {
            return Ok(open.clone());
        }
        let open = self.file.open(&self.lake).await?;
        self.open = Some(open.clone());
        Ok(open)
    }

    async fn read(&mut self, ranges: Vec<Range<u64>>) -> model::Result<Vec<Bytes>> {
        self.meter.bytes(ranges.iter().map(|range| range.end.saturating_sub(range.start)).sum())?;
        self.opened().await?.ranges(&ranges).await
    }
}

fn carried(e: model::Error) -> ParquetError {
    ParquetError::External(Box::new(e))
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        async move {
            let mut pieces = self.read(vec![range]).await.map_err(carried)?;
            pieces.pop().ok_or_else(|| ParquetError::General("nothing was read".to_owned()))
        }
        .boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        async move { self.read(ranges).await.map_err(carried) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        async move {
            if let Some(footer) = self.footers.get(&self.file, &self.naming) {
                return Ok(footer);
            }
            let open = self.opened().await.map_err(carried)?;
            self.footers.read(&self.file, &self.naming, &open, &self.meter).await.map_err(carried)
        }
        .boxed()
    }
}
