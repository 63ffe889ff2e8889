//! Parts that are written where they will stand: one file with a slot for each, so that putting an upload together copies
//! nothing. A client sends parts of one size, but for the last; whatever comes otherwise becomes a file of its own.
//!
//! In the upload's folder stand `slots` (their size), `whole` (the file), for each slot that somebody has begun to write
//! `NNNNN.claim`, and for each that is whole `NNNNN.slot`, the part's record. A slot is written by one request only: a
//! part that is sent again becomes a file. Once the file is linked elsewhere, nobody writes to it any more: whoever begins
//! claims first and looks at the links then, and whoever puts together links first and looks at the claims then.

use super::disk::Disk;
use super::fsys;
use super::multipart::MIN_PART;
use super::record::Stamp;
use crate::checksum::Checksums;
use crate::object::{PartInfo, PutResult};
use crate::private::create_in;
use rustix::fs::{AtFlags, Mode, OFlags, Stat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::OwnedFd;

const SIZE: &str = "slots";
const WHOLE: &str = "whole";
/// Larger files are more than common file systems hold.
const FARTHEST: u64 = 8 << 40;

/// What is known of a part in a slot.
#[derive(Serialize, Deserialize)]
struct Kept {
    size: u64,
    etag: String,
    sums: Checksums,
}

impl Kept {
    fn part(self, number: u16, stat: &Stat) -> PartInfo {
        let last_modified = Stamp::of(stat).modified();
        PartInfo { number, size: self.size, etag: self.etag, last_modified, checksums: self.sums }
    }
}

fn claim_of(number: u16) -> String {
    format!("{number:05}.claim")
}

pub(super) fn record_of(number: u16) -> String {
    format!("{number:05}.slot")
}

fn numbered(name: &str, ending: &str) -> Option<u16> {
    name.strip_suffix(ending)?.strip_suffix('.')?.parse().ok()
}

fn io(error: std::io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}

fn read(dir: &OwnedFd, name: &str) -> Result<Option<Vec<u8>>, Errno> {
    let file = match fsys::open_file(dir, &[name]) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(errno),
    };
    let mut text = Vec::new();
    file.take(1 << 16).read_to_end(&mut text).map_err(io)?;
    Ok(Some(text))
}

/// The size of an upload's slots, if it has any.
pub(super) fn size(dir: &OwnedFd) -> Result<Option<u64>, Errno> {
    let text = read(dir, SIZE)?;
    Ok(text.and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok()))
}

/// The file with the slots.
pub(super) fn open(dir: &OwnedFd) -> Result<File, Errno> {
    fsys::open_file(dir, &[WHOLE]).map(File::from)
}

impl Disk {
    /// The file for a part of that length, at its slot; none if it has to become a file of its own.
    pub(super) fn claim(&self, dir: &OwnedFd, number: u16, length: u64) -> Result<Option<File>, Errno> {
        let size = match size(dir)? {
            Some(size) => size,
            None if length < MIN_PART => return Ok(None),
            None => self.begin_slots(dir, length)?,
        };
        let start = u64::from(number).saturating_sub(1).saturating_mul(size);
        if length > size || start.saturating_add(size) > FARTHEST {
            return Ok(None);
        }
        match create_in(dir, &claim_of(number)) {
            Ok(_) => {}
            Err(Errno::EXIST) => return Ok(None),
            Err(errno) => return Err(errno),
        }
        // A claim is not made durable, but what was written with it is.
        if fsys::stat(dir, &record_of(number)).is_ok() {
            return Ok(None);
        }
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut file = File::from(rustix::fs::openat(dir, WHOLE, flags, Mode::from_raw_mode(0o644))?);
        if rustix::fs::fstat(&file)?.st_nlink != 1 {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(start)).map_err(io)?;
        Ok(Some(file))
    }

    /// The size that the first part has, whichever comes first.
    fn begin_slots(&self, dir: &OwnedFd, length: u64) -> Result<u64, Errno> {
        let name = self.private.fresh_name();
        let mut file = self.private.create_tmp(&name)?;
        file.write_all(length.to_string().as_bytes()).map_err(io)?;
        rustix::fs::fsync(&file)?;
        let linked = rustix::fs::linkat(&self.private.tmp, &name, dir, SIZE, AtFlags::empty());
        fsys::unlink(&self.private.tmp, &name)?;
        match linked {
            Ok(()) => Ok(length),
            // Somebody else was faster; or there are no links here, and no slot is large enough.
            Err(_) => Ok(size(dir)?.unwrap_or(0)),
        }
    }

    /// Keeps that a slot is whole.
    pub(super) fn fill(&self, dir: &OwnedFd, number: u16, put: PutResult) -> Result<PartInfo, Errno> {
        let kept = Kept { size: put.size, etag: put.etag, sums: put.checksums };
        let name = self.private.fresh_name();
        let mut file = self.private.create_tmp(&name)?;
        let written = serde_json::to_vec(&kept)
            .map_err(|_| Errno::IO)
            .and_then(|text| file.write_all(&text).map_err(io))
            .and_then(|()| rustix::fs::fsync(&file))
            .and_then(|()| rustix::fs::renameat(&self.private.tmp, &name, dir, record_of(number)));
        if written.is_err() {
            fsys::unlink(&self.private.tmp, &name)?;
        }
        written?;
        // The part that was there before.
        fsys::unlink(dir, &format!("{number:05}"))?;
        rustix::fs::fsync(dir)?;
        let stat = fsys::stat(dir, &record_of(number))?;
        Ok(kept.part(number, &stat))
    }

    /// The part in a slot, by the name of its record; nothing if that is none.
    pub(super) fn filled(&self, dir: &OwnedFd, name: &str) -> Result<Option<PartInfo>, Errno> {
        let Some(number) = numbered(name, "slot") else { return Ok(None) };
        let Some(kept) = read(dir, name)?.and_then(|text| serde_json::from_slice::<Kept>(&text).ok()) else {
            return Ok(None);
        };
        let stat = fsys::stat(dir, name)?;
        Ok(Some(kept.part(number, &stat)))
    }

    /// A link to the file with the slots, under a fresh name in `tmp`, if it is just these parts one behind the other and
    /// nobody writes to it.
    pub(super) fn whole(&self, dir: &OwnedFd, parts: &[PartInfo]) -> Result<Option<(File, String)>, Errno> {
        let Some(size) = size(dir)? else { return Ok(None) };
        let mut numbers = 1..=u16::MAX;
        let in_order = parts.iter().all(|part| numbers.next() == Some(part.number));
        let before = parts.split_last().map_or(parts, |(_, before)| before);
        if !in_order || before.iter().any(|part| part.size != size) {
            return Ok(None);
        }
        let name = self.private.fresh_name();
        if rustix::fs::linkat(dir, WHOLE, &self.private.tmp, &name, AtFlags::empty()).is_err() {
            return Ok(None);
        }
        let ready = self.linked(dir, &name, parts);
        if !matches!(ready, Ok(Some(_))) {
            fsys::unlink(&self.private.tmp, &name)?;
        }
        Ok(ready?.map(|file| (file, name)))
    }

    fn linked(&self, dir: &OwnedFd, name: &str, parts: &[PartInfo]) -> Result<Option<File>, Errno> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = File::from(rustix::fs::openat(&self.private.tmp, name, flags, Mode::empty())?);
        // The upload's own link and this one.
        if rustix::fs::fstat(&file)?.st_nlink != 2 {
            return Ok(None);
        }
        let is_chosen = |number| parts.iter().any(|part| part.number == number);
        // Parts that are files, parts that were not named, and slots that somebody may be writing.
        let others = fsys::names(dir)?.iter().any(|name| {
            let slot = numbered(name, "claim").or_else(|| numbered(name, "slot"));
            name.parse::<u16>().is_ok() || slot.is_some_and(|number| !is_chosen(number))
        });
        let length = parts.iter().map(|part| part.size).sum();
        if others || rustix::fs::fstat(&file)?.st_size.cast_unsigned() < length {
            return Ok(None);
        }
        // What a request has left behind that broke off.
        file.set_len(length).map_err(io)?;
        Ok(Some(file))
    }
}
