//! Free TCP ports that two test processes never pick at the same moment.
//!
//! They come from below the kernel's range for outgoing connections, and each is held by a file lock until the test
//! process ends: by then the server that it was meant for listens on it.

use crate::shared;
use std::fs::File;
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

const FIRST: u32 = 20_000;
const COUNT: u32 = 10_000;

static HELD: Mutex<Vec<File>> = Mutex::new(Vec::new());
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A port on 127.0.0.1 that nothing listens on and no other test picks.
#[track_caller]
pub fn free_port() -> u16 {
    let locks = shared::base().join("ports");
    std::fs::create_dir_all(&locks).expect("the folder of port locks can be made");
    for _ in 0..COUNT {
        // Each process begins elsewhere, so that parallel tests seldom meet.
        let turn = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id().wrapping_mul(37));
        let Ok(port) = u16::try_from(FIRST + turn % COUNT) else { continue };
        let Ok(lock) = File::create(locks.join(port.to_string())) else { continue };
        if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            HELD.lock().expect("no test panics while it holds this").push(lock);
            return port;
        }
    }
    panic!("no free port between {FIRST} and {}", FIRST + COUNT);
}
