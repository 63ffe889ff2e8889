//! The API that the pages call: one file per group of requests, one line each in [`routes`].

mod dashboards;
mod files;
mod live;
mod overview;
mod paths;
mod queries;
mod session;

pub(crate) use paths::route_of;

use crate::answer::{Answer, Failure};
use crate::caller::Caller;
use crate::door::House;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Extension, Router};
use model::{Error, Result};
use serde::Deserialize;
use std::sync::Arc;

/// Definitions and statements fit in easily.
const MAX_REQUEST_BYTES: usize = 16 << 20;

/// All of the API, below `/api`.
pub(crate) fn routes() -> Router<Arc<House>> {
    Router::new()
        .route("/session", get(session::show))
        .route("/login", post(session::log_in))
        .route("/logout", post(session::log_out))
        .route("/do/{operation}", post(operation))
        .route("/overview", get(overview::show))
        .route("/events", get(live::events))
        .route("/rows", post(queries::rows))
        .route("/results/{run}", get(queries::page))
        .route("/results/{run}/file", get(queries::download))
        .route("/buckets", get(files::buckets))
        .route("/buckets/{name}", put(files::make_bucket))
        .route("/objects", get(files::list))
        .route("/object", get(files::download).delete(files::remove))
        .route("/preview", post(files::preview))
        .route("/dashboards", get(dashboards::list))
        .route("/dashboards/{name}", get(dashboards::read).put(dashboards::save))
        .route("/dashboards/{name}", delete(dashboards::remove))
        .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
        // A file may be of any size: it is written as it comes.
        .route("/object", put(files::upload).layer(DefaultBodyLimit::disable()))
        .fallback(unknown)
}

async fn unknown() -> Failure {
    Failure(Error::not_found("the console's API has no such address"))
}

/// An operation of the binary, as commands use it.
async fn operation(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    body: Bytes,
) -> Answer<Response> {
    let answer = house.rooms.operations.perform(&name, &body, &caller).await?;
    Ok(json_text(answer))
}

/// A text that is JSON already.
fn json_text(text: impl Into<axum::body::Body>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text.into()).into_response()
}

/// A request's body as a value; what is wrong with it is told as elsewhere.
fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|e| Error::invalid("the request cannot be read").source_is(e))
}
