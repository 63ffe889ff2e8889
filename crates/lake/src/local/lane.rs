//! Work that is done piece by piece, in order, beside the async threads; whoever brings pieces waits when too many do.

use model::{Error, Result};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;

/// So many pieces may wait.
const DEPTH: usize = 2;

/// A lane. Its thread is given back as soon as nothing waits.
pub(super) struct Lane<S, P> {
    shared: Arc<Shared<S, P>>,
}

struct Shared<S, P> {
    work: fn(&mut S, P) -> std::io::Result<()>,
    state: Mutex<State<S, P>>,
    /// Something has changed.
    news: Notify,
}

struct State<S, P> {
    /// What pieces are worked into; a thread has it while it works.
    tool: Option<S>,
    waiting: VecDeque<P>,
    error: Option<std::io::Error>,
    /// A thread has broken off.
    is_broken: bool,
}

impl<S: Send + 'static, P: Send + 'static> Lane<S, P> {
    pub(super) fn new(tool: S, work: fn(&mut S, P) -> std::io::Result<()>) -> Self {
        let state = State { tool: Some(tool), waiting: VecDeque::new(), error: None, is_broken: false };
        Self { shared: Arc::new(Shared { work, state: Mutex::new(state), news: Notify::new() }) }
    }

    /// Brings a piece, once there is room. What went wrong with an earlier one is told here or at the end.
    pub(super) async fn bring(&self, piece: P) -> Result<std::io::Result<()>> {
        loop {
            {
                let mut state = self.shared.state();
                state.whole()?;
                if let Some(error) = state.error.take() {
                    return Ok(Err(error));
                }
                if state.waiting.len() < DEPTH {
                    state.waiting.push_back(piece);
                    if let Some(tool) = state.tool.take() {
                        let shared = Arc::clone(&self.shared);
                        spawn_blocking(move || shared.run(tool));
                    }
                    return Ok(Ok(()));
                }
            }
            self.shared.news.notified().await;
        }
    }

    /// Waits until nothing is to be done any more, and gives back what the pieces were worked into.
    pub(super) async fn end(self) -> Result<std::io::Result<S>> {
        loop {
            {
                let mut state = self.shared.state();
                state.whole()?;
                if let Some(tool) = state.tool.take() {
                    return Ok(state.error.take().map_or(Ok(tool), Err));
                }
            }
            self.shared.news.notified().await;
        }
    }
}

impl<S, P> Shared<S, P> {
    fn state(&self) -> MutexGuard<'_, State<S, P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, mut tool: S) {
        let guard = Guard(self);
        loop {
            let mut state = self.state();
            let Some(piece) = state.waiting.pop_front() else {
                state.tool = Some(tool);
                break;
            };
            drop(state);
            self.news.notify_one();
            if let Err(error) = (self.work)(&mut tool, piece) {
                let mut state = self.state();
                state.waiting.clear();
                state.error = Some(error);
            }
        }
        drop(guard);
    }
}

impl<S, P> State<S, P> {
    fn whole(&self) -> Result<()> {
        match self.is_broken {
            true => Err(Error::internal("a disk task broke off")),
            false => Ok(()),
        }
    }
}

/// Nobody waits for a thread that is gone.
struct Guard<'a, S, P>(&'a Shared<S, P>);

impl<S, P> Drop for Guard<'_, S, P> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.state().is_broken = true;
        }
        self.0.news.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error as IoError, ErrorKind};

    #[tokio::test]
    async fn pieces_are_worked_in_in_order() {
        let lane = Lane::new(Vec::new(), |all: &mut Vec<u32>, piece| {
            all.push(piece);
            Ok(())
        });
        for n in 0..1000 {
            lane.bring(n).await.unwrap().unwrap();
        }
        assert!(lane.end().await.unwrap().unwrap().into_iter().eq(0..1000));
    }

    #[tokio::test]
    async fn what_went_wrong_is_told_and_what_broke_off_is_not_waited_for() {
        let lane = Lane::new((), |(), piece: u32| match piece {
            2 => Err(IoError::new(ErrorKind::StorageFull, "full")),
            _ => Ok(()),
        });
        let mut errors = 0;
        for n in 0..5 {
            errors += u32::from(lane.bring(n).await.unwrap().is_err());
        }
        errors += u32::from(lane.end().await.unwrap().is_err());
        assert_eq!(errors, 1);

        let lane = Lane::new((), |(), _: u32| panic!("on purpose"));
        lane.bring(1).await.unwrap().unwrap();
        let ended = lane.end().await;
        assert!(ended.is_err_and(|e| e.message().contains("broke off")));
    }
}
