//! Regular expressions and LIKE. Expected values: Trino's documentation, Java's `Matcher`, and by hand.

use crate::harness::*;
use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use std::sync::Arc;

const DOC: &str = "1a 2b 14m";
const FRUIT: &str = "I have 23 apples, 5 pears and 13 oranges";

#[test]
fn the_documentation_s_examples() {
    check("regexp_count", &[text(DOC), text(r"\s*[a-z]+\s*")], "3");
    check("regexp_extract_all", &[text(DOC), text(r"\d+")], "[1, 2, 14]");
    check("regexp_extract_all", &[text(DOC), text(r"(\d+)([a-z]+)"), int(2)], "[a, b, m]");
    check("regexp_extract", &[text(DOC), text(r"\d+")], "1");
    check("regexp_extract", &[text(DOC), text(r"(\d+)([a-z]+)"), int(2)], "a");
    check("regexp_like", &[text(DOC), text(r"\d+b")], "true");
    check("regexp_position", &[text(FRUIT), text(r"\b\d+\b")], "8");
    check("regexp_position", &[text(FRUIT), text(r"\b\d+\b"), int(5)], "8");
    check("regexp_position", &[text(FRUIT), text(r"\b\d+\b"), int(12)], "19");
    check("regexp_position", &[text(FRUIT), text(r"\b\d+\b"), int(12), int(1)], "19");
    check("regexp_position", &[text(FRUIT), text(r"\b\d+\b"), int(12), int(2)], "31");
    check("regexp_position", &[text(FRUIT), text(r"\b\d+\b"), int(12), int(3)], "-1");
    check("regexp_replace", &[text(DOC), text(r"\d+[ab] ")], "14m");
    check("regexp_replace", &[text(DOC), text(r"(\d+)([ab]) "), text("3c$2 ")], "3ca 3cb 14m");
    check("regexp_split", &[text(DOC), text(r"\s*[a-z]+\s*")], "[1, 2, 14, ]");
}

#[test]
fn a_lambda_makes_the_replacement() {
    let title = lambda(1, "varchar", |params, rows| {
        assert_eq!(rows.len(), params[0].len());
        let groups = params[0].as_list::<i32>();
        let made: StringViewArray = (0..groups.len())
            .map(|i| {
                let group = groups.value(i);
                let group = group.as_string_view();
                Some(format!("{}{}", group.value(0).to_uppercase(), group.value(1).to_lowercase()))
            })
            .collect();
        Ok(Arc::new(made) as ArrayRef)
    });
    check("regexp_replace", &[text("new york"), text(r"(\w)(\w*)"), title.clone()], "New York");
    check("regexp_replace", &[text("--"), text(r"(\w)(\w*)"), title], "--");
    let nothing = lambda(1, "varchar", |params, _| {
        Ok(arrow::array::new_null_array(&arrow::datatypes::DataType::Utf8View, params[0].len()))
    });
    check("regexp_replace", &[text("a1b2"), text(r"(\d)"), nothing], "ab");
}

#[test]
fn matches_follow_each_other_as_in_java() {
    check("regexp_replace", &[text("abc"), text(""), text("-")], "-a-b-c-");
    check("regexp_replace", &[text("axb"), text("x*"), text("-")], "-a--b-");
    check("regexp_count", &[text("axb"), text("x*")], "4");
    check("regexp_count", &[text(""), text("")], "1");
    check("regexp_extract_all", &[text("a1b"), text("([a-z])|(\\d)"), int(2)], "[NULL, 1, NULL]");
    check("regexp_extract", &[text("b"), text("(a)?b"), int(1)], "NULL");
    check("regexp_extract", &[text("xyz"), text("a")], "NULL");
    check("regexp_split", &[text("abc"), text("x")], "[abc]");
    check("regexp_split", &[text(""), text("x")], "[]");
    check("regexp_replace", &[text("\u{4fe1}\u{5ff5}"), text(""), text("|")], "|\u{4fe1}|\u{5ff5}|");
    check("regexp_like", &[text("a"), null()], "NULL");
}

#[test]
fn replacements_refer_to_groups() {
    check("regexp_replace", &[text("fun"), text("(?<last>.)$"), text("${last}${last}")], "funn");
    check("regexp_replace", &[text("a"), text("(a)"), text(r"\$1 \\ $1$0")], r"$1 \ aa");
    check("regexp_replace", &[text("a"), text("(a)"), text("$12")], "a2");
    check("regexp_replace", &[text("b"), text("(a)?b"), text("[$1]")], "[]");
    fails("regexp_replace", &[text("a"), text("(a)"), text("$2")], "replacement");
    fails("regexp_replace", &[text("a"), text("(a)"), text("${x}")], "replacement");
    fails("regexp_replace", &[text("a"), text("(a)"), text("$")], "replacement");
    fails("regexp_replace", &[text("a"), text("(a)"), text("\\")], "replacement");
    fails("regexp_extract", &[text("a"), text("(a)"), int(2)], "group 2");
    fails("regexp_extract", &[text("a"), text("(a)"), int(-1)], "group -1");
    fails("regexp_position", &[text("a"), text("a"), int(0)], "from 1");
    check("regexp_position", &[text("a"), text("a"), int(5)], "-1");
}

#[test]
fn java_s_syntax() {
    for (pattern, given, expected) in [
        (r"^\p{Alpha}+$", "Stra\u{df}e", "true"),
        (r"\p{L}\p{Lu}\p{IsLatin}", "aBc", "true"),
        (r"^\Qa.b\E$", "a.b", "true"),
        (r"^\Qa.b\E$", "axb", "false"),
        (r"a$", "a\n", "true"),
        (r"a\z", "a\n", "false"),
        (r"a\Z", "a\n", "true"),
        (r"(?m)^b$", "a\nb\nc", "true"),
        (r"^b$", "a\nb\nc", "false"),
        (r"a.b", "a\nb", "false"),
        (r"(?s)a.b", "a\nb", "true"),
        (r"(?i)STRASSE|\u00c9", "\u{e9}", "true"),
        (r"(\w)\1", "hello", "true"),
        (r"(?<c>\w)\k<c>", "helo", "false"),
        (r"foo(?=bar)", "foobar", "true"),
        (r"(?<!a)b", "ab", "false"),
        (r"a++a", "aaa", "false"),
        (r"(?>a+)a", "aaa", "false"),
        (r"\h\R", "\t\r\n", "true"),
        (r"[a-z&&[^b]]", "b", "false"),
        (r"[a-c[x-z]]+$", "axz", "true"),
        (r#"{"id":\d+}"#, r#"{"id":12}"#, "true"),
        (r"\<b\>", "<b>", "true"),
        (r"\x41\u0042\x{43}", "ABC", "true"),
        (r"^\w+@[\w.-]+\.\w{2,}$", "jim@example.com", "true"),
        (r"a{,2}b", "b", "true"),
    ] {
        check("regexp_like", &[text(given), text(pattern)], expected);
    }
    for pattern in ["(", "[a", "*", "a\\", "(?u)a", "a{2", "\\p{Nonsense}"] {
        if pattern == "a{2" {
            check("regexp_like", &[text("a{2"), text(pattern)], "true");
        } else {
            fails("regexp_like", &[text("a"), text(pattern)], "not valid");
        }
    }
}

#[test]
fn bombs_end_in_an_error() {
    let begun = std::time::Instant::now();
    let a = "a".repeat(60);
    check("regexp_like", &[text(&a), text("^(a+)+$")], "true");
    check("regexp_like", &[text(&format!("{a}!")), text("^(a+)+$")], "false");
    fails("regexp_like", &[text(&format!("{a}!")), text(r"^(a+)+(?=b)$")], "too many steps");
    fails("regexp_like", &[text(&format!("{a}!")), text(r"^(?:(a+)\1*)+$")], "too many steps");
    fails("regexp_like", &[text("a"), text("((a{1000}){1000}){1000}")], "not valid");
    fails("regexp_like", &[text("a"), text(&"(".repeat(50_000))], "not valid");
    assert!(begun.elapsed().as_secs() < 20, "a debug build takes its time, but not this much");
}

#[test]
fn like_patterns() {
    for (given, pattern, expected) in [
        ("monkey", "monkey", "true"),
        ("monkey", "mon%", "true"),
        ("monkey", "%key", "true"),
        ("monkey", "%onk%", "true"),
        ("monkey", "m_n%y", "true"),
        ("monkey", "_", "false"),
        ("monkey", "______", "true"),
        ("monkey", "_____", "false"),
        ("monkey", "%", "true"),
        ("", "%", "true"),
        ("", "", "true"),
        ("", "_", "false"),
        ("a", "", "false"),
        ("a\nb", "a%b", "true"),
        ("aba", "ab%ba", "false"),
        ("abba", "ab%ba", "true"),
        ("abcabd", "%ab_", "true"),
        ("abcabdx", "%ab_", "false"),
        ("xaxbxcx", "%a%b%c%", "true"),
        ("xaxcxbx", "%a%b%c%", "false"),
        ("\u{4fe1}\u{5ff5}\u{7231}", "_\u{5ff5}_", "true"),
        ("\u{4fe1}\u{5ff5}\u{7231}", "%__\u{7231}", "true"),
        ("a.b", "a_b", "true"),
        ("axxb", "a%%b", "true"),
        ("A", "a", "false"),
        ("aXbXc", "a%X_", "true"),
    ] {
        check("$like", &[text(given), text(pattern)], expected);
    }
    check("$like", &[text("50%"), text("50#%"), text("#")], "true");
    check("$like", &[text("500"), text("50#%"), text("#")], "false");
    check("$like", &[text("a_b"), text("a\\_%"), text("\\")], "true");
    check("$like", &[text("a#b"), text("a##b"), text("#")], "true");
    check("$like", &[null(), text("a")], "NULL");
    fails("$like", &[text("a"), text("a#b"), text("#")], "escape");
    fails("$like", &[text("a"), text("a#"), text("#")], "escape");
    fails("$like", &[text("a"), text("a"), text("##")], "single character");
}
