//! The files of a folder, and one file as the scan carries it from the listing to the reader.

use crate::counters::Meter;
use crate::disk;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use datafusion::common::ScalarValue;
use datafusion::datasource::listing::PartitionedFile;
use formats::RangeRead;
use futures::future::BoxFuture;
use futures::{FutureExt, TryStreamExt};
use lake::{Lake, ObjectInfo, ObjectReader};
use model::{Error, LakeUri, Result};
use object_store::ObjectMeta;
use object_store::path::Path;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// The class of input formats whose files hold the addresses of the files to read.
pub(crate) const SYMLINKS: &str = "SymlinkTextInputFormat";

/// A manifest of addresses is small.
const MAX_MANIFEST: u64 = 64 << 20;

/// A listed file; an extension of DataFusion's `PartitionedFile`.
#[derive(Debug, Clone)]
pub(crate) struct ScanFile {
    facts: Arc<Facts>,
}

#[derive(Debug)]
struct Facts {
    name: String,
    size: u64,
    modified: DateTime<Utc>,
    /// Another one when the file has changed; may be empty.
    etag: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Lake(Box<ObjectInfo>),
    Disk(PathBuf),
}

/// How many rows a file has, known before it is opened; an extension of DataFusion's `PartitionedFile`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownRows(pub(crate) usize);

/// A file with what is the same in all of its rows.
#[derive(Debug, Clone)]
pub(crate) struct KnownFile {
    pub(crate) file: ScanFile,
    /// The values of the partition columns.
    pub(crate) values: Arc<[ScalarValue]>,
    /// The partition's name.
    pub(crate) name: Arc<str>,
    /// How many rows it has, where that is known before it is opened.
    pub(crate) rows: Option<usize>,
}

impl ScanFile {
    /// An object of the lake.
    pub(crate) fn new(info: ObjectInfo) -> Self {
        let facts = Facts {
            name: info.uri.to_string(),
            size: info.size,
            modified: info.last_modified,
            etag: info.etag.clone(),
            place: Place::Lake(Box::new(info)),
        };
        Self { facts: Arc::new(facts) }
    }

    /// A file of this machine.
    pub(crate) fn on_disk(path: PathBuf, facts: &std::fs::Metadata) -> Self {
        let modified = facts.modified().map(DateTime::<Utc>::from).unwrap_or_default();
        let facts = Facts {
            name: path.display().to_string(),
            size: facts.len(),
            modified,
            etag: disk::etag(facts),
            place: Place::Disk(path),
        };
        Self { facts: Arc::new(facts) }
    }

    /// Its address: `s3://bucket/key`, or its path on this machine.
    pub(crate) fn name(&self) -> &str {
        &self.facts.name
    }

    pub(crate) fn size(&self) -> u64 {
        self.facts.size
    }

    pub(crate) fn modified(&self) -> DateTime<Utc> {
        self.facts.modified
    }

    /// Another one when the file has changed; empty where that is not known.
    pub(crate) fn etag(&self) -> &str {
        &self.facts.etag
    }

    /// The last segment of its name.
    pub(crate) fn file_name(&self) -> &str {
        self.name().rsplit('/').next().unwrap_or_default()
    }

    /// The file for DataFusion. It is read by its address, so that the path only has to be a path.
    pub(crate) fn partitioned(&self) -> PartitionedFile {
        let key = match &self.facts.place {
            Place::Lake(info) => info.uri.key(),
            Place::Disk(_) => self.name(),
        };
        let location = Path::parse(key).unwrap_or_else(|_| Path::from(key));
        PartitionedFile::new_from_meta(ObjectMeta {
            location,
            last_modified: self.modified(),
            size: self.size(),
            e_tag: Some(self.etag().to_owned()),
            version: None,
        })
        .with_extension(self.clone())
    }

    /// The file that a scan carried.
    pub(crate) fn of(file: &PartitionedFile) -> Result<&ScanFile> {
        file.extension::<ScanFile>().ok_or_else(|| Error::internal("a file came without its address"))
    }

    /// Opens it, as the file that was listed.
    pub(crate) async fn open(&self, lake: &Lake) -> Result<FileReader> {
        let access = match &self.facts.place {
            Place::Lake(info) => Access::Lake(lake.reader_of(info).await?),
            Place::Disk(path) => Access::Disk(disk::OpenFile::open(path, self).await?),
        };
        Ok(FileReader { file: self.clone(), access })
    }
}

/// A file opened for reading pieces of it. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct FileReader {
    file: ScanFile,
    access: Access,
}

#[derive(Debug, Clone)]
enum Access {
    Lake(ObjectReader),
    Disk(disk::OpenFile),
}

impl FileReader {
    pub(crate) fn file(&self) -> &ScanFile {
        &self.file
    }

    /// Whether reading a little at a time costs little.
    pub(crate) fn is_near(&self) -> bool {
        match &self.access {
            Access::Lake(reader) => reader.is_near(),
            Access::Disk(_) => true,
        }
    }

    /// One piece.
    pub(crate) async fn range(&self, range: Range<u64>) -> Result<Bytes> {
        match &self.access {
            Access::Lake(reader) => reader.range(range).await,
            Access::Disk(open) => open.range(range).await,
        }
    }

    /// Several pieces, in the order asked for.
    pub(crate) async fn ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        match &self.access {
            Access::Lake(reader) => reader.ranges(ranges).await,
            Access::Disk(open) => {
                let mut pieces = Vec::with_capacity(ranges.len());
                for range in ranges {
                    pieces.push(open.range(range.clone()).await?);
                }
                Ok(pieces)
            }
        }
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

/// Whether a file is no data: a name or folder of its path begins with `_` or `.`.
pub(crate) fn is_hidden(relative: &str) -> bool {
    relative.split('/').any(|segment| segment.starts_with(['_', '.']))
}

/// The files that the manifests of a folder name, one address a line.
pub(crate) async fn follow_manifests(lake: &Lake, manifests: Vec<ScanFile>) -> Result<Vec<ScanFile>> {
    let mut files = Vec::new();
    for manifest in manifests {
        let at = || model::Place::object(manifest.name());
        if manifest.size() > MAX_MANIFEST {
            return Err(Error::invalid("the manifest is too large to be a list of files").at(at()));
        }
        let bytes = manifest.open(lake).await?.range(0..manifest.size()).await?;
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
    reader: FileReader,
    meter: Meter,
}

impl Tap {
    pub(crate) fn new(reader: FileReader, meter: Meter) -> Self {
        Self { reader, meter }
    }
}

impl RangeRead for Tap {
    fn size(&self) -> u64 {
        self.reader.file().size()
    }

    fn name(&self) -> &str {
        self.reader.file().name()
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
