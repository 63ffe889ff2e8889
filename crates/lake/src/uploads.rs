//! Multipart uploads: many parts, sent in any order and at the same time, become one object.

use crate::Lake;
use crate::checksum::Checksums;
use crate::gate::to_its_end;
use crate::local::MAX_PARTS;
use crate::object::{CompletedPart, MultipartInfo, PartInfo, PutMode, PutOptions, PutResult};
use crate::store::PartSink;
use bytes::Bytes;
use model::{Error, LakeUri, Place, Result};

/// Takes a part's bytes in order. The part counts once [`finish`](Self::finish) returns.
pub struct PartWriter {
    sink: Box<dyn PartSink>,
    options: PutOptions,
}

impl PartWriter {
    /// Appends. Waits while the backend is busy.
    pub async fn write(&mut self, bytes: impl Into<Bytes>) -> Result<()> {
        self.sink.write(bytes.into()).await
    }

    /// Sets the values of checksums that became known while writing; see [`ObjectWriter`](crate::ObjectWriter).
    pub fn expect_checksums(&mut self, checksums: Checksums) {
        self.options.checksums = checksums;
    }

    /// Puts the part in its place; one of the same number is replaced.
    pub async fn finish(self) -> Result<PartInfo> {
        let Self { sink, options } = self;
        to_its_end(async move { sink.finish(&options).await }).await
    }
}

impl std::fmt::Debug for PartWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartWriter").finish_non_exhaustive()
    }
}

fn check_number(uri: &LakeUri, number: u16) -> Result<()> {
    match (1..=MAX_PARTS).contains(&number) {
        true => Ok(()),
        false => Err(Error::invalid(format!("part number {number} is not between 1 and {MAX_PARTS}"))
            .at(Place::object(uri))),
    }
}

impl Lake {
    /// Begins an upload and returns its id. Uploads outlive the process until they are completed, aborted or swept.
    pub async fn create_multipart(&self, uri: &LakeUri, options: PutOptions) -> Result<String> {
        options.check(uri)?;
        self.store(uri.bucket()).create_multipart(uri, &options).await
    }

    /// Sends a part; a part of the same number is replaced. Of the options only MD5 and checksums count.
    pub async fn put_part(
        &self,
        uri: &LakeUri,
        upload_id: &str,
        number: u16,
        bytes: Bytes,
        options: PutOptions,
    ) -> Result<PartInfo> {
        check_number(uri, number)?;
        self.store(uri.bucket()).put_part(uri, upload_id, number, bytes, &options).await
    }

    /// Opens a part for writing piece by piece, in bounded memory on the local disk. Of the options only MD5 and
    /// checksums count; give a placeholder for a checksum that follows the bytes. Dropping the writer leaves nothing.
    pub async fn part_writer(
        &self,
        uri: &LakeUri,
        upload_id: &str,
        number: u16,
        options: PutOptions,
    ) -> Result<PartWriter> {
        check_number(uri, number)?;
        let sink = self.store(uri.bucket()).part_sink(uri, upload_id, number, &options).await?;
        Ok(PartWriter { sink, options })
    }

    /// The parts that have arrived, by number.
    pub async fn list_parts(&self, uri: &LakeUri, upload_id: &str) -> Result<Vec<PartInfo>> {
        self.store(uri.bucket()).list_parts(uri, upload_id).await
    }

    /// Puts the named parts together. Every part but the last must have at least 5 MiB.
    pub async fn complete_multipart(
        &self,
        uri: &LakeUri,
        upload_id: &str,
        parts: Vec<CompletedPart>,
        mode: PutMode,
    ) -> Result<PutResult> {
        let (lake, uri, id) = (self.clone(), uri.clone(), upload_id.to_owned());
        to_its_end(async move {
            let (store, _pass) = lake.enter(uri.bucket()).await?;
            store.complete_multipart(&uri, &id, &parts, &mode).await
        })
        .await
    }

    /// Gives an upload up and frees its parts.
    pub async fn abort_multipart(&self, uri: &LakeUri, upload_id: &str) -> Result<()> {
        self.store(uri.bucket()).abort_multipart(uri, upload_id).await
    }

    /// The uploads under way whose key begins with the prefix's key.
    pub async fn list_multiparts(&self, prefix: &LakeUri) -> Result<Vec<MultipartInfo>> {
        self.store(prefix.bucket()).list_multiparts(prefix.bucket(), prefix.key()).await
    }
}
