//! JSON functions. The type `json` is kept as compact text.

pub mod convert;
mod evaluate;
mod functions;
mod path;
mod scan;
mod sqlpath;
mod standard;
mod tree;
mod write;

use super::Scalar;
use crate::Family;

/// The JSON functions.
pub const FAMILY: Family = Family { title: "JSON functions", scalars: SCALARS, aggregates: &[] };

const CONTAINS: &[&str] = &[
    "(varchar, boolean) -> boolean",
    "(varchar, bigint) -> boolean",
    "(varchar, double) -> boolean",
    "(varchar, varchar) -> boolean",
    "(json, boolean) -> boolean",
    "(json, bigint) -> boolean",
    "(json, double) -> boolean",
    "(json, varchar) -> boolean",
];

const SCALARS: &[Scalar] = &[
    standard::ARRAY,
    standard::ARRAY_WITH,
    standard::EXISTS,
    standard::INPUT,
    standard::OBJECT,
    standard::OBJECT_WITH,
    standard::QUERY,
    standard::VALUE,
    Scalar::new(
        "is_json_scalar",
        &["(varchar) -> boolean", "(json) -> boolean"],
        functions::is_scalar,
        "Whether it is a number, a string, true, false or null.",
    ),
    Scalar::new(
        "json_array_contains",
        CONTAINS,
        functions::array_contains,
        "Whether an array has such an element.",
    ),
    Scalar::new(
        "json_array_get",
        &["(varchar, bigint) -> json", "(json, bigint) -> json"],
        functions::array_get,
        "An element of an array, counted from 0, or from the end if negative.",
    ),
    Scalar::new(
        "json_array_length",
        &["(varchar) -> bigint", "(json) -> bigint"],
        functions::array_length,
        "How many elements an array has.",
    ),
    Scalar::new(
        "json_extract",
        &["(varchar, varchar) -> json", "(json, varchar) -> json"],
        functions::extract,
        "The value at a path.",
    ),
    Scalar::new(
        "json_extract_scalar",
        &["(varchar, varchar) -> varchar", "(json, varchar) -> varchar"],
        functions::extract_scalar,
        "The number, string or truth at a path, as text.",
    ),
    Scalar::new("json_format", &["(json) -> varchar"], functions::format, "The JSON text."),
    Scalar::new("json_parse", &["(varchar) -> json"], functions::parse, "Reads a text as JSON."),
    Scalar::new(
        "json_size",
        &["(varchar, varchar) -> bigint", "(json, varchar) -> bigint"],
        functions::size,
        "How many elements or members the value at a path has.",
    ),
];
