//! Python: environments that hold what data scripts import, and scripts that run in them as processes with limits.
//!
//! What comes in: a script's file, its arguments and variables. What goes out: its lines as they come, and, where it
//! failed, a diagnosis with Python's own error and the script's line. This room knows neither the lake nor runs. It must
//! never leave a process behind, use an environment that is half made, or hold a script's output in memory.

mod check;
mod ending;
mod environment;
mod lines;
mod process;
mod script;
mod support;

pub use check::Checked;
pub use environment::{Environment, Module, Python, PythonOptions};
pub use lines::{Line, LineSender, Stream};
pub use script::Script;
