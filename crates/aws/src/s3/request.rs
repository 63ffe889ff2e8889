//! What several operations read from a request in the same way.

use super::access::caller;
use super::error::refused;
use crate::signature::query_pairs;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, RANGE, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::PathAndQuery;
use lake::{GetOptions, PutMode, PutOptions};
use model::{BucketName, LakeUri};
use s3s::dto::{ETag, Metadata, Range, Timestamp, TimestampFormat};
use s3s::{S3Request, S3Result, s3_error};
use std::time::SystemTime;

/// Parameters by which a URL is signed.
const SIGNING: [&[u8]; 8] = [
    b"X-Amz-Algorithm",
    b"X-Amz-Credential",
    b"X-Amz-Date",
    b"X-Amz-Expires",
    b"X-Amz-SignedHeaders",
    b"X-Amz-Signature",
    b"X-Amz-Security-Token",
    b"X-Amz-Content-Sha256",
];

/// Headers that belong to the signature or to the framing of the body.
const SPENT: [&str; 4] =
    ["x-amz-content-sha256", "x-amz-decoded-content-length", "x-amz-security-token", "transfer-encoding"];

/// Headers that are read here alone: `s3s` would refuse lists of ETags and dates that are none, where HTTP has rules.
const KEPT_BACK: [(&str, &str); 5] = [
    ("expires", "x-kept-back-expires"),
    ("if-match", "x-kept-back-if-match"),
    ("if-modified-since", "x-kept-back-if-modified-since"),
    ("if-none-match", "x-kept-back-if-none-match"),
    ("if-unmodified-since", "x-kept-back-if-unmodified-since"),
];

/// Takes away what was verified, so that nobody looks at it again, and what framed the body, which is unwrapped.
pub(super) fn strip_signature(parts: &mut Parts) {
    parts.headers.remove(AUTHORIZATION);
    for (name, kept) in KEPT_BACK {
        if let Some(value) = parts.headers.remove(name) {
            parts.headers.insert(kept, value);
        }
    }
    // A range that cannot be read counts as none.
    let range = parts.headers.get(RANGE).map(|range| range.to_str().unwrap_or_default());
    if range.is_some_and(|range| Range::parse(range).is_err()) {
        parts.headers.remove(RANGE);
    }
    let length = parts.headers.get("x-amz-decoded-content-length").cloned();
    if let Some(length) = length {
        parts.headers.insert(CONTENT_LENGTH, length);
    } else if !parts.headers.contains_key(CONTENT_LENGTH) && !parts.headers.contains_key(TRANSFER_ENCODING) {
        // A request that says nothing of its body has none.
        parts.headers.insert(CONTENT_LENGTH, http::HeaderValue::from_static("0"));
    }
    for name in SPENT {
        parts.headers.remove(name);
    }
    let encodings = parts.headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    if let Some(encodings) = encodings.filter(|encodings| encodings.contains("aws-chunked")) {
        let kept: Vec<&str> = encodings
            .split(',')
            .map(str::trim)
            .filter(|one| *one != "aws-chunked" && !one.is_empty())
            .collect();
        match http::HeaderValue::try_from(kept.join(", ")) {
            Ok(value) if !kept.is_empty() => drop(parts.headers.insert(CONTENT_ENCODING, value)),
            _ => drop(parts.headers.remove(CONTENT_ENCODING)),
        }
    }
    let Some(query) = parts.uri.query() else { return };
    let is_spent = |pair: &&str| query_pairs(pair).any(|(name, _)| SIGNING.contains(&name.as_slice()));
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_spent(pair)).collect();
    let path = parts.uri.path();
    let text = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    let mut uri = parts.uri.clone().into_parts();
    if let Ok(stripped) = PathAndQuery::try_from(text) {
        uri.path_and_query = Some(stripped);
        if let Ok(stripped) = http::Uri::from_parts(uri) {
            parts.uri = stripped;
        }
    }
}

/// A header's text.
pub(super) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let name = KEPT_BACK.iter().find(|(known, _)| *known == name).map_or(name, |(_, kept)| *kept);
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim).filter(|text| !text.is_empty())
}

/// Refuses a request that is meant for buckets of somebody else.
pub(super) fn check_owner<T>(request: &S3Request<T>) -> S3Result<()> {
    for name in ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"] {
        if let Some(expected) = text(&request.headers, name)
            && expected != caller(request)?.account.as_str()
        {
            return Err(s3_error!(
                AccessDenied,
                "{name} is {expected}, but the bucket is not that account's"
            ));
        }
    }
    Ok(())
}

/// A bucket's name.
pub(super) fn bucket(name: &str) -> S3Result<BucketName> {
    BucketName::new(name).map_err(|error| s3_error!(InvalidBucketName, "{}", error.message()))
}

/// The address of an object or of a prefix.
pub(super) fn uri(bucket_name: &str, key: &str) -> S3Result<LakeUri> {
    // Neither XML nor the state database can say it.
    if key.contains('\0') {
        return Err(s3_error!(InvalidArgument, "a key must not hold a zero byte"));
    }
    LakeUri::new(bucket(bucket_name)?, key).map_err(|error| s3_error!(KeyTooLongError, "{}", error.message()))
}

/// The version that a request names.
pub(super) fn version(named: Option<&str>) -> S3Result<Option<&str>> {
    match named.filter(|named| !lake::is_version_id(named)) {
        None => Ok(named),
        Some(wrong) => Err(s3_error!(InvalidArgument, "`{wrong}` is no id of a version")),
    }
}

/// Standard headers that are kept with an object.
const KEPT: [&str; 5] =
    ["cache-control", "content-disposition", "content-encoding", "content-language", "expires"];

/// Headers that ask for what the lake does not do; taken silently, the caller would be deceived.
const REFUSED: [&str; 8] = [
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-legal-hold",
    "x-amz-object-lock-retain-until-date",
    "x-amz-website-redirect-location",
    "x-amz-write-offset-bytes",
];

/// Type, headers and metadata that a request gives an object, after refusing what is not supported.
pub(super) fn attributes(headers: &HeaderMap, metadata: Option<Metadata>) -> S3Result<PutOptions> {
    if let Some(name) = REFUSED.iter().find(|name| headers.contains_key(**name)) {
        return Err(refused(&format!("the header `{name}`")));
    }
    match text(headers, "x-amz-acl") {
        None | Some("private" | "bucket-owner-full-control") => {}
        Some(other) => {
            return Err(s3_error!(
                AccessControlListNotSupported,
                "the ACL `{other}` is not supported: objects belong to the owner of their bucket"
            ));
        }
    }
    if headers.keys().any(|name| name.as_str().starts_with("x-amz-grant-")) {
        return Err(s3_error!(
            AccessControlListNotSupported,
            "grants are not supported; use policies of keys"
        ));
    }
    match text(headers, "x-amz-storage-class") {
        None | Some("STANDARD") => {}
        Some(other) => {
            return Err(s3_error!(InvalidStorageClass, "the storage class `{other}` is not supported"));
        }
    }
    let mut options = PutOptions { mode: mode(headers)?, ..PutOptions::default() };
    options.content_type = text(headers, "content-type").map(str::to_owned);
    for name in KEPT {
        if let Some(value) = text(headers, name) {
            options.headers.insert(name.to_owned(), value.to_owned());
        }
    }
    options.metadata = metadata.unwrap_or_default().into_iter().collect();
    Ok(options)
}

/// The condition of a write.
pub(super) fn mode(headers: &HeaderMap) -> S3Result<PutMode> {
    match (text(headers, "if-none-match"), text(headers, "if-match")) {
        (None, None) => Ok(PutMode::Overwrite),
        (Some("*"), None) => Ok(PutMode::Create),
        (None, Some(etag)) if etag != "*" && !etag.contains(',') => Ok(PutMode::Match(etag.to_owned())),
        _ => Err(refused("this condition of a write (other than `If-None-Match: *` or `If-Match: ETAG`)")),
    }
}

/// The conditions of a read. `prefix` stands before the headers' names when a copy reads.
pub(super) fn conditions(headers: &HeaderMap, prefix: &str) -> S3Result<GetOptions> {
    let header = |name: &str| text(headers, &format!("{prefix}{name}")).map(str::to_owned);
    let time = |name: &str| header(name).and_then(|text| DateTime::parse_from_rfc2822(&text).ok());
    Ok(GetOptions {
        version: None,
        range: None,
        if_match: header("if-match"),
        if_none_match: header("if-none-match"),
        if_modified_since: time("if-modified-since").map(|time| time.with_timezone(&Utc)),
        if_unmodified_since: time("if-unmodified-since").map(|time| time.with_timezone(&Utc)),
    })
}

/// The MD5 that a request promises.
pub(super) fn content_md5(headers: &HeaderMap) -> S3Result<Option<[u8; 16]>> {
    let Some(text) = text(headers, "content-md5") else { return Ok(None) };
    let md5 = STANDARD.decode(text).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    md5.map(Some)
        .ok_or_else(|| s3_error!(InvalidDigest, "`{text}` is no Content-MD5: write 16 bytes in base 64"))
}

/// An ETag as the protocol has it.
pub(super) fn etag(text: impl Into<String>) -> ETag {
    ETag::Strong(text.into())
}

/// A time as the protocol has it.
pub(super) fn timestamp(time: DateTime<Utc>) -> Timestamp {
    Timestamp::from(SystemTime::from(time))
}

/// A time of the protocol as ours, to the second.
pub(super) fn seconds(time: &Timestamp) -> i64 {
    let mut text = Vec::new();
    let _ = time.format(TimestampFormat::EpochSeconds, &mut text);
    let text = String::from_utf8_lossy(&text);
    text.split('.').next().and_then(|seconds| seconds.parse().ok()).unwrap_or_default()
}

/// A size as the protocol counts it.
pub(super) fn size(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
