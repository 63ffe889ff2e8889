//! The lake: takes an address, finds the backend of its bucket, passes the publish gate and hands the call on.

use crate::commit::{Commit, CommitOptions};
use crate::config::{Backend, LakeConfig};
use crate::gate::{Gate, to_its_end};
use crate::local::{Disk, LocalStore, blocking};
use crate::object::*;
use crate::private::Private;
use crate::recovery::Pending;
use crate::s3::S3Store;
use crate::store::{Bound, Listed, ScanRequest, Store};
use crate::writer::ObjectWriter;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use model::{BucketName, Error, ErrorKind, LakeUri, Place, Result};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// How many objects a listing reads under the gate at a time, and the most that a page holds.
const PAGE: usize = 1000;

/// All buckets, wherever they are. Cheap to clone.
#[derive(Clone)]
pub struct Lake {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) private: Arc<Private>,
    pub(crate) disk: Arc<Disk>,
    default: Arc<dyn Store>,
    default_is_local: bool,
    named: BTreeMap<BucketName, Arc<dyn Store>>,
    remote_named: Vec<BucketName>,
    gates: Mutex<HashMap<BucketName, Arc<Gate>>>,
    pub(crate) pending: Pending,
}

impl std::fmt::Debug for Lake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lake").field("root", &self.inner.private.root).finish_non_exhaustive()
    }
}

impl Lake {
    /// Opens the lake, completes the commits that a killed process had decided and removes what it had not.
    pub async fn open(config: LakeConfig) -> Result<Self> {
        Self::open_with(config, false).await
    }

    /// The same, keeping metadata beside the files even where the file system has extended attributes.
    pub async fn open_with(config: LakeConfig, sidecars: bool) -> Result<Self> {
        let root = config.root.clone();
        let (private, disk) = blocking(move || {
            let private = Arc::new(Private::open(&root)?);
            let disk = Arc::new(Disk::open(Arc::clone(&private), sidecars)?);
            Ok((private, disk))
        })
        .await?;
        let make = |backend: &Backend| -> Result<Arc<dyn Store>> {
            Ok(match backend {
                Backend::Local => Arc::new(LocalStore::new(Arc::clone(&disk))),
                Backend::S3(endpoint) => Arc::new(S3Store::new(endpoint.clone(), Arc::clone(&private))?),
            })
        };
        let default = make(&config.default)?;
        let default_is_local = config.default == Backend::Local;
        let mut named = BTreeMap::new();
        for (bucket, backend) in &config.buckets {
            named.insert(bucket.clone(), make(backend)?);
        }
        let (gates, pending) = (Mutex::default(), Pending::default());
        let is_remote = |backend: &Backend| *backend != Backend::Local;
        let remote_named =
            config.buckets.iter().filter(|(_, at)| is_remote(at)).map(|(name, _)| name.clone()).collect();
        let inner = Inner { private, disk, default, default_is_local, named, remote_named, gates, pending };
        let lake = Self { inner: Arc::new(inner) };
        lake.recover().await?;
        Ok(lake)
    }

    pub(crate) fn store(&self, bucket: &BucketName) -> Arc<dyn Store> {
        Arc::clone(self.inner.named.get(bucket).unwrap_or(&self.inner.default))
    }

    /// Every backend once; the local disk is always among them.
    pub(crate) fn stores(&self) -> Vec<Arc<dyn Store>> {
        let local: Arc<dyn Store> = Arc::new(LocalStore::new(Arc::clone(&self.inner.disk)));
        let mut stores = vec![local];
        if !self.inner.default_is_local {
            stores.push(Arc::clone(&self.inner.default));
        }
        stores.extend(self.inner.remote_named.iter().map(|name| self.store(name)));
        stores
    }

    pub(crate) fn gate(&self, bucket: &BucketName) -> Arc<Gate> {
        let mut gates = self.inner.gates.lock().unwrap_or_else(PoisonError::into_inner);
        match gates.get(bucket) {
            Some(gate) => Arc::clone(gate),
            None => Arc::clone(gates.entry(bucket.clone()).or_default()),
        }
    }

    /// Makes a bucket; `AlreadyExists` when it is there.
    pub async fn create_bucket(&self, bucket: &BucketName) -> Result<()> {
        self.store(bucket).create_bucket(bucket).await
    }

    /// Removes an empty bucket.
    pub async fn delete_bucket(&self, bucket: &BucketName) -> Result<()> {
        let (lake, bucket) = (self.clone(), bucket.clone());
        to_its_end(async move {
            let _closed = lake.close(&BTreeSet::from([bucket.clone()])).await?;
            lake.store(&bucket).delete_bucket(&bucket).await
        })
        .await
    }

    /// Whether the bucket exists.
    pub async fn bucket_exists(&self, bucket: &BucketName) -> Result<bool> {
        self.store(bucket).bucket_exists(bucket).await
    }

    /// All buckets: those of the default place and those with a place of their own, by name.
    pub async fn list_buckets(&self) -> Result<Vec<BucketInfo>> {
        let mut buckets: BTreeMap<BucketName, BucketInfo> = BTreeMap::new();
        for info in self.inner.default.list_buckets().await? {
            if !self.inner.named.contains_key(&info.name) {
                buckets.insert(info.name.clone(), info);
            }
        }
        if !self.inner.named.is_empty() {
            let local = blocking({
                let disk = Arc::clone(&self.inner.disk);
                move || disk.list_buckets()
            })
            .await?;
            for (name, store) in &self.inner.named {
                if store.bucket_exists(name).await? {
                    let known = local.iter().find(|info| info.name == *name).cloned();
                    let info = known.unwrap_or(BucketInfo { name: name.clone(), created: None });
                    buckets.insert(name.clone(), info);
                }
            }
        }
        Ok(buckets.into_values().collect())
    }

    /// Whether buckets without a place of their own are local folders.
    pub fn is_local_by_default(&self) -> bool {
        self.inner.default_is_local
    }

    /// An object's facts; `NotFound` when there is none.
    pub async fn head(&self, uri: &LakeUri) -> Result<ObjectInfo> {
        let (store, _pass) = self.enter(uri.bucket()).await?;
        store.head(uri).await
    }

    /// Opens an object for reading. A condition that does not hold is `PreconditionFailed`, whichever it is.
    pub async fn get(&self, uri: &LakeUri, options: GetOptions) -> Result<ObjectRead> {
        self.get_if(uri, options).await?.ok_or_else(|| {
            Error::new(ErrorKind::PreconditionFailed, "the object has not changed").at(Place::object(uri))
        })
    }

    /// The same, with none for a reader whose copy is still good (`if_none_match`, `if_modified_since`).
    pub async fn get_if(&self, uri: &LakeUri, options: GetOptions) -> Result<Option<ObjectRead>> {
        let (store, _pass) = self.enter(uri.bucket()).await?;
        store.get(uri, &options).await
    }

    /// All bytes of an object.
    pub async fn read(&self, uri: &LakeUri) -> Result<Bytes> {
        self.get(uri, GetOptions::default()).await?.bytes().await
    }

    /// Some bytes of an object, cut at its end.
    pub async fn read_range(&self, uri: &LakeUri, range: Range<u64>) -> Result<Bytes> {
        if range.is_empty() {
            return self.head(uri).await.map(|_| Bytes::new());
        }
        self.get(uri, GetOptions::range(range)).await?.bytes().await
    }

    /// Everything whose key begins with the prefix's key, in byte order, as it was when the listing began.
    pub fn list(&self, prefix: &LakeUri) -> BoxStream<'static, Result<ObjectInfo>> {
        let (lake, prefix) = (self.clone(), prefix.clone());
        let pages = futures::stream::try_unfold(Some((None, None)), move |state| {
            let (lake, prefix) = (lake.clone(), prefix.clone());
            async move {
                let Some((view, after)) = state else { return Ok::<_, Error>(None) };
                let (store, _pass) = lake.enter(prefix.bucket()).await?;
                let view = view.unwrap_or_else(|| lake.gate(prefix.bucket()).view());
                let bound = match &after {
                    None => Bound::From(prefix.key().to_owned()),
                    Some(after) => Bound::After(String::clone(after)),
                };
                let request = request(&prefix, bound, None, PAGE);
                let scan = store.scan(request).await?;
                let last = scan.items.last().and_then(|item| match item {
                    Listed::Object(info) => Some(info.uri.key().to_owned()),
                    Listed::Prefix(_) => None,
                });
                let end = if scan.more { last } else { None };
                let objects = view.restore(scan.items, after.as_deref(), prefix.key(), end.as_deref());
                let next = end.map(|end| (Some(view), Some(end)));
                Ok(Some((futures::stream::iter(objects.into_iter().map(Ok)), next)))
            }
        });
        // Readers may ask once more after the end.
        pages.try_flatten().fuse().boxed()
    }

    /// One page of a listing, with S3's delimiter.
    pub async fn list_page(&self, prefix: &LakeUri, options: ListOptions) -> Result<ListPage> {
        let (store, _pass) = self.enter(prefix.bucket()).await?;
        let limit = if options.max_keys == 0 { PAGE } else { options.max_keys.min(PAGE) };
        let delimiter = options.delimiter.filter(|delimiter| !delimiter.is_empty());
        let bound = first_bound(prefix.key(), options.start_after, delimiter.as_deref());
        let scan = store.scan(request(prefix, bound, delimiter, limit)).await?;
        let mut page = ListPage::default();
        for item in scan.items {
            let last = match item {
                Listed::Object(info) => {
                    page.objects.push(*info);
                    page.objects.last().map(|info| info.uri.key())
                }
                Listed::Prefix(common) => {
                    page.common_prefixes.push(common);
                    page.common_prefixes.last().map(String::as_str)
                }
            };
            if scan.more {
                page.next = last.map(str::to_owned);
            }
        }
        Ok(page)
    }

    /// Writes an object. When this returns it is durable; before that nobody sees any of it.
    pub async fn put(&self, uri: &LakeUri, bytes: Bytes, options: PutOptions) -> Result<PutResult> {
        options.check(uri)?;
        let (lake, uri) = (self.clone(), uri.clone());
        to_its_end(async move {
            let (store, _pass) = lake.enter(uri.bucket()).await?;
            store.put(&uri, bytes, &options).await
        })
        .await
    }

    /// Writes an object piece by piece, in bounded memory. Dropping the writer leaves nothing.
    pub async fn writer(&self, uri: &LakeUri, options: PutOptions) -> Result<ObjectWriter> {
        options.check(uri)?;
        let sink = self.store(uri.bucket()).sink(uri, &options, None).await?;
        Ok(ObjectWriter::new(self.clone(), uri.clone(), options, sink, None))
    }

    /// Copies an object. Type, headers and metadata come from the source unless `options` has any of them.
    pub async fn copy(&self, from: &LakeUri, to: &LakeUri, options: PutOptions) -> Result<PutResult> {
        self.copy_version(from, None, to, options).await
    }

    /// The same from a version of the source.
    pub async fn copy_version(
        &self,
        from: &LakeUri,
        version: Option<&str>,
        to: &LakeUri,
        mut options: PutOptions,
    ) -> Result<PutResult> {
        options.check(to)?;
        let wanted = GetOptions { version: version.map(str::to_owned), ..GetOptions::default() };
        let source = self.get(from, wanted).await?;
        if options.content_type.is_none() && options.headers.is_empty() && options.metadata.is_empty() {
            options.content_type = source.info.content_type.clone();
            options.headers = source.info.headers.clone();
            options.metadata = source.info.metadata.clone();
        }
        if Arc::ptr_eq(&self.store(to.bucket()), &self.store(from.bucket())) {
            let (lake, info, to, options) = (self.clone(), source.info.clone(), to.clone(), options.clone());
            let copied = to_its_end(async move {
                let (store, _pass) = lake.enter(to.bucket()).await?;
                store.copy(&info, &to, &options).await
            });
            if let Some(result) = copied.await? {
                return Ok(result);
            }
        }
        let mut writer = self.writer(to, options).await?;
        let mut stream = source.into_stream();
        while let Some(bytes) = stream.try_next().await? {
            writer.write(bytes).await?;
        }
        writer.finish().await
    }

    /// Removes an object; one that is not there counts as removed. A bucket that keeps versions keeps this one.
    pub async fn delete(&self, uri: &LakeUri) -> Result<()> {
        self.delete_if(uri, None).await.map(drop)
    }

    /// Removes an object that still has this ETag; `PreconditionFailed` for another.
    pub async fn delete_if(&self, uri: &LakeUri, etag: Option<&str>) -> Result<Deleted> {
        let (lake, uri, etag) = (self.clone(), uri.clone(), etag.map(str::to_owned));
        to_its_end(async move {
            let (store, _pass) = lake.enter(uri.bucket()).await?;
            store.delete(&uri, etag.as_deref()).await
        })
        .await
    }

    /// Removes many objects, some at a time; the results stand in the order of the addresses.
    pub async fn delete_many(&self, uris: Vec<LakeUri>) -> Vec<Result<()>> {
        let deletes = uris.into_iter().map(|uri| async move { self.delete(&uri).await });
        futures::stream::iter(deletes).buffered(16).collect().await
    }

    /// Begins a commit of many objects that appear together.
    pub fn begin_commit(&self, options: CommitOptions) -> Commit {
        Commit::new(self.clone(), options)
    }
}

pub(crate) fn request(
    prefix: &LakeUri,
    bound: Bound,
    delimiter: Option<String>,
    limit: usize,
) -> ScanRequest {
    ScanRequest { bucket: prefix.bucket().clone(), prefix: prefix.key().to_owned(), bound, delimiter, limit }
}

/// A page that begins behind a common prefix leaves all of it out, as S3's marker does.
pub(crate) fn first_bound(prefix: &str, start_after: Option<String>, delimiter: Option<&str>) -> Bound {
    let Some(after) = start_after.filter(|after| after.as_str() >= prefix) else {
        return Bound::From(prefix.to_owned());
    };
    let is_common = delimiter.is_some_and(|delimiter| {
        after
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.find(delimiter).is_some_and(|at| at + delimiter.len() == rest.len()))
    });
    if is_common { Bound::Past(after) } else { Bound::After(after) }
}
