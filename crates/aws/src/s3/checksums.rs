//! The checksums that a client promises, in headers before the body or in the trailer behind it, and those answered.

use super::request::text;
use crate::body::BodyError;
use crate::signature::Trailers;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use http::HeaderMap;
use lake::{Checksums, PartInfo};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

const NAMES: [&str; 5] = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];
const PREFIX: &str = "x-amz-checksum-";

/// What a request promises about its body.
#[derive(Debug, Default)]
pub(super) struct Promise {
    /// The values that are known now, and placeholders for those that follow.
    pub(super) checksums: Checksums,
    /// The names of those that follow the body.
    following: Vec<&'static str>,
}

impl Promise {
    /// Reads the headers.
    pub(super) fn read(headers: &HeaderMap) -> S3Result<Self> {
        let mut promise = Self::default();
        for name in NAMES {
            if let Some(value) = text(headers, &format!("{PREFIX}{name}")) {
                promise.set(name, value)?;
            }
        }
        for value in headers.get_all("x-amz-trailer") {
            for trailer in value.to_str().unwrap_or_default().split(',') {
                let trailer = trailer.trim().to_ascii_lowercase();
                let name = NAMES.into_iter().find(|name| trailer.strip_prefix(PREFIX) == Some(name));
                let Some(name) = name else {
                    return Err(s3_error!(InvalidRequest, "`{trailer}` is no trailer that is known here"));
                };
                promise.hold(name);
                promise.following.push(name);
            }
        }
        Ok(promise)
    }

    fn set(&mut self, name: &str, value: &str) -> S3Result<()> {
        self.checksums
            .set(name, value)
            .map_err(|error| S3Error::with_message(S3ErrorCode::InvalidRequest, error.message().to_owned()))
    }

    /// A placeholder, so that the lake computes what is compared later.
    fn hold(&mut self, name: &str) {
        let sums = &mut self.checksums;
        match name {
            "crc32" => sums.crc32 = Some(0),
            "crc32c" => sums.crc32c = Some(0),
            "crc64nvme" => sums.crc64nvme = Some(0),
            "sha1" => sums.sha1 = Some([0; 20]),
            _ => sums.sha256 = Some([0; 32]),
        }
    }

    /// Takes what followed the body; the body has been read to its end.
    pub(super) fn fulfil(&mut self, trailers: &Trailers) -> S3Result<()> {
        for name in std::mem::take(&mut self.following) {
            let Some(value) = trailers.get(&format!("{PREFIX}{name}")) else {
                return Err(s3_error!(
                    InvalidRequest,
                    "the trailer {PREFIX}{name} was announced, but did not come"
                ));
            };
            self.set(name, &value)?;
        }
        Ok(())
    }
}

/// The checksums as the fields of an answer. Where the client has promised some, only those, else what is known.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) crc32: Option<String>,
    pub(super) crc32c: Option<String>,
    pub(super) crc64nvme: Option<String>,
    pub(super) sha1: Option<String>,
    pub(super) sha256: Option<String>,
}

impl Fields {
    pub(super) fn of(sums: &Checksums) -> Self {
        let mut fields = Self::default();
        for (name, text) in sums.texts() {
            match name {
                "crc32" => fields.crc32 = Some(text),
                "crc32c" => fields.crc32c = Some(text),
                "crc64nvme" => fields.crc64nvme = Some(text),
                "sha1" => fields.sha1 = Some(text),
                _ => fields.sha256 = Some(text),
            }
        }
        fields
    }

    /// The answer to a write.
    pub(super) fn answered(known: &Checksums, promised: &Checksums) -> Self {
        Self::of(if *promised == Checksums::default() { known } else { promised })
    }
}

/// Fails when a checksum that the client names for a part is not the one that the part has.
pub(super) fn check_part(part: &PartInfo, named: &[(&str, Option<&str>)]) -> S3Result<()> {
    let known = part.checksums.texts();
    for (name, value) in named {
        let Some(value) = value else { continue };
        if known.iter().any(|(known, text)| known == name && text != value) {
            return Err(s3_error!(
                InvalidPart,
                "part {} has another {name} checksum than `{value}`",
                part.number
            ));
        }
    }
    Ok(())
}

/// Fails when a checksum that the client names for the whole object is not the one that its parts give.
pub(super) fn check_whole(headers: &HeaderMap, parts: &[PartInfo]) -> S3Result<()> {
    for name in NAMES {
        let Some(value) = text(headers, &format!("{PREFIX}{name}")) else { continue };
        let known = match value.split_once('-') {
            Some(_) => composite(name, parts),
            None => combined(name, parts),
        };
        match known {
            Some(known) if known == value => {}
            Some(known) => {
                return Err(s3_error!(BadDigest, "the object's {name} checksum is `{known}`, not `{value}`"));
            }
            None => {
                return Err(s3_error!(
                    InvalidRequest,
                    "the {name} checksum of the whole object cannot be checked: send it with every part"
                ));
            }
        }
    }
    Ok(())
}

/// The checksum of all bytes from those of the parts; CRCs alone can be put together.
fn combined(name: &str, parts: &[PartInfo]) -> Option<String> {
    type Of = fn(&Checksums) -> Option<u64>;
    let (algorithm, of, width): (_, Of, usize) = match name {
        "crc32" => (CrcAlgorithm::Crc32IsoHdlc, |sums| sums.crc32.map(u64::from), 4),
        "crc32c" => (CrcAlgorithm::Crc32Iscsi, |sums| sums.crc32c.map(u64::from), 4),
        "crc64nvme" => (CrcAlgorithm::Crc64Nvme, |sums| sums.crc64nvme, 8),
        _ => return None,
    };
    let mut whole = of(&parts.first()?.checksums)?;
    for part in &parts[1..] {
        whole = crc_fast::checksum_combine(algorithm, whole, of(&part.checksums)?, part.size);
    }
    Some(STANDARD.encode(&whole.to_be_bytes()[8 - width..]))
}

/// The checksum of the parts' checksums, with their number.
fn composite(name: &str, parts: &[PartInfo]) -> Option<String> {
    let mut all = Vec::new();
    for part in parts {
        let (_, text) = part.checksums.texts().into_iter().find(|(known, _)| *known == name)?;
        all.extend(STANDARD.decode(text).ok()?);
    }
    Some(format!("{}-{}", digest(name, &all), parts.len()))
}

/// A checksum of bytes that are all there, as headers carry it.
fn digest(name: &str, bytes: &[u8]) -> String {
    use md5::Digest as _;
    let crc = |algorithm| crc_fast::checksum(algorithm, bytes).to_be_bytes();
    match name {
        "crc32" => STANDARD.encode(&crc(CrcAlgorithm::Crc32IsoHdlc)[4..]),
        "crc32c" => STANDARD.encode(&crc(CrcAlgorithm::Crc32Iscsi)[4..]),
        "crc64nvme" => STANDARD.encode(crc(CrcAlgorithm::Crc64Nvme)),
        "sha1" => STANDARD.encode(sha1::Sha1::digest(bytes)),
        "md5" => STANDARD.encode(md5::Md5::digest(bytes)),
        _ => STANDARD.encode(sha2::Sha256::digest(bytes)),
    }
}

/// Checks a document, such as a list of keys to delete, against what its headers or trailer promise. Of a completion the
/// headers speak about the object instead.
pub(crate) fn check_document(
    headers: &HeaderMap,
    trailers: &Trailers,
    bytes: &[u8],
) -> Result<(), BodyError> {
    let wrong = |name: &str| Err(BodyError::Checksum(name.to_owned()));
    if text(headers, "content-md5").is_some_and(|promised| promised != digest("md5", bytes)) {
        return wrong("MD5");
    }
    for name in NAMES {
        let header = format!("{PREFIX}{name}");
        let promised = text(headers, &header).map(str::to_owned).or_else(|| trailers.get(&header));
        if promised.is_some_and(|promised| promised != digest(name, bytes)) {
            return wrong(name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: u16, bytes: &[u8]) -> PartInfo {
        let crc = crc_fast::checksum(CrcAlgorithm::Crc32IsoHdlc, bytes);
        let sums = Checksums { crc32: u32::try_from(crc).ok(), ..Checksums::default() };
        let last_modified = chrono::DateTime::default();
        PartInfo { number, size: bytes.len() as u64, etag: String::new(), last_modified, checksums: sums }
    }

    #[test]
    fn parts_give_the_whole() {
        let parts = [part(1, b"1234"), part(2, b"56789")];
        assert_eq!(combined("crc32", &parts).as_deref(), Some("y/Q5Jg=="));
        assert_eq!(combined("crc32c", &parts), None);
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-checksum-crc32", "y/Q5Jg==".parse().unwrap());
        check_whole(&headers, &parts).unwrap();
        headers.insert("x-amz-checksum-crc32", "AAAAAA==".parse().unwrap());
        assert_eq!(*check_whole(&headers, &parts).unwrap_err().code(), S3ErrorCode::BadDigest);
        assert!(composite("crc32", &parts).unwrap().ends_with("==-2"));
        assert!(check_part(&parts[0], &[("crc32", Some("AAAAAA=="))]).is_err());
    }
}
