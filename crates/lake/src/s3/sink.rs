//! Writing to a server in bounded memory: small objects in one request, larger ones in parts, a few at a time. A staged
//! object is an upload whose completion waits for the commit.

use super::S3Store;
use super::notes::note_upload;
use crate::checksum::Hasher;
use crate::journal::{StagedPut, Waiting};
use crate::local::{blocking, fsys};
use crate::object::{CompletedPart, PutOptions, PutResult};
use crate::store::{Finished, Sink, Store};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use model::{Error, LakeUri, Place, Result};
use std::sync::Arc;
use tokio::task::JoinSet;

const PART: usize = 8 << 20;
const MAX_PART: usize = 64 << 20;
/// How many parts travel at the same time.
const AT_ONCE: usize = 4;

pub(super) struct S3Sink {
    store: S3Store,
    uri: LakeUri,
    options: PutOptions,
    /// The commit's name; a plain write gets one of its own when it begins an upload.
    commit: Option<String>,
    note: Option<String>,
    hasher: Hasher,
    buffer: BytesMut,
    upload: Option<String>,
    next: u16,
    done: Vec<CompletedPart>,
    travelling: JoinSet<Result<CompletedPart>>,
}

impl S3Sink {
    pub(super) fn new(store: S3Store, uri: &LakeUri, options: &PutOptions, commit: Option<&str>) -> Self {
        Self {
            store,
            uri: uri.clone(),
            options: options.clone(),
            commit: commit.map(str::to_owned),
            note: None,
            hasher: Hasher::new(&options.checksums),
            buffer: BytesMut::new(),
            upload: None,
            next: 1,
            done: Vec::new(),
            travelling: JoinSet::new(),
        }
    }

    /// Parts grow, so that their number suffices for half a terabyte.
    fn part_size(&self) -> usize {
        (PART << (self.next / 1000).min(3)).min(MAX_PART)
    }

    async fn upload(&mut self) -> Result<String> {
        if let Some(id) = &self.upload {
            return Ok(id.clone());
        }
        let id = self.store.begin_upload(&self.uri, &self.options).await?;
        self.upload = Some(id.clone());
        let note = self.commit.clone().unwrap_or_else(|| self.store.private.fresh_name());
        self.note = Some(note.clone());
        let (private, uri, copy) = (Arc::clone(&self.store.private), self.uri.clone(), id.clone());
        blocking(move || note_upload(&private, &note, &uri, &copy)).await?;
        Ok(id)
    }

    async fn send(&mut self, bytes: Bytes) -> Result<()> {
        let id = self.upload().await?;
        while self.travelling.len() >= AT_ONCE {
            self.land().await?;
        }
        let number = self.next;
        if number > crate::local::MAX_PARTS {
            let error =
                Error::new(model::ErrorKind::LimitExceeded, "the object is too large for a multipart upload");
            return Err(error.at(Place::object(&self.uri)));
        }
        self.next += 1;
        let (store, uri) = (self.store.clone(), self.uri.clone());
        self.travelling.spawn(async move {
            let part = store.send_part(&uri, &id, number, bytes, &PutOptions::default()).await?;
            Ok(CompletedPart { number, etag: part.etag })
        });
        Ok(())
    }

    async fn land(&mut self) -> Result<()> {
        match self.travelling.join_next().await {
            None => Ok(()),
            Some(Ok(part)) => {
                self.done.push(part?);
                Ok(())
            }
            Some(Err(error)) => Err(Error::internal("an upload task broke off").source_is(error)),
        }
    }

    /// Everything is sent and checked; what is left is completing it.
    async fn seal(&mut self, options: &PutOptions) -> Result<PutResult> {
        let hasher = std::mem::replace(&mut self.hasher, Hasher::new(&options.checksums));
        let digests = hasher.finish();
        digests.check(&self.uri, options.content_md5, &options.checksums)?;
        let rest = self.buffer.split().freeze();
        if !rest.is_empty() || self.next == 1 {
            self.send(rest).await?;
        }
        while !self.travelling.is_empty() {
            self.land().await?;
        }
        self.done.sort_by_key(|part| part.number);
        let etag = crate::checksum::multipart_etag(self.done.iter().map(|part| part.etag.as_str()));
        Ok(PutResult { etag, size: digests.size, checksums: digests.sums, version: None })
    }

    async fn finish_inner(&mut self, options: &PutOptions) -> Result<Finished> {
        if self.commit.is_none() && self.upload.is_none() {
            let bytes = self.buffer.split().freeze();
            return self.store.put(&self.uri, bytes, options).await.map(Finished::Published);
        }
        let result = self.seal(options).await?;
        let id = self.upload().await?;
        if self.commit.is_some() {
            let waiting = Waiting::Upload { id, parts: std::mem::take(&mut self.done) };
            self.upload = None;
            let (uri, mode, size) = (self.uri.clone(), options.mode.clone(), result.size);
            return Ok(Finished::Staged(result, StagedPut { uri, mode, size, waiting }));
        }
        crashpoint::hit("lake.s3.complete");
        let mut completed = self.store.complete(&self.uri, &id, &self.done, &options.mode).await?;
        completed.checksums = result.checksums;
        self.upload = None;
        self.forget().await?;
        Ok(Finished::Published(completed))
    }

    /// A plain write's note is not needed any more.
    async fn forget(&mut self) -> Result<()> {
        if let (Some(note), None) = (self.note.take(), &self.commit) {
            let private = Arc::clone(&self.store.private);
            blocking(move || {
                fsys::remove_all(&private.staging, &note)
                    .map_err(|errno| crate::private::failed("remove", format!("lake/staging/{note}"), errno))
            })
            .await?;
        }
        Ok(())
    }

    async fn give_up(&mut self) -> Result<()> {
        self.travelling.shutdown().await;
        if let Some(id) = self.upload.take() {
            self.store.abort(&self.uri, &id).await?;
        }
        self.forget().await
    }
}

#[async_trait]
impl Sink for S3Sink {
    async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        self.hasher.update(&bytes);
        while !bytes.is_empty() {
            let room = self.part_size() - self.buffer.len();
            let piece = bytes.split_to(room.min(bytes.len()));
            self.buffer.extend_from_slice(&piece);
            if self.buffer.len() == self.part_size() {
                let part = std::mem::take(&mut self.buffer).freeze();
                self.send(part).await?;
            }
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>, options: &PutOptions) -> Result<Finished> {
        let result = self.finish_inner(options).await;
        if result.is_err() {
            let _ = self.give_up().await;
        }
        result
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        self.give_up().await
    }
}

impl Drop for S3Sink {
    fn drop(&mut self) {
        self.travelling.abort_all();
        let (Some(id), Ok(runtime)) = (self.upload.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let (store, uri) = (self.store.clone(), self.uri.clone());
        let note = self.note.take().filter(|_| self.commit.is_none());
        runtime.spawn(async move {
            if store.abort(&uri, &id).await.is_ok()
                && let Some(note) = note
            {
                let _ = fsys::remove_all(&store.private.staging, &note);
            }
        });
    }
}
