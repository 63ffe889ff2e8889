//! Servers that many tests share: started by the first that asks, gone when the test run is.
//!
//! nextest runs every test in a process of its own, so a server belongs to the RUN (nextest's process, or the test
//! process itself under plain `cargo test`). A small watcher script is the server's parent: it waits for the owner's
//! end, however that comes, then kills the server and removes its folder. Should the watcher itself be killed, the
//! kernel kills the server with it (`setpriv --pdeathsig`), and the next run sweeps the folder.

use crate::await_until;
use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Arguments: owner's process id, the server's folder, the signal that ends the server, the server's command line.
const WATCHER: &str = r#"
owner=$1 dir=$2 signal=$3; shift 3
tail --pid="$owner" -s 0.2 -f /dev/null & watch=$!
setpriv --pdeathsig "$signal" -- "$@" >"$dir/log" 2>&1 & server=$!
wait -n "$watch" "$server"; code=$?
kill -0 "$watch" 2>/dev/null && { echo "$code" >"$dir/exited"; wait "$watch"; }
kill -"$signal" "$server" 2>/dev/null; wait "$server"
[ -f "$dir/leftovers" ] && xargs -r -d '\n' rm -f <"$dir/leftovers"
rm -rf "$dir" "$dir.lock"
rmdir --ignore-fail-on-non-empty "$(dirname "$dir")" 2>/dev/null
"#;

/// What a kind of server says about its start.
pub(crate) struct Launch {
    pub(crate) command: Vec<String>,
    /// The signal that ends this server at once.
    pub(crate) stop_signal: &'static str,
    /// Files outside the folder that the server leaves behind.
    pub(crate) leftovers: Vec<String>,
    /// What a test needs to use the server; the first word is the port that answers while the server lives.
    pub(crate) facts: String,
}

/// The facts of the run's server of this kind, starting it if this is the first test to ask.
#[track_caller]
pub(crate) fn server(
    kind: &str,
    prepare: impl FnOnce(&Path) -> Launch,
    is_ready: impl Fn(&Path, &str) -> bool,
) -> String {
    let (owner, run) = run_folder();
    fs::create_dir_all(&run).unwrap_or_else(|e| panic!("cannot make {}: {e}", run.display()));
    let lock = File::create(run.join(format!("{kind}.lock"))).expect("the lock file can be made");
    lock.lock().expect("the lock can be waited for");
    let dir = run.join(kind);
    if let Some(facts) = facts_of_living(&dir) {
        return facts;
    }
    sweep();
    let _ = fs::remove_dir_all(&dir);
    let (_watcher, facts) = start(owner, &dir, prepare, is_ready);
    fs::write(dir.join("facts"), &facts).expect("the facts can be written");
    facts
}

/// Starts a server in an empty folder and waits until it is ready. The watcher is its parent and outlives this call.
#[track_caller]
pub(crate) fn start(
    owner: u32,
    dir: &Path,
    prepare: impl FnOnce(&Path) -> Launch,
    is_ready: impl Fn(&Path, &str) -> bool,
) -> (Child, String) {
    fs::create_dir_all(dir).unwrap_or_else(|e| panic!("cannot make {}: {e}", dir.display()));
    let launch = prepare(dir);
    fs::write(dir.join("leftovers"), launch.leftovers.join("\n")).expect("the folder is writable");
    let watcher = Command::new("bash")
        .args(["-c", WATCHER, "testkit-watcher", &owner.to_string()])
        .arg(dir)
        .arg(launch.stop_signal)
        .args(&launch.command)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Out of the test's process group: a runner that kills the group of a stuck test must not kill the watcher.
        .process_group(0)
        .spawn()
        .unwrap_or_else(|e| panic!("cannot start bash, the parent of test servers: {e}"));
    await_until(&format!("{} to be ready", launch.command.join(" ")), START_TIMEOUT, || {
        if dir.join("exited").exists() {
            panic!("{} ended at once; its log:\n{}", launch.command.join(" "), log_tail(dir));
        }
        is_ready(dir, &launch.facts).then_some(())
    });
    (watcher, launch.facts)
}

/// Whether something listens on this port of 127.0.0.1.
pub(crate) fn answers(port: &str) -> bool {
    port.parse::<u16>().is_ok_and(|p| TcpStream::connect(("127.0.0.1", p)).is_ok())
}

/// The folder of all that the testkit keeps outside the checkout: short, for sockets, and open to other users, as
/// PostgreSQL refuses to run as root.
pub(crate) fn base() -> PathBuf {
    let me = rustix::process::getuid().as_raw();
    let path = std::env::temp_dir().join(format!("glulam-testkit-{me}"));
    if fs::create_dir(&path).is_ok() {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("own folder");
    }
    let owner = fs::metadata(&path).unwrap_or_else(|e| panic!("cannot use {}: {e}", path.display())).uid();
    assert_eq!(owner, me, "{} belongs to someone else; remove it or set TMPDIR", path.display());
    path
}

/// Who the run is: nextest's process, or this one where nextest is not.
fn run_folder() -> (u32, PathBuf) {
    let (owner, id) = match std::env::var("NEXTEST_RUN_ID") {
        Ok(id) => (std::os::unix::process::parent_id(), id),
        Err(_) => (std::process::id(), "alone".to_string()),
    };
    (owner, base().join(format!("run-{owner}-{id}")))
}

fn facts_of_living(dir: &Path) -> Option<String> {
    let facts = fs::read_to_string(dir.join("facts")).ok()?;
    let port = facts.split_whitespace().next()?;
    answers(port).then(|| facts.clone())
}

/// Removes folders of runs whose owner is gone and whose watcher was killed before it could clean up.
fn sweep() {
    let Ok(entries) = fs::read_dir(base()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|n| n.strip_prefix("run-")).and_then(|n| n.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn log_tail(dir: &Path) -> String {
    let log = fs::read_to_string(dir.join("log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
