//! Which rows of a column are NULL: nothing is kept until the first one is.

use arrow::array::BooleanBufferBuilder;
use arrow::buffer::NullBuffer;

#[derive(Default)]
pub(crate) struct Nulls {
    len: usize,
    valid: Option<BooleanBufferBuilder>,
}

impl Nulls {
    #[inline]
    pub(crate) fn push(&mut self, is_valid: bool) {
        match &mut self.valid {
            Some(valid) => valid.append(is_valid),
            None if !is_valid => {
                let mut valid = BooleanBufferBuilder::new((self.len + 1).max(1024));
                valid.append_n(self.len, true);
                valid.append(false);
                self.valid = Some(valid);
            }
            None => {}
        }
        self.len += 1;
    }

    /// Forgets the last row.
    pub(crate) fn pop(&mut self) {
        self.len = self.len.saturating_sub(1);
        if let Some(valid) = &mut self.valid {
            valid.truncate(self.len);
        }
    }

    pub(crate) fn last_is_null(&self) -> bool {
        self.len > 0 && self.valid.as_ref().is_some_and(|valid| !valid.get_bit(self.len - 1))
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn finish(&mut self) -> Option<NullBuffer> {
        self.len = 0;
        self.valid.take().map(|mut valid| NullBuffer::new(valid.finish()))
    }
}
