//! Random interleavings of puts, splits, merges, scaling, restarts and power failures, with readers that follow the
//! lineage at their own pace: each of them sees every acknowledged record exactly once and in order.

use crate::House;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use streams::*;

#[derive(Debug, Clone)]
enum Step {
    /// One call with that many records.
    Put(usize),
    /// So many producers put while the shards change.
    Storm(usize, u32),
    Split(usize, u8),
    Merge(usize),
    Scale(u32),
    /// A reader reads on: which one, and how much.
    Read(usize, usize),
    Restart,
    PowerFailure,
    Checkpoint,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1usize..40).prop_map(Step::Put),
        1 => (2usize..6, 1u32..6).prop_map(|(calls, shards)| Step::Storm(calls, shards)),
        2 => (0usize..8, any::<u8>()).prop_map(|(shard, at)| Step::Split(shard, at)),
        2 => (0usize..8).prop_map(Step::Merge),
        1 => (1u32..7).prop_map(Step::Scale),
        5 => (0usize..READERS, 1usize..60).prop_map(|(reader, limit)| Step::Read(reader, limit)),
        1 => Just(Step::Restart),
        1 => Just(Step::PowerFailure),
        1 => Just(Step::Checkpoint),
    ]
}

const READERS: usize = 3;
type Seen = BTreeMap<ShardId, Vec<(SequenceNumber, String)>>;

/// Reads every shard from its beginning; those that were made from others only when these are at their end.
#[derive(Default)]
struct Reader {
    next: BTreeMap<ShardId, ShardIterator>,
    ended: BTreeSet<ShardId>,
    seen: Seen,
}

impl Reader {
    /// Reads something from every shard it may read. Answers whether it got on.
    async fn read(&mut self, log: &LocalLog, limit: usize) -> bool {
        let mut got_on = false;
        for shard in log.list_shards("s", ShardFilter::default()).await.unwrap() {
            let parents: Vec<_> = shard.parent.into_iter().chain(shard.adjacent_parent).collect();
            if self.ended.contains(&shard.id) || !parents.iter().all(|parent| self.ended.contains(parent)) {
                continue;
            }
            let iterator = match self.next.remove(&shard.id) {
                // As a client keeps it: as text.
                Some(iterator) => iterator.to_string().parse().unwrap(),
                None => log.iterator("s", shard.id, StartAt::TrimHorizon).await.unwrap(),
            };
            let options = ReadOptions { limit, ..ReadOptions::default() };
            let read = log.get_records(&iterator, options).await.unwrap();
            got_on |= !read.records.is_empty() || read.next.is_none();
            let text =
                |record: Record| (record.sequence_number, String::from_utf8(record.data().to_vec()).unwrap());
            self.seen.entry(shard.id).or_default().extend(read.records.into_iter().map(text));
            match read.next {
                Some(next) => drop(self.next.insert(shard.id, next)),
                None => drop(self.ended.insert(shard.id)),
            }
        }
        got_on
    }
}

struct Run {
    house: House,
    /// Older places of the log: power failures move it, and what was opened there must stay.
    left: Vec<House>,
    log: LocalLog,
    acknowledged: Seen,
    count: usize,
}

impl Run {
    fn records(&mut self, count: usize) -> Vec<NewRecord> {
        let from = self.count;
        self.count += count;
        (from..self.count).map(|n| crate::record(&format!("key {}", n % 17), n.to_string())).collect()
    }

    fn note(&mut self, from: usize, placed: Vec<model::Result<Placed>>) {
        for (n, placed) in (from..).zip(placed) {
            let placed = placed.unwrap();
            self.acknowledged.entry(placed.shard).or_default().push((placed.sequence_number, n.to_string()));
        }
    }

    async fn open_ids(&self) -> Vec<Shard> {
        let mut open = self.log.list_shards("s", ShardFilter::AtLatest).await.unwrap();
        open.sort_by_key(|shard| shard.range.first);
        open
    }

    async fn take(&mut self, step: Step, readers: &mut [Reader]) {
        match step {
            Step::Put(count) => {
                let (from, records) = (self.count, self.records(count));
                let placed = self.log.put_many("s", records).await.unwrap();
                self.note(from, placed);
            }
            Step::Storm(calls, shards) => self.storm(calls, shards).await,
            Step::Split(at, part) => {
                let open = self.open_ids().await;
                let shard = &open[at % open.len()];
                let width = (shard.range.last - shard.range.first) / 256;
                let second = shard.range.first + width * u128::from(part) + 1;
                if second <= shard.range.last {
                    self.log.split_shard("s", shard.id, second).await.unwrap();
                }
            }
            Step::Merge(at) => {
                let open = self.open_ids().await;
                if open.len() > 1 {
                    let at = at % (open.len() - 1);
                    self.log.merge_shards("s", open[at + 1].id, open[at].id).await.unwrap();
                }
            }
            Step::Scale(count) => self.log.update_shard_count("s", count).await.unwrap(),
            Step::Read(reader, limit) => drop(readers[reader].read(&self.log, limit).await),
            Step::Restart => {
                self.log.close().await;
                self.log = self.house.open().await;
                assert_eq!((self.log.recovered().damages.len(), self.log.recovered().replayed), (0, 0));
            }
            Step::PowerFailure => {
                let image = self.house.image();
                self.log = image.open().await;
                assert_eq!(self.log.recovered().damages, []);
                self.left.push(std::mem::replace(&mut self.house, image));
            }
            Step::Checkpoint => self.log.checkpoint().await.unwrap(),
        }
        self.house.hand.advance(crate::millis(3));
    }

    /// Producers put on and on while the shards change, and stop only then.
    async fn storm(&mut self, producers: usize, shards: u32) {
        let numbers = Arc::new(AtomicUsize::new(self.count));
        let changed = Arc::new(AtomicBool::new(false));
        let producers: Vec<_> = (0..producers)
            .map(|_| {
                let (log, numbers, changed) = (self.log.clone(), Arc::clone(&numbers), Arc::clone(&changed));
                tokio::spawn(async move {
                    let mut all = Vec::new();
                    while !changed.load(Ordering::SeqCst) || all.is_empty() {
                        let from = numbers.fetch_add(7, Ordering::SeqCst);
                        let record = |n: usize| crate::record(&format!("key {}", n % 17), n.to_string());
                        let placed = log.put_many("s", (from..from + 7).map(record).collect()).await.unwrap();
                        all.extend(placed.into_iter().map(Result::unwrap).zip(from..));
                    }
                    all
                })
            })
            .collect();
        self.log.update_shard_count("s", shards).await.unwrap();
        changed.store(true, Ordering::SeqCst);
        let mut placed = Vec::new();
        for producer in producers {
            placed.extend(producer.await.unwrap());
        }
        self.count = numbers.load(Ordering::SeqCst);
        placed.sort_by_key(|(placed, _)| placed.sequence_number);
        for (placed, n) in placed {
            self.acknowledged.entry(placed.shard).or_default().push((placed.sequence_number, n.to_string()));
        }
    }
}

async fn run(steps: Vec<Step>) {
    let mut house = House::new().await;
    house.options.segment_bytes = 2000;
    house.options.journal_bytes = 5000;
    let log = house.with_stream(2).await;
    let mut run = Run { house, left: Vec::new(), log, acknowledged: Seen::new(), count: 0 };
    let mut readers: [Reader; READERS] = Default::default();
    for step in steps {
        run.take(step, &mut readers).await;
    }
    for reader in &mut readers {
        while reader.read(&run.log, 1000).await {}
        reader.seen.retain(|_, records| !records.is_empty());
        assert_eq!(reader.seen, run.acknowledged);
    }
    assert_eq!(run.acknowledged.values().map(Vec::len).sum::<usize>(), run.count);
    assert!(run.log.check("s").await.unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_reader_sees_every_record_once_and_in_order(steps in prop::collection::vec(step(), 1..50)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}

/// Few by default; `STREAMS_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("STREAMS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(24)
}
