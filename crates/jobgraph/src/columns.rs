//! The columns of a node's rows: names and SQL types.

use model::Schema;
use sql::SqlType;
use std::fmt;

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name as the data has it; names compare without regard to case.
    pub name: String,
    /// Its type.
    pub sql_type: SqlType,
}

/// The columns of a relation, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns(Vec<Column>);

impl Columns {
    /// These columns.
    pub fn new(columns: Vec<Column>) -> Self {
        Self(columns)
    }

    /// The columns of a catalog table or a file.
    pub fn from_schema(schema: &Schema) -> Self {
        let column =
            |c: &model::Column| Column { name: c.name.clone(), sql_type: SqlType::from_hive(&c.hive_type) };
        Self(schema.columns.iter().map(column).collect())
    }

    /// The column of that name, without regard to case.
    pub fn find(&self, name: &str) -> Option<&Column> {
        self.0.iter().find(|column| same_name(&column.name, name))
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Column> {
        self.0.iter()
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|column| column.name.as_str())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn push(&mut self, name: impl Into<String>, sql_type: SqlType) {
        self.0.push(Column { name: name.into(), sql_type });
    }
}

impl<N: Into<String>> FromIterator<(N, SqlType)> for Columns {
    fn from_iter<I: IntoIterator<Item = (N, SqlType)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, sql_type)| Column { name: name.into(), sql_type }).collect())
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, column) in self.0.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{} {}", column.name, column.sql_type)?;
        }
        Ok(())
    }
}

/// Whether two names mean one column.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || a.to_lowercase() == b.to_lowercase()
}
