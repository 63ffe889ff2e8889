//! Events put into a stream: which of them are taken.

use super::kept::{DAY, HOUR, NewEvent};
use super::{Logs, MAX_EVENTS, names, sequence};
use crate::json::Input;
use model::{Error, Result};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How many bytes a call takes.
const MAX_BYTES: usize = 1 << 20;
/// How far the events of a call may be apart.
const LONGEST_SPAN: i64 = DAY;
/// How old an event may be, and how far ahead of the time.
const OLDEST: i64 = 14 * DAY;
const NEWEST: i64 = 2 * HOUR;

/// A batch of events. A sequence token may stand in it and says nothing, as on AWS.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Put {
    log_group_name: String,
    log_stream_name: String,
    log_events: Vec<NewEvent>,
    entity: Option<IgnoredAny>,
}

impl Input for Put {
    fn resources(&self) -> Vec<String> {
        names::one_stream(Some(&self.log_group_name), None, &self.log_stream_name)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    next_sequence_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_log_events_info: Option<Rejected>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_entity_info: Option<RejectedEntity>,
}

/// The events that were not taken: those before, or from, these places in the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rejected {
    #[serde(skip_serializing_if = "Option::is_none")]
    too_new_log_event_start_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    too_old_log_event_end_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_log_event_end_index: Option<usize>,
}

/// Entities are not kept; their events are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RejectedEntity {
    error_type: &'static str,
}

/// What is wrong with a batch as a whole.
fn check(events: &[NewEvent]) -> Result<()> {
    if !(1..=MAX_EVENTS).contains(&events.len()) {
        return Err(Error::invalid(format!("logEvents has 1 to {MAX_EVENTS} members, not {}", events.len())));
    }
    if let Some(at) = events.iter().position(|event| event.message.is_empty()) {
        return Err(Error::invalid(format!("logEvents.{}.message is empty", at + 1)));
    }
    if let Some(at) = events.iter().position(|event| event.timestamp < 0) {
        return Err(Error::invalid(format!("logEvents.{}.timestamp is before 1970", at + 1)));
    }
    let bytes: usize = events.iter().map(NewEvent::size).sum();
    if bytes > MAX_BYTES {
        return Err(Error::invalid(format!("Upload too large: {bytes} bytes exceeds limit of {MAX_BYTES}"))
            .hint("put the events in several calls"));
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(Error::invalid(
            "Log events in a single PutLogEvents request must be in chronological order.",
        ));
    }
    Ok(())
}

/// Which events of a batch in order are taken by a group that keeps them from `since` on, and which are not.
fn sort_out(events: &[NewEvent], now: i64, since: i64) -> Result<(Range<usize>, Option<Rejected>)> {
    let before = |time: i64| events.partition_point(|event| event.timestamp < time);
    let (too_old, too_new) = (before(now - OLDEST), before(now + NEWEST + 1));
    let expired = before(since);
    let taken = too_old.max(expired)..too_new;
    let of_taken = events.get(taken.clone()).unwrap_or_default();
    if let (Some(first), Some(last)) = (of_taken.first(), of_taken.last())
        && last.timestamp - first.timestamp > LONGEST_SPAN
    {
        return Err(Error::invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ));
    }
    let rejected = Rejected {
        too_new_log_event_start_index: Some(too_new).filter(|start| *start < events.len()),
        too_old_log_event_end_index: Some(too_old).filter(|end| *end > 0),
        expired_log_event_end_index: Some(expired).filter(|end| *end > too_old),
    };
    let is_any = taken.len() < events.len();
    Ok((taken, is_any.then_some(rejected)))
}

pub(super) async fn put(logs: Logs, input: Put) -> Result<Answer> {
    let group = logs.own(&input.log_group_name).await?;
    let stream = logs.stream(&group, &input.log_stream_name).await?;
    check(&input.log_events)?;
    let now = logs.rooms.clock.now_millis();
    let (taken, rejected) = sort_out(&input.log_events, now, group.since(now))?;
    let events = input.log_events.get(taken).unwrap_or_default();
    let mut upload = stream.upload;
    if !events.is_empty() {
        let placed = logs.kept.put(&group, &stream, events, now).await?;
        upload = placed.upload;
        if placed.swept <= now - HOUR
            && let Err(error) = logs.kept.keep_up(&group, now).await
        {
            // The events are kept; what is old goes another time.
            tracing::warn!(error = ?error, group = %group.name, "old log events could not be removed");
        }
    }
    Ok(Answer {
        next_sequence_token: sequence(upload),
        rejected_log_events_info: rejected,
        rejected_entity_info: input.entity.map(|_| RejectedEntity { error_type: "UnsupportedLogGroupType" }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    fn events(ages: &[i64]) -> Vec<NewEvent> {
        ages.iter().map(|age| NewEvent { timestamp: NOW - age, message: "m".to_owned() }).collect()
    }

    fn found(ages: &[i64], since: i64) -> (Range<usize>, [Option<usize>; 3]) {
        let (taken, rejected) = sort_out(&events(ages), NOW, since).unwrap();
        let indexes = rejected.map_or([None; 3], |rejected| {
            [
                rejected.too_old_log_event_end_index,
                rejected.expired_log_event_end_index,
                rejected.too_new_log_event_start_index,
            ]
        });
        (taken, indexes)
    }

    #[test]
    fn what_is_too_old_too_new_or_over_is_told_by_its_place() {
        let three_days = NOW - 3 * DAY;
        assert_eq!(found(&[HOUR, 0, -HOUR], 0), (0..3, [None; 3]));
        // At the limits they are taken, a millisecond beyond they are not.
        assert_eq!(found(&[OLDEST], 0), (0..1, [None; 3]));
        assert_eq!(found(&[OLDEST + 1], 0), (1..1, [Some(1), None, None]));
        assert_eq!(found(&[0, -NEWEST], 0), (0..2, [None; 3]));
        assert_eq!(found(&[0, -NEWEST - 1], 0), (0..1, [None, None, Some(1)]));
        assert_eq!(found(&[3 * DAY], three_days), (0..1, [None; 3]));
        assert_eq!(found(&[3 * DAY + 1], three_days), (1..1, [None, Some(1), None]));
        // All at once; what is too old is over as well and told once.
        let ages = [20 * DAY, 15 * DAY, 5 * DAY, HOUR, 0, -3 * HOUR];
        assert_eq!(found(&ages, three_days), (3..5, [Some(2), Some(3), Some(5)]));
        assert_eq!(found(&[20 * DAY], NOW - 30 * DAY), (1..1, [Some(1), None, None]));
        assert_eq!(found(&[20 * DAY, -3 * HOUR], 0), (1..1, [Some(1), None, Some(1)]));
    }

    #[test]
    fn a_day_is_the_longest_span_of_what_is_taken() {
        assert!(sort_out(&events(&[DAY, 0]), NOW, 0).is_ok());
        assert!(sort_out(&events(&[DAY + 1, 0]), NOW, 0).is_err());
        // What is not taken does not count.
        assert!(sort_out(&events(&[20 * DAY, 0]), NOW, 0).is_ok());
    }

    #[test]
    fn limits_of_a_batch() {
        let of = |count: usize, size: usize| -> Vec<NewEvent> {
            vec![NewEvent { timestamp: NOW, message: "m".repeat(size) }; count]
        };
        assert!(check(&of(MAX_EVENTS, 1)).is_ok());
        assert!(check(&of(MAX_EVENTS + 1, 1)).is_err());
        assert!(check(&[]).is_err() && check(&of(1, 0)).is_err());
        assert!(check(&of(1, MAX_BYTES - 26)).is_ok());
        assert!(check(&of(1, MAX_BYTES - 25)).is_err());
        assert!(check(&of(1024, 1024 - 26)).is_ok());
        assert!(check(&of(1024, 1024 - 25)).is_err());
        assert!(check(&events(&[2, 2, 1])).is_ok());
        assert!(check(&events(&[1, 2])).unwrap_err().to_string().contains("chronological"));
        assert!(check(&events(&[NOW + 1])).is_err());
    }
}
