//! Objects as files: where a key's file is, and how a finished file takes its place there.
//!
//! A key stands in the visible tree where the file system can hold it, else in the odd tree. It is looked for in the
//! visible tree first, so what a person sees is what counts; a write leaves it in exactly one of the two.

use super::cache::ListingCache;
use super::escape;
use super::fsys;
use super::meta::Records;
use super::record::{Record, Stamp};
use super::status::Versions;
use crate::object::{ObjectInfo, PutMode};
use crate::private::{Private, failed};
use model::{BucketName, Error, ErrorKind, LakeUri, Place, Result};
use rustix::fs::{Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// How often a write tries again when folders come and go under it.
const ATTEMPTS: usize = 1000;
/// How deep a tree of empty folders may be that gives way to an object.
const EMPTY_DEPTH: u32 = 100;

/// The local backend's open folders.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) private: Arc<Private>,
    pub(crate) buckets: OwnedFd,
    pub(crate) odd: OwnedFd,
    pub(crate) uploads: OwnedFd,
    pub(crate) versions: Versions,
    pub(crate) records: Records,
    pub(crate) cache: ListingCache,
    /// Whether `A` and `a` are one name here.
    folds: bool,
}

/// A key's file.
pub(crate) struct Found {
    pub(crate) dir: OwnedFd,
    pub(crate) name: String,
    pub(crate) stamp: Stamp,
    pub(crate) visible: bool,
}

/// Why a file could not take its place.
pub(crate) enum Stop {
    /// This tree cannot hold the key.
    Blocked,
    /// Something changed underneath.
    Again,
    /// Somebody put a file there.
    Taken,
    Failed(Errno),
}

impl Stop {
    pub(crate) fn error(self, uri: &LakeUri) -> Error {
        match self {
            Self::Taken => exists(uri),
            Self::Failed(errno) => failed("write", uri, errno),
            Self::Again | Self::Blocked => {
                Error::conflict("the folders of this key change faster than it can be written")
                    .at(Place::object(uri))
            }
        }
    }
}

impl Disk {
    /// Opens the folders and finds out what the file system can do.
    pub(crate) fn open(private: Arc<Private>, sidecars: bool) -> Result<Self> {
        let root = private.root.clone();
        let wrong = |errno| failed("open", root.display(), errno);
        let open = |name: &str| fsys::ensure_dir(&private.base, &[name]).map_err(wrong);
        let (odd, uploads, meta) = (open("odd")?, open("uploads")?, open("meta")?);
        let versions = Versions::new(open("versions")?);
        let folder = root.join("buckets");
        std::fs::create_dir_all(&folder)
            .map_err(|e| Error::unavailable(format!("cannot create `{}`", folder.display())).source_is(e))?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let buckets = rustix::fs::open(&folder, flags, Mode::empty()).map_err(wrong)?;
        let name = private.fresh_name();
        let records = Records::probe(&private.tmp, &name, meta, sidecars).map_err(wrong)?;
        let probe = format!("{}Aa", private.fresh_name());
        drop(private.create_tmp(&probe).map_err(wrong)?);
        let folds = fsys::stat(&private.tmp, &probe.to_lowercase()).is_ok();
        fsys::unlink(&private.tmp, &probe).map_err(wrong)?;
        // Without a name, so that it is gone with the process.
        let name = private.fresh_name();
        let clock = private.create_tmp(&name).map_err(wrong)?;
        fsys::unlink(&private.tmp, &name).map_err(wrong)?;
        Ok(Self { buckets, odd, uploads, versions, records, cache: ListingCache::new(clock), folds, private })
    }

    /// The bucket's folder.
    pub(crate) fn bucket(&self, bucket: &BucketName) -> Result<OwnedFd> {
        match fsys::open_dir(&self.buckets, &[bucket.as_str()]) {
            Ok(dir) => Ok(dir),
            Err(errno) if fsys::is_absent(errno) => Err(self.no_bucket(bucket)),
            Err(errno) => Err(failed("open the bucket", bucket, errno)),
        }
    }

    fn no_bucket(&self, bucket: &BucketName) -> Error {
        let known = fsys::names(&self.buckets).unwrap_or_default();
        let mut known: Vec<&str> = known.iter().map(String::as_str).collect();
        known.sort_unstable();
        let error = Error::not_found(format!("bucket `{bucket}` does not exist"));
        match known.is_empty() {
            true => {
                error.hint(format!("make it: a folder `buckets/{bucket}` in the data directory is a bucket"))
            }
            false => error.hint(model::nearest_hint(bucket.as_str(), known)),
        }
    }

    pub(crate) fn no_object(uri: &LakeUri) -> Error {
        Error::not_found("there is no such object").at(Place::object(uri))
    }

    /// Looks a key up: in the visible tree, then in the odd one.
    pub(crate) fn find(&self, bucket: &OwnedFd, uri: &LakeUri) -> Result<Option<Found>> {
        let found = match self.find_visible(bucket, uri.key()) {
            Ok(None) => self.find_odd(uri),
            other => other,
        };
        found.map_err(|errno| failed("look up", uri, errno))
    }

    fn find_visible(&self, bucket: &OwnedFd, key: &str) -> Result<Option<Found>, Errno> {
        let Some(segments) = escape::visible(key) else { return Ok(None) };
        if self.folds && !self.is_exact(bucket, &segments)? {
            return Ok(None);
        }
        find_in(bucket, &segments, true)
    }

    pub(crate) fn find_odd(&self, uri: &LakeUri) -> Result<Option<Found>, Errno> {
        match fsys::open_dir(&self.odd, &[uri.bucket().as_str()]) {
            Ok(base) => find_in(&base, &escape::odd(uri.key()), false),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Where names fold, whether each segment is written exactly so on disk.
    fn is_exact(&self, bucket: &OwnedFd, segments: &[&str]) -> Result<bool, Errno> {
        for depth in 0..segments.len() {
            let dir = match fsys::open_dir(bucket, &segments[..depth]) {
                Ok(dir) => dir,
                Err(errno) if fsys::is_absent(errno) => return Ok(false),
                Err(errno) => return Err(errno),
            };
            if !fsys::names(&dir)?.iter().any(|name| name == segments[depth]) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a new file may stand in the visible tree: where names fold, only one that has no twin.
    fn may_be_visible<'k>(&self, bucket: &OwnedFd, key: &'k str) -> Option<Vec<&'k str>> {
        let segments = escape::visible(key)?;
        let taken_by_twin = || match find_in(bucket, &segments, true) {
            Ok(found) => found.is_some() && !self.is_exact(bucket, &segments).unwrap_or(false),
            Err(_) => true,
        };
        (!self.folds || (!escape::may_fold(key) && !taken_by_twin())).then_some(segments)
    }

    /// The facts of a found file.
    pub(crate) fn info(&self, uri: &LakeUri, found: &Found) -> ObjectInfo {
        let record = self.records.read_at(found.dir.as_fd(), &found.name, &found.stamp);
        info_from(uri.clone(), &found.stamp, record)
    }

    /// Opens a key's file for reading. What happens to the key later does not touch it.
    pub(crate) fn open_object(&self, uri: &LakeUri) -> Result<(File, ObjectInfo)> {
        let bucket = self.bucket(uri.bucket())?;
        for _ in 0..ATTEMPTS {
            let Some(found) = self.find(&bucket, uri)? else { return Err(Self::no_object(uri)) };
            let file = match fsys::open_file(&found.dir, &[&found.name]) {
                Ok(file) => File::from(file),
                Err(errno) if fsys::is_absent(errno) => continue,
                Err(errno) => return Err(failed("open", uri, errno)),
            };
            let stat = rustix::fs::fstat(&file).map_err(|errno| failed("open", uri, errno))?;
            let stamp = Stamp::of(&stat);
            if !fsys::is_file(&stat) {
                continue;
            }
            let record = self.records.read(&file, &stamp);
            // A replaced file's sidecar is dropped: what looks like a file without record may just be an old one.
            if record.is_none() && self.records.need_owner() {
                let still = fsys::stat(&found.dir, &found.name).is_ok_and(|now| Stamp::of(&now) == stamp);
                if !still {
                    continue;
                }
            }
            let version = self.version_id(uri, &stamp, record.as_ref())?;
            return Ok((file, ObjectInfo { version, ..info_from(uri.clone(), &stamp, record) }));
        }
        Err(Error::conflict("the object changes faster than it can be opened").at(Place::object(uri)))
    }

    /// The facts of a key's object.
    pub(crate) fn head(&self, uri: &LakeUri) -> Result<ObjectInfo> {
        self.open_object(uri).map(|(_, info)| info)
    }

    /// Lets a finished, synced file take its key's place, if `mode` allows, and returns the id of the version that it
    /// makes. The folder is on disk when this returns.
    pub(crate) fn place(
        &self,
        from: &OwnedFd,
        name: &str,
        uri: &LakeUri,
        mode: &PutMode,
    ) -> Result<Option<String>> {
        let (dir, version) = self.place_with(from, name, uri, mode, true)?;
        rustix::fs::fsync(&dir).map_err(|errno| failed("write", uri, errno))?;
        crashpoint::hit("lake.put.done");
        Ok(version)
    }

    /// The same without waiting for the folder or those above it that are made: whoever calls brings them to disk.
    pub(crate) fn place_unsynced(&self, from: &OwnedFd, name: &str, uri: &LakeUri) -> Result<()> {
        self.place_with(from, name, uri, &PutMode::Overwrite, false).map(drop)
    }

    fn place_with(
        &self,
        from: &OwnedFd,
        name: &str,
        uri: &LakeUri,
        mode: &PutMode,
        synced: bool,
    ) -> Result<(OwnedFd, Option<String>)> {
        let bucket = self.bucket(uri.bucket())?;
        let lock =
            self.private.lock_key(uri.bucket(), uri.key()).map_err(|errno| failed("lock", uri, errno))?;
        let before = self.find(&bucket, uri)?;
        check_mode(mode, uri, before.as_ref().map(|found| self.info(uri, found)).as_ref())?;
        let placing = self.prepare_version(from, name, uri, before.as_ref())?;
        let create = *mode == PutMode::Create;
        let now = self.move_in(&bucket, (from, name), uri, create, synced).map_err(|stop| stop.error(uri))?;
        if let Some(before) = before {
            let spared = placing.keeps.then_some(before.stamp.inode);
            // The same key in the other tree: the new file has replaced it.
            self.drop_twin(uri, &now, spared)?;
            if spared.is_none() {
                self.records.forget(before.stamp.inode);
            }
        }
        if placing.replaces_null {
            self.drop_nulls(uri, None)?;
        }
        drop(lock);
        Ok((now.dir, placing.id))
    }

    pub(crate) fn move_in(
        &self,
        bucket: &OwnedFd,
        (from, name): (&OwnedFd, &str),
        uri: &LakeUri,
        create: bool,
        synced: bool,
    ) -> Result<Found, Stop> {
        let odd = escape::odd(uri.key());
        for _ in 0..ATTEMPTS {
            let placed = match self.may_be_visible(bucket, uri.key()) {
                Some(segments) => {
                    let made = |folders: &[&str]| fsys::make_dirs(bucket, folders, synced);
                    move_to(made, &segments, (from, name), create, true)
                }
                None => Err(Stop::Blocked),
            };
            let placed = match placed {
                Err(Stop::Blocked) => fsys::ensure_dir(&self.odd, &[uri.bucket().as_str()])
                    .map_err(Stop::Failed)
                    .and_then(|base| {
                        let made = |folders: &[String]| fsys::ensure_dir(&base, folders);
                        move_to(made, &odd, (from, name), create, false)
                    }),
                other => other,
            };
            match placed {
                Err(Stop::Again) => {}
                other => return other,
            }
        }
        Err(Stop::Again)
    }

    /// Brings the folders above those of these keys to disk: some may have been made.
    pub(crate) fn sync_folders_above(&self, uris: &[LakeUri]) -> Result<()> {
        let mut all: BTreeMap<(&BucketName, Vec<String>), &LakeUri> = BTreeMap::new();
        for uri in uris {
            let path = escape::visible(uri.key()).unwrap_or_default();
            for depth in 0..path.len().saturating_sub(1) {
                let folders = path.get(..depth).unwrap_or_default().iter().map(ToString::to_string).collect();
                all.entry((uri.bucket(), folders)).or_insert(uri);
            }
        }
        for ((bucket, folders), uri) in all {
            let wrong = |errno| failed("write", uri, errno);
            match fsys::open_dir(&self.bucket(bucket)?, &folders) {
                Ok(dir) => rustix::fs::fsync(dir).map_err(wrong)?,
                Err(errno) if fsys::is_absent(errno) => {}
                Err(errno) => return Err(wrong(errno)),
            }
        }
        Ok(())
    }

    /// Brings the folders of a key to disk, in both trees. Of a folder that is gone, the one above tells so.
    pub(crate) fn sync_folders_of(&self, uri: &LakeUri) -> Result<()> {
        let wrong = |errno| failed("write", uri, errno);
        if let Some((_, folders)) = escape::visible(uri.key()).as_deref().and_then(<[_]>::split_last) {
            sync_nearest(&self.bucket(uri.bucket())?, folders).map_err(wrong)?;
        }
        match fsys::open_dir(&self.odd, &[uri.bucket().as_str()]) {
            Ok(base) => {
                let path = escape::odd(uri.key());
                sync_nearest(&base, &path[..path.len().saturating_sub(1)]).map_err(wrong)
            }
            Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(wrong(errno)),
        }
    }
}

fn sync_nearest<S: AsRef<str>>(base: &OwnedFd, folders: &[S]) -> Result<(), Errno> {
    for depth in (0..=folders.len()).rev() {
        match fsys::open_dir(base, &folders[..depth]) {
            Ok(dir) => return rustix::fs::fsync(dir),
            Err(errno) if fsys::is_absent(errno) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn exists(uri: &LakeUri) -> Error {
    Error::already_exists("the object exists already").at(Place::object(uri))
}

/// Whether a write may go on, given what is there.
pub(crate) fn check_mode(mode: &PutMode, uri: &LakeUri, before: Option<&ObjectInfo>) -> Result<()> {
    match (mode, before) {
        (PutMode::Create, Some(_)) => Err(exists(uri)),
        (PutMode::Match(_), None) => Err(Disk::no_object(uri)),
        (PutMode::Match(etag), Some(info)) if crate::object::bare_etag(etag) != info.etag => {
            let text = format!("the object has changed: its etag is \"{}\", not \"{etag}\"", info.etag);
            Err(Error::new(ErrorKind::PreconditionFailed, text).at(Place::object(uri)))
        }
        _ => Ok(()),
    }
}

/// The facts of an object from its file's.
pub(crate) fn info_from(uri: LakeUri, stamp: &Stamp, record: Option<Record>) -> ObjectInfo {
    let known = record.is_some();
    let record = record.unwrap_or_default();
    ObjectInfo {
        uri,
        size: stamp.size,
        etag: if known { record.etag } else { stamp.etag() },
        last_modified: stamp.modified(),
        checksums: record.sums,
        content_type: record.content_type,
        headers: record.headers,
        metadata: record.metadata,
        version: None,
    }
}

fn find_in<S: AsRef<str>>(base: &OwnedFd, segments: &[S], visible: bool) -> Result<Option<Found>, Errno> {
    let Some((name, folders)) = segments.split_last() else { return Ok(None) };
    let found =
        fsys::open_dir(base, folders).and_then(|dir| fsys::stat(&dir, name.as_ref()).map(|stat| (dir, stat)));
    match found {
        Ok((dir, stat)) if fsys::is_file(&stat) => {
            Ok(Some(Found { dir, name: name.as_ref().to_owned(), stamp: Stamp::of(&stat), visible }))
        }
        Ok(_) => Ok(None),
        Err(errno) if fsys::is_absent(errno) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// One attempt to rename a file into its place.
fn move_to<S: AsRef<str>>(
    made: impl Fn(&[S]) -> Result<OwnedFd, Errno>,
    segments: &[S],
    (from, from_name): (&OwnedFd, &str),
    create: bool,
    visible: bool,
) -> Result<Found, Stop> {
    let Some((name, folders)) = segments.split_last() else { return Err(Stop::Blocked) };
    let name = name.as_ref();
    let dir = made(folders).map_err(stop)?;
    match fsys::stat(&dir, name) {
        Ok(stat) if fsys::is_dir(&stat) => {
            if !fsys::remove_empty(&dir, name, EMPTY_DEPTH).map_err(stop)? {
                return Err(Stop::Blocked);
            }
        }
        Ok(stat) if !fsys::is_file(&stat) => return Err(Stop::Blocked),
        Ok(_) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(stop(errno)),
    }
    let stat: Stat = fsys::stat(from, from_name).map_err(Stop::Failed)?;
    crashpoint::hit("lake.put.before_rename");
    match rename(from, from_name, &dir, name, create) {
        Ok(()) => Ok(Found { dir, name: name.to_owned(), stamp: Stamp::of(&stat), visible }),
        Err(Errno::EXIST) => match fsys::stat(&dir, name) {
            Ok(now) if fsys::is_file(&now) => Err(Stop::Taken),
            _ => Err(Stop::Again),
        },
        Err(Errno::ISDIR | Errno::NOTEMPTY) => Err(Stop::Again),
        Err(Errno::XDEV) => Err(Stop::Failed(Errno::XDEV)),
        Err(errno) => Err(stop(errno)),
    }
}

fn stop(errno: Errno) -> Stop {
    match errno {
        Errno::NOENT => Stop::Again,
        errno if fsys::is_blocked(errno) => Stop::Blocked,
        errno => Stop::Failed(errno),
    }
}

fn rename(from: &OwnedFd, old: &str, to: &OwnedFd, new: &str, create: bool) -> Result<(), Errno> {
    if !create {
        return rustix::fs::renameat(from, old, to, new);
    }
    match rustix::fs::renameat_with(from, old, to, new, RenameFlags::NOREPLACE) {
        // File systems without it: a hard link is as atomic.
        Err(Errno::NOSYS | Errno::INVAL) => {
            rustix::fs::linkat(from, old, to, new, rustix::fs::AtFlags::empty())?;
            fsys::unlink(from, old)
        }
        other => other,
    }
}
