//! Temporary keys over the wire: made by STS, used at every family of services, refused in its words.

use crate::house::{Answer, Ask, House};
use chrono::Duration;
use serde_json::json;

/// The three parts of a temporary key. It lives as long as the tests, as their other keys do.
#[derive(Clone)]
struct Temporary {
    id: &'static str,
    secret: &'static str,
    token: String,
}

impl Temporary {
    fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let part = |name: &str| -> &'static str { answer.element(name).leak() };
        Self {
            id: part("AccessKeyId"),
            secret: part("SecretAccessKey"),
            token: answer.element("SessionToken"),
        }
    }

    fn signs(&self, ask: Ask) -> Ask {
        ask.key(self.id, self.secret).header("x-amz-security-token", &self.token)
    }
}

fn sts(form: &str) -> Ask {
    let mut ask = Ask::s3("POST", "/").header("content-type", "application/x-www-form-urlencoded");
    ask.service = "sts";
    ask.body(format!("Version=2011-06-15&{form}"))
}

const ASSUME: &str =
    "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fetl&RoleSessionName=one";

/// One request of each family.
fn families() -> [Ask; 3] {
    [Ask::s3("GET", "/raw/k"), Ask::json("AWSGlue.GetDatabases", json!({})), sts("Action=GetCallerIdentity")]
}

/// The status and code of an answer, in whatever words it was given.
fn outcome(answer: &Answer) -> (u16, String) {
    let code = match answer.header("x-amzn-errortype") {
        "" => answer.element("Code"),
        code => code.to_owned(),
    };
    (answer.status.as_u16(), code)
}

async fn refused(house: &House, sign: impl Fn(Ask) -> Ask, expected: [(u16, &str); 3]) {
    for (ask, (status, code)) in families().into_iter().zip(expected) {
        let answer = house.ask(sign(ask)).await;
        assert_eq!(outcome(&answer), (status, code.to_owned()), "{}", answer.text());
    }
}

const UNKNOWN: [(u16, &str); 3] =
    [(403, "InvalidAccessKeyId"), (400, "UnrecognizedClientException"), (403, "InvalidClientTokenId")];
const WRONG: [(u16, &str); 3] =
    [(400, "InvalidToken"), (400, "UnrecognizedClientException"), (403, "InvalidClientTokenId")];
const OVER: [(u16, &str); 3] = [(400, "ExpiredToken"), (400, "ExpiredTokenException"), (403, "ExpiredToken")];

#[tokio::test]
async fn a_session_is_served_until_it_is_over() {
    let house = House::with_bucket().await;
    house.put("/raw/k", "kept").await;
    let answer = house.ask(sts(&format!("{ASSUME}&DurationSeconds=900"))).await;
    let text = answer.text();
    assert!(text.starts_with("<AssumeRoleResponse xmlns="), "{text}");
    assert!(
        text.contains("</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/etl/one</Arn>"),
        "{text}"
    );
    assert_eq!(answer.element("Expiration"), "2026-05-05T12:15:00Z");
    let key = Temporary::of(&answer);
    for ask in families() {
        let answer = house.ask(key.signs(ask)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let me = house.ask(key.signs(sts("Action=GetCallerIdentity"))).await;
    assert_eq!(me.element("Arn"), "arn:aws:sts::123456789012:assumed-role/etl/one");
    // The key alone, another's token, a changed token. With a lasting key, a token tells nothing.
    refused(&house, |ask| ask.key(key.id, key.secret), UNKNOWN).await;
    let other = Temporary::of(&house.ask(sts(ASSUME)).await);
    let mixed = Temporary { token: other.token.clone(), ..key.clone() };
    refused(&house, |ask| mixed.signs(ask), WRONG).await;
    let lasting = house.ask(Ask::s3("GET", "/raw/k").header("x-amz-security-token", "test")).await;
    assert_eq!(lasting.text(), "kept");
    let changed = Temporary { token: key.token.replace(&key.token[60..64], "AAAA"), ..key.clone() };
    refused(&house, |ask| changed.signs(ask), WRONG).await;
    let guessed = Temporary { secret: "guessed", ..key.clone() };
    let mismatch =
        [(403, "SignatureDoesNotMatch"), (400, "InvalidSignatureException"), (403, "SignatureDoesNotMatch")];
    refused(&house, |ask| guessed.signs(ask), mismatch).await;
    // A token that is not signed is none.
    let unsigned = house.signed(Ask::s3("GET", "/raw/k").key(key.id, key.secret));
    let unsigned = house.send(unsigned.header("x-amz-security-token", &key.token)).await;
    assert_eq!(unsigned.outcome(), (403, "AccessDenied".into()));
    house.hand.advance(Duration::seconds(899));
    assert_eq!(house.ask(key.signs(Ask::s3("GET", "/raw/k"))).await.text(), "kept");
    house.hand.advance(Duration::seconds(1));
    refused(&house, |ask| key.signs(ask), OVER).await;
    assert_eq!(house.ask(other.signs(Ask::s3("GET", "/raw/k"))).await.text(), "kept");
}

#[tokio::test]
async fn a_session_may_do_no_more_than_who_made_it() {
    let house = House::with_bucket().await;
    for path in ["/raw/k", "/raw/secret/k"] {
        house.put(path, "x").await;
    }
    let reader = |form: &str| sts(form).key("reader", "read");
    assert_eq!(outcome(&house.ask(reader(ASSUME)).await), (403, "AccessDenied".to_owned()));
    let key = Temporary::of(&house.ask(reader("Action=GetSessionToken")).await);
    let narrow = "%7B%22Statement%22%3A+%7B%22Effect%22%3A+%22Allow%22%2C+%22Action%22%3A+%22s3%3AGetObject%22%2C+\
                  %22Resource%22%3A+%22%2A%22%7D%7D";
    let narrow = Temporary::of(&house.ask(sts(&format!("{ASSUME}&Policy={narrow}"))).await);
    for (method, path, of_reader, of_narrow) in [
        ("GET", "/raw/k", 200, 200),
        ("GET", "/raw/secret/k", 403, 200),
        ("GET", "/raw?list-type=2", 200, 403),
        ("PUT", "/raw/k", 403, 403),
        ("GET", "/", 403, 403),
    ] {
        for (key, status) in [(&key, of_reader), (&narrow, of_narrow)] {
            let answer = house.ask(key.signs(Ask::s3(method, path))).await;
            assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.text());
        }
    }
    let answer = house.ask(narrow.signs(Ask::json("AWSGlue.GetDatabases", json!({})))).await;
    assert_eq!(outcome(&answer), (400, "AccessDeniedException".to_owned()));
    assert!(answer.text().contains("assumed-role/etl/one"), "{}", answer.text());
}
