//! `glulam sql`: a statement, a file of them, or a prompt.

mod prompt;
mod rows;

use super::{Context, show_failure};
use crate::args::{self, RowFormat};
use crate::operations::StartQuery;
use crate::session::Session;
use crate::terminal::{self, Ending, follow};
use engine::QueryOutcome;
use model::{Error, Outcome, Place, Result};
use std::io::IsTerminal;
use std::path::Path;

/// What all statements of a call share.
pub(super) struct Wanted {
    pub(super) database: String,
    pub(super) format: RowFormat,
    pub(super) output: Option<std::path::PathBuf>,
    pub(super) parameters: Vec<String>,
}

pub(super) async fn run(context: &Context, wanted: args::Sql) -> Result<u8> {
    if wanted.reference {
        terminal::print(&engine::sql_reference());
        return Ok(0);
    }
    let shared = Wanted {
        database: wanted.database,
        format: format(context, wanted.format, wanted.output.as_deref())?,
        output: wanted.output,
        parameters: wanted.parameters,
    };
    let (name, text) = match (&wanted.statement, &wanted.file) {
        (Some(text), _) => ("<command line>".to_owned(), text.clone()),
        (None, Some(file)) => (file.display().to_string(), read(file)?),
        (None, None) if !std::io::stdin().is_terminal() => {
            ("<standard input>".to_owned(), read(Path::new("-"))?)
        }
        (None, None) => {
            return context.with_session(async |session| prompt::run(context, session, shared).await).await;
        }
    };
    // All statements are read before the first one runs: a slip in the last line must not cost an hour.
    let statements = sql::parse_located(&text, &name)?;
    if statements.is_empty() {
        return Err(Error::invalid("there is no statement").hint("write a query: glulam sql \"SELECT 1\""));
    }
    let statements: Vec<String> = statements.into_iter().map(|s| padded(&text, &s)).collect();
    context
        .with_session(async |session| {
            for statement in &statements {
                let code = execute(context, session, &shared, &name, statement).await?;
                if code != 0 {
                    return Ok(code);
                }
            }
            Ok(0)
        })
        .await
}

/// The statement at the line where it stands in its file, so that errors name the file's lines.
fn padded(text: &str, located: &sql::Located) -> String {
    let source = sql::Source::new("", text);
    let lines = usize::try_from(located.span.start.line.saturating_sub(1)).unwrap_or(0);
    let columns = usize::try_from(located.span.start.column.saturating_sub(1)).unwrap_or(0);
    let own = source.slice(located.span);
    format!("{}{}{own}", "\n".repeat(lines), " ".repeat(columns))
}

/// Runs one statement and shows its rows.
pub(super) async fn execute(
    context: &Context,
    session: &Session,
    wanted: &Wanted,
    source_name: &str,
    statement: &str,
) -> Result<u8> {
    let start = StartQuery {
        text: statement.to_owned(),
        source_name: source_name.to_owned(),
        database: wanted.database.clone(),
        parameters: wanted.parameters.clone(),
    };
    let started = session.perform(start).await?;
    let quiet = context.shared.quiet || !std::io::stderr().is_terminal();
    match follow(session, &started.run, quiet).await? {
        Ending::Failed(run) => {
            let code = show_failure(context, &run)?;
            // A script wants to know a mistake in the statement from a failure of the machine.
            Ok(match run.outcome {
                Some(Outcome::Diagnosis(diagnosis)) => crate::exit::of(&diagnosis.into()),
                _ => code,
            })
        }
        Ending::Done(run, outcome) => {
            let outcome: QueryOutcome = serde_json::from_value(outcome)
                .map_err(|e| Error::internal("a query's outcome cannot be read").source_is(e))?;
            let shown = rows::show(&outcome, wanted);
            let _ = std::fs::remove_file(&outcome.result);
            shown?;
            if !quiet && wanted.format == RowFormat::Table && !outcome.is_text {
                terminal::remark(false, &rows::summary(&run, &outcome));
            }
            Ok(0)
        }
    }
}

fn format(context: &Context, given: Option<RowFormat>, output: Option<&Path>) -> Result<RowFormat> {
    if let Some(given) = given {
        if matches!(given, RowFormat::Parquet | RowFormat::Arrow)
            && output.is_none()
            && std::io::stdout().is_terminal()
        {
            return Err(Error::invalid("this format is no text").hint("write it into a file: --output FILE"));
        }
        return Ok(given);
    }
    if context.shared.json {
        return Ok(RowFormat::Json);
    }
    let Some(output) = output else { return Ok(RowFormat::Table) };
    match output.extension().and_then(|e| e.to_str()).unwrap_or_default() {
        "csv" => Ok(RowFormat::Csv),
        "json" | "jsonl" | "ndjson" => Ok(RowFormat::Json),
        "parquet" => Ok(RowFormat::Parquet),
        "arrow" | "feather" | "ipc" => Ok(RowFormat::Arrow),
        "txt" => Ok(RowFormat::Table),
        other => Err(Error::invalid(format!("the ending `{other}` says no format"))
            .hint("end the name in .csv, .json, .parquet or .arrow, or add --format")),
    }
}

fn read(file: &Path) -> Result<String> {
    let wrong = |e: std::io::Error| {
        let error = match e.kind() {
            std::io::ErrorKind::NotFound => Error::not_found("the file does not exist"),
            std::io::ErrorKind::InvalidData => Error::invalid("the file is not UTF-8 text"),
            _ => Error::unavailable("the file cannot be read"),
        };
        error.at(Place::object(file.display())).source_is(e)
    };
    if file == Path::new("-") {
        return std::io::read_to_string(std::io::stdin()).map_err(wrong);
    }
    std::fs::read_to_string(file).map_err(wrong)
}
