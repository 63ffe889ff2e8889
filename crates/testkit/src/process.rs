//! A program run from outside, as a person would run it: its output kept, its end awaited, killed when the test ends.

use crate::{await_until, glulam};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A running program. It is killed when this value goes.
pub struct Process {
    name: String,
    child: Child,
    stdout: Stream,
    stderr: Stream,
}

/// How a program ended and all it printed.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output; wrong bytes are replaced.
    pub stdout: String,
    /// Standard error; wrong bytes are replaced.
    pub stderr: String,
}

struct Stream {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts the `glulam` binary with these arguments in this folder.
    #[track_caller]
    pub fn glulam(folder: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Process {
        Process::start(Command::new(glulam()).args(arguments).current_dir(folder))
    }

    /// Starts any command. Environment, folder and standard input are the command's; its output is captured.
    #[track_caller]
    pub fn start(command: &mut Command) -> Process {
        let name = format!("{command:?}");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("cannot start {name}: {e}"));
        let stdout = Stream::of(child.stdout.take().expect("standard output is piped"));
        let stderr = Stream::of(child.stderr.take().expect("standard error is piped"));
        Process { name, child, stdout, stderr }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far on standard output.
    pub fn stdout(&self) -> String {
        self.stdout.so_far()
    }

    /// What it printed so far on standard error.
    pub fn stderr(&self) -> String {
        self.stderr.so_far()
    }

    /// Waits for a whole line, on either stream, that contains `part`, and gives it. Panics when the program ends
    /// without it or the time is up, showing what it printed.
    #[track_caller]
    pub fn wait_for_line(&mut self, part: &str, timeout: Duration) -> String {
        let start = std::time::Instant::now();
        let found = await_until("a line or the end", timeout + Duration::from_secs(5), || {
            // Asked for the end before the text, so that a last line is never missed.
            let ended = self.has_ended() || start.elapsed() > timeout;
            let line = self.line_with(part);
            (line.is_some() || ended).then_some(line)
        });
        found.unwrap_or_else(|| {
            panic!(
                "no line with {part:?} within {timeout:?} from {}\nstdout:\n{}\nstderr:\n{}",
                self.name,
                self.stdout(),
                self.stderr()
            )
        })
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(mut self, timeout: Duration) -> Finished {
        await_until(&format!("{} to end", self.name), timeout, || self.has_ended().then_some(()));
        self.finish()
    }

    /// Sends a signal by number, as in `kill -15`.
    #[track_caller]
    pub fn signal(&self, number: i32) {
        let status = Command::new("kill").arg(format!("-{number}")).arg(self.id().to_string()).status();
        assert!(status.is_ok_and(|s| s.success()), "cannot send signal {number} to {}", self.name);
    }

    /// Kills it as `kill -9` does, with no chance to tidy up, and gives what it had printed.
    #[track_caller]
    pub fn kill(mut self) -> Finished {
        let _ = self.child.kill();
        self.finish()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        let ended = matches!(self.child.try_wait(), Ok(Some(_)));
        ended && self.stdout.is_whole() && self.stderr.is_whole()
    }

    fn finish(&mut self) -> Finished {
        let status = self.child.wait().unwrap_or_else(|e| panic!("cannot wait for {}: {e}", self.name));
        Finished { code: status.code(), stdout: self.stdout.finish(), stderr: self.stderr.finish() }
    }

    fn line_with(&self, part: &str) -> Option<String> {
        [self.stdout(), self.stderr()].iter().find_map(|text| {
            let whole = &text[..text.rfind('\n')? + 1];
            whole.lines().find(|line| line.contains(part)).map(String::from)
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Stream {
    fn of(source: impl Read + Send + 'static) -> Stream {
        let text = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            let mut source = BufReader::new(source);
            let mut bytes = Vec::new();
            while source.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
                kept.lock().expect("readers do not panic").push_str(&String::from_utf8_lossy(&bytes));
                bytes.clear();
            }
        });
        Stream { text, reader: Some(reader) }
    }

    fn so_far(&self) -> String {
        self.text.lock().expect("readers do not panic").clone()
    }

    fn is_whole(&self) -> bool {
        self.reader.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn finish(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        self.so_far()
    }
}
