//! Reading an open file piece by piece. A whole read of an object with a known checksum ends with its check, so that a
//! rotten disk is noticed.

use super::record::Stamp;
use super::sink::blocking;
use crate::object::{GetRange, ObjectInfo, ObjectRead};
use crate::private::failed;
use bytes::{Bytes, BytesMut};
use crc_fast::{CrcAlgorithm, Digest as Crc};
use futures::StreamExt;
use model::{Error, Place, Result};
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

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
    let stream = futures::stream::unfold(Some(reading), |reading| async move {
        let reading = reading?;
        match blocking(move || reading.next()).await {
            Ok((Some(bytes), reading)) => Some((Ok(bytes), Some(reading))),
            Ok((None, _)) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(ObjectRead { info, range, stream: stream.boxed() })
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
