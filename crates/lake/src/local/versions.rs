//! Former versions of a key: what was its file before is a hard link in a folder of the key's own under
//! `lake/versions/<bucket>/kept`, and so is an empty file for each delete marker. The current version is the plain file
//! in the bucket, always: an entry that is the same file, or has the same id, is one that a killed writer left.
//!
//! An entry's name is `<order>.<id>`, with `.deleted` behind a marker's. Orders grow with each version of a key.

use super::disk::{Disk, Found};
use super::escape;
use super::fsys;
use super::record::{Record, Stamp, Version};
use super::status::{KEPT, Status};
use crate::private::failed;
use crate::versions::{NULL, Versioning};
use model::{Error, LakeUri, Place, Result};
use rustix::fs::AtFlags;
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};

const MARKER: &str = ".deleted";
/// What stands behind the name of a key's own folder; the escape never writes it.
pub(crate) const FOLDER: &str = "@";
/// How often is tried again when folders come and go.
const ATTEMPTS: usize = 100;

/// Which version a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) order: u64,
    pub(crate) id: String,
}

/// A former version, or a delete marker.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) which: Identity,
    pub(crate) is_marker: bool,
    pub(crate) stamp: Stamp,
    /// None for the marker that stands for a file which somebody removed by hand.
    pub(crate) name: Option<String>,
}

/// What a write does about versions.
#[derive(Debug, Default)]
pub(crate) struct Placing {
    /// The id of the version that it makes; none where no versions are kept.
    pub(crate) id: Option<String>,
    /// Whether what it replaces stays.
    pub(crate) keeps: bool,
    /// Whether it replaces the version `null`, wherever that is.
    pub(crate) replaces_null: bool,
}

impl Version {
    pub(crate) fn identity(self) -> Identity {
        let id = match self.token {
            Some(token) => format!("{:016x}{token:016x}", self.order),
            None => NULL.to_owned(),
        };
        Identity { order: self.order, id }
    }
}

/// When a file was written, as an order.
pub(crate) fn order_of(stamp: &Stamp) -> u64 {
    let seconds = u64::try_from(stamp.seconds).unwrap_or_default();
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::from(stamp.nanos))
}

/// The order that an id carries, if it is one of those that do.
pub(crate) fn order_in(id: &str) -> Option<u64> {
    (id.len() == 32).then(|| u64::from_str_radix(id.get(..16)?, 16).ok()).flatten()
}

fn token() -> Result<u64> {
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::unavailable("the system gives no random bytes").source_is(e))?;
    Ok(u64::from_le_bytes(bytes))
}

fn kept_name(which: &Identity, is_marker: bool) -> String {
    format!("{:016x}.{}{}", which.order, which.id, if is_marker { MARKER } else { "" })
}

/// The folder of a key's versions below that of its bucket's.
fn folder_of(key: &str) -> Vec<String> {
    let mut path = escape::odd(key);
    if let Some(last) = path.last_mut() {
        last.push_str(FOLDER);
    }
    path
}

fn path_of(uri: &LakeUri) -> Vec<String> {
    let mut path = vec![uri.bucket().to_string(), KEPT.to_owned()];
    path.extend(folder_of(uri.key()));
    path
}

impl Disk {
    /// What is kept of a key as it stands on disk, the newest first.
    pub(crate) fn kept(&self, uri: &LakeUri) -> Result<(Option<OwnedFd>, Vec<Kept>)> {
        let wrong = |errno| failed("read the versions of", uri, errno);
        let dir = match fsys::open_dir(&self.versions.folder, &path_of(uri)) {
            Ok(dir) => dir,
            Err(errno) if fsys::is_absent(errno) => return Ok((None, Vec::new())),
            Err(errno) => return Err(wrong(errno)),
        };
        let mut kept = Vec::new();
        for name in fsys::names(&dir).map_err(wrong)? {
            let (body, is_marker) = match name.strip_suffix(MARKER) {
                Some(body) => (body, true),
                None => (name.as_str(), false),
            };
            let Some((order, id)) = body.split_once('.') else { continue };
            let Ok(order) = u64::from_str_radix(order, 16) else { continue };
            let stamp = match fsys::stat(&dir, &name) {
                Ok(stat) => Stamp::of(&stat),
                Err(Errno::NOENT) => continue,
                Err(errno) => return Err(wrong(errno)),
            };
            let which = Identity { order, id: id.to_owned() };
            kept.push(Kept { which, is_marker, stamp, name: Some(name) });
        }
        kept.sort_by(|a, b| (b.which.order, &b.which.id).cmp(&(a.which.order, &a.which.id)));
        Ok((Some(dir), kept))
    }

    /// Which version a key's file is. One that the lake did not write while versions were kept is `null` when it was
    /// there before, else what its facts say.
    pub(crate) fn identify(
        &self,
        uri: &LakeUri,
        status: &Status,
        stamp: &Stamp,
        record: Option<&Record>,
    ) -> Result<Identity> {
        if let Some(version) = record.and_then(|record| record.version) {
            return Ok(version.identity());
        }
        let order = order_of(stamp);
        let is_taken = |kept: &Kept| kept.which.id == NULL && kept.stamp.inode != stamp.inode;
        let is_null = (record.is_some() || order <= status.since) && !self.kept(uri)?.1.iter().any(is_taken);
        Ok(Identity { order, id: if is_null { NULL.to_owned() } else { stamp.etag() } })
    }

    /// The id of a key's file, where versions are kept.
    pub(crate) fn version_id(
        &self,
        uri: &LakeUri,
        stamp: &Stamp,
        record: Option<&Record>,
    ) -> Result<Option<String>> {
        let Some(status) = self.status(uri.bucket())? else { return Ok(None) };
        self.identify(uri, &status, stamp, record).map(|which| Some(which.id))
    }

    /// The version that a file gets when it is sealed, so that placing it rarely has to write it once more.
    pub(crate) fn first_version(&self, uri: &LakeUri, file: &File) -> Result<Option<Version>> {
        let Some(status) = self.status(uri.bucket())? else { return Ok(None) };
        let stat = rustix::fs::fstat(file).map_err(|errno| failed("write", uri, errno))?;
        new_version(&status, order_of(&Stamp::of(&stat))).map(Some)
    }

    /// Before a file takes its key's place: gives it its version, and keeps what it replaces. The caller holds the key's
    /// lock.
    pub(crate) fn prepare_version(
        &self,
        from: &OwnedFd,
        name: &str,
        uri: &LakeUri,
        before: Option<&Found>,
    ) -> Result<Placing> {
        let Some(status) = self.status(uri.bucket())? else { return Ok(Placing::default()) };
        let wrong = |errno| failed("write a version of", uri, errno);
        let file = File::from(fsys::open_file(from, &[name]).map_err(wrong)?);
        let stamp = Stamp::of(&rustix::fs::fstat(&file).map_err(wrong)?);
        let mut record = self.records.read(&file, &stamp).unwrap_or_else(|| Record {
            etag: stamp.etag(),
            owner: self.records.need_owner().then(|| format!("{}/{}", uri.bucket(), uri.key())),
            ..Record::default()
        });
        let was = match before {
            Some(found) => {
                let record = self.records.read_at(found.dir.as_fd(), &found.name, &found.stamp);
                Some(self.identify(uri, &status, &found.stamp, record.as_ref())?)
            }
            None => None,
        };
        let floor = match &was {
            Some(was) => was.order.saturating_add(1),
            None => self.kept(uri)?.1.first().map_or(0, |kept| kept.which.order.saturating_add(1)),
        };
        let is_enabled = status.versioning == Versioning::Enabled;
        let fits = |version: &Version| version.token.is_some() == is_enabled && version.order >= floor;
        let version = match record.version.filter(fits) {
            Some(version) => version,
            None => {
                let version = new_version(&status, order_of(&stamp).max(floor))?;
                record.version = Some(version);
                let spare = self.private.fresh_name();
                self.records.write(&file, &record, &self.private.tmp, &spare).map_err(wrong)?;
                rustix::fs::fsync(&file).map_err(wrong)?;
                version
            }
        };
        crashpoint::hit("lake.version.keep");
        let keeps = match (before, &was) {
            (Some(found), Some(was)) if is_enabled || was.id != NULL => {
                self.keep(uri, found, was)?;
                true
            }
            _ => false,
        };
        crashpoint::hit("lake.version.kept");
        Ok(Placing { id: Some(version.identity().id), keeps, replaces_null: !is_enabled })
    }

    /// The folder of a key's versions, made if it is not there. None when folders above go at this moment.
    fn key_folder(&self, uri: &LakeUri) -> Result<Option<OwnedFd>, Errno> {
        match fsys::ensure_dir(&self.versions.folder, &path_of(uri)) {
            Err(Errno::NOENT) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Links a key's file among its versions. Done before is done. On disk when this returns.
    pub(crate) fn keep(&self, uri: &LakeUri, found: &Found, which: &Identity) -> Result<()> {
        let wrong = |errno| failed("keep a version of", uri, errno);
        let name = kept_name(which, false);
        for _ in 0..ATTEMPTS {
            let Some(dir) = self.key_folder(uri).map_err(wrong)? else { continue };
            match rustix::fs::linkat(&found.dir, &found.name, &dir, &name, AtFlags::empty()) {
                Ok(()) => {}
                // Linked by a writer that was killed, or the same version that somebody has copied back by hand.
                Err(Errno::EXIST) => return rustix::fs::fsync(&dir).map_err(wrong),
                // Another key's last version went with its folders.
                Err(Errno::NOENT) if fsys::stat(&found.dir, &found.name).is_ok() => continue,
                Err(errno) => return Err(wrong(errno)),
            }
            let stat = fsys::stat(&dir, &name).map_err(wrong)?;
            if Stamp::of(&stat).inode != found.stamp.inode {
                fsys::unlink(&dir, &name).map_err(wrong)?;
                break;
            }
            if which.id == NULL {
                self.drop_nulls(uri, Some(&name))?;
            }
            return rustix::fs::fsync(&dir).map_err(wrong);
        }
        Err(Error::conflict("the file was changed by hand while a version was written")
            .at(Place::object(uri)))
    }

    /// Removes the version `null` among those kept, but for one.
    pub(crate) fn drop_nulls(&self, uri: &LakeUri, except: Option<&str>) -> Result<()> {
        let (dir, kept) = self.kept(uri)?;
        let is_spent = |one: &&Kept| one.which.id == NULL && one.name.as_deref() != except;
        let spent: Vec<Kept> = kept.iter().filter(is_spent).cloned().collect();
        if spent.is_empty() { Ok(()) } else { self.drop_kept(uri, dir.as_ref(), &spent) }
    }

    /// Removes entries of a key's folder, which goes with its last one.
    pub(crate) fn drop_kept(&self, uri: &LakeUri, dir: Option<&OwnedFd>, spent: &[Kept]) -> Result<()> {
        let Some(dir) = dir else { return Ok(()) };
        let wrong = |errno| failed("remove a version of", uri, errno);
        for one in spent {
            if let Some(name) = &one.name {
                fsys::unlink(dir, name).map_err(wrong)?;
            }
        }
        rustix::fs::fsync(dir).map_err(wrong)?;
        self.prune_kept(uri);
        Ok(())
    }

    /// Removes the folders of a key of which nothing is kept any more.
    pub(crate) fn prune_kept(&self, uri: &LakeUri) {
        if let Ok(base) = self.kept_base(uri.bucket()) {
            fsys::prune(base, &folder_of(uri.key()));
        }
    }

    /// Puts a delete marker in front of a key's versions and returns its id.
    pub(crate) fn mark(&self, uri: &LakeUri, status: &Status, floor: u64) -> Result<String> {
        let wrong = |errno| failed("mark as deleted", uri, errno);
        let name = self.private.fresh_name();
        let file = self.private.create_tmp(&name).map_err(wrong)?;
        let placed = (|| {
            let stamp = Stamp::of(&rustix::fs::fstat(&file).map_err(wrong)?);
            rustix::fs::fsync(&file).map_err(wrong)?;
            let which = new_version(status, order_of(&stamp).max(floor))?.identity();
            for _ in 0..ATTEMPTS {
                let Some(dir) = self.key_folder(uri).map_err(wrong)? else { continue };
                match rustix::fs::renameat(&self.private.tmp, &name, &dir, kept_name(&which, true)) {
                    Ok(()) => {
                        rustix::fs::fsync(&dir).map_err(wrong)?;
                        return Ok(which.id);
                    }
                    Err(Errno::NOENT) => {}
                    Err(errno) => return Err(wrong(errno)),
                }
            }
            Err(Error::conflict("the folders of versions change faster than a version can be kept")
                .at(Place::object(uri)))
        })();
        if placed.is_err() {
            let _ = fsys::unlink(&self.private.tmp, &name);
        }
        placed
    }
}

pub(super) fn new_version(status: &Status, order: u64) -> Result<Version> {
    let token = match status.versioning {
        Versioning::Enabled => Some(token()?),
        Versioning::Suspended => None,
    };
    Ok(Version { order, token })
}
