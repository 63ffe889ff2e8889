//! What every kind of column can do with its values while a column chunk is made.

use arrow::array::Array;
use parquet::basic::Encoding;
use parquet::file::statistics::Statistics;

/// A dictionary is left where it is once its values take more than this.
pub(super) const DICTIONARY_BYTES: usize = 1 << 20;

/// After so many values of the first page it is seen whether they repeat at all.
pub(super) const EARLY: usize = 1024;

/// A column's values: those of the page that is being filled, and what is known of the chunk.
pub(super) trait Values: Send + std::fmt::Debug {
    /// Takes the values of some rows; missing ones are left out.
    fn take_slice(&mut self, array: &dyn Array, from: usize, count: usize);
    /// Leaves a dictionary that the first values show to be of no use. Called while the first page is filled.
    fn look_early(&mut self);
    /// Writes the page's values and forgets them; answers how they are written.
    fn end_page(&mut self, out: &mut Vec<u8>) -> Encoding;
    /// The least and the largest value of the page that ends, as an index of pages wants them.
    fn end_page_bounds(&mut self) -> Option<(Vec<u8>, Vec<u8>)>;
    /// Whether the dictionary has grown too large to go on with it.
    fn is_dictionary_full(&self) -> bool;
    /// Writes the dictionary's values if pages refer to them; answers how many there are. Pages that follow have none.
    fn end_dictionary(&mut self, out: &mut Vec<u8>) -> Option<usize>;
    /// Whether values still become places in a dictionary.
    fn has_dictionary(&self) -> bool;
    /// About how many bytes will be written of what is held.
    fn held(&self) -> usize;
    /// How many bytes it takes.
    fn memory(&self) -> usize;
    /// Of all values so far.
    fn statistics(&self, nulls: u64) -> Statistics;
}
