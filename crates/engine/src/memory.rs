//! How much memory a query took at its peak, measured beside the limit that all queries share.

use datafusion::common::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// Counts one query's memory and passes every request on to the shared pool.
pub(crate) struct PeakPool {
    shared: Arc<dyn MemoryPool>,
    now: AtomicUsize,
    peak: AtomicUsize,
    /// What exchanges hold.
    exchanged: AtomicUsize,
    /// Whether a join got no memory for the side that it hashes.
    refused_join: AtomicBool,
}

/// What exchanges hold rows in on their way from one task to another: a part for each task.
const EXCHANGE: &str = "RepartitionExec[";

/// What a sort holds: the rows it gathers, and what it merges the files with that it has written.
const SORT: &str = "ExternalSorter";

/// What an exchange of sorted rows merges with. It cannot be written to the disk.
const SORTED_EXCHANGE: &str = "RepartitionExec[Merge";

/// What each may have of it whatever others have: what DataFusion's sorts reserve to merge, and a little.
const LOAN: usize = 12 << 20;

/// What a join hashes, the whole of it or a part for each task.
const HASHED_SIDE: &str = "HashJoinInput";

impl PeakPool {
    pub(crate) fn new(shared: Arc<dyn MemoryPool>) -> Self {
        Self {
            shared,
            now: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            exchanged: AtomicUsize::new(0),
            refused_join: AtomicBool::new(false),
        }
    }

    /// The most that was reserved at one time.
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Relaxed)
    }

    /// Whether a join got no memory for the side that it hashes. Such a side cannot be written to the disk.
    pub(crate) fn refused_join(&self) -> bool {
        self.refused_join.load(Relaxed)
    }

    /// Whether it may have so much more, whatever others have. Where an exchange writes rows to the disk in two tasks at
    /// once, its reader may wait for the one while what it needs stands in the other, and never wakes (DataFusion's issue
    /// 24883): exchanges hold few rows, and have them until these are as many as all may have. A sort that has nothing has
    /// nothing to write to the disk either, and cannot do its share where others have all: it has a little always.
    fn may_lend(&self, reservation: &MemoryReservation, additional: usize) -> bool {
        let name = reservation.consumer().name();
        if name.starts_with(SORT) || name.starts_with(SORTED_EXCHANGE) {
            return reservation.size().saturating_add(additional) <= LOAN;
        }
        let most = match self.shared.memory_limit() {
            MemoryLimit::Finite(limit) => limit,
            MemoryLimit::Infinite | MemoryLimit::Unknown => usize::MAX,
        };
        is_exchange(reservation) && self.exchanged.load(Relaxed).saturating_add(additional) <= most
    }

    fn grew(&self, by: usize) {
        let now = self.now.fetch_add(by, Relaxed) + by;
        self.peak.fetch_max(now, Relaxed);
    }
}

impl fmt::Debug for PeakPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeakPool({} of {:?})", self.now.load(Relaxed), self.shared)
    }
}

impl fmt::Display for PeakPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl MemoryPool for PeakPool {
    fn name(&self) -> &str {
        self.shared.name()
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.shared.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.shared.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.shared.grow(reservation, additional);
        if is_exchange(reservation) {
            self.exchanged.fetch_add(additional, Relaxed);
        }
        self.grew(additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.shared.shrink(reservation, shrink);
        if is_exchange(reservation) {
            self.exchanged.fetch_sub(shrink, Relaxed);
        }
        self.now.fetch_sub(shrink, Relaxed);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        if self.may_lend(reservation, additional) {
            self.grow(reservation, additional);
            return Ok(());
        }
        if let Err(error) = self.shared.try_grow(reservation, additional) {
            if reservation.consumer().name().starts_with(HASHED_SIDE) {
                self.refused_join.store(true, Relaxed);
            }
            return Err(error);
        }
        if is_exchange(reservation) {
            self.exchanged.fetch_add(additional, Relaxed);
        }
        self.grew(additional);
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.shared.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.shared.memory_limit()
    }
}

fn is_exchange(reservation: &MemoryReservation) -> bool {
    let consumer = reservation.consumer();
    consumer.can_spill() && consumer.name().starts_with(EXCHANGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::execution::memory_pool::FairSpillPool;

    #[test]
    fn exchanges_keep_their_rows_in_memory() {
        let pool: Arc<dyn MemoryPool> = Arc::new(PeakPool::new(Arc::new(FairSpillPool::new(1000))));
        let reserve = |name: &str, by| {
            let reservation = MemoryConsumer::new(name).with_can_spill(true).register(&pool);
            reservation.try_grow(by).map(|()| reservation)
        };
        let groups = reserve("GroupedHashAggregateStream[0]", 900).unwrap();
        let exchange = reserve("RepartitionExec[0]", 600).unwrap();
        assert!(reserve("GroupedHashAggregateStream[1]", 400).is_err());
        assert!(reserve("RepartitionExec[1]", 500).is_err());
        exchange.shrink(200);
        let other = reserve("RepartitionExec[1]", 500).unwrap();
        drop((groups, exchange, other));
        assert_eq!(pool.reserved(), 0);
        assert!(reserve("RepartitionExec[1]", 1000).is_ok());
    }

    #[test]
    fn sorts_have_a_little_where_others_have_taken_all() {
        let pool: Arc<dyn MemoryPool> = Arc::new(PeakPool::new(Arc::new(FairSpillPool::new(1000))));
        let reserve = |name: &str, spills: bool, by| {
            let reservation = MemoryConsumer::new(name).with_can_spill(spills).register(&pool);
            reservation.try_grow(by).map(|()| reservation)
        };
        let groups = reserve("GroupedHashAggregateStream[0]", true, 900).unwrap();
        assert!(reserve("HashJoinInput[0]", false, 200).is_err());
        let sort = reserve("ExternalSorter[0]", true, 600).unwrap();
        let merge = reserve("ExternalSorterMerge[0]", false, LOAN).unwrap();
        assert!(merge.try_grow(1).is_err());
        drop((groups, sort, merge));
        assert_eq!(pool.reserved(), 0);
    }
}
