//! The ORC library's writer, and a check on it: its encoding of some runs of integers is wrong without an error, so
//! each stripe is written on trial and read back before it goes into the file.

use crate::read::guarded;
use arrow::array::RecordBatch;
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit};
use bytes::Bytes;
use model::{Error, ErrorKind, Result};
use orc_rust::arrow_writer::ArrowWriter;
use orc_rust::compression::CompressionType;
use orc_rust::error::OrcError;
use orc_rust::schema::TimestampPrecision;
use orc_rust::{ArrowReaderBuilder, ArrowWriterBuilder};
use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Bytes that a library writes and that are taken away meanwhile.
#[derive(Clone, Default)]
pub(super) struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.with(|out| out.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The library's writer cannot be handed from thread to thread, so it has one of its own, which ends with it.
pub(super) struct OrcThread {
    batches: SyncSender<RecordBatch>,
    end: JoinHandle<Result<()>>,
}

fn failed(cause: OrcError) -> Error {
    Error::unsupported("the rows cannot be written as ORC")
        .hint("choose the format parquet, or cast the column that is named")
        .source_is(cause)
}

impl OrcThread {
    pub(super) fn start(
        schema: SchemaRef,
        out: Shared,
        stripe: usize,
        codec: Option<CompressionType>,
    ) -> Self {
        let (batches, received) = sync_channel::<RecordBatch>(2);
        let write = move || guarded("ORC", || write_file(&received, schema, out, stripe, codec));
        Self { batches, end: std::thread::spawn(write) }
    }

    pub(super) fn send(&self, batch: RecordBatch) -> Result<()> {
        self.batches.send(batch).map_err(|_| {
            Error::unsupported("the rows cannot be written as ORC")
                .why("a stripe before was refused; finishing the file says why")
                .hint("choose the format parquet")
        })
    }

    /// Completes the file. An error of the writing comes out here.
    pub(super) fn finish(self) -> Result<()> {
        // It fails only if the thread has ended, which is found next.
        let _ = self.batches.send(RecordBatch::new_empty(Arc::new(Schema::empty())));
        drop(self.batches);
        self.end.join().map_err(|_| Error::internal("the ORC writer's thread was lost"))?
    }
}

fn builder<W: Write>(out: W, schema: &SchemaRef, codec: Option<CompressionType>) -> ArrowWriterBuilder<W> {
    // Stripes end where they are told to.
    let builder = ArrowWriterBuilder::new(out, SchemaRef::clone(schema)).with_stripe_byte_size(usize::MAX);
    match codec {
        Some(codec) => builder.with_compression(codec),
        None => builder,
    }
}

fn write_file(
    received: &Receiver<RecordBatch>,
    schema: SchemaRef,
    out: Shared,
    stripe: usize,
    codec: Option<CompressionType>,
) -> Result<()> {
    let mut writer = builder(out, &schema, codec).try_build().map_err(failed)?;
    let (mut rows, mut size) = (Vec::new(), 0);
    for batch in received {
        // A batch without columns says that the file is complete; without it the file is given up.
        if batch.num_columns() == 0 {
            write_stripe(&mut writer, &schema, &rows)?;
            return writer.close().map_err(failed);
        }
        size += batch.get_array_memory_size();
        rows.push(batch);
        if size >= stripe {
            write_stripe(&mut writer, &schema, &rows)?;
            rows.clear();
            size = 0;
        }
    }
    Ok(())
}

fn write_stripe(writer: &mut ArrowWriter<Shared>, schema: &SchemaRef, rows: &[RecordBatch]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows =
        concat_batches(schema, rows).map_err(|e| Error::internal("batches do not join").source_is(e))?;
    check(schema, &rows)?;
    writer.write(&rows).map_err(failed)?;
    writer.flush_stripe().map_err(failed)
}

/// Writes the stripe on trial, without compression, and reads it back.
fn check(schema: &SchemaRef, rows: &RecordBatch) -> Result<()> {
    let out = Shared::default();
    let mut trial = builder(out.clone(), schema, None).try_build().map_err(failed)?;
    guarded("ORC", || {
        trial.write(rows).map_err(failed)?;
        trial.close().map_err(failed)
    })
    .map_err(|e| if e.kind() == ErrorKind::Corrupt { refused("") } else { e })?;
    let file = Bytes::from(out.with(std::mem::take));
    let read = guarded("ORC", || read_back(file, schema, rows.num_rows())).map_err(|_| refused(""))?;
    for (i, field) in schema.fields().iter().enumerate() {
        if read.columns().get(i) != rows.columns().get(i) {
            return Err(refused(&format!(" of the column `{}`", field.name())));
        }
    }
    Ok(())
}

fn refused(column: &str) -> Error {
    Error::unsupported(format!("the values{column} cannot be written as ORC"))
        .why("they do not read back equal: the ORC writer has a fault with some runs of integers")
        .hint("choose the format parquet")
}

fn read_back(file: Bytes, schema: &SchemaRef, rows: usize) -> Result<RecordBatch> {
    let nanos = |t: &DataType| matches!(t, DataType::Timestamp(TimeUnit::Nanosecond, _));
    let precise = schema.fields().iter().any(|f| nanos(f.data_type()));
    let precision = if precise { TimestampPrecision::Nanosecond } else { TimestampPrecision::Microsecond };
    let reader = ArrowReaderBuilder::try_new(file).map_err(failed)?;
    let reader = reader.with_batch_size(rows).with_timestamp_precision(precision).build();
    let wrong = |e: arrow::error::ArrowError| Error::corrupt("the trial does not read back").source_is(e);
    let mut batches = Vec::new();
    for batch in reader {
        let batch = batch.map_err(wrong)?;
        let columns = batch.columns().iter().zip(schema.fields()).map(|(c, f)| cast(c, f.data_type()));
        let columns = columns.collect::<std::result::Result<Vec<_>, _>>().map_err(wrong)?;
        batches.push(RecordBatch::try_new(SchemaRef::clone(schema), columns).map_err(wrong)?);
    }
    concat_batches(schema, &batches).map_err(wrong)
}
