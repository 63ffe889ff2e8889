//! Delta Lake tables: the log says which files are there and with which columns; they are read like any Parquet files.
//! Changes go through the log's own protocol, so that of two writers one wins and no reader sees half of a change.

mod change;
mod log;

pub use change::{MergeClause, MergeCounts, delete, merge, update};
pub(crate) use log::{DeltaFile, holds_log};

use crate::columns::{ColumnKind, Columns, ScanColumn};
use crate::counters::ScanCounters;
use crate::format::Layout;
use crate::provider::Source;
use crate::scans::{OpenTable, Scans};
use catalog::{Table, TableEntry};
use lake::Lake;
use model::{Error, LakeUri, Result};
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

pub(crate) async fn open(
    scans: &Scans,
    entry: &TableEntry,
    counters: Arc<ScanCounters>,
) -> Result<OpenTable> {
    open_at(scans, &location(entry)?, Some(entry), counters).await
}

/// The newest version of the table at that address. Comments come from the catalog, everything else from the log.
pub(crate) async fn open_at(
    scans: &Scans,
    at: &LakeUri,
    entry: Option<&TableEntry>,
    counters: Arc<ScanCounters>,
) -> Result<OpenTable> {
    let snapshot = log::read(&scans.inner.lake, at).await?;
    let comment = |name: &str| {
        let entry = entry?;
        let known = entry.table.storage.columns.iter().chain(&entry.table.partition_keys);
        known.into_iter().find(|column| column.name.eq_ignore_ascii_case(name))?.comment.clone()
    };
    let of = |kind: ColumnKind| {
        let snapshot = &snapshot;
        snapshot.columns.iter().filter(move |(_, _, is)| *is == kind).map(move |(name, sql_type, _)| {
            ScanColumn { name: name.clone(), sql_type: sql_type.clone(), kind, comment: comment(name) }
        })
    };
    let all = of(ColumnKind::Data).chain(of(ColumnKind::Partition)).collect();
    let columns = Columns::of(&at.to_string(), all, false)?;
    let files = snapshot.chosen(at, &columns)?;
    let layout = Layout::plain(formats::FormatSpec::new(formats::Format::Parquet), &columns);
    Ok(scans.table(columns, Arc::new(layout), Source::Delta(Arc::new(files)), counters))
}
