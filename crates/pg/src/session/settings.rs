//! The settings of a session: what clients set, and what they are told.

use crate::fault::Fault;
use std::collections::BTreeMap;

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

/// The settings of one session.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    defaults: BTreeMap<String, String>,
    changed: BTreeMap<String, String>,
    /// What holds until the block of the transaction ends.
    local: BTreeMap<String, String>,
}

impl Settings {
    /// The settings at the beginning.
    pub(crate) fn new(version: &str, user: &str) -> Self {
        let mut defaults: BTreeMap<String, String> =
            DEFAULTS.iter().map(|(name, value)| (name.to_lowercase(), (*value).to_owned())).collect();
        defaults.insert("server_version".into(), format!("16.4 (Glulam {version})"));
        defaults.insert("session_authorization".into(), user.to_owned());
        Self { defaults, changed: BTreeMap::new(), local: BTreeMap::new() }
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

    /// A block begins; it keeps its mode, whatever is set for later ones.
    pub(super) fn begin_block(&mut self, read_only: Option<bool>) {
        self.set_read_only(read_only.unwrap_or_else(|| self.is_read_only()));
    }

    /// The mode of the block that is open.
    pub(super) fn set_read_only(&mut self, read_only: bool) {
        self.local.insert(READ_ONLY.into(), if read_only { "on" } else { "off" }.into());
    }

    /// The mode of blocks to come.
    pub(super) fn set_read_only_by_default(&mut self, read_only: bool) {
        self.changed.insert(READ_ONLY_BY_DEFAULT.into(), if read_only { "on" } else { "off" }.into());
    }

    /// A block ends, and what was set for it alone; answers the names.
    pub(super) fn end_block(&mut self) -> Vec<String> {
        std::mem::take(&mut self.local).into_keys().collect()
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
        if name == READ_ONLY {
            // It is never more than a block's.
            let read_only = kept.as_deref().or_else(|| self.get(READ_ONLY_BY_DEFAULT)) == Some("on");
            self.set_read_only(read_only);
            return Ok(());
        }
        self.local.remove(&name);
        match kept {
            Some(kept) => self.changed.insert(name, kept),
            None => self.changed.remove(&name),
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
        match kept {
            Some(kept) => self.local.insert(name, kept),
            None => self.local.remove(&name),
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
            "timezone"
                if !matches!(
                    plain.as_str(),
                    "utc" | "gmt" | "z" | "etc/utc" | "zulu" | "0" | "default" | "local"
                ) =>
            {
                return refused("times are told in UTC", "write x AT TIME ZONE 'Europe/Berlin' in the query");
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
            "timezone" => "UTC",
            "client_encoding" => "UTF8",
            _ => value,
        }
        .to_owned())
    }

    /// Takes all defaults again; a block keeps its mode.
    pub(super) fn reset(&mut self) {
        self.changed.clear();
        self.local.retain(|name, _| name == READ_ONLY);
    }

    /// How long a statement may take, in milliseconds.
    pub(super) fn timeout(&self) -> Option<i64> {
        self.get("statement_timeout").and_then(millis).filter(|millis| *millis > 0)
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
mod tests {
    use super::*;

    #[test]
    fn what_would_not_hold_is_refused() {
        let mut settings = Settings::new("1.0", "me");
        for (name, value, code) in [
            ("client_encoding", "latin1", Some("22023")),
            ("client_encoding", "utf-8", None),
            ("TimeZone", "Europe/Berlin", Some("22023")),
            ("TimeZone", "UTC", None),
            ("datestyle", "German", Some("22023")),
            ("statement_timeout", "5s", None),
            ("statement_timeout", "soon", Some("22023")),
            ("statement_timeout", "100000000000d", Some("22023")),
            ("statement_timeout", "2147483648", Some("22023")),
            ("default_transaction_read_only", "perhaps", Some("22023")),
            ("server_version", "9", Some("55P02")),
            ("session_authorization", "boss", Some("55P02")),
            ("no_such", "1", Some("42704")),
            ("my.own", "1", None),
        ] {
            let set = settings.set(name, Some(value));
            assert_eq!(set.as_ref().err().map(|fault| fault.code), code, "{name}");
        }
        assert_eq!(settings.timeout(), Some(5000));
        assert_eq!(settings.get("MY.own"), Some("1"));
        settings.reset();
        assert_eq!((settings.get("my.own"), settings.timeout()), (None, None));
    }

    #[test]
    fn a_block_s_settings_end_with_it() {
        let mut settings = Settings::new("1.0", "me");
        assert!(!settings.is_read_only());
        settings.begin_block(Some(true));
        settings.set_local("work_mem", Some("1GB")).unwrap();
        settings.set("lock_timeout", Some("5")).unwrap();
        assert!(settings.is_read_only());
        assert_eq!(
            (settings.get("work_mem"), settings.get("transaction_read_only")),
            (Some("1GB"), Some("on"))
        );
        assert_eq!(settings.end_block(), ["transaction_read_only", "work_mem"]);
        assert!(!settings.is_read_only());
        assert_eq!((settings.get("work_mem"), settings.get("lock_timeout")), (Some("4MB"), Some("5")));
        settings.set("default_transaction_read_only", Some("true")).unwrap();
        assert!(settings.is_read_only());
        settings.begin_block(Some(false));
        assert!(!settings.is_read_only());
        settings.end_block();
        settings.begin_block(None);
        settings.reset();
        assert!(settings.is_read_only());
        settings.end_block();
        assert!(!settings.is_read_only());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut settings = Settings::new("1.0", "me");
        let long = "x".repeat(MAX_VALUE + 1);
        assert_eq!(settings.set("application_name", Some(&long)).unwrap_err().code, "53400");
        (0..MAX_NAMES).for_each(|n| settings.set(&format!("my.n{n}"), Some("1")).unwrap());
        assert_eq!(settings.set("my.more", Some("1")).unwrap_err().code, "53400");
        settings.set("my.n7", Some("2")).unwrap();
    }

    #[test]
    fn options_of_the_startup_message() {
        let pairs = options(r" -c search_path=a,\ b  --work-mem=1GB -cjit=off ").unwrap();
        let shown: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(shown, ["search_path=a, b", "work_mem=1GB", "jit=off"]);
        for bad in ["-c", "-c x", "-E", "x=1"] {
            assert_eq!(options(bad).unwrap_err().code, "42601", "{bad}");
        }
    }
}
