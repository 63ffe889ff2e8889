//! Our errors in S3's words.

use crate::body::BodyError;
use crate::fault::{Family, Fault, sentence};
use http::Response;
use lake::Lake;
use model::{Error, ErrorKind, LakeUri};
use s3s::{S3Error, S3ErrorCode};

/// What an operation was about, for the code of what is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About<'a> {
    Bucket,
    Object(&'a LakeUri),
    Upload(&'a LakeUri),
}

/// Something that S3 has and this does not.
pub(super) fn refused(what: &str) -> S3Error {
    S3Error::with_message(S3ErrorCode::NotImplemented, format!("{what} is not supported here"))
}

/// Our error in S3's words. A missing bucket is told from a missing key by looking.
pub(super) async fn failed(lake: &Lake, about: About<'_>, error: Error) -> S3Error {
    let code = match (error.kind(), about) {
        (ErrorKind::NotFound, About::Bucket) => S3ErrorCode::NoSuchBucket,
        (ErrorKind::NotFound, About::Object(uri) | About::Upload(uri)) => {
            match lake.bucket_exists(uri.bucket()).await {
                Ok(false) => S3ErrorCode::NoSuchBucket,
                _ if matches!(about, About::Upload(_)) => S3ErrorCode::NoSuchUpload,
                _ => S3ErrorCode::NoSuchKey,
            }
        }
        (ErrorKind::AlreadyExists, About::Bucket) => S3ErrorCode::BucketAlreadyOwnedByYou,
        (ErrorKind::AlreadyExists | ErrorKind::PreconditionFailed, _) => S3ErrorCode::PreconditionFailed,
        (ErrorKind::Conflict, _) => S3ErrorCode::OperationAborted,
        (ErrorKind::InvalidInput, _) => S3ErrorCode::InvalidRequest,
        (ErrorKind::Denied, _) => S3ErrorCode::AccessDenied,
        (ErrorKind::LimitExceeded, _) => S3ErrorCode::EntityTooLarge,
        (ErrorKind::Unsupported, _) => S3ErrorCode::NotImplemented,
        (ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Cancelled, _) => {
            S3ErrorCode::ServiceUnavailable
        }
        (ErrorKind::Corrupt | ErrorKind::Internal, _) => S3ErrorCode::InternalError,
    };
    coded(code, &error)
}

/// Our error under a code that the operation knows.
pub(super) fn coded(code: S3ErrorCode, error: &Error) -> S3Error {
    if matches!(code, S3ErrorCode::InternalError | S3ErrorCode::ServiceUnavailable) {
        tracing::warn!(error = ?error, "an S3 request failed");
    }
    S3Error::with_message(code, sentence(error))
}

/// What went wrong while a body was read.
pub(super) fn broken_body(error: &s3s::StdError) -> S3Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error.as_ref());
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<BodyError>() {
            return from_fault(&Fault::body(error, Family::S3));
        }
        cause = error.source();
    }
    S3Error::with_message(S3ErrorCode::IncompleteBody, format!("the body could not be read: {error}"))
}

fn from_fault(fault: &Fault) -> S3Error {
    let code = S3ErrorCode::from_bytes(fault.code.as_bytes());
    let code = code.unwrap_or_else(|| S3ErrorCode::Custom(fault.code.to_string().into()));
    let mut error = S3Error::with_message(code, fault.message.clone());
    error.set_status_code(fault.status);
    error
}

/// A refusal as an answer of S3.
pub(crate) fn respond(fault: &Fault) -> Response<s3s::Body> {
    from_fault(fault).to_http_response().unwrap_or_else(|_| {
        let mut response = Response::new(s3s::Body::empty());
        *response.status_mut() = fault.status;
        response
    })
}
