//! Keys in byte order from the two trees of a bucket. A walk may begin anywhere and jump over prefixes, and touches only
//! the folders it needs.

use super::cache::{Entry, Listing, Tree};
use super::disk::{Disk, info_from};
use super::escape;
use super::fsys;
use super::record::Stamp;
use super::versions::{FOLDER, order_in};
use crate::object::ObjectInfo;
use crate::private::failed;
use crate::store::{Bound, Listed, ListedVersion, Scan, ScanRequest, VersionScan};
use crate::versions::ObjectVersion;
use model::{LakeUri, Result};
use rustix::io::Errno;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;

impl Bound {
    /// Whether the walk leaves out this key, or everything below this folder (whose text every key there begins with).
    fn excludes(&self, text: &[u8], is_folder: bool) -> bool {
        let before = |key: &str| text < key.as_bytes() && !key.as_bytes().starts_with(text);
        match (self, is_folder) {
            (Self::From(key) | Self::After(key), true) => before(key),
            (Self::From(key), false) => text < key.as_bytes(),
            (Self::After(key), false) => text <= key.as_bytes(),
            (Self::Past(prefix), true) => text.starts_with(prefix.as_bytes()) || before(prefix),
            (Self::Past(prefix), false) => text < prefix.as_bytes() || text.starts_with(prefix.as_bytes()),
        }
    }
}

/// A folder that the walk is in.
struct Frame {
    listing: Listing,
    next: usize,
    /// Length of the key and of the path at this folder.
    key: usize,
    path: usize,
}

/// A file that the walk met.
struct Hit {
    key: String,
    folders: Rc<Vec<String>>,
    name: String,
}

struct Walk<'d> {
    disk: &'d Disk,
    base: Option<OwnedFd>,
    tree: Tree,
    bound: Bound,
    frames: Vec<Frame>,
    key: Vec<u8>,
    path: Rc<Vec<String>>,
    peeked: Option<Hit>,
    /// The folder whose files are being looked at.
    open: Option<(Rc<Vec<String>>, OwnedFd)>,
}

impl<'d> Walk<'d> {
    /// `start`: the folder to begin in, whose path is also the beginning of its keys (visible tree), or empty.
    fn new(disk: &'d Disk, base: OwnedFd, tree: Tree, start: &str, bound: Bound) -> Result<Self, Errno> {
        let path: Vec<String> = match start.strip_suffix('/') {
            Some(folder) => folder.split('/').map(str::to_owned).collect(),
            None => Vec::new(),
        };
        let mut walk = Self {
            disk,
            base: Some(base),
            tree,
            bound,
            frames: Vec::new(),
            key: start.as_bytes().to_vec(),
            path: Rc::new(path),
            peeked: None,
            open: None,
        };
        walk.enter()?;
        Ok(walk)
    }

    fn nothing(disk: &'d Disk, tree: Tree) -> Self {
        let (bound, path) = (Bound::From(String::new()), Rc::new(Vec::new()));
        Self {
            disk,
            base: None,
            tree,
            bound,
            frames: Vec::new(),
            key: Vec::new(),
            path,
            peeked: None,
            open: None,
        }
    }

    /// Reads the folder at `path`. One that is gone meanwhile is an empty one.
    fn enter(&mut self) -> Result<(), Errno> {
        let Some(base) = &self.base else { return Ok(()) };
        let listing = fsys::open_dir(base, &self.path).and_then(|dir| self.disk.cache.list(&dir, self.tree));
        match listing {
            Ok(listing) => {
                let next = first_within(&listing, &self.key, &self.bound);
                self.frames.push(Frame { listing, next, key: self.key.len(), path: self.path.len() });
                Ok(())
            }
            Err(errno) if fsys::is_absent(errno) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    fn advance(&mut self) -> Result<Option<Hit>, Errno> {
        while let Some(frame) = self.frames.last_mut() {
            self.key.truncate(frame.key);
            if self.path.len() > frame.path {
                Rc::make_mut(&mut self.path).truncate(frame.path);
            }
            let listing = Arc::clone(&frame.listing);
            let Some(entry) = listing.get(frame.next) else {
                self.frames.pop();
                continue;
            };
            frame.next += 1;
            self.key.extend_from_slice(&entry.text);
            let Some(name) = file_name(entry, self.tree) else { continue };
            if entry.is_folder {
                Rc::make_mut(&mut self.path).push(name);
                let depth = self.frames.len();
                self.enter()?;
                if self.frames.len() == depth {
                    Rc::make_mut(&mut self.path).pop();
                }
                continue;
            }
            if let Ok(key) = String::from_utf8(self.key.clone()) {
                return Ok(Some(Hit { key, folders: Rc::clone(&self.path), name }));
            }
        }
        Ok(None)
    }

    fn peek(&mut self) -> Result<Option<&str>, Errno> {
        if self.peeked.is_none() {
            self.peeked = self.advance()?;
        }
        Ok(self.peeked.as_ref().map(|hit| hit.key.as_str()))
    }

    fn take(&mut self) -> Option<Hit> {
        self.peeked.take()
    }

    /// Goes on behind everything that begins with `prefix`.
    fn skip_past(&mut self, prefix: &str) {
        if self.peeked.as_ref().is_some_and(|hit| hit.key.starts_with(prefix)) {
            self.peeked = None;
        }
        self.bound = Bound::Past(prefix.to_owned());
        while self.frames.last().is_some_and(|frame| self.key[..frame.key].starts_with(prefix.as_bytes())) {
            self.frames.pop();
        }
        for frame in &mut self.frames {
            frame.next = frame.next.max(first_within(&frame.listing, &self.key[..frame.key], &self.bound));
        }
    }

    fn info(&mut self, uri: LakeUri, hit: &Hit) -> Result<Option<ObjectInfo>, Errno> {
        let Some(base) = &self.base else { return Ok(None) };
        let dir = match self.open.take() {
            Some((folders, dir)) if Rc::ptr_eq(&folders, &hit.folders) || folders == hit.folders => dir,
            _ => match fsys::open_dir(base, &hit.folders) {
                Ok(dir) => dir,
                Err(errno) if fsys::is_absent(errno) => return Ok(None),
                Err(errno) => return Err(errno),
            },
        };
        let info = match fsys::stat(&dir, &hit.name) {
            Ok(stat) if fsys::is_file(&stat) => {
                let stamp = Stamp::of(&stat);
                let record = self.disk.records.read_at(dir.as_fd(), &hit.name, &stamp);
                Some(info_from(uri, &stamp, record))
            }
            Ok(_) => None,
            Err(errno) if fsys::is_absent(errno) => None,
            Err(errno) => return Err(errno),
        };
        self.open = Some((Rc::clone(&hit.folders), dir));
        Ok(info)
    }
}

fn first_within(listing: &[Entry], key: &[u8], bound: &Bound) -> usize {
    let mut text = key.to_vec();
    listing.partition_point(|entry| {
        text.truncate(key.len());
        text.extend_from_slice(&entry.text);
        bound.excludes(&text, entry.is_folder)
    })
}

fn file_name(entry: &Entry, tree: Tree) -> Option<String> {
    match tree {
        Tree::Visible => {
            let name = std::str::from_utf8(&entry.text).ok()?;
            Some(if entry.is_folder { name.strip_suffix('/')?.to_owned() } else { name.to_owned() })
        }
        Tree::Odd => Some(escape::piece_name(&entry.text, entry.is_folder)),
        Tree::Kept if entry.is_folder => Some(escape::piece_name(&entry.text, true)),
        Tree::Kept => Some(escape::piece_name(&entry.text, false) + FOLDER),
    }
}

/// The versions that came before this one, which may be gone meanwhile.
fn older(mut versions: Vec<ObjectVersion>, than: &str) -> Vec<ObjectVersion> {
    if let Some(at) = versions.iter().position(|one| one.id == than) {
        return versions.split_off(at + 1);
    }
    if let Some(order) = order_in(than) {
        let written = |one: &ObjectVersion| {
            one.info.last_modified.timestamp_nanos_opt().and_then(|nanos| u64::try_from(nanos).ok())
        };
        versions.retain(|one| order_in(&one.id).or_else(|| written(one)).is_none_or(|is| is < order));
    }
    versions
}

impl Disk {
    /// Some of a bucket's listing.
    pub(crate) fn scan(&self, request: &ScanRequest) -> Result<Scan> {
        let wrong = |errno| failed("list", format!("s3://{}/{}", request.bucket, request.prefix), errno);
        let (mut visible, mut odd) = self.walks(request)?;
        let mut scan = Scan::default();
        loop {
            let (from_visible, key) = {
                let (one, two) = (visible.peek().map_err(wrong)?, odd.peek().map_err(wrong)?);
                match (one, two) {
                    (None, None) => return Ok(scan),
                    (Some(one), None) => (true, one.to_owned()),
                    (None, Some(two)) => (false, two.to_owned()),
                    (Some(one), Some(two)) if one <= two => (true, one.to_owned()),
                    (Some(_), Some(two)) => (false, two.to_owned()),
                }
            };
            let Some(rest) = key.strip_prefix(request.prefix.as_str()) else { return Ok(scan) };
            if scan.items.len() == request.limit {
                scan.more = true;
                return Ok(scan);
            }
            if let Some(end) = request.delimiter.as_ref().and_then(|d| rest.find(d).map(|at| at + d.len())) {
                let common = key[..request.prefix.len() + end].to_owned();
                visible.skip_past(&common);
                odd.skip_past(&common);
                scan.items.push(Listed::Prefix(common));
                continue;
            }
            let walk = if from_visible { &mut visible } else { &mut odd };
            if let Some(hit) = walk.take() {
                let uri = LakeUri::new(request.bucket.clone(), key.clone());
                // A path longer than a key may be cannot be asked for, so it is not shown either.
                if let Ok(uri) = uri
                    && let Some(info) = walk.info(uri, &hit).map_err(wrong)?
                {
                    scan.items.push(Listed::Object(Box::new(info)));
                }
            }
            if from_visible && odd.peek().map_err(wrong)? == Some(key.as_str()) {
                odd.take();
            }
        }
    }

    /// Some of a bucket's versions. `after`: of the key where the walk begins, only those that are older.
    pub(crate) fn scan_versions(&self, request: &ScanRequest, after: Option<&str>) -> Result<VersionScan> {
        let wrong = |errno| failed("list", format!("s3://{}/{}", request.bucket, request.prefix), errno);
        let (visible, odd) = self.walks(request)?;
        let kept = match self.kept_base(&request.bucket) {
            Ok(base) => Walk::new(self, base, Tree::Kept, "", request.bound.clone()).map_err(wrong)?,
            Err(Errno::NOENT) => Walk::nothing(self, Tree::Kept),
            Err(errno) => return Err(wrong(errno)),
        };
        let mut walks = [visible, odd, kept];
        let mut scan = VersionScan::default();
        loop {
            let mut least: Option<String> = None;
            for walk in &mut walks {
                if let Some(key) = walk.peek().map_err(wrong)?
                    && least.as_deref().is_none_or(|least| key < least)
                {
                    least = Some(key.to_owned());
                }
            }
            let Some(key) = least else { return Ok(scan) };
            let Some(rest) = key.strip_prefix(request.prefix.as_str()) else { return Ok(scan) };
            if let Some(end) = request.delimiter.as_ref().and_then(|d| rest.find(d).map(|at| at + d.len())) {
                if scan.items.len() == request.limit {
                    scan.more = true;
                    return Ok(scan);
                }
                let common = key[..request.prefix.len() + end].to_owned();
                walks.iter_mut().for_each(|walk| walk.skip_past(&common));
                scan.items.push(ListedVersion::Prefix(common));
                continue;
            }
            for walk in &mut walks {
                if walk.peek().map_err(wrong)? == Some(key.as_str()) {
                    walk.take();
                }
            }
            let Ok(uri) = LakeUri::new(request.bucket.clone(), key.clone()) else { continue };
            let mut versions = self.history(&uri)?;
            if let Some(after) = after
                && matches!(&request.bound, Bound::From(first) if *first == key)
            {
                versions = older(versions, after);
            }
            for version in versions {
                if scan.items.len() == request.limit {
                    scan.more = true;
                    return Ok(scan);
                }
                scan.items.push(ListedVersion::Version(Box::new(version)));
            }
        }
    }

    fn walks(&self, request: &ScanRequest) -> Result<(Walk<'_>, Walk<'_>)> {
        let wrong = |errno| failed("list", format!("s3://{}/{}", request.bucket, request.prefix), errno);
        let bucket = self.bucket(&request.bucket)?;
        let start = request.prefix.rfind('/').map_or("", |at| &request.prefix[..=at]);
        let reachable = start.strip_suffix('/').is_none_or(|folder| escape::visible(folder).is_some());
        let visible = match reachable {
            true => Walk::new(self, bucket, Tree::Visible, start, request.bound.clone()).map_err(wrong)?,
            false => Walk::nothing(self, Tree::Visible),
        };
        let odd = match fsys::open_dir(&self.odd, &[request.bucket.as_str()]) {
            Ok(base) => Walk::new(self, base, Tree::Odd, "", request.bound.clone()).map_err(wrong)?,
            Err(Errno::NOENT) => Walk::nothing(self, Tree::Odd),
            Err(errno) => return Err(wrong(errno)),
        };
        Ok((visible, odd))
    }
}
