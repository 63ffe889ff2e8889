//! The table of targets (a partition, a bucket of one, or a stream's own file): the rows that wait for each, its open
//! files, and who may open another one.

use super::file::OpenFile;
use super::keys::TargetKey;
use super::memory::Charge;
use super::plan::Plan;
use super::{WrittenFile, WrittenPartition};
use arrow::array::RecordBatch;
use datafusion::common::HashMap;
use model::{Error, ErrorKind, LakeUri, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A target's place in the table.
pub(crate) type TargetId = usize;

/// So many targets are few: their encoders stay in the middle of a row group, or block. With more of them rows wait until
/// they are worth a row group of their own. An encoder of Parquet holds little more than the page it is at, others more.
const FEW: usize = 16;
const FEW_OF_PARQUET: usize = 512;
/// A target's rows are encoded once there are so many …
const ENCODE_ROWS: usize = 8192;
/// … or so many bytes of them, between these, that all targets together take a sixteenth of the memory.
const ENCODE_BYTES: (usize, usize) = (64 * 1024, 1024 * 1024);
/// The same where there are many targets.
const GROUP_ROWS: usize = 128 * 1024;
const GROUP_BYTES: usize = 8 * 1024 * 1024;
/// A second file is opened beside a busy one only for so many bytes.
const LANE_BYTES: usize = 8 * 1024 * 1024;
/// A stream waits while so many bytes of one target wait for its busy files.
const CLOGGED_BYTES: usize = 8 * 1024 * 1024;
/// More partitions are surely a mistake.
const MAX_TARGETS: usize = 1_000_000;

/// Rows that wait to be encoded.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) rows: RecordBatch,
    pub(crate) bytes: usize,
    /// Pieces cut from one chunk share its memory, so the chunk is charged until the last of them is gone.
    pub(crate) _charge: Arc<Charge>,
}

/// Rows for one file, and the file if one was open.
pub(crate) struct Work {
    pub(crate) id: TargetId,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) file: Option<OpenFile>,
    /// A file of another target that must be closed to make room.
    pub(crate) evicted: Option<OpenFile>,
}

/// What is needed to name a target's next file.
#[derive(Debug, Clone)]
pub(crate) struct Naming {
    pub(crate) folder: LakeUri,
    /// The bucket, and how many files it had before.
    pub(crate) bucket: Option<(u32, u32)>,
}

struct Target {
    folder: LakeUri,
    bucket: Option<u32>,
    partition: Option<usize>,
    pending: Vec<Piece>,
    rows: usize,
    bytes: usize,
    /// Open files that nobody works on, with the moment since which.
    idle: Vec<(u64, OpenFile)>,
    busy: usize,
    files: u32,
    /// Whether the next free file shall take the rows, however few.
    urgent: bool,
}

#[derive(Default)]
pub(crate) struct Targets {
    by_key: HashMap<(TargetKey, usize), TargetId>,
    list: Vec<Target>,
    by_values: HashMap<Vec<Option<String>>, usize>,
    pub(crate) partitions: Vec<WrittenPartition>,
    pub(crate) files: Vec<WrittenFile>,
    /// Idle files in the order in which they became so.
    idle: BTreeMap<u64, TargetId>,
    clock: u64,
    open: usize,
    pub(crate) peak_open: usize,
}

impl Targets {
    /// The target of a key; `lane` tells streams apart where each has its own files.
    pub(crate) fn target(&mut self, key: TargetKey, lane: usize, plan: &Plan) -> Result<TargetId> {
        let key = (plan.stored(key), lane);
        if let Some(id) = self.by_key.get(&key) {
            return Ok(*id);
        }
        if self.list.len() >= MAX_TARGETS {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("more than {MAX_TARGETS} partitions to write"),
            )
            .why("the partition columns have too many different values")
            .hint("partition by a coarser value, such as the day of a timestamp"));
        }
        let partition = if plan.is_partitioned() { Some(self.partition(&key.0, plan)?) } else { None };
        let folder = partition.and_then(|index| self.partitions.get(index)).map(|p| p.location.clone());
        let id = self.list.len();
        self.list.push(Target {
            folder: folder.unwrap_or_else(|| plan.location.clone()),
            bucket: key.0.bucket,
            partition,
            pending: Vec::new(),
            rows: 0,
            bytes: 0,
            idle: Vec::new(),
            busy: 0,
            files: 0,
            urgent: false,
        });
        self.by_key.insert(key, id);
        Ok(id)
    }

    fn partition(&mut self, key: &TargetKey, plan: &Plan) -> Result<usize> {
        if let Some(index) = self.by_values.get(&key.values) {
            return Ok(*index);
        }
        let index = self.partitions.len();
        let location = plan.partition_folder(&key.values)?;
        self.partitions.push(WrittenPartition { values: key.values.clone(), location, rows: 0, bytes: 0 });
        self.by_values.insert(key.values.clone(), index);
        Ok(index)
    }

    /// Adds rows to a target and says whether they should be encoded now.
    pub(crate) fn add(&mut self, id: TargetId, piece: Piece, plan: &Plan) -> bool {
        let Some(target) = self.list.get_mut(id) else { return false };
        target.rows += piece.rows.num_rows();
        target.bytes += piece.bytes;
        target.pending.push(piece);
        self.may_take(id, plan, false)
    }

    /// Whether encoders should not be left in the middle of a row group.
    pub(crate) fn are_many(&self, plan: &Plan) -> bool {
        let few = if plan.joins() { FEW } else { FEW_OF_PARQUET.min(plan.max_open_writers) };
        self.list.len() > few
    }

    /// So many rows, or bytes of them, are enough to encode them.
    fn enough(&self, plan: &Plan) -> (usize, usize) {
        if self.are_many(plan) {
            return (GROUP_ROWS, GROUP_BYTES);
        }
        let share = plan.memory_limit / 16 / self.list.len().max(1);
        (ENCODE_ROWS, share.clamp(ENCODE_BYTES.0, ENCODE_BYTES.1))
    }

    /// Whether rows of this target wait and may be encoded. Without need, no file is closed to make room for another.
    fn may_take(&self, id: TargetId, plan: &Plan, urgent: bool) -> bool {
        let Some(target) = self.list.get(id) else { return false };
        let urgent = urgent || target.urgent;
        let (rows, bytes) = self.enough(plan);
        if target.rows == 0 || !(urgent || target.rows >= rows || target.bytes >= bytes) {
            return false;
        }
        let has_room = self.open < plan.max_open_writers;
        match (target.idle.is_empty(), target.busy) {
            (false, _) => true,
            (true, 0) => urgent || has_room,
            (true, busy) => busy < plan.lanes && target.bytes >= LANE_BYTES && has_room,
        }
    }

    /// Whether the stream that feeds this target should wait for its files.
    pub(crate) fn is_clogged(&self, id: TargetId) -> bool {
        self.list.get(id).is_some_and(|target| target.busy > 0 && target.bytes >= CLOGGED_BYTES)
    }

    /// Hands out a target's rows with a file for them.
    pub(crate) fn take(&mut self, id: TargetId, plan: &Plan, urgent: bool) -> Option<Work> {
        if !self.may_take(id, plan, urgent) {
            if urgent && let Some(target) = self.list.get_mut(id) {
                target.urgent = target.busy > 0;
            }
            return None;
        }
        let file = self.pop_idle(id);
        let full = file.is_none() && self.open >= plan.max_open_writers;
        let evicted = if full { self.evict() } else { None };
        if file.is_none() {
            self.open += 1;
            self.peak_open = self.peak_open.max(self.open);
        }
        let target = self.list.get_mut(id)?;
        target.busy += 1;
        target.urgent = false;
        (target.rows, target.bytes) = (0, 0);
        Some(Work { id, pieces: std::mem::take(&mut target.pending), file, evicted })
    }

    fn pop_idle(&mut self, id: TargetId) -> Option<OpenFile> {
        let (stamp, file) = self.list.get_mut(id)?.idle.pop()?;
        self.idle.remove(&stamp);
        Some(file)
    }

    /// Takes the file that was left alone longest; its caller closes it.
    fn evict(&mut self) -> Option<OpenFile> {
        let (_, id) = self.idle.pop_first()?;
        let target = self.list.get_mut(id)?;
        let oldest = target.idle.iter().enumerate().min_by_key(|(_, (stamp, _))| *stamp).map(|(at, _)| at)?;
        self.open = self.open.saturating_sub(1);
        Some(target.idle.remove(oldest).1)
    }

    /// The end of a work; the file, if it stays open, waits for more.
    pub(crate) fn put_back(&mut self, id: TargetId, file: Option<OpenFile>) {
        let Some(target) = self.list.get_mut(id) else { return };
        target.busy = target.busy.saturating_sub(1);
        match file {
            None => self.open = self.open.saturating_sub(1),
            Some(file) => {
                self.clock += 1;
                self.idle.insert(self.clock, id);
                target.idle.push((self.clock, file));
            }
        }
    }

    /// How the next file of a target is called.
    pub(crate) fn naming(&mut self, id: TargetId) -> Result<Naming> {
        let target = self.list.get_mut(id).ok_or_else(|| Error::internal("a file for no target"))?;
        let bucket = target.bucket.map(|bucket| (bucket, target.files));
        target.files += 1;
        Ok(Naming { folder: target.folder.clone(), bucket })
    }

    /// Notes a file that is whole.
    pub(crate) fn record(&mut self, id: TargetId, mut file: WrittenFile) {
        file.partition = self.list.get(id).and_then(|target| target.partition);
        if let Some(partition) = file.partition.and_then(|index| self.partitions.get_mut(index)) {
            partition.rows += file.rows;
            partition.bytes += file.bytes;
        }
        self.files.push(file);
    }

    pub(crate) fn count(&self) -> usize {
        self.list.len()
    }

    /// The targets with the most waiting rows: as many as must be encoded until at most `keep` bytes wait.
    pub(crate) fn heaviest(&self, keep: usize) -> Vec<TargetId> {
        let mut waiting: Vec<(usize, TargetId)> =
            self.list.iter().enumerate().filter(|(_, t)| t.rows > 0).map(|(id, t)| (t.bytes, id)).collect();
        waiting.sort_unstable_by(|a, b| b.cmp(a));
        let mut left: usize = waiting.iter().map(|(bytes, _)| *bytes).sum();
        let mut chosen = Vec::new();
        for (bytes, id) in waiting {
            if left <= keep {
                break;
            }
            left -= bytes;
            chosen.push(id);
        }
        chosen
    }

    /// Takes out a target's waiting rows, to be copied together and given back by [`Self::give_back`].
    pub(crate) fn lift(&mut self, id: TargetId) -> Vec<Piece> {
        let Some(target) = self.list.get_mut(id).filter(|target| !target.urgent) else { return Vec::new() };
        (target.rows, target.bytes) = (0, 0);
        std::mem::take(&mut target.pending)
    }

    /// Rows that were lifted stand in front again.
    pub(crate) fn give_back(&mut self, id: TargetId, piece: Piece) {
        if let Some(target) = self.list.get_mut(id) {
            target.rows += piece.rows.num_rows();
            target.bytes += piece.bytes;
            target.pending.insert(0, piece);
        }
    }

    /// Hands out idle files whose encoders hold the most memory: so many that the others hold at most `keep`; none as long
    /// as all hold no more than `most`.
    pub(crate) fn heavy_files(&mut self, most: usize, keep: usize) -> Vec<OpenFile> {
        let mut idle: Vec<(usize, TargetId, u64)> = Vec::new();
        for (id, target) in self.list.iter().enumerate() {
            idle.extend(target.idle.iter().map(|(stamp, file)| (file.held(), id, *stamp)));
        }
        let mut held: usize = idle.iter().map(|(bytes, ..)| *bytes).sum();
        if held <= most {
            return Vec::new();
        }
        idle.sort_unstable_by(|a, b| b.cmp(a));
        let mut chosen = Vec::new();
        for (bytes, id, stamp) in idle {
            if held <= keep {
                break;
            }
            held -= bytes;
            chosen.extend(self.remove_idle(id, stamp));
        }
        chosen
    }

    fn remove_idle(&mut self, id: TargetId, stamp: u64) -> Option<OpenFile> {
        let target = self.list.get_mut(id)?;
        let at = target.idle.iter().position(|(own, _)| *own == stamp)?;
        self.idle.remove(&stamp);
        target.busy += 1;
        Some(target.idle.remove(at).1)
    }

    /// At the end, where each stream has files of its own: the few rows of streams that have none yet go together.
    pub(crate) fn unite_rests(&mut self) {
        let has_none = |target: &Target| target.files == 0 && target.busy == 0 && target.rows > 0;
        let mut rests: Vec<&mut Target> = self.list.iter_mut().filter(|target| has_none(target)).collect();
        let Some((first, others)) = rests.split_first_mut() else { return };
        for other in others {
            first.rows += std::mem::take(&mut other.rows);
            first.bytes += std::mem::take(&mut other.bytes);
            first.pending.append(&mut other.pending);
        }
    }

    /// Everything that is left of a target, at the end: its rows and its open files.
    pub(crate) fn last(&mut self, id: TargetId) -> (Vec<Piece>, Vec<OpenFile>) {
        let mut files = Vec::new();
        while let Some(file) = self.pop_idle(id) {
            self.open = self.open.saturating_sub(1);
            files.push(file);
        }
        let Some(target) = self.list.get_mut(id) else { return (Vec::new(), files) };
        (target.rows, target.bytes) = (0, 0);
        (std::mem::take(&mut target.pending), files)
    }
}
