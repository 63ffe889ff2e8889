//! The objects in which Athena keeps a result: rows as CSV, lines as text, a list of what a statement has written, and
//! beside each one its metadata.

use super::Athena;
use super::results::{Info, infos};
use super::shown::Ended;
use super::start::Terms;
use super::statement::Shape;
use arrow::array::{Array, RecordBatch};
use arrow::datatypes::DataType;
use arrow::ipc::reader::FileReader;
use bytes::Bytes;
use engine::{OutputColumn, QueryOutcome, read_columns};
use functions::render::Renderer;
use lake::PutOptions;
use model::{Error, LakeUri, Place, Result};
use serde_json::json;
use state::events::NewEvent;
use state::runs::RunContext;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// The object of a result, and that of its metadata.
pub(super) fn places(terms: &Terms, id: &str) -> Result<(LakeUri, LakeUri)> {
    let join = |name: String| terms.folder.join(&name);
    Ok(match terms.shape {
        Shape::Rows => (join(format!("{id}.csv"))?, join(format!("{id}.csv.metadata"))?),
        Shape::Lines => (join(format!("{id}.txt"))?, join(format!("{id}.txt.metadata"))?),
        Shape::Written => (join(id.to_owned())?, join(format!("{id}.metadata"))?),
        Shape::NewTable => (join(format!("tables/{id}"))?, join(format!("tables/{id}.metadata"))?),
    })
}

/// The list of what a statement has written.
pub(super) fn manifest(terms: &Terms, id: &str) -> Result<Option<LakeUri>> {
    match terms.shape {
        Shape::Rows | Shape::Lines => Ok(None),
        Shape::Written => terms.folder.join(&format!("{id}-manifest.csv")).map(Some),
        Shape::NewTable => terms.folder.join(&format!("tables/{id}-manifest.csv")).map(Some),
    }
}

/// Opens the rows that a run has kept.
pub(super) fn open(path: &Path) -> Result<FileReader<BufReader<File>>> {
    let file = File::open(path).map_err(|e| {
        Error::not_found("the rows of this query are no longer kept")
            .at(Place::object(path.display()))
            .hint("read them from the OutputLocation, or run the query again")
            .source_is(e)
    })?;
    FileReader::try_new(BufReader::new(file), None).map_err(broken)
}

pub(super) fn broken(error: arrow::error::ArrowError) -> Error {
    Error::corrupt("a result that was kept cannot be read").source_is(error)
}

/// Writes the objects of a result.
pub(super) async fn write(
    athena: &Athena,
    terms: &Terms,
    outcome: QueryOutcome,
    run: &RunContext,
) -> Result<Ended> {
    let id = run.id().to_string();
    let (place, metadata) = places(terms, &id)?;
    let manifest = manifest(terms, &id)?;
    let mut reader = open(&outcome.result)?;
    let columns = read_columns(&reader.schema())?;
    let described = describe(&id, &infos(&columns, terms.shape));
    let described = athena.put(&metadata, Bytes::from(described), "application/octet-stream");
    // Each object waits for the disk, so they are put side by side.
    let (update_count, bytes) = match &manifest {
        None => {
            let rows = write_rows(athena, &place, &mut reader, &columns, terms.shape);
            (0, tokio::try_join!(rows, described)?.0)
        }
        Some(list) => {
            let update_count = count(reader)?;
            let lines: String = outcome.files.iter().map(|file| format!("{file}\n")).collect();
            tokio::try_join!(athena.put(list, Bytes::from(lines), "text/csv"), described)?;
            (update_count, 0)
        }
    };
    let mut objects = outcome.files.clone();
    objects.push(metadata);
    objects.push(manifest.clone().unwrap_or_else(|| place.clone()));
    let told = objects.iter().map(|object| {
        let event = NewEvent::new("object.created", object.to_string(), json!({ "run": run.id() }));
        athena.rooms.events.publish(event)
    });
    futures::future::try_join_all(told).await?;
    Ok(Ended {
        result: outcome.result,
        rows: outcome.rows,
        is_text: outcome.is_text,
        planning_millis: outcome.planning_millis,
        output: Some(place),
        manifest,
        update_count,
        output_bytes: bytes,
        reused: false,
    })
}

impl Athena {
    async fn put(&self, place: &LakeUri, bytes: Bytes, kind: &str) -> Result<()> {
        let options = PutOptions { content_type: Some(kind.to_owned()), ..PutOptions::default() };
        self.rooms.lake.put(place, bytes, options).await.map(|_| ())
    }
}

/// How many rows a statement has changed: its only value.
fn count(reader: FileReader<BufReader<File>>) -> Result<i64> {
    use arrow::array::AsArray as _;
    for batch in reader {
        let batch = batch.map_err(broken)?;
        let column =
            batch.columns().first().and_then(|c| c.as_primitive_opt::<arrow::datatypes::Int64Type>());
        if let Some(counts) = column.filter(|counts| !counts.is_empty()) {
            return Ok(counts.value(0));
        }
    }
    Ok(0)
}

/// A result up to this size is put at once.
const SMALL: usize = 4 << 20;

/// Writes the rows as they are read; answers the bytes.
async fn write_rows(
    athena: &Athena,
    place: &LakeUri,
    reader: &mut FileReader<BufReader<File>>,
    columns: &[OutputColumn],
    shape: Shape,
) -> Result<u64> {
    let renderers: Vec<Renderer> = columns.iter().map(|column| Renderer::new(&column.sql_type)).collect();
    let kind = if shape == Shape::Rows { "text/csv" } else { "text/plain" };
    let options = PutOptions { content_type: Some(kind.to_owned()), ..PutOptions::default() };
    let mut text = String::new();
    if shape == Shape::Rows {
        let names: Vec<Option<&str>> = columns.iter().map(|column| Some(column.name.as_str())).collect();
        csv_line(&names, &mut text);
    }
    let mut writer = None;
    let mut total = 0;
    for batch in reader {
        let batch = batch.map_err(broken)?;
        write_batch(&batch, &renderers, shape, &mut text);
        if text.len() >= SMALL {
            total += text.len() as u64;
            let writer = match &mut writer {
                Some(writer) => writer,
                None => writer.insert(athena.rooms.lake.writer(place, options.clone()).await?),
            };
            writer.write(Bytes::from(std::mem::take(&mut text))).await?;
        }
    }
    total += text.len() as u64;
    match writer {
        None => athena.rooms.lake.put(place, Bytes::from(text), options).await?,
        Some(mut writer) => {
            writer.write(Bytes::from(text)).await?;
            writer.finish().await?
        }
    };
    Ok(total)
}

/// Whether a value is NULL; arrays of the type NULL do not say so themselves.
pub(super) fn is_null(array: &dyn Array, row: usize) -> bool {
    *array.data_type() == DataType::Null || array.is_null(row)
}

fn write_batch(batch: &RecordBatch, renderers: &[Renderer], shape: Shape, out: &mut String) {
    let mut value = String::new();
    for row in 0..batch.num_rows() {
        let mut separator = "";
        for (array, renderer) in batch.columns().iter().zip(renderers) {
            out.push_str(separator);
            let is_null = is_null(array.as_ref(), row);
            match shape {
                Shape::Rows => {
                    separator = ",";
                    if !is_null {
                        value.clear();
                        renderer.write(array.as_ref(), row, &mut value);
                        quote(&value, out);
                    }
                }
                _ => {
                    separator = "\t";
                    if !is_null {
                        renderer.write(array.as_ref(), row, out);
                    }
                }
            }
        }
        out.push('\n');
    }
}

fn csv_line(values: &[Option<&str>], out: &mut String) {
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        if let Some(value) = value {
            quote(value, out);
        }
    }
    out.push('\n');
}

/// Every value is quoted, so that an empty text differs from NULL.
fn quote(value: &str, out: &mut String) {
    out.push('"');
    for (at, part) in value.split('"').enumerate() {
        if at > 0 {
            out.push_str("\"\"");
        }
        out.push_str(part);
    }
    out.push('"');
}

/// The metadata of a result: the query's id and the columns, in the encoding of Protocol Buffers (fields of texts and
/// numbers; columns are messages).
fn describe(id: &str, infos: &[Info]) -> Vec<u8> {
    let mut out = Vec::new();
    text(2, id, &mut out);
    for info in infos {
        let mut column = Vec::new();
        text(1, info.catalog_name, &mut column);
        text(4, &info.name, &mut column);
        text(5, &info.label, &mut column);
        text(6, info.kind, &mut column);
        number(7, info.precision, &mut column);
        number(8, info.scale, &mut column);
        number(9, 3, &mut column);
        number(10, u32::from(info.case_sensitive), &mut column);
        bytes(4, &column, &mut out);
    }
    out
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7F).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or_default());
}

fn bytes(field: u64, value: &[u8], out: &mut Vec<u8>) {
    varint(field << 3 | 2, out);
    varint(value.len() as u64, out);
    out.extend_from_slice(value);
}

fn text(field: u64, value: &str, out: &mut Vec<u8>) {
    bytes(field, value.as_bytes(), out);
}

fn number(field: u64, value: u32, out: &mut Vec<u8>) {
    varint(field << 3, out);
    varint(value.into(), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_and_nulls_are_not() {
        let mut line = String::new();
        csv_line(&[Some("a"), None, Some(""), Some("say \"hi\", you\nthere")], &mut line);
        assert_eq!(line, "\"a\",,\"\",\"say \"\"hi\"\", you\nthere\"\n");
    }

    #[test]
    fn numbers_of_protocol_buffers() {
        for (value, expected) in [(0, vec![0]), (127, vec![127]), (300, vec![0xAC, 2])] {
            let mut out = Vec::new();
            varint(value, &mut out);
            assert_eq!(out, expected, "{value}");
        }
    }
}
