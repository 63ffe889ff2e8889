//! Subscriptions: a shard's records as events over one answer that lasts five minutes. Of two subscriptions of one
//! consumer to one shard the later takes over; right after the first it is refused.

use super::events::{Kind, frame};
use super::read::Start;
use super::shapes::{ChildShard, Record, encryption, no_trial, records};
use super::{Kinesis, code};
use crate::fault::sentence;
use crate::json::{Call, Encoding, Input};
use ::streams::{Log, ReadOptions, Records, SequenceNumber, ShardFilter, ShardId, ShardIterator};
use bytes::Bytes;
use chrono::{DateTime, Duration, Utc};
use futures::StreamExt as _;
use futures::stream::{BoxStream, try_unfold};
use model::{Error, Result};
use serde::{Deserialize, Serialize};
use state::Clock;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// How long a subscription lasts.
const LIFE: Duration = Duration::minutes(5);
/// How long a subscription cannot be taken over.
const SETTLED: Duration = Duration::seconds(5);
/// An event comes at least so often, with no records if there are none.
const HEARTBEAT: Duration = Duration::seconds(5);
/// The most of an event, so that slow readers do not hold much memory.
const EVENT: ReadOptions = ReadOptions { limit: 10_000, bytes: 2 << 20, dedicated: true };

type Key = (String, ShardId);

/// The subscriptions that there are.
pub(super) struct Subscriptions {
    ending: CancellationToken,
    held: Mutex<BTreeMap<Key, Held>>,
}

struct Held {
    begun: DateTime<Utc>,
    over: CancellationToken,
}

impl Subscriptions {
    pub(super) fn new(ending: CancellationToken) -> Self {
        Self { ending, held: Mutex::default() }
    }

    /// Begins one; answers what tells its end.
    fn begin(&self, consumer: &str, shard: ShardId, now: DateTime<Utc>) -> Result<CancellationToken> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, held| !held.over.is_cancelled() && held.begun + LIFE > now);
        let key = (consumer.to_owned(), shard);
        if let Some(other) = held.get(&key) {
            if other.begun + SETTLED > now {
                return Err(Error::conflict(format!("the consumer has just subscribed to {shard}"))
                    .hint("a subscription can be taken over five seconds after it began"));
            }
            other.over.cancel();
        }
        let over = self.ending.child_token();
        held.insert(key, Held { begun: now, over: over.clone() });
        Ok(over)
    }

    /// Ends all subscriptions of a consumer that is no more.
    pub(super) fn end(&self, consumer: &str) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|(name, _), held| {
            if name == consumer {
                held.over.cancel();
            }
            name != consumer
        });
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Subscribe {
    #[serde(rename = "ConsumerARN")]
    consumer_arn: String,
    shard_id: String,
    starting_position: Start,
    dry_run: Option<bool>,
}

impl Input for Subscribe {
    fn resources(&self) -> Vec<String> {
        super::naming::resource_of(&self.consumer_arn)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    records: Vec<Record>,
    #[serde(skip_serializing_if = "Option::is_none")]
    continuation_sequence_number: Option<String>,
    millis_behind_latest: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    child_shards: Vec<ChildShard>,
}

#[derive(Debug, Serialize)]
struct Wrong {
    message: String,
}

/// A subscription under way.
struct Subscription {
    log: Arc<dyn Log>,
    clock: Clock,
    encoding: Encoding,
    over: CancellationToken,
    until: DateTime<Utc>,
    /// Nothing once the shard has been read to its end.
    next: Option<ShardIterator>,
    /// The last record that was sent, or where the subscription began: a reader goes on behind it.
    last: SequenceNumber,
    greeted: bool,
}

pub(super) async fn subscribe(
    kinesis: Kinesis,
    call: Call,
    input: Subscribe,
) -> Result<BoxStream<'static, Bytes>> {
    no_trial(input.dry_run)?;
    let (stream, consumer) = kinesis.consumer_by_arn(&call, &input.consumer_arn).await?;
    let shard: ShardId = input.shard_id.parse()?;
    let start = input.starting_position.ours()?;
    let next = kinesis.log.iterator(&stream, shard, start).await?;
    let all = kinesis.log.list_shards(&stream, ShardFilter::FromTrimHorizon).await?;
    let found = all.iter().find(|found| found.id == shard);
    let last = found.map(|found| next.behind(found)).ok_or_else(|| {
        Error::not_found(format!("there is no shard {shard} in the stream `{stream}` any more"))
    })?;
    let now = kinesis.clock.now();
    let over = kinesis.subscriptions.begin(&consumer.arn.resource, shard, now)?;
    let subscription = Subscription {
        log: Arc::clone(&kinesis.log),
        clock: kinesis.clock.clone(),
        encoding: call.encoding,
        over,
        until: now + LIFE,
        next: Some(next),
        last,
        greeted: false,
    };
    let events = try_unfold(subscription, |subscription| async move {
        match subscription.event().await {
            Ok(found) => Ok(found),
            Err((error, encoding)) => Err(told(&error, encoding)),
        }
    });
    // What failed is told as the last message.
    Ok(events.map(|event| event.unwrap_or_else(|told| told)).boxed())
}

fn content_type(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Json => "application/x-amz-json-1.1",
        Encoding::Cbor => "application/x-amz-cbor-1.1",
    }
}

fn told(error: &Error, encoding: Encoding) -> Bytes {
    let payload = encoding.write(&Wrong { message: sentence(error) }).unwrap_or_default();
    frame(Kind::Exception(code(error.kind())), content_type(encoding), &payload)
}

type Told = (Error, Encoding);

impl Subscription {
    /// The next event; nothing when the subscription is over.
    async fn event(mut self) -> Result<Option<(Bytes, Self)>, Told> {
        let encoding = self.encoding;
        let wrong = |error| (error, encoding);
        if !self.greeted {
            self.greeted = true;
            let payload = encoding.write(&super::Done {}).map_err(wrong)?;
            let frame = frame(Kind::Event("initial-response"), content_type(encoding), &payload);
            return Ok(Some((frame, self)));
        }
        let Some(next) = self.next.take() else { return Ok(None) };
        let Some(read) = self.read(&next).await.map_err(wrong)? else { return Ok(None) };
        if let Some(record) = read.records.last() {
            self.last = record.sequence_number;
        }
        let stream = self.log.stream(&next.stream).await.map_err(wrong)?;
        let event = Event {
            records: records(read.records, encryption(&stream)),
            continuation_sequence_number: read.next.is_some().then(|| self.last.to_string()),
            millis_behind_latest: read.behind.num_milliseconds(),
            child_shards: read.children.iter().map(ChildShard::from).collect(),
        };
        self.next = read.next;
        let payload = encoding.write(&event).map_err(wrong)?;
        let frame = frame(Kind::Event("SubscribeToShardEvent"), content_type(encoding), &payload);
        Ok(Some((frame, self)))
    }

    /// What there is, or nothing after a while; `None` when the time of the subscription is over.
    async fn read(&self, next: &ShardIterator) -> Result<Option<Records>> {
        let beat = (self.clock.now() + HEARTBEAT).min(self.until);
        loop {
            if self.over.is_cancelled() || self.clock.now() >= self.until {
                return Ok(None);
            }
            let read = self.log.get_records(next, EVENT).await?;
            if !read.records.is_empty() || read.next.is_none() || self.clock.now() >= beat {
                return Ok(Some(read));
            }
            let place = read.next.as_ref().unwrap_or(next);
            tokio::select! {
                () = self.over.cancelled() => return Ok(None),
                () = self.clock.sleep_until(beat) => {}
                ready = self.log.wait(place) => ready?,
            }
        }
    }
}
