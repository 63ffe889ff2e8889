//! Files without a catalog table: what they are is told by looking into some of them.

use crate::columns::Columns;
use crate::counters::{Meter, ScanCounters};
use crate::files::{ScanFile, Tap, list_folder};
use crate::format::Layout;
use crate::provider::Source;
use crate::scans::{OpenTable, Scans};
use async_trait::async_trait;
use bytes::Bytes;
use catalog::{Parameters, SerDe, StorageDescriptor};
use crawl::classify::{Classification, Classifiers, Limits, merge};
use formats::RangeRead as _;
use model::{Error, ErrorKind, LakeUri, Place, Result};
use std::ops::Range;
use std::sync::Arc;

/// So many files are looked into.
const SAMPLES: usize = 8;

pub(crate) async fn open(scans: &Scans, at: &LakeUri, counters: Arc<ScanCounters>) -> Result<OpenTable> {
    let lake = &scans.inner.lake;
    if crate::delta::holds_log(lake, at).await? {
        return crate::delta::open_at(scans, at, None, counters).await;
    }
    let files = files_at(scans, at).await?;
    let meter = Meter::new(Arc::clone(&counters), scans.inner.options.bytes_cutoff);
    let found = classify(scans, &files, &meter).await?;
    let columns = Columns::new(&at.to_string(), &found.schema.columns, &[], false)?;
    let layout = Layout::of(&storage(&found), &parameters(&found), &columns)?;
    Ok(scans.table(columns, Arc::new(layout), Source::Files(Arc::new(files)), counters))
}

/// The object of that address, or the files of that folder.
async fn files_at(scans: &Scans, at: &LakeUri) -> Result<Vec<ScanFile>> {
    let lake = &scans.inner.lake;
    if !at.key().is_empty() && !at.key().ends_with('/') {
        match lake.head(at).await {
            Ok(info) => return Ok(vec![ScanFile::new(info)]),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let files = list_folder(lake, at).await?;
    match files.is_empty() {
        false => Ok(files),
        true => Err(Error::not_found("there is no file and no folder with files at this address")
            .at(Place::object(at))
            .hint("files that are empty or whose names begin with `_` or `.` are not read")),
    }
}

async fn classify(scans: &Scans, files: &[ScanFile], meter: &Meter) -> Result<Classification> {
    let step = files.len().div_ceil(SAMPLES).max(1);
    let mut all: Option<Classification> = None;
    for file in files.iter().step_by(step) {
        let reader = file.open(&scans.inner.lake).await?;
        let source = Sampled(Tap::new(reader, meter.clone()));
        let found = Classifiers::built_in().classify(&source, &Limits::default()).await?;
        all = Some(match &all {
            None => found,
            Some(before) => merge(before, &found).ok_or_else(|| {
                Error::invalid("the files cannot be read as one table")
                    .at(Place::object(file.uri()))
                    .why(format!(
                        "this one is {} with {} columns, others are {} with {}",
                        found.classification,
                        found.schema.columns.len(),
                        before.classification,
                        before.schema.columns.len()
                    ))
                    .hint("name one file, or a folder with files of one format and the same columns")
            })?,
        });
    }
    all.ok_or_else(|| Error::internal("no file was looked into"))
}

fn storage(found: &Classification) -> StorageDescriptor {
    let parameters = found.serde_parameters.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    StorageDescriptor {
        columns: found.schema.columns.clone(),
        input_format: Some(found.input_format.clone()),
        serde: SerDe { library: Some(found.serde_library.clone()), parameters, ..SerDe::default() },
        ..StorageDescriptor::default()
    }
}

fn parameters(found: &Classification) -> Parameters {
    found.table_parameters.iter().map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// An open file for the classifiers.
struct Sampled(Tap);

#[async_trait]
impl crawl::classify::Source for Sampled {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn size(&self) -> u64 {
        self.0.size()
    }

    async fn read_range(&self, range: Range<u64>) -> Result<Bytes> {
        self.0.read(range.start..range.end.min(self.0.size())).await
    }
}
