//! Statements that begin, end and divide transactions, as they are read.

use super::command::{Command, Reader, syntax};
use crate::fault::Fault;

/// The levels of isolation, as they are shown.
pub(super) const LEVELS: [&str; 4] =
    ["serializable", "repeatable read", "read committed", "read uncommitted"];

/// What a transaction says of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Modes {
    /// Whether it says that it only reads.
    pub(super) read_only: Option<bool>,
    /// How far it is to be kept from others.
    pub(super) isolation: Option<&'static str>,
}

impl Reader<'_> {
    /// `BEGIN [WORK | TRANSACTION] modes`, `START TRANSACTION modes`
    pub(super) fn begin(&self) -> Result<Command, Fault> {
        let tag = if self.is(0, "START") { "START TRANSACTION" } else { "BEGIN" };
        let from = 1 + usize::from(self.is(1, "WORK") || self.is(1, "TRANSACTION"));
        Ok(Command::Begin { modes: self.modes(from)?, tag })
    }

    /// `COMMIT`, `ROLLBACK` and their kin, to the end of the transaction or back to a savepoint.
    pub(super) fn end(&self) -> Result<Command, Fault> {
        let mut at = 1 + usize::from(self.is(1, "WORK") || self.is(1, "TRANSACTION"));
        let commits = self.is(0, "COMMIT") || self.is(0, "END");
        if self.is(at, "PREPARED") {
            return Err(two_phases());
        }
        if self.is(0, "ROLLBACK") && self.is(at, "TO") {
            return Ok(Command::RollbackTo(self.savepoint(at + 1)?));
        }
        let mut chain = false;
        if self.is(at, "AND") {
            let negated = self.is(at + 1, "NO");
            at += 1 + usize::from(negated);
            if !self.is(at, "CHAIN") {
                return Err(self.unexpected(at));
            }
            (chain, at) = (!negated, at + 1);
        }
        self.nothing_behind(at)?;
        Ok(if commits { Command::Commit { chain } } else { Command::Rollback { chain } })
    }

    /// The name of a savepoint, which ends the statement.
    pub(super) fn savepoint(&self, at: usize) -> Result<String, Fault> {
        let at = at + usize::from(self.is(at, "SAVEPOINT"));
        let name = self.name(at)?;
        self.nothing_behind(at + 1)?;
        Ok(name)
    }

    /// `SET TRANSACTION modes`, `SET SESSION CHARACTERISTICS AS TRANSACTION modes`; nothing if it is another SET.
    pub(super) fn characteristics(&self) -> Result<Option<Command>, Fault> {
        let session = self.is(1, "SESSION") && self.is(2, "CHARACTERISTICS");
        if !session && !self.is(1, "TRANSACTION") {
            return Ok(None);
        }
        if self.is(2, "SNAPSHOT") {
            return Err(Fault::new("0A000", "SET TRANSACTION SNAPSHOT is not supported"));
        }
        let from = if session { 5 } else { 2 };
        if session && !(self.is(3, "AS") && self.is(4, "TRANSACTION")) {
            return Err(self.unexpected(3));
        }
        if self.is_end(from) {
            return Err(syntax("SET TRANSACTION wants a mode"));
        }
        Ok(Some(Command::Characteristics { modes: self.modes(from)?, session }))
    }

    /// Modes of a transaction up to the end of the statement, with or without commas; the last of a kind holds.
    fn modes(&self, from: usize) -> Result<Modes, Fault> {
        let (mut modes, mut at) = (Modes::default(), from);
        while !self.is_end(at) {
            at += usize::from(at > from && self.tokens.get(at).is_some_and(|token| token.is_symbol(",")));
            if self.is(at, "ISOLATION") && self.is(at + 1, "LEVEL") {
                let fits = |level: &&&str| {
                    level
                        .split(' ')
                        .enumerate()
                        .all(|(next, word)| self.is(at + 2 + next, &word.to_uppercase()))
                };
                let level = LEVELS.iter().find(fits).ok_or_else(|| self.unexpected(at + 2))?;
                modes.isolation = Some(level);
                at += 2 + level.split(' ').count();
            } else if self.is(at, "READ") && (self.is(at + 1, "ONLY") || self.is(at + 1, "WRITE")) {
                modes.read_only = Some(self.is(at + 1, "ONLY"));
                at += 2;
            } else if self.is(at, "DEFERRABLE") {
                // Nothing here ever waits for a snapshot.
                at += 1;
            } else if self.is(at, "NOT") && self.is(at + 1, "DEFERRABLE") {
                at += 2;
            } else {
                return Err(self.unexpected(at));
            }
        }
        Ok(modes)
    }

    fn is_end(&self, at: usize) -> bool {
        at >= self.tokens.len()
    }

    fn nothing_behind(&self, at: usize) -> Result<(), Fault> {
        if self.is_end(at) { Ok(()) } else { Err(self.unexpected(at)) }
    }

    pub(super) fn unexpected(&self, at: usize) -> Fault {
        let word = self.tokens.get(at).map(|token| token.value.as_str());
        match word {
            Some(word) => syntax(&format!("syntax error at or near \"{word}\"")),
            None => syntax("syntax error at end of input"),
        }
    }
}

/// What a transaction of two phases is refused with.
pub(super) fn two_phases() -> Fault {
    Fault::new("0A000", "transactions of two phases are not supported")
}
