//! The decompressors behind one face: input is held as a chunk, output comes in pieces of about a megabyte.

use super::frame::{Blocks, Framing};
use super::{Compression, detect};
use bytes::{Buf, Bytes};
use flate2::write::MultiGzDecoder;
use model::{Error, Result};
use std::io::Write;
use zstd::stream::raw::{Decoder as ZstdDecoder, InBuffer, Operation, OutBuffer};

/// About how much comes out at once.
const PIECE: usize = 1 << 20;

/// A decompressor and the input it has not read yet.
pub(super) struct State {
    kind: Kind,
    input: Bytes,
}

enum Kind {
    Plain,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>, bool),
    Deflate {
        decoder: flate2::Decompress,
        in_stream: bool,
    },
    Zstd {
        decoder: ZstdDecoder<'static>,
        in_frame: bool,
    },
    Bzip2 {
        decoder: bzip2::Decompress,
        in_stream: bool,
    },
    Blocks(Blocks),
    /// Finished, or failed: nothing more may come.
    Over,
}

impl State {
    pub(super) fn new(compression: Compression) -> Result<Self> {
        let kind = match compression {
            Compression::None => Kind::Plain,
            Compression::Gzip => Kind::Gzip(Box::new(MultiGzDecoder::new(Vec::new())), false),
            Compression::Deflate => {
                Kind::Deflate { decoder: flate2::Decompress::new(true), in_stream: false }
            }
            Compression::Zstd => Kind::Zstd {
                decoder: ZstdDecoder::new()
                    .map_err(|e| Error::internal("zstd does not start").source_is(e))?,
                in_frame: false,
            },
            Compression::Bzip2 => Kind::Bzip2 { decoder: bzip2::Decompress::new(false), in_stream: false },
            Compression::Snappy => Kind::Blocks(Blocks::new(Framing::Snappy)),
            Compression::Lz4 => Kind::Blocks(Blocks::new(Framing::Lz4)),
        };
        Ok(Self { kind, input: Bytes::new() })
    }

    pub(super) fn feed(&mut self, chunk: Bytes) {
        if self.input.is_empty() {
            self.input = chunk;
        } else {
            self.input = [self.input.as_ref(), chunk.as_ref()].concat().into();
        }
    }

    pub(super) fn take(&mut self) -> Result<Option<Bytes>> {
        let piece = match &mut self.kind {
            Kind::Plain => Ok(std::mem::take(&mut self.input)),
            Kind::Gzip(decoder, begun) => {
                *begun |= !self.input.is_empty();
                written(&mut self.input, decoder.as_mut(), "gzip", MultiGzDecoder::get_mut)
            }
            Kind::Deflate { decoder, in_stream } => zlib_piece(&mut self.input, decoder, in_stream),
            Kind::Zstd { decoder, in_frame } => zstd_piece(&mut self.input, decoder, in_frame),
            Kind::Bzip2 { decoder, in_stream } => bzip2_piece(&mut self.input, decoder, in_stream),
            Kind::Blocks(blocks) => blocks.take(&mut self.input, PIECE).map(Bytes::from),
            Kind::Over => Ok(Bytes::new()),
        };
        if piece.is_err() {
            self.kind = Kind::Over;
        }
        piece.map(|piece| (!piece.is_empty()).then_some(piece))
    }

    /// Says that the file has ended. Answers the last of the plain text.
    pub(super) fn finish(&mut self) -> Result<Bytes> {
        let mut rest = Vec::new();
        match std::mem::replace(&mut self.kind, Kind::Over) {
            Kind::Gzip(mut decoder, true) => {
                decoder.try_finish().map_err(|e| ended("gzip").source_is(e))?;
                rest = std::mem::take(decoder.get_mut());
            }
            Kind::Deflate { in_stream: true, .. } => return Err(ended("zlib")),
            Kind::Zstd { in_frame: true, .. } => return Err(ended("zstd")),
            Kind::Bzip2 { in_stream: true, .. } => return Err(ended("bzip2")),
            Kind::Blocks(blocks) => blocks.finish()?,
            _ => {}
        }
        Ok(rest.into())
    }
}

/// A truncated file.
pub(super) fn ended(what: &str) -> Error {
    Error::corrupt(format!("the {what} data ends too early"))
        .why("the file was cut off, perhaps while it was written or copied")
        .hint("write or copy the file again")
}

/// A damaged file.
pub(super) fn damaged(what: &str) -> Error {
    Error::corrupt(format!("the {what} data is damaged")).hint("write or copy the file again")
}

fn written<W: Write>(
    input: &mut Bytes,
    decoder: &mut W,
    what: &str,
    out: impl Fn(&mut W) -> &mut Vec<u8>,
) -> Result<Bytes> {
    loop {
        if !input.is_empty() {
            let taken = decoder.write(input).map_err(|e| damaged(what).source_is(e))?;
            if taken == 0 {
                // Bytes behind the end, such as padding: nothing that belongs to the file.
                input.clear();
            }
            input.advance(taken);
        }
        if input.is_empty() {
            // What the decoder holds back must come out now: there may be no other chunk.
            decoder.flush().map_err(|e| damaged(what).source_is(e))?;
        }
        let ready = out(decoder);
        if ready.len() >= PIECE || input.is_empty() {
            return Ok(std::mem::replace(
                ready,
                Vec::with_capacity(if input.is_empty() { 0 } else { PIECE }),
            )
            .into());
        }
    }
}

fn zstd_piece(input: &mut Bytes, decoder: &mut ZstdDecoder<'static>, in_frame: &mut bool) -> Result<Bytes> {
    let mut piece = vec![0u8; PIECE];
    let mut filled = 0;
    while filled < PIECE {
        let Some(free) = piece.get_mut(filled..) else { break };
        let free_len = free.len();
        let mut from = InBuffer::around(input);
        let mut to = OutBuffer::around(free);
        let had_input = !from.src.is_empty();
        let hint = decoder.run(&mut from, &mut to).map_err(|e| damaged("zstd").source_is(e))?;
        let (taken, given) = (from.pos(), to.pos());
        input.advance(taken);
        filled += given;
        if hint == 0 && (taken > 0 || given > 0) {
            *in_frame = false;
            decoder.reinit().map_err(|e| damaged("zstd").source_is(e))?;
        } else if taken > 0 {
            *in_frame = true;
        }
        if given < free_len && (input.is_empty() || !had_input) {
            break;
        }
    }
    piece.truncate(filled);
    Ok(piece.into())
}

fn bzip2_piece(input: &mut Bytes, decoder: &mut bzip2::Decompress, in_stream: &mut bool) -> Result<Bytes> {
    let mut piece = Vec::with_capacity(PIECE);
    while piece.len() < PIECE {
        if !*in_stream {
            if input.is_empty() {
                break;
            }
            // What follows the last stream is padding unless it begins another one.
            if detect::of_bytes(input).is_none() && !input.starts_with(b"B") {
                input.clear();
                break;
            }
            *decoder = bzip2::Decompress::new(false);
            *in_stream = true;
        }
        let (before_in, before_out) = (decoder.total_in(), decoder.total_out());
        let status = decoder.decompress_vec(input, &mut piece).map_err(|e| damaged("bzip2").source_is(e))?;
        let taken = usize::try_from(decoder.total_in() - before_in).unwrap_or(input.len());
        input.advance(taken.min(input.len()));
        if matches!(status, bzip2::Status::StreamEnd) {
            *in_stream = false;
        } else if taken == 0 && decoder.total_out() == before_out {
            break;
        }
    }
    Ok(piece.into())
}

fn zlib_piece(input: &mut Bytes, decoder: &mut flate2::Decompress, in_stream: &mut bool) -> Result<Bytes> {
    let mut piece = Vec::with_capacity(PIECE);
    while piece.len() < PIECE {
        if !*in_stream {
            if input.is_empty() {
                break;
            }
            decoder.reset(true);
            *in_stream = true;
        }
        let (before_in, before_out) = (decoder.total_in(), decoder.total_out());
        let status = decoder
            .decompress_vec(input, &mut piece, flate2::FlushDecompress::None)
            .map_err(|e| damaged("zlib").source_is(e))?;
        let taken = usize::try_from(decoder.total_in() - before_in).unwrap_or(input.len());
        input.advance(taken.min(input.len()));
        if matches!(status, flate2::Status::StreamEnd) {
            *in_stream = false;
        } else if taken == 0 && decoder.total_out() == before_out {
            break;
        }
    }
    Ok(piece.into())
}
