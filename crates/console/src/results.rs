//! Rows of ended queries, from the file that the engine left: any page of them without reading those before.

use arrow::array::{Array, RecordBatch};
use arrow::ipc::reader::{FileReader, read_footer_length};
use arrow::ipc::{root_as_footer, root_as_message};
use engine::{OutputColumn, QueryOutcome, read_columns};
use functions::render::Renderer;
use model::{Error, Place, Result, RunId};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// For so many results it is remembered at which row each of their batches begins.
const REMEMBERED: usize = 64;
/// The longest text of a cell on a page.
const CELL: usize = 2000;

/// Where the batches of results begin.
#[derive(Default)]
pub(crate) struct Results {
    starts: Mutex<VecDeque<(RunId, Arc<Vec<u64>>)>>,
}

/// Some rows of a result, written as JSON.
pub(crate) struct Page {
    pub(crate) columns: Vec<OutputColumn>,
    /// The rows: lists of texts and nulls, with commas between them.
    pub(crate) rows: String,
    pub(crate) count: usize,
}

impl Results {
    /// The rows from this one on, at most so many.
    pub(crate) fn page(&self, run: &RunId, outcome: &QueryOutcome, from: u64, limit: usize) -> Result<Page> {
        let starts = self.starts(run, &outcome.result)?;
        let mut reader = open(&outcome.result)?;
        let columns = read_columns(&reader.schema())?;
        let renderers = renderers(&columns);
        let mut page = Page { columns, rows: String::new(), count: 0 };
        // The batch in which the first row stands.
        let mut batch = starts.partition_point(|start| *start <= from).saturating_sub(1);
        let mut skip = usize::try_from(from - starts.get(batch).copied().unwrap_or(0)).unwrap_or(usize::MAX);
        while page.count < limit && batch < reader.num_batches() {
            reader.set_index(batch).map_err(broken)?;
            let Some(rows) = reader.next().transpose().map_err(broken)? else { break };
            let take = rows.num_rows().saturating_sub(skip).min(limit - page.count);
            write_rows(&rows, &renderers, skip..skip + take, &mut page.rows);
            page.count += take;
            (batch, skip) = (batch + 1, 0);
        }
        Ok(page)
    }

    fn starts(&self, run: &RunId, path: &Path) -> Result<Arc<Vec<u64>>> {
        let lock = || self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, starts)) = lock().iter().find(|(known, _)| known == run) {
            return Ok(starts.clone());
        }
        let starts = Arc::new(starts_of(path)?);
        let mut known = lock();
        if known.len() >= REMEMBERED {
            known.pop_front();
        }
        known.push_back((run.clone(), starts.clone()));
        Ok(starts)
    }
}

/// At which row each batch begins, from the batches' heads alone.
fn starts_of(path: &Path) -> Result<Vec<u64>> {
    let mut file = File::open(path).map_err(|e| gone(path, e))?;
    let read = |file: &mut File, at: SeekFrom, length: usize| -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        file.seek(at).and_then(|_| file.read_exact(&mut bytes)).map_err(|e| gone(path, e))?;
        Ok(bytes)
    };
    let mut end = [0_u8; 10];
    end.copy_from_slice(&read(&mut file, SeekFrom::End(-10), 10)?);
    let length = read_footer_length(end).map_err(broken)?;
    let back = -10 - i64::try_from(length).unwrap_or(i64::MAX - 10);
    let bytes = read(&mut file, SeekFrom::End(back), length)?;
    let footer = root_as_footer(&bytes).map_err(|e| damaged(&e))?;
    let (mut starts, mut row) = (Vec::new(), 0_u64);
    for block in footer.recordBatches().iter().flatten() {
        let length = usize::try_from(block.metaDataLength()).unwrap_or(0);
        let at = u64::try_from(block.offset()).unwrap_or(0);
        let head = read(&mut file, SeekFrom::Start(at), length)?;
        // A marker and the length stand before the message.
        let message = root_as_message(head.get(8..).unwrap_or_default()).map_err(|e| damaged(&e))?;
        let rows = message.header_as_record_batch().map_or(0, |batch| batch.length());
        starts.push(row);
        row += u64::try_from(rows).unwrap_or(0);
    }
    Ok(starts)
}

pub(crate) fn open(path: &Path) -> Result<FileReader<BufReader<File>>> {
    let file = File::open(path).map_err(|e| gone(path, e))?;
    FileReader::try_new(BufReader::new(file), None).map_err(broken)
}

pub(crate) fn renderers(columns: &[OutputColumn]) -> Vec<Renderer> {
    columns.iter().map(|column| Renderer::new(&column.sql_type)).collect()
}

/// Writes rows as lists of JSON texts and nulls, with commas between them and before the first if there are others.
pub(crate) fn write_rows(
    batch: &RecordBatch,
    renderers: &[Renderer],
    rows: std::ops::Range<usize>,
    out: &mut String,
) {
    for row in rows {
        out.push_str(if out.is_empty() { "[" } else { ",[" });
        for (i, (array, renderer)) in batch.columns().iter().zip(renderers).enumerate() {
            if i > 0 {
                out.push(',');
            }
            if array.is_null(row) {
                out.push_str("null");
                continue;
            }
            let start = out.len();
            out.push('"');
            renderer.write(array.as_ref(), row, out);
            let cell = &out[start + 1..];
            if cell.len() <= CELL && cell.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
                out.push('"');
                continue;
            }
            let mut text = out.split_off(start + 1);
            out.truncate(start);
            if let Some((cut, _)) = text.char_indices().nth(CELL) {
                text.truncate(cut);
                text.push('…');
            }
            out.push_str(&serde_json::Value::from(text).to_string());
        }
        out.push(']');
    }
}

fn damaged(error: &dyn std::fmt::Display) -> Error {
    Error::corrupt("a result's file is damaged").why(error.to_string())
}

pub(crate) fn broken(error: arrow::error::ArrowError) -> Error {
    Error::internal("the result cannot be read").source_is(error)
}

fn gone(path: &Path, error: std::io::Error) -> Error {
    let what = match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::not_found("the rows of this query are not kept any more").hint("run the query again")
        }
        _ => Error::unavailable("the rows of this query cannot be read"),
    };
    what.at(Place::object(path.display())).source_is(error)
}
