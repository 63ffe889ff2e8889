//! S3 over the lake. `s3s` reads requests and writes answers; who is calling was decided before, what is allowed is
//! decided here, before an operation begins; the operations stand in files of their own.

mod access;
mod acl;
mod buckets;
mod checksums;
mod copy;
mod delete;
mod error;
mod get;
mod host;
mod list;
mod multipart;
mod parts;
mod put;
mod request;
mod settings;
mod tags;
mod versions;

pub(crate) use checksums::check_document;
pub(crate) use error::respond;

use crate::body::ByteStream;
use crate::keys::Caller;
use crate::signature::Trailers;
use crate::store::Documents;
use access::{Access, NoSecrets};
use futures::TryStreamExt;
use http::header::CONTENT_RANGE;
use http::request::Parts;
use http::{Method, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use lake::Lake;
use model::LakeUri;
use s3s::dto::*;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3, S3ErrorCode, S3Request, S3Response, S3Result};
use state::events::{Events, NewEvent};

/// The S3 service of a door.
#[derive(Clone)]
pub(crate) struct ObjectDoor {
    service: S3Service,
}

/// What the operations work on.
struct Objects {
    lake: Lake,
    events: Events,
    documents: Documents,
    /// Whether ETags need not be MD5s.
    fast_etags: bool,
}

impl Objects {
    /// Tells what happened to an object. The request fails with it: a client that tries again tells it again.
    async fn tell(&self, kind: &str, uri: &LakeUri, detail: serde_json::Value) -> S3Result<()> {
        let event = NewEvent::new(kind, uri.to_string(), detail);
        match self.events.publish(event).await {
            Ok(_) => Ok(()),
            Err(error) => Err(error::coded(S3ErrorCode::ServiceUnavailable, &error)),
        }
    }
}

/// What is told of a write beside its address: the version that it made, where versions are kept.
fn told(version: Option<&str>) -> serde_json::Value {
    version.map_or_else(|| serde_json::json!({}), |id| serde_json::json!({ "version": id }))
}

impl ObjectDoor {
    pub(crate) fn new(lake: Lake, events: Events, documents: Documents, fast_etags: bool) -> Self {
        let mut builder = S3ServiceBuilder::new(Objects { lake, events, documents, fast_etags });
        // Signatures were verified before. Without a provider of secrets, `s3s` would not ask for access either.
        builder.set_auth(NoSecrets);
        builder.set_access(Access);
        builder.set_host(host::Hosts);
        Self { service: builder.build() }
    }

    /// Answers a request whose signature was verified.
    pub(crate) async fn answer(
        &self,
        mut parts: Parts,
        caller: Caller,
        body: ByteStream,
        trailers: Trailers,
    ) -> Response<s3s::Body> {
        request::strip_signature(&mut parts);
        parts.extensions.insert(caller);
        parts.extensions.insert(trailers);
        let body = s3s::Body::http_body_unsync(StreamBody::new(body.map_ok(Frame::data)));
        let is_head = parts.method == Method::HEAD;
        match self.service.call(http::Request::from_parts(parts, body)).await {
            Ok(response) if response.status() == http::StatusCode::NOT_MODIFIED => {
                let (mut parts, _) = response.into_parts();
                parts.headers.remove(http::header::CONTENT_TYPE);
                Response::from_parts(parts, s3s::Body::empty())
            }
            Ok(mut response) => {
                // `s3s` knows this status for reads only.
                if is_head && response.headers().contains_key(CONTENT_RANGE) && response.status().is_success()
                {
                    *response.status_mut() = http::StatusCode::PARTIAL_CONTENT;
                }
                response
            }
            Err(error) => {
                let error: s3s::StdError = error.into();
                tracing::error!(error = %error, "an answer could not be written");
                respond(&crate::fault::Fault::new(
                    http::StatusCode::INTERNAL_SERVER_ERROR,
                    "InternalError",
                    "the answer could not be written",
                ))
            }
        }
    }
}

/// Hands each operation of the protocol to the function of its name.
macro_rules! operations {
    ($($name:ident: $input:ident -> $output:ident = $place:ident;)*) => {
        #[async_trait::async_trait]
        impl S3 for Objects {
            $(
                async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                    request::check_owner(&request)?;
                    $place::$name(self, request).await
                }
            )*
        }
    };
}

operations! {
    list_buckets: ListBucketsInput -> ListBucketsOutput = buckets;
    create_bucket: CreateBucketInput -> CreateBucketOutput = buckets;
    head_bucket: HeadBucketInput -> HeadBucketOutput = buckets;
    delete_bucket: DeleteBucketInput -> DeleteBucketOutput = buckets;
    get_bucket_location: GetBucketLocationInput -> GetBucketLocationOutput = buckets;
    get_bucket_versioning: GetBucketVersioningInput -> GetBucketVersioningOutput = versions;
    list_objects: ListObjectsInput -> ListObjectsOutput = list;
    list_objects_v2: ListObjectsV2Input -> ListObjectsV2Output = list;
    get_object: GetObjectInput -> GetObjectOutput = get;
    head_object: HeadObjectInput -> HeadObjectOutput = get;
    get_object_attributes: GetObjectAttributesInput -> GetObjectAttributesOutput = get;
    put_object: PutObjectInput -> PutObjectOutput = put;
    copy_object: CopyObjectInput -> CopyObjectOutput = copy;
    upload_part_copy: UploadPartCopyInput -> UploadPartCopyOutput = copy;
    delete_object: DeleteObjectInput -> DeleteObjectOutput = delete;
    delete_objects: DeleteObjectsInput -> DeleteObjectsOutput = delete;
    create_multipart_upload: CreateMultipartUploadInput -> CreateMultipartUploadOutput = multipart;
    complete_multipart_upload: CompleteMultipartUploadInput -> CompleteMultipartUploadOutput = multipart;
    abort_multipart_upload: AbortMultipartUploadInput -> AbortMultipartUploadOutput = multipart;
    upload_part: UploadPartInput -> UploadPartOutput = parts;
    list_parts: ListPartsInput -> ListPartsOutput = parts;
    list_multipart_uploads: ListMultipartUploadsInput -> ListMultipartUploadsOutput = parts;
    put_bucket_tagging: PutBucketTaggingInput -> PutBucketTaggingOutput = settings;
    get_bucket_tagging: GetBucketTaggingInput -> GetBucketTaggingOutput = settings;
    delete_bucket_tagging: DeleteBucketTaggingInput -> DeleteBucketTaggingOutput = settings;
    put_bucket_cors: PutBucketCorsInput -> PutBucketCorsOutput = settings;
    get_bucket_cors: GetBucketCorsInput -> GetBucketCorsOutput = settings;
    delete_bucket_cors: DeleteBucketCorsInput -> DeleteBucketCorsOutput = settings;
    put_bucket_lifecycle_configuration: PutBucketLifecycleConfigurationInput -> PutBucketLifecycleConfigurationOutput = settings;
    get_bucket_lifecycle_configuration: GetBucketLifecycleConfigurationInput -> GetBucketLifecycleConfigurationOutput = settings;
    delete_bucket_lifecycle: DeleteBucketLifecycleInput -> DeleteBucketLifecycleOutput = settings;
    put_bucket_encryption: PutBucketEncryptionInput -> PutBucketEncryptionOutput = settings;
    get_bucket_encryption: GetBucketEncryptionInput -> GetBucketEncryptionOutput = settings;
    delete_bucket_encryption: DeleteBucketEncryptionInput -> DeleteBucketEncryptionOutput = settings;
    put_public_access_block: PutPublicAccessBlockInput -> PutPublicAccessBlockOutput = settings;
    get_public_access_block: GetPublicAccessBlockInput -> GetPublicAccessBlockOutput = settings;
    delete_public_access_block: DeletePublicAccessBlockInput -> DeletePublicAccessBlockOutput = settings;
    put_bucket_ownership_controls: PutBucketOwnershipControlsInput -> PutBucketOwnershipControlsOutput = settings;
    get_bucket_ownership_controls: GetBucketOwnershipControlsInput -> GetBucketOwnershipControlsOutput = settings;
    delete_bucket_ownership_controls: DeleteBucketOwnershipControlsInput -> DeleteBucketOwnershipControlsOutput = settings;
    put_bucket_policy: PutBucketPolicyInput -> PutBucketPolicyOutput = settings;
    get_bucket_policy: GetBucketPolicyInput -> GetBucketPolicyOutput = settings;
    delete_bucket_policy: DeleteBucketPolicyInput -> DeleteBucketPolicyOutput = settings;
    put_bucket_notification_configuration: PutBucketNotificationConfigurationInput -> PutBucketNotificationConfigurationOutput = settings;
    get_bucket_notification_configuration: GetBucketNotificationConfigurationInput -> GetBucketNotificationConfigurationOutput = settings;
    put_bucket_versioning: PutBucketVersioningInput -> PutBucketVersioningOutput = versions;
    get_bucket_acl: GetBucketAclInput -> GetBucketAclOutput = acl;
    put_bucket_acl: PutBucketAclInput -> PutBucketAclOutput = acl;
    get_object_acl: GetObjectAclInput -> GetObjectAclOutput = acl;
    put_object_acl: PutObjectAclInput -> PutObjectAclOutput = acl;
    put_object_tagging: PutObjectTaggingInput -> PutObjectTaggingOutput = tags;
    get_object_tagging: GetObjectTaggingInput -> GetObjectTaggingOutput = tags;
    delete_object_tagging: DeleteObjectTaggingInput -> DeleteObjectTaggingOutput = tags;
    list_object_versions: ListObjectVersionsInput -> ListObjectVersionsOutput = versions;
}
