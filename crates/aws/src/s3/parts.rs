//! The parts of multipart uploads, and the uploads that are under way.

use super::Objects;
use super::access::caller;
use super::checksums::{Fields, Promise};
use super::error::{About, broken_body, failed};
use super::list::{Spelling, limit};
use super::put::{check_length, unfinished};
use super::request::{content_md5, etag, size, timestamp, uri};
use crate::keys::Caller;
use crate::signature::Trailers;
use futures::TryStreamExt;
use lake::{Checksums, MultipartInfo, PartInfo, PutOptions};
use model::Error;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};
use std::collections::BTreeSet;

/// A part's number; the lake refuses those that are none.
pub(super) fn number(number: i32) -> Result<u16, Error> {
    u16::try_from(number).map_err(|_| Error::invalid(format!("{number} is no part number: use 1 to 10000")))
}

pub(super) fn owner(caller: &Caller) -> Owner {
    Owner { display_name: Some("glulam".to_owned()), id: Some(caller.account.to_string()) }
}

fn initiator(caller: &Caller) -> Initiator {
    Initiator { display_name: Some("glulam".to_owned()), id: Some(caller.account.to_string()) }
}

pub(super) async fn upload_part(
    objects: &Objects,
    request: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    let lake = &objects.lake;
    let trailers = request.extensions.get::<Trailers>().cloned().unwrap_or_default();
    let mut promise = Promise::read(&request.headers)?;
    let options = PutOptions {
        content_md5: content_md5(&request.headers)?,
        checksums: promise.checksums,
        length: request.input.content_length.and_then(|length| u64::try_from(length).ok()),
        any_etag: objects.fast_etags,
        ..PutOptions::default()
    };
    check_length(request.input.content_length)?;
    let input = request.input;
    let uri = uri(&input.bucket, &input.key)?;
    let about = About::Upload(&uri);
    let opened =
        async { lake.part_writer(&uri, &input.upload_id, number(input.part_number)?, options).await };
    let mut part = match opened.await {
        Ok(part) => part,
        Err(error) => return Err(failed(lake, about, error).await),
    };
    if let Some(mut body) = input.body {
        while let Some(bytes) = body.try_next().await.map_err(|error| broken_body(&error))? {
            if let Err(error) = part.write(bytes).await {
                return Err(failed(lake, about, error).await);
            }
        }
    }
    promise.fulfil(&trailers)?;
    if promise.checksums != Checksums::default() {
        part.expect_checksums(promise.checksums);
    }
    let part = match part.finish().await {
        Ok(part) => part,
        Err(error) => return Err(unfinished(lake, about, error).await),
    };
    let sums = Fields::answered(&part.checksums, &promise.checksums);
    Ok(S3Response::new(UploadPartOutput {
        checksum_crc32: sums.crc32,
        checksum_crc32c: sums.crc32c,
        checksum_crc64nvme: sums.crc64nvme,
        checksum_sha1: sums.sha1,
        checksum_sha256: sums.sha256,
        e_tag: Some(etag(part.etag)),
        ..UploadPartOutput::default()
    }))
}

fn part(info: PartInfo) -> Part {
    let sums = Fields::of(&info.checksums);
    Part {
        checksum_crc32: sums.crc32,
        checksum_crc32c: sums.crc32c,
        checksum_crc64nvme: sums.crc64nvme,
        checksum_sha1: sums.sha1,
        checksum_sha256: sums.sha256,
        e_tag: Some(etag(info.etag)),
        last_modified: Some(timestamp(info.last_modified)),
        part_number: Some(i32::from(info.number)),
        size: Some(size(info.size)),
    }
}

pub(super) async fn list_parts(
    objects: &Objects,
    request: S3Request<ListPartsInput>,
) -> S3Result<S3Response<ListPartsOutput>> {
    let lake = &objects.lake;
    let caller = caller(&request)?;
    let input = request.input;
    let uri = uri(&input.bucket, &input.key)?;
    let max = limit(input.max_parts, "max-parts")?;
    let after = input.part_number_marker.unwrap_or_default();
    let all = match lake.list_parts(&uri, &input.upload_id).await {
        Ok(all) => all,
        Err(error) => return Err(failed(lake, About::Upload(&uri), error).await),
    };
    let mut left = all.into_iter().filter(|info| i32::from(info.number) > after);
    let page: Vec<Part> = left.by_ref().take(usize::try_from(max).unwrap_or_default()).map(part).collect();
    let is_truncated = left.next().is_some();
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        initiator: Some(initiator(&caller)),
        owner: Some(owner(&caller)),
        is_truncated: Some(is_truncated),
        max_parts: Some(max),
        part_number_marker: Some(after),
        next_part_number_marker: page.last().and_then(|part| part.part_number),
        parts: (!page.is_empty()).then_some(page),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        ..ListPartsOutput::default()
    }))
}

/// Uploads and common prefixes of one page, and where to go on.
#[derive(Default)]
struct UploadPage {
    uploads: Vec<MultipartInfo>,
    prefixes: BTreeSet<String>,
    next: Option<(String, String)>,
}

impl UploadPage {
    fn take(all: Vec<MultipartInfo>, input: &ListMultipartUploadsInput, max: usize) -> Self {
        let prefix = input.prefix.as_deref().unwrap_or_default();
        let key_marker = input.key_marker.as_deref().unwrap_or_default();
        let id_marker = input.upload_id_marker.as_deref().unwrap_or_default();
        let delimiter = input.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
        // Of one key the uploads come in the order in which they began: the marker's own is where to go on.
        let mut passed = id_marker.is_empty();
        let mut page = Self::default();
        for info in all {
            let key = info.uri.key();
            if key < key_marker {
                continue;
            }
            if key == key_marker && !key_marker.is_empty() {
                let was_passed = passed && !id_marker.is_empty();
                passed |= info.upload_id == id_marker;
                if !was_passed {
                    continue;
                }
            }
            let rest = key.get(prefix.len()..).unwrap_or_default();
            let common = delimiter
                .and_then(|delimiter| rest.find(delimiter).map(|at| prefix.len() + at + delimiter.len()))
                .map(|end| key[..end].to_owned());
            if common.as_deref().is_some_and(|common| page.prefixes.contains(common) || common == key_marker)
            {
                continue;
            }
            if common.as_deref().is_some_and(|common| key_marker.starts_with(common)) {
                continue;
            }
            if page.uploads.len() + page.prefixes.len() == max {
                page.next = Some(page.last(delimiter.is_some()));
                return page;
            }
            match common {
                Some(common) => drop(page.prefixes.insert(common)),
                None => page.uploads.push(info),
            }
        }
        page
    }

    /// The last thing on this page: an upload, or a common prefix behind it.
    fn last(&self, has_prefixes: bool) -> (String, String) {
        let upload = self.uploads.last().map(|info| (info.uri.key().to_owned(), info.upload_id.clone()));
        let upload = upload.unwrap_or_default();
        match self.prefixes.last().filter(|prefix| has_prefixes && **prefix > upload.0) {
            Some(prefix) => (prefix.clone(), String::new()),
            None => upload,
        }
    }
}

pub(super) async fn list_multipart_uploads(
    objects: &Objects,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let lake = &objects.lake;
    let caller = caller(&request)?;
    let input = request.input;
    let spelling = Spelling::of(input.encoding_type.as_ref())?;
    let max = limit(input.max_uploads, "max-uploads")?;
    let prefix = uri(&input.bucket, input.prefix.as_deref().unwrap_or_default())?;
    let all = match lake.list_multiparts(&prefix).await {
        Ok(all) => all,
        Err(error) => return Err(failed(lake, About::Object(&prefix), error).await),
    };
    let page = UploadPage::take(all, &input, usize::try_from(max).unwrap_or_default());
    let uploads: Vec<MultipartUpload> = page
        .uploads
        .iter()
        .map(|info| MultipartUpload {
            initiated: Some(timestamp(info.initiated)),
            initiator: Some(initiator(&caller)),
            owner: Some(owner(&caller)),
            key: Some(spelling.write(info.uri.key())),
            storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
            upload_id: Some(info.upload_id.clone()),
            ..MultipartUpload::default()
        })
        .collect();
    let prefixes: Vec<CommonPrefix> =
        page.prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(spelling.write(prefix)) }).collect();
    let write = |text: &Option<String>| text.as_deref().map(|text| spelling.write(text));
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        common_prefixes: (!prefixes.is_empty()).then_some(prefixes),
        delimiter: write(&input.delimiter),
        is_truncated: Some(page.next.is_some()),
        key_marker: write(&input.key_marker),
        max_uploads: Some(max),
        next_key_marker: page.next.as_ref().map(|(key, _)| spelling.write(key)),
        next_upload_id_marker: page.next.map(|(_, id)| id).filter(|id| !id.is_empty()),
        prefix: write(&input.prefix),
        upload_id_marker: input.upload_id_marker,
        uploads: (!uploads.is_empty()).then_some(uploads),
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}
