//! What statements of the session are read as.

use super::command::command;
use crate::text::Facts;
use std::sync::Arc;

#[test]
fn modes_of_transactions_are_read() {
    for (text, expected) in [
        ("BEGIN", "Begin { read_only: None }"),
        ("BEGIN READ ONLY", "Begin { read_only: Some(true) }"),
        ("start transaction isolation level read committed, read write", "Begin { read_only: Some(false) }"),
        ("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE", "Begin { read_only: Some(true) }"),
        ("SET TRANSACTION READ ONLY", "Characteristics { read_only: Some(true), session: false }"),
        (
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
            "Characteristics { read_only: Some(true), session: true }",
        ),
        ("SET LOCAL jit = off", "Set { name: \"jit\", value: Some(\"off\"), local: true }"),
        ("SET SESSION jit TO DEFAULT", "Set { name: \"jit\", value: None, local: false }"),
    ] {
        let text: Arc<str> = text.into();
        let tokens = crate::text::tokens(&text).unwrap();
        let command = command(&text, &tokens, &Facts::default()).unwrap();
        assert_eq!(format!("{command:?}"), expected);
    }
}
