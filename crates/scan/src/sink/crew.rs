//! The work: streams are split and feed the table of targets; jobs encode what waits there and send it to the commit.
//! Slots bound how many jobs there are, a few of which compute at a time; who brings rows waits for both.

use super::WrittenFile;

use super::file::{OpenFile, Sealed, at};
use super::keys::TargetKey;
use super::memory::Memory;
use super::plan::Plan;
use super::split::{Cuts, Splitter, broken};
use super::targets::{Piece, TargetId, Targets, Work};
use crate::compact::compact;
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use futures::future::BoxFuture;
use lake::ObjectWriter;
use model::{Error, LakeUri, Result};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// So many files are encoded or uploaded at the same time.
const SLOTS: usize = 32;
/// Rows are encoded in batches of about so many.
const BATCH_ROWS: usize = 16 * 1024;
/// No more rows are encoded without a pause for others.
const MAX_BATCH_ROWS: usize = 64 * 1024;

/// What the crew asks of whoever holds the commit and the tasks.
pub(crate) enum Message {
    /// Open a staged object.
    Open(LakeUri, oneshot::Sender<Result<ObjectWriter>>),
    /// Run a job.
    Job(BoxFuture<'static, Result<()>>),
    /// There is progress.
    Moved,
}

/// What all streams and jobs of a write share.
pub(crate) struct Crew {
    plan: Plan,
    table: Mutex<Targets>,
    desk: mpsc::Sender<Message>,
    slots: Arc<Semaphore>,
    processors: Semaphore,
    /// What waiting rows take, and what encoders hold.
    waiting: Arc<Memory>,
    encoding: Arc<Memory>,
    /// Only one stream at a time makes room in memory.
    relief: tokio::sync::Mutex<()>,
    /// A job has ended.
    freed: Notify,
    numbers: AtomicU64,
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl Crew {
    pub(crate) fn new(plan: Plan, workers: usize, desk: mpsc::Sender<Message>) -> Arc<Self> {
        Arc::new(Self {
            table: Mutex::default(),
            desk,
            // Each slot's job holds one file, so there may be no more of them than open files.
            slots: Arc::new(Semaphore::new(SLOTS.min(plan.max_open_writers))),
            processors: Semaphore::new(workers.max(1)),
            waiting: Arc::default(),
            encoding: Arc::default(),
            relief: tokio::sync::Mutex::default(),
            freed: Notify::new(),
            numbers: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            plan,
        })
    }

    /// Rows taken from the streams and bytes given to the commit so far.
    pub(crate) fn progress(&self) -> (u64, u64) {
        (self.rows.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    pub(crate) fn table(&self) -> MutexGuard<'_, Targets> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Splits one stream and feeds the table.
    pub(crate) async fn feed(
        self: Arc<Self>,
        mut stream: SendableRecordBatchStream,
        index: usize,
    ) -> Result<()> {
        let lane = if self.plan.is_by_stream() { index } else { 0 };
        let mut feeder = Feeder { splitter: self.plan.splitter(), known: Vec::new(), lane };
        while let Some(batch) = stream.next().await {
            let batch = self.plan.conform(&batch.map_err(crate::error)?)?;
            self.rows.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
            for cuts in feeder.splitter.push(&batch)? {
                self.accept(&mut feeder, cuts).await?;
            }
        }
        if let Some(cuts) = feeder.splitter.flush()? {
            self.accept(&mut feeder, cuts).await?;
        }
        Ok(())
    }

    /// Puts pieces where they belong, starts what is ready and waits where too much waits already.
    async fn accept(self: &Arc<Self>, feeder: &mut Feeder, cuts: Cuts) -> Result<()> {
        let charge = Arc::new(self.waiting.charge(cuts.bytes));
        let rows: usize = cuts.pieces.iter().map(|cut| cut.rows.num_rows()).sum();
        let (mut ready, mut clogged) = (Vec::new(), Vec::new());
        {
            let mut table = self.table();
            for cut in cuts.pieces {
                let id = feeder.target(cut.id, &mut table, &self.plan)?;
                // The piece's share of the chunk: exact sizes of thousands of slices would cost more than they tell.
                let bytes = (cuts.bytes as u64 * cut.rows.num_rows() as u64 / rows.max(1) as u64) as usize;
                let piece = Piece { rows: cut.rows, bytes, _charge: Arc::clone(&charge) };
                if table.add(id, piece, &self.plan) && ready.last() != Some(&id) {
                    ready.push(id);
                }
                if table.is_clogged(id) && clogged.last() != Some(&id) {
                    clogged.push(id);
                }
            }
        }
        drop(charge);
        let _ = self.desk.try_send(Message::Moved);
        for id in ready {
            self.start(id, false, None).await?;
        }
        for id in clogged {
            self.wait_while_clogged(id).await;
        }
        if self.is_pressed() {
            self.relieve().await?;
        }
        Ok(())
    }

    /// How many bytes of rows may wait. Where encoders take few of them at a time, more of them are of no use: they only
    /// keep the chunks that they stand in.
    fn most_waiting(&self) -> usize {
        let limit = self.plan.memory_limit;
        if self.table().are_many(&self.plan) { limit } else { limit / 4 }
    }

    fn is_pressed(&self) -> bool {
        let (waiting, encoding) = (self.waiting.used(), self.encoding.used());
        waiting + encoding > self.plan.memory_limit || waiting > self.most_waiting()
    }

    async fn wait_while_clogged(&self, id: TargetId) {
        loop {
            let mut freed = pin!(self.freed.notified());
            freed.as_mut().enable();
            if !self.table().is_clogged(id) {
                return;
            }
            freed.await;
        }
    }

    /// Starts a job for a target's waiting rows, if a file can be had for them. `done` is dropped at the job's end.
    async fn start(
        self: &Arc<Self>,
        id: TargetId,
        urgent: bool,
        done: Option<oneshot::Sender<()>>,
    ) -> Result<()> {
        let slot = self.slot().await?;
        let work = self.table().take(id, &self.plan, urgent);
        if let Some(work) = work {
            let crew = Arc::clone(self);
            self.spawn(async move {
                let _held = (slot, done);
                crew.work(work).await
            })
            .await?;
        }
        Ok(())
    }

    async fn slot(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).acquire_owned().await.map_err(closed)
    }

    async fn spawn(&self, job: impl Future<Output = Result<()>> + Send + 'static) -> Result<()> {
        self.desk.send(Message::Job(Box::pin(job))).await.map_err(closed)
    }

    /// Encodes a target's rows, and those that came meanwhile.
    async fn work(self: &Arc<Self>, work: Work) -> Result<()> {
        let mut next = Some(work);
        while let Some(work) = next {
            if let Some(file) = work.evicted {
                self.close(file).await?;
            }
            let file = self.encode(work.id, work.file, work.pieces).await?;
            let mut table = self.table();
            table.put_back(work.id, file);
            next = table.take(work.id, &self.plan, false);
            drop(table);
            self.freed.notify_waiters();
        }
        Ok(())
    }

    /// Encodes pieces into a target's file or files. Returns the one that is still open.
    async fn encode(
        self: &Arc<Self>,
        id: TargetId,
        mut file: Option<OpenFile>,
        pieces: Vec<Piece>,
    ) -> Result<Option<OpenFile>> {
        let mut pieces = pieces.into_iter().peekable();
        while let Some(first) = pieces.next() {
            let mut group = vec![first];
            let mut rows = group.iter().map(|piece| piece.rows.num_rows()).sum::<usize>();
            while let Some(piece) = pieces.next_if(|piece| rows + piece.rows.num_rows() <= BATCH_ROWS) {
                rows += piece.rows.num_rows();
                group.push(piece);
            }
            if self.plan.joins() {
                group = vec![self.joined(group)?];
            }
            let slices = |rows: &RecordBatch| {
                let (rows, all) = (rows.clone(), rows.num_rows());
                (0..all).step_by(MAX_BATCH_ROWS).map(move |at| rows.slice(at, MAX_BATCH_ROWS.min(all - at)))
            };
            for part in group.iter().flat_map(|piece| slices(&piece.rows)) {
                let mut open = match file.take() {
                    Some(open) => open,
                    None => self.create(id)?,
                };
                {
                    let _processor = self.processors.acquire().await.map_err(closed)?;
                    open.write(&part)?;
                }
                self.upload(&mut open).await?;
                if self.plan.is_full(open.size()) {
                    self.close(open).await?;
                } else {
                    file = Some(open);
                }
            }
            tokio::task::yield_now().await;
        }
        if self.table().are_many(&self.plan)
            && let Some(open) = &mut file
        {
            {
                let _processor = self.processors.acquire().await.map_err(closed)?;
                open.end_block()?;
            }
            self.upload(open).await?;
        }
        Ok(file)
    }

    /// Small pieces copied together; the memory they stood in is let go.
    fn joined(&self, mut group: Vec<Piece>) -> Result<Piece> {
        if group.len() == 1
            && let Some(only) = group.pop()
        {
            return Ok(only);
        }
        let rows =
            concat_batches(self.plan.schema(), group.iter().map(|piece| &piece.rows)).map_err(broken)?;
        let rows = compact(&rows).map_err(broken)?;
        let bytes = rows.get_array_memory_size();
        Ok(Piece { rows, bytes, _charge: Arc::new(self.waiting.charge(bytes)) })
    }

    fn create(&self, id: TargetId) -> Result<OpenFile> {
        let naming = self.table().naming(id)?;
        let uri = self.plan.file_uri(&naming, self.numbers.fetch_add(1, Ordering::Relaxed))?;
        let encoder = self.plan.encoder().map_err(|error| at(&uri, error))?;
        Ok(OpenFile::new(uri, id, encoder, self.encoding.charge(0)))
    }

    async fn upload(&self, file: &mut OpenFile) -> Result<()> {
        let bytes = file.take();
        self.send(&file.uri, &mut file.object, bytes).await
    }

    async fn send(
        &self,
        uri: &LakeUri,
        object: &mut Option<ObjectWriter>,
        bytes: bytes::Bytes,
    ) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut open = match object.take() {
            Some(open) => open,
            None => self.open(uri).await?,
        };
        let length = bytes.len() as u64;
        open.write(bytes).await.map_err(|error| at(uri, error))?;
        self.bytes.fetch_add(length, Ordering::Relaxed);
        *object = Some(open);
        Ok(())
    }

    async fn open(&self, uri: &LakeUri) -> Result<ObjectWriter> {
        let (reply, answer) = oneshot::channel();
        self.desk.send(Message::Open(uri.clone(), reply)).await.map_err(closed)?;
        answer.await.map_err(closed)?.map_err(|error| at(uri, error))
    }

    /// Completes a file and hands it to the commit.
    async fn close(&self, file: OpenFile) -> Result<()> {
        let sealed = {
            let _processor = self.processors.acquire().await.map_err(closed)?;
            file.seal()?
        };
        let Sealed { uri, target, rows, bytes, mut object, tail } = sealed;
        self.send(&uri, &mut object, tail).await?;
        let object = match object {
            Some(object) => object,
            None => self.open(&uri).await?,
        };
        let sent = object.written();
        object.finish().await.map_err(|error| at(&uri, error))?;
        if sent != bytes {
            let text = format!("{sent} bytes were staged, but the file has {bytes}");
            return Err(at(&uri, Error::internal(text)));
        }
        self.table().record(target, WrittenFile { uri, rows, bytes, partition: None });
        let _ = self.desk.try_send(Message::Moved);
        Ok(())
    }

    /// Makes room: encodes the targets for which most rows wait, copies what the others have out of the chunks it
    /// stands in, and ends the row groups of files whose encoders hold too much, or such files where that gives nothing.
    async fn relieve(self: &Arc<Self>) -> Result<()> {
        let _one = self.relief.lock().await;
        if !self.is_pressed() {
            return Ok(());
        }
        let limit = self.plan.memory_limit;
        let mut ends = Vec::new();
        let most = self.most_waiting();
        let heavy = self.table().heaviest(most / 4);
        for id in heavy {
            let (done, end) = oneshot::channel();
            ends.push(end);
            self.start(id, true, Some(done)).await?;
        }
        let count = self.table().count();
        for id in 0..count {
            self.copy_out(id)?;
        }
        let files = match self.plan.is_one_file() {
            true => Vec::new(),
            false => self.table().heavy_files(limit / 2, limit / 4),
        };
        for file in files {
            let (slot, crew) = (self.slot().await?, Arc::clone(self));
            let (done, end) = oneshot::channel::<()>();
            ends.push(end);
            self.spawn(async move {
                let _held = (slot, done);
                crew.lighten(file).await
            })
            .await?;
        }
        for end in ends {
            // The sender is dropped at the end of its job; nothing is ever sent.
            let _ = end.await;
        }
        Ok(())
    }

    /// Ends the row group of a file whose encoder holds much; and the file, where that gives little.
    async fn lighten(self: &Arc<Self>, mut file: OpenFile) -> Result<()> {
        let (id, before) = (file.target, file.held());
        {
            let _processor = self.processors.acquire().await.map_err(closed)?;
            file.end_block()?;
        }
        self.upload(&mut file).await?;
        let file = match file.held() > before / 2 {
            true => self.close(file).await.map(|()| None)?,
            false => Some(file),
        };
        let next = {
            let mut table = self.table();
            table.put_back(id, file);
            table.take(id, &self.plan, false)
        };
        self.freed.notify_waiters();
        match next {
            Some(work) => self.work(work).await,
            None => Ok(()),
        }
    }

    /// Copies a target's waiting rows together, so that they keep no chunk in memory.
    fn copy_out(&self, id: TargetId) -> Result<()> {
        let mut table = self.table();
        let pieces = table.lift(id);
        let rows: usize = pieces.iter().map(|piece| piece.rows.num_rows()).sum();
        if rows == 0 {
            return Ok(());
        }
        let batches = concat_batches(self.plan.schema(), pieces.iter().map(|piece| &piece.rows));
        let rows = batches.and_then(|rows| compact(&rows)).map_err(broken)?;
        let bytes = rows.get_array_memory_size();
        let charge = Arc::new(self.waiting.charge(bytes));
        table.give_back(id, Piece { rows, bytes, _charge: charge });
        Ok(())
    }

    /// At the end: what still waits is encoded and every file is closed.
    pub(crate) async fn finish(self: Arc<Self>) -> Result<()> {
        if self.plan.is_by_stream() {
            self.table().unite_rests();
        }
        let count = self.table().count();
        for id in 0..count {
            let (slot, crew) = (self.slot().await?, Arc::clone(&self));
            self.spawn(async move {
                let _slot = slot;
                let (pieces, mut files) = crew.table().last(id);
                let last = crew.encode(id, files.pop(), pieces).await?;
                for file in last.into_iter().chain(files) {
                    crew.close(file).await?;
                }
                Ok(())
            })
            .await?;
        }
        Ok(())
    }
}

/// What belongs to one stream.
struct Feeder {
    splitter: Splitter,
    /// The targets of the splitter's numbers, as far as they are known.
    known: Vec<Option<TargetId>>,
    lane: usize,
}

impl Feeder {
    fn target(&mut self, number: u32, table: &mut Targets, plan: &Plan) -> Result<TargetId> {
        let at = number as usize;
        if at >= self.known.len() {
            self.known.resize((at + 1).next_power_of_two(), None);
        }
        if let Some(id) = self.known[at] {
            return Ok(id);
        }
        let key: TargetKey = self.splitter.key(number);
        let id = table.target(key, self.lane, plan)?;
        self.known[at] = Some(id);
        Ok(id)
    }
}

/// The other side is gone: the write was given up.
fn closed<E>(_: E) -> Error {
    Error::cancelled()
}
