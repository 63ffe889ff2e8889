//! Failures of the engine's streams as the house's own error.

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use model::{Error, ErrorKind};

/// The error that a stream ended with: our own where one is inside, else by its kind.
pub(crate) fn from_stream(error: DataFusionError) -> Error {
    if let Some(own) = own_error(&error) {
        return own;
    }
    let (kind, text) = match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => {
            (ErrorKind::LimitExceeded, "the query needs more memory than it may use")
        }
        DataFusionError::NotImplemented(_) => {
            (ErrorKind::Unsupported, "the query needs something that is not supported")
        }
        DataFusionError::Execution(_) => (ErrorKind::InvalidInput, "the query failed"),
        DataFusionError::ArrowError(inner, _) => match inner.as_ref() {
            ArrowError::DivideByZero
            | ArrowError::ArithmeticOverflow(_)
            | ArrowError::CastError(_)
            | ArrowError::ComputeError(_)
            | ArrowError::ParseError(_) => (ErrorKind::InvalidInput, "the query failed"),
            _ => (ErrorKind::Internal, "the query failed"),
        },
        DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) => {
            (ErrorKind::Unavailable, "the query's data could not be read")
        }
        _ => (ErrorKind::Internal, "the query failed"),
    };
    Error::new(kind, text).source_is(error)
}

fn own_error(error: &DataFusionError) -> Option<Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(own) = inner.downcast_ref::<Error>() {
            return Some(own.clone());
        }
        cause = inner.source();
    }
    None
}
