//! What did not convert: counted, with the first few shown, or handed over line by line.

use std::fmt;

/// Why a line of JSON is left out that has a field without a column.
pub const UNKNOWN_FIELD: &str = crate::build::NO_COLUMN;

/// How many characters of a rejected value are kept.
const MAX_VALUE: usize = 200;

/// What happens to a value that does not convert to its column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// It becomes NULL and is counted; the first ten are kept. Hive's rule.
    Null,
    /// Decoding fails with the first one.
    Fail,
    /// It becomes NULL; up to so many are kept. Malformed lines are left out and kept, too, instead of failing.
    Collect(usize),
    /// The line that it stands in is left out and handed over as a whole, see [`RejectSink`]. So is a line that cannot be
    /// taken apart: a malformed one, one that fits no pattern, one of delimited text with more or fewer fields than there
    /// are columns, JSON with an unknown field if the sink wants these ([`UNKNOWN_FIELD`]). Empty lines are no rejects.
    Reject,
}

impl OnError {
    /// How many rejects are kept.
    pub(crate) fn keeps(self) -> usize {
        match self {
            OnError::Null | OnError::Reject => 10,
            OnError::Fail => 1,
            OnError::Collect(most) => most,
        }
    }
}

/// A line that was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectedLine<'a> {
    /// The file's name or URI.
    pub file: &'a str,
    /// Its number in the file, from 1; the first one's where a record has several. Of JSON documents the row's number.
    pub line: u64,
    /// The line as it stands in the file, without its end, cut after 64 KB.
    pub text: &'a [u8],
    /// The column whose value did not convert; none if the line could not be taken apart.
    pub column: Option<&'a str>,
    /// Why, as in `is no integer`.
    pub reason: &'static str,
}

/// Takes rejected lines, each one once. Files and ranges are read at the same time, so they come from several threads
/// and in no order but within one range. A reader that is dropped before its end does not hand over what it did not
/// read.
pub trait RejectSink: Send + Sync + fmt::Debug {
    /// Takes a line.
    fn take(&self, rejected: RejectedLine<'_>);

    /// Whether a line of JSON with a field that there is no column for is a reject: for readers whose columns were found
    /// by looking at a part of the lines. Otherwise such fields are skipped.
    fn wants_unknown_fields(&self) -> bool {
        false
    }
}

/// Something that did not convert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The line, from 1 for the first line that was fed. Reading a range, it counts from the range's first line.
    pub line: u64,
    /// The column, or none for a whole line.
    pub column: Option<String>,
    /// The text, cut after 200 characters.
    pub value: String,
    /// Why, as in `is no integer`.
    pub reason: &'static str,
}

/// All that did not convert.
#[derive(Debug, Clone, Default)]
pub struct Rejects {
    /// How many values (and malformed lines) there were.
    pub count: u64,
    /// The first of them.
    pub first: Vec<Reject>,
}

impl Rejects {
    /// Adds those of another part; of the shown ones at most a hundred, or as many as either part kept.
    pub fn merge(&mut self, other: &Rejects) {
        let most = self.first.len().max(other.first.len()).max(100);
        self.count += other.count;
        let room = most - self.first.len();
        self.first.extend(other.first.iter().take(room).cloned());
    }

    pub(crate) fn add(
        &mut self,
        line: u64,
        column: Option<&str>,
        value: &[u8],
        reason: &'static str,
        keep: usize,
    ) {
        self.count += 1;
        if self.first.len() < keep {
            let value = String::from_utf8_lossy(&value[..value.len().min(MAX_VALUE * 4)]);
            let value = value.chars().take(MAX_VALUE).collect();
            self.first.push(Reject { line, column: column.map(str::to_owned), value, reason });
        }
    }
}
