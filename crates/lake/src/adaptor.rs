//! The lake as an `object_store::ObjectStore`, for engines that read and write through that interface.
//!
//! Its paths cannot express every key (empty segments, `.` and `..`, a trailing slash): such a key is refused by name,
//! never changed. Only the empty objects that mark folders are left out of listings, as they hold nothing.

use crate::Lake;
use crate::object::{GetOptions, GetRange, ListOptions, ObjectInfo, PutMode, PutOptions};
use crate::writer::ObjectWriter;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use model::{BucketName, Error, ErrorKind, LakeUri};
use object_store as os;
use object_store::path::Path;
use object_store::{Attribute, Attributes};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::{Mutex, oneshot};

const NAME: &str = "lake";

impl Lake {
    /// One bucket for engines that know `object_store`.
    pub fn object_store(&self, bucket: &BucketName) -> Arc<dyn os::ObjectStore> {
        Arc::new(BucketStore { lake: self.clone(), bucket: bucket.clone() })
    }
}

#[derive(Debug, Clone)]
struct BucketStore {
    lake: Lake,
    bucket: BucketName,
}

impl fmt::Display for BucketStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lake(s3://{})", self.bucket)
    }
}

impl BucketStore {
    fn uri(&self, location: &Path) -> os::Result<LakeUri> {
        LakeUri::new(self.bucket.clone(), location.as_ref()).map_err(|e| translate(e, location.as_ref()))
    }

    /// The folder that a prefix means: `object_store` counts in whole segments.
    fn folder(&self, prefix: Option<&Path>) -> os::Result<LakeUri> {
        self.uri(prefix.unwrap_or(&Path::ROOT)).map(|uri| uri.as_folder())
    }
}

fn translate(error: Error, path: &str) -> os::Error {
    let (path, kind) = (path.to_owned(), error.kind());
    let source = Box::new(error);
    match kind {
        ErrorKind::NotFound => os::Error::NotFound { path, source },
        ErrorKind::AlreadyExists => os::Error::AlreadyExists { path, source },
        ErrorKind::PreconditionFailed | ErrorKind::Conflict => os::Error::Precondition { path, source },
        ErrorKind::Denied => os::Error::PermissionDenied { path, source },
        ErrorKind::Unsupported => os::Error::NotSupported { source },
        _ => os::Error::Generic { store: NAME, source },
    }
}

fn path_of(uri: &LakeUri) -> os::Result<Path> {
    let refused = || {
        let error = Error::unsupported("this key cannot be read through the engine's paths")
            .at(model::Place::object(uri))
            .why("it has an empty, `.` or `..` segment, or ends with a slash")
            .hint("rename the object or keep it out of the folder");
        translate(error, uri.key())
    };
    match Path::parse(uri.key()) {
        // Parsing drops slashes at the ends: another key would be meant.
        Ok(path) if path.as_ref() == uri.key() => Ok(path),
        _ => Err(refused()),
    }
}

fn meta(info: ObjectInfo) -> os::Result<os::ObjectMeta> {
    Ok(os::ObjectMeta {
        location: path_of(&info.uri)?,
        last_modified: info.last_modified,
        size: info.size,
        e_tag: Some(info.etag),
        version: None,
    })
}

/// Objects of no bytes whose key ends with a slash are folders drawn by some tools.
fn is_marker(info: &ObjectInfo) -> bool {
    info.size == 0 && info.uri.key().ends_with('/')
}

fn options(attributes: &Attributes, mode: PutMode) -> os::Result<PutOptions> {
    let mut options = PutOptions { mode, ..PutOptions::default() };
    for (attribute, value) in attributes {
        let value = value.to_string();
        match attribute {
            Attribute::ContentType => options.content_type = Some(value),
            Attribute::CacheControl => drop(options.headers.insert("cache-control".into(), value)),
            Attribute::ContentDisposition => {
                drop(options.headers.insert("content-disposition".into(), value));
            }
            Attribute::ContentEncoding => drop(options.headers.insert("content-encoding".into(), value)),
            Attribute::ContentLanguage => drop(options.headers.insert("content-language".into(), value)),
            Attribute::Metadata(name) => drop(options.metadata.insert(name.to_lowercase(), value)),
            other => {
                let error = Error::unsupported(format!("the attribute {other:?} cannot be kept"));
                return Err(translate(error, ""));
            }
        }
    }
    Ok(options)
}

fn attributes(info: &ObjectInfo) -> Attributes {
    let mut attributes = Attributes::new();
    if let Some(content_type) = &info.content_type {
        attributes.insert(Attribute::ContentType, content_type.clone().into());
    }
    for (name, value) in &info.headers {
        let attribute = match name.as_str() {
            "cache-control" => Attribute::CacheControl,
            "content-disposition" => Attribute::ContentDisposition,
            "content-encoding" => Attribute::ContentEncoding,
            "content-language" => Attribute::ContentLanguage,
            _ => continue,
        };
        attributes.insert(attribute, value.clone().into());
    }
    for (name, value) in &info.metadata {
        attributes.insert(Attribute::Metadata(name.clone().into()), value.clone().into());
    }
    attributes
}

#[async_trait]
impl os::ObjectStore for BucketStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: os::PutPayload,
        opts: os::PutOptions,
    ) -> os::Result<os::PutResult> {
        let is_update = matches!(opts.mode, os::PutMode::Update(_));
        let mode = match opts.mode {
            os::PutMode::Overwrite => PutMode::Overwrite,
            os::PutMode::Create => PutMode::Create,
            os::PutMode::Update(version) => PutMode::Match(version.e_tag.unwrap_or_default()),
        };
        let uri = self.uri(location)?;
        let put = self.lake.put(&uri, payload.into(), options(&opts.attributes, mode)?).await;
        match put {
            Ok(put) => Ok(os::PutResult { e_tag: Some(put.etag), version: None }),
            Err(error) if is_update && error.kind() == ErrorKind::NotFound => {
                Err(os::Error::Precondition { path: location.to_string(), source: Box::new(error) })
            }
            Err(error) => Err(translate(error, location.as_ref())),
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: os::PutMultipartOptions,
    ) -> os::Result<Box<dyn os::MultipartUpload>> {
        let options = options(&opts.attributes, PutMode::Overwrite)?;
        let writer = self.lake.writer(&self.uri(location)?, options).await;
        let writer = writer.map_err(|e| translate(e, location.as_ref()))?;
        let writer = Arc::new(Mutex::new(Some(writer)));
        Ok(Box::new(Upload { path: location.to_string(), writer, previous: None }))
    }

    async fn get_opts(&self, location: &Path, options: os::GetOptions) -> os::Result<os::GetResult> {
        let uri = self.uri(location)?;
        let failed = |error| translate(error, location.as_ref());
        let wanted = GetOptions {
            version: options.version,
            range: options.range.map(|range| match range {
                os::GetRange::Bounded(range) => GetRange::Bounded(range),
                os::GetRange::Offset(start) => GetRange::From(start),
                os::GetRange::Suffix(length) => GetRange::Suffix(length),
            }),
            if_match: options.if_match,
            if_none_match: options.if_none_match,
            if_modified_since: options.if_modified_since,
            if_unmodified_since: options.if_unmodified_since,
        };
        let unchanged = || {
            let source = Box::new(Error::new(ErrorKind::PreconditionFailed, "the object has not changed"));
            os::Error::NotModified { path: location.to_string(), source }
        };
        if options.head {
            let info = self.lake.head(&uri).await.map_err(failed)?;
            if !wanted.check(&info).map_err(failed)? {
                return Err(unchanged());
            }
            let (range, attributes) = (0..info.size, attributes(&info));
            let payload = os::GetResultPayload::Stream(futures::stream::empty().boxed());
            return Ok(os::GetResult { payload, meta: meta(info)?, range, attributes });
        }
        let read = self.lake.get_if(&uri, wanted).await.map_err(failed)?.ok_or_else(unchanged)?;
        let (range, attributes, info) = (read.range.clone(), attributes(&read.info), read.info.clone());
        let path = location.to_string();
        let stream = read.into_stream().map_err(move |error| translate(error, &path)).fuse().boxed();
        Ok(os::GetResult {
            payload: os::GetResultPayload::Stream(stream),
            meta: meta(info)?,
            range,
            attributes,
        })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> os::Result<Vec<Bytes>> {
        let uri = self.uri(location)?;
        let failed = |error| translate(error, location.as_ref());
        let reader = self.lake.reader(&uri).await.map_err(failed)?;
        // As with a single range, what lies behind the end is cut off.
        let size = reader.info().size;
        let ranges: Vec<Range<u64>> = ranges.iter().map(|r| r.start..r.end.min(size)).collect();
        reader.ranges(&ranges).await.map_err(failed)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, os::Result<Path>>,
    ) -> BoxStream<'static, os::Result<Path>> {
        let store = self.clone();
        locations
            .map(move |location| {
                let store = store.clone();
                async move {
                    let location = location?;
                    let deleted = store.lake.delete(&store.uri(&location)?).await;
                    deleted.map_err(|e| translate(e, location.as_ref()))?;
                    Ok(location)
                }
            })
            .buffered(16)
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, os::Result<os::ObjectMeta>> {
        let folder = match self.folder(prefix) {
            Ok(folder) => folder,
            Err(error) => return futures::stream::once(async { Err(error) }).boxed(),
        };
        let path = folder.key().to_owned();
        let objects = self.lake.list(&folder).map_err(move |error| translate(error, &path));
        let objects = objects.try_filter(|info| std::future::ready(!is_marker(info)));
        objects.and_then(|info| std::future::ready(meta(info))).fuse().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> os::Result<os::ListResult> {
        let folder = self.folder(prefix)?;
        let (mut common_prefixes, mut objects) = (Vec::new(), Vec::new());
        let mut start_after = None;
        loop {
            let options = ListOptions { delimiter: Some("/".to_owned()), start_after, max_keys: 1000 };
            let page = self.lake.list_page(&folder, options).await;
            let page = page.map_err(|error| translate(error, folder.key()))?;
            for common in page.common_prefixes {
                let uri = LakeUri::new(self.bucket.clone(), common.strip_suffix('/').unwrap_or(&common));
                common_prefixes.push(path_of(&uri.map_err(|e| translate(e, folder.key()))?)?);
            }
            for info in page.objects.into_iter().filter(|info| !is_marker(info)) {
                objects.push(meta(info)?);
            }
            start_after = page.next;
            if start_after.is_none() {
                return Ok(os::ListResult { common_prefixes, objects });
            }
        }
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: os::CopyOptions) -> os::Result<()> {
        let mode = match options.mode {
            os::CopyMode::Overwrite => PutMode::Overwrite,
            os::CopyMode::Create => PutMode::Create,
        };
        let options = PutOptions { mode, ..PutOptions::default() };
        let (source, target) = (self.uri(from)?, self.uri(to)?);
        let copied = self.lake.copy(&source, &target, options).await;
        copied.map(drop).map_err(|error| {
            let path = if error.kind() == ErrorKind::AlreadyExists { to } else { from };
            translate(error, path.as_ref())
        })
    }
}

/// Parts in the order in which they were handed over, whichever future is polled first.
struct Upload {
    path: String,
    writer: Arc<Mutex<Option<ObjectWriter>>>,
    previous: Option<oneshot::Receiver<()>>,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("path", &self.path).finish_non_exhaustive()
    }
}

fn broken(path: &str) -> os::Error {
    translate(Error::conflict("a part of this upload failed or was given up before"), path)
}

#[async_trait]
impl os::MultipartUpload for Upload {
    fn put_part(&mut self, data: os::PutPayload) -> os::UploadPart {
        let (done, next) = oneshot::channel();
        let previous = self.previous.replace(next);
        let (writer, path) = (Arc::clone(&self.writer), self.path.clone());
        async move {
            if let Some(previous) = previous {
                previous.await.map_err(|_| broken(&path))?;
            }
            let mut writer = writer.lock().await;
            let Some(writer) = writer.as_mut() else { return Err(broken(&path)) };
            for bytes in data {
                writer.write(bytes).await.map_err(|error| translate(error, &path))?;
            }
            let _ = done.send(());
            Ok(())
        }
        .boxed()
    }

    async fn complete(&mut self) -> os::Result<os::PutResult> {
        if let Some(previous) = self.previous.take() {
            previous.await.map_err(|_| broken(&self.path))?;
        }
        let Some(writer) = self.writer.lock().await.take() else { return Err(broken(&self.path)) };
        let put = writer.finish().await.map_err(|error| translate(error, &self.path))?;
        Ok(os::PutResult { e_tag: Some(put.etag), version: None })
    }

    async fn abort(&mut self) -> os::Result<()> {
        match self.writer.lock().await.take() {
            Some(writer) => writer.abort().await.map_err(|error| translate(error, &self.path)),
            None => Ok(()),
        }
    }
}
