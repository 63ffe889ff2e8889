//! Footers, read once and kept as long as the file is the same: bounded in bytes, the least recently used ones go first.

use super::naming::Naming;
use crate::counters::Meter;
use crate::files::{FileReader, ScanFile};
use crate::recent::Recent;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::FOOTER_SIZE;
use datafusion::parquet::file::metadata::{FooterTail, ParquetMetaData, ParquetMetaDataReader};
use model::{Error, Place, Result};
use std::sync::Arc;

/// So many bytes from the end are read at first: enough for the footers of most files.
const FIRST_READ: u64 = 64 << 10;

/// A larger footer than this is no footer.
const MAX_FOOTER: u64 = 512 << 20;

/// What is kept of a file.
pub(crate) type Footer = Arc<ParquetMetaData>;

/// The kept footers.
#[derive(Debug)]
pub(crate) struct Footers {
    kept: Recent<(String, Arc<Naming>), Entry>,
}

/// A footer, with the etag and the size of the file that it is of.
#[derive(Debug, Clone)]
struct Entry {
    etag: Arc<str>,
    size: u64,
    footer: Footer,
}

impl Footers {
    pub(crate) fn new(limit: usize) -> Self {
        Self { kept: Recent::new(limit) }
    }

    /// How many there are, and the memory they take.
    pub(crate) fn size(&self) -> (usize, usize) {
        self.kept.size()
    }

    pub(crate) fn clear(&self) {
        self.kept.clear();
    }

    /// The footer of that version of the file, if it is kept.
    pub(crate) fn get(&self, file: &ScanFile, naming: &Arc<Naming>) -> Option<Footer> {
        let Entry { etag, size, footer } = self.kept.get(&(file.name().to_owned(), Arc::clone(naming)))?;
        (&*etag == file.etag() && size == file.size()).then_some(footer)
    }

    fn put(&self, file: &ScanFile, naming: &Arc<Naming>, footer: &Footer) {
        let entry = Entry { etag: file.etag().into(), size: file.size(), footer: Arc::clone(footer) };
        self.kept.put((file.name().to_owned(), Arc::clone(naming)), entry, footer.memory_size());
    }

    /// The footer, from the file if it is not kept.
    pub(crate) async fn read(
        &self,
        file: &ScanFile,
        naming: &Arc<Naming>,
        reader: &FileReader,
        meter: &Meter,
    ) -> Result<Footer> {
        if let Some(footer) = self.get(file, naming) {
            return Ok(footer);
        }
        let bad = |e: ParquetError| damaged(file, &e.to_string());
        let footer = fetch(reader, meter).await?;
        let footer = naming.apply(footer, file.name()).map_err(bad)?;
        let footer = Arc::new(footer);
        self.put(file, naming, &footer);
        Ok(footer)
    }
}

async fn fetch(reader: &FileReader, meter: &Meter) -> Result<ParquetMetaData> {
    let file = reader.file();
    let size = file.size();
    let tail_size = FOOTER_SIZE as u64;
    if size < tail_size + 4 {
        return Err(damaged(file, &format!("the file has {size} bytes, less than any Parquet file")));
    }
    let start = size.saturating_sub(FIRST_READ);
    meter.bytes(size - start)?;
    let last = reader.range(start..size).await?;
    let tail: &[u8; FOOTER_SIZE] =
        last.last_chunk().ok_or_else(|| damaged(file, "the file ends too early"))?;
    let tail = FooterTail::try_new(tail)
        .map_err(|_| damaged(file, "the file does not end with the mark of a Parquet file"))?;
    if tail.is_encrypted_footer() {
        return Err(Error::unsupported("the Parquet file is encrypted").at(Place::object(file.name())));
    }
    let length = tail.metadata_length() as u64;
    if length > MAX_FOOTER || length + tail_size > size {
        let text = format!("the footer says that it has {length} bytes, the file has {size}");
        return Err(damaged(file, &text));
    }
    let from = size - tail_size - length;
    let bytes = if from >= start {
        let cut = |at: u64| usize::try_from(at - start).unwrap_or_default();
        last.slice(cut(from)..cut(size - tail_size))
    } else {
        meter.bytes(start - from)?;
        reader.range(from..size - tail_size).await?
    };
    ParquetMetaDataReader::decode_metadata(&bytes).map_err(|e| damaged(file, &e.to_string()))
}

fn damaged(file: &ScanFile, why: &str) -> Error {
    Error::corrupt("the Parquet footer cannot be read")
        .at(Place::object(file.name()))
        .why(why.lines().next().unwrap_or_default())
        .hint("the file is damaged, cut short or no Parquet: write it again, or move it out of the table's folder")
}
