//! Footers, read once and kept as long as the file is the same: bounded in bytes, the least recently used ones go first.

use super::naming::Naming;
use crate::counters::Meter;
use crate::files::{FileReader, ScanFile};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::FOOTER_SIZE;
use datafusion::parquet::file::metadata::{FooterTail, ParquetMetaData, ParquetMetaDataReader};
use model::{Error, Place, Result};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// So many bytes from the end are read at first: enough for the footers of most files.
const FIRST_READ: u64 = 64 << 10;

/// A larger footer than this is no footer.
const MAX_FOOTER: u64 = 512 << 20;

/// What is kept of a file.
pub(crate) type Footer = Arc<ParquetMetaData>;

/// The kept footers.
#[derive(Debug)]
pub(crate) struct Footers {
    limit: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<(String, Arc<Naming>), Entry>,
    /// From the last use to the key.
    uses: BTreeMap<u64, (String, Arc<Naming>)>,
    clock: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    etag: String,
    size: u64,
    footer: Footer,
    bytes: usize,
    used: u64,
}

impl Footers {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, kept: Mutex::default() }
    }

    /// How many there are, and the memory they take.
    pub(crate) fn size(&self) -> (usize, usize) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        (kept.entries.len(), kept.bytes)
    }

    pub(crate) fn clear(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Kept::default();
    }

    /// The footer of that version of the file, if it is kept.
    pub(crate) fn get(&self, file: &ScanFile, naming: &Arc<Naming>) -> Option<Footer> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let now = kept.clock;
        let key = (file.name().to_owned(), Arc::clone(naming));
        let entry = kept.entries.get_mut(&key)?;
        if entry.etag != file.etag() || entry.size != file.size() {
            return None;
        }
        let before = std::mem::replace(&mut entry.used, now);
        let footer = Arc::clone(&entry.footer);
        kept.uses.remove(&before);
        kept.uses.insert(now, key);
        Some(footer)
    }

    fn put(&self, file: &ScanFile, naming: &Arc<Naming>, footer: &Footer) {
        let bytes = footer.memory_size();
        if bytes > self.limit {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let used = kept.clock;
        let key = (file.name().to_owned(), Arc::clone(naming));
        kept.remove(&key);
        let entry = Entry {
            etag: file.etag().to_owned(),
            size: file.size(),
            footer: Arc::clone(footer),
            bytes,
            used,
        };
        kept.entries.insert(key.clone(), entry);
        kept.uses.insert(used, key);
        kept.bytes += bytes;
        while kept.bytes > self.limit {
            let Some((_, oldest)) = kept.uses.pop_first() else { break };
            kept.remove(&oldest);
        }
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

impl Kept {
    fn remove(&mut self, key: &(String, Arc<Naming>)) {
        if let Some(entry) = self.entries.remove(key) {
            self.uses.remove(&entry.used);
            self.bytes -= entry.bytes;
        }
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
