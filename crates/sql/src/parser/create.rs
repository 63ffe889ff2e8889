//! CREATE of databases, views and tables from queries; DROP of all of them. Hive's CREATE TABLE has its own file.

use super::Parser;
use crate::ast::{CreateDatabase, CreateTableAs, CreateView, Statement};
use model::Result;

impl Parser<'_> {
    pub(super) fn create(&mut self) -> Result<Statement> {
        self.expect("CREATE")?;
        let or_replace = self.accept_all(&["OR", "REPLACE"]);
        if self.accept("VIEW") {
            return self.create_view(or_replace);
        }
        if self.accept("PROTECTED") || self.accept("MULTI") {
            let token = self.previous();
            return self.refuse(&token, "views for several engines are not supported", "write `CREATE VIEW`");
        }
        if or_replace {
            if self.is_word_at(0, "TABLE") {
                let token = self.token(0);
                return self.refuse(
                    &token,
                    "CREATE OR REPLACE TABLE is not supported",
                    "drop the table first",
                );
            }
            return Err(self.unexpected());
        }
        if self.accept("DATABASE") || self.accept("SCHEMA") {
            return self.create_database();
        }
        if self.accept("EXTERNAL") {
            self.expect("TABLE")?;
            return self.create_table(true);
        }
        if self.accept("TABLE") {
            return self.create_table_or_as();
        }
        self.refuse_create()
    }

    fn refuse_create<T>(&mut self) -> Result<T> {
        let token = self.token(0);
        for (word, instead) in [
            ("INDEX", "partition the data by the column instead"),
            ("UNIQUE", "there are no indexes; partition the data instead"),
            ("MATERIALIZED", "write `CREATE TABLE … AS SELECT …`"),
            ("TEMPORARY", "write a WITH clause"),
            ("TEMP", "write a WITH clause"),
            ("FUNCTION", "there are no functions of one's own"),
            ("MACRO", "there are no functions of one's own"),
            ("ROLE", "permissions are not managed with SQL"),
            ("USER", "permissions are not managed with SQL"),
            ("SEQUENCE", "use `row_number() OVER ()`"),
            ("TYPE", "write the type where it is used: `row(a bigint)`"),
            ("CATALOG", "there is one catalog, `AwsDataCatalog`"),
            ("PROCEDURE", "there are no procedures"),
            ("TRIGGER", "there are no triggers"),
        ] {
            if self.is_word_at(0, word) {
                return self.refuse(&token, format!("CREATE {word} is not a statement of Athena's"), instead);
            }
        }
        Err(self.unexpected())
    }

    fn create_database(&mut self) -> Result<Statement> {
        let if_not_exists = self.accept_all(&["IF", "NOT", "EXISTS"]);
        let name = self.hive_name("a database's name")?;
        let comment = self.optional_comment()?;
        let location = if self.accept("LOCATION") { Some(self.hive_text()?) } else { None };
        let properties =
            if self.accept_all(&["WITH", "DBPROPERTIES"]) { self.properties()? } else { Vec::new() };
        Ok(Statement::CreateDatabase(Box::new(CreateDatabase {
            name,
            if_not_exists,
            comment,
            location,
            properties,
        })))
    }

    fn create_view(&mut self, or_replace: bool) -> Result<Statement> {
        let name = self.qualified_name("a view's name")?;
        let columns = if self.peek_symbol("(") {
            self.in_parentheses(|p| p.identifier("a column's name"))?
        } else {
            Vec::new()
        };
        let comment = if self.accept("COMMENT") { Some(self.plain_string()?) } else { None };
        self.expect("AS")?;
        let first = self.token(0);
        let query = self.query()?;
        if self.parameters > 0 {
            return Err(self.invalid(&first, "a view cannot have parameters"));
        }
        let text = self.text_from(&first).to_owned();
        Ok(Statement::CreateView(Box::new(CreateView { name, or_replace, columns, comment, query, text })))
    }

    /// `CREATE TABLE name`: with a query behind it, or else with columns.
    fn create_table_or_as(&mut self) -> Result<Statement> {
        let start = self.at;
        let if_not_exists = self.accept_all(&["IF", "NOT", "EXISTS"]);
        let mut ahead = 1;
        while self.is_symbol_at(ahead, ".") {
            ahead += 2;
        }
        let with_columns = self.is_symbol_at(ahead, "(") && self.columns_then_query(ahead);
        if !(self.is_word_at(ahead, "AS")
            || self.is_word_at(ahead, "WITH")
            || self.is_word_at(ahead, "COMMENT")
            || with_columns)
        {
            self.at = start;
            return self.create_table(false);
        }
        let name = self.qualified_name("a table's name")?;
        let columns = if self.peek_symbol("(") {
            self.in_parentheses(|p| p.identifier("a column's name"))?
        } else {
            Vec::new()
        };
        let comment = if self.accept("COMMENT") { Some(self.plain_string()?) } else { None };
        let options = if self.accept("WITH") { self.write_options()? } else { Default::default() };
        self.expect("AS")?;
        let query = self.query()?;
        let mut with_data = true;
        if self.accept("WITH") {
            with_data = !self.accept("NO");
            self.expect("DATA")?;
        }
        let create = CreateTableAs { name, if_not_exists, columns, comment, options, query, with_data };
        Ok(Statement::CreateTableAs(Box::new(create)))
    }

    /// Whether `(a, b)` is followed by what makes it a CTAS.
    fn columns_then_query(&self, open: usize) -> bool {
        let Some(close) = self.closing(self.at + open) else { return false };
        let mut behind = close + 1 - self.at;
        if self.is_word_at(behind, "COMMENT") {
            behind += 2;
        }
        // Names alone, not names with types.
        let bare = self.is_symbol_at(open + 2, ",") || self.is_symbol_at(open + 2, ")");
        self.is_word_at(behind, "AS")
            || (bare && self.is_word_at(behind, "WITH") && self.is_symbol_at(behind + 1, "("))
    }

    pub(super) fn drop_statement(&mut self) -> Result<Statement> {
        self.expect("DROP")?;
        if self.accept("DATABASE") || self.accept("SCHEMA") {
            let if_exists = self.accept_all(&["IF", "EXISTS"]);
            let name = self.hive_name("a database's name")?;
            let cascade = self.accept("CASCADE");
            if !cascade {
                self.accept("RESTRICT");
            }
            return Ok(Statement::DropDatabase { name, if_exists, cascade });
        }
        if self.accept("TABLE") {
            let if_exists = self.accept_all(&["IF", "EXISTS"]);
            let name = self.hive_name("a table's name")?;
            self.accept("PURGE");
            return Ok(Statement::DropTable { name, if_exists });
        }
        if self.accept("VIEW") {
            let if_exists = self.accept_all(&["IF", "EXISTS"]);
            return Ok(Statement::DropView { name: self.hive_name("a view's name")?, if_exists });
        }
        let token = self.token(0);
        for (word, instead) in [
            ("INDEX", "there are no indexes"),
            ("FUNCTION", "there are no functions of one's own"),
            ("MACRO", "there are no functions of one's own"),
            ("ROLE", "permissions are not managed with SQL"),
            ("MATERIALIZED", "there are no materialized views"),
            ("COLUMN", "write `ALTER TABLE … REPLACE COLUMNS (…)` with the columns that stay"),
            ("PREPARE", "write `DEALLOCATE PREPARE name`"),
        ] {
            if self.is_word_at(0, word) {
                return self.refuse(&token, format!("DROP {word} is not a statement of Athena's"), instead);
            }
        }
        Err(self.unexpected())
    }
}
