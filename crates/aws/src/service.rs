//! Which service a request is for, and so in which words it is answered.

use crate::fault::Family;
use crate::signature::{Claim, query_pairs};
use http::Method;
use http::header::CONTENT_TYPE;
use http::request::Parts;

/// Services that speak a query protocol.
const QUERY: [&str; 3] = ["sts", "iam", "cloudformation"];

/// The service that a request means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Service {
    /// Objects.
    S3,
    /// A form with an `Action`.
    Query,
    /// JSON with the operation's name in `x-amz-target`.
    Json {
        /// The part before the dot, such as `AWSGlue`.
        target: String,
        /// The part behind it.
        operation: String,
    },
    /// A service of that name, of which nothing is served here.
    Other(String),
}

impl Service {
    /// By the signature's scope, else by the target, else by an `Action`; what is left is S3.
    pub(crate) fn of(parts: &Parts, claim: Option<&Claim>) -> Self {
        let signed_for = claim.map(|claim| claim.scope.service.as_str());
        if signed_for == Some("s3") {
            return Self::S3;
        }
        if let Some(target) = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
            let (target, operation) = target.rsplit_once('.').unwrap_or(("", target));
            return Self::Json { target: target.to_owned(), operation: operation.to_owned() };
        }
        let has_action =
            || query_pairs(parts.uri.query().unwrap_or_default()).any(|(name, _)| name == b"Action");
        let is_form = || {
            let kind =
                parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
            parts.method == Method::POST && kind.starts_with("application/x-www-form-urlencoded")
        };
        match signed_for {
            Some(name) if QUERY.contains(&name) => Self::Query,
            Some(name) => Self::Other(name.to_owned()),
            None if has_action() || (is_form() && parts.uri.path() == "/") => Self::Query,
            None => Self::S3,
        }
    }

    /// The words in which it is answered.
    pub(crate) fn family(&self) -> Family {
        match self {
            Self::S3 => Family::S3,
            Self::Query => Family::Query,
            Self::Json { .. } | Self::Other(_) => Family::Json,
        }
    }
}
