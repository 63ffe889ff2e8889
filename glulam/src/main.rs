//! `glulam`: one binary that opens the rooms it needs and wires them together.
//!
//! A command is turned into operations; an operation is carried out by the server that owns the data directory when
//! there is one, and in this process when there is none. Nothing here knows a format, a table or an algorithm: that is
//! the rooms' business.

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

/// Queries make and drop many small pieces of memory from several threads: the system's allocator is slow at that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Batches come and go all the time. With huge pages the system clears two megabytes whenever a byte of them is touched
/// anew: a job that writes many partitions spent a fifth of its time there, and held more memory.
#[cfg(target_os = "linux")]
fn no_huge_pages() {
    // Where the system knows no such switch, all works as before.
    let _ = nix::sys::prctl::set_thp_disable(true);
}

#[cfg(not(target_os = "linux"))]
fn no_huge_pages() {}

fn main() -> ExitCode {
    no_huge_pages();
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
