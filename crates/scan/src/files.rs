//! The files of a folder, and one file as the scan carries it from the listing to the reader.

use crate::counters::Meter;
use bytes::Bytes;
use datafusion::datasource::listing::PartitionedFile;
use formats::RangeRead;
use futures::future::BoxFuture;
use futures::{FutureExt, TryStreamExt};
use lake::{Lake, ObjectInfo, ObjectReader};
use model::{Error, LakeUri, Result};
use object_store::ObjectMeta;
use object_store::path::Path;
use std::ops::Range;
use std::sync::Arc;

/// The class of input formats whose files hold the addresses of the files to read.
pub(crate) const SYMLINKS: &str = "SymlinkTextInputFormat";

/// A manifest of addresses is small.
const MAX_MANIFEST: u64 = 64 << 20;

/// A listed file; an extension of DataFusion's `PartitionedFile`.
#[derive(Debug, Clone)]
pub(crate) struct ScanFile {
    pub(crate) info: Arc<ObjectInfo>,
}

/// How many rows a file has, known before it is opened; an extension of DataFusion's `PartitionedFile`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownRows(pub(crate) usize);

impl ScanFile {
    pub(crate) fn new(info: ObjectInfo) -> Self {
        Self { info: Arc::new(info) }
    }

    pub(crate) fn uri(&self) -> &LakeUri {
        &self.info.uri
    }

    /// The file for DataFusion. It is read by its address, so that the path only has to be a path.
    pub(crate) fn partitioned(&self) -> PartitionedFile {
        let key = self.info.uri.key();
        let location = Path::parse(key).unwrap_or_else(|_| Path::from(key));
        PartitionedFile::new_from_meta(ObjectMeta {
            location,
            last_modified: self.info.last_modified,
            size: self.info.size,
            e_tag: Some(self.info.etag.clone()),
            version: None,
        })
        .with_extension(self.clone())
    }

    /// The file that a scan carried.
    pub(crate) fn of(file: &PartitionedFile) -> Result<&ScanFile> {
        file.extension::<ScanFile>().ok_or_else(|| Error::internal("a file came without its address"))
    }

    /// Opens it, as the object that was listed.
    pub(crate) async fn open(&self, lake: &Lake) -> Result<ObjectReader> {
        lake.reader_of(&self.info).await
    }
}

/// The files under a folder, at any depth: without those that are hidden (a name or folder that begins with `_` or `.`)
/// and without empty ones. A folder that is not there has no files; a bucket that is not there is an error.
pub(crate) async fn list_folder(lake: &Lake, folder: &LakeUri) -> Result<Vec<ScanFile>> {
    let folder = folder.as_folder();
    let start = folder.key().len();
    let files = lake.list(&folder).try_filter_map(move |info| {
        let shown = info.size > 0 && !is_hidden(info.uri.key().get(start..).unwrap_or_default());
        std::future::ready(Ok(shown.then(|| ScanFile::new(info))))
    });
    files.try_collect().await
}

fn is_hidden(relative: &str) -> bool {
    relative.split('/').any(|segment| segment.starts_with(['_', '.']))
}

/// The files that the manifests of a folder name, one address a line.
pub(crate) async fn follow_manifests(lake: &Lake, manifests: Vec<ScanFile>) -> Result<Vec<ScanFile>> {
    let mut files = Vec::new();
    for manifest in manifests {
        let at = || model::Place::object(manifest.uri());
        if manifest.info.size > MAX_MANIFEST {
            return Err(Error::invalid("the manifest is too large to be a list of files").at(at()));
        }
        let bytes = lake.read(manifest.uri()).await?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|e| Error::corrupt("the manifest is no text").at(at()).source_is(e))?;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let uri: LakeUri = line.parse().map_err(|e: Error| e.at_if_unknown(at))?;
            files.push(ScanFile::new(lake.head(&uri).await?));
        }
    }
    Ok(files)
}

/// An open file whose reads are counted.
pub(crate) struct Tap {
    reader: ObjectReader,
    meter: Meter,
    name: String,
}

impl Tap {
    pub(crate) fn new(reader: ObjectReader, meter: Meter) -> Self {
        let name = reader.info().uri.to_string();
        Self { reader, meter, name }
    }
}

impl RangeRead for Tap {
    fn size(&self) -> u64 {
        self.reader.info().size
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        async move {
            self.meter.bytes(range.end.saturating_sub(range.start))?;
            self.reader.range(range).await
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_names() {
        for hidden in ["_SUCCESS", ".crc", "a/_temporary/b", "a/.x/y.csv"] {
            assert!(is_hidden(hidden), "{hidden}");
        }
        assert!(!is_hidden("a/b_c/d.e") && !is_hidden(""));
    }
}
