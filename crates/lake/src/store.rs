//! What a backend must be able to do: objects under exact keys, and the pieces of a commit. The lake above adds routing,
//! the publish gate and the journal; it never looks into a backend.

use crate::journal::{StagedDelete, StagedPut};
use crate::object::{
    BucketInfo, CompletedPart, Deleted, GetOptions, MultipartInfo, ObjectInfo, ObjectRead, PartInfo, PutMode,
    PutOptions, PutResult,
};
use crate::ranges::RandomAccess;
use crate::versions::{NULL, ObjectVersion, Versioning};
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use model::{BucketName, Error, ErrorKind, LakeUri, Place, Result};
use std::sync::Arc;

/// Where a scan begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bound {
    /// With this key or behind it.
    From(String),
    /// Behind this key.
    After(String),
    /// Behind every key that begins so.
    Past(String),
}

/// What to list.
#[derive(Debug, Clone)]
pub(crate) struct ScanRequest {
    pub(crate) bucket: BucketName,
    pub(crate) prefix: String,
    pub(crate) bound: Bound,
    pub(crate) delimiter: Option<String>,
    pub(crate) limit: usize,
}

/// One thing listed.
#[derive(Debug, Clone)]
pub(crate) enum Listed {
    Object(Box<ObjectInfo>),
    Prefix(String),
}

/// Some of a listing, in byte order.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) items: Vec<Listed>,
    /// Whether there is more behind the last item.
    pub(crate) more: bool,
}

/// One thing of a listing of versions.
#[derive(Debug, Clone)]
pub(crate) enum ListedVersion {
    Version(Box<ObjectVersion>),
    Prefix(String),
}

/// Some of a listing of versions: keys in byte order, the versions of one key from the newest on.
#[derive(Debug, Default)]
pub(crate) struct VersionScan {
    pub(crate) items: Vec<ListedVersion>,
    /// Whether there is more behind the last item.
    pub(crate) more: bool,
}

/// Refuses any version but the one of objects without versions.
pub(crate) fn check_version(uri: &LakeUri, version: Option<&str>) -> Result<()> {
    match version {
        None | Some(NULL) => Ok(()),
        Some(version) => Err(Error::unsupported(format!("the version `{version}` cannot be asked for"))
            .at(Place::object(uri))
            .why("its bucket lies on another S3 server, whose versions are not passed on")),
    }
}

/// What a finished sink leaves.
pub(crate) enum Finished {
    /// The object is there.
    Published(PutResult),
    /// It waits for its commit.
    Staged(PutResult, StagedPut),
}

impl Finished {
    pub(crate) fn result(&self) -> &PutResult {
        match self {
            Self::Published(result) | Self::Staged(result, _) => result,
        }
    }
}

/// Takes an object's bytes as they come. Dropping it unfinished leaves nothing.
#[async_trait]
pub(crate) trait Sink: Send {
    async fn write(&mut self, bytes: Bytes) -> Result<()>;
    /// `options` may promise more than at the beginning: checksums that follow the bytes.
    async fn finish(self: Box<Self>, promised: &PutOptions) -> Result<Finished>;
    async fn abort(self: Box<Self>) -> Result<()>;
}

/// Takes the bytes of a multipart upload's part as they come. Dropping it unfinished leaves nothing.
#[async_trait]
pub(crate) trait PartSink: Send {
    async fn write(&mut self, bytes: Bytes) -> Result<()>;
    /// `options` may promise more than at the beginning, as for a [`Sink`].
    async fn finish(self: Box<Self>, promised: &PutOptions) -> Result<PartInfo>;
}

/// A backend.
#[async_trait]
pub(crate) trait Store: Send + Sync {
    async fn create_bucket(&self, bucket: &BucketName) -> Result<()>;
    async fn delete_bucket(&self, bucket: &BucketName) -> Result<()>;
    async fn bucket_exists(&self, bucket: &BucketName) -> Result<bool>;
    async fn list_buckets(&self) -> Result<Vec<BucketInfo>>;

    async fn head(&self, uri: &LakeUri) -> Result<ObjectInfo>;
    /// None: the reader's copy is still good.
    async fn get(&self, uri: &LakeUri, options: &GetOptions) -> Result<Option<ObjectRead>>;
    /// Opens an object for reading pieces of it. What is `known` of it may be believed where looking costs a request.
    async fn random(
        &self,
        uri: &LakeUri,
        known: Option<&ObjectInfo>,
    ) -> Result<(ObjectInfo, Arc<dyn RandomAccess>)>;
    async fn scan(&self, request: ScanRequest) -> Result<Scan>;

    async fn put(&self, uri: &LakeUri, bytes: Bytes, options: &PutOptions) -> Result<PutResult>;
    /// `commit`: the name of the commit that stages the object.
    async fn sink(&self, uri: &LakeUri, options: &PutOptions, commit: Option<&str>) -> Result<Box<dyn Sink>>;
    /// None: this backend cannot copy without reading the bytes; the lake does it then.
    async fn copy(&self, from: &ObjectInfo, to: &LakeUri, options: &PutOptions) -> Result<Option<PutResult>>;
    /// With an ETag: only the object that has it.
    async fn delete(&self, uri: &LakeUri, etag: Option<&str>) -> Result<Deleted>;

    async fn create_multipart(&self, uri: &LakeUri, options: &PutOptions) -> Result<String>;
    async fn put_part(
        &self,
        uri: &LakeUri,
        upload_id: &str,
        number: u16,
        bytes: Bytes,
        options: &PutOptions,
    ) -> Result<PartInfo>;
    /// Opens a part for writing.
    async fn part_sink(
        &self,
        uri: &LakeUri,
        upload_id: &str,
        number: u16,
        options: &PutOptions,
    ) -> Result<Box<dyn PartSink>>;
    async fn list_parts(&self, uri: &LakeUri, upload_id: &str) -> Result<Vec<PartInfo>>;
    async fn complete_multipart(
        &self,
        uri: &LakeUri,
        upload_id: &str,
        parts: &[CompletedPart],
        mode: &PutMode,
    ) -> Result<PutResult>;
    async fn abort_multipart(&self, uri: &LakeUri, upload_id: &str) -> Result<()>;
    /// Every upload under way whose key begins so.
    async fn list_multiparts(&self, bucket: &BucketName, prefix: &str) -> Result<Vec<MultipartInfo>>;

    /// What tells this content of the object from any other, for a delete in a journal.
    async fn stamp(&self, info: &ObjectInfo) -> Result<String>;
    /// Puts a staged object in its place. Done before is done: recovery repeats it.
    async fn publish_put(&self, put: &StagedPut) -> Result<()>;
    /// Removes the object if it is still the one that was meant.
    async fn publish_delete(&self, delete: &StagedDelete) -> Result<()>;
    /// Everything published for these addresses is on disk when this returns.
    async fn settle(&self, uris: Vec<LakeUri>) -> Result<()>;
    /// Drops a staged object.
    async fn discard(&self, put: &StagedPut) -> Result<()>;
    /// Removes what killed writers left before that time.
    async fn sweep(&self, older_than: DateTime<Utc>) -> Result<crate::SweepReport>;

    // A backend without versions has one of each object.

    /// Whether the bucket keeps versions; none for one that never did.
    async fn versioning(&self, _: &BucketName) -> Result<Option<Versioning>> {
        Ok(None)
    }

    async fn set_versioning(&self, bucket: &BucketName, _: Versioning) -> Result<()> {
        Err(Error::unsupported(format!(
            "bucket `{bucket}` lies on another S3 server: no versions are kept there"
        ))
        .hint("set versioning at that server; its former versions can be read there only"))
    }

    /// All versions of an object, the newest first.
    async fn history(&self, uri: &LakeUri) -> Result<Vec<ObjectVersion>> {
        match self.head(uri).await {
            Ok(info) => Ok(vec![ObjectVersion::only(info)]),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Removes a version for good; one that is not there counts as removed.
    async fn delete_version(&self, uri: &LakeUri, version: &str) -> Result<Deleted> {
        check_version(uri, Some(version))?;
        self.delete(uri, None).await
    }

    /// Lists versions. `after`: in the bound's own key, only those that are older than this one.
    async fn scan_versions(&self, mut request: ScanRequest, after: Option<String>) -> Result<VersionScan> {
        if let (Some(_), Bound::From(key)) = (after, &request.bound) {
            request.bound = Bound::After(key.clone());
        }
        let scan = self.scan(request).await?;
        let items = scan.items.into_iter().map(|item| match item {
            Listed::Object(info) => ListedVersion::Version(Box::new(ObjectVersion::only(*info))),
            Listed::Prefix(prefix) => ListedVersion::Prefix(prefix),
        });
        Ok(VersionScan { items: items.collect(), more: scan.more })
    }
}
