//! The canonical form of a request: the exact bytes that client and server both hash.

use super::claim::{Claim, Origin};
use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

/// What AWS leaves as it is: letters, digits and these four.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const ENCODED_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// The parameters of a query, decoded, in their order.
pub(crate) fn query_pairs(query: &str) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> + '_ {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (percent_decode(name.as_bytes()).collect(), percent_decode(value.as_bytes()).collect())
    })
}

/// The path of S3: each byte encoded once, however the client wrote it.
pub(super) fn plain_path(path: &str) -> String {
    let decoded: Vec<u8> = percent_decode(path.as_bytes()).collect();
    percent_encode(&decoded, ENCODED_PATH).to_string()
}

/// The path of all other services: what was sent, encoded once more.
pub(super) fn encoded_path(path: &str) -> String {
    let text = percent_encode(path.as_bytes(), ENCODED_PATH).to_string();
    if text.is_empty() { "/".to_owned() } else { text }
}

fn query(parts: &Parts, claim: &Claim) -> String {
    let is_presigned = matches!(claim.origin, Origin::Query { .. });
    let mut pairs: Vec<(String, String)> = query_pairs(parts.uri.query().unwrap_or_default())
        .filter(|(name, _)| !(is_presigned && name == b"X-Amz-Signature"))
        .map(|(name, value)| {
            (percent_encode(&name, ENCODED).to_string(), percent_encode(&value, ENCODED).to_string())
        })
        .collect();
    pairs.sort();
    let texts: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    texts.join("&")
}

/// The whole canonical request.
pub(super) fn request(parts: &Parts, path: &str, claim: &Claim, payload: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    for text in [parts.method.as_str(), path, &query(parts, claim)] {
        out.extend_from_slice(text.as_bytes());
        out.push(b'\n');
    }
    for name in &claim.signed_headers {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        for (at, value) in parts.headers.get_all(name.as_str()).iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            push_trimmed(&mut out, value.as_bytes());
        }
        out.push(b'\n');
    }
    out.push(b'\n');
    out.extend_from_slice(claim.signed_headers.join(";").as_bytes());
    out.push(b'\n');
    out.extend_from_slice(payload.as_bytes());
    out
}

/// Without spaces at the ends, and with single ones between.
pub(super) fn push_trimmed(out: &mut Vec<u8>, value: &[u8]) {
    let words = value.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    for (at, word) in words.enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}
