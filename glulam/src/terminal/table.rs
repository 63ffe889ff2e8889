//! Tables and amounts for people.

use chrono::{DateTime, Duration, Utc};
use comfy_table::{ContentArrangement, Table, presets};
use std::io::{IsTerminal, stdout};

/// A table without frames, as wide as the terminal allows; not wrapped when it goes into a pipe.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let header: Vec<String> = header.iter().map(|word| word.to_uppercase()).collect();
    table_as_is(&header, rows)
}

/// The same under names that are shown as they are.
pub(crate) fn table_as_is(header: &[String], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    // A terminal that does not tell its width is taken as wide enough.
    if stdout().is_terminal() && table.width().is_some_and(|width| width >= 20) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    } else {
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    if !header.is_empty() {
        table.set_header(header);
    }
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let text = table.to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// `1,234,567`
pub(crate) fn amount(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `3.4 MB`
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut value = number as f64;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{number} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// `2.5s`, `3m 04s`
pub(crate) fn duration(length: Duration) -> String {
    let millis = length.num_milliseconds().max(0);
    match millis {
        0..=999 => format!("{millis}ms"),
        1_000..=59_999 => format!("{}.{}s", millis / 1000, millis % 1000 / 100),
        60_000..=3_599_999 => format!("{}m {:02}s", millis / 60_000, millis % 60_000 / 1000),
        _ => format!("{}h {:02}m", millis / 3_600_000, millis % 3_600_000 / 60_000),
    }
}

/// `2026-03-01 14:05:09`
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_well() {
        assert_eq!([0, 999, 1000, 1_234_567].map(amount), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0, 999, 1000, 999_949, 12_345_678].map(bytes),
            ["0 B", "999 B", "1.0 kB", "999.9 kB", "12.3 MB"]
        );
        assert_eq!(duration(Duration::milliseconds(184_000)), "3m 04s");
    }
}
