//! Paths below an open folder, without ever following a symbolic link or leaving it. Everything here is relative to a
//! folder that is already open, so renaming folders above cannot lead it astray.

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

const DIR: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);
// NONBLOCK: opening a pipe that somebody put into a bucket must not wait for its other end.
const FILE: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK);
const FOLDER_MODE: Mode = Mode::from_raw_mode(0o755);

/// What a key's path may meet that means "there is no such object here", whatever the file system calls it.
pub(crate) fn is_absent(errno: Errno) -> bool {
    matches!(errno, Errno::NOENT) || is_blocked(errno)
}

/// What a path meets that this file system cannot hold in this place: a file where a folder is needed, a link, a name
/// it does not take.
pub(crate) fn is_blocked(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::NOTDIR
            | Errno::ISDIR
            | Errno::LOOP
            | Errno::INVAL
            | Errno::NAMETOOLONG
            | Errno::ILSEQ
            | Errno::NXIO
            | Errno::XDEV
    )
}

/// Opens the folder at these segments below `base`; no segments means `base` itself.
pub(crate) fn open_dir<S: AsRef<str>>(base: impl AsFd, segments: &[S]) -> Result<OwnedFd, Errno> {
    open_below(base.as_fd(), segments, DIR)
}

/// Opens the file at these segments below `base` for reading. The caller checks what it is.
pub(crate) fn open_file<S: AsRef<str>>(base: impl AsFd, segments: &[S]) -> Result<OwnedFd, Errno> {
    open_below(base.as_fd(), segments, FILE)
}

fn open_below<S: AsRef<str>>(base: BorrowedFd<'_>, segments: &[S], flags: OFlags) -> Result<OwnedFd, Errno> {
    let path = match segments {
        [] => ".".to_owned(),
        _ => segments.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("/"),
    };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    loop {
        match rustix::fs::openat2(base, path.as_str(), flags, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(Errno::NOSYS | Errno::PERM) => return open_stepwise(base, segments, flags),
            other => return other,
        }
    }
}

/// The same for kernels without `openat2`: one segment at a time, none of which may be a link.
fn open_stepwise<S: AsRef<str>>(
    base: BorrowedFd<'_>,
    segments: &[S],
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    let Some((last, folders)) = segments.split_last() else {
        return rustix::fs::openat(base, ".", DIR, Mode::empty());
    };
    let mut at = rustix::fs::openat(base, ".", DIR, Mode::empty())?;
    for folder in folders {
        at = rustix::fs::openat(&at, folder.as_ref(), DIR, Mode::empty())?;
    }
    rustix::fs::openat(&at, last.as_ref(), flags, Mode::empty())
}

/// Opens the folder at these segments, making what is missing. A folder that was made is on disk when this returns.
pub(crate) fn ensure_dir<S: AsRef<str>>(base: impl AsFd, segments: &[S]) -> Result<OwnedFd, Errno> {
    make_dirs(base, segments, true)
}

/// The same; unless folders are `synced`, whoever calls brings all of them to disk.
pub(crate) fn make_dirs<S: AsRef<str>>(
    base: impl AsFd,
    segments: &[S],
    synced: bool,
) -> Result<OwnedFd, Errno> {
    match open_dir(&base, segments) {
        Err(Errno::NOENT) => {}
        other => return other,
    }
    let mut at = rustix::fs::openat(&base, ".", DIR, Mode::empty())?;
    for segment in segments {
        let segment = segment.as_ref();
        match rustix::fs::mkdirat(&at, segment, FOLDER_MODE) {
            Ok(()) if synced => rustix::fs::fsync(&at)?,
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        at = rustix::fs::openat(&at, segment, DIR, Mode::empty())?;
    }
    Ok(at)
}

/// The facts of `name` in that folder, of a link itself.
pub(crate) fn stat(dir: impl AsFd, name: &str) -> Result<Stat, Errno> {
    rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
}

/// Whether these are an ordinary file's facts.
pub(crate) fn is_file(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

/// Whether these are a folder's facts.
pub(crate) fn is_dir(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// Removes a file; one that is gone already is fine.
pub(crate) fn unlink(dir: impl AsFd, name: &str) -> Result<(), Errno> {
    match rustix::fs::unlinkat(dir, name, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}

/// Removes a folder that holds nothing but empty folders. Says whether it is gone.
pub(crate) fn remove_empty(dir: impl AsFd, name: &str, depth: u32) -> Result<bool, Errno> {
    match rustix::fs::unlinkat(&dir, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => return Ok(true),
        Err(Errno::NOTEMPTY | Errno::EXIST) if depth > 0 => {}
        Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR | Errno::BUSY) => return Ok(false),
        Err(errno) => return Err(errno),
    }
    let inner = open_dir(&dir, &[name])?;
    for entry in Dir::read_from(&inner)? {
        let entry = entry?;
        let Ok(child) = entry.file_name().to_str() else { return Ok(false) };
        if child == "." || child == ".." {
            continue;
        }
        let may_be_folder = matches!(entry.file_type(), FileType::Directory | FileType::Unknown);
        if !may_be_folder || !remove_empty(&inner, child, depth - 1)? {
            return Ok(false);
        }
    }
    match rustix::fs::unlinkat(&dir, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Removes the folders above a file that was removed, as far up as they are empty; `base` itself stays.
pub(crate) fn prune<S: AsRef<str>>(base: impl AsFd, folders: &[S]) {
    for depth in (0..folders.len()).rev() {
        let Ok(parent) = open_dir(&base, &folders[..depth]) else { return };
        if rustix::fs::unlinkat(&parent, folders[depth].as_ref(), AtFlags::REMOVEDIR).is_err() {
            return;
        }
    }
}

/// Removes a folder with everything in it. Only for folders of the lake's own.
pub(crate) fn remove_all(dir: impl AsFd, name: &str) -> Result<(), Errno> {
    let inner = match open_dir(&dir, &[name]) {
        Ok(inner) => inner,
        Err(Errno::NOENT) => return Ok(()),
        Err(Errno::NOTDIR | Errno::LOOP) => return unlink(dir, name),
        Err(errno) => return Err(errno),
    };
    for child in names(&inner)? {
        remove_all(&inner, &child)?;
    }
    match rustix::fs::unlinkat(&dir, name, AtFlags::REMOVEDIR) {
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}

/// The names in a folder, unsorted. Only for folders of the lake's own, whose names are text.
pub(crate) fn names(dir: impl AsFd) -> Result<Vec<String>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        if let Ok(name) = entry.file_name().to_str()
            && name != "."
            && name != ".."
        {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}
