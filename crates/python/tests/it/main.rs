//! Scripts as real processes of the Python on this machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod endings;
mod modules;
mod processes;

use python::{Environment, Line, Python, PythonOptions, Script, Stream};
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// A folder of a test's own, and Python without packages.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
    pub(crate) python: Python,
    pub(crate) environment: Environment,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_memory(0)
    }

    pub(crate) fn with_memory(memory: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = PythonOptions {
            program: "python3".into(),
            environment: None,
            folder: folder.path().join("environments"),
            memory,
        };
        let python = Python::new(options);
        Self { folder, python, environment: Environment { interpreter: "python3".into() } }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Runs a text as a script; gives its lines and how it ended.
    pub(crate) async fn run(&self, text: &str, arguments: &[&str]) -> (Vec<Line>, model::Result<()>) {
        let script = Script {
            file: self.write("script.py", text),
            arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
            folder: self.path().to_owned(),
            ..Script::default()
        };
        self.run_script(&script, &CancellationToken::new()).await
    }

    pub(crate) async fn run_script(
        &self,
        script: &Script,
        stop: &CancellationToken,
    ) -> (Vec<Line>, model::Result<()>) {
        let own = tempfile::tempdir().unwrap();
        let (lines, mut coming) = tokio::sync::mpsc::channel(4);
        let gather = async {
            let mut all = Vec::new();
            while let Some(line) = coming.recv().await {
                all.push(line);
            }
            all
        };
        let work = async {
            let ended = self.python.run(&self.environment, script, own.path(), stop, &lines).await;
            drop(lines);
            ended
        };
        let (ended, all) = tokio::join!(work, gather);
        (all, ended)
    }
}

/// The lines of one stream.
pub(crate) fn of(lines: &[Line], stream: Stream) -> Vec<&str> {
    lines.iter().filter(|line| line.stream == stream).map(|line| line.text.as_str()).collect()
}
