//! Where records are kept: as an extended attribute of the file itself, which moves with it in one rename, or, where
//! the file system has none, as a small file named after the inode.

use super::fsys;
use super::record::{Record, Stamp};
use rustix::fs::{Mode, OFlags, XattrFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

const ATTRIBUTE: &str = "user.glulam";
const MAX_RECORD: usize = 8192;

/// The records of one lake.
#[derive(Debug)]
pub(crate) enum Records {
    /// On the files.
    Attributes {
        /// Whether `/proc/self/fd` works, which saves opening each file of a listing.
        through_proc: bool,
    },
    /// In this folder.
    Sidecars(OwnedFd),
}

impl Records {
    /// Attributes when a file in `tmp` can carry one, else sidecars in `folder`.
    pub(crate) fn probe(tmp: &OwnedFd, name: &str, folder: OwnedFd, sidecars: bool) -> Result<Self, Errno> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
        let file = rustix::fs::openat(tmp, name, flags, Mode::from_raw_mode(0o600))?;
        // As large as the largest record, so that it does not fail later.
        let big = vec![b'x'; 3600];
        let works = !sidecars && rustix::fs::fsetxattr(&file, ATTRIBUTE, &big, XattrFlags::empty()).is_ok();
        let mut value = [0u8; 4096];
        let through_proc =
            rustix::fs::lgetxattr(proc_path(tmp.as_fd(), name), ATTRIBUTE, value.as_mut_slice()).is_ok();
        fsys::unlink(tmp, name)?;
        Ok(if works { Self::Attributes { through_proc } } else { Self::Sidecars(folder) })
    }

    /// Keeps a record for a file that is completely written. `spare` is an unused name in `tmp`.
    pub(crate) fn write(
        &self,
        file: &File,
        record: &Record,
        tmp: &OwnedFd,
        spare: &str,
    ) -> Result<Stamp, Errno> {
        let stamp = Stamp::of(&rustix::fs::fstat(file)?);
        let bytes = record.encode(&stamp);
        match self {
            Self::Attributes { .. } => {
                rustix::fs::fsetxattr(file, ATTRIBUTE, &bytes, XattrFlags::empty())?;
            }
            Self::Sidecars(folder) => {
                let flags = OFlags::CREATE | OFlags::TRUNC | OFlags::WRONLY | OFlags::CLOEXEC;
                let fd = rustix::fs::openat(tmp, spare, flags, Mode::from_raw_mode(0o644))?;
                let mut sidecar = File::from(fd);
                sidecar.write_all(&bytes).map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::IO))?;
                rustix::fs::fsync(&sidecar)?;
                let (shard, name) = sidecar_name(stamp.inode);
                let shard = fsys::ensure_dir(folder, &[shard])?;
                rustix::fs::renameat(tmp, spare, &shard, name)?;
                rustix::fs::fsync(&shard)?;
            }
        }
        Ok(stamp)
    }

    /// The record of an open file, if one fits it.
    pub(crate) fn read(&self, file: impl AsFd, stamp: &Stamp) -> Option<Record> {
        match self {
            Self::Attributes { .. } => fit(|buffer| rustix::fs::fgetxattr(&file, ATTRIBUTE, buffer), stamp),
            Self::Sidecars(folder) => read_sidecar(folder, stamp),
        }
    }

    /// The record of a file in an open folder.
    pub(crate) fn read_at(&self, dir: BorrowedFd<'_>, name: &str, stamp: &Stamp) -> Option<Record> {
        match self {
            Self::Attributes { through_proc: true } => {
                let path = proc_path(dir, name);
                fit(|buffer| rustix::fs::lgetxattr(path.as_str(), ATTRIBUTE, buffer), stamp)
            }
            Self::Attributes { through_proc: false } => {
                let file = fsys::open_file(dir, &[name]).ok()?;
                self.read(&file, stamp)
            }
            Self::Sidecars(folder) => read_sidecar(folder, stamp),
        }
    }

    /// Drops the record of a file that was removed or replaced.
    pub(crate) fn forget(&self, inode: u64) {
        if let Self::Sidecars(folder) = self {
            let (shard, name) = sidecar_name(inode);
            if let Ok(shard) = fsys::open_dir(folder, &[shard]) {
                let _ = fsys::unlink(shard, &name);
            }
        }
    }

    /// Calls `keep` with each sidecar's owner (`bucket/key`) and stamp, and removes those it turns down.
    pub(crate) fn sweep(&self, keep: impl Fn(&str, &Stamp) -> bool) -> Result<u64, Errno> {
        let Self::Sidecars(folder) = self else { return Ok(0) };
        let mut removed = 0;
        for shard in fsys::names(folder)? {
            let shard = fsys::open_dir(folder, &[shard])?;
            for name in fsys::names(&shard)? {
                let Ok(fd) = fsys::open_file(&shard, &[&name]) else { continue };
                let kept = read_all(fd)
                    .and_then(|bytes| Record::decode(&bytes))
                    .is_some_and(|(record, stamp)| record.owner.is_some_and(|owner| keep(&owner, &stamp)));
                if !kept {
                    fsys::unlink(&shard, &name)?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// Whether records name their owner.
    pub(crate) fn need_owner(&self) -> bool {
        matches!(self, Self::Sidecars(_))
    }
}

fn proc_path(dir: BorrowedFd<'_>, name: &str) -> String {
    format!("/proc/self/fd/{}/{name}", dir.as_raw_fd())
}

fn sidecar_name(inode: u64) -> (String, String) {
    (format!("{:02x}", inode & 0xff), format!("{inode:x}"))
}

fn read_sidecar(folder: &OwnedFd, stamp: &Stamp) -> Option<Record> {
    let (shard, name) = sidecar_name(stamp.inode);
    let bytes = read_all(fsys::open_file(folder, &[shard, name]).ok()?)?;
    Record::decode(&bytes).filter(|(_, made_for)| made_for == stamp).map(|(record, _)| record)
}

fn read_all(fd: OwnedFd) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::from(fd).take(MAX_RECORD as u64).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Reads an attribute with a buffer that nearly always suffices, or else with the largest, and checks that it fits. The
/// inode is not compared: a copy that carries size, time and attribute along has the same content.
fn fit(read: impl Fn(&mut [u8]) -> Result<usize, Errno>, stamp: &Stamp) -> Option<Record> {
    let mut small = [0u8; 256];
    let decoded = match read(&mut small) {
        Ok(length) => Record::decode(&small[..length]),
        Err(Errno::RANGE) => {
            let mut large = vec![0u8; MAX_RECORD];
            let length = read(&mut large).ok()?;
            Record::decode(&large[..length])
        }
        Err(_) => None,
    };
    let fits = |of: &Stamp| (of.size, of.seconds, of.nanos) == (stamp.size, stamp.seconds, stamp.nanos);
    decoded.filter(|(_, of)| fits(of)).map(|(record, _)| record)
}
