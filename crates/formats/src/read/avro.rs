//! Avro object container files: blocks of rows between marks, so that any range can be read on its own.
//!
//! The frame (header, block lengths, marks) is followed here; blocks of some megabytes at a time are then given to the
//! Avro library as a small file of their own. So memory is bounded by a block, whatever the file's size.

use super::{BatchStream, ReadOptions, guarded};
use crate::adapt::find_columns;
use crate::{AvroSpec, Column, RangeRead, adapt};
use arrow::array::RecordBatch;
use arrow_avro::reader::{HeaderInfo, Reader, ReaderBuilder, read_header_info};
use arrow_avro::schema::AvroSchema;
use bytes::{Bytes, BytesMut};
use futures::stream;
use memchr::memmem;
use model::{Error, Place, Result};
use std::collections::VecDeque;
use std::io::Cursor;
use std::sync::Arc;

/// What is fetched first; a header rarely is longer.
const FIRST_READ: u64 = 64 << 10;
/// A longer header is refused.
const MAX_HEADER: u64 = 16 << 20;
/// A block that claims more is refused.
const MAX_BLOCK: u64 = 512 << 20;
/// Blocks are decoded together up to about so many bytes.
const GROUP: usize = 4 << 20;
const MARK: usize = 16;

struct AvroStream {
    source: Arc<dyn RangeRead>,
    header: Bytes,
    mark: [u8; MARK],
    reader_schema: Option<String>,
    columns: Vec<Column>,
    projection: Vec<usize>,
    /// The wanted fields of the file, in its order.
    fields: Vec<usize>,
    options: ReadOptions,
    /// Fetched bytes, of which the first is at this position of the file.
    buffer: BytesMut,
    position: u64,
    /// Blocks whose mark before them lies behind this are another range's.
    end: u64,
    /// Whether the first block has been searched for.
    at_block: bool,
    ready: VecDeque<RecordBatch>,
}

pub(super) async fn read_avro(
    source: Arc<dyn RangeRead>,
    spec: &AvroSpec,
    columns: &[Column],
    projection: &[usize],
    options: ReadOptions,
) -> Result<BatchStream> {
    let size = source.size();
    if size == 0 {
        // Tools leave empty files behind; they have no rows.
        return Ok(Box::pin(stream::empty()));
    }
    let (info, header) = header(source.as_ref()).await?;
    let range = options.range.clone().unwrap_or(0..size);
    let start = if range.start == 0 { header.len() as u64 } else { range.start };
    let mut state = AvroStream {
        mark: info.sync(),
        reader_schema: spec.schema.clone(),
        columns: columns.to_vec(),
        projection: projection.to_vec(),
        fields: Vec::new(),
        buffer: BytesMut::new(),
        position: start.max(header.len() as u64 - MARK as u64),
        end: range.end,
        at_block: range.start == 0,
        ready: VecDeque::new(),
        source,
        header,
        options,
    };
    state.find_fields().map_err(|e| e.at_if_unknown(|| Place::object(state.source.name())))?;
    Ok(Box::pin(stream::try_unfold(state, |mut state| async move {
        let batch = state.next().await.map_err(|e| e.at_if_unknown(|| Place::object(state.source.name())))?;
        Ok(batch.map(|batch| (batch, state)))
    })))
}

/// The file's header, for which a second read may be needed.
async fn header(source: &dyn RangeRead) -> Result<(HeaderInfo, Bytes)> {
    let mut length = FIRST_READ.min(source.size());
    loop {
        let bytes = source.read(0..length).await?;
        let parsed = guarded("Avro", || read_header_info(Cursor::new(bytes.clone())).map_err(broken));
        match parsed {
            Ok(info) => {
                let end = usize::try_from(info.header_len()).unwrap_or(usize::MAX);
                let header = if end <= bytes.len() { bytes.slice(..end) } else { Bytes::new() };
                if header.len() < MARK {
                    return Err(Error::corrupt("the Avro header is damaged").at(Place::object(source.name())));
                }
                return Ok((info, header));
            }
            Err(error) if length >= source.size().min(MAX_HEADER) || !bytes.starts_with(b"Obj\x01") => {
                return Err(error.context("the header is damaged").at(Place::object(source.name())));
            }
            Err(_) => length = (length * 8).min(source.size()).min(MAX_HEADER),
        }
    }
}

pub(super) fn broken(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::corrupt("the Avro file cannot be read").source_is(cause)
}

impl AvroStream {
    fn reader(&self, blocks: Bytes, projected: bool) -> Result<Reader<Cursor<Bytes>>> {
        // The library's own text views lose NULLs, so its plain texts are turned into views afterwards.
        let mut builder = ReaderBuilder::new().with_batch_size(self.options.batch_rows.max(1));
        if let Some(schema) = &self.reader_schema {
            builder = builder.with_reader_schema(AvroSchema::new(schema.clone()));
        }
        if projected {
            builder = builder.with_projection(self.fields.clone());
        }
        builder.build(Cursor::new(blocks)).map_err(broken)
    }

    /// The fields to decode. To count rows one is decoded, too.
    fn find_fields(&mut self) -> Result<()> {
        let schema = guarded("Avro", || Ok(self.reader(self.header.clone(), false)?.schema()))?;
        let found = find_columns(&schema, &self.columns, &self.projection, self.options.matching)?;
        self.fields = found.into_iter().flatten().collect();
        self.fields.sort_unstable();
        self.fields.dedup();
        if self.fields.is_empty() && !schema.fields().is_empty() {
            self.fields.push(0);
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(batch));
            }
            let blocks = self.blocks().await?;
            if blocks.is_empty() {
                return Ok(None);
            }
            let mut file = Vec::with_capacity(self.header.len() + blocks.len());
            file.extend_from_slice(&self.header);
            file.extend_from_slice(&blocks);
            let decoded = guarded("Avro", || {
                let mut batches = Vec::new();
                for batch in self.reader(file.into(), true)? {
                    batches.push(self.adapted(batch.map_err(broken)?)?);
                }
                Ok(batches)
            })?;
            self.ready.extend(decoded);
        }
    }

    fn adapted(&self, batch: RecordBatch) -> Result<RecordBatch> {
        match self.options.matching {
            crate::Match::Name => adapt(&batch, &self.columns, &self.projection, crate::Match::Name),
            // The batch has the wanted fields only: give them their table columns' names.
            crate::Match::Index => super::by_index(&batch, &self.fields, &self.columns, &self.projection),
        }
    }

    /// The next whole blocks of the range, some megabytes of them; empty at the end.
    async fn blocks(&mut self) -> Result<Bytes> {
        if !self.at_block && !self.seek_mark().await? {
            return Ok(Bytes::new());
        }
        let mut length = 0;
        while length < GROUP && self.position + length as u64 - (MARK as u64) < self.end {
            let Some(block) = self.block_length(length).await? else { break };
            length += block;
        }
        self.position += length as u64;
        Ok(self.buffer.split_to(length).freeze())
    }

    /// Goes behind the first mark that begins within the range.
    async fn seek_mark(&mut self) -> Result<bool> {
        let mut searched = 0;
        loop {
            let found = self.buffer.get(searched..).and_then(|rest| memmem::find(rest, &self.mark));
            if let Some(at) = found {
                let skipped = searched + at + MARK;
                let _ = self.buffer.split_to(skipped);
                self.position += skipped as u64;
                self.at_block = true;
                return Ok(self.position - (MARK as u64) < self.end);
            }
            searched = self.buffer.len().saturating_sub(MARK - 1);
            if self.position + searched as u64 >= self.end || !self.fetch().await? {
                return Ok(false);
            }
            // What was searched is not needed any more.
            let _ = self.buffer.split_to(searched);
            self.position += searched as u64;
            searched = 0;
        }
    }

    /// The length of the block that begins so far behind the position, with its lengths and mark; none at the file's
    /// end. Fetches until it is there.
    async fn block_length(&mut self, at: usize) -> Result<Option<usize>> {
        loop {
            let rest = self.buffer.get(at..).unwrap_or_default();
            if let Some((count, size, head)) = lengths(rest) {
                let whole = usize::try_from(size)
                    .ok()
                    .filter(|_| (0..=MAX_BLOCK as i64).contains(&size) && count >= 0);
                let Some(size) = whole else {
                    return Err(Error::corrupt("an Avro block has an impossible length")
                        .why(format!("it claims {count} rows in {size} bytes")));
                };
                let end = head + size + MARK;
                if let Some(mark) = rest.get(head + size..end) {
                    if *mark != self.mark {
                        return Err(Error::corrupt("an Avro block does not end with the file's mark")
                            .why("bytes are missing, or the file is damaged"));
                    }
                    return Ok(Some(end));
                }
            } else if rest.len() > 20 {
                return Err(Error::corrupt("an Avro block has an impossible length"));
            }
            let is_empty = rest.is_empty();
            if !self.fetch().await? {
                if is_empty {
                    return Ok(None);
                }
                return Err(Error::corrupt("the Avro file ends in the middle of a block")
                    .why("the file was cut off, perhaps while it was written or copied")
                    .hint("write or copy the file again"));
            }
        }
    }

    /// Fetches more; false at the file's end.
    async fn fetch(&mut self) -> Result<bool> {
        let from = self.position + self.buffer.len() as u64;
        let more = (self.options.fetch_bytes.max(4096) as u64).min(self.source.size().saturating_sub(from));
        if more == 0 {
            return Ok(false);
        }
        let bytes = self.source.read(from..from + more).await?;
        if bytes.is_empty() {
            return Ok(false);
        }
        self.buffer.extend_from_slice(&bytes);
        Ok(true)
    }
}

/// A block's row count, its size, and how many bytes these took.
fn lengths(bytes: &[u8]) -> Option<(i64, i64, usize)> {
    let (count, first) = varint(bytes)?;
    let (size, second) = varint(bytes.get(first..)?)?;
    Some((count, size, first + second))
}

fn varint(bytes: &[u8]) -> Option<(i64, usize)> {
    let mut value = 0u64;
    for (i, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(u32::try_from(i * 7).ok()?)?;
        if byte & 0x80 == 0 {
            let signed = (value >> 1) as i64 ^ -((value & 1) as i64);
            return Some((signed, i + 1));
        }
    }
    None
}
