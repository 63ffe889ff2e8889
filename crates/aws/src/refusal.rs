//! Why a request is turned away before any service sees it. Each protocol has its own words for these, see `fault`.

use crate::body::BodyError;
use chrono::{DateTime, Utc};

/// A reason to turn a request away.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    /// It is not signed.
    Unsigned,
    /// It is signed in a way that cannot be read.
    Malformed(String),
    /// Nobody knows this key.
    UnknownKey(String),
    /// A temporary key came without its session token.
    MissingToken(String),
    /// The session token is not one of ours, or not this key's.
    WrongToken(String),
    /// The session is over.
    SessionOver {
        /// When it ended.
        at: DateTime<Utc>,
        /// The time here.
        server: DateTime<Utc>,
    },
    /// The signature is not the one that the key's secret gives.
    Mismatch {
        /// What was hashed.
        canonical: String,
        /// What was signed.
        string_to_sign: String,
    },
    /// A header that matters is not signed.
    UnsignedHeader(String),
    /// The clocks are too far apart.
    Skewed {
        /// The time that the request names.
        request: DateTime<Utc>,
        /// The time here.
        server: DateTime<Utc>,
    },
    /// A presigned URL is over.
    Expired {
        /// When it ended.
        at: DateTime<Utc>,
        /// The time here.
        server: DateTime<Utc>,
    },
    /// The body did not arrive as it was announced.
    Body(BodyError),
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl Refusal {
    /// The sentence for the caller.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Unsigned => {
                "the request is not signed: sign it with an access key (signature version 4)".to_owned()
            }
            Self::Malformed(text) => text.clone(),
            Self::UnknownKey(key) => {
                format!("there is no access key `{key}`: use one of aws.keys in the server's configuration")
            }
            Self::MissingToken(key) => format!(
                "the access key `{key}` is a temporary one, which comes with its session token: set \
                 AWS_SESSION_TOKEN beside it (the header x-amz-security-token)"
            ),
            Self::WrongToken(text) => text.clone(),
            Self::SessionOver { at, server } => format!(
                "The security token included in the request is expired: the session held until {}, the time here is {}",
                at.format("%Y-%m-%dT%H:%M:%SZ"),
                server.format("%Y-%m-%dT%H:%M:%SZ")
            ),
            Self::Mismatch { canonical, string_to_sign } => format!(
                "the signature is not the one of this request and key: check the secret key and the method of \
                 signing.\nThe canonical request should have been\n{canonical}\nand the text to sign\n{string_to_sign}"
            ),
            Self::UnsignedHeader(name) => format!("the header `{name}` is in the request, but not signed"),
            Self::Skewed { request, server } => format!(
                "Signature expired or not yet current: the request is of {}, the time here is {}; the difference must \
                 be at most 15 minutes, so check the clocks",
                request.format("%Y%m%dT%H%M%SZ"),
                server.format("%Y%m%dT%H%M%SZ")
            ),
            Self::Expired { at, server } => format!(
                "Request has expired: the URL held until {}, the time here is {}",
                at.format("%Y-%m-%dT%H:%M:%SZ"),
                server.format("%Y-%m-%dT%H:%M:%SZ")
            ),
            Self::Body(error) => error.to_string(),
        }
    }
}
