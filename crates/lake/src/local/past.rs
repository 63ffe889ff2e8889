//! Looking at what a key was: all its versions in order, one of them, or which are there.

use super::disk::{Disk, Found, info_from};
use super::fsys;
use super::record::{Stamp, Version};
use super::status::Status;
use super::versions::{Identity, Kept};
use crate::object::ObjectInfo;
use crate::private::failed;
use crate::versions::{NULL, ObjectVersion, no_such_version};
use model::{LakeUri, Result};
use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};

/// The file that a key has, with its facts.
pub(crate) struct Current {
    pub(crate) found: Found,
    pub(crate) info: ObjectInfo,
    pub(crate) which: Identity,
}

/// All that is known of a key.
pub(crate) struct Past {
    pub(crate) current: Option<Current>,
    /// The newest first.
    pub(crate) kept: Vec<Kept>,
    /// What killed writers left: nobody sees it, and the next change removes it.
    pub(crate) spent: Vec<Kept>,
    pub(crate) dir: Option<OwnedFd>,
}

impl Disk {
    /// Everything of a key, in order. The caller holds the key's lock.
    pub(crate) fn past(&self, bucket: &OwnedFd, uri: &LakeUri, status: &Status) -> Result<Past> {
        let current = match self.find(bucket, uri)? {
            Some(found) => {
                let record = self.records.read_at(found.dir.as_fd(), &found.name, &found.stamp);
                let which = self.identify(uri, status, &found.stamp, record.as_ref())?;
                let mut info = info_from(uri.clone(), &found.stamp, record);
                info.version = Some(which.id.clone());
                Some(Current { found, info, which })
            }
            None => None,
        };
        let (dir, all) = self.kept(uri)?;
        let (mut kept, mut spent): (Vec<Kept>, Vec<Kept>) = (Vec::new(), Vec::new());
        for one in all {
            let is_current = current.as_ref().is_some_and(|current| {
                current.which.id == one.which.id
                    || (!one.is_marker && current.found.stamp.inode == one.stamp.inode)
            });
            let is_double = is_current || kept.iter().any(|newer| newer.which.id == one.which.id);
            if is_double { spent.push(one) } else { kept.push(one) }
        }
        if current.is_none()
            && let Some(newest) = kept.first().filter(|one| !one.is_marker)
        {
            let version = Version { order: newest.which.order.saturating_add(1), token: Some(0) };
            let (which, stamp) = (version.identity(), newest.stamp);
            kept.insert(0, Kept { which, is_marker: true, stamp, name: None });
        }
        Ok(Past { current, kept, spent, dir })
    }

    /// All versions of a key, the newest first.
    pub(crate) fn history(&self, uri: &LakeUri) -> Result<Vec<ObjectVersion>> {
        let bucket = self.bucket(uri.bucket())?;
        let Some(status) = self.status(uri.bucket())? else {
            let found = self.find(&bucket, uri)?;
            return Ok(found.map(|found| ObjectVersion::only(self.info(uri, &found))).into_iter().collect());
        };
        let _lock =
            self.private.lock_key(uri.bucket(), uri.key()).map_err(|errno| failed("lock", uri, errno))?;
        let past = self.past(&bucket, uri, &status)?;
        let mut all = Vec::with_capacity(past.kept.len() + 1);
        if let Some(current) = past.current {
            let (info, id) = (current.info, current.which.id);
            all.push(ObjectVersion { info, id, is_latest: true, is_marker: false });
        }
        for one in past.kept {
            let record = match (&past.dir, &one.name) {
                (Some(dir), Some(name)) if !one.is_marker => {
                    self.records.read_at(dir.as_fd(), name, &one.stamp)
                }
                _ => None,
            };
            let mut info = info_from(uri.clone(), &one.stamp, record);
            if one.is_marker {
                (info.size, info.etag) = (0, String::new());
            }
            info.version = Some(one.which.id.clone());
            let (id, is_marker, is_latest) = (one.which.id, one.is_marker, all.is_empty());
            all.push(ObjectVersion { info, id, is_latest, is_marker });
        }
        Ok(all)
    }

    /// Opens a version for reading.
    pub(crate) fn open_version(&self, uri: &LakeUri, id: &str) -> Result<(File, ObjectInfo)> {
        let bucket = self.bucket(uri.bucket())?;
        let Some(status) = self.status(uri.bucket())? else {
            return if id == NULL { self.open_object(uri) } else { Err(no_such_version(uri, id)) };
        };
        let wrong = |errno| failed("open a version of", uri, errno);
        let _lock = self.private.lock_key(uri.bucket(), uri.key()).map_err(wrong)?;
        let past = self.past(&bucket, uri, &status)?;
        if let Some(current) = past.current.filter(|current| current.which.id == id) {
            let file = fsys::open_file(&current.found.dir, &[&current.found.name]).map_err(wrong)?;
            return Ok((File::from(file), current.info));
        }
        let is_it = |one: &&Kept| one.which.id == id && !one.is_marker;
        let found =
            past.kept.iter().find(is_it).and_then(|one| Some((past.dir.as_ref()?, one.name.as_ref()?)));
        let Some((dir, name)) = found else { return Err(no_such_version(uri, id)) };
        let file = File::from(fsys::open_file(dir, &[name]).map_err(wrong)?);
        let stamp = Stamp::of(&rustix::fs::fstat(&file).map_err(wrong)?);
        let mut info = info_from(uri.clone(), &stamp, self.records.read(&file, &stamp));
        info.version = Some(id.to_owned());
        Ok((file, info))
    }
}
