//! Calls to the file system, with errors of the house.

use model::{Error, ErrorKind, Place};
use std::fs::File;
use std::io;
use std::path::Path;

/// What a failed call means: a full, read-only or failing disk is `Unavailable`, and nothing is lost by trying later.
pub(crate) fn failed(doing: &str, path: &Path, error: io::Error) -> Error {
    let (message, hint) = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => (
            format!("{doing} failed: there is no space left"),
            "free some space; nothing that was acknowledged is lost, and the log goes on by itself",
        ),
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => (
            format!("{doing} failed: this may not be written"),
            "make the folder writable; nothing that was acknowledged is lost, and the log goes on by itself",
        ),
        _ => (
            format!("{doing} failed"),
            "check the disk and the folder; nothing that was acknowledged is lost",
        ),
    };
    Error::new(ErrorKind::Unavailable, message).at(Place::object(path.display())).hint(hint).source_is(error)
}

/// Makes a folder's entries durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Reads at most that many bytes there; fewer only at the file's end.
pub(crate) fn read_at(file: &File, at: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    read_more(file, at, length, &mut bytes)?;
    Ok(bytes)
}

/// Reads at most that many bytes there behind those that there are; fewer only at the file's end.
pub(crate) fn read_more(file: &File, at: u64, length: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
    let before = bytes.len();
    let end = before + length;
    bytes.reserve_exact(length);
    while bytes.len() < end {
        let place = at + (bytes.len() - before) as u64;
        match rustix::io::pread(file, rustix::buffer::spare_capacity(bytes), place) {
            Ok(0) => break,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    bytes.truncate(end);
    Ok(())
}

/// Random bits.
pub(crate) fn random() -> model::Result<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::unavailable("the system gives no random numbers").source_is(e))?;
    Ok(u64::from_le_bytes(bytes))
}
