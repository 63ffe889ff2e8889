//! `/metrics`: what the server does, in Prometheus' text, for whoever may ask. The figures are gathered elsewhere.
//!
//! Where nobody has to log in, nobody has to here. Elsewhere a scraper brings the token of the setting
//! `console.metrics_token`, and a person's session must be allowed `glulam:Metrics`.

mod requests;

pub(crate) use requests::Requests;

use crate::answer::{Answer, Failure};
use crate::caller::Caller;
use crate::door::House;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use model::{Error, ErrorKind, Result};
use std::sync::Arc;

pub(crate) async fn show(
    State(house): State<Arc<House>>,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
) -> Answer<Response> {
    let caller = caller.map(|Extension(caller)| caller);
    may_see(&house, caller.as_ref(), &headers).map_err(Failure)?;
    let text = house.rooms.figures.prometheus().await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

fn may_see(house: &House, caller: Option<&Caller>, headers: &HeaderMap) -> Result<()> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer "));
    match (&house.config.metrics_token, given, caller) {
        (Some(token), Some(given), _) if same(token.as_bytes(), given.as_bytes()) => Ok(()),
        (_, _, Some(caller)) => caller.may("glulam:Metrics", "*"),
        _ => Err(Error::new(ErrorKind::Denied, "metrics are not for everybody")
            .hint("set console.metrics_token, and send `Authorization: Bearer` with it")),
    }
}

/// Compares in a time that does not tell where two texts differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}
