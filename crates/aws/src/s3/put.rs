//! Writing an object whose bytes come with the request.

use super::access::{allow, arn, caller};
use super::checksums::{Fields, Promise};
use super::error::{About, broken_body, coded, failed};
use super::request::{attributes, content_md5, etag, size, text, uri};
use super::{Objects, told};
use crate::signature::Trailers;
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use lake::{Checksums, Lake, PutOptions, PutResult};
use model::{Error, ErrorKind, LakeUri};
use s3s::dto::*;
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

/// S3's limit for one request.
const MAX_PUT: i64 = 5 << 30;
/// An object up to this size is gathered and written at once.
const SMALL: usize = 1 << 20;

/// Where the bytes of a request stand that have been announced, and how many there are.
pub(super) fn check_length(length: Option<i64>) -> S3Result<()> {
    match length {
        None => Err(s3_error!(MissingContentLength, "the request does not say how long its body is")),
        Some(length) if length > MAX_PUT => {
            Err(s3_error!(EntityTooLarge, "one request may carry {MAX_PUT} bytes; use a multipart upload"))
        }
        Some(_) => Ok(()),
    }
}

/// What a finished write failed for: wrong input at that point is a checksum that does not fit.
pub(super) async fn unfinished(lake: &Lake, about: About<'_>, error: Error) -> s3s::S3Error {
    match error.kind() {
        ErrorKind::InvalidInput => coded(S3ErrorCode::BadDigest, &error),
        _ => failed(lake, about, error).await,
    }
}

pub(super) async fn put_object(
    objects: &Objects,
    request: S3Request<PutObjectInput>,
) -> S3Result<S3Response<PutObjectOutput>> {
    let lake = &objects.lake;
    let trailers = request.extensions.get::<Trailers>().cloned().unwrap_or_default();
    let tags = super::tags::of_header(text(&request.headers, "x-amz-tagging"))?;
    if !tags.is_empty() {
        let at = arn(&request.input.bucket, &request.input.key);
        allow(&caller(&request)?, "s3:PutObjectTagging", &at)?;
    }
    let mut options = attributes(&request.headers, request.input.metadata)?;
    options.content_md5 = content_md5(&request.headers)?;
    options.any_etag = objects.fast_etags;
    let mut promise = Promise::read(&request.headers)?;
    options.checksums = promise.checksums;
    check_length(request.input.content_length)?;
    if request.input.key.ends_with('/') && text(&request.headers, "content-type").is_none() {
        options.content_type = Some("application/x-directory".to_owned());
    }
    let uri = uri(&request.input.bucket, &request.input.key)?;
    let result = write(lake, &uri, request.input.body, options, &mut promise, &trailers).await?;
    if !tags.is_empty() {
        objects.tag(&uri, result.version.as_deref(), tags).await?;
    }
    objects.tell("object.created", &uri, told(result.version.as_deref())).await?;
    let sums = Fields::answered(&result.checksums, &promise.checksums);
    Ok(S3Response::new(PutObjectOutput {
        checksum_type: Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
        checksum_crc32: sums.crc32,
        checksum_crc32c: sums.crc32c,
        checksum_crc64nvme: sums.crc64nvme,
        checksum_sha1: sums.sha1,
        checksum_sha256: sums.sha256,
        e_tag: Some(etag(result.etag)),
        size: Some(size(result.size)),
        version_id: result.version,
        ..PutObjectOutput::default()
    }))
}

async fn write(
    lake: &Lake,
    uri: &LakeUri,
    body: Option<StreamingBlob>,
    mut options: PutOptions,
    promise: &mut Promise,
    trailers: &Trailers,
) -> S3Result<PutResult> {
    let mut first = BytesMut::new();
    let mut body = body.map(|body| body.map_err(|error| broken_body(&error)));
    let mut rest: Option<Bytes> = None;
    if let Some(body) = &mut body {
        while let Some(bytes) = body.try_next().await? {
            if first.len() + bytes.len() > SMALL {
                rest = Some(bytes);
                break;
            }
            first.extend_from_slice(&bytes);
        }
    }
    let about = About::Object(uri);
    let Some(rest) = rest else {
        promise.fulfil(trailers)?;
        options.checksums = promise.checksums;
        return match lake.put(uri, first.freeze(), options).await {
            Ok(result) => Ok(result),
            Err(error) if error.message().contains("checksum") => Err(unfinished(lake, about, error).await),
            Err(error) => Err(failed(lake, about, error).await),
        };
    };
    let mut writer = match lake.writer(uri, options).await {
        Ok(writer) => writer,
        Err(error) => return Err(failed(lake, about, error).await),
    };
    let mut next = Some(first.freeze());
    let mut after = Some(rest);
    while let Some(bytes) = next {
        if let Err(error) = writer.write(bytes).await {
            return Err(failed(lake, about, error).await);
        }
        next = match (after.take(), &mut body) {
            (Some(bytes), _) => Some(bytes),
            (None, Some(body)) => body.try_next().await?,
            (None, None) => None,
        };
    }
    promise.fulfil(trailers)?;
    if promise.checksums != Checksums::default() {
        writer.expect_checksums(promise.checksums);
    }
    match writer.finish().await {
        Ok(result) => Ok(result),
        Err(error) => Err(unfinished(lake, about, error).await),
    }
}
