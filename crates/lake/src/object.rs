//! What an object is to its readers and writers: its facts, and the options with which it is read, written and listed.

use crate::Checksums;
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use model::{BucketName, Error, ErrorKind, LakeUri, Place, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketInfo {
    /// Its name.
    pub name: BucketName,
    /// When it was made, where that is known.
    pub created: Option<DateTime<Utc>>,
}

/// The facts about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Where it is.
    pub uri: LakeUri,
    /// Its size in bytes.
    pub size: u64,
    /// Changes whenever the content does; without quotation marks. The MD5 of the content only when it holds no `-`.
    pub etag: String,
    /// When its content was last written.
    pub last_modified: DateTime<Utc>,
    /// Known checksums. Listings of remote buckets do not carry them.
    pub checksums: Checksums,
    /// The media type it was given. Listings of remote buckets do not carry it, nor the two below.
    pub content_type: Option<String>,
    /// Other standard headers it was given (`cache-control`, `content-encoding`, …), names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The writer's own words about it, names in lower case.
    pub metadata: BTreeMap<String, String>,
    /// Its version, in a bucket that keeps versions. Listings do not carry it.
    pub version: Option<String>,
}

/// Which bytes of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GetRange {
    /// From the first position up to, without, the second; cut at the object's end.
    Bounded(Range<u64>),
    /// From this position to the end.
    From(u64),
    /// The last so many bytes.
    Suffix(u64),
}

impl GetRange {
    /// The positions meant in an object of that size. A range that begins behind the end is refused.
    pub fn resolve(&self, uri: &LakeUri, size: u64) -> Result<Range<u64>> {
        let range = match self {
            Self::Bounded(range) if range.start == range.end && range.start <= size => range.clone(),
            Self::Bounded(range) if range.start < size && range.start < range.end => {
                range.start..range.end.min(size)
            }
            Self::From(start) if *start < size => *start..size,
            Self::Suffix(length) if *length > 0 && size > 0 => size.saturating_sub(*length)..size,
            _ => {
                return Err(Error::invalid(format!(
                    "the range {self} lies outside of the object's {size} bytes"
                ))
                .at(Place::object(uri)));
            }
        };
        Ok(range)
    }
}

impl fmt::Display for GetRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bounded(range) => write!(f, "{}..{}", range.start, range.end),
            Self::From(start) => write!(f, "{start}.."),
            Self::Suffix(length) => write!(f, "last {length}"),
        }
    }
}

/// With which conditions and how much of an object is read. ETags are compared without quotation marks, `*` means any.
#[derive(Debug, Clone, Default)]
pub struct GetOptions {
    /// This version instead of the object that is there now.
    pub version: Option<String>,
    /// Only these bytes.
    pub range: Option<GetRange>,
    /// Only when the ETag is one of these (separated by commas).
    pub if_match: Option<String>,
    /// Only when the ETag is none of these.
    pub if_none_match: Option<String>,
    /// Only when written after that time.
    pub if_modified_since: Option<DateTime<Utc>>,
    /// Only when not written after that time.
    pub if_unmodified_since: Option<DateTime<Utc>>,
}

impl GetOptions {
    /// Some bytes, without conditions.
    pub fn range(range: Range<u64>) -> Self {
        Self { range: Some(GetRange::Bounded(range)), ..Self::default() }
    }

    /// Whether the conditions hold, in HTTP's order: `Ok(false)` means the reader's copy is still good.
    pub fn check(&self, info: &ObjectInfo) -> Result<bool> {
        let seconds = info.last_modified.timestamp();
        let failed = |what: &str| {
            Err(Error::new(ErrorKind::PreconditionFailed, format!("the condition `{what}` does not hold"))
                .at(Place::object(&info.uri))
                .why(format!("the object's etag is \"{}\", written {}", info.etag, info.last_modified)))
        };
        if let Some(wanted) = &self.if_match {
            if !etag_in(wanted, &info.etag) {
                return failed("if-match");
            }
        } else if self.if_unmodified_since.is_some_and(|since| seconds > since.timestamp()) {
            return failed("if-unmodified-since");
        }
        if let Some(known) = &self.if_none_match {
            return Ok(!etag_in(known, &info.etag));
        }
        Ok(self.if_modified_since.is_none_or(|since| seconds > since.timestamp()))
    }
}

pub(crate) fn etag_in(list: &str, etag: &str) -> bool {
    list.split(',').map(bare_etag).any(|one| one == "*" || one == etag)
}

/// An ETag without weakness mark and quotation marks.
pub(crate) fn bare_etag(etag: &str) -> &str {
    let etag = etag.trim();
    etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"')
}

/// An object opened for reading: later changes of the object do not touch it.
pub struct ObjectRead {
    /// The object's facts.
    pub info: ObjectInfo,
    /// Which of its bytes are read.
    pub range: Range<u64>,
    pub(crate) stream: BoxStream<'static, Result<Bytes>>,
}

impl ObjectRead {
    /// The bytes, piece by piece.
    pub fn into_stream(self) -> BoxStream<'static, Result<Bytes>> {
        self.stream
    }

    /// The bytes at once. For objects of bounded size: all of it is held in memory.
    pub async fn bytes(self) -> Result<Bytes> {
        let size = usize::try_from(self.range.end - self.range.start)
            .map_err(|_| Error::new(ErrorKind::LimitExceeded, "the object does not fit into memory"))?;
        let mut stream = self.stream;
        let Some(first) = stream.try_next().await? else { return Ok(Bytes::new()) };
        if first.len() == size {
            // Polled to its end, so that the checksum is verified.
            while stream.try_next().await?.is_some() {}
            return Ok(first);
        }
        let mut all = BytesMut::with_capacity(size);
        all.extend_from_slice(&first);
        while let Some(piece) = stream.next().await {
            all.extend_from_slice(&piece?);
        }
        Ok(all.freeze())
    }
}

impl fmt::Debug for ObjectRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectRead")
            .field("info", &self.info)
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}

/// Whether a write may replace what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PutMode {
    /// Replaces.
    #[default]
    Overwrite,
    /// Only when nothing is there; else `AlreadyExists`.
    Create,
    /// Only when the object there has this ETag; else `PreconditionFailed`, or `NotFound` when nothing is there.
    Match(String),
}

/// How an object is written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PutOptions {
    /// Whether it may replace.
    pub mode: PutMode,
    /// The MD5 that the bytes must have.
    pub content_md5: Option<[u8; 16]>,
    /// The checksums that the bytes must have; they are kept with the object.
    pub checksums: Checksums,
    /// The media type to keep.
    pub content_type: Option<String>,
    /// Other standard headers to keep, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The writer's own words, names in lower case; at most 2 KiB together.
    pub metadata: BTreeMap<String, String>,
    /// How many bytes will come at most, where that is known before.
    pub length: Option<u64>,
    /// Whether the ETag may be another than the MD5, which takes longer to compute than the bytes to write. It has a
    /// hyphen then, as S3's own have that are no MD5.
    #[serde(default)]
    pub any_etag: bool,
}

/// S3's limit for the user's metadata, and ours for the standard headers.
const MAX_METADATA: usize = 2048;
const MAX_HEADERS: usize = 1024;
const MAX_NAMES: usize = 100;

impl PutOptions {
    /// A write of bytes that are made here: nobody knows their MD5, or asks for it.
    pub fn made_here() -> Self {
        Self { any_etag: true, ..Self::default() }
    }

    /// A write that must not replace anything.
    pub fn create() -> Self {
        Self { mode: PutMode::Create, ..Self::default() }
    }

    /// A write that replaces exactly the object with this ETag.
    pub fn replacing(etag: impl Into<String>) -> Self {
        Self { mode: PutMode::Match(etag.into()), ..Self::default() }
    }

    /// Refuses metadata that not every backend can keep.
    pub(crate) fn check(&self, uri: &LakeUri) -> Result<()> {
        if uri.key().is_empty() {
            return Err(Error::invalid("an object needs a key").at(Place::object(uri)));
        }
        let size = |map: &BTreeMap<String, String>| map.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>();
        let headers = size(&self.headers) + self.content_type.as_ref().map_or(0, String::len);
        for (what, is, limit) in
            [("metadata", size(&self.metadata), MAX_METADATA), ("headers", headers, MAX_HEADERS)]
        {
            if is > limit {
                let text = format!("the object's {what} hold {is} bytes, the limit is {limit}");
                return Err(Error::new(ErrorKind::LimitExceeded, text).at(Place::object(uri)));
            }
        }
        if self.metadata.len() + self.headers.len() > MAX_NAMES {
            let text = format!("the object has more than {MAX_NAMES} names in its metadata and headers");
            return Err(Error::new(ErrorKind::LimitExceeded, text).at(Place::object(uri)));
        }
        for name in self.metadata.keys().chain(self.headers.keys()) {
            let fits = |b: u8| b.is_ascii_graphic() && !b.is_ascii_uppercase() && b != b':';
            if name.is_empty() || !name.bytes().all(fits) {
                return Err(Error::invalid(format!("`{name}` is no name for metadata"))
                    .at(Place::object(uri))
                    .hint("names are of lower-case letters, digits and hyphens"));
            }
        }
        Ok(())
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutResult {
    /// The object's ETag.
    pub etag: String,
    /// Its size.
    pub size: u64,
    /// Its checksums, as far as they were computed.
    pub checksums: Checksums,
    /// The version that it is, in a bucket that keeps versions. Not known before a commit is published.
    pub version: Option<String>,
}

/// What a removal did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deleted {
    /// In a bucket that keeps versions: the version that is gone for good, or the delete marker that was made.
    pub version: Option<String>,
    /// Whether that version is a delete marker.
    pub is_marker: bool,
    /// Whether a former version is the object now.
    pub restored: bool,
}

/// One page of a listing.
#[derive(Debug, Clone, Default)]
pub struct ListOptions {
    /// Keys that share their text between the prefix and this delimiter count as one common prefix.
    pub delimiter: Option<String>,
    /// Only what comes after this key or common prefix: give [`ListPage::next`] to go on.
    pub start_after: Option<String>,
    /// At most so many objects and common prefixes; 0 means 1,000, more than 1,000 counts as 1,000.
    pub max_keys: usize,
}

/// The objects and common prefixes of one page, each in byte order.
#[derive(Debug, Clone, Default)]
pub struct ListPage {
    /// The objects.
    pub objects: Vec<ObjectInfo>,
    /// The common prefixes, each ending with the delimiter.
    pub common_prefixes: Vec<String>,
    /// Where to go on, unless this was the last page.
    pub next: Option<String>,
}

/// A multipart upload that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultipartInfo {
    /// The object it will be.
    pub uri: LakeUri,
    /// The upload's id.
    pub upload_id: String,
    /// When it began.
    pub initiated: DateTime<Utc>,
}

/// A part that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartInfo {
    /// 1 to 10,000.
    pub number: u16,
    /// The part's size.
    pub size: u64,
    /// The part's ETag.
    pub etag: String,
    /// When it arrived.
    pub last_modified: DateTime<Utc>,
    /// Its checksums, as far as known.
    pub checksums: Checksums,
}

/// A part named for completion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletedPart {
    /// 1 to 10,000.
    pub number: u16,
    /// The ETag that putting it returned.
    pub etag: String,
}

/// What a sweep removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Files of killed writers.
    pub temporary_files: u64,
    /// Commits that were never published.
    pub commits: u64,
    /// Multipart uploads that nobody completed.
    pub uploads: u64,
    /// Metadata of objects that are gone.
    pub metadata: u64,
    /// Bytes freed on the local disk.
    pub bytes: u64,
}
