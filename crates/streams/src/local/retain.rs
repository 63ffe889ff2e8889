//! Retention: segments all of whose records are too old are deleted, and closed shards that have none left forgotten.
//!
//! The trim horizon moves first, then a checkpoint makes that durable, then files go: so a missing file below the
//! horizon is retention, and one above it is damage.

use super::files::failed;
use super::segment::{index_path, segment_path};
use super::shard::{Files, ShardState, StreamState, lock, read, write};
use super::{Inner, LocalLog, blocking};
use crate::{SequenceNumber, ShardId};
use model::Result;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// What a sweep has deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Segments.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Closed shards without records.
    pub shards: u64,
}

impl LocalLog {
    /// Deletes what is older than its stream keeps records. The log does it by itself from time to time.
    pub async fn sweep(&self) -> Result<Swept> {
        self.inner.detached(|inner| async move { inner.sweep().await }).await
    }

    pub(super) fn start_sweeping(&self) {
        let Some(every) = self.inner.options.sweep_every else { return };
        let (clock, log) = (self.inner.clock.clone(), Arc::downgrade(&self.inner));
        tokio::spawn(async move {
            loop {
                clock.sleep(every).await;
                let Some(log) = log.upgrade() else { return };
                if let Err(error) = log.sweep().await {
                    tracing::warn!(%error, "records of the stream log that are too old could not be deleted");
                }
            }
        });
    }
}

impl Inner {
    async fn sweep(&self) -> Result<Swept> {
        let _turn = self.admin.lock().await;
        let streams: Vec<_> =
            read(&self.streams).values().filter(|stream| !stream.is_gone()).cloned().collect();
        let cutoffs: HashMap<u64, i64> =
            streams.iter().map(|stream| (stream.id, self.cutoff(stream).timestamp_millis())).collect();
        let expired = streams.iter().any(|stream| {
            let cutoff = cutoffs[&stream.id];
            stream
                .shards()
                .iter()
                .any(|shard| lock(&shard.files).segments.first().is_some_and(|s| s.last_time < cutoff))
        });
        let mut swept = Swept::default();
        if expired {
            let work = streams.clone();
            let gone = self
                .on_committer(move |committer| {
                    let mut gone = Vec::new();
                    for stream in &work {
                        for shard in stream.shards() {
                            gone.extend(trim(committer, &shard, cutoffs[&stream.id]));
                        }
                        committer.forget_handles(stream.id);
                    }
                    committer.journals.checkpoint(&mut committer.dirty).map(|()| gone)
                })
                .await??;
            crashpoint::hit("streams.sweep.before_delete");
            for (path, bytes) in &gone {
                swept.segments += 1;
                swept.bytes += bytes;
                self.cache.forget(path);
            }
            blocking(move || delete(&gone)).await?;
        }
        for stream in &streams {
            swept.shards += self.forget_shards(stream).await?;
        }
        Ok(swept)
    }

    /// Deletes the finished segments of a shard all of whose records are released.
    pub(super) async fn release(&self, name: &str, shard: ShardId, through: SequenceNumber) -> Result<()> {
        let _turn = self.admin.lock().await;
        let stream = self.stream(name)?;
        let shard = stream.shard(shard)?;
        let end = through.ordinal() + 1;
        if released(&lock(&shard.files), end) == 0 {
            return Ok(());
        }
        let gone = self
            .on_committer(move |committer| {
                let gone = take_out(&shard, |files| released(files, end));
                committer.forget_handles(stream.id);
                committer.journals.checkpoint(&mut committer.dirty).map(|()| gone)
            })
            .await??;
        crashpoint::hit("streams.sweep.before_delete");
        gone.iter().for_each(|(path, _)| self.cache.forget(path));
        blocking(move || delete(&gone)).await
    }

    /// Forgets closed shards that were closed too long ago to have records.
    async fn forget_shards(&self, stream: &StreamState) -> Result<u64> {
        let cutoff = self.cutoff(stream).timestamp_millis();
        let old = |shard: &Arc<ShardState>| {
            let closed = *lock(&shard.closed);
            closed.is_some_and(|closed| closed.time < cutoff) && lock(&shard.files).segments.is_empty()
        };
        let gone: Vec<_> = stream.shards().into_iter().filter(old).collect();
        if gone.is_empty() {
            return Ok(0);
        }
        let numbers: Vec<_> = gone.iter().map(|shard| i64::from(shard.id.0)).collect();
        self.store.forget_shards(stream.id as i64, &numbers).await?;
        let mut facts = write(&stream.facts);
        for shard in &gone {
            facts.shards.remove(&shard.id);
            // An empty folder, if it cannot be removed, does no harm.
            let _ = std::fs::remove_dir(&shard.folder);
        }
        Ok(gone.len() as u64)
    }
}

/// Takes the segments that are too old out of sight; what they were called, and their size.
fn trim(committer: &mut super::Committer, shard: &ShardState, cutoff: i64) -> Vec<(PathBuf, u64)> {
    let mut files = lock(&shard.files);
    let old = files.segments.partition_point(|segment| segment.last_time < cutoff);
    if old == 0 {
        return Vec::new();
    }
    if old == files.segments.len() {
        committer.finish_segment(shard, &mut files);
    }
    drop(files);
    take_out(shard, |_| old)
}

/// How many finished segments end before that ordinal.
fn released(files: &Files, end: u64) -> usize {
    let finished = files.segments.len() - usize::from(files.active && !files.segments.is_empty());
    files.segments.iter().take(finished).take_while(|segment| segment.end <= end).count()
}

/// Takes the first segments of a shard out of sight.
fn take_out(shard: &ShardState, count: impl FnOnce(&Files) -> usize) -> Vec<(PathBuf, u64)> {
    let mut files = lock(&shard.files);
    let old = count(&files);
    let gone: Vec<_> = files.segments.drain(..old).collect();
    files.trim = gone.last().map_or(files.trim, |segment| segment.end);
    gone.iter().map(|segment| (segment_path(&shard.folder, segment.base), segment.length)).collect()
}

fn delete(gone: &[(PathBuf, u64)]) -> Result<()> {
    for (path, _) in gone {
        for path in [path.clone(), index_path(path)] {
            match std::fs::remove_file(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(failed("deleting a segment", &path, e));
                }
                _ => {}
            }
        }
    }
    Ok(())
}
