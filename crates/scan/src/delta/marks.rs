//! Which rows of which files a statement changes: one bit a row, noted while the statement's query runs, asked when the
//! other rows of these files are copied.

use model::{Error, Result};
use std::collections::HashMap;

/// A file has no row beyond this: a mark further out is a mistake, not a reason to take memory.
const MAX_ROWS: u64 = 1 << 40;

/// The marked rows of one file.
#[derive(Debug, Default, Clone)]
pub(super) struct FileMarks {
    words: Vec<u64>,
    pub(super) count: u64,
}

impl FileMarks {
    pub(super) fn has(&self, row: u64) -> bool {
        let word = usize::try_from(row / 64).ok().and_then(|at| self.words.get(at));
        word.is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Whether it was not marked before.
    fn set(&mut self, row: u64) -> Result<bool> {
        let at = usize::try_from(row / 64).ok().filter(|_| row < MAX_ROWS);
        let at = at.ok_or_else(|| Error::internal(format!("a file has no row {row}")))?;
        if at >= self.words.len() {
            self.words.resize(at + 1, 0);
        }
        let bit = 1 << (row % 64);
        let is_new = self.words[at] & bit == 0;
        self.words[at] |= bit;
        self.count += u64::from(is_new);
        Ok(is_new)
    }
}

/// The marked rows of a table, by the address of their files.
#[derive(Debug, Default)]
pub(super) struct Marks {
    pub(super) files: HashMap<String, FileMarks>,
    pub(super) inserted: u64,
    pub(super) updated: u64,
    pub(super) deleted: u64,
}

impl Marks {
    /// Notes that this row goes away or is replaced.
    pub(super) fn mark(&mut self, file: &str, row: u64) -> Result<()> {
        // Looked up twice for new files alone: there are few of them, and many rows.
        let marks = match self.files.get_mut(file) {
            Some(marks) => marks,
            None => self.files.entry(file.to_owned()).or_default(),
        };
        match marks.set(row)? {
            true => Ok(()),
            false => Err(Error::invalid(
                "one row of the target table matches more than one row of the source",
            )
            .why("it would be changed more than once, and what it becomes would be left to chance")
            .hint("let the source have one row for each row of the target: group it by the columns of ON")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_marked_once() {
        let mut marks = Marks::default();
        for row in [0, 63, 64, 1000] {
            marks.mark("a", row).unwrap();
        }
        assert!(marks.mark("b", 0).is_ok());
        assert!(marks.mark("a", 64).is_err());
        assert!(marks.mark("a", u64::MAX).is_err());
        let a = &marks.files["a"];
        assert_eq!(a.count, 4);
        assert!(a.has(0) && a.has(63) && a.has(1000) && !a.has(1) && !a.has(5000));
    }
}
