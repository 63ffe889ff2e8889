//! Delivery streams: from records to objects.

use super::Operation;
use crate::platform::Platform;
use bytes::Bytes;
use delivery::DeliveryStream;
use model::Result;
use serde::{Deserialize, Serialize};

/// All delivery streams.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListDeliveries {}

impl Operation for ListDeliveries {
    const NAME: &'static str = "list-deliveries";
    type Answer = Vec<DeliveryStream>;

    async fn perform(self, platform: &Platform) -> Result<Vec<DeliveryStream>> {
        platform.deliveries.list().await
    }
}

/// One delivery stream.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShowDelivery {
    pub(crate) name: String,
}

impl Operation for ShowDelivery {
    const NAME: &'static str = "show-delivery";
    type Answer = DeliveryStream;

    async fn perform(self, platform: &Platform) -> Result<DeliveryStream> {
        platform.deliveries.get(&self.name).await
    }
}

/// Puts texts as records of a delivery stream.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PutDelivery {
    pub(crate) name: String,
    pub(crate) records: Vec<String>,
}

impl Operation for PutDelivery {
    const NAME: &'static str = "put-delivery";
    /// How many are stored.
    type Answer = u64;

    async fn perform(self, platform: &Platform) -> Result<u64> {
        let records = self.records.into_iter().map(Bytes::from).collect();
        let mut stored = 0;
        for placed in platform.deliveries.put(&self.name, records).await? {
            placed?;
            stored += 1;
        }
        Ok(stored)
    }
}
