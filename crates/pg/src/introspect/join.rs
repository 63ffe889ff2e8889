//! FROM: tables, joins, functions as tables. Equalities find their partners by a hash; what WHERE says is asked as soon as
//! the tables that it names are there.

use super::query::{Bound, Output, Place, Run, Scope, folded, place, unsupported};
use super::value::Value;
use super::{functions, tables};
use crate::fault::Fault;
use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, Ident, JoinConstraint, JoinOperator, Query, Select,
    TableAlias, TableFactor, TableWithJoins, Visit, Visitor,
};
use std::collections::HashMap;
use std::ops::ControlFlow;

/// What a FROM gives.
pub(super) struct From {
    pub(super) tables: Vec<Bound>,
    pub(super) rows: Vec<Vec<Value>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Inner,
    Left,
    Right,
    Full,
}

/// Conditions of WHERE that have not been asked yet.
struct Conditions<'a>(Vec<&'a Expr>);

impl Run<'_> {
    /// The rows of a SELECT's FROM for which its WHERE holds.
    pub(super) fn from<'q>(&self, select: &'q Select, parent: &Scope<'_>) -> Result<From, Fault> {
        let mut conditions: Conditions<'q> = Conditions(Vec::new());
        if let Some(selection) = &select.selection {
            split(selection, &mut conditions.0);
        }
        let mut from = From { tables: Vec::new(), rows: vec![Vec::new()] };
        for item in &select.from {
            from = self.item(from, item, &mut conditions, parent)?;
        }
        // What is left names nothing of the FROM, or has a query inside.
        for condition in conditions.0 {
            let From { tables, rows } = from;
            let mut kept = Vec::new();
            for row in rows {
                let scope = Scope { parent: Some(parent), tables: &tables, row: &row, group: None };
                if self.value(condition, &scope)?.is_true() {
                    kept.push(row);
                }
            }
            from = From { tables, rows: kept };
        }
        Ok(from)
    }

    fn item<'q>(
        &self,
        left: From,
        item: &'q TableWithJoins,
        conditions: &mut Conditions<'q>,
        parent: &Scope<'_>,
    ) -> Result<From, Fault> {
        let mut from = self.join(left, &item.relation, Kind::Inner, None, conditions, parent)?;
        for join in &item.joins {
            let (kind, constraint) = match &join.join_operator {
                JoinOperator::Join(on) | JoinOperator::Inner(on) | JoinOperator::CrossJoin(on) => {
                    (Kind::Inner, Some(on))
                }
                JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => (Kind::Left, Some(on)),
                JoinOperator::Right(on) | JoinOperator::RightOuter(on) => (Kind::Right, Some(on)),
                JoinOperator::FullOuter(on) => (Kind::Full, Some(on)),
                _ => return Err(unsupported("this kind of JOIN")),
            };
            from = self.join(from, &join.relation, kind, constraint, conditions, parent)?;
        }
        Ok(from)
    }

    fn join<'q>(
        &self,
        left: From,
        factor: &'q TableFactor,
        kind: Kind,
        constraint: Option<&'q JoinConstraint>,
        conditions: &mut Conditions<'q>,
        parent: &Scope<'_>,
    ) -> Result<From, Fault> {
        let mut on: Vec<&'q Expr> = Vec::new();
        let mut using: Vec<&Ident> = Vec::new();
        let names;
        match constraint {
            None | Some(JoinConstraint::None) => {}
            Some(JoinConstraint::On(condition)) => split(condition, &mut on),
            Some(JoinConstraint::Using(columns)) => {
                names = columns.iter().filter_map(|name| name.0.last().and_then(|part| part.as_ident()));
                using = names.collect();
            }
            Some(JoinConstraint::Natural) => return Err(unsupported("NATURAL JOIN")),
        }
        if is_lateral(factor) && !left.tables.is_empty() {
            return self.lateral(left, factor, kind, &on, conditions, parent);
        }
        let right = self.factor(factor, parent)?;
        let mut tables = left.tables.clone();
        tables.extend(right.tables.iter().cloned());
        let split_at = left.tables.len();
        // Where all rows must have a partner, WHERE may help to find it.
        let mut asked: Vec<&'q Expr> = on;
        if kind == Kind::Inner {
            conditions.take(&tables, parent, &mut asked);
        }
        let (mut left_keys, mut right_keys, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        for condition in asked {
            match sides(condition, &tables, split_at, parent) {
                Some((a, b)) => {
                    left_keys.push(a);
                    right_keys.push(b);
                }
                None => rest.push(condition),
            }
        }
        let width = |tables: &[Bound]| tables.iter().map(|table| table.columns.len()).sum::<usize>();
        let (left_width, right_width) = (width(&left.tables), width(&right.tables));
        let used: Vec<(Option<Place>, Option<Place>)> = using
            .iter()
            .map(|name| {
                let name = std::slice::from_ref(*name);
                (place(&left.tables, name), place(&right.tables, name))
            })
            .collect();
        let key = |row: &[Value],
                   tables: &[Bound],
                   keys: &[&Expr],
                   is_left: bool|
         -> Result<Option<Vec<String>>, Fault> {
            let scope = Scope { parent: Some(parent), tables, row, group: None };
            let mut all = Vec::with_capacity(keys.len() + used.len());
            for key in keys {
                let value = self.value(key, &scope)?;
                if value.is_null() {
                    return Ok(None);
                }
                all.push(self.key(&value)?);
            }
            for (a, b) in &used {
                let Some(Place::Column(at)) = (if is_left { a } else { b }) else { return Ok(None) };
                match row.get(*at) {
                    None | Some(Value::Null) => return Ok(None),
                    Some(value) => all.push(self.key(value)?),
                }
            }
            Ok(Some(all))
        };
        let hashed = !left_keys.is_empty() || !used.is_empty();
        let mut partners: HashMap<Vec<String>, Vec<usize>> = HashMap::new();
        if hashed {
            for (at, row) in right.rows.iter().enumerate() {
                self.step()?;
                if let Some(key) = key(row, &right.tables, &right_keys, false)? {
                    partners.entry(key).or_default().push(at);
                }
            }
        }
        let everybody: Vec<usize> = (0..right.rows.len()).collect();
        let mut matched = vec![false; right.rows.len()];
        let mut rows = Vec::new();
        for row in &left.rows {
            let found: &[usize] = if hashed {
                match key(row, &left.tables, &left_keys, true)? {
                    Some(key) => partners.get(&key).map_or(&[], Vec::as_slice),
                    None => &[],
                }
            } else {
                &everybody
            };
            let mut any = false;
            for at in found {
                self.step()?;
                let Some(partner) = right.rows.get(*at) else { continue };
                let both: Vec<Value> = row.iter().chain(partner).cloned().collect();
                let scope = Scope { parent: Some(parent), tables: &tables, row: &both, group: None };
                if self.all_true(&rest, &scope)? {
                    any = true;
                    if let Some(flag) = matched.get_mut(*at) {
                        *flag = true;
                    }
                    self.hold(both.len())?;
                    rows.push(both);
                }
            }
            if !any && matches!(kind, Kind::Left | Kind::Full) {
                self.hold(left_width + right_width)?;
                rows.push(row.iter().cloned().chain(std::iter::repeat_n(Value::Null, right_width)).collect());
            }
        }
        if matches!(kind, Kind::Right | Kind::Full) {
            let alone = right.rows.iter().zip(&matched).filter(|(_, matched)| !**matched);
            self.hold(right.rows.len().saturating_mul(left_width + right_width))?;
            rows.extend(alone.map(|(row, _)| {
                std::iter::repeat_n(Value::Null, left_width).chain(row.iter().cloned()).collect()
            }));
        }
        self.filter(From { tables, rows }, conditions, parent)
    }

    /// A table that depends on the row to its left.
    fn lateral(
        &self,
        left: From,
        factor: &TableFactor,
        kind: Kind,
        on: &[&Expr],
        conditions: &mut Conditions<'_>,
        parent: &Scope<'_>,
    ) -> Result<From, Fault> {
        let mut tables: Option<Vec<Bound>> = None;
        let mut rows = Vec::new();
        for row in &left.rows {
            let outer = Scope { parent: Some(parent), tables: &left.tables, row, group: None };
            let right = self.factor(factor, &outer)?;
            let all = tables.get_or_insert_with(|| {
                left.tables.iter().cloned().chain(right.tables.iter().cloned()).collect()
            });
            let mut any = false;
            for partner in &right.rows {
                self.step()?;
                let both: Vec<Value> = row.iter().chain(partner).cloned().collect();
                let scope = Scope { parent: Some(parent), tables: all, row: &both, group: None };
                if self.all_true(on, &scope)? {
                    any = true;
                    self.hold(both.len())?;
                    rows.push(both);
                }
            }
            if !any && kind == Kind::Left {
                let width: usize = right.tables.iter().map(|table| table.columns.len()).sum();
                self.hold(row.len() + width)?;
                rows.push(row.iter().cloned().chain(std::iter::repeat_n(Value::Null, width)).collect());
            }
        }
        let tables = match tables {
            Some(tables) => tables,
            None => {
                // No row to the left: what it would be called is all that is needed.
                let mut tables = left.tables.clone();
                tables.push(Bound { alias: alias_of(factor), columns: Vec::new(), open: true });
                tables
            }
        };
        self.filter(From { tables, rows }, conditions, parent)
    }

    fn all_true(&self, conditions: &[&Expr], scope: &Scope<'_>) -> Result<bool, Fault> {
        for condition in conditions {
            if !self.value(condition, scope)?.is_true() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Asks what can be asked by now.
    fn filter(&self, from: From, conditions: &mut Conditions<'_>, parent: &Scope<'_>) -> Result<From, Fault> {
        let mut asked = Vec::new();
        conditions.take(&from.tables, parent, &mut asked);
        if asked.is_empty() {
            return Ok(from);
        }
        let From { tables, rows } = from;
        let mut kept = Vec::new();
        for row in rows {
            self.step()?;
            let scope = Scope { parent: Some(parent), tables: &tables, row: &row, group: None };
            if self.all_true(&asked, &scope)? {
                kept.push(row);
            }
        }
        Ok(From { tables, rows: kept })
    }

    fn factor(&self, factor: &TableFactor, parent: &Scope<'_>) -> Result<From, Fault> {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let parts: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
                let (mut bound, rows) = self.table(&parts)?;
                rename(&mut bound, alias.as_ref());
                Ok(From { tables: vec![bound], rows })
            }
            TableFactor::Table { name, alias, args: Some(args), with_ordinality, .. } => self.function_table(
                &tables::last_name(name),
                &args.args,
                alias.as_ref(),
                *with_ordinality,
                parent,
            ),
            TableFactor::Function { name, args, alias, with_ordinality, .. } => {
                self.function_table(&tables::last_name(name), args, alias.as_ref(), *with_ordinality, parent)
            }
            TableFactor::UNNEST { alias, array_exprs, with_ordinality, .. } => {
                let [array] = array_exprs.as_slice() else {
                    return Err(unsupported("unnest of several arrays"));
                };
                let elements = self.value(array, parent)?.elements().unwrap_or_default();
                Ok(numbered("unnest", elements, alias.as_ref(), *with_ordinality))
            }
            TableFactor::Derived { subquery, alias, .. } => {
                let Output { columns, rows } = self.query(subquery, parent)?;
                self.hold(rows.iter().map(Vec::len).sum())?;
                let mut bound = Bound { alias: String::new(), columns, open: false };
                rename(&mut bound, alias.as_ref());
                Ok(From { tables: vec![bound], rows })
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                let from = From { tables: Vec::new(), rows: vec![Vec::new()] };
                self.item(from, table_with_joins, &mut Conditions(Vec::new()), parent)
            }
            _ => Err(unsupported("this form of a table")),
        }
    }

    fn function_table(
        &self,
        name: &str,
        args: &[FunctionArg],
        alias: Option<&TableAlias>,
        ordinality: bool,
        parent: &Scope<'_>,
    ) -> Result<From, Fault> {
        let mut values = Vec::new();
        for arg in args {
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) = arg else {
                return Err(unsupported(format!("this argument of {name}")));
            };
            values.push(self.value(e, parent)?);
        }
        Ok(numbered(name, functions::set(name, &values)?, alias, ordinality))
    }

    /// A table by its name: a common table expression, or one of the catalog's own.
    pub(super) fn table(&self, parts: &[Ident]) -> Result<(Bound, Vec<Vec<Value>>), Fault> {
        let name = parts.last().map(folded).unwrap_or_default();
        if let ([_], Some(output)) = (parts, self.ctes.get(&name)) {
            let bound = Bound { alias: name, columns: output.columns.clone(), open: false };
            return Ok((bound, output.rows.clone()));
        }
        let schema = parts.len().checked_sub(2).and_then(|at| parts.get(at)).map(folded);
        tables::open(self.world, schema.as_deref(), &name)
    }
}

/// The elements of a set as a table with one column, or two where they are numbered.
fn numbered(name: &str, elements: Vec<Value>, alias: Option<&TableAlias>, ordinality: bool) -> From {
    let shape = functions::element_shape(name);
    let column = alias.map_or_else(|| name.to_owned(), |alias| folded(&alias.name));
    let mut columns = vec![(column, shape)];
    if ordinality {
        columns.push(("ordinality".to_owned(), crate::values::Shape::Int8));
    }
    let rows = elements.into_iter().zip(1_i64..).map(|(value, number)| match ordinality {
        true => vec![value, Value::Int(number)],
        false => vec![value],
    });
    let mut bound = Bound { alias: name.to_owned(), columns, open: false };
    rename(&mut bound, alias);
    From { tables: vec![bound], rows: rows.collect() }
}

fn rename(bound: &mut Bound, alias: Option<&TableAlias>) {
    let Some(alias) = alias else { return };
    bound.alias = folded(&alias.name);
    for (column, name) in bound.columns.iter_mut().zip(&alias.columns) {
        column.0 = folded(&name.name);
    }
}

fn alias_of(factor: &TableFactor) -> String {
    match factor {
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Function { alias: Some(alias), .. }
        | TableFactor::UNNEST { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. } => folded(&alias.name),
        TableFactor::Table { name, .. } | TableFactor::Function { name, .. } => tables::last_name(name),
        _ => String::new(),
    }
}

fn is_lateral(factor: &TableFactor) -> bool {
    match factor {
        TableFactor::Derived { lateral, .. } => *lateral,
        TableFactor::Function { .. } | TableFactor::UNNEST { .. } => true,
        TableFactor::Table { args, .. } => args.is_some(),
        _ => false,
    }
}

/// The parts of a condition that must all hold.
fn split<'a>(condition: &'a Expr, all: &mut Vec<&'a Expr>) {
    match condition {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            split(left, all);
            split(right, all);
        }
        Expr::Nested(inner) => split(inner, all),
        other => all.push(other),
    }
}

impl<'a> Conditions<'a> {
    /// Moves the conditions that these tables are enough for.
    fn take(&mut self, tables: &[Bound], parent: &Scope<'_>, to: &mut Vec<&'a Expr>) {
        self.0.retain(|condition| {
            let ready = names_in(condition).is_some_and(|names| {
                names.iter().all(|name| place(tables, name).is_some() || parent.shape(name).is_some())
            });
            if ready {
                to.push(condition);
            }
            !ready
        });
    }
}

/// The names of columns in an expression; none if it has a query inside.
fn names_in(expression: &Expr) -> Option<Vec<Vec<Ident>>> {
    struct Names(Vec<Vec<Ident>>);
    impl Visitor for Names {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            match expression {
                Expr::Identifier(ident) => self.0.push(vec![ident.clone()]),
                Expr::CompoundIdentifier(parts) => self.0.push(parts.clone()),
                _ => {}
            }
            ControlFlow::Continue(())
        }
    }
    let mut names = Names(Vec::new());
    match expression.visit(&mut names) {
        ControlFlow::Continue(()) => Some(names.0),
        ControlFlow::Break(()) => None,
    }
}

/// The two sides of an equality between the tables on the left and those on the right.
fn sides<'a>(
    condition: &'a Expr,
    tables: &[Bound],
    split_at: usize,
    parent: &Scope<'_>,
) -> Option<(&'a Expr, &'a Expr)> {
    let Expr::BinaryOp { left: a, op: BinaryOperator::Eq, right: b } = condition else { return None };
    let (left, right) = tables.split_at(split_at);
    let only = |e: &Expr, here: &[Bound], there: &[Bound]| {
        names_in(e).is_some_and(|names| {
            let inside = |name: &Vec<Ident>| place(here, name).is_some();
            names.iter().any(inside)
                && names.iter().all(|name| inside(name) || parent.shape(name).is_some())
                && names.iter().all(|name| !inside(name) || name.len() > 1 || place(there, name).is_none())
        })
    };
    if only(a, left, right) && only(b, right, left) {
        return Some((a, b));
    }
    (only(b, left, right) && only(a, right, left)).then_some((b, a))
}
