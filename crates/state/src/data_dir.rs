//! The data directory: one process at a time may write to it, and another must be able to find that one.
//!
//! An advisory lock on `glulam.lock` is held for the process's life and freed by the system when it dies, however it
//! dies. Beside it, `server.json` says how to reach a server that holds the lock.

use model::{Error, ErrorKind, Place, Result};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// A data directory that this process owns.
#[derive(Debug)]
pub struct DataDir {
    root: PathBuf,
    // Held for its lock; the system frees it with the process.
    _lock: File,
}

/// How to reach the server that owns a data directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerAddress {
    /// The server's process.
    pub pid: u32,
    /// The Unix socket on which it takes commands.
    pub socket: PathBuf,
}

impl DataDir {
    /// Creates the directory if need be and takes it, or says who has it (`Conflict`).
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root: PathBuf = root.into();
        std::fs::create_dir_all(&root).map_err(|e| cannot("create", &root, e))?;
        let root = root.canonicalize().map_err(|e| cannot("open", &root, e))?;
        let path = root.join("glulam.lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| cannot("open", &path, e))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Error::conflict(format!(
                "the data directory {} is in use by another process",
                root.display()
            ))
            .hint("wait for it to end, or use another directory with --data")),
            Err(TryLockError::Error(e)) => Err(cannot("lock", &path, e)),
        }
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Tells other processes how to reach this one. The file appears whole.
    pub fn announce(&self, address: &ServerAddress) -> Result<()> {
        let path = self.root.join("server.json");
        let temporary = self.root.join("server.json.new");
        let text = serde_json::to_vec(address)
            .map_err(|e| Error::internal("cannot write the server's address").source_is(e))?;
        std::fs::write(&temporary, text).map_err(|e| cannot("write", &temporary, e))?;
        std::fs::rename(&temporary, &path).map_err(|e| cannot("write", &path, e))
    }

    /// Takes the announcement back.
    pub fn withdraw(&self) {
        let _ = std::fs::remove_file(self.root.join("server.json"));
    }

    /// The announced server of a directory, if there is one. A stale announcement is possible: its process may be gone.
    pub fn announced(root: &Path) -> Option<ServerAddress> {
        let text = std::fs::read(root.join("server.json")).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

fn cannot(verb: &str, path: &Path, error: std::io::Error) -> Error {
    let hint = match error.kind() {
        std::io::ErrorKind::PermissionDenied => "check who owns it, or choose another directory with --data",
        std::io::ErrorKind::StorageFull => "free some space, or choose another directory with --data",
        _ => "choose another directory with --data or GLULAM_DATA",
    };
    Error::new(ErrorKind::Unavailable, format!("cannot {verb} the data directory"))
        .at(Place::object(path.display()))
        .hint(hint)
        .source_is(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_owner_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let owner = DataDir::open(dir.path()).unwrap();
        assert_eq!(DataDir::open(dir.path()).unwrap_err().kind(), ErrorKind::Conflict);
        drop(owner);
        DataDir::open(dir.path()).unwrap();
    }

    #[test]
    fn the_address_is_found_and_withdrawn() {
        let dir = tempfile::tempdir().unwrap();
        let owner = DataDir::open(dir.path()).unwrap();
        let address = ServerAddress { pid: 7, socket: "/tmp/x.sock".into() };
        owner.announce(&address).unwrap();
        assert_eq!(DataDir::announced(dir.path()), Some(address));
        owner.withdraw();
        assert_eq!(DataDir::announced(dir.path()), None);
    }
}
