//! The commands, one file each. A command turns its arguments into operations and their answers into text.

mod check;
mod completions;
mod config;
mod convert;
mod crawl;
mod delivery;
mod describe;
mod r#gen;
mod init;
mod job;
mod logs;
mod partitions;
mod python;
mod runs;
mod script;
mod sql;
mod stream;
mod tables;
mod up;

use crate::args::{Args, Command, Shared};
use crate::session::Session;
use crate::{settings, terminal};
use model::{Error, Outcome, Result};
use state::Config;
use state::runs::Run;

/// What every command is given.
pub(crate) struct Context {
    pub(crate) shared: Shared,
    pub(crate) config: Config,
}

impl Context {
    /// Runs a command's body over a session, and closes the session whatever comes out.
    async fn with_session<T>(&self, body: impl AsyncFnOnce(&Session) -> Result<T>) -> Result<T> {
        let session = Session::open(&self.config).await?;
        let answer = body(&session).await;
        session.close().await;
        answer
    }
}

/// Runs a command; gives the exit code.
pub(crate) fn run(args: Args) -> Result<u8> {
    // These two need no configuration, and must work when it is broken.
    match &args.command {
        Command::Completions(completions) => return Ok(self::completions::run(completions)),
        Command::Config(wanted) if wanted.template => return Ok(self::config::template()),
        _ => {}
    }
    let config = settings::load(&args.shared)?;
    let level = match (&args.command, &args.shared.log) {
        // A server says what it does unless it is told to be quiet.
        (Command::Up(_), None) if config.text("log.level") == Some("warn") && !args.shared.quiet => "info",
        _ => config.text("log.level").unwrap_or("warn"),
    };
    state::logs::start(level, config.text("log.format").unwrap_or("text"), terminal::colours())?;
    let context = Context { shared: args.shared, config };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if let Command::Up(_) = &args.command {
        // A query keeps as many threads busy as there are cores; the doors must answer meanwhile.
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        runtime.worker_threads(cores + 2);
    }
    let runtime = runtime
        .enable_all()
        .build()
        .map_err(|e| Error::unavailable("cannot start the worker threads").source_is(e))?;
    let code = runtime.block_on(async {
        match args.command {
            Command::Up(up) => self::up::run(&context, &up).await,
            Command::Init(init) => self::init::run(&context, &init).await,
            Command::Crawl(crawl) => self::crawl::run(&context, crawl).await,
            Command::Tables(tables) => self::tables::run(&context, tables).await,
            Command::Describe(describe) => self::describe::run(&context, describe).await,
            Command::Partitions(partitions) => self::partitions::run(&context, partitions).await,
            Command::Runs(runs) => self::runs::run(&context, runs).await,
            Command::Logs(logs) => self::logs::run(&context, logs).await,
            Command::Gen(wanted) => self::r#gen::run(&context, wanted).await,
            Command::Config(_) => self::config::run(&context),
            Command::Sql(wanted) => self::sql::run(&context, wanted).await,
            Command::Convert(wanted) => self::convert::run(&context, wanted).await,
            Command::Run(wanted) => self::script::run(&context, wanted).await,
            Command::Python(wanted) => self::python::run(&context, &wanted).await,
            Command::Job(wanted) => self::job::run(&context, wanted).await,
            Command::Stream(wanted) => self::stream::run(&context, wanted).await,
            Command::Check(wanted) => self::check::run(&context, &wanted).await,
            Command::Completions(_) => Ok(0),
        }
    });
    // A file read that hangs must not keep the command from ending.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    code
}

/// Shows why a run did not succeed, and where to read on; gives the exit code.
fn show_failure(context: &Context, run: &Run) -> Result<u8> {
    if context.shared.json {
        terminal::print_json(run)?;
    } else if let Some(Outcome::Diagnosis(diagnosis)) = &run.outcome {
        terminal::show_error(&diagnosis.clone().into(), false);
        terminal::remark(context.shared.quiet, &format!("the whole log: glulam logs {}", run.id));
    } else {
        terminal::remark(context.shared.quiet, &format!("{} {}: {}", run.kind, run.name, run.state));
    }
    Ok(crate::exit::of_state(run.state))
}
