//! Values from their text, without allocating: numbers, dates and times, booleans.
//!
//! Every function takes the bytes of one field and answers none for what is no such value.

mod clock;
mod number;
mod pattern;
mod time;

pub(crate) use clock::LogClock;
pub(crate) use number::{decimal, float32, float64, integer};
pub(crate) use pattern::TimePattern;
pub(crate) use time::{Instant, date, instant, time_of_day};

/// Without spaces around.
pub(crate) fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b' ' | b'\t' | b'\r'] = text {
        text = rest;
    }
    text
}

/// `true` and `false` in any case.
pub(crate) fn boolean(text: &[u8]) -> Option<bool> {
    if text.eq_ignore_ascii_case(b"true") {
        Some(true)
    } else if text.eq_ignore_ascii_case(b"false") {
        Some(false)
    } else {
        None
    }
}
