//! `glulam completions SHELL`

use crate::args::{Args, Completions};
use clap::CommandFactory;

pub(super) fn run(wanted: &Completions) -> u8 {
    let mut text = Vec::new();
    clap_complete::generate(wanted.shell, &mut Args::command(), "glulam", &mut text);
    crate::terminal::print(&String::from_utf8_lossy(&text));
    0
}
