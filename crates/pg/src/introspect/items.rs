//! The items of a SELECT: what they are called, what is sorted by them.

use super::functions;
use super::query::{Bound, Found, Output, Sorted, folded, unsupported};
use super::shapes;
use super::value::Value;
use crate::fault::Fault;
use crate::values::Shape;
use sqlparser::ast::{
    Expr, OrderByExpr, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Value as Literal,
};
use std::cmp::Ordering;

/// Rows that belong together.
pub(super) struct Group {
    pub(super) rows: Vec<Vec<Value>>,
    pub(super) is_group: bool,
}

/// An item of a SELECT.
pub(super) enum Item<'a> {
    Column(usize, String),
    Expr(&'a Expr, String),
}

/// The items with `*` written out.
pub(super) fn expand<'a>(projection: &'a [SelectItem], tables: &[Bound]) -> Result<Vec<Item<'a>>, Fault> {
    let mut items = Vec::new();
    for item in projection {
        let wanted = match item {
            SelectItem::UnnamedExpr(e) => {
                items.push(Item::Expr(e, name_of(e)));
                continue;
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                items.push(Item::Expr(expr, folded(alias)));
                continue;
            }
            SelectItem::Wildcard(_) => None,
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                Some(super::tables::last_name(name))
            }
            _ => return Err(unsupported("this item of SELECT")),
        };
        let mut offset = 0;
        for table in tables {
            for (at, (name, _)) in table.columns.iter().enumerate() {
                if wanted.as_ref().is_none_or(|alias| *alias == table.alias) {
                    items.push(Item::Column(offset + at, name.clone()));
                }
            }
            offset += table.columns.len();
        }
    }
    Ok(items)
}

/// What PostgreSQL calls a column that has no name.
pub(super) fn name_of(expression: &Expr) -> String {
    match expression {
        Expr::Identifier(ident) => folded(ident),
        Expr::CompoundIdentifier(parts) => parts.last().map(folded).unwrap_or_default(),
        Expr::Function(function) => functions::name_of(function),
        Expr::Cast { expr, data_type, .. } => match name_of(expr).as_str() {
            "?column?" => {
                let oid = shapes::of_type(data_type).oid();
                shapes::TYPES.iter().find(|t| t.oid == oid).map_or("text", |t| t.name).to_owned()
            }
            name => name.to_owned(),
        },
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => name_of(inner),
        Expr::Case { else_result, .. } => match else_result.as_deref().map(name_of) {
            Some(name) if name != "?column?" => name,
            _ => "case".to_owned(),
        },
        Expr::Subquery(query) => match query.body.as_ref() {
            SetExpr::Select(select) => match select.projection.first() {
                Some(SelectItem::UnnamedExpr(e)) => name_of(e),
                Some(SelectItem::ExprWithAlias { alias, .. }) => folded(alias),
                _ => "?column?".to_owned(),
            },
            _ => "?column?".to_owned(),
        },
        Expr::Exists { .. } => "exists".to_owned(),
        Expr::Array(_) => "array".to_owned(),
        _ => "?column?".to_owned(),
    }
}

pub(super) fn number_of(expression: &Expr) -> Option<usize> {
    match expression {
        Expr::Value(value) => match &value.value {
            Literal::Number(text, _) => text.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// The column of the result that ORDER BY names, by its number or its name.
pub(super) fn output_column(expression: &Expr, columns: &[(String, Shape)]) -> Option<usize> {
    match expression {
        Expr::Identifier(ident) => {
            let name = folded(ident);
            columns.iter().position(|(column, _)| *column == name)
        }
        other => number_of(other)?.checked_sub(1).filter(|at| *at < columns.len()),
    }
}

pub(super) fn sorted(output: Output, order: &[OrderByExpr]) -> Result<Found, Fault> {
    let places = order
        .iter()
        .map(|by| output_column(&by.expr, &output.columns).ok_or_else(|| unsupported("this ORDER BY")))
        .collect::<Result<Vec<_>, _>>()?;
    let rows = output.rows.into_iter().map(|row| {
        let keys = places.iter().map(|at| row.get(*at).cloned().unwrap_or(Value::Null)).collect();
        Sorted { row, keys }
    });
    Ok((output.columns, rows.collect()))
}

pub(super) fn compare(a: &[Value], b: &[Value], order: &[OrderByExpr]) -> Result<Ordering, Fault> {
    for ((a, b), by) in a.iter().zip(b).zip(order) {
        let down = by.options.asc == Some(false);
        let nulls_first = by.options.nulls_first.unwrap_or(down);
        let ordering = match (a.is_null(), b.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => {
                if nulls_first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (false, true) => {
                if nulls_first {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            _ => {
                let ordering = a.compare(b)?.unwrap_or(Ordering::Equal);
                if down { ordering.reverse() } else { ordering }
            }
        };
        if ordering != Ordering::Equal {
            return Ok(ordering);
        }
    }
    Ok(Ordering::Equal)
}

/// A row for each element of the sets in it.
pub(super) fn spread(row: Vec<Value>, sets: &[usize]) -> Vec<Vec<Value>> {
    if sets.is_empty() {
        return vec![row];
    }
    let lists: Vec<(usize, Vec<Value>)> =
        sets.iter().map(|at| (*at, row.get(*at).and_then(Value::elements).unwrap_or_default())).collect();
    let longest = lists.iter().map(|(_, list)| list.len()).max().unwrap_or(0);
    (0..longest)
        .map(|number| {
            let mut row = row.clone();
            for (at, list) in &lists {
                if let Some(place) = row.get_mut(*at) {
                    *place = list.get(number).cloned().unwrap_or(Value::Null);
                }
            }
            row
        })
        .collect()
}
