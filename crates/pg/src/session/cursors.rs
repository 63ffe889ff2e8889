//! Cursors, and COPY.

use super::command::{Command, Query};
use super::copying::CopyFormat;
use super::run::{Started, no_cursor, tag};
use super::running::{Progress, Writing, copy_head};
use super::{Block, Next, Portal, Prepared, Session, complete, describe};
use crate::fault::Fault;
use crate::wire::Wire;
use bytes::BufMut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

impl Session {
    /// `DECLARE name CURSOR FOR query`; it runs when it is first read.
    pub(super) fn declare(
        &mut self,
        name: String,
        hold: bool,
        query: Arc<Query>,
        values: Vec<String>,
    ) -> Result<(), Fault> {
        if self.block == Block::None && !hold {
            return Err(Fault::new("25P01", "DECLARE CURSOR can only be used in transaction blocks")
                .hint("BEGIN first, or declare it WITH HOLD"));
        }
        if self.portals.contains_key(&name) {
            return Err(Fault::new("42P03", format!("cursor \"{name}\" already exists")));
        }
        let text = Arc::clone(&query.text);
        let prepared = Prepared { command: Command::Query(query), text, types: Vec::new() };
        let portal = Portal { hold, is_cursor: true, ..Portal::new(Arc::new(prepared), values, Vec::new()) };
        self.add_portal(name, portal)
    }

    /// Keeps a portal.
    pub(super) fn add_portal(&mut self, name: String, mut portal: Portal) -> Result<(), Fault> {
        if self.portals.len() >= super::MAX_KEPT {
            return Err(Fault::new("54000", "the session keeps too many portals")
                .hint("CLOSE those that are not needed"));
        }
        // Only the one without a name is ever replaced.
        self.portals.remove(&name);
        self.check_kept(&portal.prepared, &portal.values)?;
        portal.marks = self.marks.len();
        self.portals.insert(name, portal);
        Ok(())
    }

    /// Starts a portal's query if it has not begun. Answers the words of its end if it has no rows.
    pub(super) async fn open_portal(
        &mut self,
        name: &str,
        cancel: &CancellationToken,
    ) -> Result<Option<String>, Fault> {
        let portal = self.portals.get(name).ok_or_else(|| no_cursor(name))?;
        if portal.running.is_some() {
            return Ok(None);
        }
        let running = self.portals.values().filter_map(|portal| portal.running.as_ref());
        if running.filter(|running| !running.has_ended()).count() >= super::MAX_RUNNING {
            return Err(Fault::new("53400", "the session has too many queries under way")
                .hint("read their rows to the end, or CLOSE the cursors"));
        }
        let (query, values) = match &portal.prepared.command {
            Command::Query(query) => (Arc::clone(query), portal.values.clone()),
            Command::Execute { name, arguments } => self.executed(name, arguments)?,
            _ => return Err(Fault::new("34000", format!("\"{name}\" answers no rows"))),
        };
        match self.start(&query, &values, cancel).await? {
            Started::Done(words) => Ok(Some(words)),
            Started::Rows(running) => {
                if let Some(portal) = self.portals.get_mut(name) {
                    portal.running = Some(*running);
                }
                Ok(None)
            }
        }
    }

    /// Sends rows of a portal.
    pub(super) async fn pump_portal<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        name: &str,
        writing: &Writing<'_>,
        limit: u64,
        cancel: &CancellationToken,
    ) -> Result<Progress, Fault> {
        let portal = self.portals.get_mut(name).ok_or_else(|| no_cursor(name))?;
        let prepared = Arc::clone(&portal.prepared);
        let Some(running) = &mut portal.running else { return Ok(Progress::Ended(0)) };
        running.zone = self.settings.zone();
        let pumped = running.pump(wire, writing, limit, cancel).await;
        pumped.map_err(|e| {
            // What has failed is not read on: its query ends here.
            portal.running = None;
            portal.is_done = true;
            match &prepared.command {
                Command::Query(query) => query.fault(&e),
                _ => Fault::of(&e),
            }
        })
    }

    /// `FETCH n FROM name`. With formats it is asked in the extended protocol, where the columns were described before.
    pub(super) async fn fetch<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        name: &str,
        count: usize,
        moves: bool,
        formats: Option<&[bool]>,
    ) -> Result<Next, Fault> {
        let cancel = self.begin();
        let _done = cancel.clone().drop_guard();
        self.open_portal(name, &cancel).await?;
        if formats.is_none()
            && !moves
            && let Some(running) = self.portals.get(name).and_then(|portal| portal.running.as_ref())
        {
            describe(wire, &running.columns, &[]);
        }
        let formats = formats.unwrap_or_default();
        let writing = if moves { Writing::Nowhere } else { Writing::Rows(formats) };
        let limit = u64::try_from(count).unwrap_or(u64::MAX);
        match self.pump_portal(wire, name, &writing, limit, &cancel).await? {
            Progress::Gone => Ok(Next::End),
            Progress::Ended(rows) | Progress::Paused(rows) => {
                complete(wire, &tag(if moves { "MOVE" } else { "FETCH" }, rows));
                Ok(Next::Go)
            }
        }
    }

    /// `COPY (query) TO STDOUT`
    pub(super) async fn copy<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        query: &Query,
        values: &[String],
        format: &CopyFormat,
    ) -> Result<Next, Fault> {
        let cancel = self.begin();
        let done = cancel.clone().drop_guard();
        let Started::Rows(mut running) = self.start(query, values, &cancel).await? else {
            return Err(Fault::new("42601", "COPY wants a query"));
        };
        running.zone = self.settings.zone();
        let is_binary = *format == CopyFormat::Binary;
        wire.put(b'H', |out| {
            out.put_u8(u8::from(is_binary));
            out.put_i16(i16::try_from(running.columns.len()).unwrap_or(i16::MAX));
            running.columns.iter().for_each(|_| out.put_i16(i16::from(is_binary)));
        });
        if matches!(format, CopyFormat::Csv { header: true, .. }) {
            wire.put(b'd', |out| copy_head(format, &running.columns, out));
        }
        let wants_head = AtomicBool::new(is_binary);
        let progress = running.pump(wire, &Writing::Copy(format, &wants_head), u64::MAX, &cancel).await;
        drop(done);
        if progress.map_err(|e| query.fault(&e))? == Progress::Gone {
            return Ok(Next::End);
        }
        if is_binary {
            wire.put(b'd', |out| {
                if wants_head.load(Ordering::Relaxed) {
                    copy_head(format, &running.columns, out);
                }
                out.put_i16(-1);
            });
        }
        wire.put(b'c', |_| {});
        complete(wire, &tag("COPY", running.sent()));
        Ok(Next::Go)
    }
}

impl Portal {
    pub(super) fn new(prepared: Arc<Prepared>, values: Vec<String>, formats: Vec<bool>) -> Self {
        Self {
            prepared,
            values,
            formats,
            running: None,
            is_done: false,
            hold: false,
            is_cursor: false,
            marks: 0,
        }
    }
}
