//! Multipart uploads on a server.

use super::S3Store;
use super::request::Call;
use super::xml::{Node, escape, url_decode};
use crate::checksum::{Checksums, Hasher};
use crate::object::{CompletedPart, MultipartInfo, PartInfo, PutMode, PutOptions, PutResult, bare_etag};
use crate::store::PartSink;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use http::Method;
use model::{BucketName, Error, ErrorKind, LakeUri, Place, Result};
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(super) fn time(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc)).unwrap_or_default()
}

/// The headers by which the server checks the bytes it received.
pub(super) fn proofs<'a>(mut call: Call<'a>, md5: Option<[u8; 16]>, promised: &Checksums) -> Call<'a> {
    if let Some(md5) = md5 {
        call = call.header("content-md5", STANDARD.encode(md5));
    }
    // S3 takes one of them besides the MD5.
    if let Some((name, text)) = promised.texts().into_iter().next() {
        call = call.header(&format!("x-amz-checksum-{name}"), text);
    }
    call
}

/// The largest part that is gathered in memory: parts travel in one request, whose length is said beforehand.
const MAX_GATHERED: usize = 256 << 20;

/// A part as it comes in, sent when it is whole.
pub(super) struct GatheredPart {
    store: S3Store,
    uri: LakeUri,
    upload_id: String,
    number: u16,
    bytes: BytesMut,
}

impl GatheredPart {
    pub(super) fn new(store: S3Store, uri: &LakeUri, upload_id: &str, number: u16) -> Self {
        Self { store, uri: uri.clone(), upload_id: upload_id.to_owned(), number, bytes: BytesMut::new() }
    }
}

#[async_trait]
impl PartSink for GatheredPart {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if self.bytes.len() + bytes.len() > MAX_GATHERED {
            let text = format!("a part for a remote bucket may have {MAX_GATHERED} bytes at most");
            return Err(Error::new(ErrorKind::LimitExceeded, text)
                .at(Place::object(&self.uri))
                .hint("send more parts, each of them smaller"));
        }
        self.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>, options: &PutOptions) -> Result<PartInfo> {
        self.store.send_part(&self.uri, &self.upload_id, self.number, self.bytes.freeze(), options).await
    }
}

/// Some servers list a part that was sent twice twice; the later one counts.
fn latest(parts: Vec<PartInfo>) -> Vec<PartInfo> {
    let mut by_number: BTreeMap<u16, PartInfo> = BTreeMap::new();
    for part in parts {
        let known = by_number.get(&part.number);
        if known.is_none_or(|known| known.last_modified <= part.last_modified) {
            by_number.insert(part.number, part);
        }
    }
    by_number.into_values().collect()
}

impl S3Store {
    pub(super) async fn begin_upload(&self, uri: &LakeUri, options: &PutOptions) -> Result<String> {
        self.check_key(uri)?;
        let call = Call::new(Method::POST, self.remote(uri.bucket()), uri.key(), uri)
            .query("uploads", "")
            .attributes(options);
        let (_, answer) = self.document(&call).await?;
        match answer.text("UploadId") {
            "" => Err(Error::unavailable("the server began an upload without an id").at(Place::object(uri))),
            id => Ok(id.to_owned()),
        }
    }

    pub(super) async fn send_part(
        &self,
        uri: &LakeUri,
        id: &str,
        number: u16,
        bytes: Bytes,
        options: &PutOptions,
    ) -> Result<PartInfo> {
        self.check_key(uri)?;
        let digests = Hasher::of(&bytes, &options.checksums);
        digests.check(uri, options.content_md5, &options.checksums)?;
        let call = Call::new(Method::PUT, self.remote(uri.bucket()), uri.key(), uri)
            .query("partNumber", number.to_string())
            .query("uploadId", id)
            .body(bytes);
        let call = proofs(call, digests.md5, &Checksums::default());
        let (headers, _) = self.document(&call).await?;
        let etag = headers.get("etag").and_then(|etag| etag.to_str().ok()).unwrap_or_default();
        let sent = headers.get("date").and_then(|date| date.to_str().ok());
        let last_modified = sent.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        Ok(PartInfo {
            number,
            size: digests.size,
            etag: bare_etag(etag).to_owned(),
            last_modified: last_modified.map(|time| time.with_timezone(&Utc)).unwrap_or_default(),
            checksums: digests.sums,
        })
    }

    pub(super) async fn parts(&self, uri: &LakeUri, id: &str) -> Result<Vec<PartInfo>> {
        self.check_key(uri)?;
        let mut parts = Vec::new();
        let mut marker = String::new();
        loop {
            let mut call =
                Call::new(Method::GET, self.remote(uri.bucket()), uri.key(), uri).query("uploadId", id);
            if !marker.is_empty() {
                call = call.query("part-number-marker", marker.clone());
            }
            let (_, answer) = self.document(&call).await?;
            parts.extend(answer.all("Part").map(|part| PartInfo {
                number: part.text("PartNumber").parse().unwrap_or_default(),
                size: part.text("Size").parse().unwrap_or_default(),
                etag: bare_etag(part.text("ETag")).to_owned(),
                last_modified: time(part.text("LastModified")),
                checksums: Checksums::default(),
            }));
            let next = answer.text("NextPartNumberMarker");
            if answer.text("IsTruncated") != "true" || next.is_empty() || next == marker {
                return Ok(latest(parts));
            }
            marker = next.to_owned();
        }
    }

    pub(super) async fn complete(
        &self,
        uri: &LakeUri,
        id: &str,
        parts: &[CompletedPart],
        mode: &PutMode,
    ) -> Result<PutResult> {
        self.check_key(uri)?;
        if parts.is_empty() || !parts.is_sorted_by(|a, b| a.number < b.number) {
            return Err(Error::invalid("the parts must be named once each, in ascending order")
                .at(Place::object(uri)));
        }
        let mut body = String::from("<CompleteMultipartUpload>");
        for part in parts {
            let etag = escape(&format!("\"{}\"", bare_etag(&part.etag)));
            let _ = write!(body, "<Part><PartNumber>{}</PartNumber><ETag>{etag}</ETag></Part>", part.number);
        }
        body.push_str("</CompleteMultipartUpload>");
        let mut call = Call::new(Method::POST, self.remote(uri.bucket()), uri.key(), uri)
            .query("uploadId", id)
            .header("content-type", "application/xml")
            .body(body.into())
            .mode(mode);
        // A repeated completion answers that there is no such upload, which must not be taken for a failure.
        call.repeatable = false;
        let (_, answer) = self.document(&call).await?;
        let etag = bare_etag(answer.text("ETag")).to_owned();
        let info = self.facts(uri).await?;
        let etag = if etag.is_empty() { info.etag } else { etag };
        Ok(PutResult { etag, size: info.size, checksums: info.checksums, version: None })
    }

    pub(super) async fn abort(&self, uri: &LakeUri, id: &str) -> Result<()> {
        self.check_key(uri)?;
        let call = Call::new(Method::DELETE, self.remote(uri.bucket()), uri.key(), uri).query("uploadId", id);
        self.document(&call).await.map(drop)
    }

    pub(super) async fn uploads(&self, bucket: &BucketName, prefix: &str) -> Result<Vec<MultipartInfo>> {
        let mut uploads = Vec::new();
        let mut marker = (String::new(), String::new());
        loop {
            let mut call = Call::new(Method::GET, self.remote(bucket), "", format!("s3://{bucket}/{prefix}"))
                .query("uploads", "")
                .query("encoding-type", "url")
                .query("prefix", prefix);
            if !marker.0.is_empty() {
                call = call.query("key-marker", marker.0.clone()).query("upload-id-marker", marker.1.clone());
            }
            let (_, answer) = self.document(&call).await?;
            let text = decoder(&answer);
            for upload in answer.all("Upload") {
                let key = text(upload.text("Key"));
                if let Ok(uri) = LakeUri::new(bucket.clone(), key)
                    && uri.key().starts_with(prefix)
                {
                    let upload_id = upload.text("UploadId").to_owned();
                    uploads.push(MultipartInfo { uri, upload_id, initiated: time(upload.text("Initiated")) });
                }
            }
            let next = (text(answer.text("NextKeyMarker")), answer.text("NextUploadIdMarker").to_owned());
            if answer.text("IsTruncated") != "true" || next.0.is_empty() || next == marker {
                return Ok(uploads);
            }
            marker = next;
        }
    }
}

/// How the keys of a listing are written: encoded only where the server says so.
pub(super) fn decoder(answer: &Node) -> impl Fn(&str) -> String + use<> {
    let encoded = answer.text("EncodingType") == "url";
    move |text| match encoded {
        true => url_decode(text).unwrap_or_else(|| text.to_owned()),
        false => text.to_owned(),
    }
}
