//! Binary and URL functions. Expected values: Trino's documentation, the hashes' published test vectors, Java's `URI`.

use crate::harness::*;

#[test]
fn bytes_are_cut_and_joined() {
    check("length", &[bytes(b"hello")], "5");
    check("concat", &[bytes(b"a"), bytes(b""), bytes(b"b")], "61 62");
    check("$concat", &[bytes(b"a"), bytes(b"b")], "61 62");
    check("reverse", &[bytes(&[1, 2, 3])], "03 02 01");
    check("substr", &[bytes(b"hello"), int(2)], "65 6c 6c 6f");
    check("substr", &[bytes(b"hello"), int(-2), int(1)], "6c");
    check("substr", &[bytes(b"hello"), int(0)], "");
    check("substr", &[bytes(b"hello"), int(-9)], "");
    check("substr", &[bytes(b"hello"), int(9)], "");
    check("lpad", &[bytes(&[1]), int(3), bytes(&[9, 8])], "09 08 01");
    check("rpad", &[bytes(&[1]), int(4), bytes(&[9, 8])], "01 09 08 09");
    check("rpad", &[bytes(&[1, 2, 3]), int(2), bytes(&[9])], "01 02");
    fails("lpad", &[bytes(&[1]), int(3), bytes(&[])], "padding");
}

#[test]
fn bytes_are_encoded() {
    check("to_hex", &[bytes(&[0, 171, 255])], "00ABFF");
    check("from_hex", &[text("00abFF")], "00 ab ff");
    check("from_hex", &[bytes(b"0A")], "0a");
    fails("from_hex", &[text("f/")], "from_hex");
    fails("from_hex", &[text("fff")], "from_hex");
    check("to_base64", &[bytes(b"hello world")], "aGVsbG8gd29ybGQ=");
    check("from_base64", &[text("aGVsbG8gd29ybGQ=")], "68 65 6c 6c 6f 20 77 6f 72 6c 64");
    check("from_base64", &[text("aGVsbG8")], "68 65 6c 6c 6f");
    fails("from_base64", &[text("a!")], "from_base64");
    check("to_base64url", &[bytes(&[0xfb, 0xff, 0xbf])], "-_-_");
    check("from_base64url", &[text("-_-_")], "fb ff bf");
    // RFC 4648, section 10.
    for (plain, encoded) in [
        ("", ""),
        ("f", "MY======"),
        ("fo", "MZXQ===="),
        ("foo", "MZXW6==="),
        ("foob", "MZXW6YQ="),
        ("fooba", "MZXW6YTB"),
        ("foobar", "MZXW6YTBOI======"),
    ] {
        check("to_base32", &[bytes(plain.as_bytes())], encoded);
        let pairs: Vec<String> = plain.bytes().map(|b| format!("{b:02x}")).collect();
        check("from_base32", &[text(encoded)], &pairs.join(" "));
    }
    fails("from_base32", &[text("1=")], "from_base32");
    fails("from_base32", &[text("M1")], "from_base32");
}

#[test]
fn numbers_are_encoded() {
    check("to_big_endian_64", &[big(1)], "00 00 00 00 00 00 00 01");
    check("to_big_endian_32", &[int(-1)], "ff ff ff ff");
    check("from_big_endian_64", &[bytes(&[0, 0, 0, 0, 0, 0, 1, 0])], "256");
    check("from_big_endian_32", &[bytes(&[255, 255, 255, 254])], "-2");
    fails("from_big_endian_64", &[bytes(&[1])], "8 bytes");
    check("to_ieee754_64", &[double(1.0)], "3f f0 00 00 00 00 00 00");
    check("from_ieee754_64", &[bytes(&[0x3f, 0xf0, 0, 0, 0, 0, 0, 0])], "1.0");
    check("from_ieee754_32", &[bytes(&[0x3f, 0x80, 0, 0])], "1.0");
    fails("from_ieee754_32", &[bytes(&[1, 2])], "4 bytes");
    let real = typed("real", std::sync::Arc::new(arrow::array::Float32Array::from(vec![1.5])));
    check("to_ieee754_32", &[real], "3f c0 00 00");
}

fn hexed(name: &str, args: &[In], expected: &str) {
    let shown = answer(name, args).replace(' ', "");
    assert_eq!(shown, expected.to_lowercase(), "{name}");
}

#[test]
fn bytes_are_hashed() {
    hexed("md5", &[bytes(b"abc")], "900150983cd24fb0d6963f7d28e17f72");
    hexed("sha1", &[bytes(b"abc")], "a9993e364706816aba3e25717850c26c9cd0d89d");
    hexed("sha256", &[bytes(b"abc")], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hexed(
        "sha512",
        &[bytes(b"abc")],
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    );
    // RFC 2202 and RFC 4231, test case 2.
    let what = bytes(b"what do ya want for nothing?");
    hexed("hmac_md5", &[what.clone(), bytes(b"Jefe")], "750c783e6ab0b503eaa86e310a5db738");
    hexed("hmac_sha1", &[what.clone(), bytes(b"Jefe")], "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    hexed(
        "hmac_sha256",
        &[what.clone(), bytes(b"Jefe")],
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
    hexed(
        "hmac_sha512",
        &[what, bytes(b"Jefe")],
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    );
    check("crc32", &[bytes(b"123456789")], "3421780262");
    hexed("xxhash64", &[bytes(b"")], "EF46DB3751D8E999");
    hexed("xxhash64", &[bytes(b"hashme")], "F9D96E0E1165E892");
    hexed("murmur3", &[bytes(b"")], "00000000000000000000000000000000");
    hexed("murmur3", &[bytes(b"hashme")], "93192FE805BE23041C8318F67EC4F2BC");
}

#[test]
fn urls_are_taken_apart() {
    let all = "http://user@example.com:8080/a%20b/c?k1=v1&k2=v%202+x&k1=again&flag#frag%23";
    check("url_extract_protocol", &[text(all)], "http");
    check("url_extract_host", &[text(all)], "example.com");
    check("url_extract_port", &[text(all)], "8080");
    check("url_extract_path", &[text(all)], "/a b/c");
    check("url_extract_query", &[text(all)], "k1=v1&k2=v 2+x&k1=again&flag");
    check("url_extract_fragment", &[text(all)], "frag#");
    check("url_extract_parameter", &[text(all), text("k1")], "v1");
    check("url_extract_parameter", &[text(all), text("k2")], "v 2 x");
    check("url_extract_parameter", &[text(all), text("flag")], "");
    check("url_extract_parameter", &[text(all), text("k3")], "NULL");
    check("url_extract_port", &[text("https://example.com/")], "NULL");
    check("url_extract_query", &[text("https://example.com/")], "");
    check("url_extract_parameter", &[text("https://example.com/"), text("a")], "NULL");
    check("url_extract_host", &[text("https://[::1]:443/x")], "[::1]");
    check("url_extract_host", &[text("mailto:test@example.com")], "");
    check("url_extract_protocol", &[text("mailto:test@example.com")], "mailto");
    check("url_extract_path", &[text("foo")], "foo");
    check("url_extract_host", &[text("http://not uri/cont ains")], "NULL");
    check("url_extract_protocol", &[text("1http://a")], "NULL");
    check("url_extract_path", &[text("http://a/%zz")], "NULL");
    check("url_extract_host", &[text("http://a_b.com/x")], "");
    check("url_extract_host", &[text("http://127.0.0.1/x")], "127.0.0.1");
}

#[test]
fn urls_are_escaped() {
    check("url_encode", &[text("http://test?a=b&c=d")], "http%3A%2F%2Ftest%3Fa%3Db%26c%3Dd");
    check("url_encode", &[text("~@:.-*_+ \u{2603}")], "%7E%40%3A.-*_%2B+%E2%98%83");
    check("url_decode", &[text("http%3A%2F%2Ftest%3Fa%3Db%26c%3Dd")], "http://test?a=b&c=d");
    check("url_decode", &[text("%7E%40+%E2%98%83")], "~@ \u{2603}");
    fails("url_decode", &[text("%G1")], "url_decode");
    fails("url_decode", &[text("a%2")], "url_decode");
}

/// What Java's `URI` makes of them: scheme, host, port, path, query, fragment; empty where there is none.
#[test]
fn odd_urls_are_read_as_java_reads_them() {
    for (url, parts) in [
        ("https://[::1]:443/x", Some(["https", "[::1]", "443", "/x", "", ""])),
        ("mailto:test@example.com", Some(["mailto", "", "", "", "", ""])),
        ("foo", Some(["", "", "", "foo", "", ""])),
        ("http://not uri/cont ains", None),
        ("1http://a", None),
        ("http://a/%zz", None),
        ("http://a_b.com/x", Some(["http", "", "", "/x", "", ""])),
        ("http://", None),
        ("http:///x", Some(["http", "", "", "/x", "", ""])),
        ("//h/p", Some(["", "h", "", "/p", "", ""])),
        ("?q", Some(["", "", "", "", "q", ""])),
        ("http://a.b:/x", Some(["http", "a.b", "", "/x", "", ""])),
        ("http://a.b:99999999999/x", Some(["http", "", "", "/x", "", ""])),
        ("http://a.1/x", Some(["http", "", "", "/x", "", ""])),
        ("http://1.2.3/x", Some(["http", "", "", "/x", "", ""])),
        ("http://a?b#c#d", None),
        ("http://\u{e9}.com/\u{e9}", Some(["http", "", "", "/\u{e9}", "", ""])),
        ("http://a/b^c", None),
        ("http://a/[x]", None),
        ("http://a/?[x]", Some(["http", "a", "", "/", "[x]", ""])),
        ("http://a-/x", Some(["http", "", "", "/x", "", ""])),
        ("http://a./x", Some(["http", "a.", "", "/x", "", ""])),
        ("s3://bucket/key", Some(["s3", "bucket", "", "/key", "", ""])),
        ("http://[zz]/", None),
        ("http://u:p@h:1/", Some(["http", "h", "1", "/", "", ""])),
        ("http://h/a;b=c?d=e/f?g", Some(["http", "h", "", "/a;b=c", "d=e/f?g", ""])),
        ("a:b:c", Some(["a", "", "", "", "", ""])),
        ("http:a", Some(["http", "", "", "", "", ""])),
        ("file:/x/y", Some(["file", "", "", "/x/y", "", ""])),
        ("http://256.1.1.1/", Some(["http", "", "", "/", "", ""])),
        ("#f", Some(["", "", "", "", "", "f"])),
        ("http://h:80x/", Some(["http", "", "", "/", "", ""])),
        ("/a/b?c=d", Some(["", "", "", "/a/b", "c=d", ""])),
        ("urn:x:y#f%20", Some(["urn", "", "", "", "", "f "])),
    ] {
        let names = ["protocol", "host", "port", "path", "query", "fragment"];
        for (i, name) in names.into_iter().enumerate() {
            let expected = match parts.map(|p: [&str; 6]| p[i]) {
                None => "NULL",
                Some("") if name == "port" => "NULL",
                Some(part) => part,
            };
            check(&format!("url_extract_{name}"), &[text(url)], expected);
        }
    }
}
