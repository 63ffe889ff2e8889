//! What the lake knows about an object beyond its bytes (ETag, checksums, metadata), as the few bytes kept with the
//! file. A record carries the file's size and time of writing; one that does not fit the file any more, because
//! somebody edited it by hand, counts as none.

use crate::Checksums;
use chrono::{DateTime, Utc};
use rustix::fs::Stat;
use std::collections::BTreeMap;

const VERSION: u8 = 1;

/// What tells one content of a file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) inode: u64,
    pub(crate) size: u64,
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
}

impl Stamp {
    #[allow(clippy::unnecessary_cast)] // the types differ between platforms
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            inode: stat.st_ino as u64,
            size: stat.st_size as u64,
            seconds: stat.st_mtime as i64,
            nanos: stat.st_mtime_nsec as u32,
        }
    }

    /// An ETag for a file that the lake did not write. The hyphens tell clients that it is no MD5.
    pub(crate) fn etag(&self) -> String {
        format!("{:x}-{:x}-{:x}-{:x}", self.inode, self.size, self.seconds, self.nanos)
    }

    pub(crate) fn modified(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.seconds, self.nanos).unwrap_or_default()
    }
}

/// Which version a file is. The order grows with each version of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) order: u64,
    /// What makes its id unique; none for the version `null`.
    pub(crate) token: Option<u64>,
}

/// The facts kept with a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) etag: String,
    pub(crate) sums: Checksums,
    pub(crate) content_type: Option<String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// `bucket/key`, where the record does not stand on the file itself.
    pub(crate) owner: Option<String>,
    /// Which version it is, where its bucket kept versions when it was written.
    pub(crate) version: Option<Version>,
}

mod tag {
    pub(super) const MD5: u8 = 1;
    pub(super) const ETAG: u8 = 2;
    pub(super) const CRC32: u8 = 3;
    pub(super) const CRC32C: u8 = 4;
    pub(super) const CRC64: u8 = 5;
    pub(super) const SHA256: u8 = 6;
    pub(super) const CONTENT_TYPE: u8 = 7;
    pub(super) const HEADER: u8 = 8;
    pub(super) const METADATA: u8 = 9;
    pub(super) const OWNER: u8 = 10;
    pub(super) const SHA1: u8 = 11;
    pub(super) const VERSION: u8 = 12;
}

impl Record {
    /// The bytes to keep for a file with that stamp. Small: on ext4 a plain object's record fits into the inode.
    pub(crate) fn encode(&self, stamp: &Stamp) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend(stamp.inode.to_le_bytes());
        out.extend(stamp.size.to_le_bytes());
        out.extend(stamp.seconds.to_le_bytes());
        out.extend(stamp.nanos.to_le_bytes());
        let md5: Option<Vec<u8>> = (self.etag.len() == 32).then(|| hex::decode(&self.etag).ok()).flatten();
        match md5 {
            Some(md5) => field(&mut out, tag::MD5, &[&md5]),
            None => field(&mut out, tag::ETAG, &[self.etag.as_bytes()]),
        }
        if let Some(crc) = self.sums.crc32 {
            field(&mut out, tag::CRC32, &[&crc.to_le_bytes()]);
        }
        if let Some(crc) = self.sums.crc32c {
            field(&mut out, tag::CRC32C, &[&crc.to_le_bytes()]);
        }
        if let Some(crc) = self.sums.crc64nvme {
            field(&mut out, tag::CRC64, &[&crc.to_le_bytes()]);
        }
        if let Some(sha) = self.sums.sha1 {
            field(&mut out, tag::SHA1, &[&sha]);
        }
        if let Some(sha) = self.sums.sha256 {
            field(&mut out, tag::SHA256, &[&sha]);
        }
        if let Some(text) = &self.content_type {
            field(&mut out, tag::CONTENT_TYPE, &[text.as_bytes()]);
        }
        for (tag, map) in [(tag::HEADER, &self.headers), (tag::METADATA, &self.metadata)] {
            for (name, value) in map {
                field(&mut out, tag, &[name.as_bytes(), b"\n", value.as_bytes()]);
            }
        }
        if let Some(owner) = &self.owner {
            field(&mut out, tag::OWNER, &[owner.as_bytes()]);
        }
        if let Some(Version { order, token }) = self.version {
            let token = token.map(u64::to_le_bytes);
            let token: &[u8] = token.as_ref().map_or(&[], |token| token);
            field(&mut out, tag::VERSION, &[&order.to_le_bytes(), token]);
        }
        out
    }

    /// Reads a record and the stamp it was made for. None for bytes that are no record of ours.
    pub(crate) fn decode(bytes: &[u8]) -> Option<(Self, Stamp)> {
        let mut rest = bytes.strip_prefix(&[VERSION])?;
        let stamp = Stamp {
            inode: u64::from_le_bytes(take(&mut rest)?),
            size: u64::from_le_bytes(take(&mut rest)?),
            seconds: i64::from_le_bytes(take(&mut rest)?),
            nanos: u32::from_le_bytes(take(&mut rest)?),
        };
        let mut record = Self::default();
        while !rest.is_empty() {
            let [tag] = take(&mut rest)?;
            let length = usize::from(u16::from_le_bytes(take(&mut rest)?));
            let value = rest.get(..length)?;
            rest = &rest[length..];
            record.set(tag, value)?;
        }
        Some((record, stamp))
    }

    fn set(&mut self, tag: u8, value: &[u8]) -> Option<()> {
        let text = || std::str::from_utf8(value).ok().map(str::to_owned);
        let pair = || text()?.split_once('\n').map(|(name, value)| (name.to_owned(), value.to_owned()));
        match tag {
            tag::MD5 => self.etag = hex::encode(value),
            tag::ETAG => self.etag = text()?,
            tag::CRC32 => self.sums.crc32 = Some(u32::from_le_bytes(value.try_into().ok()?)),
            tag::CRC32C => self.sums.crc32c = Some(u32::from_le_bytes(value.try_into().ok()?)),
            tag::CRC64 => self.sums.crc64nvme = Some(u64::from_le_bytes(value.try_into().ok()?)),
            tag::SHA256 => self.sums.sha256 = Some(value.try_into().ok()?),
            tag::SHA1 => self.sums.sha1 = Some(value.try_into().ok()?),
            tag::CONTENT_TYPE => self.content_type = Some(text()?),
            tag::HEADER => self.headers.extend([pair()?]),
            tag::METADATA => self.metadata.extend([pair()?]),
            tag::OWNER => self.owner = Some(text()?),
            tag::VERSION => {
                let mut rest = value;
                let order = u64::from_le_bytes(take(&mut rest)?);
                let token = take(&mut rest).map(u64::from_le_bytes);
                self.version = Some(Version { order, token });
            }
            // A later version's field: what we do not know we do not need.
            _ => {}
        }
        Some(())
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

/// One field. The limits on metadata keep every field far below 64 KiB.
fn field(out: &mut Vec<u8>, tag: u8, pieces: &[&[u8]]) {
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    let length = u16::try_from(length).unwrap_or(u16::MAX);
    out.push(tag);
    out.extend(length.to_le_bytes());
    for piece in pieces {
        out.extend_from_slice(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_and_plain_ones_are_small() {
        let stamp = Stamp { inode: 7, size: 1 << 40, seconds: 1_700_000_000, nanos: 999_999_999 };
        let plain = Record {
            etag: "25f9e794323b453885f5181f1b624d0b".into(),
            sums: Checksums { crc64nvme: Some(5), ..Checksums::default() },
            ..Record::default()
        };
        let bytes = plain.encode(&stamp);
        assert!(bytes.len() <= 64, "{}", bytes.len());
        assert_eq!(Record::decode(&bytes), Some((plain, stamp)));
        let full = Record {
            etag: "25f9e794323b453885f5181f1b624d0b-3".into(),
            sums: Checksums {
                crc32: Some(1),
                crc32c: Some(2),
                crc64nvme: None,
                sha1: Some([4; 20]),
                sha256: Some([3; 32]),
            },
            content_type: Some("text/csv".into()),
            headers: BTreeMap::from([("cache-control".into(), "no-store".into())]),
            metadata: BTreeMap::from([("a".into(), "line\nbreak".into()), ("b".into(), String::new())]),
            owner: Some("bucket/key".into()),
            version: Some(Version { order: 9, token: Some(u64::MAX) }),
        };
        let bytes = full.encode(&stamp);
        assert_eq!(Record::decode(&bytes), Some((full, stamp)));
        let null = Record { version: Some(Version { order: 8, token: None }), ..Record::default() };
        assert_eq!(Record::decode(&null.encode(&stamp)), Some((null, stamp)));
        for cut in 0..bytes.len() {
            let _ = Record::decode(&bytes[..cut]);
        }
    }
}
