//! Tags of objects: kept with what the object was when it got them, so that another one under its key has none.

use super::Objects;
use super::request::{uri, version};
use super::settings::check_tags;
use super::versions::{facts, unread};
use lake::{NULL_VERSION, ObjectInfo};
use model::{LakeUri, Result};
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};
use serde::{Deserialize, Serialize};

const KIND: &str = "s3.object-tags";
/// Those of versions that have an id.
const VERSIONS: &str = "s3.version-tags";
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

/// Where the tags of an object stand, or those of a version.
fn place(uri: &LakeUri, version: Option<&str>) -> (&'static str, String) {
    match version.filter(|id| *id != NULL_VERSION) {
        None => (KIND, uri.to_string()),
        Some(id) => (VERSIONS, format!("{id} {uri}")),
    }
}

impl Objects {
    /// Gives an object, or a version, these tags instead of those it had. Returns the version.
    pub(super) async fn tag(
        &self,
        uri: &LakeUri,
        version: Option<&str>,
        tags: Vec<Tag>,
    ) -> S3Result<Option<String>> {
        let kept = async {
            let info = facts(&self.lake, uri, version).await?;
            self.keep_tags(&info, tags).await?;
            Ok(info.version)
        };
        match kept.await {
            Ok(version) => Ok(version),
            Err(error) => Err(unread(&self.lake, uri, version, error).await),
        }
    }

    async fn keep_tags(&self, info: &ObjectInfo, tags: Vec<Tag>) -> Result<()> {
        let pair = |tag: Tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default());
        let new = Tagged {
            etag: info.etag.clone(),
            modified: info.last_modified.timestamp_micros(),
            tags: tags.into_iter().map(pair).collect(),
        };
        let (kind, name) = place(&info.uri, info.version.as_deref());
        if !self.documents.create(kind, &name, &new).await? {
            let change = |kept: &mut Tagged| {
                kept.clone_from(&new);
                Ok(())
            };
            self.documents.change(kind, &name, change).await?;
        }
        Ok(())
    }

    /// The tags of an object that is there.
    pub(super) async fn tags(&self, uri: &LakeUri, version: Option<&str>) -> Result<Vec<Tag>> {
        self.tags_of(&facts(&self.lake, uri, version).await?).await
    }

    async fn tags_of(&self, info: &ObjectInfo) -> Result<Vec<Tag>> {
        let (kind, name) = place(&info.uri, info.version.as_deref());
        let kept = self.documents.get::<Tagged>(kind, &name).await?.map(|kept| kept.body);
        let its = kept
            .filter(|kept| kept.etag == info.etag && kept.modified == info.last_modified.timestamp_micros());
        let tag = |(key, value)| Tag { key: Some(key), value: Some(value) };
        Ok(its.map(|its| its.tags.into_iter().map(tag).collect()).unwrap_or_default())
    }

    /// Forgets the tags of an object that is no more.
    pub(super) async fn untag(&self, uri: &LakeUri, version: Option<&str>) -> Result<()> {
        let (kind, name) = place(uri, version);
        if self.documents.get::<Tagged>(kind, &name).await?.is_some() {
            self.documents.delete(kind, &name).await?;
        }
        Ok(())
    }
}

pub(super) async fn put_object_tagging(
    objects: &Objects,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let input = request.input;
    let version = version(input.version_id.as_deref())?;
    let tags = input.tagging.tag_set;
    check_tags(&tags, MAX_TAGS)?;
    let version_id = objects.tag(&uri(&input.bucket, &input.key)?, version, tags).await?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id }))
}

pub(super) async fn get_object_tagging(
    objects: &Objects,
    request: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let input = request.input;
    let version = version(input.version_id.as_deref())?;
    let uri = uri(&input.bucket, &input.key)?;
    let found = async {
        let info = facts(&objects.lake, &uri, version).await?;
        Ok((objects.tags_of(&info).await?, info.version))
    };
    match found.await {
        Ok((tag_set, version_id)) => Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id })),
        Err(error) => Err(unread(&objects.lake, &uri, version, error).await),
    }
}

pub(super) async fn delete_object_tagging(
    objects: &Objects,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let input = request.input;
    let version = version(input.version_id.as_deref())?;
    let uri = uri(&input.bucket, &input.key)?;
    let done = async {
        let info = facts(&objects.lake, &uri, version).await?;
        objects.untag(&uri, info.version.as_deref()).await?;
        Ok(info.version)
    };
    match done.await {
        Ok(version_id) => Ok(S3Response::new(DeleteObjectTaggingOutput { version_id })),
        Err(error) => Err(unread(&objects.lake, &uri, version, error).await),
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
