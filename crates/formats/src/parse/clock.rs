//! Times of access logs: most lines are of the same day as the one before, so that only the time of the day is read.

use super::time::{Instant, instant, leading_time, log_time, second_of_day};

/// How long `02/Mar/2026:` and `+0000` with its space are, and the time with both.
const DAY: usize = 12;
const ZONE: usize = 6;
const WHOLE: usize = DAY + 8 + ZONE;
/// How long `2026-03-02T` is.
const ISO_DAY: usize = 11;

/// Reads times one after another.
#[derive(Debug, Default)]
pub(crate) struct LogClock {
    /// The last day and zone as they were written, and the second at which that day began.
    local: Option<([u8; DAY], [u8; ZONE], i64)>,
    iso: Option<([u8; ISO_DAY], i64)>,
}

impl LogClock {
    /// `dd/MMM/yyyy:HH:mm:ss +hhmm`
    #[inline]
    pub(crate) fn local(&mut self, text: &[u8]) -> Option<Instant> {
        let of_day = || second_of_day(text.get(DAY..WHOLE - ZONE)?);
        if let Some((day, zone, midnight)) = &self.local
            && text.len() == WHOLE
            && text.starts_with(day)
            && text.ends_with(zone)
        {
            return Some(Instant { seconds: midnight + of_day()?, nanos: 0 });
        }
        let found = log_time(text)?;
        self.local = text
            .first_chunk()
            .zip(text.get(WHOLE - ZONE..).and_then(|zone| zone.try_into().ok()))
            .zip(of_day())
            .map(|((day, zone), of_day)| (*day, zone, found.seconds - of_day));
        Some(found)
    }

    /// `yyyy-MM-ddTHH:mm:ss.SSSZ` and its relatives.
    #[inline]
    pub(crate) fn iso(&mut self, text: &[u8]) -> Option<Instant> {
        if let Some((day, midnight)) = &self.iso
            && let Some(time) = text.strip_prefix(day)
            && let Some((seconds, nanos, b"Z")) = leading_time(time)
        {
            return Some(Instant { seconds: midnight + seconds, nanos });
        }
        let found = instant(text)?;
        self.iso = text
            .first_chunk::<ISO_DAY>()
            .filter(|day| day.ends_with(b"T"))
            .and_then(|day| Some((*day, instant(day.get(..ISO_DAY - 1)?)?.seconds)));
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn as_each_time_alone() {
        let mut clock = LogClock::default();
        for text in [
            "\0\0\0\0\0\0\0\0\0\0\0\x0019:11:24\0\0\0\0\0\0",
            "\0\0\0\0\0\0\0\0\0\0\x0019:11:24Z",
            "06/Nov/2014:19:11:24 +0600",
            "06/Nov/2014:00:00:00 +0600",
            "06/Nov/2014:19:11:2x +0600",
            "06/Nov/2014:9:11:240 +0600",
            "06/Nov/2014:19:11.24 +0600",
            "06/Nov/2014:23:59:59 -0600",
            "06/Nov/2014:24:00:00 -0600",
            "07/Nov/2014:23:59:59 -0600",
            "07/Nov/2014:23:59:59 -06:00",
            "2014-11-07T19:11:24.5Z",
            "2014-11-07T00:00:00Z",
            "2014-11-07T00:00Z",
            "2014-11-07T00:00:00",
            "2014-11-07T00:00:00.25+02:00",
            "2014-11-07T00:00:60Z",
            "2014-11-07 00:00:00.25",
            "2014-11-08T00:00:00.123456789012Z",
            "12014-11-08T00:00:00Z",
            "",
        ] {
            assert_eq!(clock.local(text.as_bytes()), log_time(text.as_bytes()), "{text}");
            assert_eq!(clock.iso(text.as_bytes()), instant(text.as_bytes()), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn whatever_came_before(
            texts in proptest::collection::vec(
                prop_oneof![
                    "[01][0-9]/(Feb|Mar|May)/202[01]:[0-2][0-9]:[0-6][0-9]:[0-6][0-9] [+-]0[01][03]0",
                    "202[01]-0[0-3]-[01][0-9][T ][0-2][0-9]:[0-6][0-9](:[0-6][0-9])?(\\.[0-9]{0,4})?(Z|\\+01:00)?",
                ],
                1..20,
            ),
        ) {
            let mut clock = LogClock::default();
            for text in texts {
                prop_assert_eq!(clock.local(text.as_bytes()), log_time(text.as_bytes()));
                prop_assert_eq!(clock.iso(text.as_bytes()), instant(text.as_bytes()));
            }
        }
    }
}
