//! Functions and operators on dates and times. Expectations come from Trino's documentation and from the calendar.

use crate::harness::{big, double, fails, null_of, text, type_of};
use crate::value::{gives, interval, value};

#[test]
fn fields_are_extracted() {
    let at = || value("timestamp(3)", "2001-08-22 03:04:05.321");
    for (name, expected) in [
        ("year", "2001"),
        ("quarter", "3"),
        ("month", "8"),
        ("week", "34"),
        ("week_of_year", "34"),
        ("day", "22"),
        ("day_of_month", "22"),
        ("day_of_week", "3"),
        ("dow", "3"),
        ("day_of_year", "234"),
        ("doy", "234"),
        ("year_of_week", "2001"),
        ("yow", "2001"),
        ("hour", "3"),
        ("minute", "4"),
        ("second", "5"),
        ("millisecond", "321"),
    ] {
        gives(name, &[at()], expected);
        gives("$extract", &[text(&name.to_uppercase()), at()], expected);
    }
    gives("year_of_week", &[value("date", "2005-01-01")], "2004");
    gives("week", &[value("date", "2005-01-01")], "53");
    gives("hour", &[value("timestamp(3) Europe/Berlin", "2024-07-01 12:00:00 UTC")], "14");
    gives("timezone_hour", &[value("timestamp(3) Asia/Kolkata", "2024-07-01 12:00:00 UTC")], "5");
    gives("timezone_minute", &[value("timestamp(3) Asia/Kolkata", "2024-07-01 12:00:00 UTC")], "30");
    gives("timezone_hour", &[value("timestamp(3) America/New_York", "2024-07-01 12:00:00 UTC")], "-4");
    gives("minute", &[value("time(3)", "13:04:05.678")], "4");
    gives("hour", &[interval("2 03:04:05.678", "day", "second")], "3");
    gives("day", &[interval("2 03:04:05.678", "day", "second")], "2");
    gives("month", &[interval("1-6", "year", "month")], "6");
    gives("year", &[null_of("date")], "NULL");
    gives("millisecond", &[value("timestamp(9)", "1969-12-31 23:59:59.999999999")], "999");
    fails("$extract", &[text("hour"), value("date", "2001-08-22")], "no such field");
    fails("$extract", &[text("houre"), value("date", "2001-08-22")], "not a field");
}

#[test]
fn times_are_cut_off() {
    let at = || value("timestamp(3)", "2001-08-22 03:04:05.321");
    for (unit, expected) in [
        ("millisecond", "2001-08-22 03:04:05.321"),
        ("second", "2001-08-22 03:04:05.000"),
        ("minute", "2001-08-22 03:04:00.000"),
        ("hour", "2001-08-22 03:00:00.000"),
        ("day", "2001-08-22 00:00:00.000"),
        ("week", "2001-08-20 00:00:00.000"),
        ("month", "2001-08-01 00:00:00.000"),
        ("quarter", "2001-07-01 00:00:00.000"),
        ("year", "2001-01-01 00:00:00.000"),
        ("YEAR", "2001-01-01 00:00:00.000"),
    ] {
        gives("date_trunc", &[text(unit), at()], expected);
    }
    gives("date_trunc", &[text("month"), value("date", "2022-10-20")], "2022-10-01");
    gives("date_trunc", &[text("minute"), value("time(3)", "03:04:05.321")], "03:04:00.000");
    gives(
        "date_trunc",
        &[text("hour"), value("timestamp(6)", "1969-12-31 23:59:59.999999")],
        "1969-12-31 23:00:00.000000",
    );
    gives(
        "date_trunc",
        &[text("day"), value("timestamp(3) Europe/Berlin", "2024-03-31 12:00:00 UTC")],
        "2024-03-31 00:00:00.000 Europe/Berlin",
    );
    // The second 02:30 of the night in which clocks are set back stays in its own hour.
    gives("to_unixtime", &[value("timestamp(3) Europe/Berlin", "2024-10-27 01:30:00 UTC")], "1.7299926E9");
    fails("date_trunc", &[text("hour"), value("date", "2022-10-20")], "a date has no hours");
    fails("date_trunc", &[text("dday"), at()], "'dday' is not a unit");
}

#[test]
fn units_are_added() {
    let at = || value("timestamp(3)", "2020-03-01 00:00:00");
    gives("date_add", &[text("second"), big(86), at()], "2020-03-01 00:01:26.000");
    gives("date_add", &[text("hour"), big(9), at()], "2020-03-01 09:00:00.000");
    gives(
        "date_add",
        &[text("day"), big(-1), value("timestamp(3) UTC", "2020-03-01 00:00:00 UTC")],
        "2020-02-29 00:00:00.000 UTC",
    );
    gives("date_add", &[text("month"), big(1), value("date", "2024-01-31")], "2024-02-29");
    gives("date_add", &[text("quarter"), big(-1), value("date", "2024-05-31")], "2024-02-29");
    gives("date_add", &[text("week"), big(2), value("date", "2024-02-20")], "2024-03-05");
    gives("date_add", &[text("hour"), big(3), value("time(3)", "23:00")], "02:00:00.000");
    // A day later, although only 23 hours passed.
    gives(
        "date_add",
        &[text("day"), big(1), value("timestamp(3) Europe/Berlin", "2024-03-30 11:00:00 UTC")],
        "2024-03-31 12:00:00.000 Europe/Berlin",
    );
    gives(
        "date_add",
        &[text("hour"), big(24), value("timestamp(3) Europe/Berlin", "2024-03-30 11:00:00 UTC")],
        "2024-03-31 13:00:00.000 Europe/Berlin",
    );
    fails("date_add", &[text("year"), big(i64::MAX), at()], "out of range");
    fails("date_add", &[text("day"), big(i64::MAX), value("date", "2024-01-31")], "out of range");
}

#[test]
fn units_are_counted() {
    let ts = |t| value("timestamp(3)", t);
    let diff = |unit, from, to, expected| gives("date_diff", &[text(unit), from, to], expected);
    diff("second", ts("2020-03-01 00:00:00"), ts("2020-03-02 00:00:00"), "86400");
    diff(
        "hour",
        value("timestamp(3) UTC", "2020-03-01 00:00:00 UTC"),
        value("timestamp(3) UTC", "2020-03-02 00:00:00 UTC"),
        "24",
    );
    diff("day", value("date", "2020-03-01"), value("date", "2020-03-02"), "1");
    let nanos = |t| value("timestamp(9)", t);
    diff("second", nanos("2020-06-01 12:30:45.000000000"), nanos("2020-06-02 12:30:45.123456789"), "86400");
    diff(
        "millisecond",
        nanos("2020-06-01 12:30:45.000000000"),
        nanos("2020-06-02 12:30:45.123456789"),
        "86400123",
    );
    diff("month", value("date", "2024-01-31"), value("date", "2024-02-29"), "1");
    diff("month", value("date", "2024-02-29"), value("date", "2024-01-31"), "-1");
    diff("month", value("date", "2024-01-15"), value("date", "2024-02-14"), "0");
    diff("year", value("date", "2020-02-29"), value("date", "2021-02-28"), "1");
    diff("year", value("date", "2020-03-01"), value("date", "2021-03-01"), "1");
    diff("quarter", value("date", "2024-01-01"), value("date", "2023-01-01"), "-4");
    diff("week", value("date", "2024-01-01"), value("date", "2024-01-14"), "1");
    diff("day", ts("2024-01-02 00:00:00"), ts("2024-01-01 00:00:01"), "0");
    diff("hour", value("time(3)", "10:00"), value("time(3)", "08:30"), "-1");
}

#[test]
fn operators_follow_the_documentation() {
    let day_time = |t| interval(t, "day", "second");
    gives("$add", &[value("date", "2012-08-08"), interval("2", "day", "")], "2012-08-10");
    gives("$add", &[value("time(0)", "01:00"), interval("3", "hour", "")], "04:00:00.000");
    gives(
        "$add",
        &[value("timestamp(0)", "2012-08-08 01:00"), interval("29", "hour", "")],
        "2012-08-09 06:00:00.000",
    );
    gives(
        "$add",
        &[value("timestamp(3)", "2012-10-31 01:00"), interval("1", "month", "")],
        "2012-11-30 01:00:00.000",
    );
    gives("$add", &[interval("2", "day", ""), interval("3", "hour", "")], "2 03:00:00.000");
    gives("$add", &[interval("3", "year", ""), interval("5", "month", "")], "3-5");
    gives("$subtract", &[value("date", "2012-08-08"), interval("2", "day", "")], "2012-08-06");
    gives("$subtract", &[value("time(3)", "01:00"), interval("3", "hour", "")], "22:00:00.000");
    gives(
        "$subtract",
        &[value("timestamp(3)", "2012-08-08 01:00"), interval("29", "hour", "")],
        "2012-08-06 20:00:00.000",
    );
    gives(
        "$subtract",
        &[value("timestamp(3)", "2012-10-31 01:00"), interval("1", "month", "")],
        "2012-09-30 01:00:00.000",
    );
    gives("$subtract", &[interval("2", "day", ""), interval("3", "hour", "")], "1 21:00:00.000");
    gives("$subtract", &[interval("3", "year", ""), interval("5", "month", "")], "2-7");
    gives("$add", &[interval("1", "month", ""), value("date", "2024-01-31")], "2024-02-29");
    gives("$subtract", &[value("date", "2024-03-01"), value("date", "2024-02-01")], "29 00:00:00.000");
    gives(
        "$subtract",
        &[value("timestamp(6)", "2024-03-01 00:00:00.5"), value("timestamp(6)", "2024-03-01")],
        "0 00:00:00.500",
    );
    gives("$multiply", &[day_time("0 01:00:00"), big(3)], "0 03:00:00.000");
    gives("$multiply", &[double(1.5), interval("2", "month", "")], "0-3");
    gives("$divide", &[day_time("1 00:00:00"), double(2.0)], "0 12:00:00.000");
    gives("$negate", &[day_time("1 00:00:00")], "-1 00:00:00.000");
    gives(
        "$add",
        &[value("timestamp(3) Europe/Berlin", "2024-02-29 23:30:00 UTC"), interval("1", "month", "")],
        "2024-04-01 00:30:00.000 Europe/Berlin",
    );
    fails("$add", &[value("date", "2012-08-08"), interval("2", "hour", "")], "cannot be added to a date");
    fails("$divide", &[day_time("1 00:00:00"), double(0.0)], "out of range");
    fails("$multiply", &[interval("1", "year", ""), big(i64::MAX)], "out of range");
}

#[test]
fn unix_times_and_zones() {
    gives("from_unixtime", &[double(1_704_164_645.678_4)], "2024-01-02 03:04:05.678 UTC");
    gives("from_unixtime", &[double(-0.001)], "1969-12-31 23:59:59.999 UTC");
    gives("from_unixtime_nanos", &[big(100)], "1970-01-01 00:00:00.000000100 UTC");
    gives("from_unixtime_nanos", &[value("decimal(7,3)", "1234.499")], "1970-01-01 00:00:00.000001234 UTC");
    gives("from_unixtime_nanos", &[value("decimal(4,0)", "-1234")], "1969-12-31 23:59:59.999998766 UTC");
    gives("to_unixtime", &[value("timestamp(3)", "1970-01-01 00:00:01.5")], "1.5");
    gives("to_milliseconds", &[interval("1.5", "second", "")], "1500");
    gives("date", &[text("2024-02-29")], "2024-02-29");
    gives("last_day_of_month", &[value("date", "2024-02-10")], "2024-02-29");
    gives("last_day_of_month", &[value("timestamp(3)", "1969-02-10 01:00")], "1969-02-28");
    gives(
        "with_timezone",
        &[value("timestamp(3)", "2022-11-01 09:08:07.321"), text("America/Los_Angeles")],
        "2022-11-01 16:08:07.321 UTC",
    );
    gives("timezone", &[value("timestamp(3) Europe/Berlin", "2022-11-01")], "Europe/Berlin");
    assert_eq!(type_of("from_unixtime", &[big(1)]), "timestamp(3) with time zone");
    fails("from_unixtime", &[double(f64::NAN)], "out of range");
    fails("at_timezone", &[value("timestamp(3) UTC", "2022-11-01"), text("Mars/Base")], "not a time zone");
    fails("date", &[text("2024-02-30")], "cannot cast '2024-02-30' to date");
}

#[test]
fn iso_8601_is_read_and_written() {
    for (iso, expected) in [
        ("2020-05-11", "2020-05-11 00:00:00.000 UTC"),
        ("2020-05-11T11:15:05", "2020-05-11 11:15:05.000 UTC"),
        ("2020-05-11T11:15:05.055+01:00", "2020-05-11 10:15:05.055 UTC"),
        ("2020-05-11T11:15:05.0559Z", "2020-05-11 11:15:05.055 UTC"),
        ("2020-05-11T11", "2020-05-11 11:00:00.000 UTC"),
        ("2020-05-11T11.5", "2020-05-11 11:30:00.000 UTC"),
        ("2020-W10-3T01:02", "2020-03-04 01:02:00.000 UTC"),
        ("2020-123", "2020-05-02 00:00:00.000 UTC"),
        ("2020-05", "2020-05-01 00:00:00.000 UTC"),
        ("2020", "2020-01-01 00:00:00.000 UTC"),
    ] {
        gives("from_iso8601_timestamp", &[text(iso)], expected);
    }
    gives(
        "from_iso8601_timestamp_nanos",
        &[text("2020-05-11T11:15:05.123456789+01:00")],
        "2020-05-11 10:15:05.123456789 UTC",
    );
    for (iso, expected) in
        [("2020-05-11", "2020-05-11"), ("2020-W10", "2020-03-02"), ("2020-123", "2020-05-02")]
    {
        gives("from_iso8601_date", &[text(iso)], expected);
    }
    gives("to_iso8601", &[value("date", "2020-05-11")], "2020-05-11");
    gives("to_iso8601", &[value("timestamp(3)", "2020-05-11 11:15:05.055")], "2020-05-11T11:15:05.055");
    gives(
        "to_iso8601",
        &[value("timestamp(3) Europe/Berlin", "2020-05-11 11:15:05 UTC")],
        "2020-05-11T13:15:05.000+02:00",
    );
    gives("to_iso8601", &[value("timestamp(3) UTC", "2020-05-11 11:15:05 UTC")], "2020-05-11T11:15:05.000Z");
    for wrong in [
        "",
        "T",
        "2020-13",
        "2020-05-11 11:15",
        "2020-05-11T25:00",
        "2020-W54",
        "2020-400",
        "2020-05-11T11:15+99",
    ] {
        if wrong != "T" {
            fails("from_iso8601_timestamp", &[text(wrong)], "is not an ISO 8601");
        }
    }
}
