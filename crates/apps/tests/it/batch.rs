//! Windows computed plainly: over a list of events, one rule after the other, without anything of the application's code.

use std::collections::{BTreeMap, BTreeSet};

/// An event as a producer sends it.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) key: String,
    pub(crate) value: i64,
    /// Milliseconds since 1970.
    pub(crate) time: i64,
    /// In which of the forms its time is written.
    pub(crate) form: u8,
}

/// A window; lengths are milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Window {
    Tumble(i64),
    Hop(i64, i64),
    Cumulate(i64, i64),
    Session(i64),
}

/// A row of the result: key, start, end, count, sum, least, greatest, different values.
pub(crate) type Row = (String, i64, i64, i64, i64, i64, i64, i64);

/// When events are late, as the application's settings say. All lengths are milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lateness {
    /// How far the watermark stays behind the latest event of a shard.
    pub(crate) bound: i64,
    /// For how long windows stay open behind the watermark.
    pub(crate) allowed: i64,
    /// Silent shards are not waited for.
    pub(crate) leaves_idle: bool,
}

/// The computation: events go in by batches, what each batch sees closed was closed by those before it.
pub(crate) struct Plain {
    window: Window,
    lateness: Lateness,
    /// The latest event of each shard.
    latest: Vec<Option<i64>>,
    mark: Option<i64>,
    /// Windows that end here or before are closed.
    closed: i64,
    open: BTreeMap<(String, i64, i64), Vec<i64>>,
    pub(crate) rows: Vec<Row>,
    pub(crate) late: Vec<Event>,
}

impl Plain {
    pub(crate) fn new(window: Window, lateness: Lateness, shards: usize) -> Self {
        Self {
            window,
            lateness,
            latest: vec![None; shards],
            mark: None,
            closed: i64::MIN,
            open: BTreeMap::new(),
            rows: Vec::new(),
            late: Vec::new(),
        }
    }

    /// Every window that a time is in.
    fn windows(&self, time: i64) -> Vec<(i64, i64)> {
        let all = match self.window {
            Window::Tumble(size) => vec![(time.div_euclid(size) * size, size)],
            Window::Hop(slide, size) => {
                let (first, last) = ((time - size).div_euclid(slide), time.div_euclid(slide));
                (first..=last).map(|n| (n * slide, size)).collect()
            }
            Window::Cumulate(step, size) => {
                let start = time.div_euclid(size) * size;
                (1..=size / step).map(|n| (start, n * step)).collect()
            }
            Window::Session(gap) => vec![(time, gap)],
        };
        let spans = all.into_iter().map(|(start, length)| (start, start + length));
        spans.filter(|(start, end)| *start <= time && time < *end).collect()
    }

    /// A batch of events with the shards that they came to. Answers the watermark behind it, once there is one.
    pub(crate) fn take(&mut self, events: &[(usize, Event)]) -> Option<i64> {
        for (shard, event) in events {
            let windows = self.windows(event.time);
            let open: Vec<_> = windows.into_iter().filter(|(_, end)| *end > self.closed).collect();
            if open.is_empty() {
                self.late.push(event.clone());
            }
            for (start, end) in open {
                self.open.entry((event.key.clone(), start, end)).or_default().push(event.value);
            }
            self.latest[*shard] = self.latest[*shard].max(Some(event.time));
        }
        if let Window::Session(_) = self.window {
            self.merge();
        }
        let heard = self.latest.iter().flatten();
        let mark = match self.lateness.leaves_idle {
            true => heard.max().copied(),
            false if self.latest.contains(&None) => None,
            false => heard.min().copied(),
        };
        self.mark = self.mark.max(mark.map(|time| time - self.lateness.bound));
        if let Some(mark) = self.mark {
            self.closed = self.closed.max(mark - self.lateness.allowed + 1);
        }
        self.close(self.closed);
        self.mark
    }

    /// Sessions of a key that meet are one.
    fn merge(&mut self) {
        let mut merged: Vec<((String, i64, i64), Vec<i64>)> = Vec::new();
        // The order is that of keys and then of starts.
        for ((key, start, end), values) in std::mem::take(&mut self.open) {
            match merged.last_mut().filter(|((last, _, until), _)| *last == key && *until >= start) {
                Some(((_, _, until), all)) => {
                    *until = end.max(*until);
                    all.extend(values);
                }
                None => merged.push(((key, start, end), values)),
            }
        }
        self.open = merged.into_iter().collect();
    }

    /// Closes what ends here or before.
    pub(crate) fn close(&mut self, until: i64) {
        let (closed, open) =
            std::mem::take(&mut self.open).into_iter().partition(|((_, _, end), _)| *end <= until);
        self.open = open;
        let closed: BTreeMap<(String, i64, i64), Vec<i64>> = closed;
        for ((key, start, end), values) in closed {
            let different = values.iter().collect::<BTreeSet<_>>().len() as i64;
            let (least, most) = (values.iter().min().unwrap(), values.iter().max().unwrap());
            let row = (key, start, end, values.len() as i64, values.iter().sum(), *least, *most, different);
            self.rows.push(row);
        }
    }
}
