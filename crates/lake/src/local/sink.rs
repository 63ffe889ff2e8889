//! Writing a file that nobody sees until it is whole: under `lake/tmp` for a plain write, in the commit's own folder for
//! a staged one.

use super::disk::Disk;
use super::fsys;
use super::lane::Lane;
use super::record::Record;
use crate::checksum::{Digests, Hasher};
use crate::journal::{StagedPut, Waiting};
use crate::object::{PartInfo, PutOptions, PutResult};
use crate::private::{create_in, failed};
use crate::store::{Finished, PartSink, Sink};
use async_trait::async_trait;
use bytes::Bytes;
use model::{Error, LakeUri, Place, Result};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use tokio::task::{JoinHandle, spawn_blocking};

/// Small writes are gathered to this size before they go to the disk.
const CHUNK: usize = 1 << 20;
/// So much is written before the disk is told to begin with it: at the end of a large file little is left to wait for.
const AHEAD: u64 = 64 << 20;

/// Smaller files of a commit are brought to disk by the commit, all at a time: each sync waits for the disk.
pub(crate) const SMALL: u64 = 256 << 10;

/// Runs work that waits for the disk beside the async threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::internal("a disk task broke off").source_is(error)),
    }
}

/// A file being written. Dropped before it is placed, it is removed.
pub(crate) struct Draft {
    disk: Arc<Disk>,
    uri: LakeUri,
    file: Arc<File>,
    dir: OwnedFd,
    pub(crate) name: String,
    commit: Option<String>,
    hasher: Option<Hasher>,
    keep: bool,
}

impl Draft {
    pub(crate) fn new(
        disk: &Arc<Disk>,
        uri: &LakeUri,
        options: &PutOptions,
        commit: Option<&str>,
    ) -> Result<Self> {
        disk.bucket(uri.bucket())?;
        let wrong = |errno| failed("write", uri, errno);
        let name = disk.private.fresh_name();
        let dir = match commit {
            Some(commit) => fsys::ensure_dir(&disk.private.staging, &[commit]).map_err(wrong)?,
            None => {
                disk.private.tmp.try_clone().map_err(|e| Error::unavailable("no more files").source_is(e))?
            }
        };
        let file = create_in(&dir, &name).map_err(wrong)?;
        Ok(Self {
            disk: Arc::clone(disk),
            uri: uri.clone(),
            file: Arc::new(file),
            dir,
            name,
            commit: commit.map(str::to_owned),
            hasher: Some(Hasher::of_write(options)),
            keep: false,
        })
    }

    /// Bytes within a file that somebody else looks after, in that folder.
    pub(crate) fn within(
        disk: &Arc<Disk>,
        uri: &LakeUri,
        options: &PutOptions,
        file: File,
        dir: OwnedFd,
    ) -> Self {
        let hasher = Some(Hasher::of_write(options));
        let (disk, uri, file) = (Arc::clone(disk), uri.clone(), Arc::new(file));
        Self { disk, uri, file, dir, name: String::new(), commit: None, hasher, keep: true }
    }

    /// A file that is in `tmp` under that name.
    pub(crate) fn of(disk: &Arc<Disk>, uri: &LakeUri, file: File, name: String) -> Result<Self> {
        let dir =
            disk.private.tmp.try_clone().map_err(|e| Error::unavailable("no more files").source_is(e))?;
        let (disk, uri, file) = (Arc::clone(disk), uri.clone(), Arc::new(file));
        Ok(Self { disk, uri, file, dir, name, commit: None, hasher: None, keep: false })
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        self.file.as_ref().write_all(bytes).map_err(|e| self.io_error(e))
    }

    /// The file was moved to where it belongs.
    pub(crate) fn keep(&mut self) {
        self.keep = true;
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    pub(crate) fn io_error(&self, error: std::io::Error) -> Error {
        match rustix::io::Errno::from_io_error(&error) {
            Some(errno) => failed("write", &self.uri, errno),
            None => Error::unavailable(format!("cannot write `{}`", self.uri)).source_is(error),
        }
    }

    /// What has come, checked against what was promised.
    fn checked(&mut self, options: &PutOptions) -> Result<Digests> {
        let Some(hasher) = self.hasher.take() else {
            return Err(Error::internal("a file was finished twice"));
        };
        let digests = hasher.finish();
        digests.check(&self.uri, options.content_md5, &options.checksums)?;
        Ok(digests)
    }

    /// Checks what was promised; then what has come is on disk.
    pub(crate) fn synced(&mut self, options: &PutOptions) -> Result<PutResult> {
        let digests = self.checked(options)?;
        rustix::fs::fsync(&self.file).map_err(|errno| failed("write", &self.uri, errno))?;
        let etag = digests.etag();
        Ok(PutResult { etag, size: digests.size, checksums: digests.sums, version: None })
    }

    /// Checks what was promised; then the file has its record and is on disk, if not as a small one of a commit.
    pub(crate) fn seal(&mut self, options: &PutOptions) -> Result<PutResult> {
        let digests = self.checked(options)?;
        self.seal_as(digests.etag(), digests, options)
    }

    /// The same for a file whose bytes were checked before.
    pub(crate) fn seal_as(
        &mut self,
        etag: String,
        digests: Digests,
        options: &PutOptions,
    ) -> Result<PutResult> {
        let wrong = |errno| failed("write", &self.uri, errno);
        let version = self.disk.first_version(&self.uri, &self.file)?;
        let record = Record {
            version,
            etag: etag.clone(),
            sums: digests.sums,
            content_type: options.content_type.clone(),
            headers: options.headers.clone(),
            metadata: options.metadata.clone(),
            owner: self
                .disk
                .records
                .need_owner()
                .then(|| format!("{}/{}", self.uri.bucket(), self.uri.key())),
        };
        let spare = self.disk.private.fresh_name();
        self.disk.records.write(&self.file, &record, &self.disk.private.tmp, &spare).map_err(wrong)?;
        if self.commit.is_none() || digests.size >= SMALL {
            rustix::fs::fsync(&self.file).map_err(wrong)?;
        }
        Ok(PutResult { etag, size: digests.size, checksums: digests.sums, version: None })
    }

    /// Publishes a sealed file, or leaves it for its commit.
    pub(crate) fn place(mut self, options: &PutOptions, mut result: PutResult) -> Result<Finished> {
        if let Some(commit) = self.commit.clone() {
            self.keep = true;
            let waiting = Waiting::File { commit, name: self.name.clone() };
            let (uri, mode, size) = (self.uri.clone(), options.mode.clone(), result.size);
            return Ok(Finished::Staged(result, StagedPut { uri, mode, size, waiting }));
        }
        result.version = self.disk.place(&self.dir, &self.name, &self.uri, &options.mode)?;
        self.keep = true;
        Ok(Finished::Published(result))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.keep {
            if let Ok(stat) = rustix::fs::fstat(self.file.as_fd()) {
                self.disk.records.forget(super::record::Stamp::of(&stat).inode);
            }
            let _ = fsys::unlink(&self.dir, &self.name);
        }
    }
}

/// A part of a multipart upload as it comes in.
pub(crate) struct LocalPart {
    pub(crate) sink: LocalSink,
    pub(crate) disk: Arc<Disk>,
    pub(crate) uri: LakeUri,
    pub(crate) upload_id: String,
    pub(crate) number: u16,
    /// How many more bytes there is room for, where it has a slot.
    pub(crate) room: Option<u64>,
}

#[async_trait]
impl PartSink for LocalPart {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if let Some(room) = &mut self.room {
            *room = room.checked_sub(bytes.len() as u64).ok_or_else(|| {
                Error::invalid("the part is longer than it was said to be").at(Place::object(&self.uri))
            })?;
        }
        self.sink.write(bytes).await
    }

    async fn finish(self: Box<Self>, options: &PutOptions) -> Result<PartInfo> {
        let Self { sink, disk, uri, upload_id, number, room } = *self;
        let (mut draft, rest) = sink.settled().await?;
        let options = options.clone();
        blocking(move || {
            rest.iter().try_for_each(|bytes| draft.append(bytes))?;
            disk.end_part(&uri, &upload_id, number, (draft, room.is_some()), &options)
        })
        .await
    }
}

/// The async face of a draft. While more comes in, what came before is hashed and written, side by side.
pub(crate) struct LocalSink {
    draft: Draft,
    pending: Vec<Bytes>,
    pending_size: usize,
    /// Once there is more than a small file's.
    lanes: Option<Lanes>,
    unsynced: u64,
    /// A write failed, or was given up in the middle.
    torn: bool,
}

type Chunk = Arc<[Bytes]>;

struct Lanes {
    hashing: Lane<Hasher, Chunk>,
    writing: Lane<Arc<File>, Chunk>,
    /// Makes what was written so far durable.
    syncing: Option<JoinHandle<io::Result<()>>>,
}

impl Lanes {
    fn new(hasher: Hasher, file: &Arc<File>) -> Self {
        let hash = |hasher: &mut Hasher, chunk: Chunk| {
            chunk.iter().for_each(|bytes| hasher.update(bytes));
            Ok(())
        };
        let write = |file: &mut Arc<File>, chunk: Chunk| {
            chunk.iter().try_for_each(|bytes| file.as_ref().write_all(bytes))
        };
        Self { hashing: Lane::new(hasher, hash), writing: Lane::new(Arc::clone(file), write), syncing: None }
    }

    /// Begins to make durable what was written, unless that is under way.
    async fn sync(&mut self, file: &Arc<File>) -> Result<io::Result<bool>> {
        if self.syncing.as_ref().is_some_and(|syncing| !syncing.is_finished()) {
            return Ok(Ok(false));
        }
        if let Err(error) = self.synced().await? {
            return Ok(Err(error));
        }
        let file = Arc::clone(file);
        self.syncing = Some(spawn_blocking(move || file.sync_data()));
        Ok(Ok(true))
    }

    async fn synced(&mut self) -> Result<io::Result<()>> {
        let Some(syncing) = self.syncing.take() else { return Ok(Ok(())) };
        syncing.await.map_err(|error| Error::internal("a disk task broke off").source_is(error))
    }

    /// Waits until everything is hashed and written.
    async fn end(mut self) -> Result<io::Result<Hasher>> {
        let (synced, written) = (self.synced().await?, self.writing.end().await?);
        let hashed = self.hashing.end().await?;
        Ok(synced.and(written).and(hashed))
    }
}

impl LocalSink {
    pub(crate) fn new(draft: Draft) -> Self {
        Self { draft, pending: Vec::new(), pending_size: 0, lanes: None, unsynced: 0, torn: false }
    }

    /// Has what is pending hashed and written.
    async fn flush(&mut self) -> Result<()> {
        if let Some(hasher) = self.draft.hasher.take() {
            self.lanes = Some(Lanes::new(hasher, &self.draft.file));
        }
        let Some(lanes) = &mut self.lanes else {
            return Err(Error::internal("a finished file was written to"));
        };
        let chunk: Chunk = std::mem::take(&mut self.pending).into();
        self.unsynced += std::mem::take(&mut self.pending_size) as u64;
        let wrong = |error| self.draft.io_error(error);
        lanes.hashing.bring(Arc::clone(&chunk)).await?.map_err(wrong)?;
        lanes.writing.bring(chunk).await?.map_err(wrong)?;
        if self.unsynced >= AHEAD && lanes.sync(&self.draft.file).await?.map_err(wrong)? {
            self.unsynced = 0;
        }
        Ok(())
    }

    /// The draft when nothing is under way any more, and what it has not taken yet.
    async fn settled(mut self) -> Result<(Draft, Vec<Bytes>)> {
        if self.torn {
            return Err(torn());
        }
        if let Some(lanes) = self.lanes.take() {
            self.draft.hasher = Some(lanes.end().await?.map_err(|error| self.draft.io_error(error))?);
        }
        Ok((self.draft, self.pending))
    }
}

fn torn() -> Error {
    Error::conflict("this writer failed or was interrupted before")
        .hint("write the object again from its beginning")
}

#[async_trait]
impl Sink for LocalSink {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if self.torn {
            return Err(torn());
        }
        self.pending_size += bytes.len();
        // A tiny slice must not keep a large buffer alive while it waits.
        self.pending.push(if bytes.len() < 4096 { Bytes::copy_from_slice(&bytes) } else { bytes });
        if self.pending_size < CHUNK {
            return Ok(());
        }
        self.torn = true;
        self.flush().await?;
        self.torn = false;
        Ok(())
    }

    async fn finish(self: Box<Self>, options: &PutOptions) -> Result<Finished> {
        let (mut draft, rest) = self.settled().await?;
        let options = options.clone();
        blocking(move || {
            rest.iter().try_for_each(|bytes| draft.append(bytes))?;
            let result = draft.seal(&options)?;
            draft.place(&options, result)
        })
        .await
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        if let Some(lanes) = self.lanes.take() {
            // How they ended no longer matters, only that they did.
            let _ = lanes.end().await;
        }
        blocking(move || {
            drop(self);
            Ok(())
        })
        .await
    }
}
