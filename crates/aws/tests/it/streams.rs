//! Streams by HTTP/2 and with a clock that the test moves; policies of streams and of applications over them.

use crate::house::{Answer, Ask, House};
use bytes::{Buf as _, Bytes, BytesMut};
use chrono::Duration;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::TcpStream;

async fn kinesis(house: &House, operation: &str, body: Value) -> Answer {
    house.ask(Ask::json_of("kinesis", &format!("Kinesis_20131202.{operation}"), body)).await
}

async fn done(house: &House, operation: &str, body: Value) -> Value {
    let answer = kinesis(house, operation, body).await;
    assert_eq!(answer.status, 200, "{operation}: {}", answer.text());
    answer.json()
}

async fn with_stream() -> House {
    let house = House::new().await;
    done(&house, "CreateStream", json!({ "StreamName": "s", "ShardCount": 1 })).await;
    house
}

type Client = SendRequest<Full<Bytes>>;

async fn http2(house: &House) -> Client {
    let stream = TcpStream::connect(house.address).await.unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Signs and sends over HTTP/2, where the host is part of the address.
async fn ask(house: &House, client: &mut Client, operation: &str, body: Value) -> http::Response<Incoming> {
    let ask = house.signed(Ask::json_of("kinesis", &format!("Kinesis_20131202.{operation}"), body));
    let mut request = Request::post(format!("http://{}/", house.address));
    for (name, value) in &ask.headers {
        request = request.header(name, value);
    }
    client.send_request(request.body(Full::new(Bytes::from(ask.body))).unwrap()).await.unwrap()
}

/// The events in what has come so far: type and payload. Whole frames are taken away.
fn events(buffer: &mut BytesMut) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    while buffer.len() >= 12 && buffer.len() >= u32::from_be_bytes(buffer[..4].try_into().unwrap()) as usize {
        let length = (&buffer[..4]).get_u32() as usize;
        let head = (&buffer[4..8]).get_u32() as usize;
        let frame = buffer.split_to(length);
        let headers = String::from_utf8_lossy(&frame[12..12 + head]).into_owned();
        let name = if headers.contains(":exception-type") { ":exception-type" } else { ":event-type" };
        let value = headers.split(name).nth(1).unwrap();
        let kind =
            value[3..].split(':').next().unwrap().trim_end_matches(|c: char| c.is_control()).to_owned();
        let payload = serde_json::from_slice(&frame[12 + head..length - 4]).unwrap();
        found.push((kind, payload));
    }
    found
}

/// How long the clock stands still for an answer that may be on its way.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(20);

/// The next events; the clock goes on until there are some. Nothing at the end.
async fn next(
    house: &House,
    body: &mut Incoming,
    buffer: &mut BytesMut,
    step: Duration,
) -> Option<Vec<(String, Value)>> {
    loop {
        let found = events(buffer);
        if !found.is_empty() {
            return Some(found);
        }
        match tokio::time::timeout(PATIENCE, body.frame()).await {
            Ok(Some(frame)) => {
                if let Ok(bytes) = frame.unwrap().into_data() {
                    buffer.extend_from_slice(&bytes);
                }
            }
            Ok(None) => return None,
            Err(_) => house.hand.advance(step),
        }
    }
}

#[tokio::test]
async fn a_subscription_over_http2_lasts_five_minutes() {
    let house = with_stream().await;
    let arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/s";
    let made = done(&house, "RegisterStreamConsumer", json!({ "StreamARN": arn, "ConsumerName": "c" })).await;
    let consumer = made["Consumer"]["ConsumerARN"].as_str().unwrap().to_owned();
    let put = json!({ "StreamName": "s", "Data": "eA==", "PartitionKey": "k" });
    let placed = done(&house, "PutRecord", put.clone()).await;
    let mut client = http2(&house).await;
    let subscribe = json!({ "ConsumerARN": consumer, "ShardId": "shardId-000000000000",
                            "StartingPosition": { "Type": "TRIM_HORIZON" } });
    let answer = ask(&house, &mut client, "SubscribeToShard", subscribe.clone()).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/vnd.amazon.eventstream");
    let (mut body, mut buffer) = (answer.into_body(), BytesMut::new());
    let mut all = Vec::new();
    while all.len() < 2 {
        all.extend(next(&house, &mut body, &mut buffer, Duration::zero()).await.unwrap());
    }
    assert_eq!(all[0], ("initial-response".to_owned(), json!({})));
    assert_eq!(all[1].1["Records"][0]["Data"], "eA==");
    assert_eq!(all[1].1["ContinuationSequenceNumber"], placed["SequenceNumber"]);
    // Another request goes beside it, on the same connection.
    let listed = ask(&house, &mut client, "ListStreams", json!({})).await;
    let listed: Value = serde_json::from_slice(&listed.collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(listed["StreamNames"], json!(["s"]));
    let refused = kinesis(&house, "SubscribeToShard", subscribe.clone()).await;
    assert_eq!(refused.header("x-amzn-errortype"), "ResourceInUseException", "{}", refused.text());
    let begun = house.clock.now();
    let mut beats = 0;
    while let Some(found) = next(&house, &mut body, &mut buffer, Duration::seconds(5)).await {
        for (kind, event) in found {
            assert_eq!((kind.as_str(), &event["Records"]), ("SubscribeToShardEvent", &json!([])));
            assert_eq!(event["ContinuationSequenceNumber"], placed["SequenceNumber"], "a place to go on");
            beats += 1;
        }
    }
    let lasted = house.clock.now() - begun;
    assert!(lasted >= Duration::seconds(290) && beats >= 20, "{lasted} {beats}");
    // A later one takes over; when the consumer goes, it ends.
    let answer = ask(&house, &mut client, "SubscribeToShard", subscribe).await;
    let (mut body, mut buffer) = (answer.into_body(), BytesMut::new());
    assert!(next(&house, &mut body, &mut buffer, Duration::zero()).await.is_some());
    done(&house, "DeregisterStreamConsumer", json!({ "ConsumerARN": consumer })).await;
    while next(&house, &mut body, &mut buffer, Duration::zero()).await.is_some() {}
    house.stop.cancel();
    house.served.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_key_reads_the_streams_that_its_policy_names() {
    let house = with_stream().await;
    done(&house, "CreateStream", json!({ "StreamName": "secret", "ShardCount": 1 })).await;
    let place = |stream: &str| json!({ "StreamName": stream, "ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST" });
    let denied = "AccessDeniedException";
    let as_reader = async |operation: &str, body: Value| {
        let ask = Ask::json_of("kinesis", &format!("Kinesis_20131202.{operation}"), body);
        house.ask(ask.key("reader", "read")).await
    };
    let iterator = as_reader("GetShardIterator", place("s")).await.json();
    let iterator = iterator["ShardIterator"].as_str().unwrap().to_owned();
    assert_eq!(as_reader("GetRecords", json!({ "ShardIterator": iterator })).await.status, 200);
    assert_eq!(as_reader("GetShardIterator", place("secret")).await.header("x-amzn-errortype"), denied);
    // An iterator of another hand gives no right, whatever ARN stands beside it.
    let other = done(&house, "GetShardIterator", place("secret")).await;
    let beside = json!({ "ShardIterator": other["ShardIterator"],
                         "StreamARN": "arn:aws:kinesis:eu-central-1:123456789012:stream/s" });
    assert_eq!(as_reader("GetRecords", beside).await.header("x-amzn-errortype"), denied);
    // Neither does the name of one stream beside the ARN of another.
    let both = json!({ "StreamName": "s", "StreamARN": "arn:aws:kinesis:eu-central-1:123456789012:stream/secret",
                       "ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST" });
    assert_eq!(as_reader("GetShardIterator", both).await.header("x-amzn-errortype"), denied);
    let put = json!({ "StreamName": "s", "Data": "eA==", "PartitionKey": "k" });
    assert_eq!(as_reader("PutRecord", put).await.header("x-amzn-errortype"), denied);
}

#[tokio::test]
async fn who_starts_an_application_needs_the_rights_to_what_it_touches() {
    let house = House::with_bucket().await;
    done(&house, "CreateStream", json!({ "StreamName": "s", "ShardCount": 1 })).await;
    let script = |stream: &str, folder: &str| {
        format!(
            "CREATE TABLE a (`x` BIGINT, at_time TIMESTAMP(3), WATERMARK FOR at_time AS at_time) WITH (
               'connector' = 'kinesis', 'stream' = '{stream}', 'aws.region' = 'eu-central-1', 'format' = 'json');
             CREATE TABLE b (`x` BIGINT) WITH ('connector' = 'filesystem', 'path' = '{folder}', 'format' = 'json');
             INSERT INTO b SELECT `x` FROM a;"
        )
    };
    let target = "KinesisAnalytics_20180523";
    let ask = |operation: &str, body: Value| {
        Ask::json_of("kinesisanalytics", &format!("{target}.{operation}"), body)
    };
    for (name, stream, folder, action) in [
        ("other-stream", "secret", "s3://raw/app/", "kinesis:GetRecords"),
        ("other-folder", "s", "s3://raw/secret/", "s3:PutObject"),
        ("both", "s", "s3://raw/app/", ""),
    ] {
        let create = json!({ "ApplicationName": name, "RuntimeEnvironment": "FLINK-1_20", "ServiceExecutionRole": "r",
            "ApplicationConfiguration": { "ApplicationCodeConfiguration": { "CodeContentType": "PLAINTEXT",
                "CodeContent": { "TextContent": script(stream, folder) } } } });
        let made = house.ask(ask("CreateApplication", create)).await;
        assert_eq!(made.status, 200, "{}", made.text());
        let start = ask("StartApplication", json!({ "ApplicationName": name }));
        let answer = house.ask(start.key("operator", "operate")).await;
        if action.is_empty() {
            assert_eq!(answer.status, 200, "{}", answer.text());
            let stop = house.ask(ask("StopApplication", json!({ "ApplicationName": name }))).await;
            assert_eq!(stop.status, 200, "{}", stop.text());
        } else {
            assert_eq!(
                answer.header("x-amzn-errortype"),
                "AccessDeniedException",
                "{name}: {}",
                answer.text()
            );
            assert!(answer.text().contains(action), "{}", answer.text());
        }
    }
}
