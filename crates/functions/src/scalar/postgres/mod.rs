//! Functions whose PostgreSQL meaning is another one than Trino's, for statements that come by PostgreSQL's door. Their
//! names begin with `$pg_`: only a session of that kind may call them, and the door's translation writes them.

mod pattern;
mod replace;
mod text;
mod time;
mod to_char;

pub use time::zone;

use super::{Kernel, Scalar};
use crate::Family;

/// What PostgreSQL's clients get under names of their own.
pub const FAMILY: Family =
    Family { title: "Functions in PostgreSQL's meaning", scalars: SCALARS, aggregates: &[] };

const MATCHES: &[&str] = &["(varchar, varchar) -> boolean", "(varchar, varchar, varchar) -> boolean"];
const REPLACE: &[&str] =
    &["(varchar, varchar, varchar) -> varchar", "(varchar, varchar, varchar, varchar) -> varchar"];
const SUBSTRING: &[&str] = &["(varchar, bigint) -> varchar", "(varchar, bigint, bigint) -> varchar"];
const END: &[&str] = &["(varchar, bigint) -> varchar"];
const FIELD: &[&str] = &[
    "(varchar, date) -> double",
    "(varchar, timestamp) -> double",
    "(varchar, timestamp with time zone) -> double",
    "(varchar, time) -> double",
    "(varchar, interval day to second) -> double",
];
const TO_CHAR: &[&str] = &[
    "(date, varchar) -> varchar",
    "(timestamp, varchar) -> varchar",
    "(timestamp with time zone, varchar) -> varchar",
];

const fn scalar(
    name: &'static str,
    signatures: &'static [&'static str],
    kernel: Kernel,
    summary: &'static str,
) -> Scalar {
    Scalar::new(name, signatures, kernel, summary)
}

const SCALARS: &[Scalar] = &[
    scalar("$pg_matches", MATCHES, pattern::matches, "x ~ pattern, with flags"),
    scalar("$pg_regexp_replace", REPLACE, replace::replace, "Replaces the first match, with the flag g all."),
    scalar(
        "$pg_substring",
        SUBSTRING,
        text::substring,
        "Characters from a place that may lie before the text.",
    ),
    scalar(
        "$pg_substring",
        &["(varchar, varchar) -> varchar"],
        pattern::substring,
        "The first match, or its first group.",
    ),
    scalar(
        "$pg_split_part",
        &["(varchar, varchar, bigint) -> varchar"],
        text::split_part,
        "A part, or an empty text; counts from the end with a minus.",
    ),
    scalar("$pg_left", END, text::left, "The first characters, or all but the last."),
    scalar("$pg_right", END, text::right, "The last characters, or all but the first."),
    scalar("$pg_type", &["(varchar) -> varchar"], text::type_name, "PostgreSQL's name of a type."),
    scalar("$pg_to_char", TO_CHAR, to_char::to_char, "A time by a pattern."),
    scalar("$pg_extract", FIELD, time::extract, "A field of a time that may have a fraction."),
    scalar(
        "$pg_timezone",
        &["(timestamp, varchar) -> timestamp with time zone"],
        time::from_zone,
        "The instant at which clocks in a zone show this time.",
    )
    .returns(time::in_session_zone),
    scalar(
        "$pg_timezone",
        &["(timestamp with time zone, varchar) -> timestamp", "(date, varchar) -> timestamp"],
        time::to_zone,
        "What clocks in a zone show at this instant.",
    )
    .returns(time::without_zone),
];
