//! Reading pieces of an object in any order, as columnar formats do: the object is opened once, each call fetches many
//! pieces, neighbours together. What happens to the key after the opening does not touch the bytes that are read.

use crate::Lake;
use crate::object::{GetOptions, GetRange, ObjectInfo};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use model::{Error, LakeUri, Place, Result};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The largest piece fetched at once: neighbours are joined up to it.
const JOINED: u64 = 16 << 20;

/// An object opened for reading pieces of it. Cheap to clone.
#[derive(Clone)]
pub struct ObjectReader {
    info: Arc<ObjectInfo>,
    access: Arc<dyn RandomAccess>,
}

/// How a backend reads pieces of an object that is open. Every piece lies within the object.
#[async_trait::async_trait]
pub(crate) trait RandomAccess: Send + Sync {
    async fn read(&self, pieces: Vec<Range<u64>>) -> Result<Vec<Bytes>>;
    /// How many bytes nobody asked for may be read to save a separate read.
    fn gap(&self) -> u64;
}

impl Lake {
    /// Opens an object for reading pieces of it.
    pub async fn reader(&self, uri: &LakeUri) -> Result<ObjectReader> {
        let (store, _pass) = self.enter(uri.bucket()).await?;
        let (info, access) = store.random(uri, None).await?;
        Ok(ObjectReader { info: Arc::new(info), access })
    }

    /// The same for an object that was listed or asked for before: `Conflict` when it is another by now. Remote objects
    /// cost no request here.
    pub async fn reader_of(&self, known: &ObjectInfo) -> Result<ObjectReader> {
        let (store, _pass) = self.enter(known.uri.bucket()).await?;
        let (info, access) = store.random(&known.uri, Some(known)).await?;
        // Whoever knows an object from elsewhere than the lake does not know its ETag.
        let another = !known.etag.is_empty() && info.etag != known.etag;
        if another || info.size != known.size {
            return Err(changed(&known.uri));
        }
        Ok(ObjectReader { info: Arc::new(info), access })
    }
}

impl ObjectReader {
    /// The object's facts when it was opened.
    pub fn info(&self) -> &ObjectInfo {
        &self.info
    }

    /// Whether reading a little at a time costs little: the object lies on this machine.
    pub fn is_near(&self) -> bool {
        self.access.gap() < REMOTE_GAP
    }

    /// One piece.
    pub async fn range(&self, range: Range<u64>) -> Result<Bytes> {
        let mut pieces = self.ranges(&[range]).await?;
        pieces
            .pop()
            .ok_or_else(|| Error::internal("a read returned nothing").at(Place::object(&self.info.uri)))
    }

    /// Several pieces, in the order asked for. A piece that reaches behind the object's end is refused.
    pub async fn ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        for range in ranges {
            if range.start > range.end || range.end > self.info.size {
                return Err(Error::invalid(format!(
                    "the range {}..{} lies outside of the object's {} bytes",
                    range.start, range.end, self.info.size
                ))
                .at(Place::object(&self.info.uri)));
            }
        }
        let joined = join(ranges, self.access.gap());
        let bytes = match joined.is_empty() {
            true => Vec::new(),
            false => self.access.read(joined.clone()).await?,
        };
        ranges
            .iter()
            .map(|range| cut(range, &joined, &bytes).ok_or_else(|| changed(&self.info.uri)))
            .collect()
    }
}

impl fmt::Debug for ObjectReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectReader").field("info", &self.info).finish_non_exhaustive()
    }
}

/// The object at this address is not the one that was meant.
pub(crate) fn changed(uri: &LakeUri) -> Error {
    Error::conflict("the object was replaced while it was being read")
        .at(Place::object(uri))
        .hint("run it again: it will read the new content")
}

/// The pieces to fetch: sorted, neighbours joined.
fn join(ranges: &[Range<u64>], gap: u64) -> Vec<Range<u64>> {
    let mut sorted: Vec<Range<u64>> = ranges.iter().filter(|range| !range.is_empty()).cloned().collect();
    sorted.sort_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(sorted.len());
    for range in sorted {
        match joined.last_mut() {
            Some(last)
                if range.end <= last.end
                    || (range.start <= last.end.saturating_add(gap)
                        && range.end - last.start <= JOINED.max(last.end - last.start)) =>
            {
                last.end = last.end.max(range.end);
            }
            _ => joined.push(range),
        }
    }
    joined
}

fn cut(range: &Range<u64>, joined: &[Range<u64>], bytes: &[Bytes]) -> Option<Bytes> {
    if range.is_empty() {
        return Some(Bytes::new());
    }
    // Joined pieces may overlap where one grew beyond the limit, but each asked one lies in one of them.
    let last = joined.partition_point(|piece| piece.start <= range.start);
    let at = (0..last).rev().find(|at| joined[*at].end >= range.end)?;
    let start = usize::try_from(range.start - joined[at].start).ok()?;
    let end = usize::try_from(range.end - joined[at].start).ok()?;
    let piece = bytes.get(at)?;
    (end <= piece.len()).then(|| piece.slice(start..end))
}

/// Pieces of an object that each need a request: some at a time, all of the same version.
pub(crate) struct Requests<S> {
    pub(crate) store: S,
    pub(crate) uri: LakeUri,
    pub(crate) etag: String,
}

/// How many pieces are asked for at a time, and the gap below which two are one request.
const AT_ONCE: usize = 8;
const REMOTE_GAP: u64 = 1 << 20;

#[async_trait::async_trait]
impl<S: crate::store::Store + Clone + 'static> RandomAccess for Requests<S> {
    async fn read(&self, pieces: Vec<Range<u64>>) -> Result<Vec<Bytes>> {
        let requests = pieces.into_iter().map(|piece| {
            let (store, uri, etag) = (self.store.clone(), self.uri.clone(), self.etag.clone());
            async move {
                let options = GetOptions {
                    range: Some(GetRange::Bounded(piece)),
                    if_match: (!etag.is_empty()).then(|| format!("\"{etag}\"")),
                    ..GetOptions::default()
                };
                match store.get(&uri, &options).await {
                    Ok(Some(read)) => read.bytes().await,
                    Ok(None) => Err(changed(&uri)),
                    Err(error) if error.kind() == model::ErrorKind::PreconditionFailed => Err(changed(&uri)),
                    Err(error) => Err(error),
                }
            }
        });
        futures::stream::iter(requests).buffered(AT_ONCE).try_collect().await
    }

    fn gap(&self) -> u64 {
        REMOTE_GAP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_joined_and_cut_apart_again() {
        let ranges = [40..50, 0..10, 12..20, 15..18, 30..30];
        let joined = join(&ranges, 4);
        assert_eq!(joined, [0..20, 40..50]);
        let all: Vec<u8> = (0..60).collect();
        let bytes: Vec<Bytes> =
            joined.iter().map(|r| Bytes::copy_from_slice(&all[r.start as usize..r.end as usize])).collect();
        for range in &ranges {
            let expected = &all[range.start as usize..range.end as usize];
            assert_eq!(cut(range, &joined, &bytes).unwrap(), expected);
        }
    }

    #[test]
    fn large_pieces_are_not_joined_without_limit() {
        let ranges: Vec<Range<u64>> = (0..100).map(|n| n * (1 << 20)..(n + 1) * (1 << 20)).collect();
        let joined = join(&ranges, 0);
        assert!(joined.len() >= 6 && joined.iter().all(|range| range.end - range.start <= JOINED));
        assert_eq!(join(&[0..10, 3..(64 << 20)], 0).len(), 2, "a piece that is too large stays alone");
    }
}
