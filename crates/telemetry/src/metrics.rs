//! Sends the figures now and then. What could not be sent is not kept: the next figures say it, too.

use crate::figures::Figures;
use crate::link::Link;
use crate::options::Metrics;
use crate::otlp::Teller;
use crate::post::{Post, Sent};
use crate::traces::Pauses;
use chrono::{DateTime, Duration, Utc};
use model::Error;
use state::Clock;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What figures are sent with.
pub(crate) struct Reporter {
    pub(crate) clock: Clock,
    pub(crate) options: Metrics,
    pub(crate) figures: Arc<Figures>,
    pub(crate) teller: Teller,
    pub(crate) post: Post,
    pub(crate) link: Link,
    /// When the server began to count.
    pub(crate) start: DateTime<Utc>,
    /// Cancelled when nothing happens any more: then they are sent a last time.
    pub(crate) last: CancellationToken,
}

impl Reporter {
    /// Sends until the token is cancelled, and once more then.
    pub(crate) async fn run(self) {
        let mut pauses = Pauses::new();
        let mut nap = self.options.interval;
        loop {
            tokio::select! {
                () = self.clock.sleep(nap) => {}
                () = self.last.cancelled() => {}
            }
            let is_last = self.last.is_cancelled();
            nap = match self.report(is_last).await {
                Ok(()) => {
                    pauses = Pauses::new();
                    self.options.interval
                }
                // Sooner than usual, unless the collector wants to wait longer.
                Err(wanted) => match wanted {
                    Some(wanted) => pauses.next(Some(wanted)),
                    None => pauses.next(None).min(self.options.interval),
                },
            };
            if is_last {
                return;
            }
        }
    }

    /// Sends the figures as they are; an error where that is to be tried again, with how long to wait for it.
    async fn report(&self, is_last: bool) -> Result<(), Option<Duration>> {
        let families = match self.figures.gather().await {
            Ok(families) => families,
            Err(error) => {
                tracing::warn!(%error, "the figures cannot be gathered");
                return Ok(());
            }
        };
        let message = self.teller.metrics(&families, self.start, self.clock.now());
        match self.post.send(self.post.body(&message)).await {
            Sent::Taken(partly) => {
                let partly = partly.unwrap_or_default();
                if partly.rejected > 0 {
                    let what = format!("{} points were not taken", partly.rejected);
                    self.link.is_refused(&Error::invalid(what).why(partly.message));
                    return Ok(());
                }
                self.link.works();
                if !partly.message.is_empty() {
                    tracing::info!("the collector says of the metrics: {}", partly.message);
                }
                Ok(())
            }
            Sent::Refused(error) => {
                self.link.is_refused(&error);
                Ok(())
            }
            Sent::Unreached(error) => {
                self.link.is_unreached(&error, is_last);
                Err(None)
            }
            Sent::Later(error, wanted) => {
                self.link.is_put_off(&error, is_last);
                Err(wanted)
            }
        }
    }
}
