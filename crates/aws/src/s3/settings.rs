//! What a bucket is told about itself and gives back: tags, rules for browsers, life cycle, encryption, ownership,
//! policy. They are kept for the tools that set buckets up; where following one would matter and is not done here, it is
//! refused instead of kept.

use super::Objects;
use super::buckets::exists;
use super::error::{About, failed, refused};
use model::{Error, Result};
use s3s::dto::*;
use s3s::xml::{DeserializeContent, Deserializer, SerializeContent, Serializer};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use serde_json::Value;

/// Under which the documents of a kind stand, by the bucket's name.
const KINDS: [&str; 7] = [TAGS, CORS, LIFECYCLE, ENCRYPTION, ACCESS, OWNERSHIP, POLICY];
const TAGS: &str = "s3.tagging";
const CORS: &str = "s3.cors";
const LIFECYCLE: &str = "s3.lifecycle";
const ENCRYPTION: &str = "s3.encryption";
const ACCESS: &str = "s3.public-access";
const OWNERSHIP: &str = "s3.ownership";
const POLICY: &str = "s3.policy";
/// S3's largest policy.
const MAX_POLICY: usize = 20 << 10;
/// S3's limits for tags.
pub(super) const MAX_BUCKET_TAGS: usize = 50;
/// The element around a document that is kept.
const ROOT: &str = "kept";

fn written<T: SerializeContent>(value: &T) -> S3Result<String> {
    let mut text = Vec::new();
    let done = Serializer::new(&mut text).content(ROOT, value);
    done.ok()
        .and_then(|()| String::from_utf8(text).ok())
        .ok_or_else(|| s3_error!(MalformedXML, "the document cannot be kept"))
}

fn read<T: for<'x> DeserializeContent<'x>>(text: &str) -> Result<T> {
    let mut reader = Deserializer::new(text.as_bytes());
    reader
        .named_element(ROOT, Deserializer::content)
        .map_err(|_| Error::corrupt("a kept setting of a bucket cannot be read"))
}

/// Answers that something was never set, in S3's words.
fn unset(code: &'static str, what: &str) -> S3Error {
    let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or_else(|| S3ErrorCode::Custom(code.into()));
    let mut error = S3Error::with_message(code, format!("the bucket has no {what}"));
    error.set_status_code(http::StatusCode::NOT_FOUND);
    error
}

impl Objects {
    async fn keep(&self, kind: &str, bucket: &str, text: String) -> S3Result<()> {
        exists(&self.lake, bucket).await?;
        let kept = async {
            if !self.documents.create(kind, bucket, &text).await? {
                let change = |kept: &mut String| {
                    kept.clone_from(&text);
                    Ok(())
                };
                self.documents.change(kind, bucket, change).await?;
            }
            Ok(())
        };
        match kept.await {
            Ok(()) => Ok(()),
            Err(error) => Err(failed(&self.lake, About::Bucket, error).await),
        }
    }

    async fn kept_text(&self, kind: &str, bucket: &str) -> S3Result<Option<String>> {
        exists(&self.lake, bucket).await?;
        match self.documents.get::<String>(kind, bucket).await {
            Ok(kept) => Ok(kept.map(|kept| kept.body)),
            Err(error) => Err(failed(&self.lake, About::Bucket, error).await),
        }
    }

    async fn kept<T: for<'x> DeserializeContent<'x>>(&self, kind: &str, bucket: &str) -> S3Result<Option<T>> {
        let Some(text) = self.kept_text(kind, bucket).await? else { return Ok(None) };
        match read(&text) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(failed(&self.lake, About::Bucket, error).await),
        }
    }

    async fn forget(&self, kind: &str, bucket: &str) -> S3Result<()> {
        exists(&self.lake, bucket).await?;
        match self.documents.delete(kind, bucket).await {
            Ok(_) => Ok(()),
            Err(error) => Err(failed(&self.lake, About::Bucket, error).await),
        }
    }

    /// Forgets all about a bucket that is no more.
    pub(super) async fn forget_bucket(&self, bucket: &str) -> Result<()> {
        for kind in KINDS {
            if self.documents.get::<String>(kind, bucket).await?.is_some() {
                self.documents.delete(kind, bucket).await?;
            }
        }
        Ok(())
    }
}

/// Whether tags are such as S3 takes: none twice, none too long.
pub(super) fn check_tags(tags: &[Tag], most: usize) -> S3Result<()> {
    if tags.len() > most {
        return Err(s3_error!(InvalidTag, "there may be {most} tags, not {}", tags.len()));
    }
    let mut seen = std::collections::BTreeSet::new();
    for tag in tags {
        let (key, value) = (tag.key.as_deref().unwrap_or_default(), tag.value.as_deref().unwrap_or_default());
        if !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256 {
            return Err(s3_error!(InvalidTag, "a tag's key has 1 to 128 characters, its value at most 256"));
        }
        if !seen.insert(key) {
            return Err(s3_error!(InvalidTag, "the tag `{key}` comes twice"));
        }
    }
    Ok(())
}

pub(super) async fn put_bucket_tagging(
    objects: &Objects,
    request: S3Request<PutBucketTaggingInput>,
) -> S3Result<S3Response<PutBucketTaggingOutput>> {
    let input = request.input;
    check_tags(&input.tagging.tag_set, MAX_BUCKET_TAGS)?;
    objects.keep(TAGS, &input.bucket, written(&input.tagging)?).await?;
    Ok(S3Response::new(PutBucketTaggingOutput::default()))
}

pub(super) async fn get_bucket_tagging(
    objects: &Objects,
    request: S3Request<GetBucketTaggingInput>,
) -> S3Result<S3Response<GetBucketTaggingOutput>> {
    match objects.kept::<Tagging>(TAGS, &request.input.bucket).await? {
        Some(Tagging { tag_set }) => Ok(S3Response::new(GetBucketTaggingOutput { tag_set })),
        None => Err(unset("NoSuchTagSet", "tags")),
    }
}

pub(super) async fn delete_bucket_tagging(
    objects: &Objects,
    request: S3Request<DeleteBucketTaggingInput>,
) -> S3Result<S3Response<DeleteBucketTaggingOutput>> {
    objects.forget(TAGS, &request.input.bucket).await?;
    Ok(S3Response::new(DeleteBucketTaggingOutput::default()))
}

pub(super) async fn put_bucket_cors(
    objects: &Objects,
    request: S3Request<PutBucketCorsInput>,
) -> S3Result<S3Response<PutBucketCorsOutput>> {
    let input = request.input;
    objects.keep(CORS, &input.bucket, written(&input.cors_configuration)?).await?;
    Ok(S3Response::new(PutBucketCorsOutput::default()))
}

pub(super) async fn get_bucket_cors(
    objects: &Objects,
    request: S3Request<GetBucketCorsInput>,
) -> S3Result<S3Response<GetBucketCorsOutput>> {
    match objects.kept::<CORSConfiguration>(CORS, &request.input.bucket).await? {
        Some(kept) => Ok(S3Response::new(GetBucketCorsOutput { cors_rules: Some(kept.cors_rules) })),
        None => Err(unset("NoSuchCORSConfiguration", "rules for browsers")),
    }
}

pub(super) async fn delete_bucket_cors(
    objects: &Objects,
    request: S3Request<DeleteBucketCorsInput>,
) -> S3Result<S3Response<DeleteBucketCorsOutput>> {
    objects.forget(CORS, &request.input.bucket).await?;
    Ok(S3Response::new(DeleteBucketCorsOutput::default()))
}

/// Rules are kept, and nothing is deleted or moved by them.
pub(super) async fn put_bucket_lifecycle_configuration(
    objects: &Objects,
    request: S3Request<PutBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<PutBucketLifecycleConfigurationOutput>> {
    let input = request.input;
    let rules = input
        .lifecycle_configuration
        .ok_or_else(|| s3_error!(MalformedXML, "the request has no LifecycleConfiguration"))?;
    objects.keep(LIFECYCLE, &input.bucket, written(&rules)?).await?;
    Ok(S3Response::new(PutBucketLifecycleConfigurationOutput::default()))
}

pub(super) async fn get_bucket_lifecycle_configuration(
    objects: &Objects,
    request: S3Request<GetBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<GetBucketLifecycleConfigurationOutput>> {
    match objects.kept::<BucketLifecycleConfiguration>(LIFECYCLE, &request.input.bucket).await? {
        Some(kept) => Ok(S3Response::new(GetBucketLifecycleConfigurationOutput {
            rules: Some(kept.rules),
            ..GetBucketLifecycleConfigurationOutput::default()
        })),
        None => Err(unset("NoSuchLifecycleConfiguration", "rules for the life of its objects")),
    }
}

pub(super) async fn delete_bucket_lifecycle(
    objects: &Objects,
    request: S3Request<DeleteBucketLifecycleInput>,
) -> S3Result<S3Response<DeleteBucketLifecycleOutput>> {
    objects.forget(LIFECYCLE, &request.input.bucket).await?;
    Ok(S3Response::new(DeleteBucketLifecycleOutput::default()))
}

/// Objects lie as this machine's disk, or the S3 behind, keeps them; what was asked for is kept for those who ask back.
pub(super) async fn put_bucket_encryption(
    objects: &Objects,
    request: S3Request<PutBucketEncryptionInput>,
) -> S3Result<S3Response<PutBucketEncryptionOutput>> {
    let input = request.input;
    objects.keep(ENCRYPTION, &input.bucket, written(&input.server_side_encryption_configuration)?).await?;
    Ok(S3Response::new(PutBucketEncryptionOutput::default()))
}

pub(super) async fn get_bucket_encryption(
    objects: &Objects,
    request: S3Request<GetBucketEncryptionInput>,
) -> S3Result<S3Response<GetBucketEncryptionOutput>> {
    match objects.kept(ENCRYPTION, &request.input.bucket).await? {
        Some(kept) => Ok(S3Response::new(GetBucketEncryptionOutput {
            server_side_encryption_configuration: Some(kept),
        })),
        None => Err(unset("ServerSideEncryptionConfigurationNotFoundError", "encryption of its own")),
    }
}

pub(super) async fn delete_bucket_encryption(
    objects: &Objects,
    request: S3Request<DeleteBucketEncryptionInput>,
) -> S3Result<S3Response<DeleteBucketEncryptionOutput>> {
    objects.forget(ENCRYPTION, &request.input.bucket).await?;
    Ok(S3Response::new(DeleteBucketEncryptionOutput::default()))
}

/// Nothing here is public in the first place.
pub(super) async fn put_public_access_block(
    objects: &Objects,
    request: S3Request<PutPublicAccessBlockInput>,
) -> S3Result<S3Response<PutPublicAccessBlockOutput>> {
    let input = request.input;
    objects.keep(ACCESS, &input.bucket, written(&input.public_access_block_configuration)?).await?;
    Ok(S3Response::new(PutPublicAccessBlockOutput::default()))
}

pub(super) async fn get_public_access_block(
    objects: &Objects,
    request: S3Request<GetPublicAccessBlockInput>,
) -> S3Result<S3Response<GetPublicAccessBlockOutput>> {
    match objects.kept(ACCESS, &request.input.bucket).await? {
        Some(kept) => {
            Ok(S3Response::new(GetPublicAccessBlockOutput { public_access_block_configuration: Some(kept) }))
        }
        None => Err(unset("NoSuchPublicAccessBlockConfiguration", "block of public access")),
    }
}

pub(super) async fn delete_public_access_block(
    objects: &Objects,
    request: S3Request<DeletePublicAccessBlockInput>,
) -> S3Result<S3Response<DeletePublicAccessBlockOutput>> {
    objects.forget(ACCESS, &request.input.bucket).await?;
    Ok(S3Response::new(DeletePublicAccessBlockOutput::default()))
}

pub(super) async fn put_bucket_ownership_controls(
    objects: &Objects,
    request: S3Request<PutBucketOwnershipControlsInput>,
) -> S3Result<S3Response<PutBucketOwnershipControlsOutput>> {
    let input = request.input;
    let others = |rule: &OwnershipControlsRule| {
        rule.object_ownership.as_str() != ObjectOwnership::BUCKET_OWNER_ENFORCED
    };
    if input.ownership_controls.rules.iter().any(others) {
        return Err(refused("an ownership other than `BucketOwnerEnforced`"));
    }
    objects.keep(OWNERSHIP, &input.bucket, written(&input.ownership_controls)?).await?;
    Ok(S3Response::new(PutBucketOwnershipControlsOutput::default()))
}

pub(super) async fn get_bucket_ownership_controls(
    objects: &Objects,
    request: S3Request<GetBucketOwnershipControlsInput>,
) -> S3Result<S3Response<GetBucketOwnershipControlsOutput>> {
    match objects.kept(OWNERSHIP, &request.input.bucket).await? {
        Some(kept) => {
            Ok(S3Response::new(GetBucketOwnershipControlsOutput { ownership_controls: Some(kept) }))
        }
        None => Err(unset("OwnershipControlsNotFoundError", "rules of ownership")),
    }
}

pub(super) async fn delete_bucket_ownership_controls(
    objects: &Objects,
    request: S3Request<DeleteBucketOwnershipControlsInput>,
) -> S3Result<S3Response<DeleteBucketOwnershipControlsOutput>> {
    objects.forget(OWNERSHIP, &request.input.bucket).await?;
    Ok(S3Response::new(DeleteBucketOwnershipControlsOutput::default()))
}

/// What a policy allows others would be for others, whom there are none of; what it denies would have to be enforced.
fn check_policy(text: &str) -> S3Result<()> {
    if text.len() > MAX_POLICY {
        return Err(s3_error!(EntityTooLarge, "a policy may have {MAX_POLICY} bytes"));
    }
    let malformed = |why: &str| s3_error!(MalformedPolicy, "the policy {why}");
    let policy: Value = serde_json::from_str(text).map_err(|_| malformed("is no JSON"))?;
    let statements = match policy.get("Statement") {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => return Err(malformed("has no Statement")),
    };
    for statement in statements {
        match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") => {}
            Some("Deny") => {
                return Err(refused(
                    "a bucket policy that denies (deny it in the policies of the keys, the settings `aws.keys`)",
                ));
            }
            _ => return Err(malformed("has a statement without an Effect")),
        }
    }
    Ok(())
}

pub(super) async fn put_bucket_policy(
    objects: &Objects,
    request: S3Request<PutBucketPolicyInput>,
) -> S3Result<S3Response<PutBucketPolicyOutput>> {
    let input = request.input;
    check_policy(&input.policy)?;
    objects.keep(POLICY, &input.bucket, input.policy).await?;
    Ok(S3Response::new(PutBucketPolicyOutput::default()))
}

pub(super) async fn get_bucket_policy(
    objects: &Objects,
    request: S3Request<GetBucketPolicyInput>,
) -> S3Result<S3Response<GetBucketPolicyOutput>> {
    match objects.kept_text(POLICY, &request.input.bucket).await? {
        Some(policy) => Ok(S3Response::new(GetBucketPolicyOutput { policy: Some(policy) })),
        None => Err(unset("NoSuchBucketPolicy", "policy")),
    }
}

pub(super) async fn delete_bucket_policy(
    objects: &Objects,
    request: S3Request<DeleteBucketPolicyInput>,
) -> S3Result<S3Response<DeleteBucketPolicyOutput>> {
    objects.forget(POLICY, &request.input.bucket).await?;
    Ok(S3Response::new(DeleteBucketPolicyOutput::default()))
}

/// Every change of an object goes onto the event bus as it is; what would go elsewhere is refused.
pub(super) async fn put_bucket_notification_configuration(
    objects: &Objects,
    request: S3Request<PutBucketNotificationConfigurationInput>,
) -> S3Result<S3Response<PutBucketNotificationConfigurationOutput>> {
    let input = request.input;
    exists(&objects.lake, &input.bucket).await?;
    let wanted = input.notification_configuration;
    let elsewhere = wanted.queue_configurations.is_some_and(|list| !list.is_empty())
        || wanted.topic_configurations.is_some_and(|list| !list.is_empty())
        || wanted.lambda_function_configurations.is_some_and(|list| !list.is_empty());
    match elsewhere {
        true => Err(refused("a notification of a queue, a topic or a function")),
        false => Ok(S3Response::new(PutBucketNotificationConfigurationOutput::default())),
    }
}

pub(super) async fn get_bucket_notification_configuration(
    objects: &Objects,
    request: S3Request<GetBucketNotificationConfigurationInput>,
) -> S3Result<S3Response<GetBucketNotificationConfigurationOutput>> {
    exists(&objects.lake, &request.input.bucket).await?;
    Ok(S3Response::new(GetBucketNotificationConfigurationOutput {
        event_bridge_configuration: Some(EventBridgeConfiguration::default()),
        ..GetBucketNotificationConfigurationOutput::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_come_back() {
        let tag = |key: &str, value: &str| Tag { key: Some(key.to_owned()), value: Some(value.to_owned()) };
        let tagging = Tagging { tag_set: vec![tag("a<b", "&"), tag("owner", "")] };
        assert_eq!(read::<Tagging>(&written(&tagging).unwrap()).unwrap(), tagging);
        assert!(check_tags(&tagging.tag_set, 10).is_ok());
        assert!(check_tags(&[tag("a", "1"), tag("a", "2")], 10).is_err());
        assert!(check_tags(&[tag("", "1")], 10).is_err());
        assert!(check_tags(&tagging.tag_set, 1).is_err());
    }

    #[test]
    fn a_policy_that_would_have_to_be_followed_is_refused() {
        let with = |effect: &str| format!(r#"{{"Statement": [{{"Effect": "{effect}", "Principal": "*"}}]}}"#);
        assert!(check_policy(&with("Allow")).is_ok());
        for text in [with("Deny"), with("Maybe"), "{}".to_owned(), "nothing".to_owned()] {
            assert!(check_policy(&text).is_err(), "{text}");
        }
    }
}
