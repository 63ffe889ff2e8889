//! Reading files in tests and showing what came out.

use arrow::array::RecordBatch;
use formats::{
    BytesSource, Column, DecodeOptions, FormatSpec, OnError, ReadOptions, RejectSink, RejectedLine, Rejects,
    decoder, read,
};
use futures::TryStreamExt;
use model::Result;
use std::sync::{Arc, Mutex};

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

/// Keeps rejected lines as `line column: reason <text>`.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Vec<(u64, String)>>);

impl RejectSink for Kept {
    fn take(&self, rejected: RejectedLine<'_>) {
        let RejectedLine { file, line, text, column, reason } = rejected;
        assert_eq!(file, NAME);
        let column = column.map(|column| format!(" {column}")).unwrap_or_default();
        let text = String::from_utf8_lossy(text);
        self.0.lock().unwrap().push((line, format!("{line}{column}: {reason} <{text}>")));
    }
}

impl Kept {
    /// What came, in the order of the lines.
    pub(crate) fn sorted(&self) -> Vec<String> {
        let mut all = self.0.lock().unwrap().clone();
        all.sort();
        all.into_iter().map(|(_, text)| text).collect()
    }
}

/// The file that is read by [`read_rejecting`].
pub(crate) const NAME: &str = "s3://logs/order-service-2022-09-15.txt";

/// Reads a file in ranges that begin at these places; bad lines are handed over. Answers the rows and these lines.
pub(crate) fn read_rejecting(
    spec: &FormatSpec,
    columns: &[Column],
    projection: &[usize],
    bytes: &[u8],
    cuts: &[usize],
    fetch_bytes: usize,
) -> (Vec<String>, Vec<String>) {
    let kept = Arc::new(Kept::default());
    let mut found = Vec::new();
    let borders: Vec<u64> = [&[0], cuts, &[bytes.len()]].concat().into_iter().map(|at| at as u64).collect();
    for pair in borders.windows(2) {
        let options = ReadOptions {
            on_error: OnError::Reject,
            reject_sink: Some(Arc::<Kept>::clone(&kept)),
            range: Some(pair[0]..pair[1]),
            batch_rows: 5,
            fetch_bytes,
            ..ReadOptions::default()
        };
        found.extend(rows(&read_all(NAME, bytes.to_vec(), spec, columns, projection, options).unwrap()));
    }
    (found, kept.sorted())
}
