//! Errors in JSON.

use crate::fault::{Fault, sentence};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use model::{Error, ErrorKind};
use serde_json::json;

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

/// An error as JSON. Services write `message` or `Message`; SDKs read either.
pub(crate) fn write_fault(fault: &Fault) -> Response<s3s::Body> {
    let body = json!({ "__type": fault.code, "message": fault.message, "Message": fault.message });
    let mut response = Response::new(s3s::Body::from(body.to_string()));
    *response.status_mut() = fault.status;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    if let Ok(code) = HeaderValue::try_from(fault.code.as_ref()) {
        headers.insert(HeaderName::from_static("x-amzn-errortype"), code);
    }
    response
}
