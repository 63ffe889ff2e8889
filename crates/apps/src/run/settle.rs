//! What belongs to a checkpoint but is no file of its commit, and what is made good after a crash.

use super::sink::unframed;
use crate::applications::ApplicationsRooms;
use crate::store::{Checkpoint, Kept, Store};
use bytes::Bytes;
use chrono::Duration;
use model::{Error, ErrorKind, Result};
use streams::NewRecord;

/// How many checkpoints that are no savepoints are kept.
const KEPT: usize = 2;

/// Does what belongs to a checkpoint whose outputs are published. To do it twice does no harm, but to streams: their
/// records are put at least once. What is refused for good is told once and not tried again: the checkpoint counts all the
/// same, because its outputs are there.
pub(crate) async fn settle(rooms: &ApplicationsRooms, store: &Store, checkpoint: &Checkpoint) -> Result<()> {
    let kept = &checkpoint.kept;
    let mut refused = None;
    for change in &kept.changes {
        match rooms.engine.apply_table_change(change).await {
            Err(error) if error.kind().may_pass() => return Err(error),
            Err(error) => refused = Some(error.context("the outputs are published, but not in the catalog")),
            Ok(()) => {}
        }
    }
    for (stream, file) in &kept.outbox {
        match put_kept(rooms, checkpoint, stream, file).await {
            Err(error) if error.kind().may_pass() => return Err(error),
            Err(error) => refused = Some(error.context(format!("the records for the stream `{stream}`"))),
            Ok(()) => {}
        }
    }
    crashpoint::hit("apps.checkpoint.before_settle");
    store.settle(&checkpoint.application, checkpoint.number).await?;
    crashpoint::hit("apps.checkpoint.settled");
    remove_marker(rooms, kept).await?;
    refused.map_or(Ok(()), Err)
}

/// Puts the records that a checkpoint keeps for a stream.
async fn put_kept(
    rooms: &ApplicationsRooms,
    checkpoint: &Checkpoint,
    stream: &str,
    file: &str,
) -> Result<()> {
    let path = rooms.folder.join(&checkpoint.application).join(&checkpoint.kept.folder).join(file);
    let bytes = tokio::fs::read(&path).await.map_err(|e| {
        Error::corrupt("the records of a checkpoint cannot be read")
            .at(model::Place::object(path.display()))
            .source_is(e)
    })?;
    let records = unframed(&Bytes::from(bytes)).ok_or_else(|| {
        Error::corrupt("the records of a checkpoint are not whole").at(model::Place::object(path.display()))
    })?;
    put(rooms, stream, records).await
}

async fn remove_marker(rooms: &ApplicationsRooms, kept: &Kept) -> Result<()> {
    if let Some(marker) = &kept.marker {
        match rooms.lake.delete(marker).await {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Puts records into a stream; what is refused for the moment is put again. A record that no stream takes is left out and
/// told at the end: the others must not be lost with it.
async fn put(rooms: &ApplicationsRooms, stream: &str, records: Vec<Bytes>) -> Result<()> {
    let keyed = |data: Bytes| NewRecord::new(format!("{:016x}", fingerprint(&data)), data);
    let records: Vec<NewRecord> = records.into_iter().map(keyed).collect();
    let mut waiting: Vec<Vec<NewRecord>> = records.chunks(500).map(<[NewRecord]>::to_vec).collect();
    waiting.reverse();
    let mut tries = 0;
    let mut refused: Option<(u64, Error)> = None;
    let mut refuse = |error: Error| match &mut refused {
        Some((count, _)) => *count += 1,
        None => refused = Some((1, error)),
    };
    while let Some(mut chunk) = waiting.pop() {
        let placed = match rooms.log.put_many(stream, chunk.clone()).await {
            Err(error) if error.kind() == ErrorKind::InvalidInput && chunk.len() > 1 => {
                // Too much at once, or one of them is wrong: the halves tell.
                let rest = chunk.split_off(chunk.len() / 2);
                waiting.extend([rest, chunk]);
                continue;
            }
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                refuse(error);
                continue;
            }
            placed => placed?,
        };
        let mut again = Vec::new();
        let mut last = None;
        for (record, placed) in chunk.into_iter().zip(placed) {
            match placed {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::LimitExceeded => {
                    again.push(record);
                    last = Some(error);
                }
                Err(error) if error.kind() == ErrorKind::InvalidInput => refuse(error),
                Err(error) => return Err(error),
            }
        }
        if let Some(error) = last {
            tries += 1;
            if tries > 600 {
                return Err(error);
            }
            waiting.push(again);
            rooms.clock.sleep(Duration::milliseconds(200)).await;
        }
    }
    match refused {
        Some((1, error)) => Err(error),
        Some((count, error)) => Err(error.context(format!("{count} records are refused, the first"))),
        None => Ok(()),
    }
}

fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

/// Makes good what a dead process has left: answers the checkpoint that counts.
pub(crate) async fn recover(
    rooms: &ApplicationsRooms,
    store: &Store,
    name: &str,
) -> Result<Option<Checkpoint>> {
    for checkpoint in store.checkpoints(name).await? {
        if checkpoint.settled {
            remove_marker(rooms, &checkpoint.kept).await?;
            return Ok(Some(checkpoint));
        }
        let published = match &checkpoint.kept.marker {
            Some(marker) => match rooms.lake.head(marker).await {
                Ok(_) => true,
                Err(error) if error.kind() == ErrorKind::NotFound => false,
                Err(error) => return Err(error),
            },
            // Nothing but records for streams: they are put now.
            None => true,
        };
        if published {
            match settle(rooms, store, &checkpoint).await {
                Err(error) if error.kind().may_pass() => return Err(error),
                Err(error) => tracing::warn!("the application `{name}`: {error}"),
                Ok(()) => {}
            }
            return Ok(Some(Checkpoint { settled: true, ..checkpoint }));
        }
        store.forget(name, &[checkpoint.number]).await?;
    }
    Ok(None)
}

/// Forgets old checkpoints, and removes state that no checkpoint names.
pub(crate) async fn prune(rooms: &ApplicationsRooms, store: &Store, name: &str) -> Result<()> {
    let all = store.checkpoints(name).await?;
    let plain = all.iter().filter(|c| c.label.is_empty() && c.settled);
    let old: Vec<u64> = plain.skip(KEPT).map(|c| c.number).collect();
    if !old.is_empty() {
        store.forget(name, &old).await?;
    }
    let kept: Vec<String> =
        all.into_iter().filter(|c| !old.contains(&c.number)).map(|c| c.kept.folder).collect();
    let root = rooms.folder.join(name);
    let sweep = move || {
        let Ok(entries) = std::fs::read_dir(&root) else { return };
        for entry in entries.flatten() {
            if !kept.contains(&entry.file_name().to_string_lossy().into_owned()) {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    };
    tokio::task::spawn_blocking(sweep)
        .await
        .map_err(|e| Error::internal("sweeping old state broke off").source_is(e))
}
