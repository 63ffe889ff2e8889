//! `glulam`: one binary that opens the rooms it needs and wires them together.
//!
//! A command is turned into operations; an operation is carried out by the server that owns the data directory when
//! there is one, and in this process when there is none. Nothing here knows a format, a table or an algorithm: that is
//! the rooms' business.

mod allocator;
mod args;
mod commands;
mod entrance;
mod exit;
mod figures;
mod kinesis;
mod operations;
mod pg_door;
mod platform;
mod server;
mod session;
mod settings;
mod system;
mod terminal;

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator::NEW;

fn main() -> ExitCode {
    allocator::huge_pages_on_request();
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
