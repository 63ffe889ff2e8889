//! Wrong keys are counted: who guesses too often waits, whoever it is, and so does everybody when guesses come from many.

use chrono::{DateTime, Duration, Utc};
use model::{Error, ErrorKind, Result};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// So many wrong keys from one address, and from all of them, within a while.
const FROM_ONE: usize = 10;
const FROM_ALL: usize = 200;
const WHILE_SECONDS: i64 = 60;

/// The wrong keys of the last minute.
#[derive(Default)]
pub(crate) struct Guesses {
    wrong: Mutex<VecDeque<(DateTime<Utc>, Option<IpAddr>)>>,
}

impl Guesses {
    /// Refuses an address that has guessed too often.
    pub(crate) fn admit(&self, from: Option<IpAddr>, now: DateTime<Utc>) -> Result<()> {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        while wrong.front().is_some_and(|(at, _)| *at + Duration::seconds(WHILE_SECONDS) <= now) {
            wrong.pop_front();
        }
        let mut by_address: HashMap<Option<IpAddr>, usize> = HashMap::new();
        for (_, address) in wrong.iter() {
            *by_address.entry(*address).or_default() += 1;
        }
        if wrong.len() < FROM_ALL && by_address.get(&from).copied().unwrap_or(0) < FROM_ONE {
            return Ok(());
        }
        Err(Error::new(ErrorKind::LimitExceeded, "too many wrong access keys were tried")
            .hint("wait a minute, then try again"))
    }

    /// Notes a wrong key.
    pub(crate) fn note(&self, from: Option<IpAddr>, now: DateTime<Utc>) {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).push_back((now, from));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_guesses_too_often_waits() {
        let guesses = Guesses::default();
        let start: DateTime<Utc> = "2026-03-02T08:00:00Z".parse().unwrap();
        let at = |seconds| start + Duration::seconds(seconds);
        let [one, other]: [Option<IpAddr>; 2] = ["10.0.0.1", "10.0.0.2"].map(|a| a.parse().ok());
        for second in 0..10 {
            assert!(guesses.admit(one, at(second)).is_ok());
            guesses.note(one, at(second));
        }
        assert_eq!(guesses.admit(one, at(10)).unwrap_err().kind(), ErrorKind::LimitExceeded);
        assert!(guesses.admit(other, at(10)).is_ok());
        // The first guess is a minute old.
        assert!(guesses.admit(one, at(60)).is_ok());
        for n in 0..200_u32 {
            guesses.note(Some(IpAddr::from(n.to_be_bytes())), at(61));
        }
        assert!(guesses.admit(other, at(62)).is_err());
        assert!(guesses.admit(other, at(122)).is_ok());
    }
}
