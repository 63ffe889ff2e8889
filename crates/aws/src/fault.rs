//! A failed request as a protocol's error: its code, status and sentence. How they are written down is the protocols'
//! own (`s3`, `query`, `json`).

use crate::body::BodyError;
use crate::refusal::Refusal;
use http::StatusCode;
use model::Error;
use std::borrow::Cow;

/// The error codes of one family of services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// S3's XML.
    S3,
    /// Form in, XML out: STS, IAM.
    Query,
    /// JSON: Glue, Athena, CloudWatch Logs, …
    Json,
}

/// An error as a client will see it.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    /// A mistake of the caller's.
    pub(crate) fn bad(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// A refusal in the words of a family.
    pub(crate) fn refused(refusal: &Refusal, family: Family) -> Self {
        use Family::{Json, Query, S3};
        let code = match (refusal, family) {
            (Refusal::Unsigned, S3) => "AccessDenied",
            (Refusal::Unsigned, Query) => "MissingAuthenticationToken",
            (Refusal::Unsigned, Json) => "MissingAuthenticationTokenException",
            (Refusal::Malformed(_), S3) => "AuthorizationHeaderMalformed",
            (Refusal::Malformed(_), Query) => "IncompleteSignature",
            (Refusal::Malformed(_), Json) => "IncompleteSignatureException",
            (Refusal::UnknownKey(_) | Refusal::MissingToken(_), S3) => "InvalidAccessKeyId",
            (Refusal::WrongToken(_), S3) => "InvalidToken",
            (Refusal::UnknownKey(_) | Refusal::MissingToken(_) | Refusal::WrongToken(_), Query) => {
                "InvalidClientTokenId"
            }
            (Refusal::UnknownKey(_) | Refusal::MissingToken(_) | Refusal::WrongToken(_), Json) => {
                "UnrecognizedClientException"
            }
            (Refusal::SessionOver { .. }, S3 | Query) => "ExpiredToken",
            (Refusal::SessionOver { .. }, Json) => "ExpiredTokenException",
            (Refusal::UnsignedHeader(_), S3) => "AccessDenied",
            (Refusal::Skewed { .. }, S3) => "RequestTimeTooSkewed",
            (Refusal::Expired { .. }, S3) => "AccessDenied",
            (Refusal::Mismatch { .. }, S3) => "SignatureDoesNotMatch",
            (
                Refusal::UnsignedHeader(_)
                | Refusal::Skewed { .. }
                | Refusal::Expired { .. }
                | Refusal::Mismatch { .. },
                Query,
            ) => "SignatureDoesNotMatch",
            (
                Refusal::UnsignedHeader(_)
                | Refusal::Skewed { .. }
                | Refusal::Expired { .. }
                | Refusal::Mismatch { .. },
                Json,
            ) => "InvalidSignatureException",
            (Refusal::Body(error), family) => return Self::body(error, family),
        };
        let status = match (refusal, family) {
            (Refusal::Malformed(_), _) | (_, Json) => StatusCode::BAD_REQUEST,
            (Refusal::WrongToken(_) | Refusal::SessionOver { .. }, S3) => StatusCode::BAD_REQUEST,
            _ => StatusCode::FORBIDDEN,
        };
        Self::new(status, code, refusal.message())
    }

    /// A body that did not arrive as announced.
    pub(crate) fn body(error: &BodyError, family: Family) -> Self {
        let code = match (error, family) {
            (BodyError::Hash, Family::S3) => "XAmzContentSHA256Mismatch",
            (BodyError::Hash | BodyError::ChunkSignature, Family::Json) => "InvalidSignatureException",
            (BodyError::Hash, Family::Query) | (BodyError::ChunkSignature, _) => "SignatureDoesNotMatch",
            (BodyError::Checksum(_), _) => "BadDigest",
            (BodyError::TooLarge(_), Family::S3) => "MaxMessageLengthExceeded",
            (BodyError::TooLarge(_), _) => "RequestEntityTooLarge",
            (BodyError::TooSlow, _) => "RequestTimeout",
            (BodyError::Incomplete(_), Family::S3) => "IncompleteBody",
            (BodyError::Malformed(_), Family::S3) => "InvalidRequest",
            (BodyError::Incomplete(_) | BodyError::Malformed(_), _) => "SerializationException",
        };
        let status = match error {
            BodyError::ChunkSignature if family != Family::Json => StatusCode::FORBIDDEN,
            BodyError::TooLarge(_) if family != Family::S3 => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, code, error.to_string())
    }
}

/// An error of ours as one text: what, where, why and what to do.
pub(crate) fn sentence(error: &Error) -> String {
    let diagnosis = error.diagnosis();
    let mut text = error.to_string();
    if let Some(why) = &diagnosis.why {
        text.push_str(": ");
        text.push_str(why);
    }
    for hint in diagnosis.hints.iter().filter(|hint| !hint.is_empty()) {
        text.push_str("; ");
        text.push_str(hint);
    }
    text
}
