//! testkit: what tests need from the world outside: real servers, the built binary, waiting without sleeping.
//!
//! In: nothing but the name of what is wanted. Out: a URL of a real PostgreSQL or S3 server that lives as long as
//! the test run, a running process with its output, a path. It is a development dependency only and knows no room of
//! the house. It must never skip: what is missing is a failing test that names the command which installs it.
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a fixture that cannot be had is a failed test, and a panic is how a test fails"
)]

mod await_until;
mod places;
mod ports;
mod postgres;
mod process;
mod seaweed;
mod shared;

pub use await_until::await_until;
pub use places::{glulam, project_root, site_packages, venv};
pub use ports::free_port;
pub use postgres::{PostgresServer, postgres, postgres_alone};
pub use process::{Finished, Process};
pub use seaweed::{Seaweed, seaweed};
