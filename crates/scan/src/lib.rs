//! In the making.

pub mod sink;
