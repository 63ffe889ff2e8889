//! The filter as a condition on the index columns. Keys without a column make it weaker: then the rows that it lets
//! through are looked at once more in Rust.

use super::like::{self, Pattern};
use super::{Expression, Filter};
use state::Dialect;

/// A condition with its binds.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    /// `TRUE` at worst.
    pub(crate) sql: String,
    /// Texts for the placeholders, in order.
    pub(crate) binds: Vec<String>,
    /// Whether it says all that the filter says.
    pub(crate) is_exact: bool,
}

struct Writer {
    dialect: Dialect,
    columns: usize,
    first: usize,
    binds: Vec<String>,
    is_exact: bool,
}

impl Filter {
    /// The condition on `k0` to `k(columns - 1)`; its placeholders are numbered from `first` on.
    pub(crate) fn condition(&self, dialect: Dialect, columns: usize, first: usize) -> Condition {
        let mut writer = Writer { dialect, columns, first, binds: Vec::new(), is_exact: true };
        let sql = writer.write(&self.expression).unwrap_or_else(|| "1 = 1".to_owned());
        Condition { sql, binds: writer.binds, is_exact: writer.is_exact }
    }
}

impl Writer {
    fn bind(&mut self, value: String) -> String {
        self.binds.push(value);
        format!("${}", self.first + self.binds.len() - 1)
    }

    /// None for what the columns cannot say: then anything may be true.
    fn write(&mut self, expression: &Expression) -> Option<String> {
        match expression {
            Expression::All(parts) => {
                let parts: Vec<String> = parts.iter().filter_map(|part| self.write(part)).collect();
                if parts.is_empty() { None } else { Some(format!("({})", parts.join(" AND "))) }
            }
            Expression::Any(parts) => {
                let binds = self.binds.len();
                let written: Option<Vec<String>> = parts.iter().map(|part| self.write(part)).collect();
                if written.is_none() {
                    self.binds.truncate(binds);
                }
                Some(format!("({})", written?.join(" OR ")))
            }
            Expression::Never => Some("1 = 0".to_owned()),
            Expression::Compare { key, .. }
            | Expression::In { key, .. }
            | Expression::Like { key, .. }
            | Expression::Null { key, .. }
                if *key >= self.columns =>
            {
                self.is_exact = false;
                None
            }
            Expression::Null { key, negated } => {
                Some(format!("k{key} {} ''", if *negated { "<>" } else { "=" }))
            }
            Expression::Compare { key, operator, value } => {
                let bind = self.bind(value.clone());
                Some(format!("(k{key} {} {bind} AND k{key} <> '')", operator.as_sql()))
            }
            Expression::In { key, values, negated } => {
                let binds: Vec<String> = values.iter().map(|value| self.bind(value.clone())).collect();
                let not = if *negated { "NOT " } else { "" };
                Some(format!("(k{key} {not}IN ({}) AND k{key} <> '')", binds.join(", ")))
            }
            Expression::Like { key, pattern, negated } => Some(self.like(*key, pattern, *negated)),
        }
    }

    fn like(&mut self, key: usize, pattern: &Pattern, negated: bool) -> String {
        if pattern.is_plain() {
            let bind = self.bind(pattern.prefix());
            let operator = if negated { "<>" } else { "=" };
            return format!("(k{key} {operator} {bind} AND k{key} <> '')");
        }
        let range = self.prefix_range(key, &pattern.prefix(), negated);
        if pattern.is_prefix() && !negated {
            return format!("({range}k{key} <> '')");
        }
        let not = if negated { "NOT " } else { "" };
        let matching = match self.dialect {
            Dialect::Sqlite => format!("k{key} {not}GLOB {}", self.bind(pattern.as_glob())),
            Dialect::Postgres => format!("k{key} {not}LIKE {} ESCAPE '\\'", self.bind(pattern.as_like())),
        };
        format!("({range}{matching} AND k{key} <> '')")
    }

    /// The range of texts with that beginning, which an index can answer.
    fn prefix_range(&mut self, key: usize, prefix: &str, negated: bool) -> String {
        if prefix.is_empty() || negated {
            return String::new();
        }
        let low = self.bind(prefix.to_owned());
        match like::behind(prefix) {
            Some(behind) => {
                let high = self.bind(behind);
                format!("k{key} >= {low} AND k{key} < {high} AND ")
            }
            None => format!("k{key} >= {low} AND "),
        }
    }
}
