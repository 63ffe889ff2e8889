//! The journal: the one file that a group commit syncs, however many shards the group touches.
//!
//! A header names the epoch, a random salt, and for every shard a *floor*: how much of it was durable when the epoch
//! began. Behind it stand frames, one a group: `[magic, checksum, group, length, parts]`, for each part
//! `[stream, shard, length, segment, offset]`, then the parts' bytes as they belong into the segments. Two files take
//! turns and are overwritten in place; frames of an earlier turn have another salt.

use super::files::{self, failed, read_at, read_more};
use super::format::{checksum, i64_at, u32_at, u64_at};
use model::Result;
use std::fs::{File, OpenOptions};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

pub(crate) const NAMES: [&str; 2] = ["journal-a", "journal-b"];
const MAGIC: u32 = u32::from_le_bytes(*b"GLJN");
const FRAME_MAGIC: u32 = u32::from_le_bytes(*b"GLFR");
const VERSION: u32 = 1;
const HEADER: usize = 40;
const FLOOR: usize = 56;
const FRAME: usize = 24;
const PART: usize = 32;
/// No segment is being written.
const NONE: u64 = u64::MAX;
/// What a header's flag says: frames may stand behind it; all that it held is durable in the segments; it was ended in
/// order, without a frame.
const LIVE: u32 = 0;
const RETIRED: u32 = 1;
const ENDED: u32 = 2;

/// How much of a shard is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Floor {
    pub(crate) stream: u64,
    pub(crate) shard: u32,
    /// Segments before this ordinal are trimmed.
    pub(crate) trim: u64,
    /// The segment that is being written, and its length.
    pub(crate) active: Option<(u64, u64)>,
    /// The next ordinal.
    pub(crate) next: u64,
    /// The last arrival time.
    pub(crate) time: i64,
}

/// Bytes for one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) stream: u64,
    pub(crate) shard: u32,
    pub(crate) base: u64,
    pub(crate) offset: u64,
    /// Within the frame while it is built, within the file when it was read.
    pub(crate) bytes: Range<usize>,
}

/// A journal that is being written.
pub(crate) struct Journal {
    pub(crate) path: PathBuf,
    file: File,
    pub(crate) epoch: u64,
    salt: u64,
    group: u64,
    start: u64,
    end: u64,
}

impl Journal {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(|e| failed("opening the journal", path, e))?;
        Ok(Self { path: path.into(), file, epoch: 0, salt: 0, group: 0, start: 0, end: 0 })
    }

    /// Begins an epoch: the file's old content is void.
    pub(crate) fn begin(&mut self, epoch: u64, floors: &[Floor]) -> Result<()> {
        let salt = files::random()?;
        let header = header(epoch, salt, LIVE, floors);
        self.file
            .write_all_at(&header, 0)
            .and_then(|()| self.file.sync_all())
            .map_err(|e| failed("beginning a journal", &self.path, e))?;
        (self.epoch, self.salt, self.group) = (epoch, salt, 1);
        self.start = header.len() as u64;
        self.end = self.start;
        Ok(())
    }

    /// Whether a frame of that size has room, given how large a journal should become. An empty one takes any.
    pub(crate) fn has_room(&self, frame: usize, size: u64) -> bool {
        self.end == self.start || self.end + frame as u64 <= size
    }

    /// Whether nothing was written since the epoch began.
    pub(crate) fn is_empty(&self) -> bool {
        self.end == self.start
    }

    /// Says that nothing stands behind the header, so that nobody has to look for it. Only the header's first bytes
    /// change, which no disk tears.
    pub(crate) fn end(&mut self) -> Result<()> {
        let wrong = |e| failed("ending the journal", &self.path, e);
        let mut header =
            read_at(&self.file, 0, usize::try_from(self.start).unwrap_or_default()).map_err(wrong)?;
        if !self.is_empty() || header.len() < HEADER || u32_at(&header, 12) != LIVE {
            return Ok(());
        }
        header[12..16].copy_from_slice(&ENDED.to_le_bytes());
        let sum = checksum(0, &[&header[8..]]);
        header[4..8].copy_from_slice(&sum.to_le_bytes());
        self.file.write_all_at(&header[..16], 0).and_then(|()| self.file.sync_data()).map_err(wrong)
    }

    /// Makes a frame durable. After an error it counts as not written, and the next one takes its place.
    pub(crate) fn append(&mut self, frame: &mut FrameBuilder) -> Result<()> {
        let bytes = frame.seal(self.salt, self.group);
        crashpoint::hit("streams.commit.before_journal");
        self.file.write_all_at(bytes, self.end).map_err(|e| failed("writing the journal", &self.path, e))?;
        crashpoint::hit("streams.commit.before_sync");
        self.file.sync_data().map_err(|e| failed("syncing the journal", &self.path, e))?;
        crashpoint::hit("streams.commit.after_sync");
        self.end += bytes.len() as u64;
        self.group += 1;
        Ok(())
    }
}

/// Marks an epoch as done with: all it holds is durable in the segments.
pub(crate) fn retire(path: &Path, epoch: u64) -> Result<()> {
    let wrong = |e| failed("retiring a journal", path, e);
    let file = OpenOptions::new().write(true).open(path).map_err(wrong)?;
    file.write_all_at(&header(epoch, 0, RETIRED, &[]), 0).and_then(|()| file.sync_data()).map_err(wrong)
}

fn header(epoch: u64, salt: u64, flag: u32, floors: &[Floor]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER + FLOOR * floors.len());
    out.extend_from_slice(&MAGIC.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&flag.to_le_bytes());
    for number in [epoch, salt, floors.len() as u64] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    for floor in floors {
        let (base, length) = floor.active.unwrap_or((NONE, 0));
        out.extend_from_slice(&floor.stream.to_le_bytes());
        out.extend_from_slice(&u64::from(floor.shard).to_le_bytes());
        for number in [floor.trim, base, length, floor.next, floor.time as u64] {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }
    let sum = checksum(0, &[&out[8..]]);
    out[4..8].copy_from_slice(&sum.to_le_bytes());
    out
}

/// Builds the frame of one group.
pub(crate) struct FrameBuilder {
    bytes: Vec<u8>,
    pub(crate) parts: Vec<Part>,
    head: usize,
}

impl FrameBuilder {
    /// A frame with room for that many parts.
    pub(crate) fn new(parts: usize, bytes: usize) -> Self {
        let head = FRAME + PART * parts;
        let mut frame = Vec::with_capacity(head + bytes + 8);
        frame.resize(head, 0);
        Self { bytes: frame, parts: Vec::with_capacity(parts), head }
    }

    /// Where the next part's bytes are written to.
    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// What was written since `from` belongs there.
    pub(crate) fn part(&mut self, stream: u64, shard: u32, base: u64, offset: u64, from: usize) {
        self.parts.push(Part { stream, shard, base, offset, bytes: from..self.bytes.len() });
    }

    pub(crate) fn bytes(&self, part: &Part) -> &[u8] {
        &self.bytes[part.bytes.clone()]
    }

    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    fn seal(&mut self, salt: u64, group: u64) -> &[u8] {
        debug_assert_eq!(self.head, FRAME + PART * self.parts.len());
        let length = self.bytes.len() as u32;
        let head = &mut self.bytes[..self.head];
        head[..4].copy_from_slice(&FRAME_MAGIC.to_le_bytes());
        head[8..16].copy_from_slice(&group.to_le_bytes());
        head[16..20].copy_from_slice(&length.to_le_bytes());
        head[20..24].copy_from_slice(&(self.parts.len() as u32).to_le_bytes());
        for (part, place) in self.parts.iter().zip(head[FRAME..].chunks_exact_mut(PART)) {
            place[..8].copy_from_slice(&part.stream.to_le_bytes());
            place[8..12].copy_from_slice(&part.shard.to_le_bytes());
            place[12..16].copy_from_slice(&(part.bytes.len() as u32).to_le_bytes());
            place[16..24].copy_from_slice(&part.base.to_le_bytes());
            place[24..32].copy_from_slice(&part.offset.to_le_bytes());
        }
        let sum = checksum(salt, &[&self.bytes[8..]]);
        self.bytes[4..8].copy_from_slice(&sum.to_le_bytes());
        // Frames begin at multiples of eight; the checksum does not cover what fills them up.
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        &self.bytes
    }
}

/// A journal as it was found.
pub(crate) struct Found {
    pub(crate) retired: bool,
    pub(crate) epoch: u64,
    pub(crate) floors: Vec<Floor>,
    /// The parts of all frames, in order.
    pub(crate) parts: Vec<Part>,
    /// Where a frame is damaged that was synced, since a later group stands behind it.
    pub(crate) damage: Option<u64>,
    pub(crate) bytes: Vec<u8>,
}

/// Reads a journal; of one that is retired or was ended only its header. `None` if it does not exist or has no readable header.
pub(crate) fn read(path: &Path) -> Result<Option<Found>> {
    let wrong = |e| failed("reading the journal", path, e);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(wrong(e)),
    };
    let size = usize::try_from(file.metadata().map_err(wrong)?.len()).unwrap_or(usize::MAX);
    let mut bytes = read_at(&file, 0, HEADER).map_err(wrong)?;
    let count = usize::try_from(u64_at(&bytes, 32)).unwrap_or(usize::MAX);
    let end = count.checked_mul(FLOOR).and_then(|n| n.checked_add(HEADER)).unwrap_or(usize::MAX);
    let flag = u32_at(&bytes, 12);
    let wanted = if flag == LIVE { size } else { end.min(size) };
    read_more(&file, HEADER as u64, wanted.saturating_sub(HEADER), &mut bytes).map_err(wrong)?;
    let whole = u32_at(&bytes, 0) == MAGIC
        && u32_at(&bytes, 8) == VERSION
        && bytes.get(8..end).is_some_and(|rest| checksum(0, &[rest]) == u32_at(&bytes, 4));
    if !whole {
        return Ok(None);
    }
    let floors = bytes[HEADER..end].chunks_exact(FLOOR).map(floor).collect();
    let (epoch, salt) = (u64_at(&bytes, 16), u64_at(&bytes, 24));
    let mut found = Found { retired: flag == RETIRED, epoch, floors, parts: Vec::new(), damage: None, bytes };
    if flag == LIVE {
        read_frames(&mut found, end, salt);
    }
    Ok(Some(found))
}

fn floor(bytes: &[u8]) -> Floor {
    let base = u64_at(bytes, 24);
    Floor {
        stream: u64_at(bytes, 0),
        shard: u32_at(bytes, 8),
        trim: u64_at(bytes, 16),
        active: (base != NONE).then(|| (base, u64_at(bytes, 32))),
        next: u64_at(bytes, 40),
        time: i64_at(bytes, 48),
    }
}

/// The last group may be torn: it was never acknowledged. A damaged frame with a later group behind it was.
fn read_frames(found: &mut Found, start: usize, salt: u64) {
    let (mut at, mut group) = (start, 1);
    let mut torn = None;
    while at < found.bytes.len() {
        match frame_at(&found.bytes, at, salt).filter(|(number, _, _)| *number >= group) {
            Some((number, parts, length)) => {
                if number > group {
                    found.damage = found.damage.or(torn.or(Some(at as u64)));
                }
                found.parts.extend(parts);
                at += length.next_multiple_of(8);
                (group, torn) = (number + 1, None);
            }
            None => {
                torn = torn.or(Some(at as u64));
                at += 8;
            }
        }
    }
}

/// The group, parts and length of the frame there.
fn frame_at(bytes: &[u8], at: usize, salt: u64) -> Option<(u64, Vec<Part>, usize)> {
    if u32_at(bytes, at) != FRAME_MAGIC {
        return None;
    }
    let length = u32_at(bytes, at + 16) as usize;
    let whole = bytes.get(at..at.checked_add(length)?).filter(|frame| frame.len() >= FRAME)?;
    if checksum(salt, &[&whole[8..]]) != u32_at(whole, 4) {
        return None;
    }
    let count = u32_at(whole, 20) as usize;
    let mut from = at + FRAME + PART * count;
    let parts = whole.get(FRAME..FRAME + PART * count)?.chunks_exact(PART).map(|part| {
        let bytes = from..from + u32_at(part, 12) as usize;
        from = bytes.end;
        Part {
            stream: u64_at(part, 0),
            shard: u32_at(part, 8),
            base: u64_at(part, 16),
            offset: u64_at(part, 24),
            bytes,
        }
    });
    Some((u64_at(whole, 8), parts.collect(), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOORS: [Floor; 2] = [
        Floor { stream: 1, shard: 2, trim: 3, active: Some((4, 5)), next: 6, time: -7 },
        Floor { stream: 1, shard: 3, trim: 1, active: None, next: 1, time: 0 },
    ];

    /// A journal of three groups; answers where each ends.
    fn written(path: &Path) -> Vec<u64> {
        let mut journal = Journal::open(path).unwrap();
        journal.begin(9, &FLOORS).unwrap();
        (0..3u8)
            .map(|n| {
                let mut frame = FrameBuilder::new(2, 100);
                for shard in 0..2 {
                    let from = frame.size();
                    frame.out().extend_from_slice(&[n; 13]);
                    frame.part(1, shard, 4, u64::from(n) * 13, from);
                }
                journal.append(&mut frame).unwrap();
                journal.end
            })
            .collect()
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal-a");
        assert!(read(&path).unwrap().is_none());
        written(&path);
        let found = read(&path).unwrap().unwrap();
        assert_eq!((found.epoch, found.retired, found.damage), (9, false, None));
        assert_eq!(found.floors, FLOORS);
        assert_eq!(found.parts.len(), 6);
        assert_eq!(&found.bytes[found.parts[5].bytes.clone()], &[2; 13]);
        // Another turn: what stood there is void.
        Journal::open(&path).unwrap().begin(11, &[]).unwrap();
        let found = read(&path).unwrap().unwrap();
        assert_eq!((found.epoch, found.parts.len(), found.damage), (11, 0, None));
        retire(&path, 11).unwrap();
        assert!(read(&path).unwrap().unwrap().retired);
    }

    #[test]
    fn one_that_was_ended_in_order_is_not_searched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal-a");
        written(&path);
        let mut journal = Journal::open(&path).unwrap();
        journal.begin(11, &FLOORS).unwrap();
        journal.end().unwrap();
        let found = read(&path).unwrap().unwrap();
        assert_eq!((found.epoch, found.retired, found.damage, found.parts.len()), (11, false, None, 0));
        assert_eq!(found.floors, FLOORS);
        assert!((found.bytes.len() as u64) < std::fs::metadata(&path).unwrap().len());
        // With a frame behind it, it is left as it is.
        journal.begin(12, &FLOORS).unwrap();
        let mut frame = FrameBuilder::new(1, 8);
        let from = frame.size();
        frame.out().extend_from_slice(b"bytes");
        frame.part(1, 2, 4, 0, from);
        journal.append(&mut frame).unwrap();
        journal.end().unwrap();
        assert_eq!(read(&path).unwrap().unwrap().parts.len(), 1);
    }

    #[test]
    fn a_torn_end_is_no_damage_and_a_hole_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal-a");
        let ends = written(&path);
        let bytes = std::fs::read(&path).unwrap();
        for cut in ends[1]..ends[2] - 6 {
            std::fs::write(&path, &bytes[..cut as usize]).unwrap();
            let found = read(&path).unwrap().unwrap();
            assert_eq!((found.parts.len(), found.damage), (4, None), "cut at {cut}");
        }
        for at in ends[0]..ends[1] - 6 {
            let mut bad = bytes.clone();
            bad[at as usize] ^= 1;
            std::fs::write(&path, &bad).unwrap();
            let found = read(&path).unwrap().unwrap();
            assert_eq!((found.parts.len(), found.damage), (4, Some(ends[0])), "flipped at {at}");
        }
    }
}
