//! A data directory of a test's own and the binary on it.

use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use testkit::{Finished, Process};

pub(crate) const LONG: Duration = Duration::from_secs(120);

/// An empty folder to work in; the data directory is `glulam-data` in it.
pub(crate) struct Home {
    folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of a bucket, made if it is missing.
    pub(crate) fn bucket(&self, name: &str) -> PathBuf {
        let path = self.path().join("glulam-data/buckets").join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    /// Puts a file into a bucket as a person would.
    pub(crate) fn drop_file(&self, bucket: &str, key: &str, bytes: impl AsRef<[u8]>) {
        let path = self.bucket(bucket).join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// A file beside the data directory.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The binary with these arguments, not yet started.
    pub(crate) fn command(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(testkit::glulam());
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null()).env("NO_COLOR", "1");
        for (key, _) in std::env::vars_os() {
            if key.to_string_lossy().starts_with("GLULAM_") {
                command.env_remove(key);
            }
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run<const N: usize>(&self, arguments: [&str; N]) -> Finished {
        Process::start(&mut self.command(arguments)).wait(LONG)
    }

    /// Runs a command that must succeed; gives what it printed.
    pub(crate) fn succeed<const N: usize>(&self, arguments: [&str; N]) -> String {
        let shown = arguments.join(" ");
        let finished = self.run(arguments);
        assert_eq!(finished.code, Some(0), "glulam {shown}\n{}{}", finished.stdout, finished.stderr);
        finished.stdout
    }

    /// Runs a command that must succeed with `--json`.
    pub(crate) fn json<const N: usize>(&self, arguments: [&str; N]) -> Value {
        let finished = Process::start(&mut self.command(arguments.iter().chain(&["--json"]))).wait(LONG);
        assert_eq!(finished.code, Some(0), "{arguments:?}\n{}{}", finished.stdout, finished.stderr);
        serde_json::from_str(&finished.stdout).unwrap_or_else(|e| panic!("{e}: {}", finished.stdout))
    }

    /// A table's columns and then its partition keys, as `name type`.
    pub(crate) fn columns(&self, table: &str) -> Vec<String> {
        let description = self.json(["describe", table]);
        let table = &description["entry"]["table"];
        [&table["storage"]["columns"], &table["partition_keys"]]
            .into_iter()
            .flat_map(|list| list.as_array().cloned().unwrap_or_default())
            .map(|column| {
                format!("{} {}", column["name"].as_str().unwrap(), column["type"].as_str().unwrap())
            })
            .collect()
    }

    /// The names of all tables, as `database.table`.
    pub(crate) fn tables(&self) -> Vec<String> {
        let list = self.json(["tables"]);
        let name = |entry: &Value| {
            format!("{}.{}", entry["database"].as_str().unwrap(), entry["table"].as_str().unwrap())
        };
        list.as_array().unwrap().iter().map(name).collect()
    }
}
