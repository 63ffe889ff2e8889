//! The process: memory, processor time, open files, as Linux tells them. Other systems tell nothing here.

use super::text::{Kind, Text};

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

pub(crate) fn write(text: &mut Text) {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let status = read("/proc/self/status");
    let mut gauge = |name: &str, help: &str, value: Option<f64>| {
        if let Some(value) = value {
            text.single(name, Kind::Gauge, help, value);
        }
    };
    gauge("process_resident_memory_bytes", "Memory that is held.", bytes(&status, "VmRSS"));
    gauge("process_virtual_memory_bytes", "Memory that is addressed.", bytes(&status, "VmSize"));
    let open = std::fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as f64);
    gauge("process_open_fds", "Open files.", open);
    let account = account(&read("/proc/self/stat"));
    gauge("process_threads", "Threads.", account.as_ref().map(|account| account.threads));
    let booted =
        read("/proc/stat").lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok());
    let started = account.as_ref().zip(booted).map(|(account, booted)| booted + account.started / TICKS);
    gauge("process_start_time_seconds", "When the process began, in seconds since 1970.", started);
    if let Some(account) = account {
        let help = "Processor time that was used, in seconds.";
        text.single("process_cpu_seconds_total", Kind::Counter, help, account.cpu_seconds);
    }
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
