//! The local backend: a bucket is a folder, an object is a file in it, and a file that somebody drops in is an object.
//!
//! What it guarantees: a write is there whole and on disk when it returns, or not at all; of racing creates and matches
//! exactly one wins, also between processes; no key and no link leads out of the bucket's folder.

mod cache;
mod disk;
mod escape;
pub(crate) mod fsys;
mod lane;
mod meta;
mod multipart;
mod past;
mod read;
mod record;
mod removal;
mod sink;
mod slots;
mod status;
mod upkeep;
mod versions;
mod walk;

pub(crate) use disk::{Disk, check_mode};
pub(crate) use multipart::MAX_PARTS;
pub(crate) use sink::SMALL;
pub(crate) use sink::blocking;

use crate::journal::{StagedDelete, StagedPut, Waiting};
use crate::object::{
    BucketInfo, CompletedPart, Deleted, GetOptions, MultipartInfo, ObjectInfo, ObjectRead, PartInfo, PutMode,
    PutOptions, PutResult, SweepReport,
};
use crate::private::failed;
use crate::ranges::RandomAccess;
use crate::store::{PartSink, Scan, ScanRequest, Sink, Store, VersionScan};
use crate::versions::{ObjectVersion, Versioning};
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use model::{BucketName, Error, ErrorKind, LakeUri, Result};
use rustix::io::Errno;
use sink::{Draft, LocalPart, LocalSink};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The local backend. Its async calls hand the work to threads that may wait for the disk.
#[derive(Clone)]
pub(crate) struct LocalStore {
    disk: Arc<Disk>,
}

impl LocalStore {
    pub(crate) fn new(disk: Arc<Disk>) -> Self {
        Self { disk }
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Disk>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let disk = Arc::clone(&self.disk);
        blocking(move || work(&disk)).await
    }
}

#[async_trait]
impl Store for LocalStore {
    async fn create_bucket(&self, bucket: &BucketName) -> Result<()> {
        let bucket = bucket.clone();
        self.run(move |disk| disk.create_bucket(&bucket)).await
    }

    async fn delete_bucket(&self, bucket: &BucketName) -> Result<()> {
        let bucket = bucket.clone();
        self.run(move |disk| disk.delete_bucket(&bucket)).await
    }

    async fn bucket_exists(&self, bucket: &BucketName) -> Result<bool> {
        let bucket = bucket.clone();
        self.run(move |disk| match disk.bucket(&bucket) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        })
        .await
    }

    async fn list_buckets(&self) -> Result<Vec<BucketInfo>> {
        self.run(|disk| disk.list_buckets()).await
    }

    async fn head(&self, uri: &LakeUri) -> Result<ObjectInfo> {
        let uri = uri.clone();
        self.run(move |disk| disk.head(&uri)).await
    }

    async fn get(&self, uri: &LakeUri, options: &GetOptions) -> Result<Option<ObjectRead>> {
        let (uri, options) = (uri.clone(), options.clone());
        self.run(move |disk| {
            let (file, info) = match &options.version {
                None => disk.open_object(&uri)?,
                Some(version) => disk.open_version(&uri, version)?,
            };
            if !options.check(&info)? {
                return Ok(None);
            }
            read::open(file, info, options.range.as_ref()).map(Some)
        })
        .await
    }

    async fn random(
        &self,
        uri: &LakeUri,
        _: Option<&ObjectInfo>,
    ) -> Result<(ObjectInfo, Arc<dyn RandomAccess>)> {
        let uri = uri.clone();
        self.run(move |disk| {
            let (file, info) = disk.open_object(&uri)?;
            Ok((info.clone(), Arc::new(read::OpenFile::new(file, info)) as Arc<dyn RandomAccess>))
        })
        .await
    }

    async fn scan(&self, request: ScanRequest) -> Result<Scan> {
        self.run(move |disk| disk.scan(&request)).await
    }

    async fn put(&self, uri: &LakeUri, bytes: Bytes, options: &PutOptions) -> Result<PutResult> {
        let (uri, options) = (uri.clone(), options.clone());
        self.run(move |disk| {
            let mut draft = Draft::new(disk, &uri, &options, None)?;
            draft.append(&bytes)?;
            let result = draft.seal(&options)?;
            draft.place(&options, result).map(|finished| finished.result().clone())
        })
        .await
    }

    async fn sink(&self, uri: &LakeUri, options: &PutOptions, commit: Option<&str>) -> Result<Box<dyn Sink>> {
        let (uri, options, commit) = (uri.clone(), options.clone(), commit.map(str::to_owned));
        self.run(move |disk| {
            let draft = Draft::new(disk, &uri, &options, commit.as_deref())?;
            Ok(Box::new(LocalSink::new(draft)) as Box<dyn Sink>)
        })
        .await
    }

    async fn copy(&self, _: &ObjectInfo, _: &LakeUri, _: &PutOptions) -> Result<Option<PutResult>> {
        Ok(None)
    }

    async fn delete(&self, uri: &LakeUri, etag: Option<&str>) -> Result<Deleted> {
        let (uri, etag) = (uri.clone(), etag.map(str::to_owned));
        self.run(move |disk| disk.remove(&uri, true, etag.as_deref())).await
    }

    async fn create_multipart(&self, uri: &LakeUri, options: &PutOptions) -> Result<String> {
        let (uri, options) = (uri.clone(), options.clone());
        self.run(move |disk| disk.begin_upload(&uri, &options)).await
    }

    async fn put_part(
        &self,
        uri: &LakeUri,
        upload_id: &str,
        number: u16,
        bytes: Bytes,
        options: &PutOptions,
    ) -> Result<PartInfo> {
        let (uri, id, options) = (uri.clone(), upload_id.to_owned(), options.clone());
        self.run(move |disk| disk.put_part(&uri, &id, number, &bytes, &options)).await
    }

    async fn part_sink(
        &self,
        uri: &LakeUri,
        upload_id: &str,
        number: u16,
        options: &PutOptions,
    ) -> Result<Box<dyn PartSink>> {
        let (uri, upload_id, options) = (uri.clone(), upload_id.to_owned(), options.clone());
        self.run(move |disk| {
            let (draft, room) = disk.begin_part(&uri, &upload_id, number, &options)?;
            let (sink, disk) = (LocalSink::new(draft), Arc::clone(disk));
            Ok(Box::new(LocalPart { sink, disk, uri, upload_id, number, room }) as Box<dyn PartSink>)
        })
        .await
    }

    async fn list_parts(&self, uri: &LakeUri, upload_id: &str) -> Result<Vec<PartInfo>> {
        let (uri, id) = (uri.clone(), upload_id.to_owned());
        self.run(move |disk| disk.parts(&uri, &id)).await
    }

    async fn complete_multipart(
        &self,
        uri: &LakeUri,
        upload_id: &str,
        parts: &[CompletedPart],
        mode: &PutMode,
    ) -> Result<PutResult> {
        let (uri, id, parts, mode) = (uri.clone(), upload_id.to_owned(), parts.to_vec(), mode.clone());
        self.run(move |disk| disk.complete_upload(&uri, &id, &parts, &mode)).await
    }

    async fn abort_multipart(&self, uri: &LakeUri, upload_id: &str) -> Result<()> {
        let (uri, id) = (uri.clone(), upload_id.to_owned());
        self.run(move |disk| disk.abort_upload(&uri, &id)).await
    }

    async fn list_multiparts(&self, bucket: &BucketName, prefix: &str) -> Result<Vec<MultipartInfo>> {
        let (bucket, prefix) = (bucket.clone(), prefix.to_owned());
        self.run(move |disk| disk.list_uploads(&bucket, &prefix)).await
    }

    async fn stamp(&self, info: &ObjectInfo) -> Result<String> {
        let uri = info.uri.clone();
        self.run(move |disk| disk.stamp(&uri)).await
    }

    async fn publish_put(&self, put: &StagedPut) -> Result<()> {
        let put = put.clone();
        self.run(move |disk| {
            crashpoint::hit("lake.commit.rename");
            let Waiting::File { commit, name } = &put.waiting else {
                return Err(Error::internal("a remote upload was handed to the local disk"));
            };
            let wrong = |errno| failed("publish", &put.uri, errno);
            let dir = match fsys::open_dir(&disk.private.staging, &[commit]) {
                Ok(dir) => dir,
                Err(Errno::NOENT) => return Ok(()),
                Err(errno) => return Err(wrong(errno)),
            };
            match fsys::stat(&dir, name) {
                Ok(_) => disk.place_unsynced(&dir, name, &put.uri),
                Err(Errno::NOENT) => Ok(()),
                Err(errno) => Err(wrong(errno)),
            }
        })
        .await
    }

    async fn publish_delete(&self, delete: &StagedDelete) -> Result<()> {
        let delete = delete.clone();
        self.run(move |disk| {
            crashpoint::hit("lake.commit.delete");
            match disk.stamp(&delete.uri) {
                Ok(now) if now == delete.stamp => disk.remove(&delete.uri, false, None).map(drop),
                Ok(_) => Ok(()),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                Err(error) => Err(error),
            }
        })
        .await
    }

    async fn settle(&self, uris: Vec<LakeUri>) -> Result<()> {
        // One fsync for each folder, not for each object.
        let mut folders: BTreeMap<(BucketName, String, String), LakeUri> = BTreeMap::new();
        for uri in uris.clone() {
            let folder = uri.key().rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
            // Long keys of one folder may stand in different folders of the odd tree.
            let odd = escape::odd(uri.key());
            let odd = odd[..odd.len().saturating_sub(1)].concat();
            folders.insert((uri.bucket().clone(), folder, odd), uri);
        }
        self.run(move |disk| {
            folders.values().try_for_each(|uri| disk.sync_folders_of(uri))?;
            disk.sync_folders_above(&uris)
        })
        .await
    }

    async fn discard(&self, put: &StagedPut) -> Result<()> {
        let put = put.clone();
        self.run(move |disk| match &put.waiting {
            Waiting::File { commit, name } => disk.discard(commit, name),
            Waiting::Upload { .. } => Ok(()),
        })
        .await
    }

    async fn sweep(&self, older_than: DateTime<Utc>) -> Result<SweepReport> {
        self.run(move |disk| disk.sweep(older_than)).await
    }

    async fn versioning(&self, bucket: &BucketName) -> Result<Option<Versioning>> {
        let bucket = bucket.clone();
        self.run(move |disk| Ok(disk.status(&bucket)?.map(|status| status.versioning))).await
    }

    async fn set_versioning(&self, bucket: &BucketName, versioning: Versioning) -> Result<()> {
        let bucket = bucket.clone();
        self.run(move |disk| disk.set_versioning(&bucket, versioning)).await
    }

    async fn history(&self, uri: &LakeUri) -> Result<Vec<ObjectVersion>> {
        let uri = uri.clone();
        self.run(move |disk| disk.history(&uri)).await
    }

    async fn delete_version(&self, uri: &LakeUri, version: &str) -> Result<Deleted> {
        let (uri, version) = (uri.clone(), version.to_owned());
        self.run(move |disk| disk.remove_version(&uri, &version)).await
    }

    async fn scan_versions(&self, request: ScanRequest, after: Option<String>) -> Result<VersionScan> {
        self.run(move |disk| disk.scan_versions(&request, after.as_deref())).await
    }
}
