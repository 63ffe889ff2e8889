//! Who may come in: checked here once, before any handler.
//!
//! A page of another site can make a browser send requests here. So requests that change something must carry a header
//! that such pages cannot set without being asked about (`x-glulam`), and an Origin that is this one if any. Where
//! nobody has to log in, a page could also point its own name at this machine; so only the machine's names are answered.

use crate::answer::Failure;
use crate::api;
use crate::caller::Caller;
use crate::door::House;
use crate::sessions::COOKIE;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use model::{Error, ErrorKind};
use state::trace;
use std::sync::Arc;

/// The header of requests that change something.
pub(crate) const OWN_HEADER: &str = "x-glulam";
/// What can be asked without a session: to get one, and whether one is needed.
const OPEN: [&str; 2] = ["/api/login", "/api/session"];

/// A request that belongs to a trace is answered under a span of its own, which ends when the answer begins.
pub(crate) async fn guard(State(house): State<Arc<House>>, request: Request, next: Next) -> Response {
    let (method, headers) = (request.method(), request.headers());
    let tracer = &house.config.tracer;
    let Some(mut span) = tracer.request("console", method, request.uri(), request.version(), headers) else {
        return admit(house, request, next).await;
    };
    if let Some(route) = api::route_of(request.uri().path()) {
        span.routed(method, route);
    }
    let response = trace::within(Some(span.context()), admit(house, request, next)).await;
    span.answered(response.status());
    response
}

async fn admit(house: Arc<House>, mut request: Request, next: Next) -> Response {
    let (headers, path) = (request.headers(), request.uri().path().to_owned());
    let account = &house.config.account;
    let caller = match &house.config.keys {
        None => Some(Caller::owner(account.clone())),
        Some(keys) => token(headers)
            .and_then(|token| house.sessions.user(token, house.rooms.clock.now()))
            .map(|user| Caller::keyed(user, Arc::clone(keys), account.clone())),
    };
    let needs_login = house.config.keys.is_some();
    let refused = refusal(headers, request.method(), &path, needs_login).or_else(|| {
        let is_open = !path.starts_with("/api/") || OPEN.contains(&path.as_str());
        (caller.is_none() && !is_open)
            .then(|| Error::new(ErrorKind::Denied, "nobody is logged in").hint("log in with an access key"))
    });
    if let Some(error) = refused {
        return counted(&house, with_headers(Failure(error).into_response(), &path));
    }
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    counted(&house, with_headers(next.run(request).await, &path))
}

fn counted(house: &House, response: Response) -> Response {
    house.requests.note(response.status().as_u16());
    response
}

/// Why a request is not answered, whoever sends it.
fn refusal(headers: &HeaderMap, method: &Method, path: &str, needs_login: bool) -> Option<Error> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    if !needs_login && !is_this_machine(host) {
        return Some(
            Error::new(ErrorKind::Denied, format!("`{host}` is no name of this machine"))
                .why("without a login, the console answers to localhost and 127.0.0.1 only")
                .hint("open it by one of these names, or let it listen on another address, with access keys"),
        );
    }
    if !path.starts_with("/api/") {
        return None;
    }
    let denied = |what: &str| Some(Error::new(ErrorKind::Denied, what.to_owned()));
    if text(header::HeaderName::from_static("sec-fetch-site")).is_some_and(|site| site == "cross-site") {
        return denied("the request comes from another site");
    }
    if let Some(origin) = text(header::ORIGIN) {
        let from = origin.split_once("://").map_or(origin, |(_, from)| from);
        if !from.eq_ignore_ascii_case(host) {
            return denied("the request comes from another site");
        }
    }
    if !matches!(*method, Method::GET | Method::HEAD)
        && text(header::HeaderName::from_static(OWN_HEADER)).is_none()
    {
        return denied("a request that changes something needs the header x-glulam");
    }
    None
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let address: Option<std::net::IpAddr> = name.parse().ok();
    address.is_some_and(|address| address.is_loopback())
        || name.eq_ignore_ascii_case("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
}

/// The session's token in the cookies.
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).find_map(|cookies| {
        cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))
    })
}

fn with_headers(mut response: Response, path: &str) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if path.starts_with("/api/") {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        // Nothing that comes from the lake may run as a page of ours.
        let sealed = HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'");
        headers.insert(header::CONTENT_SECURITY_POLICY, sealed);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn strangers_are_refused() {
        let own = ("x-glulam", "console");
        let home = ("host", "127.0.0.1:4567");
        for (method, path, login, list, admitted) in [
            ("GET", "/", false, vec![home], true),
            ("GET", "/api/overview", false, vec![home], true),
            ("GET", "/", false, vec![("host", "evil.example:4567")], false),
            ("GET", "/", false, vec![("host", "127.0.0.1.evil.example")], false),
            ("GET", "/", false, vec![], false),
            ("GET", "/", false, vec![("host", "localhost:1")], true),
            ("GET", "/", false, vec![("host", "[::1]:4567")], true),
            ("GET", "/", true, vec![("host", "lake.example")], true),
            ("POST", "/api/rows", false, vec![home], false),
            ("POST", "/api/rows", false, vec![home, own], true),
            ("POST", "/api/rows", false, vec![home, own, ("origin", "http://127.0.0.1:4567")], true),
            ("POST", "/api/rows", false, vec![home, own, ("origin", "http://127.0.0.1:8080")], false),
            ("POST", "/api/rows", false, vec![home, own, ("origin", "null")], false),
            ("GET", "/api/overview", false, vec![home, ("sec-fetch-site", "cross-site")], false),
            ("GET", "/api/overview", false, vec![home, ("origin", "https://evil.example")], false),
        ] {
            let refused = refusal(&headers(&list), &method.parse().unwrap(), path, login);
            assert_eq!(refused.is_none(), admitted, "{method} {path} {list:?}: {refused:?}");
        }
    }

    #[test]
    fn tokens_in_cookies() {
        for (cookies, found) in [
            ("glulam_session=abc", Some("abc")),
            ("a=b; glulam_session=abc; c=d", Some("abc")),
            ("glulam_session_x=abc", None),
            ("", None),
        ] {
            assert_eq!(token(&headers(&[("cookie", cookies)])), found, "{cookies}");
        }
    }
}
