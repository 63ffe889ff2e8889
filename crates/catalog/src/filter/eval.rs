//! Deciding in Rust, for keys that have no column in the index.

use super::{Expression, Filter, Operator};
use crate::keys::NULL;
use std::cmp::Ordering;

impl Filter {
    /// Whether a partition of these encoded values matches.
    pub(crate) fn matches(&self, values: &[String]) -> bool {
        is_true(&self.expression, values)
    }
}

fn is_true(expression: &Expression, values: &[String]) -> bool {
    // A missing value cannot be: expressions are made for the keys of this table.
    let value = |key: &usize| values.get(*key).map_or(NULL, String::as_str);
    match expression {
        Expression::All(parts) => parts.iter().all(|part| is_true(part, values)),
        Expression::Any(parts) => parts.iter().any(|part| is_true(part, values)),
        Expression::Compare { key, operator, value: literal } => {
            value(key) != NULL && operator.holds(value(key).cmp(literal))
        }
        Expression::In { key, values: list, negated } => {
            value(key) != NULL && list.iter().any(|literal| literal == value(key)) != *negated
        }
        Expression::Like { key, pattern, negated } => {
            value(key) != NULL && pattern.matches(value(key)) != *negated
        }
        Expression::Null { key, negated } => (value(key) == NULL) != *negated,
        Expression::Never => false,
    }
}

impl Operator {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}
