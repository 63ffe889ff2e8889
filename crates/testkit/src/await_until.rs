//! Waiting for a condition. The one place of the whole test suite that may poll, so no test sleeps a fixed time.

use std::time::{Duration, Instant};

const STEP: Duration = Duration::from_millis(10);

/// Waits until `condition` gives a value, looking every few milliseconds, and panics after `timeout`.
///
/// Name what is waited for: `await_until("the run to finish", timeout, || run_is_finished().then_some(()))`.
#[track_caller]
pub fn await_until<T>(what: &str, timeout: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < timeout, "waited {timeout:?} in vain for {what}");
        pause();
    }
}

#[allow(clippy::disallowed_methods, reason = "the one place that may poll; every test waits through it")]
fn pause() {
    std::thread::sleep(STEP);
}
