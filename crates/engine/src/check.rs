//! Checking statements without running them: what `glulam check` and an editor show.

use crate::engine::Engine;
use crate::query::QueryRequest;
use datafusion::datasource::{empty::EmptyTable, provider_as_source};
use functions::Session;
use model::{Diagnosis, EntityName, Error, Result};
use plan::{Analyzer, Found, OutputColumn, TableColumn, TableName};
use scan::ScanCounters;
use sql::{QualifiedName, Source, SqlType, Statement};
use sqlparser::ast::{Expr as Ast, Query, Value, ValueWithSpan};
use sqlparser::tokenizer::Span;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// A mistake that was found.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Finding {
    /// What is wrong, where, and what to do.
    pub diagnosis: Diagnosis,
}

/// Tables that statements checked so far would have made or dropped.
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    made: BTreeMap<TableName, Vec<(String, SqlType)>>,
    databases: HashSet<String>,
    prepared: HashSet<String>,
}

impl Engine {
    /// Checks all statements of a text, each as if those before it had been run.
    pub async fn check(&self, request: &QueryRequest, overlay: &mut Overlay) -> Vec<Finding> {
        let statements = match sql::parse_located(&request.text, &request.source_name) {
            Ok(statements) => statements,
            Err(error) => return vec![Finding { diagnosis: error.diagnosis() }],
        };
        let source = Arc::new(Source::new(request.source_name.clone(), request.text.clone()));
        let mut findings = Vec::new();
        for located in statements {
            let checked = self.check_one(&located.statement, &source, &request.database, overlay).await;
            if let Err(error) = checked {
                let error = error.at_if_unknown(|| sql::at(&source, located.span).into());
                findings.push(Finding { diagnosis: error.diagnosis() });
            }
        }
        findings
    }

    async fn check_one(
        &self,
        statement: &Statement,
        source: &Arc<Source>,
        database: &str,
        overlay: &mut Overlay,
    ) -> Result<()> {
        match statement {
            Statement::Query(query) => self.check_query(query, source, database, overlay).await.map(|_| ()),
            Statement::Explain { statement, .. } => {
                Box::pin(self.check_one(statement, source, database, overlay)).await
            }
            Statement::Prepare { name, statement, .. } => {
                Box::pin(self.check_one(statement, source, database, overlay)).await?;
                overlay.prepared.insert(name.value.to_lowercase());
                Ok(())
            }
            Statement::CreateTableAs(create) => {
                let columns = self.check_query(&create.query, source, database, overlay).await?;
                let columns = columns.into_iter().map(|c| (c.name, c.sql_type)).collect();
                overlay.made.insert(qualified(&create.name, database), columns);
                Ok(())
            }
            Statement::CreateView(view) => {
                let columns = self.check_query(&view.query, source, database, overlay).await?;
                let columns = columns.into_iter().map(|c| (c.name, c.sql_type)).collect();
                overlay.made.insert(qualified(&view.name, database), columns);
                Ok(())
            }
            Statement::CreateTable(create) => {
                let columns = create
                    .columns
                    .iter()
                    .chain(&create.partitioned_by)
                    .map(|c| (c.name.value.to_lowercase(), SqlType::from_hive(&c.hive_type.value)))
                    .collect();
                overlay.made.insert(qualified(&create.name, database), columns);
                Ok(())
            }
            Statement::CreateDatabase(create) => {
                overlay.databases.insert(create.name.name.value.to_lowercase());
                Ok(())
            }
            Statement::Insert(insert) => {
                self.check_query(&insert.source, source, database, overlay).await?;
                self.check_table(&insert.table, source, database, overlay).await
            }
            Statement::Unload(unload) => {
                self.check_query(&unload.query, source, database, overlay).await.map(|_| ())
            }
            Statement::Delete(delete) => self.check_table(&delete.table, source, database, overlay).await,
            Statement::Update(update) => self.check_table(&update.table, source, database, overlay).await,
            Statement::Merge(merge) => self.check_table(&merge.target, source, database, overlay).await,
            _ => Ok(()),
        }
    }

    async fn check_query(
        &self,
        query: &Query,
        source: &Arc<Source>,
        database: &str,
        overlay: &Overlay,
    ) -> Result<Vec<OutputColumn>> {
        let counters = Arc::new(ScanCounters::default());
        let mut tables = self.open_tables(query, database, &counters).await?;
        overlay.apply(&mut tables);
        let mut session = Session::new(self.inner.clock.now());
        session.schema = EntityName::new(database)?.to_string();
        // Values for `?` come later; NULL fits everywhere.
        let null = Ast::Value(ValueWithSpan { value: Value::Null, span: Span::empty() });
        let parameters = vec![null; 1000];
        let analyzer = Analyzer::new(&tables, Arc::new(session), source.clone(), &parameters);
        Ok(analyzer.query(query)?.columns)
    }

    async fn check_table(
        &self,
        name: &QualifiedName,
        source: &Arc<Source>,
        database: &str,
        overlay: &Overlay,
    ) -> Result<()> {
        let target = qualified(name, database);
        if overlay.made.contains_key(&target) {
            return Ok(());
        }
        let counters = Arc::new(ScanCounters::default());
        let tables = self.open_named(vec![target.clone()], &HashSet::new(), &counters).await?;
        plan::Tables::find(&tables, &target)
            .map(|_| ())
            .map_err(|e: Error| e.at_if_unknown(|| sql::at(source, name.span()).into()))
    }
}

impl Overlay {
    fn apply(&self, tables: &mut crate::tables::OpenTables) {
        for (name, columns) in &self.made {
            let fields: Vec<_> =
                columns.iter().map(|(n, t)| arrow::datatypes::Field::new(n, t.to_arrow(), true)).collect();
            let table = EmptyTable::new(Arc::new(arrow::datatypes::Schema::new(fields)));
            let columns = columns
                .iter()
                .map(|(n, t)| TableColumn { name: n.clone(), sql_type: t.clone(), hidden: false })
                .collect();
            tables.put(name.clone(), Found::Table { columns, source: provider_as_source(Arc::new(table)) });
        }
    }
}

fn qualified(name: &QualifiedName, database: &str) -> TableName {
    let database = name.database.as_ref().map_or(database, |d| d.value.as_str()).to_lowercase();
    TableName { database, table: name.name.value.to_lowercase() }
}
