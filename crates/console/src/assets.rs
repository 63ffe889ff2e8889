//! The pages: files that the build of `ui/` left, embedded. What is no file is a page of the application.

use crate::door::House;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use model::{Error, Result};
use std::io::Read;
use std::sync::Arc;

include!(concat!(env!("OUT_DIR"), "/bundle.rs"));

const INDEX: &str = "index.html";
/// In the index, where the random word of this answer goes.
const NONCE: &str = "__NONCE__";
const UNBUILT: &str = "<!doctype html><html lang=\"en\"><title>Glulam</title><body><h1>This binary has no console</h1>\
    <p>It was compiled without the built pages. Run <code>scripts/ui.sh</code> (it needs npm), then build again; \
    <code>make build</code> does both.</p></body></html>";

pub(crate) async fn serve(State(_): State<Arc<House>>, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    match file(path) {
        Some(_) if path == INDEX => page(),
        Some(packed) => asset(path, packed, &headers),
        // A missing file must not look like a page; pages have no dots in their last part unless it is data.
        None if path.starts_with("assets/") => StatusCode::NOT_FOUND.into_response(),
        None => page(),
    }
}

fn file(path: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(name, _)| *name == path).map(|(_, packed)| *packed)
}

fn unpacked(packed: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_end(&mut bytes)
        .map_err(|e| Error::internal("a page of the console is broken").source_is(e))?;
    Ok(bytes)
}

fn asset(path: &str, packed: &'static [u8], headers: &HeaderMap) -> Response {
    let media = match path.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "png" => "image/png",
        "txt" => "text/plain; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        _ => "application/octet-stream",
    };
    // Names carry a hash of what is in the file.
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let common =
        [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, cache), (header::VARY, "accept-encoding")];
    let takes_gzip = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("gzip"));
    if takes_gzip {
        return (common, [(header::CONTENT_ENCODING, "gzip")], Bytes::from_static(packed)).into_response();
    }
    match unpacked(packed) {
        Ok(bytes) => (common, bytes).into_response(),
        Err(error) => crate::answer::Failure(error).into_response(),
    }
}

/// The application's page, with a word that lets its own styles in: the editor makes them as it runs.
fn page() -> Response {
    let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    let Some(packed) = file(INDEX) else {
        return (StatusCode::SERVICE_UNAVAILABLE, html, UNBUILT).into_response();
    };
    let made = unpacked(packed).and_then(|bytes| {
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random)
            .map_err(|e| Error::unavailable("there are no random numbers").why(e.to_string()))?;
        let nonce = hex::encode(random);
        Ok((String::from_utf8_lossy(&bytes).replace(NONCE, &nonce), nonce))
    });
    match made {
        Ok((text, nonce)) => {
            // Attributes apart: browsers write some themselves while a person edits text.
            let policy = format!(
                "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; \
                 font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
            );
            (html, [(header::CONTENT_SECURITY_POLICY, policy)], text).into_response()
        }
        Err(error) => crate::answer::Failure(error).into_response(),
    }
}
