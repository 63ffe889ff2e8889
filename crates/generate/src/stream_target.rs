//! Where a stream task sends its events, as the task says it. Nothing is sent from this room: the events are handed to
//! whoever runs the task.

use crate::fields::Fields;
use model::Result;
use std::fmt;

/// The stream that a task means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamTarget {
    /// Its name.
    pub name: String,
    /// The region that requests are signed for.
    pub region: String,
    /// Where requests go; the platform's own stream if nothing.
    pub endpoint: Option<String>,
    /// How long a request may take.
    pub timeout_millis: Option<u64>,
    /// Who signs the requests.
    pub key: Option<StreamKey>,
}

/// An access key. Its `Debug` text leaves the secret out.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamKey {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: String,
}

impl fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// An event for a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEvent {
    /// The partition key: the events of one metric stay in their order.
    pub key: String,
    /// The event as JSON.
    pub data: Vec<u8>,
}

/// Reads `stream` and `auth`. A task that names a file may leave the stream out.
pub(crate) fn target(fields: &Fields<'_>, has_output: bool) -> Result<Option<StreamTarget>> {
    let key = match fields.optional("auth") {
        None => None,
        Some(auth) => {
            let auth = auth.fields(&["accessKeyId", "secretKey"])?;
            let id = auth.required("accessKeyId")?.words()?.to_owned();
            Some(StreamKey { id, secret: auth.required("secretKey")?.words()?.to_owned() })
        }
    };
    let stream = match fields.optional("stream") {
        Some(stream) => stream,
        None if has_output => return Ok(None),
        None => {
            return Err(fields.missing("stream").hint("name the stream, or a file with `outputFilePath`"));
        }
    };
    let stream = stream.fields(&["region", "streamName", "endpoint", "timeoutMillis"])?;
    let region = stream.required("region")?.words()?.to_owned();
    let endpoint = stream.optional("endpoint").map(|field| field.words().map(str::to_owned)).transpose()?;
    let timeout = stream.optional("timeoutMillis").map(|field| field.integer(1, i64::MAX)).transpose()?;
    let name = stream.required("streamName")?.words()?.to_owned();
    let timeout_millis = timeout.map(i64::unsigned_abs);
    Ok(Some(StreamTarget { name, region, endpoint, timeout_millis, key }))
}
