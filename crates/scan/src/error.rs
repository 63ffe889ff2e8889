//! Errors on their way into DataFusion and out of it: the one place where either is turned into the other.

use arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use datafusion::parquet::errors::ParquetError;
use model::{Error, ErrorKind};

/// One of our errors, carried through DataFusion until [`error`] takes it out again.
pub fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// What DataFusion says, as the house says it: an error of ours that it carried comes out as it went in.
pub fn error(e: DataFusionError) -> Error {
    if let Some(ours) = carried(&e) {
        return ours;
    }
    match e {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => error(*inner),
        DataFusionError::Shared(inner) => match std::sync::Arc::try_unwrap(inner) {
            Ok(inner) => error(inner),
            Err(shared) => plain(ErrorKind::InvalidInput, &shared.strip_backtrace()),
        },
        DataFusionError::Collection(errors) => match errors.into_iter().next() {
            Some(first) => error(first),
            None => Error::internal("the query failed without saying why"),
        },
        DataFusionError::ArrowError(inner, _) => arrow(*inner),
        DataFusionError::ParquetError(inner) => parquet(*inner),
        DataFusionError::ObjectStore(inner) => Error::unavailable("the storage failed").source_is(*inner),
        DataFusionError::IoError(inner) => {
            Error::unavailable("a disk or network call failed").source_is(inner)
        }
        DataFusionError::ExecutionJoin(inner) if inner.is_cancelled() => Error::cancelled(),
        DataFusionError::ExecutionJoin(inner) => {
            Error::internal("a task of the query broke off").source_is(*inner)
        }
        DataFusionError::ResourcesExhausted(text) => exhausted(&text),
        DataFusionError::NotImplemented(text) => plain(ErrorKind::Unsupported, &text),
        DataFusionError::Execution(text) => plain(ErrorKind::InvalidInput, &text),
        DataFusionError::Configuration(text) => plain(ErrorKind::InvalidInput, &text),
        DataFusionError::Internal(text) | DataFusionError::Plan(text) => plain(ErrorKind::Internal, &text),
        other => plain(ErrorKind::Internal, &other.strip_backtrace()),
    }
}

/// Our error somewhere among the causes.
pub(crate) fn carried(e: &(dyn std::error::Error + 'static)) -> Option<Error> {
    if let Some(ours) = e.downcast_ref::<Error>() {
        return Some(ours.clone());
    }
    if let Some(e) = e.downcast_ref::<DataFusionError>() {
        return match e {
            DataFusionError::External(inner) => carried(inner.as_ref()),
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => {
                carried(inner.as_ref())
            }
            DataFusionError::Shared(inner) => carried(inner.as_ref()),
            DataFusionError::Collection(all) => all.iter().find_map(|one| carried(one)),
            DataFusionError::ArrowError(inner, _) => carried(inner.as_ref()),
            DataFusionError::ParquetError(inner) => carried(inner.as_ref()),
            DataFusionError::ObjectStore(inner) => carried(inner.as_ref()),
            DataFusionError::IoError(inner) => inner.get_ref().and_then(|inner| carried(inner)),
            _ => None,
        };
    }
    if let Some(ArrowError::ExternalError(inner)) = e.downcast_ref::<ArrowError>() {
        return carried(inner.as_ref());
    }
    if let Some(ParquetError::External(inner)) = e.downcast_ref::<ParquetError>() {
        return carried(inner.as_ref());
    }
    e.source().and_then(carried)
}

fn arrow(e: ArrowError) -> Error {
    match e {
        ArrowError::DivideByZero => Error::invalid("division by zero"),
        ArrowError::CastError(text)
        | ArrowError::ComputeError(text)
        | ArrowError::ArithmeticOverflow(text)
        | ArrowError::ParseError(text)
        | ArrowError::InvalidArgumentError(text) => plain(ErrorKind::InvalidInput, &text),
        ArrowError::NotYetImplemented(text) => plain(ErrorKind::Unsupported, &text),
        ArrowError::IoError(_, inner) => Error::unavailable("a disk or network call failed").source_is(inner),
        ArrowError::MemoryError(text) => exhausted(&text),
        ArrowError::ParquetError(text) => corrupt(&text),
        other => plain(ErrorKind::Internal, &other.to_string()),
    }
}

fn parquet(e: ParquetError) -> Error {
    match e {
        ParquetError::General(text) | ParquetError::EOF(text) | ParquetError::ArrowError(text) => {
            corrupt(&text)
        }
        ParquetError::NYI(text) => plain(ErrorKind::Unsupported, &text),
        other => corrupt(&other.to_string()),
    }
}

fn corrupt(text: &str) -> Error {
    Error::corrupt("the file cannot be read")
        .why(first_line(text))
        .hint("the file is damaged or was cut short: write it again, or move it out of the table's folder")
}

fn exhausted(text: &str) -> Error {
    Error::new(ErrorKind::LimitExceeded, "the query needs more memory than it may use")
        .why(shortage(text))
        .hint("read fewer columns or rows, or raise the memory limit")
}

/// Who wanted how much, and who has most of the rest.
fn shortage(text: &str) -> String {
    let (holders, wanted) = match text.split_once("\nError: ") {
        Some((holders, wanted)) => (holders, wanted),
        None => ("", text),
    };
    let mut why = first_line(wanted).to_owned();
    for holder in holders.lines().skip(1).take(4) {
        why.push_str("; ");
        why.push_str(holder.trim().trim_end_matches([',', '.']));
    }
    why
}

/// DataFusion's sentence as ours: one line, lower case, no full stop.
fn plain(kind: ErrorKind, text: &str) -> Error {
    let line = first_line(text);
    let line = line.trim_end_matches('.');
    let mut chars = line.chars();
    let message = match (chars.next(), chars.next()) {
        // Words such as `SUM` keep their capitals.
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(line.chars().skip(1)).collect()
        }
        _ => line.to_owned(),
    };
    Error::new(kind, message)
}

fn first_line(text: &str) -> String {
    let text = text.split("\n\nbacktrace:").next().unwrap_or(text);
    let line: String = text.lines().next().unwrap_or_default().chars().take(500).collect();
    if line.is_empty() { "no reason was given".to_owned() } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_errors_come_out_as_they_went_in() {
        let ours = Error::corrupt("bad magic").at(model::Place::object("s3://b/k"));
        let wrapped = DataFusionError::Context(
            "reading".into(),
            Box::new(DataFusionError::ParquetError(Box::new(ParquetError::External(Box::new(ours.clone()))))),
        );
        assert_eq!(error(wrapped).to_string(), ours.to_string());
        let shared = DataFusionError::Shared(std::sync::Arc::new(external(ours.clone())));
        assert_eq!(error(shared).kind(), ErrorKind::Corrupt);
        let arrow = DataFusionError::ArrowError(Box::new(ArrowError::ExternalError(Box::new(ours))), None);
        assert_eq!(error(arrow).to_string(), "bad magic (s3://b/k)");
    }

    #[test]
    fn theirs_are_told_in_our_words() {
        let text = "Cannot do it.\n\nbacktrace: 0: secret";
        assert_eq!(error(DataFusionError::Execution(text.into())).message(), "cannot do it");
        let memory = error(DataFusionError::ResourcesExhausted("Failed to allocate".into()));
        assert_eq!(memory.kind(), ErrorKind::LimitExceeded);
        let zero = DataFusionError::ArrowError(Box::new(ArrowError::DivideByZero), None);
        assert_eq!(error(zero).message(), "division by zero");
    }
}
