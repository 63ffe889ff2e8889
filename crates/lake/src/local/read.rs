//! Reading an open file piece by piece. A whole read of an object with a known checksum ends with its check, so that a
//! rotten disk is noticed.

use super::record::Stamp;
use super::sink::blocking;
use crate::object::{GetRange, ObjectInfo, ObjectRead};
use crate::private::failed;
use crate::ranges::RandomAccess;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use crc_fast::{CrcAlgorithm, Digest as Crc};
use futures::StreamExt;
use model::{Error, ErrorKind, LakeUri, Place, Result};
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

const CHUNK: u64 = 1 << 20;

struct Reading {
    file: File,
    info: ObjectInfo,
    left: Range<u64>,
    /// What the file was when it was opened.
    stamp: Option<Stamp>,
    crc: Option<Crc>,
}

pub(crate) fn open(file: File, info: ObjectInfo, range: Option<&GetRange>) -> Result<ObjectRead> {
    let range = match range {
        Some(range) => range.resolve(&info.uri, info.size)?,
        None => 0..info.size,
    };
    let whole = range == (0..info.size) && info.checksums.crc64nvme.is_some();
    let stamp = rustix::fs::fstat(&file).ok().map(|stat| Stamp::of(&stat));
    let crc = whole.then(|| Crc::new(CrcAlgorithm::Crc64Nvme));
    let reading = Reading { file, info: info.clone(), left: range.clone(), stamp, crc };
    // We are on a thread that may wait for the disk: a short range is read here and now.
    let short = !range.is_empty() && range.end - range.start <= CHUNK;
    let (first, reading) = match short.then_some(()) {
        None => (None, Some(reading)),
        Some(()) => match reading.next() {
            Ok((bytes, reading)) => (bytes.map(Ok), Some(reading)),
            Err(error) => (Some(Err(error)), None),
        },
    };
    let rest = futures::stream::unfold(reading, |reading| async move {
        // Nothing is left of a short range: no need to change threads to learn it.
        let reading = reading.filter(|reading| !reading.left.is_empty());
        let reading = reading?;
        match blocking(move || reading.next()).await {
            Ok((Some(bytes), reading)) => Some((Ok(bytes), Some(reading))),
            Ok((None, _)) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(ObjectRead { info, range, stream: futures::stream::iter(first).chain(rest).fuse().boxed() })
}

/// An open file of which pieces are read, by one call for all of them.
pub(crate) struct OpenFile {
    file: Arc<File>,
    info: ObjectInfo,
}

/// Reading this much more is cheaper than another system call.
const GAP: u64 = 16 << 10;

impl OpenFile {
    pub(crate) fn new(file: File, info: ObjectInfo) -> Self {
        Self { file: Arc::new(file), info }
    }
}

#[async_trait]
impl RandomAccess for OpenFile {
    async fn read(&self, pieces: Vec<Range<u64>>) -> Result<Vec<Bytes>> {
        let (file, uri) = (Arc::clone(&self.file), self.info.uri.clone());
        blocking(move || pieces.iter().map(|piece| read_piece(&file, piece, &uri)).collect()).await
    }

    fn gap(&self) -> u64 {
        GAP
    }
}

fn read_piece(file: &File, piece: &Range<u64>, uri: &LakeUri) -> Result<Bytes> {
    let length = usize::try_from(piece.end - piece.start)
        .map_err(|_| Error::new(ErrorKind::LimitExceeded, "the piece does not fit into memory"))?;
    let mut buffer: Vec<u8> = Vec::with_capacity(length);
    while buffer.len() < length {
        let at = piece.start + buffer.len() as u64;
        // The spare capacity may be larger than what was asked for.
        let missing = length - buffer.len();
        let read = match buffer.capacity() - buffer.len() == missing {
            true => rustix::io::pread(file, rustix::buffer::spare_capacity(&mut buffer), at),
            false => {
                let start = buffer.len();
                buffer.resize(length, 0);
                let read = rustix::io::pread(file, &mut buffer[start..], at);
                buffer.truncate(start + read.unwrap_or(0));
                read
            }
        };
        match read {
            Ok(0) => {
                return Err(Error::conflict("the file was cut while it was read").at(Place::object(uri)));
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(failed("read", uri, errno)),
        }
    }
    Ok(Bytes::from(buffer))
}

impl Reading {
    fn next(mut self) -> Result<(Option<Bytes>, Self)> {
        if self.left.is_empty() {
            return Ok((None, self));
        }
        let length = (self.left.end - self.left.start).min(CHUNK);
        let mut buffer = BytesMut::zeroed(usize::try_from(length).unwrap_or_default());
        self.file.read_exact_at(&mut buffer, self.left.start).map_err(|e| {
            match rustix::io::Errno::from_io_error(&e) {
                Some(errno) => failed("read", &self.info.uri, errno),
                None => self.changed(),
            }
        })?;
        self.left.start += length;
        if let Some(crc) = &mut self.crc {
            crc.update(&buffer);
            if self.left.is_empty() && Some(crc.finalize()) != self.info.checksums.crc64nvme {
                return Err(self.rotten());
            }
        }
        Ok((Some(buffer.freeze()), self))
    }

    fn changed(&self) -> Error {
        Error::conflict("the file was changed while it was read").at(Place::object(&self.info.uri))
    }

    fn rotten(&self) -> Error {
        let now = rustix::fs::fstat(&self.file).ok().map(|stat| Stamp::of(&stat));
        if now != self.stamp {
            return self.changed();
        }
        Error::corrupt("the stored bytes do not have the checksum they were written with")
            .at(Place::object(&self.info.uri))
            .why("the disk returned other bytes than were stored, and nobody wrote the file since")
            .hint("check the disk and restore the object from a copy")
    }
}
