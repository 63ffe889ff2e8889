//! Text files: rows are written into a buffer, which is compressed when it is large enough.

use super::cell::Cells;
use super::{Encoder, Finished};
use crate::pack::{Compression, Packer};
use arrow::array::RecordBatch;
use bytes::Bytes;
use model::Result;

/// So much text is collected before it is compressed.
const BUFFER: usize = 64 << 10;

/// A text format: writes a row.
pub(super) trait Rows: Send {
    /// Writes what stands before the first row.
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()>;

    /// Writes a row with its line's end.
    fn row(&mut self, cells: &[Cells<'_>], row: usize, out: &mut Vec<u8>) -> Result<()>;
}

pub(super) struct TextEncoder<R> {
    format: R,
    packer: Packer,
    text: Vec<u8>,
    taken: u64,
    rows: u64,
}

impl<R: Rows> TextEncoder<R> {
    pub(super) fn new(mut format: R, compression: Compression, level: Option<i32>) -> Result<Self> {
        let mut text = Vec::with_capacity(BUFFER * 2);
        format.begin(&mut text)?;
        Ok(Self { format, packer: Packer::new(compression, level)?, text, taken: 0, rows: 0 })
    }

    fn pack(&mut self) -> Result<()> {
        self.packer.write(&self.text)?;
        self.text.clear();
        Ok(())
    }
}

impl<R: Rows> Encoder for TextEncoder<R> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let cells = batch.columns().iter().map(Cells::of).collect::<Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            let before = self.text.len();
            if let Err(error) = self.format.row(&cells, row, &mut self.text) {
                self.text.truncate(before);
                return Err(error.context(format!("row {}", self.rows + 1)));
            }
            self.rows += 1;
            if self.text.len() >= BUFFER {
                self.pack()?;
            }
        }
        Ok(())
    }

    fn bytes_buffered(&self) -> usize {
        self.text.len() + self.packer.ready()
    }

    fn bytes_written(&self) -> u64 {
        self.taken + self.packer.ready() as u64 + self.text.len() as u64
    }

    fn take(&mut self) -> Bytes {
        let bytes = self.packer.take();
        self.taken += bytes.len() as u64;
        bytes.into()
    }

    fn finish(mut self: Box<Self>) -> Result<Finished> {
        self.pack()?;
        let bytes = self.packer.finish()?;
        let size = self.taken + bytes.len() as u64;
        Ok(Finished { bytes: bytes.into(), size, rows: self.rows })
    }
}
