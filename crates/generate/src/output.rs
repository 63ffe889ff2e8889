//! Files that appear whole or not at all: written under hidden names beside their target, renamed when the whole run is
//! done, removed when it fails. What a killed run left is swept by the next run in that folder, when no other is at
//! work there (runs hold a shared lock on the folder; the system releases it when a process dies).
//!
//! A file is opened for each flush only, so that thousands of them can be in the making.

use crate::WrittenFile;
use flate2::Compression;
use flate2::write::GzEncoder;
use model::{Error, ErrorKind, Place, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

/// Rows are gathered up to this size before they are written.
pub(crate) const BUFFER_BYTES: usize = 1 << 20;

const SUFFIX: &str = ".glulam-partial";

/// Tells runs of one process apart.
static RUNS: AtomicU64 = AtomicU64::new(0);

/// The folder of a run's output, and the unfinished files in it.
#[derive(Debug)]
pub(crate) struct Staging {
    folder: PathBuf,
    /// Folders that this run made, outermost first.
    made: Vec<PathBuf>,
    token: String,
    partial: Mutex<Vec<PathBuf>>,
    published: bool,
    _lock: Option<File>,
}

impl Staging {
    /// Makes the folder if need be.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let made = missing_folders(folder);
        fs::create_dir_all(folder)
            .map_err(|cause| io_error("cannot make the output folder", folder, cause))?;
        let lock = File::open(folder).ok();
        // Alone in the folder, everything unfinished is left over from a killed run. Where folders cannot be locked,
        // nothing is swept.
        if lock.as_ref().is_some_and(|lock| lock.try_lock().is_ok()) {
            sweep(folder);
        }
        if let Some(lock) = &lock {
            let _ = lock.lock_shared();
        }
        let token = format!("{}-{}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
        Ok(Self {
            folder: folder.to_owned(),
            made,
            token,
            partial: Mutex::new(Vec::new()),
            published: false,
            _lock: lock,
        })
    }

    /// Begins a file. Its name may lead through folders (`year=2026/part.parquet`); they are made when it is published.
    pub(crate) fn file(&self, name: &str, gzip: bool, capacity: usize) -> Result<Lines> {
        let target = self.folder.join(name);
        if target.is_dir() {
            return Err(Error::invalid("cannot write the file, because a folder has its name")
                .at(Place::object(target.display())));
        }
        let above = target.ancestors().skip(1).take_while(|above| *above != self.folder);
        if let Some(file) = above.filter(|above| above.is_file()).last() {
            return Err(Error::invalid("cannot make the folder, because a file has its name")
                .at(Place::object(file.display())));
        }
        let flat = name.replace('/', "~");
        let partial = self.folder.join(format!(".{flat}.{}{SUFFIX}", self.token));
        self.partial().push(partial.clone());
        Ok(Lines::new(To::File { partial, target }, gzip, capacity))
    }

    /// Gives all files their names.
    pub(crate) fn publish(mut self, mut files: Vec<Finished>) -> Result<Vec<WrittenFile>> {
        files.sort_by(|a, b| a.target.cmp(&b.target));
        let mut written = Vec::with_capacity(files.len());
        for Finished { partial, target, rows, bytes } in files {
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder)
                    .map_err(|cause| io_error("cannot make the output folder", folder, cause))?;
            }
            fs::rename(&partial, &target)
                .map_err(|cause| io_error("cannot give the finished file its name", &target, cause))?;
            written.push(WrittenFile { path: target, rows, bytes });
        }
        self.published = true;
        Ok(written)
    }

    fn partial(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.partial.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if self.published {
            return;
        }
        for path in self.partial().drain(..) {
            let _ = fs::remove_file(path);
        }
        // Only empty folders can be removed this way, so nothing of anybody else is lost.
        for folder in self.made.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

fn missing_folders(folder: &Path) -> Vec<PathBuf> {
    let mut missing: Vec<PathBuf> = folder
        .ancestors()
        .take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists())
        .map(Path::to_owned)
        .collect();
    missing.reverse();
    missing
}

fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(SUFFIX) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A file in the making: rows are appended to `buffer`, which is flushed when full.
pub(crate) struct Lines {
    /// Rows that are not written yet.
    pub(crate) buffer: Vec<u8>,
    capacity: usize,
    gzip: Option<GzEncoder<Vec<u8>>>,
    to: To,
    bytes: u64,
}

#[derive(Debug)]
enum To {
    File { partial: PathBuf, target: PathBuf },
    Stdout,
}

/// A file that waits for its name.
#[derive(Debug)]
pub(crate) struct Finished {
    partial: PathBuf,
    target: PathBuf,
    rows: u64,
    bytes: u64,
}

impl Lines {
    /// Standard output.
    pub(crate) fn stdout() -> Self {
        Self::new(To::Stdout, false, BUFFER_BYTES)
    }

    fn new(to: To, gzip: bool, capacity: usize) -> Self {
        let gzip = gzip.then(|| GzEncoder::new(Vec::new(), Compression::fast()));
        // Room for the row that fills the buffer.
        Self { buffer: Vec::with_capacity(capacity + 4096), capacity, gzip, to, bytes: 0 }
    }

    /// Whether it is time to flush.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.buffer.len() >= self.capacity
    }

    /// Writes out what is buffered; says how many bytes went out.
    pub(crate) fn flush(&mut self) -> Result<u64> {
        let Some(gzip) = &mut self.gzip else {
            append(&self.to, &self.buffer)?;
            let bytes = self.buffer.len() as u64;
            self.buffer.clear();
            self.bytes += bytes;
            return Ok(bytes);
        };
        gzip.write_all(&self.buffer).map_err(|cause| self.to.error(cause))?;
        self.buffer.clear();
        append(&self.to, gzip.get_ref())?;
        let bytes = gzip.get_ref().len() as u64;
        gzip.get_mut().clear();
        self.bytes += bytes;
        Ok(bytes)
    }

    /// Writes out everything; says how many bytes the last part had, and the file unless it was standard output.
    pub(crate) fn finish(mut self, rows: u64) -> Result<(u64, Option<Finished>)> {
        let mut last = self.flush()?;
        if let Some(gzip) = self.gzip.take() {
            let end = gzip.finish().map_err(|cause| self.to.error(cause))?;
            append(&self.to, &end)?;
            self.bytes += end.len() as u64;
            last += end.len() as u64;
        }
        let finished = match self.to {
            To::File { partial, target } => Some(Finished { partial, target, rows, bytes: self.bytes }),
            To::Stdout => None,
        };
        Ok((last, finished))
    }
}

impl To {
    fn error(&self, cause: io::Error) -> Error {
        match self {
            Self::File { target, .. } => io_error("cannot write the file", target, cause),
            Self::Stdout if cause.kind() == io::ErrorKind::BrokenPipe => {
                Error::cancelled().why("the reader of standard output has gone").source_is(cause)
            }
            Self::Stdout => Error::unavailable("cannot write to standard output").source_is(cause),
        }
    }
}

fn append(to: &To, bytes: &[u8]) -> Result<()> {
    let outcome = match to {
        To::File { partial, .. } => OpenOptions::new()
            .create(true)
            .append(true)
            .open(partial)
            .and_then(|mut file| file.write_all(bytes)),
        To::Stdout => {
            let mut out = io::stdout().lock();
            out.write_all(bytes).and_then(|()| out.flush())
        }
    };
    outcome.map_err(|cause| to.error(cause))
}

fn io_error(what: &str, path: &Path, cause: io::Error) -> Error {
    let (kind, hint) = match cause.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            (ErrorKind::Denied, "choose a folder that you may write to with `--output`")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            (ErrorKind::Unavailable, "free some space, or choose another disk with `--output`")
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => (
            ErrorKind::InvalidInput,
            "a file stands where a folder is needed; choose another one with `--output`",
        ),
        _ => (ErrorKind::Unavailable, ""),
    };
    let error = Error::new(kind, what).at(Place::object(path.display())).source_is(cause);
    if hint.is_empty() { error } else { error.hint(hint) }
}
