//! Reads and writes under conditions.

use crate::house::{Ask, House};

#[tokio::test]
async fn reads() {
    let house = House::with_bucket().await;
    let etag = house.put("/raw/k", "body").await.header("etag").to_owned();
    let bare = etag.trim_matches('"').to_owned();
    let past = "Mon, 01 Jan 2001 00:00:00 GMT";
    let future = "Thu, 01 Jan 2099 00:00:00 GMT";
    for (name, value, status) in [
        ("if-match", etag.as_str(), 200),
        ("if-match", bare.as_str(), 200),
        ("if-match", "*", 200),
        ("if-match", "\"other\"", 412),
        ("if-none-match", etag.as_str(), 304),
        ("if-none-match", "*", 304),
        ("if-none-match", "\"other\"", 200),
        ("if-none-match", "\"a\", \"b\"", 200),
        ("if-match", "\"a\", \"b\"", 412),
        ("if-modified-since", "yesterday", 200),
        ("if-modified-since", past, 200),
        ("if-modified-since", future, 304),
        ("if-unmodified-since", past, 412),
        ("if-unmodified-since", future, 200),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = house.ask(Ask::s3(method, "/raw/k").header(name, value)).await;
            assert_eq!(answer.status.as_u16(), status, "{method} {name}: {value} {}", answer.text());
            if status == 304 {
                assert!(answer.body.is_empty() && answer.header("etag") == etag, "{answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn writes() {
    let house = House::with_bucket().await;
    let put =
        |name: &str, value: &str| Ask::s3("PUT", "/raw/k").header(name, value).body(format!("{name}{value}"));
    assert_eq!(house.ask(put("if-match", "\"a\"")).await.outcome(), (404, "NoSuchKey".into()));
    let first = house.ask(put("if-none-match", "*")).await;
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(house.ask(put("if-none-match", "*")).await.outcome(), (412, "PreconditionFailed".into()));
    assert_eq!(house.ask(put("if-match", "\"a\"")).await.outcome(), (412, "PreconditionFailed".into()));
    let second = house.ask(put("if-match", first.header("etag"))).await;
    assert_eq!(second.status, 200, "{}", second.text());
    let delete = |etag: &str| Ask::s3("DELETE", "/raw/k").header("if-match", etag);
    assert_eq!(house.ask(delete(first.header("etag"))).await.outcome(), (412, "PreconditionFailed".into()));
    assert_eq!(house.ask(delete(second.header("etag"))).await.status, 204);
}

#[tokio::test]
async fn of_racing_creates_one_wins() {
    let house = House::with_bucket().await;
    let racers = (0..16).map(|n| {
        house.ask(Ask::s3("PUT", "/raw/one").header("if-none-match", "*").body(format!("writer {n}")))
    });
    let answers = futures::future::join_all(racers).await;
    let winners = answers.iter().filter(|answer| answer.status == 200).count();
    let losers = answers.iter().filter(|answer| answer.status == 412).count();
    assert_eq!((winners, losers), (1, 15));
}
