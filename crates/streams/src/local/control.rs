//! Streams and consumers: made, listed, changed, deleted.

use super::files::{failed, random, sync_folder};
use super::shard::{Facts, ShardState, StreamState, lock, read, write};
use super::{Inner, LocalLog, blocking, folder_name, stream_arn};
use crate::log::SettingsChange;
use crate::store::{NONE, ShardRow, StreamRow};
use crate::types::{check_name, check_retention};
use crate::{
    Consumer, HashRange, NewStream, Shard, ShardFilter, ShardId, Stream, StreamSettings, StreamStatus,
};
use chrono::{DateTime, Duration, Utc};
use model::{Arn, Error, Result};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, RwLock};

/// As many as Kinesis lets register.
const MAX_CONSUMERS: usize = 20;

pub(super) fn consumer(stream: &Arn, name: String, created: i64) -> Consumer {
    let mut arn = stream.clone();
    arn.resource = format!("{}/consumer/{name}:{}", stream.resource, created / 1000);
    Consumer { name, arn, created: DateTime::from_timestamp_millis(created).unwrap_or_default() }
}

impl Inner {
    pub(super) fn describe(&self, stream: &StreamState) -> Stream {
        let facts = read(&stream.facts);
        Stream {
            name: stream.name.clone(),
            arn: stream.arn.clone(),
            status: facts.status,
            created: stream.created,
            settings: facts.settings.clone(),
            open_shards: facts.shards.values().filter(|shard| lock(&shard.closed).is_none()).count(),
        }
    }

    pub(super) async fn create_stream(&self, new: NewStream) -> Result<Stream> {
        new.check()?;
        let _turn = self.admin.lock().await;
        if let Some(other) = read(&self.streams).get(&new.name) {
            return Err(if other.is_gone() {
                Error::conflict(format!("the stream `{}` is still being deleted", new.name))
            } else {
                Error::already_exists(format!("the stream `{}` exists already", new.name))
            });
        }
        let id = random()? >> 1;
        let now = self.clock.now_millis();
        let folder = self.root.join(folder_name(&new.name, id));
        let settings = StreamSettings {
            mode: new.mode,
            retention_hours: new.retention_hours,
            encryption: None,
            shard_metrics: Vec::new(),
            tags: new.tags,
        };
        let shards: BTreeMap<_, _> = HashRange::even(new.shards)
            .into_iter()
            .zip(0..)
            .map(|(range, number)| {
                let shard = ShardState::new(&folder, (ShardId(number), range), (None, None), now, None);
                (shard.id, Arc::new(shard))
            })
            .collect();
        make_folders(shards.values().cloned().collect(), &folder).await?;
        let rows: Vec<_> = shards.values().map(|shard| row(shard)).collect();
        let stream = StreamRow {
            id: id as i64,
            name: new.name.clone(),
            settings: settings.clone(),
            deleting: false,
            next_shard: i64::from(new.shards),
            created: now,
        };
        self.store.create(&stream, &rows).await?;
        let facts = Facts {
            settings,
            status: StreamStatus::Active,
            shards,
            next_shard: new.shards,
            consumers: BTreeMap::new(),
        };
        let stream = Arc::new(StreamState {
            id,
            arn: stream_arn(&self.options, &new.name),
            name: new.name,
            created: DateTime::from_timestamp_millis(now).unwrap_or_default(),
            folder,
            facts: RwLock::new(facts),
            routes: RwLock::default(),
        });
        stream.reroute();
        self.change_list(|streams| drop(streams.insert(stream.name.clone(), Arc::clone(&stream))));
        Ok(self.describe(&stream))
    }

    pub(super) async fn delete_stream(&self, name: &str, with_consumers: bool) -> Result<()> {
        let _turn = self.admin.lock().await;
        let stream = self.stream(name)?;
        let consumers = read(&stream.facts).consumers.len();
        if consumers > 0 && !with_consumers {
            return Err(Error::conflict(format!("the stream `{name}` has {consumers} registered consumers"))
                .hint("deregister them, or delete the stream together with its consumers"));
        }
        self.store.mark_deleting(stream.id as i64).await?;
        crashpoint::hit("streams.delete.marked");
        write(&stream.facts).status = StreamStatus::Deleting;
        for shard in stream.shards() {
            shard.tail.send_modify(|tail| tail.gone = true);
        }
        self.remove_files(&stream).await
    }

    /// Removes a stream that is marked as being deleted.
    pub(super) async fn remove_files(&self, stream: &Arc<StreamState>) -> Result<()> {
        let gone = Arc::clone(stream);
        // Nothing may hold on to the files when they go: no journal, no checkpoint.
        self.on_committer(move |committer| {
            let done = committer.journals.checkpoint(&mut committer.dirty);
            committer.forget_stream(&gone);
            done
        })
        .await??;
        self.cache.forget(&stream.folder);
        let folder = stream.folder.clone();
        blocking(move || match std::fs::remove_dir_all(&folder) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(failed("deleting a stream's files", &folder, e))
            }
            _ => Ok(()),
        })
        .await?;
        crashpoint::hit("streams.delete.removed");
        self.store.forget(stream.id as i64).await?;
        self.change_list(|streams| drop(streams.remove(&stream.name)));
        Ok(())
    }

    pub(super) async fn change_stream(&self, name: &str, change: SettingsChange) -> Result<Stream> {
        let _turn = self.admin.lock().await;
        let stream = self.stream(name)?;
        let mut settings = read(&stream.facts).settings.clone();
        change(&mut settings)?;
        check_retention(settings.retention_hours)?;
        self.store.change(stream.id as i64, &settings).await?;
        write(&stream.facts).settings = settings;
        Ok(self.describe(&stream))
    }

    pub(super) fn list_shards(&self, name: &str, filter: ShardFilter) -> Result<Vec<Shard>> {
        let stream = self.stream(name)?;
        let horizon = self.cutoff(&stream).max(stream.created);
        let shards = stream.shards();
        Ok(shards
            .iter()
            .map(|shard| shard.describe())
            .filter(|shard| filter.admits(shard, horizon))
            .collect())
    }

    /// Records that arrived earlier are not kept.
    pub(super) fn cutoff(&self, stream: &StreamState) -> DateTime<Utc> {
        let hours = read(&stream.facts).settings.retention_hours;
        self.clock.now() - Duration::hours(i64::from(hours))
    }

    pub(super) async fn register_consumer(&self, stream: &str, name: &str) -> Result<Consumer> {
        check_name("consumer", name)?;
        let _turn = self.admin.lock().await;
        let stream = self.stream(stream)?;
        {
            let facts = read(&stream.facts);
            if facts.consumers.contains_key(name) {
                return Err(Error::already_exists(format!(
                    "the stream `{}` has a consumer `{name}` already",
                    stream.name
                )));
            }
            if facts.consumers.len() >= MAX_CONSUMERS {
                return Err(Error::new(
                    model::ErrorKind::LimitExceeded,
                    format!("a stream has at most {MAX_CONSUMERS} registered consumers"),
                ));
            }
        }
        let now = self.clock.now_millis();
        self.store.add_consumer(stream.id as i64, name, now).await?;
        let consumer = consumer(&stream.arn, name.to_owned(), now);
        write(&stream.facts).consumers.insert(name.to_owned(), consumer.clone());
        Ok(consumer)
    }

    pub(super) async fn deregister_consumer(&self, stream: &str, name: &str) -> Result<()> {
        let _turn = self.admin.lock().await;
        let stream = self.stream(stream)?;
        if !read(&stream.facts).consumers.contains_key(name) {
            return Err(Error::not_found(format!("the stream `{}` has no consumer `{name}`", stream.name)));
        }
        self.store.remove_consumer(stream.id as i64, name).await?;
        write(&stream.facts).consumers.remove(name);
        Ok(())
    }
}

impl LocalLog {
    /// Goes on with deletions that the last process did not finish.
    pub(super) async fn finish_deletions(&self) -> Result<()> {
        let streams: Vec<_> = read(&self.inner.streams).values().cloned().collect();
        for stream in streams.into_iter().filter(|stream| stream.is_gone()) {
            self.inner.remove_files(&stream).await?;
        }
        Ok(())
    }
}

/// A shard's row. What it was closed with stands beside.
pub(super) fn row(shard: &ShardState) -> ShardRow {
    let number = |id: Option<ShardId>| id.map_or(NONE, |id| i64::from(id.0));
    let closed = *lock(&shard.closed);
    ShardRow {
        number: i64::from(shard.id.0),
        first_hash: shard.range.first,
        last_hash: shard.range.last,
        parent: number(shard.parent),
        adjacent: number(shard.adjacent),
        created: shard.epoch,
        closed: closed.map_or(NONE, |closed| closed.time),
        ending: closed.map_or(NONE, |closed| closed.ordinal as i64),
    }
}

/// Makes the folders of shards, durably.
pub(super) async fn make_folders(shards: Vec<Arc<ShardState>>, stream: &Path) -> Result<()> {
    let stream = stream.to_owned();
    blocking(move || {
        let wrong = |e| failed("making a stream's folder", &stream, e);
        for shard in &shards {
            std::fs::create_dir_all(&shard.folder).map_err(wrong)?;
        }
        sync_folder(&stream).map_err(wrong)?;
        stream.parent().map_or(Ok(()), sync_folder).map_err(wrong)
    })
    .await
}
