//! What becomes of a run after an attempt: a pure decision.

use super::Run;
use model::{Diagnosis, Error, ErrorKind, Outcome, Result, RunState};
use serde_json::Value;

/// How an attempt ended.
pub(super) enum Ended {
    /// The body gave an account or an error.
    Returned(Result<Value>),
    /// The body panicked with these words.
    Panicked(String),
    /// The body did not stop when asked and was cut off.
    CutOff,
}

/// Who wanted the attempt to end, if anybody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Nobody,
    Stop,
    Timeout,
    Shutdown,
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    End(RunState, Outcome),
    /// Wait, then try again.
    Again(Diagnosis),
    /// Leave it waiting for the next start of the process.
    HandOver,
}

pub(super) fn verdict(ended: Ended, cause: Cause, run: &Run, resumable: bool) -> Verdict {
    let error = match ended {
        // What came within the grace period came in time.
        Ended::Returned(Ok(value)) => return Verdict::End(RunState::Succeeded, Outcome::Result(value)),
        Ended::Returned(Err(error)) if error.kind() == ErrorKind::Cancelled => None,
        Ended::Returned(Err(error)) => Some(error),
        Ended::Panicked(words) => {
            Some(Error::internal(format!("the {} `{}` panicked", run.kind, run.name)).why(words))
        }
        Ended::CutOff => None,
    };
    match (cause, error) {
        (Cause::Timeout, error) => end(RunState::TimedOut, timed_out(run, error)),
        (Cause::Shutdown, None) if resumable => Verdict::HandOver,
        (Cause::Shutdown, None) => end(RunState::Stopped, shut_down()),
        (Cause::Stop, None) => end(RunState::Stopped, Error::cancelled()),
        (Cause::Nobody, None) if run.retries_left == 0 => end(RunState::Failed, gave_up(run)),
        (Cause::Nobody, None) => Verdict::Again(gave_up(run).diagnosis()),
        (Cause::Nobody, Some(error)) if run.retries_left > 0 && may_end_otherwise(&error) => {
            Verdict::Again(error.diagnosis())
        }
        (_, Some(error)) => end(RunState::Failed, error),
    }
}

/// Whether another attempt may end otherwise. What the request or its data has wrong stays wrong.
fn may_end_otherwise(error: &Error) -> bool {
    use ErrorKind::{Denied, InvalidInput, Unsupported};
    !matches!(error.kind(), InvalidInput | Unsupported | Denied)
}

/// What the body called a cancellation was none of this run's.
fn gave_up(run: &Run) -> Error {
    Error::new(
        ErrorKind::Cancelled,
        format!("something that the {} `{}` relies on was cancelled", run.kind, run.name),
    )
}

fn end(state: RunState, error: Error) -> Verdict {
    Verdict::End(state, Outcome::Diagnosis(error.diagnosis()))
}

fn timed_out(run: &Run, error: Option<Error>) -> Error {
    let allowed = run.timeout_millis.unwrap_or_default();
    let text =
        if allowed.is_multiple_of(1000) { format!("{} s", allowed / 1000) } else { format!("{allowed} ms") };
    let timed_out = Error::new(
        ErrorKind::Timeout,
        format!("the {} `{}` took longer than its {text}", run.kind, run.name),
    )
    .hint("give it more time, or less to do");
    match error {
        Some(error) => timed_out.why(format!("when it was ended it said: {error}")),
        None => timed_out,
    }
}

/// Why a run ended that the process's own end stopped.
pub(super) fn shut_down() -> Error {
    Error::new(ErrorKind::Cancelled, "stopped because Glulam was shut down").hint("start it again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{RunId, RunKind};

    fn run(retries_left: u32) -> Run {
        Run {
            id: RunId::from_parts(1, 1),
            kind: RunKind::new("crawl").unwrap(),
            name: "sales".into(),
            owner: String::new(),
            state: RunState::Running,
            attempt: 1,
            retries_left,
            arguments: Value::Null,
            timeout_millis: Some(90_000),
            trace: None,
            node: "local".into(),
            created: chrono::DateTime::default(),
            started: None,
            ended: None,
            progress: None,
            counters: Default::default(),
            outcome: None,
            revision: 1,
        }
    }

    fn state_of(ended: Ended, cause: Cause, retries: u32, resumable: bool) -> Option<RunState> {
        match verdict(ended, cause, &run(retries), resumable) {
            Verdict::End(state, _) => Some(state),
            _ => None,
        }
    }

    #[test]
    fn every_end_has_its_state() {
        use Cause::*;
        let failed = || Ended::Returned(Err(Error::unavailable("no server")));
        let cancelled = || Ended::Returned(Err(Error::cancelled()));
        for cause in [Nobody, Stop, Timeout, Shutdown] {
            let done = Ended::Returned(Ok(Value::Null));
            assert_eq!(state_of(done, cause, 3, true), Some(RunState::Succeeded));
        }
        assert_eq!(state_of(failed(), Nobody, 0, false), Some(RunState::Failed));
        assert_eq!(state_of(failed(), Nobody, 1, false), None);
        let wrong = Ended::Returned(Err(Error::invalid("no such column")));
        assert_eq!(state_of(wrong, Nobody, 1, false), Some(RunState::Failed));
        assert_eq!(state_of(failed(), Stop, 1, false), Some(RunState::Failed));
        assert_eq!(state_of(cancelled(), Stop, 1, false), Some(RunState::Stopped));
        assert_eq!(state_of(Ended::CutOff, Stop, 1, false), Some(RunState::Stopped));
        assert_eq!(state_of(Ended::CutOff, Timeout, 1, false), Some(RunState::TimedOut));
        assert_eq!(state_of(failed(), Timeout, 1, false), Some(RunState::TimedOut));
        assert_eq!(state_of(cancelled(), Shutdown, 1, false), Some(RunState::Stopped));
        assert_eq!(verdict(cancelled(), Shutdown, &run(0), true), Verdict::HandOver);
    }

    #[test]
    fn a_panic_is_a_bug_and_a_timeout_says_how_long() {
        let Verdict::End(_, Outcome::Diagnosis(bug)) =
            verdict(Ended::Panicked("index out of bounds".into()), Cause::Nobody, &run(0), false)
        else {
            panic!("a diagnosis is expected")
        };
        assert_eq!(bug.kind, ErrorKind::Internal);
        assert_eq!(bug.why.as_deref(), Some("index out of bounds"));
        let Verdict::End(_, Outcome::Diagnosis(late)) =
            verdict(Ended::CutOff, Cause::Timeout, &run(0), false)
        else {
            panic!("a diagnosis is expected")
        };
        assert_eq!(late.what, "the crawl `sales` took longer than its 90 s");
    }
}
