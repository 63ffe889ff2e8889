//! The console: the web user interface and its API, on one port.
//!
//! What comes in: requests of browsers. What goes out: the built pages (from `ui/`, embedded at compile time), calls of
//! the rooms below and of the binary's operations, and their answers as JSON. Who may come in, and from which pages, is
//! decided in one place (`guard`). This room must never keep anything of its own but sessions, answer what it did not
//! do, or hold a result in memory: rows are read page by page from the file that the engine left.

mod answer;
mod api;
mod assets;
mod caller;
mod door;
mod guard;
mod guesses;
mod kept;
mod metrics;
mod results;
mod sessions;
mod streams;

pub use caller::{Caller, Keys, may_change_anything, may_query};
pub use door::{Door, DoorConfig, Operations, Rooms};
pub use streams::{StreamTotals, stream_totals};
