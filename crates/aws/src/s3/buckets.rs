//! Buckets: make, look, list, remove.

use super::Objects;
use super::access::caller;
use super::error::{About, failed, refused};
use super::request::{bucket, text, timestamp};
use lake::Lake;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

const MAX_BUCKETS: usize = 10_000;

pub(super) async fn list_buckets(
    objects: &Objects,
    request: S3Request<ListBucketsInput>,
) -> S3Result<S3Response<ListBucketsOutput>> {
    let lake = &objects.lake;
    let caller = caller(&request)?;
    let input = request.input;
    let limit = input.max_buckets.and_then(|max| usize::try_from(max).ok()).unwrap_or(MAX_BUCKETS).max(1);
    let all = lake.list_buckets().await;
    let all = match all {
        Ok(all) => all,
        Err(error) => return Err(failed(lake, About::Bucket, error).await),
    };
    let prefix = input.prefix.clone().unwrap_or_default();
    // Names cannot be read from the token by accident: it is the last name of the page before.
    let after = input.continuation_token.unwrap_or_default();
    let mut left = all
        .into_iter()
        .filter(|info| info.name.as_str().starts_with(&prefix) && info.name.as_str() > after.as_str());
    let page: Vec<Bucket> = left
        .by_ref()
        .take(limit)
        .map(|info| Bucket {
            bucket_region: Some(caller.region.clone()),
            creation_date: Some(timestamp(info.created.unwrap_or_default())),
            name: Some(info.name.to_string()),
        })
        .collect();
    let next = left.next().and_then(|_| page.last().and_then(|bucket| bucket.name.clone()));
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(page),
        continuation_token: next,
        owner: Some(Owner { display_name: Some("glulam".to_owned()), id: Some(caller.account.to_string()) }),
        prefix: input.prefix,
    }))
}

pub(super) async fn create_bucket(
    objects: &Objects,
    request: S3Request<CreateBucketInput>,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let lake = &objects.lake;
    if request.input.object_lock_enabled_for_bucket == Some(true) {
        return Err(refused("object lock"));
    }
    if let Some(acl) = text(&request.headers, "x-amz-acl").filter(|acl| *acl != "private") {
        return Err(refused(&format!("the ACL `{acl}`")));
    }
    let name = bucket(&request.input.bucket)?;
    match lake.create_bucket(&name).await {
        Ok(()) => Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{name}")) })),
        Err(error) => Err(failed(lake, About::Bucket, error).await),
    }
}

/// Fails when there is no such bucket.
pub(super) async fn exists(lake: &Lake, name: &str) -> S3Result<()> {
    let name = bucket(name)?;
    match lake.bucket_exists(&name).await {
        Ok(true) => Ok(()),
        Ok(false) => {
            let error = model::Error::not_found(format!("bucket `{name}` does not exist"));
            Err(failed(lake, About::Bucket, error).await)
        }
        Err(error) => Err(failed(lake, About::Bucket, error).await),
    }
}

pub(super) async fn head_bucket(
    objects: &Objects,
    request: S3Request<HeadBucketInput>,
) -> S3Result<S3Response<HeadBucketOutput>> {
    let lake = &objects.lake;
    exists(lake, &request.input.bucket).await?;
    let region = caller(&request)?.region;
    Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(region), ..HeadBucketOutput::default() }))
}

pub(super) async fn delete_bucket(
    objects: &Objects,
    request: S3Request<DeleteBucketInput>,
) -> S3Result<S3Response<DeleteBucketOutput>> {
    let lake = &objects.lake;
    let name = bucket(&request.input.bucket)?;
    match lake.delete_bucket(&name).await {
        Ok(()) => match objects.forget_bucket(name.as_str()).await {
            Ok(()) => Ok(S3Response::new(DeleteBucketOutput::default())),
            Err(error) => Err(failed(lake, About::Bucket, error).await),
        },
        Err(error) if error.kind() == model::ErrorKind::Conflict => {
            Err(super::error::coded(s3s::S3ErrorCode::BucketNotEmpty, &error))
        }
        Err(error) => Err(failed(lake, About::Bucket, error).await),
    }
}

/// A bucket has no region of its own: it is where the caller believes it to be.
pub(super) async fn get_bucket_location(
    objects: &Objects,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    let lake = &objects.lake;
    exists(lake, &request.input.bucket).await?;
    let region = caller(&request)?.region;
    let constraint = (region != "us-east-1").then(|| BucketLocationConstraint::from(region));
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint: constraint }))
}
