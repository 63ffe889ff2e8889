//! What happens to runs, told to the pages as it happens.

use crate::door::House;
use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::Stream;
use state::events::Filter;
use state::runs::{Run, RunQuery};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

/// How often runs are looked at while nothing is heard of an end.
const LOOK_MILLIS: i64 = 1000;
/// So many of the newest runs are watched.
const WATCHED: usize = 100;

/// One line per change: the runs that are new or differ from what was told before, without their arguments.
pub(super) async fn events(
    State(house): State<Arc<House>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ends = house.rooms.events.live(Filter::kind("run.finished"));
    let stream = futures::stream::unfold((house, ends, None), |(house, mut ends, seen)| async move {
        let mut seen: Option<HashMap<String, u64>> = seen;
        loop {
            let runs = match house.rooms.runs.list(&RunQuery { limit: WATCHED, ..RunQuery::default() }).await
            {
                Ok(runs) => runs,
                Err(error) => {
                    tracing::warn!(%error, "the console cannot list runs");
                    Vec::new()
                }
            };
            let changed: Vec<&Run> = match &seen {
                // What a page loads first is newer than what this stream would tell.
                None => Vec::new(),
                Some(seen) => {
                    runs.iter().filter(|run| seen.get(run.id.as_str()) != Some(&run.revision)).collect()
                }
            };
            let first = seen.is_none();
            let told: Vec<_> = changed
                .iter()
                .map(|run| serde_json::json!({ "id": run.id, "kind": run.kind, "name": run.name, "state": run.state }))
                .collect();
            seen = Some(runs.iter().map(|run| (run.id.to_string(), run.revision)).collect());
            if first || !told.is_empty() {
                let event = Event::default().event("runs").data(serde_json::Value::from(told).to_string());
                return Some((Ok(event), (house, ends, seen)));
            }
            let nap = house.rooms.clock.sleep(chrono::Duration::milliseconds(LOOK_MILLIS));
            tokio::select! {
                () = house.stop.cancelled() => return None,
                () = nap => {}
                event = ends.next() => {
                    event.as_ref()?;
                }
            }
        }
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}
