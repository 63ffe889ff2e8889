//! Copying objects, whole or as a part of an upload. The bytes never leave the server.

use super::access::{allow, arn, caller};
use super::checksums::Fields;
use super::error::{About, coded, failed, refused};
use super::parts::number;
use super::request::{attributes, conditions, etag, text, timestamp, uri, version};
use super::versions::{facts, marker, unread};
use super::{Objects, told};
use futures::TryStreamExt;
use http::HeaderMap;
use lake::{GetOptions, GetRange, Lake, ObjectInfo, PutOptions};
use model::{Error, ErrorKind, LakeUri, Place};
use s3s::dto::*;
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

const SOURCE: &str = "x-amz-copy-source-";

/// The address that a copy reads, and which version of it, if the caller may.
fn source<T>(request: &S3Request<T>, source: &CopySource) -> S3Result<(LakeUri, Option<String>)> {
    let CopySource::Bucket { bucket, key, version_id } = source else {
        return Err(refused("copying from an access point"));
    };
    let version = version(version_id.as_deref())?.map(str::to_owned);
    let action = if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    allow(&caller(request)?, action, &arn(bucket, key))?;
    Ok((uri(bucket, key)?, version))
}

/// The source's facts, if it fulfils the conditions.
async fn look(
    lake: &Lake,
    from: &LakeUri,
    version: Option<&str>,
    headers: &HeaderMap,
) -> S3Result<ObjectInfo> {
    let conditions = conditions(headers, SOURCE)?;
    let info = match facts(lake, from, version).await {
        Ok(info) => info,
        Err(_) if version.is_some() && marker(lake, from, version).await.is_some() => {
            return Err(s3_error!(InvalidRequest, "the version that is to be copied is a delete marker"));
        }
        Err(error) => return Err(unread(lake, from, version, error).await),
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
    let (from, version) = source(&request, &request.input.copy_source)?;
    let version = version.as_deref();
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
    let info = look(lake, &from, version, &request.headers).await?;
    let read = info.version.clone();
    let options = match replaces {
        // A type of its own, so that the lake does not take everything from the source.
        true => PutOptions {
            content_type: given.content_type.or_else(|| Some("binary/octet-stream".to_owned())),
            ..given
        },
        false if from == to && version.is_none() => {
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
    let result = match lake.copy_version(&from, version, &to, options).await {
        Ok(result) => result,
        Err(error) if error.kind() == ErrorKind::NotFound && facts(lake, &from, version).await.is_err() => {
            return Err(unread(lake, &from, version, error).await);
        }
        Err(error) => return Err(failed(lake, About::Object(&to), error).await),
    };
    let tags = match keeps_tags {
        true if from != to || read != result.version => {
            objects.tags(&from, read.as_deref()).await.unwrap_or_default()
        }
        true => Vec::new(),
        false => new_tags,
    };
    if !tags.is_empty() {
        objects.tag(&to, result.version.as_deref(), tags).await?;
    }
    objects.tell("object.created", &to, told(result.version.as_deref())).await?;
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
        copy_source_version_id: read,
        version_id: result.version,
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
    let (from, version) = source(&request, &request.input.copy_source)?;
    let info = look(lake, &from, version.as_deref(), &request.headers).await?;
    let input = request.input;
    let to = uri(&input.bucket, &input.key)?;
    let range = input.copy_source_range.as_deref().map(|text| copied_range(text, &info)).transpose()?;
    let if_match = Some(format!("\"{}\"", info.etag));
    let options = GetOptions { version, range, if_match, ..GetOptions::default() };
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
        copy_source_version_id: info.version,
        ..UploadPartCopyOutput::default()
    }))
}
