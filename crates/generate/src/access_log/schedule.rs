//! When each call happens. Calls are made iteration by iteration and handed on in the order of time: what is later than
//! the next iteration's beginning waits, everything before is final. How much can wait is checked before the run.

use crate::access_log::calls::Calls;
use crate::access_log::definition::Definition;
use crate::fields::{Field, Fields};
use crate::random::Random;
use crate::timer::Timer;
use model::Result;
use std::sync::mpsc::SyncSender;

/// Calls are sorted and handed on in batches of about this many.
const BATCH: usize = 1 << 16;

/// At most this many calls may wait for earlier ones.
const MAX_WAITING: i128 = 8_000_000;

/// A call, packed so that sorting compares one number: milliseconds since the start, shape of the line, salt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call(u128);

impl Call {
    fn new(offset: i64, shape: u32, salt: u32) -> Self {
        Self((u128::from(offset.unsigned_abs()) << 64) | (u128::from(shape) << 32) | u128::from(salt))
    }

    #[inline]
    fn offset(self) -> i64 {
        (self.0 >> 64) as i64
    }

    #[inline]
    pub(crate) fn shape(self) -> usize {
        ((self.0 >> 32) as u32) as usize
    }

    /// What decides the random parts of the line.
    #[inline]
    pub(crate) fn salt(self) -> u32 {
        self.0 as u32
    }
}

/// Calls in the order of time, and how many iterations were made for them.
pub(crate) struct Batch {
    pub(crate) calls: Vec<Call>,
    pub(crate) iterations: u64,
}

/// The times of a task.
#[derive(Debug)]
pub(crate) struct Schedule {
    iterations: i64,
    timer: Timer,
    jitter: i64,
    lag: (i64, i64),
}

impl Schedule {
    pub(crate) fn new(definition: &Definition, calls: &Calls, root: &Field<'_>) -> Result<Self> {
        let Definition { iterations, timer, jitter, lag, .. } = *definition;
        let timer_field = Fields::of(root).required("timer")?;
        let latest = i128::from(jitter) + i128::from(lag.1) * i128::from(calls.depth);
        timer.check_end(&timer_field, iterations, i64::try_from(latest).unwrap_or(i64::MAX))?;
        let overlapping = (latest / i128::from(timer.step) + 1).min(i128::from(iterations));
        if overlapping * calls.per_iteration() as i128 > MAX_WAITING {
            return Err(timer_field
                .error("too many calls overlap to bring them into the order of time")
                .why(format!(
                    "calls may come {latest} ms after their iteration, and an iteration of {} calls begins every {} ms",
                    calls.per_iteration(),
                    timer.step
                ))
                .hint("lower the network lag or `timer.jitterMillis`, or raise `timer.stepMillis`"));
        }
        Ok(Self { iterations, timer, jitter, lag })
    }

    /// When a call happens, in milliseconds since 1970.
    #[inline]
    pub(crate) fn time(&self, call: Call) -> i64 {
        self.timer.start + call.offset()
    }

    /// Makes all calls, until done or nobody takes them any more.
    pub(crate) fn make(&self, calls: &Calls, seed: u64, to: &SyncSender<Batch>) {
        let mut random: Vec<Random> = (0..calls.items.len())
            .map(|index| Random::stream(seed, &["load item", &index.to_string()]))
            .collect();
        let mut times = Vec::new();
        let mut waiting: Vec<Call> = Vec::new();
        let (mut enough, mut made) = (BATCH, 0);
        for iteration in 0..self.iterations {
            let begin = self.timer.step * iteration;
            for (links, random) in calls.items.iter().zip(&mut random) {
                times.clear();
                for link in links {
                    let time = match times.get(link.caller) {
                        Some(caller) => caller + random.between(self.lag.0, self.lag.1),
                        None => begin + random.between(0, self.jitter),
                    };
                    times.push(time);
                    let salt = if link.salted { (random.next() >> 32) as u32 } else { 0 };
                    waiting.push(Call::new(time, link.shape, salt));
                }
            }
            made += 1;
            let last = iteration + 1 == self.iterations;
            if waiting.len() < enough && !last {
                continue;
            }
            waiting.sort_unstable();
            let final_before = if last { i64::MAX } else { begin + self.timer.step };
            let later = waiting.split_off(waiting.partition_point(|call| call.offset() < final_before));
            let batch = Batch { calls: std::mem::replace(&mut waiting, later), iterations: made };
            made = 0;
            // Where much has to wait, gather more before sorting again.
            enough = waiting.len() * 2 + BATCH;
            if to.send(batch).is_err() {
                return;
            }
        }
    }
}
