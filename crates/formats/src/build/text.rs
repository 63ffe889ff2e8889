//! Text columns as views: long values point into the chunk they were read from, nothing is copied.

use super::nulls::Nulls;
use arrow::array::{ArrayRef, BinaryViewArray, StringViewArray, make_view};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::error::ArrowError;
use std::sync::Arc;

/// A chunk of text that values may point into.
#[derive(Clone)]
pub(crate) struct Block {
    buffer: Buffer,
    /// Tells blocks apart.
    serial: u64,
    /// Whether all of it is UTF-8, so that pieces between ASCII characters are, too.
    valid: bool,
    /// Whether all of it is ASCII, so that every piece is.
    ascii: bool,
}

impl Block {
    pub(crate) fn new(bytes: bytes::Bytes, serial: u64) -> Self {
        let ascii = bytes.is_ascii();
        let valid = ascii || std::str::from_utf8(&bytes).is_ok();
        Self { buffer: Buffer::from(bytes), serial, valid, ascii }
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.as_slice()
    }

    /// Whether the piece is surely UTF-8: all of the block is, and the piece begins and ends between two characters.
    #[inline]
    fn is_between_characters(&self, start: usize, end: usize) -> bool {
        // The bytes within a character, and only those, are 10xxxxxx.
        let inside = |at: usize| self.bytes().get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
        self.ascii || (self.valid && !inside(start) && !inside(end))
    }
}

/// How many characters a value may have, and whether spaces at its end count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    None,
    Varchar(u32),
    Char(u32),
}

pub(crate) struct TextBuilder {
    views: Vec<u128>,
    blocks: Vec<Buffer>,
    /// The serial and the index of the block used last, and of the one before: values may come from two by turns.
    current: Option<(u64, u32)>,
    previous: Option<(u64, u32)>,
    /// Values that stand nowhere as they are: unescaped or repaired ones.
    own: Vec<u8>,
    own_index: Option<u32>,
    pub(super) nulls: Nulls,
    limit: Limit,
    binary: bool,
}

impl TextBuilder {
    pub(crate) fn new(limit: Limit, binary: bool) -> Self {
        Self {
            views: Vec::new(),
            blocks: Vec::new(),
            current: None,
            previous: None,
            own: Vec::new(),
            own_index: None,
            nulls: Nulls::default(),
            limit,
            binary,
        }
    }

    #[inline]
    pub(crate) fn push_null(&mut self) {
        self.views.push(0);
        self.nulls.push(false);
    }

    /// A value that stands in a block.
    #[inline]
    pub(crate) fn push_in(&mut self, block: &Block, start: usize, end: usize) {
        let Some(value) = block.bytes().get(start..end) else { return self.push_null() };
        if !block.is_between_characters(start, end) || self.limit != Limit::None {
            return self.push_checked(block, start, value);
        }
        self.push_view(block, start, value);
    }

    /// The value must stand in the block at `start`, and be UTF-8 unless the column is binary.
    #[inline]
    fn push_view(&mut self, block: &Block, start: usize, value: &[u8]) {
        let Ok(offset) = u32::try_from(start) else { return self.push_copy(value) };
        let view = if value.len() <= 12 {
            inline_view(block.bytes(), start, value)
        } else {
            let index = match self.current {
                Some((serial, index)) if serial == block.serial && serial != u64::MAX => index,
                _ => self.add_block(block),
            };
            make_view(value, index, offset)
        };
        self.views.push(view);
        self.nulls.push(true);
    }

    /// The block's index. Blocks on their own (of that last serial) are never taken for one another.
    #[cold]
    fn add_block(&mut self, block: &Block) -> u32 {
        std::mem::swap(&mut self.current, &mut self.previous);
        if let Some((serial, index)) = self.current
            && serial == block.serial
            && serial != u64::MAX
        {
            return index;
        }
        let index = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
        self.blocks.push(block.buffer.clone());
        self.current = Some((block.serial, index));
        index
    }

    fn push_checked(&mut self, block: &Block, start: usize, value: &[u8]) {
        if self.binary {
            return self.push_view(block, start, value);
        }
        match std::str::from_utf8(value) {
            Ok(text) => {
                let length = limited(text, self.limit);
                self.push_view(block, start, value.get(..length).unwrap_or(value));
            }
            Err(_) => self.push_own(value),
        }
    }

    /// A value that has to be copied. Invalid UTF-8 is replaced, as Hive does it.
    pub(crate) fn push_own(&mut self, value: &[u8]) {
        if self.binary {
            return self.push_copy(value);
        }
        let text = String::from_utf8_lossy(value);
        let length = limited(&text, self.limit);
        self.push_copy(text.as_bytes().get(..length).unwrap_or_default());
    }

    fn push_copy(&mut self, value: &[u8]) {
        // Offsets are 32 bits: a new buffer is begun long before.
        if self.own.len() + value.len() > 1 << 30 {
            self.close_own();
        }
        let index = match self.own_index {
            Some(index) => index,
            None if value.len() <= 12 => 0,
            None => {
                let index = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
                self.blocks.push(Buffer::from(Vec::<u8>::new()));
                self.own_index = Some(index);
                index
            }
        };
        let start = u32::try_from(self.own.len()).unwrap_or(u32::MAX);
        if value.len() > 12 {
            self.own.extend_from_slice(value);
        }
        self.views.push(make_view(value, index, start));
        self.nulls.push(true);
    }

    fn close_own(&mut self) {
        if let Some(index) = self.own_index.take()
            && let Some(slot) = self.blocks.get_mut(index as usize)
        {
            *slot = Buffer::from(std::mem::take(&mut self.own));
        }
        self.own.clear();
    }

    pub(crate) fn pop(&mut self) {
        self.views.pop();
        self.nulls.pop();
    }

    pub(crate) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        self.close_own();
        (self.current, self.previous) = (None, None);
        let capacity = self.views.len();
        let views = ScalarBuffer::from(std::mem::replace(&mut self.views, Vec::with_capacity(capacity)));
        let blocks = std::mem::take(&mut self.blocks);
        let nulls = self.nulls.finish();
        Ok(if self.binary {
            Arc::new(BinaryViewArray::try_new(views, blocks, nulls)?)
        } else {
            Arc::new(trusted(views, blocks, nulls))
        })
    }
}

/// The array without a second look at every value: that would take a sixth of the time of reading CSV.
#[expect(unsafe_code, reason = "what it relies on is checked where views are made, in this file alone")]
fn trusted(views: ScalarBuffer<u128>, blocks: Vec<Buffer>, nulls: Option<NullBuffer>) -> StringViewArray {
    // SAFETY: every view was made by `push_view` or `push_copy`. The former takes a value that `get` found at `start` of
    // the block whose index it writes, and that is UTF-8: by `is_between_characters`, or by `push_checked`. The latter takes
    // a text that was appended to `own` at the offset it writes, and `own` becomes the block of that index; it is closed
    // at 1 GB, so that offsets fit 32 bits. A view of up to twelve bytes holds them itself with zeros behind. There are as
    // many views as nulls: both grow by one in every push.
    unsafe { StringViewArray::new_unchecked(views, blocks, nulls) }
}

/// The view of a short value: sixteen bytes loaded at once where the block has them.
#[inline]
fn inline_view(block: &[u8], start: usize, value: &[u8]) -> u128 {
    let length = value.len();
    match block.get(start..start + 16).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()) {
        Some(bytes) => {
            let mask = (1u128 << (length * 8)) - 1;
            (u128::from_le_bytes(bytes) & mask) << 32 | length as u128
        }
        None => make_view(value, 0, 0),
    }
}

/// How many bytes of the text are within the limit.
fn limited(text: &str, limit: Limit) -> usize {
    let cut = |most: u32| text.char_indices().nth(most as usize).map_or(text.len(), |(at, _)| at);
    match limit {
        Limit::None => text.len(),
        Limit::Varchar(most) => cut(most),
        Limit::Char(most) => text[..cut(most)].trim_end_matches(' ').len(),
    }
}
