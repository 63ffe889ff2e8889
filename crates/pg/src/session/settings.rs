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

/// The settings of one session.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    defaults: BTreeMap<String, String>,
    changed: BTreeMap<String, String>,
}

impl Settings {
    /// The settings at the beginning.
    pub(crate) fn new(version: &str, user: &str) -> Self {
        let mut defaults: BTreeMap<String, String> =
            DEFAULTS.iter().map(|(name, value)| (name.to_lowercase(), (*value).to_owned())).collect();
        defaults.insert("server_version".into(), format!("16.4 (Glulam {version})"));
        defaults.insert("session_authorization".into(), user.to_owned());
        Self { defaults, changed: BTreeMap::new() }
    }

    /// The value of a setting.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let name = name.to_lowercase();
        self.changed.get(&name).or_else(|| self.defaults.get(&name)).map(String::as_str)
    }

    /// All settings by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.defaults
            .keys()
            .chain(self.changed.keys().filter(|name| !self.defaults.contains_key(*name)))
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

    /// Sets a value; refuses one that would not hold.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), Fault> {
        let name = name.to_lowercase();
        let Some(value) = value else {
            self.changed.remove(&name);
            return Ok(());
        };
        let refused = |what: &str, hint: &str| {
            Err(Fault::new("22023", format!("invalid value for parameter \"{name}\": \"{value}\": {what}"))
                .hint(hint))
        };
        let plain = value.trim_matches(['\'', '"']).to_lowercase();
        match name.as_str() {
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
                    return refused("it is no time", "write milliseconds, or '5s', '1min'");
                }
            }
            "server_version" | "server_encoding" | "integer_datetimes" | "is_superuser"
            | "server_version_num" => {
                return Err(Fault::new("55P02", format!("parameter \"{name}\" cannot be changed")));
            }
            _ if self.defaults.contains_key(&name) || name.contains('.') => {}
            _ => {
                return Err(Fault::new("42704", format!("unrecognized configuration parameter \"{name}\""))
                    .hint("SHOW ALL lists those there are"));
            }
        }
        // What is accepted under several names is kept under one.
        let kept = match name.as_str() {
            "timezone" => "UTC",
            "client_encoding" => "UTF8",
            _ => value,
        };
        self.changed.insert(name, kept.to_owned());
        Ok(())
    }

    pub(super) fn reset(&mut self) {
        self.changed.clear();
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
    number.trim().parse::<i64>().ok().filter(|n| *n >= 0)?.checked_mul(each)
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
            ("server_version", "9", Some("55P02")),
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
}
