//! The functions of DynamicTransform nodes: one file each, and one line here. Names that begin with `gs_` are Glue
//! Studio's, with its parameters; those with `glulam_` are our own.

mod derived;
mod event_time;
mod explode;
mod format_timestamp;
mod parse_log;
mod regex_extract;
mod repartition;
mod to_timestamp;
mod window;
mod window_aggregate;

use super::{Context, Operation};
use crate::fields::Fields;
use crate::text::Placed;
use crate::types;
use model::Error;
use sql::{SqlType, quote_ident};

type Read = fn(&Fields<'_>) -> Option<Box<dyn Operation>>;

const FUNCTIONS: &[(&str, Read)] = &[
    ("gs_derived", derived::read),
    ("gs_explode", explode::read),
    ("gs_format_timestamp", format_timestamp::read),
    ("gs_regex_extract", regex_extract::read),
    ("gs_repartition", repartition::read),
    ("gs_to_timestamp", to_timestamp::read),
    ("glulam_event_time", event_time::read),
    ("glulam_parse_log", parse_log::read),
    ("glulam_window", window::read),
];

/// How the parameters of a function are read.
pub(super) fn find(name: &str) -> Option<Read> {
    FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(_, read)| *read)
}

/// The names of all functions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|(name, _)| *name)
}

/// A column that says when something happened, as a timestamp in UTC: its SQL, and SQL that is true when it says
/// nothing. Numbers are refused, because it is not known whether they are seconds or milliseconds.
fn event_time(column: &Placed<String>, cx: &Context<'_>) -> Option<(String, String)> {
    let known = cx.column(&column.value, &column.span).map(|column| column.sql_type.clone());
    let name = quote_ident(&column.value);
    let timestamp = match &known {
        None if cx.columns().is_some() => return None,
        None | Some(SqlType::Timestamp(_)) => name.clone(),
        Some(SqlType::TimestampTz(..)) => format!("CAST({name} AT TIME ZONE 'UTC' AS timestamp(3))"),
        Some(SqlType::Date) => format!("CAST({name} AS timestamp(3))"),
        Some(t) if t.is_text() => types::timestamp_of_text(&name),
        Some(other) => {
            let error = Error::invalid(format!("`{}` is {other}, which is no time", column.value));
            cx.wrong(&column.span, error.hint("turn it into a timestamp with a gs_to_timestamp node before"));
            return None;
        }
    };
    let nothing = format!("{timestamp} IS NULL");
    Some((timestamp, nothing))
}
