//! The statements of a script. A mistake ends its statement, not the reading: all are told in one pass.

use super::ast::{At, ColumnDef, ColumnKind, InsertDef, Place, Statement, TableDef, ViewDef, WatermarkDef};
use super::lexer::{Kind, Token, tokens, unquoted};
use super::types;
use model::{Error, Result, SourcePlace};
use sql::Source;

/// Texts above this are refused before anything is read.
const MAX_BYTES: usize = 4 << 20;

/// The statements of a script, and what is wrong with it.
pub(crate) fn parse(source: &Source) -> (Vec<Statement>, Vec<Error>) {
    if source.text.len() > MAX_BYTES {
        let text = format!("a script of {} bytes is longer than the {MAX_BYTES} allowed", source.text.len());
        return (Vec::new(), vec![Error::new(model::ErrorKind::LimitExceeded, text)]);
    }
    let mut parser = Parser { source, tokens: tokens(&source.text), at: 0 };
    let (mut statements, mut errors) = (Vec::new(), Vec::new());
    while parser.at < parser.tokens.len() {
        if parser.take(";") {
            continue;
        }
        match parser.statement() {
            Ok(Some(statement)) => statements.push(statement),
            Ok(None) => {}
            Err(error) => {
                errors.push(error);
                parser.skip();
            }
        }
    }
    (statements, errors)
}

/// The place of a part of a text, for a diagnosis.
pub(crate) fn place(source: &Source, at: &Place) -> SourcePlace {
    SourcePlace::of_bytes(source.name.clone(), &source.text, at.start, at.end)
}

pub(crate) struct Parser<'a> {
    source: &'a Source,
    tokens: Vec<Token>,
    at: usize,
}

impl<'a> Parser<'a> {
    /// A cursor over a part of a text.
    pub(crate) fn over(source: &'a Source, part: &Place) -> Self {
        let inside = |t: &Token| t.start >= part.start && t.end <= part.end;
        Self { source, tokens: tokens(&source.text).into_iter().filter(inside).collect(), at: 0 }
    }

    pub(crate) fn token(&self, ahead: usize) -> Option<Token> {
        self.tokens.get(self.at + ahead).copied()
    }

    pub(crate) fn piece(&self, token: Token) -> &'a str {
        self.source.text.get(token.start..token.end).unwrap_or("")
    }

    pub(crate) fn advance(&mut self) {
        self.at += 1;
    }

    pub(crate) fn is(&self, ahead: usize, word: &str) -> bool {
        self.token(ahead).is_some_and(|t| {
            matches!(t.kind, Kind::Word | Kind::Symbol) && self.piece(t).eq_ignore_ascii_case(word)
        })
    }

    pub(crate) fn take(&mut self, word: &str) -> bool {
        let found = self.is(0, word);
        self.at += usize::from(found);
        found
    }

    fn take_all(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(ahead, word)| self.is(ahead, word));
        if found {
            self.at += words.len();
        }
        found
    }

    pub(crate) fn need(&mut self, word: &str) -> Result<()> {
        if self.take(word) { Ok(()) } else { Err(self.unexpected(&format!("`{word}`"))) }
    }

    /// What was wanted, and what stands there instead.
    pub(crate) fn unexpected(&self, wanted: &str) -> Error {
        match self.token(0) {
            Some(t) if t.kind == Kind::Open => Error::invalid("a string, name or comment is never closed")
                .at(place(self.source, &(t.start..t.start + 1))),
            Some(t) => Error::invalid(format!("expected {wanted}, found `{}`", self.piece(t)))
                .at(place(self.source, &(t.start..t.end))),
            None => {
                let end = self.tokens.last().map_or(self.source.text.len(), |t| t.end);
                Error::invalid(format!("expected {wanted}, but the text ends"))
                    .at(place(self.source, &(end..end)))
            }
        }
    }

    fn fail(&self, at: &Place, error: Error) -> Error {
        error.at_if_unknown(|| place(self.source, at).into())
    }

    pub(crate) fn name(&mut self, what: &str) -> Result<At<String>> {
        match self.token(0) {
            Some(t) if matches!(t.kind, Kind::Word | Kind::Quoted) => {
                self.at += 1;
                Ok(At { value: unquoted(self.piece(t)), at: t.start..t.end })
            }
            _ => Err(self.unexpected(what)),
        }
    }

    fn text(&mut self, what: &str) -> Result<At<String>> {
        match self.token(0) {
            Some(t) if t.kind == Kind::Text => {
                self.at += 1;
                Ok(At { value: unquoted(self.piece(t)), at: t.start..t.end })
            }
            _ => Err(self.unexpected(what)),
        }
    }

    fn names(&mut self, what: &str) -> Result<Vec<At<String>>> {
        self.need("(")?;
        let mut all = vec![self.name(what)?];
        while self.take(",") {
            all.push(self.name(what)?);
        }
        self.need(")")?;
        Ok(all)
    }

    /// To the end of the statement.
    fn skip(&mut self) {
        while self.token(0).is_some() && !self.is(0, ";") {
            self.at += 1;
        }
    }

    /// What stands up to the end of the statement.
    fn rest(&mut self, what: &str) -> Result<Place> {
        let Some(first) = self.token(0).filter(|_| !self.is(0, ";")) else {
            return Err(self.unexpected(what));
        };
        let mut end = first.end;
        while let Some(t) = self.token(0) {
            if self.is(0, ";") {
                break;
            }
            if t.kind == Kind::Open {
                return Err(self.unexpected(what));
            }
            end = t.end;
            self.at += 1;
        }
        Ok(first.start..end)
    }

    /// What stands up to a comma or closing bracket of this level.
    pub(crate) fn element(&mut self, what: &str) -> Result<Place> {
        let first = self.token(0).ok_or_else(|| self.unexpected(what))?;
        let (mut depth, mut end) = (0_i32, first.start);
        while let Some(t) = self.token(0) {
            let piece = self.piece(t);
            if t.kind == Kind::Open || (depth == 0 && matches!(piece, "," | ")" | ";")) {
                break;
            }
            depth += match piece {
                "(" | "<" => 1,
                ")" | ">" => -1,
                _ => 0,
            };
            end = t.end;
            self.at += 1;
        }
        if end == first.start { Err(self.unexpected(what)) } else { Ok(first.start..end) }
    }

    fn statement(&mut self) -> Result<Option<Statement>> {
        if self.take_all(&["EXECUTE", "STATEMENT", "SET"]) || self.take_all(&["BEGIN", "STATEMENT", "SET"]) {
            self.take("BEGIN");
            return Ok(None);
        }
        if self.take("END") {
            return self.ends().map(|()| None);
        }
        if self.take("SET") {
            let key = self.text("a key in quotes, as in SET 'execution.checkpointing.interval' = '10 s'")?;
            self.need("=")?;
            let value = self.text("a value in quotes")?;
            self.ends()?;
            return Ok(Some(Statement::Set { key, value }));
        }
        if self.is(0, "CREATE") {
            return self.create().map(Some);
        }
        if self.is(0, "INSERT") || self.take("EXECUTE") {
            return self.insert().map(|i| Some(Statement::Insert(i)));
        }
        if self.take_all(&["DROP", "TABLE", "IF", "EXISTS"])
            || self.take_all(&["DROP", "VIEW", "IF", "EXISTS"])
        {
            self.skip();
            return Ok(None);
        }
        let found = self.token(0).map_or(0..0, |t| t.start..t.end);
        let error = if self.is(0, "SELECT") || self.is(0, "WITH") {
            Error::unsupported("an application does not answer queries")
                .hint("write INSERT INTO a table; one WITH ('connector' = 'print') shows its rows")
        } else {
            let word = self.token(0).map_or("", |t| self.piece(t));
            Error::unsupported(format!("a script has no statement that begins with `{word}`"))
                .hint("statements are SET, CREATE TABLE, CREATE VIEW, INSERT INTO, EXECUTE STATEMENT SET BEGIN … END")
        };
        Err(self.fail(&found, error))
    }

    fn ends(&mut self) -> Result<()> {
        match self.token(0) {
            None => Ok(()),
            Some(_) if self.is(0, ";") => Ok(()),
            Some(_) => Err(self.unexpected("`;`")),
        }
    }

    fn create(&mut self) -> Result<Statement> {
        self.advance();
        let temporary = self.take("TEMPORARY");
        if self.take("VIEW") {
            self.take_all(&["IF", "NOT", "EXISTS"]);
            let name = self.name("the view's name")?;
            let columns = if self.is(0, "(") { self.names("a column's name")? } else { Vec::new() };
            self.need("AS")?;
            let query = self.rest("a query")?;
            return Ok(Statement::View(ViewDef { name, columns, query }));
        }
        if !self.take("TABLE") {
            let wanted =
                if temporary { "TABLE or VIEW" } else { "TABLE, VIEW, TEMPORARY TABLE or TEMPORARY VIEW" };
            return Err(self.unexpected(wanted));
        }
        self.take_all(&["IF", "NOT", "EXISTS"]);
        let name = self.name("the table's name")?;
        if self.is(0, ".") {
            return Err(self.unexpected("`(`: a script's tables have names of one part"));
        }
        let mut table = TableDef {
            name,
            columns: Vec::new(),
            watermark: None,
            partitioned_by: Vec::new(),
            options: Vec::new(),
        };
        self.need("(")?;
        loop {
            self.element_of(&mut table)?;
            if !self.take(",") {
                break;
            }
        }
        self.need(")")?;
        if self.take("COMMENT") {
            self.text("a comment in quotes")?;
        }
        if self.take_all(&["PARTITIONED", "BY"]) {
            table.partitioned_by = self.names("a column's name")?;
        }
        self.need("WITH")?;
        self.need("(")?;
        loop {
            let key = self.text("an option in quotes, as in 'connector' = 'kinesis'")?;
            self.need("=")?;
            let value = self.text("a value in quotes")?;
            if table.options.iter().any(|(known, _)| known.value == key.value) {
                let error = Error::invalid(format!("the option '{}' stands there twice", key.value));
                return Err(self.fail(&key.at, error));
            }
            table.options.push((key, value));
            if !self.take(",") {
                break;
            }
        }
        self.need(")")?;
        self.ends()?;
        Ok(Statement::Table(table))
    }

    /// One of the things between the brackets of CREATE TABLE.
    fn element_of(&mut self, table: &mut TableDef) -> Result<()> {
        if self.is(0, "WATERMARK") && self.is(1, "FOR") {
            let first = self.token(0).map_or(0..0, |t| t.start..t.end);
            self.at += 2;
            let column = self.name("the event-time column")?;
            self.need("AS")?;
            let expr = self.element("an expression, as in ts - INTERVAL '5' SECOND")?;
            if table.watermark.replace(WatermarkDef { column, expr }).is_some() {
                return Err(self.fail(&first, Error::invalid("a table has one watermark")));
            }
            return Ok(());
        }
        if (self.is(0, "PRIMARY") && self.is(1, "KEY")) || self.is(0, "CONSTRAINT") {
            let error = Error::unsupported("primary keys are not supported")
                .why("windows and appends never change a row that was written")
                .hint("leave the constraint out");
            return Err(self.unexpected_as(error));
        }
        let name = self.name("a column's name")?;
        if table.columns.iter().any(|c| c.name.value.eq_ignore_ascii_case(&name.value)) {
            let error = Error::invalid(format!("the column `{}` stands there twice", name.value));
            return Err(self.fail(&name.at, error));
        }
        let kind = if self.take("AS") {
            let expr = self.element("an expression")?;
            ColumnKind::Computed(self.without_comment(expr))
        } else {
            let start = self.at;
            self.type_end();
            let (Some(first), Some(last)) =
                (self.tokens.get(start), self.tokens.get(self.at.wrapping_sub(1)))
            else {
                return Err(self.unexpected("a type"));
            };
            if self.at == start {
                return Err(self.unexpected("a type"));
            }
            let at = first.start..last.end;
            let text = self.source.text.get(at.clone()).unwrap_or("");
            let sql_type = types::parse(text).map_err(|e| self.fail(&at, e))?;
            if self.take("METADATA") {
                let key =
                    if self.take("FROM") { self.text("a metadata key in quotes")? } else { name.clone() };
                self.take("VIRTUAL");
                ColumnKind::Metadata { sql_type, key }
            } else {
                ColumnKind::Physical(sql_type)
            }
        };
        if self.take("COMMENT") {
            self.text("a comment in quotes")?;
        }
        table.columns.push(ColumnDef { name, kind });
        Ok(())
    }

    /// Moves behind a type.
    fn type_end(&mut self) {
        let mut depth = 0_i32;
        while let Some(t) = self.token(0) {
            let piece = self.piece(t);
            let ends = matches!(piece, "," | ")" | ";")
                || (t.kind == Kind::Word
                    && ["METADATA", "COMMENT", "PRIMARY"].iter().any(|w| piece.eq_ignore_ascii_case(w)));
            if t.kind == Kind::Open || (depth == 0 && ends) {
                return;
            }
            depth += match piece {
                "(" | "<" => 1,
                ")" | ">" => -1,
                _ => 0,
            };
            self.at += 1;
        }
    }

    /// A computed column's expression ends before its comment.
    fn without_comment(&self, expr: Place) -> Place {
        let inside: Vec<&Token> =
            self.tokens.iter().filter(|t| t.start >= expr.start && t.end <= expr.end).collect();
        match inside.as_slice() {
            [.., before, word, text]
                if text.kind == Kind::Text && self.piece(**word).eq_ignore_ascii_case("COMMENT") =>
            {
                expr.start..before.end
            }
            _ => expr,
        }
    }

    fn unexpected_as(&self, error: Error) -> Error {
        self.fail(&self.token(0).map_or(0..0, |t| t.start..t.end), error)
    }

    fn insert(&mut self) -> Result<InsertDef> {
        self.need("INSERT")?;
        if self.is(0, "OVERWRITE") {
            let error = Error::unsupported("INSERT OVERWRITE is not possible in a stream application")
                .hint("write INSERT INTO");
            return Err(self.unexpected_as(error));
        }
        self.need("INTO")?;
        let first = self.name("a table's name")?;
        let mut table = At { at: first.at.clone(), value: vec![first.value] };
        while self.take(".") {
            let next = self.name("a table's name")?;
            table.at.end = next.at.end;
            table.value.push(next.value);
        }
        if self.is(0, "PARTITION") {
            let error = Error::unsupported("PARTITION in INSERT is not supported")
                .hint("select the partition's values as columns");
            return Err(self.unexpected_as(error));
        }
        // `INSERT INTO t (a, b) SELECT`, or a query in brackets.
        let named = self.is(0, "(") && !self.is(1, "SELECT") && !self.is(1, "WITH") && !self.is(1, "(");
        let columns = if named { self.names("a column's name")? } else { Vec::new() };
        let query = self.rest("a query")?;
        Ok(InsertDef { table, columns, query })
    }
}
