//! Delta Lake tables: the log says which files are there and with which columns; they are read like any Parquet files.
//! Changes go through the log's own protocol, so that of two writers one wins and no reader sees half of a change.

mod change;
mod commit;
mod create;
mod log;
mod marks;
mod shape;
mod stats;
mod target;

pub use change::{Change, Changes, RowAction};
pub use commit::{Operation, Ready, Staged};
pub use create::{NewColumn, NewTable};
pub use target::{DeltaColumn, Writing};

pub(crate) use log::holds_log;

use crate::columns::{ColumnKind, Columns, ScanColumn};
use crate::counters::ScanCounters;
use crate::format::Layout;
use crate::plain::FileGate;
use crate::provider::Source;
use crate::scans::{OpenTable, Scans};
use catalog::{Table, TableEntry};
use lake::Lake;
use model::{Column, Error, LakeUri, Result};
use std::sync::Arc;

/// Whether a catalog table is a Delta table: by its properties, or by the log at its location.
pub async fn is_delta(lake: &Lake, table: &Table) -> Result<bool> {
    let says = |key: &str| {
        let found = table.parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(key));
        found.is_some_and(|(_, value)| value.trim().eq_ignore_ascii_case("delta"))
    };
    if says("table_type") || says("spark.sql.sources.provider") || says("classification") {
        return Ok(true);
    }
    // Tables that name a format of their own are not asked for a log: that would cost each query a listing.
    if table.storage.serde.library.is_some() || !table.partition_keys.is_empty() {
        return Ok(false);
    }
    match table.storage.location.as_deref().map(str::parse::<LakeUri>) {
        Some(Ok(location)) => holds_log(lake, &location).await,
        _ => Ok(false),
    }
}

/// Where a Delta table of the catalog lies.
pub(crate) fn location(entry: &TableEntry) -> Result<LakeUri> {
    let path = entry.table.storage.serde.parameters.get("path");
    let location = entry.table.storage.location.as_ref().filter(|text| !text.is_empty()).or(path);
    let location = location
        .ok_or_else(|| Error::invalid(format!("the Delta table `{}` has no location", entry.table.name)))?;
    location.parse()
}

/// The columns that the table's log says, as a catalog has them: those of the files and those of the partitions.
/// Comments come from the catalog.
pub async fn log_columns(lake: &Lake, entry: &TableEntry) -> Result<(Vec<Column>, Vec<Column>)> {
    let snapshot = log::read(lake, &location(entry)?).await?;
    let (mut data, mut keys) = (Vec::new(), Vec::new());
    for column in &snapshot.columns {
        let mut described = Column::new(column.name.to_lowercase(), column.shown().to_hive()?);
        described.comment = comment(entry, &column.name);
        match column.kind {
            ColumnKind::Partition => keys.push(described),
            _ => data.push(described),
        }
    }
    Ok((data, keys))
}

fn comment(entry: &TableEntry, name: &str) -> Option<String> {
    let mut known = entry.table.storage.columns.iter().chain(&entry.table.partition_keys);
    known.find(|column| column.name.eq_ignore_ascii_case(name))?.comment.clone()
}

pub(crate) async fn open(
    scans: &Scans,
    entry: &TableEntry,
    counters: Arc<ScanCounters>,
    gate: Option<Arc<dyn FileGate>>,
) -> Result<OpenTable> {
    open_at(scans, &location(entry)?, Some(entry), counters, gate).await
}

/// The newest version of the table at that address. Comments come from the catalog, everything else from the log.
pub(crate) async fn open_at(
    scans: &Scans,
    at: &LakeUri,
    entry: Option<&TableEntry>,
    counters: Arc<ScanCounters>,
    gate: Option<Arc<dyn FileGate>>,
) -> Result<OpenTable> {
    let snapshot = log::read(&scans.inner.lake, at).await?;
    let of = |kind: ColumnKind| {
        let snapshot = &snapshot;
        snapshot.columns.iter().filter(move |column| column.kind == kind).map(move |column| ScanColumn {
            name: column.name.to_lowercase(),
            sql_type: column.shown(),
            kind,
            comment: entry.and_then(|entry| comment(entry, &column.name)),
        })
    };
    let all = of(ColumnKind::Data).chain(of(ColumnKind::Partition)).collect();
    let columns = Columns::of(&at.to_string(), all, false)?;
    let files = snapshot.chosen(at, &columns)?;
    let layout = Layout::plain(formats::FormatSpec::new(formats::Format::Parquet), &columns);
    Ok(scans.table(columns, Arc::new(layout), Source::Files(Arc::new(files)), counters, gate))
}
