//! Queries as runs: started, watched, cancelled, counted; their rows kept in a file until somebody has read them.

use crate::answer::Answer;
use crate::engine::Engine;
use crate::query::QueryRequest;
use crate::stats::Stopwatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::writer::{FileWriter, IpcWriteOptions};
use futures::StreamExt;
use model::{Error, LakeUri, Result, RunKind, Unit};
use plan::OutputColumn;
use serde::{Deserialize, Serialize};
use serde_json::json;
use state::runs::{NewRun, RunContext, RunHandle};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Under this key a result file's schema keeps the SQL types of its columns, as a JSON list.
pub const RESULT_SCHEMA_KEY: &str = "glulam.sql_types";

/// What a query's run answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct QueryOutcome {
    /// The rows, as an Arrow file.
    pub result: PathBuf,
    /// How many there are.
    pub rows: u64,
    /// Whether they are lines of text to be shown as they are.
    pub is_text: bool,
    /// The files that the statement has written.
    #[serde(default)]
    pub files: Vec<LakeUri>,
    /// How long it took to settle what the statement means and how it is run.
    #[serde(default)]
    pub planning_millis: f64,
}

impl Engine {
    /// Starts a query as a run. Its outcome says where the rows are.
    pub async fn start(&self, request: QueryRequest) -> Result<RunHandle> {
        let Some(runs) = &self.inner.runs else {
            return Err(Error::internal("this engine was made without runs"));
        };
        let name: String =
            request.text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(48).collect();
        let mut new = NewRun::new(RunKind::new("query")?, name);
        new.arguments = json!({ "sql": request.text, "database": request.database });
        let engine = self.clone();
        runs.start(new, move |run: RunContext| {
            let (engine, request) = (engine.clone(), request.clone());
            async move {
                let outcome = engine.carry_out(request, &run).await?;
                serde_json::to_value(outcome)
                    .map_err(|e| Error::internal("an outcome cannot be written").source_is(e))
            }
        })
        .await
    }

    /// Carries a query out as the work of a run, or of a part of one: counted there, stopped with it, its rows kept.
    pub async fn carry_out(&self, request: QueryRequest, run: &RunContext) -> Result<QueryOutcome> {
        let mut watch = Stopwatch::start();
        let id = run.id().to_string();
        let answer = self.answer(request, id.clone(), Some(run.clone()), run.cancelled()).await?;
        let before_rows = watch.lap();
        let folder = &self.inner.options.results_dir;
        tokio::fs::create_dir_all(folder).await.map_err(|e| cannot("make", folder, e))?;
        let path = folder.join(format!("{id}.arrow"));
        let stats = answer.stats.clone();
        let is_text = answer.is_text;
        let rows = keep(answer, &path, run).await;
        let (scanned, phases) = (stats.scanned(), stats.phases());
        run.count("bytes_scanned", scanned.bytes_scanned);
        run.count("rows_read", scanned.rows_read);
        run.count("files_read", scanned.files_read);
        run.count("files_pruned", scanned.files_pruned);
        run.count("partitions_read", scanned.partitions_read);
        run.count("partitions_pruned", scanned.partitions_pruned);
        run.count("row_groups_pruned", scanned.row_groups_pruned);
        run.count("peak_memory", stats.peak_memory() as u64);
        let message = format!(
            "parsed in {:.1} ms, analyzed in {:.1} ms, optimized in {:.1} ms, planned in {:.1} ms ({before_rows:.1} ms before the rows), executed in {:.1} ms",
            phases.parse,
            phases.analyze,
            phases.optimize,
            phases.plan,
            watch.lap(),
        );
        run.debug(message).await;
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => {
                let _ = tokio::fs::remove_file(&path).await;
                return Err(error);
            }
        };
        run.count("rows", rows);
        let planning_millis = phases.parse + phases.analyze + phases.optimize + phases.plan;
        Ok(QueryOutcome { result: path, rows, is_text, files: stats.files_written(), planning_millis })
    }
}

/// Writes the rows to a file as they come.
async fn keep(mut answer: Answer, path: &Path, run: &RunContext) -> Result<u64> {
    let schema = with_types(&answer.stream.schema(), &answer.columns)?;
    let file = std::fs::File::create(path).map_err(|e| cannot("write", path, e))?;
    let options = IpcWriteOptions::default();
    let mut writer = FileWriter::try_new_with_options(std::io::BufWriter::new(file), &schema, options)
        .map_err(functions::cast::arrow_error)?;
    let mut rows = 0_u64;
    while let Some(batch) = answer.stream.next().await {
        let batch = batch.map_err(scan::error)?;
        rows += batch.num_rows() as u64;
        let batch = batch.with_schema(schema.clone()).map_err(functions::cast::arrow_error)?;
        // The buffers that a batch holds on to are written whole.
        let batch = scan::compact(&batch).map_err(functions::cast::arrow_error)?;
        // The file is on the local disk and written in large pieces: this does not block for long.
        writer.write(&batch).map_err(|e| functions::cast::arrow_error(e).context("keeping the result"))?;
        run.progress(rows, None, Unit::Rows);
        run.check()?;
    }
    writer.finish().map_err(|e| functions::cast::arrow_error(e).context("keeping the result"))?;
    Ok(rows)
}

fn with_types(schema: &SchemaRef, columns: &[OutputColumn]) -> Result<SchemaRef> {
    let types: Vec<String> = columns.iter().map(|c| c.sql_type.to_string()).collect();
    let text =
        serde_json::to_string(&types).map_err(|e| Error::internal("types cannot be written").source_is(e))?;
    let metadata = HashMap::from([(RESULT_SCHEMA_KEY.to_owned(), text)]);
    Ok(Arc::new(Schema::new_with_metadata(schema.fields().clone(), metadata)))
}

/// The columns of a result file with their SQL types.
pub fn read_columns(schema: &Schema) -> Result<Vec<OutputColumn>> {
    let types: Vec<String> = schema
        .metadata()
        .get(RESULT_SCHEMA_KEY)
        .and_then(|text| serde_json::from_str(text).ok())
        .ok_or_else(|| Error::corrupt("a result file does not say its types"))?;
    schema
        .fields()
        .iter()
        .zip(types)
        .map(|(field, text)| {
            let mut sql_type: sql::SqlType = text.parse()?;
            // A zone is told by the Arrow type, not by the name of the SQL type.
            if let (sql::SqlType::TimestampTz(p, _), arrow::datatypes::DataType::Timestamp(_, Some(zone))) =
                (&sql_type, field.data_type())
            {
                sql_type = sql::SqlType::TimestampTz(*p, zone.clone());
            }
            Ok(OutputColumn { name: field.name().clone(), sql_type })
        })
        .collect()
}

fn cannot(verb: &str, path: &Path, error: std::io::Error) -> Error {
    Error::unavailable(format!("cannot {verb} a result"))
        .at(model::Place::object(path.display()))
        .source_is(error)
}
