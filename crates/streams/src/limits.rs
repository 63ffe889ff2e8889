//! Limits per shard, as Kinesis has them, and the budget that tells when one is spent.

/// Limits per shard. They can be switched off: a local disk need not be slower than it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of keys and data that may be put in a second.
    pub write_bytes: u64,
    /// Records that may be put in a second.
    pub write_records: u64,
    /// Bytes that may be read in a second.
    pub read_bytes: u64,
    /// Reads in a second.
    pub read_calls: u64,
}

impl Default for Limits {
    /// Those of Kinesis: 1 MiB and 1,000 records written, 2 MiB and 5 calls read.
    fn default() -> Self {
        Self { write_bytes: 1 << 20, write_records: 1000, read_bytes: 2 << 20, read_calls: 5 }
    }
}

/// What is left of two limits. Each fills up within a second.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Budget {
    at: Option<i64>,
    bytes: f64,
    calls: f64,
}

impl Budget {
    /// Fills up for the time that has passed since the last call.
    pub(crate) fn refill(&mut self, now: i64, (bytes, calls): (u64, u64)) {
        let (bytes, calls) = (bytes as f64, calls as f64);
        let seconds = self.at.map_or(1.0, |at| (now - at).max(0) as f64 / 1000.0);
        self.at = Some(self.at.map_or(now, |at| at.max(now)));
        self.bytes = (self.bytes + bytes * seconds).min(bytes);
        self.calls = (self.calls + calls * seconds).min(calls);
    }

    /// Takes one record of that size, if there is enough for it. A record larger than the limit needs a full budget.
    pub(crate) fn take(&mut self, size: u64, limit: u64) -> bool {
        let enough = self.calls >= 1.0 && self.bytes >= size.min(limit) as f64;
        if enough {
            self.bytes -= size as f64;
            self.calls -= 1.0;
        }
        enough
    }

    /// Takes a call, if there are calls and bytes left. The bytes are settled by [`Budget::spend`].
    pub(crate) fn call(&mut self) -> bool {
        let enough = self.calls >= 1.0 && self.bytes > 0.0;
        if enough {
            self.calls -= 1.0;
        }
        enough
    }

    /// Takes bytes, into debt if need be: a read that was too large is paid for by waiting.
    pub(crate) fn spend(&mut self, bytes: u64) {
        self.bytes -= bytes as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_gives_a_seconds_worth() {
        let mut budget = Budget::default();
        budget.refill(0, (1000, 5));
        assert_eq!((0..7).filter(|_| budget.take(100, 1000)).count(), 5);
        budget.refill(200, (1000, 5));
        assert!(budget.take(100, 1000) && !budget.take(100, 1000));
        budget.refill(10_000, (1000, 5));
        assert!(budget.take(5000, 1000), "a full budget takes one that is too large");
        budget.refill(13_000, (1000, 5));
        assert!(!budget.take(1, 1000), "and pays for it");
        budget.refill(14_100, (1000, 5));
        assert!(budget.take(1, 1000));
    }

    #[test]
    fn a_large_read_is_paid_by_waiting() {
        let mut budget = Budget::default();
        budget.refill(0, (1000, 5));
        assert!(budget.call());
        budget.spend(3000);
        budget.refill(1900, (1000, 5));
        assert!(!budget.call());
        budget.refill(2100, (1000, 5));
        assert!(budget.call());
    }
}
