//! String functions, by code point. Text that is too long to be built is refused, never begun.

mod basic;
mod case;
mod distance;
mod join;
mod lists;
mod split;
mod substring;
mod unicode;

pub(crate) use basic::target_length;
pub(crate) use lists::build_text_lists;
pub(crate) use unicode::shorten;

use super::Scalar;
use crate::Family;
use model::{Error, Result};

/// No text built by a function is longer than this, in bytes.
pub(crate) const MAX_TEXT: usize = 64 << 20;

/// Refuses a text that would become too long.
pub(crate) fn check_length(name: &str, bytes: usize) -> Result<()> {
    if bytes <= MAX_TEXT {
        return Ok(());
    }
    Err(Error::invalid(format!("the result of {name} is too long"))
        .why(format!("it would take {bytes} bytes; {MAX_TEXT} are allowed")))
}

/// The string functions.
pub const FAMILY: Family = Family { title: "String functions", scalars: SCALARS, aggregates: &[] };

const CASED: &[&str] = &["(char) -> char", "(varchar) -> varchar"];
const TRIM: &[&str] = &["(varchar) -> varchar", "(varchar, varchar) -> varchar"];
const SUBSTR: &[&str] = &["(varchar, bigint) -> varchar", "(varchar, bigint, bigint) -> varchar"];
const PAIR_TO_BIGINT: &[&str] = &["(varchar, varchar) -> bigint"];
const PAD: &[&str] = &["(varchar, bigint, varchar) -> varchar"];
const CONCAT: &[&str] = &["(varchar, varchar...) -> varchar"];
const CONCAT_CHAR: &[&str] = &["(char, char) -> char"];

const SCALARS: &[Scalar] = &[
    Scalar::new("chr", &["(bigint) -> varchar(1)"], unicode::chr, "The character with this code point."),
    Scalar::new(
        "codepoint",
        &["(varchar) -> integer"],
        unicode::codepoint,
        "The code point of one character.",
    ),
    Scalar::new("concat", CONCAT_CHAR, join::concat_char, "Texts of fixed length, one after the other.")
        .returns(join::concat_char_type),
    Scalar::new("concat", CONCAT, join::concat, "Texts, one after the other."),
    Scalar::new("$concat", CONCAT_CHAR, join::concat_char, "The operator `||`.")
        .returns(join::concat_char_type),
    Scalar::new("$concat", CONCAT, join::concat, "The operator `||`."),
    Scalar::new(
        "concat_ws",
        &["(varchar, varchar...) -> varchar", "(varchar, array(varchar)) -> varchar"],
        join::concat_ws,
        "Texts with a separator between them; NULLs are left out.",
    )
    .handles_nulls(),
    Scalar::new(
        "format_number",
        &["(bigint) -> varchar", "(double) -> varchar"],
        unicode::format_number,
        "A number with a letter for its magnitude: 1.23K.",
    ),
    Scalar::new(
        "from_utf8",
        &["(varbinary) -> varchar", "(varbinary, varchar) -> varchar", "(varbinary, bigint) -> varchar"],
        unicode::from_utf8,
        "Text from UTF-8; what is not valid is replaced.",
    ),
    Scalar::new(
        "hamming_distance",
        PAIR_TO_BIGINT,
        distance::hamming,
        "In how many places two texts of one length differ.",
    ),
    Scalar::new("length", &["(varchar) -> bigint"], basic::length, "How many characters a text has."),
    Scalar::new(
        "levenshtein_distance",
        PAIR_TO_BIGINT,
        distance::levenshtein,
        "How many single-character edits turn one text into the other.",
    ),
    Scalar::new("lower", CASED, case::lower, "The text in lower case."),
    Scalar::new("lpad", PAD, basic::lpad, "Fills or cuts a text to a length, on the left."),
    Scalar::new("ltrim", TRIM, basic::ltrim, "Removes white space, or the given characters, from the start."),
    Scalar::new(
        "luhn_check",
        &["(varchar) -> boolean"],
        distance::luhn_check,
        "Whether the last digit is right by Luhn's algorithm.",
    ),
    Scalar::new(
        "normalize",
        &["(varchar) -> varchar", "(varchar, varchar) -> varchar"],
        unicode::normalize,
        "The text in a Unicode normal form.",
    ),
    Scalar::new(
        "replace",
        &["(varchar, varchar) -> varchar", "(varchar, varchar, varchar) -> varchar"],
        basic::replace,
        "Replaces, or removes, every occurrence of a text.",
    ),
    Scalar::new("reverse", CASED, basic::reverse, "The characters in reverse order."),
    Scalar::new("rpad", PAD, basic::rpad, "Fills or cuts a text to a length, on the right."),
    Scalar::new("rtrim", TRIM, basic::rtrim, "Removes white space, or the given characters, from the end."),
    Scalar::new(
        "soundex",
        &["(varchar) -> varchar(4)"],
        distance::soundex,
        "How a name sounds in English, as a letter and digits.",
    ),
    Scalar::new(
        "split",
        &["(varchar, varchar) -> array(varchar)", "(varchar, varchar, bigint) -> array(varchar)"],
        split::split,
        "The parts between delimiters.",
    ),
    Scalar::new(
        "split_part",
        &["(varchar, varchar, bigint) -> varchar"],
        split::split_part,
        "One part between delimiters, counted from 1.",
    ),
    Scalar::new(
        "split_to_map",
        &["(varchar, varchar, varchar) -> map(varchar, varchar)"],
        split::split_to_map,
        "Entries of keys and values.",
    ),
    Scalar::new(
        "split_to_map",
        &["(varchar, varchar, varchar, function(varchar,varchar,varchar,varchar)) -> map(varchar, varchar)"],
        split::split_to_map_with,
        "Entries of keys and values; a lambda chooses among the values of a repeated key.",
    ),
    Scalar::new(
        "split_to_multimap",
        &["(varchar, varchar, varchar) -> map(varchar, array(varchar))"],
        split::split_to_multimap,
        "Entries of keys and all their values.",
    ),
    Scalar::new(
        "starts_with",
        &["(varchar, varchar) -> boolean"],
        basic::starts_with,
        "Whether a text begins with another.",
    ),
    Scalar::new(
        "strpos",
        &["(varchar, varchar) -> bigint", "(varchar, varchar, bigint) -> bigint"],
        substring::strpos,
        "Where a text occurs the n-th time; 0 if it does not.",
    ),
    Scalar::new(
        "index",
        &["(varchar, varchar) -> bigint"],
        substring::strpos,
        "The same as strpos, as Teradata calls it.",
    ),
    Scalar::new(
        "substr",
        SUBSTR,
        substring::substr,
        "Part of a text, from a position counted from 1, or from the end if negative.",
    ),
    Scalar::new(
        "substring",
        SUBSTR,
        substring::substr,
        "Part of a text, from a position counted from 1, or from the end if negative.",
    ),
    Scalar::new("to_utf8", &["(varchar) -> varbinary"], unicode::to_utf8, "The text's bytes in UTF-8."),
    Scalar::new(
        "translate",
        &["(varchar, varchar, varchar) -> varchar"],
        basic::translate,
        "Replaces characters one by one.",
    ),
    Scalar::new("trim", TRIM, basic::trim, "Removes white space, or the given characters, from both ends."),
    Scalar::new("upper", CASED, case::upper, "The text in upper case."),
];
