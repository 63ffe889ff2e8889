//! Splits and merges as plain computation: which shards are closed and which are made. No clock, no disk.

use crate::{HashRange, ShardId};
use model::{Error, Result};

/// A shard as far as its lineage goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Branch {
    pub(crate) id: ShardId,
    pub(crate) range: HashRange,
    pub(crate) parent: Option<ShardId>,
    pub(crate) adjacent: Option<ShardId>,
    /// Closed in this very plan, before it took a record.
    pub(crate) closed: bool,
}

/// What becomes of a stream's shards.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Shards that existed and are closed.
    pub(crate) closes: Vec<ShardId>,
    /// Shards that are made, by id.
    pub(crate) makes: Vec<Branch>,
}

/// Computes a [`Plan`] step by step.
pub(crate) struct Planner {
    open: Vec<(ShardId, HashRange)>,
    next: u32,
    plan: Plan,
}

impl Planner {
    /// Begins with the shards that are open; `next` is the first number that no shard has had.
    pub(crate) fn new(mut open: Vec<(ShardId, HashRange)>, next: u32) -> Self {
        open.sort_by_key(|(_, range)| range.first);
        Self { open, next, plan: Plan::default() }
    }

    pub(crate) fn finish(self) -> Plan {
        self.plan
    }

    /// Cuts a shard in two; the second half begins with `second`.
    pub(crate) fn split(&mut self, id: ShardId, second: u128) -> Result<()> {
        let at = self.find(id)?;
        let range = self.open[at].1;
        if second <= range.first || second > range.last {
            return Err(Error::invalid(format!(
                "{id} cannot be split at {second}: the new starting hash key must lie above {} and not above {}",
                range.first, range.last
            )));
        }
        self.close(id);
        let left = self.make(HashRange { first: range.first, last: second - 1 }, id, None);
        let right = self.make(HashRange { first: second, last: range.last }, id, None);
        self.open.splice(at..=at, [left, right]);
        Ok(())
    }

    /// Makes one shard of two that lie side by side.
    pub(crate) fn merge(&mut self, id: ShardId, adjacent: ShardId) -> Result<()> {
        let (one, two) = (self.find(id)?, self.find(adjacent)?);
        if one.abs_diff(two) != 1 {
            return Err(Error::invalid(format!("{id} and {adjacent} do not lie side by side"))
                .hint("the one's hash keys must end where the other's begin"));
        }
        let at = one.min(two);
        let range = HashRange { first: self.open[at].1.first, last: self.open[at + 1].1.last };
        self.close(id);
        self.close(adjacent);
        let merged = self.make(range, id, Some(adjacent));
        self.open.splice(at..=at + 1, [merged]);
        Ok(())
    }

    /// Splits and merges until there are that many even shards. Those that are as wanted already stay.
    pub(crate) fn scale(&mut self, count: u32) -> Result<()> {
        let wanted = HashRange::even(count);
        for range in &wanted {
            let at = self.open.partition_point(|(_, open)| open.last < range.first);
            if self.open[at].1.first != range.first {
                self.split(self.open[at].0, range.first)?;
            }
        }
        for range in &wanted {
            let at = self.open.partition_point(|(_, open)| open.last < range.first);
            while self.open[at].1.last != range.last {
                self.merge(self.open[at].0, self.open[at + 1].0)?;
            }
        }
        Ok(())
    }

    fn find(&self, id: ShardId) -> Result<usize> {
        self.open
            .iter()
            .position(|(open, _)| *open == id)
            .ok_or_else(|| Error::invalid(format!("{id} is not an open shard of this stream")))
    }

    fn close(&mut self, id: ShardId) {
        match self.plan.makes.iter_mut().find(|made| made.id == id) {
            Some(made) => made.closed = true,
            None => self.plan.closes.push(id),
        }
    }

    fn make(&mut self, range: HashRange, parent: ShardId, adjacent: Option<ShardId>) -> (ShardId, HashRange) {
        let id = ShardId(self.next);
        self.next += 1;
        self.plan.makes.push(Branch { id, range, parent: Some(parent), adjacent, closed: false });
        (id, range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn even(count: u32) -> Vec<(ShardId, HashRange)> {
        HashRange::even(count).into_iter().zip(0..).map(|(range, n)| (ShardId(n), range)).collect()
    }

    #[test]
    fn doubling_and_halving_touch_every_shard_once() {
        let mut planner = Planner::new(even(2), 2);
        planner.scale(4).unwrap();
        let plan = planner.finish();
        assert_eq!(plan.closes, [ShardId(0), ShardId(1)]);
        assert_eq!(plan.makes.iter().map(|made| made.range).collect::<Vec<_>>(), HashRange::even(4));
        let mut planner = Planner::new(even(4), 4);
        planner.scale(2).unwrap();
        let made = planner.finish().makes;
        assert_eq!((made[0].parent, made[0].adjacent), (Some(ShardId(0)), Some(ShardId(1))));
        assert_eq!((made[1].parent, made[1].adjacent), (Some(ShardId(2)), Some(ShardId(3))));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let mut planner = Planner::new(even(3), 3);
        let first = HashRange::even(3)[1];
        for second in [0, first.first, first.last + 1] {
            assert!(planner.split(ShardId(1), second).is_err(), "{second}");
        }
        assert!(planner.merge(ShardId(0), ShardId(2)).is_err());
        assert!(planner.merge(ShardId(0), ShardId(0)).is_err());
        assert!(planner.split(ShardId(9), 1).is_err());
        planner.split(ShardId(1), first.last).unwrap();
        assert!(planner.merge(ShardId(1), ShardId(0)).is_err(), "it is closed now");
        planner.merge(ShardId(3), ShardId(0)).unwrap();
    }

    proptest! {
        #[test]
        fn scaling_ends_even_and_every_key_has_one_line_of_descent(counts in prop::collection::vec(1u32..40, 1..6)) {
            let mut open = even(counts[0]);
            let mut next = counts[0];
            for count in counts {
                let mut planner = Planner::new(open.clone(), next);
                planner.scale(count).unwrap();
                open = planner.open.clone();
                next = planner.next;
                let plan = planner.finish();
                prop_assert_eq!(open.iter().map(|(_, range)| *range).collect::<Vec<_>>(), HashRange::even(count));
                for made in &plan.makes {
                    let parents: Vec<_> = made.parent.iter().chain(&made.adjacent).collect();
                    prop_assert!(parents.iter().all(|id| plan.closes.contains(id)
                        || plan.makes.iter().any(|other| other.id == **id && other.closed)));
                }
            }
        }
    }
}
