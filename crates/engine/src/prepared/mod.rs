//! PREPARE, EXECUTE, DEALLOCATE: statements kept by name, with `?` for values.

mod store;

pub(crate) use store::migrate;
pub use store::{PRIMARY_WORKGROUP, PreparedStatement};

use crate::answer::{Answer, batch_answer, text_answer};
use crate::engine::Engine;
use crate::joins::JoinChoice;
use crate::query::Context;
use arrow::array::{ArrayRef, Int64Array, StringViewArray};
use model::{Error, Result};
use plan::OutputColumn;
use sql::ast::MergeAction;
use sql::{Source, SqlType, Statement};
use sqlparser::ast::{Expr as Ast, Ident, Value, Visit, Visitor};
use std::ops::ControlFlow;
use std::sync::Arc;

impl Engine {
    pub(crate) async fn prepared(&self, statement: &Statement, context: &Context) -> Result<Answer> {
        match statement {
            Statement::Prepare { name, text, statement } => {
                if matches!(**statement, Statement::Prepare { .. } | Statement::Execute { .. }) {
                    return Err(Error::invalid("a prepared statement cannot prepare or execute another")
                        .at(sql::at(&context.source, name.span)));
                }
                self.keep_prepared(&context.workgroup, &name.value, text).await?;
                text_answer("result", Vec::new(), context)
            }
            Statement::Deallocate { name } => {
                let place = || sql::at(&context.source, name.span).into();
                let deleted = self.delete_prepared(&context.workgroup, &name.value).await;
                deleted.map_err(|e| e.at_if_unknown(place))?;
                text_answer("result", Vec::new(), context)
            }
            Statement::Execute { name, arguments } => {
                let text = self.kept(name, context).await?;
                let source_name = format!("prepared statement {}", name.value);
                let inner = sql::parse_one(&text, &source_name)?;
                let wanted = placeholders(&inner);
                if wanted != arguments.len() {
                    return Err(Error::invalid(format!(
                        "prepared statement `{}` takes {wanted} values, but {} are given",
                        name.value,
                        arguments.len()
                    ))
                    .at(sql::at(&context.source, name.span)));
                }
                let inner_context = self.inside(context, source_name, text, arguments.clone());
                Box::pin(self.statement(&inner, &inner_context)).await
            }
            Statement::DescribeInput { name } => {
                let text = self.kept(name, context).await?;
                let inner = sql::parse_one(&text, &format!("prepared statement {}", name.value))?;
                let count = i64::try_from(placeholders(&inner)).unwrap_or(0);
                let positions: ArrayRef = Arc::new(Int64Array::from_iter_values(0..count));
                let types: StringViewArray = (0..count).map(|_| Some("unknown")).collect();
                let columns = vec![column("Position", SqlType::BigInt), column("Type", SqlType::VARCHAR)];
                batch_answer(columns, vec![positions, Arc::new(types)], context)
            }
            Statement::DescribeOutput { name } => self.describe_output(name, context).await,
            _ => Err(Error::internal("this is no prepared statement")),
        }
    }

    /// The text of the statement of that name.
    async fn kept(&self, name: &Ident, context: &Context) -> Result<String> {
        let found = self.get_prepared(&context.workgroup, &name.value).await;
        let place = || sql::at(&context.source, name.span).into();
        Ok(found.map_err(|e| e.at_if_unknown(place))?.query)
    }

    async fn describe_output(&self, name: &Ident, context: &Context) -> Result<Answer> {
        let text = self.kept(name, context).await?;
        let source_name = format!("prepared statement {}", name.value);
        let inner = sql::parse_one(&text, &source_name)?;
        let Statement::Query(query) = &inner else {
            return Err(Error::unsupported("only prepared queries have columns to describe"));
        };
        let nulls = vec![null(); placeholders(&inner)];
        let inner_context = self.inside(context, source_name, text, nulls);
        let analyzed = self.analyze(query, &inner_context).await?;
        let names: StringViewArray = analyzed.columns.iter().map(|c| Some(c.name.as_str())).collect();
        let types: StringViewArray = analyzed.columns.iter().map(|c| Some(c.sql_type.to_string())).collect();
        let columns = vec![column("Column Name", SqlType::VARCHAR), column("Type", SqlType::VARCHAR)];
        batch_answer(columns, vec![Arc::new(names), Arc::new(types)], context)
    }

    fn inside(&self, context: &Context, name: String, text: String, parameters: Vec<Ast>) -> Context {
        Context {
            session: context.session.clone(),
            source: Arc::new(Source::new(name, text)),
            database: context.database.clone(),
            stats: context.stats.clone(),
            workgroup: context.workgroup.clone(),
            parameters,
            cancel: context.cancel.clone(),
            id: context.id.clone(),
            run: context.run.clone(),
            joins: JoinChoice::default(),
        }
    }
}

fn column(name: &str, sql_type: SqlType) -> OutputColumn {
    OutputColumn { name: name.into(), sql_type }
}

fn null() -> Ast {
    Ast::Value(sqlparser::ast::ValueWithSpan {
        value: Value::Null,
        span: sqlparser::tokenizer::Span::empty(),
    })
}

/// How many `?` a statement has.
fn placeholders(statement: &Statement) -> usize {
    struct Counter(usize);
    impl Visitor for Counter {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Ast) -> ControlFlow<()> {
            if let Ast::Value(value) = expr
                && let Value::Placeholder(name) = &value.value
                && let Some(number) = name.strip_prefix('?').and_then(|n| n.parse::<usize>().ok())
            {
                self.0 = self.0.max(number);
            }
            ControlFlow::Continue(())
        }
    }
    let mut counter = Counter(0);
    let query = match statement {
        Statement::Query(query) => Some(query),
        Statement::CreateTableAs(create) => Some(&create.query),
        Statement::Insert(insert) => Some(&insert.source),
        Statement::Unload(unload) => Some(&unload.query),
        _ => None,
    };
    if let Some(query) = query {
        let _ = query.visit(&mut counter);
    }
    for expr in changed_by(statement) {
        let _ = expr.visit(&mut counter);
    }
    if let Statement::Merge(merge) = statement {
        let _ = merge.source.visit(&mut counter);
    }
    counter.0
}

/// The expressions of a statement that changes rows.
fn changed_by(statement: &Statement) -> Vec<&Ast> {
    match statement {
        Statement::Delete(delete) => delete.selection.iter().collect(),
        Statement::Update(update) => {
            update.assignments.iter().map(|set| &set.value).chain(&update.selection).collect()
        }
        Statement::Merge(merge) => {
            let mut all = vec![&merge.on];
            for clause in &merge.clauses {
                all.extend(&clause.condition);
                match &clause.action {
                    MergeAction::Delete => {}
                    MergeAction::Update(set) => all.extend(set.iter().map(|set| &set.value)),
                    MergeAction::Insert { values, .. } => all.extend(values),
                }
            }
            all
        }
        _ => Vec::new(),
    }
}
