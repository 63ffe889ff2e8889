//! The lake's files: buckets, folders, uploads, downloads, their first rows.

use super::queries::first_rows;
use super::{json_text, read};
use crate::answer::Answer;
use crate::caller::Caller;
use crate::door::House;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use engine::{FileFormat, FilePath, FileSearch};
use futures::StreamExt;
use lake::{GetOptions, ListOptions, PutOptions};
use model::{BucketName, Error, LakeUri, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use state::events::NewEvent;
use std::sync::Arc;

/// How many entries of a folder come at once.
const PAGE: usize = 500;
/// How many rows a preview shows at most.
const PREVIEW: usize = 200;

pub(super) async fn buckets(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
) -> Answer<Json<Value>> {
    caller.may("s3:ListAllMyBuckets", "*")?;
    let buckets = house.rooms.lake.list_buckets().await?;
    let shown = buckets.iter().map(|bucket| json!({ "name": bucket.name, "created": bucket.created }));
    Ok(Json(shown.collect()))
}

pub(super) async fn make_bucket(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<BucketName>,
) -> Answer<Json<Value>> {
    caller.may_bucket("CreateBucket", name.as_str())?;
    house.rooms.lake.create_bucket(&name).await?;
    Ok(Json(json!({ "name": name })))
}

#[derive(Deserialize)]
pub(super) struct Folder {
    uri: LakeUri,
    after: Option<String>,
}

/// A folder's entries, a page of them.
pub(super) async fn list(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Query(folder): Query<Folder>,
) -> Answer<Json<Value>> {
    caller.may_bucket("ListBucket", folder.uri.bucket().as_str())?;
    let lake = &house.rooms.lake;
    if !lake.bucket_exists(folder.uri.bucket()).await? {
        return Err(Error::not_found(format!("there is no bucket `{}`", folder.uri.bucket())).into());
    }
    let options = ListOptions { delimiter: Some("/".to_owned()), start_after: folder.after, max_keys: PAGE };
    let page = lake.list_page(&folder.uri.as_folder(), options).await?;
    let objects: Vec<Value> = page
        .objects
        .iter()
        .filter(|object| object.uri != folder.uri.as_folder())
        .map(|object| {
            json!({
                "key": object.uri.key(),
                "name": object.uri.name(),
                "size": object.size,
                "modified": object.last_modified,
                "etag": object.etag,
            })
        })
        .collect();
    Ok(Json(json!({ "folders": page.common_prefixes, "objects": objects, "next": page.next })))
}

#[derive(Deserialize)]
pub(super) struct Object {
    uri: LakeUri,
    /// An upload does not replace.
    #[serde(default)]
    create: bool,
}

pub(super) async fn download(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Query(object): Query<Object>,
) -> Answer<Response> {
    caller.may_object("GetObject", &object.uri)?;
    let read = house.rooms.lake.get(&object.uri, GetOptions::default()).await?;
    let safe: String = object
        .uri
        .name()
        .chars()
        .map(|c| if c.is_ascii_graphic() && c != '"' && c != '\\' { c } else { '_' })
        .collect();
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{safe}\"")),
        (header::CONTENT_LENGTH, read.info.size.to_string()),
    ];
    Ok((headers, Body::from_stream(read.into_stream())).into_response())
}

pub(super) async fn upload(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Query(object): Query<Object>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Json<Value>> {
    caller.may_object("PutObject", &object.uri)?;
    let rooms = &house.rooms;
    if object.uri.key().is_empty() || object.uri.key().ends_with('/') {
        return Err(Error::invalid(format!("`{}` is no name for a file", object.uri)).into());
    }
    let mut options = if object.create { PutOptions::create() } else { PutOptions::default() };
    options.content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut writer = rooms.lake.writer(&object.uri, options).await?;
    let mut pieces = body.into_data_stream();
    let mut failed: Result<()> = Ok(());
    while let Some(piece) = pieces.next().await {
        failed = match piece {
            Ok(piece) => writer.write(piece).await,
            Err(e) => Err(Error::unavailable("the upload broke off").source_is(e)),
        };
        if failed.is_err() {
            break;
        }
    }
    if let Err(error) = failed {
        writer.abort().await?;
        return Err(error.into());
    }
    let written = writer.finish().await?;
    rooms.events.publish(NewEvent::new("object.created", object.uri.to_string(), json!({}))).await?;
    Ok(Json(json!({ "uri": object.uri, "size": written.size, "etag": written.etag })))
}

pub(super) async fn remove(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Query(object): Query<Object>,
) -> Answer<Json<Value>> {
    caller.may_object("DeleteObject", &object.uri)?;
    house.rooms.lake.delete(&object.uri).await?;
    let event = NewEvent::new("object.deleted", object.uri.to_string(), json!({}));
    house.rooms.events.publish(event).await?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
struct Look {
    uri: LakeUri,
    #[serde(default)]
    format: FileFormat,
}

/// A file's first rows, whatever its format.
pub(super) async fn preview(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Answer<Response> {
    let look: Look = read(&body)?;
    caller.may_read(&house.rooms.lake, &look.uri).await?;
    let _turn = house.queries.acquire().await.map_err(|_| Error::cancelled())?;
    let search = FileSearch::new(vec![FilePath::Lake(look.uri)]);
    let (format, answer) = house.rooms.engine.peek(&search, &look.format, PREVIEW).await?;
    let text = first_rows(answer, PREVIEW).await?.text;
    Ok(json_text(format!("{{{text},\"format\":{}}}", Value::from(format))))
}
