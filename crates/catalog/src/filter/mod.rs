//! Filter expressions on partition keys: `year = 2020 AND month IN (6, 7) AND NOT (day IS NULL)`.
//!
//! In comes the text and the table's keys; out goes a tree whose literals are encoded as key values are, so that one
//! comparison of texts serves SQL and Rust alike. Mistakes are answered with their place in the expression.
//! Three-valued logic as in SQL: negations are pushed down to the comparisons, and a comparison with null is never true.

mod constraint;
mod eval;
mod lexer;
mod like;
mod literal;
mod parser;
mod sql;

pub(crate) use constraint::Constraint;
pub(crate) use sql::Condition;

use crate::keys::Key;
use like::Pattern;
use model::Result;

/// A filter, checked against a table's keys.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    expression: Expression,
}

/// What must be true. Negation is part of the comparisons.
#[derive(Debug, Clone, PartialEq)]
enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Compare {
        key: usize,
        operator: Operator,
        value: String,
    },
    In {
        key: usize,
        values: Vec<String>,
        negated: bool,
    },
    Like {
        key: usize,
        pattern: Pattern,
        negated: bool,
    },
    Null {
        key: usize,
        negated: bool,
    },
    /// A comparison with null: unknown, whether negated or not.
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Filter {
    /// Reads an expression. None when it is empty: everything matches.
    pub(crate) fn parse(text: &str, keys: &[Key]) -> Result<Option<Self>> {
        Ok(parser::parse(text, keys)?.map(|expression| Self { expression }))
    }
}

impl Expression {
    /// What is true exactly when this is false (and not unknown).
    fn negate(self) -> Self {
        match self {
            Self::All(parts) => Self::Any(parts.into_iter().map(Self::negate).collect()),
            Self::Any(parts) => Self::All(parts.into_iter().map(Self::negate).collect()),
            Self::Compare { key, operator, value } => {
                Self::Compare { key, operator: operator.negate(), value }
            }
            Self::In { key, values, negated } => Self::In { key, values, negated: !negated },
            Self::Like { key, pattern, negated } => Self::Like { key, pattern, negated: !negated },
            Self::Null { key, negated } => Self::Null { key, negated: !negated },
            Self::Never => Self::Never,
        }
    }
}

impl Operator {
    fn negate(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    /// The operator with its sides exchanged: `5 < k` is `k > 5`.
    fn turn_around(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    fn as_sql(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}
