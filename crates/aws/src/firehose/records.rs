//! Records put into a delivery stream.

use super::{Firehose, resource};
use crate::json::Input;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use model::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// How many records a call takes, and how many bytes.
const MOST_RECORDS: usize = 500;
const MOST_BYTES: usize = 4 << 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    data: String,
}

impl Record {
    fn bytes(&self) -> Result<Bytes> {
        match STANDARD.decode(&self.data) {
            Ok(bytes) => Ok(bytes.into()),
            Err(error) => Err(Error::invalid("a record's Data is no Base64").source_is(error)),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Put {
    delivery_stream_name: String,
    record: Record,
}

impl Input for Put {
    fn resources(&self) -> Vec<String> {
        vec![resource(&self.delivery_stream_name)]
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Taken {
    record_id: String,
    encrypted: bool,
}

/// Records are kept as they come, whatever the delivery stream was told of encryption: so it is not said of any.
const ENCRYPTED: bool = false;

pub(super) async fn put(firehose: Firehose, input: Put) -> Result<Taken> {
    let placed =
        firehose.rooms.deliveries.put(&input.delivery_stream_name, vec![input.record.bytes()?]).await?;
    let first = placed.into_iter().next();
    let record_id = first.unwrap_or_else(|| Err(Error::internal("a record got lost")))?;
    Ok(Taken { record_id, encrypted: ENCRYPTED })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutMany {
    delivery_stream_name: String,
    records: Vec<Record>,
}

impl Input for PutMany {
    fn resources(&self) -> Vec<String> {
        vec![resource(&self.delivery_stream_name)]
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ManyTaken {
    failed_put_count: usize,
    encrypted: bool,
    request_responses: Vec<Response>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    #[serde(skip_serializing_if = "Option::is_none")]
    record_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
}

pub(super) async fn put_many(firehose: Firehose, input: PutMany) -> Result<ManyTaken> {
    let count = input.records.len();
    if !(1..=MOST_RECORDS).contains(&count) {
        return Err(Error::invalid(format!(
            "1 validation error detected: Value at 'records' failed to satisfy constraint: Member must have length from 1 \
             to {MOST_RECORDS}, not {count}"
        )));
    }
    let records = input.records.iter().map(Record::bytes).collect::<Result<Vec<_>>>()?;
    let size: usize = records.iter().map(Bytes::len).sum();
    if size > MOST_BYTES {
        return Err(Error::invalid(format!(
            "the records of a call have at most {MOST_BYTES} bytes, not {size}"
        )));
    }
    let placed = firehose.rooms.deliveries.put(&input.delivery_stream_name, records).await?;
    let request_responses: Vec<Response> = placed
        .into_iter()
        .map(|placed| match placed {
            Ok(number) => Response { record_id: Some(number), ..Response::default() },
            Err(error) => {
                let passes = matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::LimitExceeded);
                let error_code = Some(if passes { "ServiceUnavailableException" } else { "InternalFailure" });
                Response { error_code, error_message: Some(error.to_string()), record_id: None }
            }
        })
        .collect();
    let failed_put_count = request_responses.iter().filter(|response| response.error_code.is_some()).count();
    Ok(ManyTaken { failed_put_count, encrypted: ENCRYPTED, request_responses })
}
