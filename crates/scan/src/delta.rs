//! Delta Lake tables.

use crate::counters::ScanCounters;
use crate::scans::{OpenTable, Scans};
use catalog::{Table, TableEntry};
use lake::Lake;
use model::{Error, Result};
use std::sync::Arc;

pub(crate) async fn is_delta(_lake: &Lake, _table: &Table) -> Result<bool> {
    Ok(false)
}

pub(crate) async fn open(_: &Scans, _: &TableEntry, _: Arc<ScanCounters>) -> Result<OpenTable> {
    Err(Error::unsupported("delta"))
}
