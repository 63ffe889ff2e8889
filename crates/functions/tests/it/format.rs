//! `format`, units, identifiers, addresses. Expected values: Java 17's `String.format`, Trino's documentation.

use crate::harness::*;
use arrow::array::*;
use std::sync::Arc;

#[track_caller]
fn is(format: &str, args: &[In], expected: &str) {
    let mut all = vec![text(format)];
    all.extend_from_slice(args);
    check("format", &all, expected);
}

#[track_caller]
fn not(format: &str, args: &[In]) {
    let mut all = vec![text(format)];
    all.extend_from_slice(args);
    fails("format", &all, "does not fit its arguments");
}

fn decimal(unscaled: i128, precision: u8, scale: i8) -> In {
    let array = Decimal128Array::from(vec![unscaled]).with_precision_and_scale(precision, scale).unwrap();
    typed(&format!("decimal({precision},{scale})"), Arc::new(array))
}

#[test]
fn integers() {
    let six = [big(1), big(2), big(3), big(4), big(5), big(-6), big(1_234_567)];
    is("%5d|%-5d|%05d|%+d|% d|%(d|%,d", &six, "    1|2    |00003|+4| 5|(6)|1,234,567");
    is("%x %X %o %#x", &[int(255), int(255), int(8), int(255)], "ff FF 10 0xff");
    is("%x", &[int(-1)], "ffffffffffffffff");
    is(
        "%o %#o %X %08x",
        &[int(-8), int(8), int(-255), int(255)],
        "1777777777777777777770 010 FFFFFFFFFFFFFF01 000000ff",
    );
    is("%,d %08d %0,10d", &[big(-1_234_567), int(-42), int(1234)], "-1,234,567 -0000042 000001,234");
    is("%d %.2f %s %10s|", &[null(), null(), null(), null()], "null nu null       null|");
    for format in ["%-d", "%.2d", "%-05d", "%+ d", "%,x", "%0d", "%ld", "%i", "%q", "%c", "%f"] {
        not(format, &[big(1)]);
    }
}

#[test]
fn fractions() {
    let given = [
        double(1.5),
        double(2.345),
        double(3.24159),
        double(4.55),
        double(5.5),
        double(1_234_567.891),
        double(6.0),
        double(-7.0),
    ];
    is(
        "%f %.2f %10.3f|%-10.1f|%010.2f|%,.2f|%+.1f|%(.1f",
        &given,
        "1.500000 2.35      3.242|4.6       |0000005.50|1,234,567.89|+6.0|(7.0)",
    );
    let given =
        [double(12345.678), double(0.00012), double(1234.5), double(0.0001), double(1e10), double(0.00001)];
    is("%e %.3E %g %.3g %g %g", &given, "1.234568e+04 1.200E-04 1234.50 0.000100 1.00000e+10 1.00000e-05");
    is("%.0f %.0f %.0f", &[double(0.5), double(1.5), double(2.5)], "1 2 3");
    is(
        "%.1f %.2f %.15f %.20f",
        &[double(0.25), double(1.005), double(0.1), double(0.1)],
        "0.3 1.01 0.100000000000000 0.10000000000000000000",
    );
    is(
        "%,.3f %e %g %g",
        &[double(0.0005), double(0.0), double(123_456_789.0), double(0.0)],
        "0.001 0.000000e+00 1.23457e+08 0.00000",
    );
    is(
        "%f %5.1f|%05.1f",
        &[double(f64::NAN), double(f64::INFINITY), double(f64::NEG_INFINITY)],
        "NaN Infinity|-Infinity",
    );
    is("%(,.2f", &[double(-1_234_567.0)], "(1,234,567.00)");
    is("%f", &[decimal(1_234_567_890_123_456_789_012_345, 38, 5)], "12345678901234567890.123450");
    is("%s %.3e %s", &[decimal(150, 5, 2), decimal(123_456, 6, 3), decimal(1, 10, 7)], "1.50 1.235e+02 1E-7");
    is("%s %s", &[double(1.0), double(1e10)], "1.0 1.0E10");
    for format in ["%d", "%x", "%c"] {
        not(format, &[double(1.5)]);
        not(format, &[decimal(1, 1, 0)]);
    }
}

#[test]
fn texts_and_indices() {
    is(
        "%s %S %10s|%-10s|%.2s",
        &[text("ab"), text("ab"), text("ab"), text("ab"), text("abc")],
        "ab AB         ab|ab        |ab",
    );
    is("%b %B %b %b", &[boolean(true), boolean(false), null(), text("x")], "true FALSE false true");
    is("%h %h %h", &[text("hello"), null(), big(5)], "5e918d2 null 5");
    is("%%|%n|%5%|", &[text("x")], "%|\n|    %|");
    is("%2$s %1$s %<s", &[text("a"), text("b")], "b a a");
    is("%1$s %s %s", &[text("a"), text("b")], "a a b");
    is("%s%%", &[int(123)], "123%");
    is("%-5b|%.1b|%S", &[boolean(true), boolean(true), null()], "true |t|NULL");
    check("format", &[null_of("varchar"), text("a")], "NULL");
    for format in [
        "%s %s", "%q", "%05s", "%+s", "%#s", "%,s", "%", "abc%", "%3$s", "%c", "%d", "%tF", "%5n", "%-%",
        "%<s", "%a", "%--5s",
    ] {
        not(format, &[text("a")]);
    }
    fails("format", &[text("%s"), array("bigint", &[])], "cannot write");
    not("%999999999s", &[text("a")]);
}

#[test]
fn dates_and_times() {
    let moment = 1_580_702_706_789_i64;
    let local = typed("timestamp(3)", Arc::new(TimestampMillisecondArray::from(vec![moment])));
    let date = typed("date", Arc::new(Date32Array::from(vec![18_295])));
    is("%1$tY-%1$tm-%1$td %1$tH:%1$tM:%1$tS.%1$tL", std::slice::from_ref(&local), "2020-02-03 04:05:06.789");
    is(
        "%1$tF %1$tT %1$tR %1$tD %1$tB %1$tb %1$tA %1$ta %1$tj %1$te %1$ty %1$tC %1$tp %1$tI %1$tl %1$tk %1$tN %1$tr %1$th",
        std::slice::from_ref(&local),
        "2020-02-03 04:05:06 04:05 02/03/20 February Feb Monday Mon 034 3 20 20 am 04 4 4 789000000 04:05:06 AM Feb",
    );
    is(
        "%s %s %TB",
        &[local.clone(), date.clone(), local.clone()],
        "2020-02-03T04:05:06.789 2020-02-03 FEBRUARY",
    );
    is("%15tF|%-15tF|", &[date.clone(), date.clone()], "     2020-02-03|2020-02-03     |");
    let In::Value(_, _) = &date else { return };
    not("%tH", &[date]);
    not("%ts", std::slice::from_ref(&local));
    not("%tc", std::slice::from_ref(&local));
    not("%tx", &[local]);
    let midnight =
        typed("timestamp(3)", Arc::new(TimestampMillisecondArray::from(vec![1_577_836_800_000_i64])));
    is("%s", &[midnight], "2020-01-01T00:00");
    let zoned = TimestampMillisecondArray::from(vec![moment]).with_timezone("UTC");
    let zoned = typed("timestamp(3) with time zone", Arc::new(zoned));
    is(
        "%1$tZ %1$tz %1$ts %1$tQ %1$tc",
        std::slice::from_ref(&zoned),
        "UTC +0000 1580702706 1580702706789 Mon Feb 03 04:05:06 UTC 2020",
    );
    is("%s", &[zoned], "2020-02-03T04:05:06.789Z[UTC]");
    let time = typed("time(3)", Arc::new(Time64MicrosecondArray::from(vec![3_723_000_000_i64])));
    is("%tT", &[time], "01:02:03");
}

#[test]
fn units() {
    check("human_readable_seconds", &[int(96)], "1 minute, 36 seconds");
    check("human_readable_seconds", &[int(3762)], "1 hour, 2 minutes, 42 seconds");
    check("human_readable_seconds", &[int(56_363_463)], "93 weeks, 1 day, 8 hours, 31 minutes, 3 seconds");
    check("human_readable_seconds", &[double(0.2)], "0 seconds");
    fails("human_readable_seconds", &[double(f64::NAN)], "finite");
    check("parse_data_size", &[text("1B")], "1");
    check("parse_data_size", &[text("1kB")], "1024");
    check("parse_presto_data_size", &[text("1MB")], "1048576");
    check("parse_data_size", &[text("2.3MB")], "2411724");
    check("parse_data_size", &[text("1YB")], "1208925819614629174706176");
    fails("parse_data_size", &[text("1 mb")], "no size");
    fails("parse_data_size", &[text("")], "no size");
    let duration = |t: &str| {
        let (sql_type, array) = eval("parse_duration", &[text(t)]).unwrap();
        functions::render::Renderer::new(&sql_type).write(&array, 0, &mut String::new());
        let mut out = String::new();
        functions::render::Renderer::new(&sql_type).write(&array, 0, &mut out);
        out
    };
    assert_eq!(duration("42.8ms"), "0 00:00:00.043");
    assert_eq!(duration("3.81 d"), "3 19:26:24.000");
    assert_eq!(duration("5m"), "0 00:05:00.000");
    fails("parse_duration", &[text("1y")], "no duration");
}

#[test]
fn identifiers_and_addresses() {
    let (sql_type, ids) = eval("uuid", &[]).unwrap();
    assert_eq!(sql_type.to_string(), "uuid");
    let id = show(&ids, 0);
    assert_eq!((id.len(), id.as_bytes()[14]), (36, b'4'), "{id}");
    assert_ne!(id, show(&eval("uuid", &[]).unwrap().1, 0));
    let address = |text: &str| {
        let bits: std::net::IpAddr = text.parse().unwrap();
        let bits = match bits {
            std::net::IpAddr::V4(a) => a.to_ipv6_mapped().octets(),
            std::net::IpAddr::V6(a) => a.octets(),
        };
        typed("ipaddress", Arc::new(BinaryViewArray::from(vec![&bits[..]])))
    };
    check("contains", &[text("10.0.0.0/8"), address("10.255.255.255")], "true");
    check("contains", &[text("10.0.0.0/8"), address("11.255.255.255")], "false");
    check("contains", &[text("0.0.0.0/0"), address("1.2.3.4")], "true");
    check("contains", &[text("::/0"), address("2001:db8::1")], "true");
    check(
        "contains",
        &[text("2001:0db8:0:0:0:ff00:0042:8329/128"), address("2001:0db8:0:0:0:ff00:0042:8329")],
        "true",
    );
    check("contains", &[text("2001:db8::/32"), address("2001:db9::1")], "false");
    check("contains", &[text("10.0.0.0/8"), null()], "NULL");
    fails("contains", &[text("10.0.0.0"), address("1.2.3.4")], "no network");
    fails("contains", &[text("10.0.0.0/33"), address("1.2.3.4")], "no network");
    fails("contains", &[text("x/8"), address("1.2.3.4")], "no network");
    for name in ["word_stem", "spooky_hash_v2_32", "bar"] {
        assert!(functions::unknown_function(name, &[]).message().contains("is not supported"));
    }
}
