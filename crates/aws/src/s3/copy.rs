//! Copying objects, whole or as a part of an upload. The bytes never leave the server.

use super::Objects;
use super::access::{allow, arn, caller};
use super::checksums::Fields;
use super::error::{About, coded, failed, refused};
use super::parts::number;
use super::request::{attributes, conditions, etag, no_version, text, timestamp, uri};
use futures::TryStreamExt;
use http::HeaderMap;
use lake::{GetOptions, GetRange, Lake, ObjectInfo, PutOptions};
use model::{Error, ErrorKind, LakeUri, Place};
use s3s::dto::*;
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

const SOURCE: &str = "x-amz-copy-source-";

/// The address that a copy reads, if the caller may.
fn source<T>(request: &S3Request<T>, source: &CopySource) -> S3Result<LakeUri> {
    let CopySource::Bucket { bucket, key, version_id } = source else {
        return Err(refused("copying from an access point"));
    };
    no_version(version_id.as_deref())?;
    allow(&caller(request)?, "s3:GetObject", &arn(bucket, key))?;
    uri(bucket, key)
}

/// The source's facts, if it fulfils the conditions.
async fn look(lake: &Lake, from: &LakeUri, headers: &HeaderMap) -> S3Result<ObjectInfo> {
    let conditions = conditions(headers, SOURCE)?;
    let info = match lake.head(from).await {
        Ok(info) => info,
        Err(error) => return Err(failed(lake, About::Object(from), error).await),
    };
    match conditions.check(&info) {
        Ok(true) => Ok(info),
        Ok(false) => {
            let error = Error::new(ErrorKind::PreconditionFailed, "the source has not changed");
            Err(coded(S3ErrorCode::PreconditionFailed, &error.at(Place::object(from))))
        }
        Err(error) => Err(coded(S3ErrorCode::PreconditionFailed, &error)),
    }
}

pub(super) async fn copy_object(
    objects: &Objects,
    request: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let lake = &objects.lake;
    let from = source(&request, &request.input.copy_source)?;
    let to = uri(&request.input.bucket, &request.input.key)?;
    let replaces = match text(&request.headers, "x-amz-metadata-directive") {
        None | Some("COPY") => false,
        Some("REPLACE") => true,
        Some(other) => return Err(s3_error!(InvalidArgument, "there is no metadata directive `{other}`")),
    };
    let keeps_tags = super::tags::copies(request.input.tagging_directive.as_ref())?;
    let new_tags = super::tags::of_header(text(&request.headers, "x-amz-tagging"))?;
    if !new_tags.is_empty() {
        allow(&caller(&request)?, "s3:PutObjectTagging", &arn(&request.input.bucket, &request.input.key))?;
    }
    let given = attributes(&request.headers, request.input.metadata.clone())?;
    let info = look(lake, &from, &request.headers).await?;
    let options = match replaces {
        // A type of its own, so that the lake does not take everything from the source.
        true => PutOptions {
            content_type: given.content_type.or_else(|| Some("binary/octet-stream".to_owned())),
            ..given
        },
        false if from == to => {
            return Err(s3_error!(
                InvalidRequest,
                "an object can be copied onto itself only to change its metadata: say x-amz-metadata-directive: REPLACE"
            ));
        }
        false => PutOptions {
            mode: given.mode,
            content_type: info.content_type,
            headers: info.headers,
            metadata: info.metadata,
            ..PutOptions::default()
        },
    };
    let result = match lake.copy(&from, &to, options).await {
        Ok(result) => result,
        Err(error) if error.kind() == ErrorKind::NotFound && lake.head(&from).await.is_err() => {
            return Err(failed(lake, About::Object(&from), error).await);
        }
        Err(error) => return Err(failed(lake, About::Object(&to), error).await),
    };
    let tags = match keeps_tags {
        true if from != to => objects.tags(&from).await.unwrap_or_default(),
        true => Vec::new(),
        false => new_tags,
    };
    if !tags.is_empty() {
        objects.tag(&to, tags).await?;
    }
    objects.tell("object.created", &to).await?;
    let modified = lake.head(&to).await.ok().map(|info| timestamp(info.last_modified));
    let sums = Fields::of(&result.checksums);
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(CopyObjectResult {
            checksum_crc32: sums.crc32,
            checksum_crc32c: sums.crc32c,
            checksum_crc64nvme: sums.crc64nvme,
            checksum_sha1: sums.sha1,
            checksum_sha256: sums.sha256,
            checksum_type: Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
            e_tag: Some(etag(result.etag)),
            last_modified: modified,
        }),
        ..CopyObjectOutput::default()
    }))
}

/// `bytes=FIRST-LAST`, both within the source.
fn copied_range(text: &str, info: &ObjectInfo) -> S3Result<GetRange> {
    let bounds = text.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let bounds =
        bounds.and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?)));
    match bounds {
        Some((first, last)) if first <= last && last < info.size => Ok(GetRange::Bounded(first..last + 1)),
        Some(_) => Err(s3_error!(
            InvalidRange,
            "the range `{text}` lies outside of the source's {} bytes",
            info.size
        )),
        None => Err(s3_error!(InvalidArgument, "`{text}` is no range: write bytes=FIRST-LAST")),
    }
}

pub(super) async fn upload_part_copy(
    objects: &Objects,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let lake = &objects.lake;
    let from = source(&request, &request.input.copy_source)?;
    let info = look(lake, &from, &request.headers).await?;
    let input = request.input;
    let to = uri(&input.bucket, &input.key)?;
    let range = input.copy_source_range.as_deref().map(|text| copied_range(text, &info)).transpose()?;
    let options = GetOptions { range, if_match: Some(format!("\"{}\"", info.etag)), ..GetOptions::default() };
    let about = About::Upload(&to);
    let copied = async {
        let mut part = lake
            .part_writer(&to, &input.upload_id, number(input.part_number)?, PutOptions::default())
            .await?;
        let mut stream = lake.get(&from, options).await?.into_stream();
        while let Some(bytes) = stream.try_next().await? {
            part.write(bytes).await?;
        }
        part.finish().await
    };
    let part = match copied.await {
        Ok(part) => part,
        Err(error) => return Err(failed(lake, about, error).await),
    };
    let sums = Fields::of(&part.checksums);
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(CopyPartResult {
            checksum_crc32: sums.crc32,
            checksum_crc32c: sums.crc32c,
            checksum_crc64nvme: sums.crc64nvme,
            checksum_sha1: sums.sha1,
            checksum_sha256: sums.sha256,
            e_tag: Some(etag(part.etag)),
            last_modified: Some(timestamp(part.last_modified)),
        }),
        ..UploadPartCopyOutput::default()
    }))
}
