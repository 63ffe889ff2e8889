//! The settings of a session: what clients set, and what they are told.

use super::modes::{LEVELS, Modes};
use super::zone;
use crate::fault::Fault;
use functions::scalar::datetime::Zone;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Settings whose new values the client is told by itself.
const REPORTED: [&str; 10] = [
    "application_name",
    "client_encoding",
    "DateStyle",
    "integer_datetimes",
    "IntervalStyle",
    "is_superuser",
    "server_encoding",
    "server_version",
    "standard_conforming_strings",
    "TimeZone",
];

/// Settings with their defaults. Those that clients may set at will change nothing here.
const DEFAULTS: [(&str, &str); 37] = [
    ("application_name", ""),
    ("client_encoding", "UTF8"),
    ("DateStyle", "ISO, MDY"),
    ("integer_datetimes", "on"),
    ("IntervalStyle", "postgres"),
    ("is_superuser", "off"),
    ("server_encoding", "UTF8"),
    ("standard_conforming_strings", "on"),
    ("TimeZone", "UTC"),
    ("bytea_output", "hex"),
    ("client_min_messages", "notice"),
    ("constraint_exclusion", "partition"),
    ("default_table_access_method", "heap"),
    ("default_tablespace", ""),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_read_only", "off"),
    ("escape_string_warning", "on"),
    ("extra_float_digits", "1"),
    ("idle_in_transaction_session_timeout", "0"),
    ("jit", "off"),
    ("lc_collate", "C"),
    ("lc_ctype", "C"),
    ("lc_messages", "C"),
    ("lock_timeout", "0"),
    ("max_identifier_length", "63"),
    ("max_index_keys", "32"),
    ("row_security", "on"),
    ("search_path", "\"$user\", public"),
    ("server_version_num", "160004"),
    ("session_authorization", ""),
    ("ssl", "off"),
    ("statement_timeout", "0"),
    ("synchronize_seqscans", "on"),
    ("transaction_isolation", "read committed"),
    ("transaction_read_only", "off"),
    ("work_mem", "4MB"),
    ("xmloption", "content"),
];

/// The longest value of a setting, in characters.
const MAX_VALUE: usize = 4096;
/// How many settings a session may have that are its own.
const MAX_NAMES: usize = 1000;
/// Whether the block that is open may change something.
const READ_ONLY: &str = "transaction_read_only";
/// The same for blocks to come, and for statements outside of blocks.
const READ_ONLY_BY_DEFAULT: &str = "default_transaction_read_only";
/// How far the block that is open is kept from others, and those to come. It is told to who asks, and that is all.
const ISOLATION: &str = "transaction_isolation";
const ISOLATION_BY_DEFAULT: &str = "default_transaction_isolation";

/// The settings of one session. What is not changed is shared with those it was taken from.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    defaults: Arc<BTreeMap<String, String>>,
    changed: Arc<BTreeMap<String, String>>,
    /// What holds until the block of the transaction ends.
    local: Arc<BTreeMap<String, String>>,
}

/// Whether it is never more than a block's.
pub(super) fn is_of_a_block(name: &str) -> bool {
    [READ_ONLY, ISOLATION].iter().any(|own| own.eq_ignore_ascii_case(name))
}

impl Settings {
    /// The settings at the beginning.
    pub(crate) fn new(version: &str, user: &str) -> Self {
        let mut defaults: BTreeMap<String, String> =
            DEFAULTS.iter().map(|(name, value)| (name.to_lowercase(), (*value).to_owned())).collect();
        defaults.insert("server_version".into(), format!("16.4 (Glulam {version})"));
        defaults.insert("session_authorization".into(), user.to_owned());
        Self { defaults: Arc::new(defaults), changed: Arc::default(), local: Arc::default() }
    }

    /// What was set so far is what RESET goes back to.
    pub(super) fn settle(&mut self) {
        let changed = std::mem::take(&mut self.changed);
        Arc::make_mut(&mut self.defaults)
            .extend(changed.iter().map(|(name, value)| (name.clone(), value.clone())));
    }

    /// Whether both are the same ones, not only alike.
    pub(super) fn is_shared_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.changed, &other.changed) && Arc::ptr_eq(&self.local, &other.local)
    }

    /// The name as it is written in lists.
    pub(super) fn written(name: &str) -> &str {
        DEFAULTS.iter().map(|(written, _)| *written).find(|w| w.eq_ignore_ascii_case(name)).unwrap_or(name)
    }

    /// The zone in which times are told and read.
    pub(super) fn zone(&self) -> Zone {
        self.get("timezone").map_or(Zone::UTC, zone::zone)
    }

    /// The value of a setting.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let name = name.to_lowercase();
        if let Some(value) = self.local.get(&name) {
            return Some(value);
        }
        if name == READ_ONLY {
            return self.get(READ_ONLY_BY_DEFAULT);
        }
        if name == ISOLATION {
            return self.get(ISOLATION_BY_DEFAULT);
        }
        self.changed.get(&name).or_else(|| self.defaults.get(&name)).map(String::as_str)
    }

    /// Whether the session has a value of its own.
    pub(super) fn is_changed(&self, name: &str) -> bool {
        self.changed.contains_key(name)
    }

    /// Whether what would change something is refused.
    pub(super) fn is_read_only(&self) -> bool {
        self.get(READ_ONLY) == Some("on")
    }

    /// The modes of the block that is open.
    pub(super) fn modes(&self) -> Modes {
        let level = self.get(ISOLATION).and_then(|level| LEVELS.iter().find(|known| **known == level));
        Modes { read_only: Some(self.is_read_only()), isolation: level.copied() }
    }

    /// A block begins; it keeps its modes, whatever is set for later ones.
    pub(super) fn begin_block(&mut self, modes: Modes) {
        let now = self.modes();
        let modes = Modes {
            read_only: modes.read_only.or(now.read_only),
            isolation: modes.isolation.or(now.isolation),
        };
        self.set_modes(modes);
    }

    /// Modes of the block that is open.
    pub(super) fn set_modes(&mut self, modes: Modes) {
        put_modes(&mut self.local, modes, (READ_ONLY, ISOLATION));
    }

    /// Modes of blocks to come.
    pub(super) fn set_modes_by_default(&mut self, modes: Modes) {
        put_modes(&mut self.changed, modes, (READ_ONLY_BY_DEFAULT, ISOLATION_BY_DEFAULT));
    }

    /// A block ends, and what was set for it alone.
    pub(super) fn end_block(&mut self) {
        self.local = Arc::default();
    }

    /// All settings by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.defaults
            .keys()
            .chain(self.changed.keys().filter(|name| !self.defaults.contains_key(*name)))
            .chain(
                self.local
                    .keys()
                    .filter(|name| !self.defaults.contains_key(*name) && !self.changed.contains_key(*name)),
            )
            .map(|name| (name.as_str(), self.get(name).unwrap_or_default()))
    }

    /// What a client is told at the beginning.
    pub(super) fn reported(&self) -> impl Iterator<Item = (&'static str, &str)> {
        REPORTED.iter().map(|name| (*name, self.get(name).unwrap_or_default()))
    }

    /// The name under which a client wants to hear of a change.
    pub(super) fn is_reported(name: &str) -> Option<&'static str> {
        REPORTED.iter().find(|reported| reported.eq_ignore_ascii_case(name)).copied()
    }

    /// Sets a value, or takes the default again; refuses a value that would not hold.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), Fault> {
        let name = name.to_lowercase();
        let kept = value.map(|value| self.checked(&name, value)).transpose()?;
        if is_of_a_block(&name) {
            let by_default = if name == READ_ONLY { READ_ONLY_BY_DEFAULT } else { ISOLATION_BY_DEFAULT };
            let kept = kept.or_else(|| self.get(by_default).map(str::to_owned)).unwrap_or_default();
            Arc::make_mut(&mut self.local).insert(name, kept);
            return Ok(());
        }
        Arc::make_mut(&mut self.local).remove(&name);
        let changed = Arc::make_mut(&mut self.changed);
        match kept {
            Some(kept) => changed.insert(name, kept),
            None => changed.remove(&name),
        };
        Ok(())
    }

    /// Sets a value until the block ends.
    pub(super) fn set_local(&mut self, name: &str, value: Option<&str>) -> Result<(), Fault> {
        let name = name.to_lowercase();
        let kept = match value {
            Some(value) => Some(self.checked(&name, value)?),
            None => self.defaults.get(&name).cloned(),
        };
        let local = Arc::make_mut(&mut self.local);
        match kept {
            Some(kept) => local.insert(name, kept),
            None => local.remove(&name),
        };
        Ok(())
    }

    /// The value as it is kept.
    fn checked(&self, name: &str, value: &str) -> Result<String, Fault> {
        let many = self.changed.len() + self.local.len();
        let is_new = !self.changed.contains_key(name) && !self.local.contains_key(name);
        if value.chars().nth(MAX_VALUE).is_some() || name.len() > MAX_VALUE || (many >= MAX_NAMES && is_new) {
            return Err(Fault::new("53400", "the session keeps too much in its settings")
                .hint("a value has at most 4096 characters, and there are at most 1000 names"));
        }
        let refused = |what: &str, hint: &str| {
            Err(Fault::new("22023", format!("invalid value for parameter \"{name}\": \"{value}\": {what}"))
                .hint(hint))
        };
        let plain = value.trim_matches(['\'', '"']).to_lowercase();
        match name {
            "client_encoding"
                if !matches!(plain.replace(['-', '_'], "").as_str(), "utf8" | "unicode" | "sqlascii") =>
            {
                return refused("only UTF8 is spoken", "set it to UTF8");
            }
            "timezone" => {
                return match zone::shown(value.trim_matches(['\'', '"'])) {
                    Some(shown) => Ok(shown),
                    None => {
                        refused("there is no such zone", "write 'Europe/Berlin', 'UTC', or hours such as 2")
                    }
                };
            }
            ISOLATION | ISOLATION_BY_DEFAULT => {
                return match LEVELS.iter().find(|level| **level == plain) {
                    Some(level) => Ok((*level).to_owned()),
                    None => refused("there is no such level", LEVELS.join(", ").as_str()),
                };
            }
            "datestyle" if !plain.starts_with("iso") => {
                return refused("dates are told in ISO's style", "ISO");
            }
            "intervalstyle" if plain != "postgres" => return refused("there is one style", "postgres"),
            "bytea_output" if plain != "hex" => return refused("bytes are told in hexadecimal", "hex"),
            "standard_conforming_strings" if !matches!(plain.as_str(), "on" | "true" | "1") => {
                return refused("backslashes do not escape", "write E'…' for escapes");
            }
            "statement_timeout" => {
                if millis(&plain).is_none() {
                    return refused("it is no time", "write milliseconds, or '5s', '1min'; at most 24 days");
                }
            }
            READ_ONLY | READ_ONLY_BY_DEFAULT => {
                return match plain.as_str() {
                    "on" | "true" | "yes" | "t" | "y" | "1" => Ok("on".into()),
                    "off" | "false" | "no" | "f" | "n" | "0" => Ok("off".into()),
                    _ => refused("it is on or off", "write on or off"),
                };
            }
            "server_version"
            | "server_encoding"
            | "integer_datetimes"
            | "is_superuser"
            | "server_version_num"
            | "session_authorization" => {
                return Err(Fault::new("55P02", format!("parameter \"{name}\" cannot be changed")));
            }
            _ if self.defaults.contains_key(name) || name.contains('.') => {}
            _ => {
                return Err(Fault::new("42704", format!("unrecognized configuration parameter \"{name}\""))
                    .hint("SHOW ALL lists those there are"));
            }
        }
        // What is accepted under several names is kept under one.
        Ok(match name {
            "client_encoding" => "UTF8",
            _ => value,
        }
        .to_owned())
    }

    /// Takes all defaults again; a block keeps its modes.
    pub(super) fn reset(&mut self) {
        self.changed = Arc::default();
        Arc::make_mut(&mut self.local).retain(|name, _| is_of_a_block(name));
    }

    /// How long a statement may take, in milliseconds.
    pub(super) fn timeout(&self) -> Option<i64> {
        self.get("statement_timeout").and_then(millis).filter(|millis| *millis > 0)
    }
}

fn put_modes(into: &mut Arc<BTreeMap<String, String>>, modes: Modes, (read_only, isolation): (&str, &str)) {
    let into = Arc::make_mut(into);
    if let Some(mode) = modes.read_only {
        into.insert(read_only.to_owned(), if mode { "on" } else { "off" }.to_owned());
    }
    if let Some(level) = modes.isolation {
        into.insert(isolation.to_owned(), level.to_owned());
    }
}

/// `5000`, `5s`, `1min`
fn millis(text: &str) -> Option<i64> {
    let text = text.trim_matches('\'').trim();
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let each = match unit {
        "" | "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let millis = number.trim().parse::<i64>().ok()?.checked_mul(each)?;
    (0..=i64::from(i32::MAX)).contains(&millis).then_some(millis)
}

/// The settings in the startup message's options: `-c name=value`, `--name=value`; a backslash keeps a space in a value.
pub(super) fn options(text: &str) -> Result<Vec<(String, String)>, Fault> {
    let mut words: Vec<String> = Vec::new();
    let mut is_inside = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c.is_ascii_whitespace() {
            is_inside = false;
            continue;
        }
        if !is_inside {
            words.push(String::new());
            is_inside = true;
        }
        let literal = if c == '\\' { chars.next() } else { Some(c) };
        if let Some(word) = words.last_mut() {
            word.extend(literal);
        }
    }
    let mut all = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let setting = match (word.as_str(), word.strip_prefix("--"), word.strip_prefix("-c")) {
            ("-c", ..) => words.next(),
            (_, Some(setting), _) | (_, None, Some(setting)) => Some(setting.to_owned()),
            _ => None,
        };
        let pair = setting.as_deref().and_then(|setting| setting.split_once('='));
        let (name, value) = pair.ok_or_else(|| {
            Fault::new("42601", format!("invalid command-line argument for server process: {word}"))
                .hint("options are written -c name=value")
        })?;
        all.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
