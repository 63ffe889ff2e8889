//! Versions of objects: whether a bucket keeps them, which there are, and what is said of one that is not there.

use super::Objects;
use super::access::caller;
use super::buckets::exists;
use super::error::{About, coded, failed, refused};
use super::list::{Spelling, limit};
use super::parts::owner;
use super::request::{bucket, etag, size, text, timestamp, uri, version};
use http::{HeaderMap, HeaderValue};
use lake::{Lake, ObjectInfo, ObjectVersion, VersionOptions, VersionPage, Versioning};
use model::{Error, ErrorKind, LakeUri, Place};
use s3s::dto::{ObjectVersion as ObjectVersionEntry, *};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

/// The facts of an object, or of one of its versions.
pub(super) async fn facts(lake: &Lake, uri: &LakeUri, version: Option<&str>) -> model::Result<ObjectInfo> {
    let Some(id) = version else { return lake.head(uri).await };
    let found = lake.version(uri, Some(id)).await?;
    match found.is_marker {
        false => Ok(found.info),
        true => {
            Err(Error::not_found(format!("the version `{id}` is a delete marker")).at(Place::object(uri)))
        }
    }
}

/// Whether it is a delete marker that stands where an object, or a version, was asked for.
pub(super) async fn marker(lake: &Lake, uri: &LakeUri, version: Option<&str>) -> Option<ObjectVersion> {
    // Where no versions are kept, and on other servers, nobody has to look.
    lake.versioning(uri.bucket()).await.ok().flatten()?;
    lake.version(uri, version).await.ok().filter(|found| found.is_marker)
}

/// What is said when an object, or a version of it, could not be read.
pub(super) async fn unread(lake: &Lake, uri: &LakeUri, version: Option<&str>, error: Error) -> S3Error {
    if error.kind() != ErrorKind::NotFound {
        return failed(lake, About::Object(uri), error).await;
    }
    if let Some(found) = marker(lake, uri, version).await {
        let code = if version.is_some() { S3ErrorCode::MethodNotAllowed } else { S3ErrorCode::NoSuchKey };
        let error = Error::not_found("the object is deleted: a delete marker stands before its versions");
        let mut answer = coded(code, &error.at(Place::object(uri)));
        answer.set_headers(marker_headers(&found, version.is_some()));
        return answer;
    }
    let answer = failed(lake, About::Object(uri), error.clone()).await;
    match version.is_some() && *answer.code() == S3ErrorCode::NoSuchKey {
        true => coded(S3ErrorCode::NoSuchVersion, &error),
        false => answer,
    }
}

fn marker_headers(found: &ObjectVersion, is_asked: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-delete-marker", HeaderValue::from_static("true"));
    if let Ok(id) = HeaderValue::try_from(&found.id) {
        headers.insert("x-amz-version-id", id);
    }
    if is_asked {
        headers.insert(http::header::ALLOW, HeaderValue::from_static("DELETE"));
        let written = found.info.last_modified.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        if let Ok(written) = HeaderValue::try_from(written) {
            headers.insert(http::header::LAST_MODIFIED, written);
        }
    }
    // The headers of an answer replace those it would have.
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    headers
}

pub(super) async fn put_bucket_versioning(
    objects: &Objects,
    request: S3Request<PutBucketVersioningInput>,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let lake = &objects.lake;
    let input = request.input;
    exists(lake, &input.bucket).await?;
    let wanted = input.versioning_configuration;
    let is_off = |mfa: &MFADelete| mfa.as_str() == MFADelete::DISABLED;
    if text(&request.headers, "x-amz-mfa").is_some() || !wanted.mfa_delete.as_ref().is_none_or(is_off) {
        return Err(refused("MFA delete"));
    }
    let versioning = match wanted.status.as_ref().map(BucketVersioningStatus::as_str) {
        Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        _ => {
            return Err(s3_error!(
                IllegalVersioningConfigurationException,
                "the Status must be Enabled or Suspended"
            ));
        }
    };
    match lake.set_versioning(&bucket(&input.bucket)?, versioning).await {
        Ok(()) => Ok(S3Response::new(PutBucketVersioningOutput::default())),
        Err(error) => Err(failed(lake, About::Bucket, error).await),
    }
}

pub(super) async fn get_bucket_versioning(
    objects: &Objects,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let lake = &objects.lake;
    exists(lake, &request.input.bucket).await?;
    let status = match lake.versioning(&bucket(&request.input.bucket)?).await {
        Ok(None) => None,
        Ok(Some(Versioning::Enabled)) => Some(BucketVersioningStatus::ENABLED),
        Ok(Some(Versioning::Suspended)) => Some(BucketVersioningStatus::SUSPENDED),
        Err(error) => return Err(failed(lake, About::Bucket, error).await),
    };
    let status = status.map(BucketVersioningStatus::from_static);
    Ok(S3Response::new(GetBucketVersioningOutput { status, ..GetBucketVersioningOutput::default() }))
}

/// A bucket that never kept versions has one of each object, which is called `null`.
pub(super) async fn list_object_versions(
    objects: &Objects,
    request: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let lake = &objects.lake;
    let caller = caller(&request)?;
    let input = request.input;
    let spelling = Spelling::of(input.encoding_type.as_ref())?;
    let keys = limit(input.max_keys, "max-keys")?;
    let after_key = input.key_marker.clone().filter(|marker| !marker.is_empty());
    let after_version = input.version_id_marker.as_deref().filter(|marker| !marker.is_empty());
    if after_version.is_some() && after_key.is_none() {
        return Err(s3_error!(InvalidArgument, "a version-id-marker needs a key-marker"));
    }
    let prefix = uri(&input.bucket, input.prefix.as_deref().unwrap_or_default())?;
    let max_keys = usize::try_from(keys).unwrap_or_default();
    let options = VersionOptions {
        delimiter: input.delimiter.clone(),
        after_key,
        after_version: version(after_version)?.map(str::to_owned),
        // None at all may be asked for; the bucket must be there nevertheless.
        max_keys: max_keys.max(1),
    };
    let page = match lake.list_versions(&prefix, options).await {
        Ok(_) if max_keys == 0 => VersionPage::default(),
        Ok(page) => page,
        Err(error) => return Err(failed(lake, About::Object(&prefix), error).await),
    };
    let (markers, versions): (Vec<_>, Vec<_>) = page.versions.into_iter().partition(|one| one.is_marker);
    let version = |one: ObjectVersion| ObjectVersionEntry {
        e_tag: Some(etag(&one.info.etag)),
        is_latest: Some(one.is_latest),
        key: Some(spelling.write(one.info.uri.key())),
        last_modified: Some(timestamp(one.info.last_modified)),
        owner: Some(owner(&caller)),
        size: Some(size(one.info.size)),
        storage_class: Some(ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD)),
        version_id: Some(one.id),
        ..ObjectVersionEntry::default()
    };
    let marker = |one: ObjectVersion| DeleteMarkerEntry {
        is_latest: Some(one.is_latest),
        key: Some(spelling.write(one.info.uri.key())),
        last_modified: Some(timestamp(one.info.last_modified)),
        owner: Some(owner(&caller)),
        version_id: Some(one.id),
    };
    let common = |prefix: &String| CommonPrefix { prefix: Some(spelling.write(prefix)) };
    let (next_key, next_version) = page.next.unzip();
    Ok(S3Response::new(ListObjectVersionsOutput {
        name: Some(input.bucket),
        prefix: Some(spelling.write(input.prefix.as_deref().unwrap_or_default())),
        key_marker: Some(spelling.write(input.key_marker.as_deref().unwrap_or_default())),
        max_keys: Some(keys),
        is_truncated: Some(next_key.is_some()),
        versions: (!versions.is_empty()).then(|| versions.into_iter().map(version).collect()),
        delete_markers: (!markers.is_empty()).then(|| markers.into_iter().map(marker).collect()),
        common_prefixes: (!page.common_prefixes.is_empty())
            .then(|| page.common_prefixes.iter().map(common).collect()),
        delimiter: input.delimiter.as_deref().map(|delimiter| spelling.write(delimiter)),
        next_key_marker: next_key.map(|key| spelling.write(&key)),
        next_version_id_marker: next_version.flatten(),
        encoding_type: input.encoding_type,
        version_id_marker: input.version_id_marker,
        ..ListObjectVersionsOutput::default()
    }))
}
