//! What delivery streams are told of encryption: it is kept and answered.

use super::streams::EncryptionInput;
use super::{Done, Firehose, Named, resource};
use crate::json::Input;
use model::Result;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Start {
    delivery_stream_name: String,
    delivery_stream_encryption_configuration_input: Option<EncryptionInput>,
}

impl Input for Start {
    fn resources(&self) -> Vec<String> {
        vec![resource(&self.delivery_stream_name)]
    }
}

pub(super) async fn start(firehose: Firehose, input: Start) -> Result<Done> {
    let wanted = input.delivery_stream_encryption_configuration_input.unwrap_or_else(EncryptionInput::owned);
    firehose.rooms.deliveries.set_encryption(&input.delivery_stream_name, Some(wanted.checked()?)).await?;
    Ok(Done {})
}

pub(super) async fn stop(firehose: Firehose, input: Named) -> Result<Done> {
    firehose.rooms.deliveries.set_encryption(&input.delivery_stream_name, None).await?;
    Ok(Done {})
}
