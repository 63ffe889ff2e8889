//! The figures of rooms that keep their own, for the server's telemetry: streams and delivery streams.

use crate::platform::Platform;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use console::StreamTotals;
use delivery::{Deliveries, DeliveryStream};
use model::Result;
use std::sync::Arc;
use streams::Log;
use telemetry::{Family, Kind, Options, Point, Rooms, Source, Telemetry};

/// So many streams have figures of their own.
const STREAMS: usize = 1000;

/// Begins to gather figures, and to send what the options ask for. `start` is when the server began.
pub(crate) fn open(platform: &Platform, options: Options, start: DateTime<Utc>) -> Telemetry {
    if let Some(shown) = options.shown() {
        tracing::info!("telemetry: {shown}");
    }
    let rooms = Rooms {
        runs: platform.runs.clone(),
        events: platform.events.clone(),
        clock: platform.clock.clone(),
        sources: vec![
            Arc::new(OfStreams(Arc::clone(&platform.log))),
            Arc::new(OfDeliveries(platform.deliveries.clone())),
        ],
        version: env!("CARGO_PKG_VERSION").to_owned(),
        start,
    };
    Telemetry::open(rooms, options)
}

struct OfStreams(Arc<dyn Log>);

#[async_trait]
impl Source for OfStreams {
    async fn families(&self) -> Result<Vec<Family>> {
        let totals = console::stream_totals(self.0.as_ref(), STREAMS).await?;
        let family = |name, unit, kind, help, value: fn(&StreamTotals) -> u64| {
            let points = totals.iter().map(|total| Point::whole(&[("stream", &total.name)], value(total)));
            Family::new(name, unit, kind, help, points.collect())
        };
        // What was put is kept with the streams; what was read is counted anew with each start of the server.
        let put =
            totals.iter().map(|total| Point::whole(&[("stream", &total.name)], total.records_in).kept());
        Ok(vec![
            family("glulam.stream.shards", "{shard}", Kind::Gauge, "Open shards.", |total| total.open_shards),
            family("glulam.stream.records", "{record}", Kind::Gauge, "Records that are kept.", |total| {
                total.records
            }),
            family("glulam.stream.bytes", "By", Kind::Gauge, "Bytes that they take.", |total| total.bytes),
            Family::new(
                "glulam.stream.records_in",
                "{record}",
                Kind::Counter,
                "Records that were ever put.",
                put.collect(),
            ),
            family(
                "glulam.stream.records_out",
                "{record}",
                Kind::Counter,
                "Records that were read.",
                |total| total.records_out,
            ),
        ])
    }
}

struct OfDeliveries(Deliveries);

#[async_trait]
impl Source for OfDeliveries {
    async fn families(&self) -> Result<Vec<Family>> {
        let deliveries = self.0.list().await?;
        let family = |name, unit, kind, help, value: fn(&DeliveryStream) -> u64| {
            let points = deliveries.iter().map(|delivery| {
                let point = Point::whole(&[("delivery", &delivery.name)], value(delivery));
                // Its sums are kept, from its making on.
                point.since(delivery.created)
            });
            Family::new(name, unit, kind, help, points.collect())
        };
        Ok(vec![
            family(
                "glulam.delivery.records",
                "{record}",
                Kind::Counter,
                "Records that were taken out of streams, also those that failed.",
                |delivery| delivery.totals.records,
            ),
            family("glulam.delivery.bytes", "By", Kind::Counter, "Their bytes.", |delivery| {
                delivery.totals.bytes
            }),
            family(
                "glulam.delivery.failed_records",
                "{record}",
                Kind::Counter,
                "Records that went under the error prefix.",
                |delivery| delivery.totals.failed,
            ),
            family(
                "glulam.delivery.objects",
                "{object}",
                Kind::Counter,
                "Objects that were written.",
                |delivery| delivery.totals.objects,
            ),
            family(
                "glulam.delivery.failing",
                "",
                Kind::Gauge,
                "1 where something keeps records from being delivered.",
                |delivery| u64::from(delivery.failure.is_some()),
            ),
        ])
    }
}
