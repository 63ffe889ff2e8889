//! The lake's own folder: `root/lake`. Half-written files, staged commits and journals stand here, on the same file
//! system as the buckets, so that publishing is a rename. Everything temporary carries the name of the process that
//! made it, whose lock tells whether it still lives.

use crate::local::fsys;
use model::{BucketName, Error, Result};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::collections::HashSet;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const LOCKS: u64 = 256;
const RECOVERY: &str = "recovery.lock";

/// The open folders of `root/lake` and who we are in them.
#[derive(Debug)]
pub(crate) struct Private {
    pub(crate) root: PathBuf,
    pub(crate) base: OwnedFd,
    pub(crate) tmp: OwnedFd,
    pub(crate) staging: OwnedFd,
    pub(crate) commits: OwnedFd,
    locks: OwnedFd,
    owners: OwnedFd,
    owner: String,
    counter: AtomicU64,
    // Held for the life of this lake; the system frees it with the process, however that ends.
    _alive: File,
}

/// A file-system failure in words, with what we were about to do.
pub(crate) fn failed(doing: &str, what: impl std::fmt::Display, errno: Errno) -> Error {
    let error = match errno {
        Errno::ACCESS | Errno::PERM | Errno::ROFS => {
            Error::new(model::ErrorKind::Denied, format!("cannot {doing} `{what}`"))
                .hint("check who owns the data directory and whether it is mounted read-only")
        }
        Errno::NOSPC | Errno::DQUOT => {
            Error::unavailable(format!("cannot {doing} `{what}`: the disk is full"))
                .hint("free some space, or move the data directory")
        }
        Errno::MFILE | Errno::NFILE => {
            Error::unavailable(format!("cannot {doing} `{what}`: too many open files"))
                .hint("raise the limit (ulimit -n)")
        }
        _ => Error::unavailable(format!("cannot {doing} `{what}`")),
    };
    error.source_is(std::io::Error::from(errno))
}

impl Private {
    /// Opens or makes the folders and takes a new owner's name.
    pub(crate) fn open(root: &Path) -> Result<Self> {
        let folder = root.join("lake");
        std::fs::create_dir_all(&folder)
            .map_err(|e| Error::unavailable(format!("cannot create `{}`", folder.display())).source_is(e))?;
        let wrong = |errno| failed("open", folder.display(), errno);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let base = rustix::fs::open(&folder, flags, Mode::empty()).map_err(wrong)?;
        let open = |name: &str| fsys::ensure_dir(&base, &[name]).map_err(wrong);
        let (tmp, staging, commits) = (open("tmp")?, open("staging")?, open("commits")?);
        let (locks, owners) = (open("locks")?, open("owners")?);
        let owner = random_name()?;
        // Under this lock, so that nobody who looks for dead owners meets a new one whose lock is not taken yet.
        let quiet = lock(&base, RECOVERY).map_err(wrong)?;
        let alive = create_in(&owners, &owner).map_err(wrong)?;
        rustix::fs::flock(&alive, FlockOperation::NonBlockingLockExclusive).map_err(wrong)?;
        drop(quiet);
        let counter = AtomicU64::new(0);
        let root = root.to_path_buf();
        Ok(Self { root, tmp, staging, commits, locks, owners, base, owner, counter, _alive: alive })
    }

    /// A name nobody else uses, that says who made it.
    pub(crate) fn fresh_name(&self) -> String {
        format!("{}-{:x}", self.owner, self.counter.fetch_add(1, Ordering::Relaxed))
    }

    /// Who made the thing of that name.
    pub(crate) fn owner_of(name: &str) -> &str {
        name.split(['-', '.']).next().unwrap_or(name)
    }

    /// A new empty file in `tmp`.
    pub(crate) fn create_tmp(&self, name: &str) -> Result<File, Errno> {
        create_in(&self.tmp, name)
    }

    /// The owners that still live, ourselves among them. Names of dead ones are removed. The caller holds the lock of
    /// [`lock_recovery`](Self::lock_recovery) until it has done what it does about them: no owner can appear meanwhile.
    pub(crate) fn living(&self) -> Result<HashSet<String>, Errno> {
        let mut living = HashSet::from([self.owner.clone()]);
        for name in fsys::names(&self.owners)? {
            if name == self.owner {
                continue;
            }
            let Ok(file) =
                rustix::fs::openat(&self.owners, &name, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
            else {
                continue;
            };
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => fsys::unlink(&self.owners, &name)?,
                Err(_) => drop(living.insert(name)),
            }
        }
        Ok(living)
    }

    /// Only one process at a time looks for what others left behind.
    pub(crate) fn lock_recovery(&self) -> Result<File, Errno> {
        lock(&self.base, RECOVERY)
    }

    /// Serialises writers of one key, of this process and of others. Keys share locks by their hash.
    pub(crate) fn lock_key(&self, bucket: &BucketName, key: &str) -> Result<File, Errno> {
        lock(&self.locks, &format!("{:02x}", lock_number(bucket, key)))
    }
}

fn lock_number(bucket: &BucketName, key: &str) -> u64 {
    // FNV-1a: the same in every process and release.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bucket.as_str().bytes().chain([b'/']).chain(key.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    (hash ^ (hash >> 32)) % LOCKS
}

fn lock(dir: &OwnedFd, name: &str) -> Result<File, Errno> {
    let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(0o644))?;
    loop {
        match rustix::fs::flock(&file, FlockOperation::LockExclusive) {
            Ok(()) => return Ok(File::from(file)),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// A new empty file in one of the lake's folders.
pub(crate) fn create_in(dir: &OwnedFd, name: &str) -> Result<File, Errno> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(0o644)).map(File::from)
}

fn random_name() -> Result<String> {
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::unavailable("the system gives no random bytes").source_is(e))?;
    Ok(hex::encode(bytes))
}

/// Random text for ids that others must not guess.
pub(crate) fn random_id() -> Result<String> {
    Ok(format!("{}{}", random_name()?, random_name()?))
}

impl Drop for Private {
    fn drop(&mut self) {
        let _ = fsys::unlink(&self.owners, &self.owner);
    }
}
