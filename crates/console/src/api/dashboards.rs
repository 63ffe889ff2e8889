//! Dashboards: Grafana's JSON as objects of the lake, one each, in the folder of the setting `console.dashboards`.

use super::{json_text, read as parse};
use crate::answer::Answer;
use crate::caller::Caller;
use crate::door::House;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures::StreamExt;
use lake::{GetOptions, PutOptions};
use model::{Error, ErrorKind, LakeUri, Result};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// More dashboards than that are not listed.
const LISTED: usize = 500;
/// A dashboard's text is at most so long.
const MAX_BYTES: u64 = 4 << 20;

#[derive(Serialize)]
pub(super) struct Entry {
    name: String,
    title: String,
    tags: Vec<String>,
    panels: usize,
    uri: LakeUri,
    /// Why it cannot be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

fn place(house: &House, name: &str) -> Result<LakeUri> {
    let fits = !name.is_empty()
        && name.len() <= 100
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !fits {
        return Err(Error::invalid(format!("`{name}` is no name for a dashboard"))
            .hint("use letters, digits, hyphens and underscores"));
    }
    house.config.dashboards.join(&format!("{name}.json"))
}

fn too_long() -> Error {
    Error::invalid(format!("the dashboard is longer than {MAX_BYTES} bytes"))
}

async fn text(house: &House, uri: &LakeUri) -> Result<(Bytes, String)> {
    let object = house.rooms.lake.get(uri, GetOptions::default()).await?;
    if object.info.size > MAX_BYTES {
        return Err(too_long());
    }
    let etag = object.info.etag.clone();
    Ok((object.bytes().await?, etag))
}

pub(super) async fn list(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
) -> Answer<Json<Vec<Entry>>> {
    let (lake, folder) = (&house.rooms.lake, house.config.dashboards.as_folder());
    caller.may_bucket("ListBucket", folder.bucket().as_str())?;
    let mut entries = Vec::new();
    if !lake.bucket_exists(folder.bucket()).await? {
        return Ok(Json(entries));
    }
    let mut objects = lake.list(&folder);
    while let Some(object) = objects.next().await {
        let object = object?;
        let relative = object.uri.key().strip_prefix(folder.key()).unwrap_or_default();
        let Some(name) = relative.strip_suffix(".json").filter(|name| !name.contains('/')) else { continue };
        if entries.len() == LISTED {
            break;
        }
        if caller.may_object("GetObject", &object.uri).is_err() {
            continue;
        }
        entries.push(entry(&house, name, &object.uri).await);
    }
    Ok(Json(entries))
}

async fn entry(house: &House, name: &str, uri: &LakeUri) -> Entry {
    let mut entry = Entry {
        name: name.to_owned(),
        title: name.to_owned(),
        tags: Vec::new(),
        panels: 0,
        uri: uri.clone(),
        error: None,
    };
    let model: Result<Value> = match text(house, uri).await {
        Ok((bytes, _)) => parse(&bytes),
        Err(error) => Err(error),
    };
    match model {
        Ok(model) => {
            if let Some(title) = model["title"].as_str() {
                entry.title = title.to_owned();
            }
            let tags = model["tags"].as_array().into_iter().flatten();
            entry.tags = tags.filter_map(|tag| tag.as_str().map(str::to_owned)).collect();
            entry.panels = model["panels"].as_array().map_or(0, Vec::len);
        }
        Err(error) => entry.error = Some(error.message().to_owned()),
    }
    entry
}

pub(super) async fn read(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Answer<Response> {
    let uri = place(&house, &name)?;
    caller.may_object("GetObject", &uri)?;
    let (bytes, etag) = text(&house, &uri).await?;
    let model: Value = parse(&bytes).map_err(|e| e.context(format!("the dashboard `{name}`")))?;
    Ok(([(header::ETAG, etag)], Json(model)).into_response())
}

/// Saves; with `If-Match` only over the version that was read, without it only a new one.
pub(super) async fn save(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer<Response> {
    let model: Value = parse(&body)?;
    if !model["panels"].is_array() || !model["title"].is_string() {
        return Err(Error::invalid("this is no dashboard of Grafana: it has no title or no panels")
            .hint("export a dashboard as JSON and give that")
            .into());
    }
    let uri = place(&house, &name)?;
    caller.may_object("PutObject", &uri)?;
    let lake = &house.rooms.lake;
    caller.may_make_bucket(lake, uri.bucket()).await?;
    match lake.create_bucket(uri.bucket()).await {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    let seen = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok());
    let mut options = seen.map_or_else(PutOptions::create, PutOptions::replacing);
    options.content_type = Some("application/json".to_owned());
    let pretty = serde_json::to_vec_pretty(&model)
        .map_err(|e| Error::internal("a dashboard cannot be written").source_is(e))?;
    if pretty.len() as u64 > MAX_BYTES {
        return Err(too_long().into());
    }
    let written = lake.put(&uri, pretty.into(), options).await?;
    let text = json!({ "name": name, "uri": uri }).to_string();
    Ok(([(header::ETAG, written.etag)], json_text(text)).into_response())
}

pub(super) async fn remove(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Answer<Json<Value>> {
    let uri = place(&house, &name)?;
    caller.may_object("DeleteObject", &uri)?;
    house.rooms.lake.delete(&uri).await?;
    Ok(Json(json!({})))
}
