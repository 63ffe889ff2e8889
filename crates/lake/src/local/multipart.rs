//! Multipart uploads on the local disk: a folder per upload with its description and the parts as files, put together
//! when it is completed. Uploads outlive the process, as on S3.

use super::disk::Disk;
use super::fsys;
use super::record::Stamp;
use super::sink::Draft;
use super::slots;
use crate::checksum::{Checksums, Digests, combine_crc64, multipart_etag};
use crate::object::{CompletedPart, MultipartInfo, PartInfo, PutMode, PutOptions, PutResult, bare_etag};
use crate::private::{failed, random_id};
use crate::store::Finished;
use model::{BucketName, Error, ErrorKind, LakeUri, Place, Result};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::fd::OwnedFd;
use std::sync::Arc;

const DESCRIPTION: &str = "upload.json";
/// S3's least size of a part that is not the last.
pub(crate) const MIN_PART: u64 = 5 << 20;
pub(crate) const MAX_PARTS: u16 = 10_000;

#[derive(Serialize, Deserialize)]
struct Description {
    uri: LakeUri,
    options: PutOptions,
}

fn no_upload(uri: &LakeUri, id: &str) -> Error {
    Error::not_found(format!("there is no multipart upload `{id}`"))
        .at(Place::object(uri))
        .why("it was completed or aborted, or never begun")
}

impl Disk {
    pub(crate) fn begin_upload(&self, uri: &LakeUri, options: &PutOptions) -> Result<String> {
        self.bucket(uri.bucket())?;
        let wrong = |errno| failed("begin an upload for", uri, errno);
        let id = random_id()?;
        let dir = fsys::ensure_dir(&self.uploads, &[uri.bucket().as_str(), &id]).map_err(wrong)?;
        let description = Description { uri: uri.clone(), options: options.clone() };
        let name = self.private.fresh_name();
        let file = self.private.create_tmp(&name).map_err(wrong)?;
        serde_json::to_writer(&file, &description)
            .map_err(|e| Error::unavailable("cannot describe the upload").source_is(e))?;
        rustix::fs::fsync(&file).map_err(wrong)?;
        rustix::fs::renameat(&self.private.tmp, &name, &dir, DESCRIPTION).map_err(wrong)?;
        rustix::fs::fsync(&dir).map_err(wrong)?;
        Ok(id)
    }

    fn upload(&self, uri: &LakeUri, id: &str) -> Result<(OwnedFd, Description)> {
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(no_upload(uri, id));
        }
        let dir = match fsys::open_dir(&self.uploads, &[uri.bucket().as_str(), id]) {
            Ok(dir) => dir,
            Err(errno) if fsys::is_absent(errno) => return Err(no_upload(uri, id)),
            Err(errno) => return Err(failed("open the upload", id, errno)),
        };
        match describe(&dir) {
            Some(description) if description.uri == *uri => Ok((dir, description)),
            _ => Err(no_upload(uri, id)),
        }
    }

    pub(crate) fn put_part(
        self: &Arc<Self>,
        uri: &LakeUri,
        id: &str,
        number: u16,
        bytes: &[u8],
        options: &PutOptions,
    ) -> Result<PartInfo> {
        let options = PutOptions { length: Some(bytes.len() as u64), ..options.clone() };
        let (mut draft, room) = self.begin_part(uri, id, number, &options)?;
        draft.append(bytes)?;
        self.end_part(uri, id, number, (draft, room.is_some()), &options)
    }

    /// Where a part of an upload that is under way is written to; and how long it may become, where it has a slot.
    pub(crate) fn begin_part(
        self: &Arc<Self>,
        uri: &LakeUri,
        id: &str,
        number: u16,
        options: &PutOptions,
    ) -> Result<(Draft, Option<u64>)> {
        let (dir, _) = self.upload(uri, id)?;
        if let Some(length) = options.length
            && let Some(file) =
                self.claim(&dir, number, length).map_err(|errno| failed("write a part of", uri, errno))?
        {
            return Ok((Draft::within(self, uri, options, file, dir), Some(length)));
        }
        Ok((Draft::new(self, uri, options, None)?, None))
    }

    /// Puts a part's file in its place among the upload's, or keeps that its slot is whole.
    pub(crate) fn end_part(
        &self,
        uri: &LakeUri,
        id: &str,
        number: u16,
        (mut draft, has_slot): (Draft, bool),
        options: &PutOptions,
    ) -> Result<PartInfo> {
        let (dir, _) = self.upload(uri, id)?;
        if has_slot {
            let put = draft.synced(options)?;
            let part = self.fill(&dir, number, put).map_err(|errno| failed("write a part of", uri, errno))?;
            crashpoint::hit("lake.multipart.part");
            return Ok(part);
        }
        let result = draft.seal(&PutOptions { content_type: None, ..options.clone() })?;
        let wrong = |errno| failed("write a part of", uri, errno);
        rustix::fs::renameat(&self.private.tmp, &draft.name, &dir, format!("{number:05}")).map_err(wrong)?;
        draft.keep();
        fsys::unlink(&dir, &slots::record_of(number)).map_err(wrong)?;
        rustix::fs::fsync(&dir).map_err(wrong)?;
        crashpoint::hit("lake.multipart.part");
        let stat = fsys::stat(&dir, &format!("{number:05}")).map_err(wrong)?;
        Ok(PartInfo {
            number,
            size: result.size,
            etag: result.etag,
            last_modified: Stamp::of(&stat).modified(),
            checksums: result.checksums,
        })
    }

    pub(crate) fn parts(&self, uri: &LakeUri, id: &str) -> Result<Vec<PartInfo>> {
        let (dir, _) = self.upload(uri, id)?;
        self.parts_in(&dir, uri)
    }

    fn parts_in(&self, dir: &OwnedFd, uri: &LakeUri) -> Result<Vec<PartInfo>> {
        use std::os::fd::AsFd as _;
        let wrong = |errno| failed("list the parts of", uri, errno);
        let (mut parts, mut in_slots) = (Vec::new(), Vec::new());
        for name in fsys::names(dir).map_err(wrong)? {
            let Ok(number) = name.parse::<u16>() else {
                in_slots.extend(self.filled(dir, &name).map_err(wrong)?);
                continue;
            };
            let stamp = Stamp::of(&fsys::stat(dir, &name).map_err(wrong)?);
            let Some(record) = self.records.read_at(dir.as_fd(), &name, &stamp) else {
                return Err(Error::corrupt(format!("part {number} of an upload was changed on disk"))
                    .at(Place::object(uri))
                    .hint("send that part again"));
            };
            parts.push(PartInfo {
                number,
                size: stamp.size,
                etag: record.etag,
                last_modified: stamp.modified(),
                checksums: record.sums,
            });
        }
        // Where there are both, the file is the later one: the stable sort leaves it before the slot.
        parts.extend(in_slots);
        parts.sort_by_key(|part: &PartInfo| part.number);
        parts.dedup_by_key(|part| part.number);
        Ok(parts)
    }

    pub(crate) fn complete_upload(
        self: &Arc<Self>,
        uri: &LakeUri,
        id: &str,
        named: &[CompletedPart],
        mode: &PutMode,
    ) -> Result<PutResult> {
        let (dir, description) = self.upload(uri, id)?;
        let parts = choose(uri, named, &self.parts_in(&dir, uri)?)?;
        let mut options = PutOptions { mode: mode.clone(), ..description.options };
        options.checksums = Checksums::default();
        let wrong = |errno| failed("read a part of", uri, errno);
        let mut draft = match self.whole(&dir, &parts).map_err(wrong)? {
            Some((file, name)) => Draft::of(self, uri, file, name)?,
            None => self.copied(uri, &dir, &parts, &options)?,
        };
        let (etag, digests) = sum_up(&parts);
        let result = draft.seal_as(etag, digests, &options)?;
        crashpoint::hit("lake.multipart.complete");
        let finished = draft.place(&options, result)?;
        crashpoint::hit("lake.multipart.placed");
        self.drop_upload(uri.bucket(), id, uri)?;
        match finished {
            Finished::Published(result) | Finished::Staged(result, _) => Ok(result),
        }
    }

    /// The parts in a file, one behind the other.
    fn copied(
        self: &Arc<Self>,
        uri: &LakeUri,
        dir: &OwnedFd,
        parts: &[PartInfo],
        options: &PutOptions,
    ) -> Result<Draft> {
        let wrong = |errno| failed("read a part of", uri, errno);
        let slot = slots::size(dir).map_err(wrong)?;
        let draft = Draft::new(self, uri, options, None)?;
        for part in parts {
            let (file, start) = match (fsys::open_file(dir, &[format!("{:05}", part.number)]), slot) {
                (Ok(file), _) => (File::from(file), 0),
                (Err(Errno::NOENT), Some(size)) => {
                    let file = slots::open(dir).map_err(wrong)?;
                    (file, u64::from(part.number).saturating_sub(1).saturating_mul(size))
                }
                (Err(errno), _) => return Err(wrong(errno)),
            };
            append_file(file, start, draft.file(), part.size).map_err(|e| draft.io_error(e))?;
        }
        Ok(draft)
    }

    fn drop_upload(&self, bucket: &BucketName, id: &str, uri: &LakeUri) -> Result<()> {
        let wrong = |errno| failed("remove the upload of", uri, errno);
        let base = fsys::open_dir(&self.uploads, &[bucket.as_str()]).map_err(wrong)?;
        // The description goes first: an upload half removed is none any more.
        if let Ok(dir) = fsys::open_dir(&base, &[id]) {
            fsys::unlink(&dir, DESCRIPTION).map_err(wrong)?;
            rustix::fs::fsync(&dir).map_err(wrong)?;
            for name in fsys::names(&dir).map_err(wrong)? {
                if let Ok(stat) = fsys::stat(&dir, &name) {
                    self.records.forget(Stamp::of(&stat).inode);
                }
            }
        }
        fsys::remove_all(&base, id).map_err(wrong)
    }

    pub(crate) fn abort_upload(&self, uri: &LakeUri, id: &str) -> Result<()> {
        self.upload(uri, id)?;
        self.drop_upload(uri.bucket(), id, uri)
    }

    pub(crate) fn list_uploads(&self, bucket: &BucketName, prefix: &str) -> Result<Vec<MultipartInfo>> {
        self.bucket(bucket)?;
        let wrong = |errno| failed("list the uploads of", bucket, errno);
        let base = match fsys::open_dir(&self.uploads, &[bucket.as_str()]) {
            Ok(base) => base,
            Err(Errno::NOENT) => return Ok(Vec::new()),
            Err(errno) => return Err(wrong(errno)),
        };
        let mut uploads = Vec::new();
        for id in fsys::names(&base).map_err(wrong)? {
            let Ok(dir) = fsys::open_dir(&base, &[&id]) else { continue };
            let Some(description) = describe(&dir) else { continue };
            let initiated =
                fsys::stat(&dir, DESCRIPTION).map(|stat| Stamp::of(&stat).modified()).map_err(wrong)?;
            if description.uri.key().starts_with(prefix) {
                uploads.push(MultipartInfo { uri: description.uri, upload_id: id, initiated });
            }
        }
        uploads.sort_by(|a, b| {
            (a.uri.key(), a.initiated, &a.upload_id).cmp(&(b.uri.key(), b.initiated, &b.upload_id))
        });
        Ok(uploads)
    }
}

fn describe(dir: &OwnedFd) -> Option<Description> {
    let mut text = Vec::new();
    let file = File::from(fsys::open_file(dir, &[DESCRIPTION]).ok()?);
    file.take(1 << 20).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// The parts that a completion names, checked as S3 does.
fn choose(uri: &LakeUri, named: &[CompletedPart], present: &[PartInfo]) -> Result<Vec<PartInfo>> {
    let wrong = |text: String| Err(Error::invalid(text).at(Place::object(uri)));
    if named.is_empty() {
        return wrong("an upload is completed with at least one part".to_owned());
    }
    if !named.is_sorted_by(|a, b| a.number < b.number) {
        return wrong("the parts must be named once each, in ascending order".to_owned());
    }
    let mut chosen = Vec::with_capacity(named.len());
    for (at, part) in named.iter().enumerate() {
        let Some(found) =
            present.iter().find(|have| have.number == part.number && have.etag == bare_etag(&part.etag))
        else {
            return wrong(format!("part {} with etag \"{}\" was not uploaded", part.number, part.etag));
        };
        if at + 1 < named.len() && found.size < MIN_PART {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("part {} is too small: {} bytes", part.number, found.size),
            )
            .at(Place::object(uri))
            .hint("every part but the last must have at least 5 MiB"));
        }
        chosen.push(found.clone());
    }
    Ok(chosen)
}

fn sum_up(parts: &[PartInfo]) -> (String, Digests) {
    let etag = multipart_etag(parts.iter().map(|part| part.etag.as_str()));
    let mut crc = parts.first().and_then(|part| part.checksums.crc64nvme);
    for part in parts.iter().skip(1) {
        crc =
            crc.zip(part.checksums.crc64nvme).map(|(first, second)| combine_crc64(first, second, part.size));
    }
    let size = parts.iter().map(|part| part.size).sum();
    (etag, Digests { size, md5: None, sums: Checksums { crc64nvme: crc, ..Checksums::default() } })
}

/// Appends a piece of a file to another inside the kernel where it can.
fn append_file(mut from: File, start: u64, mut to: &File, size: u64) -> std::io::Result<()> {
    from.seek(SeekFrom::Start(start))?;
    let mut left = size;
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(1 << 30);
        match rustix::fs::copy_file_range(&from, None, to, None, length) {
            Ok(0) => break,
            Ok(copied) => left -= copied as u64,
            Err(Errno::INTR) => {}
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                left -= std::io::copy(&mut (&from).take(left), &mut to)?;
                break;
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    if left == 0 { Ok(()) } else { Err(std::io::Error::other("a part is shorter than it was")) }
}
