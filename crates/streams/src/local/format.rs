//! How batches and segments look on disk. All numbers are little-endian.
//!
//! A segment is a header `[magic, checksum, version, shard, base ordinal, salt]` and batches behind it; a batch is
//! `[magic, checksum, body length, flags, first ordinal, count, arrival time]` and its records
//! `[key length, data length, key, data]`. Checksums are CRC-32C and begin with the segment's random salt, so that bytes
//! which a client has put can never be taken for a batch.

use bytes::{Buf, Bytes};
use crc_fast::{CrcAlgorithm, Digest};

pub(crate) const SEGMENT_HEADER: usize = 32;
pub(crate) const BATCH_HEADER: usize = 40;
const SEGMENT_MAGIC: u32 = u32::from_le_bytes(*b"GLSG");
const BATCH_MAGIC: u32 = u32::from_le_bytes(*b"GLBT");
const VERSION: u32 = 1;
/// The batch stands for records that were lost and given up; it has no body.
const GAP: u32 = 1;

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}

pub(crate) fn i64_at(bytes: &[u8], at: usize) -> i64 {
    u64_at(bytes, at) as i64
}

/// CRC-32C over a salt and parts.
pub(crate) fn checksum(salt: u64, parts: &[&[u8]]) -> u32 {
    let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
    digest.update(&salt.to_le_bytes());
    for part in parts {
        digest.update(part);
    }
    digest.finalize() as u32
}

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) shard: u32,
    pub(crate) base: u64,
    pub(crate) salt: u64,
}

impl SegmentHeader {
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&SEGMENT_MAGIC.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&self.shard.to_le_bytes());
        out.extend_from_slice(&self.base.to_le_bytes());
        out.extend_from_slice(&self.salt.to_le_bytes());
        let sum = checksum(0, &[&out[start + 8..]]);
        out[start + 4..start + 8].copy_from_slice(&sum.to_le_bytes());
    }

    /// `None` if these bytes are no header.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..SEGMENT_HEADER)?;
        let whole = u32_at(bytes, 0) == SEGMENT_MAGIC
            && u32_at(bytes, 8) == VERSION
            && u32_at(bytes, 4) == checksum(0, &[&bytes[8..]]);
        whole.then(|| Self { shard: u32_at(bytes, 12), base: u64_at(bytes, 16), salt: u64_at(bytes, 24) })
    }
}

/// A batch's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchHeader {
    checksum: u32,
    pub(crate) body: u32,
    flags: u32,
    pub(crate) first: u64,
    pub(crate) count: u64,
    pub(crate) time: i64,
}

impl BatchHeader {
    /// Reads the header alone; nothing is checked but the magic number.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..BATCH_HEADER)?;
        (u32_at(bytes, 0) == BATCH_MAGIC).then(|| Self {
            checksum: u32_at(bytes, 4),
            body: u32_at(bytes, 8),
            flags: u32_at(bytes, 12),
            first: u64_at(bytes, 16),
            count: u64_at(bytes, 24),
            time: i64_at(bytes, 32),
        })
    }

    /// Header and body together.
    pub(crate) fn length(&self) -> usize {
        BATCH_HEADER + self.body as usize
    }

    /// The ordinal behind the batch.
    pub(crate) fn end(&self) -> u64 {
        self.first.saturating_add(self.count)
    }

    pub(crate) fn is_gap(&self) -> bool {
        self.flags & GAP != 0
    }
}

/// Reads a whole batch at the beginning of these bytes and checks it: header and body.
pub(crate) fn read_batch(bytes: &[u8], salt: u64) -> Option<(BatchHeader, &[u8])> {
    let header = BatchHeader::read(bytes)?;
    let whole = bytes.get(..header.length())?;
    (checksum(salt, &[&whole[8..]]) == header.checksum).then(|| (header, &whole[BATCH_HEADER..]))
}

/// Builds batches one behind the other.
pub(crate) struct BatchWriter<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    salt: u64,
    first: u64,
    count: u64,
    time: i64,
    flags: u32,
}

impl<'a> BatchWriter<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, salt: u64, first: u64, time: i64) -> Self {
        let start = out.len();
        out.resize(start + BATCH_HEADER, 0);
        Self { out, start, salt, first, count: 0, time, flags: 0 }
    }

    /// A batch in place of records that are lost.
    pub(crate) fn gap(out: &mut Vec<u8>, salt: u64, from: u64, to: u64, time: i64) {
        let mut writer = BatchWriter::new(out, salt, from, time);
        (writer.count, writer.flags) = (to - from, GAP);
        writer.finish();
    }

    /// The same batch with another segment's salt; its body follows.
    pub(crate) fn again(out: &'a mut Vec<u8>, salt: u64, header: &BatchHeader) -> Self {
        let mut writer = BatchWriter::new(out, salt, header.first, header.time);
        (writer.count, writer.flags) = (header.count, header.flags);
        writer
    }

    pub(crate) fn body(&mut self, body: &[u8]) {
        self.out.extend_from_slice(body);
    }

    pub(crate) fn push(&mut self, key: &str, data: &[u8]) {
        self.out.extend_from_slice(&(key.len() as u16).to_le_bytes());
        self.out.extend_from_slice(&(data.len() as u32).to_le_bytes());
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(data);
        self.count += 1;
    }

    pub(crate) fn size(&self) -> usize {
        self.out.len() - self.start
    }

    pub(crate) fn finish(self) {
        let body = (self.out.len() - self.start - BATCH_HEADER) as u32;
        let batch = &mut self.out[self.start..];
        batch[..4].copy_from_slice(&BATCH_MAGIC.to_le_bytes());
        batch[8..12].copy_from_slice(&body.to_le_bytes());
        batch[12..16].copy_from_slice(&self.flags.to_le_bytes());
        batch[16..24].copy_from_slice(&self.first.to_le_bytes());
        batch[24..32].copy_from_slice(&self.count.to_le_bytes());
        batch[32..40].copy_from_slice(&self.time.to_le_bytes());
        let sum = checksum(self.salt, &[&batch[8..]]);
        batch[4..8].copy_from_slice(&sum.to_le_bytes());
    }
}

/// The records of a batch's body: key and data.
pub(crate) struct BodyReader {
    body: Bytes,
}

impl BodyReader {
    pub(crate) fn new(body: Bytes) -> Self {
        Self { body }
    }
}

impl Iterator for BodyReader {
    /// The partition key with the data behind it, and the key's length.
    type Item = (Bytes, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let key = usize::from(u16::from_le_bytes(self.body.get(..2)?.try_into().ok()?));
        let data = u32_at(self.body.get(2..6)?, 0) as usize;
        if self.body.len() < 6 + key + data {
            return None;
        }
        let end = 6 + key + data;
        let record = self.body.slice(6..end);
        self.body.advance(end);
        Some((record, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(salt: u64) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = BatchWriter::new(&mut out, salt, 7, 1000);
        writer.push("key", b"data");
        writer.push("", b"");
        writer.push("ключ", &[0; 1000]);
        writer.finish();
        out
    }

    #[test]
    fn a_batch_reads_back() {
        let bytes = batch(5);
        let (header, body) = read_batch(&bytes, 5).unwrap();
        assert_eq!((header.first, header.count, header.end(), header.time), (7, 3, 10, 1000));
        let records: Vec<_> = BodyReader::new(Bytes::copy_from_slice(body)).collect();
        assert_eq!(records.len(), 3);
        assert_eq!(records[0], (Bytes::from_static(b"keydata"), 3));
        assert_eq!((records[2].0.len(), records[2].1), (1008, 8));
        assert!(read_batch(&bytes, 6).is_none(), "another segment's batch");
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_seen() {
        let bytes = batch(5);
        for at in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[at / 8] ^= 1 << (at % 8);
            assert!(read_batch(&bad, 5).is_none(), "bit {at}");
        }
        for length in 0..bytes.len() {
            assert!(read_batch(&bytes[..length], 5).is_none(), "{length} bytes");
        }
        let mut header = Vec::new();
        let wrote = SegmentHeader { shard: 1, base: 2, salt: 3 };
        wrote.write(&mut header);
        assert_eq!(SegmentHeader::read(&header), Some(wrote));
        for at in 0..header.len() * 8 {
            let mut bad = header.clone();
            bad[at / 8] ^= 1 << (at % 8);
            assert_eq!(SegmentHeader::read(&bad), None, "bit {at}");
        }
    }
}
