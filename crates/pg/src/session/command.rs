//! What a statement asks for: something of the session, a question about the catalog, or the engine.

use super::copying::{CopyFormat, copy_format};
use super::modes::{Modes, two_phases};
use super::setting::shown_setting;
use super::traced;
use crate::fault::{Fault, SOURCE};
use crate::introspect;
use crate::text::{Facts, Kind, Token, Translated, translate, type_name};
use sql::Statement;
use state::TraceContext;
use std::sync::Arc;

/// A statement, understood as far as that goes without running it.
#[derive(Debug)]
pub(super) enum Command {
    /// With the word of its end.
    Begin {
        modes: Modes,
        tag: &'static str,
    },
    /// Modes of the block, or of all blocks to come.
    Characteristics {
        modes: Modes,
        session: bool,
    },
    /// Whether the next block begins at once.
    Commit {
        chain: bool,
    },
    Rollback {
        chain: bool,
    },
    /// Nothing is written that could be taken back, but settings and cursors are.
    Savepoint(String),
    Release(String),
    RollbackTo(String),
    /// A setting and its new value; none is its default.
    Set {
        name: String,
        value: Option<String>,
        /// Whether it is for the block alone.
        local: bool,
    },
    Reset(String),
    ResetAll,
    DiscardAll,
    Declare {
        name: String,
        hold: bool,
        query: Arc<Query>,
    },
    Fetch {
        name: String,
        count: usize,
        moves: bool,
    },
    /// A cursor, or all of them.
    CloseCursor(Option<String>),
    Prepare {
        name: String,
        types: Vec<u32>,
        query: Arc<Query>,
    },
    /// With its arguments in the engine's language.
    Execute {
        name: String,
        arguments: Vec<String>,
    },
    Deallocate(Option<String>),
    Copy {
        query: Arc<Query>,
        format: CopyFormat,
    },
    Query(Arc<Query>),
    /// What means nothing here and does no harm.
    Nothing(&'static str),
}

/// Something that may answer rows.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) source: Source,
    /// The text of the message it came in, and where in it it begins and ends.
    pub(super) text: Arc<str>,
    pub(super) offset: usize,
    pub(super) end: usize,
    /// To what a comment of its statement says that it belongs.
    pub(super) under: Option<TraceContext>,
}

/// Who answers.
#[derive(Debug)]
pub(super) enum Source {
    /// The engine; with what it read, for rights.
    Engine { translated: Translated, statement: Box<Statement> },
    /// The interpreter of questions about the catalog.
    Catalog(introspect::Question),
    /// `SHOW setting`
    Setting(String),
}

impl Query {
    /// Whether it answers rows, as far as that is known before it runs.
    pub(super) fn has_rows(&self) -> bool {
        match &self.source {
            Source::Engine { statement, .. } => answers_rows(statement),
            Source::Catalog(_) | Source::Setting(_) => true,
        }
    }

    /// The highest number of a parameter in it.
    pub(super) fn parameters(&self) -> usize {
        match &self.source {
            Source::Engine { translated, .. } => translated.parameters.iter().copied().max().unwrap_or(0),
            Source::Catalog(question) => question.parameters(),
            Source::Setting(_) => 0,
        }
    }

    /// An error of this query, with its place in the text that the client sent.
    pub(super) fn fault(&self, error: &model::Error) -> Fault {
        let translated = match &self.source {
            Source::Engine { translated, .. } => Some(translated),
            _ => None,
        };
        Fault::in_statement(error, &self.text, self.offset, translated)
    }
}

/// Whether a statement of the engine answers rows to a client, and not only how many it wrote.
pub(super) fn answers_rows(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Query(_)
            | Statement::Explain { .. }
            | Statement::Show(_)
            | Statement::Describe(_)
            | Statement::DescribeInput { .. }
            | Statement::DescribeOutput { .. }
    )
}

/// Reads a statement.
pub(super) fn command(text: &Arc<str>, tokens: &[Token], facts: &Facts) -> Result<Command, Fault> {
    let reader = Reader { text, tokens, facts, under: traced::follows(text, tokens) };
    reader.command()
}

pub(super) struct Reader<'a> {
    text: &'a Arc<str>,
    pub(super) tokens: &'a [Token],
    facts: &'a Facts,
    under: Option<TraceContext>,
}

impl Reader<'_> {
    pub(super) fn is(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is(word))
    }

    pub(super) fn name(&self, at: usize) -> Result<String, Fault> {
        let token = self.tokens.get(at).filter(|token| token.is_name() || token.kind == Kind::Text);
        token.map(Token::name).ok_or_else(|| syntax("a name is missing"))
    }

    fn command(&self) -> Result<Command, Fault> {
        let first = self.tokens.first().filter(|token| token.kind == Kind::Word);
        let word = first.map(|token| token.value.to_uppercase()).unwrap_or_default();
        Ok(match word.as_str() {
            "BEGIN" => self.begin()?,
            "START" if self.is(1, "TRANSACTION") => self.begin()?,
            "COMMIT" | "END" | "ROLLBACK" | "ABORT" => self.end()?,
            "SAVEPOINT" => Command::Savepoint(self.savepoint(1)?),
            "RELEASE" => Command::Release(self.savepoint(1)?),
            "SET" => self.set()?,
            "RESET" => self.reset()?,
            "DISCARD" => self.discard()?,
            "DECLARE" => self.declare()?,
            "FETCH" => self.fetch(false)?,
            "MOVE" => self.fetch(true)?,
            "CLOSE" if self.is(1, "ALL") => Command::CloseCursor(None),
            "CLOSE" => Command::CloseCursor(Some(self.name(1)?)),
            "DEALLOCATE" => {
                let at = usize::from(self.is(1, "PREPARE")) + 1;
                Command::Deallocate(if self.is(at, "ALL") { None } else { Some(self.name(at)?) })
            }
            "PREPARE" if self.is(1, "TRANSACTION") && self.tokens.len() == 3 => return Err(two_phases()),
            "PREPARE" if !self.is(2, "FROM") => self.prepare()?,
            "EXECUTE" if !self.tokens.iter().any(|token| token.is("USING")) => self.execute()?,
            "COPY" => self.copy()?,
            "UNLISTEN" => Command::Nothing("UNLISTEN"),
            "CHECKPOINT" | "VACUUM" | "ANALYZE" | "CLUSTER" | "REINDEX" | "LISTEN" | "NOTIFY" | "LOCK"
            | "GRANT" | "REVOKE" | "COMMENT" | "DO" | "CALL" | "TRUNCATE" | "REASSIGN" | "SECURITY"
            | "REFRESH" => {
                return Err(Fault::new("0A000", format!("{word} is not supported here")));
            }
            _ => Command::Query(Arc::new(self.query(0)?)),
        })
    }

    /// The query from this token to the end.
    fn query(&self, from: usize) -> Result<Query, Fault> {
        let tokens = self.tokens.get(from..).unwrap_or_default();
        let offset = tokens.first().map_or(self.text.len(), |token| token.start);
        let end = tokens.last().map_or(offset, |token| token.end);
        let under = self.under;
        let of = |source| Query { source, text: Arc::clone(self.text), offset, end, under };
        if tokens.is_empty() {
            return Err(syntax("the statement ends where a query was expected"));
        }
        if tokens.first().is_some_and(|token| token.is("SHOW"))
            && let Some(name) = shown_setting(tokens)
        {
            return Ok(of(Source::Setting(name)));
        }
        if introspect::is_question(tokens) {
            let text = self.text.get(offset..end).unwrap_or_default();
            return Ok(of(Source::Catalog(introspect::Question::parse(text)?)));
        }
        let fault = |e: &model::Error, translated| Fault::in_statement(e, self.text, 0, translated);
        let translated = translate(self.text, tokens, self.facts).map_err(|e| fault(&e, None))?;
        let statement = sql::parse_one(&translated.text, SOURCE).map_err(|e| fault(&e, Some(&translated)))?;
        Ok(of(Source::Engine { translated, statement: Box::new(statement) }))
    }

    fn declare(&self) -> Result<Command, Fault> {
        let name = self.name(1)?;
        let body = self.tokens.iter().position(|token| token.is("FOR"));
        let body = body.ok_or_else(|| syntax("DECLARE wants FOR and a query"))?;
        let options = self.tokens.get(2..body).unwrap_or_default();
        let has = |word: &str| options.iter().position(|token| token.is(word));
        if let Some(at) = has("SCROLL")
            && !options.get(at.wrapping_sub(1)).is_some_and(|token| token.is("NO"))
        {
            return Err(Fault::new("0A000", "cursors that go back are not supported").hint("write NO SCROLL"));
        }
        let hold =
            has("HOLD").is_some_and(|at| options.get(at.wrapping_sub(1)).is_some_and(|t| t.is("WITH")));
        let query = self.query(body + 1)?;
        if !query.has_rows() {
            return Err(Fault::new("42P11", "a cursor wants a query"));
        }
        Ok(Command::Declare { name, hold, query: Arc::new(query) })
    }

    /// `FETCH [NEXT | n | ALL | FORWARD [n | ALL]] [FROM | IN] name`
    fn fetch(&self, moves: bool) -> Result<Command, Fault> {
        let mut at = 1;
        if self.is(at, "FORWARD") {
            at += 1;
        }
        let mut count = 1;
        if self.is(at, "NEXT") {
            at += 1;
        } else if self.is(at, "ALL") {
            (count, at) = (usize::MAX, at + 1);
        } else if let Some(token) = self.tokens.get(at).filter(|token| token.kind == Kind::Number) {
            count = token.value.parse().map_err(|_| syntax("the number of rows is too large"))?;
            at += 1;
        } else if ["PRIOR", "FIRST", "LAST", "ABSOLUTE", "RELATIVE", "BACKWARD"]
            .iter()
            .any(|w| self.is(at, w))
            || self.tokens.get(at).is_some_and(|token| token.is_symbol("-"))
        {
            return Err(Fault::new("55000", "cursor can only scan forward"));
        }
        if self.is(at, "FROM") || self.is(at, "IN") {
            at += 1;
        }
        Ok(Command::Fetch { name: self.name(at)?, count, moves })
    }

    /// `PREPARE name (types) AS statement`
    fn prepare(&self) -> Result<Command, Fault> {
        let name = self.name(1)?;
        let body = self.tokens.iter().position(|token| token.is("AS"));
        let body = body.ok_or_else(|| syntax("PREPARE wants AS and a statement"))?;
        let mut types = Vec::new();
        let mut at = 3;
        while self.tokens.get(2).is_some_and(|token| token.is_symbol("(")) && at < body {
            let rest = self.tokens.get(at..body).unwrap_or_default();
            let found = type_name(rest).ok_or_else(|| syntax("a type is missing"))?;
            types.push(introspect::type_oid(&found));
            at += found.length + 1;
        }
        Ok(Command::Prepare { name, types, query: Arc::new(self.query(body + 1)?) })
    }

    /// `EXECUTE name (values)`
    fn execute(&self) -> Result<Command, Fault> {
        let name = self.name(1)?;
        let mut arguments = Vec::new();
        let rest = self.tokens.get(2..).unwrap_or_default();
        if let [open, inside @ .., close] = rest
            && open.is_symbol("(")
            && close.is_symbol(")")
        {
            let mut depth = 0_i32;
            let pieces = inside.split(|token| {
                depth += i32::from(token.is_symbol("(")) - i32::from(token.is_symbol(")"));
                depth == 0 && token.is_symbol(",")
            });
            for piece in pieces {
                let translated = translate(self.text, piece, self.facts);
                arguments.push(translated.map_err(|e| Fault::in_statement(&e, self.text, 0, None))?.text);
            }
        } else if !rest.is_empty() {
            return Err(syntax("EXECUTE wants its values in parentheses"));
        }
        Ok(Command::Execute { name, arguments })
    }

    /// `COPY (query) TO STDOUT (options)`, `COPY table [(columns)] TO STDOUT`
    fn copy(&self) -> Result<Command, Fault> {
        let to = self.tokens.iter().rposition(|token| token.is("TO"));
        let to = to.filter(|at| self.is(at + 1, "STDOUT"));
        let Some(to) = to else {
            return Err(Fault::new("0A000", "of COPY, only COPY … TO STDOUT is supported")
                .hint("INSERT INTO … SELECT, CREATE TABLE AS, or files in the lake bring data in"));
        };
        let inside = self.tokens.get(1..to).unwrap_or_default();
        let query = match inside {
            [open, body @ .., close] if open.is_symbol("(") && close.is_symbol(")") => {
                Reader { tokens: body, ..*self }.query(0)?
            }
            [] => return Err(syntax("COPY wants a table or a query")),
            table => {
                // A table is a query of all its columns, or of those that are named.
                let split = table.iter().position(|token| token.is_symbol("(")).unwrap_or(table.len());
                let piece = |tokens: &[Token]| {
                    let from = tokens.first().map_or(0, |token| token.start);
                    let end = tokens.last().map_or(from, |token| token.end);
                    self.text.get(from..end).unwrap_or_default().to_owned()
                };
                let columns = table.get(split + 1..table.len().saturating_sub(1)).unwrap_or_default();
                let columns = if columns.is_empty() { "*".to_owned() } else { piece(columns) };
                let text: Arc<str> =
                    format!("SELECT {columns} FROM {}", piece(table.get(..split).unwrap_or_default())).into();
                let tokens = crate::text::tokens(&text)?;
                Reader { text: &text, tokens: &tokens, ..*self }.query(0)?
            }
        };
        if !query.has_rows() {
            return Err(Fault::new("42601", "COPY wants a query"));
        }
        let format = copy_format(self.tokens.get(to + 2..).unwrap_or_default())?;
        Ok(Command::Copy { query: Arc::new(query), format })
    }
}

/// What a statement that changes something is called where it is refused.
pub(super) fn change(statement: &Statement) -> &'static str {
    match statement {
        Statement::CreateTableAs(_) => "CREATE TABLE AS",
        Statement::Execute { .. } => "EXECUTE",
        other => verb(other),
    }
}

/// The word with which a statement's end is told.
pub(super) fn verb(statement: &Statement) -> &'static str {
    match statement {
        Statement::Query(_) | Statement::Execute { .. } => "SELECT",
        Statement::Explain { .. } => "EXPLAIN",
        Statement::Insert(_) => "INSERT",
        Statement::CreateTableAs(_) => "SELECT",
        Statement::Unload(_) => "UNLOAD",
        Statement::Delete(_) => "DELETE",
        Statement::Update(_) => "UPDATE",
        Statement::Merge(_) => "MERGE",
        Statement::CreateDatabase(_) => "CREATE SCHEMA",
        Statement::DropDatabase { .. } => "DROP SCHEMA",
        Statement::AlterDatabase { .. } => "ALTER SCHEMA",
        Statement::CreateTable(_) => "CREATE TABLE",
        Statement::CreateView(_) => "CREATE VIEW",
        Statement::DropTable { .. } => "DROP TABLE",
        Statement::DropView { .. } => "DROP VIEW",
        Statement::AlterTable(_) => "ALTER TABLE",
        Statement::MsckRepair { .. } => "MSCK REPAIR TABLE",
        Statement::Describe(_) | Statement::Show(_) => "SHOW",
        Statement::Prepare { .. } => "PREPARE",
        Statement::Deallocate { .. } => "DEALLOCATE",
        Statement::DescribeInput { .. } | Statement::DescribeOutput { .. } => "SHOW",
    }
}

pub(super) fn syntax(what: &str) -> Fault {
    Fault::new("42601", what)
}
