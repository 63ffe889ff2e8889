//! Access control lists: there is one owner, who may do everything; policies say the rest, as AWS has it by default.

use super::Objects;
use super::access::caller;
use super::buckets::exists;
use super::request::{uri, version};
use super::versions::{facts, unread};
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

fn owner<T>(request: &S3Request<T>) -> S3Result<Owner> {
    let account = caller(request)?.account;
    Ok(Owner { display_name: Some("glulam".to_owned()), id: Some(account.to_string()) })
}

fn grants(owner: &Owner) -> Vec<Grant> {
    let grantee = Grantee {
        display_name: owner.display_name.clone(),
        email_address: None,
        id: owner.id.clone(),
        type_: Type::from_static(Type::CANONICAL_USER),
        uri: None,
    };
    vec![Grant {
        grantee: Some(grantee),
        permission: Some(Permission::from_static(Permission::FULL_CONTROL)),
    }]
}

/// Fails when a list would let others in.
fn check(canned: Option<&str>, has_others: bool) -> S3Result<()> {
    match canned {
        None | Some("private" | "bucket-owner-full-control") if !has_others => Ok(()),
        _ => Err(s3_error!(
            AccessControlListNotSupported,
            "the bucket does not allow ACLs: everything is its owner's, and policies of keys say who may do what"
        )),
    }
}

/// Whether a list gives more than the owner has anyway.
fn has_others(policy: Option<&AccessControlPolicy>, owner: &Owner) -> bool {
    let grants = policy.and_then(|policy| policy.grants.as_ref());
    grants.is_some_and(|grants| {
        grants.iter().any(|grant| grant.grantee.as_ref().is_none_or(|grantee| grantee.id != owner.id))
    })
}

pub(super) async fn get_bucket_acl(
    objects: &Objects,
    request: S3Request<GetBucketAclInput>,
) -> S3Result<S3Response<GetBucketAclOutput>> {
    exists(&objects.lake, &request.input.bucket).await?;
    let owner = owner(&request)?;
    Ok(S3Response::new(GetBucketAclOutput { grants: Some(grants(&owner)), owner: Some(owner) }))
}

pub(super) async fn put_bucket_acl(
    objects: &Objects,
    request: S3Request<PutBucketAclInput>,
) -> S3Result<S3Response<PutBucketAclOutput>> {
    exists(&objects.lake, &request.input.bucket).await?;
    let owner = owner(&request)?;
    let input = &request.input;
    let is_granted =
        [&input.grant_full_control, &input.grant_read, &input.grant_read_acp, &input.grant_write]
            .iter()
            .any(|grant| grant.is_some())
            || input.grant_write_acp.is_some();
    let has_others = is_granted || has_others(input.access_control_policy.as_ref(), &owner);
    check(input.acl.as_ref().map(BucketCannedACL::as_str), has_others)?;
    Ok(S3Response::new(PutBucketAclOutput::default()))
}

pub(super) async fn get_object_acl(
    objects: &Objects,
    request: S3Request<GetObjectAclInput>,
) -> S3Result<S3Response<GetObjectAclOutput>> {
    let owner = owner(&request)?;
    let input = &request.input;
    there(objects, &input.bucket, &input.key, version(input.version_id.as_deref())?).await?;
    Ok(S3Response::new(GetObjectAclOutput {
        grants: Some(grants(&owner)),
        owner: Some(owner),
        request_charged: None,
    }))
}

pub(super) async fn put_object_acl(
    objects: &Objects,
    request: S3Request<PutObjectAclInput>,
) -> S3Result<S3Response<PutObjectAclOutput>> {
    let owner = owner(&request)?;
    let input = &request.input;
    there(objects, &input.bucket, &input.key, version(input.version_id.as_deref())?).await?;
    let is_granted =
        [&input.grant_full_control, &input.grant_read, &input.grant_read_acp, &input.grant_write]
            .iter()
            .any(|grant| grant.is_some())
            || input.grant_write_acp.is_some();
    let has_others = is_granted || has_others(input.access_control_policy.as_ref(), &owner);
    check(input.acl.as_ref().map(ObjectCannedACL::as_str), has_others)?;
    Ok(S3Response::new(PutObjectAclOutput::default()))
}

async fn there(objects: &Objects, bucket: &str, key: &str, version: Option<&str>) -> S3Result<()> {
    let uri = uri(bucket, key)?;
    match facts(&objects.lake, &uri, version).await {
        Ok(_) => Ok(()),
        Err(error) => Err(unread(&objects.lake, &uri, version, error).await),
    }
}
