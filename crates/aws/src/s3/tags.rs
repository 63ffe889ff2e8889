//! Tags of objects: kept with what the object was when it got them, so that another one under its key has none.

use super::Objects;
use super::error::{About, failed};
use super::request::{no_version, uri};
use super::settings::check_tags;
use model::{LakeUri, Result};
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};
use serde::{Deserialize, Serialize};

const KIND: &str = "s3.object-tags";
/// S3's limit for one object.
const MAX_TAGS: usize = 10;

/// The tags of one object.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Tagged {
    etag: String,
    modified: i64,
    tags: Vec<(String, String)>,
}

/// The tags that the header `x-amz-tagging` of a write brings: a query string.
pub(super) fn of_header(header: Option<&str>) -> S3Result<Vec<Tag>> {
    let Some(header) = header else { return Ok(Vec::new()) };
    let pairs = url::form_urlencoded::parse(header.as_bytes());
    let tags: Vec<Tag> = pairs
        .map(|(key, value)| Tag { key: Some(key.into_owned()), value: Some(value.into_owned()) })
        .collect();
    check_tags(&tags, MAX_TAGS)?;
    Ok(tags)
}

impl Objects {
    /// Gives an object these tags instead of those it had.
    pub(super) async fn tag(&self, uri: &LakeUri, tags: Vec<Tag>) -> S3Result<()> {
        match self.keep_tags(uri, tags).await {
            Ok(()) => Ok(()),
            Err(error) => Err(failed(&self.lake, About::Object(uri), error).await),
        }
    }

    async fn keep_tags(&self, uri: &LakeUri, tags: Vec<Tag>) -> Result<()> {
        let info = self.lake.head(uri).await?;
        let pair = |tag: Tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default());
        let new = Tagged {
            etag: info.etag,
            modified: info.last_modified.timestamp_micros(),
            tags: tags.into_iter().map(pair).collect(),
        };
        let name = uri.to_string();
        if !self.documents.create(KIND, &name, &new).await? {
            let change = |kept: &mut Tagged| {
                kept.clone_from(&new);
                Ok(())
            };
            self.documents.change(KIND, &name, change).await?;
        }
        Ok(())
    }

    /// The tags of an object that is there.
    pub(super) async fn tags(&self, uri: &LakeUri) -> Result<Vec<Tag>> {
        let info = self.lake.head(uri).await?;
        let kept = self.documents.get::<Tagged>(KIND, &uri.to_string()).await?.map(|kept| kept.body);
        let its = kept
            .filter(|kept| kept.etag == info.etag && kept.modified == info.last_modified.timestamp_micros());
        let tag = |(key, value)| Tag { key: Some(key), value: Some(value) };
        Ok(its.map(|its| its.tags.into_iter().map(tag).collect()).unwrap_or_default())
    }

    /// Forgets the tags of an object that is no more.
    pub(super) async fn untag(&self, uri: &LakeUri) -> Result<()> {
        let name = uri.to_string();
        if self.documents.get::<Tagged>(KIND, &name).await?.is_some() {
            self.documents.delete(KIND, &name).await?;
        }
        Ok(())
    }
}

pub(super) async fn put_object_tagging(
    objects: &Objects,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let input = request.input;
    no_version(input.version_id.as_deref())?;
    let tags = input.tagging.tag_set;
    check_tags(&tags, MAX_TAGS)?;
    objects.tag(&uri(&input.bucket, &input.key)?, tags).await?;
    Ok(S3Response::new(PutObjectTaggingOutput::default()))
}

pub(super) async fn get_object_tagging(
    objects: &Objects,
    request: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let input = request.input;
    no_version(input.version_id.as_deref())?;
    let uri = uri(&input.bucket, &input.key)?;
    match objects.tags(&uri).await {
        Ok(tag_set) => Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id: None })),
        Err(error) => Err(failed(&objects.lake, About::Object(&uri), error).await),
    }
}

pub(super) async fn delete_object_tagging(
    objects: &Objects,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let input = request.input;
    no_version(input.version_id.as_deref())?;
    let uri = uri(&input.bucket, &input.key)?;
    let done = async {
        objects.lake.head(&uri).await?;
        objects.untag(&uri).await
    };
    match done.await {
        Ok(()) => Ok(S3Response::new(DeleteObjectTaggingOutput::default())),
        Err(error) => Err(failed(&objects.lake, About::Object(&uri), error).await),
    }
}

/// The directive of a copy: whether tags come from the source or from the request.
pub(super) fn copies(directive: Option<&TaggingDirective>) -> S3Result<bool> {
    match directive.map(TaggingDirective::as_str) {
        None | Some(TaggingDirective::COPY) => Ok(true),
        Some(TaggingDirective::REPLACE) => Ok(false),
        Some(other) => Err(s3_error!(InvalidArgument, "there is no tagging directive `{other}`")),
    }
}
