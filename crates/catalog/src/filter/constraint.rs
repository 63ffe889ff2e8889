//! What a filter says of one key alone: the few values it can have, or limits. From this the way through the index is
//! chosen; the filter itself still decides.

use super::{Expression, Filter, Operator, like};
use crate::keys::NULL;
use std::collections::BTreeSet;

/// What must hold for one key in every partition that the filter leaves.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constraint {
    /// It has one of these encoded values; null is among them where it may be null.
    Points(Vec<String>),
    /// It is not null and within these limits: an SQL operator and an encoded value each.
    Limits(Vec<(&'static str, String)>),
    /// Nothing that an index could use.
    Free,
}

impl Filter {
    /// What the filter says of that key.
    pub(crate) fn constraint(&self, key: usize) -> Constraint {
        if let Some(points) = points(&self.expression, key) {
            return Constraint::Points(points.into_iter().collect());
        }
        let mut limits = Vec::new();
        collect_limits(&self.expression, key, &mut limits);
        if limits.is_empty() { Constraint::Free } else { Constraint::Limits(limits) }
    }
}

/// The values that the key can have. None when it could have any.
fn points(expression: &Expression, wanted: usize) -> Option<BTreeSet<String>> {
    match expression {
        Expression::All(parts) => parts
            .iter()
            .filter_map(|part| points(part, wanted))
            .reduce(|some, others| some.intersection(&others).cloned().collect()),
        Expression::Any(parts) => {
            let sets: Option<Vec<_>> = parts.iter().map(|part| points(part, wanted)).collect();
            Some(sets?.into_iter().flatten().collect())
        }
        Expression::Compare { key, operator: Operator::Equal, value } if *key == wanted => {
            Some(BTreeSet::from([value.clone()]))
        }
        Expression::In { key, values, negated: false } if *key == wanted => {
            Some(values.iter().cloned().collect())
        }
        Expression::Like { key, pattern, negated: false } if *key == wanted && pattern.is_plain() => {
            Some(BTreeSet::from([pattern.prefix()]))
        }
        Expression::Null { key, negated: false } if *key == wanted => Some(BTreeSet::from([NULL.to_owned()])),
        Expression::Never => Some(BTreeSet::new()),
        _ => None,
    }
}

/// Limits that hold in every case: those of parts that must all be true.
fn collect_limits(expression: &Expression, wanted: usize, limits: &mut Vec<(&'static str, String)>) {
    match expression {
        Expression::All(parts) => parts.iter().for_each(|part| collect_limits(part, wanted, limits)),
        Expression::Compare { key, operator, value }
            if *key == wanted && !matches!(operator, Operator::Equal | Operator::NotEqual) =>
        {
            limits.push((operator.as_sql(), value.clone()));
        }
        Expression::Like { key, pattern, negated: false } if *key == wanted => {
            let prefix = pattern.prefix();
            if !prefix.is_empty() {
                limits.extend(like::behind(&prefix).map(|behind| ("<", behind)));
                limits.push((">=", prefix));
            }
        }
        _ => {}
    }
}
