//! Segments: files of batches, their sparse index, and the walk over a file that finds both or the damage in it.

use super::files::{self, failed};
use super::format::{
    BatchHeader, SEGMENT_HEADER, SegmentHeader, checksum, i64_at, read_batch, u32_at, u64_at,
};
use bytes::Bytes;
use model::Result;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

const INDEX_MAGIC: u32 = u32::from_le_bytes(*b"GLIX");
const INDEX_HEADER: usize = 56;
const WINDOW: usize = 1 << 20;
const LEAST_WINDOW: usize = 32 << 10;
/// One entry of an index for so many bytes.
const STRIDE: u64 = 64 << 10;

/// Where a batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) ordinal: u64,
    pub(crate) position: u64,
    pub(crate) time: i64,
}

/// What is known of a segment without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The first ordinal; the file is named by it.
    pub(crate) base: u64,
    /// The ordinal behind the last.
    pub(crate) end: u64,
    pub(crate) length: u64,
    pub(crate) first_time: i64,
    pub(crate) last_time: i64,
    pub(crate) salt: u64,
    /// Kept for the segment that is being written; a finished one has it in a file beside it.
    pub(crate) index: Vec<Entry>,
}

impl Segment {
    /// A segment without batches.
    pub(crate) fn new(base: u64, salt: u64) -> Self {
        Self {
            base,
            end: base,
            length: SEGMENT_HEADER as u64,
            first_time: 0,
            last_time: 0,
            salt,
            index: Vec::new(),
        }
    }

    /// Takes note of a batch at the end.
    pub(crate) fn add(&mut self, header: &BatchHeader) {
        if self.index.last().is_none_or(|last| self.length - last.position >= STRIDE) {
            self.index.push(Entry { ordinal: header.first, position: self.length, time: header.time });
        }
        if self.end == self.base {
            self.first_time = header.time;
        }
        self.end = header.end();
        self.last_time = header.time;
        self.length += header.length() as u64;
    }
}

pub(crate) fn segment_path(folder: &Path, base: u64) -> PathBuf {
    folder.join(format!("{base:020}.seg"))
}

pub(crate) fn index_path(segment: &Path) -> PathBuf {
    segment.with_extension("index")
}

/// The bases of a folder's segments, in order.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<u64>> {
    let mut bases = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let base: Option<u64> =
            name.to_str().and_then(|name| name.strip_suffix(".seg")).and_then(|n| n.parse().ok());
        bases.extend(base);
    }
    bases.sort_unstable();
    Ok(bases)
}

/// What a walk over a segment has found.
pub(crate) struct Walk {
    /// What is whole, from the beginning; its length is where the walk ended.
    pub(crate) segment: Segment,
    /// Bytes in the file behind that.
    pub(crate) rest: u64,
}

/// Reads a segment from its beginning for as long as its batches are whole and follow each other.
pub(crate) fn walk(path: &Path, shard: u32, base: u64) -> Result<Walk> {
    walk_on(path, shard, base, None, |_, _| ())
}

/// The same from where an index ends, if it is of this segment. Of what follows, `seen` hears each batch and its position.
pub(crate) fn walk_on(
    path: &Path,
    shard: u32,
    base: u64,
    known: Option<Segment>,
    mut seen: impl FnMut(&BatchHeader, u64),
) -> Result<Walk> {
    let wrong = |e| failed("reading a segment", path, e);
    let file = File::open(path).map_err(wrong)?;
    let size = file.metadata().map_err(wrong)?.len();
    let head = files::read_at(&file, 0, SEGMENT_HEADER).map_err(wrong)?;
    let Some(header) = SegmentHeader::read(&head).filter(|h| h.shard == shard && h.base == base) else {
        return Ok(Walk { segment: Segment { length: 0, ..Segment::new(base, 0) }, rest: size });
    };
    let known = known.filter(|known| known.salt == header.salt && known.length <= size);
    let mut segment = known.unwrap_or_else(|| Segment::new(base, header.salt));
    let mut window = Window::new(&file, size);
    while let Some((batch, _)) = window.batch_at(segment.length, segment.salt).map_err(wrong)? {
        if batch.first != segment.end {
            break;
        }
        seen(&batch, segment.length);
        segment.add(&batch);
    }
    let rest = size.saturating_sub(segment.length);
    Ok(Walk { segment, rest })
}

/// A part of a file in memory: wide enough for the batch that is asked for. What was taken from it keeps it.
pub(crate) struct Window<'a> {
    file: &'a File,
    size: u64,
    start: u64,
    bytes: Bytes,
    /// How many bytes are read at a time.
    step: usize,
}

impl<'a> Window<'a> {
    pub(crate) fn new(file: &'a File, size: u64) -> Self {
        Self { file, size, start: 0, bytes: Bytes::new(), step: WINDOW }
    }

    /// From now on it is for a reader who wants about that many bytes of records; these have lengths and headers before them.
    pub(crate) fn wants(&mut self, bytes: usize) {
        let bytes = bytes.min(WINDOW);
        self.step = (bytes + bytes / 8 + LEAST_WINDOW / 16).clamp(LEAST_WINDOW, WINDOW);
    }

    /// The batch that stands there, if it is whole: its header and its body.
    pub(crate) fn batch_at(&mut self, at: u64, salt: u64) -> io::Result<Option<(BatchHeader, Bytes)>> {
        let head = self.bytes_at(at, super::format::BATCH_HEADER)?;
        let Some(length) = BatchHeader::read(head).map(|header| header.length()) else { return Ok(None) };
        self.bytes_at(at, length)?;
        let from = (at - self.start) as usize;
        let whole = self.bytes.get(from..from.saturating_add(length));
        Ok(whole
            .and_then(|whole| read_batch(whole, salt))
            .map(|(header, body)| (header, self.bytes.slice_ref(body))))
    }

    /// At least that many bytes from there on, unless the file is shorter.
    pub(crate) fn bytes_at(&mut self, at: u64, length: usize) -> io::Result<&[u8]> {
        let end = (at + length as u64).min(self.size);
        let known = self.start + self.bytes.len() as u64;
        if at < self.start || end > known {
            // What is known already is moved, not read again.
            let kept = (self.start..known).contains(&at).then(|| (at - self.start) as usize);
            let kept = kept.and_then(|from| self.bytes.get(from..)).unwrap_or_default();
            let behind = at + kept.len() as u64;
            // A damaged header may claim any length: no more is read than the file has.
            let wanted = (end - behind).max(self.step as u64).min(self.size.saturating_sub(behind));
            let mut bytes = Vec::with_capacity(kept.len() + wanted as usize);
            bytes.extend_from_slice(kept);
            files::read_more(self.file, behind, wanted as usize, &mut bytes)?;
            (self.start, self.bytes) = (at, bytes.into());
        }
        Ok(self.bytes.get((at - self.start) as usize..).unwrap_or_default())
    }
}

/// Writes the index of a segment beside it: of a finished one, or of as much as is on disk of one that is being written.
/// It can always be made again, so it is not synced.
pub(crate) fn write_index(path: &Path, segment: &Segment) -> io::Result<()> {
    let mut bytes = vec![0; INDEX_HEADER];
    bytes[..4].copy_from_slice(&INDEX_MAGIC.to_le_bytes());
    let numbers =
        [segment.end, segment.length, segment.first_time as u64, segment.last_time as u64, segment.salt];
    for (number, at) in numbers.into_iter().zip((8..).step_by(8)) {
        bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
    }
    bytes[48..56].copy_from_slice(&(segment.index.len() as u64).to_le_bytes());
    for entry in &segment.index {
        bytes.extend_from_slice(&entry.ordinal.to_le_bytes());
        bytes.extend_from_slice(&entry.position.to_le_bytes());
        bytes.extend_from_slice(&entry.time.to_le_bytes());
    }
    let sum = checksum(segment.base, &[&bytes[8..]]);
    bytes[4..8].copy_from_slice(&sum.to_le_bytes());
    let (index, fresh) = (index_path(path), path.with_extension("index.new"));
    std::fs::write(&fresh, bytes)?;
    std::fs::rename(fresh, index)
}

/// Reads a finished segment's index. `None` if it is missing, damaged, or does not fit the segment's size.
pub(crate) fn read_index(path: &Path, base: u64) -> Option<Segment> {
    let segment = read_beginning(path, base)?;
    std::fs::metadata(path).is_ok_and(|file| file.len() == segment.length).then_some(segment)
}

/// Reads the index of a segment, or of its beginning. `None` if it is missing or damaged.
pub(crate) fn read_beginning(path: &Path, base: u64) -> Option<Segment> {
    let bytes = std::fs::read(index_path(path)).ok()?;
    let count = usize::try_from(u64_at(&bytes, 48)).ok()?;
    let whole = bytes.len() >= INDEX_HEADER
        && u32_at(&bytes, 0) == INDEX_MAGIC
        && Some(bytes.len()) == count.checked_mul(24).and_then(|n| n.checked_add(INDEX_HEADER))
        && u32_at(&bytes, 4) == checksum(base, &[&bytes[8..]]);
    if !whole {
        return None;
    }
    let index = bytes[INDEX_HEADER..]
        .chunks_exact(24)
        .map(|e| Entry { ordinal: u64_at(e, 0), position: u64_at(e, 8), time: i64_at(e, 16) })
        .collect();
    Some(Segment {
        base,
        end: u64_at(&bytes, 8),
        length: u64_at(&bytes, 16),
        first_time: i64_at(&bytes, 24),
        last_time: i64_at(&bytes, 32),
        salt: u64_at(&bytes, 40),
        index,
    })
}
