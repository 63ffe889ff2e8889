//! Casts: one value turned into another type, with Trino's rules and Trino's errors.

use model::Error;

/// An error of Arrow's as one of ours; one that our own kernels raised inside keeps what it says.
pub fn arrow_error(error: arrow::error::ArrowError) -> Error {
    match error {
        arrow::error::ArrowError::ExternalError(inner) => match inner.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(other) => Error::internal(other.to_string()),
        },
        other => Error::invalid(other.to_string()),
    }
}
