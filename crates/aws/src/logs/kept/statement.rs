//! Statements that are put together from what was asked.

use sqlx::AssertSqlSafe;
use sqlx::query::Query;

/// A statement with what is bound to it.
pub(super) type AnyQuery = Query<'static, sqlx::Any, sqlx::any::AnyArguments>;

enum Bound {
    Text(String),
    Number(i64),
}

/// The conditions of a statement, and the values that are bound to it.
#[derive(Default)]
pub(super) struct Conditions {
    all: Vec<String>,
    bound: Vec<Bound>,
}

impl Conditions {
    /// Binds a text; gives its name in the statement.
    pub(super) fn text(&mut self, text: &str) -> String {
        self.bind(Bound::Text(text.to_owned()))
    }

    /// The same for a number.
    pub(super) fn number(&mut self, number: i64) -> String {
        self.bind(Bound::Number(number))
    }

    fn bind(&mut self, bound: Bound) -> String {
        self.bound.push(bound);
        format!("${}", self.bound.len())
    }

    /// Adds a condition.
    pub(super) fn also(&mut self, condition: String) {
        self.all.push(condition);
    }

    /// Only texts that begin so: as a range, which an index finds.
    pub(super) fn begins(&mut self, column: &str, prefix: &str) {
        let first = self.text(prefix);
        self.also(format!("{column} >= {first}"));
        if let Some(behind) = behind(prefix) {
            let end = self.text(&behind);
            self.also(format!("{column} < {end}"));
        }
    }

    /// The statement: what is selected, the conditions, and the order.
    pub(super) fn query(self, select: &str, order: &str) -> AnyQuery {
        let filter = match self.all.is_empty() {
            true => String::new(),
            false => format!("WHERE {}", self.all.join(" AND ")),
        };
        let mut query: AnyQuery = sqlx::query(AssertSqlSafe(format!("{select} {filter} {order}")));
        for bound in self.bound {
            query = match bound {
                Bound::Text(text) => query.bind(text),
                Bound::Number(number) => query.bind(number),
            };
        }
        query
    }
}

/// The first text behind all those that begin so, by their bytes; none where nothing comes behind them.
fn behind(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_behind_a_prefix() {
        for (prefix, next) in [
            ("", None),
            ("a", Some("b")),
            ("ab/", Some("ab0")),
            ("a\u{d7ff}", Some("a\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
        ] {
            assert_eq!(behind(prefix).as_deref(), next, "{prefix}");
        }
    }
}
