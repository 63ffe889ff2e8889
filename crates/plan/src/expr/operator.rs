//! Operators: logic, comparison, arithmetic, LIKE, IN, BETWEEN.

use super::{At, Filters, Typed, boolean};
use crate::analyzer::Analyzer;
use crate::error::span_of;
use crate::runtime;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{BinaryExpr, InList, Like};
use datafusion::logical_expr::{Case, Expr, Operator, lit};
use model::{Error, Result};
use sql::{SqlType, common_type};
use sqlparser::ast::{BinaryOperator, Expr as Ast, UnaryOperator, Value, ValueWithSpan};

impl Analyzer<'_> {
    pub(super) fn unary(&self, op: UnaryOperator, expr: &Ast, at: At<'_>) -> Result<Typed> {
        match op {
            UnaryOperator::Not => {
                let truth = self.truth(expr, at)?;
                Ok(boolean(Expr::Not(Box::new(truth))))
            }
            UnaryOperator::Plus => self.typed(expr, at),
            UnaryOperator::Minus => {
                if let Ast::Interval(interval) = expr {
                    return self.interval(interval, true);
                }
                // The smallest bigint has no positive counterpart: the sign belongs to the number.
                if let Ast::Value(v) = expr
                    && let Value::Number(text, _) = &v.value
                    && text == "9223372036854775808"
                {
                    return Ok(Typed::new(lit(i64::MIN), SqlType::BigInt));
                }
                let value = self.typed(expr, at)?;
                if let Some(negated) = value.literal().and_then(negated) {
                    return Ok(Typed::new(Expr::Literal(negated, None), value.sql_type));
                }
                if matches!(value.sql_type, SqlType::Double | SqlType::Real) {
                    return Ok(Typed::new(Expr::Negative(Box::new(value.expr)), value.sql_type));
                }
                self.function("$negate", vec![value])
            }
            other => Err(Error::unsupported(format!("operator {other} is not supported"))),
        }
    }

    pub(super) fn binary(&self, left: &Ast, op: &BinaryOperator, right: &Ast, at: At<'_>) -> Result<Typed> {
        match op {
            BinaryOperator::And => {
                let (left, right) = (self.truth(left, at)?, self.truth(right, at)?);
                return Ok(boolean(left.clone().and(guarded(left, right, true))));
            }
            BinaryOperator::Or => {
                let rules = at.rules.at_most(Filters::Passes);
                let at = At { rules: &rules, ..at };
                let (left, right) = (self.truth(left, at)?, self.truth(right, at)?);
                return Ok(boolean(left.clone().or(guarded(left, right, false))));
            }
            _ => {}
        }
        let rules = at.rules.at_most(Filters::Somehow);
        let at = At { rules: &rules, ..at };
        let l = self.typed(left, at)?;
        let r = self.typed(right, at)?;
        if let Some(comparison) = comparison(op) {
            return self.compare(l, comparison, r);
        }
        let (name, operator) = match op {
            BinaryOperator::Plus => ("$add", Operator::Plus),
            BinaryOperator::Minus => ("$subtract", Operator::Minus),
            BinaryOperator::Multiply => ("$multiply", Operator::Multiply),
            BinaryOperator::Divide => ("$divide", Operator::Divide),
            BinaryOperator::Modulo => ("$modulus", Operator::Modulo),
            BinaryOperator::StringConcat => return self.function("$concat", vec![l, r]),
            other => return Err(Error::unsupported(format!("operator {other} is not supported"))),
        };
        // DataFusion's arithmetic on floating point numbers is Trino's.
        if let Some(common @ (SqlType::Double | SqlType::Real)) = common_type(&l.sql_type, &r.sql_type) {
            let (l, r) = (self.cast(l, &common, false)?.expr, self.cast(r, &common, false)?.expr);
            return Ok(Typed::new(binary(l, operator, r), common));
        }
        self.function(name, vec![l, r])
    }

    /// Compares after turning both sides to their common type.
    pub(crate) fn compare(&self, left: Typed, op: Operator, right: Typed) -> Result<Typed> {
        let mismatch = |l: &Typed, r: &Typed| {
            let error = Error::invalid(format!(
                "cannot compare {} with {}: {} {op} {}",
                l.sql_type, r.sql_type, l.sql_type, r.sql_type
            ));
            error.hint(format!("cast one side to the other's type: CAST(… AS {})", l.sql_type))
        };
        let Some(common) = common_type(&left.sql_type, &right.sql_type) else {
            return Err(mismatch(&left, &right));
        };
        let ordering = !matches!(
            op,
            Operator::Eq | Operator::NotEq | Operator::IsDistinctFrom | Operator::IsNotDistinctFrom
        );
        if !common.is_comparable() || (ordering && !common.is_orderable()) {
            return Err(Error::invalid(format!("values of type {common} cannot be compared by {op}")));
        }
        let left = self.cast(left, &common, false)?;
        let right = self.cast(right, &common, false)?;
        if matches!(common, SqlType::Array(_) | SqlType::Map(..) | SqlType::Row(_)) {
            let name = match op {
                Operator::Eq => "$eq",
                Operator::NotEq => "$ne",
                Operator::Lt => "$lt",
                Operator::LtEq => "$lte",
                Operator::Gt => "$gt",
                Operator::GtEq => "$gte",
                Operator::IsDistinctFrom => "$distinct_from",
                _ => {
                    let distinct = self.function("$distinct_from", vec![left, right])?;
                    return Ok(boolean(Expr::Not(Box::new(distinct.expr))));
                }
            };
            return self.function(name, vec![left, right]);
        }
        // DataFusion's equality of floating point numbers knows NaN = NaN and 0.0 <> -0.0. Against an ordinary constant
        // that makes no difference.
        let floats = matches!(common, SqlType::Double | SqlType::Real);
        if floats && !ordinary(&left) && !ordinary(&right) {
            match op {
                Operator::Eq => return self.function("$eq", vec![left, right]),
                Operator::NotEq => return self.function("$ne", vec![left, right]),
                _ => {}
            }
        }
        Ok(boolean(binary(left.expr, op, right.expr)))
    }

    pub(crate) fn equal(&self, left: Typed, right: Typed) -> Result<Expr> {
        Ok(self.compare(left, Operator::Eq, right)?.expr)
    }

    pub(super) fn distinct_from(&self, left: &Ast, right: &Ast, distinct: bool, at: At<'_>) -> Result<Typed> {
        let op = if distinct { Operator::IsDistinctFrom } else { Operator::IsNotDistinctFrom };
        let (left, right) = (self.typed(left, at)?, self.typed(right, at)?);
        self.compare(left, op, right)
    }

    pub(super) fn in_list(&self, expr: &Ast, list: &[Ast], negated: bool, at: At<'_>) -> Result<Typed> {
        let mut values = vec![(self.typed(expr, at)?, span_of(expr))];
        for item in list {
            values.push((self.typed(item, at)?, span_of(item)));
        }
        let (mut exprs, sql_type) = self.unified(values, "IN")?;
        let value = exprs.remove(0);
        if matches!(sql_type, SqlType::Array(_) | SqlType::Map(..) | SqlType::Row(_)) {
            let mut any: Option<Expr> = None;
            for item in exprs {
                let one = self
                    .equal(Typed::new(value.clone(), sql_type.clone()), Typed::new(item, sql_type.clone()))?;
                any = Some(match any {
                    Some(before) => before.or(one),
                    None => one,
                });
            }
            let any = any.unwrap_or_else(|| lit(false));
            return Ok(boolean(if negated { Expr::Not(Box::new(any)) } else { any }));
        }
        Ok(boolean(Expr::InList(InList { expr: Box::new(value), list: exprs, negated })))
    }

    pub(super) fn between(
        &self,
        expr: &Ast,
        low: &Ast,
        high: &Ast,
        negated: bool,
        at: At<'_>,
    ) -> Result<Typed> {
        let value = self.typed(expr, at)?;
        let low = self
            .compare(value.clone(), Operator::GtEq, self.typed(low, at)?)
            .map_err(|e| self.fail(span_of(low), e))?;
        let high = self
            .compare(value, Operator::LtEq, self.typed(high, at)?)
            .map_err(|e| self.fail(span_of(high), e))?;
        let both = low.expr.and(high.expr);
        Ok(boolean(if negated { Expr::Not(Box::new(both)) } else { both }))
    }

    pub(super) fn like(
        &self,
        expr: &Ast,
        pattern: &Ast,
        escape: Option<&ValueWithSpan>,
        negated: bool,
        at: At<'_>,
    ) -> Result<Typed> {
        let value = self.typed(expr, at)?;
        let pattern = self.typed(pattern, at)?;
        for side in [&value, &pattern] {
            if !side.sql_type.is_text() && side.sql_type != SqlType::Unknown {
                return Err(Error::invalid(format!("LIKE compares texts, not {}", side.sql_type))
                    .hint("cast it: CAST(x AS varchar) LIKE …"));
            }
        }
        let value = self.cast(value, &SqlType::VARCHAR, false)?;
        let pattern = self.cast(pattern, &SqlType::VARCHAR, false)?;
        let has_backslash =
            !matches!(pattern.literal(), Some(ScalarValue::Utf8View(Some(p))) if !p.contains('\\'));
        if escape.is_none() && !has_backslash {
            // Without an escape DataFusion's LIKE is Trino's, and its filters reach the files.
            let like = Like::new(negated, Box::new(value.expr), Box::new(pattern.expr), None, false);
            return Ok(boolean(Expr::Like(like)));
        }
        let mut args = vec![value, pattern];
        if let Some(escape) = escape {
            args.push(self.value(&escape.value, at)?);
        }
        let like = self.function("$like", args)?;
        Ok(boolean(if negated { Expr::Not(Box::new(like.expr)) } else { like.expr }))
    }
}

pub(crate) fn binary(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

pub(crate) fn comparison(op: &BinaryOperator) -> Option<Operator> {
    Some(match op {
        BinaryOperator::Eq => Operator::Eq,
        BinaryOperator::NotEq => Operator::NotEq,
        BinaryOperator::Lt => Operator::Lt,
        BinaryOperator::LtEq => Operator::LtEq,
        BinaryOperator::Gt => Operator::Gt,
        BinaryOperator::GtEq => Operator::GtEq,
        _ => return None,
    })
}

/// The right side of AND (or OR), evaluated only where the left side leaves the answer open: `b <> 0 AND a / b > 1`
/// must not fail. Only what can fail is guarded, so that plain conditions still reach the files.
fn guarded(left: Expr, right: Expr, and: bool) -> Expr {
    // Subqueries become joins, which a CASE would keep them from.
    let subquery = runtime::has_subquery(&left)
        || runtime::has_subquery(&right)
        || left.contains_outer()
        || right.contains_outer();
    if subquery || !runtime::can_fail(&right) || runtime::is_volatile(&left) {
        return right;
    }
    let open = if and { left.is_not_false() } else { left.is_not_true() };
    Expr::Case(Case {
        expr: None,
        when_then_expr: vec![(Box::new(open), Box::new(right))],
        else_expr: Some(Box::new(lit(!and))),
    })
}

fn negated(value: &ScalarValue) -> Option<ScalarValue> {
    Some(match value {
        ScalarValue::Int32(Some(v)) => ScalarValue::Int32(Some(v.checked_neg()?)),
        ScalarValue::Int64(Some(v)) if *v == 2_147_483_648 => ScalarValue::Int64(Some(-v)),
        ScalarValue::Int64(Some(v)) => ScalarValue::Int64(Some(v.checked_neg()?)),
        ScalarValue::Float64(Some(v)) => ScalarValue::Float64(Some(-v)),
        ScalarValue::Decimal128(Some(v), p, s) => ScalarValue::Decimal128(Some(-v), *p, *s),
        _ => return None,
    })
}

/// A constant that is a number other than zero.
fn ordinary(value: &Typed) -> bool {
    match value.literal() {
        Some(ScalarValue::Float64(Some(v))) => v.is_finite() && *v != 0.0,
        Some(ScalarValue::Float32(Some(v))) => v.is_finite() && *v != 0.0,
        Some(other) => other.is_null(),
        None => false,
    }
}
