//! Sorted folder listings, kept so that page after page of a large folder does not read and sort it anew. A kept
//! listing is used only while the folder's times say that it is still true.

use super::escape;
use super::fsys;
use super::versions;
use rustix::fs::{Dir, FileType, Stat, Timespec, Timestamps, UTIME_NOW};
use rustix::io::Errno;
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many names are kept over all folders: some 100 MB at worst, usually a tenth.
const MAX_NAMES: usize = 1_000_000;

/// Which of the two trees a folder belongs to; they name things differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tree {
    Visible,
    Odd,
    /// Former versions: a folder for each key.
    Kept,
}

/// One thing in a folder. `text` is what it adds to the key: a visible folder's ends with `/`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) text: Box<[u8]>,
    pub(crate) is_folder: bool,
}

/// A folder's entries in byte order of the keys below them.
pub(crate) type Listing = Arc<Vec<Entry>>;

#[derive(Debug)]
pub(crate) struct ListingCache {
    /// A file whose time is set to learn the file system's own clock.
    clock: File,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    listings: HashMap<Identity, (Times, Listing)>,
    order: VecDeque<Identity>,
    names: usize,
}

type Identity = (u64, u64);
type Times = (i64, i64, i64, i64);

impl ListingCache {
    pub(crate) fn new(clock: File) -> Self {
        Self { clock, kept: Mutex::default() }
    }

    /// The folder's entries.
    pub(crate) fn list(&self, dir: &OwnedFd, tree: Tree) -> Result<Listing, Errno> {
        let stat = rustix::fs::fstat(dir)?;
        let (identity, times) = (identity(&stat), times(&stat));
        if let Some((kept, listing)) = self.lock().listings.get(&identity)
            && *kept == times
        {
            return Ok(Arc::clone(listing));
        }
        let now = self.now()?;
        let listing = Arc::new(read(dir, tree)?);
        if is_settled(times, now) && listing.len() > 16 {
            self.keep(identity, times, Arc::clone(&listing));
        }
        Ok(listing)
    }

    fn keep(&self, identity: Identity, times: Times, listing: Listing) {
        let mut guard = self.lock();
        let kept = &mut *guard;
        kept.names += listing.len();
        match kept.listings.insert(identity, (times, listing)) {
            Some((_, old)) => kept.names -= old.len(),
            None => kept.order.push_back(identity),
        }
        while kept.names > MAX_NAMES
            && let Some(oldest) = kept.order.pop_front()
        {
            if let Some((_, old)) = kept.listings.remove(&oldest) {
                kept.names -= old.len();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time as the file system would stamp it now.
    fn now(&self) -> Result<(i64, i64), Errno> {
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        rustix::fs::futimens(&self.clock, &Timestamps { last_access: now, last_modification: now })?;
        let (_, _, seconds, nanos) = times(&rustix::fs::fstat(&self.clock)?);
        Ok((seconds, nanos))
    }
}

/// Whether any later change must show in the folder's times. Not so just after a change: stamps are only as fine as the
/// file system's tick, and a second change within one tick would go unseen.
fn is_settled(times: Times, now: (i64, i64)) -> bool {
    let (_, _, seconds, nanos) = times;
    let age = (now.0 - seconds).saturating_mul(1_000_000_000) + (now.1 - nanos);
    let tick = if now.1 == 0 { 2_500_000_000 } else { 20_000_000 };
    age > tick
}

#[allow(clippy::unnecessary_cast)] // the types differ between platforms
fn identity(stat: &Stat) -> Identity {
    (stat.st_dev as u64, stat.st_ino as u64)
}

#[allow(clippy::unnecessary_cast)] // the types differ between platforms
fn times(stat: &Stat) -> Times {
    (stat.st_mtime as i64, stat.st_mtime_nsec as i64, stat.st_ctime as i64, stat.st_ctime_nsec as i64)
}

fn read(dir: &OwnedFd, tree: Tree) -> Result<Vec<Entry>, Errno> {
    let mut entries = Vec::new();
    for entry in Dir::read_from(dir.as_fd())? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let Ok(text) = name.to_str() else {
            tracing::warn!(name = %name.to_string_lossy(), "a file's name is not UTF-8; it cannot be an object's key");
            continue;
        };
        let kind = match entry.file_type() {
            FileType::Unknown => FileType::from_raw_mode(fsys::stat(dir, text)?.st_mode),
            known => known,
        };
        let is_folder = match kind {
            FileType::RegularFile => false,
            FileType::Directory => true,
            _ => continue,
        };
        match tree {
            Tree::Visible => {
                let text = if is_folder { format!("{text}/") } else { text.to_owned() };
                entries.push(Entry { text: text.into_bytes().into(), is_folder });
            }
            Tree::Kept if is_folder => {
                let name = name.to_bytes();
                let (body, is_key) = match name.strip_suffix(versions::FOLDER.as_bytes()) {
                    Some(body) => (body, true),
                    None => (name, false),
                };
                if let Some((piece, folder)) = escape::piece_of(body)
                    && folder != is_key
                {
                    entries.push(Entry { text: piece.into(), is_folder: folder });
                }
            }
            Tree::Kept => {}
            Tree::Odd => {
                if let Some((piece, folder)) = escape::piece_of(name.to_bytes())
                    && folder == is_folder
                {
                    entries.push(Entry { text: piece.into(), is_folder });
                }
            }
        }
    }
    entries.sort_unstable();
    Ok(entries)
}
