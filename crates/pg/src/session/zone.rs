//! The zone of a session: what clients write for one, and how it is kept and shown.

use functions::scalar::datetime::Zone;
use functions::scalar::postgres;

/// The farthest that clocks are from Greenwich, in hours.
const FARTHEST: f64 = 14.0;

/// The zone that a text means, as it is shown: a name, or POSIX's notation of an offset. A number is hours east of Greenwich.
pub(super) fn shown(text: &str) -> Option<String> {
    let text = text.trim();
    if let Ok(hours) = text.parse::<f64>() {
        return of_hours(hours);
    }
    // `Z` and the like are zones in texts of times alone.
    if text.len() < 3 {
        return None;
    }
    let name = match postgres::zone(text).ok()? {
        Zone::Named(zone) => zone.name().to_owned(),
        Zone::Fixed(0) => utc_name(text).to_owned(),
        Zone::Fixed(_) => text.to_owned(),
    };
    Some(name)
}

fn of_hours(hours: f64) -> Option<String> {
    let minutes = hours * 60.0;
    if !(-FARTHEST..=FARTHEST).contains(&hours) || (minutes - minutes.round()).abs() > 1e-6 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "there are at most 14 hours")]
    let minutes = minutes.round() as i64;
    let clock = |sign: char| {
        let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
        if minutes == 0 { format!("{sign}{hours:02}") } else { format!("{sign}{hours:02}:{minutes:02}") }
    };
    let (east, west) = if minutes < 0 { ('-', '+') } else { ('+', '-') };
    Some(format!("<{}>{}", clock(east), clock(west)))
}

/// UTC under the name it was asked for.
fn utc_name(text: &str) -> &str {
    const NAMES: [&str; 8] = ["UTC", "GMT", "UCT", "Zulu", "Etc/UTC", "Etc/GMT", "Etc/UCT", "Etc/Zulu"];
    NAMES.iter().find(|name| name.eq_ignore_ascii_case(text)).copied().unwrap_or(text)
}

/// The zone that is shown so.
pub(super) fn zone(shown: &str) -> Zone {
    postgres::zone(shown).unwrap_or(Zone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_shown_as_postgresql_shows_them() {
        for (text, expected, east) in [
            ("europe/berlin", Some("Europe/Berlin"), 3600),
            ("-7", Some("<-07>+07"), -25_200),
            ("5.5", Some("<+05:30>-05:30"), 19_800),
            ("0", Some("<+00>-00"), 0),
            ("UTC+5", Some("UTC+5"), -18_000),
            ("+05:30", Some("+05:30"), -19_800),
            ("GMT-02:00", Some("GMT-02:00"), 7200),
            ("zulu", Some("Zulu"), 0),
            ("EST5EDT", Some("EST5EDT"), -18_000),
            ("Asia/Kolkata", Some("Asia/Kolkata"), 19_800),
            ("15", None, 0),
            ("0.001", None, 0),
            ("z", None, 0),
            ("PST", None, 0),
            ("Mars/Base", None, 0),
            ("", None, 0),
        ] {
            let found = shown(text);
            assert_eq!(found.as_deref(), expected, "{text}");
            // 2024-01-01, when it is winter in Berlin.
            let offset = found.map_or(0, |found| zone(&found).offset(1_704_067_200));
            assert_eq!(offset, east, "{text}");
        }
    }
}
