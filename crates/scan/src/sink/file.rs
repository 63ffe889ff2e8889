//! One file under way: its encoder, and the staged object that takes the encoder's bytes.

use super::memory::Charge;
use super::targets::TargetId;
use arrow::array::RecordBatch;
use formats::Encoder;
use lake::ObjectWriter;
use model::{Error, LakeUri, Place, Result};

/// A file that is being written. Its object is opened when the first bytes are there, so that small files take nothing
/// from the backend until they are whole.
pub(crate) struct OpenFile {
    pub(crate) uri: LakeUri,
    pub(crate) target: TargetId,
    pub(crate) rows: u64,
    pub(crate) object: Option<ObjectWriter>,
    encoder: Box<dyn Encoder>,
    charge: Charge,
}

/// A file whose bytes are all encoded.
pub(crate) struct Sealed {
    pub(crate) uri: LakeUri,
    pub(crate) target: TargetId,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) object: Option<ObjectWriter>,
    pub(crate) tail: bytes::Bytes,
}

impl OpenFile {
    pub(crate) fn new(uri: LakeUri, target: TargetId, encoder: Box<dyn Encoder>, charge: Charge) -> Self {
        Self { uri, target, rows: 0, object: None, encoder, charge }
    }

    /// Encodes rows.
    pub(crate) fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        self.encoder.write(rows).map_err(|error| at(&self.uri, error))?;
        self.rows += rows.num_rows() as u64;
        self.charge.set(self.encoder.bytes_buffered());
        Ok(())
    }

    /// Ends the row group.
    pub(crate) fn end_block(&mut self) -> Result<()> {
        self.encoder.end_block().map_err(|error| at(&self.uri, error))?;
        self.charge.set(self.encoder.bytes_buffered());
        Ok(())
    }

    /// The bytes that are ready for the object.
    pub(crate) fn take(&mut self) -> bytes::Bytes {
        let bytes = self.encoder.take();
        self.charge.set(self.encoder.bytes_buffered());
        bytes
    }

    /// About how long the file is so far.
    pub(crate) fn size(&self) -> u64 {
        self.encoder.bytes_written()
    }

    /// The memory that its encoder holds.
    pub(crate) fn held(&self) -> usize {
        self.charge.bytes()
    }

    /// Encodes the rest.
    pub(crate) fn seal(self) -> Result<Sealed> {
        let Self { uri, target, rows, object, encoder, charge } = self;
        let finished = encoder.finish().map_err(|error| at(&uri, error))?;
        drop(charge);
        if finished.rows != rows {
            let text = format!("{rows} rows were written, but the file says {}", finished.rows);
            return Err(at(&uri, Error::internal(text)));
        }
        Ok(Sealed { uri, target, rows, bytes: finished.size, object, tail: finished.bytes })
    }
}

/// Names the object in an error.
pub(crate) fn at(uri: &LakeUri, error: Error) -> Error {
    error.at_if_unknown(|| Place::object(uri))
}
