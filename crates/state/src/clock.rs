//! The time, injected. Everything above asks a [`Clock`], so that a test can move hours in microseconds.

use chrono::{DateTime, Duration, Utc};
use std::sync::Arc;
use tokio::sync::watch;

/// Where the time comes from. Cheap to clone.
#[derive(Clone)]
pub struct Clock {
    source: Source,
}

#[derive(Clone)]
enum Source {
    System,
    Manual(watch::Receiver<DateTime<Utc>>),
}

/// The handle that moves a manual clock.
#[derive(Clone)]
pub struct ManualClock {
    time: Arc<watch::Sender<DateTime<Utc>>>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self { source: Source::System }
    }

    /// A clock that stands still until its handle moves it.
    pub fn manual(start: DateTime<Utc>) -> (Self, ManualClock) {
        let (sender, receiver) = watch::channel(start);
        (Self { source: Source::Manual(receiver) }, ManualClock { time: Arc::new(sender) })
    }

    /// The time now.
    #[allow(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.source {
            Source::System => Utc::now(),
            Source::Manual(time) => *time.borrow(),
        }
    }

    /// The time now in milliseconds since 1970, as the state database stores it.
    pub fn now_millis(&self) -> i64 {
        self.now().timestamp_millis()
    }

    /// Waits for that long.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.now() + duration).await;
    }

    /// Waits until that time. On a manual clock, until its handle has moved there.
    #[allow(clippy::disallowed_methods, reason = "the one place that waits for the machine's clock")]
    pub async fn sleep_until(&self, deadline: DateTime<Utc>) {
        match &self.source {
            Source::System => {
                let left = (deadline - self.now()).to_std().unwrap_or_default();
                tokio::time::sleep(left).await;
            }
            Source::Manual(time) => {
                let mut time = time.clone();
                // An error means that the handle is gone: the time will never come.
                if time.wait_for(|now| *now >= deadline).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}

impl ManualClock {
    /// Moves the clock forward and wakes whoever waits for a time that has come.
    pub fn advance(&self, by: Duration) {
        self.time.send_modify(|now| *now += by);
    }

    /// Sets the clock.
    pub fn set(&self, to: DateTime<Utc>) {
        self.time.send_replace(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_hour_passes_at_once() {
        let start = DateTime::from_timestamp(1_600_000_000, 0).unwrap();
        let (clock, hand) = Clock::manual(start);
        let waiter = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(start + Duration::hours(1)).await }
        });
        hand.advance(Duration::minutes(59));
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        hand.advance(Duration::minutes(1));
        waiter.await.unwrap();
        assert_eq!(clock.now(), start + Duration::hours(1));
    }
}
