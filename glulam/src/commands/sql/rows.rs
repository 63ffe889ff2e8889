//! Rows in the form that was asked for: a table for people, CSV and JSON lines, Parquet and Arrow files.

use super::Wanted;
use crate::args::RowFormat;
use crate::terminal;
use arrow::array::{Array, RecordBatch};
use arrow::ipc::reader::FileReader;
use engine::{OutputColumn, QueryOutcome, read_columns};
use formats::{WriteFormat, WriteSpec};
use functions::render::Renderer;
use model::{Error, Place, Result};
use sql::SqlType;
use state::runs::Run;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

/// How many rows a table for people shows: nobody reads more.
const SHOWN_ROWS: usize = 1000;

/// Shows the rows of a result file.
pub(super) fn show(outcome: &QueryOutcome, wanted: &Wanted) -> Result<()> {
    let file = File::open(&outcome.result).map_err(|e| cannot("read", &outcome.result, e))?;
    let reader = FileReader::try_new(BufReader::new(file), None).map_err(broken)?;
    let columns = read_columns(&reader.schema())?;
    if wanted.format == RowFormat::Table && wanted.output.is_none() {
        let text = if outcome.is_text { plain_lines(reader, &columns)? } else { table(reader, &columns)? };
        if !text.is_empty() {
            terminal::print(&text);
        }
        return Ok(());
    }
    match &wanted.output {
        Some(path) => {
            let file = File::create(path).map_err(|e| cannot("write", path, e))?;
            let mut out = BufWriter::with_capacity(1 << 20, file);
            write_rows(reader, &columns, wanted.format, &mut out)
                .and_then(|()| out.flush().map_err(|e| cannot("write", path, e)))
        }
        None => {
            let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
            let written = write_rows(reader, &columns, wanted.format, &mut out);
            let _ = out.flush();
            written
        }
    }
}

fn write_rows(
    reader: FileReader<BufReader<File>>,
    columns: &[OutputColumn],
    format: RowFormat,
    out: &mut dyn Write,
) -> Result<()> {
    match format {
        RowFormat::Table => {
            let text = table(reader, columns)?;
            put(out, text.as_bytes()).map(|_| ())
        }
        RowFormat::Csv => csv(reader, columns, out),
        RowFormat::Json => json(reader, columns, out),
        RowFormat::Parquet => {
            let schema = reader.schema();
            let types: Vec<SqlType> = columns.iter().map(|c| c.sql_type.clone()).collect();
            let mut encoder = formats::encoder(&WriteSpec::new(WriteFormat::Parquet), schema, &types)?;
            for batch in reader {
                encoder.write(&batch.map_err(broken)?)?;
                put(out, &encoder.take())?;
            }
            let last = encoder.finish()?;
            put(out, &last.bytes).map(|_| ())
        }
        RowFormat::Arrow => {
            let mut writer =
                arrow::ipc::writer::FileWriter::try_new(out, &reader.schema()).map_err(broken)?;
            for batch in reader {
                writer.write(&batch.map_err(broken)?).map_err(broken)?;
            }
            writer.finish().map_err(broken)
        }
    }
}

/// Writes, and says whether somebody still reads.
fn put(out: &mut dyn Write, bytes: &[u8]) -> Result<bool> {
    match out.write_all(bytes) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(e) => Err(Error::unavailable("the rows cannot be written").source_is(e)),
    }
}

fn renderers(columns: &[OutputColumn]) -> Vec<Renderer> {
    columns.iter().map(|c| Renderer::new(&c.sql_type)).collect()
}

/// A row's cell as text; nothing for NULL.
fn cell(renderer: &Renderer, array: &dyn Array, row: usize, text: &mut String) -> bool {
    if array.is_null(row) {
        return false;
    }
    renderer.write(array, row, text);
    true
}

fn csv(reader: FileReader<BufReader<File>>, columns: &[OutputColumn], out: &mut dyn Write) -> Result<()> {
    let mut line = String::new();
    for (i, column) in columns.iter().enumerate() {
        if i > 0 {
            line.push(',');
        }
        quoted(&column.name, &mut line);
    }
    line.push('\n');
    if !put(out, line.as_bytes())? {
        return Ok(());
    }
    let renderers = renderers(columns);
    let mut value = String::new();
    for batch in reader {
        let batch = batch.map_err(broken)?;
        line.clear();
        for row in 0..batch.num_rows() {
            for (i, (array, renderer)) in batch.columns().iter().zip(&renderers).enumerate() {
                if i > 0 {
                    line.push(',');
                }
                value.clear();
                if cell(renderer, array.as_ref(), row, &mut value) {
                    quoted(&value, &mut line);
                }
            }
            line.push('\n');
        }
        if !put(out, line.as_bytes())? {
            return Ok(());
        }
    }
    Ok(())
}

/// A value of CSV. An empty text is quoted, so that it differs from NULL.
fn quoted(value: &str, line: &mut String) {
    if !value.is_empty() && !value.contains([',', '"', '\n', '\r']) {
        line.push_str(value);
        return;
    }
    line.push('"');
    line.push_str(&value.replace('"', "\"\""));
    line.push('"');
}

fn json(reader: FileReader<BufReader<File>>, columns: &[OutputColumn], out: &mut dyn Write) -> Result<()> {
    let renderers = renderers(columns);
    let names: Vec<String> =
        columns.iter().map(|c| serde_json::Value::from(c.name.as_str()).to_string()).collect();
    let mut line = String::new();
    for batch in reader {
        let batch = batch.map_err(broken)?;
        line.clear();
        for row in 0..batch.num_rows() {
            line.push('{');
            for (i, (array, renderer)) in batch.columns().iter().zip(&renderers).enumerate() {
                if i > 0 {
                    line.push(',');
                }
                line.push_str(&names[i]);
                line.push(':');
                if array.is_null(row) {
                    line.push_str("null");
                } else {
                    renderer.write_json(array.as_ref(), row, &mut line);
                }
            }
            line.push_str("}\n");
        }
        if !put(out, line.as_bytes())? {
            return Ok(());
        }
    }
    Ok(())
}

fn rows_of(batch: &RecordBatch, renderers: &[Renderer], rows: usize) -> Vec<Vec<String>> {
    (0..rows)
        .map(|row| {
            batch
                .columns()
                .iter()
                .zip(renderers)
                .map(|(array, renderer)| {
                    let mut text = String::new();
                    if cell(renderer, array.as_ref(), row, &mut text) { text } else { "NULL".to_owned() }
                })
                .collect()
        })
        .collect()
}

fn table(reader: FileReader<BufReader<File>>, columns: &[OutputColumn]) -> Result<String> {
    let renderers = renderers(columns);
    let mut rows = Vec::new();
    let mut left_out = 0;
    for batch in reader {
        let batch = batch.map_err(broken)?;
        let take = batch.num_rows().min(SHOWN_ROWS - rows.len());
        rows.extend(rows_of(&batch, &renderers, take));
        left_out += batch.num_rows() - take;
    }
    let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
    let mut text = terminal::table_as_is(&names, rows);
    if left_out > 0 {
        text.push_str(&format!("\n… {left_out} more rows; add LIMIT, or write them to a file with --output"));
    }
    Ok(text)
}

fn plain_lines(reader: FileReader<BufReader<File>>, columns: &[OutputColumn]) -> Result<String> {
    let renderers = renderers(columns);
    let mut lines = Vec::new();
    for batch in reader {
        let batch = batch.map_err(broken)?;
        let rows = rows_of(&batch, &renderers, batch.num_rows());
        lines.extend(rows.into_iter().map(|r| r.join("\t")));
    }
    Ok(lines.join("\n"))
}

/// One line about the query, for people.
pub(super) fn summary(run: &Run, outcome: &QueryOutcome) -> String {
    let counted = |name: &str| run.counters.get(name).copied().unwrap_or(0);
    let mut text =
        format!("{} {}", terminal::amount(outcome.rows), if outcome.rows == 1 { "row" } else { "rows" });
    if counted("bytes_scanned") > 0 {
        text.push_str(&format!(", {} read", terminal::bytes(counted("bytes_scanned"))));
    }
    if counted("partitions_pruned") > 0 {
        text.push_str(&format!(
            ", {} of {} partitions",
            counted("partitions_read"),
            counted("partitions_read") + counted("partitions_pruned")
        ));
    }
    if let (Some(started), Some(ended)) = (run.started, run.ended) {
        text.push_str(&format!(", {}", terminal::duration(ended - started)));
    }
    text
}

fn broken(error: arrow::error::ArrowError) -> Error {
    Error::internal("the result cannot be read or written").source_is(error)
}

fn cannot(verb: &str, path: &Path, error: std::io::Error) -> Error {
    Error::unavailable(format!("cannot {verb} the file")).at(Place::object(path.display())).source_is(error)
}
