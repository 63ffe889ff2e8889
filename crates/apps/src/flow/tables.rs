//! What a script's names mean to the analyzer: its tables, views and windows.

use crate::script::window::WindowKind;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::common::{Column, JoinType};
use datafusion::logical_expr::{Expr, LogicalPlan, TableSource};
use model::{Error, Result, nearest_hint};
use plan::{Analyzed, Found, TableColumn, TableName, Tables};
use sql::SqlType;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The database in which a script's own names stand.
pub(crate) const DATABASE: &str = "default";

/// A table of the script that rows come from.
#[derive(Debug)]
pub(crate) struct StreamSource {
    /// Its number in the script.
    pub(crate) table: usize,
    pub(crate) schema: SchemaRef,
    /// Its event-time column.
    pub(crate) time: Option<usize>,
}

impl TableSource for StreamSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// A view: its plan is put in its place.
#[derive(Debug)]
pub(crate) struct ViewSource {
    pub(crate) plan: LogicalPlan,
    pub(crate) schema: SchemaRef,
}

impl TableSource for ViewSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// Rows in windows: the columns of the rows, `window_start`, `window_end` and `window_time`.
#[derive(Debug)]
pub(crate) struct WindowSource {
    pub(crate) input: LogicalPlan,
    /// Which column of the input is the event's time.
    pub(crate) time: usize,
    pub(crate) kind: WindowKind,
    /// The input's columns that are columns here.
    pub(crate) kept: Vec<usize>,
    pub(crate) schema: SchemaRef,
}

impl TableSource for WindowSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// The type of a window's bounds.
pub(crate) const BOUND: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

/// The names of a window's columns.
pub(crate) const BOUNDS: [&str; 3] = ["window_start", "window_end", "window_time"];

/// What a script has declared so far.
#[derive(Default, Clone)]
pub(crate) struct ScriptTables {
    pub(crate) found: BTreeMap<String, Found>,
}

impl Tables for ScriptTables {
    fn find(&self, name: &TableName) -> Result<Found> {
        if name.database == DATABASE
            && let Some(found) = self.found.get(&name.table)
        {
            return Ok(found.clone());
        }
        let shown = if name.database == DATABASE { name.table.clone() } else { name.to_string() };
        let known = self.found.keys().map(String::as_str).filter(|k| !k.starts_with('$'));
        Err(Error::not_found(format!("the script declares no table or view `{shown}`"))
            .hint(nearest_hint(&name.table, known)))
    }
}

/// A table's columns as the analyzer wants them.
pub(crate) fn found(columns: &[(String, SqlType)], source: Arc<dyn TableSource>) -> Found {
    let columns = columns
        .iter()
        .map(|(name, sql_type)| TableColumn { name: name.clone(), sql_type: sql_type.clone(), hidden: false })
        .collect();
    Found::Table { columns, source }
}

/// The Arrow schema of columns.
pub(crate) fn schema_of(columns: &[(String, SqlType)]) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(|(n, t)| Field::new(n, t.to_arrow(), true)).collect::<Vec<_>>()))
}

/// A window over analyzed rows.
pub(crate) fn window(input: Analyzed, time: &str, kind: WindowKind) -> Result<Found> {
    let wanted = time.to_lowercase();
    let names = || input.columns.iter().map(|c| c.name.as_str());
    let Some(at) = names().position(|n| n == wanted) else {
        return Err(
            Error::not_found(format!("column `{time}` does not exist")).hint(nearest_hint(&wanted, names()))
        );
    };
    let made = origin(&input.plan, at);
    if made == Origin::Padded {
        return Err(Error::invalid(format!(
            "`{time}` is NULL in rows that have no partner in an outer join"
        ))
        .why("windows close when the watermark passes their end, so every row needs a time")
        .hint("take the event time of the side whose rows all come out")
        .hint("behind a FULL JOIN there is none"));
    }
    if made != Origin::Time {
        return Err(Error::invalid(format!("`{time}` is no event-time column"))
            .why("windows close when the watermark passes their end, so their column needs one")
            .hint(format!(
                "declare WATERMARK FOR {time} AS {time} - INTERVAL '5' SECOND in its CREATE TABLE"
            )));
    }
    let kept: Vec<usize> =
        (0..input.columns.len()).filter(|i| !BOUNDS.contains(&input.columns[*i].name.as_str())).collect();
    let mut columns: Vec<(String, SqlType)> =
        kept.iter().map(|i| (input.columns[*i].name.clone(), input.columns[*i].sql_type.clone())).collect();
    columns.extend(BOUNDS.map(|name| (name.to_owned(), SqlType::Timestamp(3))));
    let schema = schema_of(&columns);
    let source = WindowSource { input: input.plan, time: at, kind, kept, schema };
    Ok(found(&columns, Arc::new(source)))
}

/// Where a column of a plan comes from, as far as time is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An event's time: of a source, or of a window's result.
    Time,
    /// An event's time that is NULL in the rows of an outer join that have no partner.
    Padded,
    /// A window's start.
    Start(WindowKind),
    /// A window's end.
    End(WindowKind),
    Other,
}

/// Follows a column of a plan down to where it is made.
pub(crate) fn origin(plan: &LogicalPlan, at: usize) -> Origin {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let at = scan.projection.as_ref().map_or(Some(at), |p| p.get(at).copied());
            if let Some(stream) = scan.source.downcast_ref::<StreamSource>() {
                return if stream.time.is_some() && stream.time == at { Origin::Time } else { Origin::Other };
            }
            if let (Some(view), Some(at)) = (scan.source.downcast_ref::<ViewSource>(), at) {
                return origin(&view.plan, at);
            }
            match (scan.source.downcast_ref::<WindowSource>(), at) {
                (Some(window), Some(at)) => match at.checked_sub(window.kept.len()) {
                    Some(0) => Origin::Start(window.kind),
                    Some(1) => Origin::End(window.kind),
                    Some(_) => Origin::Time,
                    None => Origin::Other,
                },
                _ => Origin::Other,
            }
        }
        LogicalPlan::Projection(projection) => match projection.expr.get(at).and_then(column) {
            Some(column) => below(&projection.input, column),
            None => Origin::Other,
        },
        LogicalPlan::Filter(filter) => origin(&filter.input, at),
        LogicalPlan::SubqueryAlias(alias) => origin(&alias.input, at),
        LogicalPlan::Aggregate(aggregate) => match aggregate.group_expr.get(at).and_then(column) {
            Some(column) => below(&aggregate.input, column),
            None => Origin::Other,
        },
        // Of a pair both times are event times: it comes out when the watermark, held back by the bounds, is before both. A
        // row without a partner has its own only.
        LogicalPlan::Join(join) => {
            let kind = join.join_type;
            let (found, is_padded) = match at.checked_sub(join.left.schema().fields().len()) {
                None => (origin(&join.left, at), matches!(kind, JoinType::Right | JoinType::Full)),
                Some(at) => (origin(&join.right, at), matches!(kind, JoinType::Left | JoinType::Full)),
            };
            match found {
                Origin::Time if is_padded => Origin::Padded,
                Origin::Time | Origin::Padded => found,
                _ => Origin::Other,
            }
        }
        LogicalPlan::Union(union) => {
            let all: Vec<Origin> = union.inputs.iter().map(|input| origin(input, at)).collect();
            let is_time = |other: &Origin| matches!(other, Origin::Time | Origin::Padded);
            match all.split_first() {
                Some((first, rest)) if rest.iter().all(|other| other == first) => *first,
                Some(_) if all.iter().all(is_time) => Origin::Padded,
                _ => Origin::Other,
            }
        }
        _ => Origin::Other,
    }
}

fn below(plan: &LogicalPlan, column: &Column) -> Origin {
    plan.schema().maybe_index_of_column(column).map_or(Origin::Other, |at| origin(plan, at))
}

fn column(expr: &Expr) -> Option<&Column> {
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Alias(alias) => column(&alias.expr),
        _ => None,
    }
}
