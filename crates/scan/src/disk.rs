//! Files of this machine's disk, beside those of the lake: what the person at the terminal names by a path.

use crate::files::ScanFile;
use bytes::Bytes;
use model::{Error, ErrorKind, Place, Result};
use std::fs::{File, Metadata};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A text that is another one when the file has changed.
pub(crate) fn etag(facts: &Metadata) -> String {
    format!("{:x}-{:x}-{:x}-{:x}", facts.ino(), facts.len(), facts.mtime(), facts.mtime_nsec())
}

/// A file that is open. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct OpenFile {
    file: Arc<File>,
    path: Arc<PathBuf>,
}

impl OpenFile {
    /// Opens the file that was listed; `Conflict` when it is another by now.
    pub(crate) async fn open(path: &Path, listed: &ScanFile) -> Result<Self> {
        let (path, wanted) = (path.to_owned(), listed.etag().to_owned());
        blocking(move || {
            let file = File::open(&path).map_err(|e| cannot_read(&path, e))?;
            let facts = file.metadata().map_err(|e| cannot_read(&path, e))?;
            if etag(&facts) != wanted {
                return Err(changed(&path));
            }
            Ok(Self { file: Arc::new(file), path: Arc::new(path) })
        })
        .await
    }

    /// One piece, which lies within the file.
    pub(crate) async fn range(&self, range: Range<u64>) -> Result<Bytes> {
        let (file, path) = (Arc::clone(&self.file), Arc::clone(&self.path));
        blocking(move || {
            let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
            let mut bytes = vec![0; length];
            file.read_exact_at(&mut bytes, range.start).map_err(|e| match e.kind() {
                std::io::ErrorKind::UnexpectedEof => changed(&path),
                _ => cannot_read(&path, e),
            })?;
            Ok(bytes.into())
        })
        .await
    }
}

/// All files under a folder with their paths below it, sorted by these. Hidden ones and links to folders are left out.
pub(crate) async fn walk(folder: &Path, recurse: bool) -> Result<Vec<(String, ScanFile)>> {
    let folder = folder.to_owned();
    blocking(move || {
        let mut found = Vec::new();
        let mut folders = vec![(folder, String::new())];
        while let Some((folder, relative)) = folders.pop() {
            for entry in std::fs::read_dir(&folder).map_err(|e| cannot_read(&folder, e))? {
                let entry = entry.map_err(|e| cannot_read(&folder, e))?;
                let path = entry.path();
                let name = entry.file_name();
                let name = name.to_str().ok_or_else(|| {
                    Error::invalid("a file's name is not UTF-8")
                        .at(Place::object(path.display()))
                        .hint("rename the file")
                })?;
                let kind = entry.file_type().map_err(|e| cannot_read(&path, e))?;
                if kind.is_dir() {
                    if recurse && !crate::files::is_hidden(name) {
                        folders.push((path.clone(), format!("{relative}{name}/")));
                    }
                    continue;
                }
                let facts = std::fs::metadata(&path).map_err(|e| cannot_read(&path, e))?;
                let is_data = facts.is_file() && facts.len() > 0 && !crate::files::is_hidden(name);
                if is_data {
                    found.push((format!("{relative}{name}"), ScanFile::on_disk(path, &facts)));
                }
            }
        }
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(found)
    })
    .await
}

/// The facts of a path, or none when nothing is there.
pub(crate) async fn facts(path: &Path) -> Result<Option<Metadata>> {
    let path = path.to_owned();
    blocking(move || match std::fs::metadata(&path) {
        Ok(facts) => Ok(Some(facts)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(cannot_read(&path, e)),
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| Error::internal("reading from the disk was cut off").source_is(e))?
}

fn changed(path: &Path) -> Error {
    Error::conflict("the file was changed while it was being read")
        .at(Place::object(path.display()))
        .hint("run it again: it will read the new content")
}

fn cannot_read(path: &Path, error: std::io::Error) -> Error {
    let kind = match error.kind() {
        std::io::ErrorKind::NotFound => ErrorKind::NotFound,
        std::io::ErrorKind::PermissionDenied => ErrorKind::Denied,
        _ => ErrorKind::Unavailable,
    };
    let what = if kind == ErrorKind::NotFound { "there is no such file or folder" } else { "cannot read" };
    Error::new(kind, what).at(Place::object(path.display())).source_is(error)
}
