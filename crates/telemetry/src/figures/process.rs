//! The process: memory, processor time, open files, as Linux tells them. Other systems tell nothing here.

use super::{Family, Kind, Point};

/// The ticks of a second in Linux's accounts.
const TICKS: f64 = 100.0;

#[derive(Debug, PartialEq)]
struct Account {
    cpu_seconds: f64,
    threads: f64,
    /// In ticks since the machine began.
    started: f64,
}

/// Reads `/proc/self/stat`: the program's name, in brackets, may hold anything.
fn account(stat: &str) -> Option<Account> {
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<f64> =
        rest.split_whitespace().skip(1).map(|field| field.parse().unwrap_or(0.0)).collect();
    // The fields of the manual page, less the three before and counted from one.
    let field = |number: usize| fields.get(number - 4).copied();
    Some(Account { cpu_seconds: (field(14)? + field(15)?) / TICKS, threads: field(20)?, started: field(22)? })
}

/// A line of `/proc/self/status` in kilobytes, as bytes.
fn bytes(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let number: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(number * 1024.0)
}

/// Named as OpenTelemetry's conventions for processes say, and for Prometheus as its own libraries do.
pub(super) fn families() -> Vec<Family> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let status = read("/proc/self/status");
    let open = std::fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as f64);
    let account = account(&read("/proc/self/stat"));
    let booted =
        read("/proc/stat").lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok());
    let started = account.as_ref().zip(booted).map(|(account, booted)| booted + account.started / TICKS);
    let mut families = Vec::new();
    let mut tell = |name, prometheus, unit, kind, help, value: Option<f64>| {
        let point = value.map(|value| match value.fract() {
            0.0 if value >= 0.0 && unit != "s" => Point::whole(&[], value as u64),
            _ => Point::real(&[], value),
        });
        let family = point.map(|point| Family::new(name, unit, kind, help, vec![point]));
        families.extend(family.map(|family| family.known_to_prometheus_as(prometheus)));
    };
    tell(
        "process.memory.usage",
        "process_resident_memory_bytes",
        "By",
        Kind::Gauge,
        "Memory that is held.",
        bytes(&status, "VmRSS"),
    );
    tell(
        "process.memory.virtual",
        "process_virtual_memory_bytes",
        "By",
        Kind::Gauge,
        "Memory that is addressed.",
        bytes(&status, "VmSize"),
    );
    tell(
        "process.unix.file_descriptor.count",
        "process_open_fds",
        "{file_descriptor}",
        Kind::Gauge,
        "Open files.",
        open,
    );
    tell(
        "process.thread.count",
        "process_threads",
        "{thread}",
        Kind::Gauge,
        "Threads.",
        account.as_ref().map(|account| account.threads),
    );
    tell(
        "process.start_time",
        "process_start_time_seconds",
        "s",
        Kind::Gauge,
        "When the process began, in seconds since 1970.",
        started,
    );
    tell(
        "process.cpu.time",
        "process_cpu_seconds_total",
        "s",
        Kind::Counter,
        "Processor time that was used, in seconds.",
        account.as_ref().map(|account| account.cpu_seconds),
    );
    families
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_accounts_are_read() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 12 0 7000 1000 200 18446744073709551615";
        assert_eq!(account(stat), Some(Account { cpu_seconds: 3.0, threads: 12.0, started: 7000.0 }));
        assert_eq!(account("nothing"), None);
        assert_eq!(account("1 (short) S 1"), None);
        let status = "Name:\tglulam\nVmSize:\t  2048 kB\nVmRSS:\t1024 kB\n";
        assert_eq!(bytes(status, "VmRSS"), Some(1_048_576.0));
        assert_eq!(bytes(status, "VmSwap"), None);
    }
}
