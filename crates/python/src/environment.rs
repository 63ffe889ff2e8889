//! Virtual environments: one with what all scripts import, and more on top of it for jobs that ask for modules. Each is
//! made once, under a lock, and counts only when a mark says that it is whole.

use crate::lines::{Line, LineSender, Stream};
use crate::{process, support};
use model::{Error, Place, Result};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// The oldest Python for which the packages exist.
const OLDEST: (u32, u32) = (3, 11);
/// In an environment that is whole.
const MARK: &str = "glulam-ready";

/// How Python is set up.
#[derive(Debug, Clone)]
pub struct PythonOptions {
    /// The interpreter that makes environments: a path, or a name to look for.
    pub program: PathBuf,
    /// An environment that is there already and taken as it is; without one, ours is made.
    pub environment: Option<PathBuf>,
    /// The folder of environments. They do not depend on a data directory, so one folder serves all of them.
    pub folder: PathBuf,
    /// The most bytes of data that a script may hold; 0: no limit.
    pub memory: u64,
}

/// Python as this platform uses it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Python {
    pub(crate) options: PythonOptions,
}

/// An environment that is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its interpreter.
    pub interpreter: PathBuf,
}

/// Something to install on top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Module {
    /// A package by its name, as pip takes it: `faker`, `scikit-learn==1.7`.
    Named(String),
    /// A wheel, with what it needs.
    Wheel(PathBuf),
    /// A wheel alone.
    WheelAlone(PathBuf),
}

impl Python {
    /// Nothing is looked for or made before it is needed.
    pub fn new(options: PythonOptions) -> Self {
        Self { options }
    }

    /// The environment of all scripts, if it is made.
    pub async fn made(&self) -> Result<Option<Environment>> {
        match &self.options.environment {
            Some(given) => Ok(Some(given_environment(given)?)),
            None => Ok(whole(&self.base_folder().await?)),
        }
    }

    /// The environment of all scripts; made first if need be, which `lines` hear.
    pub async fn ready(&self, stop: &CancellationToken, lines: &LineSender) -> Result<Environment> {
        if let Some(given) = &self.options.environment {
            return given_environment(given);
        }
        let folder = self.base_folder().await?;
        if let Some(ready) = whole(&folder) {
            return Ok(ready);
        }
        let _lock = lock(&folder, stop).await?;
        if let Some(ready) = whole(&folder) {
            return Ok(ready);
        }
        note(
            lines,
            format!(
                "setting up Python once, with pandas, pyarrow, awswrangler and boto3: {}",
                folder.display()
            ),
        )
        .await;
        begin(&folder)?;
        let mut venv = process::command(&self.options.program);
        venv.arg("-m").arg("venv").arg(&folder);
        finish("making a Python environment", venv, stop).await?;
        let requirements = folder.join("requirements.txt");
        std::fs::write(&requirements, support::REQUIREMENTS).map_err(|e| cannot_write(&requirements, e))?;
        let interpreter = folder.join("bin/python");
        let mut install = pip(&interpreter);
        install.arg("--no-deps").arg("-r").arg(&requirements);
        finish("installing Python's packages", install, stop).await?;
        mark(&folder)?;
        note(lines, "Python is set up".to_owned()).await;
        Ok(Environment { interpreter })
    }

    /// That environment with more modules on top; made once for the same modules. `options` are pip's own.
    pub async fn extended(
        &self,
        base: &Environment,
        modules: &[Module],
        options: &[String],
        stop: &CancellationToken,
        lines: &LineSender,
    ) -> Result<Environment> {
        if modules.is_empty() {
            return Ok(base.clone());
        }
        let folder = self.options.folder.join(format!("more-{}", key(base, modules, options)?));
        if let Some(ready) = whole(&folder) {
            return Ok(ready);
        }
        let _lock = lock(&folder, stop).await?;
        if let Some(ready) = whole(&folder) {
            return Ok(ready);
        }
        let names: Vec<String> = modules.iter().map(Module::shown).collect();
        note(lines, format!("installing {}", names.join(", "))).await;
        begin(&folder)?;
        let mut venv = process::command(&base.interpreter);
        venv.arg("-m").arg("venv").arg("--without-pip").arg(&folder);
        finish("making a Python environment", venv, stop).await?;
        let interpreter = folder.join("bin/python");
        // What the base holds is seen from here, pip too; what is installed here comes before it.
        let below = site_packages(&base.interpreter, stop).await?;
        let link = site_packages(&interpreter, stop).await?.join("glulam-base.pth");
        std::fs::write(&link, format!("{}\n", below.display())).map_err(|e| cannot_write(&link, e))?;
        let (alone, others): (Vec<&Module>, Vec<&Module>) =
            modules.iter().partition(|module| matches!(module, Module::WheelAlone(_)));
        for (list, is_alone) in [(others, false), (alone, true)] {
            if list.is_empty() {
                continue;
            }
            let mut install = pip(&interpreter);
            install.args(options);
            if is_alone {
                install.arg("--no-deps");
            }
            install.arg("--").args(list.into_iter().map(Module::word));
            finish(&format!("installing {}", names.join(", ")), install, stop).await?;
        }
        mark(&folder)?;
        Ok(Environment { interpreter })
    }

    /// The folder of the environment of all scripts: another Python or other packages are another one.
    async fn base_folder(&self) -> Result<PathBuf> {
        let mut ask = process::command(&self.options.program);
        ask.arg("-c").arg("import sys; print(*sys.version_info[:3], sys.executable)");
        let (status, output, complaint) = process::output(ask, &CancellationToken::new()).await?;
        let version: Vec<u32> =
            output.split_whitespace().take(2).filter_map(|word| word.parse().ok()).collect();
        let program = self.options.program.display();
        match version[..] {
            [major, minor] if status.success() => {
                if (major, minor) < OLDEST {
                    return Err(Error::unsupported(format!(
                        "`{program}` is Python {major}.{minor}, but scripts need {}.{} or later",
                        OLDEST.0, OLDEST.1
                    ))
                    .hint("name a newer one: --set python.program=/usr/bin/python3.12"));
                }
            }
            _ => {
                return Err(Error::invalid(format!("`{program}` is no Python that works"))
                    .why(complaint.join("\n"))
                    .hint("name another one: --set python.program=/usr/bin/python3"));
            }
        }
        let hash = Sha256::new().chain_update(&output).chain_update(support::REQUIREMENTS).finalize();
        Ok(self.options.folder.join(format!("base-{}", hex::encode(&hash[..8]))))
    }
}

impl Module {
    fn word(&self) -> &std::ffi::OsStr {
        match self {
            Self::Named(name) => name.as_ref(),
            Self::Wheel(path) | Self::WheelAlone(path) => path.as_os_str(),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Named(name) => name.clone(),
            Self::Wheel(path) | Self::WheelAlone(path) => {
                path.file_name().unwrap_or_default().to_string_lossy().into_owned()
            }
        }
    }
}

/// What an extended environment is known by: the base, the names, the wheels' bytes.
fn key(base: &Environment, modules: &[Module], options: &[String]) -> Result<String> {
    let mut hash = Sha256::new().chain_update(base.interpreter.as_os_str().as_encoded_bytes());
    let mut part = |bytes: &[u8]| {
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    };
    for module in modules {
        match module {
            Module::Named(name) => part(name.as_bytes()),
            Module::Wheel(path) | Module::WheelAlone(path) => {
                part(&std::fs::read(path).map_err(|e| {
                    Error::not_found("cannot read the wheel").at(Place::object(path.display())).source_is(e)
                })?);
                part(if matches!(module, Module::Wheel(_)) { b"with" } else { b"alone" });
            }
        }
    }
    for option in options {
        part(option.as_bytes());
    }
    Ok(hex::encode(&hash.finalize()[..8]))
}

fn given_environment(folder: &Path) -> Result<Environment> {
    let interpreter = folder.join("bin/python");
    if interpreter.exists() {
        return Ok(Environment { interpreter });
    }
    Err(Error::not_found("the setting python.environment names no virtual environment")
        .at(Place::object(folder.display()))
        .hint("it is a folder with bin/python; leave the setting away, and one is made"))
}

fn whole(folder: &Path) -> Option<Environment> {
    folder.join(MARK).exists().then(|| Environment { interpreter: folder.join("bin/python") })
}

async fn note(lines: &LineSender, text: String) {
    // Without a listener it is done all the same.
    let _ = lines.send(Line { stream: Stream::Note, text }).await;
}

/// Removes what a killed process has left of it.
fn begin(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(cannot_write(folder, e)),
    }
}

fn mark(folder: &Path) -> Result<()> {
    let path = folder.join(MARK);
    std::fs::write(&path, "").map_err(|e| cannot_write(&path, e))
}

/// How often is looked whether another process still holds a lock: no system call waits for one and for us to stop.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(100);

/// Waits until nobody else makes this environment. The lock ends with its process.
#[allow(clippy::disallowed_methods, reason = "it waits for other processes, whose clock is the real one")]
async fn lock(folder: &Path, stop: &CancellationToken) -> Result<File> {
    let path = folder.with_extension("lock");
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|e| cannot_write(parent, e))?;
    }
    let file = File::create(&path).map_err(|e| cannot_write(&path, e))?;
    loop {
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) => {}
            Err(e) => return Err(cannot_write(&path, e.into())),
        }
        tokio::select! {
            () = stop.cancelled() => return Err(Error::cancelled()),
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

fn pip(interpreter: &Path) -> tokio::process::Command {
    let mut command = process::command(interpreter);
    // Where packages come from is the machine's to say, not a script's.
    for (name, value) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("PIP_")) {
            command.env(name, value);
        }
    }
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
    command
}

async fn site_packages(interpreter: &Path, stop: &CancellationToken) -> Result<PathBuf> {
    let mut ask = process::command(interpreter);
    ask.arg("-c").arg("import sysconfig; print(sysconfig.get_path('purelib'))");
    let (status, output, complaint) = process::output(ask, stop).await?;
    match status.success() && !output.trim().is_empty() {
        true => Ok(PathBuf::from(output.trim())),
        false => Err(Error::invalid("a Python environment does not work").why(complaint.join("\n"))),
    }
}

/// Runs a step of the setup; its complaint is the reason.
async fn finish(what: &str, command: tokio::process::Command, stop: &CancellationToken) -> Result<()> {
    let (status, _, complaint) = process::output(command, stop).await?;
    if status.success() {
        return Ok(());
    }
    if stop.is_cancelled() {
        return Err(Error::cancelled());
    }
    let errors: Vec<&str> = complaint
        .iter()
        .filter_map(|line| line.strip_prefix("ERROR: "))
        .filter(|line| !line.is_empty())
        .collect();
    let why = if errors.is_empty() { complaint.join("\n") } else { errors.join("\n") };
    let error = Error::unavailable(format!("{what} failed")).why(why);
    Err(match complaint.iter().any(|line| line.contains("ensurepip")) {
        true => {
            error.hint("Debian has a part of Python in a package of its own: apt-get install python3-venv")
        }
        false => error.hint("packages come from PyPI, or from where PIP_INDEX_URL says"),
    })
}

fn cannot_write(path: &Path, error: std::io::Error) -> Error {
    Error::unavailable("cannot write").at(Place::object(path.display())).source_is(error)
}
