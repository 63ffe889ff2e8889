//! Opening: replays the journals, cuts torn tails, and finds what is damaged or missing.

use super::checkpoint::{Journals, Streams, apply, floors, folders};
use super::files::{failed, sync_folder};
use super::format::{BatchHeader, SEGMENT_HEADER};
use super::journal::{self, Floor, Found, Journal, NAMES, Part};
use super::segment::{self, Segment, read_beginning, read_index, segment_path, walk_on, write_index};
use super::shard::{Files, ShardState, lock};
use super::{Damage, Recovered};
use model::Result;
use std::collections::{BTreeMap, HashSet};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Who has read so much of a segment leaves an index for the next start.
const WORTH_AN_INDEX: u64 = 1 << 20;

type Floors = BTreeMap<(u64, u32), Floor>;

/// Brings the segments to where the journals say they were, fills the shards' `files`, and begins a new epoch.
pub(crate) fn recover(root: &Path, streams: &Streams, journal_bytes: u64) -> Result<(Journals, Recovered)> {
    let mut recovered = Recovered::default();
    let mut found = Vec::new();
    for name in NAMES {
        let path = root.join(name);
        match journal::read(&path)? {
            Some(journal) => found.push((path, journal)),
            // A header is torn only if the process died while it was written; the other journal has everything then.
            None => recovered.unreadable_journals += usize::from(path.exists()),
        }
    }
    found.sort_by_key(|(_, journal)| journal.epoch);
    let mut shards = folders(streams);
    let gone: HashSet<u64> = super::shard::read(streams)
        .values()
        .filter(|stream| stream.is_gone())
        .map(|stream| stream.id)
        .collect();
    // Some files of a stream that is being deleted are gone already, and nobody misses them.
    shards.retain(|(stream, _), _| !gone.contains(stream));
    let lost_journals = found.is_empty() && shards.values().any(|shard| !bases(shard).is_empty());
    if lost_journals {
        recovered.damages.push(Damage {
            stream: String::new(),
            shard: None,
            path: root.join(NAMES[0]),
            position: 0,
            what:
                "both journals are missing or unreadable; the last records that were acknowledged may be too"
                    .into(),
        });
    }
    recovered.unknown_folders = unknown_folders(root, streams)?;
    let epoch = found.last().map_or(0, |(_, journal)| journal.epoch);
    let (floors_known, touched) = replay(&found, &shards, &mut recovered)?;
    crashpoint::hit("streams.open.replayed");
    let names: BTreeMap<u64, String> =
        super::shard::read(streams).values().map(|stream| (stream.id, stream.name.clone())).collect();
    for (key, shard) in &shards {
        let name = names.get(&key.0).map_or("", String::as_str);
        Loader { name, shard, floor: floors_known.get(key), recovered: &mut recovered }.load()?;
        shard.announce();
    }
    sync(&touched, &shards)?;
    let newest = found.last().map_or_else(|| root.join(NAMES[1]), |(path, _)| path.clone());
    let oldest = if newest == root.join(NAMES[0]) { NAMES[1] } else { NAMES[0] };
    // The older journal is overwritten first: until it is whole, the newer one still counts.
    let mut current = Journal::open(&root.join(oldest))?;
    let mut other = Journal::open(&newest)?;
    for (path, journal) in found.iter().filter(|(path, journal)| !journal.retired && *path != newest) {
        journal::retire(path, journal.epoch)?;
    }
    current.begin(epoch + 1, &floors(streams))?;
    other.epoch = epoch;
    journal::retire(&newest, epoch)?;
    sync_folder(root).map_err(|e| failed("opening the stream log", root, e))?;
    Ok((Journals::new(current, other, journal_bytes, Arc::clone(streams)), recovered))
}

/// Folders that belong to no stream. Empty ones are left over from a stream that was never made, and are removed.
fn unknown_folders(root: &Path, streams: &Streams) -> Result<Vec<PathBuf>> {
    let wrong = |e| failed("reading the stream log's folder", root, e);
    let known: HashSet<PathBuf> =
        super::shard::read(streams).values().map(|stream| stream.folder.clone()).collect();
    let mut unknown = Vec::new();
    for entry in std::fs::read_dir(root).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if !path.is_dir() || known.contains(&path) || path.file_name().is_some_and(|name| name == "aside") {
            continue;
        }
        for shard in std::fs::read_dir(&path).map_err(wrong)? {
            let _ = std::fs::remove_dir(shard.map_err(wrong)?.path());
        }
        if std::fs::remove_dir(&path).is_err() {
            tracing::warn!(path = %path.display(), "this folder belongs to no stream");
            unknown.push(path);
        }
    }
    Ok(unknown)
}

fn bases(shard: &ShardState) -> Vec<u64> {
    segment::list(&shard.folder).unwrap_or_default()
}

/// Writes the journals' frames into the segments. Answers each shard's floor behind them.
fn replay(
    found: &[(PathBuf, Found)],
    shards: &BTreeMap<(u64, u32), Arc<ShardState>>,
    recovered: &mut Recovered,
) -> Result<(Floors, HashSet<PathBuf>)> {
    let mut floors = Floors::new();
    let mut touched = HashSet::new();
    // Floors of the oldest journal that still counts; a retired one counts only if no other is left.
    let counts = |journal: &Found| !journal.retired;
    let oldest = found.iter().find(|(_, journal)| counts(journal));
    if let Some((_, journal)) = oldest {
        floors.extend(journal.floors.iter().map(|floor| ((floor.stream, floor.shard), *floor)));
    }
    for (path, journal) in found.iter().filter(|(_, journal)| counts(journal)) {
        if let Some(position) = journal.damage {
            recovered.damages.push(Damage {
                stream: String::new(),
                shard: None,
                path: path.clone(),
                position,
                what: "a group in the journal is damaged; its records are whole if their segments are".into(),
            });
            keep_aside(path)?;
        }
        // Trims and tips that moved without frames.
        for newer in &journal.floors {
            if let Some(floor) = floors.get_mut(&(newer.stream, newer.shard)) {
                floor.trim = floor.trim.max(newer.trim);
            }
        }
        for part in &journal.parts {
            let key = (part.stream, part.shard);
            let Some(shard) = shards.get(&key) else { continue };
            if floors.get(&key).is_some_and(|floor| part.base < floor.trim) {
                continue;
            }
            touched.insert(apply(&shard.folder, part, &journal.bytes)?);
            let end = part.offset + part.bytes.len() as u64;
            let floor = floors.entry(key).or_insert(Floor {
                stream: part.stream,
                shard: part.shard,
                trim: 1,
                active: None,
                next: 1,
                time: 0,
            });
            floor.active = Some((part.base, end));
            if let Some(last) = last_batch(part, &journal.bytes) {
                (floor.next, floor.time) = (last.end(), last.time);
            }
            recovered.replayed += 1;
        }
    }
    Ok((floors, touched))
}

/// Keeps a copy of a damaged journal, since journals are overwritten.
fn keep_aside(path: &Path) -> Result<()> {
    let aside = path.with_file_name("aside");
    std::fs::create_dir_all(&aside)
        .and_then(|()| std::fs::copy(path, aside.join(path.file_name().unwrap_or_default())))
        .map_err(|e| failed("keeping a damaged journal aside", path, e))?;
    Ok(())
}

/// The last batch of a part that is whole.
fn last_batch(part: &Part, bytes: &[u8]) -> Option<BatchHeader> {
    let mut at = part.bytes.start + if part.offset == 0 { SEGMENT_HEADER } else { 0 };
    let mut last = None;
    while at < part.bytes.end {
        let header = BatchHeader::read(&bytes[at..part.bytes.end])?;
        at += header.length();
        last = Some(header);
    }
    last
}

fn sync(touched: &HashSet<PathBuf>, shards: &BTreeMap<(u64, u32), Arc<ShardState>>) -> Result<()> {
    for path in touched.iter().filter(|path| path.exists()) {
        File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(|e| failed("syncing a segment", path, e))?;
    }
    let folders: HashSet<_> = touched.iter().filter_map(|path| path.parent()).collect();
    for shard in shards.values().filter(|shard| folders.contains(shard.folder.as_path())) {
        sync_folder(&shard.folder).map_err(|e| failed("syncing a shard", &shard.folder, e))?;
    }
    Ok(())
}

/// Finds out what a shard has on disk.
struct Loader<'a> {
    name: &'a str,
    shard: &'a ShardState,
    floor: Option<&'a Floor>,
    recovered: &'a mut Recovered,
}

impl Loader<'_> {
    fn load(&mut self) -> Result<()> {
        let closed = *lock(&self.shard.closed);
        let trim = self.floor.map_or(1, |floor| floor.trim);
        let mut files = Files { trim, ..Files::default() };
        let mut bases = bases(self.shard);
        // A sweep that was interrupted has left these.
        bases.retain(|base| {
            let keep = *base >= trim;
            if !keep {
                let path = segment_path(&self.shard.folder, *base);
                let _ = std::fs::remove_file(segment::index_path(&path));
                let _ = std::fs::remove_file(&path);
            }
            keep
        });
        let (mut expected, mut sound) = (trim, false);
        for (at, base) in bases.iter().enumerate() {
            let after = bases.get(at + 1).copied();
            let limit = after.or(closed.map(|closed| closed.ordinal));
            let path = segment_path(&self.shard.folder, *base);
            if *base > expected && (self.floor.is_some() || at > 0) {
                self.damage(path.clone(), 0, format!("the records {expected} to {} are missing", base - 1));
            } else if at == 0 && self.floor.is_none() {
                files.trim = *base;
            }
            let (segment, is_sound) = self.segment(&path, *base, limit)?;
            sound = is_sound;
            expected = segment.end.max(*base);
            if segment.end > segment.base {
                files.segments.push(segment);
            } else {
                // Nothing in it was ever whole: it is cut away altogether.
                std::fs::remove_file(&path).map_err(|e| failed("removing an empty segment", &path, e))?;
            }
        }
        let tip = closed.map_or_else(|| self.known_next(), |closed| closed.ordinal);
        if expected < tip {
            let path = segment_path(&self.shard.folder, expected);
            self.damage(path, 0, format!("the records {expected} to {} are missing", tip - 1));
        }
        files.next = expected.max(tip);
        let last = files.segments.last();
        files.last_time =
            last.map_or(0, |segment| segment.last_time).max(self.floor.map_or(0, |floor| floor.time));
        files.active = closed.is_none() && last.is_some_and(|last| sound && last.end == files.next);
        *lock(&self.shard.files) = files;
        Ok(())
    }

    /// The next ordinal as far as the floor knows; frames that were replayed say it themselves.
    fn known_next(&self) -> u64 {
        self.floor.map_or(1, |floor| floor.next)
    }

    /// A segment, and whether it can be written on. `limit` is the ordinal behind it, if it is finished.
    fn segment(&mut self, path: &Path, base: u64, limit: Option<u64>) -> Result<(Segment, bool)> {
        if let Some(segment) = read_index(path, base).filter(|segment| limit == Some(segment.end)) {
            return Ok((Segment { index: Vec::new(), ..segment }, false));
        }
        let end = limit.unwrap_or_else(|| self.known_next());
        // What a checkpoint has synced is not read again. Damage in it is for readers to find, as in finished segments.
        let known = read_beginning(path, base).filter(|known| known.end <= end);
        let known_length = known.as_ref().map_or(0, |known| known.length);
        let mut bounded = None;
        let walked = walk_on(path, self.shard.id.0, base, known, |batch, position| {
            if limit.is_some_and(|limit| batch.first >= limit) && bounded.is_none() {
                bounded = Some(position);
            }
        })?;
        let (mut segment, mut rest) = (walked.segment, walked.rest);
        if let (Some(length), Some(limit)) = (bounded, limit) {
            // Written, but never acknowledged: others took these ordinals, or nobody.
            rest += segment.length - length;
            (segment.length, segment.end) = (length, limit);
            segment.index.retain(|entry| entry.ordinal < limit);
        }
        if segment.end < end {
            self.damage(path.to_owned(), segment.length, "a batch is damaged or missing".into());
            segment.end = end;
            segment.last_time = segment.last_time.max(self.floor.map_or(0, |floor| floor.time));
            segment.index = Vec::new();
            return Ok((segment, false));
        }
        if rest > 0 {
            self.cut(path, segment.length, rest)?;
        }
        if (limit.is_some() || segment.length > known_length + WORTH_AN_INDEX)
            && let Err(error) = write_index(path, &segment)
        {
            tracing::warn!(path = %path.display(), %error, "cannot write a segment's index");
        }
        if limit.is_some() {
            segment.index = Vec::new();
        }
        Ok((segment, limit.is_none()))
    }

    fn cut(&mut self, path: &Path, length: u64, rest: u64) -> Result<()> {
        tracing::info!(path = %path.display(), length, rest, "cut a torn tail that was never acknowledged");
        self.recovered.cut_bytes += rest;
        OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|file| file.set_len(length).and_then(|()| file.sync_all()))
            .map_err(|e| failed("cutting a torn tail", path, e))
    }

    fn damage(&mut self, path: PathBuf, position: u64, what: String) {
        tracing::error!(path = %path.display(), position, what, "the stream log is damaged");
        self.recovered.damages.push(Damage {
            stream: self.name.to_owned(),
            shard: Some(self.shard.id),
            path,
            position,
            what,
        });
    }
}
