//! Checkpoints: when a journal is full the other one takes over, and what the full one guards is synced into the
//! segments beside the running work; then it is retired.
//!
//! A sync that fails may have lost the pages it should have written, so a second attempt writes them anew, from the
//! journal, which stays until it succeeds. Meanwhile the other journal takes records; when it is full as well, puts fail.

use super::files::{failed, sync_folder};
use super::journal::{self, Floor, FrameBuilder, Journal, Part};
use super::segment::{Segment, segment_path, write_index};
use super::shard::{StreamState, lock, read};
use model::{Error, Result};
use std::collections::{BTreeMap, HashSet};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::thread::JoinHandle;

/// All streams by name.
pub(crate) type Streams = Arc<RwLock<BTreeMap<String, Arc<StreamState>>>>;

/// What was written since a checkpoint began.
#[derive(Default)]
pub(crate) struct Dirty {
    pub(crate) segments: HashSet<PathBuf>,
    pub(crate) folders: HashSet<PathBuf>,
    /// Segments that are finished and get an index.
    pub(crate) finished: Vec<(PathBuf, Segment)>,
}

/// The two journals and the work of retiring one.
pub(crate) struct Journals {
    current: Journal,
    other: Journal,
    size: u64,
    streams: Streams,
    settling: Settling,
}

enum Settling {
    Idle,
    Running(JoinHandle<Result<()>>, Arc<Job>),
    Failed(Arc<Job>),
}

struct Job {
    journal: PathBuf,
    epoch: u64,
    dirty: Dirty,
    /// What stood in the segments when the journal was full; anything behind was never acknowledged from it.
    floors: Vec<Floor>,
    /// Segments that were written to and are not finished: the next start reads only what comes behind this.
    growing: Vec<(PathBuf, Segment)>,
    streams: Streams,
}

/// How far all shards have come.
pub(crate) fn floors(streams: &Streams) -> Vec<Floor> {
    let mut floors = Vec::new();
    for stream in read(streams).values() {
        for shard in stream.shards() {
            let files = lock(&shard.files);
            if files.next > 1 {
                let active = files.segments.last().filter(|_| files.active);
                floors.push(Floor {
                    stream: stream.id,
                    shard: shard.id.0,
                    trim: files.trim,
                    active: active.map(|segment| (segment.base, segment.length)),
                    next: files.next,
                    time: files.last_time,
                });
            }
        }
    }
    floors
}

/// The segments among these that will be written on.
fn growing(streams: &Streams, written: &HashSet<PathBuf>) -> Vec<(PathBuf, Segment)> {
    let mut growing = Vec::new();
    for stream in read(streams).values() {
        for shard in stream.shards() {
            let files = lock(&shard.files);
            if let Some(segment) = files.segments.last().filter(|_| files.active) {
                let path = segment_path(&shard.folder, segment.base);
                if written.contains(&path) {
                    growing.push((path, segment.clone()));
                }
            }
        }
    }
    growing
}

impl Journals {
    /// Goes on with these journals, the first of which has begun its epoch.
    pub(crate) fn new(current: Journal, other: Journal, size: u64, streams: Streams) -> Self {
        Self { current, other, size, streams, settling: Settling::Idle }
    }

    /// Makes a group durable.
    pub(crate) fn append(&mut self, frame: &mut FrameBuilder, dirty: &mut Dirty) -> Result<()> {
        if !self.current.has_room(frame.size() + 8, self.size) {
            self.switch(dirty)?;
        }
        self.current.append(frame)
    }

    /// Has everything that was put so far synced into its segments, and forgets the frames.
    pub(crate) fn checkpoint(&mut self, dirty: &mut Dirty) -> Result<()> {
        self.switch(dirty)?;
        self.settle()
    }

    /// Ends the work; what was not settled is replayed at the next start.
    pub(crate) fn close(&mut self, dirty: &mut Dirty) -> Result<()> {
        self.settle()?;
        if !self.current.is_empty() {
            self.checkpoint(dirty)?;
        }
        self.current.end()
    }

    fn switch(&mut self, dirty: &mut Dirty) -> Result<()> {
        self.settle()?;
        let floors = floors(&self.streams);
        self.other.begin(self.current.epoch + 1, &floors)?;
        crashpoint::hit("streams.journal.switched");
        std::mem::swap(&mut self.current, &mut self.other);
        let job = Arc::new(Job {
            journal: self.other.path.clone(),
            epoch: self.other.epoch,
            growing: growing(&self.streams, &dirty.segments),
            dirty: std::mem::take(dirty),
            floors,
            streams: Arc::clone(&self.streams),
        });
        let work = Arc::clone(&job);
        let thread = std::thread::Builder::new().name("streams-checkpoint".into());
        self.settling = match thread.spawn(move || work.run(false)) {
            Ok(thread) => Settling::Running(thread, job),
            // It is done later, when the other journal is needed.
            Err(_) => Settling::Failed(job),
        };
        Ok(())
    }

    /// Waits until the other journal is retired. What failed before is tried again.
    fn settle(&mut self) -> Result<()> {
        let job = match std::mem::replace(&mut self.settling, Settling::Idle) {
            Settling::Idle => return Ok(()),
            Settling::Failed(job) => job,
            Settling::Running(thread, job) => match thread.join() {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "a checkpoint of the stream log failed; trying again");
                    job
                }
                Err(_) => {
                    tracing::error!("a checkpoint of the stream log panicked; trying again");
                    job
                }
            },
        };
        let done = job.run(true);
        if done.is_err() {
            self.settling = Settling::Failed(job);
        }
        done
    }
}

impl Job {
    fn run(&self, again: bool) -> Result<()> {
        if again {
            self.rewrite()?;
        }
        let wrong = |path: &Path| {
            let path = path.to_owned();
            move |e| failed("syncing a segment", &path, e)
        };
        for (path, segment) in &self.dirty.finished {
            let file = OpenOptions::new().write(true).open(path).map_err(wrong(path))?;
            // Behind the end may stand what was written and never acknowledged.
            file.set_len(segment.length).map_err(wrong(path))?;
        }
        for path in &self.dirty.segments {
            File::open(path).and_then(|file| file.sync_all()).map_err(wrong(path))?;
        }
        for path in &self.dirty.folders {
            sync_folder(path).map_err(wrong(path))?;
        }
        crashpoint::hit("streams.checkpoint.synced");
        journal::retire(&self.journal, self.epoch)?;
        let growing = self.growing.iter().filter(|(path, _)| path.exists());
        for (path, segment) in self.dirty.finished.iter().chain(growing) {
            if let Err(error) = write_index(path, segment) {
                tracing::warn!(path = %path.display(), %error, "cannot write a segment's index; it is made again when needed");
            }
        }
        Ok(())
    }

    fn rewrite(&self) -> Result<()> {
        let Some(found) = journal::read(&self.journal)?.filter(|found| found.epoch == self.epoch) else {
            return Err(Error::corrupt("a journal of the stream log cannot be read again")
                .at(model::Place::object(self.journal.display())));
        };
        let folders = folders(&self.streams);
        for part in &found.parts {
            let Some(shard) = folders.get(&(part.stream, part.shard)) else { continue };
            let end = part.offset + part.bytes.len() as u64;
            // What had failed when this journal was full may have been followed by other records in the same place.
            let floor = self.floors.iter().find(|f| f.stream == part.stream && f.shard == part.shard);
            let Some(floor) = floor.filter(|floor| part.base < floor.next) else { continue };
            let length = match floor.active {
                Some((base, length)) if base == part.base => length,
                _ => {
                    let files = lock(&shard.files);
                    files.segments.iter().find(|s| s.base == part.base).map_or(0, |s| s.length)
                }
            };
            if end <= length {
                apply(&shard.folder, part, &found.bytes)?;
            }
        }
        Ok(())
    }
}

/// All shards by the ids that journals name them by.
pub(crate) fn folders(streams: &Streams) -> BTreeMap<(u64, u32), Arc<super::shard::ShardState>> {
    let streams = read(streams);
    let of = |stream: &Arc<StreamState>| {
        let id = stream.id;
        stream.shards().into_iter().map(move |shard| ((id, shard.id.0), shard))
    };
    streams.values().flat_map(of).collect()
}

/// Writes a journal's part into its segment. Answers the segment's path.
pub(crate) fn apply(folder: &Path, part: &Part, bytes: &[u8]) -> Result<PathBuf> {
    let path = segment_path(folder, part.base);
    std::fs::create_dir_all(folder)
        .and_then(|()| OpenOptions::new().create(true).truncate(false).write(true).open(&path))
        .and_then(|file| file.write_all_at(&bytes[part.bytes.clone()], part.offset))
        .map_err(|e| failed("replaying the journal", &path, e))?;
    Ok(path)
}
