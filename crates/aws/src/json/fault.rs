//! Errors in JSON.

use super::Encoding;
use crate::fault::{Fault, sentence};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use model::{Error, ErrorKind};
use serde_json::json;

/// An error of ours for which a service has a code of its own.
#[derive(Debug)]
pub(crate) struct Failed {
    error: Error,
    code: Option<&'static str>,
}

/// What an operation answers that knows such codes.
pub(crate) type Answered<T> = Result<T, Failed>;

impl Failed {
    /// The error under this code.
    pub(crate) fn coded(code: &'static str, error: Error) -> Self {
        Self { error, code: Some(code) }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, code: None }
    }
}

/// A service's error for one of our kinds.
pub(crate) type Codes = fn(ErrorKind) -> &'static str;

/// Our error in the words of a service.
pub(crate) fn of_error(error: &Error, codes: Codes) -> Fault {
    let status = match error.kind() {
        ErrorKind::Internal | ErrorKind::Corrupt => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    if status.is_server_error() {
        tracing::warn!(error = ?error, "a request failed");
    }
    Fault::new(status, codes(error.kind()), sentence(error))
}

/// The same for an error that may have its own code.
pub(super) fn of_failed(failed: &Failed, codes: Codes) -> Fault {
    let mut fault = of_error(&failed.error, codes);
    if let Some(code) = failed.code {
        fault.code = code.into();
    }
    fault
}

/// An error as its request was written. Services write `message` or `Message`; SDKs read either.
pub(crate) fn write_fault(fault: &Fault, encoding: Encoding) -> Response<s3s::Body> {
    let body = json!({ "__type": fault.code, "message": fault.message, "Message": fault.message });
    // Texts can always be written; without them, the code still stands in the header.
    let bytes = encoding.write(&body).unwrap_or_default();
    let mut response = Response::new(s3s::Body::from(bytes));
    *response.status_mut() = fault.status;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, encoding.content_type("application/x-amz-json-1.1"));
    if let Ok(code) = HeaderValue::try_from(fault.code.as_ref()) {
        headers.insert(HeaderName::from_static("x-amzn-errortype"), code);
    }
    response
}
