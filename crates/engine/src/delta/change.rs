//! INSERT, DELETE, UPDATE and MERGE of Delta tables.

use super::{Attempt, is_delta, unchangeable, was_overtaken};
use crate::answer::{Answer, count_answer};
use crate::engine::Engine;
use crate::query::Context;
use crate::tables::{OpenTables, cte_names};
use crate::write::fitted;
use catalog::TableEntry;
use datafusion::datasource::provider_as_source;
use model::{Error, Result};
use plan::{Analyzed, Analyzer, ChangedColumn, ChangedTable, TableName, table_names};
use scan::delta::{Change, Operation};
use sql::QualifiedName;
use sql::ast::{Delete, Insert, Merge, MergeAction, Update};
use sqlparser::ast::Visit;
use std::collections::HashSet;

/// What makes a statement's query.
type Query<'a> = dyn Fn(&Analyzer<'_>, &ChangedTable<'_>) -> Result<Analyzed> + Sync + 'a;

/// The tables that a statement's parts mention.
#[derive(Default)]
struct Mentioned {
    names: Vec<TableName>,
    ctes: HashSet<String>,
}

impl Mentioned {
    fn add(&mut self, part: &impl Visit, context: &Context) {
        self.names.extend(table_names(part, context.database.as_str()));
        self.ctes.extend(cte_names(part));
    }
}

impl Engine {
    pub(crate) async fn insert_into_delta(
        &self,
        insert: &Insert,
        entry: &TableEntry,
        target: &TableName,
        context: &Context,
    ) -> Result<Answer> {
        let mut mentioned = Mentioned::default();
        mentioned.add(insert.source.as_ref(), context);
        let mut number = 1;
        loop {
            match self.insert_once(insert, entry, target, &mentioned, number, context).await {
                Err(error) if was_overtaken(&error, number) => number += 1,
                ended => return count_answer(ended?, context),
            }
        }
    }

    async fn insert_once(
        &self,
        insert: &Insert,
        entry: &TableEntry,
        target: &TableName,
        mentioned: &Mentioned,
        number: usize,
        context: &Context,
    ) -> Result<u64> {
        let change = Change::open(&self.inner.scans, entry, false).await?;
        let tables = self.open_named(mentioned.names.clone(), &mentioned.ctes, context.counters()).await?;
        // Rows computed from the table itself are only right as long as it is the same.
        let operation = match tables.entry(target) {
            Some(_) => Operation::AppendOwn,
            None => Operation::Append,
        };
        let columns: Vec<_> = change.columns().iter().map(|c| (c.name.clone(), c.shown.clone())).collect();
        let analyzed = {
            let analyzer = self.analyzer(&tables, context);
            fitted(&analyzer, analyzer.query(&insert.source)?, insert, &columns, context)?
        };
        let streams = self.streams(&analyzed, context).await?;
        let attempt = Attempt::new(self, number, context);
        let written = change.append(streams, &attempt.writing()).await;
        let (staged, commit) = attempt.ended(written).await?;
        let rows = staged.rows_written();
        self.commit_delta(staged, commit, operation, context).await?;
        Ok(rows)
    }

    pub(crate) async fn delete(&self, delete: &Delete, context: &Context) -> Result<Answer> {
        let mut mentioned = Mentioned::default();
        if let Some(selection) = &delete.selection {
            mentioned.add(selection, context);
        }
        let query = |analyzer: &Analyzer<'_>, table: &ChangedTable<'_>| analyzer.delete(table, delete);
        self.change(&delete.table, Operation::Delete, mentioned, &query, context).await
    }

    pub(crate) async fn update(&self, update: &Update, context: &Context) -> Result<Answer> {
        let mut mentioned = Mentioned::default();
        let values = update.assignments.iter().map(|assignment| &assignment.value);
        for part in values.chain(&update.selection) {
            mentioned.add(part, context);
        }
        let query = |analyzer: &Analyzer<'_>, table: &ChangedTable<'_>| analyzer.update(table, update);
        self.change(&update.table, Operation::Update, mentioned, &query, context).await
    }

    pub(crate) async fn merge(&self, merge: &Merge, context: &Context) -> Result<Answer> {
        let mut mentioned = Mentioned::default();
        mentioned.add(&merge.source, context);
        mentioned.add(&merge.on, context);
        for clause in &merge.clauses {
            if let Some(condition) = &clause.condition {
                mentioned.add(condition, context);
            }
            match &clause.action {
                MergeAction::Delete => {}
                MergeAction::Update(all) => all.iter().for_each(|set| mentioned.add(&set.value, context)),
                MergeAction::Insert { values, .. } => values.iter().for_each(|v| mentioned.add(v, context)),
            }
        }
        let query = |analyzer: &Analyzer<'_>, table: &ChangedTable<'_>| analyzer.merge(table, merge);
        self.change(&merge.target, Operation::Merge, mentioned, &query, context).await
    }

    /// Changes rows as the query says.
    async fn change(
        &self,
        name: &QualifiedName,
        operation: Operation,
        mentioned: Mentioned,
        query: &Query<'_>,
        context: &Context,
    ) -> Result<Answer> {
        let (database, table) = self.table_name(name, context)?;
        let target = TableName { database: database.to_string(), table: table.to_string() };
        let entry = self.changeable(name, &target, operation, context).await?;
        let mut number = 1;
        loop {
            let ended =
                self.change_once(&target, &entry, operation, &mentioned, query, number, context).await;
            match ended {
                Err(error) if was_overtaken(&error, number) => number += 1,
                ended => return count_answer(ended?, context),
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "they are the statement's parts, passed on once")]
    async fn change_once(
        &self,
        target: &TableName,
        entry: &TableEntry,
        operation: Operation,
        mentioned: &Mentioned,
        query: &Query<'_>,
        number: usize,
        context: &Context,
    ) -> Result<u64> {
        // The target first: what the source reads is then never older.
        let change = Change::open(&self.inner.scans, entry, true).await?;
        let tables = self.open_named(mentioned.names.clone(), &mentioned.ctes, context.counters()).await?;
        let columns = change.columns().iter().map(|column| ChangedColumn {
            name: column.name.clone(),
            shown: column.shown.clone(),
            stored: column.stored.clone(),
        });
        let columns: Vec<ChangedColumn> = columns.collect();
        let analyzed = {
            let source = provider_as_source(change.provider(context.counters().clone()));
            let changed = ChangedTable { name: target, columns: &columns, source };
            query(&self.analyzer(&tables, context), &changed)?
        };
        let decisions = self.streams(&analyzed, context).await?;
        let (session, _pool) = self.session_state(context.joins.now())?;
        let attempt = Attempt::new(self, number, context);
        let written = change.rewrite(decisions, &session, &attempt.writing()).await;
        let ((staged, changes), commit) = attempt.ended(written).await?;
        self.commit_delta(staged, commit, operation, context).await?;
        Ok(changes.rows())
    }

    /// The target of a change: a Delta table of the catalog.
    async fn changeable(
        &self,
        name: &QualifiedName,
        target: &TableName,
        operation: Operation,
        context: &Context,
    ) -> Result<TableEntry> {
        let tables = self.open_named(vec![target.clone()], &HashSet::new(), context.counters()).await?;
        let place = || sql::at(&context.source, name.span()).into();
        plan::Tables::find(&tables, target).map_err(|e| e.at_if_unknown(place))?;
        let verb = match operation {
            Operation::Update => "UPDATE",
            Operation::Merge => "MERGE",
            _ => "DELETE",
        };
        match tables.entry(target) {
            Some(entry) if is_delta(entry) => Ok(entry.clone()),
            Some(entry) if entry.table.is_view() => {
                Err(Error::invalid(format!("`{target}` is a view: its rows cannot be changed"))
                    .at_if_unknown(place))
            }
            _ => Err(unchangeable(target, verb).at_if_unknown(place)),
        }
    }

    fn analyzer<'a>(&self, tables: &'a OpenTables, context: &'a Context) -> Analyzer<'a> {
        Analyzer::new(tables, context.session.clone(), context.source.clone(), &context.parameters)
    }
}
