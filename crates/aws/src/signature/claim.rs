//! What a request says about its signature, in the `Authorization` header or in its URL.

use super::ALGORITHM;
use super::canonical::query_pairs;
use crate::refusal::Refusal;
use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use http::HeaderMap;
use http::request::Parts;
use std::collections::HashMap;

/// `KEY/20250131/eu-central-1/s3/aws4_request`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) key: String,
    pub(crate) date: String,
    pub(crate) region: String,
    pub(crate) service: String,
}

/// Where the signature stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Headers,
    /// A presigned URL that holds for so long.
    Query {
        expires: Duration,
    },
}

/// The claim of a request to come from the holder of a key.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) scope: Scope,
    pub(crate) signed_headers: Vec<String>,
    pub(crate) signature: String,
    pub(crate) time: DateTime<Utc>,
    /// The time as it is signed.
    pub(crate) stamp: String,
    pub(crate) origin: Origin,
    /// The session token, which comes with a temporary key.
    pub(crate) token: Option<String>,
}

/// S3's limit for presigned URLs: seven days.
const MAX_EXPIRES: i64 = 604_800;
const STAMP: &str = "%Y%m%dT%H%M%SZ";

fn malformed(text: impl Into<String>) -> Refusal {
    Refusal::Malformed(text.into())
}

impl Scope {
    fn parse(text: &str) -> Result<Self, Refusal> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            [key, date, region, service, "aws4_request"]
                if !key.is_empty() && date.len() == 8 && !service.is_empty() =>
            {
                Ok(Self {
                    key: (*key).to_owned(),
                    date: (*date).to_owned(),
                    region: (*region).to_owned(),
                    service: (*service).to_owned(),
                })
            }
            _ => Err(malformed(format!(
                "the credential `{text}` is not of the form KEY/YYYYMMDD/REGION/SERVICE/aws4_request"
            ))),
        }
    }

    /// The scope without the key, as it is signed.
    pub(crate) fn tail(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }
}

impl Claim {
    /// Reads the claim; none for a request that is not signed at all.
    pub(crate) fn read(parts: &Parts) -> Result<Option<Self>, Refusal> {
        let claim = match text(&parts.headers, "authorization") {
            Some(header) => Some(Self::from_header(header, &parts.headers)?),
            None => Self::from_query(parts.uri.query().unwrap_or_default())?,
        };
        if let Some(claim) = &claim
            && !claim.stamp.starts_with(&claim.scope.date)
        {
            return Err(malformed(format!(
                "the day of the credential, {}, is not the day of the request, {}",
                claim.scope.date, claim.stamp
            )));
        }
        Ok(claim)
    }

    fn from_header(header: &str, headers: &HeaderMap) -> Result<Self, Refusal> {
        let Some(rest) = header.trim().strip_prefix(ALGORITHM) else {
            let algorithm = header.split_whitespace().next().unwrap_or_default();
            return Err(malformed(format!(
                "the algorithm `{algorithm}` is not supported; sign with {ALGORITHM}"
            )));
        };
        let mut fields = HashMap::new();
        for field in rest.split(',') {
            if let Some((name, value)) = field.trim().split_once('=') {
                fields.insert(name.trim(), value.trim());
            }
        }
        let field = |name: &str| {
            fields
                .get(name)
                .copied()
                .ok_or_else(|| malformed(format!("the Authorization header has no {name}")))
        };
        let (time, stamp) = match (text(headers, "x-amz-date"), text(headers, "date")) {
            (Some(stamp), _) => (time(stamp)?, stamp.to_owned()),
            (None, Some(date)) => {
                let time = DateTime::parse_from_rfc2822(date)
                    .map_err(|_| malformed(format!("`{date}` is no date")))?
                    .with_timezone(&Utc);
                (time, time.format(STAMP).to_string())
            }
            (None, None) => return Err(malformed("the request has neither x-amz-date nor date")),
        };
        Ok(Self {
            scope: Scope::parse(field("Credential")?)?,
            signed_headers: names(field("SignedHeaders")?),
            signature: field("Signature")?.to_owned(),
            time,
            stamp,
            origin: Origin::Headers,
            token: text(headers, "x-amz-security-token").filter(|token| !token.is_empty()).map(str::to_owned),
        })
    }

    fn from_query(query: &str) -> Result<Option<Self>, Refusal> {
        if !query.contains("X-Amz-") {
            return Ok(None);
        }
        let pairs: HashMap<String, String> = query_pairs(query)
            .map(|(name, value)| {
                (String::from_utf8_lossy(&name).into_owned(), String::from_utf8_lossy(&value).into_owned())
            })
            .collect();
        if !pairs.contains_key("X-Amz-Signature") && !pairs.contains_key("X-Amz-Credential") {
            return Ok(None);
        }
        let field = |name: &str| {
            pairs.get(name).map(String::as_str).ok_or_else(|| malformed(format!("the URL has no {name}")))
        };
        let algorithm = field("X-Amz-Algorithm")?;
        if algorithm != ALGORITHM {
            return Err(malformed(format!(
                "the algorithm `{algorithm}` is not supported; sign with {ALGORITHM}"
            )));
        }
        let stamp = field("X-Amz-Date")?;
        let expires = field("X-Amz-Expires")?;
        let seconds = expires.parse::<i64>().ok().filter(|seconds| (0..=MAX_EXPIRES).contains(seconds));
        let seconds = seconds.ok_or_else(|| {
            malformed(format!(
                "X-Amz-Expires must be a number of seconds up to {MAX_EXPIRES}, not `{expires}`"
            ))
        })?;
        Ok(Some(Self {
            scope: Scope::parse(field("X-Amz-Credential")?)?,
            signed_headers: names(field("X-Amz-SignedHeaders")?),
            signature: field("X-Amz-Signature")?.to_owned(),
            time: time(stamp)?,
            stamp: stamp.to_owned(),
            origin: Origin::Query { expires: Duration::seconds(seconds) },
            token: pairs.get("X-Amz-Security-Token").filter(|token| !token.is_empty()).cloned(),
        }))
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn names(list: &str) -> Vec<String> {
    list.split(';').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty()).collect()
}

fn time(stamp: &str) -> Result<DateTime<Utc>, Refusal> {
    NaiveDateTime::parse_from_str(stamp, STAMP)
        .map(|time| time.and_utc())
        .map_err(|_| malformed(format!("`{stamp}` is no time; write it as 20250131T235959Z")))
}
