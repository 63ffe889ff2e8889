//! How it stands with a collector, as the log is told: once that it is not reached or does not take what comes, with what to
//! do, and once that it works again.

use crate::options::Address;
use model::{Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// What fails so often in a row is worth a line: that a request fails once is nothing unusual.
const WORTH_TELLING: u32 = 2;

/// Whether a collector is reached: shared by the signals that go to one.
#[derive(Default)]
pub(crate) struct Reach {
    failed: AtomicU32,
    is_told: AtomicBool,
}

/// How it stands with a collector and a signal.
pub(crate) struct Link {
    what: &'static str,
    address: Address,
    reach: Arc<Reach>,
    own: Reach,
}

impl Reach {
    /// It failed; whether that is to be told.
    fn fails(&self, at_once: bool) -> bool {
        let failed = self.failed.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        (at_once || failed >= WORTH_TELLING) && !self.is_told.swap(true, Ordering::AcqRel)
    }

    /// It works; whether that is news.
    fn works(&self) -> bool {
        self.failed.store(0, Ordering::Release);
        self.is_told.swap(false, Ordering::AcqRel)
    }
}

impl Link {
    pub(crate) fn new(what: &'static str, address: Address, reach: Arc<Reach>) -> Self {
        Self { what, address, reach, own: Reach::default() }
    }

    /// The collector is not reached.
    pub(crate) fn is_unreached(&self, error: &Error, at_once: bool) {
        if self.reach.fails(at_once) {
            tracing::warn!(
                "the collector at {} is not reached: {}; everything else goes on",
                self.address.origin(),
                explained(error)
            );
        }
    }

    /// The collector wants it later, or does not answer in time.
    pub(crate) fn is_put_off(&self, error: &Error, at_once: bool) {
        // Who does not answer in time may not have been reached either.
        if error.kind() != ErrorKind::Timeout {
            self.is_reached();
        }
        self.fails(error, at_once);
    }

    /// The collector does not want it.
    pub(crate) fn is_refused(&self, error: &Error) {
        self.is_reached();
        self.fails(error, true);
    }

    /// The collector has taken it.
    pub(crate) fn works(&self) {
        self.is_reached();
        if self.own.works() {
            tracing::info!("{} are taken again by {}", self.what, self.address);
        }
    }

    fn fails(&self, error: &Error, at_once: bool) {
        if self.own.fails(at_once) {
            tracing::warn!("{} cannot be sent to {}: {}", self.what, self.address, explained(error));
        }
    }

    fn is_reached(&self) {
        if self.reach.works() {
            tracing::info!("the collector at {} is reached again", self.address.origin());
        }
    }
}

/// What went wrong, why, and what to do, in one line.
fn explained(error: &Error) -> String {
    let diagnosis = error.diagnosis();
    let parts = std::iter::once(diagnosis.what).chain(diagnosis.why).chain(diagnosis.hints);
    parts.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_once_and_once_that_it_works_again() {
        let reach = Reach::default();
        // Once is nothing.
        assert!(!reach.fails(false) && !reach.works());
        assert!(!reach.fails(false) && reach.fails(false));
        assert!(!reach.fails(false) && !reach.fails(true));
        assert!(reach.works() && !reach.works());
        // What will not get better is told at once.
        assert!(reach.fails(true) && !reach.fails(true) && reach.works());
    }
}
