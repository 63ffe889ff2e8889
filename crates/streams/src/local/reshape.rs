//! Splits, merges and scaling: the stream holds back what is put, the state database takes the change, and the records
//! that waited go to the new shards.

use super::Inner;
use super::control::{make_folders, row};
use super::shard::{Closed, ShardState, StreamState, lock, read, write};
use crate::reshard::{Plan, Planner};
use crate::types::MAX_SHARDS;
use crate::{ShardId, StreamMode};
use model::{Error, Result};
use std::sync::Arc;

impl Inner {
    /// Changes a stream's shards as the planner is told to.
    pub(super) async fn reshape(
        &self,
        name: &str,
        steps: impl FnOnce(&mut Planner) -> Result<()> + Send,
    ) -> Result<()> {
        let _turn = self.admin.lock().await;
        let stream = self.stream(name)?;
        let plan = plan(&stream, steps)?;
        if plan.makes.is_empty() {
            return Ok(());
        }
        let id = stream.id;
        // Everything that was put before is in its shard now, and nothing is added until the stream is thawed.
        self.on_committer(move |committer| committer.freeze(id)).await?;
        let thaw = Thaw { inner: self, stream: id };
        let closing: Vec<_> = plan.closes.iter().map(|id| stream.shard(*id)).collect::<Result<_>>()?;
        let made = self.make(&stream, &plan, &closing);
        make_folders(made.clone(), &stream.folder).await?;
        let now = self.clock.now_millis();
        let ends: Vec<_> = closing
            .iter()
            .map(|shard| Closed { time: now.max(shard.epoch), ordinal: lock(&shard.files).next })
            .collect();
        let closes: Vec<_> = closing
            .iter()
            .zip(&ends)
            .map(|(shard, end)| (i64::from(shard.id.0), end.time, end.ordinal as i64))
            .collect();
        let rows: Vec<_> = made.iter().map(|shard| row(shard)).collect();
        let next = read(&stream.facts).next_shard + made.len() as u32;
        self.store.reshard(id as i64, &closes, &rows, i64::from(next)).await?;
        {
            let mut facts = write(&stream.facts);
            facts.next_shard = next;
            facts.shards.extend(made.into_iter().map(|shard| (shard.id, shard)));
        }
        for (shard, end) in closing.iter().zip(ends) {
            *lock(&shard.closed) = Some(end);
        }
        stream.reroute();
        let closing_too = closing.clone();
        self.on_committer(move |committer| {
            for shard in &closing_too {
                committer.finish_segment(shard, &mut lock(&shard.files));
            }
        })
        .await?;
        drop(thaw);
        closing.iter().for_each(|shard| shard.announce());
        Ok(())
    }

    pub(super) async fn update_shard_count(&self, name: &str, count: u32) -> Result<()> {
        if !(1..=MAX_SHARDS).contains(&count) {
            return Err(Error::invalid(format!("a stream has 1 to {MAX_SHARDS} shards, not {count}")));
        }
        self.reshape(name, |planner| planner.scale(count)).await
    }

    fn make(&self, stream: &StreamState, plan: &Plan, closing: &[Arc<ShardState>]) -> Vec<Arc<ShardState>> {
        let oldest = closing.iter().map(|shard| shard.epoch).max().unwrap_or(0);
        // Children have greater sequence numbers than their parents: each later generation is made a moment later.
        let mut epoch = self.clock.now_millis().max(oldest + 1);
        let mut made: Vec<Arc<ShardState>> = Vec::new();
        for branch in &plan.makes {
            let parents = [branch.parent, branch.adjacent];
            let youngest = made.iter().filter(|m| parents.contains(&Some(m.id))).map(|m| m.epoch).max();
            epoch = epoch.max(youngest.map_or(0, |youngest| youngest + 1));
            let closed = branch.closed.then_some(Closed { time: epoch, ordinal: 1 });
            made.push(Arc::new(ShardState::new(
                &stream.folder,
                (branch.id, branch.range),
                (branch.parent, branch.adjacent),
                epoch,
                closed,
            )));
        }
        made
    }
}

fn plan(stream: &StreamState, steps: impl FnOnce(&mut Planner) -> Result<()>) -> Result<Plan> {
    let facts = read(&stream.facts);
    if facts.settings.mode == StreamMode::OnDemand {
        return Err(Error::invalid(format!(
            "the stream `{}` is on-demand: its shards are not changed by hand",
            stream.name
        ))
        .hint("switch the stream to provisioned mode first"));
    }
    let open: Vec<(ShardId, _)> = facts
        .shards
        .values()
        .filter(|shard| lock(&shard.closed).is_none())
        .map(|shard| (shard.id, shard.range))
        .collect();
    let mut planner = Planner::new(open, facts.next_shard);
    steps(&mut planner)?;
    Ok(planner.finish())
}

/// Lets a stream's records flow again, however the change ended.
struct Thaw<'a> {
    inner: &'a Inner,
    stream: u64,
}

impl Drop for Thaw<'_> {
    fn drop(&mut self) {
        let stream = self.stream;
        let thaw = super::Command::Run(Box::new(move |committer| committer.thaw(stream)));
        // A log that is closed has nothing to let flow.
        let _ = self.inner.send(thaw);
    }
}
