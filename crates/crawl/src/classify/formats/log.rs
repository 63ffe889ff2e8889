//! Logs of known shape, one line each: told by a regular expression that is also what their table is read with.
//!
//! The expressions keep to what Java's and Rust's engines have in common and match whole lines with unnamed groups, as
//! the regex serde wants them. A dash stands for a missing value.

use super::Verdict;
use crate::classify::result::{Classification, Columns, Hive};
use crate::classify::sample::Sample;
use crate::classify::source::Limits;
use model::{HiveType, Place, Result};
use regex::Regex;
use std::sync::OnceLock;

const HIVE: Hive = Hive::text("org.apache.hadoop.hive.serde2.RegexSerDe");
/// Fewer fitting lines than this share, and it is another log.
const MIN_FITTING: f64 = 0.9;

/// A known log: its classification, expression, and columns with their types (`s`tring, `i`nt, `b`igint, `d`ouble).
struct Log {
    classification: &'static str,
    regex: &'static str,
    columns: &'static [(&'static str, char)],
}

/// The more telling ones first.
const LOGS: &[Log] = &[
    Log {
        classification: "access-log",
        regex: r#"^(\S+) +- +(\S+) +\[([^\]]+)\] +"(\S+) ([^"]*?)(?: (HTTP/[0-9.]+))?" +(\d{3}|-) +"([^"]*)"\s*$"#,
        columns: &[
            ("remote_addr", 's'),
            ("remote_user", 's'),
            ("time_local", 's'),
            ("method", 's'),
            ("path", 's'),
            ("protocol", 's'),
            ("status", 'i'),
            ("http_user_agent", 's'),
        ],
    },
    Log {
        classification: "access-log",
        regex: r#"^(\S+) +- +(\S*) *"(\S+) ([^"]*?)(?: (HTTP/[0-9.]+))?" +(\d{3}|-) +\[([^\]]+)\] +"([^"]*)"\s*$"#,
        columns: &[
            ("remote_addr", 's'),
            ("remote_user", 's'),
            ("method", 's'),
            ("path", 's'),
            ("protocol", 's'),
            ("status", 'i'),
            ("time_iso8601", 's'),
            ("http_user_agent", 's'),
        ],
    },
    Log {
        classification: "combined-log",
        regex: r#"^(\S+) +(\S+) +(\S+) +\[([^\]]+)\] +"(?:(\S+) ([^"]*?)(?: (HTTP/[0-9.]+))?|[^"]*)" +(\d{3}|-) +(\d+|-) +"([^"]*)" +"((?:[^"\\]|\\.)*)"(?: .*)?\s*$"#,
        columns: &[
            ("remote_addr", 's'),
            ("ident", 's'),
            ("remote_user", 's'),
            ("time_local", 's'),
            ("method", 's'),
            ("path", 's'),
            ("protocol", 's'),
            ("status", 'i'),
            ("body_bytes_sent", 'b'),
            ("http_referer", 's'),
            ("http_user_agent", 's'),
        ],
    },
    Log {
        classification: "common-log",
        regex: r#"^(\S+) +(\S+) +(\S+) +\[([^\]]+)\] +"(?:(\S+) ([^"]*?)(?: (HTTP/[0-9.]+))?|[^"]*)" +(\d{3}|-) +(\d+|-)\s*$"#,
        columns: &[
            ("remote_addr", 's'),
            ("ident", 's'),
            ("remote_user", 's'),
            ("time_local", 's'),
            ("method", 's'),
            ("path", 's'),
            ("protocol", 's'),
            ("status", 'i'),
            ("body_bytes_sent", 'b'),
        ],
    },
    Log {
        classification: "alb-log",
        regex: r#"^(https?|h2|grpcs|wss?) (\S+) (\S+) (\S+) (\S+) (-?[0-9.]+) (-?[0-9.]+) (-?[0-9.]+) (\d+|-) (\d+|-) (-?\d+) (-?\d+) "(\S+) (\S+) ([^" ]*) ?" "([^"]*)" (\S+) (\S+) (\S+) "([^"]*)"(?: (.*))?\s*$"#,
        columns: &[
            ("type", 's'),
            ("time", 's'),
            ("elb", 's'),
            ("client", 's'),
            ("target", 's'),
            ("request_processing_time", 'd'),
            ("target_processing_time", 'd'),
            ("response_processing_time", 'd'),
            ("elb_status_code", 'i'),
            ("target_status_code", 's'),
            ("received_bytes", 'b'),
            ("sent_bytes", 'b'),
            ("method", 's'),
            ("url", 's'),
            ("protocol", 's'),
            ("user_agent", 's'),
            ("ssl_cipher", 's'),
            ("ssl_protocol", 's'),
            ("target_group_arn", 's'),
            ("trace_id", 's'),
            ("rest", 's'),
        ],
    },
    Log {
        classification: "elb-log",
        regex: r#"^(\d{4}-\d\d-\d\dT\S+) (\S+) (\S+) (\S+) (-?[0-9.]+) (-?[0-9.]+) (-?[0-9.]+) (\d+|-) (\d+|-) (\d+) (\d+) "(\S+) (\S+) ([^" ]*) ?"(?: "([^"]*)" (\S+) (\S+))?\s*$"#,
        columns: &[
            ("time", 's'),
            ("elb", 's'),
            ("client", 's'),
            ("backend", 's'),
            ("request_processing_time", 'd'),
            ("backend_processing_time", 'd'),
            ("response_processing_time", 'd'),
            ("elb_status_code", 'i'),
            ("backend_status_code", 's'),
            ("received_bytes", 'b'),
            ("sent_bytes", 'b'),
            ("method", 's'),
            ("url", 's'),
            ("protocol", 's'),
            ("user_agent", 's'),
            ("ssl_cipher", 's'),
            ("ssl_protocol", 's'),
        ],
    },
    Log {
        classification: "syslog",
        regex: r#"^<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S+) (-|(?:\[[^\]]*\])+)(?: (.*))?$"#,
        columns: &[
            ("priority", 'i'),
            ("time", 's'),
            ("host", 's'),
            ("program", 's'),
            ("pid", 's'),
            ("message_id", 's'),
            ("structured_data", 's'),
            ("message", 's'),
        ],
    },
    Log {
        classification: "syslog",
        regex: r#"^(?:<(\d{1,3})>)?([A-Z][a-z]{2} [ 0-9]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*) (\S+) ([^\s:\[]+)(?:\[(\d+)\])?: ?(.*)$"#,
        columns: &[
            ("priority", 'i'),
            ("time", 's'),
            ("host", 's'),
            ("program", 's'),
            ("pid", 'i'),
            ("message", 's'),
        ],
    },
];

fn compiled() -> &'static [Option<Regex>] {
    static COMPILED: OnceLock<Vec<Option<Regex>>> = OnceLock::new();
    COMPILED.get_or_init(|| LOGS.iter().map(|log| Regex::new(log.regex).ok()).collect())
}

/// Looks for a known log.
pub(super) fn classify(sample: &Sample<'_>, limits: &Limits) -> Result<Verdict> {
    let lines: Vec<(u64, &str)> = sample.lines().take(limits.sample_rows).collect();
    for (log, regex) in LOGS.iter().zip(compiled()) {
        let Some(regex) = regex else { continue };
        // One of the first lines must fit, before all are tried.
        if !lines.iter().take(5).any(|(_, line)| regex.is_match(line)) {
            continue;
        }
        let wrong: Vec<u64> =
            lines.iter().filter(|(_, line)| !regex.is_match(line)).map(|(number, _)| *number).collect();
        let share = 1.0 - wrong.len() as f64 / lines.len() as f64;
        if share >= MIN_FITTING {
            return Ok(Verdict::Fits(Box::new(describe(sample, log, lines.len(), share, &wrong))));
        }
    }
    Ok(Verdict::Other)
}

fn describe(sample: &Sample<'_>, log: &Log, rows: usize, share: f64, wrong: &[u64]) -> Classification {
    let mut columns = Columns::default();
    for (name, kind) in log.columns {
        let hive_type = match kind {
            'i' => HiveType::Int,
            'b' => HiveType::BigInt,
            'd' => HiveType::Double,
            _ => HiveType::String,
        };
        columns.push((*name).to_owned(), Some(hive_type));
    }
    let mut found = Classification::of_text(log.classification, &HIVE, columns, sample);
    found.set_serde("input.regex", log.regex);
    found.set_serde("serialization.format", "1");
    found.sampled_rows = rows as u64;
    found.confidence = share;
    if let Some(first) = wrong.first() {
        found.notes.push(format!(
            "{} of {rows} sampled lines are not of this log's shape (the first is {})",
            wrong.len(),
            Place::row(sample.name, *first).short()
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expression_compiles_and_has_a_column_for_each_group() {
        for (log, regex) in LOGS.iter().zip(compiled()) {
            let regex = regex.as_ref().unwrap();
            assert_eq!(regex.captures_len() - 1, log.columns.len(), "{}", log.classification);
        }
    }
}
