//! SHOW and DESCRIBE.

use super::Parser;
use crate::ast::{At, Describe, QualifiedName, Show, Statement};
use crate::text::lexer::Kind;
use model::Result;

/// What other systems show, with what to do instead.
const FOREIGN: &[(&str, &str)] = &[
    ("SESSION", "sessions have no settings"),
    ("STATS", "statistics are shown by EXPLAIN ANALYZE"),
    ("GRANTS", "permissions are not managed with SQL"),
    ("GRANT", "permissions are not managed with SQL"),
    ("ROLES", "permissions are not managed with SQL"),
    ("ROLE", "permissions are not managed with SQL"),
    ("LOCKS", "there are no locks"),
    ("INDEX", "there are no indexes"),
    ("INDEXES", "there are no indexes"),
    ("TRANSACTIONS", "there are no transactions"),
    ("COMPACTIONS", "there are no compactions"),
    ("CONF", "sessions have no settings"),
];

impl Parser<'_> {
    pub(super) fn show(&mut self) -> Result<Statement> {
        self.expect("SHOW")?;
        let show = match () {
            () if self.accept("DATABASES") || self.accept("SCHEMAS") => {
                let catalog =
                    if self.in_or_from() { Some(self.hive_identifier("a catalog's name")?) } else { None };
                Show::Databases { catalog, like: self.like_pattern()? }
            }
            () if self.accept("TABLES") => {
                Show::Tables { database: self.optional_database()?, like: self.like_pattern()? }
            }
            () if self.accept("VIEWS") => {
                Show::Views { database: self.optional_database()?, like: self.like_pattern()? }
            }
            () if self.accept("COLUMNS") => Show::Columns { table: self.shown_table()? },
            () if self.accept("PARTITIONS") => Show::Partitions { table: self.hive_name("a table's name")? },
            () if self.accept("TBLPROPERTIES") => self.show_properties()?,
            () if self.accept("CREATE") => match self.one_of(&["TABLE", "VIEW"])? {
                "TABLE" => Show::CreateTable { table: self.hive_name("a table's name")? },
                _ => Show::CreateView { view: self.hive_name("a view's name")? },
            },
            () if self.accept("FUNCTIONS") => Show::Functions { like: self.like_pattern()? },
            () if self.accept("CATALOGS") => Show::Catalogs { like: self.like_pattern()? },
            () => return self.refuse_show(),
        };
        Ok(Statement::Show(show))
    }

    fn refuse_show<T>(&self) -> Result<T> {
        let token = self.token(0);
        if let Some((word, instead)) = FOREIGN.iter().find(|(word, _)| self.is_word_at(0, word)) {
            return self.refuse(&token, format!("SHOW {word} is not supported"), instead);
        }
        Err(self.unexpected())
    }

    fn in_or_from(&mut self) -> bool {
        self.accept("IN") || self.accept("FROM")
    }

    fn optional_database(&mut self) -> Result<Option<QualifiedName>> {
        if self.in_or_from() { Ok(Some(self.hive_name("a database's name")?)) } else { Ok(None) }
    }

    /// `[LIKE] 'pattern'`
    fn like_pattern(&mut self) -> Result<Option<At<String>>> {
        if self.accept("LIKE") || matches!(self.kind(), Kind::Text | Kind::Quoted) {
            return Ok(Some(self.hive_text()?));
        }
        Ok(None)
    }

    /// `IN table [IN database]`
    fn shown_table(&mut self) -> Result<QualifiedName> {
        self.one_of(&["IN", "FROM"])?;
        let mut table = self.hive_name("a table's name")?;
        if self.in_or_from() {
            let database = self.hive_identifier("a database's name")?;
            if table.database.is_some() {
                let token = self.previous();
                return Err(self.invalid(&token, "the database is said twice"));
            }
            table.database = Some(database);
        }
        Ok(table)
    }

    fn show_properties(&mut self) -> Result<Show> {
        let table = self.hive_name("a table's name")?;
        let mut key = None;
        if self.take("(") {
            key = Some(self.hive_text()?);
            self.need(")")?;
        }
        Ok(Show::Properties { table, key })
    }

    pub(super) fn describe(&mut self) -> Result<Statement> {
        self.at += 1;
        let named = |p: &Self| p.token(1).kind != Kind::End && !p.is_symbol_at(1, ".");
        if self.is_word_at(0, "INPUT") && named(self) {
            self.at += 1;
            return Ok(Statement::DescribeInput {
                name: self.hive_identifier("a prepared statement's name")?,
            });
        }
        if self.is_word_at(0, "OUTPUT") && named(self) {
            self.at += 1;
            return Ok(Statement::DescribeOutput {
                name: self.hive_identifier("a prepared statement's name")?,
            });
        }
        let token = self.token(0);
        for word in ["DATABASE", "SCHEMA", "FUNCTION"] {
            if self.is_word_at(0, word) && named(self) {
                let hint = "write `SHOW DATABASES`, `SHOW FUNCTIONS` or `DESCRIBE table`";
                return self.refuse(&token, format!("DESCRIBE {word} is not supported"), hint);
            }
        }
        let extended = self.accept("EXTENDED");
        let formatted = !extended && self.accept("FORMATTED");
        let name = self.hive_name("a table's name")?;
        let partition = self.optional_partition()?;
        let mut column = Vec::new();
        if self.kind() != Kind::End {
            column.push(self.hive_identifier("a column's name")?);
            while self.take(".") {
                column.push(self.hive_identifier("a field's name")?);
            }
        }
        let describe = Describe { name, extended, formatted, partition, column };
        Ok(Statement::Describe(Box::new(describe)))
    }
}
