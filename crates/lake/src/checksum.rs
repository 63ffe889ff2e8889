//! The checksums that S3 knows, computed while bytes stream by and compared with what a client promised.

use crate::object::PutOptions;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, Digest as Crc};
use md5::{Digest as _, Md5};
use model::{Error, LakeUri, Place, Result};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::Sha256;

/// Checksums of an object's bytes, as far as they are known or promised. MD5 stands apart: it is the ETag.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksums {
    /// CRC-32 (ISO-HDLC, as in gzip).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32: Option<u32>,
    /// CRC-32C (Castagnoli).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32c: Option<u32>,
    /// CRC-64/NVME, which is kept for every object written through the lake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc64nvme: Option<u64>,
    /// SHA-1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha1: Option<[u8; 20]>,
    /// SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<[u8; 32]>,
}

impl Checksums {
    /// Name and base 64 text of each known checksum, as S3's headers carry them.
    pub fn texts(&self) -> Vec<(&'static str, String)> {
        let mut texts = Vec::new();
        if let Some(crc) = self.crc32 {
            texts.push(("crc32", STANDARD.encode(crc.to_be_bytes())));
        }
        if let Some(crc) = self.crc32c {
            texts.push(("crc32c", STANDARD.encode(crc.to_be_bytes())));
        }
        if let Some(crc) = self.crc64nvme {
            texts.push(("crc64nvme", STANDARD.encode(crc.to_be_bytes())));
        }
        if let Some(sha) = self.sha1 {
            texts.push(("sha1", STANDARD.encode(sha)));
        }
        if let Some(sha) = self.sha256 {
            texts.push(("sha256", STANDARD.encode(sha)));
        }
        texts
    }

    /// Takes one checksum from S3's base 64 text; a wrong length or an unknown name is refused.
    pub fn set(&mut self, name: &str, text: &str) -> Result<()> {
        fn exact<const N: usize>(name: &str, text: &str) -> Result<[u8; N]> {
            STANDARD.decode(text.trim()).ok().and_then(|bytes| <[u8; N]>::try_from(bytes).ok()).ok_or_else(
                || {
                    Error::invalid(format!("`{text}` is no {name} checksum"))
                        .hint(format!("write {N} bytes in base 64"))
                },
            )
        }
        match name {
            "crc32" => self.crc32 = Some(u32::from_be_bytes(exact(name, text)?)),
            "crc32c" => self.crc32c = Some(u32::from_be_bytes(exact(name, text)?)),
            "crc64nvme" => self.crc64nvme = Some(u64::from_be_bytes(exact(name, text)?)),
            "sha1" => self.sha1 = Some(exact(name, text)?),
            "sha256" => self.sha256 = Some(exact(name, text)?),
            other => {
                return Err(Error::unsupported(format!("checksum algorithm `{other}` is not supported"))
                    .hint("use crc32, crc32c, crc64nvme, sha1 or sha256"));
            }
        }
        Ok(())
    }
}

/// What a finished stream amounts to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digests {
    pub(crate) size: u64,
    /// Unless nobody has asked for it.
    pub(crate) md5: Option<[u8; 16]>,
    pub(crate) sums: Checksums,
}

/// Computes CRC-64/NVME always, MD5 unless any ETag will do, the others where they were promised.
pub(crate) struct Hasher {
    size: u64,
    md5: Option<Md5>,
    crc64: Crc,
    crc32: Option<Crc>,
    crc32c: Option<Crc>,
    sha1: Option<Sha1>,
    sha256: Option<Sha256>,
}

impl Hasher {
    pub(crate) fn new(promised: &Checksums) -> Self {
        Self {
            size: 0,
            md5: Some(Md5::new()),
            crc64: Crc::new(CrcAlgorithm::Crc64Nvme),
            crc32: promised.crc32.map(|_| Crc::new(CrcAlgorithm::Crc32IsoHdlc)),
            crc32c: promised.crc32c.map(|_| Crc::new(CrcAlgorithm::Crc32Iscsi)),
            sha1: promised.sha1.map(|_| Sha1::new()),
            sha256: promised.sha256.map(|_| Sha256::new()),
        }
    }

    /// What a write with these options needs.
    pub(crate) fn of_write(options: &PutOptions) -> Self {
        let mut hasher = Self::new(&options.checksums);
        if options.any_etag && options.content_md5.is_none() {
            hasher.md5 = None;
        }
        hasher
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        self.crc64.update(bytes);
        if let Some(crc) = &mut self.crc32 {
            crc.update(bytes);
        }
        if let Some(crc) = &mut self.crc32c {
            crc.update(bytes);
        }
        if let Some(sha) = &mut self.sha1 {
            sha.update(bytes);
        }
        if let Some(sha) = &mut self.sha256 {
            sha.update(bytes);
        }
    }

    pub(crate) fn finish(self) -> Digests {
        let low = |crc: Crc| u32::try_from(crc.finalize() & u64::from(u32::MAX)).unwrap_or_default();
        Digests {
            size: self.size,
            md5: self.md5.map(|md5| md5.finalize().into()),
            sums: Checksums {
                crc32: self.crc32.map(low),
                crc32c: self.crc32c.map(low),
                crc64nvme: Some(self.crc64.finalize()),
                sha1: self.sha1.map(|sha| sha.finalize().into()),
                sha256: self.sha256.map(|sha| sha.finalize().into()),
            },
        }
    }

    /// All of a buffer at once.
    pub(crate) fn of(bytes: &[u8], promised: &Checksums) -> Digests {
        let mut hasher = Self::new(promised);
        hasher.update(bytes);
        hasher.finish()
    }
}

impl Digests {
    /// The MD5, or what else tells the bytes apart: with a hyphen, as ETags of several parts have it, so that no client
    /// takes it for one.
    pub(crate) fn etag(&self) -> String {
        match self.md5 {
            Some(md5) => hex::encode(md5),
            None => format!("{:016x}{:016x}-1", self.sums.crc64nvme.unwrap_or_default(), self.size),
        }
    }

    /// Fails when the bytes are not the ones that were promised; nothing may be published then.
    pub(crate) fn check(&self, uri: &LakeUri, md5: Option<[u8; 16]>, promised: &Checksums) -> Result<()> {
        let wrong = |name: &str| {
            Err(Error::invalid(format!("the {name} checksum does not match the bytes received"))
                .at(Place::object(uri))
                .why("bytes were changed on the way, or the checksum belongs to other bytes; nothing was stored")
                .hint("send the object again"))
        };
        if md5.is_some() && md5 != self.md5 {
            return wrong("MD5");
        }
        if promised.crc32.is_some() && promised.crc32 != self.sums.crc32 {
            return wrong("CRC-32");
        }
        if promised.crc32c.is_some() && promised.crc32c != self.sums.crc32c {
            return wrong("CRC-32C");
        }
        if promised.crc64nvme.is_some() && promised.crc64nvme != self.sums.crc64nvme {
            return wrong("CRC-64/NVME");
        }
        if promised.sha1.is_some() && promised.sha1 != self.sums.sha1 {
            return wrong("SHA-1");
        }
        if promised.sha256.is_some() && promised.sha256 != self.sums.sha256 {
            return wrong("SHA-256");
        }
        Ok(())
    }
}

/// The CRC-64/NVME of two neighbouring pieces from the CRC of each.
pub(crate) fn combine_crc64(first: u64, second: u64, second_size: u64) -> u64 {
    crc_fast::checksum_combine(CrcAlgorithm::Crc64Nvme, first, second, second_size)
}

/// The ETag that S3 gives an object made of parts: the MD5 of the parts' MD5s and their number.
pub(crate) fn multipart_etag<'a>(etags: impl IntoIterator<Item = &'a str>) -> String {
    let mut all = Md5::new();
    let mut count = 0usize;
    for etag in etags {
        let mut md5 = [0u8; 16];
        match hex::decode_to_slice(etag, &mut md5) {
            Ok(()) => all.update(md5),
            Err(_) => all.update(etag),
        }
        count += 1;
    }
    format!("{}-{count}", hex::encode(all.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let all = Checksums {
            crc32: Some(0),
            crc32c: Some(0),
            crc64nvme: Some(0),
            sha1: Some([0; 20]),
            sha256: Some([0; 32]),
        };
        let got = Hasher::of(b"123456789", &all);
        assert_eq!(got.sums.crc32, Some(0xCBF4_3926));
        assert_eq!(got.sums.crc32c, Some(0xE306_9283));
        assert_eq!(got.sums.crc64nvme, Some(0xAE8B_1486_0A79_9888));
        assert_eq!(got.etag(), "25f9e794323b453885f5181f1b624d0b");
        let sha1 = got.sums.sha1.map(hex::encode);
        assert_eq!(sha1.as_deref(), Some("f7c3bc1d808e04732adf679965ccc34ca7ae3441"));
        let first = Hasher::of(b"12345", &all).sums.crc64nvme.unwrap();
        let second = Hasher::of(b"6789", &all).sums.crc64nvme.unwrap();
        assert_eq!(combine_crc64(first, second, 4), 0xAE8B_1486_0A79_9888);
    }

    #[test]
    fn texts_come_back() {
        let sums =
            Hasher::of(b"abc", &Checksums { crc32: Some(0), crc32c: Some(0), ..Checksums::default() }).sums;
        let mut back = Checksums::default();
        for (name, text) in sums.texts() {
            back.set(name, &text).unwrap();
        }
        assert_eq!(back, sums);
        assert!(back.set("crc32", "AAA=").is_err());
        assert!(back.set("crc16", "AAAA").is_err());
    }
}
