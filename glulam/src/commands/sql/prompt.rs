//! The prompt: statements over several lines, history, completion from the catalog.

use super::{Wanted, execute};
use crate::commands::Context;
use crate::operations::CompletionNames;
use crate::session::Session;
use crate::terminal;
use model::{Error, Result};
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Config, Editor, Helper};

const HELP: &str = "\
A statement ends with `;` and may go over several lines. Tab completes names.
  \\d            the tables of this database      \\d TABLE      a table's columns
  \\use NAME     change the database              \\?           this help
  \\q            end (also Ctrl-D)";

/// What the line editor asks us.
struct Words {
    names: Vec<String>,
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..position).unwrap_or(line);
        let start = before
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let word = before[start..].to_lowercase();
        if word.is_empty() {
            return Ok((start, Vec::new()));
        }
        let found = self
            .names
            .iter()
            .filter(|n| n.to_lowercase().starts_with(&word))
            .take(100)
            .map(|n| Pair { display: n.clone(), replacement: n.clone() })
            .collect();
        Ok((start, found))
    }
}

impl Validator for Words {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input().trim();
        let done = text.is_empty() || text.starts_with('\\') || sql::is_complete(text);
        Ok(if done { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for Words {
    type Hint = String;
}

impl Highlighter for Words {}
impl Helper for Words {}

pub(super) async fn run(context: &Context, session: &Session, mut wanted: Wanted) -> Result<u8> {
    let broken = |e: ReadlineError| Error::unavailable("the prompt cannot be opened").source_is(e);
    let config = Config::builder().auto_add_history(true).max_history_size(10_000).map_err(broken)?.build();
    let mut editor: Editor<Words, FileHistory> = Editor::with_config(config).map_err(broken)?;
    let history = context.config.data().join("sql-history");
    // Without a history the prompt works all the same.
    let _ = editor.load_history(&history);
    editor.set_helper(Some(Words { names: names(session, &wanted.database).await? }));
    terminal::remark(context.shared.quiet, "glulam sql: statements end with `;`, \\? helps, \\q ends");
    loop {
        let label = format!("{}> ", wanted.database);
        // Waiting for a person blocks this thread; the runtime has others for what goes on meanwhile.
        let line = tokio::task::block_in_place(|| editor.readline(&label));
        let text = match line {
            Ok(text) => text,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(e) => return Err(broken(e)),
        };
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        let Some(statement) = command(text, &mut wanted) else { break };
        if let Some(statement) = statement {
            // A mistake ends a statement, not the prompt.
            if let Err(error) = execute(context, session, &wanted, "<prompt>", &statement).await {
                terminal::show_error(&error, context.shared.json);
            }
        }
        if let Some(words) = editor.helper_mut() {
            words.names = names(session, &wanted.database).await?;
        }
        let _ = editor.save_history(&history);
    }
    Ok(0)
}

async fn names(session: &Session, database: &str) -> Result<Vec<String>> {
    session.perform(CompletionNames { database: database.to_owned() }).await
}

/// What a line asks for: nothing more, a statement, or only to go on.
fn command(text: &str, wanted: &mut Wanted) -> Option<Option<String>> {
    let Some(word) = text.strip_prefix('\\') else {
        return Some(Some(text.trim_end_matches(';').to_owned()));
    };
    let (word, rest) = word.split_once(' ').unwrap_or((word, ""));
    let rest = rest.trim().trim_end_matches(';');
    match word {
        "q" | "quit" => return None,
        "d" if rest.is_empty() => return Some(Some("SHOW TABLES".to_owned())),
        "d" => return Some(Some(format!("DESCRIBE {rest}"))),
        "use" if !rest.is_empty() => wanted.database = rest.to_lowercase(),
        _ => terminal::print(HELP),
    }
    Some(None)
}
