//! What a run took of this machine.

use std::time::Instant;

/// Measures from its start.
#[derive(Debug)]
pub(crate) struct Usage {
    started: Instant,
    cpu: f64,
}

impl Usage {
    pub(crate) fn start() -> Self {
        Self { started: Instant::now(), cpu: cpu_seconds() }
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Processor time of the whole process since the start: with other runs beside, theirs too.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        (cpu_seconds() - self.cpu).max(0.0)
    }
}

fn cpu_seconds() -> f64 {
    // Hundredths of a second, behind the name in parentheses: fields 14 and 15 of the line.
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}

/// The most memory that this process ever had, in bytes.
pub(crate) fn peak_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes =
        line.and_then(|line| line.trim().strip_suffix("kB")).and_then(|n| n.trim().parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}
