//! Listening to what happens from now on, in this process, in memory only.

use super::{Event, Filter};
use std::sync::Arc;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// What a live listener hears.
#[derive(Debug, Clone, PartialEq)]
pub enum Live {
    /// An event that its filter wants.
    Event(Event),
    /// It was too slow: that many events, wanted or not, went by unheard.
    Missed(u64),
}

/// A live listener.
pub struct LiveEvents {
    receiver: Receiver<Arc<Event>>,
    filter: Filter,
}

impl LiveEvents {
    pub(super) fn new(receiver: Receiver<Arc<Event>>, filter: Filter) -> Self {
        Self { receiver, filter }
    }

    /// The next event that is wanted; `None` when the bus is gone.
    pub async fn next(&mut self) -> Option<Live> {
        loop {
            match self.receiver.recv().await {
                Ok(event) if self.filter.wants(&event.kind, &event.subject) => {
                    return Some(Live::Event(event.as_ref().clone()));
                }
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => return Some(Live::Missed(missed)),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
