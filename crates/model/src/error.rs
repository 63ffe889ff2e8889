//! One error type for every room: its kind says whose fault it is and whether to try again, its message says what went
//! wrong, its place where, its hints what to do. Causes stay attached as sources and are never flattened into text.

use crate::{Diagnosis, Place};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Arc<dyn std::error::Error + Send + Sync + 'static>;

/// What sort of failure this is. Doors translate it into their protocol's error code, the command line into an exit
/// code; it is part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The request or its data is wrong and will stay wrong.
    InvalidInput,
    /// The named thing does not exist.
    NotFound,
    /// The named thing exists already.
    AlreadyExists,
    /// Somebody else changed the thing in between; read it again and decide anew.
    Conflict,
    /// A condition of the request (`if-match`, expected state) does not hold.
    PreconditionFailed,
    /// The caller may not do this.
    Denied,
    /// A configured limit stopped it.
    LimitExceeded,
    /// What was asked for is known, but not supported here.
    Unsupported,
    /// It took longer than allowed.
    Timeout,
    /// It was stopped on request.
    Cancelled,
    /// Something outside (a server, a network, a disk) failed.
    Unavailable,
    /// Stored bytes are not what they should be.
    Corrupt,
    /// A mistake of ours.
    Internal,
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The caller's: the request or the data must change.
    User,
    /// The surroundings': a server, a disk, a network.
    External,
    /// Ours: a bug.
    Internal,
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// The same call will fail again.
    Never,
    /// The same call may go through after a while.
    Later,
    /// The call may go through at once after reading the current state again.
    AfterReread,
}

impl ErrorKind {
    /// Whose fault failures of this kind are.
    pub fn blame(self) -> Blame {
        match self {
            Self::InvalidInput
            | Self::NotFound
            | Self::AlreadyExists
            | Self::Conflict
            | Self::PreconditionFailed
            | Self::Denied
            | Self::LimitExceeded
            | Self::Unsupported
            | Self::Cancelled => Blame::User,
            Self::Timeout | Self::Unavailable | Self::Corrupt => Blame::External,
            Self::Internal => Blame::Internal,
        }
    }

    /// Whether the same may succeed at another time, when others are done or what is outside is there again.
    pub fn may_pass(self) -> bool {
        use ErrorKind::{Cancelled, Conflict, PreconditionFailed, Timeout, Unavailable};
        matches!(self, Unavailable | Conflict | PreconditionFailed | Timeout | Cancelled)
    }

    /// Whether trying again can help.
    pub fn retry(self) -> Retry {
        match self {
            Self::Conflict => Retry::AfterReread,
            Self::Unavailable | Self::Timeout => Retry::Later,
            _ => Retry::Never,
        }
    }
}

/// A failure with everything a reader needs. Cheap to clone.
#[derive(Clone)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    place: Option<Place>,
    why: Option<String>,
    hints: Vec<String>,
    source: Option<Source>,
}

impl Error {
    /// A failure of that kind. The message is one sentence in lower case without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                message: message.into(),
                place: None,
                why: None,
                hints: Vec::new(),
                source: None,
            }),
        }
    }

    /// The request or its data is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// The named thing does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// The named thing exists already.
    pub fn already_exists(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::AlreadyExists, message)
    }

    /// Somebody else changed the thing in between.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, message)
    }

    /// Known, but not supported here.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// Something outside failed.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }

    /// Stored bytes are not what they should be.
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }

    /// A mistake of ours; the rendered text asks for a report.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// It was stopped on request.
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "stopped on request")
    }

    /// Says where it went wrong.
    #[must_use]
    pub fn at(mut self, place: impl Into<Place>) -> Self {
        self.inner.place = Some(place.into());
        self
    }

    /// Says where it went wrong, unless a deeper room knew the place better.
    #[must_use]
    pub fn at_if_unknown(mut self, place: impl FnOnce() -> Place) -> Self {
        if self.inner.place.is_none() {
            self.inner.place = Some(place());
        }
        self
    }

    /// The same without its place, where that says nothing to a reader.
    #[must_use]
    pub fn without_place(mut self) -> Self {
        self.inner.place = None;
        self
    }

    /// Says why it is probably so.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.inner.why = Some(why.into());
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.inner.hints.push(hint.into());
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn source_is(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.inner.source = Some(Arc::new(source));
        self
    }

    /// Puts a sentence before the message: `reading the footer: unexpected end of file`.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.inner.message = format!("{context}: {}", self.inner.message);
        self
    }

    /// What sort of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// What went wrong, in one sentence.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// Where, as far as it is known.
    pub fn place(&self) -> Option<&Place> {
        self.inner.place.as_ref()
    }

    /// Everything a reader needs, as a value that can be stored, sent and rendered.
    pub fn diagnosis(&self) -> Diagnosis {
        let mut why = self.inner.why.clone();
        if why.is_none() {
            let mut causes = Vec::new();
            let mut cause: Option<&(dyn std::error::Error + 'static)> =
                self.inner.source.as_ref().map(|s| s.as_ref() as &(dyn std::error::Error + 'static));
            while let Some(error) = cause {
                let text = error.to_string();
                if !text.is_empty() && !causes.contains(&text) && !self.inner.message.contains(&text) {
                    causes.push(text);
                }
                cause = error.source();
            }
            if !causes.is_empty() {
                why = Some(causes.join(": "));
            }
        }
        let mut hints = self.inner.hints.clone();
        if self.inner.kind == ErrorKind::Internal {
            hints.push("this is a bug in Glulam; please report it with the full log".to_owned());
        }
        Diagnosis {
            kind: self.inner.kind,
            what: self.inner.message.clone(),
            place: self.inner.place.clone(),
            why,
            hints,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.message)?;
        if let Some(place) = &self.inner.place {
            write!(f, " ({})", place.short())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.inner.kind, self.diagnosis())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_ref().map(|s| s.as_ref() as &(dyn std::error::Error + 'static))
    }
}

impl From<Diagnosis> for Error {
    fn from(diagnosis: Diagnosis) -> Self {
        let mut error = Error::new(diagnosis.kind, diagnosis.what);
        error.inner.place = diagnosis.place;
        error.inner.why = diagnosis.why;
        error.inner.hints = diagnosis.hints;
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_become_the_why_and_bugs_ask_for_a_report() {
        let cause = std::io::Error::other("disk is on fire");
        let error = Error::internal("cannot read the page").source_is(cause);
        let diagnosis = error.diagnosis();
        assert_eq!(diagnosis.why.as_deref(), Some("disk is on fire"));
        assert!(diagnosis.hints.iter().any(|hint| hint.contains("please report")));
    }

    #[test]
    fn the_innermost_place_wins() {
        let error = Error::corrupt("bad magic")
            .at(Place::object("s3://b/k"))
            .at_if_unknown(|| Place::object("s3://b/other"));
        assert_eq!(error.to_string(), "bad magic (s3://b/k)");
    }
}
