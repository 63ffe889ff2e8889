//! Aggregates of the interpreter.

use super::functions;
use super::meter::{MAX_VALUE, too_large};
use super::query::{Run, Scope, unsupported};
use super::value::Value;
use crate::fault::Fault;
use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments,
};
use std::cmp::Ordering;
use std::collections::HashSet;

const NAMES: [&str; 11] = [
    "count",
    "min",
    "max",
    "sum",
    "array_agg",
    "string_agg",
    "bool_and",
    "bool_or",
    "every",
    "json_agg",
    "avg",
];

/// Whether it is the name of one.
pub(super) fn is_aggregate(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Whether one stands in an expression, outside of queries inside it.
pub(super) fn is_in(expression: &Expr) -> bool {
    match expression {
        Expr::Function(function) => {
            (function.over.is_none() && is_aggregate(&functions::name_of(function)))
                || functions::arguments(function).is_ok_and(|all| all.into_iter().any(is_in))
        }
        Expr::Cast { expr, .. }
        | Expr::Nested(expr)
        | Expr::Collate { expr, .. }
        | Expr::UnaryOp { expr, .. }
        | Expr::IsNull(expr)
        | Expr::IsNotNull(expr) => is_in(expr),
        Expr::BinaryOp { left, right, .. } => is_in(left) || is_in(right),
        Expr::Case { conditions, else_result, .. } => {
            conditions.iter().any(|when| is_in(&when.condition) || is_in(&when.result))
                || else_result.as_deref().is_some_and(is_in)
        }
        Expr::CompoundFieldAccess { root, .. } => is_in(root),
        _ => false,
    }
}

/// The value of an aggregate over the rows of its group.
pub(super) fn value(
    run: &Run<'_>,
    function: &Function,
    name: &str,
    scope: &Scope<'_>,
) -> Result<Value, Fault> {
    let rows = scope.group.unwrap_or_default();
    let FunctionArguments::List(list) = &function.args else {
        return Err(unsupported(format!("{name} without arguments")));
    };
    let counts_rows = matches!(list.args.as_slice(), [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]);
    let arguments = if counts_rows { Vec::new() } else { functions::arguments(function)? };
    let order = list.clauses.iter().find_map(|clause| match clause {
        FunctionArgumentClause::OrderBy(order) => Some(order.as_slice()),
        _ => None,
    });
    let mut found: Vec<(Vec<Value>, Value, Value)> = Vec::new();
    let mut count = 0_i64;
    for row in rows {
        let scope = Scope { row, group: None, ..*scope };
        if let Some(filter) = &function.filter
            && !run.value(filter, &scope)?.is_true()
        {
            continue;
        }
        count += 1;
        let Some(first) = arguments.first() else { continue };
        let value = run.value(first, &scope)?;
        let separator = arguments.get(1).map(|e| run.value(e, &scope)).transpose()?.unwrap_or(Value::Null);
        let keys = order.unwrap_or_default().iter().map(|by| run.value(&by.expr, &scope));
        found.push((keys.collect::<Result<_, _>>()?, value, separator));
    }
    if counts_rows {
        return Ok(Value::Int(count));
    }
    if let Some(order) = order {
        found.sort_by(|a, b| {
            let pairs = a.0.iter().zip(&b.0).zip(order);
            for ((a, b), by) in pairs {
                let ordering = a.compare(b).ok().flatten().unwrap_or(Ordering::Equal);
                let ordering = if by.options.asc == Some(false) { ordering.reverse() } else { ordering };
                if ordering != Ordering::Equal {
                    return ordering;
                }
            }
            Ordering::Equal
        });
    }
    if list.duplicate_treatment == Some(DuplicateTreatment::Distinct) {
        let mut seen = HashSet::new();
        let mut kept = Vec::new();
        for one in found {
            if seen.insert(run.key(&one.1)?) {
                kept.push(one);
            }
        }
        found = kept;
    }
    if name == "array_agg" || name == "json_agg" {
        let all: Vec<Value> = found.into_iter().map(|(_, value, _)| value).collect();
        return Ok(if all.is_empty() { Value::Null } else { Value::List(all.into()) });
    }
    found.retain(|(_, value, _)| !value.is_null());
    let values = found.iter().map(|(_, value, _)| value);
    Ok(match name {
        "count" => Value::Int(i64::try_from(found.len()).unwrap_or(i64::MAX)),
        "min" | "max" => {
            let mut best = Value::Null;
            for value in values {
                let wanted = if name == "min" { Ordering::Less } else { Ordering::Greater };
                if best.is_null() || value.compare(&best)? == Some(wanted) {
                    best = value.clone();
                }
            }
            best
        }
        "sum" => {
            let all: Option<Vec<i64>> = values.map(Value::as_int).collect();
            let all = all.ok_or_else(|| unsupported("sum of what is no whole number"))?;
            if all.is_empty() {
                Value::Null
            } else {
                Value::Int(all.iter().fold(0, |a, b| a.saturating_add(*b)))
            }
        }
        "bool_and" | "every" => {
            if found.is_empty() {
                Value::Null
            } else {
                values.clone().all(Value::is_true).into()
            }
        }
        "bool_or" => {
            if found.is_empty() {
                Value::Null
            } else {
                values.clone().any(Value::is_true).into()
            }
        }
        "string_agg" => {
            let mut text = String::new();
            for (at, (_, value, separator)) in found.iter().enumerate() {
                if at > 0 {
                    text.push_str(&separator.text().unwrap_or_default());
                }
                text.push_str(&value.text().unwrap_or_default());
                if text.len() > MAX_VALUE {
                    return Err(too_large());
                }
            }
            if found.is_empty() { Value::Null } else { Value::from(text) }
        }
        other => return Err(unsupported(format!("the aggregate {other}"))),
    })
}
