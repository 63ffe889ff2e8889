//! What a statement wants and answers, before it runs: for doors whose clients ask that first.

use crate::engine::Engine;
use crate::query::{Context, QueryRequest, only_statement, parameter};
use model::{EntityName, Result};
use plan::{Analyzer, OutputColumn};
use sql::{Source, SqlType, Statement};
use sqlparser::ast::Query;
use std::collections::BTreeMap;

/// What a statement wants and answers.
#[derive(Debug, Clone, Default)]
pub struct Description {
    /// The types of its parameters, by their numbers from 1; those of which nothing says the type are left out.
    pub parameters: BTreeMap<usize, SqlType>,
    /// The columns of a query. None for statements whose columns are only known when they run.
    pub columns: Option<Vec<OutputColumn>>,
}

impl Engine {
    /// Settles what a statement means without running it. A parameter of its request that is `NULL`, or left out, is one
    /// whose type is to be found.
    pub async fn describe(&self, request: QueryRequest) -> Result<Description> {
        let located = only_statement(&request)?;
        let database = EntityName::new(&request.database)?;
        let session = request.session(self.inner.clock.now(), &database);
        let mut context = Context::of_look(session, Source::new(request.source_name, request.text), database);
        context.parameters = request.parameters.iter().map(|text| parameter(text)).collect::<Result<_>>()?;
        match &located.statement {
            Statement::Query(query) => self.describe_query(query, &context).await,
            Statement::Insert(insert) => {
                let described = self.describe_query(&insert.source, &context).await?;
                Ok(Description { columns: None, ..described })
            }
            Statement::CreateTableAs(create) => {
                let described = self.describe_query(&create.query, &context).await?;
                Ok(Description { columns: None, ..described })
            }
            _ => Ok(Description::default()),
        }
    }

    async fn describe_query(&self, query: &Query, context: &Context) -> Result<Description> {
        let tables = self.open_tables(query, context.database.as_str(), context.counters()).await?;
        let analyzer =
            Analyzer::new(&tables, context.session.clone(), context.source.clone(), &context.parameters)
                .for_parameters();
        let analyzed = analyzer.query(query)?;
        Ok(Description { parameters: analyzer.parameter_types(), columns: Some(analyzed.columns) })
    }
}
