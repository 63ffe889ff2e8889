//! GetQueryResults: a result by pages, with the columns as Athena describes them.

use super::shown::Ended;
use super::statement::Shape;
use super::{Athena, limit, output};
use crate::json::{Call, Input, token};
use crate::page::write_token;
use engine::{OutputColumn, read_columns};
use functions::render::Renderer;
use model::{Error, Result, RunState};
use serde::{Deserialize, Serialize};
use sql::SqlType;
use std::path::PathBuf;

/// Athena's largest page, with the names of the columns.
const MAX_RESULTS: usize = 1000;

/// A column as Athena describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Info {
    pub(super) catalog_name: &'static str,
    schema_name: &'static str,
    table_name: &'static str,
    pub(super) name: String,
    pub(super) label: String,
    #[serde(rename = "Type")]
    pub(super) kind: &'static str,
    pub(super) precision: u32,
    pub(super) scale: u32,
    nullable: &'static str,
    pub(super) case_sensitive: bool,
}

/// The columns of a result.
pub(super) fn infos(columns: &[OutputColumn], shape: Shape) -> Vec<Info> {
    columns
        .iter()
        .map(|column| {
            // What definitions answer are Hive's texts, not Trino's.
            let (kind, precision, scale) = match (shape, &column.sql_type) {
                (Shape::Lines, SqlType::Varchar(_)) => ("string", 0, 0),
                (_, sql_type) => described(sql_type),
            };
            Info {
                catalog_name: "hive",
                schema_name: "",
                table_name: "",
                name: column.name.clone(),
                label: column.name.clone(),
                kind,
                precision,
                scale,
                nullable: "UNKNOWN",
                case_sensitive: matches!(kind, "varchar" | "char"),
            }
        })
        .collect()
}

/// A type's name, precision and scale.
fn described(sql_type: &SqlType) -> (&'static str, u32, u32) {
    match sql_type {
        SqlType::Unknown | SqlType::Function(..) => ("unknown", 0, 0),
        SqlType::Boolean => ("boolean", 0, 0),
        SqlType::TinyInt => ("tinyint", 3, 0),
        SqlType::SmallInt => ("smallint", 5, 0),
        SqlType::Integer => ("integer", 10, 0),
        SqlType::BigInt => ("bigint", 19, 0),
        SqlType::Real => ("float", 17, 0),
        SqlType::Double => ("double", 17, 0),
        SqlType::Decimal(precision, scale) => ("decimal", (*precision).into(), (*scale).into()),
        SqlType::Varchar(length) => ("varchar", length.unwrap_or(2_147_483_647), 0),
        SqlType::Char(length) => ("char", *length, 0),
        SqlType::Varbinary => ("varbinary", 1_073_741_824, 0),
        SqlType::HyperLogLog => ("HyperLogLog", 0, 0),
        SqlType::Json => ("json", 0, 0),
        SqlType::Uuid => ("uuid", 0, 0),
        SqlType::IpAddress => ("ipaddress", 0, 0),
        SqlType::Date => ("date", 0, 0),
        SqlType::Time(precision) => ("time", (*precision).into(), 0),
        SqlType::Timestamp(precision) => ("timestamp", (*precision).into(), 0),
        SqlType::TimestampTz(precision, _) => ("timestamp with time zone", (*precision).into(), 0),
        SqlType::IntervalYearMonth => ("interval year to month", 0, 0),
        SqlType::IntervalDaySecond => ("interval day to second", 0, 0),
        SqlType::Array(_) => ("array", 0, 0),
        SqlType::Map(..) => ("map", 0, 0),
        SqlType::Row(_) => ("row", 0, 0),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetQueryResults {
    query_execution_id: String,
    next_token: Option<String>,
    max_results: Option<i64>,
    query_result_type: Option<String>,
}

impl Input for GetQueryResults {
    const CHECKED_INSIDE: bool = true;
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Datum {
    #[serde(skip_serializing_if = "Option::is_none")]
    var_char_value: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    data: Vec<Datum>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    column_info: Vec<Info>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResultSet {
    rows: Vec<Row>,
    result_set_metadata: Metadata,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GotResults {
    update_count: i64,
    result_set: ResultSet,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn get(athena: Athena, call: Call, input: GetQueryResults) -> Result<GotResults> {
    let execution = athena.execution(&call, "GetQueryResults", &input.query_execution_id).await?;
    match execution.run.state {
        RunState::Succeeded => {}
        state if state.is_final() => {
            return Err(Error::invalid(format!(
                "Query did not finish successfully. Final query state: {}",
                execution.state()
            )));
        }
        _ => {
            let state = execution.state();
            return Err(Error::invalid(format!("Query has not yet finished. Current state: {state}")));
        }
    }
    if input.query_result_type.as_deref() == Some("DATA_MANIFEST") {
        return Err(Error::unsupported("the QueryResultType DATA_MANIFEST is not supported here")
            .hint("read the object that DataManifestLocation names"));
    }
    let most = limit(input.max_results, MAX_RESULTS)?;
    let from = match token(input.next_token.as_deref())? {
        None => Position::default(),
        Some(text) => Position::parse(&text).ok_or_else(|| Error::invalid("NextToken is of another list"))?,
    };
    let ended = execution.ended()?;
    let shape = execution.shape();
    let Ended { result, update_count, .. } = ended;
    let page = tokio::task::spawn_blocking(move || read(result, shape, from, most))
        .await
        .map_err(|e| Error::internal("reading a result broke off").source_is(e))??;
    Ok(GotResults {
        update_count,
        result_set: ResultSet { rows: page.rows, result_set_metadata: Metadata { column_info: page.infos } },
        next_token: page.next.map(|next| write_token(&next.to_string())),
    })
}

/// A row of a result: the batch, and the row in it. The first position is before the names of the columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Position {
    batch: usize,
    row: usize,
    /// Whether the names of the columns were given.
    is_named: bool,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.batch, self.row)
    }
}

impl Position {
    fn parse(text: &str) -> Option<Self> {
        let (batch, row) = text.split_once('.')?;
        Some(Self { batch: batch.parse().ok()?, row: row.parse().ok()?, is_named: true })
    }
}

struct Page {
    rows: Vec<Row>,
    infos: Vec<Info>,
    next: Option<Position>,
}

fn read(path: PathBuf, shape: Shape, from: Position, most: usize) -> Result<Page> {
    let mut reader = output::open(&path)?;
    let columns = read_columns(&reader.schema())?;
    let infos = infos(&columns, shape);
    let mut page = Page { rows: Vec::new(), infos, next: None };
    if matches!(shape, Shape::Written | Shape::NewTable) {
        return Ok(page);
    }
    if shape == Shape::Rows && !from.is_named {
        let names = columns.iter().map(|column| Datum { var_char_value: Some(column.name.clone()) });
        page.rows.push(Row { data: names.collect() });
    }
    let renderers: Vec<Renderer> = columns.iter().map(|column| Renderer::new(&column.sql_type)).collect();
    let batches = reader.num_batches();
    let mut at = from;
    while at.batch < batches {
        reader.set_index(at.batch).map_err(output::broken)?;
        let Some(batch) = reader.next().transpose().map_err(output::broken)? else { break };
        while at.row < batch.num_rows() {
            if page.rows.len() >= most {
                page.next = Some(at);
                return Ok(page);
            }
            let values = batch.columns().iter().zip(&renderers).map(|(array, renderer)| {
                (!output::is_null(array.as_ref(), at.row)).then(|| {
                    let mut text = String::new();
                    renderer.write(array.as_ref(), at.row, &mut text);
                    text
                })
            });
            page.rows.push(row(values.collect(), shape));
            at.row += 1;
        }
        at = Position { batch: at.batch + 1, row: 0, is_named: true };
    }
    Ok(page)
}

/// A row; the values of a line of text are one value, as in the text itself.
fn row(values: Vec<Option<String>>, shape: Shape) -> Row {
    if shape == Shape::Lines && values.len() > 1 {
        let line = values.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>().join("\t");
        return Row { data: vec![Datum { var_char_value: Some(line) }] };
    }
    Row { data: values.into_iter().map(|var_char_value| Datum { var_char_value }).collect() }
}
