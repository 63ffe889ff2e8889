//! Removing objects, one or many.

use super::Objects;
use super::access::{allow, arn, caller};
use super::buckets::exists;
use super::error::{About, failed, refused};
use super::request::{no_version, seconds, size, text, uri};
use futures::StreamExt;
use model::{Error, ErrorKind, LakeUri, Place};
use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

const MAX_KEYS: usize = 1000;
const AT_ONCE: usize = 16;

/// What an object must still be to be removed.
#[derive(Default)]
struct Condition {
    etag: Option<String>,
    size: Option<i64>,
    seconds: Option<i64>,
}

/// Removes an object; one that is not there counts as removed, unless it must have been something.
async fn remove(objects: &Objects, uri: &LakeUri, condition: Condition) -> S3Result<()> {
    let lake = &objects.lake;
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
        Ok(()) => {
            if let Err(error) = objects.untag(uri).await {
                return Err(failed_at(error).await);
            }
            objects.tell("object.deleted", uri).await
        }
        Err(error) => Err(failed_at(error).await),
    }
}

pub(super) async fn delete_object(
    objects: &Objects,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let input = request.input;
    no_version(input.version_id.as_deref())?;
    let condition = Condition {
        etag: text(&request.headers, "if-match").map(str::to_owned),
        size: input.if_match_size,
        seconds: input.if_match_last_modified_time.as_ref().map(seconds),
    };
    remove(objects, &uri(&input.bucket, &input.key)?, condition).await?;
    Ok(S3Response::new(DeleteObjectOutput::default()))
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
                allow(caller, "s3:DeleteObject", &arn(bucket, &object.key))?;
                no_version(object.version_id.as_deref())?;
                let condition = Condition {
                    etag: object.e_tag.as_ref().map(|etag| etag.value().to_owned()),
                    size: object.size,
                    seconds: object.last_modified_time.as_ref().map(seconds),
                };
                remove(objects, &uri(bucket, &object.key)?, condition).await
            };
            (done.await, object.key)
        }
    });
    let results: Vec<(Result<(), S3Error>, String)> =
        futures::stream::iter(deletes).buffered(AT_ONCE).collect().await;
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for (result, key) in results {
        match result {
            Ok(()) => deleted.push(DeletedObject { key: Some(key), ..DeletedObject::default() }),
            Err(error) => errors.push(s3s::dto::Error {
                code: Some(error.code().as_str().to_owned()),
                key: Some(key),
                message: error.message().map(str::to_owned),
                version_id: None,
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
