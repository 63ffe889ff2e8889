//! Writing a file that nobody sees until it is whole: under `lake/tmp` for a plain write, in the commit's own folder for
//! a staged one.

use super::disk::Disk;
use super::fsys;
use super::record::Record;
use crate::checksum::{Digests, Hasher};
use crate::journal::{StagedPut, Waiting};
use crate::object::{PartInfo, PutOptions, PutResult};
use crate::private::{create_in, failed};
use crate::store::{Finished, PartSink, Sink};
use async_trait::async_trait;
use bytes::Bytes;
use model::{Error, LakeUri, Result};
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// Small writes are gathered to this size before they go to the disk.
const CHUNK: usize = 1 << 20;

/// Runs work that waits for the disk beside the async threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::internal("a disk task broke off").source_is(error)),
    }
}

/// A file being written. Dropped before it is placed, it is removed.
pub(crate) struct Draft {
    disk: Arc<Disk>,
    uri: LakeUri,
    file: File,
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
            file,
            dir,
            name,
            commit: commit.map(str::to_owned),
            hasher: Some(Hasher::new(&options.checksums)),
            keep: false,
        })
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        self.file.write_all(bytes).map_err(|e| self.io_error(e))
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

    /// Checks what was promised; then the file has its record and is on disk.
    pub(crate) fn seal(&mut self, options: &PutOptions) -> Result<PutResult> {
        let Some(hasher) = self.hasher.take() else {
            return Err(Error::internal("a file was finished twice"));
        };
        let digests = hasher.finish();
        digests.check(&self.uri, options.content_md5, &options.checksums)?;
        self.seal_as(hex::encode(digests.md5), digests, options)
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
        rustix::fs::fsync(&self.file).map_err(wrong)?;
        Ok(PutResult { etag, size: digests.size, checksums: digests.sums, version: None })
    }

    /// Publishes a sealed file, or leaves it for its commit.
    pub(crate) fn place(mut self, options: &PutOptions, mut result: PutResult) -> Result<Finished> {
        if let Some(commit) = self.commit.clone() {
            rustix::fs::fsync(&self.dir).map_err(|errno| failed("write", &self.uri, errno))?;
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
}

#[async_trait]
impl PartSink for LocalPart {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.sink.write(bytes).await
    }

    async fn finish(mut self: Box<Self>, options: &PutOptions) -> Result<PartInfo> {
        self.sink.flush().await?;
        let draft = self.sink.draft()?;
        let options = options.clone();
        blocking(move || self.disk.end_part(&self.uri, &self.upload_id, self.number, draft, &options)).await
    }
}

/// The async face of a draft.
pub(crate) struct LocalSink {
    draft: Option<Draft>,
    pending: Vec<Bytes>,
    pending_size: usize,
}

impl LocalSink {
    pub(crate) fn new(draft: Draft) -> Self {
        Self { draft: Some(draft), pending: Vec::new(), pending_size: 0 }
    }

    fn draft(&mut self) -> Result<Draft> {
        self.draft.take().ok_or_else(|| {
            Error::conflict("this writer failed or was interrupted before")
                .hint("write the object again from its beginning")
        })
    }

    async fn flush(&mut self) -> Result<()> {
        let mut draft = self.draft()?;
        let pending = std::mem::take(&mut self.pending);
        self.pending_size = 0;
        let draft = blocking(move || {
            for bytes in pending {
                draft.append(&bytes)?;
            }
            Ok(draft)
        })
        .await?;
        self.draft = Some(draft);
        Ok(())
    }
}

#[async_trait]
impl Sink for LocalSink {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.pending_size += bytes.len();
        // A tiny slice must not keep a large buffer alive while it waits.
        self.pending.push(if bytes.len() < 4096 { Bytes::copy_from_slice(&bytes) } else { bytes });
        if self.pending_size >= CHUNK { self.flush().await } else { Ok(()) }
    }

    async fn finish(mut self: Box<Self>, options: &PutOptions) -> Result<Finished> {
        self.flush().await?;
        let mut draft = self.draft()?;
        let options = options.clone();
        blocking(move || {
            let result = draft.seal(&options)?;
            draft.place(&options, result)
        })
        .await
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        let draft = self.draft()?;
        blocking(move || {
            drop(draft);
            Ok(())
        })
        .await
    }
}
