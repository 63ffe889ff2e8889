//! Text files as a stream: ranges are fetched one ahead of the decoding, decompressed if need be, and pushed into the
//! decoder.

use super::{BatchStream, ReadOptions};
use crate::decode::{DecodeOptions, Decoder, OnError, Reject, decoder};
use crate::pack::{Compression, Unpacker};
use crate::{Column, FormatSpec, RangeRead};
use arrow::array::RecordBatch;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream;
use model::{Error, ErrorKind, Place, Result};
use std::ops::Range;
use std::sync::Arc;

/// The first bytes tell the compression.
const FIRST: u64 = 16;

/// The state of a text file's stream.
struct TextStream {
    source: Arc<dyn RangeRead>,
    decoder: Box<dyn Decoder>,
    unpacker: Option<Unpacker>,
    /// The position of the first byte that is fed.
    start: u64,
    /// Whether the line that this byte belongs to is another range's.
    skips_line: bool,
    /// What is still to be fetched.
    left: Range<u64>,
    fetch: u64,
    /// The chunk that is on its way.
    coming: Option<BoxFuture<'static, Result<Bytes>>>,
    finished: bool,
    options: ReadOptions,
}

pub(super) async fn read_text(
    source: Arc<dyn RangeRead>,
    spec: &FormatSpec,
    columns: &[Column],
    projection: &[usize],
    options: ReadOptions,
) -> Result<BatchStream> {
    let size = source.size();
    let compression = compression(source.as_ref(), spec).await?;
    let range = options.range.clone().filter(|range| *range != (0..size));
    // What can only be read as a whole belongs to the range that has its beginning.
    let whole = compression != Compression::None || !spec.is_splittable();
    if whole && range.as_ref().is_some_and(|range| range.start > 0) {
        return Ok(Box::pin(stream::empty()));
    }
    let range = range.filter(|_| !whole);
    let decode = DecodeOptions {
        batch_rows: options.batch_rows,
        on_error: options.on_error,
        range: range.clone(),
        missing: options.missing,
        file: Arc::from(source.name()),
        reject_sink: options.reject_sink.clone(),
        ..DecodeOptions::default()
    };
    let decoder = decoder(spec, columns, projection, decode)?;
    let start = range.as_ref().map_or(0, |range| range.start.saturating_sub(1));
    let skips_line = range.is_some_and(|range| range.start > 0);
    let left = start..size;
    let unpacker = if compression == Compression::None { None } else { Some(Unpacker::new(compression)?) };
    let fetch = options.fetch_bytes.max(4096) as u64;
    let mut state = TextStream {
        source,
        decoder,
        unpacker,
        start,
        skips_line,
        left,
        fetch,
        coming: None,
        finished: false,
        options,
    };
    state.begin_fetch();
    Ok(Box::pin(stream::try_unfold(state, |mut state| async move {
        match state.next().await {
            Ok(batch) => Ok(batch.map(|batch| (batch, state))),
            Err(error) => Err(state.placed(error).await),
        }
    })))
}

/// The compression of the file; fetches its first bytes if these decide.
async fn compression(source: &dyn RangeRead, spec: &FormatSpec) -> Result<Compression> {
    if let Some(known) = spec.compression {
        return Ok(known);
    }
    let first =
        if source.size() == 0 { Bytes::new() } else { source.read(0..FIRST.min(source.size())).await? };
    Ok(spec.compression_of(source.name(), &first))
}

impl TextStream {
    /// The error with the file, and with row and column where a value or line was refused.
    async fn placed(&mut self, error: Error) -> Error {
        let refused = match (error.kind(), self.options.on_error) {
            (ErrorKind::InvalidInput, OnError::Fail) => self.decoder.rejects().first.first().cloned(),
            _ => None,
        };
        // A range counts its own lines: those before it are counted now that somebody wants to know.
        let before = if refused.is_some() { self.lines_before().await.ok() } else { None };
        let name = self.source.name();
        error.at_if_unknown(|| match (before, refused) {
            (Some(before), Some(Reject { line, column: Some(column), .. })) => {
                Place::cell(name, Some(before + line), column)
            }
            (Some(before), Some(refused)) => Place::row(name, before + refused.line),
            _ => Place::object(name),
        })
    }

    async fn lines_before(&mut self) -> Result<u64> {
        if !self.skips_line {
            return Ok(0);
        }
        let (mut at, mut lines) = (0, 0);
        while at < self.start {
            let end = self.start.min(at + self.fetch);
            let bytes = self.source.read(at..end).await?;
            lines += memchr::memchr_iter(b'\n', &bytes).count() as u64;
            at = end;
        }
        // The range's first line begins behind the first newline from there.
        Ok(lines + 1)
    }

    fn begin_fetch(&mut self) {
        if self.left.is_empty() {
            self.coming = None;
            return;
        }
        let end = self.left.end.min(self.left.start.saturating_add(self.fetch));
        let range = self.left.start..end;
        self.left.start = end;
        let source = Arc::clone(&self.source);
        self.coming = Some(Box::pin(async move {
            let wanted = range.end - range.start;
            let bytes = source.read(range).await?;
            if bytes.len() as u64 != wanted {
                return Err(Error::unavailable(format!("{} bytes came instead of {wanted}", bytes.len()))
                    .why("the file may have been replaced while it was read"));
            }
            Ok(bytes)
        }));
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if self.decoder.waits_for_number() {
                let before = self.lines_before().await?;
                self.decoder.number_lines(before);
            }
            if let Some(batch) = self.decoder.take_batch()? {
                return Ok(Some(batch));
            }
            if self.finished {
                self.report();
                return Ok(None);
            }
            if let Some(plain) = self.unpacker.as_mut().map(Unpacker::take).transpose()?.flatten() {
                self.decoder.feed(plain)?;
                continue;
            }
            let coming = if self.decoder.is_done() { None } else { self.coming.take() };
            let Some(coming) = coming else {
                self.finish()?;
                continue;
            };
            let chunk = coming.await?;
            self.begin_fetch();
            match &mut self.unpacker {
                Some(unpacker) => unpacker.feed(chunk),
                None => self.decoder.feed(chunk)?,
            }
        }
    }

    fn finish(&mut self) -> Result<()> {
        self.finished = true;
        if let Some(unpacker) = self.unpacker.as_mut().filter(|_| !self.decoder.is_done()) {
            let rest = unpacker.finish()?;
            self.decoder.feed(rest)?;
        }
        self.decoder.finish()
    }

    fn report(&mut self) {
        if let Some(rejects) = self.options.rejects.take()
            && let Ok(mut all) = rejects.lock()
        {
            all.merge(self.decoder.rejects());
        }
    }
}
