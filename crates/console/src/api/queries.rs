//! Rows: of ended queries page by page and as files, and of small queries (panels, previews) at once.

use super::{json_text, read};
use crate::answer::Answer;
use crate::caller::{Caller, may_query};
use crate::door::House;
use crate::results::{broken, open, renderers, write_rows};
use arrow::ipc::reader::FileReader;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use engine::{OutputColumn, QueryOutcome, QueryRequest, read_columns};
use formats::{CsvSpec, JsonSpec, WriteFormat, WriteSpec};
use model::{Error, Result, RunId};
use serde::Deserialize;
use serde_json::json;
use state::trace;
use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;
use telemetry::OpenSpan;
use tokio::sync::mpsc;

/// The most rows of one page, and of one answer at once.
const PAGE: usize = 1000;
const AT_ONCE: usize = 50_000;
/// The most bytes of an answer at once.
const AT_ONCE_BYTES: usize = 32 << 20;

#[derive(Deserialize)]
struct Ask {
    sql: String,
    database: Option<String>,
    limit: Option<usize>,
    source: Option<String>,
}

/// Runs a query and answers its first rows, without a run; it ends when nobody waits any more.
pub(super) async fn rows(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Answer<Response> {
    let ask: Ask = read(&body)?;
    let database = ask.database.clone().unwrap_or_else(|| "default".to_owned());
    let mut span = house.config.tracer.statement("console", &ask.sql, &database, trace::current());
    if let (Some(span), Some(source)) = (&mut span, &ask.source) {
        span.set("glulam.query.source", source.as_str());
    }
    let answered = answered(&house, &caller, ask, database, span.as_mut()).await;
    if let (Some(span), Err(error)) = (&mut span, &answered) {
        span.failed(error, None);
    }
    Ok(json_text(answered?))
}

async fn answered(
    house: &House,
    caller: &Caller,
    ask: Ask,
    database: String,
    span: Option<&mut OpenSpan>,
) -> Result<String> {
    only_reads(&ask.sql)?;
    may_query(caller, &house.rooms.engine, &ask.sql, &database).await?;
    let _turn = house.queries.acquire().await.map_err(|_| Error::cancelled())?;
    let mut request = QueryRequest::new(ask.sql).in_database(database);
    if let Some(source) = ask.source {
        request.source_name = source;
    }
    request.with_origin = true;
    let start = house.rooms.clock.now_millis();
    let answer = house.rooms.engine.query(request).await?;
    let (origin, limit) = (answer.origin.clone(), ask.limit.unwrap_or(AT_ONCE).min(AT_ONCE));
    let stats = Arc::clone(&answer.stats);
    let shown = house.kept.find(origin.as_ref(), limit);
    let again = shown.is_some();
    let (text, count): (Arc<str>, _) = match shown {
        Some(text) => (text, None),
        None => {
            let First { text, count } = first_rows(answer, limit).await?;
            house.kept.keep(origin.as_ref(), limit, &text);
            (text.into(), Some(count as u64))
        }
    };
    // Nothing was read for what was shown before.
    let read = if again { 0 } else { stats.scanned().bytes_scanned };
    if let Some(span) = span {
        let (scanned, phases) = (stats.scanned(), stats.phases());
        span.set("glulam.query.again", again);
        span.figure("bytes_scanned", read);
        span.figure("rows_read", if again { 0 } else { scanned.rows_read });
        span.figure("planning_millis", phases.parse + phases.analyze + phases.optimize + phases.plan);
        count.into_iter().for_each(|count| span.rows(count));
        span.succeeded();
    }
    let millis = house.rooms.clock.now_millis() - start;
    Ok(format!("{{{text},\"bytes_read\":{read},\"millis\":{millis},\"again\":{again}}}"))
}

/// Panels and previews look; what changes something is a run.
fn only_reads(text: &str) -> Result<()> {
    let statements = sql::parse_located(text, "<query>")?;
    match statements.iter().all(|one| one.statement.only_reads()) {
        true => Ok(()),
        false => Err(Error::invalid("this statement changes something, so it must be started as a run")
            .hint("run it on the page Query")),
    }
}

/// The columns and first rows of an answer.
pub(super) struct First {
    /// As members of a JSON object.
    pub(super) text: String,
    /// How many rows these are.
    pub(super) count: usize,
}

pub(super) async fn first_rows(mut answer: engine::Answer, limit: usize) -> Result<First> {
    let limit = limit.min(AT_ONCE);
    let renderers = renderers(&answer.columns);
    let (mut rows, mut count, mut more) = (String::new(), 0, false);
    while let Some(batch) = answer.next().await? {
        let take = batch.num_rows().min(limit - count);
        write_rows(&batch, &renderers, 0..take, &mut rows);
        count += take;
        if take < batch.num_rows() || rows.len() > AT_ONCE_BYTES {
            more = true;
            break;
        }
    }
    let columns = shown(&answer.columns);
    let text =
        format!("\"columns\":{columns},\"rows\":[{rows}],\"more\":{more},\"is_text\":{}", answer.is_text);
    Ok(First { text, count })
}

fn shown(columns: &[OutputColumn]) -> serde_json::Value {
    columns.iter().map(|c| json!({ "name": c.name, "type": c.sql_type.to_string() })).collect()
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    from: u64,
    limit: Option<usize>,
}

async fn outcome(house: &House, caller: &Caller, run: &RunId) -> Result<QueryOutcome> {
    caller.may_on("athena", "GetQueryResults", "workgroup/primary")?;
    let run = house.rooms.runs.get(run).await?;
    if run.kind.as_str() != "query" {
        return Err(Error::invalid(format!("a run of the kind {} has no rows", run.kind)));
    }
    // Whoever reads the rows of a query, another's too, must be allowed what it has read.
    let asked = |name: &str| run.arguments.get(name).and_then(serde_json::Value::as_str);
    let (text, database) = (asked("sql").unwrap_or_default(), asked("database").unwrap_or("default"));
    may_query(caller, &house.rooms.engine, text, database).await?;
    serde_json::from_value(run.result()?)
        .map_err(|e| Error::internal("a query's outcome cannot be read").source_is(e))
}

/// A page of an ended query's rows.
pub(super) async fn page(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Path(run): Path<RunId>,
    Query(wanted): Query<Wanted>,
) -> Answer<Response> {
    let outcome = outcome(&house, &caller, &run).await?;
    let (total, is_text) = (outcome.rows, outcome.is_text);
    let limit = wanted.limit.unwrap_or(PAGE).min(PAGE);
    let page = blocking(move || house.results.page(&run, &outcome, wanted.from, limit)).await?;
    let columns = shown(&page.columns);
    Ok(json_text(format!(
        "{{\"columns\":{columns},\"rows\":[{}],\"from\":{},\"total\":{total},\"is_text\":{is_text}}}",
        page.rows, wanted.from
    )))
}

#[derive(Deserialize)]
pub(super) struct Form {
    format: String,
}

/// All rows of an ended query as a file.
pub(super) async fn download(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
    Path(run): Path<RunId>,
    Query(form): Query<Form>,
) -> Answer<Response> {
    let outcome = outcome(&house, &caller, &run).await?;
    let (format, media) = match form.format.as_str() {
        "csv" => (
            WriteFormat::Csv { spec: CsvSpec::default(), header: true, quote_all: false },
            "text/csv; charset=utf-8",
        ),
        "json" => (WriteFormat::Json(JsonSpec::default()), "application/x-ndjson"),
        "parquet" => (WriteFormat::Parquet, "application/vnd.apache.parquet"),
        other => {
            return Err(Error::unsupported(format!("rows cannot be downloaded as `{other}`"))
                .hint("csv, json and parquet can")
                .into());
        }
    };
    let name = format!("attachment; filename=\"{run}.{}\"", form.format);
    // What is wrong with the file is told before the answer begins.
    let reader = blocking({
        let path = outcome.result.clone();
        move || open(&path)
    })
    .await?;
    let (sender, receiver) = mpsc::channel::<Result<Bytes>>(4);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = encode(reader, format, &sender) {
            let _ = sender.blocking_send(Err(error));
        }
    });
    let stream = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    let headers = [(header::CONTENT_TYPE, media.to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(stream)).into_response())
}

/// Writes a result in another format, piece by piece, as fast as they are taken.
fn encode(
    reader: FileReader<BufReader<File>>,
    format: WriteFormat,
    sender: &mpsc::Sender<Result<Bytes>>,
) -> Result<()> {
    let schema = reader.schema();
    let types: Vec<_> = read_columns(&schema)?.into_iter().map(|column| column.sql_type).collect();
    let mut encoder = formats::encoder(&WriteSpec::new(format), schema, &types)?;
    for batch in reader {
        encoder.write(&batch.map_err(broken)?)?;
        let piece = encoder.take();
        if !piece.is_empty() && sender.blocking_send(Ok(piece)).is_err() {
            return Ok(());
        }
    }
    let _ = sender.blocking_send(Ok(encoder.finish()?.bytes));
    Ok(())
}

/// Work that reads files.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| Error::internal("a request broke off").source_is(e))?
}
