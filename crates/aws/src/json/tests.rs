//! The frame, with operations that do nothing else than show it.

use super::*;
use crate::keys::Key;
use crate::policy::Policy;
use http_body_util::BodyExt as _;
use model::{AccountId, Error, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ask {
    name: String,
    #[serde(default)]
    count: u32,
}

impl Input for Ask {
    fn resources(&self) -> Vec<String> {
        vec![format!("thing/{}", self.name)]
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    name: String,
    #[serde(serialize_with = "epoch")]
    when: chrono::DateTime<chrono::Utc>,
}

async fn tell(room: u32, ask: Ask) -> Result<Answer, Error> {
    if ask.count > room {
        return Err(Error::invalid("too many").hint("ask for fewer"));
    }
    let when = chrono::DateTime::from_timestamp_millis(1_700_000_000_250).unwrap();
    Ok(Answer { name: ask.name, when })
}

fn codes(kind: ErrorKind) -> &'static str {
    if kind == ErrorKind::InvalidInput { "InvalidInputException" } else { "InternalServiceException" }
}

async fn ask(operation: &str, body: &str) -> (u16, Option<String>, Value) {
    let policy = r#"{"Statement": {"Effect": "Allow", "Action": "toy:Tell",
                     "Resource": "arn:aws:toy:eu-central-1:123456789012:thing/a*"}}"#;
    let key = Key { id: "k".into(), secret: "s".into(), policy: Policy::parse(policy).unwrap() };
    let account = AccountId::new("123456789012").unwrap();
    let caller = Caller { key: Arc::new(key), session: None, account, region: "eu-central-1".into() };
    let table = Table::new("Toy", "toy", "1.0", codes).add("Tell", &3, tell).instead(&["Hum"], "Tell it");
    let call = Call { caller, request_id: String::new(), encoding: Encoding::Json };
    let answer = table.answer(operation, call, body.as_bytes(), &TaskTracker::new()).await;
    let (parts, body) = answer.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let code = parts.headers.get("x-amzn-errortype").map(|code| code.to_str().unwrap().to_owned());
    (parts.status.as_u16(), code, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn an_answer() {
    let (status, code, body) = ask("Tell", r#"{"Name": "abc", "Unknown": [1]}"#).await;
    assert_eq!((status, code), (200, None));
    assert_eq!(body, serde_json::json!({ "Name": "abc", "When": 1_700_000_000.25 }));
}

#[tokio::test]
async fn errors_have_their_codes_and_name_what_is_wrong() {
    for (operation, body, code, part) in [
        ("Tell", "{", "SerializationException", "no JSON"),
        ("Tell", "", "ValidationException", "'name'"),
        ("Tell", r#"{"Name": 5}"#, "SerializationException", "expected a string"),
        ("Tell", r#"{"Name": "abc", "Count": 9}"#, "InvalidInputException", "ask for fewer"),
        (
            "Tell",
            r#"{"Name": "b"}"#,
            "AccessDeniedException",
            "arn:aws:toy:eu-central-1:123456789012:thing/b",
        ),
        ("Sing", "{}", "UnknownOperationException", "Tell"),
        ("Hum", "{}", "UnknownOperationException", "Hum is not supported here; Tell it"),
        ("", "{}", "UnknownOperationException", "no operation"),
    ] {
        let (status, found, answer) = ask(operation, body).await;
        assert_eq!((status, found.as_deref()), (400, Some(code)), "{operation} {body}: {answer}");
        assert_eq!(answer["__type"], code);
        assert!(answer["message"].as_str().unwrap().contains(part), "{answer}");
    }
}
