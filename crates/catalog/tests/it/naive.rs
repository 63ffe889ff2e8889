//! Filters as a reader of the SQL standard would evaluate them, value by value with three-valued logic, and random ones
//! to compare with. Knows nothing of how the catalog does it.

use proptest::prelude::*;

/// A row: a text key, a whole-number key, a date key; none is null.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) text: Option<String>,
    pub(crate) number: Option<i64>,
    pub(crate) date: Option<u8>,
}

#[derive(Debug, Clone)]
pub(crate) enum Expr {
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Text(&'static str, Option<String>),
    Number(&'static str, Option<i64>),
    /// The literal on the left.
    Turned(&'static str, i64),
    Date(&'static str, u8),
    TextIn(bool, Vec<Option<String>>),
    NumberIn(bool, Vec<Option<i64>>),
    Between(bool, i64, i64),
    Like(bool, String),
    Null(bool, u8),
}

pub(crate) const OPERATORS: [&str; 7] = ["=", "<>", "!=", "<", "<=", ">", ">="];

/// Days of June 2020 stand for dates.
pub(crate) fn date_text(day: u8) -> String {
    format!("2020-06-{day:02}")
}

fn compare<T: Ord>(operator: &str, left: Option<T>, right: Option<T>) -> Option<bool> {
    let ordering = left?.cmp(&right?);
    Some(match operator {
        "=" => ordering.is_eq(),
        "<>" | "!=" => ordering.is_ne(),
        "<" => ordering.is_lt(),
        "<=" => ordering.is_le(),
        ">" => ordering.is_gt(),
        _ => ordering.is_ge(),
    })
}

fn and(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn not(value: Option<bool>) -> Option<bool> {
    value.map(|value| !value)
}

fn is_in<T: Ord + Clone>(value: Option<T>, list: &[Option<T>]) -> Option<bool> {
    let mut answer = Some(false);
    for item in list {
        let equal = compare("=", value.clone(), item.clone());
        answer = not(and(not(answer), not(equal)));
    }
    answer
}

fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|skip| like(&text[skip..], rest)),
        Some((wanted, rest)) => match text.split_first() {
            Some((first, others)) => (*wanted == '_' || first == wanted) && like(others, rest),
            None => false,
        },
    }
}

impl Expr {
    pub(crate) fn eval(&self, row: &Row) -> Option<bool> {
        let turn = |negated: bool, value: Option<bool>| if negated { not(value) } else { value };
        match self {
            Self::And(a, b) => and(a.eval(row), b.eval(row)),
            Self::Or(a, b) => not(and(not(a.eval(row)), not(b.eval(row)))),
            Self::Not(a) => not(a.eval(row)),
            Self::Text(op, value) => compare(op, row.text.clone(), value.clone()),
            Self::Number(op, value) => compare(op, row.number, *value),
            Self::Turned(op, value) => compare(op, Some(*value), row.number),
            Self::Date(op, day) => compare(op, row.date, Some(*day)),
            Self::TextIn(negated, list) => turn(*negated, is_in(row.text.clone(), list)),
            Self::NumberIn(negated, list) => turn(*negated, is_in(row.number, list)),
            Self::Between(negated, low, high) => {
                let within =
                    and(compare(">=", row.number, Some(*low)), compare("<=", row.number, Some(*high)));
                turn(*negated, within)
            }
            Self::Like(negated, pattern) => {
                let pattern: Vec<char> = pattern.chars().collect();
                let matches = row.text.as_ref().map(|text| like(&text.chars().collect::<Vec<_>>(), &pattern));
                turn(*negated, matches)
            }
            Self::Null(negated, key) => {
                let is_null = match key {
                    0 => row.text.is_none(),
                    1 => row.number.is_none(),
                    _ => row.date.is_none(),
                };
                Some(is_null != *negated)
            }
        }
    }

    pub(crate) fn text(&self) -> String {
        let not = |negated: &bool| if *negated { "NOT " } else { "" };
        let quoted = |text: &Option<String>| match text {
            Some(text) => format!("'{}'", text.replace('\'', "''")),
            None => "NULL".to_owned(),
        };
        let number = |number: &Option<i64>| number.map_or("null".to_owned(), |n| n.to_string());
        match self {
            Self::And(a, b) => format!("({} AND {})", a.text(), b.text()),
            Self::Or(a, b) => format!("({} or {})", a.text(), b.text()),
            Self::Not(a) => format!("NOT ({})", a.text()),
            Self::Text(op, value) => format!("\"S\" {op} {}", quoted(value)),
            Self::Number(op, value) => format!("n{op}{}", number(value)),
            Self::Turned(op, value) => format!("{value} {op} N"),
            Self::Date(op, day) => format!("d {op} date '{}'", date_text(*day)),
            Self::TextIn(negated, list) => {
                format!("s {}IN ({})", not(negated), list.iter().map(quoted).collect::<Vec<_>>().join(", "))
            }
            Self::NumberIn(negated, list) => {
                format!("`n` {}in ({})", not(negated), list.iter().map(number).collect::<Vec<_>>().join(","))
            }
            Self::Between(negated, low, high) => format!("n {}BETWEEN {low} AND {high}", not(negated)),
            Self::Like(negated, pattern) => {
                format!("s {}LIKE {}", not(negated), quoted(&Some(pattern.clone())))
            }
            Self::Null(negated, key) => {
                format!("{} IS {}NULL", ["s", "n", "d"][usize::from(*key)], not(negated))
            }
        }
    }
}

/// Few characters, so that texts meet patterns; among them those that SQL's and GLOB's patterns treat specially.
const TEXTS: &str = "[abA*\\[\\]?'\\\\é]{1,3}";
const PATTERNS: &str = "[abA*\\[?%_%_\\\\é]{0,4}";

pub(crate) fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (
        prop::option::weighted(0.85, TEXTS),
        prop::option::weighted(0.85, -12i64..130),
        prop::option::weighted(0.85, 1u8..=30),
    );
    let row = row.prop_map(|(text, number, date)| Row { text, number, date });
    prop::collection::btree_set(row, 1..40).prop_map(|rows| rows.into_iter().collect())
}

pub(crate) fn expressions() -> impl Strategy<Value = Vec<Expr>> {
    let operator = || prop::sample::select(&OPERATORS[..]);
    let number = || prop_oneof![Just(-2i64), Just(0), Just(9), Just(10), Just(100), -15i64..130];
    let leaf = prop_oneof![
        (operator(), prop::option::weighted(0.9, TEXTS)).prop_map(|(op, text)| Expr::Text(op, text)),
        (operator(), prop::option::weighted(0.9, number())).prop_map(|(op, n)| Expr::Number(op, n)),
        (operator(), number()).prop_map(|(op, n)| Expr::Turned(op, n)),
        (operator(), 1u8..=30).prop_map(|(op, day)| Expr::Date(op, day)),
        (any::<bool>(), prop::collection::vec(prop::option::weighted(0.9, TEXTS), 1..5))
            .prop_map(|(negated, list)| Expr::TextIn(negated, list)),
        (any::<bool>(), prop::collection::vec(prop::option::weighted(0.9, number()), 1..5))
            .prop_map(|(negated, list)| Expr::NumberIn(negated, list)),
        (any::<bool>(), number(), number())
            .prop_map(|(negated, low, high)| Expr::Between(negated, low, high)),
        (any::<bool>(), PATTERNS).prop_map(|(negated, pattern)| Expr::Like(negated, pattern)),
        (any::<bool>(), 0u8..3).prop_map(|(negated, key)| Expr::Null(negated, key)),
    ];
    let expression = leaf.prop_recursive(4, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Expr::And(Box::new(a), Box::new(b))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Expr::Or(Box::new(a), Box::new(b))),
            inner.prop_map(|a| Expr::Not(Box::new(a))),
        ]
    });
    prop::collection::vec(expression, 20)
}
