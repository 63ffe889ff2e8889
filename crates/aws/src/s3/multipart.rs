//! Multipart uploads: begin, put together, give up.

use super::checksums::{Fields, check_part, check_whole};
use super::error::{About, coded, failed, refused};
use super::request::{attributes, etag, mode, size, uri};
use super::{Objects, told};
use lake::{CompletedPart as Named, PartInfo, PutMode};
use model::ErrorKind;
use s3s::dto::*;
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

/// S3's least size of a part that is not the last.
const MIN_PART: u64 = 5 << 20;

pub(super) async fn create_multipart_upload(
    objects: &Objects,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let lake = &objects.lake;
    if request.headers.contains_key("x-amz-tagging") {
        return Err(refused("the header `x-amz-tagging` of a multipart upload (tag the object behind it)"));
    }
    let mut options = attributes(&request.headers, request.input.metadata)?;
    options.mode = PutMode::Overwrite;
    let uri = uri(&request.input.bucket, &request.input.key)?;
    match lake.create_multipart(&uri, options).await {
        Ok(id) => Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(request.input.bucket),
            key: Some(request.input.key),
            upload_id: Some(id),
            checksum_algorithm: request.input.checksum_algorithm,
            checksum_type: request.input.checksum_type,
            ..CreateMultipartUploadOutput::default()
        })),
        Err(error) => Err(failed(lake, About::Object(&uri), error).await),
    }
}

/// The parts that a completion names, each found among those that have arrived.
fn choose(named: &[CompletedPart], present: &[PartInfo]) -> S3Result<Vec<PartInfo>> {
    if named.is_empty() {
        return Err(s3_error!(MalformedXML, "an upload is completed with at least one part"));
    }
    if !named.is_sorted_by(|a, b| a.part_number < b.part_number) {
        return Err(s3_error!(InvalidPartOrder, "name each part once, by ascending numbers"));
    }
    let mut chosen = Vec::with_capacity(named.len());
    for (at, part) in named.iter().enumerate() {
        let number = part.part_number.unwrap_or_default();
        let etag = part.e_tag.as_ref().map(ETag::value).unwrap_or_default();
        let found = present.iter().find(|have| i32::from(have.number) == number && have.etag == etag);
        let Some(found) = found else {
            return Err(s3_error!(InvalidPart, "part {number} with the ETag \"{etag}\" was not uploaded"));
        };
        check_part(
            found,
            &[
                ("crc32", part.checksum_crc32.as_deref()),
                ("crc32c", part.checksum_crc32c.as_deref()),
                ("crc64nvme", part.checksum_crc64nvme.as_deref()),
                ("sha1", part.checksum_sha1.as_deref()),
                ("sha256", part.checksum_sha256.as_deref()),
            ],
        )?;
        if at + 1 < named.len() && found.size < MIN_PART {
            return Err(s3_error!(
                EntityTooSmall,
                "part {number} has {} bytes; every part but the last must have {MIN_PART}",
                found.size
            ));
        }
        chosen.push(found.clone());
    }
    Ok(chosen)
}

pub(super) async fn complete_multipart_upload(
    objects: &Objects,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let lake = &objects.lake;
    let mode = mode(&request.headers)?;
    let input = request.input;
    let uri = uri(&input.bucket, &input.key)?;
    let about = About::Upload(&uri);
    let present = match lake.list_parts(&uri, &input.upload_id).await {
        Ok(present) => present,
        Err(error) => return Err(failed(lake, about, error).await),
    };
    let named = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let parts = choose(&named, &present)?;
    check_whole(&request.headers, &parts)?;
    let whole: u64 = parts.iter().map(|part| part.size).sum();
    if let Some(expected) = input.mpu_object_size.filter(|expected| *expected != size(whole)) {
        return Err(s3_error!(InvalidRequest, "the parts have {whole} bytes together, not {expected}"));
    }
    let named = parts.into_iter().map(|part| Named { number: part.number, etag: part.etag }).collect();
    let is_conditional = mode != PutMode::Overwrite;
    let result = match lake.complete_multipart(&uri, &input.upload_id, named, mode).await {
        Ok(result) => result,
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            return Err(coded(S3ErrorCode::InvalidPart, &error));
        }
        Err(error) if is_conditional && error.kind() == ErrorKind::NotFound => {
            return Err(failed(lake, About::Object(&uri), error).await);
        }
        Err(error) => return Err(failed(lake, about, error).await),
    };
    objects.tell("object.created", &uri, told(result.version.as_deref())).await?;
    let sums = Fields::of(&result.checksums);
    Ok(S3Response::new(CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        checksum_crc32: sums.crc32,
        checksum_crc32c: sums.crc32c,
        checksum_crc64nvme: sums.crc64nvme,
        checksum_sha1: sums.sha1,
        checksum_sha256: sums.sha256,
        checksum_type: Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
        e_tag: Some(etag(result.etag)),
        version_id: result.version,
        ..CompleteMultipartUploadOutput::default()
    }))
}

pub(super) async fn abort_multipart_upload(
    objects: &Objects,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let lake = &objects.lake;
    let uri = uri(&request.input.bucket, &request.input.key)?;
    match lake.abort_multipart(&uri, &request.input.upload_id).await {
        Ok(()) => Ok(S3Response::new(AbortMultipartUploadOutput::default())),
        Err(error) => Err(failed(lake, About::Upload(&uri), error).await),
    }
}
