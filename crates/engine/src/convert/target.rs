//! Where the output goes. In the lake it is staged in a commit. On this machine's disk it is written into a hidden folder
//! beside its place, by a small lake of its own, and takes its place by a rename; what a kill leaves is hidden, and is
//! removed by the next conversion into the same folder.

use super::ConvertOutput;
use futures::StreamExt;
use lake::{Commit, CommitOptions, Lake, LakeConfig};
use model::{BucketName, Error, ErrorKind, LakeUri, Place, Result, RunId};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use scan::FilePath;
use scan::sink::Written;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The bucket of the small lake.
const BUCKET: &str = "output";
/// Stands in the names of hidden folders.
const MARK: &str = ".glulam-";
/// Endings of the files that a folder may hold to be replaced.
const DATA: [&str; 21] = [
    "csv", "tsv", "psv", "txt", "log", "json", "jsonl", "ndjson", "parquet", "pq", "orc", "avro", "arrow",
    "feather", "ipc", "gz", "zst", "bz2", "snappy", "lz4", "deflate",
];

/// Where the output goes.
pub(super) struct Target {
    /// The folder of the lake, or of the small one, that is written into.
    folder: LakeUri,
    file_name: Option<String>,
    overwrite: bool,
    place: At,
}

enum At {
    Lake(Lake),
    Disk { scratch: Scratch, lake: Lake, out: PathBuf },
}

impl Target {
    /// Looks at the place, which must be free unless it may be overwritten.
    pub(super) async fn open(lake: &Lake, output: &ConvertOutput, run: &RunId) -> Result<Self> {
        let overwrite = output.overwrite;
        match &output.at {
            FilePath::Lake(uri) => {
                if !lake.bucket_exists(uri.bucket()).await? {
                    lake.create_bucket(uri.bucket()).await?;
                }
                let file_name = output.says_file().then(|| uri.name().to_owned());
                check_lake(lake, uri, file_name.is_some(), overwrite).await?;
                let folder = match &file_name {
                    Some(_) => uri.with_key(uri.key().rsplit_once('/').map_or("", |(folder, _)| folder))?,
                    None => uri.as_folder(),
                };
                Ok(Self { folder: folder.as_folder(), file_name, overwrite, place: At::Lake(lake.clone()) })
            }
            FilePath::Disk(path) => {
                let out = path.clone();
                if !out.is_absolute() {
                    return Err(Error::internal("the output's path is not absolute"));
                }
                let is_file = output.says_file() && !out.is_dir();
                let (name, id) = (output.name(), run.to_string());
                let (out, scratch) = blocking(move || {
                    check_disk(&out, is_file, overwrite)?;
                    let scratch = Scratch::new(&out, &name, &id)?;
                    Ok((out, scratch))
                })
                .await?;
                let small = Lake::open(LakeConfig::local(&scratch.folder)).await?;
                let bucket = BucketName::new(BUCKET)?;
                small.create_bucket(&bucket).await?;
                let file_name = is_file.then(|| output.name());
                let folder = LakeUri::new(bucket, "")?;
                Ok(Self { folder, file_name, overwrite, place: At::Disk { scratch, lake: small, out } })
            }
        }
    }

    /// The folder to write into.
    pub(super) fn folder(&self) -> &LakeUri {
        &self.folder
    }

    /// The name of the one file, if it is to be one.
    pub(super) fn file_name(&self) -> Option<String> {
        self.file_name.clone()
    }

    pub(super) fn commit(&self, run: &RunId) -> Commit {
        let options = CommitOptions { run: Some(run.clone()) };
        let (At::Lake(lake) | At::Disk { lake, .. }) = &self.place;
        let commit = lake.begin_commit(options);
        if matches!(self.place, At::Lake(_)) && self.overwrite && self.file_name.is_none() {
            commit.replace_prefix(&self.folder);
        }
        commit
    }

    /// An error of writing with the name that the user knows the place by.
    pub(super) fn told(&self, error: Error) -> Error {
        let At::Disk { out, .. } = &self.place else { return error };
        let inner = format!("s3://{BUCKET}/");
        let mut diagnosis = error.diagnosis();
        if let Some(Place::Object { uri, .. }) = &mut diagnosis.place
            && let Some(relative) = uri.strip_prefix(&inner)
        {
            let path = if self.file_name.is_some() { out.clone() } else { out.join(relative) };
            *uri = path.display().to_string();
            return diagnosis.into();
        }
        error
    }

    /// Lets everything appear. Answers the objects of the lake that were written.
    pub(super) async fn publish(self, commit: Commit, written: &Written) -> Result<Vec<String>> {
        commit.publish().await.map_err(|error| self.told(error))?;
        let Self { file_name, overwrite, place, .. } = self;
        let (scratch, out) = match place {
            At::Lake(_) => return Ok(written.files.iter().map(|file| file.uri.to_string()).collect()),
            At::Disk { scratch, out, .. } => (scratch, out),
        };
        let keys: Vec<String> = written.files.iter().map(|file| file.uri.key().to_owned()).collect();
        blocking(move || {
            let bucket = scratch.folder.join("buckets").join(BUCKET);
            // What a file system cannot name, the lake keeps elsewhere: it must not be lost without a word.
            if let Some(lost) = keys.iter().find(|key| !bucket.join(key).is_file()) {
                return Err(Error::unsupported("the name of a folder or file is too long for this disk")
                    .at(Place::object(out.join(lost).display()))
                    .hint("partition by a column with shorter values"));
            }
            crashpoint::hit("engine.convert.before_rename");
            let made = match &file_name {
                Some(name) => bucket.join(name),
                None => bucket,
            };
            move_to(&made, &out, overwrite)?;
            drop(scratch);
            Ok(Vec::new())
        })
        .await
    }
}

/// A hidden folder that is removed in the end, and locked as long as somebody works in it.
struct Scratch {
    folder: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Beside the output, so that the two are on one file system.
    fn new(out: &Path, name: &str, id: &str) -> Result<Self> {
        let parent = out.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(parent).map_err(|e| cannot("make the folder", parent, e))?;
        sweep(parent);
        let short: String = name.chars().take(40).collect();
        let folder = parent.join(format!(".{short}{MARK}{id}"));
        std::fs::create_dir(&folder).map_err(|e| cannot("write into the folder", parent, e))?;
        let path = folder.join("lock");
        let lock = File::create(&path).map_err(|e| cannot("write into the folder", &folder, e))?;
        lock.try_lock().map_err(|e| cannot("lock", &path, e.into()))?;
        Ok(Self { folder, _lock: lock })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Removes what killed conversions have left.
fn sweep(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with('.') || !name.contains(MARK) {
            continue;
        }
        // Nobody lives in it whose lock can be had.
        if File::open(entry.path().join("lock")).is_ok_and(|lock| lock.try_lock().is_ok()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Puts a file or folder into its place, in one step.
fn move_to(made: &Path, out: &Path, overwrite: bool) -> Result<()> {
    let moved = match std::fs::symlink_metadata(out) {
        // What is there goes into the hidden folder, and away with it.
        Ok(facts) if facts.is_dir() && overwrite => renameat_with(CWD, made, CWD, out, RenameFlags::EXCHANGE),
        // An empty folder gives way to another.
        Ok(facts) if facts.is_dir() => rustix::fs::rename(made, out),
        _ if overwrite => rustix::fs::rename(made, out),
        _ => match renameat_with(CWD, made, CWD, out, RenameFlags::NOREPLACE) {
            // Some file systems know no conditions.
            Err(Errno::INVAL | Errno::NOSYS) => rustix::fs::rename(made, out),
            moved => moved,
        },
    };
    moved.map_err(|errno| match errno {
        Errno::EXIST | Errno::NOTEMPTY => taken(out.display()),
        errno => cannot("write", out, errno.into()),
    })?;
    if let Some(parent) = out.parent() {
        let _ = File::open(parent).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

async fn check_lake(lake: &Lake, uri: &LakeUri, is_file: bool, overwrite: bool) -> Result<()> {
    if is_file {
        return match lake.head(uri).await {
            Ok(_) if !overwrite => Err(taken(uri)),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    let mut listed = lake.list(&uri.as_folder());
    while let Some(info) = listed.next().await {
        let info = info?;
        if !overwrite {
            return Err(taken(uri));
        }
        check_data(info.uri.name(), &info.uri)?;
    }
    Ok(())
}

fn check_disk(out: &Path, is_file: bool, overwrite: bool) -> Result<()> {
    let Ok(facts) = std::fs::symlink_metadata(out) else { return Ok(()) };
    if facts.is_symlink() {
        return Err(Error::invalid("the output is a symbolic link")
            .at(Place::object(out.display()))
            .hint("name the file or folder that it leads to"));
    }
    if !facts.is_dir() {
        return match is_file {
            true if overwrite => Ok(()),
            true => Err(taken(out.display())),
            false => Err(Error::already_exists("there is a file where a folder is to be written")
                .at(Place::object(out.display()))),
        };
    }
    let mut folders = vec![out.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|e| cannot("read", &folder, e))? {
            let entry = entry.map_err(|e| cannot("read", &folder, e))?;
            if !overwrite {
                return Err(taken(out.display()));
            }
            match entry.file_type().map_err(|e| cannot("read", &entry.path(), e))? {
                kind if kind.is_dir() && !entry.file_name().to_string_lossy().starts_with('.') => {
                    folders.push(entry.path());
                }
                _ => check_data(&entry.file_name().to_string_lossy(), entry.path().display())?,
            }
        }
    }
    Ok(())
}

/// Only folders of data are replaced: nobody shall lose a home folder to a slip.
fn check_data(name: &str, shown: impl std::fmt::Display) -> Result<()> {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let is_data = ending.is_some_and(|ending| DATA.contains(&ending.as_str()));
    let is_mark = name.starts_with("_SUCCESS") || name.ends_with(".crc") || name.ends_with("_$folder$");
    if is_data || is_mark {
        return Ok(());
    }
    Err(Error::conflict("the folder holds more than data files, so it is not replaced")
        .at(Place::object(shown))
        .hint("choose another folder, or remove this file first"))
}

fn taken(shown: impl std::fmt::Display) -> Error {
    Error::already_exists("the output exists already, and is not empty")
        .at(Place::object(shown))
        .hint("choose another place, or add --overwrite")
}

fn cannot(verb: &str, path: &Path, error: std::io::Error) -> Error {
    let kind = match error.kind() {
        std::io::ErrorKind::PermissionDenied => ErrorKind::Denied,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, format!("cannot {verb}")).at(Place::object(path.display())).source_is(error)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| Error::internal("writing to the disk was cut off").source_is(e))?
}
