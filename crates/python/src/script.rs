//! A script as a process: its folder, arguments, variables and limits.

use crate::ending::{Told, verdict};
use crate::environment::{Environment, Python};
use crate::lines::LineSender;
use crate::{process, support};
use model::{Error, Place, Result};
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// A script to run.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// The file; an absolute path.
    pub file: PathBuf,
    /// What people call it, if not by its path: where it was fetched from.
    pub name: Option<String>,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The folder it works in.
    pub folder: PathBuf,
    /// Variables of its environment, beside ours.
    pub variables: Vec<(String, String)>,
    /// Folders and archives that it imports from.
    pub modules: Vec<PathBuf>,
}

impl Python {
    /// Runs a script. `own` is a folder of this run's own, in which our files are put. Fails when the script does, with
    /// its error; when `stop` is cancelled, the script is ended.
    pub async fn run(
        &self,
        environment: &Environment,
        script: &Script,
        own: &Path,
        stop: &CancellationToken,
        lines: &LineSender,
    ) -> Result<()> {
        let support = support::write(own)?;
        let record = own.join("failure.json");
        let mut command = process::command(&environment.interpreter);
        let memory = self.options.memory;
        command.arg("-u").arg(&support.run).arg(&record).arg(memory.to_string()).arg(&script.file);
        command.args(&script.arguments).current_dir(&script.folder);
        let mut path = vec![support.modules.clone()];
        path.extend(script.modules.iter().cloned());
        let path = std::env::join_paths(path)
            .map_err(|e| Error::invalid("a folder's name cannot stand in PYTHONPATH").source_is(e))?;
        command.env("PYTHONPATH", path);
        command.envs(script.variables.iter().map(|(name, value)| (name, value)));
        let status = process::run(command, stop, lines).await?;
        if stop.is_cancelled() && !status.success() {
            return Err(Error::cancelled());
        }
        let shown = script.file.display().to_string();
        let name = script.name.as_deref().unwrap_or(&shown);
        let told = Told { file: &script.file, name, memory };
        verdict(status, &record, &told).map_err(|error| error.at_if_unknown(|| Place::object(name)))
    }
}
