//! One connection's session: statements and portals by name, the block of a transaction, settings.

mod command;
mod copying;
mod cursors;
mod extended;
mod modes;
mod own;
mod run;
mod running;
mod setting;
mod settings;
mod simple;
mod traced;
mod zone;

pub(crate) use settings::Settings;

use crate::door::House;
use crate::fault::{CANCELLED, Fault};
use crate::process::Process;
use crate::text::Facts;
use crate::values::{Column, Shape};
use crate::wire::{Message, Wire, put_text};
use bytes::{BufMut, BytesMut};
use command::Command;
use model::{ErrorKind, Result};
use own::Mark;
use running::Running;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

/// How many statements and portals a session may keep.
const MAX_KEPT: usize = 10_000;
/// How many bytes the texts of what it keeps may have, and the values that are bound.
const MAX_TEXTS: usize = 64 << 20;
const MAX_VALUES: usize = 256 << 20;
/// How many of its queries may be under way at once.
const MAX_RUNNING: usize = 64;
/// The schema of those who name none.
const DEFAULT_SCHEMA: &str = "default";

/// Whether a transaction was begun. There are none here: each statement stands for itself; but clients see what they
/// expect, and after a failure a block takes no more statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    None,
    Open,
    Failed,
}

/// A statement that was prepared.
struct Prepared {
    command: Command,
    /// The text of the message it came in.
    text: Arc<str>,
    /// The types of its parameters, as far as the client said them.
    types: Vec<Option<Shape>>,
}

/// A prepared statement with its values.
struct Portal {
    prepared: Arc<Prepared>,
    /// Its values, for the engine's `?`, by their numbers from 1.
    values: Vec<String>,
    formats: Vec<bool>,
    running: Option<Running>,
    /// The words of its end, once there are no more rows.
    is_done: bool,
    /// Whether it outlives the block of its transaction.
    hold: bool,
    /// Whether DECLARE made it.
    is_cursor: bool,
    /// How many savepoints there were when it was made.
    marks: usize,
}

/// A session.
pub(crate) struct Session {
    house: Arc<House>,
    process: Process,
    facts: Facts,
    settings: Settings,
    statements: HashMap<String, Arc<Prepared>>,
    portals: HashMap<String, Portal>,
    block: Block,
    /// What was set before the block.
    before: Option<Settings>,
    /// The savepoints of the block, the newest last.
    marks: Vec<Mark>,
}

/// What becomes of the connection.
enum Next {
    Go,
    End,
}

impl Session {
    /// Opens a session in a database: one of the catalog's, or the whole catalog under the program's or the user's name.
    pub(crate) async fn open(
        house: Arc<House>,
        process: Process,
        user: String,
        database: String,
        parameters: &[(String, String)],
    ) -> std::result::Result<Self, Fault> {
        let mut settings = Settings::new(&house.config.version, &user);
        let schema = schema_of(&house, &user, &database).await?;
        let version =
            format!("PostgreSQL 16.4 (Glulam {}) on {}", house.config.version, std::env::consts::ARCH);
        let facts = Facts { database, schema, user, version, process: process.number };
        for (name, value) in parameters {
            match name.to_lowercase().as_str() {
                "options" => {
                    for (name, value) in settings::options(value)? {
                        settings.set(&name, Some(&value))?;
                    }
                }
                "user" | "database" | "replication" => {}
                name if name.starts_with("_pq_.") => {}
                name => settings.set(name, Some(value))?,
            }
        }
        let has_path = settings.is_changed("search_path");
        settings.settle();
        let mut session = Self {
            house,
            process,
            facts,
            settings,
            statements: HashMap::new(),
            portals: HashMap::new(),
            block: Block::None,
            before: None,
            marks: Vec::new(),
        };
        if has_path {
            session.follow_search_path().await;
        }
        Ok(session)
    }

    /// Serves the connection until it ends.
    pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send>(
        mut self,
        wire: &mut Wire<S>,
    ) -> Result<()> {
        for (name, value) in self.settings.reported() {
            report(wire, name, value);
        }
        report(wire, "session_authorization", &self.facts.user);
        wire.put(b'K', |out| {
            out.put_i32(self.process.number);
            out.put_i32(self.process.secret());
        });
        self.ready(wire).await?;
        // After an error in the extended protocol, everything up to the next Sync is passed over.
        let mut skipping = false;
        let stop = self.house.stop.clone();
        loop {
            let message = tokio::select! {
                biased;
                message = wire.next(true) => message,
                () = stop.cancelled() => {
                    wire.put(b'E', |out| Fault::ending().write(out));
                    return wire.flush().await;
                }
            };
            let message = match message {
                Ok(Some(message)) => message,
                Ok(None) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Unavailable => return Err(error),
                Err(error) => {
                    wire.put(b'E', |out| Fault::of(&error).fatal().write(out));
                    return wire.flush().await;
                }
            };
            match message {
                Message::Terminate => return Ok(()),
                Message::Sync => {
                    skipping = false;
                    if self.block == Block::None {
                        self.drop_portals();
                    }
                    self.ready(wire).await?;
                }
                _ if skipping => {}
                Message::Unreadable { simple, error } => {
                    self.fail(wire, &Fault::of(&error));
                    if simple {
                        self.ready(wire).await?;
                    } else {
                        skipping = true;
                        wire.flush().await?;
                    }
                }
                Message::Query(text) => {
                    if let Next::End = self.simple(wire, text).await? {
                        return Ok(());
                    }
                    self.ready(wire).await?;
                }
                Message::Flush => wire.flush().await?,
                Message::Copy => {}
                Message::Password(_) => {
                    let fault = Fault::new("08P01", "nobody asked for a password").fatal();
                    wire.put(b'E', |out| fault.write(out));
                    return wire.flush().await;
                }
                message => match self.extended(wire, message).await {
                    Ok(Next::Go) => wire.flush_much().await?,
                    Ok(Next::End) => return Ok(()),
                    Err(fault) => {
                        // Who waits for it may send no Sync before it has come.
                        let next = self.fail(wire, &fault);
                        skipping = true;
                        wire.flush().await?;
                        if let Next::End = next {
                            return Ok(());
                        }
                    }
                },
            }
        }
    }

    /// Tells an error; a block that was begun has failed with it. What the end of the server has stopped ends the connection.
    fn fail<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>, fault: &Fault) -> Next {
        if fault.code == CANCELLED && self.house.processes.are_cut() {
            wire.put(b'E', |out| Fault::ending().write(out));
            return Next::End;
        }
        if self.block == Block::Open {
            self.block = Block::Failed;
        }
        wire.put(b'E', |out| fault.write(out));
        Next::Go
    }

    async fn ready<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>) -> Result<()> {
        let status = match self.block {
            Block::None => b'I',
            Block::Open => b'T',
            Block::Failed => b'E',
        };
        wire.put(b'Z', |out| out.put_u8(status));
        wire.flush().await
    }

    /// Refuses to keep more texts, or more values, than a session may.
    fn check_kept(&self, more: &Prepared, values: &[String]) -> std::result::Result<(), Fault> {
        let portals = || self.portals.values();
        let kept = self.statements.values().chain(portals().map(|portal| &portal.prepared));
        let mut seen = HashSet::from([more.text.as_ptr()]);
        // Statements that came in one message have one text.
        let others = kept.filter(|prepared| seen.insert(prepared.text.as_ptr()));
        let texts = more.text.len() + others.map(|prepared| prepared.text.len()).sum::<usize>();
        let bound = values.iter().chain(portals().flat_map(|portal| &portal.values));
        if texts > MAX_TEXTS || bound.map(String::len).sum::<usize>() > MAX_VALUES {
            return Err(Fault::new("53200", "the session keeps too much in its statements and cursors")
                .hint("DEALLOCATE and CLOSE those that are not needed"));
        }
        Ok(())
    }

    /// The end of a block closes what does not outlive it.
    fn drop_portals(&mut self) {
        self.portals.retain(|_, portal| portal.hold);
    }

    /// Whether the statement may run in the block as it is.
    fn check_block(&self, command: &Command) -> std::result::Result<(), Fault> {
        let ends =
            matches!(command, Command::Commit { .. } | Command::Rollback { .. } | Command::RollbackTo(_));
        if self.block == Block::Failed && !ends {
            let what = "current transaction is aborted, commands ignored until end of transaction block";
            return Err(Fault::new("25P02", what));
        }
        Ok(())
    }

    /// Looks for the schema that a search path names first.
    async fn follow_search_path(&mut self) {
        let path = self.settings.get("search_path").unwrap_or_default().to_owned();
        for name in path.split(',').map(|name| name.trim().trim_matches(['"', '\''])) {
            let name = if name == "$user" { self.facts.user.as_str() } else { name };
            let Ok(entity) = model::EntityName::new(name) else { continue };
            if self.house.rooms.catalog.get_database(&entity).await.is_ok() {
                self.facts.schema = entity.to_string();
                return;
            }
        }
        let (house, facts) = (&self.house, &self.facts);
        if let Ok(schema) = schema_of(house, &facts.user, &facts.database).await {
            self.facts.schema = schema;
        }
    }
}

/// The schema that the name of a database means.
async fn schema_of(house: &House, user: &str, database: &str) -> std::result::Result<String, Fault> {
    if let Ok(name) = model::EntityName::new(database)
        && house.rooms.catalog.get_database(&name).await.is_ok()
    {
        return Ok(name.to_string());
    }
    let whole = ["glulam", "awsdatacatalog", "postgres", DEFAULT_SCHEMA];
    if whole.iter().any(|name| name.eq_ignore_ascii_case(database)) || database == user {
        return Ok(DEFAULT_SCHEMA.to_owned());
    }
    Err(Fault::new("3D000", format!("database \"{database}\" does not exist")).hint(
        "connect to `glulam`, which has all databases of the catalog as schemas, or to one of them by name",
    ))
}

fn report<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>, name: &str, value: &str) {
    wire.put(b'S', |out| {
        put_text(out, name);
        put_text(out, value);
    });
}

fn describe<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>, columns: &[Column], formats: &[bool]) {
    wire.put(b'T', |out: &mut BytesMut| Running::describe(columns, formats, out));
}

/// Tells the end of a statement.
fn complete<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>, tag: &str) {
    wire.put(b'C', |out| put_text(out, tag));
}

#[cfg(test)]
mod tests;
