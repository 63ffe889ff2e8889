//! Answers to panels that were shown before: as long as nothing they are made of has changed, they are shown again
//! instead of being worked out again.

use engine::Origin;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most bytes of all answers, and of one.
const ALL: usize = 64 << 20;
const ONE: usize = 8 << 20;

/// What an answer is kept by: what it is made of, and how many rows of it are wanted.
type Key = ([u8; 32], usize);

/// The answers, the least recently shown of which go first when there are too many.
#[derive(Default)]
pub(crate) struct Kept {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    answers: HashMap<Key, (u64, Arc<str>)>,
    /// By when they were shown.
    turns: BTreeMap<u64, Key>,
    turn: u64,
    bytes: usize,
}

impl Kept {
    /// The answer that was shown for the same before.
    pub(crate) fn find(&self, origin: Option<&Origin>, rows: usize) -> Option<Arc<str>> {
        self.state().find((origin?.key()?, rows))
    }

    /// Keeps an answer that was worked out.
    pub(crate) fn keep(&self, origin: Option<&Origin>, rows: usize, answer: &str) {
        if let Some(key) = origin.and_then(Origin::key) {
            self.state().keep((key, rows), answer);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&mut self, key: Key) -> Option<Arc<str>> {
        let (turn, answer) = self.answers.get_mut(&key)?;
        self.turns.remove(turn);
        self.turn += 1;
        *turn = self.turn;
        self.turns.insert(self.turn, key);
        Some(Arc::clone(answer))
    }

    fn keep(&mut self, key: Key, answer: &str) {
        if answer.len() > ONE {
            return;
        }
        self.remove(&key);
        while self.bytes + answer.len() > ALL {
            let Some((_, oldest)) = self.turns.first_key_value() else { break };
            let oldest = *oldest;
            self.remove(&oldest);
        }
        self.turn += 1;
        self.turns.insert(self.turn, key);
        self.bytes += answer.len();
        self.answers.insert(key, (self.turn, answer.into()));
    }

    fn remove(&mut self, key: &Key) {
        if let Some((turn, answer)) = self.answers.remove(key) {
            self.turns.remove(&turn);
            self.bytes -= answer.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_shown_go_first() {
        let mut state = State::default();
        let key = |n: u8| ([n; 32], 10);
        let answer = "x".repeat(ONE);
        for n in 0..8 {
            state.keep(key(n), &answer);
        }
        assert!(state.find(key(0)).is_some());
        state.keep(key(8), &answer);
        state.keep(key(9), &"x".repeat(ONE + 1));
        let left: Vec<u8> = (0..10).filter(|n| state.find(key(*n)).is_some()).collect();
        assert_eq!((left, state.bytes), (vec![0, 2, 3, 4, 5, 6, 7, 8], ALL));
        state.keep(key(8), "short");
        assert_eq!(state.find(key(8)).as_deref(), Some("short"));
        assert_eq!((state.answers.len(), state.turns.len()), (8, 8));
        assert_eq!(state.bytes, 7 * ONE + 5);
    }
}
