//! Who has logged in: random tokens in cookies, kept in memory for half a day.

use chrono::{DateTime, Duration, Utc};
use model::{Error, Result};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The cookie's name.
pub(crate) const COOKIE: &str = "glulam_session";
const LASTS_HOURS: i64 = 12;
/// More than anybody needs; the oldest goes first.
const MOST: usize = 1000;

/// Sessions by token.
#[derive(Default)]
pub(crate) struct Sessions {
    open: Mutex<HashMap<String, Session>>,
}

#[derive(Clone)]
struct Session {
    user: String,
    until: DateTime<Utc>,
}

impl Sessions {
    /// Begins a session of that key; answers its token.
    pub(crate) fn begin(&self, user: &str, now: DateTime<Utc>) -> Result<String> {
        let mut random = [0_u8; 32];
        getrandom::fill(&mut random)
            .map_err(|e| Error::unavailable("there are no random numbers").why(e.to_string()))?;
        let token = hex::encode(random);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, session| session.until > now);
        if open.len() >= MOST
            && let Some(oldest) = open.iter().min_by_key(|(_, s)| s.until).map(|(token, _)| token.clone())
        {
            open.remove(&oldest);
        }
        let until = now + Duration::hours(LASTS_HOURS);
        open.insert(token.clone(), Session { user: user.to_owned(), until });
        Ok(token)
    }

    /// Whose session it is.
    pub(crate) fn user(&self, token: &str, now: DateTime<Utc>) -> Option<String> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(token).filter(|session| session.until > now).map(|session| session.user.clone())
    }

    /// Ends a session.
    pub(crate) fn end(&self, token: &str) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_end() {
        let sessions = Sessions::default();
        let start: DateTime<Utc> = "2026-03-02T08:00:00Z".parse().unwrap();
        let token = sessions.begin("analyst", start).unwrap();
        let other = sessions.begin("analyst", start + Duration::hours(6)).unwrap();
        assert_ne!(token, other);
        assert_eq!(token.len(), 64);
        let after = |hours| start + Duration::hours(hours);
        assert_eq!(sessions.user(&token, after(11)).as_deref(), Some("analyst"));
        assert_eq!(sessions.user(&token, after(12)), None);
        assert_eq!(sessions.user("", after(1)), None);
        sessions.end(&other);
        assert_eq!(sessions.user(&other, after(7)), None);
    }
}
