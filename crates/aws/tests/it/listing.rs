//! Listings: pages, prefixes, delimiters, encodings.

use crate::house::{Ask, House};

async fn filled() -> House {
    let house = House::with_bucket().await;
    for key in ["a", "b/1", "b/2", "c/d/1", "e%20f%2Bg", "%C3%A4"] {
        house.put(&format!("/raw/{key}"), "x").await;
    }
    house
}

fn all(text: &str, name: &str) -> Vec<String> {
    let begin = format!("<{name}>");
    text.split(&begin).skip(1).map(|rest| rest.split("</").next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn prefixes_and_delimiters() {
    let house = filled().await;
    for (query, keys, prefixes) in [
        ("list-type=2", vec!["a", "b/1", "b/2", "c/d/1", "e f+g", "ä"], vec![]),
        ("list-type=2&prefix=b%2F", vec!["b/1", "b/2"], vec![]),
        ("list-type=2&delimiter=%2F", vec!["a", "e f+g", "ä"], vec!["b/", "c/"]),
        ("list-type=2&delimiter=%2F&prefix=c%2F", vec![], vec!["c/d/"]),
        ("list-type=2&start-after=b%2F1", vec!["b/2", "c/d/1", "e f+g", "ä"], vec![]),
        ("list-type=2&encoding-type=url&start-after=d", vec!["e%20f%2Bg", "%C3%A4"], vec![]),
        ("list-type=2&max-keys=0", vec![], vec![]),
        ("", vec!["a", "b/1", "b/2", "c/d/1", "e f+g", "ä"], vec![]),
        ("marker=b%2F2", vec!["c/d/1", "e f+g", "ä"], vec![]),
        ("delimiter=%2F&marker=b%2F", vec!["e f+g", "ä"], vec!["c/"]),
    ] {
        let answer = house.ask(Ask::s3("GET", format!("/raw?{query}"))).await;
        let text = answer.text();
        let mut found = all(&text, "Prefix");
        found.remove(0);
        assert_eq!(
            (all(&text, "Key"), found),
            (
                keys.iter().map(|k| (*k).to_owned()).collect(),
                prefixes.iter().map(|p| (*p).to_owned()).collect()
            ),
            "{query}: {text}"
        );
        assert!(text.contains("<IsTruncated>false"), "{query}: {text}");
    }
    for (query, code) in [
        ("list-type=2&continuation-token=nonsense%21", "InvalidArgument"),
        ("list-type=2&max-keys=-1", "InvalidArgument"),
        ("list-type=2&encoding-type=base64", "InvalidArgument"),
    ] {
        let answer = house.ask(Ask::s3("GET", format!("/raw?{query}"))).await;
        assert_eq!(answer.outcome(), (400, code.to_owned()), "{query}: {}", answer.text());
    }
}

#[tokio::test]
async fn pages_follow_each_other() {
    let house = filled().await;
    for (first, parameter, next) in
        [("list-type=2&", "continuation-token", "NextContinuationToken"), ("", "marker", "NextMarker")]
    {
        for delimiter in ["", "&delimiter=%2F"] {
            let whole =
                house.ask(Ask::s3("GET", format!("/raw?{first}encoding-type=url{delimiter}"))).await.text();
            let (mut keys, mut prefixes, mut pages) = (Vec::new(), Vec::new(), 0);
            let mut after = String::new();
            loop {
                let path = format!("/raw?{first}encoding-type=url&max-keys=2{delimiter}{after}");
                let text = house.ask(Ask::s3("GET", path)).await.text();
                keys.extend(all(&text, "Key"));
                prefixes.extend(all(&text, "Prefix").into_iter().skip(1));
                pages += 1;
                match all(&text, next).pop().filter(|_| text.contains("<IsTruncated>true")) {
                    Some(token) => after = format!("&{parameter}={}", token.replace('/', "%2F")),
                    None => break,
                }
            }
            assert_eq!(keys, all(&whole, "Key"), "{first}{delimiter}");
            assert_eq!(prefixes, all(&whole, "Prefix")[1..], "{first}{delimiter}");
            assert_eq!(pages, 3, "{first}{delimiter}");
        }
    }
}
