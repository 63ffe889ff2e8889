//! What belongs to the session itself: transactions, settings, what it keeps.

use super::command::Command;
use super::modes::Modes;
use super::run::{no_cursor, no_statement, notice};
use super::settings::{Settings, is_of_a_block};
use super::{Block, MAX_KEPT, Prepared, Session, report};
use crate::fault::Fault;
use crate::values::Shape;
use crate::wire::Wire;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

/// How often what is set may change between savepoints.
const MAX_COPIES: usize = 64;

/// A savepoint: its name, and what was set when it was made.
pub(super) struct Mark {
    name: String,
    settings: Settings,
}

impl Session {
    /// Carries out what belongs to the session; none where it is a query's.
    pub(super) async fn own<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        command: &Command,
    ) -> Result<Option<&'static str>, Fault> {
        Ok(Some(match command {
            Command::Begin { modes, tag } => {
                if self.block == Block::None {
                    self.begin_block(*modes);
                } else {
                    notice(wire, "25001", "there is already a transaction in progress");
                    self.settings.set_modes(*modes);
                }
                tag
            }
            Command::Characteristics { modes, session } => {
                if *session {
                    self.settings.set_modes_by_default(*modes);
                } else if self.block == Block::None {
                    notice(wire, "25P01", "SET TRANSACTION can only be used in transaction blocks");
                } else {
                    self.settings.set_modes(*modes);
                }
                "SET"
            }
            Command::Commit { chain } => self.end(wire, true, *chain).await?,
            Command::Rollback { chain } => self.end(wire, false, *chain).await?,
            Command::Savepoint(name) => {
                self.mark(name)?;
                "SAVEPOINT"
            }
            Command::Release(name) => {
                let at = self.marked(name, "RELEASE SAVEPOINT")?;
                self.marks.truncate(at);
                self.portals.values_mut().for_each(|portal| portal.marks = portal.marks.min(at));
                "RELEASE"
            }
            Command::RollbackTo(name) => {
                let at = self.marked(name, "ROLLBACK TO SAVEPOINT")?;
                self.marks.truncate(at + 1);
                self.portals.retain(|_, portal| portal.marks <= at);
                self.block = Block::Open;
                if let Some(mark) = self.marks.get(at) {
                    let settings = mark.settings.clone();
                    self.take_settings(wire, settings).await;
                }
                "ROLLBACK"
            }
            Command::Set { name, local, .. }
                if self.block == Block::None && (*local || is_of_a_block(name)) =>
            {
                notice(wire, "25P01", "SET LOCAL can only be used in transaction blocks");
                "SET"
            }
            Command::Set { name, value, local } => {
                self.set(wire, name, value.as_deref(), *local).await?;
                "SET"
            }
            Command::Reset(name) => {
                self.set(wire, name, None, false).await?;
                "RESET"
            }
            Command::ResetAll => {
                self.reset(wire).await;
                "RESET"
            }
            Command::DiscardAll => {
                if self.block != Block::None {
                    let what = "DISCARD ALL cannot run inside a transaction block";
                    return Err(Fault::new("25001", what));
                }
                self.reset(wire).await;
                self.statements.clear();
                self.portals.clear();
                "DISCARD ALL"
            }
            Command::CloseCursor(name) => {
                match name {
                    None => self.portals.retain(|_, portal| !portal.is_cursor),
                    Some(name) => {
                        self.portals.remove(name).ok_or_else(|| no_cursor(name))?;
                    }
                }
                "CLOSE CURSOR"
            }
            Command::Prepare { name, types, query } => {
                let count = query.parameters().max(types.len());
                let mut types: Vec<Option<Shape>> =
                    types.iter().map(|oid| crate::values::shape_of_oid(*oid)).collect();
                types.resize(count, None);
                let text = Arc::clone(&query.text);
                let prepared = Prepared { command: Command::Query(Arc::clone(query)), text, types };
                if self.statements.contains_key(name) {
                    return Err(Fault::new("42P05", format!("prepared statement \"{name}\" already exists")));
                }
                self.keep(name.clone(), prepared)?;
                "PREPARE"
            }
            Command::Deallocate(name) => match name {
                None => {
                    self.statements.clear();
                    "DEALLOCATE ALL"
                }
                Some(name) => {
                    self.statements.remove(name).ok_or_else(|| no_statement(name))?;
                    "DEALLOCATE"
                }
            },
            Command::Nothing(tag) => tag,
            _ => return Ok(None),
        }))
    }

    fn begin_block(&mut self, modes: Modes) {
        self.block = Block::Open;
        self.before = Some(self.settings.clone());
        self.settings.begin_block(modes);
    }

    /// Ends a block, what was set for it, and what was set in it if it does not count. With `chain` the next one begins at
    /// once, with its modes.
    async fn end<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        commits: bool,
        chain: bool,
    ) -> Result<&'static str, Fault> {
        if self.block == Block::None {
            if chain {
                let verb = if commits { "COMMIT" } else { "ROLLBACK" };
                let what = format!("{verb} AND CHAIN can only be used in transaction blocks");
                return Err(Fault::new("25P01", what));
            }
            notice(wire, "25P01", "there is no transaction in progress");
        }
        let counts = commits && self.block != Block::Failed;
        let modes = self.settings.modes();
        self.block = Block::None;
        self.marks.clear();
        self.drop_portals();
        let mut settings = self.settings.clone();
        match self.before.take() {
            Some(before) if !counts => settings = before,
            _ => settings.end_block(),
        }
        self.take_settings(wire, settings).await;
        if chain {
            self.begin_block(modes);
        }
        Ok(if counts { "COMMIT" } else { "ROLLBACK" })
    }

    fn mark(&mut self, name: &str) -> Result<(), Fault> {
        if self.block == Block::None {
            return Err(Fault::new("25P01", "SAVEPOINT can only be used in transaction blocks"));
        }
        let pairs = self.marks.iter().zip(self.marks.iter().skip(1));
        let copies = pairs.filter(|(a, b)| !a.settings.is_shared_with(&b.settings)).count();
        if self.marks.len() >= MAX_KEPT || copies >= MAX_COPIES {
            return Err(Fault::new("54000", "the transaction has too many savepoints")
                .hint("RELEASE those that are not needed"));
        }
        self.marks.push(Mark { name: name.to_owned(), settings: self.settings.clone() });
        Ok(())
    }

    /// Where the last savepoint of that name stands.
    fn marked(&self, name: &str, what: &str) -> Result<usize, Fault> {
        if self.block == Block::None {
            return Err(Fault::new("25P01", format!("{what} can only be used in transaction blocks")));
        }
        let found = self.marks.iter().rposition(|mark| mark.name == name);
        found.ok_or_else(|| Fault::new("3B001", format!("savepoint \"{name}\" does not exist")))
    }

    async fn set<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        name: &str,
        value: Option<&str>,
        local: bool,
    ) -> Result<(), Fault> {
        if name == "session_authorization" || name == "role" {
            return Err(Fault::new("0A000", "a session stays with its user"));
        }
        if local {
            self.settings.set_local(name, value)?;
        } else {
            self.settings.set(name, value)?;
        }
        if name == "search_path" {
            self.follow_search_path().await;
        }
        if let Some(reported) = Settings::is_reported(name) {
            report(wire, reported, self.settings.get(name).unwrap_or_default());
        }
        Ok(())
    }

    async fn reset<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>) {
        let mut settings = self.settings.clone();
        settings.reset();
        self.take_settings(wire, settings).await;
    }

    /// Goes over to other settings, and tells the client what has changed.
    async fn take_settings<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        settings: Settings,
    ) {
        let old = std::mem::replace(&mut self.settings, settings);
        if old.get("search_path") != self.settings.get("search_path") {
            self.follow_search_path().await;
        }
        for (name, value) in self.settings.reported() {
            if old.get(name) != Some(value) {
                report(wire, name, value);
            }
        }
    }
}
