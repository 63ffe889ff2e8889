//! A lake and a catalog in a temporary folder, files written into them, and queries over them.

use arrow::array::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use catalog::{Catalog, Database, Partition, SerDe, StorageDescriptor, Table, TableEntry};
use datafusion::dataframe::DataFrame;
use datafusion::prelude::{SessionConfig, SessionContext};
use lake::{Lake, LakeConfig, PutOptions};
use model::{Column, EntityName, HiveType};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use scan::{OpenTable, ScanCounters, ScanOptions, ScanReport, Scans, runtime_env};
use state::Clock;
use std::sync::Arc;

pub(crate) const PARQUET: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";

pub(crate) struct World {
    pub(crate) lake: Arc<Lake>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) scans: Scans,
    _folder: tempfile::TempDir,
}

/// A table that was opened, with what its scans have counted.
pub(crate) struct Opened {
    pub(crate) table: OpenTable,
    counters: Arc<ScanCounters>,
    context: SessionContext,
}

pub(crate) fn name(text: &str) -> EntityName {
    EntityName::new(text).unwrap()
}

pub(crate) fn column(name: &str, hive_type: &str) -> Column {
    Column::new(name, hive_type.parse::<HiveType>().unwrap())
}

/// A table of Parquet files under `s3://data/<name>/`.
pub(crate) fn parquet_table(table: &str, columns: &[(&str, &str)], keys: &[(&str, &str)]) -> Table {
    let of = |list: &[(&str, &str)]| list.iter().map(|(name, kind)| column(name, kind)).collect::<Vec<_>>();
    Table {
        storage: StorageDescriptor {
            columns: of(columns),
            location: Some(format!("s3://data/{table}/")),
            serde: SerDe { library: Some(PARQUET.to_owned()), ..SerDe::default() },
            ..StorageDescriptor::default()
        },
        partition_keys: of(keys),
        ..Table::new(name(table))
    }
}

/// The bytes of a Parquet file.
pub(crate) fn parquet_bytes(batch: &RecordBatch, properties: Option<WriterProperties>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), properties).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(ScanOptions::default()).await
    }

    pub(crate) async fn with(options: ScanOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = Arc::new(Lake::open(LakeConfig::local(folder.path())).await.unwrap());
        lake.create_bucket(&"data".parse().unwrap()).await.unwrap();
        let db = state::Database::sqlite(&folder.path().join("state.db")).await.unwrap();
        let catalog = Arc::new(Catalog::open(db, Clock::system()).await.unwrap());
        catalog.create_database(Database::new(name("db"))).await.unwrap();
        let scans = Scans::new(Arc::clone(&catalog), Arc::clone(&lake), options);
        Self { lake, catalog, scans, _folder: folder }
    }

    pub(crate) async fn put(&self, key: &str, bytes: impl Into<bytes::Bytes>) {
        let uri = format!("s3://data/{key}").parse().unwrap();
        self.lake.put(&uri, bytes.into(), PutOptions::default()).await.unwrap();
    }

    pub(crate) async fn put_parquet(&self, key: &str, batch: &RecordBatch) {
        self.put(key, parquet_bytes(batch, None)).await;
    }

    pub(crate) async fn create(&self, table: Table) -> TableEntry {
        self.catalog.create_table(&name("db"), table).await.unwrap()
    }

    pub(crate) async fn partitions(&self, table: &TableEntry, values: &[&[&str]]) {
        let storage = StorageDescriptor { location: None, ..table.table.storage.clone() };
        let partitions = values.iter().map(|values| Partition {
            storage: storage.clone(),
            ..Partition::new(values.iter().map(ToString::to_string).collect())
        });
        let done = self.catalog.create_partitions(&name("db"), &table.table.name, partitions.collect()).await;
        assert!(done.unwrap().errors.is_empty());
    }

    pub(crate) async fn open(&self, table: &TableEntry) -> Opened {
        self.try_open(table, ScanCounters::default()).await.unwrap()
    }

    pub(crate) async fn try_open(&self, table: &TableEntry, counters: ScanCounters) -> model::Result<Opened> {
        let counters = Arc::new(counters);
        let opened = self.scans.open(table, Arc::clone(&counters)).await?;
        Ok(self.opened(opened, counters))
    }

    pub(crate) fn opened(&self, table: OpenTable, counters: Arc<ScanCounters>) -> Opened {
        let config = SessionConfig::new().with_target_partitions(2);
        let runtime = runtime_env(&self.lake, None, None).unwrap();
        Opened { table, counters, context: SessionContext::new_with_config_rt(config, runtime) }
    }
}

impl Opened {
    pub(crate) fn frame(&self) -> DataFrame {
        self.context.read_table(Arc::clone(&self.table.provider)).unwrap()
    }

    pub(crate) fn report(&self) -> ScanReport {
        self.counters.snapshot()
    }
}

/// The rows of a query as lines of text, sorted; the header first.
pub(crate) async fn rows(frame: DataFrame) -> Vec<String> {
    try_rows(frame).await.unwrap()
}

/// The same, or the error as the house says it.
pub(crate) async fn try_rows(frame: DataFrame) -> model::Result<Vec<String>> {
    let batches = frame.collect().await.map_err(scan::error)?;
    let text = pretty_format_batches(&batches).unwrap().to_string();
    let mut lines: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            cells.join("|")
        })
        .collect();
    if lines.len() > 1 {
        lines[1..].sort();
    }
    Ok(lines)
}
