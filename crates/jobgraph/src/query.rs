//! Small pieces of Trino's SQL from which the nodes' queries are put together.

use crate::columns::{Columns, same_name};
use crate::fields::ColumnPath;
use sql::{quote_ident, quote_string};

/// A column, or a field inside of one: `"a"."b"`.
pub(crate) fn path(path: &ColumnPath) -> String {
    path.parts.iter().map(|part| quote_ident(part)).collect::<Vec<_>>().join(".")
}

/// Names with commas between them.
pub(crate) fn list<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    names.into_iter().map(|name| quote_ident(name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// `SELECT items FROM relation`
pub(crate) fn select(items: &[String], relation: &str) -> String {
    format!("SELECT {} FROM {}", items.join(", "), quote_ident(relation))
}

/// All columns, with one replaced in its place, or added at the end.
pub(crate) fn with_column(columns: &Columns, name: &str, expr: &str) -> Vec<String> {
    let item = format!("{expr} AS {}", quote_ident(name));
    let mut items: Vec<String> = columns
        .names()
        .map(|known| if same_name(known, name) { item.clone() } else { quote_ident(known) })
        .collect();
    if columns.find(name).is_none() {
        items.push(item);
    }
    items
}

/// A number as it is, anything else as a string: how a constant is written where its column's type is not known.
pub(crate) fn constant_by_look(text: &str) -> String {
    let looks_numeric = text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && text.parse::<f64>().is_ok_and(f64::is_finite)
        && !text.contains(['e', 'E', 'n', 'N']);
    if looks_numeric { text.to_owned() } else { quote_string(text) }
}
