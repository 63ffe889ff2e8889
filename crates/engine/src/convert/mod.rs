//! Converting files: any format into any other, of the lake or of this machine, through a query if one is given. What is
//! written appears whole or not at all: in the lake by a commit, on the disk by a rename.

mod output;
mod peek;
mod target;

pub use output::ConvertOutput;

use crate::engine::Engine;
use crate::query::Context;
use crate::tables::found;
use crate::write::check_columns;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlanProperties;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use functions::Session;
use futures::StreamExt;
use lake::Commit;
use model::{EntityName, Error, Result, Unit};
use plan::{Analyzed, Analyzer, OutputColumn, TableName, table_names};
use scan::sink::{SinkSpec, Written, write};
use scan::{FileFormat, FileSearch, OpenFiles, ScanCounters};
use serde::{Deserialize, Serialize};
use sql::{Source, Statement};
use sqlparser::ast::Query;
use state::runs::RunContext;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use target::Target;
use tokio::sync::mpsc;

/// The name of the files in a query over them.
const INPUT: &str = "input";
/// How many batches of a part are read ahead while another part is written.
const READ_AHEAD: usize = 16;

/// What to convert, and into what.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConvertRequest {
    /// The files.
    pub input: FileSearch,
    /// What is known of them.
    pub format: FileFormat,
    /// A query over the table `input`.
    pub select: Option<String>,
    /// What to write.
    pub output: ConvertOutput,
}

/// What was converted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Converted {
    /// Rows written.
    pub rows: u64,
    /// Files written.
    pub files: u64,
    /// Files that were read.
    pub files_in: u64,
    /// The bytes of the files that were read, as they are stored.
    pub bytes_in: u64,
    /// The bytes that were written.
    pub bytes: u64,
    /// Partitions written; 0 without partition columns.
    pub partitions: u64,
    /// What the input is.
    pub from: String,
    /// What the output is.
    pub to: String,
    /// Where the output is.
    pub output: String,
    /// The columns of the output, as `name type`.
    pub columns: Vec<String>,
    /// What a person should know, one sentence each.
    pub notes: Vec<String>,
    /// The objects written into the lake.
    pub objects: Vec<String>,
}

impl Engine {
    /// Converts files, as the body of a run.
    pub async fn convert(&self, request: &ConvertRequest, run: &RunContext) -> Result<Converted> {
        let output = &request.output;
        let spec = output.write_spec()?;
        let context = self.convert_context(request, run)?;
        let (scans, counters) = (&self.inner.scans, context.counters());
        let files = scans.find_files(&request.input).await?;
        let (files_in, total) = (files.iter().count() as u64, files.bytes());
        run.progress(0, Some(total), Unit::Bytes);
        let target = Target::open(&self.inner.lake, output, run.id()).await?;
        let open = scans.open_files(&files, &request.format, Arc::clone(counters)).await?;
        for note in &open.notes {
            run.info(note.clone()).await;
        }
        let analyzed = self.over_input(&open, request.select.as_deref(), &context).await?;
        check_columns(&analyzed.columns)?;
        let columns = spelled(&analyzed.columns, &open);
        let mut sink = SinkSpec::new(target.folder().clone(), spec, columns, "part".to_owned());
        sink.partition_by = output.partition_columns(&analyzed.columns)?;
        sink.max_file_bytes = output.max_file_bytes;
        sink.file_name = target.file_name();
        let commit = target.commit(run.id());
        let watch = Watch { run, counters, total, rows: AtomicU64::new(0) };
        let written = self.write_rows(&analyzed, &sink, &commit, &watch, &context).await;
        let mut written = match written {
            Ok(written) => written,
            Err(error) => {
                commit.abort().await?;
                return Err(target.told(error));
            }
        };
        if written.files.is_empty() && sink.partition_by.is_empty() {
            written.bytes = empty_file(&sink, &commit).await?;
            written.files.push(scan::sink::WrittenFile {
                uri: one_file(&sink)?,
                rows: 0,
                bytes: written.bytes,
                partition: None,
            });
        }
        crashpoint::hit("engine.convert.before_publish");
        let objects = target.publish(commit, &written).await?;
        run.progress(total, Some(total), Unit::Bytes);
        run.count("bytes_written", written.bytes);
        run.count("files_written", written.files.len() as u64);
        run.count("bytes_read", counters.snapshot().bytes_scanned);
        let shown = |(name, sql_type): &(String, sql::SqlType)| format!("{name} {sql_type}");
        Ok(Converted {
            rows: written.rows,
            files: written.files.len() as u64,
            files_in: if files_in == 0 { counters.snapshot().files_read } else { files_in },
            bytes_in: if total == 0 { counters.snapshot().bytes_scanned } else { total },
            bytes: written.bytes,
            partitions: written.partitions.len() as u64,
            from: open.format.clone(),
            to: output.format()?.to_owned(),
            output: output.at.to_string(),
            columns: sink.columns.iter().map(shown).collect(),
            notes: open.notes,
            objects,
        })
    }

    fn convert_context(&self, request: &ConvertRequest, run: &RunContext) -> Result<Context> {
        let database = EntityName::new(crate::query::DEFAULT_DATABASE)?;
        let mut session = Session::new(self.inner.clock.now());
        session.schema = database.to_string();
        let text = request.select.clone().unwrap_or_default();
        Ok(Context::of_run(session, Source::new("--select", text), database, run))
    }

    /// What the query says of the files; all of their columns without one.
    async fn over_input(
        &self,
        open: &OpenFiles,
        select: Option<&str>,
        context: &Context,
    ) -> Result<Analyzed> {
        let query = parsed(select.unwrap_or("SELECT * FROM input"))?;
        let database = context.database.as_str();
        let name = TableName { database: database.to_owned(), table: INPUT.to_owned() };
        let names: Vec<TableName> =
            table_names(&query, database).into_iter().filter(|other| *other != name).collect();
        let mut tables = self.open_named(names, &HashSet::new(), context.counters()).await?;
        tables.put(name, found(open.table.clone()));
        let analyzer =
            Analyzer::new(&tables, context.session.clone(), context.source.clone(), &context.parameters);
        analyzer.query(&query)
    }

    async fn write_rows(
        &self,
        analyzed: &Analyzed,
        sink: &SinkSpec,
        commit: &Commit,
        watch: &Watch<'_>,
        context: &Context,
    ) -> Result<Written> {
        let (physical, task) = self.physical(analyzed, context).await?;
        let parts = physical.output_partitioning().partition_count();
        let streams = (0..parts).map(|part| physical.execute(part, Arc::clone(&task)).map_err(scan::error));
        let mut streams = streams.collect::<Result<Vec<_>>>()?;
        if sink.file_name.is_some() && streams.len() != 1 {
            streams = vec![in_order(streams, crate::answer::schema_of(&analyzed.columns))];
        }
        let told = |rows: u64, _: u64| watch.tell(rows);
        write(streams, sink, commit, &told, &context.cancel).await
    }
}

fn parsed(select: &str) -> Result<Box<Query>> {
    match sql::parse_one(select, "--select")? {
        Statement::Query(query) => Ok(query),
        _ => Err(Error::invalid("what selects the rows must be a query").hint("write SELECT … FROM input")),
    }
}

/// The columns with the names that the files spell, where a column is one of theirs.
fn spelled(columns: &[OutputColumn], open: &OpenFiles) -> Vec<(String, sql::SqlType)> {
    let spell = |name: &String| {
        let known = open.names.iter().find(|known| known.to_lowercase() == *name);
        known.unwrap_or(name).clone()
    };
    columns.iter().map(|column| (spell(&column.name), column.sql_type.clone())).collect()
}

/// Tells the run how far it is.
struct Watch<'a> {
    run: &'a RunContext,
    counters: &'a ScanCounters,
    total: u64,
    rows: AtomicU64,
}

impl Watch<'_> {
    fn tell(&self, rows: u64) {
        let before = self.rows.fetch_max(rows, Ordering::Relaxed);
        self.run.count("rows", rows.saturating_sub(before));
        let done = self.counters.snapshot().bytes_scanned;
        let total = Some(self.total).filter(|total| *total > 0);
        self.run.progress(total.map_or(done, |total| done.min(total)), total, Unit::Bytes);
    }
}

/// The parts of a plan as one stream, in their order; all of them are read at the same time.
fn in_order(
    parts: Vec<SendableRecordBatchStream>,
    schema: arrow::datatypes::SchemaRef,
) -> SendableRecordBatchStream {
    let started = parts.into_iter().map(|mut part| {
        let (sender, receiver) = mpsc::channel(READ_AHEAD);
        let task = SpawnedTask::spawn(async move {
            while let Some(batch) = part.next().await {
                if sender.send(batch).await.is_err() {
                    return;
                }
            }
        });
        (receiver, task)
    });
    let started: Vec<_> = started.collect();
    let batches = futures::stream::iter(started).flat_map(|(receiver, task)| {
        futures::stream::unfold((receiver, Some(task)), |(mut receiver, mut task)| async move {
            if let Some(batch) = receiver.recv().await {
                return Some((batch, (receiver, task)));
            }
            // A part that broke off must not look like one that ended.
            match task.take()?.join().await {
                Ok(()) => None,
                Err(error) => {
                    let error = Error::internal("a part of the work broke off").source_is(error);
                    Some((Err(scan::external(error)), (receiver, None)))
                }
            }
        })
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
}

fn one_file(sink: &SinkSpec) -> Result<model::LakeUri> {
    let name = sink.file_name.clone().unwrap_or_else(|| format!("part_00000{}", sink.write.extension()));
    sink.location.join(&name)
}

/// A file without rows, which still says its columns. Answers its bytes.
async fn empty_file(sink: &SinkSpec, commit: &Commit) -> Result<u64> {
    let fields: Vec<arrow::datatypes::Field> = sink
        .columns
        .iter()
        .map(|(name, sql_type)| arrow::datatypes::Field::new(name, sql_type.to_arrow(), true))
        .collect();
    let types: Vec<sql::SqlType> = sink.columns.iter().map(|(_, sql_type)| sql_type.clone()).collect();
    let schema = Arc::new(arrow::datatypes::Schema::new(fields));
    let finished = formats::encoder(&sink.write, schema, &types)?.finish()?;
    commit.put(&one_file(sink)?, finished.bytes).await?;
    Ok(finished.size)
}
