//! The connections by their numbers: what another connection, or the end of the server, stops.

use crate::door::House;
use model::{Error, Result};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// The connections, so that their statements can be stopped.
#[derive(Default)]
pub(crate) struct Processes {
    next: AtomicI32,
    running: Mutex<HashMap<i32, (i32, CancellationToken)>>,
    /// Cancelled when the server ends and has waited for statements long enough.
    cut: CancellationToken,
}

impl Processes {
    /// Stops the statement of a connection, for who knows its secret.
    pub(crate) fn cancel(&self, process: i32, secret: i32) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((expected, token)) = running.get(&process)
            && *expected == secret
        {
            token.cancel();
        }
    }

    /// Stops all statements, also those that are still to come.
    pub(crate) fn cut(&self) {
        self.cut.cancel();
    }

    /// Whether all statements were stopped.
    pub(crate) fn are_cut(&self) -> bool {
        self.cut.is_cancelled()
    }
}

/// A connection's number, and what stops its statement.
pub(crate) struct Process {
    pub(crate) number: i32,
    secret: i32,
    /// From where it comes, where that is told to anybody.
    pub(crate) peer: Option<SocketAddr>,
    house: Arc<House>,
}

impl Process {
    /// Gives a connection a number and a secret.
    pub(crate) fn enter(house: &Arc<House>, peer: Option<SocketAddr>) -> Result<Self> {
        let mut random = [0_u8; 4];
        getrandom::fill(&mut random)
            .map_err(|e| Error::unavailable("this machine gives no random bytes").source_is(e))?;
        let number = house.processes.next.fetch_add(1, Ordering::Relaxed).wrapping_add(1) & i32::MAX;
        Ok(Self { number, secret: i32::from_be_bytes(random), peer, house: Arc::clone(house) })
    }

    /// A token for the next statement: whoever knows the secret can cancel it, and so does the server's end.
    pub(crate) fn begin(&self) -> CancellationToken {
        let processes = &self.house.processes;
        let token = processes.cut.child_token();
        let mut running = processes.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(self.number, (self.secret, token.clone()));
        token
    }

    /// What a client needs to cancel.
    pub(crate) fn secret(&self) -> i32 {
        self.secret
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.house.processes.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}
