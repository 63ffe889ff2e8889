//! Reading requests and writing the values that JSON has no words for.

use crate::fault::Fault;
use crate::page;
use chrono::{DateTime, Utc};
use model::Error;
use serde::Serializer;
use serde::de::DeserializeOwned;

/// A request from its JSON; what is wrong names its field.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    // SDKs send nothing at all, or an empty object, where there is nothing to say.
    let body = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        let text = text.split(" at line ").next().unwrap_or_default();
        if error.is_syntax() || error.is_eof() {
            return Fault::bad("SerializationException", format!("the request is no JSON: {text}"));
        }
        wrong(text, &format!("line {}, column {}", error.line(), error.column()))
    })
}

/// A request that can be read but does not fit, in the words of serde, and where.
pub(super) fn wrong(text: &str, place: &str) -> Fault {
    let missing = text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    match missing {
        Some(field) => Fault::bad(
            "ValidationException",
            format!(
                "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null",
                lower(field)
            ),
        ),
        None => Fault::bad("SerializationException", format!("the request cannot be read: {text} ({place})")),
    }
}

/// Members are named in the manner of Java in these messages.
fn lower(field: &str) -> String {
    let mut signs = field.chars();
    signs.next().map(|first| first.to_lowercase().chain(signs).collect()).unwrap_or_default()
}

/// A time as seconds since 1970, with fractions.
pub(crate) fn epoch<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    #[allow(clippy::cast_precision_loss, reason = "milliseconds of this millennium fit exactly")]
    serializer.serialize_f64(time.timestamp_millis() as f64 / 1000.0)
}

/// The same for a time that may be missing.
pub(crate) fn epoch_opt<S: Serializer>(
    time: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => epoch(time, serializer),
        None => serializer.serialize_none(),
    }
}

/// The name behind which a request wants to go on.
pub(crate) fn token(token: Option<&str>) -> Result<Option<String>, Error> {
    match token.filter(|token| !token.is_empty()) {
        None => Ok(None),
        Some(token) => match page::read_token(token) {
            Some(after) => Ok(Some(after)),
            None => Err(Error::invalid("NextToken is not one of this server")
                .hint("leave it away to begin with the first page")),
        },
    }
}
