//! The bytes of a request as they come in: a slow sender is dropped, a limit holds, and a hash is checked before the
//! last byte counts.

use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// The bytes of a request. Whoever takes them must read to the end before believing any.
pub(crate) type ByteStream = BoxStream<'static, Result<Bytes, BodyError>>;

/// How long a sender may be silent within a body.
const SILENCE: Duration = Duration::from_secs(60);

/// Why a body did not arrive as announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// Its SHA-256 is another than the signed one.
    Hash,
    /// A chunk's or the trailer's signature is wrong.
    ChunkSignature,
    /// It ended early, or the connection broke.
    Incomplete(String),
    /// It is not framed as announced.
    Malformed(String),
    /// The sender was silent for too long.
    TooSlow,
    /// It is larger than this service takes.
    TooLarge(usize),
    /// A checksum is another than the promised one.
    Checksum(String),
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hash => {
                f.write_str("the body does not have the SHA-256 that was signed in x-amz-content-sha256")
            }
            Self::ChunkSignature => f.write_str("the signature of a chunk of the body is wrong"),
            Self::Incomplete(text) => write!(f, "the body ended before it was whole: {text}"),
            Self::Malformed(text) => write!(f, "the body is not framed as announced: {text}"),
            Self::TooSlow => {
                write!(f, "the sender of the body was silent for more than {} seconds", SILENCE.as_secs())
            }
            Self::TooLarge(limit) => {
                write!(f, "the body is larger than the {limit} bytes that are taken here")
            }
            Self::Checksum(name) => write!(f, "the body does not have the {name} that was promised"),
        }
    }
}

impl std::error::Error for BodyError {}

/// The body of a connection.
pub(crate) fn incoming(body: hyper::body::Incoming) -> ByteStream {
    futures::stream::try_unfold(body, |mut body| async move {
        loop {
            match tokio::time::timeout(SILENCE, body.frame()).await {
                Err(_) => return Err(BodyError::TooSlow),
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => return Err(BodyError::Incomplete(error.to_string())),
                Ok(Some(Ok(frame))) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some((bytes, body)));
                    }
                }
            }
        }
    })
    .boxed()
}

/// Passes the bytes on and fails at their end when they have another SHA-256.
pub(crate) fn hashed(stream: ByteStream, expected: [u8; 32]) -> ByteStream {
    futures::stream::try_unfold(Some((stream, Sha256::new())), move |state| async move {
        let Some((mut stream, mut hasher)) = state else { return Ok(None) };
        match stream.try_next().await? {
            Some(bytes) => {
                hasher.update(&bytes);
                Ok(Some((bytes, Some((stream, hasher)))))
            }
            None if bool::from(hasher.finalize().as_slice().ct_eq(&expected)) => Ok(None),
            None => Err(BodyError::Hash),
        }
    })
    .boxed()
}

/// All bytes at once, up to a limit.
pub(crate) async fn collect(mut stream: ByteStream, limit: usize) -> Result<Bytes, BodyError> {
    let mut all = BytesMut::new();
    while let Some(bytes) = stream.try_next().await? {
        if all.len() + bytes.len() > limit {
            return Err(BodyError::TooLarge(limit));
        }
        all.extend_from_slice(&bytes);
    }
    Ok(all.freeze())
}

/// The SHA-256 that a header names in hexadecimal digits.
pub(crate) fn parse_sha256(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    (text.len() == 64 && hex::decode_to_slice(text, &mut hash).is_ok()).then_some(hash)
}

#[cfg(test)]
pub(crate) fn of_pieces(pieces: &[&[u8]]) -> ByteStream {
    let pieces: Vec<Result<Bytes, BodyError>> =
        pieces.iter().map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    futures::stream::iter(pieces).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::sha256;

    #[tokio::test]
    async fn hashes_and_limits_hold() {
        let hash = sha256(b"abcdef");
        assert_eq!(collect(hashed(of_pieces(&[b"abc", b"def"]), hash), 6).await.unwrap(), "abcdef");
        assert_eq!(collect(hashed(of_pieces(&[b"abc", b"deX"]), hash), 6).await, Err(BodyError::Hash));
        assert_eq!(collect(of_pieces(&[b"abc", b"def"]), 5).await, Err(BodyError::TooLarge(5)));
        assert!(parse_sha256("UNSIGNED-PAYLOAD").is_none());
    }
}
