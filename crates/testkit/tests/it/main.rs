//! The testkit's own tests: what it promises to other crates' tests.

mod processes;
mod servers;
