//! Progress on standard error: only on a terminal, and only for what takes longer than a second.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use model::Unit;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

/// A bar that appears after a second.
pub(crate) struct Bar {
    bar: ProgressBar,
    begun: Instant,
    shown: bool,
    wanted: bool,
}

impl Bar {
    /// A bar that will show what is done.
    pub(crate) fn new(what: &str, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_message(what.to_owned());
        Self { bar, begun: Instant::now(), shown: false, wanted: !quiet && stderr().is_terminal() }
    }

    /// How far it is.
    pub(crate) fn set(&mut self, done: u64, total: Option<u64>, unit: Unit, remark: &str) {
        if !self.wanted {
            return;
        }
        if !self.shown && self.begun.elapsed() > Duration::from_secs(1) {
            self.shown = true;
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            self.bar.enable_steady_tick(Duration::from_millis(200));
        }
        self.bar.set_style(style(total.is_some(), unit));
        self.bar.set_length(total.unwrap_or(0));
        self.bar.set_position(done);
        self.bar.set_prefix(remark.to_owned());
    }

    /// Takes it away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn style(bounded: bool, unit: Unit) -> ProgressStyle {
    let (done, total, rate) = match unit {
        Unit::Bytes => ("{bytes}", "{total_bytes}", "{bytes_per_sec}"),
        _ => ("{human_pos}", "{human_len}", "{per_sec}"),
    };
    let word = match unit {
        Unit::Bytes => "",
        Unit::Rows => " rows",
        Unit::Files => " files",
        Unit::Steps => " steps",
    };
    let template = if bounded {
        format!("{{spinner}} {{msg}} [{{bar:30}}] {done}/{total}{word}  {rate}  {{eta}} left  {{prefix}}")
    } else {
        format!("{{spinner}} {{msg}} {done}{word}  {rate}  {{elapsed}}  {{prefix}}")
    };
    ProgressStyle::with_template(&template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}
