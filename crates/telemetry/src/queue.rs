//! Spans that wait to be sent: at most so many. Whoever brings one never waits; what does not fit is dropped and told of
//! once a minute.

use crate::span::Span;
use chrono::{DateTime, Duration, Utc};
use state::Clock;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// At most so often it is told that spans are dropped.
const TOLD_EVERY: Duration = Duration::minutes(1);

pub(crate) struct Queue {
    clock: Clock,
    most: usize,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    spans: VecDeque<Span>,
    is_closed: bool,
    /// Dropped and not yet told of.
    dropped: u64,
    told_at: Option<DateTime<Utc>>,
}

impl Queue {
    pub(crate) fn new(most: usize, clock: Clock) -> Self {
        Self { clock, most, state: Mutex::default(), changed: Notify::new() }
    }

    /// Takes spans that belong together, all or none of them; answers how many were dropped.
    pub(crate) fn push(&self, spans: Vec<Span>) -> u64 {
        let mut state = self.lock();
        if state.is_closed || state.spans.len() + spans.len() > self.most {
            let dropped = spans.len() as u64;
            drop(state);
            self.dropped(dropped);
            return dropped;
        }
        state.spans.extend(spans);
        drop(state);
        self.changed.notify_one();
        0
    }

    /// So many spans are lost, here or later on.
    pub(crate) fn dropped(&self, count: u64) {
        let now = self.clock.now();
        let mut state = self.lock();
        state.dropped += count;
        if state.told_at.is_none_or(|told| now - told >= TOLD_EVERY) {
            state.told_at = Some(now);
            tell(std::mem::take(&mut state.dropped));
        }
    }

    /// Nothing is taken any more.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    /// Tells of what was dropped since that was told last.
    pub(crate) fn tell_rest(&self) {
        let dropped = std::mem::take(&mut self.lock().dropped);
        if dropped > 0 {
            tell(dropped);
        }
    }

    /// Waits until so many are there, or some have waited that long for others; then takes them. None when it is closed
    /// and empty.
    pub(crate) async fn next(&self, batch: usize, delay: Duration) -> Option<Vec<Span>> {
        let mut until = None;
        loop {
            {
                let mut state = self.lock();
                let is_due = until.is_some_and(|until| self.clock.now() >= until);
                if state.spans.len() >= batch || (!state.spans.is_empty() && (is_due || state.is_closed)) {
                    let count = state.spans.len().min(batch);
                    return Some(state.spans.drain(..count).collect());
                }
                if state.is_closed {
                    return None;
                }
                if !state.spans.is_empty() && until.is_none() {
                    until = Some(self.clock.now() + delay);
                }
            }
            tokio::select! {
                () = self.changed.notified() => {}
                () = self.clock.sleep_until(until.unwrap_or_default()), if until.is_some() => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(dropped: u64) {
    tracing::warn!(
        "{dropped} spans were dropped: they come faster than the collector takes them, or it takes none; \
         OTEL_BSP_MAX_QUEUE_SIZE says how many may wait"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn span(number: u8) -> Span {
        Span {
            trace: [number; 16],
            id: [number; 8],
            parent: None,
            name: String::new(),
            kind: crate::span::SpanKind::Internal,
            start: DateTime::default(),
            end: DateTime::default(),
            attributes: Vec::new(),
            failure: None,
        }
    }

    fn numbers(spans: Option<Vec<Span>>) -> Option<Vec<u8>> {
        spans.map(|spans| spans.iter().map(|span| span.id[0]).collect())
    }

    #[tokio::test]
    async fn spans_go_when_there_are_enough_or_the_time_is_up() {
        let (clock, hand) = Clock::manual(DateTime::default());
        let queue = Queue::new(10, clock);
        let delay = Duration::seconds(5);
        assert_eq!(queue.push(vec![span(1), span(2), span(3)]), 0);
        assert_eq!(numbers(queue.next(2, delay).await), Some(vec![1, 2]));
        let mut next = Box::pin(queue.next(2, delay));
        assert!(next.as_mut().now_or_never().is_none());
        hand.advance(delay);
        assert_eq!(numbers(next.await), Some(vec![3]));
        let mut next = Box::pin(queue.next(2, delay));
        assert!(next.as_mut().now_or_never().is_none());
        queue.push(vec![span(4)]);
        assert!(next.as_mut().now_or_never().is_none());
        queue.push(vec![span(5)]);
        assert_eq!(numbers(next.await), Some(vec![4, 5]));
        queue.push(vec![span(6)]);
        queue.close();
        assert_eq!(numbers(queue.next(2, delay).await), Some(vec![6]));
        assert_eq!(queue.next(2, delay).await, None);
        assert_eq!(queue.push(vec![span(7)]), 1);
    }

    #[test]
    fn what_does_not_fit_is_dropped_run_by_run() {
        let (clock, hand) = Clock::manual(DateTime::default());
        let queue = Queue::new(3, clock);
        assert_eq!(queue.push(vec![span(1), span(1)]), 0);
        assert_eq!(queue.push(vec![span(2), span(2)]), 2);
        assert_eq!(queue.push(vec![span(3)]), 0);
        assert_eq!(queue.push(vec![span(4)]), 1);
        // The first loss is told at once, the next after a minute.
        assert_eq!(queue.lock().dropped, 1);
        hand.advance(TOLD_EVERY);
        assert_eq!(queue.push(vec![span(5)]), 1);
        assert_eq!(queue.lock().dropped, 0);
    }
}
