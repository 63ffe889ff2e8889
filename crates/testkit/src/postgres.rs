//! A real PostgreSQL server from Debian's package, one per test run, with a fresh database for every call.

use crate::{await_until, free_port, shared};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const KIND: &str = "postgres";
const USER: &str = "glulam";

static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The URL of a fresh, empty database on a real PostgreSQL server that lives as long as the test run.
///
/// Many connections are allowed, nothing is synced to disk, and any password is accepted.
#[track_caller]
pub fn postgres() -> String {
    let port = shared::server(KIND, prepare, is_ready);
    fresh_database(&port)
}

/// A PostgreSQL server of this test's own, to be killed and started again.
pub struct PostgresServer {
    watcher: std::process::Child,
    folder: tempfile::TempDir,
    port: String,
}

/// Starts a PostgreSQL server for this test alone: for tests of what happens when the database goes away.
#[track_caller]
pub fn postgres_alone() -> PostgresServer {
    let folder =
        tempfile::Builder::new().prefix("alone-").tempdir_in(shared::base()).expect("a folder can be made");
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("own folder");
    let (watcher, port) = shared::start(std::process::id(), &folder.path().join(KIND), prepare, is_ready);
    PostgresServer { watcher, folder, port }
}

impl PostgresServer {
    /// The URL of a fresh, empty database.
    #[track_caller]
    pub fn database(&self) -> String {
        fresh_database(&self.port)
    }

    /// Ends the server at once, as a crash of its machine would: every connection breaks.
    #[track_caller]
    pub fn kill(&self) {
        let pid_file = self.folder.path().join(KIND).join("data/postmaster.pid");
        let Ok(text) = fs::read_to_string(&pid_file) else { return };
        let pid = text.lines().next().and_then(|l| l.parse().ok()).and_then(rustix::process::Pid::from_raw);
        let Some(pid) = pid else { return };
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::QUIT);
        await_until("PostgreSQL to be gone", Duration::from_secs(20), || {
            (!pid_file.exists() && !shared::answers(&self.port)).then_some(())
        });
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.kill();
        // Ends the watcher, whose folder goes with `self.folder`.
        if let Some(pid) = i32::try_from(self.watcher.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
        let _ = self.watcher.wait();
    }
}

fn prepare(dir: &Path) -> shared::Launch {
    let programs = programs();
    let data = dir.join("data");
    let template = template(&programs);
    run(Command::new("cp").arg("-a").arg(&template).arg(&data));
    let port = free_port().to_string();
    let mut command = as_someone_else();
    command.push(programs.join("postgres").display().to_string());
    command.extend(["-D".into(), data.display().to_string(), "-p".into(), port.clone()]);
    for setting in [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=300",
        "shared_buffers=32MB",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
    ] {
        command.extend(["-c".into(), setting.into()]);
    }
    shared::Launch { command, stop_signal: "QUIT", leftovers: Vec::new(), facts: port }
}

/// The last line of `postmaster.pid` says whether the server takes connections.
fn is_ready(dir: &Path, _port: &str) -> bool {
    let state = fs::read_to_string(dir.join("data/postmaster.pid")).unwrap_or_default();
    state.lines().last().is_some_and(|line| line.trim() == "ready")
}

fn fresh_database(port: &str) -> String {
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    let name = format!("test_{}_{number}", std::process::id());
    let server = format!("postgresql://{USER}@127.0.0.1:{port}");
    run(Command::new(programs().join("psql"))
        .args(["--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "-c"])
        .arg(format!("CREATE DATABASE {name}"))
        .arg(format!("{server}/postgres")));
    format!("{server}/{name}")
}

/// A cluster that initdb made once on this machine; copying it is ten times as fast as making it.
fn template(programs: &Path) -> PathBuf {
    let version =
        programs.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let template = shared::base().join(format!("postgres-{version}"));
    let lock =
        File::create(shared::base().join("postgres-template.lock")).expect("the lock file can be made");
    lock.lock().expect("the lock can be waited for");
    if template.exists() {
        return template;
    }
    let fresh = shared::base().join(format!("postgres-{version}.new"));
    let _ = fs::remove_dir_all(&fresh);
    fs::create_dir(&fresh).expect("the testkit's folder is writable");
    let mut command = as_someone_else();
    if let Some(user) = other_user() {
        run(Command::new("chown").arg(user).arg(&fresh));
    }
    command.push(programs.join("initdb").display().to_string());
    command
        .extend(["--no-sync", "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-D"].map(String::from));
    command.push(fresh.display().to_string());
    run(Command::new(&command[0]).args(&command[1..]));
    fs::rename(&fresh, &template).expect("a folder can be renamed");
    template
}

/// Where the newest installed PostgreSQL keeps its programs.
#[track_caller]
fn programs() -> PathBuf {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| Some((e.file_name().to_str()?.parse().ok()?, e.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    versions.sort();
    let newest = versions.pop().map(|(_, bin)| bin);
    newest.unwrap_or_else(|| panic!("no PostgreSQL server below /usr/lib/postgresql; run `make setup`"))
}

/// PostgreSQL refuses to run as root: then it runs as the user of Debian's package, or as nobody.
fn other_user() -> Option<&'static str> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    Some(if users.lines().any(|l| l.starts_with("postgres:")) { "postgres" } else { "nobody" })
}

fn as_someone_else() -> Vec<String> {
    let Some(user) = other_user() else { return vec!["env".into()] };
    ["setpriv", "--reuid", user, "--clear-groups", "--pdeathsig", "QUIT", "--"].map(String::from).into()
}

#[track_caller]
fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|e| panic!("cannot run {command:?}: {e}; run `make setup`"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {errors}");
}
