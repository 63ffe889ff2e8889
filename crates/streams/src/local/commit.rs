//! The committer: one thread that takes what all producers have put meanwhile, makes it durable with one sync of the
//! journal, writes it into the segments, shows it to readers, and only then answers.

use super::checkpoint::{Dirty, Journals};
use super::files::{self, failed};
use super::format::{BatchHeader, BatchWriter, SEGMENT_HEADER, SegmentHeader};
use super::journal::FrameBuilder;
use super::segment::{Segment, segment_path};
use super::shard::{ShardState, StreamState, lock, read};
use crate::limits::Limits;
use crate::types::is_internal;
use crate::{NewRecord, Placed, ShardId};
use model::{Error, ErrorKind, Result};
use state::Clock;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

/// A batch is closed when it has so many bytes: what a reader must take in at once.
const BATCH_BYTES: usize = 1 << 20;
/// A group is closed when it has so many.
const GROUP_BYTES: usize = 8 << 20;
/// Segments that are kept open for writing.
const HANDLES: usize = 256;

/// Records of one call.
pub(crate) struct Put {
    pub(crate) stream: Arc<StreamState>,
    /// With their hash keys.
    pub(crate) records: Vec<(u128, NewRecord)>,
    pub(crate) size: usize,
    pub(crate) reply: oneshot::Sender<Vec<Result<Placed>>>,
    /// Frees the queue's room when the records are done with.
    pub(crate) room: OwnedSemaphorePermit,
}

type Work = Box<dyn FnOnce(&mut Committer) + Send>;

/// What the committer is asked to do. Everything happens in the order it was asked for.
pub(crate) enum Command {
    /// Put records.
    Put(Put),
    /// Do this between two groups.
    Run(Work),
}

/// How segments are made and records are limited.
#[derive(Clone)]
pub(crate) struct CommitOptions {
    pub(crate) segment_bytes: u64,
    pub(crate) segment_millis: i64,
    pub(crate) limits: Option<Limits>,
}

pub(crate) struct Committer {
    pub(crate) journals: Journals,
    pub(crate) dirty: Dirty,
    clock: Clock,
    options: CommitOptions,
    /// Streams whose shards are being changed, and what was put to them meanwhile.
    frozen: HashMap<u64, Vec<Put>>,
    handles: HashMap<(u64, ShardId), (u64, File)>,
}

type Routes = Arc<Vec<Arc<ShardState>>>;

/// The records of a group for one shard.
struct Slot {
    stream: Arc<StreamState>,
    shard: Arc<ShardState>,
    /// Put and record.
    records: Vec<(usize, usize)>,
    base: u64,
    offset: u64,
    /// The segment's salt, if it is a new one.
    fresh: Option<u64>,
    first: u64,
    batches: Vec<BatchHeader>,
}

impl Committer {
    pub(crate) fn new(journals: Journals, dirty: Dirty, clock: Clock, options: CommitOptions) -> Self {
        Self { journals, dirty, clock, options, frozen: HashMap::new(), handles: HashMap::new() }
    }

    /// Works until nobody can ask for anything any more, then settles the journals.
    pub(crate) fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let mut next = commands.blocking_recv();
        while let Some(command) = next.take() {
            match command {
                Command::Run(work) => work(&mut self),
                Command::Put(put) => {
                    let mut size = put.size;
                    let mut group = self.admit(put).into_iter().collect::<Vec<_>>();
                    while size < GROUP_BYTES {
                        match commands.try_recv() {
                            Ok(Command::Put(put)) => {
                                size += put.size;
                                group.extend(self.admit(put));
                            }
                            Ok(other) => {
                                next = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    self.commit(group);
                }
            }
            if next.is_none() {
                next = commands.blocking_recv();
            }
        }
        if let Err(error) = self.journals.close(&mut self.dirty) {
            tracing::warn!(%error, "the stream log was not settled at its end; the next start does it");
        }
    }

    /// Holds back what is put to that stream.
    pub(crate) fn freeze(&mut self, stream: u64) {
        self.frozen.entry(stream).or_default();
    }

    /// Puts what was held back.
    pub(crate) fn thaw(&mut self, stream: u64) {
        if let Some(puts) = self.frozen.remove(&stream) {
            self.commit(puts);
        }
    }

    fn admit(&mut self, put: Put) -> Option<Put> {
        match self.frozen.get_mut(&put.stream.id) {
            Some(held) => {
                held.push(put);
                None
            }
            None => Some(put),
        }
    }

    fn commit(&mut self, puts: Vec<Put>) {
        if puts.is_empty() {
            return;
        }
        let now = self.clock.now_millis();
        let mut answers: Vec<Vec<Option<Result<Placed>>>> =
            puts.iter().map(|put| vec![None; put.records.len()]).collect();
        let mut slots = self.route(&puts, &mut answers, now);
        let written = self.write(&puts, &mut slots, now);
        for (number, slot) in slots.iter().enumerate() {
            let outcome = match &written {
                Ok(outcomes) => outcomes[number].clone(),
                Err(error) => Err(error.clone()),
            };
            for (&(put, record), ordinal) in slot.records.iter().zip(slot.first..) {
                answers[put][record] =
                    Some(outcome.clone().map(|()| Placed {
                        shard: slot.shard.id,
                        sequence_number: slot.shard.number(ordinal),
                    }));
            }
        }
        crashpoint::hit("streams.commit.before_answer");
        for (put, answers) in puts.into_iter().zip(answers) {
            drop(put.room);
            let answers = answers
                .into_iter()
                .map(|answer| answer.unwrap_or_else(|| Err(Error::internal("a record got no answer"))));
            // Whoever does not wait for the answer any more does not get one.
            let _ = put.reply.send(answers.collect());
        }
    }

    /// Sends every record to its shard, or says why not.
    fn route(&self, puts: &[Put], answers: &mut [Vec<Option<Result<Placed>>>], now: i64) -> Vec<Slot> {
        let mut slots: Vec<Slot> = Vec::new();
        // For each stream's open shards: the slot of each, if it has one.
        let mut tables: Vec<(Routes, Vec<usize>)> = Vec::new();
        for (number, put) in puts.iter().enumerate() {
            if put.stream.is_gone() {
                let gone = Error::not_found(format!("there is no stream `{}` any more", put.stream.name));
                answers[number].fill(Some(Err(gone)));
                continue;
            }
            let routes = Arc::clone(&read(&put.stream.routes));
            let table =
                tables.iter().position(|(known, _)| Arc::ptr_eq(known, &routes)).unwrap_or_else(|| {
                    tables.push((Arc::clone(&routes), vec![usize::MAX; routes.len()]));
                    tables.len() - 1
                });
            let slot_of = &mut tables[table].1;
            for (at, (hash, record)) in put.records.iter().enumerate() {
                let route = routes.partition_point(|shard| shard.range.last < *hash);
                let Some(shard) = routes.get(route) else {
                    answers[number][at] = Some(Err(Error::internal("no shard takes this hash key")));
                    continue;
                };
                if let Some(limits) = self.options.limits.as_ref().filter(|_| !is_internal(&put.stream.name))
                {
                    let mut budget = lock(&shard.writes);
                    budget.refill(now, (limits.write_bytes, limits.write_records));
                    if !budget.take(record.size() as u64, limits.write_bytes) {
                        answers[number][at] = Some(Err(throttled(&put.stream.name, shard.id)));
                        continue;
                    }
                }
                if slot_of[route] == usize::MAX {
                    slot_of[route] = slots.len();
                    slots.push(Slot {
                        stream: Arc::clone(&put.stream),
                        shard: Arc::clone(shard),
                        records: Vec::new(),
                        base: 0,
                        offset: 0,
                        fresh: None,
                        first: 0,
                        batches: Vec::new(),
                    });
                }
                slots[slot_of[route]].records.push((number, at));
            }
        }
        slots
    }

    /// Makes the group durable and visible. An error concerns all of it, an inner one a shard's records.
    fn write(&mut self, puts: &[Put], slots: &mut [Slot], now: i64) -> Result<Vec<Result<()>>> {
        if slots.is_empty() {
            return Ok(Vec::new());
        }
        let size = puts.iter().map(|put| put.size + put.records.len() * 8).sum::<usize>();
        let mut frame = FrameBuilder::new(slots.len(), size + slots.len() * 128);
        for slot in slots.iter_mut() {
            self.encode(puts, slot, &mut frame, now)?;
        }
        self.journals.append(&mut frame, &mut self.dirty)?;
        let mut outcomes = Vec::with_capacity(slots.len());
        for (slot, part) in slots.iter().zip(&frame.parts) {
            outcomes.push(self.publish(slot, frame.bytes(part)));
            crashpoint::hit("streams.commit.between_segments");
        }
        Ok(outcomes)
    }

    /// Writes a slot's records as batches into the frame, and says where in which segment they belong.
    fn encode(&self, puts: &[Put], slot: &mut Slot, frame: &mut FrameBuilder, now: i64) -> Result<()> {
        let from = frame.size();
        let (salt, time) = {
            let files = lock(&slot.shard.files);
            let time = now.max(files.last_time);
            slot.first = files.next;
            let active = files.segments.last().filter(|segment| {
                files.active
                    && segment.length < self.options.segment_bytes
                    && time - segment.first_time < self.options.segment_millis
            });
            match active {
                Some(segment) => {
                    (slot.base, slot.offset) = (segment.base, segment.length);
                    (segment.salt, time)
                }
                None => {
                    let salt = files::random()?;
                    (slot.base, slot.offset, slot.fresh) = (files.next, 0, Some(salt));
                    SegmentHeader { shard: slot.shard.id.0, base: files.next, salt }.write(frame.out());
                    (salt, time)
                }
            }
        };
        let mut records = slot.records.iter().peekable();
        let mut first = slot.first;
        while records.peek().is_some() {
            let start = frame.size();
            let mut batch = BatchWriter::new(frame.out(), salt, first, time);
            for &(put, record) in records.by_ref() {
                let (_, record) = &puts[put].records[record];
                batch.push(&record.partition_key, &record.data);
                if batch.size() >= BATCH_BYTES {
                    break;
                }
            }
            batch.finish();
            let header = BatchHeader::read(&frame.out()[start..])
                .ok_or_else(|| Error::internal("a batch was not written as it should be"))?;
            first = header.end();
            slot.batches.push(header);
        }
        frame.part(slot.stream.id, slot.shard.id.0, slot.base, slot.offset, from);
        Ok(())
    }

    /// Writes durable bytes into their segment and lets readers see them.
    fn publish(&mut self, slot: &Slot, bytes: &[u8]) -> Result<()> {
        let shard = &slot.shard;
        let path = segment_path(&shard.folder, slot.base);
        let key = (slot.stream.id, shard.id);
        let wrong = |e| failed("writing a segment", &path, e);
        if self.handles.get(&key).is_none_or(|(base, _)| *base != slot.base) {
            if self.handles.len() >= HANDLES {
                self.handles.clear();
            }
            let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
            self.handles.insert(key, (slot.base, open.map_err(wrong)?));
        }
        if let Some((_, file)) = self.handles.get(&key)
            && let Err(error) = file.write_all_at(bytes, slot.offset)
        {
            self.handles.remove(&key);
            return Err(wrong(error));
        }
        self.dirty.segments.insert(path);
        let mut files = lock(&shard.files);
        if let Some(salt) = slot.fresh {
            self.dirty.folders.insert(shard.folder.clone());
            self.finish_segment(shard, &mut files);
            files.segments.push(Segment::new(slot.base, salt));
            files.active = true;
        }
        if let Some(segment) = files.segments.last_mut() {
            debug_assert_eq!(
                segment.length.max(SEGMENT_HEADER as u64),
                slot.offset.max(SEGMENT_HEADER as u64)
            );
            slot.batches.iter().for_each(|batch| segment.add(batch));
            let (end, time) = (segment.end, segment.last_time);
            (files.next, files.last_time) = (end, time);
        }
        drop(files);
        shard.announce();
        Ok(())
    }

    /// Writes to the shard's last segment no more.
    pub(crate) fn finish_segment(&mut self, shard: &ShardState, files: &mut super::shard::Files) {
        if !std::mem::take(&mut files.active) {
            return;
        }
        if let Some(segment) = files.segments.last_mut() {
            let path = segment_path(&shard.folder, segment.base);
            self.dirty.finished.push((path, segment.clone()));
            segment.index = Vec::new();
        }
    }

    /// Closes files of a stream, so that they can be moved or deleted.
    pub(crate) fn forget_handles(&mut self, stream: u64) {
        self.handles.retain(|(id, _), _| *id != stream);
    }

    /// Forgets that a stream was written to: its files are gone.
    pub(crate) fn forget_stream(&mut self, stream: &StreamState) {
        self.forget_handles(stream.id);
        self.dirty.segments.retain(|path| !path.starts_with(&stream.folder));
        self.dirty.folders.retain(|path| !path.starts_with(&stream.folder));
        self.dirty.finished.retain(|(path, _)| !path.starts_with(&stream.folder));
    }
}

fn throttled(stream: &str, shard: ShardId) -> Error {
    Error::new(ErrorKind::LimitExceeded, format!("rate exceeded for {shard} in stream `{stream}`"))
        .why("the shard takes only so many records and bytes in a second")
        .hint("try again in a second, spread the partition keys, or add shards")
}
