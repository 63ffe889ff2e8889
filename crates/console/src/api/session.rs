//! Logging in and out.

use super::read;
use crate::answer::Answer;
use crate::caller::Caller;
use crate::door::House;
use crate::guard::token;
use crate::sessions::COOKIE;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use model::{Error, ErrorKind};
use serde::Deserialize;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;

/// After a wrong key, so long until the answer: guessing takes ages.
const WRONG_KEY_MILLIS: i64 = 500;

pub(super) async fn show(State(house): State<Arc<House>>, caller: Option<Extension<Caller>>) -> Response {
    let needs_login = house.config.keys.is_some();
    let user = caller.as_ref().and_then(|Extension(caller)| caller.name());
    Json(json!({ "needs_login": needs_login, "user": user, "version": house.config.version })).into_response()
}

#[derive(Deserialize)]
struct Key {
    id: String,
    secret: String,
}

pub(super) async fn log_in(
    State(house): State<Arc<House>>,
    from: Option<Extension<ConnectInfo<SocketAddr>>>,
    body: Bytes,
) -> Answer<Response> {
    let key: Key = read(&body)?;
    let Some(keys) = &house.config.keys else {
        return Ok(Json(json!({})).into_response());
    };
    let clock = &house.rooms.clock;
    let from = from.map(|Extension(ConnectInfo(address))| address.ip());
    house.guesses.admit(from, clock.now())?;
    if !keys.admits(&key.id, &key.secret) {
        house.guesses.note(from, clock.now());
        clock.sleep(chrono::Duration::milliseconds(WRONG_KEY_MILLIS)).await;
        return Err(Error::new(ErrorKind::Denied, "this access key does not open the console")
            .hint("check its id and secret")
            .hint("the policy of a key with a policy must allow the action glulam:Console")
            .into());
    }
    let token = house.sessions.begin(&key.id, clock.now())?;
    let cookie = format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/");
    Ok(([(header::SET_COOKIE, cookie)], Json(json!({ "user": key.id }))).into_response())
}

pub(super) async fn log_out(State(house): State<Arc<House>>, headers: HeaderMap) -> Response {
    if let Some(token) = token(&headers) {
        house.sessions.end(token);
    }
    let cookie = format!("{COOKIE}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
    ([(header::SET_COOKIE, cookie)], Json(json!({}))).into_response()
}
