//! CloudWatch Logs: what a policy keeps from whom, what is taken at what time, and what is over.

use crate::house::{Answer, Ask, House};
use chrono::Duration;
use serde_json::{Value, json};

const DAY: i64 = 86_400_000;

fn ask(operation: &str, body: Value) -> Ask {
    Ask::json_of("logs", &format!("Logs_20140328.{operation}"), body)
}

/// An answer's error code, or nothing.
fn code(answer: &Answer) -> &str {
    answer.header("x-amzn-errortype")
}

async fn done(house: &House, operation: &str, body: Value) -> Value {
    let answer = house.ask(ask(operation, body.clone())).await;
    assert_eq!(answer.status, 200, "{operation} {body}: {}", answer.text());
    answer.json()
}

fn stream(name: &str) -> Value {
    json!({ "logGroupName": "/app/x", "logStreamName": name })
}

fn batch(name: &str, times: &[i64]) -> Value {
    let events: Vec<Value> =
        times.iter().map(|time| json!({ "timestamp": time, "message": format!("at {time}") })).collect();
    let mut body = stream(name);
    body["logEvents"] = json!(events);
    body
}

#[tokio::test]
async fn a_policy_names_groups_and_streams() {
    let house = House::new().await;
    let now = house.clock.now_millis();
    let arn = |name: &str| json!({ "resourceArn": format!("arn:aws:logs:eu-central-1:123456789012:log-group:{name}") });
    done(&house, "CreateLogGroup", json!({ "logGroupName": "/other" })).await;
    for (operation, body, allowed) in [
        ("CreateLogGroup", json!({ "logGroupName": "/app/x", "tags": { "team": "web" } }), true),
        ("CreateLogGroup", json!({ "logGroupName": "/apple" }), false),
        ("CreateLogStream", stream("open"), true),
        ("CreateLogStream", stream("secret"), false),
        ("PutLogEvents", batch("open", &[now]), true),
        ("PutLogEvents", batch("secret", &[now]), false),
        ("GetLogEvents", stream("open"), true),
        ("GetLogEvents", stream("secret"), false),
        // What reads the whole group must be allowed all of it.
        ("FilterLogEvents", json!({ "logGroupName": "/app/x" }), false),
        ("DeleteLogGroup", json!({ "logGroupName": "/app/x" }), false),
        ("DescribeLogGroups", json!({}), false),
        ("DeleteLogGroup", json!({ "logGroupName": "/other" }), false),
        ("GetLogEvents", json!({ "logGroupIdentifier": "/other", "logStreamName": "open" }), false),
        ("ListTagsForResource", arn("/app/x"), true),
        ("ListTagsForResource", arn("/other"), false),
        ("ListTagsLogGroup", json!({ "logGroupName": "/other" }), false),
    ] {
        let answer = house.ask(ask(operation, body.clone()).key("logger", "log")).await;
        let code = code(&answer);
        match allowed {
            true => assert_eq!(code, "", "{operation} {body}: {}", answer.text()),
            false => assert_eq!(code, "AccessDeniedException", "{operation} {body}: {}", answer.text()),
        }
    }
}

#[tokio::test]
async fn times_and_retention() {
    let house = House::new().await;
    let now = house.clock.now_millis();
    done(&house, "CreateLogGroup", json!({ "logGroupName": "/app/x" })).await;
    done(&house, "CreateLogStream", stream("s")).await;
    let taken = done(&house, "PutLogEvents", batch("s", &[now - 5 * DAY, now - 4 * DAY - 1])).await;
    assert!(taken.get("rejectedLogEventsInfo").is_none(), "{taken}");
    done(&house, "PutRetentionPolicy", json!({ "logGroupName": "/app/x", "retentionInDays": 3 })).await;
    let times = [now - 15 * DAY, now - 14 * DAY, now - DAY, now, now + 7_200_001];
    let taken = done(&house, "PutLogEvents", batch("s", &times)).await;
    let rejected = json!({
        "tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2, "tooNewLogEventStartIndex": 4,
    });
    assert_eq!(taken["rejectedLogEventsInfo"], rejected);
    assert_eq!(taken["nextSequenceToken"].as_str().unwrap().len(), 56);
    let times = async || -> Vec<i64> {
        let got = done(&house, "GetLogEvents", stream("s")).await;
        let found = done(&house, "FilterLogEvents", json!({ "logGroupName": "/app/x" })).await;
        let of = |answer: &Value| -> Vec<i64> {
            let events = answer["events"].as_array().unwrap();
            events.iter().map(|event| event["timestamp"].as_i64().unwrap()).collect()
        };
        assert_eq!(of(&got), of(&found));
        of(&got)
    };
    // What was there before the retention was set is over, too.
    assert_eq!(times().await, [now - DAY, now]);
    done(&house, "DeleteRetentionPolicy", json!({ "logGroupName": "/app/x" })).await;
    assert_eq!(times().await, [now - 5 * DAY, now - 4 * DAY - 1, now - DAY, now]);
    done(&house, "PutRetentionPolicy", json!({ "logGroupName": "/app/x", "retentionInDays": 3 })).await;
    house.hand.advance(Duration::days(2));
    let later = house.clock.now_millis();
    assert_eq!(times().await, [now - DAY, now]);
    // Something is put, and so what is over goes for good.
    done(&house, "PutLogEvents", batch("s", &[later])).await;
    done(&house, "DeleteRetentionPolicy", json!({ "logGroupName": "/app/x" })).await;
    assert_eq!(times().await, [now - DAY, now, later]);
    let shown = done(&house, "DescribeLogGroups", json!({ "logGroupNamePrefix": "/app" })).await;
    let bytes: usize = [now - DAY, now, later].iter().map(|time| format!("at {time}").len() + 26).sum();
    assert_eq!(shown["logGroups"][0]["storedBytes"], bytes);
    assert_eq!(shown["logGroups"][0]["creationTime"], now);
    let streams = done(&house, "DescribeLogStreams", json!({ "logGroupName": "/app/x" })).await;
    let found = &streams["logStreams"][0];
    assert_eq!(
        (&found["firstEventTimestamp"], &found["lastEventTimestamp"]),
        (&json!(now - DAY), &json!(later))
    );
    assert_eq!(found["lastIngestionTime"], later);
}

#[tokio::test]
async fn what_is_refused() {
    let house = House::new().await;
    let now = house.clock.now_millis();
    let group = |name: &str| json!({ "logGroupName": name });
    let with = |mut body: Value, name: &str, value: Value| {
        body[name] = value;
        body
    };
    done(&house, "CreateLogGroup", group("/app/x")).await;
    done(&house, "CreateLogStream", stream("s")).await;
    let of_runs = "/aws-glue/jobs/output";
    let (invalid, missing) = ("InvalidParameterException", "ResourceNotFoundException");
    let (exists, unknown) = ("ResourceAlreadyExistsException", "UnknownOperationException");
    for (operation, body, code_of, part) in [
        ("CreateLogGroup", group("/app/x"), exists, "exists"),
        ("CreateLogGroup", group(of_runs), exists, "logs of runs"),
        ("CreateLogGroup", group("a b"), invalid, "letters"),
        ("CreateLogGroup", group("aws/x"), invalid, "aws/"),
        (
            "CreateLogGroup",
            with(group("d"), "logGroupClass", json!("DELIVERY")),
            invalid,
            "INFREQUENT_ACCESS",
        ),
        (
            "CreateLogGroup",
            with(group("d"), "deletionProtectionEnabled", json!(true)),
            invalid,
            "deletionProtection",
        ),
        ("DeleteLogGroup", group("none"), missing, "log group"),
        ("DeleteLogGroup", group(of_runs), invalid, "logs of runs"),
        ("PutRetentionPolicy", with(group("/app/x"), "retentionInDays", json!(2)), invalid, "3653"),
        ("PutRetentionPolicy", with(group(of_runs), "retentionInDays", json!(1)), invalid, "logs of runs"),
        ("CreateLogStream", stream("s"), exists, "exists"),
        ("CreateLogStream", stream("a:b"), invalid, "logStreamName"),
        ("CreateLogStream", with(stream("t"), "logGroupName", json!(of_runs)), invalid, "logs of runs"),
        ("DeleteLogStream", stream("none"), missing, "log stream"),
        ("PutLogEvents", batch("none", &[now]), missing, "log stream"),
        ("PutLogEvents", batch("s", &[]), invalid, "10000"),
        ("PutLogEvents", batch("s", &[now, now - 1]), invalid, "chronological"),
        ("PutLogEvents", with(batch("s", &[now]), "logGroupName", json!(of_runs)), invalid, "logs of runs"),
        ("GetLogEvents", with(stream("s"), "nextToken", json!("MQ")), invalid, "nextToken"),
        ("GetLogEvents", with(stream("s"), "logGroupIdentifier", json!("/app/x")), invalid, "exclude"),
        (
            "GetLogEvents",
            json!({ "logStreamName": "s", "logGroupIdentifier": "arn:aws:logs:eu-central-1:999999999999:log-group:/app/x" }),
            missing,
            "999999999999",
        ),
        ("FilterLogEvents", with(group("/app/x"), "logStreamNames", json!(["none"])), missing, "log stream"),
        ("TagLogGroup", with(group(of_runs), "tags", json!({ "a": "b" })), invalid, "logs of runs"),
        (
            "StartQuery",
            json!({}),
            unknown,
            "StartQuery is not supported here; read the events with FilterLogEvents",
        ),
        ("PutSubscriptionFilter", json!({}), unknown, "Kinesis"),
        ("PutMetricFilter", json!({}), unknown, "no metrics"),
    ] {
        let answer = house.ask(ask(operation, body.clone())).await;
        assert_eq!(code(&answer), code_of, "{operation} {body}: {}", answer.text());
        assert!(answer.text().contains(part), "{operation} {body}: {}", answer.text());
    }
    assert_eq!(done(&house, "GetLogEvents", stream("s")).await["events"], json!([]));
}
