//! Reading files in tests and showing what came out.

use arrow::array::RecordBatch;
use formats::{BytesSource, Column, DecodeOptions, FormatSpec, ReadOptions, Rejects, decoder, read};
use futures::TryStreamExt;
use model::Result;
use std::sync::Arc;

/// Columns from `name type` lines.
pub(crate) fn columns(text: &[(&str, &str)]) -> Vec<Column> {
    text.iter().map(|(name, sql_type)| Column::new(*name, sql_type.parse().unwrap())).collect()
}

/// A table's format by its serde and properties.
pub(crate) fn table(serde: &str, properties: &[(&str, &str)]) -> FormatSpec {
    FormatSpec::from_table(None, Some(serde), properties.iter().copied(), []).unwrap()
}

/// Decodes text in chunks of that size.
pub(crate) fn decode(
    spec: &FormatSpec,
    columns: &[Column],
    text: &[u8],
    chunk: usize,
    options: DecodeOptions,
) -> Result<(Vec<RecordBatch>, Rejects)> {
    let all: Vec<usize> = (0..columns.len()).collect();
    let mut decoder = decoder(spec, columns, &all, options)?;
    let mut batches = Vec::new();
    for chunk in text.chunks(chunk) {
        decoder.feed(bytes::Bytes::copy_from_slice(chunk))?;
        while let Some(batch) = decoder.take_batch()? {
            batches.push(batch);
        }
    }
    decoder.finish()?;
    while let Some(batch) = decoder.take_batch()? {
        batches.push(batch);
    }
    Ok((batches, decoder.rejects().clone()))
}

/// The rows as `a|b|NULL` lines.
pub(crate) fn rows(batches: &[RecordBatch]) -> Vec<String> {
    let Some(first) = batches.first() else { return Vec::new() };
    let options = arrow::util::display::FormatOptions::default().with_null("NULL");
    let mut rows = Vec::new();
    let width = first.num_columns();
    for batch in batches {
        let formatters: Vec<_> = (0..width)
            .map(|i| arrow::util::display::ArrayFormatter::try_new(batch.column(i), &options).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            rows.push(formatters.iter().map(|f| f.value(row).to_string()).collect::<Vec<_>>().join("|"));
        }
    }
    rows
}

/// Decodes a whole text.
pub(crate) fn decoded(spec: &FormatSpec, columns: &[Column], text: &str) -> Vec<String> {
    rows(&decode(spec, columns, text.as_bytes(), usize::MAX, DecodeOptions::default()).unwrap().0)
}

/// Reads a file from memory.
pub(crate) fn read_all(
    name: &str,
    bytes: impl Into<bytes::Bytes>,
    spec: &FormatSpec,
    columns: &[Column],
    projection: &[usize],
    options: ReadOptions,
) -> Result<Vec<RecordBatch>> {
    let source = Arc::new(BytesSource::new(name, bytes));
    futures::executor::block_on(async {
        read(source, spec, columns, projection, options).await?.try_collect().await
    })
}
