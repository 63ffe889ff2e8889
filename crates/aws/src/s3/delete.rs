//! Removing objects, one or many.

use super::Objects;
use super::access::{allow, arn, caller};
use super::buckets::exists;
use super::error::{About, failed, refused};
use super::request::{seconds, size, text, uri, version};
use futures::StreamExt;
use lake::{Deleted, NULL_VERSION};
use model::{Error, ErrorKind, LakeUri, Place};
use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};
use serde_json::json;

const MAX_KEYS: usize = 1000;
const AT_ONCE: usize = 16;

/// What an object must still be to be removed.
#[derive(Default, PartialEq)]
struct Condition {
    etag: Option<String>,
    size: Option<i64>,
    seconds: Option<i64>,
}

/// Removes a version for good.
async fn remove_version(objects: &Objects, uri: &LakeUri, version: &str) -> S3Result<Deleted> {
    let done = async {
        let deleted = objects.lake.delete_version(uri, version).await?;
        objects.untag(uri, Some(version)).await?;
        Ok(deleted)
    };
    let deleted = match done.await {
        Ok(deleted) => deleted,
        Err(error) => return Err(failed(&objects.lake, About::Object(uri), error).await),
    };
    objects.tell("object.deleted", uri, json!({ "version": version, "permanent": true })).await?;
    if deleted.restored {
        // Who goes by events must hear that something is there again.
        objects.tell("object.created", uri, json!({ "restored": true })).await?;
    }
    Ok(deleted)
}

/// Removes an object, or a version; one that is not there counts as removed, unless it must have been something.
async fn remove(
    objects: &Objects,
    uri: &LakeUri,
    version: Option<&str>,
    condition: Condition,
) -> S3Result<Deleted> {
    let lake = &objects.lake;
    if let Some(version) = version {
        return match condition == Condition::default() {
            true => remove_version(objects, uri, version).await,
            false => Err(refused("a condition for the removal of a version")),
        };
    }
    let failed_at = |error| failed(lake, About::Object(uri), error);
    let mut etag = condition.etag;
    if etag.as_deref() == Some("*") || condition.size.is_some() || condition.seconds.is_some() {
        let info = match lake.head(uri).await {
            Ok(info) => info,
            Err(error) => return Err(failed_at(error).await),
        };
        let as_expected = condition.size.is_none_or(|expected| expected == size(info.size))
            && condition.seconds.is_none_or(|expected| expected == info.last_modified.timestamp());
        if !as_expected {
            let error =
                Error::new(ErrorKind::PreconditionFailed, "the object has changed").at(Place::object(uri));
            return Err(failed_at(error).await);
        }
        // Whatever it was when we looked, it must still be.
        if etag.as_deref().is_none_or(|etag| etag == "*") {
            etag = Some(info.etag);
        }
    }
    match lake.delete_if(uri, etag.as_deref()).await {
        Ok(deleted) => {
            // Versions keep their tags; of the one that is called `null` none is left.
            let id = deleted.version.as_deref();
            if id.is_none_or(|id| id == NULL_VERSION)
                && let Err(error) = objects.untag(uri, id).await
            {
                return Err(failed_at(error).await);
            }
            let detail = id.map_or_else(|| json!({}), |id| json!({ "version": id, "marker": true }));
            objects.tell("object.deleted", uri, detail).await?;
            Ok(deleted)
        }
        Err(error) => Err(failed_at(error).await),
    }
}

pub(super) async fn delete_object(
    objects: &Objects,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let input = request.input;
    if input.mfa.is_some() {
        return Err(refused("the header `x-amz-mfa`"));
    }
    let version = version(input.version_id.as_deref())?;
    let condition = Condition {
        etag: text(&request.headers, "if-match").map(str::to_owned),
        size: input.if_match_size,
        seconds: input.if_match_last_modified_time.as_ref().map(seconds),
    };
    let deleted = remove(objects, &uri(&input.bucket, &input.key)?, version, condition).await?;
    Ok(S3Response::new(DeleteObjectOutput {
        delete_marker: deleted.is_marker.then_some(true),
        version_id: deleted.version,
        ..DeleteObjectOutput::default()
    }))
}

pub(super) async fn delete_objects(
    objects: &Objects,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let caller = caller(&request)?;
    let input = request.input;
    if input.mfa.is_some() {
        return Err(refused("the header `x-amz-mfa`"));
    }
    let named = input.delete.objects;
    if named.is_empty() || named.len() > MAX_KEYS {
        return Err(s3_error!(MalformedXML, "name 1 to {MAX_KEYS} keys, not {}", named.len()));
    }
    exists(&objects.lake, &input.bucket).await?;
    let bucket = input.bucket.as_str();
    let deletes = named.into_iter().map(|object| {
        let caller = &caller;
        async move {
            let done = async {
                let version = version(object.version_id.as_deref())?;
                let action = if version.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
                allow(caller, action, &arn(bucket, &object.key))?;
                let condition = Condition {
                    etag: object.e_tag.as_ref().map(|etag| etag.value().to_owned()),
                    size: object.size,
                    seconds: object.last_modified_time.as_ref().map(seconds),
                };
                remove(objects, &uri(bucket, &object.key)?, version, condition).await
            };
            (done.await, object.key, object.version_id)
        }
    });
    let results: Vec<(Result<Deleted, S3Error>, String, Option<String>)> =
        futures::stream::iter(deletes).buffered(AT_ONCE).collect().await;
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for (result, key, version_id) in results {
        match result {
            Ok(done) => deleted.push(DeletedObject {
                key: Some(key),
                delete_marker: done.is_marker.then_some(true),
                delete_marker_version_id: done.version.filter(|_| done.is_marker),
                version_id,
            }),
            Err(error) => errors.push(s3s::dto::Error {
                code: Some(error.code().as_str().to_owned()),
                key: Some(key),
                message: error.message().map(str::to_owned),
                version_id,
            }),
        }
    }
    let is_quiet = input.delete.quiet == Some(true);
    Ok(S3Response::new(DeleteObjectsOutput {
        deleted: (!is_quiet && !deleted.is_empty()).then_some(deleted),
        errors: (!errors.is_empty()).then_some(errors),
        request_charged: None,
    }))
}
