//! Windows as scripts spell them: in GROUP BY, or as table functions.

use model::{Error, Result};

/// How rows are put into windows. All lengths are milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WindowKind {
    /// Windows side by side.
    Tumble {
        /// Their length.
        size: i64,
        /// Where the first begins, behind 1970.
        offset: i64,
    },
    /// Windows of one length that begin at a regular distance.
    Hop {
        /// The distance.
        slide: i64,
        /// Their length.
        size: i64,
        /// Where the first begins, behind 1970.
        offset: i64,
    },
    /// Windows that grow by steps until their full length, then begin anew.
    Cumulate {
        /// The step.
        step: i64,
        /// The full length.
        size: i64,
        /// Where the first begins, behind 1970.
        offset: i64,
    },
    /// Windows that end when nothing came for so long.
    Session {
        /// How long.
        gap: i64,
    },
}

/// Rows with more windows than this are surely a mistake.
const MAX_WINDOWS: i64 = 10_000;

impl WindowKind {
    /// The window of that name with these lengths, as the table functions take them.
    pub(crate) fn new(name: &str, lengths: &[i64]) -> Result<Self> {
        let kind = match (name, lengths) {
            ("TUMBLE", [size]) => Self::Tumble { size: *size, offset: 0 },
            ("TUMBLE", [size, offset]) => Self::Tumble { size: *size, offset: *offset },
            ("HOP", [slide, size]) => Self::Hop { slide: *slide, size: *size, offset: 0 },
            ("HOP", [slide, size, offset]) => Self::Hop { slide: *slide, size: *size, offset: *offset },
            ("CUMULATE", [step, size]) => Self::Cumulate { step: *step, size: *size, offset: 0 },
            ("CUMULATE", [step, size, offset]) => {
                Self::Cumulate { step: *step, size: *size, offset: *offset }
            }
            ("SESSION", [gap]) => Self::Session { gap: *gap },
            _ => {
                let wants = match name {
                    "TUMBLE" => "its size",
                    "HOP" => "its slide and its size",
                    "CUMULATE" => "its step and its size",
                    _ => "its gap",
                };
                return Err(Error::invalid(format!("{name} takes {wants} as intervals")));
            }
        };
        kind.check()?;
        Ok(kind)
    }

    fn check(self) -> Result<()> {
        let (step, size) = match self {
            Self::Tumble { size, .. } | Self::Session { gap: size } => (size, size),
            Self::Hop { slide, size, .. } => (slide, size),
            Self::Cumulate { step, size, .. } => (step, size),
        };
        if step <= 0 || size <= 0 {
            return Err(Error::invalid("a window has a length of at least a millisecond"));
        }
        if matches!(self, Self::Cumulate { .. }) && size % step != 0 {
            return Err(Error::invalid("the full length of CUMULATE is a multiple of its step"));
        }
        if size / step > MAX_WINDOWS {
            let text = format!("each row would fall into more than {MAX_WINDOWS} windows");
            return Err(Error::new(model::ErrorKind::LimitExceeded, text));
        }
        Ok(())
    }

    /// The latest window that a row of this time falls into.
    pub(crate) fn last(self, time: i64) -> (i64, i64) {
        match self {
            Self::Tumble { size, offset } => {
                let start = floor(time, size, offset);
                (start, start.saturating_add(size))
            }
            Self::Hop { slide, size, offset } => {
                let start = floor(time, slide, offset);
                (start, start.saturating_add(size))
            }
            Self::Cumulate { size, offset, .. } => {
                let start = floor(time, size, offset);
                (start, start.saturating_add(size))
            }
            Self::Session { gap } => (time, time.saturating_add(gap)),
        }
    }

    /// All windows that a row of this time falls into, the latest first.
    pub(crate) fn each(self, time: i64, mut take: impl FnMut(i64, i64)) {
        match self {
            Self::Tumble { .. } | Self::Session { .. } => {
                let (start, end) = self.last(time);
                take(start, end);
            }
            Self::Hop { slide, size, .. } => {
                let (mut start, _) = self.last(time);
                while start > i64::MIN && start.saturating_add(size) > time {
                    take(start, start.saturating_add(size));
                    start = start.saturating_sub(slide);
                }
            }
            Self::Cumulate { step, .. } => {
                let (start, last) = self.last(time);
                let mut end = last;
                while end > time && end > start {
                    take(start, end);
                    end -= step;
                }
            }
        }
    }

    /// Whether a row falls into exactly one window that does not depend on other rows.
    pub(crate) fn is_tumble(self) -> bool {
        matches!(self, Self::Tumble { .. })
    }

    /// As the dataflow shows it.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Tumble { size, .. } => format!("TUMBLE {}", length(size)),
            Self::Hop { slide, size, .. } => format!("HOP {} every {}", length(size), length(slide)),
            Self::Cumulate { step, size, .. } => format!("CUMULATE {} by {}", length(size), length(step)),
            Self::Session { gap } => format!("SESSION gap {}", length(gap)),
        }
    }
}

fn floor(time: i64, step: i64, offset: i64) -> i64 {
    time.saturating_sub(time.saturating_sub(offset).rem_euclid(step))
}

/// A length as people write it.
pub(crate) fn length(millis: i64) -> String {
    for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")] {
        if millis != 0 && millis % unit == 0 {
            return format!("{} {name}", millis / unit);
        }
    }
    format!("{millis} ms")
}

/// The milliseconds of an interval's text and unit.
pub(crate) fn interval(text: &str, unit: &str) -> Result<i64> {
    let unit_millis: i64 = match unit.to_ascii_uppercase().trim_end_matches('S') {
        "SECOND" => 1000,
        "MINUTE" => 60_000,
        "HOUR" => 3_600_000,
        "DAY" => 86_400_000,
        "WEEK" => 7 * 86_400_000,
        other => {
            return Err(Error::unsupported(format!("a window's length cannot be given in {other}"))
                .hint("units are SECOND, MINUTE, HOUR, DAY and WEEK"));
        }
    };
    let wrong = || {
        Error::invalid(format!("`{text}` is no number of units"))
            .hint("write INTERVAL '5' MINUTE, or INTERVAL '0.5' SECOND")
    };
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let whole: i64 = whole.parse().map_err(|_| wrong())?;
    let digits = format!("{fraction:0<3}");
    let thousandths: i64 = digits.get(..3).and_then(|d| d.parse().ok()).ok_or_else(wrong)?;
    whole
        .checked_mul(unit_millis)
        .and_then(|millis| millis.checked_add(thousandths * unit_millis / 1000))
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(kind: WindowKind, time: i64) -> Vec<(i64, i64)> {
        let mut all = Vec::new();
        kind.each(time, |start, end| all.push((start, end)));
        all
    }

    #[test]
    fn rows_fall_into_their_windows_also_before_1970() {
        let tumble = WindowKind::Tumble { size: 10, offset: 0 };
        assert_eq!(windows(tumble, 10), [(10, 20)]);
        assert_eq!(windows(tumble, 19), [(10, 20)]);
        assert_eq!(windows(tumble, -1), [(-10, 0)]);
        assert_eq!(windows(WindowKind::Tumble { size: 10, offset: 3 }, 12), [(3, 13)]);
        let hop = WindowKind::Hop { slide: 5, size: 12, offset: 0 };
        assert_eq!(windows(hop, 11), [(10, 22), (5, 17), (0, 12)]);
        assert_eq!(windows(hop, 13), [(10, 22), (5, 17)]);
        let sparse = WindowKind::Hop { slide: 10, size: 4, offset: 0 };
        assert_eq!(windows(sparse, 15), []);
        let cumulate = WindowKind::Cumulate { step: 5, size: 15, offset: 0 };
        assert_eq!(windows(cumulate, 4), [(0, 15), (0, 10), (0, 5)]);
        assert_eq!(windows(cumulate, 10), [(0, 15)]);
    }

    #[test]
    fn intervals_are_read() {
        assert_eq!(interval("5", "MINUTES").ok(), Some(300_000));
        assert_eq!(interval("0.5", "second").ok(), Some(500));
        assert_eq!(interval("1", "DAY").ok(), Some(86_400_000));
        assert!(interval("1", "MONTH").is_err());
        assert!(interval("x", "DAY").is_err());
        assert!(interval("9223372036854775807", "DAY").is_err());
        assert_eq!(length(300_000), "5 min");
        assert!(WindowKind::new("CUMULATE", &[4, 10]).is_err());
        assert!(WindowKind::new("TUMBLE", &[0]).is_err());
    }
}
