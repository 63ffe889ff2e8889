//! Casts, written and implied.

use super::{At, Typed};
use crate::analyzer::Analyzer;
use crate::error::span_of;
use crate::runtime;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Cast, Expr};
use functions::cast::{is_castable, is_plain};
use model::{Error, Result};
use sql::SqlType;
use sqlparser::ast::{CastKind, DataType, Expr as Ast};

impl Analyzer<'_> {
    pub(super) fn cast_ast(
        &self,
        kind: &CastKind,
        expr: &Ast,
        data_type: &DataType,
        at: At<'_>,
    ) -> Result<Typed> {
        let wanted = sql::type_of(data_type)?;
        let value = self.typed(expr, at)?;
        let lenient = matches!(kind, CastKind::TryCast | CastKind::SafeCast);
        self.cast(value, &wanted, lenient).map_err(|e| self.fail(span_of(expr), e))
    }

    /// The value as one of this type. With `lenient`, what cannot be converted becomes NULL.
    pub(crate) fn cast(&self, value: Typed, wanted: &SqlType, lenient: bool) -> Result<Typed> {
        let from = &value.sql_type;
        if from == wanted {
            return Ok(value);
        }
        if *from == SqlType::Unknown {
            self.learn(&value.expr, wanted);
            let null = ScalarValue::try_from(&wanted.to_arrow()).map_err(crate::error::from_datafusion)?;
            return Ok(Typed::new(Expr::Literal(null, None), wanted.clone()));
        }
        if !is_castable(from, wanted) {
            return Err(Error::invalid(format!("cannot cast {from} to {wanted}")));
        }
        if let Some(literal) = value.literal() {
            let expr = self.cast_literal(literal, from, wanted, lenient)?;
            return Ok(Typed::new(expr, wanted.clone()));
        }
        let expr = if is_plain(from, wanted) {
            if from.to_arrow() == wanted.to_arrow() {
                value.expr
            } else {
                Expr::Cast(Cast::new(Box::new(value.expr), wanted.to_arrow()))
            }
        } else {
            runtime::cast_call(value.expr, from, wanted, lenient, &self.session)
        };
        Ok(Typed::new(expr, wanted.clone()))
    }
}
