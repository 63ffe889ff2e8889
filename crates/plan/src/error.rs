//! Errors with the place in the text they belong to.

use datafusion::common::{DataFusionError, SchemaError};
use model::Error;
use sql::Source;
use sqlparser::ast::{Expr, Spanned};
use sqlparser::tokenizer::Span;

/// Attaches the place unless the error has one from deeper inside.
pub(crate) fn place(error: Error, source: &Source, span: Span) -> Error {
    if span.start.line == 0 {
        return error;
    }
    error.at_if_unknown(|| sql::at(source, span).into())
}

/// Where an expression stands.
pub(crate) fn span_of(expr: &Expr) -> Span {
    expr.span()
}

/// An error of DataFusion's as one of ours. What our own code raised inside comes out as it went in.
pub fn from_datafusion(error: DataFusionError) -> Error {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(other) => match other.downcast::<DataFusionError>() {
                Ok(theirs) => from_datafusion(*theirs),
                Err(other) => Error::internal(other.to_string()),
            },
        },
        DataFusionError::ArrowError(inner, _) => functions::cast::arrow_error(*inner),
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => from_datafusion(*inner),
        DataFusionError::Shared(inner) => Error::invalid(inner.strip_backtrace()),
        DataFusionError::Collection(mut all) if !all.is_empty() => from_datafusion(all.swap_remove(0)),
        DataFusionError::NotImplemented(what) => Error::unsupported(what),
        DataFusionError::SchemaError(inner, _) => match *inner {
            SchemaError::FieldNotFound { field, .. } => {
                Error::internal(format!("column {field} got lost in the plan"))
            }
            other => Error::internal(other.to_string()),
        },
        other => Error::invalid(other.strip_backtrace()),
    }
}

/// Our error on its way through DataFusion.
pub(crate) fn to_datafusion(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
