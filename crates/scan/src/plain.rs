//! Plain files.
use crate::counters::ScanCounters;
use crate::scans::{OpenTable, Scans};
use model::{Error, LakeUri, Result};
use std::sync::Arc;

pub(crate) async fn open(_: &Scans, _: &LakeUri, _: Arc<ScanCounters>) -> Result<OpenTable> {
    Err(Error::unsupported("files"))
}
