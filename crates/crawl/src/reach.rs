//! How a target is listed and its objects are read: in the lake, or on this machine's disk.

use crate::classify::Source;
use crate::crawler::Target;
use crate::glob::Exclusions;
use crate::inventory::{Inventory, is_hidden};
use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use lake::{Lake, ListOptions};
use model::{Error, ErrorKind, LakeUri, Place, Result};
use std::collections::BTreeSet;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio_util::sync::CancellationToken;

/// Objects that are listed between two looks at whether to go on, on the local disk.
const LOOK_EVERY: usize = 256;

/// A target with the means to reach it.
#[derive(Clone)]
pub(crate) struct Reach {
    place: Where,
    exclusions: Exclusions,
    /// The address of the folder, ending with a slash; of the folder around a single file.
    pub(crate) root: String,
    pub(crate) root_name: String,
    pub(crate) root_level: u32,
    /// The file's name, when the target is one.
    pub(crate) single: Option<String>,
    /// How many files of a leaf folder are read, where the target says.
    pub(crate) sample_size: Option<u32>,
}

#[derive(Clone)]
enum Where {
    Lake(Lake, LakeUri),
    Local(PathBuf),
}

impl Reach {
    /// Looks whether the target is a file or a folder.
    pub(crate) async fn open(target: &Target, lake: &Lake) -> Result<Self> {
        let exclusions = Exclusions::new(target.exclusions())?;
        let mut reach = match target {
            Target::S3 { path, .. } => Self::open_lake(path, lake, exclusions).await?,
            Target::Local { path, .. } => Self::open_local(path, exclusions)?,
        };
        reach.sample_size = target.sample_size();
        Ok(reach)
    }

    async fn open_lake(path: &LakeUri, lake: &Lake, exclusions: Exclusions) -> Result<Self> {
        let is_file = !path.key().is_empty()
            && !path.key().ends_with('/')
            && match lake.head(path).await {
                Ok(info) => info.size > 0,
                Err(error) if error.kind() == ErrorKind::NotFound => false,
                Err(error) => return Err(error),
            };
        let folder = if is_file {
            path.with_key(
                path.key().rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/")),
            )?
        } else {
            path.as_folder()
        };
        let parts = folder.key().split('/').filter(|part| !part.is_empty()).count();
        let name =
            if folder.key().is_empty() { folder.bucket().to_string() } else { folder.name().to_owned() };
        Ok(Self {
            exclusions,
            root: folder.to_string(),
            root_name: name,
            root_level: u32::try_from(parts + 1).unwrap_or(u32::MAX),
            single: is_file.then(|| path.name().to_owned()),
            sample_size: None,
            place: Where::Lake(lake.clone(), folder),
        })
    }

    fn open_local(path: &Path, exclusions: Exclusions) -> Result<Self> {
        let path = path.canonicalize().map_err(|e| cannot_read(path, e))?;
        let is_file = path.is_file();
        let folder = if is_file { path.parent().unwrap_or(&path).to_owned() } else { path.clone() };
        let text = utf8(&folder)?;
        Ok(Self {
            exclusions,
            root: format!("file://{}/", text.trim_end_matches('/')),
            root_name: folder
                .file_name()
                .map_or("root".to_owned(), |name| name.to_string_lossy().into_owned()),
            root_level: 1,
            single: if is_file {
                path.file_name().map(|name| name.to_string_lossy().into_owned())
            } else {
                None
            },
            sample_size: None,
            place: Where::Local(folder),
        })
    }

    /// Lists everything under the target.
    pub(crate) async fn list(&self, stop: &CancellationToken) -> Result<Inventory> {
        let mut inventory = Inventory::default();
        match &self.place {
            Where::Lake(lake, folder) => match &self.single {
                Some(name) => {
                    let info = lake.head(&folder.join(name)?).await?;
                    inventory.add(name, info.size);
                }
                None => {
                    let mut objects = lake.list(folder);
                    loop {
                        let next = tokio::select! {
                            biased;
                            () = stop.cancelled() => return Err(Error::cancelled()),
                            next = objects.try_next() => next?,
                        };
                        let Some(info) = next else { break };
                        self.take(&mut inventory, info.uri.key().strip_prefix(folder.key()), info.size);
                    }
                }
            },
            Where::Local(folder) => {
                let (reach, folder, stop) = (self.clone(), folder.clone(), stop.clone());
                inventory = tokio::task::spawn_blocking(move || reach.walk(&folder, &stop))
                    .await
                    .map_err(|e| Error::internal("listing a folder was cut off").source_is(e))??;
            }
        }
        Ok(inventory)
    }

    /// Lists some folders only, given relative to the target, without what is beneath them.
    pub(crate) async fn list_folders(
        &self,
        folders: &BTreeSet<String>,
        stop: &CancellationToken,
    ) -> Result<Inventory> {
        let Where::Lake(lake, root) = &self.place else { return self.list(stop).await };
        if self.single.is_some() {
            return self.list(stop).await;
        }
        let mut inventory = Inventory::default();
        for relative in folders {
            let folder = if relative.is_empty() { root.clone() } else { root.join(relative)?.as_folder() };
            let mut start_after = None;
            loop {
                if stop.is_cancelled() {
                    return Err(Error::cancelled());
                }
                let options =
                    ListOptions { delimiter: Some("/".to_owned()), start_after, ..ListOptions::default() };
                let page = lake.list_page(&folder, options).await?;
                for info in page.objects {
                    self.take(&mut inventory, info.uri.key().strip_prefix(root.key()), info.size);
                }
                start_after = page.next;
                if start_after.is_none() {
                    break;
                }
            }
        }
        Ok(inventory)
    }

    /// Counts an object, unless it is a folder's marker, hidden or excluded.
    fn take(&self, inventory: &mut Inventory, relative: Option<&str>, size: u64) {
        let Some(relative) = relative.filter(|relative| !relative.is_empty() && !relative.ends_with('/'))
        else {
            return;
        };
        if is_hidden(relative) || relative.ends_with("_$folder$") {
            inventory.hidden += 1;
        } else if self.exclusions.exclude(relative) {
            inventory.excluded += 1;
        } else {
            inventory.add(relative, size);
        }
    }

    fn walk(&self, root: &Path, stop: &CancellationToken) -> Result<Inventory> {
        let mut inventory = Inventory::default();
        if let Some(name) = &self.single {
            let path = root.join(name);
            inventory.add(name, path.metadata().map_err(|e| cannot_read(&path, e))?.len());
            return Ok(inventory);
        }
        let mut folders = vec![(root.to_owned(), String::new())];
        let mut listed = 0;
        while let Some((folder, relative)) = folders.pop() {
            let mut entries: Vec<_> = std::fs::read_dir(&folder)
                .and_then(Iterator::collect)
                .map_err(|e| cannot_read(&folder, e))?;
            entries.sort_by_key(std::fs::DirEntry::file_name);
            for entry in entries {
                listed += 1;
                if listed % LOOK_EVERY == 0 && stop.is_cancelled() {
                    return Err(Error::cancelled());
                }
                let path = entry.path();
                let name = utf8(Path::new(&entry.file_name()))?;
                let relative = format!("{relative}{name}");
                let kind = entry.file_type().map_err(|e| cannot_read(&path, e))?;
                if kind.is_dir() {
                    folders.push((path, format!("{relative}/")));
                } else if let Some(facts) = path.metadata().ok().filter(std::fs::Metadata::is_file) {
                    self.take(&mut inventory, Some(&relative), facts.len());
                }
            }
        }
        Ok(inventory)
    }

    /// An object for reading; what is read is added to `read`.
    pub(crate) fn source(&self, relative: &str, size: u64, read: Arc<AtomicU64>) -> Result<Box<dyn Source>> {
        let name = format!("{}{relative}", self.root);
        Ok(match &self.place {
            Where::Lake(lake, root) => Box::new(KeepsHead::of(LakeSource {
                lake: lake.clone(),
                uri: root.join(relative)?,
                name,
                size,
                read,
            })),
            Where::Local(root) => {
                Box::new(KeepsHead::of(FileSource { path: root.join(relative), name, size, read }))
            }
        })
    }

    /// The path under the target of an address, without slashes at the ends.
    pub(crate) fn relative<'a>(&self, location: &'a str) -> Option<&'a str> {
        if location.trim_end_matches('/') == self.root.trim_end_matches('/') {
            return Some("");
        }
        location.strip_prefix(&self.root).map(|rest| rest.trim_end_matches('/'))
    }
}

fn utf8(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        Error::invalid("a file's name is not UTF-8").at(Place::object(path.display())).hint("rename the file")
    })
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

/// An object whose beginning is read once: its first bytes tell the format, and are needed again as part of the sample.
struct KeepsHead<S> {
    source: S,
    head: tokio::sync::Mutex<Bytes>,
}

impl<S> KeepsHead<S> {
    fn of(source: S) -> Self {
        Self { source, head: tokio::sync::Mutex::new(Bytes::new()) }
    }
}

#[async_trait]
impl<S: Source> Source for KeepsHead<S> {
    fn name(&self) -> &str {
        self.source.name()
    }

    fn size(&self) -> u64 {
        self.source.size()
    }

    async fn read_range(&self, range: Range<u64>) -> Result<Bytes> {
        if range.start > 0 {
            return self.source.read_range(range).await;
        }
        let mut head = self.head.lock().await;
        let known = head.len() as u64;
        if known < range.end {
            let more = self.source.read_range(known..range.end).await?;
            *head = if head.is_empty() { more } else { [head.as_ref(), more.as_ref()].concat().into() };
        }
        let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(head.len());
        Ok(head.slice(..end))
    }
}

struct LakeSource {
    lake: Lake,
    uri: LakeUri,
    name: String,
    size: u64,
    read: Arc<AtomicU64>,
}

#[async_trait]
impl Source for LakeSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn size(&self) -> u64 {
        self.size
    }

    async fn read_range(&self, range: Range<u64>) -> Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let bytes = self.lake.read_range(&self.uri, range).await?;
        self.read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}

struct FileSource {
    path: PathBuf,
    name: String,
    size: u64,
    read: Arc<AtomicU64>,
}

#[async_trait]
impl Source for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn size(&self) -> u64 {
        self.size
    }

    async fn read_range(&self, range: Range<u64>) -> Result<Bytes> {
        let path = self.path.clone();
        let bytes = tokio::task::spawn_blocking(move || {
            let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or_default();
            let mut bytes = vec![0; length];
            let file = std::fs::File::open(&path).map_err(|e| cannot_read(&path, e))?;
            let mut filled = 0;
            while filled < length {
                let at = range.start + filled as u64;
                match file.read_at(&mut bytes[filled..], at).map_err(|e| cannot_read(&path, e))? {
                    0 => break,
                    n => filled += n,
                }
            }
            bytes.truncate(filled);
            Ok::<_, Error>(Bytes::from(bytes))
        })
        .await
        .map_err(|e| Error::internal("reading a file was cut off").source_is(e))??;
        self.read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}
