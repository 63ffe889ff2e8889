//! A query that answers: its columns, its rows as they come, how far the client has read.

use super::copying::CopyFormat;
use super::traced::Traced;
use crate::fault::Fault;
use crate::values::{Column, is_null, put_binary, put_sized, put_text_value};
use crate::wire::{Wire, put_text};
use arrow::array::RecordBatch;
use bytes::{BufMut, BytesMut};
use engine::Answer;
use functions::scalar::datetime::Zone;
use model::Error;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use telemetry::OpenSpan;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

/// Where rows come from.
pub(super) enum Rows {
    /// The engine, as it makes them. Nobody ever waits for the lock: it lets a session be shared between threads.
    Answer(Box<Mutex<Answer>>),
    /// What was at hand at once.
    Batches(VecDeque<RecordBatch>),
}

/// A query that answers rows.
pub(super) struct Running {
    pub(super) columns: Vec<Column>,
    pub(super) verb: &'static str,
    /// In which instants are told.
    pub(super) zone: Zone,
    rows: Rows,
    /// Rows that were made and not yet sent, and from which one on.
    pending: Option<(RecordBatch, usize)>,
    /// How many were sent.
    sent: u64,
    ended: bool,
    /// What is told of it.
    traced: Option<Traced>,
}

/// How rows are written.
pub(super) enum Writing<'a> {
    /// As rows, each column in one of the two formats.
    Rows(&'a [bool]),
    /// As the lines of COPY. In binary form the head comes with the first row, as clients want it; whether it is still to
    /// be written stands beside.
    Copy(&'a CopyFormat, &'a AtomicBool),
    /// Not at all: MOVE passes over them.
    Nowhere,
}

/// How far it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// There are no more rows. With their number in this turn.
    Ended(u64),
    /// The client wanted no more for now.
    Paused(u64),
    /// The client went away.
    Gone,
}

impl Running {
    pub(super) fn new(columns: Vec<Column>, rows: Rows, verb: &'static str) -> Self {
        Self { columns, verb, zone: Zone::UTC, rows, pending: None, sent: 0, ended: false, traced: None }
    }

    /// It is told of under that span, which ends with its rows.
    pub(super) fn trace(&mut self, span: OpenSpan) {
        let stats = match &mut self.rows {
            Rows::Answer(answer) => {
                Some(Arc::clone(&answer.get_mut().unwrap_or_else(PoisonError::into_inner).stats))
            }
            Rows::Batches(_) => None,
        };
        self.traced = Some(Traced::new(span, stats));
    }

    /// How many rows were sent, all in all.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether there are no more rows.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Sends rows, at most `limit`, as fast as the client takes them.
    pub(super) async fn pump<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        writing: &Writing<'_>,
        limit: u64,
        cancel: &CancellationToken,
    ) -> Result<Progress, Error> {
        let progress = self.send(wire, writing, limit, cancel).await;
        let Some(mut traced) = self.traced.take() else { return progress };
        traced.rows = self.sent;
        match &progress {
            Ok(Progress::Ended(_)) => traced.ended(),
            Err(error) => traced.failed(error, Fault::of(error).code),
            // More may be wanted later.
            Ok(Progress::Paused(_) | Progress::Gone) => self.traced = Some(traced),
        }
        progress
    }

    async fn send<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        writing: &Writing<'_>,
        limit: u64,
        cancel: &CancellationToken,
    ) -> Result<Progress, Error> {
        let mut count = 0;
        let mut scratch = String::new();
        loop {
            if let Some((batch, from)) = &mut self.pending {
                while *from < batch.num_rows() && count < limit {
                    write_row(wire, writing, &self.columns, batch, *from, self.zone, &mut scratch);
                    *from += 1;
                    count += 1;
                    self.sent += 1;
                    if wire.is_full() {
                        // A client that does not read is no reason to hold on to its query.
                        tokio::select! {
                            biased;
                            () = cancel.cancelled() => return Err(Error::cancelled()),
                            sent = wire.flush() => sent?,
                        }
                    }
                    if count % 1024 == 0 && cancel.is_cancelled() {
                        return Err(Error::cancelled());
                    }
                }
                if *from < batch.num_rows() {
                    return Ok(Progress::Paused(count));
                }
                self.pending = None;
            }
            if self.ended {
                return Ok(Progress::Ended(count));
            }
            if count >= limit {
                return Ok(Progress::Paused(count));
            }
            let batch = match &mut self.rows {
                Rows::Batches(batches) => batches.pop_front(),
                Rows::Answer(answer) => tokio::select! {
                    biased;
                    () = cancel.cancelled() => return Err(Error::cancelled()),
                    batch = answer.get_mut().unwrap_or_else(PoisonError::into_inner).next() => batch?,
                    () = wire.watch() => return Ok(Progress::Gone),
                },
            };
            match batch {
                Some(batch) => self.pending = Some((batch, 0)),
                None => {
                    self.ended = true;
                    self.rows = Rows::Batches(VecDeque::new());
                }
            }
        }
    }

    /// Describes the columns.
    pub(super) fn describe(columns: &[Column], formats: &[bool], out: &mut BytesMut) {
        out.put_i16(i16::try_from(columns.len()).unwrap_or(i16::MAX));
        for (index, column) in columns.iter().enumerate() {
            put_text(out, &column.name);
            out.put_i32(0);
            out.put_i16(0);
            out.put_u32(column.shape.oid());
            out.put_i16(column.shape.size());
            out.put_i32(column.shape.modifier());
            out.put_i16(i16::from(is_binary(formats, index)));
        }
    }
}

/// One format holds for all columns, none means text.
pub(super) fn is_binary(formats: &[bool], column: usize) -> bool {
    match formats {
        [] => false,
        [one] => *one,
        each => each.get(column).copied().unwrap_or(false),
    }
}

/// The formats that a client asked for.
pub(super) fn formats(codes: &[i16]) -> Result<Vec<bool>, Fault> {
    let format = |code: &i16| match code {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Fault::new("08P01", format!("there is no format {other}"))),
    };
    codes.iter().map(format).collect()
}

fn write_row<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    writing: &Writing<'_>,
    columns: &[Column],
    batch: &RecordBatch,
    row: usize,
    zone: Zone,
    scratch: &mut String,
) {
    match writing {
        Writing::Nowhere => {}
        Writing::Rows(formats) => wire.put(b'D', |out| {
            out.put_i16(i16::try_from(columns.len()).unwrap_or(i16::MAX));
            for (index, (column, array)) in columns.iter().zip(batch.columns()).enumerate() {
                put_sized(out, is_null(array.as_ref(), row), |out| {
                    if is_binary(formats, index) {
                        put_binary(&column.shape, column.renderer.as_ref(), array.as_ref(), row, out);
                    } else {
                        scratch.clear();
                        let renderer = column.renderer.as_ref();
                        put_text_value(&column.shape, renderer, array.as_ref(), row, zone, scratch);
                        out.put_slice(scratch.as_bytes());
                    }
                });
            }
        }),
        Writing::Copy(format, wants_head) => wire.put(b'd', |out| {
            if wants_head.swap(false, Ordering::Relaxed) {
                copy_head(format, columns, out);
            }
            copy_row(out, format, columns, batch, row, zone, scratch);
        }),
    }
}

/// What COPY writes before the first row.
pub(super) fn copy_head(format: &CopyFormat, columns: &[Column], out: &mut BytesMut) {
    match format {
        CopyFormat::Csv { delimiter, quote, .. } => {
            for (index, column) in columns.iter().enumerate() {
                if index > 0 {
                    put_char(out, *delimiter);
                }
                csv_value(out, &column.name, *delimiter, *quote, "");
            }
            out.put_u8(b'\n');
        }
        CopyFormat::Binary => {
            out.put_slice(b"PGCOPY\n\xff\r\n\0");
            out.put_i32(0);
            out.put_i32(0);
        }
        CopyFormat::Text { .. } => {}
    }
}

fn copy_row(
    out: &mut BytesMut,
    format: &CopyFormat,
    columns: &[Column],
    batch: &RecordBatch,
    row: usize,
    zone: Zone,
    scratch: &mut String,
) {
    if *format == CopyFormat::Binary {
        out.put_i16(i16::try_from(columns.len()).unwrap_or(i16::MAX));
    }
    for (index, (column, array)) in columns.iter().zip(batch.columns()).enumerate() {
        let is_null = is_null(array.as_ref(), row);
        if *format == CopyFormat::Binary {
            put_sized(out, is_null, |out| {
                put_binary(&column.shape, column.renderer.as_ref(), array.as_ref(), row, out);
            });
            continue;
        }
        scratch.clear();
        if !is_null {
            put_text_value(&column.shape, column.renderer.as_ref(), array.as_ref(), row, zone, scratch);
        }
        let (CopyFormat::Text { delimiter, null } | CopyFormat::Csv { delimiter, null, .. }) = format else {
            continue;
        };
        if index > 0 {
            put_char(out, *delimiter);
        }
        match format {
            _ if is_null => out.put_slice(null.as_bytes()),
            CopyFormat::Csv { quote, .. } => csv_value(out, scratch, *delimiter, *quote, null),
            _ => text_value(out, scratch, *delimiter),
        }
    }
    if *format != CopyFormat::Binary {
        out.put_u8(b'\n');
    }
}

fn put_char(out: &mut BytesMut, c: char) {
    out.put_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// A value of COPY's text form: line breaks, tabs and backslashes are escaped.
fn text_value(out: &mut BytesMut, text: &str, delimiter: char) {
    for c in text.chars() {
        match c {
            '\\' => out.put_slice(b"\\\\"),
            '\n' => out.put_slice(b"\\n"),
            '\r' => out.put_slice(b"\\r"),
            '\t' => out.put_slice(b"\\t"),
            '\u{8}' => out.put_slice(b"\\b"),
            '\u{b}' => out.put_slice(b"\\v"),
            '\u{c}' => out.put_slice(b"\\f"),
            c if c == delimiter => {
                out.put_u8(b'\\');
                put_char(out, c);
            }
            c => put_char(out, c),
        }
    }
}

/// A value of CSV, in quotes where it needs them; a text that looks like NULL needs them, too.
fn csv_value(out: &mut BytesMut, text: &str, delimiter: char, quote: char, null: &str) {
    let needs = text == null || text == "\\." || text.contains([delimiter, quote, '\n', '\r']);
    if !needs {
        return out.put_slice(text.as_bytes());
    }
    put_char(out, quote);
    for c in text.chars() {
        if c == quote {
            put_char(out, quote);
        }
        put_char(out, c);
    }
    put_char(out, quote);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_copy() {
        let mut out = BytesMut::new();
        text_value(&mut out, "a\tb\\c\n|", '|');
        assert_eq!(out.as_ref(), b"a\\tb\\\\c\\n\\|");
        for (text, written) in
            [("a", "a"), ("a,b", "\"a,b\""), ("q\"", "\"q\"\"\""), ("", "\"\""), ("x\ny", "\"x\ny\"")]
        {
            let mut out = BytesMut::new();
            csv_value(&mut out, text, ',', '"', "");
            assert_eq!(out.as_ref(), written.as_bytes());
        }
    }
}
