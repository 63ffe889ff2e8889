//! What a script means: its tables, its dataflow, its settings.

pub(crate) mod compile;
pub(crate) mod drawn;
mod join;
pub(crate) mod node;
pub(crate) mod options;
pub(crate) mod resolve;
pub(crate) mod tables;
mod target;
