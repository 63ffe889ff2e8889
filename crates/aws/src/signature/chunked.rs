//! Bodies in chunks that carry signatures of their own (`aws-chunked`): unwrapped as they come in, each chunk checked at
//! its end, the trailer's headers kept for whoever reads the body.

use super::crypto::{SigningKey, hex_sha256};
use crate::body::{BodyError, ByteStream};
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use subtle::ConstantTimeEq as _;

/// Longer lines than any client sends.
const MAX_LINE: usize = 4096;
const MAX_TRAILERS: usize = 16 << 10;

/// The headers behind a body; complete once the body has been read to its end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trailers(Arc<Mutex<BTreeMap<String, String>>>);

impl Trailers {
    /// The value of a header, by its name in lower case.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn put(&self, name: String, value: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, value);
    }
}

/// Checks the chunks' signatures, each of which signs the one before.
pub(crate) struct ChunkSigner {
    key: SigningKey,
    stamp: String,
    scope: String,
    previous: String,
}

impl ChunkSigner {
    pub(super) fn new(key: SigningKey, stamp: &str, scope: &str, seed: String) -> Self {
        Self { key, stamp: stamp.to_owned(), scope: scope.to_owned(), previous: seed }
    }

    fn check(&mut self, kind: &str, hashes: &str, signature: &str) -> Result<(), BodyError> {
        let text =
            format!("AWS4-HMAC-SHA256-{kind}\n{}\n{}\n{}\n{hashes}", self.stamp, self.scope, self.previous);
        let expected = self.key.sign(text.as_bytes());
        if !bool::from(expected.as_bytes().ct_eq(signature.as_bytes())) {
            return Err(BodyError::ChunkSignature);
        }
        self.previous = expected;
        Ok(())
    }
}

struct Decoder {
    inner: ByteStream,
    buffer: BytesMut,
    signer: Option<ChunkSigner>,
    has_trailer: bool,
    trailers: Trailers,
    /// Bytes of the body that are still to come.
    left: u64,
    chunk: Chunk,
}

/// Where in the frames the decoder is.
enum Chunk {
    Header,
    Data { left: u64, hasher: Option<Sha256>, signature: String },
    Over,
}

/// Unwraps a body of `length` bytes. Without a signer, chunks are not signed.
pub(crate) fn decode(
    inner: ByteStream,
    signer: Option<ChunkSigner>,
    has_trailer: bool,
    length: u64,
    trailers: Trailers,
) -> ByteStream {
    let decoder = Decoder {
        inner,
        buffer: BytesMut::new(),
        signer,
        has_trailer,
        trailers,
        left: length,
        chunk: Chunk::Header,
    };
    futures::stream::try_unfold(decoder, |mut decoder| async move {
        Ok(decoder.next().await?.map(|bytes| (bytes, decoder)))
    })
    .boxed()
}

fn early(what: &str) -> BodyError {
    BodyError::Incomplete(what.to_owned())
}

impl Decoder {
    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            match std::mem::replace(&mut self.chunk, Chunk::Over) {
                Chunk::Over => return Ok(None),
                Chunk::Header => self.header().await?,
                Chunk::Data { left: 0, hasher, signature } => {
                    self.end_of_chunk(hasher, &signature)?;
                    if !self.line().await?.is_some_and(|line| line.is_empty()) {
                        return Err(BodyError::Malformed("a chunk is longer than it says".to_owned()));
                    }
                    self.chunk = Chunk::Header;
                }
                Chunk::Data { left, mut hasher, signature } => {
                    if self.buffer.is_empty() && !self.fill().await? {
                        return Err(early("a chunk was cut off"));
                    }
                    let take = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
                    let bytes = self.buffer.split_to(take).freeze();
                    if let Some(hasher) = &mut hasher {
                        hasher.update(&bytes);
                    }
                    self.chunk = Chunk::Data { left: left - bytes.len() as u64, hasher, signature };
                    return Ok(Some(bytes));
                }
            }
        }
    }

    /// `400;chunk-signature=…`
    async fn header(&mut self) -> Result<(), BodyError> {
        let line = self.line().await?.ok_or_else(|| early("there was no last chunk"))?;
        let (size, extension) = line.split_once(';').unwrap_or((&line, ""));
        let size = u64::from_str_radix(size.trim(), 16)
            .map_err(|_| BodyError::Malformed(format!("`{}` is no chunk size", size.trim())))?;
        let signature = extension.trim().strip_prefix("chunk-signature=").unwrap_or_default().to_owned();
        if size > self.left {
            return Err(BodyError::Malformed(
                "there is more than x-amz-decoded-content-length says".to_owned(),
            ));
        }
        self.left -= size;
        let hasher = self.signer.is_some().then(Sha256::new);
        if size > 0 {
            self.chunk = Chunk::Data { left: size, hasher, signature };
            return Ok(());
        }
        self.end_of_chunk(hasher, &signature)?;
        if self.left > 0 {
            return Err(early(&format!("{} bytes of x-amz-decoded-content-length are missing", self.left)));
        }
        self.trailer().await
    }

    fn end_of_chunk(&mut self, hasher: Option<Sha256>, signature: &str) -> Result<(), BodyError> {
        match (&mut self.signer, hasher) {
            (Some(signer), Some(hasher)) => {
                let hashes = format!("{}\n{}", hex_sha256(b""), hex::encode(hasher.finalize()));
                signer.check("PAYLOAD", &hashes, signature)
            }
            _ => Ok(()),
        }
    }

    /// The headers behind the last chunk, to the end of the body.
    async fn trailer(&mut self) -> Result<(), BodyError> {
        let (mut signed, mut signature, mut size) = (String::new(), None, 0);
        while let Some(line) = self.line().await? {
            size += line.len();
            if size > MAX_TRAILERS {
                return Err(BodyError::Malformed("the trailer is too long".to_owned()));
            }
            if line.trim().is_empty() {
                continue;
            }
            let Some((name, value)) = line.split_once(':').filter(|_| self.has_trailer) else {
                return Err(BodyError::Malformed("there is something behind the last chunk".to_owned()));
            };
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
            if name == "x-amz-trailer-signature" {
                signature = Some(value);
            } else {
                signed.push_str(&format!("{name}:{value}\n"));
                self.trailers.put(name, value);
            }
        }
        match &mut self.signer {
            Some(signer) if self.has_trailer => {
                signer.check("TRAILER", &hex_sha256(signed.as_bytes()), &signature.unwrap_or_default())
            }
            _ => Ok(()),
        }
    }

    /// The next line without its end; none at the end of the body.
    async fn line(&mut self) -> Result<Option<String>, BodyError> {
        loop {
            if let Some(at) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(at + 1);
                let line = String::from_utf8_lossy(&line);
                return Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()));
            }
            if self.buffer.len() > MAX_LINE {
                return Err(BodyError::Malformed("a line is too long".to_owned()));
            }
            if !self.fill().await? {
                let rest = self.buffer.split();
                let text = String::from_utf8_lossy(&rest);
                return Ok(Some(text.trim_end_matches('\r').to_owned()).filter(|text| !text.is_empty()));
            }
        }
    }

    async fn fill(&mut self) -> Result<bool, BodyError> {
        match self.inner.try_next().await? {
            Some(bytes) if self.buffer.is_empty() => {
                // Large pieces are passed on without a copy.
                self.buffer = bytes.try_into_mut().unwrap_or_else(|bytes| BytesMut::from(bytes.as_ref()));
                Ok(true)
            }
            Some(bytes) => {
                self.buffer.extend_from_slice(&bytes);
                Ok(true)
            }
            None => Ok(false),
        }
    }
}
