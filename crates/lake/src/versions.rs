//! Versions of objects: in a bucket that keeps them, a write leaves what was there before as a former version, and a
//! delete puts a delete marker in front of it. Names and rules are S3's.

use crate::Lake;
use crate::gate::to_its_end;
use crate::lake::{first_bound, request};
use crate::object::{Deleted, ObjectInfo};
use crate::store::{Bound, ListedVersion};
use model::{BucketName, Error, ErrorKind, LakeUri, Place, Result};
use serde::{Deserialize, Serialize};

/// The version of an object that was written while its bucket kept none.
pub const NULL: &str = "null";
/// The most that a page holds.
const PAGE: usize = 1000;

/// Whether a bucket keeps versions. One that never did has neither state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versioning {
    /// Every write makes a version of its own.
    Enabled,
    /// Writes make or replace the version `null`; the others stay.
    Suspended,
}

/// A version of an object, or a delete marker among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectVersion {
    /// Its facts. A delete marker has but the time at which it was made.
    pub info: ObjectInfo,
    /// Its id: `null` for what was written while the bucket kept no versions.
    pub id: String,
    /// Whether it is the object's newest one.
    pub is_latest: bool,
    /// Whether it says that the object was deleted.
    pub is_marker: bool,
}

impl ObjectVersion {
    /// The only version of an object without versions.
    pub(crate) fn only(info: ObjectInfo) -> Self {
        Self { info, id: NULL.to_owned(), is_latest: true, is_marker: false }
    }
}

/// One page of a listing of versions.
#[derive(Debug, Clone, Default)]
pub struct VersionOptions {
    /// Keys that share their text between the prefix and this delimiter count as one common prefix.
    pub delimiter: Option<String>,
    /// Only what comes after this key or common prefix.
    pub after_key: Option<String>,
    /// Of that key itself, the versions that are older than this one.
    pub after_version: Option<String>,
    /// At most so many versions and common prefixes; 0 means 1,000, more than 1,000 counts as 1,000.
    pub max_keys: usize,
}

/// The versions and common prefixes of one page: keys in byte order, each key's versions from the newest on.
#[derive(Debug, Clone, Default)]
pub struct VersionPage {
    /// The versions, delete markers among them.
    pub versions: Vec<ObjectVersion>,
    /// The common prefixes, each ending with the delimiter.
    pub common_prefixes: Vec<String>,
    /// Where to go on, unless this was the last page: a key with a version, or a common prefix.
    pub next: Option<(String, Option<String>)>,
}

/// Whether a text could be a version's id.
pub fn is_version_id(text: &str) -> bool {
    let fits = |b: u8| b == b'-' || b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    text == NULL || ((7..=100).contains(&text.len()) && text.bytes().all(fits))
}

/// What is said of a version that is not there: whether it could have been one decides of what kind the error is.
pub(crate) fn no_such_version(uri: &LakeUri, version: &str) -> Error {
    let kind = if is_version_id(version) { ErrorKind::NotFound } else { ErrorKind::InvalidInput };
    Error::new(kind, format!("there is no version `{version}` of the object")).at(Place::object(uri))
}

impl Lake {
    /// Whether a bucket keeps versions; none for one that never did.
    pub async fn versioning(&self, bucket: &BucketName) -> Result<Option<Versioning>> {
        self.store(bucket).versioning(bucket).await
    }

    /// Has a bucket keep versions from now on, or no more. Buckets on other servers cannot.
    pub async fn set_versioning(&self, bucket: &BucketName, versioning: Versioning) -> Result<()> {
        let (lake, bucket) = (self.clone(), bucket.clone());
        to_its_end(async move {
            // Nobody writes meanwhile: what came before is before, what comes after is a version.
            let _closed = lake.close(&std::collections::BTreeSet::from([bucket.clone()])).await?;
            lake.store(&bucket).set_versioning(&bucket, versioning).await
        })
        .await
    }

    /// All versions of an object, the newest first; none for a key that was never written.
    pub async fn history(&self, uri: &LakeUri) -> Result<Vec<ObjectVersion>> {
        let (store, _pass) = self.enter(uri.bucket()).await?;
        store.history(uri).await
    }

    /// A version of an object, delete markers among them; without an id the newest one.
    pub async fn version(&self, uri: &LakeUri, id: Option<&str>) -> Result<ObjectVersion> {
        let mut all = self.history(uri).await?.into_iter();
        match id {
            None => {
                all.next().ok_or_else(|| Error::not_found("there is no such object").at(Place::object(uri)))
            }
            Some(id) => all.find(|one| one.id == id).ok_or_else(|| no_such_version(uri, id)),
        }
    }

    /// Removes a version, or a delete marker, for good. What was before the newest one is the object again; a version
    /// that is not there counts as removed.
    pub async fn delete_version(&self, uri: &LakeUri, id: &str) -> Result<Deleted> {
        let (lake, uri, id) = (self.clone(), uri.clone(), id.to_owned());
        to_its_end(async move {
            let (store, _pass) = lake.enter(uri.bucket()).await?;
            store.delete_version(&uri, &id).await
        })
        .await
    }

    /// One page of the versions of everything under a prefix.
    pub async fn list_versions(&self, prefix: &LakeUri, options: VersionOptions) -> Result<VersionPage> {
        let (store, _pass) = self.enter(prefix.bucket()).await?;
        let limit = if options.max_keys == 0 { PAGE } else { options.max_keys.min(PAGE) };
        let delimiter = options.delimiter.filter(|delimiter| !delimiter.is_empty());
        let mut after_version = options.after_version.filter(|_| options.after_key.is_some());
        let bound = match first_bound(prefix.key(), options.after_key, delimiter.as_deref()) {
            Bound::After(key) if after_version.is_some() => Bound::From(key),
            bound => {
                after_version = None;
                bound
            }
        };
        let scan = store.scan_versions(request(prefix, bound, delimiter, limit), after_version).await?;
        let mut page = VersionPage::default();
        for item in scan.items {
            let last = match item {
                ListedVersion::Version(version) => {
                    let last = (version.info.uri.key().to_owned(), Some(version.id.clone()));
                    page.versions.push(*version);
                    last
                }
                ListedVersion::Prefix(common) => {
                    page.common_prefixes.push(common.clone());
                    (common, None)
                }
            };
            page.next = scan.more.then_some(last);
        }
        Ok(page)
    }
}
