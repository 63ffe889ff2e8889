//! A script becomes an application: every name looked up, every query analyzed, every option understood. All mistakes
//! are found in one pass.

use super::options::{self, Connector, RowFormat, Settings, TableOptions};
use super::tables::{DATABASE, ScriptTables, StreamSource, ViewSource, found, schema_of, window};
use crate::script::ast::{ColumnKind, InsertDef, Place, Statement, TableDef, ViewDef};
use crate::script::group::{self, GroupInput};
use crate::script::rewrite::{Rewritten, rewrite};
use crate::script::{functions as rewriting, parser};
use catalog::{Catalog, TableEntry};
use chrono::DateTime;
use datafusion::logical_expr::LogicalPlan;
use model::{Error, Result, nearest_hint};
use plan::{Analyzed, Analyzer, Found};
use sql::{Source, SqlType, at};
use sqlparser::ast::Query;
use std::sync::Arc;

/// A table of a script, understood.
#[derive(Debug, Clone)]
pub(crate) struct TableSpec {
    /// Its name as it is spelt.
    pub(crate) name: String,
    pub(crate) columns: Vec<ColumnSpec>,
    pub(crate) options: TableOptions,
    pub(crate) partitioned_by: Vec<usize>,
    /// From the raw columns to all of them, and last the watermark where there is one.
    pub(crate) computed: Option<LogicalPlan>,
    pub(crate) time: Option<usize>,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct ColumnSpec {
    /// As it is spelt.
    pub(crate) name: String,
    pub(crate) sql_type: SqlType,
    pub(crate) from: ColumnFrom,
}

/// Where a column's values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnFrom {
    Record,
    Metadata(Metadata),
    Expression,
}

/// What is known of a record besides its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metadata {
    /// When it arrived.
    Timestamp,
    /// Its shard.
    Shard,
    /// Its place there.
    SequenceNumber,
    /// Its partition key.
    PartitionKey,
}

/// An INSERT, analyzed: the columns are the target's.
#[derive(Debug, Clone)]
pub(crate) struct InsertSpec {
    pub(crate) plan: LogicalPlan,
    pub(crate) target: Target,
}

/// Where rows go.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) columns: Vec<(String, SqlType)>,
    pub(crate) partitioned_by: Vec<usize>,
    pub(crate) options: TableOptions,
    /// The catalog's entry, for tables that are the catalog's.
    pub(crate) entry: Option<Box<TableEntry>>,
}

/// A script, understood.
pub(crate) struct Resolved {
    pub(crate) source: Arc<Source>,
    pub(crate) settings: Settings,
    pub(crate) tables: Vec<TableSpec>,
    pub(crate) inserts: Vec<InsertSpec>,
    /// Where late events go.
    pub(crate) late: Option<Target>,
}

/// Looks a script through. With mistakes the application is not to be used.
pub(crate) async fn resolve(source: Source, catalog: &Catalog) -> (Resolved, Vec<Error>) {
    let (statements, mut errors) = parser::parse(&source);
    let resolved = Resolved {
        source: Arc::new(source),
        settings: Settings::default(),
        tables: Vec::new(),
        inserts: Vec::new(),
        late: None,
    };
    let mut resolver = Resolver { out: resolved, names: ScriptTables::default(), windows: 0, catalog };
    for statement in &statements {
        // A view that is wrong is told once: who uses it is told only that it is not there.
        if let Err(error) = resolver.statement(statement).await {
            errors.push(error);
        }
    }
    if let Some(name) = resolver.out.settings.late_table.clone() {
        match resolver.target(std::slice::from_ref(&name.value)).await {
            Ok(target) => resolver.out.late = Some(target),
            Err(error) => errors.push(error.at_if_unknown(|| resolver.place(&name.at))),
        }
    }
    if errors.is_empty() && resolver.out.inserts.is_empty() {
        let place = parser::place(&resolver.out.source, &(0..0));
        errors.push(
            Error::invalid("the script writes nowhere")
                .at(place)
                .hint("an application has at least one INSERT INTO"),
        );
    }
    (resolver.out, errors)
}

pub(super) struct Resolver<'a> {
    pub(super) out: Resolved,
    pub(super) names: ScriptTables,
    windows: usize,
    pub(super) catalog: &'a Catalog,
}

impl Resolver<'_> {
    fn place(&self, at: &Place) -> model::Place {
        parser::place(&self.out.source, at).into()
    }

    async fn statement(&mut self, statement: &Statement) -> Result<()> {
        match statement {
            Statement::Set { key, value } => {
                let set = self.out.settings.set(&key.value, value);
                set.map_err(|e| e.at_if_unknown(|| self.place(&(key.at.start..value.at.end))))
            }
            Statement::Table(table) => self.table(table),
            Statement::View(view) => self.view(view),
            Statement::Insert(insert) => self.insert(insert).await,
        }
    }

    fn declare(&mut self, name: &crate::script::ast::At<String>, found: Found) -> Result<()> {
        let lower = name.value.to_lowercase();
        if self.names.found.contains_key(&lower) {
            let error = Error::already_exists(format!("`{}` is declared twice", name.value));
            return Err(error.at(self.place(&name.at)));
        }
        self.names.found.insert(lower, found);
        Ok(())
    }

    fn table(&mut self, table: &TableDef) -> Result<()> {
        let number = self.out.tables.len();
        let source = Arc::clone(&self.out.source);
        let options = options::table(&source, table);
        let mut raw: Vec<(String, SqlType)> = Vec::new();
        let mut columns = Vec::with_capacity(table.columns.len());
        for column in &table.columns {
            let (sql_type, from) = match &column.kind {
                ColumnKind::Physical(t) => (t.clone(), ColumnFrom::Record),
                ColumnKind::Metadata { sql_type, key } => (
                    sql_type.clone(),
                    ColumnFrom::Metadata(
                        metadata(&key.value, sql_type)
                            .map_err(|e| e.at_if_unknown(|| self.place(&key.at)))?,
                    ),
                ),
                ColumnKind::Computed(_) => (SqlType::Unknown, ColumnFrom::Expression),
            };
            if from != ColumnFrom::Expression {
                raw.push((column.name.value.to_lowercase(), sql_type.clone()));
            }
            columns.push(ColumnSpec { name: column.name.value.clone(), sql_type, from });
        }
        let raw_source = StreamSource { table: number, schema: schema_of(&raw), time: None };
        let mut scope = ScriptTables::default();
        scope.found.insert("$raw".into(), found(&raw, Arc::new(raw_source)));
        // Computed columns see those of the record; the watermark sees all.
        let mut computed = Vec::new();
        for column in &table.columns {
            if let ColumnKind::Computed(expr) = &column.kind {
                computed.push((column.name.value.clone(), expr.clone()));
            }
        }
        for (name, expr) in &computed {
            let before = "SELECT *, ";
            let after = format!(" AS {} FROM \"$raw\"", sql::quote_ident(&name.to_lowercase()));
            let view = view_of(&self.expression(&scope, expr, before, &after)?)?;
            scope.found.insert("$raw".into(), view);
        }
        // In the order in which they are declared.
        let order: Vec<String> =
            table.columns.iter().map(|c| sql::quote_ident(&c.name.value.to_lowercase())).collect();
        let mut time = None;
        let analyzed;
        if let Some(watermark) = &table.watermark {
            let names = || table.columns.iter().map(|c| c.name.value.as_str());
            let found = names().position(|n| n.eq_ignore_ascii_case(&watermark.column.value));
            time = Some(found.ok_or_else(|| {
                Error::not_found(format!("column `{}` does not exist", watermark.column.value))
                    .at(self.place(&watermark.column.at))
                    .hint(nearest_hint(&watermark.column.value, names()))
            })?);
            let before = format!("SELECT {}, (", order.join(", "));
            analyzed =
                self.expression(&scope, &watermark.expr, &before, ") AS \"$watermark\" FROM \"$raw\"")?;
            let mark = analyzed.columns.last().map(|c| c.sql_type.clone());
            if !matches!(mark, Some(SqlType::Timestamp(_))) {
                return Err(Error::invalid("a watermark is a timestamp")
                    .at(self.place(&watermark.expr))
                    .hint(format!("as in {0} - INTERVAL '5' SECOND", watermark.column.value)));
            }
        } else {
            analyzed = self.over(&scope, &format!("SELECT {} FROM \"$raw\"", order.join(", ")))?;
        }
        for (column, out) in columns.iter_mut().zip(&analyzed.columns) {
            column.sql_type = out.sql_type.clone();
        }
        if let (Some(at), Some(watermark)) = (time, &table.watermark)
            && !matches!(columns[at].sql_type, SqlType::Timestamp(_))
        {
            let text =
                format!("`{}` is {}, event time is a timestamp", columns[at].name, columns[at].sql_type);
            return Err(Error::invalid(text)
                .at(self.place(&watermark.column.at))
                .hint("compute one: ts AS TO_TIMESTAMP_LTZ(epoch_millis, 3)"));
        }
        let mut partitioned_by = Vec::new();
        for key in &table.partitioned_by {
            let at = columns.iter().position(|c| c.name.eq_ignore_ascii_case(&key.value));
            partitioned_by.push(at.ok_or_else(|| {
                Error::not_found(format!("column `{}` does not exist", key.value))
                    .at(self.place(&key.at))
                    .hint(nearest_hint(&key.value, columns.iter().map(|c| c.name.as_str())))
            })?);
        }
        let lower: Vec<(String, SqlType)> =
            columns.iter().map(|c| (c.name.to_lowercase(), c.sql_type.clone())).collect();
        let stream = StreamSource { table: number, schema: schema_of(&lower), time };
        self.declare(&table.name, found(&lower, Arc::new(stream)))?;
        let options = options?;
        self.check_format(table, &columns, &options)?;
        self.out.tables.push(TableSpec {
            name: table.name.value.clone(),
            columns,
            options,
            partitioned_by,
            computed: Some(analyzed.plan),
            time,
        });
        Ok(())
    }

    fn check_format(&self, table: &TableDef, columns: &[ColumnSpec], options: &TableOptions) -> Result<()> {
        let fail = |text: String, hint: &str| {
            Err(Error::invalid(text).at(self.place(&table.name.at)).hint(hint.to_owned()))
        };
        let name = &table.name.value;
        match (&options.connector, &options.format) {
            (Connector::Kinesis { .. } | Connector::Files { .. }, None) => fail(
                format!("the table `{name}` does not say its 'format'"),
                "add 'format' = 'json' to its WITH",
            ),
            (Connector::Kinesis { .. }, Some(RowFormat::Parquet)) => fail(
                format!("records of a stream are not Parquet, as `{name}` says"),
                "formats are json, csv and raw",
            ),
            (_, Some(RowFormat::Raw))
                if columns.iter().filter(|c| c.from == ColumnFrom::Record).count() != 1
                    || !columns.iter().any(|c| {
                        c.from == ColumnFrom::Record
                            && matches!(c.sql_type, SqlType::Varchar(_) | SqlType::Varbinary)
                    }) =>
            {
                fail(
                    format!("the format raw has one column of text or bytes, `{name}` has others"),
                    "as in line STRING",
                )
            }
            _ => Ok(()),
        }
    }

    fn view(&mut self, view: &ViewDef) -> Result<()> {
        let mut analyzed = self.query(&view.query)?;
        if !view.columns.is_empty() {
            if view.columns.len() != analyzed.columns.len() {
                let text = format!(
                    "{} columns are named, but the query has {}",
                    view.columns.len(),
                    analyzed.columns.len()
                );
                return Err(Error::invalid(text).at(self.place(&view.name.at)));
            }
            for (column, name) in analyzed.columns.iter_mut().zip(&view.columns) {
                column.name = name.value.to_lowercase();
            }
        }
        let found = view_of(&analyzed)?;
        self.declare(&view.name, found)
    }

    async fn insert(&mut self, insert: &InsertDef) -> Result<()> {
        let target = self.target(&insert.table.value).await;
        let target = target.map_err(|e| e.at_if_unknown(|| self.place(&insert.table.at)));
        let analyzed = self.query(&insert.query)?;
        let target = target?;
        let lower: Vec<(String, SqlType)> =
            target.columns.iter().map(|(n, t)| (n.to_lowercase(), t.clone())).collect();
        let mut order: Vec<Option<usize>> = vec![None; lower.len()];
        if insert.columns.is_empty() {
            if analyzed.columns.len() != lower.len() {
                let text = format!(
                    "the query has {} columns, the table `{}` has {}",
                    analyzed.columns.len(),
                    target.name,
                    lower.len()
                );
                let names: Vec<&str> = target.columns.iter().map(|(n, _)| n.as_str()).collect();
                return Err(Error::invalid(text)
                    .at(self.place(&insert.query))
                    .hint(format!("its columns are {}", names.join(", "))));
            }
            order = (0..lower.len()).map(Some).collect();
        } else {
            if insert.columns.len() != analyzed.columns.len() {
                let text = format!(
                    "{} columns are named, but the query has {}",
                    insert.columns.len(),
                    analyzed.columns.len()
                );
                return Err(Error::invalid(text).at(self.place(&insert.table.at)));
            }
            for (i, column) in insert.columns.iter().enumerate() {
                let name = column.value.to_lowercase();
                let Some(slot) = lower.iter().position(|(n, _)| *n == name) else {
                    return Err(Error::not_found(format!(
                        "column `{}` does not exist in `{}`",
                        column.value, target.name
                    ))
                    .at(self.place(&column.at))
                    .hint(nearest_hint(&name, lower.iter().map(|(n, _)| n.as_str()))));
                };
                order[slot] = Some(i);
            }
        }
        let none = ScriptTables::default();
        let analyzer = Analyzer::new(&none, session(), Arc::clone(&self.out.source), &[]);
        let fitted = analyzer
            .fitted(analyzed, &order, &lower)
            .map_err(|e| e.without_place().at(self.place(&insert.query)))?;
        super::compile::check(&fitted.plan).map_err(|e| e.at_if_unknown(|| self.place(&insert.query)))?;
        self.out.inserts.push(InsertSpec { plan: fitted.plan, target });
        Ok(())
    }

    /// Analyzes a query of the script.
    fn query(&mut self, part: &Place) -> Result<Analyzed> {
        let script = Arc::clone(&self.out.source);
        let new = rewrite(&script, part, "", "", self.windows)?;
        self.windows += new.windows.len();
        for call in &new.windows {
            let input = self.all_of(&call.table);
            let found = input.and_then(|input| window(input, &call.time, call.kind));
            let found = found.map_err(|e| e.without_place().at(self.place(&call.at)))?;
            self.names.found.insert(call.name.clone(), found);
        }
        self.analyzed(&new).map_err(|e| new.error(&script, part, e))
    }

    fn analyzed(&mut self, new: &Rewritten) -> Result<Analyzed> {
        let sql::Statement::Query(mut query) = sql::parse_one(&new.source.text, &new.source.name)? else {
            return Err(Error::invalid("expected a query").hint("write SELECT …"));
        };
        self.rewritten(&mut query, new)
    }

    /// Functions and group windows replaced, then analyzed.
    fn rewritten(&mut self, query: &mut Query, new: &Rewritten) -> Result<Analyzed> {
        let source = Arc::new(new.source.clone());
        rewriting::rewrite(query).map_err(|(e, span)| e.at(at(&source, span)))?;
        let windows = group::extract(query, self.windows).map_err(|(e, span)| e.at(at(&source, span)))?;
        self.windows += windows.len();
        for group in windows {
            let input = match &group.input {
                GroupInput::Table(name) => {
                    let Some(sqlparser::ast::ObjectNamePart::Identifier(ident)) = name.0.last() else {
                        return Err(Error::invalid("a window takes the rows of a table"));
                    };
                    self.all_of(&ident.value).map_err(|e| e.at(at(&source, ident.span)))
                }
                GroupInput::Query(query) => {
                    Analyzer::new(&self.names, session(), Arc::clone(&source), &[]).query(query)
                }
            };
            let found = input
                .and_then(|input| window(input, &group.time, group.kind))
                .map_err(|e| e.at_if_unknown(|| at(&source, group.span).into()))?;
            self.names.found.insert(group.name.clone(), found);
        }
        Analyzer::new(&self.names, session(), source, &[]).query(query)
    }

    /// All rows of a table or view.
    fn all_of(&self, table: &str) -> Result<Analyzed> {
        let text = format!("SELECT * FROM {}", sql::quote_ident(&table.to_lowercase()));
        self.over(&self.names, &text).map_err(Error::without_place)
    }

    fn over(&self, names: &ScriptTables, text: &str) -> Result<Analyzed> {
        let sql::Statement::Query(query) = sql::parse_one(text, "<script>")? else {
            return Err(Error::internal("a query that is none"));
        };
        let source = Arc::new(Source::new("<script>", text));
        Analyzer::new(names, session(), source, &[]).query(&query).map_err(Error::without_place)
    }

    /// An expression of the script between two texts of ours.
    fn expression(&self, names: &ScriptTables, part: &Place, before: &str, after: &str) -> Result<Analyzed> {
        let script = &self.out.source;
        let new = rewrite(script, part, before, after, usize::MAX / 2)?;
        let analyze = || -> Result<Analyzed> {
            let sql::Statement::Query(mut query) = sql::parse_one(&new.source.text, &new.source.name)? else {
                return Err(Error::invalid("expected an expression"));
            };
            let source = Arc::new(new.source.clone());
            rewriting::rewrite(&mut query).map_err(|(e, span)| e.at(at(&source, span)))?;
            Analyzer::new(names, session(), source, &[]).query(&query)
        };
        analyze().map_err(|e| new.error(script, part, e))
    }
}

/// An analyzed query under a name: its plan is put in its place whole.
fn view_of(analyzed: &Analyzed) -> Result<Found> {
    let columns: Vec<(String, SqlType)> =
        analyzed.columns.iter().map(|c| (c.name.clone(), c.sql_type.clone())).collect();
    let mut seen = std::collections::BTreeSet::new();
    if let Some((twice, _)) = columns.iter().find(|(name, _)| !seen.insert(name.as_str())) {
        return Err(Error::invalid(format!("there are several columns `{twice}`"))
            .hint("give one of them another name: … AS name"));
    }
    let source = ViewSource { plan: analyzed.plan.clone(), schema: schema_of(&columns) };
    Ok(found(&columns, Arc::new(source)))
}

/// What a query is analyzed in: nothing in a script may look at the clock.
pub(crate) fn session() -> Arc<::functions::Session> {
    let mut session = ::functions::Session::new(DateTime::UNIX_EPOCH);
    session.schema = DATABASE.to_owned();
    Arc::new(session)
}

fn metadata(key: &str, sql_type: &SqlType) -> Result<Metadata> {
    let (metadata, wanted) = match key {
        "timestamp" | "arrival-timestamp" => (Metadata::Timestamp, SqlType::Timestamp(3)),
        "shard-id" => (Metadata::Shard, SqlType::VARCHAR),
        "sequence-number" => (Metadata::SequenceNumber, SqlType::VARCHAR),
        "partition-key" => (Metadata::PartitionKey, SqlType::VARCHAR),
        other => {
            let known = ["timestamp", "shard-id", "sequence-number", "partition-key"];
            return Err(Error::not_found(format!("records have no metadata '{other}'"))
                .hint(nearest_hint(other, known)));
        }
    };
    if *sql_type != wanted {
        let spelt = if wanted == SqlType::VARCHAR { "STRING" } else { "TIMESTAMP_LTZ(3)" };
        return Err(Error::invalid(format!("the metadata '{key}' is not {sql_type}"))
            .hint(format!("declare it as {spelt}")));
    }
    Ok(metadata)
}
