//! Formats made of small blocks with lengths before them: snappy and LZ4, in their own frames and in Hadoop's.
//!
//! Their libraries only read from a blocking stream, so the frames are taken apart here; the blocks themselves are
//! theirs. A block may not claim more than a few megabytes, so nothing hostile allocates much.

use super::stream::{damaged, ended};
use bytes::{Buf, Bytes};
use model::{Error, Result};

/// What files in snappy's own format begin with.
pub(super) const SNAPPY_MAGIC: &[u8] = b"\xff\x06\x00\x00sNaPpY";
const LZ4_MAGIC: u32 = 0x184D_2204;
/// The largest block either format's writers make is 4 MB; Hadoop's are 256 kB by default.
const MAX_BLOCK: usize = 64 << 20;
/// How far back a block of LZ4 may refer into the ones before it.
const LZ4_WINDOW: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Snappy,
    Lz4,
}

impl Framing {
    fn name(self) -> &'static str {
        match self {
            Framing::Snappy => "snappy",
            Framing::Lz4 => "LZ4",
        }
    }
}

/// What comes next in the stream.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Next {
    /// The first bytes decide between frames and Hadoop's blocks.
    Start,
    SnappyChunk,
    /// The length of one of Hadoop's blocks.
    HadoopBlock,
    /// A piece of one of Hadoop's blocks, with so many plain bytes still to come.
    HadoopPiece(usize),
    Lz4Frame,
    Lz4Block(Lz4Flags),
    /// Skippable bytes.
    Skip(usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Lz4Flags {
    block_checksum: bool,
    content_checksum: bool,
    max_block: usize,
}

pub(super) struct Blocks {
    framing: Framing,
    next: Next,
    /// Input of an incomplete block.
    waiting: Vec<u8>,
    /// The last plain bytes, to which LZ4's next block may refer.
    window: Vec<u8>,
}

impl Blocks {
    pub(super) fn new(framing: Framing) -> Self {
        Self { framing, next: Next::Start, waiting: Vec::new(), window: Vec::new() }
    }

    /// Decodes blocks until about `enough` bytes came out or the input is used up.
    pub(super) fn take(&mut self, input: &mut Bytes, enough: usize) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        while out.len() < enough {
            if self.waiting.is_empty() {
                let used = self.step(input, &mut out)?;
                if used == 0 {
                    self.waiting.extend_from_slice(input);
                    input.clear();
                    break;
                }
                input.advance(used);
                continue;
            }
            // A block began in an earlier chunk: add to it what it may need, but not the whole chunk.
            let more = input.len().min(self.missing());
            self.waiting.extend_from_slice(input.get(..more).unwrap_or_default());
            input.advance(more);
            let waiting = std::mem::take(&mut self.waiting);
            let used = self.step(&waiting, &mut out)?;
            self.waiting = waiting.get(used..).unwrap_or_default().to_vec();
            if used == 0 && input.is_empty() {
                break;
            }
        }
        Ok(out)
    }

    /// How many more bytes complete what is waiting, as far as can be seen.
    fn missing(&self) -> usize {
        let header = match self.next {
            Next::Start => 10,
            Next::Lz4Frame => 23,
            _ => 4,
        };
        let needed = if self.waiting.len() < header {
            header
        } else {
            self.block_end(&self.waiting).unwrap_or(header)
        };
        needed.saturating_sub(self.waiting.len()).max(1)
    }

    /// Where the block that begins here ends, header included, if its length is known.
    fn block_end(&self, input: &[u8]) -> Option<usize> {
        let word = input.first_chunk::<4>()?;
        Some(match self.next {
            Next::SnappyChunk => 4 + (u32::from_le_bytes(*word) >> 8) as usize,
            Next::HadoopPiece(_) => 4 + u32::from_be_bytes(*word) as usize,
            Next::Lz4Block(flags) => {
                let length = (u32::from_le_bytes(*word) & 0x7fff_ffff) as usize;
                4 + length + if flags.block_checksum { 4 } else { 0 }
            }
            _ => return None,
        })
    }

    pub(super) fn finish(self) -> Result<()> {
        let whole = matches!(self.next, Next::Start | Next::SnappyChunk | Next::HadoopBlock | Next::Lz4Frame);
        if whole && self.waiting.is_empty() { Ok(()) } else { Err(ended(self.framing.name())) }
    }

    /// Reads one header or block. Answers how many bytes it used, 0 if it needs more.
    fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize> {
        match self.next {
            Next::Start => self.start(input),
            Next::SnappyChunk => self.snappy_chunk(input, out),
            Next::HadoopBlock => self.hadoop_block(input),
            Next::HadoopPiece(left) => self.hadoop_piece(input, left, out),
            Next::Lz4Frame => self.lz4_frame(input),
            Next::Lz4Block(flags) => self.lz4_block(input, flags, out),
            Next::Skip(left) => {
                let skipped = left.min(input.len());
                let after = if self.framing == Framing::Lz4 { Next::Lz4Frame } else { Next::SnappyChunk };
                self.next = if left > skipped { Next::Skip(left - skipped) } else { after };
                Ok(skipped)
            }
        }
    }

    fn start(&mut self, input: &[u8]) -> Result<usize> {
        let needed = if self.framing == Framing::Snappy { 10 } else { 4 };
        let Some(first) = input.get(..needed) else {
            // Hadoop's blocks of empty files are four zero bytes.
            if input == [0, 0, 0, 0] {
                self.next = Next::HadoopBlock;
                return Ok(4);
            }
            return Ok(0);
        };
        self.next = match self.framing {
            Framing::Snappy if first == SNAPPY_MAGIC => Next::SnappyChunk,
            Framing::Lz4 if is_lz4_magic(first) => Next::Lz4Frame,
            _ => Next::HadoopBlock,
        };
        self.step(input, &mut Vec::new())
    }

    fn snappy_chunk(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize> {
        let Some(header) = input.first_chunk::<4>() else { return Ok(0) };
        let length = (u32::from_le_bytes(*header) >> 8) as usize;
        let kind = header[0];
        if matches!(kind, 0x80..=0xfe) {
            self.next = if length > 0 { Next::Skip(length) } else { Next::SnappyChunk };
            return Ok(4);
        }
        let Some(body) = input.get(4..4 + length) else { return Ok(0) };
        match kind {
            0xff if *body == SNAPPY_MAGIC[4..] => {}
            0x00 => self.snappy_data(body, true, out)?,
            0x01 => self.snappy_data(body, false, out)?,
            _ => {
                return Err(
                    damaged("snappy").why(format!("there is a chunk of the unknown kind {kind:#04x}"))
                );
            }
        }
        Ok(4 + length)
    }

    fn snappy_data(&self, body: &[u8], packed: bool, out: &mut Vec<u8>) -> Result<()> {
        let Some((sum, data)) = body.split_first_chunk::<4>() else { return Err(damaged("snappy")) };
        let from = out.len();
        if packed {
            snappy_block(data, out)?;
        } else {
            out.extend_from_slice(data);
        }
        let plain = out.get(from..).unwrap_or_default();
        if masked_crc32c(plain) != u32::from_le_bytes(*sum) {
            return Err(damaged("snappy").why("a chunk's checksum differs"));
        }
        Ok(())
    }

    fn hadoop_block(&mut self, input: &[u8]) -> Result<usize> {
        let Some(word) = input.first_chunk::<4>() else { return Ok(0) };
        let plain = checked_length(self.framing, u32::from_be_bytes(*word))?;
        if plain > 0 {
            self.next = Next::HadoopPiece(plain);
        }
        Ok(4)
    }

    fn hadoop_piece(&mut self, input: &[u8], left: usize, out: &mut Vec<u8>) -> Result<usize> {
        let Some(word) = input.first_chunk::<4>() else { return Ok(0) };
        let length = checked_length(self.framing, u32::from_be_bytes(*word))?;
        let Some(data) = input.get(4..4 + length) else { return Ok(0) };
        let from = out.len();
        match self.framing {
            Framing::Snappy => snappy_block(data, out)?,
            Framing::Lz4 => {
                let plain =
                    lz4_flex::block::decompress(data, left).map_err(|e| damaged("LZ4").source_is(e))?;
                out.extend_from_slice(&plain);
            }
        }
        let given = out.len() - from;
        if given > left || (given == 0 && length > 0 && left > 0 && self.framing == Framing::Lz4) {
            return Err(damaged(self.framing.name()).why("a block has not the length it claims"));
        }
        self.next = if given == left { Next::HadoopBlock } else { Next::HadoopPiece(left - given) };
        Ok(4 + length)
    }

    fn lz4_frame(&mut self, input: &[u8]) -> Result<usize> {
        let Some((magic, rest)) = input.split_first_chunk::<4>() else { return Ok(0) };
        let magic = u32::from_le_bytes(*magic);
        if magic & 0xffff_fff0 == 0x184D_2A50 {
            let Some(length) = rest.first_chunk::<4>() else { return Ok(0) };
            let length = u32::from_le_bytes(*length) as usize;
            self.next = if length > 0 { Next::Skip(length) } else { Next::Lz4Frame };
            return Ok(8);
        }
        if magic != LZ4_MAGIC {
            return Err(damaged("LZ4").why("a frame does not begin with its mark"));
        }
        let &[flags, descriptor, ..] = rest else { return Ok(0) };
        if flags >> 6 != 1 || flags & 2 != 0 || descriptor & 0x8f != 0 {
            return Err(damaged("LZ4").why("a frame's header is of an unknown version"));
        }
        if flags & 1 != 0 {
            return Err(Error::unsupported("LZ4 frames that need a dictionary are not supported"));
        }
        let max_block = match descriptor >> 4 {
            4 => 64 << 10,
            5 => 256 << 10,
            6 => 1 << 20,
            7 => 4 << 20,
            _ => return Err(damaged("LZ4").why("a frame's blocks are of an unknown size")),
        };
        let length = 4 + 2 + if flags & 8 != 0 { 8 } else { 0 } + 1;
        if input.len() < length {
            return Ok(0);
        }
        self.window.clear();
        self.next = Next::Lz4Block(Lz4Flags {
            block_checksum: flags & 16 != 0,
            content_checksum: flags & 4 != 0,
            max_block,
        });
        Ok(length)
    }

    fn lz4_block(&mut self, input: &[u8], flags: Lz4Flags, out: &mut Vec<u8>) -> Result<usize> {
        let Some(word) = input.first_chunk::<4>() else { return Ok(0) };
        let word = u32::from_le_bytes(*word);
        if word == 0 {
            let length = if flags.content_checksum { 8 } else { 4 };
            if input.len() < length {
                return Ok(0);
            }
            self.next = Next::Lz4Frame;
            return Ok(length);
        }
        let (packed, length) = (word & 0x8000_0000 == 0, (word & 0x7fff_ffff) as usize);
        if length > flags.max_block + flags.max_block / 255 + 16 {
            return Err(damaged("LZ4").why("a block is longer than its frame allows"));
        }
        let end = 4 + length + if flags.block_checksum { 4 } else { 0 };
        let Some(data) = input.get(4..4 + length).filter(|_| input.len() >= end) else { return Ok(0) };
        let from = out.len();
        if packed {
            out.resize(from + flags.max_block, 0);
            let free = out.get_mut(from..).unwrap_or_default();
            let given = lz4_flex::block::decompress_into_with_dict(data, free, &self.window)
                .map_err(|e| damaged("LZ4").source_is(e))?;
            out.truncate(from + given);
        } else {
            out.extend_from_slice(data);
        }
        self.remember(out.get(from..).unwrap_or_default());
        Ok(end)
    }

    fn remember(&mut self, plain: &[u8]) {
        self.window.extend_from_slice(plain);
        let extra = self.window.len().saturating_sub(LZ4_WINDOW);
        self.window.drain(..extra);
    }
}

fn is_lz4_magic(first: &[u8]) -> bool {
    first.first_chunk::<4>().is_some_and(|word| {
        let word = u32::from_le_bytes(*word);
        word == LZ4_MAGIC || word & 0xffff_fff0 == 0x184D_2A50
    })
}

fn checked_length(framing: Framing, length: u32) -> Result<usize> {
    usize::try_from(length).ok().filter(|length| *length <= MAX_BLOCK).ok_or_else(|| {
        damaged(framing.name())
            .why(format!("a block claims {length} bytes, more than the {MAX_BLOCK} allowed"))
    })
}

fn snappy_block(data: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let length = snap::raw::decompress_len(data).map_err(|e| damaged("snappy").source_is(e))?;
    if length > MAX_BLOCK {
        return Err(damaged("snappy").why(format!("a block claims {length} bytes")));
    }
    let from = out.len();
    out.resize(from + length, 0);
    let free = out.get_mut(from..).unwrap_or_default();
    let given =
        snap::raw::Decoder::new().decompress(data, free).map_err(|e| damaged("snappy").source_is(e))?;
    out.truncate(from + given);
    Ok(())
}

/// The checksum that snappy's frames carry.
pub(super) fn masked_crc32c(data: &[u8]) -> u32 {
    let sum = CRC32C.iter_bytes(data);
    sum.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Eight tables of CRC-32C (Castagnoli), so that eight bytes are taken at once.
struct Crc32c([[u32; 256]; 8]);

static CRC32C: Crc32c = Crc32c::new();

impl Crc32c {
    const fn new() -> Self {
        let mut tables = [[0u32; 256]; 8];
        let mut i = 0;
        while i < 256 {
            let mut value = i as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 != 0 { value >> 1 ^ 0x82f6_3b78 } else { value >> 1 };
                bit += 1;
            }
            tables[0][i] = value;
            i += 1;
        }
        let mut table = 1;
        while table < 8 {
            let mut i = 0;
            while i < 256 {
                let before = tables[table - 1][i];
                tables[table][i] = before >> 8 ^ tables[0][(before & 255) as usize];
                i += 1;
            }
            table += 1;
        }
        Self(tables)
    }

    fn iter_bytes(&self, data: &[u8]) -> u32 {
        let t = &self.0;
        let mut sum = !0u32;
        let (eights, rest) = data.as_chunks::<8>();
        for eight in eights {
            let low = sum ^ u32::from_le_bytes([eight[0], eight[1], eight[2], eight[3]]);
            let [a, b, c, d] = low.to_le_bytes();
            sum = t[7][a as usize]
                ^ t[6][b as usize]
                ^ t[5][c as usize]
                ^ t[4][d as usize]
                ^ t[3][eight[4] as usize]
                ^ t[2][eight[5] as usize]
                ^ t[1][eight[6] as usize]
                ^ t[0][eight[7] as usize];
        }
        for byte in rest {
            sum = sum >> 8 ^ t[0][((sum & 255) as u8 ^ byte) as usize];
        }
        !sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_castagnolis() {
        assert_eq!(CRC32C.iter_bytes(b"123456789"), 0xe306_9283);
    }
}
