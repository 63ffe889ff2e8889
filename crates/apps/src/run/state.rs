//! State as files: for each aggregation one Arrow stream, on disk before a checkpoint names it.

use super::aggregate::StateRows;
use super::graph::PipelineState;
use super::join::JoinSide;
use super::rows::arrow;
use arrow::array::RecordBatch;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use model::{Error, Place, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

/// What a checkpoint says of one insert's dataflow; the rows are in files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptPipeline {
    pub(crate) closed: Vec<i64>,
    /// How many aggregations it has.
    pub(crate) aggregations: usize,
    /// How many joins.
    #[serde(default)]
    pub(crate) joins: usize,
    /// The files that hold their rows; unknown of checkpoints that did not say so yet.
    #[serde(default)]
    files: Option<BTreeSet<String>>,
}

impl KeptPipeline {
    /// Whether there was nothing to keep.
    fn is_stateless(&self) -> bool {
        self.closed.is_empty() && self.aggregations == 0 && self.joins == 0
    }

    /// The rows of one of its files; none where none were kept. A file that was kept and is not there is state that cannot
    /// be read for the moment.
    fn rows(&self, folder: &Path, name: &str) -> Result<Vec<RecordBatch>> {
        let path = folder.join(name);
        let is_kept = self.files.as_ref().map_or_else(|| path.exists(), |files| files.contains(name));
        if is_kept { batches(&path) } else { Ok(Vec::new()) }
    }
}

/// For each dataflow that was kept the one that takes its state up: the first with the same signature that has none yet.
/// Nothing for one that had no state, and an error's text for one that nobody takes up.
pub(crate) fn matched(
    kept: &[KeptPipeline],
    signatures: &[String],
    now: &[String],
) -> Vec<std::result::Result<Option<usize>, String>> {
    let mut taken = vec![false; now.len()];
    let mut all = Vec::with_capacity(kept.len());
    for (at, pipeline) in kept.iter().enumerate() {
        let signature = signatures.get(at).filter(|_| signatures.len() == kept.len());
        let found = now.iter().enumerate().position(|(n, s)| !taken[n] && Some(s) == signature);
        all.push(match found {
            Some(n) => {
                taken[n] = true;
                Ok(Some(n))
            }
            None if pipeline.is_stateless() => Ok(None),
            None => Err(format!("the state of insert {} has no dataflow that fits", at + 1)),
        });
    }
    all
}

fn failed(doing: &str, path: &Path, error: std::io::Error) -> Error {
    let full = error.kind() == std::io::ErrorKind::StorageFull;
    let error =
        Error::unavailable(format!("{doing} failed")).at(Place::object(path.display())).source_is(error);
    if full { error.hint("free some space; the application goes on from its last checkpoint") } else { error }
}

fn name(pipeline: usize, aggregation: usize) -> String {
    format!("{pipeline}-{aggregation}.arrow")
}

fn name_of_join(pipeline: usize, join: usize, side: JoinSide) -> String {
    let side = if side == JoinSide::Left { "left" } else { "right" };
    format!("{pipeline}-join-{join}-{side}.arrow")
}

/// Writes state into a new folder and has it on disk when this returns. Answers what a checkpoint says of it.
pub(crate) fn write(folder: &Path, states: &[PipelineState]) -> Result<Vec<KeptPipeline>> {
    let doing = "keeping the state";
    std::fs::create_dir_all(folder).map_err(|e| failed(doing, folder, e))?;
    let mut kept = Vec::with_capacity(states.len());
    for (p, state) in states.iter().enumerate() {
        let mut files = BTreeSet::new();
        let mut write = |name: String, batches: &[RecordBatch]| -> Result<()> {
            if write_file(doing, &folder.join(&name), batches)? {
                files.insert(name);
            }
            Ok(())
        };
        for (a, rows) in state.aggregations.iter().enumerate() {
            let batches = rows.iter().map(StateRows::to_batch).collect::<Result<Vec<_>>>()?;
            write(name(p, a), &batches)?;
        }
        for (j, sides) in state.joins.iter().enumerate() {
            for (side, batches) in [JoinSide::Left, JoinSide::Right].into_iter().zip(sides) {
                write(name_of_join(p, j, side), batches)?;
            }
        }
        let (aggregations, joins) = (state.aggregations.len(), state.joins.len());
        kept.push(KeptPipeline { closed: state.closed.clone(), aggregations, joins, files: Some(files) });
    }
    for folder in [Some(folder), folder.parent()].into_iter().flatten() {
        File::open(folder).and_then(|f| f.sync_all()).map_err(|e| failed(doing, folder, e))?;
    }
    Ok(kept)
}

/// Writes batches of one schema; nothing for none. Answers whether there is a file.
fn write_file(doing: &str, path: &Path, batches: &[RecordBatch]) -> Result<bool> {
    let Some(first) = batches.first() else { return Ok(false) };
    let file = File::create(path).map_err(|e| failed(doing, path, e))?;
    let options =
        IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD)).map_err(arrow)?;
    let mut writer =
        StreamWriter::try_new_with_options(BufWriter::new(file), &first.schema(), options).map_err(arrow)?;
    batches.iter().try_for_each(|b| writer.write(b)).map_err(arrow)?;
    writer.finish().map_err(arrow)?;
    let mut buffer = writer.into_inner().map_err(arrow)?;
    buffer.flush().map_err(|e| failed(doing, path, e))?;
    let file = buffer.into_inner().map_err(|e| failed(doing, path, e.into_error()))?;
    file.sync_all().map_err(|e| failed(doing, path, e))?;
    Ok(true)
}

/// Reads the state of one insert's dataflow back: the `at`-th that was kept, with these keys and states.
pub(crate) fn read(
    folder: &Path,
    at: usize,
    kept: &KeptPipeline,
    shapes: &[(usize, Vec<usize>)],
) -> Result<PipelineState> {
    std::fs::read_dir(folder).map_err(|e| failed("reading the state", folder, e))?;
    let mut aggregations = Vec::with_capacity(kept.aggregations);
    for a in 0..kept.aggregations {
        let (keys, states) = shapes.get(a).cloned().unwrap_or_default();
        let rows = kept.rows(folder, &name(at, a))?;
        let rows = rows.iter().map(|batch| StateRows::of_batch(batch, keys, &states));
        aggregations.push(rows.collect::<Result<Vec<_>>>()?);
    }
    let side = |j: usize, side: JoinSide| kept.rows(folder, &name_of_join(at, j, side));
    let both = |j: usize| Ok([side(j, JoinSide::Left)?, side(j, JoinSide::Right)?]);
    let joins = (0..kept.joins).map(both).collect::<Result<Vec<_>>>()?;
    Ok(PipelineState { closed: kept.closed.clone(), aggregations, joins })
}

fn batches(path: &Path) -> Result<Vec<RecordBatch>> {
    let file = File::open(path).map_err(|e| failed("reading the state", path, e))?;
    let broken =
        |e| arrow(e).context("the state of the application cannot be read").at(Place::object(path.display()));
    let reader = StreamReader::try_new(BufReader::new(file), None).map_err(broken)?;
    reader.map(|batch| batch.map_err(broken)).collect()
}
