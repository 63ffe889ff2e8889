//! What a prompt asks while somebody types.

use sql::{TokenClass, is_complete, tokens_for_highlight};

#[test]
fn a_statement_is_complete_at_its_semicolon() {
    for (text, complete) in [
        ("", true),
        ("  -- only a comment", true),
        ("SELECT 1", false),
        ("SELECT 1;", true),
        ("SELECT 1; -- done", true),
        ("SELECT ';", false),
        ("SELECT ';'", false),
        ("SELECT 1 /* ;", false),
        ("SELECT 1; SELECT", false),
        (r"SELECT '\';", true),
        (r"ALTER TABLE t SET TBLPROPERTIES ('a'='\';')", false),
        ("SELECT \"a;", false),
    ] {
        assert_eq!(is_complete(text), complete, "{text}");
    }
}

#[test]
fn pieces_have_their_classes() {
    let text = "SELECT a, \"b\", 'c', 1.5 FROM t -- d";
    let classes: Vec<(&str, TokenClass)> =
        tokens_for_highlight(text).into_iter().map(|(range, class)| (&text[range], class)).collect();
    assert_eq!(
        classes,
        [
            ("SELECT", TokenClass::Keyword),
            ("a", TokenClass::Name),
            (",", TokenClass::Symbol),
            ("\"b\"", TokenClass::QuotedName),
            (",", TokenClass::Symbol),
            ("'c'", TokenClass::Text),
            (",", TokenClass::Symbol),
            ("1.5", TokenClass::Number),
            ("FROM", TokenClass::Keyword),
            ("t", TokenClass::Name),
            ("-- d", TokenClass::Comment),
        ]
    );
}
