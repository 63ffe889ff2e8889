//! Removing: a key's file, or, where versions are kept, what is seen of it; and one version for good.

use super::disk::{Disk, Found};
use super::escape;
use super::fsys;
use super::past::Past;
use super::versions::Kept;
use crate::object::{Deleted, bare_etag};
use crate::private::failed;
use crate::versions::{NULL, Versioning, no_such_version};
use model::{Error, ErrorKind, LakeUri, Place, Result};
use std::os::fd::{AsFd as _, OwnedFd};

impl Disk {
    /// Removes a key's object, only the one with this ETag if there is one given. With `sync` it is gone from the disk
    /// when this returns.
    pub(crate) fn remove(&self, uri: &LakeUri, sync: bool, etag: Option<&str>) -> Result<Deleted> {
        let bucket = self.bucket(uri.bucket())?;
        let wrong = |errno| failed("delete", uri, errno);
        let _lock = self.private.lock_key(uri.bucket(), uri.key()).map_err(wrong)?;
        let status = self.status(uri.bucket())?;
        let is_asked = etag.is_some() || status.is_some();
        let found = if is_asked { self.find(&bucket, uri)? } else { None };
        if let Some(etag) = etag {
            let Some(found) = &found else { return Ok(Deleted::default()) };
            if bare_etag(etag) != self.info(uri, found).etag {
                let error = Error::new(ErrorKind::PreconditionFailed, "the object has changed");
                return Err(error.at(Place::object(uri)));
            }
        }
        let Some(status) = status else {
            self.take_away(&bucket, uri, sync, None)?;
            return Ok(Deleted::default());
        };
        let mut floor = self.kept(uri)?.1.first().map_or(0, |kept| kept.which.order.saturating_add(1));
        if let Some(found) = &found {
            let record = self.records.read_at(found.dir.as_fd(), &found.name, &found.stamp);
            let which = self.identify(uri, &status, &found.stamp, record.as_ref())?;
            let stays = status.versioning == Versioning::Enabled || which.id != NULL;
            if stays {
                self.keep(uri, found, &which)?;
            }
            crashpoint::hit("lake.version.kept");
            self.take_away(&bucket, uri, true, stays.then_some(found.stamp.inode))?;
            floor = floor.max(which.order.saturating_add(1));
        }
        crashpoint::hit("lake.version.mark");
        let id = self.mark(uri, &status, floor)?;
        if id == NULL {
            let newest = self.kept(uri)?.1.into_iter().find_map(|kept| kept.name);
            self.drop_nulls(uri, newest.as_deref())?;
        }
        Ok(Deleted { version: Some(id), is_marker: true, restored: false })
    }

    /// Removes a version or a delete marker for good. What was before the newest one takes its place.
    pub(crate) fn remove_version(&self, uri: &LakeUri, id: &str) -> Result<Deleted> {
        let absent = no_such_version(uri, id);
        if absent.kind() == ErrorKind::InvalidInput {
            return Err(absent);
        }
        let bucket = self.bucket(uri.bucket())?;
        let wrong = |errno| failed("delete a version of", uri, errno);
        let _lock = self.private.lock_key(uri.bucket(), uri.key()).map_err(wrong)?;
        let mut deleted = Deleted { version: Some(id.to_owned()), ..Deleted::default() };
        let Some(status) = self.status(uri.bucket())? else {
            if id == NULL {
                self.take_away(&bucket, uri, true, None)?;
            }
            return Ok(deleted);
        };
        let past = self.past(&bucket, uri, &status)?;
        if let Some(current) = past.current.as_ref().filter(|current| current.which.id == id) {
            // Else a link that a killed writer left would be a former version again.
            self.drop_kept(uri, past.dir.as_ref().filter(|_| !past.spent.is_empty()), &past.spent)?;
            match past.kept.first().filter(|one| !one.is_marker) {
                Some(former) => {
                    self.restore(&bucket, uri, &past, former)?;
                    self.records.forget(current.found.stamp.inode);
                    deleted.restored = true;
                }
                None => self.take_away(&bucket, uri, true, None)?,
            }
        } else if let Some(at) = past.kept.iter().position(|one| one.which.id == id) {
            let one = &past.kept[at];
            deleted.is_marker = one.is_marker;
            let is_newest = at == 0 && past.current.is_none();
            if is_newest
                && one.is_marker
                && let Some(former) = past.kept.get(1).filter(|one| !one.is_marker)
            {
                self.restore(&bucket, uri, &past, former)?;
                deleted.restored = true;
                crashpoint::hit("lake.version.restored");
            }
            let its = |spent: &&Kept| spent.which.id == id;
            let mut gone: Vec<Kept> = past.spent.iter().filter(its).cloned().collect();
            gone.push(one.clone());
            self.drop_kept(uri, past.dir.as_ref(), &gone)?;
            for one in gone.iter().filter(|one| one.name.is_some()) {
                self.records.forget(one.stamp.inode);
            }
        }
        self.prune_kept(uri);
        Ok(deleted)
    }

    /// Makes a former version the key's file again, in one step.
    fn restore(&self, bucket: &OwnedFd, uri: &LakeUri, past: &Past, former: &Kept) -> Result<()> {
        let wrong = |errno| failed("restore a version of", uri, errno);
        let (Some(dir), Some(name)) = (&past.dir, &former.name) else {
            return Err(Error::internal("a version without a file cannot be restored"));
        };
        let now = self.move_in(bucket, (dir, name), uri, false, true).map_err(|stop| stop.error(uri))?;
        rustix::fs::fsync(&now.dir).map_err(wrong)?;
        self.drop_twin(uri, &now, None)?;
        rustix::fs::fsync(dir).map_err(wrong)
    }

    /// A file of the same key in the other tree, which a new visible one has replaced. `spared`: the inode of one whose
    /// record is still needed.
    pub(crate) fn drop_twin(&self, uri: &LakeUri, now: &Found, spared: Option<u64>) -> Result<()> {
        if now.visible
            && let Ok(Some(twin)) = self.find_odd(uri)
        {
            fsys::unlink(&twin.dir, &twin.name).map_err(|errno| failed("replace", uri, errno))?;
            rustix::fs::fsync(&twin.dir).map_err(|errno| failed("replace", uri, errno))?;
            if spared != Some(twin.stamp.inode) {
                self.records.forget(twin.stamp.inode);
            }
        }
        Ok(())
    }

    /// Takes a key's file away, wherever it stands. The caller holds the key's lock.
    fn take_away(&self, bucket: &OwnedFd, uri: &LakeUri, sync: bool, spared: Option<u64>) -> Result<()> {
        let wrong = |errno| failed("delete", uri, errno);
        while let Some(found) = self.find(bucket, uri)? {
            crashpoint::hit("lake.delete");
            fsys::unlink(&found.dir, &found.name).map_err(wrong)?;
            if sync {
                rustix::fs::fsync(&found.dir).map_err(wrong)?;
            }
            crashpoint::hit("lake.delete.done");
            if spared != Some(found.stamp.inode) {
                self.records.forget(found.stamp.inode);
            }
            if found.visible
                && let Some((_, folders)) = escape::visible(uri.key()).as_deref().and_then(<[_]>::split_last)
            {
                fsys::prune(bucket, folders);
            } else if !found.visible
                && let Some((_, folders)) = escape::odd(uri.key()).split_last()
                && let Ok(base) = fsys::open_dir(&self.odd, &[uri.bucket().as_str()])
            {
                fsys::prune(base, folders);
            }
        }
        Ok(())
    }
}
