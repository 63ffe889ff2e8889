//! Partition projection.
use crate::columns::Columns;
use crate::format::Layout;
use crate::partitions::Choice;
use crate::prune::Evaluator;
use catalog::{Table, TableEntry};
use chrono::{DateTime, Utc};
use datafusion::logical_expr::Expr;
use model::Result;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Projection;

impl Projection {
    pub(crate) fn of(_: &Table, _: &Columns) -> Result<Option<Self>> {
        Ok(None)
    }
    pub(crate) fn choose(
        &self,
        _: &TableEntry,
        _: &Columns,
        _: &Arc<Layout>,
        _: &[Expr],
        _: &Evaluator,
        _: DateTime<Utc>,
    ) -> Result<Choice> {
        Ok(Choice::default())
    }
}
