//! Dates, times, timestamps, zones and intervals: one file per group of functions.
//!
//! Times of every unit are computed as 64-bit numbers (`longs`) on plain calendar arithmetic (`calendar`); zones are
//! looked up in `zone`. Units, patterns and zones that are constant are prepared once per batch.

pub mod arithmetic;
pub(crate) mod calendar;
pub mod convert;
pub mod extract;
pub mod iso8601;
pub mod literal;
pub(crate) mod longs;
pub mod operators;
pub(crate) mod parse;
pub mod pattern;
mod unit;
pub mod zone;

pub use arithmetic::truncated;
pub use convert::{offset_name, zone_arguments};
pub use literal::{IntervalField, date_literal, interval_literal, time_literal, timestamp_literal};
pub use zone::{Zone, zone_name};
