//! An open flow: steps are added one behind the other, then written, or looked at.

use super::book::{RejectBook, RejectedNode};
use super::names::spelled;
use super::shared::Shared;
use super::step::{Sieve, StepTable, note_reads};
use super::{FlowColumn, FlowQuery, FlowWork};
use crate::engine::Engine;
use crate::joins::Joins;
use crate::memory::PeakPool;
use crate::query::{Context, DEFAULT_DATABASE};
use crate::tables::{OpenTables, cte_names, found};
use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use functions::Session;
use functions::render::Renderer;
use futures::TryStreamExt;
use lake::{Commit, CommitOptions};
use model::{EntityName, Error, LakeUri, Result};
use plan::{Analyzed, Analyzer, Found, TableColumn, TableName, table_names};
use scan::{OpenOptions, ScanReport};
use sql::{Source, Statement, quote_ident};
use sqlparser::ast::Query;
use state::runs::RunContext;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// The column of the number that a sieve reads.
const NUMBER: &str = "$rejected";

/// Steps and what became of them.
pub struct OpenFlow {
    pub(super) engine: Engine,
    pub(super) context: Context,
    pub(super) state: SessionState,
    pub(super) commit: Option<Commit>,
    pool: Arc<PeakPool>,
    steps: HashMap<String, Step>,
    /// What may be made once for several readers, each behind what it reads.
    shared: Mutex<Vec<Arc<Shared>>>,
    book: RejectBook,
    /// For previews nothing is made that is not shown.
    is_preview: bool,
    /// Steps are asked before all of their readers are known.
    keep_all: bool,
}

/// A step that was added.
#[derive(Clone)]
pub(super) struct Step {
    columns: Vec<FlowColumn>,
    table: Arc<StepTable>,
}

/// The first rows of a step, as text.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct FlowPreview {
    /// The columns' names and types.
    pub columns: Vec<(String, String)>,
    /// Their values; missing ones are none.
    pub rows: Vec<Vec<Option<String>>>,
}

impl Engine {
    /// Begins a flow as part of a run. It fails when more than `most_rejects` rows are rejected.
    pub fn begin_flow(&self, run: &RunContext, most_rejects: Option<u64>) -> Result<OpenFlow> {
        let database = EntityName::new(DEFAULT_DATABASE)?;
        let mut session = Session::new(self.inner.clock.now());
        session.schema = database.to_string();
        let context = Context::of_run(session, Source::new("<job>", ""), database, run);
        let (state, pool) = self.session_state(Joins::Hashed)?;
        let options = CommitOptions { run: Some(run.id().clone()) };
        let commit = Some(self.inner.lake.begin_commit(options));
        let book = RejectBook::new(&self.inner.options.spill_dir, run.id().as_str(), most_rejects);
        Ok(OpenFlow {
            engine: self.clone(),
            context,
            state,
            commit,
            pool,
            steps: HashMap::new(),
            shared: Mutex::default(),
            book,
            is_preview: false,
            keep_all: false,
        })
    }
}

impl OpenFlow {
    /// Steps are only looked at: each is made anew for itself, and no further than needed.
    pub fn for_preview(mut self) -> Self {
        self.is_preview = true;
        self
    }

    /// Steps are asked for values before all are added.
    pub fn asking_early(mut self) -> Self {
        self.keep_all = true;
        self
    }

    /// Its joins sort both sides: an attempt before had no memory to hash one.
    pub fn sorting_joins(mut self) -> Result<Self> {
        (self.state, self.pool) = self.engine.session_state(Joins::Sorted)?;
        Ok(self)
    }

    /// Whether a join got no memory for the side that it hashes: another attempt may sort both.
    pub fn refused_join(&self) -> bool {
        self.pool.refused_join()
    }

    /// Adds a step, behind those that it reads. Answers its columns. So many other steps will read it.
    pub async fn add(&mut self, id: &str, work: FlowWork, readers: usize) -> Result<Vec<FlowColumn>> {
        let step = match work {
            FlowWork::Same(other) => self.step(&other)?.clone(),
            FlowWork::Table { database, table, predicate, gate } => {
                let entry = self
                    .engine
                    .inner
                    .catalog
                    .get_table(&EntityName::new(&database)?, &EntityName::new(&table)?)
                    .await?;
                if entry.table.is_view() {
                    let query = format!("SELECT * FROM {}.{}", quote_ident(&database), quote_ident(&table));
                    let filter = predicate.map(|text| format!(" WHERE {text}")).unwrap_or_default();
                    self.source(id, &(query + &filter), OpenTables::default(), &[]).await?
                } else {
                    let counters = self.context.counters().clone();
                    let opened = self.engine.inner.scans.open_gated(&entry, counters, gate).await?;
                    let names = entry.table.storage.columns.iter().chain(&entry.table.partition_keys);
                    let names: Vec<String> = names.map(|column| column.name.clone()).collect();
                    let filter = predicate.map(|text| format!(" WHERE {text}")).unwrap_or_default();
                    self.source(id, &format!("SELECT * FROM source{filter}"), source_table(opened), &names)
                        .await?
                }
            }
            FlowWork::Files { found: files, format, columns, rejects } => {
                let counters = self.context.counters().clone();
                let scans = &self.engine.inner.scans;
                let opened = match rejects {
                    Some(node) => {
                        let sink = Arc::new(NodeBook { book: self.book.clone(), node });
                        let options = OpenOptions { counters, rejects: Some(sink) };
                        scans.open_files_with(&files, &format, options).await?
                    }
                    None => scans.open_files(&files, &format, counters).await?,
                };
                let items = match &columns {
                    Some(columns) => columns
                        .iter()
                        .map(|column| {
                            let name = quote_ident(&column.name);
                            let known =
                                opened.table.columns.iter().find(|c| c.name == column.name.to_lowercase());
                            match known {
                                Some(known) if known.sql_type == column.sql_type => name,
                                Some(_) => format!("TRY_CAST({name} AS {}) AS {name}", column.sql_type),
                                None => format!("CAST(NULL AS {}) AS {name}", column.sql_type),
                            }
                        })
                        .collect::<Vec<_>>()
                        .join(", "),
                    None => "*".to_owned(),
                };
                let names = opened.names.clone();
                self.source(id, &format!("SELECT {items} FROM source"), source_table(opened.table), &names)
                    .await?
            }
            FlowWork::Query(query) => self.query_step(id, &query).await?,
        };
        step.table.read_by(readers);
        let columns = step.columns.clone();
        self.steps.insert(id.to_owned(), step);
        Ok(columns)
    }

    pub(super) fn step(&self, id: &str) -> Result<&Step> {
        self.steps
            .get(id)
            .ok_or_else(|| Error::internal(format!("the step `{id}` is read before it is there")))
    }

    async fn source(&self, id: &str, sql: &str, tables: OpenTables, names: &[String]) -> Result<Step> {
        let analyzed = self.analyzed(sql, tables).await?;
        let names: Vec<FlowColumn> = names
            .iter()
            .map(|name| FlowColumn { name: name.clone(), sql_type: sql::SqlType::VARCHAR })
            .collect();
        let columns = spelled(sql, &names, &analyzed.columns);
        self.made(id, analyzed, columns, None)
    }

    fn made(
        &self,
        id: &str,
        analyzed: Analyzed,
        columns: Vec<FlowColumn>,
        sieve: Option<Sieve>,
    ) -> Result<Step> {
        if !self.is_preview {
            note_reads(&analyzed.plan).map_err(scan::error)?;
        }
        let shared = (!self.is_preview).then(|| {
            let options = &self.engine.inner.options;
            let safe: String = id.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
            let name = format!("{}-{}-{safe}", self.context.id, self.steps.len());
            Arc::new(Shared::new(
                self.state.clone(),
                options.spill_dir.clone(),
                name,
                options.memory_limit / 4,
            ))
        });
        if let (Some(shared), true) = (&shared, self.keep_all) {
            shared.want_all(columns.len());
        }
        let table = Arc::new(StepTable::new(id, analyzed, &columns, sieve, shared.clone()));
        if let Some(shared) = shared {
            shared.of(&table);
            self.shared.lock().unwrap_or_else(PoisonError::into_inner).push(shared);
        }
        Ok(Step { columns, table })
    }

    async fn query_step(&self, id: &str, query: &FlowQuery) -> Result<Step> {
        let mut tables = OpenTables::default();
        let mut inputs: Vec<&FlowColumn> = Vec::new();
        for (name, step) in &query.inputs {
            let step = self.step(step)?;
            inputs.extend(&step.columns);
            tables.put(local(name), step_found(&step.table));
        }
        let first = query.inputs.first().filter(|_| !query.rejects.is_empty());
        let Some((name, input)) = first else {
            let analyzed = self.analyzed(&query.sql, tables).await?;
            let columns = spelled(&query.sql, inputs, &analyzed.columns);
            return self.made(id, analyzed, columns, None);
        };
        let input = self.step(input)?.clone();
        let list = input.columns.iter().map(|c| quote_ident(&c.name)).collect::<Vec<_>>().join(", ");
        let cases =
            query.rejects.iter().enumerate().map(|(n, rule)| format!(" WHEN {} THEN {n}", rule.condition));
        let number = format!("CASE{} END AS {}", cases.collect::<String>(), quote_ident(NUMBER));
        let rules = query.rejects.iter().map(|rule| (rule.column.clone(), rule.reason.clone()));
        let sieve = |first_input: usize| Sieve {
            rules: rules.clone().collect(),
            input: input.columns.clone().into(),
            first_input,
            book: self.book.clone(),
        };
        let from = quote_ident(name);
        if let Some(items) = &query.projection {
            let judged = format!("SELECT {items}, {number}, {list} FROM {from}");
            let analyzed = self.analyzed(&judged, tables).await?;
            let visible = analyzed.columns.len().saturating_sub(input.columns.len() + 1);
            let columns = spelled(&query.sql, inputs, analyzed.columns.get(..visible).unwrap_or_default());
            return self.made(id, analyzed, columns, Some(sieve(visible + 1)));
        }
        let judged = format!("SELECT {list}, {number}, {list} FROM {from}");
        let analyzed = self.analyzed(&judged, input_table(name, &input)).await?;
        let judged = self.made(id, analyzed, input.columns.clone(), Some(sieve(input.columns.len() + 1)))?;
        tables.put(local(name), step_found(&judged.table));
        let analyzed = self.analyzed(&query.sql, tables).await?;
        let columns = spelled(&query.sql, inputs, &analyzed.columns);
        self.made(id, analyzed, columns, None)
    }

    /// What a query over these tables, and tables of the catalog, means.
    pub(super) async fn analyzed(&self, sql: &str, mut tables: OpenTables) -> Result<Analyzed> {
        let query = parsed(sql)?;
        let all = table_names(&query, self.context.database.as_str());
        let missing: Vec<TableName> = all.into_iter().filter(|name| !tables.has(name)).collect();
        if !missing.is_empty() {
            let counters = self.context.counters();
            let more = self.engine.open_named(missing, &cte_names(&query), counters).await?;
            tables.merge(more);
        }
        let source = Arc::new(Source::new("<query>", sql));
        Analyzer::new(&tables, self.context.session.clone(), source, &[]).query(&query)
    }

    /// A query over one step.
    pub(super) async fn over(&self, id: &str, sql: &str) -> Result<(Analyzed, Vec<FlowColumn>)> {
        let step = self.step(id)?;
        let analyzed = self.analyzed(sql, input_table("input", step)).await?;
        let columns = spelled(sql, &step.columns, &analyzed.columns);
        Ok((analyzed, columns))
    }

    /// A step's columns.
    pub fn columns(&self, id: &str) -> Result<&[FlowColumn]> {
        Ok(&self.step(id)?.columns)
    }

    pub(super) async fn physical(&self, analyzed: &Analyzed) -> Result<Arc<dyn ExecutionPlan>> {
        let optimized = crate::optimizer::optimize(&self.state, &analyzed.plan)?;
        let planner = self.state.query_planner();
        planner.create_physical_plan(&optimized, &self.state).await.map_err(scan::error)
    }

    /// Plans what is made once for several readers, now that all of these are planned.
    pub(super) async fn prepare_shared(&self) -> Result<()> {
        let all = self.shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for shared in all.iter().rev() {
            shared.prepare().await.map_err(scan::error)?;
        }
        Ok(())
    }

    /// The one row of a query over a step (there called `input`): whole numbers.
    pub async fn numbers(&self, id: &str, sql: &str) -> Result<Vec<u64>> {
        let (analyzed, _) = self.over(id, sql).await?;
        let plan = self.physical(&analyzed).await?;
        let stream = execute_stream(plan, self.state.task_ctx()).map_err(scan::error)?;
        let batches: Vec<_> = stream.try_collect().await.map_err(scan::error)?;
        let Some(batch) = batches.iter().find(|batch| batch.num_rows() > 0) else { return Ok(Vec::new()) };
        let number = |array: &Arc<dyn Array>| {
            let numbers = array.as_primitive_opt::<Int64Type>()?;
            numbers.is_valid(0).then(|| u64::try_from(numbers.value(0)).unwrap_or_default())
        };
        Ok(batch.columns().iter().map(|array| number(array).unwrap_or_default()).collect())
    }

    /// The first rows of a step.
    pub async fn preview(&self, id: &str, rows: usize) -> Result<FlowPreview> {
        let (analyzed, columns) = self.over(id, &format!("SELECT * FROM input LIMIT {rows}")).await?;
        let plan = self.physical(&analyzed).await?;
        let stream = execute_stream(plan, self.state.task_ctx()).map_err(scan::error)?;
        let batches: Vec<_> = stream.try_collect().await.map_err(scan::error)?;
        let mut preview = FlowPreview {
            columns: columns.iter().map(|c| (c.name.clone(), c.sql_type.to_string())).collect(),
            rows: Vec::new(),
        };
        let renderers: Vec<Renderer> = columns.iter().map(|c| Renderer::new(&c.sql_type)).collect();
        for batch in &batches {
            for row in 0..batch.num_rows() {
                let value = |(array, renderer): (&Arc<dyn Array>, &Renderer)| {
                    array.is_valid(row).then(|| {
                        let mut text = String::new();
                        renderer.write(array.as_ref(), row, &mut text);
                        text
                    })
                };
                preview.rows.push(batch.columns().iter().zip(&renderers).map(value).collect());
            }
        }
        Ok(preview)
    }

    /// How many rows came out of a step so far.
    pub fn rows(&self, id: &str) -> u64 {
        self.steps.get(id).map_or(0, |step| step.table.count())
    }

    /// What was read so far.
    pub fn scanned(&self) -> ScanReport {
        self.context.counters().snapshot()
    }

    /// The most memory that queries held at one time.
    pub fn peak_memory(&self) -> usize {
        self.pool.peak()
    }

    /// Where steps and readers note what they cannot take.
    pub fn book(&self) -> &RejectBook {
        &self.book
    }

    /// Stages what was rejected below that folder, one file per node.
    pub async fn stage_rejects(&self, at: &LakeUri) -> Result<BTreeMap<String, RejectedNode>> {
        self.book.stage(self.open_commit()?, at).await
    }

    pub(super) fn open_commit(&self) -> Result<&Commit> {
        self.commit.as_ref().ok_or_else(|| Error::internal("the flow has ended"))
    }

    /// The commit with all that was written. Nothing is visible before it is published.
    pub fn into_commit(mut self) -> Result<Commit> {
        self.commit.take().ok_or_else(|| Error::internal("the flow has ended"))
    }
}

/// The table `source` alone.
fn source_table(opened: scan::OpenTable) -> OpenTables {
    let mut tables = OpenTables::default();
    tables.put(local("source"), found(opened));
    tables
}

pub(super) fn input_table(name: &str, step: &Step) -> OpenTables {
    let mut tables = OpenTables::default();
    tables.put(local(name), step_found(&step.table));
    tables
}

/// A name that a query of a flow uses for a step.
pub(super) fn local(name: &str) -> TableName {
    TableName { database: DEFAULT_DATABASE.to_owned(), table: name.to_lowercase() }
}

fn step_found(table: &Arc<StepTable>) -> Found {
    let columns = table.schema().fields().iter().zip(table.types());
    let column = |(field, sql_type): (&Arc<arrow::datatypes::Field>, &sql::SqlType)| TableColumn {
        name: field.name().clone(),
        sql_type: sql_type.clone(),
        hidden: false,
    };
    let columns = columns.map(column).collect();
    let provider: Arc<dyn datafusion::catalog::TableProvider> = Arc::clone(table) as _;
    Found::Table { columns, source: provider_as_source(provider) }
}

pub(super) fn parsed(sql: &str) -> Result<Box<Query>> {
    match sql::parse_one(sql, "<query>")? {
        Statement::Query(query) => Ok(query),
        _ => Err(Error::invalid("a step of a job must be a query")),
    }
}

/// A node's page of the book.
#[derive(Debug)]
struct NodeBook {
    book: RejectBook,
    node: String,
}

impl formats::RejectSink for NodeBook {
    fn wants_unknown_fields(&self) -> bool {
        true
    }

    fn take(&self, rejected: formats::RejectedLine<'_>) {
        let text = String::from_utf8_lossy(rejected.text);
        self.book.take_line(
            &self.node,
            rejected.file,
            rejected.line,
            rejected.column,
            &text,
            rejected.reason,
        );
    }
}
