//! What statements of the session are read as.

use super::command::command;
use crate::text::Facts;
use std::sync::Arc;

#[test]
fn statements_of_transactions_are_read() {
    let modes = |read_only: &str, isolation: &str| {
        format!("Modes {{ read_only: {read_only}, isolation: {isolation} }}")
    };
    let begin = |tag: &str, modes: String| format!("Begin {{ modes: {modes}, tag: \"{tag}\" }}");
    for (text, expected) in [
        ("BEGIN", begin("BEGIN", modes("None", "None"))),
        ("BEGIN READ ONLY", begin("BEGIN", modes("Some(true)", "None"))),
        (
            "start transaction isolation level read committed, read write",
            begin("START TRANSACTION", modes("Some(false)", "Some(\"read committed\")")),
        ),
        (
            "BEGIN WORK ISOLATION LEVEL SERIALIZABLE READ ONLY NOT DEFERRABLE",
            begin("BEGIN", modes("Some(true)", "Some(\"serializable\")")),
        ),
        (
            "SET TRANSACTION READ ONLY",
            format!("Characteristics {{ modes: {}, session: false }}", modes("Some(true)", "None")),
        ),
        (
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            format!(
                "Characteristics {{ modes: {}, session: true }}",
                modes("None", "Some(\"repeatable read\")")
            ),
        ),
        ("COMMIT AND CHAIN", "Commit { chain: true }".into()),
        ("END WORK AND NO CHAIN", "Commit { chain: false }".into()),
        ("ABORT TRANSACTION AND CHAIN", "Rollback { chain: true }".into()),
        ("SAVEPOINT A", "Savepoint(\"a\")".into()),
        ("RELEASE SAVEPOINT \"A\"", "Release(\"A\")".into()),
        ("ROLLBACK WORK TO SAVEPOINT a", "RollbackTo(\"a\")".into()),
        ("ROLLBACK TO a", "RollbackTo(\"a\")".into()),
        ("SET LOCAL jit = off", "Set { name: \"jit\", value: Some(\"off\"), local: true }".into()),
        ("SET SESSION jit TO DEFAULT", "Set { name: \"jit\", value: None, local: false }".into()),
        ("SET TIME ZONE LOCAL", "Set { name: \"timezone\", value: None, local: false }".into()),
        (
            "SET LOCAL TIME ZONE 'Asia/Tokyo'",
            "Set { name: \"timezone\", value: Some(\"Asia/Tokyo\"), local: true }".into(),
        ),
        (
            "SET TIME ZONE INTERVAL '-08:30' HOUR TO MINUTE",
            "Set { name: \"timezone\", value: Some(\"-8.5\"), local: false }".into(),
        ),
        ("SET TIME ZONE -7", "Set { name: \"timezone\", value: Some(\"-7\"), local: false }".into()),
        ("RESET TIME ZONE", "Reset(\"timezone\")".into()),
        ("DISCARD PLANS", "Nothing(\"DISCARD PLANS\")".into()),
    ] {
        let text: Arc<str> = text.into();
        let tokens = crate::text::tokens(&text).unwrap();
        let command = command(&text, &tokens, &Facts::default()).unwrap();
        assert_eq!(format!("{command:?}"), expected, "{text}");
    }
    for (text, code) in [
        ("BEGIN NONSENSE", "42601"),
        ("BEGIN ISOLATION LEVEL NONSENSE", "42601"),
        ("BEGIN READ", "42601"),
        ("COMMIT AND", "42601"),
        ("COMMIT NOW", "42601"),
        ("COMMIT PREPARED 'a'", "0A000"),
        ("PREPARE TRANSACTION 'a'", "0A000"),
        ("SAVEPOINT", "42601"),
        ("SET TRANSACTION", "42601"),
        ("SET TRANSACTION SNAPSHOT 'a'", "0A000"),
        ("DISCARD NONSENSE", "42601"),
        ("SET TIME ZONE INTERVAL '1 month'", "22023"),
    ] {
        let text: Arc<str> = text.into();
        let tokens = crate::text::tokens(&text).unwrap();
        let fault = command(&text, &tokens, &Facts::default()).unwrap_err();
        assert_eq!(fault.code, code, "{text}");
    }
}
