//! AWS's signature, version 4: reads what a request claims (key, time, scope, signed headers) and checks it against the
//! secret that the door knows. Headers and presigned URLs; the one place where it is decided who is calling.

mod canonical;
mod chunked;
mod claim;
mod crypto;

pub(crate) use canonical::query_pairs;
pub(crate) use chunked::{ChunkSigner, Trailers, decode as decode_chunks};
pub(crate) use claim::{Claim, Origin};
#[cfg(test)]
pub(crate) use crypto::sha256;
pub(crate) use crypto::{hex_sha256, hmac as hmac_sha256};

use crate::keys::Key;
use crate::refusal::Refusal;
use chrono::{DateTime, Duration, Utc};
use crypto::SigningKey;
use http::HeaderName;
use http::request::Parts;
use subtle::ConstantTimeEq as _;

/// How far the clocks of client and server may be apart.
const SKEW: Duration = Duration::minutes(15);
/// The name of the algorithm; asymmetric ones are not supported.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A verified signature, from which the signatures of chunks go on.
pub(crate) struct Proof {
    key: SigningKey,
    signature: String,
}

impl Claim {
    /// Refuses a request that is too old, too young or expired.
    pub(crate) fn check_time(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        match self.origin {
            Origin::Headers if (now - self.time).abs() > SKEW => {
                Err(Refusal::Skewed { request: self.time, server: now })
            }
            Origin::Query { .. } if self.time - now > SKEW => {
                Err(Refusal::Skewed { request: self.time, server: now })
            }
            Origin::Query { expires } if now > self.time + expires => {
                Err(Refusal::Expired { at: self.time + expires, server: now })
            }
            _ => Ok(()),
        }
    }

    /// Verifies the signature over the request. `payload` is the text that stands for the body: its hash or a word.
    pub(crate) fn verify(&self, parts: &Parts, key: &Key, payload: &str) -> Result<Proof, Refusal> {
        self.check_headers(parts)?;
        let signing = SigningKey::new(&key.secret, &self.scope);
        // S3 signs the path as it means it, the others as it is sent; some clients of S3 leave signs as they are.
        let paths = match self.scope.service.as_str() {
            "s3" => vec![canonical::plain_path(parts.uri.path()), parts.uri.path().to_owned()],
            _ => vec![canonical::encoded_path(parts.uri.path())],
        };
        let mut first = None;
        for path in paths {
            let request = canonical::request(parts, &path, self, payload);
            let text = format!(
                "{ALGORITHM}\n{}\n{}\n{}",
                self.stamp,
                self.scope.tail(),
                crypto::hex_sha256(&request)
            );
            let signature = signing.sign(text.as_bytes());
            if bool::from(signature.as_bytes().ct_eq(self.signature.as_bytes())) {
                return Ok(Proof { key: signing, signature });
            }
            first.get_or_insert((request, text));
        }
        let (canonical, string_to_sign) = first.unwrap_or_default();
        Err(Refusal::Mismatch { canonical: String::from_utf8_lossy(&canonical).into_owned(), string_to_sign })
    }

    /// What decides must be signed: the host, and every header of AWS's own.
    fn check_headers(&self, parts: &Parts) -> Result<(), Refusal> {
        if !self.signed_headers.iter().any(|name| name == "host") {
            return Err(Refusal::UnsignedHeader("host".to_owned()));
        }
        if let Some(name) = self.signed_headers.iter().find(|name| !parts.headers.contains_key(name.as_str()))
        {
            return Err(Refusal::Malformed(format!("the signed header `{name}` is not in the request")));
        }
        let unsigned = |name: &&HeaderName| {
            name.as_str().starts_with("x-amz-")
                && *name != "x-amz-content-sha256"
                && !self.signed_headers.iter().any(|signed| signed == name.as_str())
        };
        match parts.headers.keys().find(unsigned) {
            Some(name) => Err(Refusal::UnsignedHeader(name.to_string())),
            None => Ok(()),
        }
    }
}

impl Proof {
    /// The checker for the chunks of this request's body.
    pub(crate) fn chunks(self, claim: &Claim) -> ChunkSigner {
        ChunkSigner::new(self.key, &claim.stamp, &claim.scope.tail(), self.signature)
    }
}

#[cfg(test)]
mod tests;
