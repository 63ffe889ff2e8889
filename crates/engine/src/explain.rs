//! EXPLAIN: how a statement will be run, or was.

use crate::answer::{Answer, text_answer};
use crate::engine::Engine;
use crate::query::Context;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use model::{Error, Result};
use plan::{OutputColumn, table_names};
use sql::Statement;
use sql::ast::{ExplainFormat, ExplainType};
use sqlparser::ast::Query;
use std::sync::Arc;

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) struct How {
    pub(crate) analyze: bool,
    pub(crate) verbose: bool,
    pub(crate) format: ExplainFormat,
    pub(crate) kind: ExplainType,
}

impl Engine {
    pub(crate) async fn explain(&self, how: How, statement: &Statement, context: &Context) -> Result<Answer> {
        let query: &Query = match statement {
            Statement::Query(query) => query,
            Statement::CreateTableAs(create) if !how.analyze => &create.query,
            Statement::Insert(insert) if !how.analyze => &insert.source,
            Statement::Unload(unload) if !how.analyze => &unload.query,
            _ if how.analyze => {
                return Err(Error::unsupported(
                    "EXPLAIN ANALYZE runs queries, not statements that change something",
                )
                .hint("EXPLAIN without ANALYZE shows how it would run"));
            }
            _ => return Err(Error::unsupported("there is no plan of this statement to explain")),
        };
        let analyzed = match statement {
            Statement::Insert(insert) => self.inserted(insert, context).await?,
            _ => self.analyze(query, context).await?,
        };
        if how.kind == ExplainType::Validate {
            let mut answer = text_answer("Valid", vec!["true".into()], context)?;
            answer.columns = vec![OutputColumn { name: "Valid".into(), sql_type: sql::SqlType::VARCHAR }];
            return Ok(answer);
        }
        if how.kind == ExplainType::Io {
            let names = table_names(query, context.database.as_str());
            let tables: Vec<String> = names.iter().map(ToString::to_string).collect();
            let text = serde_json::json!({ "inputTables": tables }).to_string();
            return text_answer("Query Plan", vec![text], context);
        }
        if how.kind == ExplainType::Logical && !how.analyze {
            let (state, _) = self.session_state(context.joins.now())?;
            let plan = crate::optimizer::optimize(&state, &analyzed.plan)?;
            let text = match how.format {
                ExplainFormat::Text => plan.display_indent().to_string(),
                ExplainFormat::Graphviz => plan.display_graphviz().to_string(),
                ExplainFormat::Json => plan.display_pg_json().to_string(),
            };
            return text_answer("Query Plan", lines(&text), context);
        }
        let (physical, task) = self.physical(&analyzed, context).await?;
        if how.analyze {
            collect(Arc::clone(&physical), task).await.map_err(scan::error)?;
            let shown = DisplayableExecutionPlan::with_metrics(physical.as_ref());
            let mut text = shown.indent(how.verbose).to_string();
            text.push_str(&self.totals(context));
            return text_answer("Query Plan", lines(&text), context);
        }
        text_answer("Query Plan", lines(&shown(physical.as_ref(), how)), context)
    }

    fn totals(&self, context: &Context) -> String {
        let (read, phases) = (context.stats.scanned(), context.stats.phases());
        format!(
            "\nread {} bytes, {} rows, {} files of {} partitions; pruned {} files, {} partitions, {} row groups\n\
             analyze {:.1} ms, optimize {:.1} ms, plan {:.1} ms, peak memory {} bytes",
            read.bytes_scanned,
            read.rows_read,
            read.files_read,
            read.partitions_read,
            read.files_pruned,
            read.partitions_pruned,
            read.row_groups_pruned,
            phases.analyze,
            phases.optimize,
            phases.plan,
            context.stats.peak_memory(),
        )
    }
}

fn shown(physical: &dyn ExecutionPlan, how: How) -> String {
    match how.format {
        ExplainFormat::Graphviz => displayable(physical).graphviz().to_string(),
        ExplainFormat::Json => json_tree(physical).to_string(),
        ExplainFormat::Text => displayable(physical).indent(how.verbose).to_string(),
    }
}

/// The plan as a tree of operators.
fn json_tree(plan: &dyn ExecutionPlan) -> serde_json::Value {
    let children: Vec<_> = plan.children().into_iter().map(|c| json_tree(c.as_ref())).collect();
    let details = displayable(plan).one_line().to_string();
    serde_json::json!({ "name": plan.name(), "details": details.trim(), "children": children })
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}
