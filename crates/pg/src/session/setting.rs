//! SET, RESET, SHOW and DISCARD, as they are read.

use super::command::{Command, Reader, syntax};
use crate::fault::Fault;
use crate::text::{Kind, Token, span};

impl Reader<'_> {
    /// The name of a setting, which may be several words, and the token behind it.
    fn setting(&self, at: usize) -> Result<(String, usize), Fault> {
        if self.is(at, "TIME") && self.is(at + 1, "ZONE") {
            return Ok(("timezone".into(), at + 2));
        }
        if self.is(at, "SESSION") && self.is(at + 1, "AUTHORIZATION") {
            return Ok(("session_authorization".into(), at + 2));
        }
        if self.is(at, "NAMES") {
            return Ok(("client_encoding".into(), at + 1));
        }
        if self.is(at, "SCHEMA") {
            return Ok(("search_path".into(), at + 1));
        }
        let mut name = self.name(at)?.to_lowercase();
        let mut next = at + 1;
        while self.tokens.get(next).is_some_and(|token| token.is_symbol(".")) {
            name = format!("{name}.{}", self.name(next + 1)?.to_lowercase());
            next += 2;
        }
        Ok((name, next))
    }

    pub(super) fn set(&self) -> Result<Command, Fault> {
        if let Some(command) = self.characteristics()? {
            return Ok(command);
        }
        let session = self.is(1, "SESSION") && !self.is(2, "AUTHORIZATION");
        let local = self.is(1, "LOCAL");
        let at = if session || local { 2 } else { 1 };
        let is_zone = self.is(at, "TIME") && self.is(at + 1, "ZONE");
        let (name, mut at) = self.setting(at)?;
        if self.is(at, "TO") || self.tokens.get(at).is_some_and(|token| token.is_symbol("=")) {
            at += 1;
        }
        let rest = self.tokens.get(at..).unwrap_or_default();
        let value = match rest {
            [] => return Err(syntax("SET wants a value").hint("write SET name = value")),
            [only] if only.is("DEFAULT") || (is_zone && only.is("LOCAL")) => None,
            [first, text, ..] if is_zone && first.is("INTERVAL") => Some(hours(text)?),
            rest => Some(
                rest.iter()
                    .map(|token| match token.kind {
                        Kind::Symbol if token.value == "," => ", ",
                        _ => &token.value,
                    })
                    .collect(),
            ),
        };
        Ok(Command::Set { name, value, local })
    }

    pub(super) fn reset(&self) -> Result<Command, Fault> {
        if self.is(1, "ALL") {
            return Ok(Command::ResetAll);
        }
        Ok(Command::Reset(self.setting(1)?.0))
    }

    pub(super) fn discard(&self) -> Result<Command, Fault> {
        Ok(match self.tokens {
            [_, what] if what.is("ALL") => Command::DiscardAll,
            // There are no tables for a time, no sequences, and no plans that are kept.
            [_, what] if what.is("PLANS") => Command::Nothing("DISCARD PLANS"),
            [_, what] if what.is("SEQUENCES") => Command::Nothing("DISCARD SEQUENCES"),
            [_, what] if what.is("TEMP") || what.is("TEMPORARY") => Command::Nothing("DISCARD TEMP"),
            _ => return Err(self.unexpected(1)),
        })
    }
}

/// The zone of `INTERVAL '-08:00' HOUR TO MINUTE`, in hours east of Greenwich.
fn hours(text: &Token) -> Result<String, Fault> {
    let span = (text.kind == Kind::Text).then(|| span(&text.value).ok()).flatten();
    let span = span.filter(|span| span.months == 0 && span.days == 0);
    let span = span.ok_or_else(|| Fault::new("22023", "a zone's interval has hours and minutes alone"))?;
    #[expect(clippy::cast_precision_loss, reason = "hours are few")]
    let hours = span.micros as f64 / 3_600_000_000.0;
    Ok(hours.to_string())
}

/// The setting of `SHOW name`; none where it is one of the engine's statements.
pub(super) fn shown_setting(tokens: &[Token]) -> Option<String> {
    const OURS: [&str; 13] = [
        "DATABASES",
        "SCHEMAS",
        "TABLES",
        "VIEWS",
        "COLUMNS",
        "PARTITIONS",
        "CREATE",
        "TBLPROPERTIES",
        "FUNCTIONS",
        "CATALOGS",
        "STATS",
        "SESSION",
        "ROLES",
    ];
    let name = tokens.get(1)?;
    if OURS.iter().any(|word| name.is(word)) || !name.is_name() {
        return None;
    }
    if name.is("TIME") && tokens.get(2)?.is("ZONE") {
        return Some("timezone".into());
    }
    if name.is("TRANSACTION") && tokens.get(2)?.is("ISOLATION") {
        return Some("transaction_isolation".into());
    }
    (tokens.len() == 2).then(|| name.name().to_lowercase())
}
