//! Formatting and parsing by patterns. Expectations come from Trino's documentation, MySQL's manual and Joda's.

use crate::harness::{fails, text};
use crate::value::{gives, value};

#[test]
fn every_specifier_of_mysql_is_written() {
    let at = || value("timestamp(3)", "2001-01-09 13:04:05.321");
    for (pattern, expected) in [
        ("%a", "Tue"),
        ("%b", "Jan"),
        ("%c", "1"),
        ("%d", "09"),
        ("%e", "9"),
        ("%f", "321000"),
        ("%H", "13"),
        ("%h", "01"),
        ("%I", "01"),
        ("%i", "04"),
        ("%j", "009"),
        ("%k", "13"),
        ("%l", "1"),
        ("%M", "January"),
        ("%m", "01"),
        ("%p", "PM"),
        ("%r", "01:04:05 PM"),
        ("%S", "05"),
        ("%s", "05"),
        ("%T", "13:04:05"),
        ("%v", "02"),
        ("%W", "Tuesday"),
        ("%Y", "2001"),
        ("%y", "01"),
        ("%%", "%"),
        ("%z%n", "zn"),
        ("Year %Y!", "Year 2001!"),
        ("", ""),
    ] {
        gives("date_format", &[at(), text(pattern)], expected);
    }
    gives("date_format", &[value("timestamp(3)", "2005-01-01 00:00:00"), text("%x-%v")], "2004-53");
    gives("date_format", &[value("timestamp(3)", "2005-01-01 00:00:00"), text("%l %p")], "12 AM");
    gives(
        "date_format",
        &[value("timestamp(3) Europe/Berlin", "2024-07-01 12:00:00 UTC"), text("%H:%i")],
        "14:00",
    );
    gives("date_format", &[value("timestamp(6)", "2024-07-01 12:00:00.123456"), text("%f")], "123000");
    for refused in ["%w", "%U", "%u", "%V", "%X", "%D"] {
        fails("date_format", &[at(), text(refused)], "is not supported in a date pattern");
    }
}

#[test]
fn texts_are_read_by_patterns_of_mysql() {
    for (written, pattern, expected) in [
        ("2022/10/20/05", "%Y/%m/%d/%H", "2022-10-20 05:00:00.000"),
        ("2013-05-17 23:35:10", "%Y-%m-%d %H:%i:%s", "2013-05-17 23:35:10.000"),
        ("2013-5-7", "%Y-%c-%e", "2013-05-07 00:00:00.000"),
        ("17 May 2013", "%d %M %Y", "2013-05-17 00:00:00.000"),
        ("17 may 13", "%d %b %y", "2013-05-17 00:00:00.000"),
        ("70", "%y", "1970-01-01 00:00:00.000"),
        ("69", "%y", "2069-01-01 00:00:00.000"),
        ("2013-05-17 12:35:10 AM", "%Y-%m-%d %h:%i:%s %p", "2013-05-17 00:35:10.000"),
        ("11:35:10 PM", "%r", "1970-01-01 23:35:10.000"),
        ("10:15", "%H:%i", "1970-01-01 10:15:00.000"),
        ("05-03", "%m-%d", "2000-05-03 00:00:00.000"),
        ("2020 060", "%Y %j", "2020-02-29 00:00:00.000"),
        ("2020-53", "%x-%v", "2020-12-28 00:00:00.000"),
        ("1.123456789", "%s.%f", "1970-01-01 00:00:01.123"),
        ("20130517", "%Y%m%d", "2013-05-17 00:00:00.000"),
    ] {
        gives("date_parse", &[text(written), text(pattern)], expected);
    }
    for (written, pattern) in [
        ("2013-02-29", "%Y-%m-%d"),
        ("2013-13-01", "%Y-%m-%d"),
        ("2013-00-01", "%Y-%m-%d"),
        ("2013-01-01 x", "%Y-%m-%d"),
        ("2013-01", "%Y-%m-%d"),
        ("24:00", "%H:%i"),
        ("2021-53", "%x-%v"),
        ("", "%Y"),
        ("1", "%y"),
    ] {
        fails("date_parse", &[text(written), text(pattern)], "cannot be read by the pattern");
    }
}

#[test]
fn joda_patterns_are_written() {
    let at = || value("timestamp(3)", "2001-08-22 03:04:05.321");
    for (pattern, expected) in [
        ("yyyy-MM-dd HH:mm:ss.SSS", "2001-08-22 03:04:05.321"),
        ("y/M/d", "2001/8/22"),
        ("yy", "01"),
        ("xxxx 'week' ww", "2001 week 34"),
        ("EEE, dd MMM yyyy", "Wed, 22 Aug 2001"),
        ("EEEE MMMM", "Wednesday August"),
        ("e D", "3 234"),
        ("h 'o''clock' a", "3 o'clock AM"),
        ("K k H", "3 3 3"),
        ("CC G", "20 AD"),
        ("S SSSSSS", "3 321000"),
        ("''", "'"),
        ("YYYY年", "2001年"),
    ] {
        gives("format_datetime", &[at(), text(pattern)], expected);
    }
    let berlin = || value("timestamp(3) Europe/Berlin", "2024-07-01 12:00:00 UTC");
    gives("format_datetime", &[berlin(), text("HH:mm Z")], "14:00 +0200");
    gives("format_datetime", &[berlin(), text("HH:mm ZZ")], "14:00 +02:00");
    gives("format_datetime", &[berlin(), text("HH:mm ZZZ")], "14:00 Europe/Berlin");
    gives("format_datetime", &[berlin(), text("z")], "CEST");
    fails("format_datetime", &[at(), text("HH Z")], "asks for a zone");
    fails("format_datetime", &[at(), text("b")], "has no meaning");
    fails("format_datetime", &[berlin(), text("zzzz")], "long names of zones");
}

#[test]
fn texts_are_read_by_patterns_of_joda() {
    for (written, pattern, expected) in [
        ("1960/01/22 03:04", "yyyy/MM/dd HH:mm", "1960-01-22 03:04:00.000 UTC"),
        ("1960/01/22 03:04 +0100", "yyyy/MM/dd HH:mm Z", "1960-01-22 02:04:00.000 UTC"),
        ("1960/01/22 03:04 -03:30", "yyyy/MM/dd HH:mm ZZ", "1960-01-22 06:34:00.000 UTC"),
        ("1960/01/22 03:04 Europe/Berlin", "yyyy/MM/dd HH:mm ZZZ", "1960-01-22 02:04:00.000 UTC"),
        ("1960/01/22 03:04 Z", "yyyy/MM/dd HH:mm Z", "1960-01-22 03:04:00.000 UTC"),
        ("1960/01/22 03:04 PST", "yyyy/MM/dd HH:mm z", "1960-01-22 11:04:00.000 UTC"),
        ("20240131", "yyyyMMdd", "2024-01-31 00:00:00.000 UTC"),
        ("12024-1-3", "y-M-d", "+12024-01-03 00:00:00.000 UTC"),
        ("2024-08-20T12:34:56.7", "yyyy-MM-dd'T'HH:mm:ss.SSS", "2024-08-20 12:34:56.700 UTC"),
        ("Wed 2001-08-20", "EEE yyyy-MM-dd", "2001-08-22 00:00:00.000 UTC"),
        ("3 pm", "h a", "1970-01-01 15:00:00.000 UTC"),
        ("24", "k", "1970-01-01 00:00:00.000 UTC"),
        ("01/02/24", "dd/MM/yy", "2024-02-01 00:00:00.000 UTC"),
        ("0044 BC", "YYYY G", "-0043-01-01 00:00:00.000 UTC"),
    ] {
        gives("parse_datetime", &[text(written), text(pattern)], expected);
    }
    fails("parse_datetime", &[text("2024-01-01"), text("yyyy/MM/dd")], "cannot be read by the pattern");
    fails(
        "parse_datetime",
        &[text("2024-01-01 Mars"), text("yyyy-MM-dd ZZZ")],
        "cannot be read by the pattern",
    );
}
