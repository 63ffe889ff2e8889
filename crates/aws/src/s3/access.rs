//! What each S3 operation needs to be allowed. An operation that is not in the table is not served.

use crate::keys::Caller;
use crate::signature::query_pairs;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::path::S3Path;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result, s3_error};

/// Every operation that is served, with the action that a policy must allow. None: the operation asks for each key.
const OPERATIONS: &[(&str, Option<&str>)] = &[
    ("AbortMultipartUpload", Some("s3:AbortMultipartUpload")),
    ("CompleteMultipartUpload", Some("s3:PutObject")),
    ("CopyObject", Some("s3:PutObject")),
    ("CreateBucket", Some("s3:CreateBucket")),
    ("CreateMultipartUpload", Some("s3:PutObject")),
    ("DeleteBucket", Some("s3:DeleteBucket")),
    ("DeleteBucketCors", Some("s3:PutBucketCORS")),
    ("DeleteBucketEncryption", Some("s3:PutEncryptionConfiguration")),
    ("DeleteBucketLifecycle", Some("s3:PutLifecycleConfiguration")),
    ("DeleteBucketOwnershipControls", Some("s3:PutBucketOwnershipControls")),
    ("DeleteBucketPolicy", Some("s3:DeleteBucketPolicy")),
    ("DeleteBucketTagging", Some("s3:PutBucketTagging")),
    ("DeleteObject", Some("s3:DeleteObject")),
    ("DeleteObjectTagging", Some("s3:DeleteObjectTagging")),
    ("DeleteObjects", None),
    ("DeletePublicAccessBlock", Some("s3:PutBucketPublicAccessBlock")),
    ("GetBucketAcl", Some("s3:GetBucketAcl")),
    ("GetBucketCors", Some("s3:GetBucketCORS")),
    ("GetBucketEncryption", Some("s3:GetEncryptionConfiguration")),
    ("GetBucketLifecycleConfiguration", Some("s3:GetLifecycleConfiguration")),
    ("GetBucketLocation", Some("s3:GetBucketLocation")),
    ("GetBucketNotificationConfiguration", Some("s3:GetBucketNotification")),
    ("GetBucketOwnershipControls", Some("s3:GetBucketOwnershipControls")),
    ("GetBucketPolicy", Some("s3:GetBucketPolicy")),
    ("GetBucketTagging", Some("s3:GetBucketTagging")),
    ("GetBucketVersioning", Some("s3:GetBucketVersioning")),
    ("GetObject", Some("s3:GetObject")),
    ("GetObjectAcl", Some("s3:GetObjectAcl")),
    ("GetObjectAttributes", Some("s3:GetObject")),
    ("GetObjectTagging", Some("s3:GetObjectTagging")),
    ("GetPublicAccessBlock", Some("s3:GetBucketPublicAccessBlock")),
    ("HeadBucket", Some("s3:ListBucket")),
    ("HeadObject", Some("s3:GetObject")),
    ("ListBuckets", Some("s3:ListAllMyBuckets")),
    ("ListMultipartUploads", Some("s3:ListBucketMultipartUploads")),
    ("ListObjectVersions", Some("s3:ListBucketVersions")),
    ("ListObjects", Some("s3:ListBucket")),
    ("ListObjectsV2", Some("s3:ListBucket")),
    ("ListParts", Some("s3:ListMultipartUploadParts")),
    ("PutBucketAcl", Some("s3:PutBucketAcl")),
    ("PutBucketCors", Some("s3:PutBucketCORS")),
    ("PutBucketEncryption", Some("s3:PutEncryptionConfiguration")),
    ("PutBucketLifecycleConfiguration", Some("s3:PutLifecycleConfiguration")),
    ("PutBucketNotificationConfiguration", Some("s3:PutBucketNotification")),
    ("PutBucketOwnershipControls", Some("s3:PutBucketOwnershipControls")),
    ("PutBucketPolicy", Some("s3:PutBucketPolicy")),
    ("PutBucketTagging", Some("s3:PutBucketTagging")),
    ("PutBucketVersioning", Some("s3:PutBucketVersioning")),
    ("PutObject", Some("s3:PutObject")),
    ("PutObjectAcl", Some("s3:PutObjectAcl")),
    ("PutObjectTagging", Some("s3:PutObjectTagging")),
    ("PutPublicAccessBlock", Some("s3:PutBucketPublicAccessBlock")),
    ("UploadPart", Some("s3:PutObject")),
    ("UploadPartCopy", Some("s3:PutObject")),
];

/// What a policy must allow instead when a request names a version.
const OF_VERSIONS: &[(&str, &str)] = &[
    ("s3:DeleteObject", "s3:DeleteObjectVersion"),
    ("s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"),
    ("s3:GetObject", "s3:GetObjectVersion"),
    ("s3:GetObjectAcl", "s3:GetObjectVersionAcl"),
    ("s3:GetObjectTagging", "s3:GetObjectVersionTagging"),
    ("s3:PutObjectAcl", "s3:PutObjectVersionAcl"),
    ("s3:PutObjectTagging", "s3:PutObjectVersionTagging"),
];

/// The action that is asked for, if a version is named or not.
fn action_of(action: &'static str, query: Option<&str>) -> &'static str {
    let names_one = query.is_some_and(|query| query_pairs(query).any(|(name, _)| name == b"versionId"));
    match OF_VERSIONS.iter().find(|(plain, _)| names_one && *plain == action) {
        Some((_, of_version)) => of_version,
        None => action,
    }
}

/// Gives no secret: whoever comes here was verified before.
pub(super) struct NoSecrets;

#[async_trait::async_trait]
impl S3Auth for NoSecrets {
    async fn get_secret_key(&self, _: &str) -> S3Result<SecretKey> {
        Err(s3_error!(NotImplemented, "forms and signatures of version 2 are not supported; use version 4"))
    }
}

/// Asks the caller's policy before an operation reads its input.
pub(super) struct Access;

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let name = context.s3_op().name().to_owned();
        let Some((_, action)) = OPERATIONS.iter().find(|(known, _)| *known == name) else {
            return Err(unknown(&name));
        };
        let resource = match context.s3_path() {
            S3Path::Root => "*".to_owned(),
            S3Path::Bucket { bucket } => arn(bucket, ""),
            S3Path::Object { bucket, key } => arn(bucket, key),
        };
        let action = action.map(|action| action_of(action, context.uri().query()));
        let caller = context.extensions_mut().get::<Caller>().cloned();
        match (caller, action) {
            (Some(caller), Some(action)) => allow(&caller, action, &resource),
            (Some(_), None) => Ok(()),
            (None, _) => Err(s3_error!(AccessDenied, "the request is not signed")),
        }
    }
}

fn unknown(name: &str) -> S3Error {
    let known: Vec<&str> = OPERATIONS.iter().map(|(name, _)| *name).collect();
    S3Error::with_message(
        S3ErrorCode::NotImplemented,
        format!("{name} is not supported; what is: {}", known.join(", ")),
    )
}

/// The ARN of a bucket, or of an object in it.
pub(super) fn arn(bucket: &str, key: &str) -> String {
    if key.is_empty() { format!("arn:aws:s3:::{bucket}") } else { format!("arn:aws:s3:::{bucket}/{key}") }
}

/// Fails when the caller's policy does not allow this.
pub(super) fn allow(caller: &Caller, action: &str, resource: &str) -> S3Result<()> {
    match caller.may(action, resource) {
        true => Ok(()),
        false => Err(S3Error::with_message(S3ErrorCode::AccessDenied, caller.denial(action, resource))),
    }
}

/// Who has sent the request.
pub(super) fn caller<T>(request: &S3Request<T>) -> S3Result<Caller> {
    request
        .extensions
        .get::<Caller>()
        .cloned()
        .ok_or_else(|| s3_error!(AccessDenied, "the request is not signed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_needs_rights_of_its_own() {
        for (query, action) in [
            (None, "s3:GetObject"),
            (Some("x-id=GetObject"), "s3:GetObject"),
            (Some("versionId=null"), "s3:GetObjectVersion"),
            (Some("a=b&version%49d="), "s3:GetObjectVersion"),
        ] {
            assert_eq!(action_of("s3:GetObject", query), action, "{query:?}");
        }
        assert_eq!(action_of("s3:PutObject", Some("versionId=null")), "s3:PutObject");
        let known = |action: &str| OPERATIONS.iter().any(|(_, known)| *known == Some(action));
        assert!(OF_VERSIONS.iter().all(|(plain, _)| known(plain)));
    }

    #[test]
    fn the_table_is_in_order() {
        assert!(OPERATIONS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
