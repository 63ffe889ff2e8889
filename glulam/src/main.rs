//! `glulam`: one binary that opens the rooms it needs and wires them together.
//!
//! A command is turned into operations; an operation is carried out by the server that owns the data directory when
//! there is one, and in this process when there is none. Nothing here knows a format, a table or an algorithm: that is
//! the rooms' business.

mod args;
mod commands;
mod exit;
mod operations;
mod platform;
mod server;
mod session;
mod settings;
mod terminal;

use clap::Parser;
use std::process::ExitCode;

/// Queries make and drop many small pieces of memory from several threads: the system's allocator is slow at that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are answers, everything else is wrong usage.
            let _ = error.print();
            return if error.use_stderr() { exit::code(exit::WRONG_USE) } else { ExitCode::SUCCESS };
        }
    };
    let json = args.shared.json;
    match commands::run(args) {
        Ok(code) => exit::code(code),
        Err(error) => {
            terminal::show_error(&error, json);
            exit::code(exit::of(&error))
        }
    }
}
