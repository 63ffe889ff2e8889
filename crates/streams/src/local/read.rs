//! Reading: from an ordinal on, in windows of a segment's file, every batch checked.

use super::files::{self, failed};
use super::format::{BatchHeader, BodyReader, read_batch};
use super::segment::{Entry, Segment, Window, read_index, segment_path, walk};
use super::shard::{ShardState, lock};
use crate::Record;
use bytes::Bytes;
use chrono::DateTime;
use model::{Error, Place, Result};
use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Indexes of finished segments that are kept in memory, the last used ones.
const CACHED: usize = 256;

/// What one read has found.
pub(crate) struct Chunk {
    pub(crate) records: Vec<Record>,
    pub(crate) bytes: usize,
    /// The next ordinal to read.
    pub(crate) next: u64,
    /// Whether that is the shard's tip.
    pub(crate) at_tip: bool,
}

/// How much one read may answer.
#[derive(Clone, Copy)]
pub(crate) struct Want {
    pub(crate) limit: usize,
    pub(crate) bytes: usize,
    /// Records that arrived earlier are not kept any more.
    pub(crate) cutoff: i64,
}

impl Want {
    /// About how many bytes the answer still takes, if what comes is like what it has.
    fn left(self, chunk: &Chunk) -> usize {
        let bytes = self.bytes.saturating_sub(chunk.bytes);
        match chunk.bytes.checked_div(chunk.records.len()) {
            Some(each) => bytes.min(self.limit.saturating_sub(chunk.records.len()).saturating_mul(each)),
            None => bytes,
        }
    }
}

type Cached = (PathBuf, Arc<Vec<Entry>>);

/// The last used indexes.
#[derive(Default)]
pub(crate) struct IndexCache {
    last_used: Mutex<VecDeque<Cached>>,
}

impl IndexCache {
    fn get(&self, shard: &ShardState, base: u64) -> Result<Arc<Vec<Entry>>> {
        let path = segment_path(&shard.folder, base);
        {
            let mut cache = lock(&self.last_used);
            if let Some(at) = cache.iter().position(|(cached, _)| *cached == path)
                && let Some(hit) = cache.remove(at)
            {
                let index = Arc::clone(&hit.1);
                cache.push_front(hit);
                return Ok(index);
            }
        }
        let segment = match read_index(&path, base) {
            Some(segment) => segment,
            None => walk(&path, shard.id.0, base)?.segment,
        };
        let index = Arc::new(segment.index);
        let mut cache = lock(&self.last_used);
        cache.push_front((path, Arc::clone(&index)));
        cache.truncate(CACHED);
        Ok(index)
    }

    /// Forgets the segments of a folder.
    pub(crate) fn forget(&self, folder: &Path) {
        lock(&self.last_used).retain(|(path, _)| !path.starts_with(folder));
    }
}

/// What a reader needs of a segment. The index is there only while the segment is being written.
struct Spot {
    base: u64,
    end: u64,
    length: u64,
    salt: u64,
    start: Option<u64>,
}

/// Where readers have stopped: they mostly go on there, and an index only knows one place in many batches.
#[derive(Default)]
pub(crate) struct Stopped(VecDeque<Stop>);

struct Stop {
    base: u64,
    /// Tells a segment from one that was written in its place.
    salt: u64,
    /// The first ordinal of the batch there.
    first: u64,
    position: u64,
}

impl Stopped {
    /// How many readers at once are remembered.
    const MOST: usize = 8;

    /// The last place known at which a batch begins that has the ordinal or stands before it.
    fn find(&self, spot: &Spot, ordinal: u64) -> Option<u64> {
        let here = self.0.iter().filter(|s| s.base == spot.base && s.salt == spot.salt && s.first <= ordinal);
        here.max_by_key(|stop| stop.first).map(|stop| stop.position)
    }

    fn keep(&mut self, spot: &Spot, first: u64, position: u64) {
        let (base, salt) = (spot.base, spot.salt);
        self.0.retain(|stop| (stop.base, stop.first) != (base, first));
        self.0.push_front(Stop { base, salt, first, position });
        self.0.truncate(Self::MOST);
    }
}

fn spot(segment: &Segment, active: bool, before: impl Fn(&Entry) -> bool) -> Spot {
    Spot {
        base: segment.base,
        end: segment.end,
        length: segment.length,
        salt: segment.salt,
        start: active.then(|| position(&segment.index, before)),
    }
}

/// Where to begin in a segment: the last entry for which `before` holds, or the first batch.
fn position(index: &[Entry], before: impl Fn(&Entry) -> bool) -> u64 {
    let at = index.partition_point(|entry| before(entry));
    index.get(at.saturating_sub(1)).map_or(super::format::SEGMENT_HEADER as u64, |entry| entry.position)
}

enum Next {
    Tip,
    Hidden(u64),
    Hole(u64),
    In(Spot),
}

/// Reads records from an ordinal on. Damage behind records that were found is left for the next read to report.
pub(crate) fn read(shard: &ShardState, cache: &IndexCache, from: u64, want: Want) -> Result<Chunk> {
    let mut chunk = Chunk { records: Vec::new(), bytes: 0, next: from, at_tip: false };
    loop {
        let next = {
            let files = lock(&shard.files);
            chunk.next = chunk.next.max(files.trim);
            let at = files.segments.partition_point(|segment| segment.end <= chunk.next);
            match files.segments.get(at) {
                _ if chunk.next >= files.next => Next::Tip,
                Some(segment) if segment.base > chunk.next => Next::Hole(segment.base),
                None => Next::Hole(files.next),
                Some(segment) if segment.last_time < want.cutoff => Next::Hidden(segment.end),
                Some(segment) => {
                    let active = files.active && at + 1 == files.segments.len();
                    Next::In(spot(segment, active, |entry| entry.ordinal <= chunk.next))
                }
            }
        };
        match next {
            Next::Tip => {
                chunk.at_tip = true;
                return Ok(chunk);
            }
            Next::Hidden(end) => chunk.next = end,
            Next::Hole(_) if !chunk.records.is_empty() => return Ok(chunk),
            Next::Hole(end) => return Err(missing(shard, chunk.next, end)),
            Next::In(spot) => match read_segment(shard, cache, &spot, &mut chunk, want) {
                Ok(true) => {}
                Ok(false) => return Ok(chunk),
                // Retention may have taken the file away meanwhile.
                Err(_) if lock(&shard.files).trim > spot.base => {}
                Err(_) if !chunk.records.is_empty() => return Ok(chunk),
                Err(error) => return Err(error),
            },
        }
    }
}

/// Reads on in a segment. Answers whether there is room for more.
fn read_segment(
    shard: &ShardState,
    cache: &IndexCache,
    spot: &Spot,
    chunk: &mut Chunk,
    want: Want,
) -> Result<bool> {
    let path = segment_path(&shard.folder, spot.base);
    let known = match spot.start {
        Some(start) => start,
        None => position(&cache.get(shard, spot.base)?, |entry| entry.ordinal <= chunk.next),
    };
    let stopped = lock(&shard.stopped).find(spot, chunk.next);
    let start = stopped.map_or(known, |stopped| stopped.max(known));
    let file = File::open(&path).map_err(|e| failed("reading a segment", &path, e))?;
    let mut window = Window::new(&file, spot.length);
    let mut at = start;
    while chunk.next < spot.end {
        window.wants(want.left(chunk));
        let (header, body) = batch(&mut window, at, spot, &path)?;
        let here = at;
        at += header.length() as u64;
        if header.end() <= chunk.next {
            continue;
        }
        if header.is_gap() || header.time < want.cutoff {
            chunk.next = header.end();
            continue;
        }
        if !take(shard, (&header, body), spot.end - chunk.next, chunk, want) {
            lock(&shard.stopped).keep(spot, header.first, here);
            return Ok(false);
        }
    }
    lock(&shard.stopped).keep(spot, chunk.next, at);
    Ok(true)
}

fn batch(window: &mut Window<'_>, at: u64, spot: &Spot, path: &Path) -> Result<(BatchHeader, Bytes)> {
    let batch = window.batch_at(at, spot.salt).map_err(|e| failed("reading a segment", path, e))?;
    batch.ok_or_else(|| damaged(path, at))
}

/// Takes a batch's records into the answer; the segment has so many more. Answers whether there is room for more.
fn take(
    shard: &ShardState,
    (header, body): (&BatchHeader, Bytes),
    rest: u64,
    chunk: &mut Chunk,
    want: Want,
) -> bool {
    let arrived = DateTime::from_timestamp_millis(header.time).unwrap_or_default();
    if chunk.records.is_empty() {
        // As many as fit, if the others are as long as these.
        let each = (body.len() / (header.count as usize).max(1)).max(1);
        let room = (want.bytes / each + 1).min(want.limit);
        chunk.records.reserve(room.min(usize::try_from(rest).unwrap_or(usize::MAX)));
    }
    for (ordinal, (bytes, key)) in (header.first..).zip(BodyReader::new(body)) {
        if ordinal < chunk.next {
            continue;
        }
        let size = bytes.len();
        let full = chunk.records.len() >= want.limit || chunk.bytes + size > want.bytes;
        if full && !chunk.records.is_empty() {
            return false;
        }
        chunk.records.push(Record::new(shard.number(ordinal), arrived, bytes, key));
        chunk.bytes += size;
        chunk.next = ordinal + 1;
    }
    true
}

/// The first ordinal whose record arrived at that time or later, or the next one to come.
pub(crate) fn find_time(shard: &ShardState, cache: &IndexCache, time: i64) -> Result<u64> {
    let spot = {
        let files = lock(&shard.files);
        let at = files.segments.partition_point(|segment| segment.last_time < time);
        let Some(segment) = files.segments.get(at) else { return Ok(files.next) };
        if segment.first_time >= time {
            return Ok(segment.base.max(files.trim));
        }
        spot(segment, files.active && at + 1 == files.segments.len(), |entry| entry.time < time)
    };
    let path = segment_path(&shard.folder, spot.base);
    let mut at = match spot.start {
        Some(start) => start,
        None => position(&cache.get(shard, spot.base)?, |entry| entry.time < time),
    };
    let file = File::open(&path).map_err(|e| failed("reading a segment", &path, e))?;
    let mut window = Window::new(&file, spot.length);
    while at < spot.length {
        let (header, _) = batch(&mut window, at, &spot, &path)?;
        if header.time >= time {
            return Ok(header.first);
        }
        at += header.length() as u64;
    }
    Ok(spot.end)
}

pub(crate) const SKIP_HINT: &str =
    "skip the damage if you can do without these records; the damaged file is kept aside";

fn damaged(path: &Path, at: u64) -> Error {
    Error::corrupt(format!("a batch at byte {at} of this segment is damaged"))
        .at(Place::object(path.display()))
        .why("its checksum does not fit: the disk or somebody has changed the file")
        .hint(SKIP_HINT)
}

fn missing(shard: &ShardState, from: u64, to: u64) -> Error {
    Error::corrupt(format!("the segment with the records {from} to {} of {} is missing", to - 1, shard.id))
        .at(Place::object(shard.folder.display()))
        .why("the file was removed")
        .hint(SKIP_HINT)
}

/// Part of a file that holds no batch: where the next whole one begins, if there is one.
pub(crate) fn next_batch(
    file: &File,
    size: u64,
    from: u64,
    salt: u64,
    above: u64,
) -> std::io::Result<Option<u64>> {
    const STEP: usize = 1 << 20;
    let mut at = from;
    while at < size {
        let bytes = files::read_at(file, at, STEP + super::format::BATCH_HEADER)?;
        for offset in 0..bytes.len().min(STEP) {
            let Some(header) = BatchHeader::read(&bytes[offset..]) else { continue };
            let start = at + offset as u64;
            let whole = start + header.length() as u64 <= size && header.first >= above;
            if whole && read_batch(&files::read_at(file, start, header.length())?, salt).is_some() {
                return Ok(Some(start));
            }
        }
        at += STEP as u64;
    }
    Ok(None)
}
