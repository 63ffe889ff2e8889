//! Which statement it is. What Athena does not have is refused here by name, saying what to do instead.

use super::{Parser, error::clip};
use crate::ast::{ExplainFormat, ExplainType, Statement};
use crate::text::lexer::{Kind, Lexer};
use model::{Error, Result, nearest};

/// First words of statements.
const FIRST: &[&str] = &[
    "SELECT",
    "WITH",
    "VALUES",
    "TABLE",
    "EXPLAIN",
    "PREPARE",
    "EXECUTE",
    "DEALLOCATE",
    "CREATE",
    "INSERT",
    "UNLOAD",
    "DELETE",
    "UPDATE",
    "MERGE",
    "DROP",
    "ALTER",
    "MSCK",
    "SHOW",
    "DESCRIBE",
    "DESC",
];

/// Statements of other systems, and what to do here.
const FOREIGN: &[(&str, &str)] = &[
    ("GRANT", "permissions are not managed with SQL"),
    ("REVOKE", "permissions are not managed with SQL"),
    ("DENY", "permissions are not managed with SQL"),
    ("BEGIN", "every statement is applied whole or not at all; leave transactions out"),
    ("START", "every statement is applied whole or not at all; leave transactions out"),
    ("COMMIT", "every statement is applied whole or not at all; leave transactions out"),
    ("ROLLBACK", "every statement is applied whole or not at all; leave transactions out"),
    ("TRUNCATE", "delete the objects under the table's location, or drop and create the table"),
    ("COMMENT", "set the table's `comment` property: `ALTER TABLE … SET TBLPROPERTIES ('comment' = '…')`"),
    ("LOCK", "every statement is applied whole or not at all; locks are not needed"),
    ("UNLOCK", "every statement is applied whole or not at all; locks are not needed"),
    ("ANALYZE", "statistics are read from the files; leave it out"),
    ("CALL", "there are no procedures"),
    ("SET", "sessions have no settings; say the catalog and database beside the query"),
    ("RESET", "sessions have no settings"),
    ("USE", "say the database beside the query, or before the table: `database.table`"),
    ("LOAD", "put the files under the table's location and run `MSCK REPAIR TABLE`"),
    ("COPY", "write `UNLOAD (query) TO 's3://…' WITH (format = '…')`"),
    ("EXPORT", "write `UNLOAD (query) TO 's3://…' WITH (format = '…')`"),
    ("IMPORT", "create an external table at the data's location"),
    ("OPTIMIZE", "Iceberg tables are not supported"),
    ("VACUUM", "Iceberg tables are not supported"),
    ("REFRESH", "views are computed at each query"),
    ("REPLACE", "write INSERT INTO, or MERGE"),
    ("USING", "external functions are not supported"),
    ("PRAGMA", "sessions have no settings"),
    ("ATTACH", "say the catalog before the table"),
];

impl Parser<'_> {
    /// The statement, and nothing behind it.
    pub(super) fn whole_statement(mut self) -> Result<Statement> {
        let statement = self.statement()?;
        if self.kind() == Kind::End { Ok(statement) } else { Err(self.unexpected()) }
    }

    fn statement(&mut self) -> Result<Statement> {
        let token = self.token(0);
        let first = self.piece(&token).to_ascii_uppercase();
        match first.as_str() {
            "SELECT" | "WITH" | "VALUES" | "TABLE" | "(" | "FROM" => Ok(Statement::Query(self.query()?)),
            "EXPLAIN" => self.nested(Self::explain),
            "PREPARE" => self.nested(Self::prepare),
            "EXECUTE" => self.execute(),
            "DEALLOCATE" => {
                self.at += 1;
                self.expect("PREPARE")?;
                Ok(Statement::Deallocate { name: self.identifier("a prepared statement's name")? })
            }
            "CREATE" => self.create(),
            "INSERT" => self.insert(),
            "UNLOAD" => self.unload(),
            "DELETE" => self.delete(),
            "UPDATE" => self.update(),
            "MERGE" => self.merge(),
            "DROP" => self.drop_statement(),
            "ALTER" => self.alter(),
            "MSCK" => {
                self.at += 1;
                self.expect_all(&["REPAIR", "TABLE"])?;
                Ok(Statement::MsckRepair { name: self.hive_name("a table's name")? })
            }
            "SHOW" => self.show(),
            "DESCRIBE" | "DESC" => self.describe(),
            _ => Err(self.unknown_statement(&first)),
        }
    }

    fn unknown_statement(&self, first: &str) -> Error {
        let token = self.token(0);
        if let Some((word, instead)) = FOREIGN.iter().find(|(word, _)| *word == first) {
            return Error::unsupported(format!("{word} is not a statement of Athena's"))
                .at(self.place(&token))
                .hint(*instead);
        }
        let error = Error::invalid(format!("no statement begins with `{}`", clip(self.piece(&token))))
            .at(self.place(&token));
        match nearest(first, FIRST.iter().copied()) {
            Some(word) if token.kind == Kind::Word => error.hint(format!("did you mean `{word}`?")),
            _ => error
                .why("expected `SELECT`, `WITH`, `INSERT`, `CREATE`, `ALTER`, `DROP`, `SHOW`, `DESCRIBE`, …"),
        }
    }

    fn explain(&mut self) -> Result<Statement> {
        self.expect("EXPLAIN")?;
        let analyze = self.accept("ANALYZE");
        let verbose = self.accept("VERBOSE");
        let (mut format, mut kind) = (ExplainFormat::Text, ExplainType::Distributed);
        let options =
            self.is_symbol_at(0, "(") && (self.is_word_at(1, "FORMAT") || self.is_word_at(1, "TYPE"));
        if options {
            self.in_parentheses(|p| {
                if p.accept("FORMAT") {
                    format = match p.one_of(&["TEXT", "GRAPHVIZ", "JSON"])? {
                        "TEXT" => ExplainFormat::Text,
                        "JSON" => ExplainFormat::Json,
                        _ => ExplainFormat::Graphviz,
                    };
                    return Ok(());
                }
                p.expect("TYPE")?;
                kind = match p.one_of(&["LOGICAL", "DISTRIBUTED", "VALIDATE", "IO"])? {
                    "LOGICAL" => ExplainType::Logical,
                    "VALIDATE" => ExplainType::Validate,
                    "IO" => ExplainType::Io,
                    _ => ExplainType::Distributed,
                };
                Ok(())
            })?;
        }
        self.refuse_inner("EXPLAIN", &["EXPLAIN", "PREPARE", "EXECUTE", "DEALLOCATE"])?;
        let statement = Box::new(self.statement()?);
        Ok(Statement::Explain { analyze, verbose, format, kind, statement })
    }

    /// Statements that cannot stand inside of another one.
    fn refuse_inner(&self, outer: &str, words: &[&str]) -> Result<()> {
        let token = self.token(0);
        if words.iter().any(|word| self.is_word_at(0, word)) {
            let what = format!("{outer} of {} is not possible", self.piece(&token).to_uppercase());
            return self.refuse(&token, what, "name a query or a statement that writes");
        }
        Ok(())
    }

    fn prepare(&mut self) -> Result<Statement> {
        self.expect("PREPARE")?;
        let name = self.identifier("a name for the statement")?;
        self.expect("FROM")?;
        self.refuse_inner("PREPARE", &["PREPARE", "EXECUTE", "DEALLOCATE", "EXPLAIN"])?;
        let first = self.token(0);
        let statement = Box::new(self.statement()?);
        Ok(Statement::Prepare { name, statement, text: self.text_from(&first).to_owned() })
    }

    fn execute(&mut self) -> Result<Statement> {
        self.expect("EXECUTE")?;
        if self.is_word_at(0, "IMMEDIATE") && matches!(self.token(1).kind, Kind::Text | Kind::UnicodeText) {
            self.at += 1;
            return self.execute_immediate();
        }
        let name = self.identifier("a prepared statement's name")?;
        let arguments = if self.accept("USING") { self.list(Self::expression)? } else { Vec::new() };
        Ok(Statement::Execute { name, arguments })
    }

    /// `EXECUTE IMMEDIATE 'statement' [USING value, …]`: the statement with the values in it.
    fn execute_immediate(&mut self) -> Result<Statement> {
        let token = self.token(0);
        let text = self.plain_string()?;
        let values = if self.accept("USING") { self.list(Self::expression)? } else { Vec::new() };
        let (mut tokens, ended) = super::next_statement(&mut Lexer::new(&text), &text, self.name)?;
        if !ended {
            return Err(self.invalid(&token, "only one statement can run at a time"));
        }
        // The places of the inner statement's parts are those within the string.
        for part in &mut tokens {
            for place in [&mut part.from, &mut part.to] {
                place.1 = place.1.saturating_add(if place.0 == 1 { token.from.1 } else { 0 });
                place.0 = place.0.saturating_add(token.from.0.saturating_sub(1));
            }
        }
        let mut inner = Parser::new(&text, self.name, tokens);
        let given = values.len();
        inner.values = values;
        inner.refuse_inner("EXECUTE IMMEDIATE", &["PREPARE", "EXECUTE", "DEALLOCATE"])?;
        let statement = inner.statement()?;
        if inner.kind() != Kind::End {
            return Err(inner.unexpected());
        }
        if inner.parameters as usize != given {
            let wanted = inner.parameters;
            let error = self.invalid(
                &token,
                format!("the statement has {wanted} parameters, but {given} values are given"),
            );
            return Err(error.hint("give one value behind USING for each `?`"));
        }
        Ok(statement)
    }
}
