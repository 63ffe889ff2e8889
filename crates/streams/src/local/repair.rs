//! Damage: found by reading everything, and skipped when somebody asks for it.

use super::files::{failed, random, sync_folder};
use super::format::{BatchWriter, SEGMENT_HEADER, SegmentHeader};
use super::read::next_batch;
use super::segment::{Segment, Window, index_path, segment_path, walk};
use super::shard::{Files, ShardState, lock};
use super::{Damage, Inner, LocalLog, blocking};
use crate::ShardId;
use model::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What was given up, and where it was kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Records that cannot be read any more.
    pub records: u64,
    /// The damaged files, as they were.
    pub kept_aside: Vec<PathBuf>,
}

impl LocalLog {
    /// Reads a stream's records through and reports what is damaged or missing now. It takes as long as the disk takes.
    pub async fn check(&self, stream: &str) -> Result<Vec<Damage>> {
        let stream = self.inner.stream(stream)?;
        blocking(move || {
            let mut damages = Vec::new();
            for shard in stream.shards() {
                damages.extend(check(&stream.name, &shard)?);
            }
            Ok(damages)
        })
        .await
    }

    /// Gives up what is damaged in a shard, so that readers get on: whole batches are kept, the others are left out for
    /// good, and the damaged files are kept aside in `<log>/aside`.
    pub async fn skip_damage(&self, stream: &str, shard: ShardId) -> Result<Skipped> {
        let stream = stream.to_owned();
        self.inner.detached(move |inner| async move { inner.skip_damage(&stream, shard).await }).await
    }
}

impl Inner {
    async fn skip_damage(&self, stream: &str, shard: ShardId) -> Result<Skipped> {
        let inner = self;
        let _turn = inner.admin.lock().await;
        let stream = inner.stream(stream)?;
        let shard = stream.shard(shard)?;
        let aside = inner.root.join("aside").join(stream.folder.file_name().unwrap_or_default());
        // Afterwards no journal and no checkpoint touches these files, and the next records go to a new segment.
        let finished = Arc::clone(&shard);
        let id = stream.id;
        inner
            .on_committer(move |committer| {
                committer.finish_segment(&finished, &mut lock(&finished.files));
                committer.forget_handles(id);
                committer.journals.checkpoint(&mut committer.dirty)
            })
            .await??;
        let skipped = {
            let shard = Arc::clone(&shard);
            blocking(move || skip(&shard, &aside)).await
        };
        inner.cache.forget(&shard.folder);
        skipped
    }
}

/// The segments of a shard as they should be, and the ordinals that no segment has.
fn expected(files: &Files) -> (Vec<Segment>, Vec<(u64, u64)>) {
    let mut holes = Vec::new();
    let mut next = files.trim;
    for segment in &files.segments {
        if segment.base > next {
            holes.push((next, segment.base));
        }
        next = segment.end;
    }
    if next < files.next {
        holes.push((next, files.next));
    }
    (files.segments.clone(), holes)
}

fn check(stream: &str, shard: &ShardState) -> Result<Vec<Damage>> {
    let (segments, holes) = expected(&lock(&shard.files));
    let damage = |path, position, what: String| Damage {
        stream: stream.to_owned(),
        shard: Some(shard.id),
        path,
        position,
        what,
    };
    let mut damages = Vec::new();
    for (from, to) in holes {
        let what = format!("the records {from} to {} are missing", to - 1);
        damages.push(damage(segment_path(&shard.folder, from), 0, what));
    }
    for segment in segments {
        let path = segment_path(&shard.folder, segment.base);
        let end = match walk(&path, shard.id.0, segment.base) {
            Ok(walked) => (walked.segment.end, walked.segment.length),
            Err(_) if !path.exists() => (0, 0),
            Err(error) => return Err(error),
        };
        // Retention may have taken it meanwhile.
        if end.0 < segment.end && lock(&shard.files).trim <= segment.base {
            damages.push(damage(path, end.1, "a batch is damaged or missing".into()));
        }
    }
    Ok(damages)
}

fn skip(shard: &ShardState, aside: &Path) -> Result<Skipped> {
    let (segments, holes) = expected(&lock(&shard.files));
    let mut skipped = Skipped::default();
    for segment in &segments {
        let path = segment_path(&shard.folder, segment.base);
        let walked = walk(&path, shard.id.0, segment.base);
        match walked {
            Ok(walked) if walked.segment.end == segment.end => continue,
            Err(error) if path.exists() => return Err(error),
            _ => {}
        }
        let (fresh, lost) = rescue(shard, segment, &path, aside, &mut skipped)?;
        skipped.records += lost;
        let mut files = lock(&shard.files);
        if let Some(at) = files.segments.iter().position(|old| old.base == segment.base) {
            files.segments[at] = fresh;
        }
    }
    for (from, to) in holes {
        let missing = Segment { end: to, ..Segment::new(from, 0) };
        let path = segment_path(&shard.folder, from);
        let (fresh, lost) = rescue(shard, &missing, &path, aside, &mut skipped)?;
        skipped.records += lost;
        let mut files = lock(&shard.files);
        let at = files.segments.partition_point(|segment| segment.base < from);
        files.segments.insert(at, fresh);
    }
    Ok(skipped)
}

/// Makes a segment of what is whole in a damaged one and puts it in its place. Answers how many records it lacks.
fn rescue(
    shard: &ShardState,
    damaged: &Segment,
    path: &Path,
    aside: &Path,
    skipped: &mut Skipped,
) -> Result<(Segment, u64)> {
    let wrong = |e| failed("skipping a damaged segment", path, e);
    let salt = random()?;
    let mut bytes = Vec::new();
    SegmentHeader { shard: shard.id.0, base: damaged.base, salt }.write(&mut bytes);
    let fresh_path = path.with_extension("rescued");
    let mut out = std::io::BufWriter::new(File::create(&fresh_path).map_err(wrong)?);
    let (mut next, mut lost, mut time) = (damaged.base, 0, damaged.first_time);
    if let Ok(file) = File::open(path) {
        let size = file.metadata().map_err(wrong)?.len();
        let head = super::files::read_at(&file, 0, SEGMENT_HEADER).map_err(wrong)?;
        let old = SegmentHeader::read(&head).map(|header| header.salt);
        let mut window = Window::new(&file, size);
        let mut at = SEGMENT_HEADER as u64;
        // Without its header nothing in a segment can be told from what clients have put.
        while let Some(old) = old {
            let here = window.batch_at(at, old).map_err(wrong)?;
            if here.is_none_or(|(header, _)| header.first < next) {
                match next_batch(&file, size, at + 1, old, next).map_err(wrong)? {
                    Some(found) => at = found,
                    None => break,
                }
            }
            let here = window.batch_at(at, old).map_err(wrong)?;
            let Some((header, body)) = here else { break };
            if header.end() > damaged.end {
                break;
            }
            if header.first > next {
                BatchWriter::gap(&mut bytes, salt, next, header.first, time);
                lost += header.first - next;
            }
            let mut copy = BatchWriter::again(&mut bytes, salt, &header);
            copy.body(&body);
            copy.finish();
            out.write_all(&bytes).map_err(wrong)?;
            bytes.clear();
            (next, time, at) = (header.end(), header.time, at + header.length() as u64);
        }
    }
    if next < damaged.end {
        BatchWriter::gap(&mut bytes, salt, next, damaged.end, time.max(damaged.last_time));
        lost += damaged.end - next;
    }
    out.write_all(&bytes).map_err(wrong)?;
    let file = out.into_inner().map_err(|e| wrong(e.into_error()))?;
    file.sync_all().map_err(wrong)?;
    if path.exists() {
        std::fs::create_dir_all(aside).map_err(wrong)?;
        let kept = keep_aside(shard, path, aside).map_err(wrong)?;
        skipped.kept_aside.push(kept);
    }
    crashpoint::hit("streams.skip.before_rename");
    std::fs::rename(&fresh_path, path).map_err(wrong)?;
    let _ = std::fs::remove_file(index_path(path));
    sync_folder(&shard.folder).map_err(wrong)?;
    let fresh = walk(path, shard.id.0, damaged.base)?.segment;
    if fresh.end != damaged.end {
        return Err(Error::internal("a rescued segment does not reach as far as the damaged one"));
    }
    Ok((Segment { index: Vec::new(), ..fresh }, lost))
}

/// Keeps a second name of the damaged file, so that the first one can be replaced at once.
fn keep_aside(shard: &ShardState, path: &Path, aside: &Path) -> std::io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut number = 0;
    loop {
        let kept = aside.join(format!("{}-{number}-{name}", shard.id));
        match std::fs::hard_link(path, &kept) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            done => return done.and_then(|()| sync_folder(aside)).map(|()| kept),
        }
    }
}

impl LocalLog {
    /// Where a shard's segments lie, for people who look into the files.
    pub fn shard_folder(&self, stream: &str, shard: ShardId) -> Result<PathBuf> {
        Ok(self.inner.stream(stream)?.shard(shard)?.folder.clone())
    }
}
