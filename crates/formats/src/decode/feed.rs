//! Chunks into whole lines: what all text formats share. Headers, footers, byte ranges and lines that go over chunks
//! are dealt with here, so that a format only ever sees blocks of whole lines.

use super::rejects::Rejects;
use super::sink::Sink;
use super::{DecodeOptions, Decoder};
use crate::FormatSpec;
use crate::build::Block;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::{Buf, Bytes};
use memchr::{memchr, memrchr, memrchr_iter};
use model::{Error, ErrorKind, Result};

/// Offsets within a block are 32 bits, so larger chunks are taken in pieces.
const MAX_PIECE: usize = 256 << 20;

/// A text format: takes blocks of whole lines apart.
pub(super) trait Lines: Send {
    /// Decodes a block. Every line ends with a newline, but perhaps the file's last.
    fn decode(&mut self, block: &Block, sink: &mut Sink) -> Result<()>;

    /// Where the last whole record ends.
    fn records_end(&self, bytes: &[u8]) -> Option<usize> {
        memrchr(b'\n', bytes).map(|at| at + 1)
    }

    /// Whether every newline ends a record.
    fn ends_at_newlines(&self) -> bool {
        true
    }
}

pub(super) struct TextDecoder<L> {
    lines: L,
    sink: Sink,
    /// The beginning of a line that goes on in the next chunk (and the lines that may be the footer).
    carry: Vec<u8>,
    /// The position in the file of the next byte that is fed.
    position: u64,
    /// The range's end.
    end: Option<u64>,
    /// The line that the range begins in belongs to the one before.
    skips_to_newline: bool,
    header_left: u64,
    footer: usize,
    max_line: usize,
    serial: u64,
    done: bool,
}

impl<L: Lines> TextDecoder<L> {
    pub(super) fn new(lines: L, sink: Sink, spec: &FormatSpec, options: &DecodeOptions, header: u64) -> Self {
        let start = options.range.as_ref().map_or(0, |range| range.start);
        Self {
            lines,
            sink,
            carry: Vec::new(),
            position: start.saturating_sub(1),
            end: options.range.as_ref().map(|range| range.end),
            skips_to_newline: start > 0,
            header_left: if start == 0 { header } else { 0 },
            footer: usize::try_from(spec.skip_footer).unwrap_or(usize::MAX),
            max_line: options.max_line_bytes.clamp(1, 1 << 30),
            serial: 0,
            done: options.range.as_ref().is_some_and(|range| range.is_empty()),
        }
    }

    fn decode(&mut self, bytes: Bytes) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.serial += 1;
        self.sink.count_bytes(0);
        let block = Block::new(bytes, self.serial);
        self.lines.decode(&block, &mut self.sink)
    }

    /// Cuts off what belongs to the range before and the one behind.
    fn within_range(&mut self, mut chunk: Bytes) -> Bytes {
        let mut from = self.position;
        self.position += chunk.len() as u64;
        if from == 0 && chunk.starts_with(b"\xef\xbb\xbf") {
            chunk.advance(3);
            from += 3;
        }
        if self.skips_to_newline {
            let Some(at) = memchr(b'\n', &chunk) else { return Bytes::new() };
            chunk.advance(at + 1);
            from += at as u64 + 1;
            self.skips_to_newline = false;
            // The line that begins here may already be the next range's.
            if self.end.is_some_and(|end| from >= end) {
                self.done = true;
                return Bytes::new();
            }
        }
        if let Some(end) = self.end {
            // The last line of the range ends with the first newline at or behind its last byte.
            let search = usize::try_from((end - 1).saturating_sub(from)).unwrap_or(usize::MAX);
            if let Some(at) = chunk.get(search..).and_then(|rest| memchr(b'\n', rest)) {
                chunk.truncate(search + at + 1);
                self.done = true;
            }
        }
        chunk
    }

    fn feed_piece(&mut self, chunk: Bytes) -> Result<()> {
        let mut chunk = self.within_range(chunk);
        while self.header_left > 0 && !chunk.is_empty() {
            match memchr(b'\n', &chunk) {
                Some(at) => {
                    chunk.advance(at + 1);
                    self.header_left -= 1;
                    self.sink.line += 1;
                }
                None => chunk.clear(),
            }
        }
        if self.footer > 0 || !self.lines.ends_at_newlines() {
            return self.feed_held(&chunk);
        }
        let Some(last) = memrchr(b'\n', &chunk) else { return self.keep(&chunk) };
        if !self.carry.is_empty() {
            let first = memchr(b'\n', &chunk).unwrap_or(last);
            let head = chunk.split_to(first + 1);
            self.keep(&head)?;
            let line = std::mem::take(&mut self.carry);
            self.decode(line.into())?;
            return self.feed_rest(chunk, last - first);
        }
        self.feed_rest(chunk, last + 1)
    }

    fn feed_rest(&mut self, mut chunk: Bytes, whole: usize) -> Result<()> {
        let lines = chunk.split_to(whole.min(chunk.len()));
        self.decode(lines)?;
        self.keep(&chunk)
    }

    /// Feeds where the end of what can be decoded has to be searched for.
    fn feed_held(&mut self, chunk: &[u8]) -> Result<()> {
        self.carry.extend_from_slice(chunk);
        let end = if self.footer > 0 {
            memrchr_iter(b'\n', &self.carry).nth(self.footer).map(|at| at + 1)
        } else {
            self.lines.records_end(&self.carry)
        };
        if let Some(end) = end.filter(|end| *end > 0) {
            let rest = self.carry.get(end..).unwrap_or_default().to_vec();
            let mut whole = std::mem::replace(&mut self.carry, rest);
            whole.truncate(end);
            self.decode(whole.into())?;
        }
        self.check_line()
    }

    fn keep(&mut self, part: &[u8]) -> Result<()> {
        self.carry.extend_from_slice(part);
        self.check_line()
    }

    fn check_line(&self) -> Result<()> {
        if self.carry.len() <= self.max_line.saturating_mul(self.footer.saturating_add(1)) {
            return Ok(());
        }
        let line = self.sink.line;
        Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("line {line} is longer than {} bytes", self.max_line),
        )
        .why("a line is held in memory as a whole; perhaps the file is not text, or a quote is never closed")
        .hint("check the file's format and compression"))
    }

    fn cut_footer(&mut self) {
        if self.footer == 0 {
            return;
        }
        let text = self.carry.strip_suffix(b"\n").unwrap_or(&self.carry);
        let end = memrchr_iter(b'\n', text).nth(self.footer - 1).map_or(0, |at| at + 1);
        self.carry.truncate(end);
    }
}

impl<L: Lines> Decoder for TextDecoder<L> {
    fn schema(&self) -> SchemaRef {
        self.sink.schema()
    }

    fn feed(&mut self, mut chunk: Bytes) -> Result<()> {
        while !self.done && !chunk.is_empty() {
            let piece = chunk.split_to(chunk.len().min(MAX_PIECE));
            self.feed_piece(piece)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.done = true;
        self.cut_footer();
        let rest = std::mem::take(&mut self.carry);
        self.decode(rest.into())?;
        self.sink.flush()
    }

    fn take_batch(&mut self) -> Result<Option<RecordBatch>> {
        Ok(self.sink.take_batch())
    }

    fn is_done(&self) -> bool {
        self.done
    }

    fn rejects(&self) -> &Rejects {
        &self.sink.rejects
    }

    fn waits_for_number(&self) -> bool {
        self.sink.waits_for_number()
    }

    fn number_lines(&mut self, before: u64) {
        self.sink.number_lines(before);
    }
}
