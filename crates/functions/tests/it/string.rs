//! String functions. Expected values: Trino's documentation, and by hand from its rules.

use crate::harness::*;

#[test]
fn parts_of_texts() {
    check("substr", &[text("Quadratically"), int(5)], "ratically");
    check("substr", &[text("Quadratically"), int(5), int(6)], "ratica");
    check("substring", &[text("Quadratically"), int(-5)], "cally");
    check("substr", &[text("Quadratically"), int(-50)], "");
    check("substr", &[text("Quadratically"), int(0)], "");
    check("substr", &[text("Quadratically"), int(50), int(10)], "");
    check("substr", &[text("Quadratically"), int(5), int(0)], "");
    check(
        "substr",
        &[text("\u{4FE1}\u{5FF5},\u{7231},\u{5E0C}\u{671B}"), int(2), int(3)],
        "\u{5FF5},\u{7231}",
    );
    check("substr", &[text("\u{4FE1}\u{5FF5},\u{7231}"), int(-1), int(9)], "\u{7231}");
    check("substr", &[text("abc"), big(i64::MIN), big(i64::MAX)], "");
    check("substr", &[text("abc"), big(2), big(i64::MAX)], "bc");
    check("substr", &[null(), int(1)], "NULL");
    check("substr", &[text("abc"), null()], "NULL");
}

#[test]
fn positions() {
    check("strpos", &[text("high"), text("ig")], "2");
    check("strpos", &[text("high"), text("igx")], "0");
    check("strpos", &[text("foo"), text("")], "1");
    check("strpos", &[text("abc/xyz/foo/bar"), text("/"), int(3)], "12");
    check("strpos", &[text("abc/xyz/foo/bar"), text("/"), int(-1)], "12");
    check("strpos", &[text("abc/xyz/foo/bar"), text("/"), int(-3)], "4");
    check("strpos", &[text("abc/xyz/foo/bar"), text("/"), int(-4)], "0");
    check("strpos", &[text("aaaa"), text("aa"), int(3)], "3");
    check("strpos", &[text("aaaa"), text("aa"), int(-3)], "1");
    check("strpos", &[text("\u{4FE1}\u{5FF5},\u{7231},\u{5E0C}\u{671B}"), text("\u{7231}")], "4");
    fails("strpos", &[text("abc"), text("b"), int(0)], "instances");
    check("starts_with", &[text("foobar"), text("foo")], "true");
    check("starts_with", &[text("foo"), text("foobar")], "false");
    check("length", &[text("\u{4FE1}\u{5FF5},a")], "4");
    assert_eq!(type_of("length", &[text("a")]), "bigint");
}

#[test]
fn splitting() {
    check("split", &[text("a.b.c"), text(".")], "[a, b, c]");
    check("split", &[text("..."), text(".")], "[, , , ]");
    check("split", &[text("a.b.c"), text("."), int(2)], "[a, b.c]");
    check("split", &[text("a.b.c"), text("."), int(1)], "[a.b.c]");
    check("split", &[text(""), text(".")], "[]");
    fails("split", &[text("a.b.c"), text("")], "delimiter");
    fails("split", &[text("a.b.c"), text("."), int(0)], "parts");
    check("split_part", &[text("abc-@-def-@-ghi"), text("-@-"), int(2)], "def");
    check("split_part", &[text("abc-@-def-@-ghi"), text("-@-"), int(4)], "NULL");
    check("split_part", &[text("abc"), text(""), int(2)], "b");
    check("split_part", &[text("abc"), text(""), int(4)], "NULL");
    check("split_part", &[text("abc"), text("-@-"), int(1)], "abc");
    fails("split_part", &[text("abc"), text("-"), int(0)], "from 1");
    check("split_to_map", &[text("a=123,b=.4,c=,=d"), text(","), text("=")], "{a=123, b=.4, c=, =d}");
    check("split_to_map", &[text(""), text(","), text("=")], "{}");
    check("split_to_map", &[text("key=>value,"), text(","), text("=>")], "{key=value}");
    fails("split_to_map", &[text("a=1,a=2"), text(","), text("=")], "more than once");
    fails("split_to_map", &[text("a=1=2"), text(","), text("=")], "a=1=2");
    fails("split_to_map", &[text("a"), text(","), text("=")], "cannot read");
    check("split_to_multimap", &[text("a=1,b=2,a=3"), text(","), text("=")], "{a=[1, 3], b=[2]}");
    check("split_to_map", &[null(), text(","), text("=")], "NULL");
    let second = lambda(3, "varchar", |params, _| Ok(params[2].clone()));
    check("split_to_map", &[text("a:1;b:2;a:3"), text(";"), text(":"), second], "{a=3, b=2}");
}

#[test]
fn padding_and_trimming() {
    check("lpad", &[text("text"), int(5), text("x")], "xtext");
    check("lpad", &[text("text"), int(7), text("xy")], "xyxtext");
    check("lpad", &[text("text"), int(3), text("xy")], "tex");
    check("lpad", &[text("text"), int(0), text("xy")], "");
    check("rpad", &[text("text"), int(7), text("xy")], "textxyx");
    check("rpad", &[text("\u{4FE1}"), int(3), text("\u{671B}")], "\u{4FE1}\u{671B}\u{671B}");
    fails("lpad", &[text("abc"), int(5), text("")], "padding");
    fails("lpad", &[text("abc"), int(-1), text("x")], "-1");
    fails("rpad", &[text("abc"), big(2_000_000_000), text("x")], "too long");
    check("trim", &[text("  hello \t\n")], "hello");
    check("ltrim", &[text("  hello  ")], "hello  ");
    check("rtrim", &[text("  hello  ")], "  hello");
    check("trim", &[text("\u{2028} hello\u{a0}")], "hello\u{a0}");
    check("trim", &[text("test"), text("t")], "es");
    check("trim", &[text("xyxhixyx"), text("yx")], "hi");
    check("ltrim", &[text("test"), text("te")], "st");
    check("rtrim", &[text("xtest..."), text(".")], "xtest");
    check("trim", &[text("ab"), text("")], "ab");
}

#[test]
fn replacing() {
    check("replace", &[text("aaa"), text("a")], "");
    check("replace", &[text("abcdefabcdef"), text("cd"), text("XX")], "abXXefabXXef");
    check("replace", &[text("123123tech"), text("123"), text("tech")], "techtechtech");
    check("replace", &[text("foo"), text(""), text("-")], "-f-o-o-");
    check("replace", &[text(""), text(""), text("x")], "x");
    check("translate", &[text("abcd"), text(""), text("")], "abcd");
    check("translate", &[text("abcd"), text("a"), text("z")], "zbcd");
    check("translate", &[text("abcda"), text("a"), text("z")], "zbcdz");
    check("translate", &[text("Palho\u{e7}a"), text("\u{e7}"), text("c")], "Palhoca");
    check("translate", &[text("abcd"), text("a"), text("")], "bcd");
    check("translate", &[text("abcd"), text("a"), text("zy")], "zbcd");
    check("translate", &[text("abcd"), text("ac"), text("z")], "zbd");
    check("translate", &[text("abcd"), text("aac"), text("zq")], "zbd");
    check("reverse", &[typed("char(4)", text_array("ab"))], "  ba");
    check("reverse", &[text("\u{4FE1}\u{5FF5},b")], "b,\u{5FF5}\u{4FE1}");
}

#[test]
fn joining() {
    check("concat", &[text("hello "), text("world"), text("!")], "hello world!");
    check("concat", &[text("a"), null()], "NULL");
    check("$concat", &[text("a"), text("b")], "ab");
    assert_eq!(type_of("concat", &[text("a"), text("b")]), "varchar");
    let chars = [typed("char(3)", text_array("a")), typed("char(2)", text_array("b"))];
    check("concat", &chars, "a  b");
    assert_eq!(type_of("$concat", &chars), "char(5)");
    check("concat_ws", &[text(","), text("a"), null(), text("b")], "a,b");
    check("concat_ws", &[text(","), null()], "");
    check("concat_ws", &[null(), text("a")], "NULL");
    let texts = array("varchar", &[text("a"), null(), text(""), text("b")]);
    check("concat_ws", &[text("-"), texts], "a--b");
    check("concat_ws", &[text("-"), array("varchar", &[])], "");
}

fn text_array(value: &str) -> arrow::array::ArrayRef {
    std::sync::Arc::new(arrow::array::StringViewArray::from(vec![value]))
}

#[test]
fn cases_and_code_points() {
    check("lower", &[text("HELLO \u{130}")], "hello i");
    check("upper", &[text("hello stra\u{df}e \u{e9}")], "HELLO STRA\u{df}E \u{c9}");
    assert_eq!(type_of("lower", &[typed("char(5)", text_array("A"))]), "char(5)");
    check("chr", &[int(65)], "A");
    check("chr", &[int(9731)], "\u{2603}");
    check("chr", &[int(0)], "\0");
    fails("chr", &[int(-1)], "code point");
    fails("chr", &[int(0xD800)], "code point");
    check("codepoint", &[text("\u{2603}")], "9731");
    fails("codepoint", &[text("hello")], "single character");
    fails("codepoint", &[text("")], "single character");
    check("normalize", &[text("sch\u{f6}n"), text("NFD")], "scho\u{308}n");
    check("normalize", &[text("scho\u{308}n")], "sch\u{f6}n");
    check(
        "normalize",
        &[text("\u{3231}\u{3327}\u{3326}\u{2162}"), text("NFKC")],
        "(\u{682a})\u{30c8}\u{30f3}\u{30c9}\u{30eb}III",
    );
    fails("normalize", &[text("a"), text("NFX")], "NFX");
    check("to_utf8", &[text("h\u{e9}")], "68 c3 a9");
    check("from_utf8", &[bytes(b"hello")], "hello");
    check("from_utf8", &[bytes(b"X\xbf")], "X\u{fffd}");
    check("from_utf8", &[bytes(b"X\xbf"), text("#")], "X#");
    check("from_utf8", &[bytes(b"X\xbfY"), text("")], "XY");
    check("from_utf8", &[bytes(b"X\xbfY"), int(0x2603)], "X\u{2603}Y");
    fails("from_utf8", &[bytes(b"X"), text("ab")], "single character");
}

#[test]
fn distances() {
    check("levenshtein_distance", &[text("kitten"), text("sitting")], "3");
    check("levenshtein_distance", &[text(""), text("hello")], "5");
    check("levenshtein_distance", &[text("hello"), text("hello")], "0");
    check("levenshtein_distance", &[text("hello na\u{ef}ve world"), text("hello naive world")], "1");
    let long = "e".repeat(1500);
    fails("levenshtein_distance", &[text(&long), text(&long)], "too long");
    check("hamming_distance", &[text("hello"), text("jello")], "1");
    check("hamming_distance", &[text("like"), text("hate")], "3");
    fails("hamming_distance", &[text("hello"), text("")], "same length");
    check("soundex", &[text("jim")], "J500");
    check("soundex", &[text("Robert")], "R163");
    check("soundex", &[text("Ashcraft")], "A261");
    check("soundex", &[text("Tymczak")], "T522");
    check("soundex", &[text("Pfister")], "P236");
    check("soundex", &[text("Honeyman")], "H555");
    check("soundex", &[text("")], "");
    fails("soundex", &[text("j\u{e1}b\u{fc}")], "soundex");
    check("luhn_check", &[text("4242424242424242")], "true");
    check("luhn_check", &[text("1234567891234567")], "false");
    check("luhn_check", &[text("")], "false");
    fails("luhn_check", &[text("abcd424242424242")], "digits");
}

#[test]
fn magnitudes() {
    check("format_number", &[int(123_456)], "123K");
    check("format_number", &[int(1_000_000)], "1M");
    check("format_number", &[int(-1_234_567)], "-1.23M");
    check("format_number", &[int(999)], "999");
    check("format_number", &[int(1125)], "1.13K");
    check("format_number", &[big(12_345_678_901)], "12.3B");
    check("format_number", &[double(1_239.9)], "1.24K");
    check("format_number", &[int(0)], "0");
}

#[test]
fn types_that_do_not_fit_are_refused() {
    fails("length", &[int(3)], "length cannot be called with (integer)");
    fails("split", &[text("a")], "split cannot be called");
    fails("lower", &[], "lower");
}
