//! Windows in GROUP BY (`GROUP BY TUMBLE(ts, INTERVAL '5' MINUTE)`) as window tables: what FROM names is replaced by a
//! table with the columns `window_start`, `window_end` and `window_time`.

use super::window::{WindowKind, interval};
use model::{Error, Result};
use sqlparser::ast::{
    DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident,
    Interval, ObjectName, ObjectNamePart, Query, Select, SetExpr, TableAlias, TableFactor, Value,
    ValueWithSpan, VisitMut, VisitorMut,
};
use sqlparser::tokenizer::Span;
use std::ops::ControlFlow;

/// What a group window takes its rows from.
#[derive(Debug, Clone)]
pub(crate) enum GroupInput {
    /// A table or view.
    Table(ObjectName),
    /// A query in FROM.
    Query(Box<Query>),
}

/// A window in GROUP BY.
#[derive(Debug, Clone)]
pub(crate) struct GroupWindow {
    /// The table that stands for it.
    pub(crate) name: String,
    pub(crate) input: GroupInput,
    /// The event-time column.
    pub(crate) time: String,
    pub(crate) kind: WindowKind,
    pub(crate) span: Span,
}

/// Finds the windows in the GROUP BYs of a query and puts tables in their place.
pub(crate) fn extract(query: &mut Query, first: usize) -> Result<Vec<GroupWindow>, (Error, Span)> {
    let mut extractor = Extractor { first, found: Vec::new() };
    match query.visit(&mut extractor) {
        ControlFlow::Continue(()) => Ok(extractor.found),
        ControlFlow::Break(error) => Err(*error),
    }
}

struct Extractor {
    first: usize,
    found: Vec<GroupWindow>,
}

impl VisitorMut for Extractor {
    type Break = Box<(Error, Span)>;

    /// The innermost query first: an outer window may take its rows.
    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<Self::Break> {
        match self.select(select) {
            Ok(()) => ControlFlow::Continue(()),
            Err(found) => ControlFlow::Break(Box::new(found)),
        }
    }
}

const FUNCTIONS: [&str; 3] = ["TUMBLE", "HOP", "SESSION"];

fn function_name(expr: &Expr) -> Option<(String, &Function)> {
    match expr {
        Expr::Function(function) => match function.name.0.as_slice() {
            [ObjectNamePart::Identifier(ident)] => Some((ident.value.to_ascii_uppercase(), function)),
            _ => None,
        },
        _ => None,
    }
}

impl Extractor {
    fn select(&mut self, select: &mut Select) -> Result<(), (Error, Span)> {
        let GroupByExpr::Expressions(keys, _) = &mut select.group_by else { return Ok(()) };
        let is_window = |e: &Expr| function_name(e).is_some_and(|(n, _)| FUNCTIONS.contains(&n.as_str()));
        let Some(at) = keys.iter().position(is_window) else { return Ok(()) };
        let call = keys.remove(at);
        let span = super::functions::span(&call);
        if let Some(second) = keys.iter().find(|e| is_window(e)) {
            let error = Error::unsupported("a query groups by one window");
            return Err((error, super::functions::span(second)));
        }
        let Some((name, function)) = function_name(&call) else { return Ok(()) };
        let (time, kind) = arguments(&name, function).map_err(|e| (e, span))?;
        for (i, column) in ["window_start", "window_end", "window_time"].into_iter().enumerate() {
            keys.insert(at + i, Expr::Identifier(Ident::with_span(span, column)));
        }
        let table = format!("$window{}", self.first + self.found.len());
        let input = replace_from(select, &table).map_err(|e| (e, span))?;
        self.found.push(GroupWindow { name: table, input, time, kind, span });
        match select.visit(&mut Auxiliary) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(*error),
        }
    }
}

/// The time column and the window of `TUMBLE(ts, INTERVAL '5' MINUTE)`.
fn arguments(name: &str, function: &Function) -> Result<(String, WindowKind)> {
    let usage = || {
        Error::invalid(format!("{name} takes the event-time column and intervals")).hint(match name {
            "HOP" => "HOP(ts, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE): the slide, then the size",
            "SESSION" => "SESSION(ts, INTERVAL '30' MINUTE)",
            _ => "TUMBLE(ts, INTERVAL '5' MINUTE)",
        })
    };
    let FunctionArguments::List(list) = &function.args else { return Err(usage()) };
    let mut time = None;
    let mut lengths = Vec::new();
    for (i, arg) in list.args.iter().enumerate() {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = arg else { return Err(usage()) };
        match expr {
            Expr::Identifier(ident) if i == 0 => time = Some(ident.value.clone()),
            Expr::CompoundIdentifier(parts) if i == 0 => time = parts.last().map(|p| p.value.clone()),
            Expr::Interval(length) if i > 0 => lengths.push(millis(length)?),
            _ => return Err(usage()),
        }
    }
    let time = time.ok_or_else(usage)?;
    Ok((time, WindowKind::new(name, &lengths).map_err(|_| usage())?))
}

fn millis(length: &Interval) -> Result<i64> {
    let Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) = length.value.as_ref()
    else {
        return Err(Error::invalid("an interval's number stands in quotes: INTERVAL '5' MINUTE"));
    };
    let unit = match &length.leading_field {
        Some(DateTimeField::Week(_)) => "WEEK".to_owned(),
        Some(field) => field.to_string(),
        None => "SECOND".to_owned(),
    };
    if length.last_field.is_some() {
        return Err(Error::unsupported("a window's length is given in one unit"));
    }
    interval(text, &unit)
}

/// Puts the window's table into FROM and answers what stood there.
fn replace_from(select: &mut Select, table: &str) -> Result<GroupInput> {
    let refused = || {
        Error::unsupported("a window in GROUP BY takes the rows of one table")
            .hint("put the join into a view: CREATE TEMPORARY VIEW joined AS SELECT …")
    };
    let [from] = select.from.as_mut_slice() else { return Err(refused()) };
    if !from.joins.is_empty() {
        return Err(refused());
    }
    let ident = |value: &str, span: Span| {
        let mut ident = Ident::with_span(span, value);
        ident.quote_style = Some('"');
        ident
    };
    match &mut from.relation {
        TableFactor::Table { name, alias, .. } => {
            let original = name.clone();
            let Some(ObjectNamePart::Identifier(last)) = original.0.last().cloned() else {
                return Err(refused());
            };
            if alias.is_none() {
                *alias = Some(alias_of(last.clone()));
            }
            *name = ObjectName::from(vec![ident(table, last.span)]);
            Ok(GroupInput::Table(original))
        }
        TableFactor::Derived { subquery, alias, .. } => {
            let query = subquery.clone();
            let span = alias.as_ref().map_or(Span::empty(), |a| a.name.span);
            // `SELECT * FROM table AS alias` is a shape that the analyzer knows.
            let mut factor = plain_table(table)?;
            if let TableFactor::Table { name, alias: new, .. } = &mut factor {
                *name = ObjectName::from(vec![ident(table, span)]);
                new.clone_from(alias);
            }
            from.relation = factor;
            Ok(GroupInput::Query(query))
        }
        _ => Err(refused()),
    }
}

fn alias_of(name: Ident) -> TableAlias {
    TableAlias { explicit: true, name, columns: Vec::new(), at: None }
}

fn plain_table(name: &str) -> Result<TableFactor> {
    let broken = || Error::internal("a window's table cannot be named");
    let text = format!("SELECT * FROM {}", sql::quote_ident(name));
    let sql::Statement::Query(query) = sql::parse_one(&text, "<window>")? else { return Err(broken()) };
    match *query.body {
        SetExpr::Select(mut select) => Ok(select.from.pop().ok_or_else(broken)?.relation),
        _ => Err(broken()),
    }
}

/// `TUMBLE_START(…)` and its like are columns of the window's table.
struct Auxiliary;

impl VisitorMut for Auxiliary {
    type Break = Box<(Error, Span)>;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        let Some((name, function)) = function_name(expr) else { return ControlFlow::Continue(()) };
        let Some((window, part)) = name.rsplit_once('_') else { return ControlFlow::Continue(()) };
        if !FUNCTIONS.contains(&window) {
            return ControlFlow::Continue(());
        }
        let span = match function.name.0.first() {
            Some(ObjectNamePart::Identifier(ident)) => ident.span,
            _ => Span::empty(),
        };
        let column = match part {
            "START" => "window_start",
            "END" => "window_end",
            "ROWTIME" => "window_time",
            _ => {
                let error = Error::unsupported(format!("{name} is not supported: windows are of event time"));
                return ControlFlow::Break(Box::new((error, span)));
            }
        };
        *expr = Expr::Identifier(Ident::with_span(span, column));
        ControlFlow::Continue(())
    }
}
