//! Our functions as DataFusion runs them: scalar calls, casts, lambdas, aggregates.

mod aggregate;
mod buffered;
mod call;
mod groups;
mod lambda;
mod preimage;

pub(crate) use aggregate::{AggregateParts, aggregate_call, grouping, over_keys, single_value};
pub(crate) use call::{cast_call, map_entries, positions, scalar_call, try_call};
pub(crate) use lambda::{LambdaArg, lambda};

use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::{Expr, Volatility};
use functions::Session;
use model::Result;
use sql::SqlType;
use std::sync::Arc;

/// A cast for plans that are made without SQL: the value must be castable.
pub fn cast_expr(expr: Expr, from: &SqlType, to: &SqlType, session: &Arc<Session>) -> Result<Expr> {
    if from == to {
        return Ok(expr);
    }
    if !functions::cast::is_castable(from, to) {
        return Err(model::Error::invalid(format!("cannot cast {from} to {to}")));
    }
    if functions::cast::is_plain(from, to) {
        return Ok(Expr::Cast(datafusion::logical_expr::Cast::new(Box::new(expr), to.to_arrow())));
    }
    Ok(cast_call(expr, from, to, false, session))
}

/// Whether evaluating the expression on some row may be an error.
pub(crate) fn can_fail(expr: &Expr) -> bool {
    expr.exists(|e| {
        Ok(match e {
            Expr::ScalarFunction(f) => {
                let function = f.func.inner();
                function.downcast_ref::<call::ScalarCall>().is_some_and(|call| call.can_fail(&f.args))
                    || function.downcast_ref::<call::CastCall>().is_some_and(call::CastCall::can_fail)
            }
            _ => false,
        })
    })
    .unwrap_or(true)
}

pub(crate) fn is_volatile(expr: &Expr) -> bool {
    expr.exists(|e| {
        Ok(matches!(e, Expr::ScalarFunction(f) if f.func.signature().volatility == Volatility::Volatile))
    })
    .unwrap_or(true)
}

pub(crate) fn has_subquery(expr: &Expr) -> bool {
    expr.exists(|e| {
        Ok(matches!(
            e,
            Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_)
        ))
    })
    .unwrap_or(true)
}
