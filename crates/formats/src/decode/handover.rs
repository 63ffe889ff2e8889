//! Rejected lines on their way out. A range does not know how many lines stand before it until somebody counts them, which
//! is only done when there is a rejected line: until then those of one chunk wait here.

use super::DecodeOptions;
use super::rejects::{RejectSink, RejectedLine};
use std::sync::Arc;

/// How much of a line is handed over.
const MAX_LINE: usize = 64 << 10;

pub(super) struct Handover {
    to: Option<Arc<dyn RejectSink>>,
    file: Arc<str>,
    /// How many lines of the file stand before the first that was fed.
    before: Option<u64>,
    waiting: Vec<Waiting>,
    /// The texts of those, one after another.
    texts: Vec<u8>,
}

struct Waiting {
    line: u64,
    length: usize,
    column: Option<usize>,
    reason: &'static str,
}

impl Handover {
    pub(super) fn new(options: &DecodeOptions) -> Self {
        Self {
            to: options.reject_sink.clone(),
            file: Arc::clone(&options.file),
            before: options.range.as_ref().is_none_or(|range| range.start == 0).then_some(0),
            waiting: Vec::new(),
            texts: Vec::new(),
        }
    }

    /// Takes a line, counted from the first that was fed; `column` is one of the names.
    #[cold]
    pub(super) fn add(
        &mut self,
        line: u64,
        column: Option<usize>,
        names: &[String],
        text: &[u8],
        reason: &'static str,
    ) {
        let Some(to) = &self.to else { return };
        let text = text.get(..MAX_LINE).unwrap_or(text);
        let Some(before) = self.before else {
            self.waiting.push(Waiting { line, length: text.len(), column, reason });
            self.texts.extend_from_slice(text);
            return;
        };
        let column = column.and_then(|column| names.get(column)).map(String::as_str);
        to.take(RejectedLine { file: &self.file, line: before + line, text, column, reason });
    }

    /// Whether lines wait to be told how many stand before them.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Tells it, and hands over what waited.
    pub(super) fn number(&mut self, before: u64, names: &[String]) {
        self.before = Some(before);
        let (waiting, texts) = (std::mem::take(&mut self.waiting), std::mem::take(&mut self.texts));
        let mut rest = texts.as_slice();
        for Waiting { line, length, column, reason } in waiting {
            let (text, more) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            self.add(line, column, names, text, reason);
            rest = more;
        }
    }
}
