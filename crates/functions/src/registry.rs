//! Finds functions by name and decides which overload is meant.

use crate::scalar::Returns;
use crate::signature::{ArgType, Signature, Substitution};
use crate::{Aggregate, Scalar, Session};
use model::{Error, Result, nearest_hint};
use sql::SqlType;
use std::collections::HashMap;
use std::sync::OnceLock;

/// The functions of one file.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Its title in the documentation.
    pub title: &'static str,
    /// Scalar functions.
    pub scalars: &'static [Scalar],
    /// Aggregate functions.
    pub aggregates: &'static [Aggregate],
}

/// All families, in the order of the documentation. A new file is one line here.
#[rustfmt::skip]
pub fn families() -> &'static [Family] {
    &[
        crate::scalar::arithmetic::FAMILY,
        crate::scalar::decimal::FAMILY,
        crate::scalar::compare::FAMILY,
        crate::scalar::math::FAMILY,
        crate::scalar::round::FAMILY,
        crate::scalar::statistics::FAMILY,
        crate::scalar::random::FAMILY,
        crate::scalar::array::access::FAMILY,
        crate::scalar::array::build::FAMILY,
        crate::scalar::array::search::FAMILY,
        crate::scalar::array::sets::FAMILY,
        crate::scalar::array::order::FAMILY,
        crate::scalar::array::join::FAMILY,
        crate::scalar::array::sequence::FAMILY,
        crate::scalar::array::vector::FAMILY,
        crate::scalar::map::FAMILY,
        crate::scalar::row::FAMILY,
        crate::scalar::lambda::FAMILY,
        crate::scalar::string::FAMILY,
        crate::scalar::bitwise::FAMILY,
        crate::scalar::datetime::arithmetic::FAMILY,
        crate::scalar::datetime::convert::FAMILY,
        crate::scalar::datetime::extract::FAMILY,
        crate::scalar::datetime::iso8601::FAMILY,
        crate::scalar::datetime::operators::FAMILY,
        crate::scalar::datetime::pattern::FAMILY,
        crate::scalar::datetime::pattern::teradata::FAMILY,
        crate::aggregate::count::FAMILY,
        crate::aggregate::sum::FAMILY,
        crate::aggregate::extremes::FAMILY,
        crate::aggregate::logic::FAMILY,
        crate::aggregate::collect::FAMILY,
        crate::scalar::binary::FAMILY,
        crate::scalar::url::FAMILY,
        crate::scalar::regexp::FAMILY,
        crate::scalar::like::FAMILY,
        crate::aggregate::sets::FAMILY,
        crate::aggregate::moments::FAMILY,
        crate::aggregate::percentile::FAMILY,
        crate::aggregate::hll::FAMILY,
        crate::aggregate::checksum::FAMILY,
        crate::aggregate::reduce::FAMILY,
        crate::scalar::json::FAMILY,
        crate::scalar::format::FAMILY,
        crate::scalar::units::FAMILY,
        crate::scalar::uuid::FAMILY,
        crate::scalar::ip::FAMILY,
        crate::scalar::postgres::FAMILY,
    ]
}

/// Families of functions that Trino has and that are refused by name, with what to do instead.
const REFUSED: &[(&str, &str)] = &[
    ("st_", "geospatial functions are not supported"),
    ("to_geometry", "geospatial functions are not supported"),
    ("to_spherical_geography", "geospatial functions are not supported"),
    ("bing_tile", "geospatial functions are not supported"),
    ("learn_", "machine-learning functions are not supported"),
    ("spooky_hash_v2_", "this hash is not supported; xxhash64 and murmur3 are"),
    ("word_stem", "finding the stems of words is not supported"),
    ("bar", "drawing in the terminal's colours is not supported"),
    ("rgb", "drawing in the terminal's colours is not supported"),
    ("color", "drawing in the terminal's colours is not supported"),
    ("render", "drawing in the terminal's colours is not supported"),
    ("tdigest_agg", "digests are not supported as values; approx_percentile answers directly"),
    ("qdigest_agg", "digests are not supported as values; approx_percentile answers directly"),
    ("value_at_quantile", "digests are not supported as values; approx_percentile answers directly"),
    ("values_at_quantiles", "digests are not supported as values; approx_percentile answers directly"),
    ("quantile_at_value", "digests are not supported as values; approx_percentile answers directly"),
    ("make_set_digest", "set digests are not supported; approx_set and merge sketch distinct values"),
    ("merge_set_digest", "set digests are not supported; approx_set and merge sketch distinct values"),
    (
        "intersection_cardinality",
        "set digests are not supported; approx_set and merge sketch distinct values",
    ),
    ("jaccard_index", "set digests are not supported; approx_set and merge sketch distinct values"),
    ("hash_counts", "set digests are not supported; approx_set and merge sketch distinct values"),
    ("evaluate_classifier_predictions", "machine-learning functions are not supported"),
    ("classification_", "machine-learning functions are not supported"),
];

#[derive(Debug, Default)]
struct Index {
    scalars: HashMap<&'static str, Vec<&'static Scalar>>,
    aggregates: HashMap<&'static str, Vec<&'static Aggregate>>,
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut index = Index::default();
        for family in families() {
            for scalar in family.scalars {
                index.scalars.entry(scalar.name).or_default().push(scalar);
            }
            for aggregate in family.aggregates {
                index.aggregates.entry(aggregate.name).or_default().push(aggregate);
            }
        }
        index
    })
}

/// The scalar functions of this name (lower case); none if there is no such name.
pub fn find_scalar(name: &str) -> &'static [&'static Scalar] {
    index().scalars.get(name).map_or(&[], Vec::as_slice)
}

/// The aggregate functions of this name (lower case).
pub fn find_aggregate(name: &str) -> &'static [&'static Aggregate] {
    index().aggregates.get(name).map_or(&[], Vec::as_slice)
}

/// The names that queries may call, in order.
pub fn names() -> Vec<&'static str> {
    let index = index();
    let mut names: Vec<&'static str> = index
        .scalars
        .keys()
        .chain(index.aggregates.keys())
        .copied()
        .filter(|n| !n.starts_with('$'))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The error for a name that no function has; `known` are names that the caller knows besides (special forms).
pub fn unknown_function(name: &str, known: &[&'static str]) -> Error {
    let error = Error::not_found(format!("function `{name}` does not exist"));
    if let Some((_, why)) = REFUSED.iter().find(|(prefix, _)| name.starts_with(prefix)) {
        return Error::unsupported(format!("function `{name}` is not supported")).why(*why);
    }
    let all = names();
    error.hint(nearest_hint(name, all.iter().chain(known).copied()))
}

/// An overload that fits, with its types settled.
#[derive(Debug)]
pub struct Resolved<F: 'static> {
    /// The function.
    pub function: &'static F,
    /// The types its arguments have to be turned into.
    pub arg_types: Vec<SqlType>,
    /// What it returns.
    pub return_type: SqlType,
}

/// Finds the scalar overload for these arguments. `lambda` is asked for the return type of the lambda at a position
/// once its parameters' types are known.
pub fn resolve_scalar(
    name: &str,
    args: &[ArgType],
    session: &Session,
    lambda: &mut dyn FnMut(usize, &[SqlType]) -> Result<SqlType>,
) -> Result<Resolved<Scalar>> {
    let typing = |function: &Scalar| (function.signatures, function.returns);
    resolve(name, find_scalar(name), typing, args, session, lambda)
}

/// Finds the aggregate overload for these arguments.
pub fn resolve_aggregate(
    name: &str,
    args: &[ArgType],
    session: &Session,
    lambda: &mut dyn FnMut(usize, &[SqlType]) -> Result<SqlType>,
) -> Result<Resolved<Aggregate>> {
    let typing = |function: &Aggregate| (function.signatures, function.returns);
    resolve(name, find_aggregate(name), typing, args, session, lambda)
}

/// What a function's types depend on: its signatures, and what it returns when these do not tell.
type Typing = (&'static [&'static str], Option<Returns>);

/// The cheapest overload among the functions of one name.
fn resolve<F>(
    name: &str,
    functions: &'static [&'static F],
    typing: impl Fn(&F) -> Typing,
    args: &[ArgType],
    session: &Session,
    lambda: &mut dyn FnMut(usize, &[SqlType]) -> Result<SqlType>,
) -> Result<Resolved<F>> {
    let mut tried = Vec::new();
    let mut best: Option<(Substitution, &'static F)> = None;
    for &function in functions {
        for text in typing(function).0 {
            let found = Signature::parse(text)?.apply(args, lambda)?;
            tried.push(*text);
            if let Some(found) = found
                && best.as_ref().is_none_or(|(b, _)| found.cost < b.cost)
            {
                best = Some((found, function));
            }
        }
    }
    let (found, function) = best.ok_or_else(|| no_overload(name, args, &tried))?;
    let return_type = match typing(function).1 {
        Some(returns) => returns(&found.arg_types, session)?,
        None => found.return_type,
    };
    Ok(Resolved { function, arg_types: found.arg_types, return_type })
}

fn no_overload(name: &str, args: &[ArgType], tried: &[&str]) -> Error {
    let given: Vec<String> = args.iter().map(ToString::to_string).collect();
    let expected: Vec<String> =
        tried.iter().take(6).map(|s| format!("{name}{}", s.split(" ->").next().unwrap_or(s))).collect();
    let given = given.join(", ");
    if let Some(operator) = name.strip_prefix('$') {
        return Error::invalid(format!("operator {operator} cannot be applied to {given}"));
    }
    Error::invalid(format!("{name} cannot be called with ({given})"))
        .why(format!("it takes {}", expected.join(" or ")))
        .hint("cast the arguments to these types: CAST(x AS …)")
}
