//! Applications that last: what fails for the moment does not end them.

use crate::applications::{Applications, Control, StartFrom, StartOptions, lock};
use crate::flow::resolve::Resolved;
use crate::run::driver::{Begin, Driver};
use crate::run::settle::recover;
use chrono::Duration;
use model::{Error, Result};
use serde_json::json;
use state::runs::RunContext;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long an application waits after a failure that may pass; twice as long after each further one.
const FIRST_PAUSE: Duration = Duration::milliseconds(500);
const LONGEST_PAUSE: Duration = Duration::seconds(60);

impl Applications {
    pub(crate) async fn drive(
        &self,
        name: &str,
        resolved: &Resolved,
        tasks: usize,
        options: StartOptions,
        run: RunContext,
    ) -> Result<serde_json::Value> {
        let control = Arc::new(Control::default());
        lock(&self.working).insert(name.to_owned(), Arc::clone(&control));
        let ended = self.go_on((name, resolved, tasks), options, &run, &control).await;
        lock(&self.working).remove(name);
        // A process that ends takes its applications up again when it is back; who stops one means it.
        let by_itself =
            ended.is_ok() || ended.as_ref().is_err_and(|e| e.kind() != model::ErrorKind::Cancelled);
        if by_itself {
            self.store.want(name, false, 0).await?;
        }
        let counters = ended?;
        Ok(json!({ "application": name, "counters": counters }))
    }

    /// Works; what fails for the moment is tried again, later each time, from the last checkpoint on.
    async fn go_on(
        &self,
        what: (&str, &Resolved, usize),
        mut options: StartOptions,
        run: &RunContext,
        control: &Control,
    ) -> Result<BTreeMap<String, u64>> {
        let (clock, cancelled) = (&self.rooms.clock, run.cancelled());
        let (mut tries, mut before) = (0_u32, None);
        loop {
            let begun = clock.now();
            let error = match self.work(what, &mut options, &mut before, run, control).await {
                Err(error) if error.kind().may_pass() && !cancelled.is_cancelled() => error,
                ended => return ended,
            };
            if clock.now() - begun > LONGEST_PAUSE {
                tries = 0;
            }
            let pause = (FIRST_PAUSE * (1 << tries.min(10))).min(LONGEST_PAUSE);
            tries = tries.saturating_add(1);
            let name = what.0;
            run.warn(format!("`{name}` goes on from its last checkpoint in a while: {}", error.diagnosis()))
                .await;
            tokio::select! {
                () = clock.sleep(pause) => {}
                () = cancelled.cancelled() => return Err(Error::cancelled()),
            }
        }
    }

    /// Works until it ends or fails. `before` is the checkpoint that was the latest when it was started: once there is a
    /// later one, that is where it begins, whatever it was started with.
    async fn work(
        &self,
        (name, resolved, tasks): (&str, &Resolved, usize),
        options: &mut StartOptions,
        before: &mut Option<u64>,
        run: &RunContext,
        control: &Control,
    ) -> Result<BTreeMap<String, u64>> {
        let latest = recover(&self.rooms, &self.store, name).await?;
        let last = latest.as_ref().map_or(0, |c| c.number);
        if last > *before.get_or_insert(last) {
            options.from = StartFrom::Latest;
        }
        let begin = match &options.from {
            StartFrom::Beginning => Begin::Anew,
            StartFrom::Latest => latest.map_or(Begin::Anew, |c| Begin::From(Box::new(c))),
            StartFrom::Snapshot(label) => Begin::From(Box::new(self.snapshot_of(name, label).await?)),
        };
        let rooms = (self.rooms.clone(), self.store.clone());
        let mut driver =
            Driver::open(name, resolved, tasks, begin, last, options.allow_non_restored_state, rooms).await?;
        run.info(format!("`{name}` runs with {tasks} task(s)")).await;
        driver.run(run, control, options.until_caught_up).await?;
        let latest = self.store.checkpoints(name).await?.into_iter().next();
        Ok(latest.map(|c| c.kept.counters).unwrap_or_default())
    }
}
