//! Exit codes: part of the interface, listed in `glulam --help`.

use model::{Error, ErrorKind, RunState};
use std::process::ExitCode;

/// Something was done and failed, or was found wrong.
pub(crate) const FAILED: u8 = 1;
/// The command or its input is wrong.
pub(crate) const WRONG_USE: u8 = 2;
/// The named thing does not exist.
pub(crate) const NOT_FOUND: u8 = 3;
/// Somebody else has it, or it exists already.
pub(crate) const CONFLICT: u8 = 4;
/// A disk, a server or a network failed; trying again may help.
pub(crate) const UNAVAILABLE: u8 = 5;
/// A mistake of ours.
pub(crate) const BUG: u8 = 70;
/// It took longer than allowed.
pub(crate) const TIMED_OUT: u8 = 124;
/// It was stopped on request.
pub(crate) const STOPPED: u8 = 130;

pub(crate) fn code(code: u8) -> ExitCode {
    ExitCode::from(code)
}

/// The code for an error.
pub(crate) fn of(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::InvalidInput | ErrorKind::Unsupported => WRONG_USE,
        ErrorKind::NotFound => NOT_FOUND,
        ErrorKind::AlreadyExists | ErrorKind::Conflict | ErrorKind::PreconditionFailed => CONFLICT,
        ErrorKind::Unavailable => UNAVAILABLE,
        ErrorKind::Timeout => TIMED_OUT,
        ErrorKind::Cancelled => STOPPED,
        ErrorKind::Internal => BUG,
        ErrorKind::Denied | ErrorKind::LimitExceeded | ErrorKind::Corrupt => FAILED,
    }
}

/// The code for a run's end.
pub(crate) fn of_state(state: RunState) -> u8 {
    match state {
        RunState::Succeeded => 0,
        RunState::Stopped | RunState::Stopping => STOPPED,
        RunState::TimedOut => TIMED_OUT,
        RunState::Failed | RunState::Waiting | RunState::Running => FAILED,
    }
}
