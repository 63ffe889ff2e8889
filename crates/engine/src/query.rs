//! One statement, from its text to a stream of rows.

use crate::ddl::{self, DdlContext, DdlResult};
use crate::engine::Engine;
use crate::memory::PeakPool;
use crate::origin::Origin;
use crate::prepared::PRIMARY_WORKGROUP;
use crate::tables::OpenTables;
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{Field, Schema, SchemaRef};
use catalog::Database;
use chrono::{DateTime, Utc};
use datafusion::common::tree_node::TreeNode;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use functions::Session;
use futures::{StreamExt, TryStreamExt};
use model::{EntityName, Error, LakeUri, Result};
use plan::{Analyzed, Analyzer, OutputColumn, TableName};
use scan::{ScanCounters, ScanReport};
use sql::ast::CreateView;
use sql::{Located, Source, SqlType, Statement};
use sqlparser::ast::{Expr as Ast, Query};
use state::runs::RunContext;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// The database of statements that name none.
pub(crate) const DEFAULT_DATABASE: &str = "default";

/// A statement to run.
#[derive(Debug, Clone)]
pub struct QueryRequest {
    /// Its text: one statement.
    pub text: String,
    /// What the text is called in diagnoses: a file's name, or `<query>`.
    pub source_name: String,
    /// The database in which names are looked up.
    pub database: String,
    /// Values for `?`, as SQL expressions.
    pub parameters: Vec<String>,
    /// The workgroup whose prepared statements it sees.
    pub workgroup: String,
    /// It fails when it has read more bytes than this; the engine's own limit holds besides.
    pub bytes_cutoff: Option<u64>,
    /// Whether the answer tells what it is made of.
    pub with_origin: bool,
}

impl QueryRequest {
    /// A statement over the database `default`.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            source_name: "<query>".into(),
            database: "default".into(),
            parameters: Vec::new(),
            workgroup: PRIMARY_WORKGROUP.into(),
            bytes_cutoff: None,
            with_origin: false,
        }
    }

    /// The same in another database.
    pub fn in_database(mut self, database: impl Into<String>) -> Self {
        self.database = database.into();
        self
    }
}

/// What a statement answers.
pub struct Answer {
    /// The columns, in order.
    pub columns: Vec<OutputColumn>,
    /// The rows; the fields of its schema are named like the columns.
    pub stream: SendableRecordBatchStream,
    /// Whether the lines of a definition's answer are text to show as it is (DESCRIBE, SHOW CREATE TABLE).
    pub is_text: bool,
    /// What is known of the query; complete when the stream has ended.
    pub stats: Arc<QueryStats>,
    /// What the rows are made of, where the request wants to know and it can be told.
    pub origin: Option<Origin>,
}

impl Answer {
    /// The next rows; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        self.stream.next().await.transpose().map_err(scan::error)
    }
}

/// Where a query's time went, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Phases {
    /// Reading the text.
    pub parse: f64,
    /// Opening tables and settling names and types.
    pub analyze: f64,
    /// The optimizer.
    pub optimize: f64,
    /// Making the physical plan: partitions are pruned and files listed here.
    pub plan: f64,
}

/// Counts of a query.
#[derive(Debug)]
pub struct QueryStats {
    counters: Arc<ScanCounters>,
    phases: Mutex<Phases>,
    memory: Mutex<Option<Arc<PeakPool>>>,
    written: Mutex<Vec<LakeUri>>,
}

impl QueryStats {
    fn new(bytes_cutoff: Option<u64>) -> Self {
        let counters = Arc::new(bytes_cutoff.map_or_else(ScanCounters::default, ScanCounters::with_cutoff));
        Self { counters, phases: Mutex::default(), memory: Mutex::default(), written: Mutex::default() }
    }

    /// The files that the statement has written, where they are once it has ended.
    pub fn files_written(&self) -> Vec<LakeUri> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn wrote(&self, files: impl IntoIterator<Item = LakeUri>) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).extend(files);
    }

    /// What was read so far.
    pub fn scanned(&self) -> ScanReport {
        self.counters.snapshot()
    }

    /// Where the time before the first row went.
    pub fn phases(&self) -> Phases {
        *self.phases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The most memory it held at one time.
    pub fn peak_memory(&self) -> usize {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map_or(0, |p| p.peak())
    }

    fn phase(&self, set: impl FnOnce(&mut Phases)) {
        set(&mut self.phases.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Everything a statement runs in.
pub(crate) struct Context {
    pub(crate) session: Arc<Session>,
    pub(crate) source: Arc<Source>,
    pub(crate) database: EntityName,
    pub(crate) stats: Arc<QueryStats>,
    /// The workgroup whose prepared statements it sees.
    pub(crate) workgroup: String,
    pub(crate) parameters: Vec<Ast>,
    pub(crate) cancel: CancellationToken,
    /// Names the files it writes.
    pub(crate) id: String,
    pub(crate) run: Option<RunContext>,
}

impl Context {
    /// For the body of a run, without parameters.
    pub(crate) fn of_run(session: Session, source: Source, database: EntityName, run: &RunContext) -> Self {
        Self {
            session: Arc::new(session),
            source: Arc::new(source),
            database,
            stats: Arc::new(QueryStats::new(None)),
            workgroup: PRIMARY_WORKGROUP.to_owned(),
            parameters: Vec::new(),
            cancel: run.cancelled(),
            id: run.id().to_string(),
            run: Some(run.clone()),
        }
    }

    /// For a look at something, which is no run and which nobody else cancels.
    pub(crate) fn of_look(session: Session, source: Source, database: EntityName) -> Self {
        Self {
            id: format!("look{}", uuid_like(&session.now())),
            session: Arc::new(session),
            source: Arc::new(source),
            database,
            stats: Arc::new(QueryStats::new(None)),
            workgroup: PRIMARY_WORKGROUP.to_owned(),
            parameters: Vec::new(),
            cancel: CancellationToken::new(),
            run: None,
        }
    }

    pub(crate) fn counters(&self) -> &Arc<ScanCounters> {
        &self.stats.counters
    }
}

/// Milliseconds since then. Durations are measured, never compared with the clock that schedules.
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn lap(&mut self) -> f64 {
        let elapsed = self.0.elapsed().as_secs_f64() * 1000.0;
        *self = Self::start();
        elapsed
    }
}

impl Engine {
    /// Runs one statement in this task; dropping the answer's stream stops it.
    pub async fn query(&self, request: QueryRequest) -> Result<Answer> {
        let id = format!("q{}", uuid_like(&self.inner.clock.now()));
        self.answer(request, id, None, CancellationToken::new()).await
    }

    pub(crate) async fn answer(
        &self,
        request: QueryRequest,
        id: String,
        run: Option<RunContext>,
        cancel: CancellationToken,
    ) -> Result<Answer> {
        let mut watch = Stopwatch::start();
        let stats = Arc::new(QueryStats::new(request.bytes_cutoff));
        let located = only_statement(&request)?;
        let parameters = request.parameters.iter().map(|p| parameter(p)).collect::<Result<Vec<_>>>()?;
        stats.phase(|p| p.parse = watch.lap());
        if request.with_origin && matches!(located.statement, Statement::Query(_)) {
            stats.counters.remember_files();
        }
        let database = EntityName::new(&request.database)?;
        let mut session = Session::new(self.inner.clock.now());
        session.schema = database.to_string();
        let context = Context {
            session: Arc::new(session),
            source: Arc::new(Source::new(request.source_name, request.text)),
            database,
            stats,
            workgroup: request.workgroup,
            parameters,
            cancel,
            id,
            run,
        };
        self.statement(&located.statement, &context).await
    }

    /// Runs a statement. Statements inside of others (EXPLAIN, EXECUTE) come through here too.
    pub(crate) async fn statement(&self, statement: &Statement, context: &Context) -> Result<Answer> {
        if !statement.only_reads() || matches!(statement, Statement::Show(_)) {
            self.need_default(context).await?;
        }
        match statement {
            Statement::Query(query) => self.select(query, context).await,
            Statement::Explain { analyze, verbose, format, kind, statement } => {
                let how = crate::explain::How {
                    analyze: *analyze,
                    verbose: *verbose,
                    format: *format,
                    kind: *kind,
                };
                self.explain(how, statement, context).await
            }
            Statement::Prepare { .. }
            | Statement::Execute { .. }
            | Statement::Deallocate { .. }
            | Statement::DescribeInput { .. }
            | Statement::DescribeOutput { .. } => self.prepared(statement, context).await,
            Statement::CreateTable(create) if ddl::is_new_delta(create) => {
                self.new_delta_table(create, context).await
            }
            Statement::CreateTableAs(create) => self.create_table_as(create, context).await,
            Statement::Insert(insert) => self.insert(insert, context).await,
            Statement::Unload(unload) => self.unload(unload, context).await,
            Statement::Delete(delete) => self.delete(delete, context).await,
            Statement::Update(update) => self.update(update, context).await,
            Statement::Merge(merge) => self.merge(merge, context).await,
            Statement::CreateView(view) => self.create_view(view, context).await,
            definition => {
                let ddl = self.ddl_context(context);
                ddl_answer(ddl::execute(&ddl, definition).await?, context)
            }
        }
    }

    async fn create_view(&self, view: &CreateView, context: &Context) -> Result<Answer> {
        let (database, name) = self.table_name(&view.name, context)?;
        let name = TableName { database: database.to_string(), table: name.to_string() };
        let tables = self.open_tables(&view.query, context.database.as_str(), context.counters()).await?;
        let analyzed = {
            let (session, source) = (context.session.clone(), context.source.clone());
            let analyzer = Analyzer::new(&tables, session, source, &context.parameters).for_view(name);
            analyzer.query(&view.query)?
        };
        let columns: Vec<(String, SqlType)> =
            analyzed.columns.into_iter().map(|column| (column.name, column.sql_type)).collect();
        ddl_answer(ddl::create_view(&self.ddl_context(context), view, &columns).await?, context)
    }

    /// The database `default` is always there, as in Athena: it is made when somebody first needs it.
    async fn need_default(&self, context: &Context) -> Result<()> {
        if context.database.as_str() != DEFAULT_DATABASE {
            return Ok(());
        }
        match self.inner.catalog.get_database(&context.database).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == model::ErrorKind::NotFound => {
                let made = self.inner.catalog.create_database(Database::new(context.database.clone())).await;
                match made {
                    // Somebody else was quicker.
                    Err(error) if error.kind() != model::ErrorKind::AlreadyExists => Err(error),
                    _ => Ok(()),
                }
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn ddl_context<'a>(&'a self, context: &'a Context) -> DdlContext<'a> {
        DdlContext {
            catalog: &self.inner.catalog,
            lake: &self.inner.lake,
            database: &context.database,
            now: self.inner.clock.now(),
            source: &context.source,
        }
    }

    /// Opens a query's tables and settles what it means.
    pub(crate) async fn analyze(&self, query: &Query, context: &Context) -> Result<Analyzed> {
        Ok(self.open_and_analyze(query, context).await?.0)
    }

    async fn open_and_analyze(&self, query: &Query, context: &Context) -> Result<(Analyzed, OpenTables)> {
        let mut watch = Stopwatch::start();
        let tables = self.open_tables(query, context.database.as_str(), context.counters()).await?;
        let analyzer =
            Analyzer::new(&tables, context.session.clone(), context.source.clone(), &context.parameters);
        let analyzed = analyzer.query(query)?;
        context.stats.phase(|p| p.analyze += watch.lap());
        Ok((analyzed, tables))
    }

    /// The physical plan of an analyzed query.
    pub(crate) async fn physical(
        &self,
        analyzed: &Analyzed,
        context: &Context,
    ) -> Result<(Arc<dyn ExecutionPlan>, Arc<TaskContext>)> {
        let (state, pool) = self.session_state()?;
        *context.stats.memory.lock().unwrap_or_else(PoisonError::into_inner) = Some(pool);
        let mut watch = Stopwatch::start();
        let optimized = state.optimize(&analyzed.plan).map_err(scan::error)?;
        context.stats.phase(|p| p.optimize += watch.lap());
        if leans_outward(&optimized) {
            return Err(Error::unsupported(
                "a subquery uses columns of the query around it in a way that is not supported",
            )
            .why("it can be turned neither to a join nor to an aggregation")
            .hint("compare the outer columns in its WHERE, or write it as a JOIN"));
        }
        let physical =
            state.query_planner().create_physical_plan(&optimized, &state).await.map_err(scan::error)?;
        context.stats.phase(|p| p.plan += watch.lap());
        Ok((physical, state.task_ctx()))
    }

    async fn select(&self, query: &Query, context: &Context) -> Result<Answer> {
        let (analyzed, tables) = self.open_and_analyze(query, context).await?;
        let columns = analyzed.columns.clone();
        let (physical, task) = self.physical(&analyzed, context).await?;
        let origin = Origin::of(context, &analyzed, &tables);
        Ok(Answer { origin, ..answer_of(physical, task, columns, context) })
    }

    /// The rows of an analyzed query.
    pub(crate) async fn rows_of(&self, analyzed: Analyzed, context: &Context) -> Result<Answer> {
        let (physical, task) = self.physical(&analyzed, context).await?;
        Ok(answer_of(physical, task, analyzed.columns, context))
    }
}

/// The answer of a plan, which begins to work when somebody wants its first rows.
fn answer_of(
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
    columns: Vec<OutputColumn>,
    context: &Context,
) -> Answer {
    let schema = plan.schema();
    let rows = futures::stream::once(async move { execute_stream(plan, task) }).try_flatten();
    let rows: SendableRecordBatchStream = Box::pin(RecordBatchStreamAdapter::new(schema, rows));
    let stream = until_cancelled(renamed(rows, schema_of(&columns)), context.cancel.clone());
    Answer { columns, stream, is_text: false, stats: context.stats.clone(), origin: None }
}

/// Whether a column of an outer query is left that the optimizer could not turn to a join.
fn leans_outward(plan: &LogicalPlan) -> bool {
    plan.exists(|node| {
        let lateral = matches!(node, LogicalPlan::Subquery(_));
        Ok(lateral || node.expressions().iter().any(|expr| expr.contains_outer() || asks_outward(expr)))
    })
    .unwrap_or(false)
}

/// Whether a subquery in the expression is still one that uses columns around it.
fn asks_outward(expr: &Expr) -> bool {
    let found = expr.exists(|expr| {
        Ok(match expr {
            Expr::ScalarSubquery(subquery) => !subquery.outer_ref_columns.is_empty(),
            Expr::Exists(exists) => !exists.subquery.outer_ref_columns.is_empty(),
            Expr::InSubquery(found) => !found.subquery.outer_ref_columns.is_empty(),
            _ => false,
        })
    });
    found.unwrap_or(false)
}

/// The schema of an answer: the columns' names and Arrow types.
pub(crate) fn schema_of(columns: &[OutputColumn]) -> SchemaRef {
    let fields: Vec<Field> =
        columns.iter().map(|c| Field::new(&c.name, c.sql_type.to_arrow(), true)).collect();
    Arc::new(Schema::new(fields))
}

/// The stream's columns under the names the user gave them.
fn renamed(stream: SendableRecordBatchStream, schema: SchemaRef) -> SendableRecordBatchStream {
    let target = schema.clone();
    let mapped = stream.map(move |batch| {
        let batch = batch?;
        let rows = batch.num_rows();
        let columns = batch
            .columns()
            .iter()
            .zip(target.fields())
            .map(|(column, field)| {
                if column.data_type() == field.data_type() {
                    Ok(column.clone())
                } else {
                    Ok(arrow::compute::cast(column, field.data_type())?)
                }
            })
            .collect::<datafusion::common::Result<Vec<ArrayRef>>>()?;
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(target.clone(), columns, &options)?)
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, mapped))
}

/// Ends the stream with an error as soon as somebody cancels.
fn until_cancelled(
    stream: SendableRecordBatchStream,
    cancel: CancellationToken,
) -> SendableRecordBatchStream {
    let schema = stream.schema();
    let watched =
        futures::stream::unfold((stream, cancel, false), |(mut stream, cancel, ended)| async move {
            if ended {
                return None;
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => {
                    Some((Err(scan::external(Error::cancelled())), (stream, cancel, true)))
                }
                batch = stream.next() => batch.map(|batch| {
                    let failed = batch.is_err();
                    (batch, (stream, cancel, failed))
                }),
            }
        });
    Box::pin(RecordBatchStreamAdapter::new(schema, watched))
}

/// An answer of rows that are at hand.
pub(crate) fn batch_answer(
    columns: Vec<OutputColumn>,
    arrays: Vec<ArrayRef>,
    context: &Context,
) -> Result<Answer> {
    let schema = schema_of(&columns);
    let rows = arrays.first().map_or(0, |a| a.len());
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(schema.clone(), arrays, &options)
        .map_err(functions::cast::arrow_error)?;
    let stream = futures::stream::iter([Ok(batch)]);
    let stream = Box::pin(RecordBatchStreamAdapter::new(schema, stream));
    Ok(Answer { columns, stream, is_text: false, stats: context.stats.clone(), origin: None })
}

/// The answer of a statement that wrote rows: how many.
pub(crate) fn count_answer(rows: u64, context: &Context) -> Result<Answer> {
    let columns = vec![OutputColumn { name: "rows".into(), sql_type: SqlType::BigInt }];
    let count = Int64Array::from(vec![i64::try_from(rows).unwrap_or(i64::MAX)]);
    batch_answer(columns, vec![Arc::new(count)], context)
}

/// Lines of text in one column.
pub(crate) fn text_answer(name: &str, lines: Vec<String>, context: &Context) -> Result<Answer> {
    let columns = vec![OutputColumn { name: name.into(), sql_type: SqlType::VARCHAR }];
    let lines: StringViewArray = lines.iter().map(|l| Some(l.as_str())).collect();
    let mut answer = batch_answer(columns, vec![Arc::new(lines)], context)?;
    answer.is_text = true;
    Ok(answer)
}

pub(crate) fn ddl_answer(result: DdlResult, context: &Context) -> Result<Answer> {
    let columns: Vec<OutputColumn> = result
        .columns
        .iter()
        .map(|(name, t)| OutputColumn { name: name.clone(), sql_type: t.clone() })
        .collect();
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(columns.len());
    for (i, column) in columns.iter().enumerate() {
        let texts: StringViewArray = result.rows.iter().map(|row| row.get(i).map(String::as_str)).collect();
        let texts: ArrayRef = Arc::new(texts);
        let typed = functions::cast::cast(
            &texts,
            &SqlType::VARCHAR,
            &column.sql_type,
            &context.session,
            functions::cast::OnError::Fail,
        )?;
        arrays.push(typed);
    }
    let mut answer = batch_answer(columns, arrays, context)?;
    answer.is_text = true;
    Ok(answer)
}

pub(crate) fn only_statement(request: &QueryRequest) -> Result<Located> {
    let mut all = sql::parse_located(&request.text, &request.source_name)?;
    match all.len() {
        1 => Ok(all.swap_remove(0)),
        0 => Err(Error::invalid("the statement is empty").hint("write a query: SELECT 1")),
        n => Err(Error::invalid(format!("{n} statements were given where one is run at a time"))),
    }
}

/// The expression of a parameter's text.
pub(crate) fn parameter(text: &str) -> Result<Ast> {
    let statement = sql::parse_one(&format!("SELECT {text}"), "<parameter>")?;
    if let Statement::Query(query) = statement
        && let sqlparser::ast::SetExpr::Select(select) = query.body.as_ref()
        && let [sqlparser::ast::SelectItem::UnnamedExpr(expr)] = select.projection.as_slice()
    {
        return Ok(expr.clone());
    }
    Err(Error::invalid(format!("`{text}` is not a value")))
}

/// A name for files of queries that are no runs.
fn uuid_like(now: &DateTime<Utc>) -> String {
    static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    format!("{}-{}-{count}", now.timestamp_micros(), std::process::id())
}
