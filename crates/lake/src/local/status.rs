//! Whether a bucket keeps versions: a small file beside what is kept, which other processes change too.

use super::disk::Disk;
use super::fsys;
use super::record::Stamp;
use super::versions::order_of;
use crate::private::failed;
use crate::versions::Versioning;
use model::{BucketName, Error, Result};
use rustix::fs::AtFlags;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

const STATUS: &str = "status";
/// The folder of what is kept.
pub(super) const KEPT: &str = "kept";

/// What a bucket's versions are told by.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) versioning: Versioning,
    /// When it was first switched on, as the file system counts: older files are the version `null`.
    pub(crate) since: u64,
}

/// The open folder of all versions, and the states of buckets that were asked for.
#[derive(Debug)]
pub(crate) struct Versions {
    pub(crate) folder: OwnedFd,
    known: Mutex<HashMap<BucketName, (Stamp, Status)>>,
}

impl Versions {
    pub(crate) fn new(folder: OwnedFd) -> Self {
        Self { folder, known: Mutex::default() }
    }
}

impl Disk {
    /// Whether a bucket keeps versions. For one that never did this is one look at a name that is not there.
    pub(crate) fn status(&self, bucket: &BucketName) -> Result<Option<Status>> {
        let wrong = |errno| failed("read the versioning of", bucket, errno);
        let stamp = match fsys::stat(&self.versions.folder, &format!("{bucket}/{STATUS}")) {
            Ok(stat) => Stamp::of(&stat),
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(errno) => return Err(wrong(errno)),
        };
        let mut known = self.versions.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, status)) = known.get(bucket)
            && *of == stamp
        {
            return Ok(Some(*status));
        }
        let file = fsys::open_file(&self.versions.folder, &[bucket.as_str(), STATUS]).map_err(wrong)?;
        let mut text = Vec::new();
        let read = File::from(file).take(1 << 16).read_to_end(&mut text);
        let status = read.ok().and_then(|_| serde_json::from_slice(&text).ok()).ok_or_else(|| {
            Error::corrupt(format!("the versioning of bucket `{bucket}` cannot be read"))
                .hint(format!("restore `lake/versions/{bucket}/{STATUS}` in the data directory"))
        })?;
        known.insert(bucket.clone(), (stamp, status));
        Ok(Some(status))
    }

    pub(crate) fn set_versioning(&self, bucket: &BucketName, versioning: Versioning) -> Result<()> {
        self.bucket(bucket)?;
        let wrong = |errno| failed("set the versioning of", bucket, errno);
        let dir = fsys::ensure_dir(&self.versions.folder, &[bucket.as_str()]).map_err(wrong)?;
        let name = self.private.fresh_name();
        let file = self.private.create_tmp(&name).map_err(wrong)?;
        let done = (|| {
            let stamp = Stamp::of(&rustix::fs::fstat(&file).map_err(wrong)?);
            // Former versions are links to what the files were.
            let probe = self.private.fresh_name();
            let tmp = &self.private.tmp;
            rustix::fs::linkat(tmp, &name, tmp, &probe, AtFlags::empty()).map_err(|errno| {
                Error::unsupported("versions cannot be kept: this file system has no hard links")
                    .source_is(std::io::Error::from(errno))
            })?;
            fsys::unlink(tmp, &probe).map_err(wrong)?;
            let since = self.status(bucket)?.map_or(order_of(&stamp), |status| status.since);
            serde_json::to_writer(&file, &Status { versioning, since })
                .map_err(|e| Error::unavailable("cannot write the versioning of a bucket").source_is(e))?;
            rustix::fs::fsync(&file).map_err(wrong)?;
            rustix::fs::renameat(tmp, &name, &dir, STATUS).map_err(wrong)?;
            rustix::fs::fsync(&dir).map_err(wrong)
        })();
        if done.is_err() {
            let _ = fsys::unlink(&self.private.tmp, &name);
        }
        done
    }

    /// The open folder of everything that a bucket keeps, if there is one.
    pub(crate) fn kept_base(&self, bucket: &BucketName) -> Result<OwnedFd, Errno> {
        fsys::open_dir(&self.versions.folder, &[bucket.as_str(), KEPT])
    }

    /// Whether nothing of a bucket is kept. Folders that are empty go.
    pub(crate) fn keeps_nothing(&self, bucket: &BucketName) -> Result<bool, Errno> {
        match fsys::open_dir(&self.versions.folder, &[bucket.as_str()]) {
            Ok(dir) => fsys::remove_empty(dir, KEPT, 1000),
            Err(Errno::NOENT) => Ok(true),
            Err(errno) => Err(errno),
        }
    }

    /// Forgets that a bucket kept versions, of which there are none any more.
    pub(crate) fn forget_status(&self, bucket: &BucketName) -> Result<(), Errno> {
        if self.keeps_nothing(bucket)? {
            fsys::remove_all(&self.versions.folder, bucket.as_str())
        } else {
            Ok(())
        }
    }
}
