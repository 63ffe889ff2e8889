//! Regular expressions with Java's syntax as Trino has it, and LIKE.
//!
//! Patterns run in linear time where they can; those with look-around or back-references run with a limit on the steps,
//! so that none of them can hold up a query.

mod cache;
mod functions;
mod pattern;
mod replace;
mod translate;

pub(crate) use cache::compiled;
pub(crate) use pattern::Pattern;

use super::Scalar;
use crate::Family;

/// The regular expression functions.
pub const FAMILY: Family =
    Family { title: "Regular expression functions", scalars: SCALARS, aggregates: &[] };

const TO_TEXT: &[&str] = &["(varchar, varchar) -> varchar", "(varchar, varchar, bigint) -> varchar"];
const TO_TEXTS: &[&str] =
    &["(varchar, varchar) -> array(varchar)", "(varchar, varchar, bigint) -> array(varchar)"];
const POSITION: &[&str] = &[
    "(varchar, varchar) -> integer",
    "(varchar, varchar, bigint) -> integer",
    "(varchar, varchar, bigint, bigint) -> integer",
];

const SCALARS: &[Scalar] = &[
    Scalar::new(
        "regexp_count",
        &["(varchar, varchar) -> bigint"],
        functions::count,
        "How often a pattern matches.",
    ),
    Scalar::new(
        "regexp_extract",
        TO_TEXT,
        functions::extract,
        "The first match of a pattern, or of one of its groups.",
    ),
    Scalar::new(
        "regexp_extract_all",
        TO_TEXTS,
        functions::extract_all,
        "All matches of a pattern, or of one of its groups.",
    ),
    Scalar::new(
        "regexp_like",
        &["(varchar, varchar) -> boolean"],
        functions::like,
        "Whether a pattern matches somewhere.",
    ),
    Scalar::new(
        "regexp_position",
        POSITION,
        functions::position,
        "Where a pattern matches; -1 if it does not.",
    ),
    Scalar::new(
        "regexp_replace",
        &["(varchar, varchar) -> varchar", "(varchar, varchar, varchar) -> varchar"],
        replace::replace,
        "Replaces every match; `$1` and `${name}` stand for groups.",
    ),
    Scalar::new(
        "regexp_replace",
        &["(varchar, varchar, function(array(varchar),varchar)) -> varchar"],
        replace::replace_with,
        "Replaces every match with what a lambda makes of its groups.",
    ),
    Scalar::new(
        "regexp_split",
        &["(varchar, varchar) -> array(varchar)"],
        functions::split,
        "The parts between matches.",
    ),
];
