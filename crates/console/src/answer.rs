//! Errors as answers: the diagnosis as JSON, with the status of its kind.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use model::{Error, ErrorKind};

/// An error on its way to the browser.
pub(crate) struct Failure(pub(crate) Error);

/// What handlers give.
pub(crate) type Answer<T> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match self.0.kind() {
            ErrorKind::Internal | ErrorKind::Corrupt => StatusCode::INTERNAL_SERVER_ERROR,
            ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Conflict | ErrorKind::AlreadyExists => StatusCode::CONFLICT,
            ErrorKind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            ErrorKind::Denied => StatusCode::FORBIDDEN,
            ErrorKind::LimitExceeded => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::BAD_REQUEST,
        };
        (status, axum::Json(self.0.diagnosis())).into_response()
    }
}
