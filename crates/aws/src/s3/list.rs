//! Listings of a bucket, page by page.

use super::Objects;
use super::access::caller;
use super::error::{About, failed};
use super::request::{etag, size, timestamp, uri};
use crate::keys::Caller;
use crate::page::{read_token, write_token};
use lake::{Lake, ListOptions, ListPage, ObjectInfo};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

const MAX_KEYS: i32 = 1000;
/// What stays readable in encoded keys.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'~');

/// How keys are written: as they are, or encoded on request, for signs that XML cannot carry.
#[derive(Clone, Copy)]
pub(super) struct Spelling {
    encoded: bool,
}

impl Spelling {
    pub(super) fn of(asked: Option<&EncodingType>) -> S3Result<Self> {
        match asked.map(EncodingType::as_str) {
            None => Ok(Self { encoded: false }),
            Some("url") => Ok(Self { encoded: true }),
            Some(other) => Err(s3_error!(InvalidArgument, "there is no encoding type `{other}`; use `url`")),
        }
    }

    pub(super) fn write(self, key: &str) -> String {
        if self.encoded { utf8_percent_encode(key, ENCODED).to_string() } else { key.to_owned() }
    }
}

pub(super) fn limit(asked: Option<i32>, what: &str) -> S3Result<i32> {
    match asked {
        None => Ok(MAX_KEYS),
        Some(count) if count >= 0 => Ok(count.min(MAX_KEYS)),
        Some(count) => Err(s3_error!(InvalidArgument, "{what} must not be negative, but it is {count}")),
    }
}

async fn page(
    lake: &Lake,
    bucket: &str,
    prefix: Option<&str>,
    delimiter: Option<&str>,
    after: Option<String>,
    keys: i32,
) -> S3Result<ListPage> {
    let prefix = uri(bucket, prefix.unwrap_or_default())?;
    let max_keys = usize::try_from(keys).unwrap_or_default();
    // None at all may be asked for; the bucket must be there nevertheless.
    let options = ListOptions {
        delimiter: delimiter.map(str::to_owned),
        start_after: after,
        max_keys: max_keys.max(1),
    };
    match lake.list_page(&prefix, options).await {
        Ok(_) if max_keys == 0 => Ok(ListPage::default()),
        Ok(page) => Ok(page),
        Err(error) => Err(failed(lake, About::Object(&prefix), error).await),
    }
}

fn contents(page: &ListPage, spelling: Spelling, owner: Option<&Caller>) -> Option<Vec<Object>> {
    let one = |info: &ObjectInfo| Object {
        e_tag: Some(etag(&info.etag)),
        key: Some(spelling.write(info.uri.key())),
        last_modified: Some(timestamp(info.last_modified)),
        size: Some(size(info.size)),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        owner: owner.map(|caller| Owner {
            display_name: Some("glulam".to_owned()),
            id: Some(caller.account.to_string()),
        }),
        ..Object::default()
    };
    (!page.objects.is_empty()).then(|| page.objects.iter().map(one).collect())
}

fn prefixes(page: &ListPage, spelling: Spelling) -> Option<Vec<CommonPrefix>> {
    let one = |prefix: &String| CommonPrefix { prefix: Some(spelling.write(prefix)) };
    (!page.common_prefixes.is_empty()).then(|| page.common_prefixes.iter().map(one).collect())
}

pub(super) async fn list_objects_v2(
    objects: &Objects,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let lake = &objects.lake;
    let caller = caller(&request)?;
    let input = request.input;
    let spelling = Spelling::of(input.encoding_type.as_ref())?;
    let keys = limit(input.max_keys, "max-keys")?;
    let after =
        match &input.continuation_token {
            Some(token) => Some(read_token(token).ok_or_else(|| {
                s3_error!(InvalidArgument, "the continuation token is not one of this server")
            })?),
            None => input.start_after.clone(),
        };
    let (prefix, delimiter) = (input.prefix.as_deref(), input.delimiter.as_deref());
    let page = page(lake, &input.bucket, prefix, delimiter, after, keys).await?;
    let count = page.objects.len() + page.common_prefixes.len();
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(spelling.write(input.prefix.as_deref().unwrap_or_default())),
        max_keys: Some(keys),
        key_count: i32::try_from(count).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.as_deref().map(write_token),
        contents: contents(&page, spelling, input.fetch_owner.unwrap_or_default().then_some(&caller)),
        common_prefixes: prefixes(&page, spelling),
        delimiter: input.delimiter.as_deref().map(|delimiter| spelling.write(delimiter)),
        encoding_type: input.encoding_type,
        start_after: input.start_after.as_deref().map(|after| spelling.write(after)),
        request_charged: None,
    }))
}

pub(super) async fn list_objects(
    objects: &Objects,
    request: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let lake = &objects.lake;
    let caller = caller(&request)?;
    let input = request.input;
    let spelling = Spelling::of(input.encoding_type.as_ref())?;
    let keys = limit(input.max_keys, "max-keys")?;
    let after = input.marker.clone().filter(|marker| !marker.is_empty());
    let (prefix, delimiter) = (input.prefix.as_deref(), input.delimiter.as_deref());
    let page = page(lake, &input.bucket, prefix, delimiter, after, keys).await?;
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(spelling.write(input.prefix.as_deref().unwrap_or_default())),
        marker: Some(spelling.write(input.marker.as_deref().unwrap_or_default())),
        max_keys: Some(keys),
        is_truncated: Some(page.next.is_some()),
        contents: contents(&page, spelling, Some(&caller)),
        common_prefixes: prefixes(&page, spelling),
        delimiter: input.delimiter.as_deref().map(|delimiter| spelling.write(delimiter)),
        next_marker: page.next.as_deref().map(|next| spelling.write(next)),
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}
