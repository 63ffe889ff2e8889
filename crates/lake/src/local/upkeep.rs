//! Buckets as folders, and what is left behind by writers that were killed.

use super::disk::Disk;
use super::fsys;
use super::record::Stamp;
use crate::object::{BucketInfo, SweepReport};
use crate::private::{Private, failed};
use crate::store::{Bound, ScanRequest};
use chrono::{DateTime, Utc};
use model::{BucketName, Error, LakeUri, Result};
use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;

impl Disk {
    pub(crate) fn create_bucket(&self, bucket: &BucketName) -> Result<()> {
        match rustix::fs::mkdirat(&self.buckets, bucket.as_str(), Mode::from_raw_mode(0o755)) {
            Ok(()) => {
                let wrong = |e| failed("create the bucket", bucket, e);
                rustix::fs::fsync(&self.buckets).map_err(wrong)?;
                // Left by a process that was killed while it deleted one of that name.
                self.forget_status(bucket).map_err(wrong)
            }
            Err(Errno::EXIST) => Err(Error::already_exists(format!("bucket `{bucket}` exists already"))),
            Err(errno) => Err(failed("create the bucket", bucket, errno)),
        }
    }

    /// Removes a bucket that holds no object; empty folders go with it, and uploads under way are aborted.
    pub(crate) fn delete_bucket(&self, bucket: &BucketName) -> Result<()> {
        let request = ScanRequest {
            bucket: bucket.clone(),
            prefix: String::new(),
            bound: Bound::From(String::new()),
            delimiter: None,
            limit: 1,
        };
        let wrong = |errno| failed("delete the bucket", bucket, errno);
        let is_empty = self.scan(&request)?.items.is_empty();
        if is_empty && !self.keeps_nothing(bucket).map_err(wrong)? {
            return Err(Error::conflict(format!("bucket `{bucket}` is not empty: it keeps former versions"))
                .hint("delete all versions and delete markers first"));
        }
        if !is_empty || !fsys::remove_empty(&self.buckets, bucket.as_str(), 1000).map_err(wrong)? {
            return Err(Error::conflict(format!("bucket `{bucket}` is not empty"))
                .hint("delete its objects first; links and other things that are no objects count too"));
        }
        rustix::fs::fsync(&self.buckets).map_err(wrong)?;
        fsys::remove_all(&self.odd, bucket.as_str()).map_err(wrong)?;
        fsys::remove_all(&self.uploads, bucket.as_str()).map_err(wrong)?;
        self.forget_status(bucket).map_err(wrong)
    }

    pub(crate) fn list_buckets(&self) -> Result<Vec<BucketInfo>> {
        let wrong = |errno| failed("list", "buckets", errno);
        let mut buckets = Vec::new();
        for name in fsys::names(&self.buckets).map_err(wrong)? {
            let Ok(bucket) = BucketName::new(name.as_str()) else { continue };
            let Ok(dir) = fsys::open_dir(&self.buckets, &[&name]) else { continue };
            let file = std::fs::File::from(dir);
            let times = file.metadata().ok();
            let created = times.and_then(|times| times.created().or_else(|_| times.modified()).ok());
            buckets.push(BucketInfo { name: bucket, created: created.map(DateTime::<Utc>::from) });
        }
        buckets.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(buckets)
    }

    /// What tells a file's content from any other the key may have.
    pub(crate) fn stamp(&self, uri: &LakeUri) -> Result<String> {
        let bucket = self.bucket(uri.bucket())?;
        match self.find(&bucket, uri)? {
            Some(found) => Ok(found.stamp.etag()),
            None => Err(Self::no_object(uri)),
        }
    }

    /// Drops a staged file.
    pub(crate) fn discard(&self, commit: &str, name: &str) -> Result<()> {
        let wrong = |errno| failed("remove", format!("lake/staging/{commit}/{name}"), errno);
        let dir = match fsys::open_dir(&self.private.staging, &[commit]) {
            Ok(dir) => dir,
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(wrong(errno)),
        };
        if let Ok(stat) = fsys::stat(&dir, name) {
            self.records.forget(Stamp::of(&stat).inode);
        }
        fsys::unlink(&dir, name).map_err(wrong)?;
        drop(dir);
        match rustix::fs::unlinkat(&self.private.staging, commit, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST) => Ok(()),
            Err(errno) => Err(wrong(errno)),
        }
    }

    /// Removes files of writers that are gone, uploads nobody completed, and records of files that are gone.
    pub(crate) fn sweep(&self, older_than: DateTime<Utc>) -> Result<SweepReport> {
        let mut report = SweepReport::default();
        let wrong = |errno| failed("sweep", "lake", errno);
        self.sweep_tmp(Some(older_than), &mut report)?;
        self.sweep_uploads(older_than, &mut report)?;
        let keep = |owner: &str, stamp: &Stamp| stamp.modified() > older_than || self.is_kept(owner, stamp);
        report.metadata = self.records.sweep(keep).map_err(wrong)?;
        Ok(report)
    }

    /// Removes half-written files of writers that are gone.
    pub(crate) fn sweep_tmp(
        &self,
        older_than: Option<DateTime<Utc>>,
        report: &mut SweepReport,
    ) -> Result<()> {
        let wrong = |errno| failed("sweep", "lake", errno);
        let living = self.private.living().map_err(wrong)?;
        for name in fsys::names(&self.private.tmp).map_err(wrong)? {
            let Ok(stat) = fsys::stat(&self.private.tmp, &name) else { continue };
            let stamp = Stamp::of(&stat);
            if living.contains(Private::owner_of(&name))
                || older_than.is_some_and(|time| stamp.modified() > time)
            {
                continue;
            }
            fsys::unlink(&self.private.tmp, &name).map_err(wrong)?;
            self.records.forget(stamp.inode);
            report.temporary_files += 1;
            report.bytes += stamp.size;
        }
        Ok(())
    }

    /// Removes a staged commit with its files; returns how many bytes they had.
    pub(crate) fn drop_staging(&self, commit: &str) -> Result<u64> {
        let wrong = |errno| failed("sweep", format!("lake/staging/{commit}"), errno);
        let mut bytes = 0;
        if let Ok(dir) = fsys::open_dir(&self.private.staging, &[commit]) {
            for name in fsys::names(&dir).map_err(wrong)? {
                if let Ok(stat) = fsys::stat(&dir, &name) {
                    bytes += Stamp::of(&stat).size;
                    self.records.forget(Stamp::of(&stat).inode);
                }
            }
        }
        fsys::remove_all(&self.private.staging, commit).map_err(wrong)?;
        Ok(bytes)
    }

    fn sweep_uploads(&self, older_than: DateTime<Utc>, report: &mut SweepReport) -> Result<()> {
        let wrong = |errno| failed("sweep", "lake/uploads", errno);
        for bucket in fsys::names(&self.uploads).map_err(wrong)? {
            let Ok(base) = fsys::open_dir(&self.uploads, &[&bucket]) else { continue };
            for id in fsys::names(&base).map_err(wrong)? {
                let Ok(dir) = fsys::open_dir(&base, &[&id]) else { continue };
                let stat = rustix::fs::fstat(&dir).map_err(wrong)?;
                if Stamp::of(&stat).modified() > older_than {
                    continue;
                }
                for part in fsys::names(&dir).map_err(wrong)? {
                    report.bytes += fsys::stat(&dir, &part).map_or(0, |stat| Stamp::of(&stat).size);
                }
                fsys::remove_all(&base, &id).map_err(wrong)?;
                report.uploads += 1;
            }
        }
        Ok(())
    }

    /// Whether a record belongs to a file that still is that object, or to a part or staged file that may become one.
    fn is_kept(&self, owner: &str, stamp: &Stamp) -> bool {
        let Some((bucket, key)) = owner.split_once('/') else { return false };
        let Ok(uri) = BucketName::new(bucket).and_then(|bucket| LakeUri::new(bucket, key)) else {
            return false;
        };
        let present = self.bucket(uri.bucket()).ok().and_then(|dir| self.find(&dir, &uri).ok().flatten());
        let is_former = || {
            let kept = self.kept(&uri).map(|(_, kept)| kept).unwrap_or_default();
            kept.iter().any(|one| one.stamp.inode == stamp.inode)
        };
        present.is_some_and(|found| found.stamp == *stamp) || is_former() || self.is_waiting(stamp.inode)
    }

    fn is_waiting(&self, inode: u64) -> bool {
        let holds = |dir: &std::os::fd::OwnedFd| {
            let names = fsys::names(dir).unwrap_or_default();
            names.iter().any(|name| fsys::stat(dir, name).is_ok_and(|stat| Stamp::of(&stat).inode == inode))
        };
        let below = |base: &std::os::fd::OwnedFd| {
            let names = fsys::names(base).unwrap_or_default();
            names.iter().any(|name| fsys::open_dir(base, &[name]).is_ok_and(|dir| holds(&dir)))
        };
        let uploads = fsys::names(&self.uploads).unwrap_or_default();
        holds(&self.private.tmp)
            || below(&self.private.staging)
            || uploads
                .iter()
                .any(|bucket| fsys::open_dir(&self.uploads, &[bucket]).is_ok_and(|dir| below(&dir)))
    }
}
