//! One statement, from its text to a stream of rows.

use crate::answer::{Answer, answer_of, ddl_answer};
use crate::ddl::{self, DdlContext};
use crate::engine::Engine;
use crate::joins::{BY_SORTING, JoinChoice, Joins, Ready};
use crate::origin::{Basis, Origin};
use crate::prepared::PRIMARY_WORKGROUP;
use crate::stats::{QueryStats, Stopwatch};
use crate::sums;
use crate::tables::OpenTables;
use catalog::Database;
use chrono::{DateTime, Utc};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use functions::Session;
use functions::scalar::datetime::Zone;
use model::{EntityName, Error, Result};
use plan::{Analyzed, Analyzer, TableName};
use scan::ScanCounters;
use sql::ast::CreateView;
use sql::{Located, Source, SqlType, Statement};
use sqlparser::ast::{Expr as Ast, Query};
use state::runs::RunContext;
use std::sync::Arc;
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
    /// Whether the answer tells what it is made of, and the sums that it is made of are kept: for what is asked again.
    pub with_origin: bool,
    /// The zone of a PostgreSQL client's session, in which all instants stand then; PostgreSQL's functions are at hand. None
    /// is Athena's language, in UTC.
    pub postgres: Option<Zone>,
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
            postgres: None,
        }
    }

    /// The same in another database.
    pub fn in_database(mut self, database: impl Into<String>) -> Self {
        self.database = database.into();
        self
    }

    /// What its functions may know of it.
    pub(crate) fn session(&self, now: DateTime<Utc>, database: &EntityName) -> Session {
        let mut session = Session::new(now);
        session.schema = database.to_string();
        if let Some(zone) = self.postgres {
            (session.zone, session.postgres) = (zone, true);
        }
        session
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
    pub(crate) joins: JoinChoice,
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
            joins: JoinChoice::default(),
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
            joins: JoinChoice::default(),
        }
    }

    pub(crate) fn counters(&self) -> &Arc<ScanCounters> {
        &self.stats.counters
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
        let session = request.session(self.inner.clock.now(), &database);
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
            joins: JoinChoice::default(),
        };
        self.statement(&located.statement, &context).await
    }

    /// Runs a statement. Statements inside of others (EXPLAIN, EXECUTE) come through here too.
    pub(crate) async fn statement(&self, statement: &Statement, context: &Context) -> Result<Answer> {
        if !statement.only_reads() || matches!(statement, Statement::Show(_)) {
            self.need_default(context).await?;
        }
        match Box::pin(self.attempt(statement, context)).await {
            // Nothing of it has happened: what it had written is dropped.
            Err(_) if context.joins.give_way(context.stats.pool().as_deref()) => {
                if let Some(run) = &context.run {
                    run.info(BY_SORTING.to_owned()).await;
                }
                Box::pin(self.attempt(statement, context)).await
            }
            ended => ended,
        }
    }

    async fn attempt(&self, statement: &Statement, context: &Context) -> Result<Answer> {
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
        self.planned(&analyzed.plan, context.joins.now(), &context.stats).await
    }

    pub(crate) async fn planned(
        &self,
        logical: &LogicalPlan,
        joins: Joins,
        stats: &QueryStats,
    ) -> Result<(Arc<dyn ExecutionPlan>, Arc<TaskContext>)> {
        let (mut state, pool) = self.session_state(joins)?;
        if stats.counters.files_state().is_some() {
            // Sums of files that are kept must not leave out what those of others make superfluous.
            state.config_mut().options_mut().optimizer.enable_aggregate_dynamic_filter_pushdown = false;
        }
        stats.account_to(pool);
        let mut watch = Stopwatch::start();
        let optimized = crate::optimizer::optimize(&state, logical)?;
        stats.phase(|p| p.optimize += watch.lap());
        let physical =
            state.query_planner().create_physical_plan(&optimized, &state).await.map_err(scan::error)?;
        stats.phase(|p| p.plan += watch.lap());
        Ok((physical, state.task_ctx()))
    }

    async fn select(&self, query: &Query, context: &Context) -> Result<Answer> {
        let (analyzed, tables) = self.open_and_analyze(query, context).await?;
        let basis = Basis::of(context, &analyzed, &tables);
        let (mut physical, task) = self.physical(&analyzed, context).await?;
        if let Some(basis) = &basis {
            physical = sums::remember(physical, basis, &self.inner.sums).map_err(scan::error)?;
        }
        let origin = basis.and_then(|basis| Origin::of(context, basis));
        Ok(Answer { origin, ..self.answer_with(analyzed, physical, task, context) })
    }

    /// The rows of an analyzed query.
    pub(crate) async fn rows_of(&self, analyzed: Analyzed, context: &Context) -> Result<Answer> {
        let (physical, task) = self.physical(&analyzed, context).await?;
        Ok(self.answer_with(analyzed, physical, task, context))
    }

    /// The answer of a plan, which begins to work when somebody wants its first rows.
    fn answer_with(
        &self,
        analyzed: Analyzed,
        plan: Arc<dyn ExecutionPlan>,
        task: Arc<TaskContext>,
        context: &Context,
    ) -> Answer {
        let ready = Ready {
            engine: self.clone(),
            logical: analyzed.plan,
            stats: context.stats.clone(),
            joins: context.joins.now(),
        };
        answer_of(ready.rows(plan, task), analyzed.columns, context)
    }
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
