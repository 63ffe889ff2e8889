//! What happens to runs and streams, told to the pages as it happens.

use crate::answer::Answer;
use crate::caller::Caller;
use crate::door::House;
use crate::streams::{StreamTotals, stream_totals};
use axum::Extension;
use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::Stream;
use model::RunState;
use serde_json::{Value, json};
use state::events::{Filter, LiveEvents};
use state::runs::{Run, RunQuery};
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;

/// How often it is looked while nothing is heard of an end.
const LOOK_MILLIS: i64 = 1000;
/// So many of the newest runs are watched, and so many that have not ended, however old they are.
const WATCHED: usize = 100;
/// So many streams are watched.
const STREAMS: usize = 200;

/// Events `runs`: the runs that are new or differ from what was told before, without their arguments. Events `streams`:
/// the totals of the streams whose totals have changed, and the time.
pub(super) async fn events(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    caller.may("glulam:ListRuns", "*")?;
    let ends = house.rooms.events.live(Filter::kind("run.finished"));
    let teller = Teller { house, caller, ends, runs: None, streams: Vec::new(), ready: VecDeque::new() };
    let stream = futures::stream::unfold(teller, |mut teller| async move {
        let event = teller.next().await?;
        Some((Ok(event), teller))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

struct Teller {
    house: Arc<House>,
    caller: Caller,
    ends: LiveEvents,
    /// The revisions that were told.
    runs: Option<HashMap<String, u64>>,
    /// The totals that were told.
    streams: Vec<StreamTotals>,
    ready: VecDeque<Event>,
}

impl Teller {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.runs.is_some() {
                let nap = self.house.rooms.clock.sleep(chrono::Duration::milliseconds(LOOK_MILLIS));
                tokio::select! {
                    () = self.house.stop.cancelled() => return None,
                    () = nap => {}
                    event = self.ends.next() => {
                        event.as_ref()?;
                    }
                }
            }
            self.look_at_runs().await;
            self.look_at_streams().await;
        }
    }

    async fn look_at_runs(&mut self) {
        let busy = vec![RunState::Waiting, RunState::Running, RunState::Stopping];
        let mut runs: Vec<Run> = Vec::new();
        for states in [Vec::new(), busy] {
            let query = RunQuery { limit: WATCHED, states, ..RunQuery::default() };
            match self.house.rooms.runs.list(&query).await {
                Ok(found) => runs.extend(found),
                Err(error) => tracing::warn!(%error, "the console cannot list runs"),
            }
        }
        let revisions: HashMap<String, u64> =
            runs.iter().map(|run| (run.id.to_string(), run.revision)).collect();
        // What a page loads first is newer than what would be told then.
        let told: Vec<Value> = match &self.runs {
            None => Vec::new(),
            Some(seen) => {
                runs.retain(|run| seen.get(run.id.as_str()) != Some(&run.revision));
                runs.iter()
                    .map(
                        |run| json!({ "id": run.id, "kind": run.kind, "name": run.name, "state": run.state }),
                    )
                    .collect()
            }
        };
        if self.runs.is_none() || !told.is_empty() {
            self.tell("runs", &Value::from(told));
        }
        self.runs = Some(revisions);
    }

    async fn look_at_streams(&mut self) {
        let mut totals = match stream_totals(self.house.rooms.log.as_ref(), STREAMS).await {
            Ok(totals) => totals,
            Err(error) => {
                tracing::warn!(%error, "the console cannot look at streams");
                return;
            }
        };
        let caller = &self.caller;
        totals.retain(|one| {
            caller.allows("kinesis:DescribeStream", &caller.arn("kinesis", &format!("stream/{}", one.name)))
        });
        if totals != self.streams {
            let at = self.house.rooms.clock.now_millis();
            let changed: Vec<&StreamTotals> =
                totals.iter().filter(|one| !self.streams.contains(one)).collect();
            let names: Vec<&str> = totals.iter().map(|one| one.name.as_str()).collect();
            self.tell("streams", &json!({ "at": at, "changed": changed, "names": names }));
            self.streams = totals;
        }
    }

    fn tell(&mut self, kind: &'static str, data: &Value) {
        self.ready.push_back(Event::default().event(kind).data(data.to_string()));
    }
}
