//! PREPARE, EXECUTE, DEALLOCATE: statements kept by name, with `?` for values.

use crate::engine::Engine;
use crate::query::{Answer, Context, batch_answer, text_answer};
use arrow::array::{ArrayRef, Int64Array, StringViewArray};
use model::{Error, Result, nearest_hint};
use plan::OutputColumn;
use sql::{Source, SqlType, Statement};
use sqlparser::ast::{Expr as Ast, Ident, Value, Visit, Visitor};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

/// How many statements may be kept, and how long one may be.
const MAX_STATEMENTS: usize = 1000;

/// The statements, by name. They live as long as the engine.
#[derive(Debug, Default)]
pub(crate) struct PreparedStatements(Mutex<BTreeMap<String, String>>);

impl PreparedStatements {
    fn put(&self, name: &str, text: &str) -> Result<()> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_STATEMENTS && !all.contains_key(name) {
            return Err(Error::new(
                model::ErrorKind::LimitExceeded,
                format!("{MAX_STATEMENTS} statements are prepared already"),
            )
            .hint("DEALLOCATE PREPARE those that nobody needs"));
        }
        all.insert(name.to_owned(), text.to_owned());
        Ok(())
    }

    fn get(&self, name: &Ident, source: &Source) -> Result<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&name.value.to_lowercase()).cloned().ok_or_else(|| missing(name, &all, source))
    }

    fn remove(&self, name: &Ident, source: &Source) -> Result<()> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.remove(&name.value.to_lowercase()) {
            Some(_) => Ok(()),
            None => Err(missing(name, &all, source)),
        }
    }
}

fn missing(name: &Ident, all: &BTreeMap<String, String>, source: &Source) -> Error {
    Error::not_found(format!("prepared statement `{}` does not exist", name.value))
        .hint(nearest_hint(&name.value, all.keys().map(String::as_str)))
        .at(sql::at(source, name.span))
}

impl Engine {
    pub(crate) async fn prepared(&self, statement: &Statement, context: &Context) -> Result<Answer> {
        let kept = &self.inner.prepared;
        match statement {
            Statement::Prepare { name, text, statement } => {
                if matches!(**statement, Statement::Prepare { .. } | Statement::Execute { .. }) {
                    return Err(Error::invalid("a prepared statement cannot prepare or execute another")
                        .at(sql::at(&context.source, name.span)));
                }
                kept.put(&name.value.to_lowercase(), text)?;
                text_answer("result", Vec::new(), context)
            }
            Statement::Deallocate { name } => {
                kept.remove(name, &context.source)?;
                text_answer("result", Vec::new(), context)
            }
            Statement::Execute { name, arguments } => {
                let text = kept.get(name, &context.source)?;
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
                let text = kept.get(name, &context.source)?;
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

    async fn describe_output(&self, name: &Ident, context: &Context) -> Result<Answer> {
        let text = self.inner.prepared.get(name, &context.source)?;
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
            parameters,
            cancel: context.cancel.clone(),
            id: context.id.clone(),
            run: context.run.clone(),
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
    if let Statement::Delete(delete) = statement
        && let Some(selection) = &delete.selection
    {
        let _ = selection.visit(&mut counter);
    }
    counter.0
}
