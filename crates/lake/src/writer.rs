//! Writing an object piece by piece.

use crate::Lake;
use crate::checksum::Checksums;
use crate::commit::Staging;
use crate::gate::to_its_end;
use crate::object::{PutOptions, PutResult};
use crate::store::{Finished, Sink};
use bytes::Bytes;
use model::{Error, LakeUri, Result};
use std::sync::Arc;

/// Takes an object's bytes in order. Nothing can be seen before [`finish`](Self::finish) returns (for a writer of a
/// commit: before the commit is published), and dropping the writer leaves nothing.
pub struct ObjectWriter {
    lake: Lake,
    uri: LakeUri,
    options: PutOptions,
    sink: Option<Box<dyn Sink>>,
    written: u64,
    commit: Option<Arc<Staging>>,
}

impl std::fmt::Debug for ObjectWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectWriter")
            .field("uri", &self.uri)
            .field("written", &self.written)
            .finish_non_exhaustive()
    }
}

impl ObjectWriter {
    pub(crate) fn new(
        lake: Lake,
        uri: LakeUri,
        options: PutOptions,
        sink: Box<dyn Sink>,
        commit: Option<Arc<Staging>>,
    ) -> Self {
        Self { lake, uri, options, sink: Some(sink), written: 0, commit }
    }

    /// Where the object will be.
    pub fn uri(&self) -> &LakeUri {
        &self.uri
    }

    /// How many bytes were written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Appends. Waits while the backend is busy, so a fast producer cannot fill the memory.
    pub async fn write(&mut self, bytes: impl Into<Bytes>) -> Result<()> {
        let bytes = bytes.into();
        self.written += bytes.len() as u64;
        match &mut self.sink {
            Some(sink) => sink.write(bytes).await,
            None => Err(Error::internal("a finished writer was written to")),
        }
    }

    /// Promises an MD5 that became known while writing.
    pub fn expect_md5(&mut self, md5: [u8; 16]) {
        self.options.content_md5 = Some(md5);
    }

    /// Sets the values of checksums that became known while writing. Which ones are computed was fixed by the options
    /// that the writer was opened with: open it with a placeholder for a checksum that follows the bytes.
    pub fn expect_checksums(&mut self, checksums: Checksums) {
        self.options.checksums = checksums;
    }

    /// Publishes the object, or hands it to its commit.
    pub async fn finish(mut self) -> Result<PutResult> {
        let Some(sink) = self.sink.take() else { return Err(Error::internal("a writer was finished twice")) };
        let options = self.options.clone();
        let Some(commit) = self.commit.take() else {
            let (lake, uri) = (self.lake.clone(), self.uri.clone());
            return to_its_end(async move {
                let (_, _pass) = lake.enter(uri.bucket()).await?;
                sink.finish(&options).await.map(|finished| finished.result().clone())
            })
            .await;
        };
        to_its_end(async move {
            match sink.finish(&options).await? {
                Finished::Staged(result, put) => commit.add(put).await.map(|()| result),
                Finished::Published(_) => Err(Error::internal("a staged object was published")),
            }
        })
        .await
    }

    /// Gives the object up.
    pub async fn abort(mut self) -> Result<()> {
        match self.sink.take() {
            Some(sink) => sink.abort().await,
            None => Ok(()),
        }
    }
}
