//! Queries of the interpreter: WITH, SELECT with grouping, set operations, ORDER BY, LIMIT.

use super::World;
use super::items::{Group, Item, compare, expand, number_of, output_column, sorted, spread};
use super::join::From;
use super::meter::Meter;
use super::shapes::{self, TEXT};
use super::value::Value;
use super::{aggregate, functions};
use crate::fault::Fault;
use crate::values::Shape;
use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Ident, LimitClause, OrderByExpr, OrderByKind, Query, Select, SetExpr,
    SetOperator, SetQuantifier, WindowType,
};
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What a query found.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) columns: Vec<(String, Shape)>,
    pub(super) rows: Vec<Vec<Value>>,
}

/// A table in a FROM.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    pub(super) alias: String,
    pub(super) columns: Vec<(String, Shape)>,
    /// Whether it has columns that are not listed: they are NULL. So it is where a table is always empty here.
    pub(super) open: bool,
}

/// The names that an expression may use, and their values in one row; for aggregates, all rows of the group.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) parent: Option<&'a Scope<'a>>,
    pub(super) tables: &'a [Bound],
    pub(super) row: &'a [Value],
    pub(super) group: Option<&'a [Vec<Value>]>,
}

/// Where a name leads.
pub(super) enum Place {
    Column(usize),
    /// A column of a table that is always empty.
    Nothing,
}

pub(super) fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

/// Finds a column among tables.
pub(super) fn place(tables: &[Bound], parts: &[Ident]) -> Option<Place> {
    let column = folded(parts.last()?);
    let qualifier = parts.len().checked_sub(2).and_then(|at| parts.get(at)).map(folded);
    let (mut offset, mut open) = (0, false);
    for table in tables {
        if qualifier.as_ref().is_none_or(|alias| *alias == table.alias) {
            if let Some(at) = table.columns.iter().position(|(name, _)| *name == column) {
                return Some(Place::Column(offset + at));
            }
            open |= table.open || matches!(column.as_str(), "tableoid" | "xmin" | "ctid");
        }
        offset += table.columns.len();
    }
    open.then_some(Place::Nothing)
}

impl<'a> Scope<'a> {
    pub(super) const EMPTY: Scope<'static> = Scope { parent: None, tables: &[], row: &[], group: None };

    /// The value of a name.
    pub(super) fn value(&self, parts: &[Ident]) -> Option<Value> {
        match place(self.tables, parts) {
            Some(Place::Column(at)) => Some(self.row.get(at).cloned().unwrap_or(Value::Null)),
            Some(Place::Nothing) => Some(Value::Null),
            None => self.parent?.value(parts),
        }
    }

    /// The shape of a name.
    pub(super) fn shape(&self, parts: &[Ident]) -> Option<Shape> {
        match place(self.tables, parts) {
            Some(Place::Column(at)) => {
                self.tables.iter().flat_map(|table| &table.columns).nth(at).map(|(_, shape)| shape.clone())
            }
            Some(Place::Nothing) => Some(TEXT),
            None => self.parent?.shape(parts),
        }
    }
}

/// A question under way.
pub(super) struct Run<'w> {
    pub(super) world: &'w World,
    pub(super) ctes: HashMap<String, Arc<Output>>,
    pub(super) meter: &'w Meter,
}

/// Answers a question.
pub(super) fn answer(world: &World, query: &Query) -> Result<Output, Fault> {
    let meter = Meter::default();
    Run { world, ctes: HashMap::new(), meter: &meter }.query(query, &Scope::EMPTY)
}

/// Calculates an expression that names no table.
pub(super) fn alone(world: &World, expression: &Expr) -> Result<Value, Fault> {
    let meter = Meter::default();
    Run { world, ctes: HashMap::new(), meter: &meter }.value(expression, &Scope::EMPTY)
}

pub(super) fn unsupported(what: impl std::fmt::Display) -> Fault {
    Fault::new("0A000", format!("{what} is not supported in questions about the catalog"))
}

/// The columns of a query and its rows, not sorted yet.
pub(super) type Found = (Vec<(String, Shape)>, Vec<Sorted>);

/// A row with what it is sorted by.
pub(super) struct Sorted {
    pub(super) row: Vec<Value>,
    pub(super) keys: Vec<Value>,
}

impl Run<'_> {
    /// Runs a query.
    pub(super) fn query(&self, query: &Query, parent: &Scope<'_>) -> Result<Output, Fault> {
        let with = query.with.iter().flat_map(|with| &with.cte_tables);
        if query.with.as_ref().is_some_and(|with| with.recursive) {
            return Err(unsupported("WITH RECURSIVE"));
        }
        let held = self.meter.held();
        let mut run = Run { world: self.world, ctes: self.ctes.clone(), meter: self.meter };
        for cte in with {
            let mut output = run.query(&cte.query, parent)?;
            run.hold(output.rows.iter().map(Vec::len).sum())?;
            for (column, alias) in output.columns.iter_mut().zip(&cte.alias.columns) {
                column.0 = folded(&alias.name);
            }
            run.ctes.insert(folded(&cte.alias.name), Arc::new(output));
        }
        let order: &[OrderByExpr] = match query.order_by.as_ref().map(|order| &order.kind) {
            None => &[],
            Some(OrderByKind::Expressions(all)) => all,
            Some(OrderByKind::All(_)) => return Err(unsupported("ORDER BY ALL")),
        };
        let (columns, mut rows) = run.body(&query.body, order, parent)?;
        if !order.is_empty() {
            let mut failed = None;
            rows.sort_by(|a, b| match compare(&a.keys, &b.keys, order) {
                Ok(ordering) => ordering,
                Err(fault) => {
                    failed = Some(fault);
                    Ordering::Equal
                }
            });
            if let Some(fault) = failed {
                return Err(fault);
            }
        }
        let (limit, offset) = run.limits(query, parent)?;
        let rows = rows.into_iter().skip(offset).take(limit).map(|sorted| sorted.row).collect();
        // What is left of it is counted where it is kept.
        self.meter.release(held);
        Ok(Output { columns, rows })
    }

    fn limits(&self, query: &Query, parent: &Scope<'_>) -> Result<(usize, usize), Fault> {
        let number = |expression: &Expr| {
            let value = self.value(expression, parent)?;
            if value.is_null() {
                return Ok(None);
            }
            let number = value.as_int().and_then(|n| usize::try_from(n).ok());
            number.map(Some).ok_or_else(|| Fault::new("2201W", "LIMIT and OFFSET want a number of rows"))
        };
        let (mut limit, mut offset) = (None, None);
        match &query.limit_clause {
            None => {}
            Some(LimitClause::LimitOffset { limit: wanted, offset: skipped, .. }) => {
                limit = wanted.as_ref().map(number).transpose()?.flatten();
                offset = skipped.as_ref().map(|skipped| number(&skipped.value)).transpose()?.flatten();
            }
            Some(LimitClause::OffsetCommaLimit { .. }) => return Err(unsupported("LIMIT a, b")),
        }
        if let Some(fetch) = query.fetch.as_ref().and_then(|fetch| fetch.quantity.as_ref()) {
            limit = number(fetch)?;
        }
        Ok((limit.unwrap_or(usize::MAX), offset.unwrap_or(0)))
    }

    fn body(&self, body: &SetExpr, order: &[OrderByExpr], parent: &Scope<'_>) -> Result<Found, Fault> {
        match body {
            SetExpr::Select(select) => self.select(select, order, parent),
            SetExpr::Query(query) => {
                let output = self.query(query, parent)?;
                sorted(output, order)
            }
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                let (columns, left) = self.body(left, &[], parent)?;
                let (_, right) = self.body(right, &[], parent)?;
                let all = *set_quantifier == SetQuantifier::All;
                let mut rows: Vec<Vec<Value>> = left.into_iter().map(|sorted| sorted.row).collect();
                let right: Vec<Vec<Value>> = right.into_iter().map(|sorted| sorted.row).collect();
                if *op == SetOperator::Union {
                    rows.extend(right);
                } else {
                    let wanted = *op == SetOperator::Intersect;
                    let others = right.iter().map(|row| self.keys(row)).collect::<Result<HashSet<_>, _>>()?;
                    let mut kept = Vec::new();
                    for row in rows {
                        self.step()?;
                        if others.contains(&self.keys(&row)?) == wanted {
                            kept.push(row);
                        }
                    }
                    rows = kept;
                }
                if !all {
                    self.distinct(&mut rows, |row| row)?;
                }
                sorted(Output { columns, rows }, order)
            }
            SetExpr::Values(values) => {
                let rows = values.rows.iter().map(|row| {
                    row.content
                        .iter()
                        .map(|expression| self.value(expression, parent))
                        .collect::<Result<Vec<_>, _>>()
                });
                let rows = rows.collect::<Result<Vec<_>, _>>()?;
                let first = values.rows.first().map(|row| row.content.as_slice()).unwrap_or_default();
                let columns = first.iter().enumerate();
                let columns =
                    columns.map(|(at, e)| (format!("column{}", at + 1), shapes::of(e, parent))).collect();
                sorted(Output { columns, rows }, order)
            }
            SetExpr::Table(table) => {
                let name = table.table_name.as_deref().unwrap_or_default();
                let (bound, rows) = self.table(&[Ident::new(name)])?;
                sorted(Output { columns: bound.columns, rows }, order)
            }
            _ => Err(unsupported("a statement that changes something")),
        }
    }

    fn select(&self, select: &Select, order: &[OrderByExpr], parent: &Scope<'_>) -> Result<Found, Fault> {
        let From { tables, rows } = self.from(select, parent)?;
        let shape_scope = Scope { parent: Some(parent), tables: &tables, row: &[], group: None };
        let items = expand(&select.projection, &tables)?;
        let columns: Vec<(String, Shape)> = items
            .iter()
            .map(|item| match item {
                Item::Column(at, name) => {
                    let shape = tables.iter().flat_map(|t| &t.columns).nth(*at).map_or(TEXT, |c| c.1.clone());
                    (name.clone(), shape)
                }
                Item::Expr(e, name) => (name.clone(), shapes::of(e, &shape_scope)),
            })
            .collect();
        let groups = self.groups(select, &items, &tables, rows, parent)?;
        let windows = self.windows(&items, &tables, &groups, parent)?;
        let mut all = Vec::new();
        for (number, group) in groups.iter().enumerate() {
            let first = group.rows.first().map_or(&[][..], Vec::as_slice);
            let scope = Scope {
                parent: Some(parent),
                tables: &tables,
                row: first,
                group: group.is_group.then_some(group.rows.as_slice()),
            };
            if let Some(having) = &select.having
                && !self.value(having, &scope)?.is_true()
            {
                continue;
            }
            let mut row = Vec::with_capacity(items.len());
            let mut sets = Vec::new();
            for (at, item) in items.iter().enumerate() {
                row.push(match item {
                    Item::Column(at, _) => first.get(*at).cloned().unwrap_or(Value::Null),
                    Item::Expr(e, _) => match windows.get(&at).and_then(|numbers| numbers.get(number)) {
                        Some(number) => Value::Int(*number),
                        None => {
                            if functions::is_set(e) {
                                sets.push(at);
                            }
                            self.value(e, &scope)?
                        }
                    },
                });
            }
            let rows = spread(row, &sets);
            self.hold(rows.len().saturating_mul(items.len() + order.len()))?;
            for row in rows {
                self.step()?;
                let keys = order
                    .iter()
                    .map(|by| match output_column(&by.expr, &columns) {
                        Some(at) => Ok(row.get(at).cloned().unwrap_or(Value::Null)),
                        None => self.value(&by.expr, &scope),
                    })
                    .collect::<Result<Vec<_>, Fault>>()?;
                all.push(Sorted { row, keys });
            }
        }
        match &select.distinct {
            None | Some(Distinct::All) => {}
            Some(Distinct::Distinct) => self.distinct(&mut all, |sorted: &Sorted| sorted.row.as_slice())?,
            Some(Distinct::On(_)) => return Err(unsupported("DISTINCT ON")),
        }
        Ok((columns, all))
    }

    fn groups(
        &self,
        select: &Select,
        items: &[Item<'_>],
        tables: &[Bound],
        rows: Vec<Vec<Value>>,
        parent: &Scope<'_>,
    ) -> Result<Vec<Group>, Fault> {
        let by: &[Expr] = match &select.group_by {
            GroupByExpr::Expressions(all, modifiers) if modifiers.is_empty() => all,
            _ => return Err(unsupported("this form of GROUP BY")),
        };
        let aggregates = items.iter().any(|item| matches!(item, Item::Expr(e, _) if aggregate::is_in(e)))
            || select.having.as_ref().is_some_and(aggregate::is_in);
        if by.is_empty() && !aggregates {
            return Ok(rows.into_iter().map(|row| Group { rows: vec![row], is_group: false }).collect());
        }
        if by.is_empty() {
            return Ok(vec![Group { rows, is_group: true }]);
        }
        let mut found: HashMap<Vec<String>, usize> = HashMap::new();
        let mut groups: Vec<Group> = Vec::new();
        for row in rows {
            let scope = Scope { parent: Some(parent), tables, row: &row, group: None };
            let key = by
                .iter()
                .map(|e| {
                    let item = number_of(e).and_then(|n| items.get(n.checked_sub(1)?)).or_else(|| {
                        let Expr::Identifier(name) = e else { return None };
                        let name = folded(name);
                        let named = |item: &&Item<'_>| matches!(item, Item::Expr(_, alias) if *alias == name);
                        items
                            .iter()
                            .find(named)
                            .filter(|_| scope.shape(std::slice::from_ref(&Ident::new(&name))).is_none())
                    });
                    Ok(match item {
                        Some(Item::Expr(e, _)) => self.key(&self.value(e, &scope)?)?,
                        Some(Item::Column(at, _)) => self.key(row.get(*at).unwrap_or(&Value::Null))?,
                        None => self.key(&self.value(e, &scope)?)?,
                    })
                })
                .collect::<Result<Vec<_>, Fault>>()?;
            let at = *found.entry(key).or_insert_with(|| {
                groups.push(Group { rows: Vec::new(), is_group: true });
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(at) {
                group.rows.push(row);
            }
        }
        Ok(groups)
    }

    /// The numbers of `row_number() OVER (…)`, by item.
    fn windows(
        &self,
        items: &[Item<'_>],
        tables: &[Bound],
        groups: &[Group],
        parent: &Scope<'_>,
    ) -> Result<HashMap<usize, Vec<i64>>, Fault> {
        let mut all = HashMap::new();
        for (at, item) in items.iter().enumerate() {
            let Item::Expr(Expr::Function(function), _) = item else { continue };
            let Some(over) = &function.over else { continue };
            let (WindowType::WindowSpec(spec), "row_number") = (over, functions::name_of(function).as_str())
            else {
                return Err(unsupported("a window function other than row_number()"));
            };
            let mut keyed = Vec::new();
            for (number, group) in groups.iter().enumerate() {
                let row = group.rows.first().map_or(&[][..], Vec::as_slice);
                let scope = Scope { parent: Some(parent), tables, row, group: None };
                let part = spec.partition_by.iter().map(|e| self.key(&self.value(e, &scope)?));
                let part = part.collect::<Result<Vec<_>, Fault>>()?;
                let keys = spec.order_by.iter().map(|by| self.value(&by.expr, &scope));
                keyed.push((part, keys.collect::<Result<Vec<_>, _>>()?, number));
            }
            keyed.sort_by(|a, b| {
                a.0.cmp(&b.0).then_with(|| compare(&a.1, &b.1, &spec.order_by).unwrap_or(Ordering::Equal))
            });
            let mut numbers = vec![0; groups.len()];
            let (mut last, mut count): (Option<Vec<String>>, i64) = (None, 0);
            for (part, _, number) in keyed {
                count = if last.as_ref() == Some(&part) { count + 1 } else { 1 };
                last = Some(part);
                if let Some(place) = numbers.get_mut(number) {
                    *place = count;
                }
            }
            all.insert(at, numbers);
        }
        Ok(all)
    }
}
