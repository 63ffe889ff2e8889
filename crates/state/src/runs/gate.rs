//! Who may work now: the process's own limit and the limits by key, first come first served.
//!
//! A run that its key keeps waiting does not keep those behind it. The database has the last word where several nodes
//! share a key; this gate spares it the asking.

use super::lock;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;

pub(super) struct Gate {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: usize,
    keys: HashMap<String, usize>,
    queue: VecDeque<Waiter>,
}

struct Waiter {
    key: Option<(String, usize)>,
    admit: oneshot::Sender<Pass>,
}

/// The right to work; given back when dropped.
pub(super) struct Pass {
    gate: Arc<Gate>,
    key: Option<String>,
    /// Whether it takes a place.
    counts: bool,
}

impl Gate {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), state: Mutex::default() })
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        let mut state = lock(&self.state);
        state.queue.retain(|waiter| !waiter.admit.is_closed());
        state.queue.len()
    }

    /// Waits for a turn. Safe to drop while waiting.
    pub(super) async fn enter(self: &Arc<Self>, key: Option<(String, usize)>) -> Pass {
        loop {
            let (admit, admitted) = oneshot::channel();
            lock(&self.state).queue.push_back(Waiter { key: key.clone(), admit });
            self.dispatch();
            // The sender goes only with a pass; the gate itself lives as long as this call.
            if let Ok(pass) = admitted.await {
                return pass;
            }
        }
    }

    /// A turn that is free now, with nobody waiting for it.
    pub(super) fn enter_now(self: &Arc<Self>) -> Option<Pass> {
        let mut state = lock(&self.state);
        if state.running >= self.most || !state.queue.is_empty() {
            return None;
        }
        state.running += 1;
        Some(Pass { gate: Arc::clone(self), key: None, counts: true })
    }

    /// A pass for a run that takes no place.
    pub(super) fn beside(self: &Arc<Self>) -> Pass {
        Pass { gate: Arc::clone(self), key: None, counts: false }
    }

    /// Gives passes to those whose turn it is.
    fn dispatch(self: &Arc<Self>) {
        for waiter in self.take_admitted() {
            let key = waiter.key.map(|(key, _)| key);
            // A waiter that is gone gives its pass back by dropping it.
            let _ = waiter.admit.send(Pass { gate: Arc::clone(self), key, counts: true });
        }
    }

    fn take_admitted(&self) -> Vec<Waiter> {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let mut admitted = Vec::new();
        let mut full: HashSet<String> = HashSet::new();
        let mut kept = VecDeque::with_capacity(state.queue.len());
        while let Some(waiter) = state.queue.pop_front() {
            if state.running >= self.most {
                kept.push_back(waiter);
                break;
            }
            if let Some((key, limit)) = &waiter.key {
                let working = state.keys.get(key).copied().unwrap_or(0);
                if working >= *limit || full.contains(key) {
                    full.insert(key.clone());
                    kept.push_back(waiter);
                    continue;
                }
                *state.keys.entry(key.clone()).or_default() += 1;
            }
            state.running += 1;
            admitted.push(waiter);
        }
        kept.append(&mut state.queue);
        state.queue = kept;
        admitted
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if !self.counts {
            return;
        }
        {
            let mut state = lock(&self.gate.state);
            state.running = state.running.saturating_sub(1);
            if let Some(key) = &self.key
                && let Some(working) = state.keys.get_mut(key)
            {
                *working -= 1;
                if *working == 0 {
                    state.keys.remove(key);
                }
            }
        }
        self.gate.dispatch();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn key(name: &str, limit: usize) -> Option<(String, usize)> {
        Some((name.to_owned(), limit))
    }

    #[tokio::test]
    async fn a_full_key_does_not_keep_others_waiting() {
        let gate = Gate::new(2);
        let first = gate.enter(key("a", 1)).await;
        let mut second = Box::pin(gate.enter(key("a", 1)));
        assert!(second.as_mut().now_or_never().is_none());
        let other = gate.enter(None).await;
        assert_eq!(gate.waiting(), 1);
        drop(first);
        let second = second.await;
        // Both places are taken again.
        let mut third = Box::pin(gate.enter(None));
        assert!(third.as_mut().now_or_never().is_none());
        drop((second, other));
        third.await;
    }

    #[tokio::test]
    async fn a_resident_takes_no_place() {
        let gate = Gate::new(1);
        let (first, resident) = (gate.enter(None).await, gate.beside());
        let mut second = Box::pin(gate.enter(None));
        drop(resident);
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        second.await;
    }

    #[tokio::test]
    async fn a_waiter_that_leaves_frees_its_place() {
        let gate = Gate::new(1);
        let first = gate.enter(None).await;
        let mut leaving = Box::pin(gate.enter(None));
        let mut staying = Box::pin(gate.enter(None));
        assert!(leaving.as_mut().now_or_never().is_none());
        assert!(staying.as_mut().now_or_never().is_none());
        drop(leaving);
        assert_eq!(gate.waiting(), 1);
        drop(first);
        staying.await;
        assert_eq!(gate.waiting(), 0);
        gate.enter(None).await;
    }
}
