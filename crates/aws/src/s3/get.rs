//! Reading objects and their facts.

use super::Objects;
use super::checksums::Fields;
use super::error::{About, coded, failed, refused};
use super::request::{conditions, etag, size, timestamp, uri, version};
use super::versions::{facts, unread};
use futures::TryStreamExt;
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use http_body_util::StreamBody;
use lake::{GetRange, ObjectInfo};
use model::{Error, ErrorKind};
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

const DEFAULT_TYPE: &str = "binary/octet-stream";

fn range_of(range: Option<Range>) -> Option<GetRange> {
    match range? {
        Range::Int { first, last: Some(last) } => Some(GetRange::Bounded(first..last.saturating_add(1))),
        Range::Int { first, last: None } => Some(GetRange::From(first)),
        Range::Suffix { length } => Some(GetRange::Suffix(length)),
    }
}

/// An object of several parts does not remember where they began.
fn check_part_number(number: Option<i32>, info: &ObjectInfo) -> S3Result<()> {
    match number {
        None => Ok(()),
        Some(1) if !info.etag.contains('-') => Ok(()),
        Some(_) => Err(refused("reading an object by part number")),
    }
}

fn not_modified(info: &ObjectInfo) -> S3Error {
    let mut error = S3Error::new(S3ErrorCode::NotModified);
    let mut headers = HeaderMap::new();
    if let Ok(etag) = etag(&info.etag).to_http_header() {
        headers.insert(http::header::ETAG, etag);
    }
    error.set_headers(headers);
    error
}

fn out_of_range(error: &Error, size: Option<u64>) -> S3Error {
    let mut error = coded(S3ErrorCode::InvalidRange, error);
    if let Some(value) = size.and_then(|size| HeaderValue::try_from(format!("bytes */{size}")).ok()) {
        let kind = HeaderValue::from_static("application/xml");
        let headers = [(http::header::CONTENT_RANGE, value), (http::header::CONTENT_TYPE, kind)];
        error.set_headers(HeaderMap::from_iter(headers));
    }
    error
}

/// The kept header of an object, unless the request asks for another text.
fn kept(info: &ObjectInfo, name: &str, asked: Option<&String>) -> Option<String> {
    asked.or_else(|| info.headers.get(name)).cloned()
}

fn is_asked(mode: Option<&ChecksumMode>) -> bool {
    mode.is_some_and(|mode| mode.as_str().eq_ignore_ascii_case("ENABLED"))
}

/// `Expires` is answered as it was given, even if it is no date.
fn expires(info: &ObjectInfo, asked: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(value) = info.headers.get("expires").filter(|_| !asked)
        && let Ok(value) = HeaderValue::try_from(value)
    {
        headers.insert(http::header::EXPIRES, value);
    }
    headers
}

pub(super) async fn get_object(
    objects: &Objects,
    request: S3Request<GetObjectInput>,
) -> S3Result<S3Response<GetObjectOutput>> {
    let lake = &objects.lake;
    let mut options = conditions(&request.headers, "")?;
    let input = request.input;
    let version = version(input.version_id.as_deref())?;
    if input.sse_customer_algorithm.is_some() {
        return Err(refused("encryption with a customer's key"));
    }
    let uri = uri(&input.bucket, &input.key)?;
    options.range = range_of(input.range);
    options.version = version.map(str::to_owned);
    let ranged = options.range.is_some();
    let read = match lake.get_if(&uri, options).await {
        Ok(Some(read)) => read,
        Ok(None) => {
            return Err(match facts(lake, &uri, version).await {
                Ok(info) => not_modified(&info),
                Err(error) => unread(lake, &uri, version, error).await,
            });
        }
        Err(error) if ranged && error.kind() == ErrorKind::InvalidInput => {
            return Err(out_of_range(&error, facts(lake, &uri, version).await.ok().map(|info| info.size)));
        }
        Err(error) => return Err(unread(lake, &uri, version, error).await),
    };
    let info = read.info.clone();
    check_part_number(input.part_number, &info)?;
    let range = read.range.clone();
    let whole = is_asked(input.checksum_mode.as_ref()) && range == (0..info.size);
    let sums = if whole { Fields::of(&info.checksums) } else { Fields::default() };
    let content_range =
        ranged.then(|| format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), info.size));
    let headers = expires(&info, input.response_expires.is_some());
    let body = s3s::Body::http_body_unsync(StreamBody::new(read.into_stream().map_ok(Frame::data)));
    let output = GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        body: Some(StreamingBlob::from(body)),
        cache_control: kept(&info, "cache-control", input.response_cache_control.as_ref()),
        checksum_type: whole.then(|| ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
        checksum_crc32: sums.crc32,
        checksum_crc32c: sums.crc32c,
        checksum_crc64nvme: sums.crc64nvme,
        checksum_sha1: sums.sha1,
        checksum_sha256: sums.sha256,
        content_disposition: kept(&info, "content-disposition", input.response_content_disposition.as_ref()),
        content_encoding: kept(&info, "content-encoding", input.response_content_encoding.as_ref()),
        content_language: kept(&info, "content-language", input.response_content_language.as_ref()),
        content_length: Some(size(range.end - range.start)),
        content_range,
        content_type: Some(
            input
                .response_content_type
                .or_else(|| info.content_type.clone())
                .unwrap_or_else(|| DEFAULT_TYPE.to_owned()),
        ),
        e_tag: Some(etag(&info.etag)),
        expires: input.response_expires,
        last_modified: Some(timestamp(info.last_modified)),
        metadata: Some(info.metadata.into_iter().collect()),
        version_id: info.version,
        ..GetObjectOutput::default()
    };
    Ok(S3Response::with_headers(output, headers))
}

pub(super) async fn head_object(
    objects: &Objects,
    request: S3Request<HeadObjectInput>,
) -> S3Result<S3Response<HeadObjectOutput>> {
    let lake = &objects.lake;
    let options = conditions(&request.headers, "")?;
    let input = request.input;
    let version = version(input.version_id.as_deref())?;
    if input.sse_customer_algorithm.is_some() {
        return Err(refused("encryption with a customer's key"));
    }
    let uri = uri(&input.bucket, &input.key)?;
    let info = match facts(lake, &uri, version).await {
        Ok(info) => info,
        Err(error) => return Err(unread(lake, &uri, version, error).await),
    };
    match options.check(&info) {
        Ok(true) => {}
        Ok(false) => return Err(not_modified(&info)),
        Err(error) => return Err(failed(lake, About::Object(&uri), error).await),
    }
    check_part_number(input.part_number, &info)?;
    let range = match range_of(input.range) {
        None => None,
        Some(range) => {
            let resolved = range.resolve(&uri, info.size);
            Some(resolved.map_err(|error| out_of_range(&error, Some(info.size)))?)
        }
    };
    let whole = is_asked(input.checksum_mode.as_ref()) && range.is_none();
    let sums = if whole { Fields::of(&info.checksums) } else { Fields::default() };
    let headers = expires(&info, input.response_expires.is_some());
    let output = HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        cache_control: kept(&info, "cache-control", input.response_cache_control.as_ref()),
        checksum_type: whole.then(|| ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
        checksum_crc32: sums.crc32,
        checksum_crc32c: sums.crc32c,
        checksum_crc64nvme: sums.crc64nvme,
        checksum_sha1: sums.sha1,
        checksum_sha256: sums.sha256,
        content_disposition: kept(&info, "content-disposition", input.response_content_disposition.as_ref()),
        content_encoding: kept(&info, "content-encoding", input.response_content_encoding.as_ref()),
        content_language: kept(&info, "content-language", input.response_content_language.as_ref()),
        content_length: Some(range.as_ref().map_or(size(info.size), |range| size(range.end - range.start))),
        content_range: range
            .as_ref()
            .map(|range| format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), info.size)),
        content_type: Some(
            input
                .response_content_type
                .or_else(|| info.content_type.clone())
                .unwrap_or_else(|| DEFAULT_TYPE.to_owned()),
        ),
        e_tag: Some(etag(&info.etag)),
        expires: input.response_expires,
        last_modified: Some(timestamp(info.last_modified)),
        metadata: Some(info.metadata.into_iter().collect()),
        version_id: info.version,
        ..HeadObjectOutput::default()
    };
    Ok(S3Response::with_headers(output, headers))
}

pub(super) async fn get_object_attributes(
    objects: &Objects,
    request: S3Request<GetObjectAttributesInput>,
) -> S3Result<S3Response<GetObjectAttributesOutput>> {
    let lake = &objects.lake;
    let input = request.input;
    let version = version(input.version_id.as_deref())?;
    let uri = uri(&input.bucket, &input.key)?;
    let info = match facts(lake, &uri, version).await {
        Ok(info) => info,
        Err(error) => return Err(unread(lake, &uri, version, error).await),
    };
    // Clients name all of them in one header.
    let asked: Vec<&str> =
        input.object_attributes.iter().flat_map(|list| list.as_str().split(',')).map(str::trim).collect();
    let wants = |name: &str| asked.contains(&name);
    if wants("ObjectParts") {
        return Err(refused("asking for an object's parts"));
    }
    let sums = Fields::of(&info.checksums);
    Ok(S3Response::new(GetObjectAttributesOutput {
        checksum: wants("Checksum").then(|| Checksum {
            checksum_crc32: sums.crc32,
            checksum_crc32c: sums.crc32c,
            checksum_crc64nvme: sums.crc64nvme,
            checksum_sha1: sums.sha1,
            checksum_sha256: sums.sha256,
            checksum_type: Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
        }),
        e_tag: wants("ETag").then(|| etag(&info.etag)),
        last_modified: Some(timestamp(info.last_modified)),
        object_size: wants("ObjectSize").then(|| size(info.size)),
        storage_class: wants("StorageClass").then(|| StorageClass::from_static(StorageClass::STANDARD)),
        version_id: info.version,
        ..GetObjectAttributesOutput::default()
    }))
}
