//! Sends spans in batches, one after the other. A batch that cannot be sent is kept and tried again, more and more seldom,
//! while the queue behind it fills up.

use crate::figures::Figures;
use crate::link::Link;
use crate::options::Traces;
use crate::otlp::Teller;
use crate::post::{Post, Sent};
use crate::queue::Queue;
use crate::span::Span;
use chrono::Duration;
use model::Error;
use state::Clock;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The first pause after a failure; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::seconds(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::seconds(60);

/// Pauses between tries.
pub(crate) struct Pauses(Duration);

impl Pauses {
    pub(crate) fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    /// The next pause: as long as the collector wants it, or up to a quarter more than twice the last, so that many
    /// servers do not come back at the same moment.
    pub(crate) fn next(&mut self, wanted: Option<Duration>) -> Duration {
        let pause = self.0;
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
        let mut byte = [0_u8];
        // Without random numbers all wait equally long.
        let _ = getrandom::fill(&mut byte);
        let more = pause * i32::from(byte[0]) / 1024;
        wanted.unwrap_or(pause) + more
    }
}

/// What spans are sent with.
pub(crate) struct Sender {
    pub(crate) clock: Clock,
    pub(crate) options: Traces,
    pub(crate) queue: Arc<Queue>,
    pub(crate) figures: Arc<Figures>,
    pub(crate) teller: Teller,
    pub(crate) post: Post,
    pub(crate) link: Link,
    /// Cancelled when no more spans come: then each batch is tried once.
    pub(crate) last: CancellationToken,
}

impl Sender {
    /// Sends until the queue is closed and empty.
    pub(crate) async fn run(self) {
        while let Some(batch) = self.queue.next(self.options.batch, self.options.delay).await {
            let fate = self.deliver(&batch).await;
            if fate == Fate::Lost {
                self.queue.dropped(batch.len() as u64);
                self.figures.ledger.note_spans("dropped", batch.len() as u64);
            }
        }
        self.queue.tell_rest();
    }

    async fn deliver(&self, batch: &[Span]) -> Fate {
        let body = self.post.body(&self.teller.traces(batch));
        let begun = self.clock.now();
        let mut pauses = Pauses::new();
        loop {
            let is_last = self.last.is_cancelled();
            let wanted = match self.post.send(body.clone()).await {
                Sent::Taken(partly) => {
                    self.taken(batch.len() as u64, partly);
                    return Fate::Taken;
                }
                Sent::Refused(error) => {
                    self.link.is_refused(&error);
                    self.figures.ledger.note_spans("rejected", batch.len() as u64);
                    return Fate::Refused;
                }
                Sent::Unreached(error) => {
                    self.link.is_unreached(&error, is_last);
                    None
                }
                Sent::Later(error, wanted) => {
                    self.link.is_put_off(&error, is_last);
                    wanted
                }
            };
            let pause = pauses.next(wanted);
            let gives_up = self.options.give_up.is_some_and(|most| self.clock.now() + pause - begun > most);
            if is_last || gives_up {
                return Fate::Lost;
            }
            tokio::select! {
                () = self.clock.sleep(pause) => {}
                () = self.last.cancelled() => {}
            }
        }
    }

    fn taken(&self, count: u64, partly: Option<crate::otlp::Partly>) {
        let partly = partly.unwrap_or_default();
        let rejected = partly.rejected.min(count);
        self.figures.ledger.note_spans("sent", count - rejected);
        self.figures.ledger.note_spans("rejected", rejected);
        if rejected > 0 {
            let error =
                Error::invalid(format!("{rejected} of {count} spans were not taken")).why(partly.message);
            return self.link.is_refused(&error);
        }
        self.link.works();
        if !partly.message.is_empty() {
            tracing::info!("the collector says of the spans: {}", partly.message);
        }
    }
}

/// What became of a batch.
#[derive(PartialEq, Eq)]
enum Fate {
    Taken,
    Refused,
    Lost,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_a_collectors_wish_is_kept() {
        let mut pauses = Pauses::new();
        let mut least = FIRST_PAUSE;
        for _ in 0..10 {
            let pause = pauses.next(None);
            assert!(pause >= least && pause <= least + least / 4, "{pause}");
            least = (least * 2).min(LONGEST_PAUSE);
        }
        let mut pauses = Pauses::new();
        let wanted = pauses.next(Some(Duration::seconds(30)));
        assert!(wanted >= Duration::seconds(30) && wanted < Duration::seconds(31), "{wanted}");
        assert!(pauses.next(Some(Duration::zero())) < FIRST_PAUSE);
    }
}
