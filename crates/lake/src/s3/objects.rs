//! Buckets and objects on a server.

use super::S3Store;
use super::multipart::{GatheredPart, decoder, proofs, time};
use super::request::{Call, encode};
use super::sink::S3Sink;
use crate::checksum::{Checksums, Hasher};
use crate::journal::{StagedDelete, StagedPut, Waiting};
use crate::object::*;
use crate::ranges::{RandomAccess, Requests};
use crate::store::{Bound, Listed, PartSink, Scan, ScanRequest, Sink, Store, check_version};
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt};
use http::{HeaderMap, Method, StatusCode};
use model::{BucketName, Error, ErrorKind, LakeUri, Place, Result};
use std::ops::Range;
use std::sync::Arc;

/// What a server copies in one request.
const MAX_COPY: u64 = 5 << 30;
/// Standard headers that are kept with an object.
const KEPT: [&str; 5] =
    ["cache-control", "content-disposition", "content-encoding", "content-language", "expires"];

fn info_of(uri: &LakeUri, headers: &HeaderMap, size: u64) -> ObjectInfo {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let modified = text("last-modified").and_then(|date| DateTime::parse_from_rfc2822(&date).ok());
    let mut checksums = Checksums::default();
    for name in ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"] {
        // A checksum of checksums carries the number of parts; it says nothing about the bytes as a whole.
        if let Some(sum) = text(&format!("x-amz-checksum-{name}")).filter(|sum| !sum.contains('-')) {
            let _ = checksums.set(name, &sum);
        }
    }
    let metadata = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("x-amz-meta-")?;
        Some((name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
    });
    ObjectInfo {
        uri: uri.clone(),
        size,
        etag: bare_etag(&text("etag").unwrap_or_default()).to_owned(),
        last_modified: modified.map(|time| time.with_timezone(&Utc)).unwrap_or_default(),
        checksums,
        content_type: text("content-type"),
        headers: KEPT.iter().filter_map(|name| Some(((*name).to_owned(), text(name)?))).collect(),
        metadata: metadata.collect(),
        version: None,
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// `bytes 5-9/20`: the positions and the whole size.
fn content_range(headers: &HeaderMap) -> Option<(Range<u64>, u64)> {
    let text = headers.get("content-range")?.to_str().ok()?.strip_prefix("bytes ")?;
    let (range, size) = text.split_once('/')?;
    let (start, end) = range.split_once('-')?;
    Some((start.parse().ok()?..end.parse::<u64>().ok()? + 1, size.parse().ok()?))
}

impl S3Store {
    pub(super) async fn facts(&self, uri: &LakeUri) -> Result<ObjectInfo> {
        self.check_key(uri)?;
        let call = Call::new(Method::HEAD, self.remote(uri.bucket()), uri.key(), uri);
        let response = match self.send(&call).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // HEAD has no body that would say whether the bucket or the object is missing.
                return match self.bucket_exists(uri.bucket()).await {
                    Ok(false) => Err(Error::not_found(format!("bucket `{}` does not exist", uri.bucket()))),
                    _ => Err(error),
                };
            }
            other => other?,
        };
        let size = number(response.headers(), "content-length").unwrap_or_default();
        Ok(info_of(uri, response.headers(), size))
    }

    fn get_call<'a>(&'a self, uri: &'a LakeUri, options: &GetOptions) -> Call<'a> {
        let mut call = Call::new(Method::GET, self.remote(uri.bucket()), uri.key(), uri);
        let quoted = |list: &str| {
            let one = |etag: &str| match bare_etag(etag) {
                "*" => "*".to_owned(),
                bare => format!("\"{bare}\""),
            };
            list.split(',').map(one).collect::<Vec<_>>().join(", ")
        };
        match &options.range {
            // Many servers count positions in 63 bits.
            Some(GetRange::Bounded(range)) if range.end > 1 << 62 => {
                call = call.header("range", format!("bytes={}-", range.start));
            }
            Some(GetRange::Bounded(range)) => {
                call = call.header("range", format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
            }
            Some(GetRange::From(start)) => call = call.header("range", format!("bytes={start}-")),
            Some(GetRange::Suffix(length)) => call = call.header("range", format!("bytes=-{length}")),
            None => {}
        }
        if let Some(list) = &options.if_match {
            call = call.header("if-match", quoted(list));
        }
        if let Some(list) = &options.if_none_match {
            call = call.header("if-none-match", quoted(list));
        }
        let date = |time: DateTime<Utc>| time.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        if let Some(time) = options.if_modified_since {
            call = call.header("if-modified-since", date(time));
        }
        if let Some(time) = options.if_unmodified_since {
            call = call.header("if-unmodified-since", date(time));
        }
        call
    }

    async fn open(&self, uri: &LakeUri, options: &GetOptions) -> Result<Option<ObjectRead>> {
        self.check_key(uri)?;
        check_version(uri, options.version.as_deref())?;
        if let Some(GetRange::Bounded(range)) = &options.range
            && range.is_empty()
        {
            // HTTP has no words for no bytes.
            let info = self.facts(uri).await?;
            let range = GetRange::Bounded(range.clone()).resolve(uri, info.size)?;
            return options.check(&info).map(|fresh| {
                fresh.then(|| ObjectRead { info, range, stream: futures::stream::empty().boxed() })
            });
        }
        let call = self.get_call(uri, options);
        let response = self.send(&call).await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        let (parts, body) = response.into_parts();
        let length = number(&parts.headers, "content-length").unwrap_or_default();
        let (range, size) = match content_range(&parts.headers) {
            Some(found) if parts.status == StatusCode::PARTIAL_CONTENT => found,
            _ => (0..length, length),
        };
        let info = info_of(uri, &parts.headers, size);
        if let Some(wanted) = &options.range
            && wanted.resolve(uri, size)? != range
        {
            return Err(
                Error::unavailable("the server sent another range than was asked for").at(Place::object(uri))
            );
        }
        let failed = self.unreachable(&call);
        let expected = range.end - range.start;
        let bytes = body.bytes_stream().map_err(move |e| failed.clone().source_is(e)).boxed();
        Ok(Some(ObjectRead { info, range, stream: measured(bytes, expected, uri.clone()) }))
    }
}

/// Ends with an error when the server hung up too early.
fn measured(
    bytes: futures::stream::BoxStream<'static, Result<Bytes>>,
    expected: u64,
    uri: LakeUri,
) -> futures::stream::BoxStream<'static, Result<Bytes>> {
    futures::stream::try_unfold((bytes, 0u64), move |(mut bytes, mut seen)| {
        let uri = uri.clone();
        async move {
            match bytes.try_next().await? {
                Some(piece) => {
                    seen += piece.len() as u64;
                    Ok(Some((piece, (bytes, seen))))
                }
                None if seen == expected => Ok(None),
                None => {
                    let text = format!("the server sent {seen} of {expected} bytes");
                    Err(Error::unavailable(text).at(Place::object(&uri)))
                }
            }
        }
    })
    .boxed()
}

#[async_trait]
impl Store for S3Store {
    async fn create_bucket(&self, bucket: &BucketName) -> Result<()> {
        let mut call = Call::new(Method::PUT, self.remote(bucket), "", format!("s3://{bucket}/"));
        if self.inner.config.region != "us-east-1" {
            let region = super::xml::escape(&self.inner.config.region);
            call = call.body(
                format!("<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>")
                    .into(),
            );
        }
        call.repeatable = false;
        self.document(&call).await.map(drop)
    }

    async fn delete_bucket(&self, bucket: &BucketName) -> Result<()> {
        // Some servers delete a bucket with everything in it; here that never happens unasked.
        let request = ScanRequest {
            bucket: bucket.clone(),
            prefix: String::new(),
            bound: Bound::From(String::new()),
            delimiter: None,
            limit: 1,
        };
        if !self.scan(request).await?.items.is_empty() {
            return Err(
                Error::conflict(format!("bucket `{bucket}` is not empty")).hint("delete its objects first")
            );
        }
        let call = Call::new(Method::DELETE, self.remote(bucket), "", format!("s3://{bucket}/"));
        self.document(&call).await.map(drop)
    }

    async fn bucket_exists(&self, bucket: &BucketName) -> Result<bool> {
        let call = Call::new(Method::HEAD, self.remote(bucket), "", format!("s3://{bucket}/"));
        match self.send(&call).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn list_buckets(&self) -> Result<Vec<BucketInfo>> {
        let mut call = Call::new(Method::GET, "", "", "s3://");
        call.bucket = None;
        let (_, answer) = self.document(&call).await?;
        let buckets = answer.all("Buckets").flat_map(|list| list.all("Bucket"));
        Ok(buckets
            .filter_map(|bucket| {
                let name = BucketName::new(bucket.text("Name")).ok()?;
                Some(BucketInfo { name, created: Some(time(bucket.text("CreationDate"))) })
            })
            .collect())
    }

    async fn head(&self, uri: &LakeUri) -> Result<ObjectInfo> {
        self.facts(uri).await
    }

    async fn get(&self, uri: &LakeUri, options: &GetOptions) -> Result<Option<ObjectRead>> {
        self.open(uri, options).await
    }

    async fn random(
        &self,
        uri: &LakeUri,
        known: Option<&ObjectInfo>,
    ) -> Result<(ObjectInfo, Arc<dyn RandomAccess>)> {
        let info = match known {
            Some(known) => known.clone(),
            None => self.facts(uri).await?,
        };
        let access = Requests { store: self.clone(), uri: uri.clone(), etag: info.etag.clone() };
        Ok((info, Arc::new(access)))
    }

    async fn scan(&self, request: ScanRequest) -> Result<Scan> {
        let place = format!("s3://{}/{}", request.bucket, request.prefix);
        let mut call = Call::new(Method::GET, self.remote(&request.bucket), "", place)
            .query("list-type", "2")
            .query("encoding-type", "url")
            .query("max-keys", request.limit.to_string())
            .query("prefix", request.prefix.clone());
        let token = self.inner.tokens.take(&request);
        match (&request.bound, token) {
            (_, Some(token)) => call = call.query("continuation-token", token),
            (Bound::From(_), None) => {}
            (Bound::After(key), None) => call = call.query("start-after", key.clone()),
            // Behind every key that begins so: the last character there is sorts behind whatever may follow.
            (Bound::Past(prefix), None) => call = call.query("start-after", format!("{prefix}\u{10FFFF}")),
        }
        if let Some(delimiter) = &request.delimiter {
            call = call.query("delimiter", delimiter.clone());
        }
        let (_, answer) = self.document(&call).await?;
        let text = decoder(&answer);
        let mut items: Vec<(String, Listed)> = Vec::new();
        for object in answer.all("Contents") {
            let key = text(object.text("Key"));
            let Ok(uri) = LakeUri::new(request.bucket.clone(), key.clone()) else { continue };
            let info = ObjectInfo {
                uri,
                size: object.text("Size").parse().unwrap_or_default(),
                etag: bare_etag(object.text("ETag")).to_owned(),
                last_modified: time(object.text("LastModified")),
                checksums: Checksums::default(),
                content_type: None,
                headers: Default::default(),
                metadata: Default::default(),
                version: None,
            };
            items.push((key, Listed::Object(Box::new(info))));
        }
        for common in answer.all("CommonPrefixes") {
            let prefix = text(common.text("Prefix"));
            items.push((prefix.clone(), Listed::Prefix(prefix)));
        }
        items.sort_by(|(a, _), (b, _)| a.cmp(b));
        let more = answer.text("IsTruncated") == "true" && !items.is_empty();
        let token = answer.text("NextContinuationToken");
        if more && !token.is_empty() {
            self.inner.tokens.keep(&request, &items, token);
        }
        Ok(Scan { items: items.into_iter().map(|(_, item)| item).collect(), more })
    }

    async fn put(&self, uri: &LakeUri, bytes: Bytes, options: &PutOptions) -> Result<PutResult> {
        self.check_key(uri)?;
        let digests = Hasher::of(&bytes, &options.checksums);
        digests.check(uri, options.content_md5, &options.checksums)?;
        let call = Call::new(Method::PUT, self.remote(uri.bucket()), uri.key(), uri)
            .attributes(options)
            .mode(&options.mode)
            .body(bytes);
        crashpoint::hit("lake.s3.put");
        let (headers, _) = self.document(&proofs(call, digests.md5, &options.checksums)).await?;
        let etag = headers.get("etag").and_then(|etag| etag.to_str().ok()).unwrap_or_default();
        Ok(PutResult {
            etag: bare_etag(etag).to_owned(),
            size: digests.size,
            checksums: digests.sums,
            version: None,
        })
    }

    async fn sink(&self, uri: &LakeUri, options: &PutOptions, commit: Option<&str>) -> Result<Box<dyn Sink>> {
        self.check_key(uri)?;
        Ok(Box::new(S3Sink::new(self.clone(), uri, options, commit)))
    }

    async fn copy(&self, from: &ObjectInfo, to: &LakeUri, options: &PutOptions) -> Result<Option<PutResult>> {
        let plain = options.mode == PutMode::Overwrite
            && options.content_md5.is_none()
            && options.checksums == Checksums::default();
        if !plain || from.size > MAX_COPY || from.uri == *to {
            return Ok(None);
        }
        self.check_key(to)?;
        let source = format!("/{}/{}", self.remote(from.uri.bucket()), encode(from.uri.key(), true));
        let call = Call::new(Method::PUT, self.remote(to.bucket()), to.key(), to)
            .attributes(options)
            .header("x-amz-copy-source", source)
            .header("x-amz-copy-source-if-match", format!("\"{}\"", from.etag))
            .header("x-amz-metadata-directive", "REPLACE");
        let (_, answer) = self.document(&call).await?;
        let etag = bare_etag(answer.text("ETag")).to_owned();
        Ok(Some(PutResult { etag, size: from.size, checksums: from.checksums, version: None }))
    }

    async fn delete(&self, uri: &LakeUri, etag: Option<&str>) -> Result<Deleted> {
        self.check_key(uri)?;
        if let Some(etag) = etag {
            let info = self.facts(uri).await?;
            if info.etag != bare_etag(etag) {
                let error = Error::new(ErrorKind::PreconditionFailed, "the object has changed");
                return Err(error.at(Place::object(uri)));
            }
        }
        let call = Call::new(Method::DELETE, self.remote(uri.bucket()), uri.key(), uri);
        match self.document(&call).await {
            Err(error) if error.kind() == ErrorKind::NotFound && !error.message().contains("bucket") => {
                Ok(Deleted::default())
            }
            other => other.map(|_| Deleted::default()),
        }
    }

    async fn create_multipart(&self, uri: &LakeUri, options: &PutOptions) -> Result<String> {
        self.begin_upload(uri, options).await
    }

    async fn put_part(
        &self,
        uri: &LakeUri,
        upload_id: &str,
        number: u16,
        bytes: Bytes,
        options: &PutOptions,
    ) -> Result<PartInfo> {
        self.send_part(uri, upload_id, number, bytes, options).await
    }

    async fn part_sink(
        &self,
        uri: &LakeUri,
        upload_id: &str,
        number: u16,
        _: &PutOptions,
    ) -> Result<Box<dyn PartSink>> {
        Ok(Box::new(GatheredPart::new(self.clone(), uri, upload_id, number)))
    }

    async fn list_parts(&self, uri: &LakeUri, upload_id: &str) -> Result<Vec<PartInfo>> {
        self.parts(uri, upload_id).await
    }

    async fn complete_multipart(
        &self,
        uri: &LakeUri,
        upload_id: &str,
        parts: &[CompletedPart],
        mode: &PutMode,
    ) -> Result<PutResult> {
        self.complete(uri, upload_id, parts, mode).await
    }

    async fn abort_multipart(&self, uri: &LakeUri, upload_id: &str) -> Result<()> {
        self.abort(uri, upload_id).await
    }

    async fn list_multiparts(&self, bucket: &BucketName, prefix: &str) -> Result<Vec<MultipartInfo>> {
        self.uploads(bucket, prefix).await
    }

    async fn stamp(&self, info: &ObjectInfo) -> Result<String> {
        Ok(format!("{} {}", info.etag, info.last_modified.timestamp()))
    }

    async fn publish_put(&self, put: &StagedPut) -> Result<()> {
        crashpoint::hit("lake.commit.complete");
        let Waiting::Upload { id, parts } = &put.waiting else {
            return Err(Error::internal("a local file was handed to a remote bucket"));
        };
        match self.complete(&put.uri, id, parts, &PutMode::Overwrite).await {
            // Completed before the process was killed; the upload is gone and the object is there.
            Err(error) if error.kind() == ErrorKind::NotFound => self.facts(&put.uri).await.map(drop),
            other => other.map(drop),
        }
    }

    async fn publish_delete(&self, delete: &StagedDelete) -> Result<()> {
        crashpoint::hit("lake.commit.delete");
        match self.facts(&delete.uri).await {
            Ok(info) if self.stamp(&info).await? == delete.stamp => {
                self.delete(&delete.uri, None).await.map(drop)
            }
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn settle(&self, _: Vec<LakeUri>) -> Result<()> {
        Ok(())
    }

    async fn discard(&self, put: &StagedPut) -> Result<()> {
        match &put.waiting {
            Waiting::Upload { id, .. } => match self.abort(&put.uri, id).await {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                other => other,
            },
            Waiting::File { .. } => Ok(()),
        }
    }

    /// Uploads of killed writers are noted on the local disk and given up from there; others' uploads are not ours to
    /// remove.
    async fn sweep(&self, _: DateTime<Utc>) -> Result<SweepReport> {
        Ok(SweepReport::default())
    }
}
