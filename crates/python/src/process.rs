//! One process with all its children: started as a group of its own, followed, and ended as a whole.

use crate::lines::{Line, LineSender, Lines, Stream};
use model::{Error, Place, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// How long a process that was told to end may take until it is killed. A run that is stopped has a little longer.
const GRACE: Duration = Duration::from_secs(5);
/// How long output is read behind the process's end: somebody may have inherited it.
const DRAIN: Duration = Duration::from_secs(2);

/// A group of processes. Whatever of it is left when this is dropped is killed.
struct Group(Option<Pid>);

impl Group {
    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // A group that is gone needs no signal.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// What a process gets of our own environment: where things are, the language, the way to the network. Everything else
/// (keys, passwords in addresses, settings) belongs to the one who started us, and not to scripts.
const PASSED_ON: [&str; 24] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "TERM",
    "LD_LIBRARY_PATH",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "XDG_CACHE_HOME",
];

/// A Python of that path, with no more of our environment than it needs.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    for (name, value) in std::env::vars_os() {
        let is_wanted =
            name.to_str().is_some_and(|name| PASSED_ON.contains(&name) || name.starts_with("LC_"));
        if is_wanted {
            command.env(name, value);
        }
    }
    command.env("PYTHONUTF8", "1").env("PYTHONUNBUFFERED", "1").process_group(0);
    command
}

/// Runs a command to its end; each line is handed on as it comes. When `stop` is cancelled the group is told to end, and
/// killed when it does not.
pub(crate) async fn run(
    mut command: Command,
    stop: &CancellationToken,
    lines: &LineSender,
) -> Result<ExitStatus> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|e| cannot_start(&command, e))?;
    let group = Group(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw));
    // Its closing tells the process that we are gone.
    let _alive = child.stdin.take();
    let (Some(output), Some(error)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Error::internal("a process has no output"));
    };
    let (mut output, mut error) = (Lines::new(output), Lines::new(error));
    let (mut output_open, mut error_open) = (true, true);
    let mut ended: Option<ExitStatus> = None;
    let mut is_told = false;
    let deadline = tokio::time::sleep_until(far());
    tokio::pin!(deadline);
    while ended.is_none() || output_open || error_open {
        tokio::select! {
            line = output.next(), if output_open => match line {
                Some(text) => hand_on(lines, Stream::Output, text).await,
                None => output_open = false,
            },
            line = error.next(), if error_open => match line {
                Some(text) => hand_on(lines, Stream::Error, text).await,
                None => error_open = false,
            },
            status = wait(&mut child), if ended.is_none() => {
                ended = Some(status?);
                // Children that it left behind are not wanted.
                group.signal(Signal::KILL);
                deadline.as_mut().reset(tokio::time::Instant::now() + DRAIN);
            }
            () = stop.cancelled(), if !is_told && ended.is_none() => {
                is_told = true;
                group.signal(Signal::TERM);
                deadline.as_mut().reset(tokio::time::Instant::now() + GRACE);
            }
            () = &mut deadline => {
                group.signal(Signal::KILL);
                if ended.is_some() {
                    break;
                }
                deadline.as_mut().reset(far());
            }
        }
    }
    ended.ok_or_else(|| Error::internal("a process has no end"))
}

async fn hand_on(lines: &LineSender, stream: Stream, text: String) {
    // Whoever does not listen any more does not want to know.
    let _ = lines.send(Line { stream, text }).await;
}

/// A moment that no process lives to see.
fn far() -> tokio::time::Instant {
    tokio::time::Instant::now() + Duration::from_secs(10 * 365 * 86_400)
}

async fn wait(child: &mut Child) -> Result<ExitStatus> {
    child.wait().await.map_err(|e| Error::unavailable("cannot wait for a process").source_is(e))
}

fn cannot_start(command: &Command, error: std::io::Error) -> Error {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let is_missing = error.kind() == std::io::ErrorKind::NotFound;
    let failure = match is_missing {
        true => Error::not_found(format!("there is no `{program}` on this machine"))
            .hint("install Python 3.11 or later, or name one: --set python.program=/usr/bin/python3.12"),
        false => Error::unavailable("cannot start a process").at(Place::object(program)),
    };
    failure.source_is(error)
}

/// What a command wrote, where that is short. Its failure carries the last lines of its complaint.
pub(crate) async fn output(
    command: Command,
    stop: &CancellationToken,
) -> Result<(ExitStatus, String, Vec<String>)> {
    let (lines, mut coming) = tokio::sync::mpsc::channel(100);
    let gather = async {
        let (mut output, mut complaint) = (String::new(), Vec::new());
        while let Some(Line { stream, text }) = coming.recv().await {
            match stream {
                Stream::Error => {
                    if complaint.len() == MAX_COMPLAINT {
                        complaint.remove(0);
                    }
                    complaint.push(text);
                }
                _ if output.len() < MAX_OUTPUT => {
                    output.push_str(&text);
                    output.push('\n');
                }
                _ => {}
            }
        }
        (output, complaint)
    };
    let work = async {
        let status = run(command, stop, &lines).await;
        drop(lines);
        status
    };
    let (status, (output, complaint)) = tokio::join!(work, gather);
    Ok((status?, output, complaint))
}

const MAX_OUTPUT: usize = 16 << 20;
const MAX_COMPLAINT: usize = 20;
