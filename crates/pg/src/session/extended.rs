//! The extended protocol: statements are parsed, described, bound and executed in steps.

use super::command::{Command, command};
use super::run::{no_cursor, no_statement, query_of, tag};
use super::running::{Progress, Writing, formats};
use super::{Next, Portal, Prepared, Session, complete, describe};
use crate::fault::Fault;
use crate::text::statements;
use crate::values::{Shape, shape_of_oid};
use crate::wire::{Bind, Message, Wire};
use bytes::BufMut;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

impl Session {
    /// One step.
    pub(super) async fn extended<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        message: Message,
    ) -> Result<Next, Fault> {
        match message {
            Message::Parse { name, text, types } => {
                self.parse(name, text, &types)?;
                wire.put(b'1', |_| {});
            }
            Message::Bind(bind) => {
                self.bind(bind).await?;
                wire.put(b'2', |_| {});
            }
            Message::Describe { portal: false, name } => self.describe_statement(wire, &name).await?,
            Message::Describe { portal: true, name } => self.describe_portal(wire, &name).await?,
            Message::Execute { portal, max_rows } => return self.execute(wire, &portal, max_rows).await,
            Message::Close { portal, name } => {
                if portal {
                    self.portals.remove(&name);
                } else {
                    self.statements.remove(&name);
                }
                wire.put(b'3', |_| {});
            }
            _ => return Err(Fault::new("08P01", "a message came that nobody expected")),
        }
        Ok(Next::Go)
    }

    fn parse(&mut self, name: String, text: String, types: &[u32]) -> Result<(), Fault> {
        let text: Arc<str> = text.into();
        let mut all = statements(&text).map_err(|e| Fault::in_statement(&e, &text, 0, None))?;
        if all.len() > 1 {
            return Err(Fault::new("42601", "cannot insert multiple commands into a prepared statement"));
        }
        let command = match all.pop() {
            Some(tokens) => command(&text, &tokens, &self.facts)?,
            None => Command::Nothing(""),
        };
        self.check_block(&command)?;
        if !name.is_empty() && self.statements.contains_key(&name) {
            return Err(Fault::new("42P05", format!("prepared statement \"{name}\" already exists")));
        }
        let count = query_of(&command).map_or(0, |query| query.parameters()).max(types.len());
        let shape = |oid: &u32| match oid {
            0 | 705 => Ok(None),
            oid => shape_of_oid(*oid).map(Some).ok_or_else(|| {
                Fault::new("0A000", format!("parameters of the type with the number {oid} are not supported"))
            }),
        };
        let mut types = types.iter().map(shape).collect::<Result<Vec<_>, _>>()?;
        types.resize(count, None);
        self.keep(name, Prepared { command, text, types })
    }

    async fn bind(&mut self, bind: Bind) -> Result<(), Fault> {
        let prepared = self.statements.get(&bind.statement).cloned();
        let prepared = prepared.ok_or_else(|| no_statement(&bind.statement))?;
        if !bind.portal.is_empty() && self.portals.contains_key(&bind.portal) {
            return Err(Fault::new("42P03", format!("cursor \"{}\" already exists", bind.portal)));
        }
        self.check_block(&prepared.command)?;
        let values = self.bound(&prepared, &bind.values, &formats(&bind.formats)?).await?;
        let portal = Portal::new(prepared, values, formats(&bind.result_formats)?);
        self.add_portal(bind.portal, portal)
    }

    async fn describe_statement<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        name: &str,
    ) -> Result<(), Fault> {
        let prepared = self.statements.get(name).cloned().ok_or_else(|| no_statement(name))?;
        let text = || Shape::Text(25, None);
        let (shapes, columns) = match &prepared.command {
            Command::Fetch { name, moves: false, .. } => {
                let cancel = self.begin();
                let _done = cancel.clone().drop_guard();
                self.open_portal(name, &cancel).await?;
                put_parameters(wire, &[]);
                match self.portals.get(name).and_then(|portal| portal.running.as_ref()) {
                    Some(running) => describe(wire, &running.columns, &[]),
                    None => wire.put(b'n', |_| {}),
                }
                return Ok(());
            }
            Command::Execute { name, arguments } => {
                let (query, _) = self.executed(name, arguments)?;
                let types = self.statements.get(name).map(|executed| executed.types.clone());
                let columns = self.described(&query, &types.unwrap_or_default()).await?.1;
                (prepared.types.iter().map(|shape| shape.clone().unwrap_or_else(text)).collect(), columns)
            }
            command => match query_of(command) {
                Some(query) => {
                    let (shapes, columns) = self.described(query, &prepared.types).await?;
                    (shapes, columns.filter(|_| matches!(command, Command::Query(_))))
                }
                None => {
                    (prepared.types.iter().map(|shape| shape.clone().unwrap_or_else(text)).collect(), None)
                }
            },
        };
        put_parameters(wire, &shapes);
        match columns {
            Some(columns) => describe(wire, &columns, &[]),
            None => wire.put(b'n', |_| {}),
        }
        Ok(())
    }

    async fn describe_portal<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        name: &str,
    ) -> Result<(), Fault> {
        let portal = self.portals.get(name).ok_or_else(|| no_cursor(name))?;
        let formats = portal.formats.clone();
        let prepared = Arc::clone(&portal.prepared);
        // Who describes a FETCH is told the cursor's columns.
        let named = match &prepared.command {
            Command::Query(query) => self.reads_rows(query).await?.then(|| name.to_owned()),
            Command::Execute { name: executed, arguments } => {
                let (query, _) = self.executed(executed, arguments)?;
                self.reads_rows(&query).await?.then(|| name.to_owned())
            }
            Command::Fetch { name, moves: false, .. } => Some(name.clone()),
            _ => None,
        };
        if let Some(named) = &named {
            let cancel = self.begin();
            let _done = cancel.clone().drop_guard();
            self.open_portal(named, &cancel).await?;
        }
        let running =
            named.and_then(|named| self.portals.get(&named)).and_then(|portal| portal.running.as_ref());
        match running {
            Some(running) => describe(wire, &running.columns, &formats),
            None => wire.put(b'n', |_| {}),
        }
        Ok(())
    }

    async fn execute<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        name: &str,
        max_rows: usize,
    ) -> Result<Next, Fault> {
        let portal = self.portals.get(name).ok_or_else(|| no_cursor(name))?;
        let prepared = Arc::clone(&portal.prepared);
        let (formats, is_done, has_rows) = (portal.formats.clone(), portal.is_done, portal.running.is_some());
        self.check_block(&prepared.command)?;
        if let Some(words) = self.own(wire, &prepared.command).await? {
            if words.is_empty() {
                wire.put(b'I', |_| {});
            } else {
                complete(wire, words);
            }
            return Ok(Next::Go);
        }
        match &prepared.command {
            Command::Declare { name: cursor, hold, query } => {
                let values = self.portals.get(name).map(|portal| portal.values.clone()).unwrap_or_default();
                self.declare(cursor.clone(), *hold, Arc::clone(query), values)?;
                complete(wire, "DECLARE CURSOR");
                Ok(Next::Go)
            }
            Command::Fetch { name, count, moves } => {
                self.fetch(wire, name, *count, *moves, Some(&formats)).await
            }
            Command::Copy { query, format } => {
                let values = self.portals.get(name).map(|portal| portal.values.clone()).unwrap_or_default();
                self.copy(wire, query, &values, format).await
            }
            _ if is_done && !has_rows => Err(Fault::new("55000", format!("portal \"{name}\" cannot be run"))),
            _ if is_done => {
                complete(wire, "SELECT 0");
                Ok(Next::Go)
            }
            _ => self.rows(wire, name, &formats, max_rows).await,
        }
    }

    async fn rows<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        name: &str,
        formats: &[bool],
        max_rows: usize,
    ) -> Result<Next, Fault> {
        let cancel = self.begin();
        let done = cancel.clone().drop_guard();
        if let Some(words) = self.open_portal(name, &cancel).await? {
            // What it has done it does not do again.
            if let Some(portal) = self.portals.get_mut(name) {
                portal.is_done = true;
            }
            complete(wire, &words);
            return Ok(Next::Go);
        }
        // No number means all of them.
        let limit = if max_rows == 0 { u64::MAX } else { u64::try_from(max_rows).unwrap_or(u64::MAX) };
        let progress = self.pump_portal(wire, name, &Writing::Rows(formats), limit, &cancel).await?;
        drop(done);
        match progress {
            Progress::Gone => return Ok(Next::End),
            Progress::Paused(_) => wire.put(b's', |_| {}),
            Progress::Ended(rows) => {
                if let Some(portal) = self.portals.get_mut(name) {
                    let verb = portal.running.as_ref().map_or("SELECT", |running| running.verb);
                    complete(wire, &tag(verb, rows));
                    portal.is_done = true;
                }
            }
        }
        Ok(Next::Go)
    }
}

fn put_parameters<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>, shapes: &[Shape]) {
    wire.put(b't', |out| {
        out.put_i16(i16::try_from(shapes.len()).unwrap_or(i16::MAX));
        shapes.iter().for_each(|shape| out.put_u32(shape.oid()));
    });
}
