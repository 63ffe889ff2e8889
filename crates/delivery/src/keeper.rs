//! Looks after the delivery streams at work: one whose run has ended takes records and delivers none, so it is started
//! again.

use crate::deliveries::{Deliveries, Inner};
use crate::run::is_missing;
use chrono::Duration;
use model::Result;
use std::sync::{Arc, Weak};

/// How often it looks.
const ROUND: Duration = Duration::minutes(1);

/// Looks after them for as long as somebody has them.
pub(crate) fn keep(inner: &Arc<Inner>) {
    let (clock, inner): (_, Weak<Inner>) = (inner.rooms.clock.clone(), Arc::downgrade(inner));
    tokio::spawn(async move {
        loop {
            clock.sleep(ROUND).await;
            let Some(inner) = inner.upgrade() else { return };
            if let Err(error) = (Deliveries { inner }).start_ended().await {
                tracing::warn!(%error, "delivery streams that have stopped could not be found");
            }
        }
    });
}

impl Deliveries {
    /// Starts those whose run has ended, or never began.
    async fn start_ended(&self) -> Result<()> {
        let _turn = self.inner.turn.lock().await;
        for stored in self.inner.store.list().await? {
            if self.works(&stored.run).await? {
                continue;
            }
            match self.start(&stored).await {
                Ok(()) => {
                    tracing::warn!(stream = stored.name, "a delivery stream had ended, and is started again");
                }
                Err(error) => {
                    tracing::warn!(stream = stored.name, %error, "a delivery stream cannot be started");
                }
            }
        }
        Ok(())
    }

    async fn works(&self, run: &str) -> Result<bool> {
        let Ok(run) = run.parse() else { return Ok(false) };
        match self.inner.rooms.runs.get(&run).await {
            Ok(run) => Ok(!run.state.is_final()),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
