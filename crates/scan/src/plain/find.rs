//! Finding files: by address, by folder, by pattern; in the lake or on this machine's disk.

use crate::disk;
use crate::files::{ScanFile, is_hidden, list_folder};
use chrono::{DateTime, Utc};
use crawl::{Exclusions, Glob};
use lake::Lake;
use model::{Error, ErrorKind, LakeUri, Place, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

/// Where files are: an address of the lake, or a path of this machine. Either may be a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FilePath {
    /// `s3://bucket/key`.
    Lake(LakeUri),
    /// A path.
    Disk(PathBuf),
}

impl FromStr for FilePath {
    type Err = Error;

    /// `s3://bucket/key`, `file:///path`, or a path.
    fn from_str(text: &str) -> Result<Self> {
        if let Some(path) = text.strip_prefix("file://") {
            return Ok(Self::Disk(PathBuf::from(path)));
        }
        match text.contains("://") {
            true => text.parse().map(Self::Lake),
            false => Ok(Self::Disk(PathBuf::from(text))),
        }
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lake(uri) => uri.fmt(f),
            Self::Disk(path) => path.display().fmt(f),
        }
    }
}

/// Which files to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSearch {
    /// Files, folders, and patterns (`*` within a folder, `**` across folders, `?`, `[a-z]`, `{csv,json}`).
    pub paths: Vec<FilePath>,
    /// What is left out: patterns for the path below a folder.
    pub exclusions: Vec<String>,
    /// Whether folders in folders are read.
    pub recurse: bool,
}

impl FileSearch {
    /// All files of these paths, at any depth.
    pub fn new(paths: Vec<FilePath>) -> Self {
        Self { paths, exclusions: Vec::new(), recurse: true }
    }
}

/// Files that were found.
#[derive(Debug, Clone)]
pub struct FoundFiles {
    pub(super) files: Vec<Located>,
    /// The address of a Delta table, whose log names the files.
    pub(super) delta: Option<LakeUri>,
    searched: Vec<FilePath>,
    /// The gate that chooses among a Delta table's files, which are not known yet.
    pub(super) gate: Option<Arc<dyn FileGate>>,
    /// Which of the files are read; the others only tell the columns, where none is read.
    admitted: Option<Vec<bool>>,
}

/// A file and its path below what was searched.
#[derive(Debug, Clone)]
pub(super) struct Located {
    pub(super) file: ScanFile,
    pub(super) relative: String,
}

/// What is known of a file before it is read.
#[derive(Debug, Clone, Copy)]
pub struct FoundFile<'a> {
    /// Its address or path.
    pub name: &'a str,
    /// Its bytes.
    pub size: u64,
    /// When it was last changed.
    pub modified: DateTime<Utc>,
}

impl<'a> FoundFile<'a> {
    pub(crate) fn of(file: &'a ScanFile) -> Self {
        Self { name: file.name(), size: file.size(), modified: file.modified() }
    }
}

/// Decides which of a table's files are read: those that were not read before, for example. It is asked whenever the
/// table is planned, with the files of the partitions that are wanted, and must answer the same for the same file.
pub trait FileGate: Send + Sync + fmt::Debug {
    /// For each file whether it is read.
    fn admit(&self, files: &[FoundFile<'_>]) -> Result<Vec<bool>>;
}

impl Located {
    fn shown(&self) -> FoundFile<'_> {
        FoundFile::of(&self.file)
    }
}

impl FoundFiles {
    /// The files. A Delta table's are not known before it is opened.
    pub fn iter(&self) -> impl Iterator<Item = FoundFile<'_>> {
        self.files.iter().map(Located::shown)
    }

    /// How many bytes they have together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|located| located.file.size()).sum()
    }

    /// Only files that the gate lets through are read. Where it lets none through, the others still tell the columns.
    pub fn admit(&mut self, gate: Arc<dyn FileGate>) -> Result<()> {
        let shown: Vec<FoundFile<'_>> = self.files.iter().map(Located::shown).collect();
        let admitted = gate.admit(&shown)?;
        if admitted.iter().any(|admitted| *admitted) {
            let mut admitted = admitted.into_iter();
            self.files.retain(|_| admitted.next().unwrap_or(false));
        } else {
            self.admitted = Some(admitted);
        }
        self.gate = Some(gate);
        Ok(())
    }

    /// Whether this file is read.
    pub(super) fn is_read(&self, index: usize) -> bool {
        self.admitted.as_ref().is_none_or(|admitted| admitted.get(index).copied().unwrap_or(false))
    }

    /// What was searched, for messages.
    pub(super) fn name(&self) -> String {
        self.searched.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

pub(super) async fn find(lake: &Lake, search: &FileSearch) -> Result<FoundFiles> {
    if search.paths.is_empty() {
        return Err(Error::invalid("no files are named"));
    }
    let exclusions = Exclusions::new(&search.exclusions)?;
    let mut found = FoundFiles {
        files: Vec::new(),
        delta: None,
        searched: search.paths.clone(),
        gate: None,
        admitted: None,
    };
    let mut seen = HashSet::new();
    for path in &search.paths {
        if let FilePath::Lake(at) = path
            && crate::delta::holds_log(lake, at).await?
        {
            if search.paths.len() > 1 {
                return Err(Error::unsupported("a Delta table is read alone, without other files")
                    .at(Place::object(at)));
            }
            found.delta = Some(at.clone());
            return Ok(found);
        }
        let files = match path {
            FilePath::Lake(at) => in_lake(lake, at, search.recurse).await?,
            FilePath::Disk(path) => on_disk(path, search.recurse).await?,
        };
        let fresh = files.into_iter().filter(|one| !exclusions.exclude(&one.relative));
        let before = found.files.len();
        found.files.extend(fresh.filter(|one| seen.insert(one.file.name().to_owned())));
        if found.files.len() == before {
            return Err(nothing(path));
        }
    }
    Ok(found)
}

fn nothing(path: &FilePath) -> Error {
    Error::not_found("there is no file and no folder with files at this address")
        .at(Place::object(path))
        .hint("files that are empty or whose names begin with `_` or `.` are not read")
}

async fn in_lake(lake: &Lake, at: &LakeUri, recurse: bool) -> Result<Vec<Located>> {
    let key = at.key();
    if !key.is_empty() && !key.ends_with('/') {
        match lake.head(at).await {
            Ok(info) if info.size > 0 => {
                return Ok(vec![Located { file: ScanFile::new(info), relative: at.name().to_owned() }]);
            }
            Ok(_) => return Ok(Vec::new()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let listed = located(list_folder(lake, at).await?, &at.as_folder().to_string());
    if listed.is_empty()
        && let Some((fixed, pattern)) = split_pattern(key)
    {
        let folder = at.with_key(fixed)?;
        let all = located(list_folder(lake, &folder).await?, &folder.to_string());
        return matching(all, pattern);
    }
    Ok(listed.into_iter().filter(|one| recurse || !one.relative.contains('/')).collect())
}

fn located(files: Vec<ScanFile>, folder: &str) -> Vec<Located> {
    let relative = |file: &ScanFile| file.name().strip_prefix(folder).unwrap_or(file.name()).to_owned();
    files.into_iter().map(|file| Located { relative: relative(&file), file }).collect()
}

async fn on_disk(path: &Path, recurse: bool) -> Result<Vec<Located>> {
    if let Some(facts) = disk::facts(path).await? {
        if facts.is_file() {
            if facts.len() == 0 {
                return Err(Error::invalid("the file is empty").at(Place::object(path.display())));
            }
            let relative = path.file_name().map(|name| name.to_string_lossy().into_owned());
            let file = ScanFile::on_disk(path.to_owned(), &facts);
            return Ok(vec![Located { file, relative: relative.unwrap_or_default() }]);
        }
        if !facts.is_dir() {
            return Err(Error::unsupported("this is neither a file nor a folder")
                .at(Place::object(path.display()))
                .hint("write the stream into a file first"));
        }
        if disk::facts(&path.join("_delta_log")).await?.is_some() {
            return Err(Error::unsupported("Delta tables are read from buckets, not from other folders")
                .at(Place::object(path.display()))
                .hint("put the folder into a bucket, and name it by s3://"));
        }
        return walked(path, recurse).await;
    }
    let text = path.to_str().unwrap_or_default();
    let Some((fixed, pattern)) = split_pattern(text) else { return Ok(Vec::new()) };
    let folder = if fixed.is_empty() { Path::new(".") } else { Path::new(fixed) };
    match disk::facts(folder).await? {
        Some(facts) if facts.is_dir() => matching(walked(folder, true).await?, pattern),
        _ => Ok(Vec::new()),
    }
}

async fn walked(folder: &Path, recurse: bool) -> Result<Vec<Located>> {
    let files = disk::walk(folder, recurse).await?;
    Ok(files.into_iter().map(|(relative, file)| Located { file, relative }).collect())
}

/// The folder before the first part with a pattern, and the pattern for what is below it.
fn split_pattern(text: &str) -> Option<(&str, &str)> {
    let first = text.find(['*', '?', '[', '{'])?;
    let cut = text.get(..first)?.rfind('/').map_or(0, |slash| slash + 1);
    Some((text.get(..cut)?, text.get(cut..)?))
}

fn matching(mut files: Vec<Located>, pattern: &str) -> Result<Vec<Located>> {
    // A pattern for folders means what is in them.
    let folders = Glob::new(&format!("{}/**", pattern.trim_end_matches('/')))?;
    let exact = Glob::new(pattern)?;
    files.retain(|one| {
        !is_hidden(&one.relative) && (exact.matches(&one.relative) || folders.matches(&one.relative))
    });
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_patterns() {
        assert!(matches!("s3://abc/x".parse().unwrap(), FilePath::Lake(_)));
        assert_eq!("file:///tmp/x".parse::<FilePath>().unwrap(), FilePath::Disk("/tmp/x".into()));
        assert_eq!("a b/c".parse::<FilePath>().unwrap(), FilePath::Disk("a b/c".into()));
        assert!("gs://abc/x".parse::<FilePath>().is_err());
        assert_eq!(split_pattern("a/b/x*.csv"), Some(("a/b/", "x*.csv")));
        assert_eq!(split_pattern("a/d=*/b.csv"), Some(("a/", "d=*/b.csv")));
        assert_eq!(split_pattern("*.csv"), Some(("", "*.csv")));
        assert_eq!(split_pattern("a/b.csv"), None);
    }
}
