//! ORC files, stripe by stripe, only the wanted columns.

use super::{BatchStream, ReadOptions, by_index, guarded};
use crate::adapt::find_columns;
use crate::{Column, Match, RangeRead, adapt};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use model::{Error, Place, Result};
use orc_rust::projection::ProjectionMask;
use orc_rust::reader::AsyncChunkReader;
use orc_rust::schema::TimestampPrecision;
use orc_rust::{ArrowReaderBuilder, ArrowStreamReader};
use sql::SqlType;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// A part of a file that claims to be larger is refused: it would have to be held in memory.
const MAX_READ: u64 = 1 << 30;

struct Chunks(Arc<dyn RangeRead>);

impl AsyncChunkReader for Chunks {
    fn len(&mut self) -> BoxFuture<'_, std::io::Result<u64>> {
        std::future::ready(Ok(self.0.size())).boxed()
    }

    fn get_bytes(&mut self, start: u64, length: u64) -> BoxFuture<'_, std::io::Result<Bytes>> {
        async move {
            let end = start.checked_add(length).filter(|end| *end <= self.0.size() && length <= MAX_READ);
            let end = end.ok_or_else(|| std::io::Error::other("a part lies outside of the file"))?;
            self.0.read(start..end).await.map_err(std::io::Error::other)
        }
        .boxed()
    }
}

fn broken(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::corrupt("the ORC file cannot be read").source_is(cause)
}

pub(super) async fn read_orc(
    source: Arc<dyn RangeRead>,
    columns: &[Column],
    projection: &[usize],
    options: ReadOptions,
) -> Result<BatchStream> {
    let name = source.name().to_owned();
    if source.size() == 0 {
        // Tools leave empty files behind; they have no rows.
        return Ok(Box::pin(futures::stream::empty()));
    }
    let (reader, fields) = open(source, columns, projection, &options)
        .await
        .map_err(|e| e.at_if_unknown(|| Place::object(&name)))?;
    let (columns, projection, matching) = (columns.to_vec(), projection.to_vec(), options.matching);
    let batches = AssertUnwindSafe(reader).catch_unwind().map(move |batch| {
        let batch = batch.map_err(|_| panicked())?.map_err(broken)?;
        guarded("ORC", || match matching {
            Match::Name => adapt(&batch, &columns, &projection, Match::Name),
            Match::Index => by_index(&batch, &fields, &columns, &projection),
        })
        .map_err(|e| e.at_if_unknown(|| Place::object(&name)))
    });
    Ok(Box::pin(batches))
}

fn panicked() -> Error {
    Error::corrupt("the ORC file cannot be read")
        .why("it is damaged in a way that its reader does not expect")
}

/// The reader, and the fields of the file that it decodes.
async fn open(
    source: Arc<dyn RangeRead>,
    columns: &[Column],
    projection: &[usize],
    options: &ReadOptions,
) -> Result<(ArrowStreamReader<Chunks>, Vec<usize>)> {
    let opened = AssertUnwindSafe(ArrowReaderBuilder::try_new_async(Chunks(source))).catch_unwind().await;
    let mut builder = opened.map_err(|_| panicked())?.map_err(broken)?;
    let schema = guarded("ORC", || Ok(builder.schema()))?;
    let mut fields: Vec<usize> =
        find_columns(&schema, columns, projection, options.matching)?.into_iter().flatten().collect();
    fields.sort_unstable();
    fields.dedup();
    if fields.is_empty() && !schema.fields().is_empty() {
        fields.push(0);
    }
    let root = builder.file_metadata().root_data_type();
    let indices =
        fields.iter().filter_map(|at| root.children().get(*at)).map(|c| c.data_type().column_index());
    let mask = ProjectionMask::roots(root, indices.collect::<Vec<_>>());
    // Nanoseconds in 64 bits end in the year 2262, so they are asked for only where a column has them.
    let precise = projection.iter().filter_map(|i| columns.get(*i)).any(|c| has_nanos(&c.sql_type));
    let precision = if precise { TimestampPrecision::Nanosecond } else { TimestampPrecision::Microsecond };
    builder = builder.with_timestamp_precision(precision);
    builder = builder.with_projection(mask).with_batch_size(options.batch_rows.max(1));
    if let Some(range) = &options.range {
        let bound = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        builder = builder.with_file_byte_range(bound(range.start)..bound(range.end));
    }
    Ok((builder.build_async(), fields))
}

fn has_nanos(sql_type: &SqlType) -> bool {
    match sql_type {
        SqlType::Timestamp(digits) | SqlType::TimestampTz(digits, _) => *digits > 6,
        SqlType::Array(items) => has_nanos(items),
        SqlType::Map(key, value) => has_nanos(key) || has_nanos(value),
        SqlType::Row(fields) => fields.iter().any(|field| has_nanos(&field.sql_type)),
        _ => false,
    }
}
